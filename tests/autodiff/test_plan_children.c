/* Child axes: K negatives for each sample, and children of children, against plain C loops. */
#include "plan_helpers.h"

enum { D = 3, K = 4, L = 2, ROWS = 203 };

/* A contrastive loss: s_k = x·y_k, weights softmax over the K negatives of one sample. */
typedef struct contrastive {
    ad_tape *tape;
    ad_axis data, negatives;
    ad_var x, y, out[5];
} contrastive;

static contrastive record(gibbs_dtype dtype)
{
    contrastive c = {.tape = ad_tape_new(dtype, NULL)};
    c.data = ad_axis_new(c.tape, "data");
    c.negatives = ad_axis_child(c.data, K, "negatives");
    c.x = ad_input(c.data, "x", ad_vec(D));
    c.y = ad_input(c.negatives, "y", ad_vec(D));
    ad_var each = ad_ungroup(c.negatives, ad_expand(ad_reshape(c.x, ad_mat(1, D)), ad_mat(K, D)));
    ad_var s = ad_dot(each, ad_tanh(c.y)), grouped = ad_regroup(s);
    c.out[0] = s;
    c.out[1] = ad_softmax(grouped);
    c.out[2] = ad_batch_mean(c.data, ad_logsumexp(grouped));
    ad_grad(c.out[2], (ad_var[]){c.x, c.y}, 2, &c.out[3]);
    return c;
}

static void reference(const double *x, const double *y, double *s, double *w, double *loss, double *dx, double *dy)
{
    *loss = 0;
    memset(dx, 0, ROWS * D * sizeof *dx);
    for (int n = 0; n < ROWS; n++) {
        double z = 0;
        for (int k = n * K; k < (n + 1) * K; k++) {
            s[k] = 0;
            for (int i = 0; i < D; i++) s[k] += x[n * D + i] * tanh(y[k * D + i]);
            z += w[k] = exp(s[k]);
        }
        *loss += log(z) / ROWS;
        for (int k = n * K; k < (n + 1) * K; k++) w[k] /= z;
        for (int k = n * K * D; k < (n + 1) * K * D; k++) {
            double v = tanh(y[k]);
            dx[n * D + k % D] += w[k / D] * v / ROWS;
            dy[k] = w[k / D] * x[n * D + k % D] * (1 - v * v) / ROWS;
        }
    }
}

static void check_contrastive(gibbs_dtype dtype, int64_t block_bytes)
{
    static const char *const name[5] = {"s", "softmax", "loss", "dx", "dy"};
    const int64_t count[5] = {ROWS * K, ROWS * K, 1, ROWS * D, ROWS * K * D};
    contrastive c = record(dtype);
    runner r = runner_new(c.out, 5, block_bytes);
    double *x = random_numbers(ROWS * D, 1), *y = random_numbers(ROWS * K * D, 2), *expected[5];
    for (int k = 0; k < 5; k++) expected[k] = malloc((size_t)count[k] * sizeof(double));
    void *fx = in_type(dtype, x, ROWS * D), *fy = in_type(dtype, y, ROWS * K * D);
    reference(x, y, expected[0], expected[1], expected[2], expected[3], expected[4]);
    bind(r, c.x, fx), bind(r, c.y, fy), set_rows(r, c.data, ROWS);
    run(r);
    for (int k = 0; k < 5; k++)
        expect_close(r, k, dtype, expected[k], count[k], dtype == GIBBS_FLOAT32 ? 2e-6 : 1e-14, name[k]);
    for (int k = 0; k < 5; k++) free(expected[k]);
    free(x), free(y), free(fx), free(fy);
    runner_free(r);
    ad_tape_free(c.tape);
}

Test(plan_children, contrastive)
{
    static const int64_t bytes[] = {0, 1, 500, 3000};
    for (int k = 0; k < LENGTH(bytes); k++) {
        check_contrastive(GIBBS_FLOAT64, bytes[k]);
        check_contrastive(GIBBS_FLOAT32, bytes[k]);
    }
}

