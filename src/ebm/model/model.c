/* model.c — parameters in one flat array, and the energy that reads them. */
#include "autodiff/tape/tape.h"
#include "base/random.h"
#include "ebm/data/data_private.h"
#include "model.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

void ebm_to_dtype(gibbs_dtype dtype, int64_t n, void *to, const double *from)
{
    if (n < 1) return; /* without numbers there may be no memory either */
    if (dtype == GIBBS_FLOAT64) memcpy(to, from, (size_t)n * sizeof *from);
    else for (int64_t i = 0; i < n; i++) ((float *)to)[i] = (float)from[i];
}

void ebm_from_dtype(gibbs_dtype dtype, int64_t n, double *to, const void *from)
{
    if (n < 1) return;
    if (dtype == GIBBS_FLOAT64) memcpy(to, from, (size_t)n * sizeof *to);
    else for (int64_t i = 0; i < n; i++) to[i] = ((const float *)from)[i];
}

gibbs_status ebm_tape_error(const ad_tape *tape, gibbs_error *error)
{
    if (!tape) return gibbs_fail(error, GIBBS_MEMORY, "out of memory for a tape");
    return ad_tape_status(tape) ? gibbs_fail(error, ad_tape_status(tape), "%s", ad_tape_message(tape)) : GIBBS_OK;
}

gibbs_status ebm_check_data(const char *who, const ebm_model *model, const ebm_data *data, gibbs_error *error)
{
    gibbs_status status = ebm_data_check(data, error);
    if (status || data->cols == model->dim) return status;
    return gibbs_fail(error, GIBBS_SHAPE, "%s: the data have %lld column%s, the model has dim %lld", who,
                      (long long)data->cols, gibbs_plural(data->cols), (long long)model->dim);
}

gibbs_status ebm_check_points(const char *what, const double *x, int64_t rows, int64_t dim, gibbs_error *error)
{
    for (int64_t i = 0; i < rows * dim; i++)
        if (!isfinite(x[i]))
            return gibbs_fail_row(error, GIBBS_DATA, i / dim, "%s: %g at row %lld, column %lld", what, x[i],
                                  (long long)(i / dim + 1), (long long)(i % dim + 1));
    return GIBBS_OK;
}

gibbs_status ebm_need_count(const char *who, const char *what, int64_t count, int64_t least, gibbs_error *error)
{
    if (count < least)
        return gibbs_fail(error, GIBBS_ARGUMENT, "%s: %lld %s; there must be at least %lld", who, (long long)count,
                          what, (long long)least);
    if (count <= INT32_MAX) return GIBBS_OK;
    return gibbs_fail(error, GIBBS_SIZE, "%s: %lld %s; there can be 2^31-1", who, (long long)count, what);
}

/* ---- Initial parameters ---- */

static double initial(const ebm_model_parameter *p, int64_t i, gibbs_words *words)
{
    int rank = p->shape.rank;
    int64_t cols = rank ? p->shape.dim[rank - 1] : 1, rows = p->count / cols;
    switch (p->init) {
    case EBM_INIT_NORMAL: return p->scale * gibbs_words_normal(words);
    case EBM_INIT_GLOROT: return p->scale * sqrt(6.0 / (double)(rows + cols)) * (2 * gibbs_words_unit(words) - 1);
    case EBM_INIT_IDENTITY: return i / cols == i % cols ? p->scale : 0;
    default: return p->scale;
    }
}

void ebm_model_reset(ebm_model *model, uint64_t seed)
{
    char *at = model->theta;
    for (int k = 0; k < model->parameters; k++) { /* a stream each: adding a parameter leaves the others' alone */
        gibbs_words words = gibbs_words_start(seed, EBM_STREAM_INIT, (uint64_t)k);
        for (int64_t i = 0; i < model->parameter[k].count; i++, at += gibbs_dtype_size(model->dtype)) {
            double v = initial(&model->parameter[k], i, &words);
            ebm_to_dtype(model->dtype, 1, at, &v);
        }
    }
}

/* ---- Making one ---- */

