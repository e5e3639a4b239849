/* monte_carlo_ml.c — maximum likelihood of an energy that is affine in θ, E = E₀(x) − θ·s(x), by draws at some θ₀ that
 * are weighed for others (Geyer & Thompson 1992): with weights w = exp((θ − θ₀)·s) the likelihood's ratio is
 *
 *     ℓ(θ) − ℓ(θ₀) = (θ − θ₀)·s_obs − log mean w
 *
 * whose Hessian is minus the weighted covariance of s. Far from θ₀ there is no maximum, as s_obs lies outside of what
 * was drawn: then it is s̄ + γ(s_obs − s̄) that is fitted, with the largest γ for which s̄ + 1.05γ(s_obs − s̄) lies
 * within the convex hull of the draws (Hummel, Hunter & Handcock 2012), and drawn again there. Twice γ = 1, and it
 * ends. */
#include "base/options.h"
#include "ebm/data/data_private.h"
#include "ebm/model/program.h"
#include "ebm/proposal/cholesky.h"
#include "hull.h"

#include <math.h>
#include <string.h>

static const gibbs_option numbers[] = {
    GIBBS_OPTION(ebm_mcml_options, rows, 2000, '[', 100, INFINITY, ')'),
    GIBBS_OPTION(ebm_mcml_options, rounds, 50, '[', 2, INFINITY, ')'),
};

enum { STEPS = 50 };                              /* of Newton's method */
static const double BEYOND = 1.05, LEAST_ESS = 0.05; /* of the draws */

typedef struct mcml {
    ebm_model *twin;
    const ebm_data *data;
    ebm_mcml_options o; /* filled in */
    int64_t p;
    ebm_program program;
    ad_axis axis;
    ad_var x;
    double *memory, *draws, *s, *white; /* rows × dim; rows × p; the same with covariance 1 */
    double *observed, *target, *mean;   /* p each: s_obs, what is fitted, s̄ */
    double *step, *weighted, *gradient, *trial; /* p each: θ − θ₀, the weighted mean, … */
    double *covariance, *factor, *inverse;      /* p × p */
    double *weight, *work;
    double ess;
    gibbs_error *error;
} mcml;

/* ---- Statistics ---- */

/* s = −∂E/∂θ of each row; no θ may be left in it. */
static gibbs_status build(const ebm_recording *r, mcml *m)
{
    m->axis = ad_axis_new(r->tape, "rows");
    m->x = ad_input(m->axis, "x", ad_vec(r->model->dim));
    ad_var E = ad_lift(m->axis, ebm_model_energy_at(r->model, m->x, r->theta));
    ad_var s = ad_neg(ad_jacobian(E, r->theta, r->model->parameters));
    s = ad_lift(m->axis, ad_reshape(s, ad_vec(m->p)));
    for (int k = 0; k < r->model->parameters && !ad_is_null(s); k++)
        if (ad_degree(s, r->theta[k]) != 0)
            return gibbs_fail(m->error, GIBBS_ARGUMENT, "mcml: the energy is not affine in «%s»: its draws cannot be "
                              "weighed for other parameters by statistics; take ebm_loss_pcd or ebm_loss_ml_is",
                              r->model->parameter[k].name);
    gibbs_status status = ebm_program_build(r->tape, &s, 1, NULL, &m->program, m->error);
    return status ? status : ebm_model_bind(r->model, m->program.workspace, r->theta, m->error);
}

static gibbs_status statistics(mcml *m, const double *x, int64_t rows, double *s)
{
    gibbs_status status = ad_bind(m->program.workspace, m->x, x, m->error);
    if (!status) status = ad_set_rows(m->program.workspace, m->axis, rows, m->error);
    if (!status) status = ad_run(m->program.workspace, NULL, m->error);
    if (status) return status;
    memcpy(s, ad_result(m->program.workspace, 0), (size_t)(rows * m->p) * sizeof *s);
    int64_t bad = ebm_first_not_finite(GIBBS_FLOAT64, s, rows * m->p);
    if (bad == rows * m->p) return GIBBS_OK;
    return gibbs_fail_row(m->error, GIBBS_NUMERIC, bad / m->p, "mcml: statistic %lld of row %lld is not finite",
                          (long long)(bad % m->p) + 1, (long long)(bad / m->p) + 1);
}

