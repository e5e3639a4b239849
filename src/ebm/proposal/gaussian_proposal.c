/* gaussian_proposal.c — Gaussian proposals: y = μ + Lε and log q(y) = −½|L⁻¹(y − μ)|² + log_norm, with a diagonal or a
 * triangular L. */
#include "cholesky.h"
#include "made.h"

#include <float.h>
#include <math.h>

#define LOG_2PI 1.83787706640934548356

/* number: 1 where L is diagonal, else 0; the mean; L and L⁻¹: their diagonals, or their transposes, for vectors that
 * are rows. */
static bool is_diagonal(const ebm_made *g) { return g->number[0] != 0; }
static const double *mean_of(const ebm_made *g) { return g->number + 1; }
static const double *factor_of(const ebm_made *g) { return mean_of(g) + g->proposal.dim; }
static const double *inverse_of(const ebm_made *g)
{
    int64_t d = g->proposal.dim;
    return factor_of(g) + (is_diagonal(g) ? d : d * d);
}

/* v times a matrix, or times its diagonal. */
static ad_var times(const ebm_made *g, ad_var v, const double *matrix)
{
    int64_t d = g->proposal.dim;
    if (is_diagonal(g)) return ad_mul(v, ebm_made_vector(g, v.tape, matrix));
    return ad_matmul(v, ad_constant_array(v.tape, ad_mat(d, d), matrix));
}

static ad_var draw(const ebm_proposal *q, ad_var normal, const ad_var *theta)
{
    (void)theta;
    const ebm_made *g = ebm_made_of(q);
    return ad_add(ebm_made_vector(g, normal.tape, mean_of(g)), times(g, normal, factor_of(g)));
}

static ad_var log_density(const ebm_proposal *q, ad_var y, const ad_var *theta)
{
    (void)theta;
    const ebm_made *g = ebm_made_of(q);
    ad_var z = times(g, ad_sub(y, ebm_made_vector(g, y.tape, mean_of(g))), inverse_of(g));
    return ad_shift(ad_scale(ad_sum(ad_square(z)), -0.5), g->log_norm);
}

/* ---- Making one ---- */

static gibbs_status gaussian_new(int64_t dim, bool diagonal, const double *mean, const gibbs_allocator *allocator,
                                 ebm_made **out, gibbs_error *error)
{
    static const ebm_proposal kind = {.name = "gaussian", .draw = draw, .log_density = log_density};
    int64_t d = dim > 0 && dim <= INT32_MAX ? dim : 0, each = diagonal ? d : d * d; /* 2d² + d < 2⁶³ */
    gibbs_status status = ebm_made_new(&kind, dim, 1 + d + 2 * each, 0, allocator, out, error);
    if (status) return status;
    ebm_made *g = *out;
    g->number[0] = diagonal;
    g->log_norm = -0.5 * LOG_2PI * (double)dim;
    status = ebm_made_columns(g, "mean", mean, -INFINITY, INFINITY, g->number + 1, error);
    return status ? ebm_made_finish(g, status, NULL) : GIBBS_OK;
}

gibbs_status ebm_proposal_gaussian_diagonal(int64_t dim, const double *mean, const double *sd,
                                            const gibbs_allocator *allocator, ebm_proposal **q, gibbs_error *error)
{
    GIBBS_REQUIRE("gaussian", q, error);
    *q = NULL;
    ebm_made *g;
    gibbs_status status = gaussian_new(dim, true, mean, allocator, &g, error);
    if (status) return status;
    double *factor = g->number + 1 + dim, *inverse = factor + dim;
    status = ebm_made_columns(g, "standard deviation", sd, DBL_MIN, INFINITY, factor, error);
    for (int64_t i = 0; i < dim && !status; i++) {
        inverse[i] = 1 / sd[i];
        g->log_norm -= log(sd[i]);
    }
    return ebm_made_finish(g, status, q);
}

static void transpose(int64_t d, double *a)
{
    for (int64_t i = 0; i < d; i++)
        for (int64_t j = 0; j < i; j++) {
            double t = a[i * d + j];
            a[i * d + j] = a[j * d + i];
            a[j * d + i] = t;
        }
}

static gibbs_status fill_full(ebm_made *g, const double *covariance, gibbs_error *error)
{
    int64_t d = g->proposal.dim;
    double *factor = g->number + 1 + d, *inverse = factor + d * d;
    gibbs_status status = ebm_cholesky(d, covariance, factor, error);
    if (status) return status;
    ebm_invert_lower(d, factor, inverse);
    for (int64_t i = 0; i < d; i++) g->log_norm -= log(factor[i * d + i]);
    transpose(d, factor);
    transpose(d, inverse);
    return GIBBS_OK;
}

gibbs_status ebm_proposal_gaussian_full(int64_t dim, const double *mean, const double *covariance,
                                        const gibbs_allocator *allocator, ebm_proposal **q, gibbs_error *error)
{
    GIBBS_REQUIRE("gaussian", q, error);
    *q = NULL;
    ebm_made *g;
    gibbs_status status = gaussian_new(dim, false, mean, allocator, &g, error);
    if (status) return status;
    status = covariance ? fill_full(g, covariance, error)
                        : gibbs_fail(error, GIBBS_ARGUMENT, "gaussian: no covariance");
    return ebm_made_finish(g, status, q);
}
