/* Samplers, ladders, traces and annealing when memory runs out: every allocation of the model's allocator fails once,
 * each time with MEMORY, nothing leaked and nothing of the caller's changed; then a second run allocates nothing. */
#include "discrete_space.h"
#include "support/alloc.h"

typedef gibbs_status job(ebm_model *model, gibbs_error *error);

static ad_var square_energy(ad_var x, const ad_var *theta, void *context)
{
    (void)theta;
    (void)context;
    return ad_scale(ad_sum(ad_square(x)), 0.5);
}

/* Its allocator fails from now on. */
static ebm_model *quiet_model(const gibbs_allocator *a)
{
    counting_alloc *count = a->context;
    int64_t fail_at = count->fail_at;
    ebm_model_spec spec = {.dtype = GIBBS_FLOAT64, .dim = 4, .energy = square_energy, .allocator = a};
    ebm_model *model;
    count->fail_at = 0;
    OK(ebm_model_new(&spec, &model, ERROR));
    count->calls = 0;
    count->fail_at = fail_at;
    return model;
}

static gibbs_status move(ebm_model *model, ebm_chain_options options, bool trace, gibbs_error *error)
{
    double x[24], after[24];
    ebm_chains *chains;
    ebm_trace result = {.ess = -1};
    for (int i = 0; i < 24; i++) x[i] = i % 2;
    options.step = 0.3;
    gibbs_status status = ebm_chains_new(model, &options, &chains, error);
    cr_assert_eq(status == GIBBS_OK, chains != NULL);
    if (!status) status = ebm_chains_start(chains, x, 6, error);
    if (!status && trace) {
        static const char *const names[] = {"a", "b", "c", "d"};
        ebm_draws draws = {0};
        ebm_draws_summary summary[4];
        status = ebm_chains_trace(chains, &(ebm_trace_options){.steps = 10}, NULL, &result, error);
        cr_assert_eq(status == GIBBS_OK, result.ess > 0);
        if (!status) status = ebm_chains_draws(chains, &(ebm_draws_options){.draws = 5, .names = names}, &draws, error);
        if (!status) status = ebm_draws_summarise(&draws, summary, error);
        ebm_draws_free(&draws);
    } else if (!status && (status = ebm_chains_run(chains, 5, 1, 0, error))) {
        ebm_chains_get(chains, after);
        cr_assert_arr_eq(x, after, sizeof x);
    }
    ebm_chains_free(chains);
    return status;
}

#define MOVE(name, trace, ...)                                                                         \
    static gibbs_status name(ebm_model *model, gibbs_error *error)                                     \
    {                                                                                                  \
        return move(model, (ebm_chain_options){__VA_ARGS__}, trace, error);                            \
    }
static const double BETA[] = {1, 0.5}, MASS[] = {1, 2, 3, 4};
MOVE(move_walk, false, .sampler = &ebm_random_walk, .mass = MASS)
MOVE(move_hmc, false, .sampler = &ebm_hmc)
MOVE(move_gibbs, false, .sampler = &ebm_gibbs)
MOVE(move_random, false, .sampler = &ebm_gibbs, .order = EBM_ORDER_RANDOM)
MOVE(move_colours, false, .sampler = &ebm_gibbs, .order = EBM_ORDER_COLOURS)
MOVE(move_categories, false, .sampler = &ebm_gibbs, .space = {.labels = 2, .one_hot = 1})
MOVE(move_gradients, false, .sampler = &ebm_gibbs_with_gradients)
MOVE(move_ladder, false, .sampler = &ebm_mala, .inverse_temperatures = BETA, .temperatures = 2)
MOVE(trace_walk, true, .sampler = &ebm_random_walk)

static gibbs_status anneal(ebm_model *model, gibbs_error *error)
{
    const double zero[4] = {0}, one[4] = {1, 1, 1, 1};
    double w[5] = {-1}, x[20] = {-1};
    ebm_proposal *q;
    ebm_ais result = {.ess = -1};
    ebm_ais_options options = {0};
    OK(ebm_proposal_gaussian_diagonal(4, zero, one, NULL, &q, ERROR));
    options.base = q;
    options.bridges = 3;
    gibbs_status status = ebm_ais_forward(model, &options, 5, w, x, &result, error);
    cr_assert(status ? w[0] == -1 && x[0] == -1 && result.ess == -1 : result.ess > 0);
    ebm_proposal_free(q);
    return status;
}

Test(samplers_memory, every_allocation_may_fail)
{
    static job *const jobs[] = {move_walk,      move_hmc,    move_gibbs, move_categories, move_random, move_colours,
                                move_gradients, move_ladder, trace_walk, anneal};
    for (int k = 0; k < COUNT(jobs); k++) {
        gibbs_status status = GIBBS_MEMORY;
        int64_t fail_at = 0;
        while (status) {
            counting_alloc count = {.fail_at = ++fail_at};
            gibbs_allocator a = counting_allocator(&count);
            gibbs_error error = {.status = GIBBS_OK};
            ebm_model *model = quiet_model(&a);
            status = jobs[k](model, &error);
            ebm_model_free(model);
            cr_assert_eq(count.live, 0, "job %d leaks %ld blocks when allocation %ld fails", k, (long)count.live,
                         (long)fail_at);
            cr_assert_eq(status, count.failures ? GIBBS_MEMORY : GIBBS_OK, "job %d, allocation %ld: %s", k,
                         (long)fail_at, error.message);
            cr_assert_eq(status, error.status);
        }
        cr_assert_gt(fail_at, 2, "job %d allocates nothing", k);
    }
}

Test(samplers_memory, nothing_is_allocated_once_a_size_has_run)
{
    const ebm_chain_options ways[] = {{.sampler = &ebm_hmc, .step = 0.1},
                                      {.sampler = &ebm_gibbs, .step = 1, .space = {.labels = 2, .one_hot = 1}},
                                      {.sampler = &ebm_random_walk, .step = 1, .inverse_temperatures = BETA,
                                       .temperatures = 2, .swap_every = 2}};
    for (int k = 0; k < COUNT(ways); k++) {
        counting_alloc count = {0};
        gibbs_allocator a = counting_allocator(&count);
        ebm_model *model = quiet_model(&a);
        ebm_chains *chains;
        double x[24];
        int64_t before = 0;
        for (int i = 0; i < 24; i++) x[i] = i % 2;
        OK(ebm_chains_new(model, &ways[k], &chains, ERROR));
        for (int turn = 0; turn < 3; turn++) {
            OK(ebm_chains_start(chains, x, 6 - 2 * turn, ERROR));
            OK(ebm_chains_run(chains, 5, 1, 0, ERROR));
            if (turn) cr_assert_eq(count.calls, before, "way %d", k);
            before = count.calls;
        }
        ebm_chains_free(chains);
        ebm_model_free(model);
        cr_assert_eq(count.live, 0);
    }
}
