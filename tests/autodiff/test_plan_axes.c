/* Plans over several batch axes and several passes, against plain C loops. */
#include "plan_helpers.h"

enum { D = 3, DATA = 37, NOISE = 101 };

static double logit(const double *x, const double *theta)
{
    double s = 0;
    for (int i = 0; i < D; i++) s += x[i] * theta[i];
    return s + 0.5 * s * s;
}

/* log σ(±u), and its derivative by u. */
static double log_sigmoid(double u) { return -log1p(exp(-u)); }
static double slope_of(double u) { return 1 / (1 + exp(u)); }

static void add_sample(const double *x, const double *theta, int sign, double weight, double *loss, double *dtheta)
{
    double s = 0, u = logit(x, theta);
    for (int i = 0; i < D; i++) s += x[i] * theta[i];
    *loss += weight * log_sigmoid(sign * u);
    for (int i = 0; i < D; i++) dtheta[i] += weight * sign * slope_of(sign * u) * (1 + s) * x[i];
}

static ad_var record_logit(ad_var x, ad_var theta)
{
    ad_var s = ad_dot(x, theta);
    return ad_add(s, ad_scale(ad_square(s), 0.5));
}

/* mean over data of log σ(u(x)) + mean over noise of log σ(−u(y)): two axes of different sizes. */
Test(plan_axes, two_axes_like_nce)
{
    ad_tape *t = ad_tape_new(GIBBS_FLOAT64, NULL);
    ad_axis data = ad_axis_new(t, "data"), noise = ad_axis_new(t, "noise");
    ad_var x = ad_input(data, "x", ad_vec(D)), y = ad_input(noise, "y", ad_vec(D)),
           theta = ad_parameter(t, "θ", ad_vec(D));
    ad_var ux = record_logit(x, theta), uy = record_logit(y, theta), out[2];
    out[0] = ad_sub(ad_neg(ad_batch_mean(data, ad_softplus(ad_neg(ux)))), ad_batch_mean(noise, ad_softplus(uy)));
    ad_grad(out[0], &theta, 1, &out[1]);
    runner r = runner_new(out, 2, 0);
    cr_assert_eq(ad_plan_describe(r.plan).stages, 2);
    double *px = random_numbers(DATA * D, 1), *py = random_numbers(NOISE * D, 2), *pt = random_numbers(D, 3);
    double loss = 0, dtheta[D] = {0};
    for (int n = 0; n < DATA; n++) add_sample(px + n * D, pt, 1, 1.0 / DATA, &loss, dtheta);
    for (int n = 0; n < NOISE; n++) add_sample(py + n * D, pt, -1, 1.0 / NOISE, &loss, dtheta);
    bind(r, x, px), bind(r, y, py), bind(r, theta, pt);
    set_rows(r, data, DATA), set_rows(r, noise, NOISE);
    run(r);
    expect_close(r, 0, GIBBS_FLOAT64, &loss, 1, 1e-13, "loss");
    expect_close(r, 1, GIBBS_FLOAT64, dtheta, D, 1e-13, "dθ");
    runner_free(r);
    ad_tape_free(t);
    free(px), free(py), free(pt);
}

/* Self-normalised weights need log Σ exp of a first pass in a second one. */
Test(plan_axes, two_stages)
{
    ad_tape *t = ad_tape_new(GIBBS_FLOAT64, NULL);
    ad_axis data = ad_axis_new(t, "data");
    ad_var x = ad_input(data, "x", ad_vec(D)), theta = ad_parameter(t, "θ", ad_vec(D));
    ad_var u = record_logit(x, theta), weight = ad_exp(ad_sub(u, ad_batch_logsumexp(data, u)));
    ad_var out[3] = {weight, ad_batch_sum(data, weight), ad_batch_sum(data, ad_mul(weight, x))};
    enum { ROWS = 5000 };
    runner r = runner_new(out, 3, 0);
    cr_assert_eq(ad_plan_describe(r.plan).stages, 2);
    double *px = random_numbers(ROWS * D, 1), *pt = random_numbers(D, 3), *w = malloc(ROWS * sizeof *w), z = 0;
    double mean[D] = {0}, one = 1;
    for (int n = 0; n < ROWS; n++) z += w[n] = exp(logit(px + n * D, pt));
    for (int n = 0; n < ROWS; n++) w[n] /= z;
    for (int n = 0; n < ROWS * D; n++) mean[n % D] += w[n / D] * px[n];
    bind(r, x, px), bind(r, theta, pt), set_rows(r, data, ROWS);
    run(r);
    expect_close(r, 0, GIBBS_FLOAT64, w, ROWS, 1e-12, "weights");
    expect_close(r, 1, GIBBS_FLOAT64, &one, 1, 1e-13, "their sum");
    expect_close(r, 2, GIBBS_FLOAT64, mean, D, 1e-12, "weighted mean");
    runner_free(r);
    ad_tape_free(t);
    free(px), free(pt), free(w);
}

/* f of the first axis, g of the second; a chain of sums in which each needs the one before, alternating between
 * the axes, and the same chain begun on the other axis: stages by level would be cyclic (head of stages.c). */
static void chain_reference(const double *first, int m, const double *second, int n, int depth, double *value)
{
    *value = 1;
    for (int k = 0; k < depth; k++) {
        const double *x = k % 2 ? second : first;
        double sum = 0;
        for (int i = 0; i < (k % 2 ? n : m); i++) sum += tanh(x[i] * *value + k);
        *value = sum / (k % 2 ? n : m);
    }
}

