/* Proposals, chains and importance sampling when memory runs out: every allocation fails once, each time with MEMORY,
 * nothing leaked and nothing changed; and then a run allocates nothing that the first one has not. */
#include "ebm/proposal/draw.h"
#include "ebm/sampler/chains.h"
#include "sampling.h"
#include "support/alloc.h"

typedef gibbs_status job(const gibbs_allocator *a, gibbs_error *error);

static const density NORMAL = {"normal", 1, 0, 0, -8, 8};
static const double ZERO[2], UNIT[] = {1, 1}, MATRIX[] = {2, 1, 1, 2}, ROWS[] = {1, 2, 3, 5, -1, 0};

static const ebm_data data = {.rows = 3, .cols = 2, .x = (double *)ROWS};

static gibbs_status keep(gibbs_status status, ebm_proposal **q)
{
    cr_assert_eq(status == GIBBS_OK, *q != NULL);
    ebm_proposal_free(*q);
    return status;
}

static gibbs_status make_diagonal(const gibbs_allocator *a, gibbs_error *error)
{
    ebm_proposal *q;
    return keep(ebm_proposal_gaussian_diagonal(2, ZERO, UNIT, a, &q, error), &q);
}

static gibbs_status make_full(const gibbs_allocator *a, gibbs_error *error)
{
    ebm_proposal *q;
    return keep(ebm_proposal_gaussian_full(2, ZERO, MATRIX, a, &q, error), &q);
}

static gibbs_status fit_diagonal(const gibbs_allocator *a, gibbs_error *error)
{
    ebm_proposal *q;
    return keep(ebm_proposal_gaussian_fit(&data, 0, 1.5, a, &q, error), &q);
}

static gibbs_status fit_full(const gibbs_allocator *a, gibbs_error *error)
{
    ebm_proposal *q;
    return keep(ebm_proposal_gaussian_fit(&data, 1, 1.5, a, &q, error), &q);
}

static gibbs_status draw(const gibbs_allocator *a, gibbs_error *error)
{
    ebm_proposal *q;
    ebm_draw *draw;
    OK(ebm_proposal_gaussian_full(2, ZERO, MATRIX, NULL, &q, ERROR));
    gibbs_status status = ebm_draw_new(q, GIBBS_FLOAT32, a, &draw, error);
    cr_assert_eq(status == GIBBS_OK, draw != NULL);
    if (!status) status = ebm_draw_run(draw, 100, 1, 2, error);
    ebm_draw_free(draw);
    ebm_proposal_free(q);
    return status;
}

/* A model with its own allocator, whose failing begins after it was made. */
static ebm_model *quiet_model(const gibbs_allocator *a)
{
    counting_alloc *count = a->context;
    int64_t fail_at = count->fail_at;
    count->fail_at = 0;
    ebm_model *model = density_model(&NORMAL, GIBBS_FLOAT64, a);
    count->calls = 0;
    count->fail_at = fail_at;
    return model;
}

static gibbs_status move(const gibbs_allocator *a, const ebm_sampler *sampler, gibbs_error *error)
{
    double x[] = {1, 2, 3}, after[3];
    ebm_proposal *q;
    ebm_chains *chains;
    ebm_model *model = quiet_model(a);
    OK(ebm_proposal_gaussian_diagonal(1, ZERO, UNIT, NULL, &q, ERROR));
    ebm_chain_options options = {.sampler = sampler, .step = 0.1, .proposal = q};
    gibbs_status status = ebm_chains_new(model, &options, &chains, error);
    cr_assert_eq(status == GIBBS_OK, chains != NULL);
    if (!status) status = ebm_chains_start(chains, x, 3, error);
    if (!status && (status = ebm_chains_run(chains, 5, 1, 0, error))) {
        ebm_chains_get(chains, after);
        cr_assert_arr_eq(x, after, sizeof x);
    }
    ebm_chains_free(chains);
    ebm_proposal_free(q);
    ebm_model_free(model);
    return status;
}

static gibbs_status move_ula(const gibbs_allocator *a, gibbs_error *error) { return move(a, &ebm_ula, error); }
static gibbs_status move_mala(const gibbs_allocator *a, gibbs_error *error) { return move(a, &ebm_mala, error); }
static gibbs_status move_mh(const gibbs_allocator *a, gibbs_error *error)
{
    return move(a, &ebm_independence_mh, error);
}

