/* objective.c — from a loss's recorded graph to its value and gradient. */
#include "objective.h"

#include "autodiff/tape/tape.h"
#include "base/options.h"
#include "ebm/proposal/record_proposal.h"
#include "ebm/space/space.h"
#include "source.h"

#include <math.h>
#include <string.h>

#define OPTION(...) GIBBS_OPTION(ebm_loss_options, __VA_ARGS__)

static const gibbs_option numbers[] = {
    OPTION(noise_ratio, 0, '(', 0, INFINITY, ')'), /* 0: the loss's own */
    OPTION(redraw, 0, '[', 0, EBM_REDRAW_EACH_STEP, ']'),
    OPTION(sampler_steps, 1, '[', 1, INFINITY, ')'),
    OPTION(sampler_step, 0.01, '(', 0, INFINITY, ')'),
    OPTION(buffer, 0, '[', 0, INFINITY, ')'),
    OPTION(restart, 0, '[', 0, 1, ']'),
    OPTION(noise_sd, 0.1, '(', 0, INFINITY, ')'),
    OPTION(copies, 1, '[', 1, INFINITY, ')'),
    OPTION(coefficient, 1, '(', -INFINITY, INFINITY, ')'),
    OPTION(threads, 0, '[', 0, INFINITY, ')'),
};

const gibbs_option_table ebm_loss_numbers = {numbers, GIBBS_COUNT(numbers)};

gibbs_status ebm_objective_check_loss(const ebm_loss *loss, gibbs_error *error)
{
    if (!loss || !loss->record) return gibbs_fail(error, GIBBS_ARGUMENT, "objective: no loss");
    if (!loss->name) return gibbs_fail(error, GIBBS_ARGUMENT, "objective: the loss has no name");
    if (!ebm_source_of(loss->noise))
        return gibbs_fail(error, GIBBS_ARGUMENT, "%s: the loss's noise is %d, which is no ebm_noise", loss->name,
                          (int)loss->noise);
    return loss->validation ? ebm_objective_check_loss(loss->validation, error) : GIBBS_OK;
}

/* Fills in what is 0: by the table, by the loss, and the space by the number of modelled columns. */
static gibbs_status fill_options(const ebm_loss *loss, ebm_loss_options *o, int64_t dim, gibbs_error *error)
{
    const ebm_source *source = ebm_source_of(loss->noise);
    gibbs_status status = gibbs_options_fill(loss->name, numbers, GIBBS_COUNT(numbers), o, error);
    if (!status) status = ebm_space_of_rows(loss->name, &o->space, dim, &o->space, error);
    if (status) return status;
    if (o->noise_ratio == 0) o->noise_ratio = loss->noise_ratio;
    if (!o->redraw) o->redraw = loss->redraw ? EBM_REDRAW_EACH_STEP : EBM_REDRAW_NEVER;
    if (!o->sampler) o->sampler = loss->sampler;
    if (loss->needs_proposal && !o->proposal)
        return gibbs_fail(error, GIBBS_ARGUMENT, "%s: needs a proposal", loss->name);
    if (loss->check) status = loss->check(loss, o, dim, error);
    return status || !source->check ? status : source->check(loss, o, error);
}

gibbs_status ebm_objective_check_model(const ebm_loss *loss, const ebm_model *model, gibbs_error *error)
{
    gibbs_status status = ebm_objective_check_loss(loss, error);
    if (status) return status;
    bool given = ebm_model_given(model) > 0;
    ebm_models models = ebm_source_of(loss->noise)->whole ? EBM_MODELS_WHOLE : loss->models;
    if (models == EBM_MODELS_ANY || given == (models == EBM_MODELS_CONDITIONAL)) return GIBBS_OK;
    return gibbs_fail(error, GIBBS_ARGUMENT,
                      given ? "%s: the model is conditional, and this loss compares whole rows, whose given columns it "
                              "would fit, too"
                            : "%s: the model is not conditional, it has no given columns",
                      loss->name);
}

