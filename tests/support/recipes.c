/* recipes.c — the recipe of every op, and what its variants cover: shapes, dimensions, flags, broadcasting. */
#include "autodiff/op/op.h"
#include "recipes.h"

#include "user_ops.h"

#define SCALAR {0}
#define VEC(n) {1, {n}}
#define MAT(m, n) {2, {m, n}}
#define CUBE(l, m, n) {3, {l, m, n}}
enum { LOW = -2, HIGH = 2 };

static ad_var any(problem *p, ad_shape shape) { return problem_free(p, shape, LOW, HIGH); }

/* ---- Elementwise ---- */

enum { UNARY_VARIANTS = 2, BINARY_SHAPES = 4, BINARY_VARIANTS = BINARY_SHAPES + 2 };

static ad_var record_unary(problem *p, ad_op op, int k)
{
    static const ad_shape shape[UNARY_VARIANTS] = {MAT(2, 3), SCALAR};
    ad_var x = problem_free(p, shape[k], ad_ops[op].low, ad_ops[op].high);
    return ad_is_null(x) ? x : ad_elementwise(op, &x, 1);
}

/* Equal shapes, an outer product, a scalar on either side; then f(x, x) and f(xᵢ, xⱼ). */
static ad_var record_binary(problem *p, ad_op op, int k)
{
    static const ad_shape shape[BINARY_SHAPES][2] = {
        {MAT(2, 3), MAT(2, 3)}, {MAT(1, 3), MAT(2, 1)}, {SCALAR, VEC(3)}, {VEC(3), SCALAR}};
    double low = ad_ops[op].low, high = ad_ops[op].high;
    ad_var v[2];
    v[0] = problem_free(p, k < BINARY_SHAPES ? shape[k][0] : ad_vec(3), low, high);
    if (k < BINARY_SHAPES) v[1] = problem_free(p, shape[k][1], low, high);
    else v[1] = k == BINARY_SHAPES ? v[0] : ad_reshape(v[0], ad_mat(3, 1));
    return ad_elementwise(op, v, 2);
}

bool recipe_aliased(ad_op op, int variant) { return ad_ops[op].kind == KIND_BINARY && variant >= BINARY_SHAPES; }

/* ---- Structure ---- */

static ad_var record_select(problem *p, int k)
{
    static const ad_shape shape[][3] = {
        {MAT(2, 3), MAT(2, 3), MAT(2, 3)}, {VEC(3), MAT(2, 1), SCALAR}, {SCALAR, VEC(3), VEC(3)}};
    ad_var c = problem_free_index(p, shape[k][0], 2), a = any(p, shape[k][1]), b = any(p, shape[k][2]);
    return ad_select(c, a, b);
}

static ad_var record_variable(problem *p, int k)
{
    static const ad_shape shape[] = {MAT(2, 3), SCALAR};
    return ad_variable(any(p, shape[k]));
}

static ad_var record_lift(problem *p, int k)
{
    static const ad_shape shape[] = {MAT(2, 3), SCALAR};
    return ad_lift(p->data, problem_on(p, problem_shared(p), shape[k], LOW, HIGH));
}

static ad_var record_expand(problem *p, int k)
{
    static const ad_shape shape[][2] = {
        {VEC(3), MAT(2, 3)}, {MAT(2, 1), MAT(2, 3)}, {SCALAR, MAT(2, 2)}, {CUBE(2, 1, 2), CUBE(2, 3, 2)},
        {MAT(1, 3), {4, {2, 2, 2, 3}}}};
    return ad_expand(any(p, shape[k][0]), shape[k][1]);
}

static ad_var record_reshape(problem *p, int k)
{
    static const ad_shape shape[][2] = {{MAT(2, 3), VEC(6)}, {CUBE(2, 3, 2), MAT(3, 4)}, {SCALAR, MAT(1, 1)}};
    ad_var x = any(p, shape[k][0]);
    return ad_reshape(k == 1 ? ad_square(x) : x, shape[k][1]);
}

