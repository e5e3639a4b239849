/* standard_errors.c — the sandwich covariance of an estimate that minimises a loss L of two independent samples.
 *
 * The data x₁ … x_N enter L through their empirical distribution F, the artificial points y₁ … y_M through G. θ̂ solves
 * ψ(F, G, θ) = ∇L = 0, so that to first order θ̂ − θ* = −H⁻¹ ψ(F, G, θ*), and by the functional delta method
 *
 *     ψ(F, G, θ*) = Σₙ uₙ + Σ_m v_m,   uₙ = ∂ψ/∂ωₙ − average, ωₙ the weight of xₙ in F; v_m likewise in G
 *
 * with independent terms of mean 0: Cov ψ = Σ uₙuₙᵀ + Σ v_m v_mᵀ, which needs no formula for each loss. A mean of ℓ has
 * ∂L/∂ωₙ = ℓ(xₙ)/N, so uₙ = (∇ℓ(xₙ) − mean ∇ℓ)/N and Σ uuᵀ = Cov(∇ℓ)/N. ML-IS has log Ẑ = log Σ ω_m w_m − log M with
 * w = exp(−E)/q: ∂/∂ω_m = w_m/Σw = w̄_m, and
 *
 *     v_m = ∇w̄_m = −w̄_m (∇E(y_m) − Σ w̄∇E),   Σ vvᵀ = (1/M) · mean (w/w̄₀)² (∇E − E_w∇E)(…)ᵀ,  w̄₀ = Σw/M
 *
 * which is the variance of a ratio estimate, as Geyer (1994) has it. NCE weighs its noise by ν = M/N, a number of the
 * design and not of the sample; each of its two parts has a mean of its own, and only their sum is 0 at θ*, hence the
 * average is taken away in each sample. The averages also take the place of the derivative of 1/Σω.
 *
 * Rows that are one, or fewer than the parameters, tell no S. The model does: S is then that of as many rows of its
 * own, Cov_p(∇ℓ)/N, over a sample of the model in the place of the data. Of maximum likelihood u is ∇E, and H⁻¹SH⁻¹ the
 * inverse of N times the information Cov_p(∇E), which alone is taken where the loss has no Hessian. */
#include "base/options.h"
#include "bootstrap.h"
#include "curvature.h"
#include "ebm/data/data_private.h"
#include "ebm/log_z/outside.h"
#include "model_sample.h"
#include "symmetric.h"

#include <math.h>
#include <string.h>

typedef struct sandwich {
    const gibbs_allocator *alloc;
    const ebm_data *data;
    ebm_data train, held;      /* zero without a validation split */
    ebm_proposal *fitted;
    ebm_loss_options options;
    ebm_weighed_rows rows;
    double *weight;            /* of the rows, with mean 1, or NULL */
    ebm_curvature curvature;
    ebm_errors_options how;    /* filled in; the method is none but automatic until it is known */
    bool alike;                /* the rows tell no S */
    bool information;          /* H is that of the likelihood, out of the model alone */
    ebm_curvature own;         /* of the model's own rows */
    ebm_model_sample model;
    ebm_inverse inverse;
    double *memory;            /* the inverse, a Hessian and two matrices more; `seen` and a gradient */
    gibbs_error *error;
} sandwich;

static const gibbs_option numbers[] = {
    GIBBS_OPTION(ebm_errors_options, method, EBM_ERRORS_AUTOMATIC, '[', 0, EBM_ERRORS_BOOTSTRAP, ']'),
    GIBBS_OPTION(ebm_errors_options, rows, 8000, '[', 100, INFINITY, ')'),
    GIBBS_OPTION(ebm_errors_options, fits, 200, '[', 10, INFINITY, ')'),
};

/* mean E(x): what of a likelihood the rows have a part in. */
static ad_var record_energy(ebm_graph *g) { return ebm_graph_data_mean(g, ebm_graph_energy(g, g->x)); }
static const ebm_loss loss_energy = {.name = "mean energy", .deterministic = 1, .record = record_energy};

/* ---- What has no such covariance ---- */

/* Points of a chain depend on the rows and on one another. */
static bool independent(ebm_noise noise)
{
    return noise == EBM_NOISE_NONE || noise == EBM_NOISE_PROPOSAL || noise == EBM_NOISE_POINTS ||
           noise == EBM_NOISE_PAIRS;
}