static gibbs_status copy_parameter(ebm_model *model, const ebm_parameter *p, gibbs_error *error)
{
    ebm_model_parameter *own = &model->parameter[model->parameters];
    const char *why = ebm_tensor_name_objection(p->name);
    if (why) return gibbs_fail(error, GIBBS_ARGUMENT, "model: parameter %d %s", model->parameters + 1, why);
    for (int k = 0; k < model->parameters; k++)
        if (!strcmp(model->parameter[k].name, p->name))
            return gibbs_fail(error, GIBBS_ARGUMENT, "model: two parameters are called «%s»", p->name);
    int64_t count = ad_shape_count(&p->shape);
    if (count < 0)
        return gibbs_fail(error, GIBBS_SIZE, "model: the shape of «%s» has a dimension below 1 or is too large",
                          p->name);
    if ((unsigned)p->init > EBM_INIT_IDENTITY || !isfinite(p->scale))
        return gibbs_fail(error, GIBBS_ARGUMENT,
                          "model: «%s» starts from an unknown rule or a scale that is not finite", p->name);
    if (p->init == EBM_INIT_IDENTITY && p->shape.rank != 2)
        return gibbs_fail(error, GIBBS_ARGUMENT, "model: «%s» starts as a unit matrix, but has %d dimensions", p->name,
                          p->shape.rank);
    *own = (ebm_model_parameter){gibbs_strdup(&model->alloc, p->name), p->shape, p->init, p->scale, model->size, count};
    if (!own->name) return gibbs_fail(error, GIBBS_MEMORY, "model: out of memory");
    model->parameters++;
    model->size += count;
    return GIBBS_OK;
}

/* E is a function of one x and of θ: no sums over a batch, no random numbers. */
static void check_one_sample(ad_tape *tape)
{
    for (int64_t i = 0; i < tape->size; i++) {
        ad_op op = tape->node[i].op;
        if (ad_ops[op].kind == KIND_BATCH || op == OP_batch_count || op == OP_normal || op == OP_uniform)
            ad_fail(tape, GIBBS_ARGUMENT, "model: the energy uses %s (node %lld); it must be a function of one x",
                    ad_ops[op].name, (long long)i);
    }
}

/* A prior is a function of θ: all leaves are its parameters. */
static void check_parameters_alone(const ebm_model *model, ad_tape *tape)
{
    int leaves = 0;
    for (int64_t i = 0; i < tape->size; i++) {
        ad_op op = tape->node[i].op;
        leaves += op == OP_input || op == OP_parameter;
        if (ad_ops[op].kind == KIND_BATCH || op == OP_batch_count || op == OP_normal || op == OP_uniform ||
            leaves > model->parameters)
            ad_fail(tape, GIBBS_ARGUMENT,
                    "prior: it uses %s (node %lld); it must be a function of the model's parameters", ad_op_said(op),
                    (long long)i);
    }
}

/* The energy is recorded once, on a tape that is thrown away: what is wrong with it shows now. */
static gibbs_status try_energy(const ebm_model *model, gibbs_error *error)
{
    ebm_recording r;
    gibbs_status status = ebm_recording_start("model", model, &r, error);
    if (!status) {
        ebm_model_energy_at(model, ad_input(ad_axis_new(r.tape, "data"), "x", ad_vec(model->dim)), r.theta);
        check_one_sample(r.tape);
        status = ebm_tape_error(r.tape, error);
    }
    ebm_recording_end(&r);
    return status;
}

static gibbs_status fill_model(ebm_model *model, const ebm_model_spec *spec, gibbs_error *error)
{
    gibbs_status status = ebm_need_count("model", "dimensions", spec->dim, 1, error);
    if (status) return status;
    if ((unsigned)spec->dtype > GIBBS_FLOAT32) return gibbs_fail(error, GIBBS_ARGUMENT, "model: unknown number type");
    if (!spec->energy) return gibbs_fail(error, GIBBS_ARGUMENT, "model: no energy");
    if (spec->parameter_count < 0 || (spec->parameter_count && !spec->parameters))
        return gibbs_fail(error, GIBBS_ARGUMENT, "model: %d parameters, but no list of them", spec->parameter_count);
    model->parameter = gibbs_alloc_zero(&model->alloc, (size_t)spec->parameter_count, sizeof *model->parameter);
    if (!model->parameter) return gibbs_fail(error, GIBBS_MEMORY, "model: out of memory");
    for (int k = 0; k < spec->parameter_count && !status; k++)
        status = copy_parameter(model, &spec->parameters[k], error);
    if (status) return status;
    model->theta = gibbs_alloc_aligned(&model->alloc, (size_t)model->size + 1, gibbs_dtype_size(model->dtype));
    if (!model->theta) return gibbs_fail(error, GIBBS_MEMORY, "model: out of memory");
    memset(model->theta, 0, ((size_t)model->size + 1) * gibbs_dtype_size(model->dtype));
    ebm_model_reset(model, spec->seed);
    return try_energy(model, error);
}