static gibbs_status observe(mcml *m)
{
    int64_t rows = m->data->rows;
    double total = ebm_data_weight(m->data), *s = gibbs_alloc(&m->twin->alloc, (size_t)rows, (size_t)m->p * sizeof *s);
    if (!s) return gibbs_fail(m->error, GIBBS_MEMORY, "mcml: out of memory for %lld rows", (long long)rows);
    gibbs_status status = statistics(m, m->data->x, rows, s);
    memset(m->observed, 0, (size_t)m->p * sizeof *m->observed);
    for (int64_t i = 0; !status && i < rows * m->p; i++)
        m->observed[i % m->p] += s[i] * (m->data->weight ? m->data->weight[i / m->p] : 1) / total;
    gibbs_release(&m->twin->alloc, s);
    return status;
}

static gibbs_status draw(mcml *m, int64_t round)
{
    const ebm_mcml_options *o = &m->o;
    ebm_draw_options draw = o->draw ? *o->draw : (ebm_draw_options){0};
    draw.seed = o->seed + (uint64_t)round;
    gibbs_status status =
        o->simulate ? o->simulate(m->twin->theta, o->rows, draw.seed, m->draws, o->context, m->error)
                    : ebm_model_draw(m->twin, m->data, o->rows, &draw, m->draws, NULL, m->error);
    return status ? status : statistics(m, m->draws, o->rows, m->s);
}

/* ---- Weights ---- */

/* Mean and covariance of s under the weights of θ₀ + step, and (step)·target − log mean w. */
static double weigh(mcml *m, const double *step)
{
    int64_t n = m->o.rows, p = m->p;
    double largest = -INFINITY, sum = 0, squares = 0, value = 0;
    for (int64_t r = 0; r < n; r++) {
        m->weight[r] = 0;
        for (int64_t i = 0; i < p; i++) m->weight[r] += step[i] * (m->s[r * p + i] - m->mean[i]);
        largest = fmax(largest, m->weight[r]);
    }
    for (int64_t r = 0; r < n; r++) m->weight[r] = exp(m->weight[r] - largest), sum += m->weight[r];
    memset(m->weighted, 0, (size_t)p * sizeof *m->weighted);
    for (int64_t r = 0; r < n; r++) {
        m->weight[r] /= sum;
        squares += m->weight[r] * m->weight[r];
        for (int64_t i = 0; i < p; i++) m->weighted[i] += m->weight[r] * m->s[r * p + i];
    }
    memset(m->covariance, 0, (size_t)(p * p) * sizeof *m->covariance);
    for (int64_t r = 0; r < n; r++)
        for (int64_t i = 0; i < p * p; i++)
            m->covariance[i] += m->weight[r] * (m->s[r * p + i / p] - m->weighted[i / p]) *
                                (m->s[r * p + i % p] - m->weighted[i % p]);
    m->ess = 1 / squares;
    for (int64_t i = 0; i < p; i++) value += step[i] * (m->target[i] - m->mean[i]);
    return value - largest - log(sum / (double)n);
}

/* The covariance's inverse. Statistics that do not vary by themselves determine no parameter. */
static gibbs_status invert(mcml *m)
{
    int64_t p = m->p;
    gibbs_status status = ebm_cholesky(p, m->covariance, m->inverse, NULL);
    if (status)
        return gibbs_fail(m->error, GIBBS_NUMERIC, "mcml: a statistic of the draws does not vary, or follows from "
                          "others: they do not determine the parameters");
    ebm_invert_lower(p, m->inverse, m->factor); /* L⁻¹ */
    for (int64_t i = 0; i < p; i++)
        for (int64_t j = 0; j < p; j++) {
            double sum = 0;
            for (int64_t k = i > j ? i : j; k < p; k++) sum += m->factor[k * p + i] * m->factor[k * p + j];
            m->inverse[i * p + j] = sum;
        }
    return GIBBS_OK;
}

