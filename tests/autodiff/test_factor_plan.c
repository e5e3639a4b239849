/* Factorisations in plans: what a checked run says of pivots; the same bits for any number of threads and blocks;
 * branches that are not taken; matrices that are shared or each sample's own, and what they make of a Gaussian. */
#include "autodiff/run/workspace.h"
#include "plan_helpers.h"

#include <float.h>

/* ---- Pivots in sentences ---- */

typedef struct setting {
    ad_tape *tape;
    ad_axis data;
    ad_var A, b; /* per-sample [3,3] and [3] */
    double a[5][9], v[5][3];
} setting;

static setting setting_new(gibbs_dtype dtype)
{
    setting s = {.tape = ad_tape_new(dtype, NULL)};
    s.data = ad_axis_new(s.tape, "data");
    s.A = ad_input(s.data, "A", ad_mat(3, 3));
    s.b = ad_input(s.data, "b", ad_vec(3));
    for (int r = 0; r < 5; r++)
        for (int k = 0; k < 9; k++) {
            s.a[r][k] = k % 4 == 0 ? 4 : 1;
            s.v[r][k % 3] = r + k % 3;
        }
    return s;
}

static ad_var cholesky(setting *s) { return ad_cholesky(s->A); }
static ad_var triangle(setting *s) { return ad_triangular_solve(s->A, s->b, 1); }
static ad_var general(setting *s) { return ad_solve(s->A, s->b, 0); }
static ad_var determinant(setting *s) { return ad_log_abs_det(s->A); }

static void expect_pivot(ad_var (*record)(setting *), double at_1_1, double others, const char *words)
{
    setting s = setting_new(GIBBS_FLOAT64);
    ad_var y = record(&s);
    gibbs_error error = {.status = GIBBS_OK};
    runner r = runner_new(&y, 1, 0);
    bind(r, s.A, s.a), set_rows(r, s.data, 5);
    if (record == triangle || record == general) bind(r, s.b, s.v);
    run_with(r, (ad_run_options){.check = 1});
    for (int k = 3; k < 6; k++) s.a[3][k] = k == 4 ? at_1_1 : others;
    run(r); /* NaN, and no error, when nobody asks */
    cr_assert_eq(ad_run(r.w, &(ad_run_options){.check = 1}, &error), GIBBS_NUMERIC);
    cr_expect_not_null(strstr(error.message, words), "«%s» lacks «%s»", error.message, words);
    cr_expect_eq(error.row, 3);
    cr_expect_eq(error.axis, s.data.id);
    runner_free(r);
    ad_tape_free(s.tape);
}

Test(factor_plan, a_checked_run_names_the_pivot)
{
    expect_pivot(cholesky, 0, 1, "pivot [1,1] at row 3 of «data» is -0.25: the matrix is not positive definite");
    expect_pivot(triangle, 0, 1, "pivot [1,1] at row 3 of «data» is 0: the matrix is singular");
    expect_pivot(general, 0, 0, "is 0: the matrix is singular");
    expect_pivot(determinant, 0, 0, "log_abs_det (node");
}

Test(factor_plan, of_a_shared_matrix_too)
{
    ad_tape *tape = ad_tape_new(GIBBS_FLOAT32, NULL);
    ad_var A = ad_parameter(tape, "A", ad_mat(2, 2)), y = ad_log_det(A);
    gibbs_error error = {.status = GIBBS_OK};
    runner r = runner_new(&y, 1, 0);
    float a[4] = {1, 2, 2, 1};
    bind(r, A, a);
    cr_assert_eq(ad_run(r.w, &(ad_run_options){.check = 1}, &error), GIBBS_NUMERIC);
    cr_expect_not_null(strstr(error.message, "cholesky (node"), "%s", error.message);
    cr_expect_not_null(strstr(error.message, "pivot [1,1] is -3: the matrix is not positive definite"));
    runner_free(r);
    ad_tape_free(tape);
}

/* ---- Threads and blocks ---- */

enum { N = 6, ROWS = 2503, OUTPUTS = 7, MOST_THREADS = SANITIZED ? 2 : 4 };

