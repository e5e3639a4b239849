/* hand.h — the evaluations in plain C, as one writes them for one problem: derivatives by hand, loops over doubles, one
 * thread, no library but libm. Where an adjoint is long it is the reverse of the loops, in their order. */
#ifndef GRADBENCH_HAND_H
#define GRADBENCH_HAND_H

#include "../frame.h"

/* A number, or a list of them. */
typedef struct hand_answer {
    double *number;
    int64_t count; /* 0: one number */
} hand_answer;

/* Of a struct that begins with its answer. */
json_t *hand_output(gb_run *r);

extern const gb_function hand_hello[2], hand_gmm[2], hand_ba[2], hand_ht[2], hand_lstm[2], hand_kmeans[2], hand_lse[2],
    hand_llsq[2], hand_ode[2], hand_det[2], hand_particle[4];

#endif