static ad_var record_permute(problem *p, int k)
{
    static const int order[][3] = {{2, 0, 1}, {1, 2, 0}, {0, 2, 1}, {1, 0}};
    return ad_permute(any(p, k < 3 ? ad_cube(2, 3, 2) : ad_mat(2, 3)), order[k]);
}

/* The last two: one element, which becomes a scalar. */
static ad_var record_slice(problem *p, int k)
{
    static const int from[][3] = {{0, 1, 1}, {1, 1, 2}, {2, 0, 1}};
    if (k == 3) return ad_at(any(p, ad_vec(3)), 1);
    if (k == 4) return ad_at2(any(p, ad_mat(2, 3)), 1, 2);
    return ad_slice(any(p, ad_cube(2, 3, 2)), from[k][0], from[k][1], from[k][2]);
}

static ad_var record_pad(problem *p, int k)
{
    static const int by[][3] = {{0, 1, 0}, {1, 0, 2}, {2, 1, 1}};
    return ad_pad(any(p, ad_cube(2, 2, 2)), by[k][0], by[k][1], by[k][2]);
}

/* Values of three sizes joined, one of them twice; or scalars as a vector, likewise. */
static ad_var record_list(problem *p, bool stacked)
{
    ad_var x[4];
    for (int i = 0; i < 3; i++) x[i] = any(p, stacked ? ad_scalar() : ad_mat(2, i + 1));
    x[3] = x[1];
    return stacked ? ad_stack(x, 4) : ad_concat_all(x, 4, 1);
}

static ad_var record_concat(problem *p, int k)
{
    static const ad_shape shape[][2] = {
        {MAT(1, 3), MAT(2, 3)}, {MAT(2, 3), MAT(2, 1)}, {CUBE(2, 2, 1), CUBE(2, 2, 2)}};
    if (k == 3) {
        ad_var x = any(p, ad_mat(2, 2));
        return ad_concat(x, x, 1);
    }
    if (k == 6) {
        ad_var x[2] = {any(p, ad_mat(2, 3)), any(p, ad_mat(2, 3))};
        return ad_stack_dim(x, 2, 2);
    }
    if (k > 3) return record_list(p, k == 5);
    ad_var a = any(p, shape[k][0]), b = any(p, shape[k][1]);
    return ad_concat(a, b, k);
}

static ad_var record_cumsum(problem *p, int k)
{
    ad_var x = any(p, k < 3 ? ad_cube(2, 3, 2) : ad_vec(4));
    return k == 3 ? ad_cumsum_reverse(x, 0) : k == 1 ? ad_cumsum_reverse(x, 1) : ad_cumsum(x, k);
}

/* Windows that overlap, that leave pixels out, that reach over the edge, and one of a single pixel; of two images. */
static const int64_t window[][4] = {{2, 2, 1, 0}, {1, 2, 2, 0}, {2, 3, 2, 1}, {1, 1, 1, 0}, {2, 2, 1, 1}};

static ad_shape image_of(int k) { return k == 3 ? ad_cube(1, 1, 1) : k == 4 ? ad_cube(2, 1, 2) : ad_cube(3, 4, 1); }

static ad_var record_patches(problem *p, int k)
{
    const int64_t *w = window[k < 5 ? k : 0];
    ad_var x = any(p, k == 4 ? (ad_shape){4, {2, 2, 1, 2}} : image_of(k));
    return k == 5 ? ad_avg_pool2d(x, 2, 1) : ad_patches(x, w[0], w[1], w[2], w[3]);
}

static ad_var record_overlap_add(problem *p, int k)
{
    static const ad_shape shape[] = {MAT(6, 4), MAT(4, 2), MAT(4, 6), MAT(1, 1), CUBE(2, 6, 8)};
    const int64_t *w = window[k];
    return ad_overlap_add(any(p, shape[k]), image_of(k), w[0], w[1], w[2], w[3]);
}