/* Losses whose gradient is the likelihood's, of which there is no value. */
static bool is_likelihood(ebm_noise noise)
{
    return noise == EBM_NOISE_PERSISTENT || noise == EBM_NOISE_RESAMPLED || noise == EBM_NOISE_INDEPENDENCE;
}

static gibbs_status check_loss(const ebm_loss *loss, sandwich *s, gibbs_error *error)
{
    s->information = is_likelihood(loss->noise) && s->how.method == EBM_ERRORS_MODEL;
    if (independent(loss->noise) || s->information || s->how.method == EBM_ERRORS_BOOTSTRAP) return GIBBS_OK;
    return gibbs_fail(error, GIBBS_ARGUMENT,
                      "standard errors: %s is no mean over independent samples: its points come from %s; take %s",
                      loss->name, loss->noise == EBM_NOISE_OTHERS ? "other rows" : "chains",
                      is_likelihood(loss->noise) ? "EBM_ERRORS_MODEL" : "EBM_ERRORS_BOOTSTRAP");
}

static gibbs_status check(const ebm_model *model, const ebm_data *data, const ebm_fit_options *o, sandwich *s,
                          gibbs_error *error)
{
    if (!o->loss) return gibbs_fail(error, GIBBS_ARGUMENT, "standard errors: no loss");
    gibbs_status status = ebm_check_data("standard errors", model, data, error);
    if (!status) status = ebm_objective_check_model(o->loss, model, error);
    if (!status) status = gibbs_options_fill("standard errors", numbers, GIBBS_COUNT(numbers), &s->how, error);
    if (!status) status = check_loss(o->loss, s, error);
    if (status) return status;
    const gibbs_option decay = GIBBS_OPTION(ebm_fit_options, weight_decay, 0, '[', 0, INFINITY, ')');
    return gibbs_options_fill("standard errors", &decay, 1, &(ebm_fit_options){.weight_decay = o->weight_decay}, error);
}

/* ---- The rows, the points and the parameters of the fit ---- */

static gibbs_status weigh_rows(sandwich *s)
{
    const ebm_data *d = s->data;
    double sum = ebm_data_weight(d);
    s->rows = (ebm_weighed_rows){.x = d->x, .count = d->rows};
    if (!d->weight) return GIBBS_OK;
    if (!(sum > 0)) return gibbs_fail(s->error, GIBBS_DATA, "standard errors: all rows weigh 0");
    s->weight = gibbs_alloc(s->alloc, (size_t)d->rows, sizeof *s->weight);
    if (!s->weight) return gibbs_fail(s->error, GIBBS_MEMORY, "standard errors: out of memory");
    for (int64_t r = 0; r < d->rows; r++) s->weight[r] = d->weight[r] / sum * (double)d->rows;
    s->rows.weight = s->weight;
    if (d->weight_kind == EBM_WEIGHT_COUNTS) s->rows.seen = sum;
    return GIBBS_OK;
}

static gibbs_status prepare(sandwich *s, const ebm_model *model, const ebm_data *data, const ebm_fit_options *o)
{
    const ebm_loss *loss = s->information ? &loss_energy : o->loss;
    gibbs_status status = GIBBS_OK;
    s->data = data;
    s->options = o->loss_options;
    if (o->threads) s->options.threads = o->threads;
    if (o->validation_fraction > 0) {
        status = ebm_data_split(data, o->validation_fraction, o->seed, &s->train, &s->held, NULL, s->error);
        s->data = &s->train;
    }
    if (!status)
        status = ebm_objective_default_proposal(loss, s->data, ebm_model_given(model), &model->alloc, &s->options,
                                                &s->fitted, s->error);
    if (!status) status = weigh_rows(s);
    if (!status)
        status = ebm_curvature_new(model, loss, &s->options, o->weight_decay, &s->rows, &s->curvature, s->error);
    if (!status) status = ebm_curvature_bind(&s->curvature, &s->rows, o->seed, s->error);
    return status ? status : ebm_curvature_run(&s->curvature, s->error);
}

