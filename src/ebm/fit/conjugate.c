/* conjugate.c — products with a Hessian, by the tape: H v = ∇(∇L·v). */
#include "conjugate.h"

#include "autodiff/tape/tape.h"

#include <math.h>
#include <string.h>

enum { MOST_PRODUCTS = 300 };
static const double REACHED = 1e-6; /* ‖b − Hx‖/‖b‖ */

/* ---- The program ---- */

/* out[0] is the loss, so that nothing that is bound drops out; then Hv, a parameter each. `v` has a place for each. */
static gibbs_status record(ebm_objective *o, int parameters, ad_var *v, ad_var *g, ad_var *out, gibbs_error *error)
{
    ebm_graph graph = o->graph;
    ad_var L = o->loss->record(&graph), along = {o->tape, -1};
    out[0] = ad_is_null(o->prior) ? L : ad_add(L, o->prior);
    if (ad_grad(out[0], o->theta, parameters, g)) return ebm_tape_error(o->tape, error);
    for (int k = 0; k < parameters; k++) {
        v[k] = ad_parameter(o->tape, "direction", ad_shape_of(o->theta[k]));
        ad_var part = ad_dot(g[k], v[k]);
        along = k ? ad_add(along, part) : part;
    }
    ad_grad(along, o->theta, parameters, out + 1);
    for (int k = 0; k < parameters; k++) /* each leaf is read, as a linear loss would not */
        out[1 + k] = ad_add(out[1 + k], ad_scale(v[k], 0));
    return ebm_tape_error(o->tape, error);
}

static gibbs_status compile(ebm_products *h, ad_var *v, gibbs_error *error)
{
    ebm_objective *o = h->objective;
    int parameters = o->model->parameters + (o->loss->learns_log_z != 0);
    ad_var *g = v + parameters, *out = g + parameters;
    gibbs_status status = record(o, parameters, v, g, out, error);
    ebm_program_free(&o->program);
    if (!status) status = ebm_program_build(o->tape, out, 1 + parameters, NULL, &o->program, error);
    if (!status) status = ebm_objective_bind_theta(o, error);
    double *at = h->direction;
    for (int k = 0; k < parameters && !status; k++) {
        status = ad_bind(o->program.workspace, v[k], at, error);
        at += k < o->model->parameters ? o->model->parameter[k].count : 1;
    }
    return status;
}

gibbs_status ebm_products_new(ebm_model *model, const ebm_loss *loss, const ebm_loss_options *options, double decay,
                              const ebm_weighed_rows *rows, uint64_t seed, ebm_products *h, gibbs_error *error)
{
    *h = (ebm_products){.model = model, .size = model->size + (loss->learns_log_z != 0), .decay = decay};
    size_t places = 3 * (size_t)model->parameters + 4;
    ad_var *v = gibbs_alloc(&model->alloc, places, sizeof *v);
    h->direction = gibbs_alloc_aligned(&model->alloc, (size_t)h->size, sizeof *h->direction);
    gibbs_status status = v && h->direction ? GIBBS_OK : gibbs_fail(error, GIBBS_MEMORY, "fit: out of memory");
    if (!status) status = ebm_objective_make(model, loss, options, false, &h->objective, error);
    if (!status) status = compile(h, v, error);
    if (!status) status = ebm_objective_bind_rows(h->objective, rows, seed, error);
    gibbs_release(&model->alloc, v);
    if (status) ebm_products_free(h);
    return status;
}

void ebm_products_free(ebm_products *h)
{
    ebm_objective_free(h->objective);
    if (h->model) gibbs_release_aligned(&h->model->alloc, h->direction);
    *h = (ebm_products){0};
}

/* ---- Products ---- */

gibbs_status ebm_products_times(ebm_products *h, const double *x, double *y, gibbs_error *error)
{
    ebm_objective *o = h->objective;
    memcpy(h->direction, x, (size_t)h->size * sizeof *x);
    ad_run_options options = {.seed = o->seed, .step = o->graph_step, .threads = o->options.threads};
    gibbs_status status = ad_run(o->program.workspace, &options, error);
    if (status) return status;
    int64_t at = 0;
    for (int k = 0; at < h->size; k++) {
        int64_t count = k < o->model->parameters ? o->model->parameter[k].count : 1;
        memcpy(y + at, ad_result(o->program.workspace, 1 + k), (size_t)count * sizeof *y);
        at += count;
    }
    for (int64_t i = 0; i < h->model->size; i++) y[i] += h->decay * x[i];
    return GIBBS_OK;
}

static double dot(int64_t n, const double *x, const double *y)
{
    double sum = 0;
    for (int64_t i = 0; i < n; i++) sum += x[i] * y[i];
    return sum;
}

gibbs_status ebm_products_solve(ebm_products *h, const double *b, double *x, double *form, double *work,
                                gibbs_error *error)
{
    int64_t n = h->size;
    double *rest = work, *way = rest + n, *image = way + n, now = dot(n, b, b), enough = REACHED * REACHED * now;
    memset(x, 0, (size_t)n * sizeof *x);
    memcpy(rest, b, (size_t)n * sizeof *b);
    memcpy(way, b, (size_t)n * sizeof *b);
    *form = NAN;
    for (int k = 0; k < MOST_PRODUCTS && now > enough; k++) {
        gibbs_status status = ebm_products_times(h, way, image, error);
        if (status) return status;
        double curvature = dot(n, way, image), step = now / curvature, before = now;
        if (!(curvature > 0)) return GIBBS_OK;
        for (int64_t i = 0; i < n; i++) x[i] += step * way[i], rest[i] -= step * image[i];
        now = dot(n, rest, rest);
        for (int64_t i = 0; i < n; i++) way[i] = rest[i] + now / before * way[i];
    }
    if (now <= enough) *form = dot(n, b, x);
    return GIBBS_OK;
}
