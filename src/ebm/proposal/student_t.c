/* student_t.c — independent Student t variables: y = l + s T and
 *
 *     log q(y) = Σᵢ lnΓ((ν+1)/2) − lnΓ(ν/2) − ½ ln πν − ln sᵢ − ½(ν+1) ln(1 + zᵢ²/ν),  z = (y − l)/s.
 *
 * Bailey (1994), «Polar generation of random variates with the t-distribution»: for uniforms U and V,
 * T = √(ν(U^(−2/ν) − 1)) cos 2πV has it exactly, for every ν > 0 (as ν grows it becomes Box and Muller's normal).
 * The sine would be a second t variable, but not an independent one: it is not used. */
#include "made.h"
#include "moments.h"

#include <float.h>
#include <math.h>

/* From here on all are the normal to the last digit, and 1/ν and √ν are still float32 numbers. */
static const double NORMAL = 1e30;

enum { LOCATION, SCALE, INVERSE, ARRAYS }; /* dim numbers each; ν follows */

static const double *numbers(const ebm_made *t, int array) { return t->number + array * t->proposal.dim; }

static double freedom(const ebm_made *t) { return *numbers(t, ARRAYS); }

/* With x = −(2/ν) ln U the radius is √ν √(eˣ − 1) = √ν e^(x/2) √(1 − e^−x), which overflows only where T does and
 * keeps its digits when x is small. */
static ad_var draw(const ebm_proposal *q, ad_var uniform, const ad_var *theta)
{
    (void)theta;
    const ebm_made *t = ebm_made_of(q);
    double nu = freedom(t);
    ad_var u = ad_slice(uniform, 0, 0, q->dim), v = ad_slice(uniform, 0, q->dim, q->dim);
    ad_var log_power = ad_scale(ad_log(u), 2 / nu);
    ad_var root = ad_sqrt(ad_neg(ad_expm1(log_power)));
    ad_var radius = ad_scale(ad_mul(ad_exp(ad_scale(log_power, -0.5)), root), sqrt(nu));
    ad_var standard = ad_mul(radius, ad_cos(ad_scale(v, 2 * M_PI)));
    ad_var scaled = ad_mul(standard, ebm_made_vector(t, uniform.tape, numbers(t, SCALE)));
    return ad_add(ebm_made_vector(t, uniform.tape, numbers(t, LOCATION)), scaled);
}

static ad_var log_density(const ebm_proposal *q, ad_var y, const ad_var *theta)
{
    (void)theta;
    const ebm_made *t = ebm_made_of(q);
    double nu = freedom(t);
    ad_var from = ad_sub(y, ebm_made_vector(t, y.tape, numbers(t, LOCATION)));
    ad_var z = ad_mul(from, ebm_made_vector(t, y.tape, numbers(t, INVERSE)));
    ad_var tail = ad_sum(ad_log1p(ad_scale(ad_square(z), 1 / nu)));
    return ad_shift(ad_scale(tail, -0.5 * (nu + 1)), t->log_norm);
}

/* ln of Γ((ν+1)/2) / (Γ(ν/2) √(πν)). The difference of two lgamma would lose all digits at large ν: Stirling's series
 * of lnΓ(a + ½) − lnΓ(a) − ½ ln a from a = 32 on, and below that the recurrence up to there. */
static double log_norm(double nu)
{
    double a = nu / 2, steps = 0;
    for (; a < 32; a++) steps += log1p(0.5 / a);
    double r = 1 / (a * a), series = -(1 / 8. - r * (1 / 192. - r * (1 / 640. - r * (17 / 14336.)))) / a;
    return 0.5 * (log(a) - log(nu / 2)) - 0.5 * log(2 * M_PI) + series - steps;
}

gibbs_status ebm_proposal_student_t(int64_t dim, const double *location, const double *scale, double nu,
                                    const gibbs_allocator *allocator, ebm_proposal **q, gibbs_error *error)
{
    static const ebm_proposal kind = {.name = "student_t", .draw = draw, .log_density = log_density};
    GIBBS_REQUIRE("student_t", q, error);
    *q = NULL;
    ebm_made *t;
    if (!(nu >= DBL_MIN))
        return gibbs_fail(error, GIBBS_ARGUMENT, "student_t: %g degrees of freedom; they must be positive", nu);
    if (nu > NORMAL) nu = NORMAL;
    gibbs_status status = ebm_made_new(&kind, dim, ebm_made_numbers(dim, ARRAYS, 1), 0, allocator, &t, error);
    if (status) return status;
    double *own = t->number, *inverse = own + INVERSE * dim;
    t->proposal.uniforms = 2 * dim;
    own[ARRAYS * dim] = nu;
    t->log_norm = (double)dim * log_norm(nu);
    status = ebm_made_columns(t, "location", location, -INFINITY, INFINITY, own + LOCATION * dim, error);
    if (!status) status = ebm_made_columns(t, "scale", scale, DBL_MIN, INFINITY, own + SCALE * dim, error);
    for (int64_t i = 0; !status && i < dim; i++) inverse[i] = 1 / scale[i], t->log_norm -= log(scale[i]);
    return ebm_made_finish(t, status, q);
}

gibbs_status ebm_proposal_student_t_fit(const ebm_data *data, double nu, double widen, const gibbs_allocator *allocator,
                                        ebm_proposal **q, gibbs_error *error)
{
    GIBBS_REQUIRE("student_t", data && q, error);
    *q = NULL;
    double *mean;
    gibbs_status status = ebm_moments_new("student_t", data, widen, 0, allocator, &mean, error);
    if (status) return status;
    double *sd = mean + data->cols;
    status = ebm_proposal_student_t(data->cols, mean, sd, nu, allocator, q, error);
    ebm_moments_free(mean, allocator);
    return status;
}
