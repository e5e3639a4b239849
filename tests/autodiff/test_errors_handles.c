/* Handles that name nothing on their tape (an id below 0, or one that nothing has) and pointers that are NULL: every
 * function of ad.h and op.h refuses them; none reads what they would point to. */
#include "plan_helpers.h"

#include <gibbs/op.h>
#include <stdio.h>

typedef struct world {
    ad_tape *tape;
    ad_axis data, child;
    ad_var x, s, M, e, W; /* per-sample [3], scalar, [3,3]; [3] on the child; shared [3,3] */
    ad_plan *plan;
    ad_workspace *w;
} world;

static world world_new(void)
{
    world w = {.tape = ad_tape_new(GIBBS_FLOAT64, NULL)};
    w.data = ad_axis_new(w.tape, "data");
    w.child = ad_axis_child(w.data, 3, "child");
    w.x = ad_input(w.data, "x", ad_vec(3));
    w.s = ad_input(w.data, "s", ad_scalar());
    w.M = ad_input(w.data, "M", ad_mat(3, 3));
    w.e = ad_input(w.child, "e", ad_vec(3));
    w.W = ad_parameter(w.tape, "W", ad_mat(3, 3));
    runner r = runner_new(&w.x, 1, 0);
    w.plan = r.plan, w.w = r.w;
    return w;
}

static void world_free(world *w)
{
    runner_free((runner){w->plan, w->w});
    ad_tape_free(w->tape);
}

static gibbs_error error;
static const int64_t zeroth = 0;
static int write_nothing(void *context, const char *text, size_t length)
{
    (void)context, (void)text, (void)length;
    return 0;
}

static int as_the_first(void *context, const ad_shape *in, ad_shape *out, gibbs_error *why)
{
    (void)context, (void)why;
    return *out = in[0], 0;
}

static void no_kernel(void *c, gibbs_dtype d, int64_t r, const void *const *in, const int *s, void *out)
{
    (void)c, (void)d, (void)r, (void)in, (void)s, (void)out;
}
static const ad_user_op twin = {.name = "twin", .arguments = 2, .shape = as_the_first, .kernel = no_kernel};

/* What is refused: the null var, a null axis, a status. */
static bool refused(const world *w, ad_var v) { return ad_is_null(v) && ad_tape_status(w->tape) != GIBBS_OK; }
static bool refused_axis(const world *w, ad_axis a) { return a.id < 0 && ad_tape_status(w->tape) != GIBBS_OK; }
static bool refused_all(gibbs_status status, const ad_var *dx, int n)
{
    for (int i = 0; i < n; i++)
        if (!ad_is_null(dx[i])) return false;
    return status != GIBBS_OK;
}

static void same_again(const ad_var *s, const ad_var *x, ad_var *next, ad_var *out, void *context)
{
    (void)context;
    next[0] = ad_add(s[0], x[0]);
    out[0] = s[0];
}

/* By a state, an input [3], and a length. */
static bool refused_scan(ad_var state, ad_var input, ad_var length)
{
    ad_var last, out;
    ad_scan_spec spec = {.steps = 3, .state = &state, .states = 1, .input = &input, .inputs = 1, .outputs = 1,
                         .length = length, .body = same_again};
    return ad_scan(&spec, &last, &out) != GIBBS_OK && ad_is_null(last) && ad_is_null(out);
}

/* ---- Handles: V is a var, A an axis that names nothing ---- */

#define IN_UNARY(X)                                                                                                \
    X(neg) X(exp) X(expm1) X(log) X(log1p) X(sqrt) X(recip) X(tanh) X(sigmoid) X(sigmoid_slope) X(softplus) X(erf) \
    X(erfc) X(log_erfc) X(log_ndtr) X(log1mexp) X(lgamma) X(digamma) X(sinh) X(cosh) X(asin) X(acos) X(atan)       \
    X(sin) X(cos) X(abs) X(sign) X(step) X(stop_gradient) X(square) X(relu) X(silu) X(gelu) X(elu) X(logcosh)      \
    X(sum) X(max_reduce) X(logsumexp) X(softmax) X(norm) X(transpose) X(regroup) X(variable) \
    X(cholesky) X(log_det) X(log_abs_det) X(eigenvalues) X(eigenvectors)