/* Regroup puts the K·L grandchildren of a sample into [K, L, s], in order; ungroup undoes it. */
Test(plan_children, grandchildren)
{
    ad_tape *t = ad_tape_new(GIBBS_FLOAT64, NULL);
    ad_axis data = ad_axis_new(t, "data"), child = ad_axis_child(data, K, "child"),
            grand = ad_axis_child(child, L, "grand");
    ad_var x = ad_input(grand, "x", ad_vec(D)), square = ad_square(x);
    ad_var sample = ad_regroup(ad_regroup(square)); /* [K, L, D] */
    ad_var turned = ad_permute(sample, (int[]){1, 0, 2});
    ad_var again = ad_ungroup(grand, ad_ungroup(child, ad_permute(ad_neg(turned), (int[]){1, 0, 2})));
    ad_var out[5] = {sample, turned, again, ad_batch_count(grand), ad_batch_sum(grand, square)};
    runner r = runner_new(out, 5, 1);
    enum { EACH = K * L * D };
    double *px = random_numbers(ROWS * EACH, 1), sum[D] = {0};
    bind(r, x, px), set_rows(r, data, ROWS);
    run(r);
    for (int n = 0; n < ROWS * EACH; n++) {
        int row = n / EACH, k = n / (L * D) % K, l = n / D % L, i = n % D;
        sum[i] += px[n] * px[n];
        cr_assert_eq(ad_result_f64(r.w, 0)[n], px[n] * px[n]);
        cr_assert_eq(ad_result_f64(r.w, 1)[row * EACH + (l * K + k) * D + i], px[n] * px[n]);
        cr_assert_eq(ad_result_f64(r.w, 2)[n], -px[n] * px[n]);
    }
    cr_assert_eq(ad_result_scalar(r.w, 3), ROWS * K * L);
    expect_close(r, 4, GIBBS_FLOAT64, sum, D, 1e-13, "sum");
    runner_free(r);
    ad_tape_free(t);
    free(px);
}

/* One value for a sample is the same for its children: a view with stride 0 that the ungroup must read through. */
Test(plan_children, what_all_children_share)
{
    ad_tape *t = ad_tape_new(GIBBS_FLOAT64, NULL);
    ad_axis data = ad_axis_new(t, "data"), child = ad_axis_child(data, K, "child"),
            only = ad_axis_child(data, 1, "only");
    ad_var x = ad_input(data, "x", ad_vec(D)), w = ad_parameter(t, "w", ad_mat(K, D));
    ad_var spread = ad_ungroup(child, ad_expand(ad_reshape(x, ad_mat(1, D)), ad_mat(K, D)));
    ad_var rows = ad_ungroup(child, w), single = ad_ungroup(only, ad_reshape(ad_tanh(x), ad_mat(1, D)));
    ad_var out[4] = {ad_mul(spread, rows), rows, single, ad_sum(ad_mul(ad_regroup(single), ad_regroup(single)))};
    runner r = runner_new(out, 4, 256);
    double *px = random_numbers(ROWS * D, 1), *pw = random_numbers(K * D, 2);
    bind(r, x, px), bind(r, w, pw), set_rows(r, data, ROWS);
    run(r);
    for (int n = 0; n < ROWS * K * D; n++) {
        cr_assert_eq(ad_result_f64(r.w, 0)[n], px[n / (K * D) * D + n % D] * pw[n % (K * D)]);
        cr_assert_eq(ad_result_f64(r.w, 1)[n], pw[n % (K * D)]);
    }
    for (int n = 0; n < ROWS * D; n++) cr_assert_float_eq(ad_result_f64(r.w, 2)[n], tanh(px[n]), 1e-15);
    for (int n = 0; n < ROWS; n++) {
        double sum = 0;
        for (int i = 0; i < D; i++) sum += tanh(px[n * D + i]) * tanh(px[n * D + i]);
        cr_assert_float_eq(ad_result_f64(r.w, 3)[n], sum, 1e-15);
    }
    runner_free(r);
    ad_tape_free(t);
    free(px), free(pw);
}

/* A gather from one child axis into another of the same root, where table and index have their own factors. */
Test(plan_children, gather_between_children)
{
    ad_tape *t = ad_tape_new(GIBBS_FLOAT64, NULL);
    ad_axis data = ad_axis_new(t, "data"), from = ad_axis_child(data, K, "from"), to = ad_axis_child(data, L, "to");
    ad_var x = ad_input(from, "x", ad_vec(D)), at = ad_input(to, "at", ad_scalar());
    ad_var row = ad_batch_gather(ad_sin(x), at), out[2] = {row, ad_batch_scatter_add(from, row, at)};
    runner r = runner_new(out, 2, 1);
    double *px = random_numbers(ROWS * K * D, 1), index[ROWS * L], *back = calloc(ROWS * K * D, sizeof *back);
    for (int n = 0; n < ROWS * L; n++) index[n] = (n * 13 + 5) % (ROWS * K);
    for (int n = 0; n < ROWS * L * D; n++)
        back[(int)index[n / D] * D + n % D] += sin(px[(int)index[n / D] * D + n % D]);
    bind(r, x, px), bind(r, at, index), set_rows(r, data, ROWS);
    run(r);
    for (int n = 0; n < ROWS * L * D; n++)
        cr_assert_float_eq(ad_result_f64(r.w, 0)[n], sin(px[(int)index[n / D] * D + n % D]), 1e-15);
    expect_close(r, 1, GIBBS_FLOAT64, back, ROWS * K * D, 1e-15, "scattered");
    runner_free(r);
    ad_tape_free(t);
    free(px), free(back);
}
