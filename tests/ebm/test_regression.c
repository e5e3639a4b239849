/* Regressions as conditional energies: log Z(x) by the log partition function and by enumeration, and maximisers
 * against least squares and Newton's method written out here. */
#include "ebm/conditional_check.h"

enum { GIVEN = 3, ROWS = 60, MOST = 16 };

/* ---- Formulas ---- */

/* theta: W [p, columns], b [columns], log_precision; E = B(y) − η·y. */
typedef struct plain {
    int kind, columns, labels, pinned; /* columns of y, of which each output has `labels` */
} plain;

static number formula(const number *row, const number *theta, const void *context)
{
    const plain *p = context;
    int own = p->pinned ? p->columns / p->labels * (p->labels - 1) : p->columns;
    number E = 0, squares = 0;
    for (int c = 0, k = 0; c < p->columns; c++) {
        number y = row[GIVEN + c];
        squares += y * y;
        if (p->pinned && c % p->labels == 0) continue;
        number eta = theta[GIVEN * own + k];
        for (int i = 0; i < GIVEN; i++) eta += row[i] * theta[i * own + k];
        E -= eta * y, k++;
    }
    return p->kind == EBM_LINEAR ? E + squares * cexp(theta[GIVEN * own + own]) / 2 : E;
}

#define HOT(outputs, each) {.variables = outputs, .labels = each, .one_hot = 1}

static const struct discrete_case {
    const char *name;
    ebm_regression_spec spec;
    ebm_space y;
    plain p;
} discrete[] = {
    {"logistic", {.response = EBM_LOGISTIC, .given = GIVEN}, {.variables = 1}, {EBM_LOGISTIC, 1, 1, 0}},
    {"three logistic outputs", {.response = EBM_LOGISTIC, .given = GIVEN, .outputs = 3}, {.variables = 3},
     {EBM_LOGISTIC, 3, 1, 0}},
    {"softmax", {.response = EBM_SOFTMAX, .given = GIVEN, .labels = 4}, HOT(1, 4), {EBM_SOFTMAX, 4, 4, 0}},
    {"pinned", {.response = EBM_SOFTMAX, .given = GIVEN, .labels = 4, .pinned = 1}, HOT(1, 4),
     {EBM_SOFTMAX, 4, 4, 1}},
    {"factorising CRF", {.response = EBM_SOFTMAX, .given = GIVEN, .outputs = 3, .labels = 3}, HOT(3, 3),
     {EBM_SOFTMAX, 9, 3, 0}},
    {"pinned CRF", {.response = EBM_SOFTMAX, .given = GIVEN, .outputs = 2, .labels = 3, .pinned = 1}, HOT(2, 3),
     {EBM_SOFTMAX, 6, 3, 1}},
};

/* The recorded log Z(x), which factorises, against a sum over every label of all outputs together. */
Test(regression, discrete_labels)
{
    for (int k = 0; k < COUNT(discrete); k++) {
        const struct discrete_case *c = &discrete[k];
        int count = (int)ebm_space_size(&c->y), width = (int)ebm_space_dim(&c->y);
        double labels[27 * MOST], rows[ROWS * (GIVEN + MOST)], x[CHECK_ROWS * (GIVEN + MOST)];
        ebm_regression_spec spec = c->spec;
        spec.dtype = GIBBS_FLOAT64;
        ebm_model *model = regression(spec);
        ebm_space_rows(&c->y, 0, count, labels);
        label_rows(rows, ROWS, GIVEN, width, labels, count, 1);
        spread(x, COUNT(x), 2), spread_theta(model, 3);
        expect_energy(model, formula, &c->p, x, c->name);
        expect_conditional_loss(model, formula, &c->p, rows, ROWS, GIVEN, labels, count, c->name);
        ebm_model_free(model);
    }
}

/* ---- Linear: least squares ---- */