typedef struct model {
    ad_tape *tape;
    ad_axis data;
    ad_var A, x, W, out[OUTPUTS];
} model;

static ad_var unit(ad_tape *tape, int64_t n, double by)
{
    double *eye = calloc((size_t)(n * n), sizeof *eye);
    for (int64_t i = 0; i < n; i++) eye[i * (n + 1)] = by;
    ad_var v = ad_constant_array(tape, ad_mat(n, n), eye);
    free(eye);
    return v;
}

static model model_new(gibbs_dtype dtype)
{
    model m = {.tape = ad_tape_new(dtype, NULL)};
    m.data = ad_axis_new(m.tape, "data");
    m.x = ad_input(m.data, "x", ad_vec(N));
    m.W = ad_parameter(m.tape, "W", ad_mat(N, N));
    ad_var own = ad_add(ad_mul(ad_reshape(m.x, ad_mat(N, 1)), m.x), unit(m.tape, N, 2));
    ad_var shared = ad_add(ad_matmul(m.W, ad_transpose(m.W)), unit(m.tape, N, 1));
    ad_var z = ad_triangular_solve(ad_cholesky(shared), m.x, 0), u = ad_solve(own, z, 0);
    ad_var E = ad_add(ad_add(ad_dot(z, z), ad_log_det(own)), ad_log_abs_det(ad_add(own, m.W)));
    m.out[0] = E;
    m.out[1] = ad_batch_sum(m.data, ad_add(E, ad_dot(u, u)));
    ad_grad(m.out[1], &m.W, 1, &m.out[2]);
    ad_grad(E, &m.x, 1, &m.out[3]);
    m.out[4] = ad_hess_diag(E, m.x);
    m.out[5] = ad_eigenvalues(own);
    m.out[6] = ad_cholesky(own);
    cr_assert_eq(ad_tape_status(m.tape), GIBBS_OK, "%s", ad_tape_message(m.tape));
    return m;
}

static void check_threads(gibbs_dtype dtype, int64_t block_bytes, void **first)
{
    model m = model_new(dtype);
    runner r = runner_new(m.out, OUTPUTS, block_bytes);
    double *x = random_numbers(ROWS * N, 1), *W = random_numbers(N * N, 2);
    void *fx = in_type(dtype, x, ROWS * N), *fW = in_type(dtype, W, N * N);
    bind(r, m.x, fx), bind(r, m.W, fW), set_rows(r, m.data, ROWS);
    cr_assert_gt(ad_split_rows(&r.plan->stage[0], ROWS).shards, 4, "the test needs several shards");
    for (int threads = 1; threads <= MOST_THREADS; threads++) {
        run_with(r, (ad_run_options){.threads = threads});
        for (int k = 0; k < OUTPUTS; k++) {
            bool one = ad_is_shared(m.out[k]);
            ad_shape shape = ad_shape_of(m.out[k]);
            size_t bytes = (size_t)((one ? 1 : ROWS) * ad_shape_count(&shape)) * gibbs_dtype_size(dtype);
            if (!first[k]) memcpy(first[k] = malloc(bytes), ad_result(r.w, k), bytes);
            else if (!one || threads > 1)
                cr_assert_eq(memcmp(first[k], ad_result(r.w, k), bytes), 0, "output %d, %d threads", k, threads);
            else memcpy(first[k], ad_result(r.w, k), bytes); /* blocks are added up in another order */
        }
    }
    free(x), free(W), free(fx), free(fW);
    runner_free(r);
    ad_tape_free(m.tape);
}

Test(factor_plan, the_same_bits_for_any_number_of_threads_and_rows_of_a_block)
{
    for (int k = 0; k < 2; k++) {
        void *first[OUTPUTS] = {NULL};
        check_threads(k ? GIBBS_FLOAT32 : GIBBS_FLOAT64, 0, first);
#ifndef GIBBS_PRODUCTS_BLAS /* of which a row's bits depend on its block */
        check_threads(k ? GIBBS_FLOAT32 : GIBBS_FLOAT64, 1 << 14, first);
#endif
        for (int i = 0; i < OUTPUTS; i++) free(first[i]);
    }
}

/* ---- Branches that are not taken ---- */