static gibbs_status weigh(const gibbs_allocator *a, gibbs_error *error)
{
    ebm_proposal *q;
    double y[10], weight[10] = {-1};
    ebm_importance result = {.ess = -1};
    ebm_model *model = quiet_model(a);
    OK(ebm_proposal_gaussian_diagonal(1, ZERO, UNIT, NULL, &q, ERROR));
    gibbs_status status = ebm_importance_sample(model, q, 10, 1, y, weight, &result, error);
    cr_assert(status ? weight[0] == -1 && result.ess == -1 : weight[0] > 0 && result.ess > 0);
    ebm_proposal_free(q);
    ebm_model_free(model);
    return status;
}

Test(memory, every_allocation_may_fail)
{
    static job *const jobs[] = {make_diagonal, make_full, fit_diagonal, fit_full, draw,
                                move_ula, move_mala, move_mh, weigh};
    for (int k = 0; k < COUNT(jobs); k++) {
        gibbs_status status = GIBBS_MEMORY;
        int64_t fail_at = 0;
        while (status) {
            counting_alloc count = {.fail_at = ++fail_at};
            gibbs_allocator a = counting_allocator(&count);
            gibbs_error error = {.status = GIBBS_OK};
            status = jobs[k](&a, &error);
            cr_assert_eq(count.live, 0, "job %d leaks %ld blocks when allocation %ld fails", k, (long)count.live,
                         (long)fail_at);
            cr_assert_eq(status, count.failures ? GIBBS_MEMORY : GIBBS_OK, "job %d, allocation %ld: %s", k,
                         (long)fail_at, error.message);
            cr_assert_eq(status, error.status);
        }
        cr_assert_gt(fail_at, k < 2 ? 1 : 2, "job %d allocates nothing", k);
    }
}

/* Growing to more chains fails: they stay where they are, and go on. */
Test(memory, chains_survive_a_start_that_does_not_fit)
{
    counting_alloc count = {0};
    gibbs_allocator a = counting_allocator(&count);
    double x[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10}, after[10];
    ebm_chains *chains;
    ebm_model *model = density_model(&NORMAL, GIBBS_FLOAT64, &a);
    OK(ebm_chains_new(model, &(ebm_chain_options){.step = 0.1}, &chains, ERROR));
    OK(ebm_chains_start(chains, x, 3, ERROR));
    count.fail_at = count.calls + 1;
    FAILS(GIBBS_MEMORY, "10 chains", ebm_chains_start(chains, x, 10, FAIL));
    cr_assert_eq(ebm_chains_rows(chains), 3);
    ebm_chains_get(chains, after);
    cr_assert_arr_eq(x, after, 3 * sizeof *x);
    OK(ebm_chains_run(chains, 3, 0, 0, ERROR));
    ebm_chains_free(chains);
    ebm_model_free(model);
    cr_assert_eq(count.live, 0);
}

Test(memory, nothing_is_allocated_once_a_size_has_run)
{
    counting_alloc count = {0};
    gibbs_allocator a = counting_allocator(&count);
    double x[] = {1, 2, 3, 4};
    ebm_proposal *q;
    ebm_draw *draw;
    ebm_chains *chains;
    ebm_model *model = density_model(&NORMAL, GIBBS_FLOAT64, &a);
    OK(ebm_chains_new(model, &(ebm_chain_options){.step = 0.1}, &chains, ERROR));
    OK(ebm_proposal_gaussian_full(2, ZERO, MATRIX, &a, &q, ERROR));
    OK(ebm_draw_new(q, GIBBS_FLOAT64, &a, &draw, ERROR));
    int64_t before = 0;
    for (int k = 0; k < 4; k++) {
        OK(ebm_chains_start_native(chains, x, 4 - k, ERROR));
        OK(ebm_chains_run(chains, 3, 0, 0, ERROR));
        OK(ebm_draw_run(draw, 40 - k, 0, 0, ERROR));
        if (k) cr_assert_eq(count.calls, before);
        before = count.calls;
    }
    ebm_draw_free(draw);
    ebm_proposal_free(q);
    ebm_chains_free(chains);
    ebm_model_free(model);
    cr_assert_eq(count.live, 0);
}
