/* Updates of many parameters over threads: the bits of one thread, and of updates of a few parameters at a time. */
#include "optim_helpers.h"

#include <criterion/criterion.h>
#include <gibbs/optim.h>
#include <stdlib.h>
#include <string.h>

enum { N = 100003, STEPS = 3, FEW = 1000 };

static const ebm_optimizer *const optimizers[] = {&ebm_sgd, &ebm_adam, &ebm_adamw, &ebm_rmsprop};

static char *numbers(gibbs_dtype dtype, uint64_t seed)
{
    char *x = malloc(N * gibbs_dtype_size(dtype));
    for (int64_t i = 0; i < N; i++) put(dtype, x, i, random_number(&seed));
    return x;
}

static ebm_optim_step arguments(int64_t step, int threads)
{
    return (ebm_optim_step){step, 0.01, 0.9, 0.9, 0.99, 1e-8, 0.1, threads};
}

/* The parameters after some steps. */
static char *after_steps(const ebm_optimizer *o, gibbs_dtype dtype, int threads)
{
    char *w = numbers(dtype, 3), *g = numbers(dtype, 4);
    char *state = calloc((size_t)o->slots * N, gibbs_dtype_size(dtype));
    for (int64_t step = 0; step < STEPS; step++) {
        ebm_optim_step args = arguments(step, threads);
        o->update(dtype, N, w, g, state, &args);
    }
    free(g), free(state);
    return w;
}

/* The same, a thousand parameters at a time. */
static char *piece_by_piece(const ebm_optimizer *o, gibbs_dtype dtype)
{
    size_t size = gibbs_dtype_size(dtype);
    char *w = numbers(dtype, 3), *g = numbers(dtype, 4), *state = malloc((size_t)o->slots * FEW * size);
    for (int64_t first = 0; first < N; first += FEW) {
        int64_t n = N - first < FEW ? N - first : FEW;
        memset(state, 0, (size_t)o->slots * FEW * size);
        for (int64_t step = 0; step < STEPS; step++) {
            ebm_optim_step args = arguments(step, 1);
            o->update(dtype, n, w + (size_t)first * size, g + (size_t)first * size, state, &args);
        }
    }
    free(g), free(state);
    return w;
}

Test(optim_threads, equal_bits)
{
    EACH(gibbs_dtype, dtype, dtypes)
    EACH(const ebm_optimizer *const, o, optimizers)
    {
        char *expected = piece_by_piece(*o, *dtype);
        for (int threads = 0; threads <= 5; threads++) {
            char *w = after_steps(*o, *dtype, threads);
            cr_expect_eq(memcmp(w, expected, N * gibbs_dtype_size(*dtype)), 0, "%s, %d threads, %d-byte numbers",
                         (*o)->name, threads, (int)gibbs_dtype_size(*dtype));
            free(w);
        }
        free(expected);
    }
}
