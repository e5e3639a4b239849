/* maxent.c — maximum entropy (S3 eq 10.7–10.13): the density on a given support with E T = μ and the largest entropy is
 * exp(η·T)/Z, and η is the minimum of the convex dual D(η) = log Σᵣ wᵣ exp(η·T(xᵣ)) − η·μ, whose gradient is E T − μ
 * and whose Hessian is the covariance of T. Damped Newton, in double. */
#include "ebm/model/program.h"
#include "ebm/proposal/cholesky.h"
#include "exponential.h"

#include <math.h>
#include <string.h>

enum { MAX_STEPS = 200, MAX_HALVINGS = 60 };
static const double TOLERANCE = 1e-11; /* of E T − μ, relative to |μ| + sd T */
static const double RIDGE = 1e-10;     /* of the variances: for statistics that depend on one another */
static const double ARMIJO = 1e-4, ROUNDING = 1e-13;

typedef struct dual {
    int64_t rows, k;
    const double *mu, *weight; /* weight NULL: ones */
    double *T;                 /* rows × k */
    double *p;                 /* rows: the present probabilities */
    double *eta, *trial, *gradient, *direction;
    double *H, *lower, *inverse; /* k × k */
    double value, log_z;
} dual;

/* ---- Statistics ---- */

static gibbs_status run_statistics(const ebm_model *model, ebm_program *run, ad_axis axis, ad_var x,
                                   const double *points, dual *d, gibbs_error *error)
{
    int64_t count = d->rows * model->dim;
    void *own = gibbs_alloc(&model->alloc, (size_t)count, gibbs_dtype_size(model->dtype));
    if (!own) return gibbs_fail(error, GIBBS_MEMORY, "maxent: out of memory");
    ebm_to_dtype(model->dtype, count, own, points);
    gibbs_status status = ad_bind(run->workspace, x, own, error);
    if (!status) status = ad_set_rows(run->workspace, axis, d->rows, error);
    if (!status) status = ad_run(run->workspace, NULL, error);
    if (!status) ebm_from_dtype(model->dtype, d->rows * d->k, d->T, ad_result(run->workspace, 0));
    gibbs_release(&model->alloc, own);
    return status;
}

static gibbs_status statistics(const ebm_model *model, const double *points, dual *d, gibbs_error *error)
{
    ad_tape *tape = ad_tape_new(model->dtype, &model->alloc);
    if (!tape) return gibbs_fail(error, GIBBS_MEMORY, "maxent: out of memory");
    ebm_program run;
    ad_axis axis = ad_axis_new(tape, "support");
    ad_var x = ad_input(axis, "x", ad_vec(model->dim));
    ad_var T = ad_lift(axis, ebm_features_at(ebm_exponential_statistics(model), x, NULL));
    gibbs_status status = ebm_program_build(tape, &T, 1, NULL, &run, error);
    if (!status) status = run_statistics(model, &run, axis, x, points, d, error);
    ebm_program_free(&run);
    ad_tape_free(tape);
    for (int64_t i = 0; i < d->rows * d->k && !status; i++)
        if (!isfinite(d->T[i]))
            status = gibbs_fail_row(error, GIBBS_NUMERIC, i / d->k, "maxent: statistic %lld is %g at row %lld",
                                    (long long)(i % d->k + 1), d->T[i], (long long)(i / d->k + 1));
    return status;
}

/* ---- The dual ---- */

static double dot(const double *a, const double *b, int64_t n)
{
    double sum = 0;
    for (int64_t i = 0; i < n; i++) sum += a[i] * b[i];
    return sum;
}

/* D at eta, with log Z and the probabilities. */
static double evaluate(dual *d, const double *eta)
{
    double top = -INFINITY, sum = 0;
    for (int64_t r = 0; r < d->rows; r++) {
        d->p[r] = dot(eta, d->T + r * d->k, d->k) + (d->weight ? log(d->weight[r]) : 0);
        top = d->p[r] > top ? d->p[r] : top;
    }
    for (int64_t r = 0; r < d->rows; r++) sum += d->p[r] = exp(d->p[r] - top);
    for (int64_t r = 0; r < d->rows; r++) d->p[r] /= sum;
    d->log_z = top + log(sum);
    return d->log_z - dot(eta, d->mu, d->k);
}

/* E T − μ, and the covariance of T under p. */
static void differentiate(dual *d)
{
    int64_t k = d->k;
    memset(d->gradient, 0, (size_t)k * sizeof *d->gradient);
    memset(d->H, 0, (size_t)(k * k) * sizeof *d->H);
    for (int64_t r = 0; r < d->rows; r++)
        for (int64_t i = 0; i < k; i++) d->gradient[i] += d->p[r] * (d->T[r * k + i] - d->mu[i]);
    for (int64_t r = 0; r < d->rows; r++) {
        const double *T = d->T + r * k;
        for (int64_t i = 0; i < k && d->p[r] > 0; i++) {
            double left = d->p[r] * (T[i] - d->mu[i] - d->gradient[i]);
            for (int64_t j = 0; j <= i; j++) d->H[i * k + j] += left * (T[j] - d->mu[j] - d->gradient[j]);
        }
    }
    for (int64_t i = 0; i < k; i++)
        for (int64_t j = 0; j < i; j++) d->H[j * k + i] = d->H[i * k + j];
}