int64_t ebm_objective_least_rows(const ebm_loss *loss)
{
    int64_t least = ebm_source_of(loss->noise)->least;
    return loss->least_rows > least ? loss->least_rows : least;
}

gibbs_status ebm_objective_check_rows(const ebm_loss *loss, const char *what, int64_t rows, gibbs_status status,
                                      gibbs_error *error)
{
    int64_t least = ebm_objective_least_rows(loss);
    if (rows >= least) return GIBBS_OK;
    return gibbs_fail(error, status, "%s compares rows: %lld are needed, %s has %lld", loss->name, (long long)least,
                      what, (long long)rows);
}

gibbs_status ebm_objective_default_proposal(const ebm_loss *loss, const ebm_data *data, int64_t given,
                                            const gibbs_allocator *a, ebm_loss_options *options, ebm_proposal **owned,
                                            gibbs_error *error)
{
    bool needed = loss->noise == EBM_NOISE_PROPOSAL || loss->needs_proposal;
    if (!needed || options->proposal) return GIBBS_OK;
    gibbs_status status = given ? ebm_proposal_regression_fit(data, given, INFINITY, 1.5, a, owned, error)
                                : ebm_proposal_gaussian_fit(data, 1, 1.5, a, owned, error);
    options->proposal = *owned;
    return status;
}

/* ---- Recording ---- */

static gibbs_status compile(ebm_objective *o, gibbs_error *error)
{
    int parameters = o->model->parameters + (o->loss->learns_log_z != 0), count = 1;
    ad_var *out = gibbs_alloc(&o->alloc, (size_t)parameters + 3, sizeof *out);
    if (!out) return gibbs_fail(error, GIBBS_MEMORY, "objective: out of memory");
    out[0] = ebm_objective_record(o);
    o->health_output = o->log_z_output = o->gradient_output = -1;
    if (!ad_is_null(o->graph.health)) out[o->health_output = count++] = o->graph.health;
    if (!ad_is_null(o->graph.log_z_estimate)) out[o->log_z_output = count++] = o->graph.log_z_estimate;
    gibbs_status status = ebm_objective_check_recording(o, out[0], error);
    if (!status && o->with_gradient && !ad_is_null(o->prior)) out[0] = ad_add(out[0], o->prior);
    if (!status && o->with_gradient && parameters) {
        o->gradient_output = count;
        ad_grad(out[0], o->theta, parameters, out + count);
        count += parameters;
    }
    if (!status) status = ebm_program_build(o->tape, out, count, NULL, &o->program, error);
    gibbs_release(&o->alloc, out);
    return status;
}

gibbs_status ebm_objective_bind_theta(ebm_objective *o, gibbs_error *error)
{
    gibbs_status status = ebm_model_bind(o->model, o->program.workspace, o->theta, error);
    if (status || !o->loss->learns_log_z) return status;
    char *last = (char *)o->model->theta + (size_t)o->model->size * gibbs_dtype_size(o->model->dtype);
    return ad_bind(o->program.workspace, o->theta[o->model->parameters], last, error);
}

static gibbs_status make_source(ebm_objective *o, gibbs_error *error)
{
    const ebm_source *source = ebm_source_of(o->loss->noise);
    gibbs_status status = GIBBS_OK;
    if (o->loss->needs_proposal)
        status = ebm_proposal_check_model(o->loss->name, o->options.proposal, o->model, true, error);
    return status || !source->make ? status : source->make(o, error);
}

