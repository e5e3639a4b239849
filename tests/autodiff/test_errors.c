/* What goes wrong while recording: status and sentence of each, and that the first error stays. */
#include "plan_helpers.h"

#include <stdint.h>

/* The operands of every case; `foreign` is of another tape. */
typedef struct world {
    ad_tape *tape, *other_tape;
    ad_axis data, noise, child, foreign_axis, no_axis;
    ad_var x, y, M, s, e, W, v, wide, tall, foreign, null;
} world;

static world world_new(void)
{
    world w = {.tape = ad_tape_new(GIBBS_FLOAT64, NULL), .other_tape = ad_tape_new(GIBBS_FLOAT64, NULL)};
    w.data = ad_axis_new(w.tape, "data");
    w.noise = ad_axis_new(w.tape, "noise");
    w.child = ad_axis_child(w.data, 4, "child");
    w.foreign_axis = ad_axis_new(w.other_tape, "foreign");
    w.x = ad_input(w.data, "x", ad_vec(3));
    w.y = ad_input(w.noise, "y", ad_vec(3));
    w.M = ad_input(w.data, "M", ad_mat(4, 3));
    w.s = ad_input(w.data, "s", ad_scalar());
    w.e = ad_input(w.child, "e", ad_vec(3));
    w.W = ad_parameter(w.tape, "W", ad_mat(3, 5));
    w.v = ad_parameter(w.tape, "v", ad_vec(4));
    w.wide = ad_parameter(w.tape, "wide", ad_mat(1, 100000));
    w.tall = ad_parameter(w.tape, "tall", ad_mat(100000, 1));
    w.foreign = ad_parameter(w.other_tape, "f", ad_vec(3));
    w.null = (ad_var){w.tape, -1};
    w.no_axis = ad_axis_of(w.W);
    return w;
}

static void world_free(world *w)
{
    ad_tape_free(w->tape);
    ad_tape_free(w->other_tape);
}

static ad_var grad_of(ad_var y, ad_var x)
{
    ad_var d;
    ad_grad(y, &x, 1, &d);
    return d;
}

static ad_var vjp_of(ad_var y, ad_var ybar, ad_var x)
{
    ad_var d;
    ad_vjp(y, ybar, &x, 1, &d);
    return d;
}

/* A value of as many dimensions as can be, and its derivatives along directions, which need one more. */
static ad_var eighth(world w) { return ad_parameter(w.tape, "u", (ad_shape){8, {1, 2, 1, 1, 1, 1, 1, 2}}); }
static ad_var jacobian_of(ad_var x) { return ad_jacobian(ad_exp(x), &x, 1); }
static ad_var jvp_of(ad_var x) { return ad_jvp(ad_exp(x), &x, &x, 1); }

static ad_var square(ad_var x) { return ad_mul(x, ad_reshape(x, ad_mat(3, 1))); }
static ad_var on(ad_axis axis) { return ad_input(axis, "u", ad_scalar()); }

static int refuse_shape(void *context, const ad_shape *in, ad_shape *out, gibbs_error *error)
{
    (void)in, (void)out;
    if (context) memcpy(error->message, "three are needed", 17);
    return 1;
}

static void no_kernel(void *c, gibbs_dtype d, int64_t r, const void *const *in, const int *s, void *out)
{
    (void)c, (void)d, (void)r, (void)in, (void)s, (void)out;
}

static int some_context;
static const ad_user_op silent = {.name = "silent", .arguments = 1, .shape = refuse_shape, .kernel = no_kernel};
static const ad_user_op talking = {.name = "talking", .arguments = 1, .shape = refuse_shape, .kernel = no_kernel,
                                   .context = &some_context};
static const ad_user_op nameless = {.arguments = 1, .shape = refuse_shape, .kernel = no_kernel};
static const ad_user_op crowded = {.name = "crowded", .arguments = 9, .shape = refuse_shape, .kernel = no_kernel};