typedef ad_var function(ad_var A, ad_var b);

static ad_var of_cholesky(ad_var A, ad_var b) { return (void)b, ad_cholesky(A); }
static ad_var of_triangle(ad_var A, ad_var b) { return ad_triangular_solve(A, b, 0); }
static ad_var of_triangle_turned(ad_var A, ad_var b) { return ad_triangular_solve(A, b, 1); }
static ad_var of_system(ad_var A, ad_var b) { return ad_solve(A, b, 0); }
static ad_var of_columns(ad_var A, ad_var b) { return ad_solve(A, ad_mul(ad_reshape(b, ad_mat(2, 1)), A), 1); }
static ad_var of_det(ad_var A, ad_var b) { return (void)b, ad_log_abs_det(A); }
static ad_var of_log_det(ad_var A, ad_var b) { return (void)b, ad_log_det(A); }
static ad_var of_values(ad_var A, ad_var b) { return (void)b, ad_eigenvalues(A); }
static ad_var of_vectors(ad_var A, ad_var b) { return (void)b, ad_eigenvectors(A); }
static function *const functions[] = {of_cholesky, of_triangle, of_triangle_turned, of_system, of_columns, of_det,
                                      of_log_det,  of_values,   of_vectors};

enum { RESULTS = 7 };

/* Σ over samples of f(A, b) where `good`, else of a sine; and its derivatives of three orders by θ, of which A and b
 * are made. Where `harmless`, what is bad is replaced before f sees it. */
static void record_masked(function *f, ad_axis data, ad_var A, ad_var b, ad_var theta, ad_var good, bool harmless,
                          ad_var *out)
{
    ad_tape *tape = A.tape;
    ad_var M = ad_mul(A, ad_exp(ad_at(theta, 0))), v = ad_mul(b, ad_exp(ad_at(theta, 1))), g, u;
    if (harmless) {
        M = ad_select(good, M, ad_constant_array(tape, ad_mat(2, 2), (double[]){2, 0.5, 0.5, 1}));
        v = ad_select(good, v, ad_constant(tape, 1));
    }
    ad_var y = f(M, v), E = ad_select(good, ad_sum(ad_sin(y)), ad_sin(ad_sum(theta)));
    ad_var total = ad_batch_sum(data, E), along = ad_constant_array(tape, ad_vec(2), (double[]){0.7, -0.4});
    out[0] = total;
    ad_grad(total, &theta, 1, &out[1]);
    g = ad_dot(out[1], along);
    ad_grad(g, &theta, 1, &out[2]);
    u = ad_dot(out[2], along);
    ad_grad(u, &theta, 1, &out[3]);
    out[4] = ad_hvp(total, theta, along);
    out[5] = ad_hess_diag_almost_everywhere(total, theta);
    out[6] = ad_jvp(total, &theta, &along, 1);
}

static const double bads[][6] = {
    {1, 2, 2, 1, 0, 0}, {0, 0, 0, 0, 1, 1}, {NAN, 1, 1, NAN, 1, 1}, {INFINITY, 0, 0, 1, INFINITY, 0},
    {2, 0.5, 0.5, 1, NAN, NAN}, {3, 0, 0, 3, NAN, 1}};