/* Solves A z = b, n ≤ MOST, by elimination; A is destroyed. */
static void solve(double *A, double *b, int n)
{
    for (int k = 0; k < n; k++)
        for (int i = k + 1; i < n; i++) {
            double f = A[i * n + k] / A[k * n + k];
            for (int j = k; j < n; j++) A[i * n + j] -= f * A[k * n + j];
            b[i] -= f * b[k];
        }
    for (int k = n - 1; k >= 0; k--) {
        for (int j = k + 1; j < n; j++) b[k] -= A[k * n + j] * b[j];
        b[k] /= A[k * n + k];
    }
}

/* Two outputs with one precision: 1/τ is the mean squared residual, W/τ and b/τ the coefficients of each output; the
 * loss there is ½ m (log(2π/τ) + 1). */
Test(regression, linear_is_least_squares)
{
    enum { M = 2, P = GIVEN + 1 };
    double rows[ROWS * (GIVEN + M)], noise[ROWS * M], A[P * P], b[P], beta[M][P], residual = 0, theta[P * M + 1], value;
    spread(rows, COUNT(rows), 1), spread(noise, COUNT(noise), 2);
    for (int r = 0; r < ROWS; r++) {
        double *row = rows + r * (GIVEN + M);
        row[3] = 1 + 2 * row[0] - row[1] + noise[2 * r];
        row[4] = -0.5 + row[1] + 3 * row[2] + noise[2 * r + 1];
    }
    for (int m = 0; m < M; m++) {
        memset(A, 0, sizeof A), memset(b, 0, sizeof b);
        for (int r = 0; r < ROWS; r++) {
            const double *row = rows + r * (GIVEN + M), x[P] = {row[0], row[1], row[2], 1};
            for (int i = 0; i < P; i++) b[i] += x[i] * row[3 + m];
            for (int i = 0; i < P * P; i++) A[i] += x[i / P] * x[i % P];
        }
        solve(A, b, P);
        memcpy(beta[m], b, sizeof b);
        for (int r = 0; r < ROWS; r++) {
            const double *row = rows + r * (GIVEN + M);
            double d = row[3 + m] - b[0] * row[0] - b[1] * row[1] - b[2] * row[2] - b[3];
            residual += d * d / (ROWS * M);
        }
    }
    ebm_model *model = regression((ebm_regression_spec){.given = GIVEN, .outputs = M, .dtype = GIBBS_FLOAT64});
    fit_conditional(model, rows, ROWS);
    ebm_model_get(model, theta);
    double tau = exp(theta[P * M]);
    expect_close(1 / tau, residual, 1e-5, "residual variance");
    for (int i = 0; i < P * M; i++) expect_close(theta[i] / tau, beta[i % M][i / M], 1e-4, "coefficient");
    ebm_objective *o = objective_at(model, &ebm_loss_conditional_ml, NULL, NULL, rows, ROWS, 0, 0);
    value = value_of(o);
    expect_close(value, 0.5 * M * (log(2 * M_PI * residual) + 1), 1e-9, "loss");
    ebm_objective_free(o);
    ebm_model_free(model);
}

/* p(y | x) at chosen parameters, term by term: the normal density N(η/τ, 1/τ). */
Test(regression, linear_is_normal)
{
    const plain p = {EBM_LINEAR, 2, 1, 0};
    double rows[ROWS * 5], theta[9], expected = 0, x[CHECK_ROWS * 5];
    ebm_model *model = regression((ebm_regression_spec){.given = GIVEN, .outputs = 2, .dtype = GIBBS_FLOAT64});
    spread(rows, COUNT(rows), 4), spread(x, COUNT(x), 5), spread_theta(model, 6);
    ebm_model_get(model, theta);
    double tau = exp(theta[8]);
    for (int r = 0; r < ROWS; r++)
        for (int m = 0; m < 2; m++) {
            const double *row = rows + 5 * r;
            double mean = (theta[6 + m] + row[0] * theta[m] + row[1] * theta[2 + m] + row[2] * theta[4 + m]) / tau;
            expected += 0.5 * (log(2 * M_PI / tau) + tau * (row[3 + m] - mean) * (row[3 + m] - mean)) / ROWS;
        }
    expect_energy(model, formula, &p, x, "linear");
    ebm_objective *o = objective_at(model, &ebm_loss_conditional_ml, NULL, NULL, rows, ROWS, 0, 0);
    expect_close(value_of(o), expected, 1e-13, "loss");
    expect_consistent(o, 1e-8, "gradient");
    ebm_objective_free(o);
    ebm_model_free(model);
}