#define IN_BINARY(X)                                                                                         \
    X(add, w->x) X(sub, w->x) X(mul, w->x) X(div, w->x) X(max, w->x) X(min, w->x) X(pow, w->x) X(less, w->x) \
    X(atan2, w->x) X(hypot, w->x) X(polygamma, w->x)                                                         \
    X(dot, w->x) X(matmul, w->M) X(quadratic_form, w->x) X(log_mixture, w->x) X(gather, w->x)                \
    X(batch_gather, w->s) X(hess_diag, w->s) X(laplacian, w->s) X(hess_diag_almost_everywhere, w->s)         \
    X(divergence, w->x) X(divergence_almost_everywhere, w->x)

/* name, a call that must be refused */
#define IN_VARS(X)                                                                                \
    X(select, refused(w, ad_select(V, w->x, w->x)))                                               \
    X(select, refused(w, ad_select(w->x, V, w->x)))                                               \
    X(select, refused(w, ad_select(w->x, w->x, V)))                                               \
    X(scale, refused(w, ad_scale(V, 2)))                                                          \
    X(shift, refused(w, ad_shift(V, 2)))                                                          \
    X(clamp, refused(w, ad_clamp(V, 0, 1)))                                                       \
    X(sum_dims, refused(w, ad_sum_dims(V, 1)))                                                    \
    X(max_reduce_dims, refused(w, ad_max_reduce_dims(V, 1)))                                      \
    X(logsumexp_dims, refused(w, ad_logsumexp_dims(V, 1)))                                        \
    X(rbm_free_energy, refused(w, ad_rbm_free_energy(V, w->W, w->x, w->x)))                       \
    X(rbm_free_energy, refused(w, ad_rbm_free_energy(w->x, V, w->x, w->x)))                       \
    X(rbm_free_energy, refused(w, ad_rbm_free_energy(w->x, w->W, V, w->x)))                       \
    X(rbm_free_energy, refused(w, ad_rbm_free_energy(w->x, w->W, w->x, V)))                       \
    X(triangular_solve, refused(w, ad_triangular_solve(V, w->x, 0)))                              \
    X(triangular_solve, refused(w, ad_triangular_solve(w->M, V, 1)))                              \
    X(solve, refused(w, ad_solve(V, w->x, 1)))                                                    \
    X(solve, refused(w, ad_solve(w->M, V, 0)))                                                    \
    X(reshape, refused(w, ad_reshape(V, ad_vec(3))))                                              \
    X(expand, refused(w, ad_expand(V, ad_vec(3))))                                                \
    X(permute, refused(w, ad_permute(V, ((int[]){0}))))                                           \
    X(slice, refused(w, ad_slice(V, 0, 0, 1)))                                                    \
    X(pad, refused(w, ad_pad(V, 0, 1, 1)))                                                        \
    X(concat, refused(w, ad_concat(V, w->x, 0)))                                                  \
    X(concat, refused(w, ad_concat(w->x, V, 0)))                                                  \
    X(at, refused(w, ad_at(V, 0)))                                                                \
    X(at2, refused(w, ad_at2(V, 0, 0)))                                                           \
    X(concat_all, refused(w, ad_concat_all(last, 2, 0)))                                          \
    X(stack, refused(w, ad_stack(last, 2)))                                                       \
    X(stack_dim, refused(w, ad_stack_dim(last, 2, 1)))                                            \
    X(take, refused(w, ad_take(V, &zeroth, 1, 0)))                                                \
    X(slice_step, refused(w, ad_slice_step(V, 0, 0, 1, 1)))                                       \
    X(cumsum, refused(w, ad_cumsum(V, 0)))                                                        \
    X(cumsum_reverse, refused(w, ad_cumsum_reverse(V, 0)))                                        \
    X(conv2d, refused(w, ad_conv2d(V, w->x, 1, 0)))                                               \
    X(conv2d, refused(w, ad_conv2d(w->x, V, 1, 0)))                                               \
    X(avg_pool2d, refused(w, ad_avg_pool2d(V, 2, 2)))                                             \
    X(patches, refused(w, ad_patches(V, 1, 1, 1, 0)))                                             \
    X(overlap_add, refused(w, ad_overlap_add(V, ad_cube(1, 1, 1), 1, 1, 1, 0)))                   \
    X(scatter_add, refused(w, ad_scatter_add(V, w->x, 3)))                                        \
    X(scatter_add, refused(w, ad_scatter_add(w->x, V, 3)))                                        \
    X(batch_sum, refused(w, ad_batch_sum(w->data, V)))                                            \
    X(batch_mean, refused(w, ad_batch_mean(w->data, V)))                                          \
    X(batch_max, refused(w, ad_batch_max(w->data, V)))                                            \
    X(batch_logsumexp, refused(w, ad_batch_logsumexp(w->data, V)))                                \
    X(batch_matmul, refused(w, ad_batch_matmul(w->data, V, w->x)))                                \
    X(batch_matmul, refused(w, ad_batch_matmul(w->data, w->x, V)))                                \
    X(lift, refused(w, ad_lift(w->data, V)))                                                      \
    X(ungroup, refused(w, ad_ungroup(w->child, V)))                                               \
    X(batch_scatter_add, refused(w, ad_batch_scatter_add(w->data, V, w->s)))                      \
    X(batch_scatter_add, refused(w, ad_batch_scatter_add(w->data, w->x, V)))                      \
    X(grad, refused_all(ad_grad(V, &w->x, 1, dx), dx, 1))                                         \
    X(grad, refused_all(ad_grad(w->s, last, 2, dx), dx, 2))                                       \
    X(vjp, refused_all(ad_vjp(V, w->x, &w->x, 1, dx), dx, 1))                                     \
    X(vjp, refused_all(ad_vjp(w->x, V, &w->x, 1, dx), dx, 1))                                     \
    X(vjp, refused_all(ad_vjp(w->x, w->x, last, 2, dx), dx, 2))                                   \
    X(jvp, refused(w, ad_jvp(V, &w->x, &w->x, 1)))                                                \
    X(jvp, refused(w, ad_jvp(w->s, last, xx, 2)))                                                 \
    X(jvp, refused(w, ad_jvp(w->s, xx, last, 2)))                                                 \
    X(hvp, refused(w, ad_hvp(V, w->x, w->x)))                                                     \
    X(hvp, refused(w, ad_hvp(w->s, V, w->x)))                                                     \
    X(hvp, refused(w, ad_hvp(w->s, w->x, V)))                                                     \
    X(directional_curvature, refused(w, ad_directional_curvature(V, w->x, w->x)))                 \
    X(directional_curvature, refused(w, ad_directional_curvature(w->s, V, w->x)))                 \
    X(directional_curvature, refused(w, ad_directional_curvature(w->s, w->x, V)))                 \
    X(degree, ad_degree(V, w->x) == -1)                                                           \
    X(degree, ad_degree(w->s, V) == -1)                                                           \
    X(scan, refused_scan(V, w->x, (ad_var){0}))                                                   \
    X(scan, refused_scan(w->s, V, (ad_var){0}))                                                   \
    X(scan, refused_scan(w->s, w->x, (V).tape ? V : (ad_var){w->tape, -1}))                       \
    X(substitute, refused(w, ad_substitute(V, xx, xx, 2)))                                        \
    X(substitute, refused(w, ad_substitute(w->x, last, xx, 2)))                                   \
    X(substitute, refused(w, ad_substitute(w->x, xx, last, 2)))                                   \
    X(jacobian, refused(w, ad_jacobian(V, xx, 1)))                                                \
    X(jacobian, refused(w, ad_jacobian(w->x, last, 2)))                                           \
    X(jacobian_by, refused(w, ad_jacobian_by(V, xx, 1, AD_FORWARD)))                              \
    X(jacobian_by, refused(w, ad_jacobian_by(w->x, last, 2, AD_FORWARD)))                         \
    X(hessian, refused(w, ad_hessian(V, xx, 1)))                                                  \
    X(hessian, refused(w, ad_hessian(w->s, last, 2)))                                             \
    X(grad_per_sample, refused_all(ad_grad_per_sample(V, &w->W, 1, dx), dx, 1))                   \
    X(grad_per_sample, refused_all(ad_grad_per_sample(w->s, &V, 1, dx), dx, 1))                   \
    X(influence, refused(w, ad_influence(w->data, V)))                                            \
    X(user, refused(w, ad_user(&twin, last)))                                                     \
    X(compile, ad_compile(last, 2, NULL, &plan, &error) == GIBBS_TAPE)                            \
    X(compile, ad_compile(xx, 1, &carried, &plan, &error) == GIBBS_ARGUMENT)                      \
    X(bind, ad_bind(w->w, V, number, &error) == GIBBS_TAPE)                                       \
    X(bind_f32, ad_bind_f32(w->w, V, NULL, &error) != GIBBS_OK)                                   \
    X(bind_f64, ad_bind_f64(w->w, V, number, &error) == GIBBS_TAPE)                               \
    X(print, ad_print(last, 2, write_nothing, NULL, &error) == GIBBS_TAPE)                        \
    X(print_dot, ad_print_dot(last, 2, write_nothing, NULL, &error) == GIBBS_TAPE)                \
    X(check_gradient, ad_check_gradient(V, xx, values, 1, NULL, NULL, &error) == GIBBS_ARGUMENT)  \
    X(check_gradient, ad_check_gradient(w->s, last, values, 2, NULL, NULL, &error) == GIBBS_TAPE) \
    X(is_null, ad_is_null(V))                                                                     \
    X(is_shared, !ad_is_shared(V))                                                                \
    X(shape_of, ad_shape_of(V).rank == -1)                                                        \
    X(axis_of, ad_axis_of(V).id == -1)

