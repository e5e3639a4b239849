/* ht_input.h — hand tracking: a mesh whose vertices hang on bones, and measured points, each of which corresponds to a
 * vertex or, where there are barycentric coordinates us, to a place in a triangle. */
#ifndef GRADBENCH_HT_INPUT_H
#define GRADBENCH_HT_INPUT_H

#include "frame.h"

enum { HT_THETA = 26, HT_FINGERS = 5 };

typedef struct ht_input {
    int64_t bones, vertices, points; /* vertices: those that a point reads, each once */
    int corners;                     /* 3 with us, else 1 */
    int mirrored;
    double *theta, *us;              /* [26], [points, 2] */
    double *parent;                  /* [bones] before it, or −1 */
    double *relative, *inverse;      /* [bones, 4, 4] */
    double *base, *weight;           /* [vertices, 4], [vertices, bones] */
    double *corner[3];               /* [points] whole numbers: which vertices a point reads */
    double *measured;                /* [points, 3] */
} ht_input;

void ht_read(gb_run *r, ht_input *in);

/* Which of theta is angle k of bone b; HT_THETA: none is, and the angle is 0. */
int64_t ht_angle(int64_t bone, int angle);

#endif
