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
 * A loss over all pairs of rows weighs pair (i, j) by ωᵢωⱼ: its derivative is collected at both rows.
 *
 * Where rows have weights w, ∂ψ/∂ωₙ = aₙ has its wₙ. A sampling weight is a number of the row, and Σ aaᵀ stands; a count
 * says that wₙ rows brought aₙ/wₙ each: Σ w (a/w)(a/w)ᵀ, less the average over Σ w rows. */
#include "ebm/objective/objective.h"
#include "autodiff/derive/derive.h"
#include "base/options.h"
#include "ebm/data/data_private.h"
#include "ebm/log_z/outside.h"
#include "symmetric.h"

#include <math.h>
#include <string.h>

enum { MOST_PARAMETERS = 500 };

/* What the plan computes; the noise part last, where there is one. */
enum { GRADIENT, HESSIAN, SQUARES, SUMS, NOISE_SQUARES, NOISE_SUMS, OUTPUTS };

typedef struct sandwich {
    const gibbs_allocator *alloc;
    ebm_model *twin;           /* the model with its parameters in double */
    const ebm_data *data;
    ebm_data train, held;      /* zero without a validation split */
    ebm_proposal *fitted;
    ebm_loss_options options;
    ebm_objective *objective;
    int outputs;
    ebm_inverse inverse;
    double *weight;            /* of the rows, with mean 1, or NULL */
    double *memory;            /* the inverse, `seen`, a Hessian and two matrices more */
    gibbs_error *error;
} sandwich;

/* ---- What has no such covariance ---- */

/* True when L depends on a parameter through stop_gradient: its gradient is then not that of a function. */
static bool holds_constant(const ebm_objective *o, ad_var L, int parameters)
{
    ad_paths paths;
    bool found = false;
    if (!ad_paths_new("standard errors", L, o->theta, parameters, &paths)) return true;
    for (int64_t i = 0; i < paths.count; i++)
        found |= paths.needed[i] && paths.reads[i] && o->tape->node[i].op == OP_stop_gradient;
    ad_paths_free(o->tape, &paths);
    return found;
}

/* Points of a chain depend on the rows and on one another. */
static bool independent(ebm_noise noise)
{
    return noise == EBM_NOISE_NONE || noise == EBM_NOISE_PROPOSAL || noise == EBM_NOISE_POINTS ||
           noise == EBM_NOISE_PAIRS;
}

static gibbs_status check(const ebm_model *model, const ebm_data *data, const ebm_fit_options *o, gibbs_error *error)
{
    if (!o->loss) return gibbs_fail(error, GIBBS_ARGUMENT, "standard errors: no loss");
    gibbs_status status = ebm_check_data("standard errors", model, data, error);
    if (!status) status = ebm_objective_check_model(o->loss, model, error);
    if (status) return status;
    int64_t size = model->size + (o->loss->learns_log_z != 0);
    if (!independent(o->loss->noise))
        return gibbs_fail(error, GIBBS_ARGUMENT,
                          "standard errors: %s is no mean over independent samples: its points come from %s",
                          o->loss->name, o->loss->noise == EBM_NOISE_OTHERS ? "other rows" : "chains");
    if (size < 1 || size > MOST_PARAMETERS)
        return gibbs_fail(error, GIBBS_ARGUMENT, "standard errors: %lld parameters; from 1 to %d can be done",
                          (long long)size, MOST_PARAMETERS);
    const gibbs_option decay = GIBBS_OPTION(ebm_fit_options, weight_decay, 0, '[', 0, INFINITY, ')');
    return gibbs_options_fill("standard errors", &decay, 1, &(ebm_fit_options){.weight_decay = o->weight_decay}, error);
}

/* ---- The graph ---- */

/* uₙ before its average is taken away, as one vector. */
static ad_var scores(ad_var influence, const ebm_objective *o, int parameters)
{
    return ad_reshape(ad_jacobian(influence, o->theta, parameters), ad_vec(o->size));
}

static ad_var data_influence(const ebm_objective *o, ad_var L)
{
    const ebm_graph *g = &o->graph;
    ad_var own = ad_influence(g->data, L);
    if (o->loss->noise != EBM_NOISE_PAIRS) return own;
    ad_var pair = ad_influence(g->noise, L);
    return ad_add(own, ad_add(ad_batch_scatter_add(g->data, pair, g->first),
                              ad_batch_scatter_add(g->data, pair, g->second)));
}

static void record_squares(ad_axis axis, ad_var u, ad_var *squares, ad_var *sums)
{
    *squares = ad_batch_matmul(axis, u, u);
    *sums = ad_batch_sum(axis, u);
}

/* The same of counted rows: a/√w in the place of a, up to the mean weight. */
static void record_counted(const ebm_graph *g, ad_var a, ad_var *squares, ad_var *sums)
{
    ad_var zero = ad_constant(g->tape, 0), scale = ad_select(g->weight, ad_recip(ad_sqrt(g->weight)), zero);
    ad_var one = ad_mul(ad_reshape(scale, ad_vec(1)), a);
    *squares = ad_batch_matmul(g->data, one, one);
    *sums = ad_batch_sum(g->data, a);
}

