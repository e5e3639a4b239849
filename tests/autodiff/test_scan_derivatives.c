/* Derivatives of scans, reverse and forward, of first to third order, are those of the body without a loop. */
#include "scan_bodies.h"

/* A scalar that depends on all results, otherwise on each. */
static ad_var scalar_of(const program *p)
{
    ad_var y = ad_constant(p->tape, 0);
    for (int k = 0; k < 2; k++) {
        y = ad_add(y, ad_scale(ad_sum(ad_sin(p->last[k])), 1 + k));
        y = ad_add(y, ad_sum(ad_square(ad_scale(p->out[k], 0.3 + 0.2 * k))));
    }
    return ad_is_shared(y) ? y : ad_batch_sum(p->data, y);
}

typedef enum way { REVERSE, FORWARD, WAYS } way;

/* Σ ⟨∂y/∂leaf, ∂y/∂leaf⟩/2, or the derivative of y along numbers that the leaves have: a scalar again. */
static ad_var next_order(const program *p, ad_var y, way how)
{
    ad_var d[MOST], sum = ad_constant(p->tape, 0);
    if (how == FORWARD) {
        for (int k = 0; k < p->leaves; k++) d[k] = ad_scale(ad_cos(p->leaf[k]), 0.1 * (k + 1));
        return ad_jvp(y, p->leaf, d, p->leaves);
    }
    ad_grad(y, p->leaf, p->leaves, d);
    for (int k = 0; k < p->leaves; k++) {
        ad_var square = ad_sum(ad_mul(d[k], d[k]));
        sum = ad_add(sum, ad_scale(ad_is_shared(square) ? square : ad_batch_sum(p->data, square), 0.05));
    }
    return sum;
}

/* y, two derivatives after each other, and the gradient of the second by every leaf. */
static void record(program *p, int order, int ways, ad_var *y)
{
    ad_var v = scalar_of(p);
    for (int k = 1; k < order; k++) v = next_order(p, v, ways >> k & 1);
    if (ways & 1) {
        for (int k = 0; k < p->leaves; k++) {
            ad_var along = ad_scale(ad_sin(p->leaf[k]), 0.7);
            y[k] = ad_jvp(v, &p->leaf[k], &along, 1);
        }
    } else ad_grad(v, p->leaf, p->leaves, y);
    cr_assert_eq(ad_tape_status(p->tape), GIBBS_OK, "%s", ad_tape_message(p->tape));
}

typedef struct question {
    const body_row *row;
    int kinds, order, ways;
    int64_t steps, rows;
    bool reverse;
} question;

static double *answer(const question *q, bool loop, int64_t *total, int *instructions)
{
    program p;
    ad_var y[MOST];
    program_begin(&p, GIBBS_FLOAT64, q->steps, q->kinds);
    program_record(&p, q->row, q->steps, q->reverse, loop);
    record(&p, q->order, q->ways, y);
    *total = 0;
    for (int k = 0; k < p.leaves; k++) *total += numbers_of(&p, y[k], q->rows);
    double *values = values_of(&p, y, p.leaves, q->rows, 11, (ad_run_options){0}, instructions);
    ad_tape_free(p.tape);
    return values;
}

static void compare(const question *q)
{
    int64_t total, same;
    double *want = answer(q, false, &total, NULL), *got = answer(q, true, &same, NULL), scale = 1e-3;
    cr_assert_eq(total, same);
    for (int64_t i = 0; i < total; i++) scale = fabs(want[i]) > scale ? fabs(want[i]) : scale;
    for (int64_t i = 0; i < total; i++)
        cr_assert(fabs(want[i] - got[i]) <= 1e-9 * scale,
                  "%s, leaves %d, %lld steps%s, order %d, ways %d: number %lld is %.17g, without a loop %.17g",
                  q->row->name,
                  q->kinds, (long long)q->steps, q->reverse ? ", reverse" : "", q->order, q->ways, (long long)i, got[i],
                  want[i]);
    free(want);
    free(got);
}

static void compare_all(int order, int every)
{
    for (int b = 0; b < LENGTH(bodies); b++)
        for (int kinds = 0; kinds < 128; kinds += every)
            for (int ways = 0; ways < 1 << order; ways++) {
                question q = {&bodies[b], kinds, order, ways, 1 + (kinds + ways) % 4, 3, (kinds / every + b) % 2};
                if (in_sweep(kinds / every + b, 3)) compare(&q);
            }
}

Test(scan_derivatives, first) { compare_all(1, 3); }
Test(scan_derivatives, second) { compare_all(2, 9); }
Test(scan_derivatives, third) { compare_all(3, 31); }

/* A body that takes a derivative; with states and captured values of one kind. */
Test(scan_derivatives, of_a_body_with_derivatives)
{
    static const body_row row = {"descent", descent, descent, true};
    for (int kinds = 0; kinds < 128; kinds += kinds ? 112 : 15)
        for (int order = 1; order <= 2; order++)
            for (int ways = 0; ways < 1 << order; ways++) {
                question q = {&row, kinds, order, ways, 3, 3, kinds > 0};
                compare(&q);
            }
}