/* The maximum for the target, from step 0, by Newton's method with halved steps. */
static gibbs_status climb(mcml *m)
{
    int64_t p = m->p;
    memset(m->step, 0, (size_t)p * sizeof *m->step);
    double value = weigh(m, m->step);
    for (int k = 0; k < STEPS; k++) {
        double decrement = 0, next = -INFINITY;
        gibbs_status status = invert(m);
        if (status) return status;
        for (int64_t i = 0; i < p; i++) m->gradient[i] = m->target[i] - m->weighted[i];
        for (int64_t i = 0; i < p * p; i++) decrement += m->gradient[i / p] * m->inverse[i] * m->gradient[i % p];
        if (decrement < 1e-18) break;
        for (double length = 1; length > 1e-6 && !(next > value); length /= 2) {
            for (int64_t i = 0; i < p; i++) {
                m->trial[i] = m->step[i];
                for (int64_t j = 0; j < p; j++) m->trial[i] += length * m->inverse[i * p + j] * m->gradient[j];
            }
            next = weigh(m, m->trial);
        }
        if (!(next > value)) break;
        value = next;
        memcpy(m->step, m->trial, (size_t)p * sizeof *m->step);
    }
    weigh(m, m->step);
    return invert(m);
}

/* ---- One round ---- */

/* Mean, and draws with the unit matrix for covariance. */
static gibbs_status whiten(mcml *m)
{
    int64_t n = m->o.rows, p = m->p;
    memset(m->step, 0, (size_t)p * sizeof *m->step);
    memset(m->mean, 0, (size_t)p * sizeof *m->mean);
    weigh(m, m->step);
    memcpy(m->mean, m->weighted, (size_t)p * sizeof *m->mean);
    gibbs_status status = invert(m);
    for (int64_t r = 0; !status && r < n; r++)
        for (int64_t i = 0; i < p; i++) {
            m->white[r * p + i] = 0;
            for (int64_t j = 0; j <= i; j++)
                m->white[r * p + i] += m->factor[i * p + j] * (m->s[r * p + j] - m->mean[j]);
        }
    return status;
}

static bool inside(mcml *m, double gamma)
{
    for (int64_t i = 0; i < m->p; i++) {
        m->trial[i] = 0;
        for (int64_t j = 0; j <= i; j++)
            m->trial[i] += m->factor[i * m->p + j] * BEYOND * gamma * (m->observed[j] - m->mean[j]);
    }
    return ebm_in_hull(m->white, m->o.rows, m->p, m->trial, m->work);
}

static double largest_gamma(mcml *m)
{
    double low = 0, high = 1;
    if (inside(m, 1)) return 1;
    for (int k = 0; k < 10; k++) {
        double middle = (low + high) / 2;
        *(inside(m, middle) ? &low : &high) = middle;
    }
    return low;
}

static gibbs_status move(mcml *m, double *gamma)
{
    gibbs_status status = whiten(m);
    if (status) return status;
    *gamma = largest_gamma(m);
    for (int k = 0; k < 10; k++) {
        for (int64_t i = 0; i < m->p; i++) m->target[i] = m->mean[i] + *gamma * (m->observed[i] - m->mean[i]);
        status = climb(m);
        if (status || m->ess >= LEAST_ESS * (double)m->o.rows) break;
        *gamma /= 2;
    }
    for (int64_t i = 0; !status && i < m->p; i++) ((double *)m->twin->theta)[i] += m->step[i];
    return status;
}

/* ---- All of them ---- */

static gibbs_status allocate(mcml *m)
{
    size_t n = (size_t)m->o.rows, p = (size_t)m->p, d = (size_t)m->twin->dim;
    m->memory = gibbs_alloc(&m->twin->alloc, n * (d + 2 * p + 1) + 9 * p + 3 * p * p, sizeof *m->memory);
    if (!m->memory) return gibbs_fail(m->error, GIBBS_MEMORY, "mcml: out of memory for %zu draws", n);
    double *at = m->memory;
    m->draws = at, at += n * d;
    m->s = at, at += n * p;
    m->white = at, at += n * p;
    m->weight = at, at += n;
    double **const small[] = {&m->observed, &m->target, &m->mean, &m->step, &m->weighted, &m->gradient, &m->trial};
    for (int k = 0; k < GIBBS_COUNT(small); k++) *small[k] = at, at += p;
    m->work = at, at += 2 * p;
    m->covariance = at, m->factor = at + p * p, m->inverse = at + 2 * p * p;
    return GIBBS_OK;
}