#define IN_AXES(X)                                                         \
    X(axis_child, refused_axis(w, ad_axis_child(A, 2, "c")))               \
    X(input, refused(w, ad_input(A, "u", ad_vec(3))))                      \
    X(batch_sum, refused(w, ad_batch_sum(A, w->x)))                        \
    X(batch_sum, refused(w, ad_batch_sum(A, w->W)))                        \
    X(batch_mean, refused(w, ad_batch_mean(A, w->x)))                      \
    X(batch_mean, refused(w, ad_batch_mean(A, w->W)))                      \
    X(batch_logsumexp, refused(w, ad_batch_logsumexp(A, w->W)))            \
    X(batch_max, refused(w, ad_batch_max(A, w->W)))                        \
    X(batch_matmul, refused(w, ad_batch_matmul(A, w->W, w->W)))            \
    X(batch_count, refused(w, ad_batch_count(A)))                          \
    X(lift, refused(w, ad_lift(A, w->W)))                                  \
    X(lift, refused(w, ad_lift(A, w->x)))                                  \
    X(ungroup, refused(w, ad_ungroup(A, w->x)))                            \
    X(batch_scatter_add, refused(w, ad_batch_scatter_add(A, w->x, w->s)))  \
    X(normal, refused(w, ad_normal(A, ad_vec(3), 1)))                      \
    X(uniform, refused(w, ad_uniform(A, ad_vec(3), 1)))                    \
    X(influence, refused(w, ad_influence(A, ad_batch_sum(w->data, w->s)))) \
    X(set_rows, ad_set_rows(w->w, A, 3, &error) == GIBBS_TAPE)