static ad_var stack(const ad_var *x, int n, int unused) { return (void)unused, ad_stack(x, n); }
static ad_var stack_dim(const ad_var *x, int n, int dim) { return ad_stack_dim(x, n, dim); }
static ad_var take(ad_var x, int dim, int64_t number) { return ad_take(x, (int64_t[]){0, 2, number}, 3, dim); }
static ad_var images(world w) { return ad_expand(w.s, ad_cube(5, 4, 3)); }
static ad_var filters(world w) { return ad_expand(w.s, (ad_shape){4, {3, 3, 3, 2}}); }
#define LIST(f, a, b, c, dim) f(((ad_var[]){a, b, c}), 3, dim)

#define CASES(X)                                                                                                       \
    X(SHAPE, ad_add(w.x, w.v), "add: shapes [3] and [4] do not agree")                                                 \
    X(SHAPE, ad_select(w.s, w.x, w.v), "select: shapes [3] and [4] do not agree")                                      \
    X(AXIS, ad_mul(w.x, w.y), "mul: axes «data» and «noise» meet")                                                     \
    X(AXIS, ad_select(w.s, w.x, w.y), "select: axes «data» and «noise» meet")                                          \
    X(AXIS, ad_sub(w.x, w.e), "sub: axes «data» and «child» meet")                                                     \
    X(TAPE, ad_add(w.x, w.foreign), "add: arguments belong to two tapes")                                              \
    X(TAPE, ad_add(w.x, w.null), "add: argument 2 is the null var")                                                    \
    X(TAPE, ad_exp(w.null), "exp: argument 1 is the null var")                                                         \
    X(TAPE, ad_add(((ad_var){NULL, -1}), w.x), "add: argument 1 is the null var")                                      \
    X(SHAPE, ad_matmul(w.x, w.v), "matmul: shapes [3] and [4] do not agree")                                           \
    X(SHAPE, ad_matmul(w.M, w.v), "matmul: shapes [4,3] and [4] do not agree")                                         \
    X(SHAPE, ad_matmul(w.s, w.x), "matmul: shapes [] and [3] do not agree")                                            \
    X(SHAPE, ad_matmul(ad_expand(w.W, ad_cube(2, 3, 5)), ad_expand(w.M, ad_cube(3, 4, 3))), "[2,3,5] and [3,4,3] do")  \
    X(AXIS, ad_matmul(w.x, w.y), "matmul: axes «data» and «noise» meet")                                               \
    X(SIZE, ad_matmul(w.tall, w.wide), "more than 2^31-1 elements")                                                    \
    X(SHAPE, ad_cholesky(w.W), "cholesky: needs a square matrix [n,n], got the shape [3,5]")                           \
    X(SHAPE, ad_log_det(w.x), "log_det: needs a square matrix [n,n], got the shape [3]")                               \
    X(SHAPE, ad_log_abs_det(w.s), "log_abs_det: needs a square matrix [n,n], got the shape []")                        \
    X(SHAPE, ad_eigenvalues(w.M), "eigenvalues: needs a square matrix [n,n], got the shape [4,3]")                     \
    X(SHAPE, ad_eigenvectors(ad_expand(w.x, ad_cube(3, 3, 3))), "eigenvectors: needs a square matrix [n,n], got the")  \
    X(SHAPE, ad_solve(w.M, w.v, 0), "solve: needs a square matrix [n,n], got the shape [4,3]")                         \
    X(SHAPE, ad_solve(square(w.x), w.v, 0), "solve: right sides of the shape [4] do not fit the matrix [3,3]: th")     \
    X(SHAPE, ad_triangular_solve(square(w.x), w.M, 1), "triangular_solve: right sides of the shape [4,3] do not")      \
    X(SHAPE, ad_triangular_solve(square(w.x), w.s, 1), "triangular_solve: right sides of the shape [] do not fit the") \
    X(AXIS, ad_triangular_solve(square(w.x), w.y, 0), "triangular_solve: axes «data» and «noise» meet")                \
    X(AXIS, ad_solve(square(w.y), w.x, 0), "solve: axes «noise» and «data» meet")                                      \
    X(SHAPE, ad_reshape(w.M, ad_vec(11)), "reshape: [4,3] and [11] have different numbers of elements")                \
    X(SHAPE, ad_reshape(w.M, ad_mat(-4, -3)), "different numbers of elements")                                         \
    X(SHAPE, ad_expand(w.x, ad_vec(4)), "expand: [3] does not broadcast to [4]")                                       \
    X(SHAPE, ad_expand(w.M, ad_vec(3)), "expand: [4,3] does not broadcast to [3]")                                     \
    X(SIZE, ad_expand(w.s, ad_cube(1 << 20, 1 << 20, 1)), "more than 2^31-1 elements")                                 \
    X(ARGUMENT, ad_permute(w.M, ((int[]){0, 0})), "permute: the order is no permutation of 2 dimensions")              \
    X(ARGUMENT, ad_permute(w.M, ((int[]){1, 2})), "permute: the order is no permutation of 2 dimensions")              \
    X(ARGUMENT, ad_permute(w.M, ((int[]){-1, 0})), "permute: the order is no permutation of 2 dimensions")             \
    X(SHAPE, ad_transpose(w.x), "transpose: needs a matrix, got 1 dimensions")                                         \
    X(ARGUMENT, ad_slice(w.x, 1, 0, 1), "slice: there is no dimension 1 in 1")                                         \
    X(ARGUMENT, ad_slice(w.x, -1, 0, 1), "slice: there is no dimension -1 in 1")                                       \
    X(ARGUMENT, ad_slice(w.s, 0, 0, 1), "slice: there is no dimension 0 in 0")                                         \
    X(ARGUMENT, ad_slice(w.x, 0, 2, 2), "slice: 2 elements from 2 do not lie in a dimension of 3")                     \
    X(ARGUMENT, ad_slice(w.x, 0, -1, 2), "slice: 2 elements from -1 do not lie in a dimension of 3")                   \
    X(ARGUMENT, ad_slice(w.x, 0, 1, 0), "slice: 0 elements from 1 do not lie in a dimension of 3")                     \
    X(ARGUMENT, ad_slice(w.x, 0, INT64_MAX, INT64_MAX), "do not lie in a dimension of 3")                              \
    X(ARGUMENT, ad_pad(w.x, 0, -1, 1), "pad: -1 before and 1 after are out of range")                                  \
    X(ARGUMENT, ad_pad(w.x, 0, 1, INT64_MAX), "after are out of range")                                                \
    X(ARGUMENT, ad_pad(w.x, 2, 1, 1), "pad: there is no dimension 2 in 1")                                             \
    X(SIZE, ad_pad(w.x, 0, INT32_MAX, INT32_MAX), "more than 2^31-1 elements")                                         \
    X(SHAPE, ad_concat(w.x, w.M, 0), "concat: shapes [3] and [4,3] do not fit along dimension 0")                      \
    X(SHAPE, ad_concat(w.M, w.W, 1), "concat: shapes [4,3] and [3,5] do not fit along dimension 1")                    \
    X(ARGUMENT, ad_concat(w.x, w.x, 1), "concat: there is no dimension 1 in 1")                                        \
    X(AXIS, ad_concat(w.x, w.y, 0), "concat: axes «data» and «noise» meet")                                            \
    X(ARGUMENT, ad_at(w.x, 3), "at: index 3 of dimension 0 is not among the 0 … 2 of the shape [3]")                   \
    X(ARGUMENT, ad_at(w.x, -1), "at: index -1 of dimension 0")                                                         \
    X(SHAPE, ad_at(w.M, 0), "at: needs a vector, got the shape [4,3] (ad_at2 is for matrices)")                        \
    X(SHAPE, ad_at(w.s, 0), "at: needs a vector, got the shape []")                                                    \
    X(ARGUMENT, ad_at2(w.M, 1, 3), "at2: index 3 of dimension 1 is not among the 0 … 2 of the shape [4,3]")            \
    X(ARGUMENT, ad_at2(w.M, INT64_MIN, 0), "at2: index -9223372036854775808 of dimension 0")                           \
    X(SHAPE, ad_at2(w.x, 0, 0), "at2: needs a matrix, got the shape [3]")                                              \
    X(TAPE, ad_at(w.null, 0), "at: argument 1 is the null var")                                                        \
    X(SHAPE, LIST(ad_concat_all, w.M, w.M, w.W, 1), "concat_all: value 2 has the shape [3,5], which does not fit")     \
    X(ARGUMENT, LIST(ad_concat_all, w.x, w.x, w.x, 1), "concat_all: there is no dimension 1 in 1")                     \
    X(AXIS, LIST(ad_concat_all, w.x, w.x, w.y, 0), "concat: axes «data» and «noise» meet")                             \
    X(TAPE, LIST(ad_concat_all, w.x, w.null, w.x, 0), "concat_all: argument 2 is the null var")                        \
    X(TAPE, ad_add(ad_concat_all(&w.x, 0, 0), w.x), "add: argument 1 is the null var")                                 \
    X(TAPE, ad_add(ad_stack(NULL, 3), w.x), "add: argument 1 is the null var")                                         \
    X(SHAPE, LIST(stack, w.x, w.x, w.v, 0), "stack: value 2 has the shape [4], which does not fit that of value 0, [") \
    X(SIZE, LIST(stack, eighth(w), eighth(w), eighth(w), 0), "stack: more than 8 dimensions")                          \
    X(ARGUMENT, LIST(stack_dim, w.x, w.x, w.x, 2), "stack: a new dimension 2 does not fit among 1")                    \
    X(ARGUMENT, LIST(stack_dim, w.x, w.x, w.x, -1), "stack: a new dimension -1 does not fit among 1")                  \
    X(ARGUMENT, take(w.x, 0, 3), "take: number 2 of the list, 3, is not among the 0 … 2 of the dimension")             \
    X(ARGUMENT, take(w.x, 0, -1), "take: number 2 of the list, -1, is not among")                                      \
    X(ARGUMENT, take(w.x, 1, 1), "take: there is no dimension 1 in 1")                                                 \
    X(ARGUMENT, ad_take(w.x, NULL, 2, 0), "take: no list, or one of 2 numbers")                                        \
    X(ARGUMENT, ad_take(w.x, ((int64_t[]){0}), 0, 0), "take: no list, or one of 0 numbers")                            \
    X(ARGUMENT, ad_slice_step(w.x, 0, 0, 2, 3), "slice_step: 2 elements from 0, 3 apart, do not lie in a di")\
    X(ARGUMENT, ad_slice_step(w.x, 0, 1, 3, -1), "slice_step: 3 elements from 1, -1 apart, do not lie in a")           \
    X(ARGUMENT, ad_slice_step(w.x, 0, 0, 1, 0), "slice_step: 1 elements from 0, 0 apart")                              \
    X(ARGUMENT, ad_slice_step(w.x, 0, 3, 1, 1), "slice_step: 1 elements from 3, 1 apart")                              \
    X(ARGUMENT, ad_slice_step(w.x, 0, 0, 2, INT64_MIN), "do not lie in a dimension of 3")                              \
    X(ARGUMENT, ad_slice_step(w.x, 2, 0, 1, 1), "slice_step: there is no dimension 2 in 1")                            \
    X(ARGUMENT, ad_cumsum(w.x, 1), "cumsum: there is no dimension 1 in 1")                                             \
    X(ARGUMENT, ad_cumsum_reverse(w.s, 0), "cumsum_reverse: there is no dimension 0 in 0")                             \
    X(SHAPE, ad_patches(w.M, 1, 1, 1, 0), "patches: needs an image [height,width,channels], got 2 dimensions; ad_re")  \
    X(ARGUMENT, ad_patches(images(w), 1, 1, 0, 0), "patches: stride 0 and padding 0: a stride is at least 1")          \
    X(ARGUMENT, ad_patches(images(w), 1, 1, 1, -1), "patches: stride 1 and padding -1")                                \
    X(ARGUMENT, ad_patches(images(w), 1, 1, 1, INT64_MAX), "neither of them nor a window is huge")                     \
    X(SHAPE, ad_patches(images(w), 6, 1, 1, 0), "patches: no window of 6 by 1 pixels fits an image of 5 by 4 with a")  \
    X(SHAPE, ad_patches(images(w), 0, 1, 1, 0), "patches: no window of 0 by 1 pixels")                                 \
    X(SIZE, ad_patches(images(w), 1, 1, 1, 1 << 28), "patches: a matrix of windows has more than 2^31-1")              \
    X(SHAPE, ad_overlap_add(w.M, ad_cube(3, 3, 1), 2, 2, 1, 0), "overlap_add: [4,3] are not the windows of such an i") \
    X(SHAPE, ad_overlap_add(w.M, ad_mat(3, 3), 2, 2, 1, 0), "overlap_add: needs windows [.., number, size] and an")    \
    X(SHAPE, ad_conv2d(w.M, filters(w), 1, 0), "conv2d: needs images [H,W,C] and w [h,w,C,K], got [4,3] and")          \
    X(SHAPE, ad_conv2d(ad_expand(w.s, ad_cube(5, 4, 2)), filters(w), 1, 0), "got [5,4,2] and [3,3,3,2]")               \
    X(SHAPE, ad_conv2d(images(w), w.M, 1, 0), "conv2d: needs images [H,W,C] and w [h,w,C,K]")                          \
    X(AXIS, ad_conv2d(images(w), ad_expand(w.y, (ad_shape){4, {1, 1, 3, 3}}), 1, 0), "axes «data» and «noise»")        \
    X(SHAPE, ad_avg_pool2d(w.M, 2, 2), "avg_pool2d: needs images [H,W,C], got [4,3]")                                  \
    X(ARGUMENT, ad_avg_pool2d(images(w), 2, 0), "stride 0 and padding 0")                                              \
    X(ARGUMENT, ad_sum_dims(w.x, 2), "sum: the mask 0x2 names dimensions beyond 1")                                    \
    X(ARGUMENT, ad_logsumexp_dims(w.s, 1), "logsumexp: the mask 0x1 names dimensions beyond 0")                        \
    X(SHAPE, ad_softmax(w.s), "softmax: needs a vector, got a scalar")                                                 \
    X(ARGUMENT, ad_gather(w.s, w.s), "gather: there is no dimension 0 in 0")                                           \
    X(AXIS, ad_gather(w.x, on(w.noise)), "gather: axes «data» and «noise» meet")                                       \
    X(SHAPE, ad_scatter_add(w.x, w.v, 5), "scatter_add: [3] has no leading [4], or 5 rows are out of range")           \
    X(SHAPE, ad_scatter_add(w.x, w.x, 0), "or 0 rows are out of range")                                                \
    X(AXIS, ad_batch_sum(w.noise, w.x), "batch_sum: the value is on axis «data», not on «noise»")                      \
    X(AXIS, ad_batch_mean(w.child, w.x), "batch_sum: the value is on axis «data», not on «child»")                     \
    X(AXIS, ad_batch_max(w.no_axis, w.x), "batch_max: the axis is null")                                               \
    X(TAPE, ad_batch_logsumexp(w.foreign_axis, w.x), "batch_logsumexp: the axis belongs to another tape")              \
    X(AXIS, ad_batch_count(w.no_axis), "batch_count: the axis is null")                                                \
    X(AXIS, ad_batch_matmul(w.data, w.x, w.y), "batch_matmul: a factor is on axis «noise», not on «data»")             \
    X(SHAPE, ad_batch_matmul(w.data, w.x, w.M), "batch_matmul: shapes [3] and [4,3] do not agree")                     \
    X(SHAPE, ad_batch_matmul(w.data, w.W, w.M), "batch_matmul: shapes [3,5] and [4,3] do not agree")                   \
    X(AXIS, ad_lift(w.noise, w.x), "lift: the value is per-sample on axis «data» already, not shared")                 \
    X(AXIS, ad_regroup(w.x), "regroup: «data» is no child axis")                                                       \
    X(AXIS, ad_regroup(w.W), "regroup: «shared» is no child axis")                                                     \
    X(AXIS, ad_ungroup(w.data, w.x), "ungroup: «data» is no child axis")                                               \
    X(AXIS, ad_ungroup(w.child, w.y), "not on «data», the parent of «child»")                                          \
    X(SHAPE, ad_ungroup(w.child, w.x), "ungroup: the first dimension of [3] is not the 4 of «child»")                  \
    X(SHAPE, ad_ungroup(w.child, w.s), "ungroup: the first dimension of [] is not the 4 of «child»")                   \
    X(SHAPE, ad_batch_gather(w.x, w.y), "batch_gather: the index must be a per-sample scalar")                         \
    X(SHAPE, ad_batch_gather(w.x, ad_constant(w.tape, 1)), "batch_gather: the index must be a per-sample scalar")      \
    X(AXIS, ad_batch_scatter_add(w.noise, w.y, w.s), "batch_scatter_add: axes «noise» and «data» meet")                \
    X(TAPE, ad_batch_scatter_add(w.foreign_axis, w.x, w.s), "batch_scatter_add: the axis belongs to another tape")     \
    X(ARGUMENT, on(ad_axis_child(w.data, 0, "c")), "axis_child: 0 elements for each of «data» are out of range")       \
    X(SIZE, on(ad_axis_child(w.child, 1 << 30, "c")), "axis_child: 1073741824 elements for each of «child»")           \
    X(AXIS, on(ad_axis_child(w.no_axis, 2, "c")), "axis_child: the axis is null")                                      \
    X(SIZE, ad_input(w.data, "u", ad_vec(0)), "input «u»: a dimension of [0] is below 1, or the shape is too large")   \
    X(SIZE, ad_parameter(w.tape, "U", ad_mat(1 << 16, 1 << 16)), "parameter «U»: a dimension of [65536,65536]")        \
    X(SIZE, ad_parameter(w.tape, "U", ((ad_shape){.rank = 9})), "parameter «U»")                                       \
    X(SIZE, ad_parameter(w.tape, "U", ad_cube(INT64_MAX, 3, INT64_MAX)), "parameter «U»")                              \
    X(ARGUMENT, ad_constant_array(w.tape, ad_vec(3), NULL), "constant_array: no values")                               \
    X(SIZE, ad_constant_array(w.tape, ad_vec(-3), (double[]){1}), "constant_array: a dimension is below 1")            \
    X(SIZE, ad_normal(w.data, ad_vec(0), 1), "normal: a dimension is below 1")                                         \
    X(AXIS, ad_uniform(w.no_axis, ad_vec(2), 1), "uniform: the axis is null")                                          \
    X(SHAPE, grad_of(w.x, w.x), "grad: y must be a scalar, not [3]")                                                   \
    X(TAPE, grad_of(w.s, w.foreign), "grad: arguments belong to two tapes")                                            \
    X(TAPE, grad_of(w.s, w.null), "grad: argument 2 is the null var")                                                  \
    X(SHAPE, vjp_of(w.x, w.v, w.x), "vjp: the cotangent is [4] («shared»), y is [3] («data»)")                         \
    X(SHAPE, vjp_of(w.x, w.y, w.x), "vjp: the cotangent is [3] («noise»), y is [3] («data»)")                          \
    X(SHAPE, jacobian_of(eighth(w)), "9 dimensions, but a value has at most 8 (a derivative along directions needs")   \
    X(SHAPE, jvp_of(eighth(w)), "9 dimensions, but a value has at most 8 (a derivative along directions needs")        \
    X(SHAPE, ad_jvp(w.s, &w.x, &w.v, 1), "expand: [4] does not broadcast to [3]")                                      \
    X(SHAPE, ad_hess_diag(w.x, w.x), "y must be a scalar")                                                             \
    X(SHAPE, ad_substitute(w.s, &w.x, &w.v, 1), "substitute: pair 1 has shapes [3] and [4]")                           \
    X(AXIS, ad_substitute(w.s, &w.x, &w.y, 1), "substitute: pair 1 is on axes «data» and «noise»")                     \
    X(TAPE, ad_substitute(w.s, &w.x, &w.foreign, 1), "two tapes")                                                      \
    X(SHAPE, ad_user(&silent, &w.x), "silent: the shapes do not fit")                                                  \
    X(SHAPE, ad_user(&talking, &w.x), "talking: three are needed")                                                     \
    X(ARGUMENT, ad_user(&nameless, &w.x), "user op: needs a name")                                                     \
    X(ARGUMENT, ad_user(&crowded, &w.x), "user op: needs a name, 1 to 4 arguments")                                    \
    X(ARGUMENT, ad_user(NULL, &w.x), "user op: needs a name")

