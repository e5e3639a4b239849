/* What ad_hess_diag, ad_laplacian and ad_directional_curvature refuse, by which name, and what they do not refuse. */
#include "support/hessian.h"
#include "support/user_ops.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

static ad_var of_max(ad_var x) { return ad_max(x, ad_constant(x.tape, 0.5)); }
static ad_var of_min(ad_var x) { return ad_min(ad_constant(x.tape, 0.5), x); }
static ad_var of_less(ad_var x) { return ad_mul(x, ad_less(x, ad_constant(x.tape, 0.5))); }
static ad_var of_select(ad_var x)
{
    return ad_select(ad_constant_array(x.tape, ad_vec(3), (double[]){0, 1, 1}), x, ad_neg(x));
}
static ad_var of_condition(ad_var x) { return ad_select(x, ad_constant(x.tape, 1), ad_constant(x.tape, 2)); }
static ad_var of_user(ad_var x) { return ad_user(&user_rough_cube, &x); }
static ad_var of_max_reduce(ad_var x) { return ad_max_reduce(x); }

/* Name, op or ops that the message names, what it says to take instead. */
static const struct rough {
    const char *name, *op, *instead;
    ad_var (*record)(ad_var);
} roughs[] = {
    {"relu", "relu", "take softplus or silu", ad_relu},
    {"abs", "abs", "take sqrt(x^2 + small)", ad_abs},
    {"max", "max", "logsumexp", of_max},
    {"min", "min", "take -logsumexp", of_min},
    {"step", "step", "take a sigmoid", ad_step},
    {"sign", "sign", "take tanh", ad_sign},
    {"less", "less", "take a sigmoid", of_less},
    {"select", "select", "weights by a sigmoid", of_select},
    {"condition", "select", "weights by a sigmoid", of_condition},
    {"elu", "elu", "take softplus or silu", ad_elu},
    {"max_reduce", "max_reduce", "take logsumexp", of_max_reduce},
    {"user", "rough_cube", "say so in its ad_user_op", of_user},
};
enum { ROUGHS = sizeof roughs / sizeof roughs[0] };

typedef enum question { DIAGONAL, LAPLACIAN, CURVATURE, QUESTIONS } question;
static const char *const question_names[] = {"hess_diag", "laplacian", "directional_curvature"};

static ad_var ask(question q, ad_var E, ad_var x)
{
    ad_var v = ad_constant_array(x.tape, ad_vec(3), (double[]){1, 2, 3});
    if (q == CURVATURE) return ad_directional_curvature(E, x, v);
    return q == DIAGONAL ? ad_hess_diag(E, x) : ad_laplacian(E, x);
}

/* x, per-sample or shared, and z, which the energies also depend on. */
static void start(problem *p, bool shared, ad_var *x, ad_var *z)
{
    cr_assert(problem_start(p, GIBBS_FLOAT64, 0, 5));
    *x = problem_on(p, shared ? problem_shared(p) : p->data, ad_vec(3), -1, 1);
    *z = problem_on(p, p->data, ad_vec(3), -1, 1);
}

/* True when the message names one of the ops. (Of elu's, which is first depends on the order in which the compiler
 * evaluates arguments.) */
static bool names(const char *message, const char *ops)
{
    char word[64];
    for (int length; sscanf(ops, "%63s%n", word, &length) == 1; ops += length)
        if (strstr(message, word)) return true;
    return false;
}

static void expect_refused(problem *p, question q, ad_var got, const char *op)
{
    const char *message = ad_tape_message(p->tape);
    cr_expect(ad_is_null(got) && ad_tape_status(p->tape) == GIBBS_SMOOTH, "%s through %s: not refused",
              question_names[q], op);
    cr_expect(names(message, op) && strstr(message, question_names[q]), "%s through %s: the message is «%s»",
              question_names[q], op, message);
}

Test(hessian_refusal, rough_ops_on_the_path)
{
    for (int i = 0; i < ROUGHS; i++)
        for (int q = 0; q < QUESTIONS; q++)
            for (int shared = 0; shared < 2; shared++) {
                problem p;
                ad_var x, z;
                start(&p, shared, &x, &z);
                ad_var E = ad_sum(ad_sin(ad_mul(roughs[i].record(ad_mul(x, z)), z)));
                expect_refused(&p, (question)q, ask((question)q, E, x), roughs[i].op);
                cr_expect(strstr(ad_tape_message(p.tape), roughs[i].instead), "%s", ad_tape_message(p.tape));
                problem_end(&p);
            }
}

Test(hessian_refusal, rough_ops_elsewhere_do_not_matter)
{
    for (int i = 0; i < ROUGHS; i++)
        for (int q = 0; q < QUESTIONS; q++) {
            problem p;
            ad_var x, z;
            start(&p, false, &x, &z);
            ad_var weight = ad_add(roughs[i].record(z), roughs[i].record(ad_stop_gradient(x)));
            ad_var E = ad_add(ad_sum(ad_mul(ad_sin(x), weight)), ad_sum(roughs[i].record(z)));
            cr_expect(!ad_is_null(ask((question)q, E, x)), "%s, %s: %s", roughs[i].name, question_names[q],
                      ad_tape_message(p.tape));
            problem_end(&p);
        }
}