/* ---- Asking ---- */

#define UNARY_CASE(name) IN_CASE(name, refused(w, ad_##name(V)))
#define BINARY_CASE(name, other) \
    IN_CASE(name, refused(w, ad_##name(V, other))) IN_CASE(name, refused(w, ad_##name(other, V)))

static bool ask_var(world *w, ad_var V, int k)
{
    ad_var dx[2] = {w->x, w->x}, last[2] = {w->x, V}, xx[2] = {w->x, w->x};
    double number[3] = {0};
    const double *const values[2] = {number, number};
    ad_carry pair = {0, V};
    ad_plan_options carried = {.carry = &pair, .carries = 1};
    ad_plan *plan;
    int at = 0;
#define IN_CASE(name, call) \
    if (at++ == k) return call;
    IN_UNARY(UNARY_CASE) IN_BINARY(BINARY_CASE) IN_VARS(IN_CASE)
#undef IN_CASE
    return false;
}

static bool ask_axis(world *w, ad_axis A, int k)
{
    int at = 0;
#define IN_CASE(name, call) \
    if (at++ == k) return call;
    IN_AXES(IN_CASE)
#undef IN_CASE
    return false;
}

#define IN_CASE(name, call) "ad_" #name,
static const char *const var_names[] = {IN_UNARY(UNARY_CASE) IN_BINARY(BINARY_CASE) IN_VARS(IN_CASE)};
static const char *const axis_names[] = {IN_AXES(IN_CASE)};
#undef IN_CASE

/* Ids that name nothing: below 0, the next one, far away. */
static int32_t bad_id(const world *w, int k)
{
    return (int32_t[]){-1, INT32_MIN, (int32_t)ad_tape_size(w->tape), 99999999, INT32_MAX}[k];
}
enum { BAD = 5 };

Test(errors_handles, vars_that_name_nothing)
{
    for (int k = 0; k < LENGTH(var_names); k++)
        for (int b = 0; b < BAD; b++) {
    world w = world_new();
            cr_expect(ask_var(&w, (ad_var){w.tape, bad_id(&w, b)}, k), "%s accepts id %d (case %d)", var_names[k],
                      bad_id(&w, b), k);
            gibbs_status status = ad_tape_status(w.tape);
            cr_expect(status == GIBBS_OK || status == GIBBS_TAPE, "%s: %s", var_names[k], ad_tape_message(w.tape));
    world_free(&w);
}
}

static bool in_list(const char *name, const char *const *list, int n)
{
    for (int i = 0; i < n; i++)
        if (!strcmp(name, list[i])) return true;
    return false;
}

/* Without another argument there is no tape that could have the error. */
static const char *const take_an_axis_alone[] = {"ad_axis_child", "ad_input", "ad_batch_count", "ad_normal",
                                                 "ad_uniform"};

Test(errors_handles, axes_that_name_nothing)
{
    for (int k = 0; k < LENGTH(axis_names); k++)
        for (int b = 0; b < BAD + 1; b++) {
    world w = world_new();
            ad_axis axis = {b < BAD ? w.tape : NULL, b < BAD ? bad_id(&w, b) : -1};
            bool nowhere = !axis.tape && in_list(axis_names[k], take_an_axis_alone, LENGTH(take_an_axis_alone));
            cr_expect(ask_axis(&w, axis, k) != nowhere, "%s accepts axis %d (case %d)", axis_names[k], axis.id, k);
    world_free(&w);
}
}

/* ---- NULL ---- */

#define IN_NULLS(X)                                                                          \
    X(compile, ad_compile(NULL, 1, NULL, &plan, &error))                                     \
    X(compile, ad_compile(&w.x, 1, NULL, NULL, &error))                                      \
    X(compile, ad_compile(&w.x, 1, &(ad_plan_options){.carries = 1}, &plan, &error))         \
    X(compile, ad_compile(&w.x, 1, &(ad_plan_options){.carries = -1}, &plan, &error))        \
    X(workspace, ad_workspace_new(NULL, &space, &error))                                     \
    X(workspace, ad_workspace_new(w.plan, NULL, &error))                                     \
    X(bind, ad_bind(NULL, w.x, number, &error))                                              \
    X(bind, ad_bind(w.w, w.x, NULL, &error))                                                 \
    X(bind, ad_bind_f32(NULL, w.x, single, &error))                                          \
    X(bind, ad_bind_f64(NULL, w.x, number, &error))                                          \
    X(bind, ad_bind_f64(w.w, w.x, NULL, &error))                                             \
    X(set_rows, ad_set_rows(NULL, w.data, 3, &error))                                        \
    X(run, ad_run(NULL, NULL, &error))                                                       \
    X(print, ad_print(NULL, 1, write_nothing, NULL, &error))                                 \
    X(print, ad_print(&w.x, 1, NULL, NULL, &error))                                          \
    X(print, ad_print_dot(NULL, 1, write_nothing, NULL, &error))                             \
    X(print, ad_print_dot(&w.x, 1, NULL, NULL, &error))                                      \
    X(check_gradient, ad_check_gradient(w.s, NULL, values, 1, NULL, NULL, &error))           \
    X(check_gradient, ad_check_gradient(w.s, &w.x, NULL, 1, NULL, NULL, &error))             \
    X(check_gradient, ad_check_gradient(w.s, &w.x, values, -1, NULL, NULL, &error))

/* Those that record: the error is the tape's. */
#define IN_NULL_LISTS(X)                                                                     \
    X(grad, ad_grad(w.s, NULL, 1, &d))                                                       \
    X(grad, ad_grad(w.s, &w.x, 1, NULL))                                                     \
    X(grad, ad_grad(w.s, &w.x, -1, &d))                                                      \
    X(vjp, ad_vjp(w.x, w.x, NULL, 1, &d))                                                    \
    X(vjp, ad_vjp(w.x, w.x, &w.x, 1, NULL))                                                  \
    X(vjp, ad_vjp(w.x, w.x, &w.x, -1, &d))                                                   \
    X(jvp, status_of(ad_jvp(w.s, NULL, &w.x, 1)))                                            \
    X(jvp, status_of(ad_jvp(w.s, &w.x, NULL, 1)))                                            \
    X(jvp, status_of(ad_jvp(w.s, &w.x, &w.x, -1)))                                           \
    X(substitute, status_of(ad_substitute(w.s, NULL, &w.x, 1)))                              \
    X(substitute, status_of(ad_substitute(w.s, &w.x, NULL, 1)))                              \
    X(substitute, status_of(ad_substitute(w.s, &w.x, &w.x, -1)))                             \
    X(jacobian, status_of(ad_jacobian(w.s, NULL, 1)))                                        \
    X(jacobian, status_of(ad_jacobian(w.s, &w.x, -1)))                                       \
    X(hessian, status_of(ad_hessian(w.s, NULL, 1)))                                          \
    X(hessian, status_of(ad_hessian(w.s, &w.x, -1)))                                         \
    X(grad_per_sample, ad_grad_per_sample(w.s, NULL, 1, &d))                                 \
    X(grad_per_sample, ad_grad_per_sample(w.s, &w.W, 1, NULL))                               \
    X(grad_per_sample, ad_grad_per_sample(w.s, &w.W, -1, &d))                                \
    X(scan, ad_scan(&(ad_scan_spec){.steps = 3, .state = &w.x, .states = 1}, &d, NULL))      \
    X(scan, ad_scan(&(ad_scan_spec){.steps = 3, .state = &w.x, .states = 1, .inputs = 1, .body = same_again}, &d, NULL)) \
    X(permute, status_of(ad_permute(w.x, NULL)))                                             \
    X(constant_array, status_of(ad_constant_array(w.tape, ad_vec(3), NULL)))                 \
    X(user, status_of(ad_user(NULL, &w.x)))

static gibbs_status status_of(ad_var v) { return ad_is_null(v) ? ad_tape_status(v.tape) : GIBBS_OK; }

static void expect_argument(gibbs_status status, const char *name, const char *message, const char *call)
{
    cr_expect_eq(status, GIBBS_ARGUMENT, "%s: status %d", call, status);
    cr_expect(!strncmp(message, name, strlen(name)), "%s: «%s»", call, message);
}

Test(errors_handles, null_pointers)
{
    world w = world_new();
    ad_plan *plan;
    ad_workspace *space;
    double number[3] = {0};
    const double *const values[1] = {number};
    float single[3] = {0};
#define EXPECT(name, call)                                               \
    error.message[0] = 0;                                                \
    expect_argument(call, #name, error.message, #call);
    IN_NULLS(EXPECT)
#undef EXPECT
    cr_expect_eq(ad_workspace_new(NULL, NULL, NULL), GIBBS_ARGUMENT);
    cr_expect(ad_is_null(ad_user(&twin, NULL)) && ad_is_null(ad_user(NULL, NULL)), "no tape that could have an error");
    world_free(&w);
}

Test(errors_handles, null_lists)
{
#define EXPECT(name, call)                                               \
    {                                                                    \
        world w = world_new();                                           \
        ad_var d = w.x;                                                  \
        gibbs_status status = call;                                      \
        expect_argument(status, #name, ad_tape_message(w.tape), #call);  \
        (void)d;                                                         \
        world_free(&w);                                                  \
}
    IN_NULL_LISTS(EXPECT)
#undef EXPECT
}

/* ---- That the tables lack no function ---- */

/* Looks up every function of the header that takes an ad_var (or an ad_axis); returns how many it found. */
static int look_up(const char *file, const char *type, const char *const *list, int n)
{
    char path[512], text[1 << 16], name[64];
    snprintf(path, sizeof path, "%s/../include/gibbs/%s", GIBBS_TEST_SOURCE_DIR, file);
    FILE *f = fopen(path, "r");
    cr_assert_not_null(f, "%s", path);
    text[fread(text, 1, sizeof text - 1, f)] = 0;
    fclose(f);
    int found = 0;
    for (char *end, *line = strtok(text, "\n"); line; line = strtok(NULL, "\n")) {
        char *at = strstr(line, " ad_"), *open = strchr(line, '(');
        while (at && open && strchr(at + 1, ' ') && strchr(at + 1, ' ') < open) at = strstr(at + 1, " ad_");
        if (line[0] == ' ' || line[0] == '/' || strstr(line, "typedef") || !at || !open || at > open) continue;
        if (!(end = strstr(open, type)) || (end[-1] != '(' && end[-1] != ' ')) continue;
        snprintf(name, sizeof name, "%.*s", (int)(open - at - 1), at + 1);
        cr_expect(in_list(name, list, n), "%s takes an %s and is not in the tables above", name, type);
        found++;
}
    return found;
}

Test(errors_handles, the_tables_are_complete)
{
    int vars = look_up("ad.h", "ad_var ", var_names, LENGTH(var_names));
    int axes = look_up("ad.h", "ad_axis ", axis_names, LENGTH(axis_names));
    cr_expect_gt(vars, 90);
    cr_expect_gt(axes, 12);
    cr_expect_eq(look_up("op.h", "ad_var ", var_names, LENGTH(var_names)), 1, "ad_user");
}
