/* patches.c — the windows of an image as rows of a matrix, and windows added up where they lie in an image: each is the
 * other's adjoint. A convolution is a product with such a matrix, and so has every derivative that a product has. */
#include "op.h"

/* How many windows fit along a dimension; 0 where none does. */
static int64_t windows(int64_t size, int64_t window, int64_t stride, int64_t padding)
{
    return size + 2 * padding < window ? 0 : (size + 2 * padding - window) / stride + 1;
}

/* The shape of the matrix of an image's windows; false, with the tape's error set, where there is none. w: rows,
 * columns, stride, padding. */
static bool matrix_of(const char *op, ad_tape *tape, const ad_shape *image, const int64_t *w, ad_shape *matrix)
{
    const int64_t *d = image->dim + image->rank - 3;
    bool range = w[2] >= 1 && w[3] >= 0;
    for (int k = 0; k < 4; k++) range &= w[k] <= INT32_MAX / 4;
    if (!range)
        return ad_fail(tape, GIBBS_ARGUMENT, "%s: stride %lld and padding %lld: a stride is at least 1, a padding at "
                       "least 0, and neither of them nor a window is huge",
                       op, (long long)w[2], (long long)w[3]), false;
    int64_t down = windows(d[0], w[0], w[2], w[3]), across = windows(d[1], w[1], w[2], w[3]), area;
    if (w[0] < 1 || w[1] < 1 || !down || !across)
        return ad_fail(tape, GIBBS_SHAPE, "%s: no window of %lld by %lld pixels fits an image of %lld by %lld with a "
                       "padding of %lld", op, (long long)w[0], (long long)w[1], (long long)d[0], (long long)d[1],
                       (long long)w[3]), false;
    if (!gibbs_mul_size(w[0] * w[1], d[2], &area) || area > INT32_MAX || down * across > INT32_MAX)
        return ad_fail(tape, GIBBS_SIZE, "%s: a matrix of windows has more than 2^31-1 rows or columns", op), false;
    *matrix = ad_shape_drop(image, image->rank - 3, 3);
    matrix->dim[matrix->rank++] = down * across;
    matrix->dim[matrix->rank++] = area;
    return true;
}

static ad_node proto(ad_op op, ad_var x, ad_shape shape, const int64_t *w)
{
    ad_node node = ad_proto(op, &x, 1, shape);
    for (int k = 0; k < 4; k++) node.attr[k] = (int32_t)w[k];
    return node;
}

static ad_var patches(ad_var x, const int64_t *w)
{
    ad_tape *tape;
    ad_shape matrix;
    if (!ad_check_args("patches", &x, 1, &tape)) return ad_handle(tape, -1);
    ad_shape s = ad_node_of(x)->shape;
    if (s.rank < 3)
        return ad_fail(tape, GIBBS_SHAPE, "patches: needs an image [height,width,channels], got %d dimensions; "
                       "ad_reshape gives it a last one of 1", s.rank);
    if (!matrix_of("patches", tape, &s, w, &matrix)) return ad_handle(tape, -1);
    if (ad_is_zero(x)) return ad_fill(tape, ad_node_of(x)->axis, matrix, 0);
    ad_node node = proto(OP_patches, x, matrix, w);
    return ad_hoist(tape, &node);
}

static ad_var overlap_add(ad_var g, const ad_shape *image, const int64_t *w)
{
    ad_tape *tape;
    ad_shape matrix;
    char a[AD_SHAPE_TEXT], b[AD_SHAPE_TEXT];
    if (!ad_check_args("overlap_add", &g, 1, &tape)) return ad_handle(tape, -1);
    ad_shape s = ad_node_of(g)->shape, whole = s;
    if (image->rank != 3 || ad_shape_count(image) < 0 || s.rank < 2 || s.rank >= AD_MAX_RANK)
        return ad_fail(tape, GIBBS_SHAPE, "overlap_add: needs windows [.., number, size] and an image "
                       "[height,width,channels]");
    whole.rank = s.rank + 1;
    for (int i = 0; i < 3; i++) whole.dim[s.rank - 2 + i] = image->dim[i];
    if (!matrix_of("overlap_add", tape, &whole, w, &matrix)) return ad_handle(tape, -1);
    if (!ad_shape_equal(&s, &matrix))
        return ad_fail(tape, GIBBS_SHAPE, "overlap_add: %s are not the windows of such an image, %s",
                       ad_shape_text(&s, a, sizeof a), ad_shape_text(&matrix, b, sizeof b));
    if (ad_is_zero(g)) return ad_fill(tape, ad_node_of(g)->axis, whole, 0);
    ad_node node = proto(OP_overlap_add, g, whole, w);
    return ad_hoist(tape, &node);
}

ad_var ad_patches(ad_var x, int64_t rows, int64_t cols, int64_t stride, int64_t padding)
{
    return patches(x, (int64_t[]){rows, cols, stride, padding});
}

ad_var ad_overlap_add(ad_var g, ad_shape image, int64_t rows, int64_t cols, int64_t stride, int64_t padding)
{
    return overlap_add(g, &image, (int64_t[]){rows, cols, stride, padding});
}