/* Of lists and ranges along each dimension, with repetitions and backwards. */
static ad_var record_take(problem *p, int k)
{
    static const int64_t list[] = {2, 0, 2};
    ad_var x = any(p, ad_cube(3, 2, 3));
    return k == 1 ? ad_slice_step(x, 1, 1, 2, -1) : ad_take(x, list, 3, k);
}

static ad_var record_gather(problem *p, int k)
{
    if (k >= 4) return record_take(p, k - 4);
    static const ad_shape shape[][2] = {
        {VEC(4), VEC(5)}, {MAT(3, 2), SCALAR}, {MAT(3, 2), MAT(2, 2)}, {CUBE(3, 2, 2), VEC(2)}};
    ad_var x = any(p, shape[k][0]), index = problem_free_index(p, shape[k][1], (int)shape[k][0].dim[0]);
    return ad_gather(x, index);
}

static ad_var record_scatter_add(problem *p, int k)
{
    static const ad_shape shape[][2] = {
        {VEC(4), VEC(4)}, {VEC(2), SCALAR}, {CUBE(2, 2, 2), MAT(2, 2)}, {CUBE(3, 2, 2), VEC(3)}};
    ad_var g = any(p, shape[k][0]), index = problem_free_index(p, shape[k][1], 3);
    return ad_scatter_add(g, index, 3);
}

/* Over everything, over dimensions at the start, middle and end, and over two that do not touch. */
static ad_var record_reduction(problem *p, int k, ad_var (*reduce)(ad_var, unsigned))
{
    static const unsigned mask[] = {7, 1, 2, 4, 5, 3};
    return reduce(any(p, ad_cube(2, 3, 2)), mask[k]);
}

static ad_var record_sum(problem *p, int k) { return record_reduction(p, k, ad_sum_dims); }
static ad_var record_max_reduce(problem *p, int k) { return record_reduction(p, k, ad_max_reduce_dims); }
static ad_var record_logsumexp(problem *p, int k) { return record_reduction(p, k, ad_logsumexp_dims); }

static const int range[][2] = {{0, 3}, {0, 1}, {1, 1}, {2, 1}, {1, 2}, {0, 2}};

static ad_var record_norm(problem *p, int k)
{
    return ad_sum_range(OP_norm, any(p, ad_cube(2, 3, 2)), range[k][0], range[k][1]);
}

static ad_var record_softmax(problem *p, int k)
{
    return ad_softmax_range(any(p, ad_cube(2, 3, 2)), range[k][0], range[k][1]);
}

/* Every pair of ranks, then with each factor transposed, and a factor with itself. */
static ad_var record_matmul(problem *p, int k)
{
    static const ad_shape shape[][2] = {
        {VEC(3), MAT(3, 2)}, {MAT(2, 3), VEC(3)}, {VEC(3), VEC(3)}, {MAT(2, 3), MAT(3, 2)},
        {CUBE(2, 2, 3), CUBE(2, 3, 2)}, {CUBE(2, 2, 3), MAT(3, 2)}, {MAT(2, 3), CUBE(2, 3, 2)},
        {CUBE(2, 2, 3), VEC(3)}, {VEC(3), CUBE(2, 3, 2)}, {CUBE(1, 2, 3), CUBE(2, 3, 2)}};
    enum { PLAIN = sizeof shape / sizeof shape[0] };
    if (k < PLAIN) {
        ad_var a = any(p, shape[k][0]), b = any(p, shape[k][1]);
        return ad_matmul(a, b);
    }
    ad_var a = any(p, k == PLAIN + 4 ? ad_cube(2, 3, 2) : ad_mat(3, 2));
    if (k == PLAIN + 2) return ad_matmul(ad_transpose(a), a);
    ad_var b = any(p, k == PLAIN ? ad_mat(3, 2) : k == PLAIN + 4 ? ad_cube(2, 4, 3) : ad_mat(4, 3));
    if (k == PLAIN) return ad_matmul(ad_transpose(a), b);
    if (k == PLAIN + 1) return ad_matmul(b, ad_transpose(ad_transpose(a)));
    return ad_matmul(ad_transpose(a), ad_transpose(b));
}