enum {
#define NUMBER(status, call, words) +1
    COUNT = 0 CASES(NUMBER)
#undef NUMBER
};

/* Records case `k`; the rest are not evaluated. */
static ad_var record_case(world w, int k)
{
    int at = 0;
#define RECORD(status, call, words) \
    if (at++ == k) return call;
    CASES(RECORD)
#undef RECORD
    return w.x;
}

static const struct expected {
    gibbs_status status;
    const char *words;
} expected[COUNT] = {
#define EXPECT(status, call, words) {GIBBS_##status, words},
    CASES(EXPECT)
#undef EXPECT
};

Test(errors, each_has_its_status_and_sentence)
{
    for (int k = 0; k < COUNT; k++) {
    world w = world_new();
        cr_assert_eq(ad_tape_status(w.tape), GIBBS_OK, "%s", ad_tape_message(w.tape));
        cr_assert_str_eq(ad_tape_message(w.tape), "");
        ad_var v = record_case(w, k);
        cr_expect_eq(ad_tape_status(w.tape), expected[k].status, "«%s»: status %d", expected[k].words,
                     ad_tape_status(w.tape));
        cr_expect(strstr(ad_tape_message(w.tape), expected[k].words) != NULL, "«%s», not «%s»", ad_tape_message(w.tape),
                  expected[k].words);
        cr_expect(ad_is_null(v), "«%s»: not the null var", expected[k].words);
        cr_expect_eq(ad_tape_status(w.other_tape), GIBBS_OK, "«%s»: the other tape is blamed", expected[k].words);
    world_free(&w);
}
}