gibbs_status ebm_model_new(const ebm_model_spec *spec, ebm_model **out, gibbs_error *error)
{
    GIBBS_REQUIRE("model", spec && out, error);
    *out = NULL;
    gibbs_allocator a = gibbs_allocator_or_default(spec->allocator);
    ebm_model *model = gibbs_alloc_zero(&a, 1, sizeof *model);
    if (!model) return gibbs_fail(error, GIBBS_MEMORY, "model: out of memory");
    model->alloc = a;
    model->dtype = spec->dtype;
    model->dim = spec->dim;
    model->energy = spec->energy;
    model->context = spec->context;
    gibbs_status status = fill_model(model, spec, error);
    if (status) ebm_model_free(model);
    else *out = model;
    return status;
}

void ebm_model_free(ebm_model *model)
{
    if (!model) return;
    gibbs_allocator a = model->alloc;
    ebm_evaluator_free(model->evaluator);
    for (int k = 0; k < model->parameters; k++) gibbs_release(&a, model->parameter[k].name);
    if (model->release_context) model->release_context(&a, model->context);
    gibbs_release(&a, model->parameter);
    gibbs_release_aligned(&a, model->theta);
    gibbs_release(&a, model);
}

gibbs_status ebm_model_prior(ebm_model *model, ebm_prior_fn prior, void *context, gibbs_error *error)
{
    GIBBS_REQUIRE("prior", model, error);
    ebm_model with = *model;
    with.prior = prior;
    with.prior_context = context;
    if (prior && !model->parameters)
        return gibbs_fail(error, GIBBS_ARGUMENT, "prior: the model has no parameters");
    ebm_recording r;
    gibbs_status status = ebm_recording_start("prior", model, &r, error);
    if (!status && prior) {
        ebm_model_record_prior(&with, r.theta);
        check_parameters_alone(model, r.tape);
        status = ebm_tape_error(r.tape, error);
    }
    ebm_recording_end(&r);
    if (status) return status;
    model->prior = prior;
    model->prior_context = context;
    return GIBBS_OK;
}

/* ---- Recording ---- */

ad_var ebm_model_record_prior(const ebm_model *model, const ad_var *theta)
{
    ad_var U = model->prior(theta, model->prior_context);
    ad_tape *tape = theta[0].tape;
    if (ad_tape_status(tape)) return (ad_var){tape, -1};
    if (ad_is_null(U) || U.tape != tape)
        return ad_fail(tape, GIBBS_TAPE, "prior: it is the null var, or one of another tape");
    if (!ad_is_shared(U)) return ad_fail(tape, GIBBS_AXIS, "prior: it is per-sample; it must be one scalar");
    ad_shape shape = ad_shape_of(U);
    char text[AD_SHAPE_TEXT];
    if (shape.rank)
        return ad_fail(tape, GIBBS_SHAPE, "prior: it has shape %s; it must be one scalar, the sum of all its terms",
                       ad_shape_text(&shape, text, sizeof text));
    return U;
}

gibbs_status ebm_model_record(const ebm_model *model, ad_tape *tape, ad_var *theta)
{
    for (int k = 0; k < model->parameters; k++)
        theta[k] = ad_parameter(tape, model->parameter[k].name, model->parameter[k].shape);
    return ad_tape_status(tape);
}

gibbs_status ebm_recording_start(const char *who, const ebm_model *model, ebm_recording *r, gibbs_error *error)
{
    r->model = model;
    r->tape = ad_tape_new(model->dtype, &model->alloc);
    r->theta = gibbs_alloc(&model->alloc, (size_t)model->parameters, sizeof *r->theta);
    if (!r->tape || !r->theta) return gibbs_fail(error, GIBBS_MEMORY, "%s: out of memory", who);
    ebm_model_record(model, r->tape, r->theta);
    return ebm_tape_error(r->tape, error);
}

void ebm_recording_end(ebm_recording *r)
{
    gibbs_release(&r->model->alloc, r->theta);
    ad_tape_free(r->tape);
}

