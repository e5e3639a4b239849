/* How often moves are accepted, against quadrature over where a chain is and where it wants to go. */
#include "chain_check.h"

enum { CHAINS = 100000, NODES = 1200 };

static const density unit = {"unit", 1, 0, 0, -8, 8}, narrow = {"narrow", 9, 0, 0, -3, 3};
static const density wells = {"two wells", -2, 1, 0.3, -4.5, 4.5};

static double normal_log_density(double x, double mean, double sd)
{
    return -0.5 * (x - mean) * (x - mean) / (sd * sd) - log(sd) - 0.5 * log(2 * M_PI);
}

/* The density of a move from x to y, as its log. */
static double log_move(const density *p, double h, double x, double y)
{
    if (h == 0) return normal_log_density(y, Q_MEAN, Q_SD); /* independence MH */
    return normal_log_density(y, x - h * density_slope(p, x), sqrt(2 * h));
}

/* ∫∫ min(p(x) m(x→y), p(y) m(y→x)) dx dy: symmetric, so over x and y alike on one grid. */
static double acceptance(const density *p, double h)
{
    grid *g = grid_new(p);
    double width = (p->high - p->low) / NODES, sum = 0;
    for (int i = 0; i <= NODES; i++)
        for (int j = 0; j <= NODES; j++) {
            double x = p->low + width * i, y = p->low + width * j;
            double there = log_move(p, h, x, y) - density_energy(p, x);
            double back = log_move(p, h, y, x) - density_energy(p, y);
            sum += exp(fmin(there, back) - g->log_z);
        }
    free(g);
    return sum * width * width;
}

/* From exact draws every step is accepted with this probability; one step of independent chains is a coin each. */
static double standard_errors(const density *p, const ebm_sampler *sampler, double h, double expected)
{
    chain_setting s = {p, sampler, h > 0 ? h : 1, 1, NAN, p};
    return (chain_judge(&s, GIBBS_FLOAT64, CHAINS).acceptance - expected) / sqrt(expected * (1 - expected) / CHAINS);
}

Test(samplers_acceptance, independence_mh)
{
    const density *const targets[] = {&unit, &narrow, &wells};
    for (int k = 0; k < COUNT(targets); k++) {
        double z = standard_errors(targets[k], &ebm_independence_mh, 0, acceptance(targets[k], 0));
        cr_assert_lt(fabs(z), 4, "%s: %g", targets[k]->name, z);
    }
}

/* For p = N(0, 1) and q = N(0, s²), s > 1, the smaller one of p(x)q(y) and p(y)q(x) has the larger |.| under p: the
 * integral is twice the probability of |x| > |y|, which is (2/π) atan(1/s). */
Test(samplers_acceptance, quadrature_is_right_where_a_closed_form_exists)
{
    double s = 1.7, mass = 2 * (2 / M_PI) * atan(1 / s), sum = 0, width = 16. / NODES;
    for (int i = 0; i <= NODES; i++)
        for (int j = 0; j <= NODES; j++) {
            double x = -8 + width * i, y = -8 + width * j;
            sum += exp(fmin(normal_log_density(x, 0, 1) + normal_log_density(y, 0, s),
                            normal_log_density(y, 0, 1) + normal_log_density(x, 0, s)));
        }
    cr_assert_float_eq(sum * width * width, mass, 1e-4);
}

Test(samplers_acceptance, mala)
{
    const struct {
        const density *target;
        double step;
    } cases[] = {{&unit, 0.5}, {&unit, 1.5}, {&narrow, 0.2}, {&wells, 0.3}};
    for (int k = 0; k < COUNT(cases); k++) {
        double expected = acceptance(cases[k].target, cases[k].step);
        double z = standard_errors(cases[k].target, &ebm_mala, cases[k].step, expected);
        cr_assert(fabs(z) < 4 && expected < 0.995, "%s, step %g: %g", cases[k].target->name, cases[k].step, z);
    }
}

/* The control: an expectation that is off by three parts in a hundred is noticed. */
Test(samplers_acceptance, control_a_wrong_expectation_is_noticed)
{
    cr_assert_gt(fabs(standard_errors(&unit, &ebm_independence_mh, 0, 1.03 * acceptance(&unit, 0))), 4.5);
    cr_assert_gt(fabs(standard_errors(&unit, &ebm_mala, 1.5, 1.03 * acceptance(&unit, 1.5))), 4.5);
}

/* MALA rejects a share of moves that shrinks as h^(3/2) in one dimension: the correction is a third-order one. */
Test(samplers_acceptance, mala_rejects_less_and_less_as_the_step_shrinks)
{
    double before = 1;
    for (double h = 0.1; h > 0.005; h /= 4) {
        chain_setting s = {&wells, &ebm_mala, h, 20, NAN, &wells};
        double rejected = 1 - chain_judge(&s, GIBBS_FLOAT64, CHAINS).acceptance;
        if (before < 1) cr_assert(before / rejected > 6.5 && before / rejected < 9, "h = %g: %g", h, before / rejected);
        before = rejected;
    }
    cr_assert_lt(before, 0.02);
}