/* A matrix that is far from singular: of distinct, positive eigenvalues, and not symmetric. */
static ad_var regular(problem *p, int64_t n)
{
    double diagonal[16] = {0};
    ad_var x = problem_free(p, ad_mat(n, n), -0.6, 0.6);
    for (int64_t i = 0; i < n; i++) diagonal[i * n + i] = 2.5 + 1.5 * (double)i;
    return ad_add(x, ad_constant_array(p->tape, ad_mat(n, n), diagonal));
}

static ad_var record_cholesky(problem *p, int k) { return ad_cholesky(regular(p, (int[]){3, 1, 2}[k])); }
static ad_var record_log_abs_det(problem *p, int k) { return ad_log_abs_det(regular(p, k ? 1 : 3)); }

static ad_var record_eigen(problem *p, int k)
{
    ad_var A = regular(p, (int[]){2, 1, 3, 3}[k]);
    return k < 3 ? ad_concat(ad_reshape(ad_eigenvalues(A), ad_mat(1, ad_shape_of(A).dim[0])), ad_eigenvectors(A), 0)
                 : ad_eigenvalues(A);
}

/* A vector, a column and columns, of either matrix. */
static ad_var record_system(problem *p, int k, ad_var (*solve)(ad_var, ad_var, int))
{
    static const ad_shape shape[] = {VEC(3), MAT(3, 2), MAT(3, 1)};
    ad_var A = regular(p, 3), B = any(p, shape[k / 2]);
    return solve(A, B, k % 2);
}

static ad_var record_solve(problem *p, int k) { return record_system(p, k, ad_solve); }
static ad_var record_triangular_solve(problem *p, int k) { return record_system(p, k, ad_triangular_solve); }

static ad_var record_user(problem *p, int k)
{
    ad_var v[4];
    const ad_user_op *op = (const ad_user_op *[]){&user_cube, &user_wave, &user_blend, &user_wave}[k];
    for (int i = 0; i < op->arguments; i++) v[i] = k == 3 && i ? v[0] : any(p, ad_vec(USER_SIZE));
    return ad_user(op, v);
}

/* ---- Across samples ---- */

static ad_var record_regroup(problem *p, int k)
{
    return ad_regroup(problem_on(p, p->child, k ? ad_mat(2, 3) : ad_scalar(), LOW, HIGH));
}

static ad_var record_ungroup(problem *p, int k)
{
    ad_shape shape = k ? ad_cube(CHILD_COUNT, 2, 3) : ad_vec(CHILD_COUNT);
    return ad_ungroup(p->child, problem_on(p, p->data, shape, LOW, HIGH));
}

static ad_var record_reduced(problem *p, int k, ad_var (*reduce)(ad_axis, ad_var))
{
    static const ad_shape shape[] = {SCALAR, MAT(2, 3), VEC(2)};
    ad_axis axis = k == 2 ? p->child : p->data;
    return reduce(axis, problem_on(p, axis, shape[k], LOW, HIGH));
}

static ad_var record_batch_sum(problem *p, int k) { return record_reduced(p, k, ad_batch_sum); }
static ad_var record_batch_logsumexp(problem *p, int k) { return record_reduced(p, k, ad_batch_logsumexp); }
static ad_var record_batch_max(problem *p, int k) { return record_reduced(p, k, ad_batch_max); }

static ad_var record_batch_rest(problem *p, int k)
{
    ad_var x = problem_on(p, p->data, k ? ad_vec(2) : ad_scalar(), LOW, HIGH);
    return ad_shift(ad_batch_reduce(OP_batch_rest, p->data.id, x), 1); /* errors are relative */
}

static ad_var record_batch_matmul(problem *p, int k)
{
    static const ad_shape shape[][2] = {{VEC(2), VEC(3)}, {MAT(2, 3), MAT(2, 2)}};
    if (k == 2) {
        ad_var x = problem_on(p, p->data, ad_mat(2, 3), LOW, HIGH);
        return ad_batch_matmul(p->data, x, x);
    }
    ad_var a = problem_on(p, p->data, shape[k][0], LOW, HIGH), b = problem_on(p, p->data, shape[k][1], LOW, HIGH);
    return ad_batch_matmul(p->data, a, b);
}

