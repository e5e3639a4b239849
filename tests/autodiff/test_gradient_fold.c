/* What is folded while recording must mean the same as what was written. Each formula is recorded twice, as it is and
 * with its parts behind a veil, the maximum with a leaf far below, which nothing can fold: values and gradients are the
 * same. */
#include "autodiff/op/op.h"

#include "support/problem.h"

#include <criterion/criterion.h>
#include <math.h>

typedef struct args {
    problem *p;
    bool veiled;
    ad_var x, y;    /* per-sample, [3], positive */
    ad_var A, B;    /* shared, [3,3] */
    ad_var cube;    /* per-sample, [2,3,2] */
    ad_var child;   /* on the child axis, [3] */
} args;

static ad_var veil(args *a, ad_var v)
{
    if (!a->veiled || ad_is_null(v)) return v;
    ad_var below = problem_like(a->p, v);
    const problem_leaf *leaf = &a->p->leaf[a->p->leaves - 1];
    for (int64_t i = 0; i < leaf->size; i++) leaf->value[i] = -1e9;
    return ad_max(v, below);
}

static ad_var number(args *a, double c) { return veil(a, ad_constant(a->p->tape, c)); }
static ad_var fill(args *a, double c)
{
    return veil(a, ad_lift(a->p->data, ad_expand(ad_constant(a->p->tape, c), ad_vec(3))));
}
static ad_var unit(args *a)
{
    return veil(a, ad_constant_array(a->p->tape, ad_mat(3, 3), (double[]){1, 0, 0, 0, 1, 0, 0, 0, 1}));
}
static ad_var wide(args *a, ad_var v, ad_shape shape) { return veil(a, ad_expand(v, shape)); }
static ad_var turn(args *a, ad_var v) { return veil(a, ad_permute(v, (int[]){1, 2, 0})); }