static ad_var chain(ad_axis a, ad_var x, ad_axis b, ad_var y, int depth)
{
    ad_var value = ad_constant(x.tape, 1);
    for (int k = 0; k < depth; k++)
        value = ad_batch_mean(k % 2 ? b : a, ad_tanh(ad_shift(ad_mul(k % 2 ? y : x, value), k)));
    return value;
}

Test(plan_axes, sums_that_need_each_other_crosswise)
{
    ad_tape *t = ad_tape_new(GIBBS_FLOAT64, NULL);
    ad_axis a = ad_axis_new(t, "a"), b = ad_axis_new(t, "b");
    ad_var x = ad_input(a, "x", ad_scalar()), y = ad_input(b, "y", ad_scalar()), out[10];
    double *px = random_numbers(DATA, 1), *py = random_numbers(NOISE, 2);
    for (int k = 0; k < 5; k++) {
        out[2 * k] = chain(a, x, b, y, k + 1);
        out[2 * k + 1] = chain(b, y, a, x, k + 1);
    }
    runner r = runner_new(out, 10, 64);
    bind(r, x, px), bind(r, y, py), set_rows(r, a, DATA), set_rows(r, b, NOISE);
    run(r);
    for (int k = 0; k < 10; k++) {
        double value;
        if (k % 2) chain_reference(py, NOISE, px, DATA, k / 2 + 1, &value);
        else chain_reference(px, DATA, py, NOISE, k / 2 + 1, &value);
        expect_close(r, k, GIBBS_FLOAT64, &value, 1, 1e-13, "chain");
    }
    cr_assert_leq(ad_plan_describe(r.plan).stages, 10, "reductions that are ready share a pass");
    runner_free(r);
    ad_tape_free(t);
    free(px), free(py);
}

/* ---- Across axes by index ---- */

/* Rows of a computed table on A, read for each sample of B; the gradient comes back as a scatter. */
Test(plan_axes, gather_and_scatter)
{
    ad_tape *t = ad_tape_new(GIBBS_FLOAT64, NULL);
    ad_axis a = ad_axis_new(t, "words"), b = ad_axis_new(t, "text");
    ad_var x = ad_input(a, "x", ad_vec(D)), at = ad_input(b, "at", ad_scalar()), y = ad_input(b, "y", ad_vec(D));
    ad_var row = ad_batch_gather(ad_tanh(x), at), out[4];
    out[0] = ad_batch_sum(b, ad_dot(row, y));
    out[1] = row;
    ad_grad(out[0], &x, 1, &out[2]);
    out[3] = ad_batch_scatter_add(a, ad_constant(t, 1), at);
    runner r = runner_new(out, 4, 200);
    double *px = random_numbers(DATA * D, 1), *py = random_numbers(NOISE * D, 2);
    double index[NOISE], rows[NOISE * D], grad[DATA * D] = {0}, count[DATA] = {0}, sum = 0;
    for (int n = 0; n < NOISE; n++) {
        int k = (n * n + 3) % (DATA - 1); /* the last row is never read */
        index[n] = k;
        count[k]++;
        for (int i = 0; i < D; i++) {
            double v = rows[n * D + i] = tanh(px[k * D + i]);
            sum += v * py[n * D + i];
            grad[k * D + i] += (1 - v * v) * py[n * D + i];
        }
    }
    bind(r, x, px), bind(r, at, index), bind(r, y, py), set_rows(r, a, DATA), set_rows(r, b, NOISE);
    for (int again = 0; again < 2; again++) {
        run(r);
        expect_close(r, 0, GIBBS_FLOAT64, &sum, 1, 1e-13, "sum");
        expect_close(r, 1, GIBBS_FLOAT64, rows, NOISE * D, 1e-15, "rows");
        expect_close(r, 2, GIBBS_FLOAT64, grad, DATA * D, 1e-13, "gradient");
        expect_close(r, 3, GIBBS_FLOAT64, count, DATA, 0, "counts");
    }
    runner_free(r);
    ad_tape_free(t);
    free(px), free(py);
}

/* A permutation within one axis: x read at other rows of its own batch, and put back. */
Test(plan_axes, gather_within_one_axis)
{
    ad_tape *t = ad_tape_new(GIBBS_FLOAT32, NULL);
    ad_axis a = ad_axis_new(t, "data");
    ad_var x = ad_input(a, "x", ad_vec(D)), at = ad_input(a, "at", ad_scalar());
    ad_var y = ad_square(x), moved = ad_batch_gather(y, at), back = ad_batch_scatter_add(a, moved, at);
    ad_var out[3] = {moved, back, ad_batch_max(a, ad_sum(ad_abs(ad_sub(back, y))))};
    enum { ROWS = 3000 };
    runner r = runner_new(out, 3, 64);
    double *px = random_numbers(ROWS * D, 1), *index = malloc(ROWS * sizeof *index), zero = 0;
    for (int n = 0; n < ROWS; n++) index[n] = (n * 7 + 11) % ROWS;
    void *fx = in_type(GIBBS_FLOAT32, px, ROWS * D), *fi = in_type(GIBBS_FLOAT32, index, ROWS);
    bind(r, x, fx), bind(r, at, fi), set_rows(r, a, ROWS);
    run(r);
    for (int n = 0; n < ROWS; n++)
        cr_assert_float_eq(ad_result_f32(r.w, 0)[n * D], px[(int)index[n] * D] * px[(int)index[n] * D], 1e-6);
    expect_close(r, 2, GIBBS_FLOAT32, &zero, 1, 0, "there and back");
    runner_free(r);
    ad_tape_free(t);
    free(px), free(index), free(fx), free(fi);
}
