/* Moments and averages that decay do not end among the subnormals, in any thread; and an update leaves the host's
 * floating-point word as it was, but for flags that its few numbers of the step raise. */
#include "optim_helpers.h"
#include "support/host_words.h"

#include <criterion/criterion.h>
#include <gibbs/optim.h>
#include <stdlib.h>
#include <string.h>

enum { N = 40007, MOST_SLOTS = 2 }; /* several parts, which threads take */

/* Some are at rest at once, the others when they have halved once more. */
static void *least_numbers(gibbs_dtype dtype, int64_t count)
{
    void *x = malloc((size_t)count * gibbs_dtype_size(dtype));
    for (int64_t i = 0; i < count; i++)
        put(dtype, x, i, (dtype == GIBBS_FLOAT32 ? (double)FLT_MIN : DBL_MIN) * (1 + (double)(i % 3)));
    return x;
}

/* Without a fused multiply-add an average stays at the least numbers: its step is flushed. Moments go to 0. */
static void expect_no_subnormals(gibbs_dtype dtype, const void *x, int64_t count, bool decays, const char *what)
{
    int64_t zeros = 0, subnormals = 0;
    for (int64_t i = 0; i < count; i++) {
        zeros += get(dtype, x, i) == 0;
        subnormals += is_subnormal(gibbs_dtype_size(dtype), get(dtype, x, i));
    }
    cr_expect_eq(subnormals, 0, "%s: %lld numbers are subnormal", what, (long long)subnormals);
    cr_expect(!decays || (zeros > count / 4 && zeros < count / 2), "%s: %lld numbers of %lld are 0", what, (long long)zeros,
              (long long)count);
}

static void check_update(const ebm_optimizer *optimizer, gibbs_dtype dtype, const struct host_word *host, int threads)
{
    const ebm_optim_step args = {.step = 9, .rate = 0.1, .momentum = 0.5, .beta1 = 0.5, .beta2 = 0.5, .epsilon = 1e-8,
                                 .threads = threads};
    void *state = least_numbers(dtype, MOST_SLOTS * N), *w = calloc(N, sizeof(double)), *g = calloc(N, sizeof(double));
    gibbs_float_word first = gibbs_float_get();
    gibbs_float_set(host->word);
    optimizer->update(dtype, N, w, g, state, &args);
    gibbs_float_word after = gibbs_float_get();
    gibbs_float_set(first);
    cr_expect(same_control(after, host->word), "%s, %s: another word afterwards", optimizer->name, host->name);
    int64_t decaying = optimizer == &ebm_rmsprop ? 1 : optimizer->slots; /* RMSprop's steps do not decay here */
    expect_no_subnormals(dtype, state, decaying * N, true, optimizer->name);
    free(state), free(w), free(g);
}

Test(optim_subnormals, moments)
{
    static const ebm_optimizer *const all[] = {&ebm_sgd, &ebm_adam, &ebm_adamw, &ebm_rmsprop};
    NEEDS_A_WORD();
    EACH(ebm_optimizer *const, optimizer, all)
        EACH(gibbs_dtype, dtype, dtypes)
            EACH(struct host_word, host, host_words)
                for (int threads = 1; threads <= 2; threads++) check_update(*optimizer, *dtype, host, threads);
}

Test(optim_subnormals, averages)
{
    NEEDS_A_WORD();
    gibbs_float_word first = gibbs_float_get();
    EACH(gibbs_dtype, dtype, dtypes)
        EACH(struct host_word, host, host_words) {
            double *average = least_numbers(GIBBS_FLOAT64, N);
            void *w = calloc(N, sizeof(double));
            gibbs_float_set(host->word);
            ebm_average(*dtype, N, average, w, 0.5, 60);
            gibbs_float_word after = gibbs_float_get();
            gibbs_float_set(first);
            cr_expect(same_control(after, host->word), "%s: another word afterwards", host->name);
            expect_no_subnormals(GIBBS_FLOAT64, average, N, false, "average");
            free(average), free(w);
        }
}