/* The model's own rows in the place of the data. Pairs of them are too many. */
static gibbs_status prepare_model(sandwich *s, const ebm_fit_options *o)
{
    ebm_errors_options how = s->how;
    const ebm_loss *loss = s->information ? &loss_energy : o->loss;
    if (loss->noise == EBM_NOISE_PAIRS && how.rows > 500) how.rows = 500;
    ebm_model *twin = s->curvature.twin;
    const ebm_weighed_rows *rows = &s->model.rows;
    gibbs_status status = ebm_model_sample_new(twin, s->data, o->loss, &s->options, &how, &s->model, s->error);
    if (status) return status;
    status = ebm_curvature_new(twin, loss, &s->options, o->weight_decay, rows, &s->own, s->error);
    if (!status) status = ebm_curvature_bind(&s->own, rows, o->seed, s->error);
    return status ? status : ebm_curvature_run(&s->own, s->error);
}

static void release(sandwich *s)
{
    const gibbs_allocator *a = s->alloc;
    ebm_curvature_free(&s->own);
    if (s->model.x) ebm_model_sample_free(&s->model);
    ebm_curvature_free(&s->curvature);
    ebm_proposal_free(s->fitted);
    ebm_data_free(&s->train);
    ebm_data_free(&s->held);
    gibbs_release(a, s->weight);
    gibbs_release(a, s->memory);
}

/* ---- From the plan's results to the covariance ---- */

static gibbs_status allocate_result(int64_t p, const gibbs_allocator *a, ebm_uncertainty *r, gibbs_error *error)
{
    r->covariance = gibbs_alloc_zero(a, (size_t)(p * (p + 2)), sizeof *r->covariance);
    r->allocator = *a;
    if (!r->covariance) return gibbs_fail(error, GIBBS_MEMORY, "standard errors: out of memory");
    r->size = p;
    r->standard_error = r->covariance + p * p;
    r->noise_error = r->standard_error + p;
    return GIBBS_OK;
}

static gibbs_status allocate(sandwich *s, const gibbs_allocator *a, ebm_uncertainty *r)
{
    size_t p = (size_t)s->curvature.size;
    gibbs_status status = allocate_result((int64_t)p, a, r, s->error);
    if (status) return status;
    s->memory = gibbs_alloc(a, p * (4 * p + 2), sizeof *s->memory);
    if (!s->memory) return gibbs_fail(s->error, GIBBS_MEMORY, "standard errors: out of memory");
    s->inverse.inverse = s->memory;
    s->inverse.seen = s->memory + 4 * p * p;
    return GIBBS_OK;
}

/* How many rows the data are. */
static double rows_of(const sandwich *s) { return s->rows.seen > 0 ? s->rows.seen : (double)s->rows.count; }

/* S of one of the samples: of the data, or of as many rows of the model. */
static void find_squares(const sandwich *s, int sample, int64_t p, double *squares)
{
    bool model = sample == 0 && s->how.method == EBM_ERRORS_MODEL;
    ebm_curvature_squares(model ? &s->own : &s->curvature, sample, squares);
    for (int64_t i = 0; model && i < p * p; i++) squares[i] *= (double)s->model.rows.count / rows_of(s);
}

/* Adds H⁻¹SH⁻¹ of one of the samples to the covariance; its diagonal goes to variance[p]. Returns tr H⁻¹S. */
static double add_sample(sandwich *s, int sample, ebm_uncertainty *r, double *variance)
{
    int64_t p = r->size;
    double *squares = s->memory + p * p, *work = squares + p * p, *part = work + p * p, trace = 0;
    find_squares(s, sample, p, squares);
    for (int64_t i = 0; i < p * p; i++) trace += squares[i] * s->inverse.inverse[i];
    ebm_sandwich(p, s->inverse.inverse, squares, work, part);
    for (int64_t i = 0; i < p * p; i++) r->covariance[i] += part[i];
    for (int64_t i = 0; i < p; i++) variance[i] = fmax(part[i * p + i], 0);
    return trace;
}

/* gᵀH⁻¹g, twice what the loss may still fall by. */
static double decrement(const sandwich *s, int64_t p, const double *g)
{
    double sum = 0;
    for (int64_t i = 0; i < p * p; i++) sum += g[i / p] * s->inverse.inverse[i] * g[i % p];
    return sum;
}

/* Where no row's gradient differs from another's, S = 0 is no estimate of anything. Standard errors of 10⁻¹² θ are
 * rounding. */
