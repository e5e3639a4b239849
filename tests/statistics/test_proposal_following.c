/* 95 % intervals of ML-IS by q = N(2, 2²), as it is and following θ, on rows of N(0, θ²): where the weights of the
 * fixed one have no variance its intervals miss, and those of the one that follows hold. */
#include "base/random.h"
#include "ebm/sampling.h"

enum { ROWS = 500 };

static ad_var energy(ad_var x, const ad_var *theta, void *context)
{
    (void)context;
    return ad_scale(ad_sum(ad_square(ad_div(x, theta[0]))), 0.5);
}

/* How many of the intervals of fits that start at θ = 2.5 hold. */
static int held(double truth, const ebm_proposal *q, int fits, double *k_mean)
{
    const ebm_parameter p = {"theta", ad_scalar(), EBM_INIT_CONSTANT, 2.5};
    ebm_model_spec spec = {.dim = 1, .parameters = &p, .parameter_count = 1, .energy = energy};
    ebm_fit_options options = {.loss = &ebm_loss_ml_is, .lbfgs = 1, .threads = 1};
    ebm_model *model;
    OK(ebm_model_new(&spec, &model, ERROR));
    options.loss_options.proposal = q, options.loss_options.noise_ratio = 2, options.loss_options.threads = 1;
    int count = 0;
    for (int k = 0; k < fits; k++) {
        double x[ROWS], start = 2.5;
        gibbs_words words = gibbs_words_start((uint64_t)k, 0x666f6c6c, 1);
        for (int r = 0; r < ROWS; r++) x[r] = truth * gibbs_words_normal(&words);
        const ebm_data data = {.rows = ROWS, .cols = 1, .x = x};
        ebm_uncertainty u;
        ebm_model_set(model, &start);
        options.seed = (uint64_t)k;
        OK(ebm_fit(model, &data, &options, NULL, ERROR));
        OK(ebm_standard_errors(model, &data, &options, &u, ERROR));
        count += fabs(parameter_of(model, "theta") - truth) < 1.959964 * u.standard_error[0];
        *k_mean += u.k / fits;
        ebm_uncertainty_free(&u);
    }
    ebm_model_free(model);
    return count;
}

Test(proposal_following, intervals_hold_where_those_of_a_fixed_q_do_not)
{
    const char *times = getenv("GIBBS_TEST_TIMES");
    int fits = 200 * (times && atoi(times) > 1 ? 5 : 1);
    const double truths[] = {2, 3, 4}, mean = 2, sd = 2;
    const ebm_parameter p = {"theta", ad_scalar(), EBM_INIT_CONSTANT, 2.5};
    ebm_model_spec spec = {.dim = 1, .parameters = &p, .parameter_count = 1, .energy = energy};
    ebm_model *model;
    ebm_proposal *fixed, *q;
    OK(ebm_model_new(&spec, &model, ERROR));
    OK(ebm_proposal_gaussian_diagonal(1, &mean, &sd, NULL, &fixed, ERROR));
    OK(ebm_proposal_following(model, fixed, &(ebm_following_options){.widen = 1.5}, NULL, &q, ERROR));
    double error = sqrt(0.95 * 0.05 / fits);
    for (int k = 0; k < COUNT(truths); k++) {
        double k_follows = 0, k_stays = 0, follows = held(truths[k], q, fits, &k_follows) / (double)fits;
        double stays = held(truths[k], fixed, fits, &k_stays) / (double)fits;
        cr_log_info("θ = %g: %g hold, %g of the fixed q", truths[k], follows, stays);
        cr_expect(fabs(follows - 0.95) < 3.2 * error, "θ = %g: %g", truths[k], follows);
        cr_expect(k_follows < 0.2 && (k == 0 || k_stays > 0.45), "θ = %g: k %g, %g", truths[k], k_follows, k_stays);
        if (k == 1) cr_expect_lt(stays, 0.85);
    }
    ebm_proposal_free(q);
    ebm_proposal_free(fixed);
    ebm_model_free(model);
}