/* ---- What is made of them ---- */

/* Images [s…,H,W,C] and the rank of w: false, with the tape's error set, for what is neither. */
static bool check_images(const char *op, ad_var x, const ad_shape *w)
{
    char a[AD_SHAPE_TEXT], b[AD_SHAPE_TEXT];
    ad_shape s = ad_node_of(x)->shape;
    if (s.rank >= 3 && (!w || (w->rank == 4 && w->dim[2] == s.dim[s.rank - 1]))) return true;
    ad_shape_text(&s, a, sizeof a);
    if (w) ad_fail(x.tape, GIBBS_SHAPE, "%s: needs images [H,W,C] and w [h,w,C,K], got %s and %s", op, a,
                   ad_shape_text(w, b, sizeof b));
    else ad_fail(x.tape, GIBBS_SHAPE, "%s: needs images [H,W,C], got %s", op, a);
    return false;
}

/* [s…, H'·W', K] → [s…, H', W', K]. */
static ad_var as_images(ad_var rows, const ad_shape *image, const int64_t *w, int64_t channels)
{
    ad_shape to = *image;
    to.dim[to.rank - 3] = windows(image->dim[to.rank - 3], w[0], w[2], w[3]);
    to.dim[to.rank - 2] = windows(image->dim[to.rank - 2], w[1], w[2], w[3]);
    to.dim[to.rank - 1] = channels;
    return ad_reshape(rows, to);
}

ad_var ad_conv2d(ad_var x, ad_var w, int64_t stride, int64_t padding)
{
    ad_tape *tape;
    if (!ad_check_args("conv2d", (ad_var[]){x, w}, 2, &tape)) return ad_handle(tape, -1);
    ad_shape image = ad_node_of(x)->shape, k = ad_node_of(w)->shape;
    if (!check_images("conv2d", x, &k)) return ad_handle(tape, -1);
    const int64_t window[] = {k.dim[0], k.dim[1], stride, padding};
    ad_var matrix = patches(x, window);
    if (ad_is_null(matrix)) return matrix;
    int64_t area = ad_shape_part(&k, 0, 3), count = ad_count(matrix) / area;
    ad_var rows = ad_matmul(ad_reshape(matrix, ad_mat(count, area)), ad_reshape(w, ad_mat(area, k.dim[3])));
    return ad_is_null(rows) ? rows : as_images(rows, &image, window, k.dim[3]);
}

ad_var ad_avg_pool2d(ad_var x, int64_t size, int64_t stride)
{
    ad_tape *tape;
    if (!ad_check_args("avg_pool2d", &x, 1, &tape) || !check_images("avg_pool2d", x, NULL)) return ad_handle(tape, -1);
    ad_shape image = ad_node_of(x)->shape;
    const int64_t window[] = {size, size, stride, 0}, channels = image.dim[image.rank - 1];
    ad_var matrix = patches(x, window);
    if (ad_is_null(matrix)) return matrix;
    ad_shape each = ad_cube(ad_count(matrix) / (size * size * channels), size * size, channels);
    ad_var sums = ad_sum_range(OP_sum, ad_reshape(matrix, each), 1, 1);
    return as_images(ad_scale(sums, 1 / (double)(size * size)), &image, window, channels);
}

/* ---- Rules ---- */

static void window_of(const ad_node *node, int64_t *w)
{
    for (int k = 0; k < 4; k++) w[k] = node->attr[k];
}

static ad_shape image_of(const ad_shape *s) { return ad_shape_drop(s, 0, s->rank - 3); }

static ad_var patches_again(const ad_node *node, const ad_var *in)
{
    int64_t w[4];
    window_of(node, w);
    return patches(in[0], w);
}

static ad_var overlap_again(const ad_node *node, const ad_var *in)
{
    int64_t w[4];
    ad_shape image = image_of(&node->shape);
    window_of(node, w);
    return overlap_add(in[0], &image, w);
}

static ad_var patches_adjoint(const ad_call *c, ad_var ybar, int which)
{
    int64_t w[4];
    ad_shape image = ad_node_of(ad_arg(c, which))->shape;
    image = image_of(&image);
    window_of(&c->node, w);
    return overlap_add(ybar, &image, w);
}

static ad_var overlap_adjoint(const ad_call *c, ad_var ybar, int which)
{
    (void)which;
    return patches_again(&c->node, &ybar);
}

static ad_var patches_tangent(const ad_call *c, ad_var t, int which, int64_t D)
{
    (void)which, (void)D;
    return patches_again(&c->node, &t);
}

static ad_var overlap_tangent(const ad_call *c, ad_var t, int which, int64_t D)
{
    (void)which, (void)D;
    return overlap_again(&c->node, &t);
}

const ad_structure ad_structure_patches = {
    .picks = true, .again = patches_again, .adjoint = patches_adjoint, .tangent = patches_tangent,
};
const ad_structure ad_structure_overlap_add = {
    .again = overlap_again, .adjoint = overlap_adjoint, .tangent = overlap_tangent,
};
