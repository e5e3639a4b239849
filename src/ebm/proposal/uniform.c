/* uniform.c — the uniform density on a box: y = low + (high − low) u, log q = −Σ ln(highᵢ − lowᵢ) inside, −∞
 * outside. */
#include "made.h"

#include <math.h>

enum { LOW, HIGH, WIDTH, ARRAYS }; /* dim numbers each */

static ad_var vector(const ebm_made *box, ad_tape *tape, int array)
{
    return ebm_made_vector(box, tape, box->number + array * box->proposal.dim);
}

/* Rounding may put low + width·u above high, where its own density would be 0. */
static ad_var draw(const ebm_proposal *q, ad_var uniform, const ad_var *theta)
{
    (void)theta;
    const ebm_made *box = ebm_made_of(q);
    ad_tape *tape = uniform.tape;
    ad_var y = ad_add(vector(box, tape, LOW), ad_mul(uniform, vector(box, tape, WIDTH)));
    return ad_min(y, vector(box, tape, HIGH));
}

/* The largest distance from the box in a column is positive outside, and NaN where y is. */
static ad_var log_density(const ebm_proposal *q, ad_var y, const ad_var *theta)
{
    (void)theta;
    const ebm_made *box = ebm_made_of(q);
    ad_var below = ad_sub(vector(box, y.tape, LOW), y), above = ad_sub(y, vector(box, y.tape, HIGH));
    ad_var outside = ad_sum(ad_step(ad_max(below, above)));
    return ad_select(outside, ad_constant(y.tape, -INFINITY), ad_constant(y.tape, box->log_norm));
}

gibbs_status ebm_proposal_uniform(int64_t dim, const double *low, const double *high, const gibbs_allocator *allocator,
                                  ebm_proposal **q, gibbs_error *error)
{
    static const ebm_proposal kind = {.name = "uniform", .draw = draw, .log_density = log_density};
    GIBBS_REQUIRE("uniform", q, error);
    *q = NULL;
    ebm_made *box;
    gibbs_status status = ebm_made_new(&kind, dim, ebm_made_numbers(dim, ARRAYS, 0), 0, allocator, &box, error);
    if (status) return status;
    double *width = box->number + WIDTH * dim;
    box->proposal.uniforms = dim;
    status = ebm_made_columns(box, "low end", low, -INFINITY, INFINITY, box->number + LOW * dim, error);
    if (!status)
        status = ebm_made_columns(box, "high end", high, -INFINITY, INFINITY, box->number + HIGH * dim, error);
    for (int64_t i = 0; !status && i < dim; i++) width[i] = high[i] - low[i];
    if (!status) status = ebm_made_columns(box, "width", width, 0, INFINITY, width, error);
    for (int64_t i = 0; !status && i < dim; i++) box->log_norm -= log(width[i]);
    return ebm_made_finish(box, status, q);
}

/* The range of column i, (widen − 1)/2 of itself wider on each side; no rounding where widen is 1. */
static void widened_range(const ebm_data *data, int64_t i, double widen, double *low, double *high)
{
    *low = *high = data->x[i];
    for (int64_t row = 1; row < data->rows; row++) {
        double x = data->x[row * data->cols + i];
        if (x < *low) *low = x;
        if (x > *high) *high = x;
    }
    double more = (widen - 1) / 2 * (*high - *low);
    *low -= more;
    *high += more;
}

gibbs_status ebm_proposal_uniform_fit(const ebm_data *data, double widen, const gibbs_allocator *allocator,
                                      ebm_proposal **q, gibbs_error *error)
{
    GIBBS_REQUIRE("uniform", data && q, error);
    *q = NULL;
    gibbs_allocator a = gibbs_allocator_or_default(allocator);
    if (gibbs_allocator_check(allocator, error)) return GIBBS_ARGUMENT;
    if (!(widen > 0 && isfinite(widen)))
        return gibbs_fail(error, GIBBS_ARGUMENT, "uniform: widen is %g; it must be positive and finite", widen);
    gibbs_status status = ebm_data_check(data, error);
    if (status) return status;
    double *low = gibbs_alloc(&a, (size_t)data->cols, 2 * sizeof *low), *high = low + data->cols;
    if (!low) return gibbs_fail(error, GIBBS_MEMORY, "uniform: out of memory");
    for (int64_t i = 0; !status && i < data->cols; i++) {
        widened_range(data, i, widen, &low[i], &high[i]);
        if (!(low[i] < high[i]))
            status = gibbs_fail(error, GIBBS_NUMERIC, "uniform: column %lld is always %g, which makes no box",
                                (long long)i + 1, low[i]);
    }
    if (!status) status = ebm_proposal_uniform(data->cols, low, high, &a, q, error);
    gibbs_release(&a, low);
    return status;
}
