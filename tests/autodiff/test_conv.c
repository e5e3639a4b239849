/* ad_conv2d and ad_avg_pool2d against plain loops, with their gradients by x and by w, in both number types: strides,
 * paddings, images that are not square, one pixel, shared weights and one's own, panels that are cut. Derivatives of
 * higher order are in the recipes of patches and overlap_add, errors in test_errors.c. */
#include "plan_helpers.h"

#include "autodiff/plan/plan.h"

enum { ROWS = 5 };

typedef struct layer {
    int H, W, C, h, w, K, stride, padding;
} layer;

static const layer layers[] = {
    {1, 1, 1, 1, 1, 1, 1, 0}, {5, 4, 3, 3, 3, 2, 1, 1}, {6, 7, 1, 3, 2, 4, 2, 0}, {4, 4, 2, 2, 2, 3, 3, 2},
    {7, 3, 5, 1, 1, 6, 1, 0}, {9, 9, 4, 5, 5, 8, 2, 2}, {1, 12, 2, 1, 4, 3, 1, 0}, {28, 28, 16, 3, 3, 32, 1, 1},
    {3, 3, 2, 1, 2, 2, 2, 0},
};

static int down(const layer *l) { return (l->H + 2 * l->padding - l->h) / l->stride + 1; }
static int across(const layer *l) { return (l->W + 2 * l->padding - l->w) / l->stride + 1; }

/* Σ u·y and its gradients, added to dx and dw, for one image; y too. */
static void plain(const layer *l, const double *x, const double *w, const double *u, double *y, double *dx, double *dw)
{
    for (int p = 0; p < down(l); p++)
        for (int q = 0; q < across(l); q++)
            for (int i = 0; i < l->h; i++)
                for (int j = 0; j < l->w; j++) {
                    int r = p * l->stride + i - l->padding, s = q * l->stride + j - l->padding;
                    if (r < 0 || r >= l->H || s < 0 || s >= l->W) continue;
                    for (int c = 0; c < l->C; c++)
                        for (int k = 0; k < l->K; k++) {
                            int to = (p * across(l) + q) * l->K + k, from = (r * l->W + s) * l->C + c;
                            int weight = ((i * l->w + j) * l->C + c) * l->K + k;
                            y[to] += x[from] * w[weight];
                            dx[from] += u[to] * w[weight];
                            dw[weight] += u[to] * x[from];
                        }
                }
}

static void check_layer(const layer *l, gibbs_dtype dtype, bool own, int64_t block)
{
    int image = l->H * l->W * l->C, weights = l->h * l->w * l->C * l->K, out = down(l) * across(l) * l->K;
    ad_tape *t = ad_tape_new(dtype, NULL);
    ad_axis data = ad_axis_new(t, "data");
    const ad_shape shape = {4, {l->h, l->w, l->C, l->K}};
    ad_var x = ad_input(data, "x", ad_cube(l->H, l->W, l->C)), u = ad_input(data, "u", ad_vec(out)), g[2];
    ad_var w = own ? ad_input(data, "w", shape) : ad_parameter(t, "w", shape);
    ad_var y = ad_conv2d(x, w, l->stride, l->padding), loss = ad_dot(ad_reshape(y, ad_vec(out)), u);
    ad_grad(loss, (ad_var[]){x, w}, 2, g);
    cr_assert_eq(ad_tape_status(t), GIBBS_OK, "%s", ad_tape_message(t));
    ad_shape got = ad_shape_of(y), want = ad_cube(down(l), across(l), l->K);
    cr_expect(ad_shape_equal(&got, &want));
    runner r = runner_new((ad_var[]){y, g[0], g[1]}, 3, block);
    double *px = random_numbers(ROWS * image, 1), *pw = random_numbers(ROWS * weights, 2);
    double *pu = random_numbers(ROWS * out, 3), *py = calloc((size_t)(ROWS * out), sizeof *py);
    double *dx = calloc((size_t)(ROWS * image), sizeof *dx), *dw = calloc((size_t)(ROWS * weights), sizeof *dw);
    for (int n = 0; n < ROWS; n++)
        plain(l, px + n * image, pw + (own ? n * weights : 0), pu + n * out, py + n * out, dx + n * image,
              dw + (own ? n * weights : 0));
    void *mx = in_type(dtype, px, ROWS * image), *mw = in_type(dtype, pw, (own ? ROWS : 1) * weights);
    void *mu = in_type(dtype, pu, ROWS * out);
    bind(r, x, mx), bind(r, w, mw), bind(r, u, mu);
    set_rows(r, data, ROWS);
    run(r);
    double tolerance = dtype == GIBBS_FLOAT32 ? 5e-6 : 1e-13;
    expect_close(r, 0, dtype, py, ROWS * out, tolerance, "y");
    expect_close(r, 1, dtype, dx, ROWS * image, tolerance, "by x");
    expect_close(r, 2, dtype, dw, (own ? ROWS : 1) * weights, tolerance, "by w");
    free(px), free(pw), free(pu), free(py), free(dx), free(dw), free(mx), free(mw), free(mu);
    runner_free(r);
    ad_tape_free(t);
}