/* ---- Softmax and logistic: Newton ---- */

/* Newton's method for K − 1 logits against the first label; theta [P·(K−1)], P = GIVEN + 1, in the layout of W, b. */
static void newton(const double *rows, const int *label, int K, double *theta)
{
    enum { P = GIVEN + 1 };
    int n = P * (K - 1);
    double g[MOST], H[MOST * MOST];
    memset(theta, 0, (size_t)n * sizeof *theta);
    for (int step = 0; step < 30; step++) {
        memset(g, 0, sizeof g), memset(H, 0, sizeof H);
        for (int r = 0; r < ROWS; r++) {
            double x[P] = {rows[GIVEN * r], rows[GIVEN * r + 1], rows[GIVEN * r + 2], 1}, p[MOST] = {0}, z = 1;
            for (int k = 0; k < K - 1; k++) {
                for (int i = 0; i < P; i++) p[k] += x[i] * theta[i * (K - 1) + k];
                z += p[k] = exp(p[k]);
            }
            for (int a = 0; a < n; a++) {
                int i = a / (K - 1), k = a % (K - 1);
                g[a] += x[i] * (p[k] / z - (label[r] == k + 1));
                for (int b = 0; b < n; b++) {
                    int j = b / (K - 1), l = b % (K - 1);
                    H[a * n + b] += x[i] * x[j] * p[k] / z * ((k == l) - p[l] / z);
                }
            }
        }
        solve(H, g, n);
        for (int a = 0; a < n; a++) theta[a] -= g[a];
    }
}

static void expect_newton(int K, ebm_regression_spec spec)
{
    int columns = spec.response == EBM_LOGISTIC ? 1 : K, label[ROWS], n = (GIVEN + 1) * (K - 1);
    double rows[ROWS * (GIVEN + MOST)] = {0}, x[ROWS * GIVEN], expected[MOST], theta[4 * MOST];
    uint64_t state = 11;
    spread(x, COUNT(x), 7);
    for (int r = 0; r < ROWS; r++) {
        double *row = rows + r * (GIVEN + columns);
        memcpy(row, x + GIVEN * r, GIVEN * sizeof *row);
        double score = 1.5 * row[0] - row[1] + 2 * sampling_uniform(&state);
        label[r] = score < 0.3 ? 0 : score < 1.4 || K == 2 ? 1 : 2;
        if (columns == 1) row[GIVEN] = label[r];
        else row[GIVEN + label[r]] = 1;
    }
    newton(x, label, K, expected);
    spec.given = GIVEN, spec.dtype = GIBBS_FLOAT64;
    ebm_model *model = regression(spec);
    fit_conditional(model, rows, ROWS);
    ebm_model_get(model, theta);
    int own = (int)ebm_model_size(model) / (GIVEN + 1); /* without pinning: differences from the first label */
    for (int a = 0; a < n; a++) {
        int i = a / (K - 1), k = a % (K - 1);
        double got = own == K - 1 ? theta[a] : theta[i * own + k + 1] - theta[i * own];
        expect_close(got, expected[a], 2e-4, "maximiser");
    }
    ebm_model_free(model);
}

Test(regression, maximisers_are_newtons)
{
    expect_newton(2, (ebm_regression_spec){.response = EBM_LOGISTIC});
    expect_newton(2, (ebm_regression_spec){.response = EBM_SOFTMAX, .labels = 2});
    expect_newton(3, (ebm_regression_spec){.response = EBM_SOFTMAX, .labels = 3, .pinned = 1});
    expect_newton(3, (ebm_regression_spec){.response = EBM_SOFTMAX, .labels = 3});
}