static bool counted(const sandwich *s) { return s->weight && s->data->weight_kind == EBM_WEIGHT_COUNTS; }

/* The objective's loss once more, on its own tape, where it finds its own nodes. */
static gibbs_status record(sandwich *s, ad_var *out)
{
    ebm_objective *o = s->objective;
    ebm_graph graph = o->graph;
    int parameters = o->model->parameters + (o->loss->learns_log_z != 0);
    ad_var L = o->loss->record(&graph), all = {o->tape, -1}, g[MOST_PARAMETERS];
    if (ad_is_null(L)) return ebm_tape_error(o->tape, s->error);
    if (holds_constant(o, L, parameters))
        ad_fail(o->tape, GIBBS_ARGUMENT, "standard errors: %s holds a part that depends on the parameters constant; "
                "its gradient is that of no function", o->loss->name);
    ad_var minimised = ad_is_null(o->prior) ? L : ad_add(L, o->prior);
    if (!ad_grad(minimised, o->theta, parameters, g))
        for (int k = 0; k < parameters; k++) {
            g[k] = ad_reshape(g[k], ad_vec(ad_count(g[k])));
            all = k ? ad_concat(all, g[k], 0) : g[k];
        }
    out[GRADIENT] = all;
    out[HESSIAN] = ad_hessian(minimised, o->theta, parameters);
    ad_var u = scores(data_influence(o, L), o, parameters);
    if (counted(s)) record_counted(&o->graph, u, &out[SQUARES], &out[SUMS]);
    else record_squares(o->graph.data, u, &out[SQUARES], &out[SUMS]);
    s->outputs = NOISE_SQUARES;
    if (o->loss->noise == EBM_NOISE_PROPOSAL && !o->by_row) { /* a row's own points are part of the row */
        ad_var v = scores(ad_influence(o->graph.noise, L), o, parameters);
        record_squares(o->graph.noise, v, &out[NOISE_SQUARES], &out[NOISE_SUMS]);
        s->outputs = OUTPUTS;
    }
    return ebm_tape_error(o->tape, s->error);
}

/* The objective's program gives way to ours: binding and drawing then fill our workspace. */
static gibbs_status compile(sandwich *s)
{
    ebm_objective *o = s->objective;
    ad_var out[OUTPUTS];
    gibbs_status status = record(s, out);
    ebm_program_free(&o->program);
    if (!status) status = ebm_program_build(o->tape, out, s->outputs, NULL, &o->program, s->error);
    return status ? status : ebm_objective_bind_theta(o, s->error);
}

static gibbs_status run(sandwich *s, uint64_t seed)
{
    ebm_objective *o = s->objective;
    gibbs_status status = ebm_objective_bind(o, s->data->x, s->data->rows, s->error);
    if (!status && s->weight) status = ebm_objective_weigh(o, s->weight, s->error);
    if (!status) status = ebm_objective_refresh(o, seed, 0, s->error);
    ad_run_options options = {.seed = seed, .threads = o->options.threads};
    return status ? status : ad_run(o->program.workspace, &options, s->error);
}

/* ---- The rows, the points and the parameters of the fit ---- */

static gibbs_status weigh(sandwich *s)
{
    const ebm_data *d = s->data;
    double mean = ebm_data_weight(d) / (double)d->rows;
    s->options.weighted = d->weight != NULL;
    if (!d->weight) return GIBBS_OK;
    if (!(mean > 0)) return gibbs_fail(s->error, GIBBS_DATA, "standard errors: all rows weigh 0");
    s->weight = gibbs_alloc(s->alloc, (size_t)d->rows, sizeof *s->weight);
    if (!s->weight) return gibbs_fail(s->error, GIBBS_MEMORY, "standard errors: out of memory");
    for (int64_t r = 0; r < d->rows; r++) s->weight[r] = d->weight[r] / mean;
    return GIBBS_OK;
}

static gibbs_status prepare(sandwich *s, const ebm_model *model, const ebm_data *data, const ebm_fit_options *o)
{
    const ebm_loss *loss = o->loss;
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
    if (!status) status = weigh(s);
    if (!status) status = ebm_model_like(model, &s->twin, s->error);
    if (!status) status = ebm_objective_make(s->twin, loss, &s->options, false, &s->objective, s->error);
    if (!status) status = compile(s);
    return status ? status : run(s, o->seed);
}

static void release(sandwich *s)
{
    const gibbs_allocator *a = s->alloc;
    ebm_objective_free(s->objective);
    ebm_proposal_free(s->fitted);
    ebm_data_free(&s->train);
    ebm_data_free(&s->held);
    ebm_model_free(s->twin);
    gibbs_release(a, s->weight);
    gibbs_release(a, s->memory);
}

/* ---- From the plan's results to the covariance ---- */