gibbs_status ebm_objective_make(ebm_model *model, const ebm_loss *loss, const ebm_loss_options *options,
                                bool with_gradient, ebm_objective **out, gibbs_error *error)
{
    GIBBS_REQUIRE("objective", model && out, error);
    *out = NULL;
    ebm_loss_options chosen = options ? *options : (ebm_loss_options){0};
    gibbs_status status = ebm_objective_check_model(loss, model, error);
    if (!status) status = fill_options(loss, &chosen, model->dim - ebm_model_given(model), error);
    if (status) return status;
    ebm_objective *o = gibbs_alloc_zero(&model->alloc, 1, sizeof *o);
    if (!o) return gibbs_fail(error, GIBBS_MEMORY, "objective: out of memory");
    o->alloc = model->alloc;
    o->model = model;
    o->loss = loss;
    o->options = chosen;
    o->with_gradient = with_gradient;
    o->source_health = NAN;
    o->size = model->size + (loss->learns_log_z != 0);
    o->tape = ad_tape_new(model->dtype, &o->alloc);
    o->theta = gibbs_alloc(&o->alloc, (size_t)model->parameters + 1, sizeof *o->theta);
    o->gradient = gibbs_alloc_aligned(&o->alloc, (size_t)o->size + 1, gibbs_dtype_size(model->dtype));
    o->row = gibbs_alloc(&o->alloc, (size_t)model->dim, sizeof *o->row);
    if (!o->tape || !o->theta || !o->gradient || !o->row)
        status = gibbs_fail(error, GIBBS_MEMORY, "objective: out of memory");
    if (!status) status = make_source(o, error);
    if (!status) status = compile(o, error);
    if (!status) status = ebm_objective_bind_theta(o, error);
    if (status) ebm_objective_free(o);
    else *out = o;
    return status;
}

gibbs_status ebm_objective_new(ebm_model *model, const ebm_loss *loss, const ebm_loss_options *options,
                               ebm_objective **objective, gibbs_error *error)
{
    return ebm_objective_make(model, loss, options, true, objective, error);
}

void ebm_objective_free(ebm_objective *o)
{
    if (!o) return;
    gibbs_allocator a = o->alloc;
    ebm_source_free(o);
    ebm_program_free(&o->program);
    ad_tape_free(o->tape);
    gibbs_release(&a, o->theta);
    gibbs_release(&a, o->row);
    gibbs_release(&a, o->hull);
    gibbs_release_aligned(&a, o->gradient);
    gibbs_release_aligned(&a, o->given);
    gibbs_release_aligned(&a, o->modelled);
    ebm_objective_free_gains(o);
    gibbs_release(&a, o);
}

/* ---- Evaluating ---- */

/* How many artificial points belong to so many rows. */
static gibbs_status count_noise(const ebm_objective *o, int64_t rows, int64_t *noise_rows, gibbs_error *error)
{
    const ebm_source *source = ebm_source_of(o->loss->noise);
    double noise = !source->rows ? (double)rows : o->by_row ? (double)rows * source->rows(o, 1) : source->rows(o, rows);
    const double most = 0x1p48;
    bool fits = noise <= most && (double)rows <= most;
    if (noise < 1 || !fits)
        return gibbs_fail(error, fits ? GIBBS_ARGUMENT : GIBBS_SIZE,
                          "%s: %lld row%s and a noise ratio of %g give %g artificial points", o->loss->name,
                          (long long)rows, gibbs_plural(rows), o->options.noise_ratio, noise);
    *noise_rows = (int64_t)noise;
    return GIBBS_OK;
}

/* Memory for the two parts of a conditional model's rows. */
static gibbs_status room_apart(ebm_objective *o, int64_t rows, gibbs_error *error)
{
    int64_t given = ebm_model_given(o->model);
    if (!given || rows <= o->apart) return GIBBS_OK;
    size_t size = gibbs_dtype_size(o->model->dtype);
    void *x = gibbs_alloc_aligned(&o->alloc, (size_t)rows, (size_t)given * size);
    void *y = x ? gibbs_alloc_aligned(&o->alloc, (size_t)rows, (size_t)(o->model->dim - given) * size) : NULL;
    if (!y) {
        gibbs_release_aligned(&o->alloc, x);
        return gibbs_fail(error, GIBBS_MEMORY, "%s: out of memory for %lld rows", o->loss->name, (long long)rows);
    }
    if (o->rows) { /* what was bound stays bound until the binding is done */
        ad_bind(o->program.workspace, o->graph.given, x, NULL);
        ad_bind(o->program.workspace, o->graph.x, y, NULL);
    }
    gibbs_release_aligned(&o->alloc, o->given);
    gibbs_release_aligned(&o->alloc, o->modelled);
    o->given = x;
    o->modelled = y;
    o->apart = rows;
    return GIBBS_OK;
}