static gibbs_status check_spread(sandwich *s, double excess, double weight)
{
    const ebm_objective *o = s->curvature.objective;
    s->alike = excess <= 1e-24 * weight;
    if (!s->alike) return GIBBS_OK;
    if (s->how.method == EBM_ERRORS_MODEL)
        return gibbs_fail(s->error, GIBBS_NUMERIC, "standard errors: rows of the model do not differ: the parameters "
                          "are at a boundary, or run away");
    return gibbs_fail(s->error, GIBBS_NUMERIC,
                      "standard errors: %s: a sandwich takes chance from how rows differ; a model of one lattice or "
                      "network has it from its own variance (EBM_ERRORS_MODEL)",
                      o->rows == 1 ? "one row" : "the rows' gradients do not differ");
}

/* θᵀHθ. */
static double weigh(const sandwich *s, int64_t p, const double *hessian)
{
    const double *theta = s->curvature.twin->theta;
    double sum = 0;
    for (int64_t i = 0; i < p * p; i++) sum += theta[i / p] * hessian[i] * theta[i % p];
    return sum;
}

/* Where the loss has none: mean ∇E of the data less that of the model, and Cov_p(∇E). */
static void find_curvature(sandwich *s, int64_t p, double *gradient, double *hessian)
{
    double *unused = hessian + p * p, *other = unused + p * p;
    ebm_curvature_get(&s->curvature, gradient, hessian);
    if (!s->information) return;
    ebm_curvature_get(&s->own, other, unused);
    ebm_curvature_squares(&s->own, 0, hessian);
    for (int64_t i = 0; i < p * p; i++) hessian[i] *= (double)s->model.rows.count;
    for (int64_t i = 0; i < p; i++) gradient[i] -= other[i];
}

static gibbs_status finish(sandwich *s, ebm_uncertainty *r)
{
    const ebm_objective *o = s->curvature.objective;
    const gibbs_allocator *a = s->alloc;
    gibbs_status status = allocate(s, a, r);
    if (status) return status;
    int64_t p = r->size;
    double *hessian = s->memory + p * p, *gradient = s->inverse.seen + p;
    find_curvature(s, p, gradient, hessian);
    double weight = weigh(s, p, hessian);
    status = ebm_invert_hessian(p, hessian, &s->inverse, a, s->error);
    if (status) return status;
    r->identified = s->inverse.rank;
    if (!r->identified)
        return gibbs_fail(s->error, GIBBS_NUMERIC,
                          "standard errors: %s does not depend on any parameter here: its curvature "
                          "is 0 (do the proposal and the data meet? are some columns constant?)",
                          o->loss->name);
    double excess = add_sample(s, 0, r, r->standard_error);
    if (s->curvature.samples == 2) excess += add_sample(s, 1, r, r->noise_error);
    status = check_spread(s, excess, weight);
    if (status) return status;
    for (int64_t i = 0; i < p; i++) {
        double unseen = s->inverse.seen[i] < 1e-8 ? NAN : 0;
        r->standard_error[i] = sqrt(r->standard_error[i] + r->noise_error[i]) + unseen;
        r->noise_error[i] = o->by_row && o->loss->noise == EBM_NOISE_PROPOSAL ? NAN : sqrt(r->noise_error[i]) + unseen;
    }
    r->newton = sqrt(fmax(decrement(s, p, gradient), 0) / excess);
    for (int64_t i = 0; i < p * p; i++)
        if (!isfinite(r->covariance[i]))
            return gibbs_fail(s->error, GIBBS_NUMERIC, "standard errors: the gradient of some sample is not finite");
    return GIBBS_OK;
}

/* Of what a box cuts off the estimate knows nothing. */
static gibbs_status check_edge(ebm_model *model, const ebm_fit_options *o, gibbs_error *error)
{
    const ebm_points *points = o->loss->noise == EBM_NOISE_POINTS ? o->loss_options.points : NULL;
    double edge = points && points->dim == model->dim ? ebm_edge(model, points) : NAN;
    if (!(edge > EBM_EDGE)) return GIBBS_OK;
    return gibbs_fail(error, GIBBS_NUMERIC, "standard errors: the density at the edge of the box of points is %.2g of its "
                      "highest: widen the box, or set its whole_domain where no x lies outside", edge);
}

