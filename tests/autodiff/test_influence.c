/* ad_influence: every reduction is recorded a second time with weights written out by hand, and ∂y/∂ω of that, which
 * ad_grad takes, must be the same. */
#include "support/problem.h"

#include <criterion/criterion.h>
#include <math.h>

/* The reductions over data, weighed when `w` is not null. */
typedef struct weighed {
    problem *p;
    ad_var w, w_child;
} weighed;

static bool plain(const weighed *k) { return ad_is_null(k->w); }
static ad_var sum(const weighed *k, ad_var x) { return ad_batch_sum(k->p->data, plain(k) ? x : ad_mul(k->w, x)); }
static ad_var lse(const weighed *k, ad_var x)
{
    return ad_batch_logsumexp(k->p->data, plain(k) ? x : ad_add(x, ad_log(k->w)));
}
static ad_var products(const weighed *k, ad_var a, ad_var b)
{
    return ad_batch_matmul(k->p->data, plain(k) ? a : ad_mul(k->w, a), b);
}
static ad_var child_sum(const weighed *k, ad_var x)
{
    return ad_batch_sum(k->p->child, plain(k) ? x : ad_mul(k->w_child, x));
}

typedef struct values {
    ad_var x, a, child, theta; /* [3], [2,3] on data; [3] on its child; shared [3] */
} values;

static ad_var of_sum(const weighed *k, const values *v) { return sum(k, ad_exp(ad_dot(v->x, v->theta))); }
static ad_var of_vector(const weighed *k, const values *v) { return ad_dot(v->theta, ad_sin(sum(k, ad_square(v->x)))); }
static ad_var of_lse(const weighed *k, const values *v) { return ad_square(lse(k, ad_dot(v->x, v->theta))); }
static ad_var of_lse_vector(const weighed *k, const values *v) { return ad_dot(v->theta, lse(k, v->x)); }
static ad_var of_products(const weighed *k, const values *v)
{
    ad_var row = ad_reshape(v->theta, ad_mat(1, 3));
    return ad_sum(ad_sin(ad_matmul(row, products(k, v->a, ad_tanh(v->a)))));
}
/* A variance: one reduction feeds another. */
static ad_var of_centred(const weighed *k, const values *v)
{
    ad_var z = ad_dot(v->x, v->theta), mean = ad_mul(sum(k, z), ad_recip(ad_batch_count(k->p->data)));
    return ad_add(sum(k, ad_square(ad_sub(z, mean))), lse(k, ad_mul(z, mean)));
}
static ad_var of_child(const weighed *k, const values *v)
{
    return ad_mul(child_sum(k, ad_dot(v->child, v->theta)), sum(k, ad_sum(v->x)));
}
static ad_var of_regrouped(const weighed *k, const values *v)
{
    return sum(k, ad_logsumexp(ad_regroup(ad_dot(v->child, v->theta))));
}
static ad_var of_other(const weighed *k, const values *v) /* another axis' reduction is not weighed */
{
    return ad_mul(ad_batch_sum(k->p->other, ad_lift(k->p->other, ad_sum(v->theta))), sum(k, ad_sum(v->x)));
}
static ad_var of_nothing(const weighed *k, const values *v) { return (void)k, ad_sum(v->theta); }

static const struct result {
    const char *name;
    ad_var (*record)(const weighed *k, const values *v);
} results[] = {{"sum", of_sum}, {"vector", of_vector}, {"logsumexp", of_lse}, {"logsumexp of a vector", of_lse_vector},
               {"products", of_products}, {"variance", of_centred}, {"child", of_child}, {"regrouped", of_regrouped},
               {"other axis", of_other}, {"nothing", of_nothing}};

