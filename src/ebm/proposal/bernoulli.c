/* bernoulli.c — independent columns that are `high` with probability pᵢ and else `low` ({0, 1} or ±1):
 *
 *     log q(y) = Σ bᵢ ln pᵢ + (1 − bᵢ) ln(1 − pᵢ),  b = (y − low)/(high − low),
 *
 * which is Σ wᵢyᵢ + c with w = logit(p)/(high − low). */
#include "made.h"

#include "ebm/data/data_private.h"

#include <math.h>

enum { P, WEIGHT, ARRAYS }; /* dim numbers each; then low and high */

static const double *values(const ebm_made *b) { return b->number + ARRAYS * b->proposal.dim; }

static ad_var draw(const ebm_proposal *q, ad_var uniform, const ad_var *theta)
{
    (void)theta;
    const ebm_made *b = ebm_made_of(q);
    ad_tape *tape = uniform.tape;
    ad_var is_high = ad_less(uniform, ebm_made_vector(b, tape, b->number + P * q->dim));
    return ad_select(is_high, ad_constant(tape, values(b)[1]), ad_constant(tape, values(b)[0]));
}

static ad_var log_density(const ebm_proposal *q, ad_var y, const ad_var *theta)
{
    (void)theta;
    const ebm_made *b = ebm_made_of(q);
    return ad_shift(ad_dot(y, ebm_made_vector(b, y.tape, b->number + WEIGHT * q->dim)), b->log_norm);
}

gibbs_status ebm_proposal_bernoulli(int64_t dim, const double *p, double low, double high,
                                    const gibbs_allocator *allocator, ebm_proposal **q, gibbs_error *error)
{
    static const ebm_proposal kind = {.name = "bernoulli", .draw = draw, .log_density = log_density};
    GIBBS_REQUIRE("bernoulli", q, error);
    *q = NULL;
    ebm_made *b;
    if (!(isfinite(high - low) && high != low))
        return gibbs_fail(error, GIBBS_ARGUMENT, "bernoulli: the values %g and %g must be two finite numbers", low,
                          high);
    gibbs_status status = ebm_made_new(&kind, dim, ebm_made_numbers(dim, ARRAYS, 2), 0, allocator, &b, error);
    if (status) return status;
    double *weight = b->number + WEIGHT * dim;
    b->proposal.uniforms = dim;
    b->number[ARRAYS * dim] = low;
    b->number[ARRAYS * dim + 1] = high;
    status = ebm_made_columns(b, "probability", p, 0, 1, b->number + P * dim, error);
    for (int64_t i = 0; !status && i < dim; i++) {
        weight[i] = (log(p[i]) - log1p(-p[i])) / (high - low);
        b->log_norm += log1p(-p[i]) - low * weight[i];
    }
    return ebm_made_finish(b, status, q);
}

/* How often column i is `high`, by the rows' weights; −1 after an error. */
static double count_high(const ebm_data *data, int64_t i, double low, double high, gibbs_error *error)
{
    double count = 0;
    for (int64_t row = 0; row < data->rows; row++) {
        double x = data->x[row * data->cols + i];
        if (x == high) count += data->weight ? data->weight[row] : 1;
        else if (x != low) {
            gibbs_fail_row(error, GIBBS_DATA, row, "bernoulli: row %lld, column %lld is %g, neither %g nor %g",
                           (long long)row + 1, (long long)i + 1, x, low, high);
            return -1;
        }
    }
    return count;
}

gibbs_status ebm_proposal_bernoulli_fit(const ebm_data *data, double low, double high, double smoothing,
                                        const gibbs_allocator *allocator, ebm_proposal **q, gibbs_error *error)
{
    GIBBS_REQUIRE("bernoulli", data && q, error);
    *q = NULL;
    gibbs_allocator a = gibbs_allocator_or_default(allocator);
    if (gibbs_allocator_check(allocator, error)) return GIBBS_ARGUMENT;
    if (!(smoothing > 0 && isfinite(smoothing)))
        return gibbs_fail(error, GIBBS_ARGUMENT, "bernoulli: the smoothing is %g; it must be positive and finite",
                          smoothing);
    gibbs_status status = ebm_data_check(data, error);
    if (status) return status;
    double *p = gibbs_alloc(&a, (size_t)data->cols, sizeof *p);
    if (!p) return gibbs_fail(error, GIBBS_MEMORY, "bernoulli: out of memory");
    for (int64_t i = 0; !status && i < data->cols; i++) {
        double count = count_high(data, i, low, high, error);
        if (count < 0) status = GIBBS_DATA;
        p[i] = (count + smoothing) / (ebm_data_weight(data) + 2 * smoothing);
    }
    if (!status) status = ebm_proposal_bernoulli(data->cols, p, low, high, &a, q, error);
    gibbs_release(&a, p);
    return status;
}