/* The statistic that is furthest from its expectation, −1 when all agree. */
static int64_t worst(const dual *d)
{
    int64_t found = -1;
    double most = TOLERANCE;
    for (int64_t i = 0; i < d->k; i++) {
        double off = fabs(d->gradient[i]) / (fabs(d->mu[i]) + sqrt(d->H[i * d->k + i]));
        if (fabs(d->gradient[i]) > 0 && !(off <= most)) found = i, most = off;
    }
    return found;
}

/* direction = −(H + ridge)⁻¹ gradient. A statistic that does not vary has a row of zeros. */
static gibbs_status newton_direction(dual *d, gibbs_error *error)
{
    int64_t k = d->k;
    for (int64_t i = 0; i < k; i++) {
        double *own = &d->H[i * k + i];
        *own = *own > 0 ? *own * (1 + RIDGE) : 1;
    }
    gibbs_status status = ebm_cholesky(k, d->H, d->lower, error);
    if (status) return status;
    ebm_invert_lower(k, d->lower, d->inverse);
    memset(d->direction, 0, (size_t)k * sizeof *d->direction);
    for (int64_t i = 0; i < k; i++) {
        double z = dot(d->inverse + i * k, d->gradient, k);
        for (int64_t j = 0; j < k; j++) d->direction[j] -= d->inverse[i * k + j] * z;
    }
    return GIBBS_OK;
}

/* Goes along the direction, at most to its end; false when no step lowers D. */
static bool step(dual *d)
{
    double slope = dot(d->gradient, d->direction, d->k), length = 1;
    for (int n = 0; n < MAX_HALVINGS; n++, length /= 2) {
        for (int64_t i = 0; i < d->k; i++) d->trial[i] = d->eta[i] + length * d->direction[i];
        double value = evaluate(d, d->trial);
        if (!(value <= d->value + ARMIJO * length * slope + ROUNDING * (1 + fabs(d->value)))) continue;
        memcpy(d->eta, d->trial, (size_t)d->k * sizeof *d->eta);
        d->value = value;
        return true;
    }
    return false;
}

static gibbs_status minimise(dual *d, gibbs_error *error)
{
    int64_t off = 0;
    d->value = evaluate(d, d->eta);
    for (int n = 0; n < MAX_STEPS; n++) {
        differentiate(d);
        if ((off = worst(d)) < 0) return GIBBS_OK;
        if (newton_direction(d, NULL) || !step(d)) break;
    }
    return gibbs_fail(error, GIBBS_NUMERIC,
                      "maxent: no density on these points has the expectations: statistic %lld is off by %g",
                      (long long)off + 1, d->gradient[off]);
}

/* ---- From the caller and back ---- */

static gibbs_status check_support(const ebm_model *model, const double *mu, int64_t k, const double *x,
                                  const double *weight, int64_t rows, gibbs_error *error)
{
    if (rows < 1) return gibbs_fail(error, GIBBS_ARGUMENT, "maxent: %lld points", (long long)rows);
    for (int64_t i = 0; i < k; i++)
        if (!isfinite(mu[i]))
            return gibbs_fail(error, GIBBS_DATA, "maxent: expectation %lld is %g", (long long)i + 1, mu[i]);
    double total = 0;
    for (int64_t r = 0; r < rows && weight; total += weight[r++])
        if (!(weight[r] >= 0) || !isfinite(weight[r]))
            return gibbs_fail_row(error, GIBBS_DATA, r, "maxent: weight %g at row %lld", weight[r], (long long)r + 1);
    if (weight && !(total > 0)) return gibbs_fail(error, GIBBS_DATA, "maxent: all weights are 0");
    return ebm_check_points("maxent", x, rows, model->dim, error);
}

/* Everything in one block of memory. */
static double *place(const gibbs_allocator *a, dual *d)
{
    int64_t k = d->k, count = d->rows * (k + 1) + 4 * k + 3 * k * k;
    double *memory = gibbs_alloc(a, (size_t)count, sizeof *memory), *at = memory;
    if (!memory) return NULL;
    memset(memory, 0, (size_t)count * sizeof *memory);
    double **part[] = {&d->T, &d->p, &d->eta, &d->trial, &d->gradient, &d->direction, &d->H, &d->lower, &d->inverse};
    const int64_t size[] = {d->rows * k, d->rows, k, k, k, k, k * k, k * k, k * k};
    for (int i = 0; i < GIBBS_COUNT(part); at += size[i++]) *part[i] = at;
    return memory;
}

gibbs_status ebm_maxent(ebm_model *model, const double *mu, const double *x, const double *weight, int64_t rows,
                        double *log_z, gibbs_error *error)
{
    GIBBS_REQUIRE("maxent", model && mu && x, error);
    const ebm_features *T = ebm_exponential_statistics(model);
    if (!T) return gibbs_fail(error, GIBBS_ARGUMENT, "maxent: the model is no exponential family");
    gibbs_status status = check_support(model, mu, T->size, x, weight, rows, error);
    if (status) return status;
    int64_t count;
    if (!gibbs_mul_size(rows, T->size + 1 + model->dim, &count) || count > INT64_MAX / 64)
        return gibbs_fail(error, GIBBS_SIZE, "maxent: %lld points are too many", (long long)rows);
    dual d = {.rows = rows, .k = T->size, .mu = mu, .weight = weight};
    double *memory = place(&model->alloc, &d);
    if (!memory) return gibbs_fail(error, GIBBS_MEMORY, "maxent: out of memory");
    status = statistics(model, x, &d, error);
    if (!status) status = minimise(&d, error);
    if (!status) ebm_model_set(model, d.eta);
    if (!status && log_z) *log_z = d.log_z;
    gibbs_release(&model->alloc, memory);
    return status;
}