gibbs_status ebm_model_bind(const ebm_model *model, ad_workspace *workspace, const ad_var *theta, gibbs_error *error)
{
    size_t size = gibbs_dtype_size(model->dtype);
    for (int k = 0; k < model->parameters; k++) {
        gibbs_status status =
            ad_bind(workspace, theta[k], (char *)model->theta + (size_t)model->parameter[k].offset * size, error);
        if (status) return status;
    }
    return GIBBS_OK;
}

ad_var ebm_model_energy_at(const ebm_model *model, ad_var x, const ad_var *theta)
{
    ad_var E = model->energy(x, theta, model->context);
    if (!x.tape || ad_tape_status(x.tape)) return (ad_var){x.tape, -1};
    if (ad_is_null(E) || E.tape != x.tape)
        return ad_fail(x.tape, GIBBS_TAPE, "model: the energy returned the null var, or one of another tape");
    ad_shape shape = ad_shape_of(E);
    char text[AD_SHAPE_TEXT];
    if (shape.rank)
        return ad_fail(x.tape, GIBBS_SHAPE, "model: the energy has shape %s; it must be a scalar",
                       ad_shape_text(&shape, text, sizeof text));
    return E;
}

ad_var ebm_value_on(ad_axis axis, ad_var v)
{
    ad_shape shape = ad_shape_of(v);
    if (shape.rank < 0 || axis.id < 0) return (ad_var){v.tape, -1};
    const ad_axis_info *info = &axis.tape->axis[axis.id];
    if (ad_is_shared(v) || ad_axis_of(v).id == axis.id || info->parent < 0) return ad_lift(axis, v);
    v = ebm_value_on((ad_axis){axis.tape, info->parent}, v);
    shape = ad_shape_prepend(1, &shape);
    v = ad_reshape(v, shape);
    shape.dim[0] = info->count;
    return ad_ungroup(axis, ad_expand(v, shape));
}

ad_var ebm_graph_energy(const ebm_graph *graph, ad_var x) { return ebm_model_energy_at(graph->model, x, graph->theta); }

ad_var ebm_sampler_energy(const ebm_sampler_graph *graph, ad_var x)
{
    return ebm_model_energy_at(graph->model, x, graph->theta);
}

/* ---- Reading and writing ---- */

gibbs_dtype ebm_model_dtype(const ebm_model *model) { return model->dtype; }
int64_t ebm_model_dim(const ebm_model *model) { return model->dim; }
int ebm_model_parameters(const ebm_model *model) { return model->parameters; }
int64_t ebm_model_size(const ebm_model *model) { return model->size; }
void *ebm_model_theta(ebm_model *model) { return model->theta; }

const char *ebm_model_parameter_name(const ebm_model *model, int i)
{
    return i >= 0 && i < model->parameters ? model->parameter[i].name : NULL;
}

ad_shape ebm_model_parameter_shape(const ebm_model *model, int i)
{
    return i >= 0 && i < model->parameters ? model->parameter[i].shape : (ad_shape){.rank = -1};
}

void ebm_model_get(const ebm_model *model, double *theta)
{
    ebm_from_dtype(model->dtype, model->size, theta, model->theta);
}
void ebm_model_set(ebm_model *model, const double *theta)
{
    ebm_to_dtype(model->dtype, model->size, model->theta, theta);
}

/* Every name that there is, as far as they go into a sentence. */
static gibbs_status no_such_parameter(const ebm_model *model, const char *name, gibbs_error *error)
{
    char names[GIBBS_MESSAGE_SIZE / 2] = "";
    size_t used = 0;
    for (int k = 0; k < model->parameters && used < sizeof names; k++)
        used += (size_t)snprintf(names + used, sizeof names - used, "%s%s", k ? ", " : "", model->parameter[k].name);
    return gibbs_fail(error, GIBBS_ARGUMENT, "model: no parameter is called «%.100s»; there %s %s%s", name,
                      model->parameters ? "are" : "is", model->parameters ? names : "none",
                      used < sizeof names ? "" : " …");
}

gibbs_status ebm_model_value(const ebm_model *model, const char *name, double *value, gibbs_error *error)
{
    GIBBS_REQUIRE("model_value", model && name && value, error);
    for (int k = 0; k < model->parameters; k++) {
        const ebm_model_parameter *p = &model->parameter[k];
        if (strcmp(p->name, name)) continue;
        const char *theta = model->theta;
        ebm_from_dtype(model->dtype, 1, value, theta + (size_t)p->offset * gibbs_dtype_size(model->dtype));
        return GIBBS_OK;
    }
    return no_such_parameter(model, name, error);
}