Test(conv, as_plain_loops)
{
    for (int k = 0; k < LENGTH(layers); k++)
        for (int type = 0; type < 2; type++)
            for (int own = 0; own < 2; own++) {
                check_layer(&layers[k], type ? GIBBS_FLOAT32 : GIBBS_FLOAT64, own, 0);
                check_layer(&layers[k], type ? GIBBS_FLOAT32 : GIBBS_FLOAT64, own, 1);
            }
}

/* Pooling is a convolution with weights that are all alike, a channel at a time. */
Test(conv, means_of_windows)
{
    static const struct { int H, W, C, size, stride; } pools[] = {
        {1, 1, 1, 1, 1}, {4, 6, 3, 2, 2}, {5, 5, 2, 2, 2}, {5, 4, 1, 3, 1}, {7, 7, 2, 2, 3}};
    for (int k = 0; k < LENGTH(pools); k++) {
        int H = pools[k].H, W = pools[k].W, C = pools[k].C, size = pools[k].size, step = pools[k].stride;
        int P = (H - size) / step + 1, Q = (W - size) / step + 1;
        double wanted[200] = {0}, *x = random_numbers(H * W * C, 4);
        for (int e = 0; e < P * Q * C; e++)
            for (int i = 0; i < size * size; i++)
                wanted[e] += x[((e / C / Q * step + i / size) * W + e / C % Q * step + i % size) * C + e % C] /
                             (size * size);
        ad_tape *t = ad_tape_new(GIBBS_FLOAT64, NULL);
        ad_var v = ad_parameter(t, "x", ad_cube(H, W, C)), y = ad_avg_pool2d(v, size, step);
        ad_shape got = ad_shape_of(y), want = ad_cube(P, Q, C);
        cr_assert(ad_shape_equal(&got, &want), "%s", ad_tape_message(t));
        runner r = runner_new(&y, 1, 0);
        bind(r, v, x);
        run(r);
        expect_close(r, 0, GIBBS_FLOAT64, wanted, P * Q * C, 1e-14, "mean");
        free(x);
        runner_free(r);
        ad_tape_free(t);
    }
}

/* Images with dimensions in front are so many images. */
Test(conv, lists_of_images)
{
    ad_tape *t = ad_tape_new(GIBBS_FLOAT64, NULL);
    ad_var x = ad_parameter(t, "x", (ad_shape){5, {2, 3, 5, 4, 2}});
    ad_var w = ad_parameter(t, "w", (ad_shape){4, {2, 2, 2, 3}});
    ad_var one = ad_conv2d(ad_reshape(ad_slice(ad_slice(x, 0, 1, 1), 1, 2, 1), ad_cube(5, 4, 2)), w, 1, 1);
    ad_var y = ad_conv2d(x, w, 1, 1), pool = ad_avg_pool2d(x, 2, 2);
    ad_shape s = ad_shape_of(y), p = ad_shape_of(pool), ys = {5, {2, 3, 6, 5, 3}}, ps = {5, {2, 3, 2, 2, 2}};
    cr_assert(ad_shape_equal(&s, &ys) && ad_shape_equal(&p, &ps), "%s", ad_tape_message(t));
    double *px = random_numbers(240, 1), *pw = random_numbers(24, 2);
    runner r = runner_new((ad_var[]){y, one, pool}, 3, 0);
    bind(r, x, px), bind(r, w, pw);
    run(r);
    for (int i = 0; i < 90; i++) cr_expect_float_eq(ad_result_f64(r.w, 0)[450 + i], ad_result_f64(r.w, 1)[i], 1e-14);
    free(px), free(pw);
    runner_free(r);
    ad_tape_free(t);
}

