/* tempering.c — parallel tempering: neighbours on a ladder of temperatures exchange their places (Geyer 1991). The
 * swap is a Metropolis move on the product of the ladder's densities; it changes x and leaves the temperatures. */
#include "chain_state.h"

#include "base/random.h"
#include "transition.h"

#include <math.h>
#include <string.h>

static void exchange(char *a, char *b, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++) {
        char kept = a[i];
        a[i] = b[i];
        b[i] = kept;
    }
}

/* A pair's word of the stream is a function of its place alone, and its turn of the step's number. */
void ebm_chains_swap(ebm_chains *c, const void *energy, uint64_t seed, uint64_t step)
{
    size_t bytes = (size_t)c->dim * gibbs_dtype_size(c->model->dtype);
    int parity = (int)(step / (uint64_t)c->swap_every % 2);
    gibbs_words words = gibbs_words_start(seed, EBM_STREAM_SWAP, step);
    for (int64_t row = 0; row + 1 < c->rows; row++) {
        double u = gibbs_words_unit(&words);
        int rung = (int)(row % c->rungs);
        if (rung + 1 == c->rungs || rung % 2 != parity) continue;
        double gap = ebm_number(c->model->dtype, energy, row) - ebm_number(c->model->dtype, energy, row + 1);
        c->swaps_tried++;
        if (!(log(u) < (c->ladder[rung] - c->ladder[rung + 1]) * gap)) continue;
        exchange((char *)c->x + (size_t)row * bytes, (char *)c->x + (size_t)(row + 1) * bytes, bytes);
        c->swaps_made++;
    }
}

double ebm_chains_swapped(const ebm_chains *c)
{
    return c && c->swaps_tried > 0 ? c->swaps_made / c->swaps_tried : NAN;
}
