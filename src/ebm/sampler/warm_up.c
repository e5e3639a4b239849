/* warm_up.c — the step size, adapted before the run that counts: dual averaging of log h (Nesterov 2009; Hoffman &
 * Gelman 2014 §3.2, their constants). Many chains give each step a share that moved, not a probability: its noise is
 * what the averaging is for. */
#include "chain_state.h"

#include <math.h>

static const double PULL = 0.05, EARLY = 10, FORGET = 0.75; /* γ, t₀, κ */

static gibbs_status check(const ebm_chains *c, int64_t steps, double *target, gibbs_error *error)
{
    if (!c->sampler->target)
        return gibbs_fail(error, GIBBS_ARGUMENT, "warm_up: the acceptance of «%s» does not follow from a step size",
                          c->sampler->name ? c->sampler->name : "");
    if (steps < 1) return gibbs_fail(error, GIBBS_ARGUMENT, "warm_up: %lld steps", (long long)steps);
    if (*target == 0) *target = c->sampler->target(c->dim);
    if (!(*target > 0 && *target < 1))
        return gibbs_fail(error, GIBBS_ARGUMENT, "warm_up: an acceptance of %g is no target", *target);
    return GIBBS_OK;
}

static void set_step(ebm_chains *c, double log_step)
{
    double limit = c->model->dtype == GIBBS_FLOAT64 ? 600 : 80, h = exp(fmin(fmax(log_step, -limit), limit));
    ebm_to_dtype(c->model->dtype, 1, &c->step, &h);
}

static void forget_acceptances(ebm_chains *c)
{
    c->accepted = 0;
    c->counted = 0;
    c->swaps_tried = c->swaps_made = 0;
}

/* log h is pulled towards `centre`, ten times the first step: too large is found out sooner than too small. */
static gibbs_status adapt(ebm_chains *c, int64_t steps, double target, uint64_t seed, double *average,
                          gibbs_error *error)
{
    double centre = log(10 * ebm_chains_step(c)), error_sum = 0;
    for (int64_t t = 1; t <= steps; t++) {
        forget_acceptances(c);
        gibbs_status status = ebm_chains_run(c, 1, seed, 0, error);
        if (status) return status;
        double n = (double)t, weight = pow(n, -FORGET);
        error_sum += (target - ebm_chains_acceptance(c) - error_sum) / (n + EARLY);
        double log_step = centre - sqrt(n) / PULL * error_sum;
        *average = weight * log_step + (1 - weight) * *average;
        set_step(c, log_step);
    }
    return GIBBS_OK;
}

gibbs_status ebm_chains_warm_up(ebm_chains *c, int64_t steps, double target, uint64_t seed, gibbs_error *error)
{
    GIBBS_REQUIRE("warm_up", c, error);
    gibbs_status status = check(c, steps, &target, error);
    if (status) return status;
    double before = c->step, average = 0;
    status = adapt(c, steps, target, seed, &average, error);
    if (status) c->step = before;
    else set_step(c, average);
    forget_acceptances(c);
    return status;
}

double ebm_chains_step(const ebm_chains *c) { return ebm_number(c->model->dtype, &c->step, 0); }
