/* least_squares.c — the linear regression of a table's last columns on its first ones. Columns are centred and scaled
 * first, so that units do not matter; a column that those before it determine gets no coefficient. */
#include "ebm/data/data_private.h"

#include <gibbs/proposal.h>

#include <math.h>
#include <string.h>

static const double TIED =
    1e-10; /* of a column's variance: what the columns before it leave of one that they determine */

typedef struct normal {
    const ebm_data *data;
    int64_t given, modelled;
    double *mean, *sd; /* of all columns, of those given */
    double *gram;      /* [given, given] correlations, then their Cholesky factor, below the diagonal */
    double *right;     /* [given, modelled] */
} normal;

static double centred(const normal *n, int64_t row, int64_t col)
{
    return n->data->x[row * n->data->cols + col] - n->mean[col];
}

static double weight(const normal *n, int64_t row) { return n->data->weight ? n->data->weight[row] : 1; }

/* The second pass takes the rounding out of the first one's mean. */
static void find_scale(normal *n)
{
    const ebm_data *d = n->data;
    memset(n->mean, 0, (size_t)d->cols * sizeof *n->mean);
    for (int64_t c = 0; c < d->cols; c++)
        for (int pass = 0; pass < 2; pass++) {
            double sum = 0;
            for (int64_t r = 0; r < d->rows; r++) sum += weight(n, r) * centred(n, r, c);
            n->mean[c] += sum / ebm_data_weight(d);
        }
    for (int64_t c = 0; c < n->given; c++) {
        double sum = 0, most = 0; /* whose square would be too large, or nothing */
        for (int64_t r = 0; r < d->rows; r++) most = fmax(most, fabs(centred(n, r, c)));
        for (int64_t r = 0; r < d->rows && most > 0; r++)
            sum += weight(n, r) * (centred(n, r, c) / most) * (centred(n, r, c) / most);
        n->sd[c] = most * sqrt(sum / ebm_data_weight(d));
        if (!(n->sd[c] > 1e-12 * fabs(n->mean[c]))) n->sd[c] = INFINITY; /* constant: of no account */
    }
}

/* Row by row, so that each is read once. */
static void add_products(normal *n, double *z)
{
    int64_t g = n->given, m = n->modelled;
    memset(n->gram, 0, (size_t)(g * g) * sizeof *n->gram);
    memset(n->right, 0, (size_t)(g * m) * sizeof *n->right);
    for (int64_t r = 0; r < n->data->rows; r++) {
        for (int64_t c = 0; c < g; c++) z[c] = centred(n, r, c) / n->sd[c];
        for (int64_t i = 0; i < g; i++) {
            double wz = weight(n, r) * z[i];
            for (int64_t j = 0; j <= i; j++) n->gram[i * g + j] += wz * z[j];
            for (int64_t k = 0; k < m; k++) n->right[i * m + k] += wz * centred(n, r, g + k);
        }
    }
}

/* G = LLᵀ in place; a diagonal of 0 marks a column without a coefficient. */
static void factor(const normal *n)
{
    int64_t g = n->given;
    double *L = n->gram;
    for (int64_t j = 0; j < g; j++) {
        double whole = L[j * g + j], left = whole;
        for (int64_t k = 0; k < j; k++) left -= L[j * g + k] * L[j * g + k];
        double pivot = L[j * g + j] = left > TIED * whole ? sqrt(left) : 0;
        for (int64_t i = j + 1; i < g; i++) {
            for (int64_t k = 0; k < j; k++) L[i * g + j] -= L[i * g + k] * L[j * g + k];
            L[i * g + j] = pivot > 0 ? L[i * g + j] / pivot : 0;
        }
    }
}

/* LLᵀB = right, in place. */
static void solve(const normal *n)
{
    int64_t g = n->given, m = n->modelled;
    const double *L = n->gram;
    for (int64_t k = 0; k < m; k++) {
        double *b = n->right + k;
        for (int64_t i = 0; i < g; i++) {
            for (int64_t j = 0; j < i; j++) b[i * m] -= L[i * g + j] * b[j * m];
            b[i * m] = L[i * g + i] > 0 ? b[i * m] / L[i * g + i] : 0;
        }
        for (int64_t i = g - 1; i >= 0; i--) {
            for (int64_t j = i + 1; j < g; j++) b[i * m] -= L[j * g + i] * b[j * m];
            b[i * m] = L[i * g + i] > 0 ? b[i * m] / L[i * g + i] : 0;
        }
    }
}

static void finish(const normal *n, double *coefficient, double *residual)
{
    int64_t g = n->given, m = n->modelled;
    for (int64_t k = 0; k < m; k++) {
        coefficient[k] = n->mean[g + k];
        for (int64_t i = 0; i < g; i++) {
            double b = coefficient[(1 + i) * m + k] = n->right[i * m + k] / n->sd[i];
            coefficient[k] -= b * n->mean[i];
        }
    }
    for (int64_t r = 0; r < n->data->rows; r++)
        for (int64_t k = 0; k < m; k++) {
            double e = centred(n, r, g + k);
            for (int64_t i = 0; i < g; i++) e -= coefficient[(1 + i) * m + k] * centred(n, r, i);
            residual[r * m + k] = e;
        }
}

gibbs_status ebm_least_squares(const ebm_data *data, int64_t given, double *coefficient, ebm_data *residuals,
                               gibbs_error *error)
{
    GIBBS_REQUIRE("least squares", data && coefficient && residuals, error);
    *residuals = (ebm_data){0};
    gibbs_status status = ebm_data_check(data, error);
    if (status) return status;
    if (given < 1 || given >= data->cols)
        return gibbs_fail(error, GIBBS_ARGUMENT, "least squares: %lld of %lld columns are given; at least one must be, "
                          "and one not", (long long)given, (long long)data->cols);
    gibbs_allocator a = ebm_data_allocator(data);
    int64_t m = data->cols - given;
    normal n = {.data = data, .given = given, .modelled = m};
    double *memory = gibbs_alloc(&a, (size_t)(data->cols + given * (2 + given + m)), sizeof *memory);
    if (!memory)
        return gibbs_fail(error, GIBBS_MEMORY, "least squares: out of memory for %lld columns", (long long)given);
    n.mean = memory, n.sd = n.mean + data->cols, n.gram = n.sd + given, n.right = n.gram + given * given;
    const ebm_data like = {.names = data->names ? data->names + given : NULL, .weight = data->weight,
                           .weight_kind = data->weight_kind, .allocator = a};
    status = ebm_data_like(&like, data->rows, NULL, m, residuals, error);
    if (!status) {
        if (data->weight) memcpy(residuals->weight, data->weight, (size_t)data->rows * sizeof *data->weight);
        find_scale(&n);
        add_products(&n, n.right + given * m);
        factor(&n);
        solve(&n);
        finish(&n, coefficient, residuals->x);
    }
    gibbs_release(&a, memory);
    return status;
}