/* Automatic: the model where there are no more rows than parameters, or these do not differ. */
static gibbs_status by_rows_or_model(sandwich *s, const ebm_fit_options *o, ebm_uncertainty *r)
{
    bool automatic = s->how.method == EBM_ERRORS_AUTOMATIC && !ebm_model_given(s->curvature.twin);
    if (automatic && rows_of(s) <= (double)s->curvature.size) s->how.method = EBM_ERRORS_MODEL;
    if (s->how.method != EBM_ERRORS_MODEL) {
        s->how.method = EBM_ERRORS_SANDWICH;
        gibbs_status status = finish(s, r);
        if (!s->alike || !automatic) return status;
        ebm_uncertainty_free(r);
        gibbs_release(s->alloc, s->memory);
        s->memory = NULL;
        s->how.method = EBM_ERRORS_MODEL;
    }
    gibbs_status status = prepare_model(s, o);
    return status ? status : finish(s, r);
}

/* k̂ of the artificial points, as in a fit's report: NaN where nothing can be said. */
static gibbs_status judge_weights(const sandwich *s, uint64_t seed, double *k)
{
    const ebm_objective *o = s->curvature.objective;
    ebm_importance worth = {.k = NAN};
    gibbs_error error;
    *k = NAN;
    if (o->loss->noise != EBM_NOISE_PROPOSAL || ebm_model_given(s->curvature.twin)) return GIBBS_OK;
    gibbs_status status = ebm_importance_sample(s->curvature.twin, o->options.proposal, o->noise_rows, seed, NULL, NULL,
                                                &worth, &error);
    *k = worth.k;
    return status == GIBBS_MEMORY ? gibbs_fail(s->error, status, "%s", error.message) : GIBBS_OK;
}

static gibbs_status by_bootstrap(sandwich *s, ebm_model *model, const ebm_fit_options *o, ebm_uncertainty *r)
{
    ebm_model *twin;
    gibbs_status status = ebm_refuse_weights("bootstrap", s->data, s->error);
    if (!status && s->data->rows < 2)
        status = gibbs_fail(s->error, GIBBS_ARGUMENT, "bootstrap: one row is all that can be drawn; EBM_ERRORS_MODEL "
                            "has chance from the model");
    if (!status) status = ebm_model_like(model, &twin, s->error);
    if (status) return status;
    status = allocate_result(model->size + (o->loss->learns_log_z != 0), s->alloc, r, s->error);
    if (!status) status = ebm_bootstrap(twin, s->data, o, s->how.fits, s->how.seed, r, s->error);
    ebm_model_free(twin);
    if (status) return status;
    for (int64_t i = 0, p = r->size; i < p; i++) {
        r->standard_error[i] = sqrt(r->covariance[i * p + i]);
        r->noise_error[i] = NAN;
    }
    r->identified = r->size;
    r->newton = NAN;
    return GIBBS_OK;
}

gibbs_status ebm_standard_errors_by(ebm_model *model, const ebm_data *data, const ebm_fit_options *options,
                                    const ebm_errors_options *how, ebm_uncertainty *result, gibbs_error *error)
{
    GIBBS_REQUIRE("standard errors", model && data && options && result, error);
    memset(result, 0, sizeof *result);
    sandwich s = {.error = error, .alloc = &model->alloc, .data = data, .how = how ? *how : (ebm_errors_options){0}};
    gibbs_status status = check(model, data, options, &s, error);
    if (!status) status = check_edge(model, options, error);
    if (status) return status;
    bool bootstrap = s.how.method == EBM_ERRORS_BOOTSTRAP;
    if (!bootstrap) status = prepare(&s, model, data, options);
    if (!status) status = bootstrap ? by_bootstrap(&s, model, options, result) : by_rows_or_model(&s, options, result);
    result->k = NAN;
    if (!status && !bootstrap) status = judge_weights(&s, options->seed, &result->k);
    result->method = s.how.method;
    result->draws = bootstrap ? (double)s.how.fits : s.how.method == EBM_ERRORS_MODEL ? s.model.worth : INFINITY;
    release(&s);
    if (status) ebm_uncertainty_free(result);
    return status;
}

gibbs_status ebm_standard_errors(ebm_model *model, const ebm_data *data, const ebm_fit_options *options,
                                 ebm_uncertainty *result, gibbs_error *error)
{
    return ebm_standard_errors_by(model, data, options, NULL, result, error);
}

void ebm_uncertainty_free(ebm_uncertainty *u)
{
    if (!u) return;
    if (u->covariance) gibbs_release(&u->allocator, u->covariance);
    memset(u, 0, sizeof *u);
}