static void check(const struct result *result, gibbs_dtype dtype, double tolerance)
{
    problem p;
    double *got[2];
    cr_assert(problem_start(&p, dtype, 0, 11));
    values v = {problem_on(&p, p.data, ad_vec(3), -1, 1), problem_on(&p, p.data, ad_mat(2, 3), -1, 1),
                problem_on(&p, p.child, ad_vec(3), -1, 1), problem_on(&p, problem_shared(&p), ad_vec(3), -1, 1)};
    ad_var w = problem_on(&p, p.data, ad_scalar(), 0, 1), none = {p.tape, -1}, out[2];
    for (int r = 0; r < DATA_ROWS; r++) p.leaf[p.leaves - 1].value[r] = 1;
    weighed by_hand = {&p, w, ad_ungroup(p.child, ad_expand(ad_reshape(w, ad_vec(1)), ad_vec(CHILD_COUNT)))};
    weighed bare = {&p, none, none};
    out[0] = ad_influence(p.data, result->record(&bare, &v));
    ad_grad(result->record(&by_hand, &v), &w, 1, &out[1]);
    cr_assert(problem_run(&p, out, 2, got), "%s: %s %s", result->name, ad_tape_message(p.tape), p.message);
    cr_expect_eq(ad_axis_of(out[0]).id, p.data.id, "%s", result->name);
    for (int r = 0; r < DATA_ROWS; r++)
        cr_expect(fabs(got[0][r] - got[1][r]) <= tolerance * fmax(1, fabs(got[1][r])), "%s, row %d: %.15g, not %.15g",
                  result->name, r, got[0][r], got[1][r]);
    problem_free_results(got, 2);
    problem_end(&p);
}

Test(influence, is_the_derivative_by_a_weight)
{
    for (int i = 0; i < (int)(sizeof results / sizeof results[0]); i++) {
        check(&results[i], GIBBS_FLOAT64, 1e-13);
        check(&results[i], GIBBS_FLOAT32, 2e-5);
    }
}

/* g on data, scattered onto another axis: out_k = Σ over the samples with index k. */
Test(influence, of_scattered_sums)
{
    problem p;
    double *got;
    cr_assert(problem_start(&p, GIBBS_FLOAT64, 0, 11));
    ad_var g = problem_on(&p, p.data, ad_scalar(), -1, 1);
    ad_var index = problem_index_on(&p, p.data, ad_scalar(), OTHER_ROWS);
    ad_var y = ad_batch_sum(p.other, ad_square(ad_batch_scatter_add(p.other, g, index)));
    ad_var slope = ad_influence(p.data, y);
    cr_assert(problem_run(&p, &slope, 1, &got), "%s %s", ad_tape_message(p.tape), p.message);
    const double *at = p.leaf[0].value, *k = p.leaf[1].value;
    for (int r = 0; r < DATA_ROWS; r++) {
        double total = 0;
        for (int s = 0; s < DATA_ROWS; s++) total += k[s] == k[r] ? at[s] : 0;
        cr_expect_float_eq(got[r], 2 * total * at[r], 1e-14);
    }
    problem_free_results(&got, 1);
    problem_end(&p);
}

/* Reductions over `other` see nothing of data, and asking twice records nothing new. */
Test(influence, asking_twice_records_nothing)
{
    problem p;
    cr_assert(problem_start(&p, GIBBS_FLOAT64, 0, 11));
    ad_var x = problem_on(&p, p.data, ad_vec(3), -1, 1), theta = problem_on(&p, problem_shared(&p), ad_vec(3), -1, 1);
    ad_var y = ad_batch_logsumexp(p.data, ad_dot(x, theta)), first = ad_influence(p.data, y), own, again;
    ad_grad_per_sample(first, &theta, 1, &own);
    ad_var J = ad_jacobian(ad_mul(x, theta), &theta, 1), H = ad_hessian(y, &theta, 1);
    ad_var d = ad_divergence(ad_mul(x, theta), x);
    int64_t size = ad_tape_size(p.tape);
    cr_expect_eq(ad_influence(p.data, y).id, first.id);
    ad_grad_per_sample(first, &theta, 1, &again);
    cr_expect_eq(own.id, again.id);
    cr_expect_eq(ad_jacobian(ad_mul(x, theta), &theta, 1).id, J.id);
    cr_expect_eq(ad_hessian(y, &theta, 1).id, H.id);
    cr_expect_eq(ad_divergence(ad_mul(x, theta), x).id, d.id);
    cr_expect_eq(ad_tape_size(p.tape), size, "%lld new nodes", (long long)(ad_tape_size(p.tape) - size));
    problem_end(&p);
}
