/* hand.c — the hand-written peer: what a good engineer writes in C with BLAS for one model, without autodiff. */
#include "hand.h"

#include <cblas.h>
#include <stddef.h>

#define ROWS(name) &hand_##name##_f32, &hand_##name##_f64,

int main(int argc, char **argv)
{
    static const peer_method *const methods[] = {HAND_METHODS(ROWS) NULL};
#ifdef GIBBS_OPENBLAS
    openblas_set_num_threads(1); /* the threads are ours, over the rows */
#endif
    return peer_serve(argc, argv, "hand-written C (gcc " __VERSION__ ")", methods);
}