/* Before each evaluation and refresh, as other models read the caller's rows then: these may have changed. */
static void take_apart(const ebm_objective *o)
{
    int64_t given = ebm_model_given(o->model), size = (int64_t)gibbs_dtype_size(o->model->dtype);
    if (given) ebm_split_rows((size_t)size, o->rows, given, o->model->dim - given, o->x, o->given, o->modelled);
    ebm_objective_fill_gains(o);
}

static gibbs_status bind_rows(ebm_objective *o, gibbs_error *error)
{
    take_apart(o);
    if (o->gains) ad_bind(o->program.workspace, o->graph.gains, o->gains, NULL);
    if (!ebm_model_given(o->model)) return ad_bind(o->program.workspace, o->graph.x, o->x, error);
    gibbs_status status = ad_bind(o->program.workspace, o->graph.given, o->given, error);
    return status ? status : ad_bind(o->program.workspace, o->graph.x, o->modelled, error);
}

static gibbs_status bind_share(ebm_objective *o, gibbs_error *error)
{
    double share = 1 / (double)(o->whole_rows ? o->whole_rows : o->rows);
    if (ad_is_null(o->share)) return GIBBS_OK;
    ebm_to_dtype(o->model->dtype, 1, &o->share_value, &share);
    return ad_bind(o->program.workspace, o->share, &o->share_value, error);
}

/* All that can fail comes before the first thing that changes: the source's memory is the last of it. */
gibbs_status ebm_objective_bind(ebm_objective *o, const void *x, int64_t rows, gibbs_error *error)
{
    GIBBS_REQUIRE("objective", o && x, error);
    if (rows < 1) return gibbs_fail(error, GIBBS_DATA, "%s: no data", o->loss->name);
    gibbs_status status = ebm_objective_check_rows(o->loss, "the batch", rows, GIBBS_DATA, error);
    if (status) return status;
    const ebm_source *source = ebm_source_of(o->loss->noise);
    int64_t noise_rows = 0;
    status = count_noise(o, rows, &noise_rows, error);
    if (!status) status = ebm_objective_check_values(o, x, rows, error);
    if (!status) status = room_apart(o, rows, error);
    if (!status) status = ebm_objective_room_for_gains(o, rows, error);
    if (!status && source->bind) status = source->bind(o, x, rows, noise_rows, error);
    if (status) return status;
    o->x = x;
    o->weight = NULL; /* others' */
    o->rows = rows;
    o->noise_rows = noise_rows;
    if (o->loss->noise == EBM_NOISE_OTHERS) o->drawn = 0; /* they are rows of what was bound before */
    status = bind_rows(o, error);
    if (!status) status = bind_share(o, error);
    if (!status) status = ad_set_rows(o->program.workspace, o->graph.data, rows, error);
    if (status || !source->record || o->by_row) return status;
    return ad_set_rows(o->program.workspace, o->graph.noise, noise_rows, error);
}

gibbs_status ebm_objective_weigh(ebm_objective *o, const void *weight, gibbs_error *error)
{
    GIBBS_REQUIRE("objective", o && weight, error);
    if (!o->options.weighted)
        return gibbs_fail(error, GIBBS_ARGUMENT, "%s: weights are for an objective made with options.weighted",
                          o->loss->name);
    if (!o->x) return gibbs_fail(error, GIBBS_UNBOUND, "%s: no data are bound", o->loss->name);
    o->weight = weight;
    gibbs_status status = ad_bind(o->program.workspace, o->graph.weight, weight, error);
    bool noise = !ad_is_null(o->noise_weight);
    return status || !noise ? status : ad_bind(o->program.workspace, o->noise_weight, weight, error);
}