static ad_var record_batch_gather(problem *p, int k)
{
    ad_axis to = k == 2 ? p->data : p->other;
    ad_var x = problem_on(p, p->data, k ? ad_mat(2, 2) : ad_scalar(), LOW, HIGH);
    return ad_batch_gather(x, problem_index_on(p, to, ad_scalar(), DATA_ROWS));
}

static ad_var record_batch_scatter_add(problem *p, int k)
{
    ad_var g = problem_on(p, p->other, k ? ad_mat(2, 2) : ad_scalar(), LOW, HIGH);
    return ad_batch_scatter_add(p->data, g, problem_index_on(p, p->other, ad_scalar(), DATA_ROWS));
}

/* ---- The table ---- */

static const struct {
    int variants;
    ad_var (*record)(problem *p, int variant);
} recipes[OP_COUNT] = {
    [OP_select] = {3, record_select},
    [OP_variable] = {2, record_variable},
    [OP_lift] = {2, record_lift},
    [OP_expand] = {5, record_expand},
    [OP_reshape] = {3, record_reshape},
    [OP_permute] = {4, record_permute},
    [OP_slice] = {5, record_slice},
    [OP_pad] = {3, record_pad},
    [OP_concat] = {7, record_concat},
    [OP_cumsum] = {4, record_cumsum},
    [OP_patches] = {6, record_patches},
    [OP_overlap_add] = {5, record_overlap_add},
    [OP_gather] = {7, record_gather},
    [OP_scatter_add] = {4, record_scatter_add},
    [OP_sum] = {6, record_sum},
    [OP_max_reduce] = {6, record_max_reduce},
    [OP_logsumexp] = {6, record_logsumexp},
    [OP_norm] = {6, record_norm},
    [OP_softmax] = {6, record_softmax},
    [OP_matmul] = {15, record_matmul},
    [OP_cholesky] = {3, record_cholesky},
    [OP_triangular_solve] = {6, record_triangular_solve},
    [OP_solve] = {6, record_solve},
    [OP_log_abs_det] = {2, record_log_abs_det},
    [OP_eigen] = {4, record_eigen},
    [OP_user] = {4, record_user},
    [OP_scan] = {1, recipe_scan},
    [OP_scan_last] = {1, recipe_scan_last},
    [OP_scan_stack] = {2, recipe_scan_stack},
    [OP_scan_sum] = {2, recipe_scan_sum},
    [OP_regroup] = {2, record_regroup},
    [OP_ungroup] = {2, record_ungroup},
    [OP_batch_sum] = {3, record_batch_sum},
    [OP_batch_logsumexp] = {3, record_batch_logsumexp},
    [OP_batch_rest] = {2, record_batch_rest},
    [OP_batch_max] = {3, record_batch_max},
    [OP_batch_matmul] = {3, record_batch_matmul},
    [OP_batch_gather] = {3, record_batch_gather},
    [OP_batch_scatter_add] = {2, record_batch_scatter_add},
};

int recipe_variants(ad_op op)
{
    if (ad_ops[op].kind == KIND_UNARY) return UNARY_VARIANTS;
    if (ad_ops[op].kind == KIND_BINARY) return BINARY_VARIANTS;
    return recipes[op].variants;
}

ad_var recipe_record(problem *p, ad_op op, int variant)
{
    if (ad_ops[op].kind == KIND_UNARY) return record_unary(p, op, variant);
    if (ad_ops[op].kind == KIND_BINARY) return record_binary(p, op, variant);
    return recipes[op].record ? recipes[op].record(p, variant) : (ad_var){p->tape, -1};
}

bool recipe_reaches(ad_var y, ad_op op)
{
    const ad_node *node = ad_node_of(y);
    if (node->op == op) return true;
    for (int k = 0; k < node->nin; k++)
        if (recipe_reaches(ad_input_of(y, k), op)) return true;
    return false;
}