/* name, formula in a, with V for a veil, C for a number, LIFT to the data axis */
#define V(v) veil(a, v)
#define C(c) number(a, c)
#define CORE(v) ad_reshape(v, ad_cube(1, 3, 3))
#define LIFT(v) ad_lift(a->p->data, v)
#define FOLDS(X)                                                                                                      \
    X(neg_neg, ad_neg(V(ad_neg(a->x))))                                                                               \
    X(neg_sub, ad_neg(V(ad_sub(a->x, a->y))))                                                                         \
    X(recip_recip, ad_recip(V(ad_recip(a->x))))                                                                       \
    X(add_neg, ad_add(a->x, V(ad_neg(a->y))))                                                                         \
    X(neg_add, ad_add(V(ad_neg(a->x)), a->y))                                                                         \
    X(sub_neg, ad_sub(a->x, V(ad_neg(a->y))))                                                                         \
    X(zero_add, ad_add(C(0), a->x))                                                                                   \
    X(zero_sub, ad_sub(C(0), a->x))                                                                                   \
    X(sub_zero, ad_sub(a->x, C(0)))                                                                                   \
    X(zero_mul, ad_mul(fill(a, 0), a->x))                                                                             \
    X(one_mul, ad_mul(a->x, C(1)))                                                                                    \
    X(minus_one_mul, ad_mul(C(-1), a->x))                                                                             \
    X(scale_scale, ad_mul(C(3), V(ad_mul(a->x, C(0.5)))))                                                             \
    X(neg_mul, ad_mul(V(ad_neg(a->x)), a->y))                                                                         \
    X(mul_neg, ad_mul(a->x, V(ad_neg(a->y))))                                                                         \
    X(chain_zero, ad_chain(fill(a, 0), a->x))                                                                         \
    X(chain_one, ad_chain(a->x, C(1)))                                                                                \
    X(chain_minus_one, ad_chain(C(-1), a->x))                                                                         \
    X(chain_scale, ad_chain(a->x, C(2.5)))                                                                            \
    X(chain_neg, ad_chain(V(ad_neg(a->x)), a->y))                                                                     \
    X(div_one, ad_div(a->x, C(1)))                                                                                    \
    X(pow_zero, ad_pow(a->x, C(0)))                                                                                   \
    X(pow_one, ad_pow(a->x, C(1)))                                                                                    \
    X(pow_two, ad_pow(a->x, C(2)))                                                                                    \
    X(pow_minus_one, ad_pow(a->x, C(-1)))                                                                             \
    X(pow_three, ad_pow(a->x, C(3)))                                                                                  \
    X(max_self, ad_max(a->x, V(a->x)))                                                                                \
    X(min_self, ad_min(V(a->x), a->x))                                                                                \
    X(select_first, ad_select(C(1), a->x, a->y))                                                                      \
    X(select_second, ad_select(C(0), a->x, a->y))                                                                     \
    X(select_same, ad_select(ad_less(a->x, a->y), a->x, V(a->x)))                                                     \
    X(constants, ad_add(ad_exp(C(0.3)), ad_div(ad_pow(C(2), C(0.5)), ad_add(a->x, ad_tanh(C(2))))))                   \
    X(sum_of_repeated, ad_sum_dims(wide(a, a->x, ad_mat(4, 3)), 1))                                                   \
    X(sum_of_column, ad_sum_dims(wide(a, ad_reshape(a->x, ad_mat(3, 1)), ad_mat(3, 4)), 2))                           \
    X(sum_of_all_repeated, ad_sum(wide(a, ad_sum(a->x), ad_mat(2, 4))))                                               \
    X(sum_of_middle, ad_sum_dims(wide(a, ad_reshape(a->x, ad_cube(3, 1, 1)), ad_cube(3, 4, 2)), 2))                   \
    X(sum_beside_repeated, ad_sum_dims(wide(a, a->x, ad_mat(4, 3)), 2))                                               \
    X(max_of_repeated, ad_max_reduce_dims(wide(a, a->x, ad_mat(4, 3)), 1))                                            \
    X(logsumexp_of_repeated, ad_logsumexp_dims(wide(a, a->x, ad_mat(4, 3)), 1))                                       \
    X(sum_of_lifted, ad_mul(ad_sum(V(LIFT(a->A))), a->x))                                                             \
    X(logsumexp_of_lifted, ad_mul(ad_logsumexp_dims(V(LIFT(a->A)), 2), a->x))                                         \
    X(batch_sum_of_shared, ad_batch_sum(a->p->data, V(LIFT(a->A))))                                                   \
    X(batch_mean_of_shared, ad_batch_mean(a->p->data, V(LIFT(a->A))))                                                 \
    X(batch_max_of_shared, ad_batch_max(a->p->data, V(LIFT(a->A))))                                                   \
    X(batch_logsumexp_of_shared, ad_batch_logsumexp(a->p->data, V(LIFT(a->A))))                                       \
    X(batch_matmul_with_shared, ad_batch_matmul(a->p->data, a->x, V(LIFT(ad_sum_dims(a->A, 1)))))                     \
    X(batch_matmul_of_shared, ad_batch_matmul(a->p->data, V(LIFT(a->A)), V(LIFT(a->B))))                              \
    X(permute_permute, ad_permute(turn(a, a->cube), (int[]){1, 2, 0}))                                                \
    X(permute_other, ad_permute(turn(a, a->cube), (int[]){1, 0, 2}))                                                  \
    X(permute_back, ad_permute(turn(a, a->cube), (int[]){2, 0, 1}))                                                   \
    X(reshape_reshape, ad_reshape(V(ad_reshape(a->cube, ad_vec(12))), ad_mat(3, 4)))                                  \
    X(expand_expand, ad_expand(wide(a, a->x, ad_mat(4, 3)), ad_cube(2, 4, 3)))                                        \
    X(slice_of_zero, ad_slice(fill(a, 0), 0, 1, 2))                                                                   \
    X(pad_of_zero, ad_pad(fill(a, 0), 0, 1, 2))                                                                       \
    X(matmul_unit, ad_matmul(a->x, unit(a)))                                                                          \
    X(unit_matmul, ad_matmul(unit(a), a->A))                                                                          \
    X(unit_matmul_transposed, ad_matmul(unit(a), V(ad_transpose(a->A))))                                              \
    X(matmul_transposed, ad_matmul(a->x, V(ad_transpose(a->A))))                                                      \
    X(transposed_matmul, ad_matmul(V(ad_transpose(a->A)), a->x))                                                      \
    X(matmul_twice_transposed, ad_matmul(V(ad_transpose(V(ad_transpose(a->A)))), a->B))                               \
    X(matmul_transposed_core, ad_matmul_core(V(ad_transpose(CORE(a->A))), true, CORE(a->B), false))                   \
    X(matmul_core_transposed, ad_matmul_core(CORE(a->A), false, V(ad_transpose(CORE(a->B))), true))                   \
    X(matmul_zero, ad_matmul(fill(a, 0), a->A))                                                                       \
    X(matmul_lifted, ad_matmul(a->x, V(LIFT(a->A))))                                                                  \
    X(matmul_column, ad_matmul(a->A, V(a->x)))                                                                        \
    X(regroup_of_lifted, ad_regroup(V(ad_lift(a->p->child, a->A))))                                                   \
    X(regroup_ungroup, ad_regroup(V(ad_ungroup(a->p->child, a->cube))))                                               \
    X(ungroup_regroup, ad_ungroup(a->p->child, V(ad_regroup(a->child))))                                              \
    X(ungroup_of_constant, ad_mul(a->child, ad_ungroup(a->p->child, V(LIFT(wide(a, C(2), ad_mat(2, 3)))))))           \
    X(gather_of_lifted, ad_batch_gather(V(LIFT(a->A)), ad_lift(a->p->other, C(1))))