static gibbs_status climb_all(mcml *m, ebm_mcml *r)
{
    gibbs_status status = observe(m);
    int settled = 0;
    for (r->rounds = 0; !status && settled < 2 && r->rounds < m->o.rounds; r->rounds++) {
        status = draw(m, r->rounds);
        if (!status) status = move(m, &r->gamma);
        settled = r->gamma == 1 ? settled + 1 : 0;
    }
    if (status || settled == 2) return status;
    return gibbs_fail(m->error, GIBBS_NUMERIC, "mcml: after %lld rounds the data's statistics are %.2g of the way from "
                      "those of the draws: they lie at a boundary, where the likelihood has no maximum, or start "
                      "nearer",
                      (long long)r->rounds, r->gamma);
}

/* (N Cov)⁻¹, and the part of the draws, whose mean is known to Cov/ESS. */
static gibbs_status finish(mcml *m, ebm_mcml *r)
{
    int64_t p = m->p;
    double rows = m->data->weight && m->data->weight_kind == EBM_WEIGHT_COUNTS ? ebm_data_weight(m->data)
                                                                               : (double)m->data->rows;
    r->covariance = gibbs_alloc(&m->twin->alloc, (size_t)(p * (p + 2)), sizeof *r->covariance);
    if (!r->covariance) return gibbs_fail(m->error, GIBBS_MEMORY, "mcml: out of memory");
    r->allocator = m->twin->alloc;
    r->size = p;
    r->standard_error = r->covariance + p * p;
    r->monte_carlo_error = r->standard_error + p;
    r->ess = m->ess;
    for (int64_t i = 0; i < p * p; i++) r->covariance[i] = m->inverse[i] / rows;
    for (int64_t i = 0; i < p; i++) {
        r->standard_error[i] = sqrt(r->covariance[i * p + i]);
        r->monte_carlo_error[i] = sqrt(m->inverse[i * p + i] / m->ess);
    }
    return GIBBS_OK;
}

static gibbs_status run(mcml *m, ebm_mcml *r)
{
    ebm_recording recording;
    gibbs_status status = allocate(m);
    if (status) return status;
    status = ebm_recording_start("mcml", m->twin, &recording, m->error);
    if (!status) status = build(&recording, m);
    ebm_recording_end(&recording);
    if (!status) status = climb_all(m, r);
    return status ? status : finish(m, r);
}

gibbs_status ebm_monte_carlo_ml(ebm_model *model, const ebm_data *data, const ebm_mcml_options *options,
                                ebm_mcml *result, gibbs_error *error)
{
    GIBBS_REQUIRE("mcml", model && data && result, error);
    memset(result, 0, sizeof *result);
    mcml m = {.data = data, .o = options ? *options : (ebm_mcml_options){0}, .p = model->size, .error = error};
    gibbs_status status = gibbs_options_fill("mcml", numbers, GIBBS_COUNT(numbers), &m.o, error);
    if (!status) status = ebm_refuse_conditional("mcml", model, "take ebm_loss_conditional_ml or ebm_loss_pcd", error);
    if (!status) status = ebm_check_data("mcml", model, data, error);
    if (!status && (m.p < 1 || m.p > 100))
        status = gibbs_fail(error, GIBBS_ARGUMENT, "mcml: %lld parameters; from 1 to 100 can be done", (long long)m.p);
    if (!status) status = ebm_model_like(model, &m.twin, error);
    if (status) return status;
    status = run(&m, result);
    if (!status) ebm_model_set(model, m.twin->theta);
    else ebm_mcml_free(result);
    ebm_program_free(&m.program);
    gibbs_release(&model->alloc, m.memory);
    ebm_model_free(m.twin);
    return status;
}

void ebm_mcml_free(ebm_mcml *r)
{
    if (!r) return;
    if (r->covariance) gibbs_release(&r->allocator, r->covariance);
    memset(r, 0, sizeof *r);
}