/* The first error stays whatever is recorded after it, nothing is recorded any more, and compiling gives it. */
Test(errors, the_first_one_stays)
{
    for (int k = 0; k < COUNT; k++) {
    world w = world_new();
        record_case(w, k);
        char message[GIBBS_MESSAGE_SIZE];
        strcpy(message, ad_tape_message(w.tape));
        int64_t size = ad_tape_size(w.tape);
        for (int next = 0; next < COUNT; next++) cr_assert(ad_is_null(record_case(w, next)));
        cr_assert(ad_is_null(ad_sum(ad_exp(w.x))));
        cr_assert_eq(ad_axis_new(w.tape, "late").id, -1);
        cr_assert_eq(ad_tape_size(w.tape), size);
        cr_assert_str_eq(ad_tape_message(w.tape), message);
        ad_plan *plan = (ad_plan *)&w;
        gibbs_error error;
        cr_assert_eq(ad_compile(&w.x, 1, NULL, &plan, &error), expected[k].status);
        cr_assert_str_eq(error.message, message);
        cr_assert_null(plan);
    world_free(&w);
}
}

Test(errors, what_null_and_failed_vars_say)
{
    world w = world_new();
    cr_assert(ad_is_null(w.null));
    cr_assert(!ad_is_shared(w.null));
    cr_assert_eq(ad_shape_of(w.null).rank, -1);
    cr_assert_eq(ad_axis_of(w.null).id, -1);
    cr_assert(ad_is_shared(w.W) && !ad_is_shared(w.x));
    cr_assert_eq(ad_axis_of(w.x).id, w.data.id);
    cr_assert_eq(ad_tape_status(NULL), GIBBS_TAPE);
    cr_assert_str_eq(ad_tape_message(NULL), "no tape");
    cr_assert(ad_is_null(ad_exp((ad_var){NULL, -1})));
    cr_assert(ad_is_null(ad_scale((ad_var){NULL, -1}, 2)));
    cr_assert(ad_is_null(ad_constant(NULL, 2)));
    cr_assert(ad_is_null(ad_input((ad_axis){NULL, -1}, "x", ad_vec(1))));
    ad_tape_free(NULL);
    world_free(&w);
}

/* Every status has a text, and a number that is none has one, too. */
Test(errors, every_status_has_a_text)
{
    for (int k = 0; k < GIBBS_STATUS_COUNT; k++)
        for (int j = 0; j < k; j++)
            cr_assert_str_neq(gibbs_status_text((gibbs_status)k), gibbs_status_text((gibbs_status)j));
    cr_assert_str_eq(gibbs_status_text(GIBBS_OK), "ok");
    cr_assert_str_eq(gibbs_status_text((gibbs_status)GIBBS_STATUS_COUNT), "unknown status");
    cr_assert_str_eq(gibbs_status_text((gibbs_status)-1), "unknown status");
}