bool ebm_objective_draws(const ebm_objective *o)
{
    return o->draw || o->chains || o->weighed.plan || o->loss->noise == EBM_NOISE_OTHERS;
}

gibbs_status ebm_objective_refresh(ebm_objective *o, uint64_t seed, uint64_t step, gibbs_error *error)
{
    GIBBS_REQUIRE("objective", o, error);
    if (!o->x || (o->options.weighted && !o->weight))
        return gibbs_fail(error, GIBBS_UNBOUND, "%s: no %s are bound", o->loss->name, o->x ? "weights" : "data");
    o->seed = seed;
    o->step = step;
    o->graph_step = step;
    o->drawn = 0;
    const ebm_source *source = ebm_source_of(o->loss->noise);
    take_apart(o);
    gibbs_status status = source->refresh ? source->refresh(o, error) : GIBBS_OK;
    if (!status) o->drawn = o->noise_rows;
    return status;
}

gibbs_status ebm_objective_bind_rows(ebm_objective *o, const ebm_weighed_rows *r, uint64_t seed, gibbs_error *error)
{
    if (r->seen > 0) o->whole_rows = (int64_t)fmax(round(r->seen), 1);
    gibbs_status status = ebm_objective_bind(o, r->x, r->count, error);
    if (!status && r->weight) status = ebm_objective_weigh(o, r->weight, error);
    return status ? status : ebm_objective_refresh(o, seed, 0, error);
}

static ad_run_options run_options(const ebm_objective *o)
{
    return (ad_run_options){.seed = o->seed, .step = o->graph_step, .threads = o->options.threads};
}

static void collect_gradient(ebm_objective *o)
{
    size_t size = gibbs_dtype_size(o->model->dtype);
    char *to = o->gradient;
    for (int k = 0; k < o->model->parameters; k++) {
        size_t bytes = (size_t)o->model->parameter[k].count * size;
        memcpy(to, ad_result(o->program.workspace, o->gradient_output + k), bytes);
        to += bytes;
    }
    if (!o->loss->learns_log_z) return;
    memcpy(to, ad_result(o->program.workspace, o->gradient_output + o->model->parameters), size);
}

gibbs_status ebm_objective_evaluate(ebm_objective *o, double *value, gibbs_error *error)
{
    GIBBS_REQUIRE("objective", o, error);
    ad_run_options options = run_options(o);
    if (o->options.weighted && !o->weight)
        return gibbs_fail(error, GIBBS_UNBOUND, "%s: no weights are bound", o->loss->name);
    if (ebm_objective_draws(o) && o->drawn != o->noise_rows)
        return gibbs_fail(error, GIBBS_UNBOUND,
                          "%s: %lld artificial points are needed and %lld were drawn: refresh after binding",
                          o->loss->name, (long long)o->noise_rows, (long long)o->drawn);
    if (o->x) take_apart(o);
    gibbs_status status = ad_run(o->program.workspace, &options, error);
    if (status) return status;
    if (o->gradient_output >= 0) collect_gradient(o);
    if (value) *value = ad_result_scalar(o->program.workspace, 0);
    return GIBBS_OK;
}

gibbs_status ebm_objective_diagnose(ebm_objective *o, gibbs_error *error)
{
    ad_run_options options = run_options(o);
    options.check = 1;
    return ad_run(o->program.workspace, &options, error);
}

const void *ebm_objective_gradient(const ebm_objective *o) { return o->gradient; }
int64_t ebm_objective_size(const ebm_objective *o) { return o->size; }
void *ebm_objective_theta(ebm_objective *o) { return o->model->theta; }

double ebm_objective_health(const ebm_objective *o)
{
    if (o->health_output >= 0) return ad_result_scalar(o->program.workspace, o->health_output);
    return o->chains ? ebm_chains_acceptance(o->chains) : o->source_health;
}

double ebm_objective_log_z(const ebm_objective *o)
{
    return o->log_z_output < 0 ? NAN : ad_result_scalar(o->program.workspace, o->log_z_output);
}