/* ---- Features and refusals ---- */

static ad_var hidden(ad_var x, const ad_var *theta, void *context)
{
    (void)context;
    return ad_tanh(ad_matmul(x, theta[0]));
}

/* A hidden layer as Ψ: its parameters come last, are trained with the others, and start from the seed. */
Test(regression, features_with_parameters)
{
    static const ebm_parameter V = {"V", {2, {GIVEN, 2}}, EBM_INIT_GLOROT, 1};
    double rows[ROWS * (GIVEN + 1)];
    ebm_model *model = regression((ebm_regression_spec){.response = EBM_LOGISTIC, .given = GIVEN,
                                                        .features = {hidden, 2, &V, 1, NULL}, .dtype = GIBBS_FLOAT64});
    cr_expect_str_eq(ebm_model_parameter_name(model, 2), "psi.V");
    cr_expect_eq(ebm_model_size(model), 2 + 1 + 2 * GIVEN);
    label_rows(rows, ROWS, GIVEN, 1, (double[]){0, 1}, 2, 5);
    spread_theta(model, 6);
    const double *theta = ebm_model_theta(model);
    double expected = 0;
    for (int r = 0; r < ROWS; r++) {
        const double *row = rows + r * (GIVEN + 1);
        double eta = theta[2];
        for (int k = 0; k < 2; k++)
            eta += theta[k] * tanh(row[0] * theta[3 + k] + row[1] * theta[5 + k] + row[2] * theta[7 + k]);
        expected += (log1p(exp(eta)) - eta * row[GIVEN]) / ROWS;
    }
    ebm_objective *o = objective_at(model, &ebm_loss_conditional_ml, NULL, NULL, rows, ROWS, 0, 0);
    expect_close(value_of(o), expected, 1e-13, "loss");
    for (int i = 0; i < ebm_model_size(model); i++) {
        value_of(o);
        double g = ((const double *)ebm_objective_gradient(o))[i];
        cr_expect(fabs(g) > 1e-6, "gradient %d", i);
        expect_close(g, difference(o, i), 1e-8, "gradient");
    }
    ebm_objective_free(o);
    ebm_model_free(model);
}

Test(regression, refuses)
{
    static const struct {
        ebm_regression_spec spec;
        gibbs_status status;
        const char *sentence;
    } cases[] = {
        {{.response = 3, .given = 1}, GIBBS_ARGUMENT, "unknown kind"},
        {{.response = -1, .given = 1}, GIBBS_ARGUMENT, "unknown kind"},
        {{.response = EBM_LINEAR}, GIBBS_ARGUMENT, "linear regression: 0 given"},
        {{.response = EBM_LOGISTIC, .given = 1, .outputs = -1}, GIBBS_ARGUMENT, "-1 outputs"},
        {{.response = EBM_LOGISTIC, .given = 1, .labels = 2}, GIBBS_ARGUMENT, "has no labels"},
        {{.response = EBM_LINEAR, .given = 1, .pinned = 1}, GIBBS_ARGUMENT, "has no labels"},
        {{.response = EBM_SOFTMAX, .given = 1}, GIBBS_ARGUMENT, "0 labels"},
        {{.response = EBM_SOFTMAX, .given = 1, .labels = 1}, GIBBS_ARGUMENT, "1 labels"},
        {{.response = EBM_SOFTMAX, .given = 1, .labels = 1 << 16, .outputs = 1 << 16}, GIBBS_SIZE, "too many"},
        {{.response = EBM_LINEAR, .given = 2, .features = {.size = 3}}, GIBBS_ARGUMENT, "identity of 2"},
    };
    for (int k = 0; k < COUNT(cases); k++) {
        ebm_model *model = (ebm_model *)&model;
        FAILS(cases[k].status, cases[k].sentence, ebm_model_regression(&cases[k].spec, &model, FAIL));
        cr_expect_null(model);
    }
}