static gibbs_status allocate(sandwich *s, const gibbs_allocator *a, ebm_uncertainty *r)
{
    size_t p = (size_t)s->objective->size;
    s->memory = gibbs_alloc(a, p * (4 * p + 1), sizeof *s->memory);
    r->covariance = gibbs_alloc_zero(a, p * (p + 2), sizeof *r->covariance);
    r->allocator = *a;
    if (!s->memory || !r->covariance) return gibbs_fail(s->error, GIBBS_MEMORY, "standard errors: out of memory");
    r->size = (int64_t)p;
    r->standard_error = r->covariance + p * p;
    r->noise_error = r->standard_error + p;
    s->inverse.inverse = s->memory;
    s->inverse.seen = s->memory + 4 * p * p;
    return GIBBS_OK;
}

/* Adds H⁻¹SH⁻¹, S = Σ uuᵀ/each − Σu Σuᵀ/rows, to the covariance; its diagonal goes to variance[p]. Returns tr H⁻¹S. */
static double add_sample(sandwich *s, int squares, int sums, double each, double rows, ebm_uncertainty *r,
                         double *variance)
{
    int64_t p = r->size;
    double *centred = s->memory + p * p, *work = centred + p * p, *part = work + p * p;
    const ad_workspace *w = s->objective->program.workspace;
    const double *uu = ad_result_f64(w, squares), *u = ad_result_f64(w, sums);
    double trace = 0;
    for (int64_t i = 0; i < p * p; i++) {
        centred[i] = uu[i] / each - u[i / p] * u[i % p] / rows;
        trace += centred[i] * s->inverse.inverse[i];
    }
    ebm_sandwich(p, s->inverse.inverse, centred, work, part);
    for (int64_t i = 0; i < p * p; i++) r->covariance[i] += part[i];
    for (int64_t i = 0; i < p; i++) variance[i] = fmax(part[i * p + i], 0);
    return trace;
}

/* gᵀH⁻¹g, twice what the loss may still fall by. */
static double decrement(const sandwich *s, int64_t p, double decay)
{
    const double *g = ad_result_f64(s->objective->program.workspace, GRADIENT), *theta = s->twin->theta;
    double *full = s->memory + p * p, sum = 0;
    for (int64_t i = 0; i < p; i++) full[i] = g[i] + (i < s->twin->size ? decay * theta[i] : 0);
    for (int64_t i = 0; i < p * p; i++) sum += full[i / p] * s->inverse.inverse[i] * full[i % p];
    return sum;
}

static gibbs_status finish(sandwich *s, double decay, ebm_uncertainty *r)
{
    const ebm_objective *o = s->objective;
    const gibbs_allocator *a = s->alloc;
    gibbs_status status = allocate(s, a, r);
    if (status) return status;
    int64_t p = r->size;
    double *hessian = s->memory + p * p;
    memcpy(hessian, ad_result_f64(o->program.workspace, HESSIAN), (size_t)(p * p) * sizeof *hessian);
    for (int64_t i = 0; i < s->twin->size; i++) hessian[i * p + i] += decay;
    status = ebm_invert_hessian(p, hessian, &s->inverse, a, s->error);
    if (status) return status;
    r->identified = s->inverse.rank;
    if (!r->identified)
        return gibbs_fail(s->error, GIBBS_NUMERIC,
                          "standard errors: %s does not depend on any parameter here: its curvature "
                          "is 0 (do the proposal and the data meet? are some columns constant?)",
                          o->loss->name);
    double rows = (double)o->rows, seen = counted(s) ? ebm_data_weight(s->data) : rows;
    double excess = add_sample(s, SQUARES, SUMS, seen / rows, seen, r, r->standard_error);
    if (s->outputs == OUTPUTS)
        excess += add_sample(s, NOISE_SQUARES, NOISE_SUMS, 1, (double)o->noise_rows, r, r->noise_error);
    for (int64_t i = 0; i < p; i++) {
        double unseen = s->inverse.seen[i] < 1e-8 ? NAN : 0;
        r->standard_error[i] = sqrt(r->standard_error[i] + r->noise_error[i]) + unseen;
        r->noise_error[i] = o->by_row && o->loss->noise == EBM_NOISE_PROPOSAL ? NAN : sqrt(r->noise_error[i]) + unseen;
    }
    r->newton = sqrt(fmax(decrement(s, p, decay), 0) / excess);
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

gibbs_status ebm_standard_errors(ebm_model *model, const ebm_data *data, const ebm_fit_options *options,
                                 ebm_uncertainty *result, gibbs_error *error)
{
    GIBBS_REQUIRE("standard errors", model && data && options && result, error);
    memset(result, 0, sizeof *result);
    gibbs_status status = check(model, data, options, error);
    if (status) return status;
    sandwich s = {.error = error, .alloc = &model->alloc};
    status = check_edge(model, options, error);
    if (!status) status = prepare(&s, model, data, options);
    if (!status) status = finish(&s, options->weight_decay, result);
    release(&s);
    if (status) ebm_uncertainty_free(result);
    return status;
}

void ebm_uncertainty_free(ebm_uncertainty *u)
{
    if (!u) return;
    if (u->covariance) gibbs_release(&u->allocator, u->covariance);
    memset(u, 0, sizeof *u);
}