/* A captured variable: plans record loops again without it, and those of derivatives with them. */
static double *by_variable(const body_row *row, int kinds, bool loop, int64_t *total)
{
    program p;
    ad_var y[4], b, c, v[2], g[2];
    program_begin(&p, GIBBS_FLOAT64, 3, kinds);
    b = p.leaf[5], c = p.leaf[6];
    v[0] = p.leaf[5] = ad_variable(ad_tanh(b));
    v[1] = p.leaf[6] = ad_variable(ad_mul(c, c));
    program_record(&p, row, 3, false, loop);
    p.leaf[5] = b, p.leaf[6] = c;
    ad_grad(scalar_of(&p), v, 2, y);
    ad_var slope = ad_sum(ad_square(y[0]));
    ad_grad(ad_is_shared(slope) ? slope : ad_batch_sum(p.data, slope), (ad_var[]){v[0], p.leaf[0]}, 2, g);
    y[2] = g[0], y[3] = g[1];
    *total = 0;
    for (int k = 0; k < 4; k++) *total += numbers_of(&p, y[k], 3);
    double *values = values_of(&p, y, 4, 3, 21, (ad_run_options){0}, NULL);
    ad_tape_free(p.tape);
    return values;
}

Test(scan_derivatives, by_captured_variables)
{
    for (int k = 0; k < LENGTH(bodies); k++)
        for (int kinds = 0; kinds < 128; kinds += 15) {
            int64_t total, same;
            double *want = by_variable(&bodies[k], kinds, false, &total);
            double *got = by_variable(&bodies[k], kinds, true, &same);
            cr_assert_eq(total, same);
            for (int64_t i = 0; i < total; i++)
                cr_assert_float_eq(got[i], want[i], 1e-9 * (1 + fabs(want[i])), "%s, leaves %d: %g, without a loop %g",
                                   bodies[k].name, kinds, got[i], want[i]);
            free(want), free(got);
        }
}

/* ---- Other derivatives, of states and inputs that are per-sample, and by what is shared ---- */

static ad_var per_sample(const program *p) { return ad_add(ad_sum(ad_sin(p->last[0])), ad_sum(ad_square(p->out[1]))); }

/* Two passes over the samples: the second weighs them. */
static int passes(const program *p, ad_var *y)
{
    ad_var weighed = ad_batch_logsumexp(p->data, ad_scale(per_sample(p), 0.3));
    return ad_grad(weighed, p->leaf, p->leaves, y), p->leaves;
}

static int gradients_of_samples(const program *p, ad_var *y)
{
    return ad_grad_per_sample(per_sample(p), p->leaf + 4, 3, y), 3;
}

static int influences(const program *p, ad_var *y)
{
    ad_var g[3], mean = ad_batch_mean(p->data, per_sample(p));
    y[0] = ad_influence(p->data, mean);
    ad_grad(mean, p->leaf + 4, 3, g);
    for (int k = 0; k < 3; k++) y[1 + k] = ad_influence(p->data, ad_sum(ad_square(g[k])));
    return 4;
}

static int matrices(const program *p, ad_var *y)
{
    y[0] = ad_jacobian(p->last[1], p->leaf, 2);
    y[1] = ad_jacobian(p->last[0], p->leaf + 4, 3);
    y[2] = ad_hess_diag(per_sample(p), p->leaf[0]);
    y[3] = ad_hess_diag(per_sample(p), p->leaf[5]);
    y[4] = ad_divergence(p->last[0], p->leaf[1]);
    return 5;
}

static void compare_others(int (*record_some)(const program *, ad_var *), const body_row *row, int64_t steps,
                           int64_t rows)
{
    double *values[2], scale = 1e-3;
    int64_t total = 0;
    for (int loop = 0; loop < 2; loop++) {
        program p;
        ad_var y[MOST];
        program_begin(&p, GIBBS_FLOAT64, steps, 15);
        program_record(&p, row, steps, false, loop);
        int n = record_some(&p, y);
        cr_assert_eq(ad_tape_status(p.tape), GIBBS_OK, "%s: %s", row->name, ad_tape_message(p.tape));
        total = 0;
        for (int k = 0; k < n; k++) total += numbers_of(&p, y[k], rows);
        values[loop] = values_of(&p, y, n, rows, 9, (ad_run_options){0}, NULL);
        ad_tape_free(p.tape);
    }
    for (int64_t i = 0; i < total; i++) scale = fabs(values[0][i]) > scale ? fabs(values[0][i]) : scale;
    for (int64_t i = 0; i < total; i++)
        cr_assert(fabs(values[0][i] - values[1][i]) <= 1e-9 * scale, "%s: number %lld is %.17g, without a loop %.17g",
                  row->name, (long long)i, values[1][i], values[0][i]);
    free(values[0]);
    free(values[1]);
}

/* Few rows are stored from pass to pass, of many all is computed again. */
Test(scan_derivatives, several_passes)
{
    for (int b = 0; b < LENGTH(bodies); b++) compare_others(passes, &bodies[b], 4, 5);
    for (int b = 0; b < 2; b++) compare_others(passes, &bodies[b], 12, 30000);
}

Test(scan_derivatives, of_each_sample)
{
    for (int b = 0; b < LENGTH(bodies); b++) {
        compare_others(gradients_of_samples, &bodies[b], 3, 4);
        compare_others(influences, &bodies[b], 3, 4);
        if (bodies[b].smooth) compare_others(matrices, &bodies[b], 3, 4);
    }
}

/* A plan's size does not depend on the number of steps, whatever the derivative. */
Test(scan_derivatives, plan_does_not_grow)
{
    for (int b = 0; b < LENGTH(bodies); b++)
        for (int order = 1; order <= 2; order++) {
            int few, many;
            int64_t total;
            question q = {&bodies[b], 15, order, 0, 3, 2, false};
            free(answer(&q, true, &total, &few));
            q.steps = 50;
            free(answer(&q, true, &total, &many));
            cr_expect_eq(few, many, "%s, order %d: %d instructions for 3 steps, %d for 50", bodies[b].name, order,
                         few, many);
        }
}