/* ---- What a plan makes of it ---- */

static int count_actions(const ad_plan *plan, ad_action action)
{
    int count = 0;
    for (int64_t s = 0; s < plan->stages; s++)
        for (int64_t k = 0; k < plan->stage[s].body.count; k++) count += plan->stage[s].body.at[k].action == action;
    return count;
}

/* The windows of a layer are nowhere as a whole, neither in its value nor in its gradients: 28 × 28 × 144 numbers a
 * sample. Its bias is what the product starts from, and an output is written where it is read. */
Test(conv, windows_are_never_there_as_a_whole)
{
    ad_tape *t = ad_tape_new(GIBBS_FLOAT64, NULL);
    ad_axis data = ad_axis_new(t, "data");
    ad_var x = ad_input(data, "x", ad_cube(28, 28, 16)), b = ad_parameter(t, "b", ad_vec(32)), g[3];
    ad_var w = ad_parameter(t, "w", (ad_shape){4, {3, 3, 16, 32}}), y = ad_conv2d(x, w, 1, 1);
    ad_var loss = ad_sum(ad_tanh(ad_add(y, b)));
    ad_grad(loss, (ad_var[]){x, w, b}, 3, g);
    runner r = runner_new((ad_var[]){loss, g[0], g[1]}, 3, 0);
    cr_expect_eq(count_actions(r.plan, DO_patches) + count_actions(r.plan, DO_overlap), 0);
    cr_expect_eq(count_actions(r.plan, DO_window_matmul), 1);
    cr_expect_eq(count_actions(r.plan, DO_window_batch), 1);
    cr_expect_eq(count_actions(r.plan, DO_matmul_overlap), 1);
    cr_expect_eq(count_actions(r.plan, DO_copy) + count_actions(r.plan, DO_matmul), 0);
    cr_expect_lt(ad_plan_describe(r.plan).bytes_per_row, 28 * 28 * 144 * 8);
    runner_free(r);
    r = runner_new(&y, 1, 0);
    cr_expect_eq(ad_plan_describe(r.plan).bytes_per_row, 0);
    runner_free(r);
    r = runner_new((ad_var[]){y, ad_sum(ad_square(ad_patches(x, 3, 3, 1, 1)))}, 2, 0);
    cr_expect_eq(count_actions(r.plan, DO_patches), 1, "the control: a square reads them");
    cr_expect_eq(count_actions(r.plan, DO_matmul), 1);
    runner_free(r);
    ad_tape_free(t);
}

/* A convolution is a product, so its curvature is known: the diagonal of the Hessian of a small network by an image. */
Test(conv, hessian_diagonal)
{
    enum { D = 64 };
    ad_tape *t = ad_tape_new(GIBBS_FLOAT64, NULL);
    ad_axis data = ad_axis_new(t, "data");
    ad_var x = ad_input(data, "x", ad_vec(D)), w = ad_parameter(t, "w", (ad_shape){4, {3, 3, 1, 4}});
    ad_var h = ad_softplus(ad_conv2d(ad_reshape(x, ad_cube(8, 8, 1)), w, 1, 1)), dw;
    ad_var E = ad_sum(ad_square(ad_avg_pool2d(ad_tanh(h), 2, 2))), diagonal = ad_hess_diag(E, x);
    cr_assert_eq(ad_grad(ad_batch_sum(data, ad_sum(diagonal)), &w, 1, &dw), GIBBS_OK, "%s", ad_tape_message(t));
    runner r = runner_new((ad_var[]){diagonal, ad_hessian(E, &x, 1), dw}, 3, 0);
    double *px = random_numbers(ROWS * D, 1), *pw = random_numbers(36, 2);
    bind(r, x, px), bind(r, w, pw), set_rows(r, data, ROWS), run(r);
    for (int i = 0; i < ROWS * D; i++)
        cr_expect_float_eq(ad_result_f64(r.w, 0)[i], ad_result_f64(r.w, 1)[i * D + i % D], 1e-12);
    cr_expect(isfinite(ad_result_f64(r.w, 2)[0]) && ad_result_f64(r.w, 2)[0] != 0);
    free(px), free(pw);
    runner_free(r);
    ad_tape_free(t);
}
