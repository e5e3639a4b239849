/* regression_line.c — proposals of y given x that follow a linear regression, with what it leaves drawn from a proposal
 * of its own: y = a + Bᵀx + r, q(y | x) = q_r(y − a − Bᵀx). */
#include "ebm/data/data_private.h"
#include "made.h"
#include "record_proposal.h"

#include <math.h>
#include <string.h>

/* number: B with a as its first row, (1 + given) × dim; part: of r. */
static ad_var line(const ebm_proposal *q, ad_var x)
{
    const ebm_made *m = ebm_made_of(q);
    ad_var slope = ad_constant_array(x.tape, ad_mat(q->given, q->dim), m->number + q->dim);
    return ad_add(ebm_made_vector(m, x.tape, m->number), ad_matmul(x, slope));
}

static ad_var tail(ad_var v, int64_t given)
{
    ad_shape shape = ad_shape_of(v);
    return ad_slice(v, 0, given, shape.rank == 1 ? shape.dim[0] - given : 0);
}

static ad_var draw(const ebm_proposal *q, ad_var random, const ad_var *theta)
{
    ebm_random all = ebm_proposal_random(q);
    ad_var numbers = tail(random, q->given);
    ad_var r = ebm_proposal_draw_part(ebm_made_of(q)->part[0], numbers, all, (ebm_random){0, 0}, theta);
    return ad_add(line(q, ad_slice(random, 0, 0, q->given)), r);
}

static ad_var log_density(const ebm_proposal *q, ad_var row, const ad_var *theta)
{
    ad_var r = ad_sub(tail(row, q->given), line(q, ad_slice(row, 0, 0, q->given)));
    return ebm_proposal_log_density_part(ebm_made_of(q)->part[0], r, theta);
}

static gibbs_status regression_new(int64_t given, const double *coefficient, const ebm_proposal *residual,
                                   const gibbs_allocator *allocator, ebm_made **out, gibbs_error *error)
{
    static const ebm_proposal kind = {.name = "regression", .draw = draw, .log_density = log_density};
    gibbs_status status = ebm_need_count("regression", "given columns", given, 1, error);
    if (!status) status = ebm_proposal_check("regression", residual, 0, true, error);
    if (status) return status;
    int64_t count = (1 + given) * residual->dim; /* each factor below 2³² */
    status = ebm_made_new(&kind, residual->dim, count, 1, allocator, out, error);
    if (status) return status;
    ebm_made *m = *out;
    ebm_random random = ebm_proposal_random(residual);
    m->proposal.given = given;
    m->proposal.normals = random.normals;
    m->proposal.uniforms = random.uniforms;
    for (int64_t i = 0; i < count && !status; i++) {
        m->number[i] = coefficient[i];
        if (!isfinite(coefficient[i]))
            status = gibbs_fail(error, GIBBS_ARGUMENT, "regression: coefficient %lld is %g", (long long)i + 1,
                                coefficient[i]);
    }
    if (!status) status = ebm_made_parts(m, &residual, error);
    return status ? ebm_made_finish(m, status, NULL) : GIBBS_OK;
}

gibbs_status ebm_proposal_regression(int64_t given, const double *coefficient, const ebm_proposal *residual,
                                     const gibbs_allocator *allocator, ebm_proposal **q, gibbs_error *error)
{
    GIBBS_REQUIRE("regression", coefficient && q, error);
    *q = NULL;
    ebm_made *m;
    gibbs_status status = regression_new(given, coefficient, residual, allocator, &m, error);
    return status ? status : ebm_made_finish(m, GIBBS_OK, q);
}

/* ---- Fitted ---- */

/* Residuals of N rows after p coefficients are too small by √(1 − p/N): the proposal is for rows to come. */
static void widen_residuals(ebm_data *residuals, int64_t coefficients)
{
    double factor = sqrt((double)residuals->rows / (double)(residuals->rows - coefficients));
    for (int64_t i = 0; i < residuals->rows * residuals->cols; i++) residuals->x[i] *= factor;
}

/* What rounding leaves of a column that is a function of those given would make a proposal that is a spike. */
static gibbs_status check_left(const ebm_data *data, int64_t given, const ebm_data *residuals, gibbs_error *error)
{
    for (int64_t k = 0; k < residuals->cols; k++) {
        double mean = 0, whole = 0, left = 0;
        for (int64_t r = 0; r < data->rows; r++)
            mean += data->x[r * data->cols + given + k] / (double)data->rows;
        for (int64_t r = 0; r < data->rows; r++) {
            double y = data->x[r * data->cols + given + k] - mean, e = residuals->x[r * residuals->cols + k];
            whole += y * y, left += e * e;
        }
        if (!(left > 1e-20 * whole))
            return gibbs_fail(error, GIBBS_NUMERIC,
                              "regression: column %lld is a linear function of the given ones, or "
                              "constant: nothing is left to draw",
                              (long long)(given + k) + 1);
    }
    return GIBBS_OK;
}

/* The proposal owns the one of its residuals. */
static gibbs_status fit(const ebm_data *data, int64_t given, double nu, double widen, const gibbs_allocator *a,
                        double *coefficient, ebm_proposal **q, gibbs_error *error)
{
    ebm_data residuals;
    ebm_proposal *r;
    ebm_made *m;
    gibbs_status status = ebm_least_squares(data, given, coefficient, &residuals, error);
    if (status) return status;
    if (data->rows > given + 1) status = check_left(data, given, &residuals, error);
    if (!status && data->rows > given + 1) {
        widen_residuals(&residuals, given + 1);
        status = isinf(nu) ? ebm_proposal_gaussian_fit(&residuals, 1, widen, a, &r, error)
                           : ebm_proposal_student_t_fit(&residuals, nu, widen, a, &r, error);
    } else if (!status)
        status = gibbs_fail(error, GIBBS_DATA, "regression: %lld rows have no residuals from %lld coefficients: take "
                            "the marginal density of the modelled columns as the proposal", (long long)data->rows,
                            (long long)given + 1);
    ebm_data_free(&residuals);
    if (status) return status;
    status = regression_new(given, coefficient, r, a, &m, error);
    if (status) return ebm_proposal_free(r), status;
    m->owned = r;
    return ebm_made_finish(m, GIBBS_OK, q);
}

gibbs_status ebm_proposal_regression_fit(const ebm_data *data, int64_t given, double nu, double widen,
                                         const gibbs_allocator *allocator, ebm_proposal **q, gibbs_error *error)
{
    GIBBS_REQUIRE("regression", data && q, error);
    *q = NULL;
    gibbs_allocator a = gibbs_allocator_or_default(allocator);
    if (gibbs_allocator_check(allocator, error)) return GIBBS_ARGUMENT;
    gibbs_status status = ebm_data_check(data, error);
    if (status) return status;
    if (given < 1 || given >= data->cols)
        return gibbs_fail(error, GIBBS_ARGUMENT,
                          "regression: %lld of %lld columns are given; at least one must be, and "
                          "one not",
                          (long long)given, (long long)data->cols);
    double *coefficient = gibbs_alloc(&a, (size_t)(1 + given) * (size_t)(data->cols - given), sizeof *coefficient);
    if (!coefficient) return gibbs_fail(error, GIBBS_MEMORY, "regression: out of memory");
    status = fit(data, given, nu, widen, &a, coefficient, q, error);
    gibbs_release(&a, coefficient);
    return status;
}
