/* gaussian.c — Gaussian proposals: y = μ + Lε and log q(y) = −½|L⁻¹(y − μ)|² + log_norm, with a diagonal or a
 * triangular L. */
#include "cholesky.h"

#include <gibbs/ebm.h>
#include <math.h>
#include <string.h>

#define LOG_2PI 1.83787706640934548356

typedef struct gaussian {
    ebm_proposal proposal; /* its context points back here */
    gibbs_allocator alloc;
    bool diagonal;
    double log_norm;          /* −½ d log 2π − log det L */
    double *factor, *inverse; /* L and L⁻¹: their diagonals, or their transposes, for vectors that are rows */
    double mean[];
} gaussian;

/* v times a matrix, or times its diagonal. */
static ad_var times(const gaussian *g, ad_var v, const double *matrix)
{
    int64_t d = g->proposal.dim;
    if (g->diagonal) return ad_mul(v, ad_constant_array(v.tape, ad_vec(d), matrix));
    return ad_matmul(v, ad_constant_array(v.tape, ad_mat(d, d), matrix));
}

static ad_var mean_of(const gaussian *g, ad_tape *tape)
{
    return ad_constant_array(tape, ad_vec(g->proposal.dim), g->mean);
}

static ad_var draw(const ebm_proposal *q, ad_var normal, const ad_var *theta)
{
    (void)theta;
    const gaussian *g = q->context;
    return ad_add(mean_of(g, normal.tape), times(g, normal, g->factor));
}

static ad_var log_density(const ebm_proposal *q, ad_var y, const ad_var *theta)
{
    (void)theta;
    const gaussian *g = q->context;
    ad_var z = times(g, ad_sub(y, mean_of(g, y.tape)), g->inverse);
    return ad_shift(ad_scale(ad_sum(ad_square(z)), -0.5), g->log_norm);
}

static void release(ebm_proposal *q)
{
    gaussian *g = q->context;
    gibbs_allocator a = g->alloc;
    gibbs_release(&a, g);
}

/* ---- Making one ---- */

/* Room for the mean and two times `each` numbers, in one block. */
static gibbs_status gaussian_new(int64_t dim, bool diagonal, const double *mean, const gibbs_allocator *allocator,
                                 gaussian **out, gibbs_error *error)
{
    static const ebm_proposal proposal = {
        .name = "gaussian", .draw = draw, .log_density = log_density, .release = release,
    };
    if (dim < 1 || dim > INT32_MAX)
        return gibbs_fail(error, GIBBS_ARGUMENT, "gaussian: dim is %lld; it must be at least 1", (long long)dim);
    if (!mean) return gibbs_fail(error, GIBBS_ARGUMENT, "gaussian: no mean");
    for (int64_t i = 0; i < dim; i++)
        if (!isfinite(mean[i]))
            return gibbs_fail(error, GIBBS_ARGUMENT, "gaussian: the mean is %g in column %lld", mean[i],
                              (long long)i + 1);
    gibbs_allocator a = gibbs_allocator_or_default(allocator);
    int64_t each = diagonal ? dim : dim * dim; /* below 2⁶² */
    if (each > (PTRDIFF_MAX - (int64_t)sizeof(gaussian)) / (3 * (int64_t)sizeof(double)))
        return gibbs_fail(error, GIBBS_SIZE, "gaussian: %lld dimensions are too many", (long long)dim);
    gaussian *g = gibbs_alloc(&a, sizeof *g + (size_t)(dim + 2 * each) * sizeof(double), 1);
    if (!g) return gibbs_fail(error, GIBBS_MEMORY, "gaussian: out of memory for %lld dimensions", (long long)dim);
    *g = (gaussian){.proposal = proposal, .alloc = a, .diagonal = diagonal, .log_norm = -0.5 * LOG_2PI * (double)dim,
                    .factor = g->mean + dim, .inverse = g->mean + dim + each};
    g->proposal.dim = dim;
    g->proposal.context = g;
    memcpy(g->mean, mean, (size_t)dim * sizeof *mean);
    *out = g;
    return GIBBS_OK;
}

static gibbs_status finish(gaussian *g, gibbs_status status, ebm_proposal **q)
{
    if (status) release(&g->proposal);
    else *q = &g->proposal;
    return status;
}

static gibbs_status fill_diagonal(gaussian *g, const double *sd, gibbs_error *error)
{
    for (int64_t i = 0; i < g->proposal.dim; i++) {
        if (!(sd[i] > 0 && isfinite(sd[i]) && isfinite(1 / sd[i])))
            return gibbs_fail(error, GIBBS_ARGUMENT, "gaussian: the standard deviation is %g in column %lld", sd[i],
                              (long long)i + 1);
        g->factor[i] = sd[i];
        g->inverse[i] = 1 / sd[i];
        g->log_norm -= log(sd[i]);
    }
    return GIBBS_OK;
}

gibbs_status ebm_gaussian_diagonal(int64_t dim, const double *mean, const double *sd, const gibbs_allocator *allocator,
                                   ebm_proposal **q, gibbs_error *error)
{
    GIBBS_REQUIRE("gaussian", q, error);
    gaussian *g;
    *q = NULL;
    gibbs_status status = gaussian_new(dim, true, mean, allocator, &g, error);
    if (status) return status;
    status = sd ? fill_diagonal(g, sd, error) : gibbs_fail(error, GIBBS_ARGUMENT, "gaussian: no standard deviations");
    return finish(g, status, q);
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

static gibbs_status fill_full(gaussian *g, const double *covariance, gibbs_error *error)
{
    int64_t d = g->proposal.dim;
    gibbs_status status = ebm_cholesky(d, covariance, g->factor, error);
    if (status) return status;
    ebm_invert_lower(d, g->factor, g->inverse);
    for (int64_t i = 0; i < d; i++) g->log_norm -= log(g->factor[i * d + i]);
    transpose(d, g->factor);
    transpose(d, g->inverse);
    return GIBBS_OK;
}

gibbs_status ebm_gaussian_full(int64_t dim, const double *mean, const double *covariance,
                               const gibbs_allocator *allocator, ebm_proposal **q, gibbs_error *error)
{
    GIBBS_REQUIRE("gaussian", q, error);
    gaussian *g;
    *q = NULL;
    gibbs_status status = gaussian_new(dim, false, mean, allocator, &g, error);
    if (status) return status;
    status = covariance ? fill_full(g, covariance, error)
                        : gibbs_fail(error, GIBBS_ARGUMENT, "gaussian: no covariance");
    return finish(g, status, q);
}
