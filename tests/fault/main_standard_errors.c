/* Every allocation of ebm_standard_errors fails in turn, alone: MEMORY comes back with a sentence, nothing is lost,
 * nothing half made is left in the result, and the model can be asked again. With it go the engine's matrices of
 * derivatives, which are recorded on its tape. A plain program, since leaks do not fail a Criterion test. */
#include "support/alloc.h"

#include <gibbs/ebm.h>

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { ROWS = 12, DIM = 2 };
static double points[ROWS * DIM];
static int failed;

static void expect(int good, const char *what, const char *name, int64_t at, const char *message)
{
    if (!good) failed++, printf("%s, allocation %lld: %s: %s\n", name, (long long)at, what, message);
}

/* One attempt, whose allocation `at` fails (0: none). Returns how often it allocates. */
static int64_t attempt(const ebm_loss *loss, int64_t at)
{
    counting_alloc count = {0};
    gibbs_allocator allocator = counting_allocator(&count);
    ebm_data data = {.rows = ROWS, .cols = DIM, .x = points};
    ebm_fit_options options = {0};
    ebm_model *model;
    ebm_uncertainty u;
    gibbs_error error = {.message = ""};
    options.loss = loss, options.weight_decay = 1, options.loss_options.threads = 1;
    if (ebm_model_gaussian(DIM, GIBBS_FLOAT64, &allocator, &model, &error)) return 0;
    count.calls = 0, count.fail_at = at;
    gibbs_status status = ebm_standard_errors(model, &data, &options, &u, &error);
    int64_t calls = count.calls;
    count.fail_at = 0;
    expect(status == (at ? GIBBS_MEMORY : GIBBS_OK), gibbs_status_text(status), loss->name, at, error.message);
    if (at) expect(!u.covariance && error.message[0], "something is left", loss->name, at, error.message);
    else expect(u.standard_error[0] > 0, "no standard error", loss->name, at, "");
    ebm_uncertainty_free(&u);
    if (at % 16 == 1) expect(!ebm_standard_errors(model, &data, &options, &u, &error), "again", loss->name, at, error.message);
    if (at % 16 == 1) ebm_uncertainty_free(&u);
    ebm_model_free(model);
    expect(!count.live && !count.bytes, "blocks are lost", loss->name, at, error.message);
    return calls;
}

int main(void)
{
    static const ebm_loss *const losses[] = {&ebm_loss_score_matching, &ebm_loss_ml_is, &ebm_loss_nce};
    int64_t total = 0;
    for (int i = 0; i < ROWS * DIM; i++) points[i] = sin(3.0 * i) + 0.1 * (i % 5);
    for (int k = 0; k < 3; k++) {
        int64_t calls = attempt(losses[k], 0);
        expect(calls > 20, "hardly any allocation is hooked", losses[k]->name, 0, "");
        for (int64_t at = 1; at <= calls; at++) attempt(losses[k], at);
        total += calls;
    }
    printf("%lld failures injected, %d checks failed\n", (long long)total, failed);
    return failed != 0;
}