#define FORMULA(name, formula) \
    static ad_var fold_##name(args *a) { return formula; }
FOLDS(FORMULA)

static const struct {
    const char *name;
    ad_var (*record)(args *a);
} folds[] = {
#define ROW(name, formula) {#name, fold_##name},
    FOLDS(ROW)};

enum { BY = 6 };

/* The value and the gradients of Σ c·f by everything. */
static void record(args a, bool veiled, ad_var (*f)(args *), ad_var weights, ad_var *out)
{
    a.veiled = veiled;
    ad_var by[BY] = {a.x, a.y, a.A, a.B, a.cube, a.child};
    out[0] = f(&a);
    if (ad_is_null(weights)) weights = problem_like(a.p, out[0]);
    ad_vjp(out[0], weights, by, BY, out + 1);
}

static void expect_equal(const char *name, int what, const double *a, const double *b, int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        cr_expect(fabs(a[i] - b[i]) <= 1e-14 * fmax(1, fabs(a[i])), "%s: result %d differs at %d: folded %g, veiled %g",
                  name, what, (int)i, a[i], b[i]);
}

static void check(const char *name, ad_var (*f)(args *))
{
    problem p;
    ad_var out[2 * (1 + BY)];
    double *got[2 * (1 + BY)];
    cr_assert(problem_start(&p, GIBBS_FLOAT64, 0, 17));
    args a = {.p = &p};
    a.x = problem_on(&p, p.data, ad_vec(3), 0.5, 1.5);
    a.y = problem_on(&p, p.data, ad_vec(3), 0.5, 1.5);
    a.A = problem_on(&p, problem_shared(&p), ad_mat(3, 3), -1, 1);
    a.B = problem_on(&p, problem_shared(&p), ad_mat(3, 3), -1, 1);
    a.cube = problem_on(&p, p.data, ad_cube(2, 3, 2), -1, 1);
    a.child = problem_on(&p, p.child, ad_vec(3), -1, 1);
    record(a, false, f, (ad_var){p.tape, -1}, out);
    ad_var weights = p.leaf[p.leaves - 1].var;
    record(a, true, f, weights, out + 1 + BY);
    cr_assert(problem_run(&p, out, 2 * (1 + BY), got), "%s: %s %s", name, ad_tape_message(p.tape), p.message);
    quad_machine m = {.tape = p.tape};
    for (int i = 0; i < QUAD_ROOTS; i++) m.rows[i] = p.rows[i];
    for (int i = 0; i <= BY; i++) {
        cr_assert_eq(quad_size(&m, out[i]), quad_size(&m, out[1 + BY + i]), "%s: result %d has another type", name, i);
        expect_equal(name, i, got[i], got[1 + BY + i], quad_size(&m, out[i]));
    }
    cr_expect_neq(out[0].id, out[1 + BY].id, "%s: the veil hides nothing", name);
    problem_free_results(got, 2 * (1 + BY));
    problem_end(&p);
}

Test(gradient_fold, folding_changes_no_meaning)
{
    for (int i = 0; i < (int)(sizeof folds / sizeof folds[0]); i++) check(folds[i].name, folds[i].record);
}