/* Nor does an op after which y goes no further. */
Test(hessian_refusal, rough_ops_beside_y_do_not_matter)
{
    problem p;
    ad_var x, z;
    start(&p, false, &x, &z);
    ad_relu(x);
    ad_batch_sum(p.data, x);
    cr_expect(!ad_is_null(ad_hess_diag(ad_sum(ad_sin(x)), x)), "%s", ad_tape_message(p.tape));
    problem_end(&p);
}

/* By a variable, what comes before it does not lie on the path. */
Test(hessian_refusal, rough_ops_before_x_do_not_matter)
{
    problem p;
    ad_var x, z;
    start(&p, false, &x, &z);
    ad_var h = ad_variable(ad_relu(x));
    cr_expect(!ad_is_null(ad_hess_diag(ad_sum(ad_sin(h)), h)), "%s", ad_tape_message(p.tape));
    problem_end(&p);
}

/* Σ z·r(x)² has the diagonal 2z r′², where r″ = 0: known by hand for each op with kinks and no curvature. */
Test(hessian_refusal, almost_everywhere_lifts_it)
{
    static const struct {
        ad_var (*record)(ad_var);
        double (*slope)(double);
    } kinks[] = {{ad_relu, NULL}, {ad_abs, fabs}, {ad_step, floor}, {ad_sign, floor}};
    for (int i = 0; i < 4; i++) {
        problem p;
        ad_var x, z;
        double *got;
        start(&p, false, &x, &z);
        ad_var h = ad_hess_diag_almost_everywhere(ad_sum(ad_mul(z, ad_square(kinks[i].record(x)))), x);
        cr_assert(!ad_is_null(h) && problem_run(&p, &h, 1, &got), "%s %s", ad_tape_message(p.tape), p.message);
        const double *at = p.leaf[problem_find(&p, x)].value, *c = p.leaf[problem_find(&p, z)].value;
        for (int k = 0; k < 3 * DATA_ROWS; k++) {
            double want = i > 1 || (i == 0 && at[k] < 0) ? 0 : 2 * c[k];
            cr_expect_float_eq(got[k], want, 1e-14, "op %d, element %d: %g, not %g", i, k, got[k], want);
        }
        problem_free_results(&got, 1);
        problem_end(&p);
    }
}

/* ---- Batch reductions ---- */

static ad_var by_sum(problem *p, ad_var v) { return ad_batch_sum(p->data, v); }
static ad_var by_mean(problem *p, ad_var v) { return ad_batch_mean(p->data, v); }
static ad_var by_logsumexp(problem *p, ad_var v) { return ad_batch_logsumexp(p->data, v); }
static ad_var by_max(problem *p, ad_var v) { return ad_batch_max(p->data, v); }
static ad_var by_matmul(problem *p, ad_var v) { return ad_sum(ad_batch_matmul(p->data, v, v)); }
static ad_var by_gather(problem *p, ad_var v)
{
    return ad_batch_gather(v, problem_index_on(p, p->other, ad_scalar(), DATA_ROWS));
}
static ad_var by_scatter(problem *p, ad_var v)
{
    return ad_batch_scatter_add(p->data, v, problem_index_on(p, p->data, ad_scalar(), DATA_ROWS));
}
static ad_var by_ungroup(problem *p, ad_var v)
{
    return ad_ungroup(p->child, ad_expand(ad_reshape(v, ad_mat(1, 3)), ad_mat(CHILD_COUNT, 3)));
}

static const struct {
    const char *op;
    ad_var (*record)(problem *p, ad_var v);
} mixers[] = {
    {"batch_sum", by_sum}, {"batch_sum", by_mean}, {"batch_logsumexp", by_logsumexp}, {"batch_max", by_max},
    {"batch_matmul", by_matmul}, {"batch_gather", by_gather}, {"batch_scatter_add", by_scatter},
    {"ungroup", by_ungroup},
};

Test(hessian_refusal, ops_that_mix_samples)
{
    for (int i = 0; i < (int)(sizeof mixers / sizeof mixers[0]); i++)
        for (int q = 0; q < QUESTIONS; q++) {
            problem p;
            ad_var x, z;
            start(&p, false, &x, &z);
            ad_var E = ad_sum(ad_sin(mixers[i].record(&p, ad_mul(x, z))));
            expect_refused(&p, (question)q, ask((question)q, E, x), mixers[i].op);
            cr_expect(strstr(ad_tape_message(p.tape), "mixes samples"), "%s", ad_tape_message(p.tape));
            problem_end(&p);
            start(&p, false, &x, &z);
            E = ad_sum(ad_sin(mixers[i].record(&p, ad_mul(x, z))));
            expect_refused(&p, DIAGONAL, ad_hess_diag_almost_everywhere(E, x), mixers[i].op);
            problem_end(&p);
        }
}

/* What a per-sample energy does with the rest of the batch, apart from x, is its own business. */
Test(hessian_refusal, reductions_of_other_values_do_not_matter)
{
    problem p;
    ad_var x, z;
    start(&p, false, &x, &z);
    ad_var E = ad_sum(ad_mul(ad_sin(x), ad_batch_mean(p.data, z)));
    cr_expect(!ad_is_null(ad_hess_diag(E, x)), "%s", ad_tape_message(p.tape));
    cr_expect(!ad_is_null(ad_hess_diag(ad_add(E, ad_batch_max(p.data, ad_sum(ad_stop_gradient(x)))), x)), "%s",
              ad_tape_message(p.tape));
    problem_end(&p);
}
