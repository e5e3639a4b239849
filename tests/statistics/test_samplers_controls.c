/* Samplers with the mistakes that are made in practice. Each must be noticed by the checks of test_samplers.c, on a
 * setting where the right sampler passes them. */
#include "chain_check.h"
#include "ebm/model/model.h"

enum { CHAINS = 40000 };

static const density unit = {"unit", 1, 0, 0, -8, 8}, wells = {"two wells", -2, 1, 0.3, -5, 5};
static const density ula_unit = {"ula's", 0.75, 0, 0, -9.5, 9.5}; /* step 0.5 on the unit Gaussian */

/* ---- One step of a Langevin or independence sampler with parts to get wrong ---- */

typedef struct mistakes {
    double noise;        /* √(noise · h) ε */
    int independence;    /* proposals from q, not by Langevin */
    int correct, invert; /* an accept rule; accept where it rejects */
    int forget_proposal; /* the rule leaves out the density of the proposal */
} mistakes;

static ad_var log_gap(const ebm_sampler_graph *g, ad_var to, ad_var from, ad_var slope)
{
    ad_var gap = ad_sub(to, ad_sub(from, ad_mul(g->step, slope)));
    return ad_neg(ad_div(ad_sum(ad_square(gap)), ad_scale(g->step, 4)));
}

static ad_var slope_at(const ebm_sampler_graph *g, ad_var x, ad_var *E)
{
    ad_var slope;
    x = ad_variable(x);
    *E = ebm_sampler_energy(g, x);
    ad_grad(*E, &x, 1, &slope);
    return slope;
}

static ad_var step(const ebm_sampler_graph *g, const mistakes *m, ad_var x, ad_var *next)
{
    const ebm_proposal *q = g->proposal;
    ad_var E, E_new, eps = ad_normal(g->chain, ad_vec(1), EBM_STREAM_SAMPLER_NORMAL), slope = slope_at(g, x, &E);
    ad_var moved = ad_add(ad_sub(x, ad_mul(g->step, slope)), ad_mul(ad_sqrt(ad_scale(g->step, m->noise)), eps));
    ad_var y = m->independence ? q->draw(q, eps, NULL) : moved, back = slope_at(g, y, &E_new);
    ad_var forth_density = m->independence ? q->log_density(q, y, NULL) : log_gap(g, y, x, slope);
    ad_var back_density = m->independence ? q->log_density(q, x, NULL) : log_gap(g, x, y, back);
    ad_var ratio = ad_sub(E, E_new), one = ad_constant(g->tape, 1);
    if (!m->forget_proposal) ratio = ad_add(ratio, ad_sub(back_density, forth_density));
    ad_var accept = ad_less(ad_log(ad_uniform(g->chain, ad_scalar(), EBM_STREAM_SAMPLER_UNIFORM)), ratio);
    if (m->invert) accept = ad_sub(one, accept);
    if (!m->correct) accept = one;
    next[0] = ad_select(accept, y, x);
    return accept;
}

#define SAMPLER(what, ...)                                                                              \
    static ad_var what##_step(const ebm_sampler_graph *g, const ad_var *state, ad_var *next)            \
    {                                                                                                   \
        static const mistakes m = {__VA_ARGS__};                                                        \
        return step(g, &m, state[0], next);                                                             \
    }                                                                                                   \
    static const ebm_sampler what = {.name = #what, .step = what##_step};
SAMPLER(right_mala, .noise = 2, .correct = 1)
SAMPLER(right_mh, .noise = 2, .correct = 1, .independence = 1)
SAMPLER(right_ula, .noise = 2)
SAMPLER(inverted_mala, .noise = 2, .correct = 1, .invert = 1)
SAMPLER(inverted_mh, .noise = 2, .correct = 1, .independence = 1, .invert = 1)
SAMPLER(mh_without_q, .noise = 2, .correct = 1, .independence = 1, .forget_proposal = 1)
SAMPLER(mala_without_q, .noise = 2, .correct = 1, .forget_proposal = 1)
SAMPLER(quiet_mala, .noise = 1, .correct = 1)
SAMPLER(quiet_ula, .noise = 1)

static chain_verdict judge(const density *target, const ebm_sampler *sampler, double h, const density *truth)
{
    return chain_judge(&(chain_setting){target, sampler, h, 30, NAN, truth}, GIBBS_FLOAT64, CHAINS);
}

/* The machinery above is right when nothing is wrong with it, so what a control shows is its one mistake. */
Test(samplers_controls, the_right_ones_pass)
{
    const chain_verdict v[] = {judge(&unit, &right_mala, 0.8, &unit), judge(&wells, &right_mala, 0.3, &wells),
                               judge(&unit, &right_mh, 1, &unit), judge(&wells, &right_mh, 1, &wells),
                               judge(&unit, &right_ula, 0.5, &ula_unit)};
    for (int k = 0; k < COUNT(v); k++)
        cr_assert(chain_verdict_worst(v[k]) < 4 && v[k].ks < 2.1, "%d: %.2f, %.2f, K-S %.2f", k, v[k].mean,
                  v[k].square, v[k].ks);
}

Test(samplers_controls, mistakes_are_noticed)
{
    const struct {
        const density *target;
        const ebm_sampler *sampler;
        double step;
        const density *truth;
    } wrong[] = {
        {&unit, &inverted_mala, 0.8, &unit},    {&wells, &inverted_mala, 0.3, &wells},
        {&unit, &inverted_mh, 1, &unit},        {&wells, &inverted_mh, 1, &wells},
        {&unit, &mh_without_q, 1, &unit},       {&wells, &mh_without_q, 1, &wells},
        {&unit, &mala_without_q, 0.8, &unit},   {&wells, &mala_without_q, 0.3, &wells},
        {&unit, &right_ula, 0.5, &unit},        {&wells, &right_ula, 0.1, &wells}, /* no correction */
        {&unit, &quiet_mala, 0.8, &unit},       {&wells, &quiet_mala, 0.3, &wells},
        {&unit, &quiet_ula, 0.5, &ula_unit},    {&unit, &quiet_ula, 0.01, &unit},
    };
    for (int k = 0; k < COUNT(wrong); k++) {
        chain_verdict v = judge(wrong[k].target, wrong[k].sampler, wrong[k].step, wrong[k].truth);
        cr_assert(chain_verdict_worst(v) > 8 && v.ks > 3, "%s on the %s passes: %.2f, %.2f, K-S %.2f",
                  wrong[k].sampler->name, wrong[k].target->name, v.mean, v.square, v.ks);
    }
}