static int count_wrong(function *f, bool shared_matrix)
{
    ad_tape *tape = ad_tape_new(GIBBS_FLOAT64, NULL);
    ad_axis data = ad_axis_new(tape, "data");
    ad_var A = shared_matrix ? ad_parameter(tape, "A", ad_mat(2, 2)) : ad_input(data, "A", ad_mat(2, 2));
    ad_var b = ad_input(data, "b", ad_vec(2)), good = ad_input(data, "good", ad_scalar()), out[2 * RESULTS];
    ad_var theta = ad_parameter(tape, "theta", ad_vec(2));
    record_masked(f, data, A, b, theta, good, false, out);
    record_masked(f, data, A, b, theta, good, true, out + RESULTS);
    cr_assert_eq(ad_tape_status(tape), GIBBS_OK, "%s", ad_tape_message(tape));
    runner r = runner_new(out, 2 * RESULTS, 0);
    double a[3][4] = {{3, 1, 1, 2}, {3, 1, 1, 2}, {2, 0.3, 0.3, 4}}, v[3][2] = {{1, 2}, {1, 2}, {3, -1}};
    double flag[3] = {1, 0, 1}, t[2] = {0.3, -0.2};
    int wrong = 0;
    bind(r, A, a), bind(r, b, v), bind(r, good, flag), bind(r, theta, t), set_rows(r, data, 3);
    for (int k = 0; k < LENGTH(bads); k++) {
        if (!shared_matrix) memcpy(a[1], bads[k], sizeof a[1]);
        memcpy(v[1], bads[k] + 4, sizeof v[1]);
        run(r);
        for (int i = 0; i < RESULTS; i++)
            for (int e = 0; e < (i && i != 6 ? 2 : 1); e++) {
                double got = ad_result_f64(r.w, i)[e], right = ad_result_f64(r.w, i + RESULTS)[e];
                if (fabs(got - right) <= 1e-9 * (1 + fabs(right))) continue;
                wrong++;
                cr_log_error("bad %d, result %d: %g, not %g%s", k, i, got, right, shared_matrix ? ", one matrix" : "");
            }
    }
    runner_free(r);
    ad_tape_free(tape);
    return wrong;
}

Test(factor_plan, what_is_not_taken_has_no_part_in_a_derivative)
{
    for (int k = 0; k < LENGTH(functions); k++) {
        cr_expect_eq(count_wrong(functions[k], false), 0, "function %d", k);
        cr_expect_eq(count_wrong(functions[k], true), 0, "function %d, of one matrix", k);
    }
}

/* ---- Equal eigenvalues ---- */

Test(factor_plan, derivatives_where_eigenvalues_are_equal)
{
    ad_tape *tape = ad_tape_new(GIBBS_FLOAT64, NULL);
    ad_var A = ad_parameter(tape, "A", ad_mat(3, 3)), out[2];
    ad_var values = ad_sum(ad_exp(ad_eigenvalues(A))), vector = ad_sum(ad_slice(ad_eigenvectors(A), 1, 0, 1));
    ad_grad(values, &A, 1, &out[0]);
    ad_grad(vector, &A, 1, &out[1]);
    runner r = runner_new(out, 2, 0);
    double a[9] = {2, 0, 0, 0, 2, 0, 0, 0, 1};
    bind(r, A, a);
    run(r);
    for (int k = 0; k < 9; k++)
        cr_expect_float_eq(ad_result_f64(r.w, 0)[k], k % 4 ? 0 : exp(a[k]), 1e-14, "Σ exp λ has a derivative");
    cr_expect(isnan(ad_result_f64(r.w, 1)[0]), "and a vector has none");
    runner_free(r);
    ad_tape_free(tape);
}

/* ---- Ill-conditioned: a Hilbert matrix, whose determinant is known ---- */

Test(factor_plan, the_determinant_of_a_hilbert_matrix)
{
    enum { ORDER = 9 };
    ad_tape *tape = ad_tape_new(GIBBS_FLOAT64, NULL);
    double hilbert[ORDER * ORDER], x[ORDER];
    for (int k = 0; k < ORDER * ORDER; k++) hilbert[k] = 1.0 / (k / ORDER + k % ORDER + 1);
    ad_var A = ad_constant_array(tape, ad_mat(ORDER, ORDER), hilbert), ones = ad_parameter(tape, "x", ad_vec(ORDER));
    ad_var out[] = {ad_log_det(A), ad_log_abs_det(A), ad_sub(ad_matmul(A, ad_solve(A, ones, 0)), ones)};
    runner r = runner_new(out, 3, 0);
    for (int k = 0; k < ORDER; k++) x[k] = 1;
    bind(r, ones, x);
    run(r);
    cr_expect_float_eq(ad_result_scalar(r.w, 0), -96.736949, 1e-4);
    cr_expect_float_eq(ad_result_scalar(r.w, 1), -96.736949, 1e-4);
    for (int k = 0; k < ORDER; k++) cr_expect_lt(fabs(ad_result_f64(r.w, 2)[k]), 1e-5, "the residual stays small");
    runner_free(r);
    ad_tape_free(tape);
}
