/* curvature.c — value, gradient and Hessian of a loss, and the squares of what each sample adds to its gradient.
 *
 * The last is the derivative by a sample's weight, less its average (standard_errors.c). A loss over all pairs of rows
 * weighs pair (i, j) by ωᵢωⱼ: its derivative is collected at both rows.
 *
 * Where rows have weights w, the derivative aₙ has its wₙ. A sampling weight is a number of the row, and Σ aaᵀ stands; a
 * count says that wₙ rows brought aₙ/wₙ each: Σ w (a/w)(a/w)ᵀ, less the average over Σ w rows. */
#include "curvature.h"
#include "autodiff/derive/derive.h"

#include <string.h>

/* What the plan computes; the noise part last, where there is one. */
enum { VALUE, GRADIENT, HESSIAN, SQUARES, SUMS, NOISE_SQUARES, NOISE_SUMS, OUTPUTS };

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

/* The objective's loss once more, on its own tape, where it finds its own nodes. */
static gibbs_status record(ebm_curvature *c, ad_var *out, gibbs_error *error)
{
    ebm_objective *o = c->objective;
    ebm_graph graph = o->graph;
    int parameters = o->model->parameters + (o->loss->learns_log_z != 0);
    ad_var L = o->loss->record(&graph), all = {o->tape, -1}, g[EBM_MOST_CURVED];
    if (ad_is_null(L)) return ebm_tape_error(o->tape, error);
    if (holds_constant(o, L, parameters))
        ad_fail(o->tape, GIBBS_ARGUMENT, "standard errors: %s holds a part that depends on the parameters constant; "
                "its gradient is that of no function", o->loss->name);
    ad_var minimised = ad_is_null(o->prior) ? L : ad_add(L, o->prior);
    if (!ad_grad(minimised, o->theta, parameters, g))
        for (int k = 0; k < parameters; k++) {
            g[k] = ad_reshape(g[k], ad_vec(ad_count(g[k])));
            all = k ? ad_concat(all, g[k], 0) : g[k];
        }
    out[VALUE] = minimised;
    out[GRADIENT] = all;
    out[HESSIAN] = ad_hessian(minimised, o->theta, parameters);
    ad_var u = scores(data_influence(o, L), o, parameters);
    if (c->seen > 0) record_counted(&o->graph, u, &out[SQUARES], &out[SUMS]);
    else record_squares(o->graph.data, u, &out[SQUARES], &out[SUMS]);
    c->samples = 1;
    if (o->loss->noise == EBM_NOISE_PROPOSAL && !o->by_row) { /* a row's own points are part of the row */
        ad_var v = scores(ad_influence(o->graph.noise, L), o, parameters);
        record_squares(o->graph.noise, v, &out[NOISE_SQUARES], &out[NOISE_SUMS]);
        c->samples = 2;
    }
    return ebm_tape_error(o->tape, error);
}

/* The objective's program gives way to ours: binding and drawing then fill our workspace. */
static gibbs_status compile(ebm_curvature *c, gibbs_error *error)
{
    ebm_objective *o = c->objective;
    ad_var out[OUTPUTS];
    gibbs_status status = record(c, out, error);
    ebm_program_free(&o->program);
    if (!status)
        status = ebm_program_build(o->tape, out, c->samples == 2 ? OUTPUTS : NOISE_SQUARES, NULL, &o->program, error);
    return status ? status : ebm_objective_bind_theta(o, error);
}

gibbs_status ebm_curvature_new(const ebm_model *model, const ebm_loss *loss, const ebm_loss_options *options,
                               double decay, const ebm_weighed_rows *rows, ebm_curvature *c, gibbs_error *error)
{
    ebm_loss_options weighed = options ? *options : (ebm_loss_options){0};
    weighed.weighted = rows->weight != NULL;
    int64_t size = model->size + (loss->learns_log_z != 0);
    *c = (ebm_curvature){0};
    if (size < 1 || size > EBM_MOST_CURVED)
        return gibbs_fail(error, GIBBS_ARGUMENT, "standard errors: %lld parameters; from 1 to %d can be done",
                          (long long)size, EBM_MOST_CURVED);
    c->size = size;
    c->decay = decay;
    c->seen = rows->seen;
    gibbs_status status = ebm_model_like(model, &c->twin, error);
    if (!status) status = ebm_objective_make(c->twin, loss, &weighed, false, &c->objective, error);
    if (!status) status = compile(c, error);
    if (status) ebm_curvature_free(c);
    return status;
}

void ebm_curvature_free(ebm_curvature *c)
{
    ebm_objective_free(c->objective);
    ebm_model_free(c->twin);
    *c = (ebm_curvature){0};
}

/* ---- Its results ---- */

gibbs_status ebm_curvature_bind(ebm_curvature *c, const ebm_weighed_rows *rows, uint64_t seed, gibbs_error *error)
{
    return ebm_objective_bind_rows(c->objective, rows, seed, error);
}

gibbs_status ebm_curvature_run(ebm_curvature *c, gibbs_error *error)
{
    ad_run_options options = {.seed = c->objective->seed, .threads = c->objective->options.threads};
    return ad_run(c->objective->program.workspace, &options, error);
}

static const double *result(const ebm_curvature *c, int output)
{
    return ad_result_f64(c->objective->program.workspace, output);
}

double ebm_curvature_value(const ebm_curvature *c)
{
    const double *theta = c->twin->theta;
    double value = *result(c, VALUE);
    for (int64_t i = 0; i < c->twin->size; i++) value += 0.5 * c->decay * theta[i] * theta[i];
    return value;
}

void ebm_curvature_get(const ebm_curvature *c, double *gradient, double *hessian)
{
    int64_t p = c->size;
    const double *theta = c->twin->theta;
    memcpy(gradient, result(c, GRADIENT), (size_t)p * sizeof *gradient);
    memcpy(hessian, result(c, HESSIAN), (size_t)(p * p) * sizeof *hessian);
    for (int64_t i = 0; i < c->twin->size; i++) {
        gradient[i] += c->decay * theta[i];
        hessian[i * p + i] += c->decay;
    }
}

/* Whether a parameter's u are all alike, but for rounding. */
static bool alike(double square, double sum, double rows) { return square - sum * sum / rows <= 1e-14 * square; }

void ebm_curvature_squares(const ebm_curvature *c, int sample, double *squares)
{
    int64_t p = c->size;
    double rows = (double)(sample ? c->objective->noise_rows : c->objective->rows), each = 1;
    if (!sample && c->seen > 0) each = c->seen / rows, rows = c->seen; /* 1/w was taken for weights of mean 1 */
    const double *uu = result(c, sample ? NOISE_SQUARES : SQUARES), *u = result(c, sample ? NOISE_SUMS : SUMS);
    for (int64_t i = 0; i < p; i++)
        for (int64_t j = 0; j < p; j++) {
            bool none = alike(uu[i * p + i] / each, u[i], rows) || alike(uu[j * p + j] / each, u[j], rows);
            squares[i * p + j] = none ? 0 : uu[i * p + j] / each - u[i] * u[j] / rows;
        }
}
