/* model.c — parameters in one flat array, and the energy that reads them. */
#include "autodiff/tape/tape.h"
#include "base/random.h"
#include "ebm/data/data_private.h"
#include "conditional.h"
#include "model.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* ---- Initial parameters ---- */

static double initial(const ebm_model_parameter *p, int64_t i, gibbs_words *words)
{
    int rank = p->shape.rank;
    int64_t cols = rank ? p->shape.dim[rank - 1] : 1, rows = p->count / cols, in = rank < 2 ? p->count : rows;
    switch (p->init) {
    case EBM_INIT_NORMAL: return p->scale * gibbs_words_normal(words);
    case EBM_INIT_GLOROT: return p->scale * sqrt(6.0 / (double)(rows + cols)) * (2 * gibbs_words_unit(words) - 1);
    case EBM_INIT_FAN_IN: return p->scale / sqrt((double)in) * (2 * gibbs_words_unit(words) - 1);
    case EBM_INIT_UNIFORM: return p->scale * (2 * gibbs_words_unit(words) - 1);
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
    if ((unsigned)p->init > EBM_INIT_UNIFORM || !isfinite(p->scale))
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

/* The energy is recorded once, on a tape that is thrown away: what is wrong with it shows now, and whether it takes
 * derivatives. */
static gibbs_status try_energy(ebm_model *model, gibbs_error *error)
{
    ebm_recording r;
    gibbs_status status = ebm_recording_start("model", model, &r, error);
    if (!status) {
        ad_axis data = ad_axis_new(r.tape, "data");
        ebm_model_energy_at(model, ad_input(data, "row", ad_vec(model->dim)), r.theta);
        model->differentiates = r.tape->derivatives > 0;
        check_one_sample(r.tape);
        ebm_conditional_try(model, data, r.theta);
        status = ebm_tape_error(r.tape, error);
    }
    ebm_recording_end(&r);
    return status;
}

static gibbs_status check_spec(const ebm_model_spec *spec, gibbs_error *error)
{
    gibbs_status status = ebm_need_count("model", "dimensions", spec->dim, 1, error);
    if (status) return status;
    if ((unsigned)spec->dtype > GIBBS_FLOAT32) return gibbs_fail(error, GIBBS_ARGUMENT, "model: unknown number type");
    if (!spec->energy && !(spec->kind && spec->kind->record))
        return gibbs_fail(error, GIBBS_ARGUMENT, "model: no energy");
    if (spec->energy && spec->kind)
        return gibbs_fail(error, GIBBS_ARGUMENT, "model: two energies; `kind` has its own `record`");
    if (spec->parameter_count < 0 || (spec->parameter_count && !spec->parameters))
        return gibbs_fail(error, GIBBS_ARGUMENT, "model: %d parameters, but no list of them", spec->parameter_count);
    return ebm_conditional_check(spec, error);
}

static gibbs_status fill_model(ebm_model *model, const ebm_model_spec *spec, gibbs_error *error)
{
    size_t labels = spec->labels ? (size_t)(spec->label_count * (spec->dim - spec->given)) : 0;
    gibbs_status status = GIBBS_OK;
    model->parameter = gibbs_alloc_zero(&model->alloc, (size_t)spec->parameter_count, sizeof *model->parameter);
    model->labels = labels ? gibbs_alloc(&model->alloc, labels, sizeof *model->labels) : NULL;
    if (!model->parameter || (labels && !model->labels))
        return gibbs_fail(error, GIBBS_MEMORY, "model: out of memory");
    if (labels) memcpy(model->labels, spec->labels, labels * sizeof *model->labels);
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
    gibbs_status status = gibbs_allocator_check(spec->allocator, error);
    if (!status) status = check_spec(spec, error);
    if (status) return status;
    gibbs_allocator a = gibbs_allocator_or_default(spec->allocator);
    ebm_model *model = gibbs_alloc(&a, 1, sizeof *model);
    if (!model) return gibbs_fail(error, GIBBS_MEMORY, "model: out of memory");
    *model = (ebm_model){.alloc = a, .dtype = spec->dtype, .dim = spec->dim, .context = spec->context,
                         .kind = spec->kind ? spec->kind : &ebm_energy_bare,
                         .energy = spec->kind ? spec->kind->record : spec->energy,
                         .given = spec->given, .label_count = spec->label_count};
    status = fill_model(model, spec, error);
    if (status) ebm_model_free(model);
    else *out = model;
    return status;
}

gibbs_status ebm_model_like(const ebm_model *model, ebm_model **out, gibbs_error *error)
{
    bool bare = model->kind == &ebm_energy_bare;
    ebm_model_spec spec = {.dtype = GIBBS_FLOAT64, .dim = model->dim, .parameter_count = model->parameters,
                           .energy = bare ? model->energy : NULL, .kind = bare ? NULL : model->kind,
                           .context = model->context, .allocator = &model->alloc, .given = model->given,
                           .labels = model->labels, .label_count = model->label_count};
    ebm_parameter *list = gibbs_alloc(&model->alloc, (size_t)model->parameters, sizeof *list);
    *out = NULL;
    if (!list) return gibbs_fail(error, GIBBS_MEMORY, "model: out of memory");
    for (int k = 0; k < model->parameters; k++) {
        const ebm_model_parameter *p = &model->parameter[k];
        list[k] = (ebm_parameter){p->name, p->shape, p->init, p->scale};
    }
    spec.parameters = list;
    gibbs_status status = ebm_model_new(&spec, out, error);
    gibbs_release(&model->alloc, list);
    if (status) return status;
    (*out)->prior = model->prior;
    (*out)->prior_context = model->prior_context;
    ebm_from_dtype(model->dtype, model->size + 1, (*out)->theta, model->theta);
    return GIBBS_OK;
}

void ebm_model_free(ebm_model *model)
{
    if (!model) return;
    gibbs_allocator a = model->alloc;
    ebm_evaluator_free(model->evaluator);
    for (int k = 0; k < model->parameters; k++) gibbs_release(&a, model->parameter[k].name);
    for (int64_t k = 0; k < model->parts; k++) ebm_model_free(model->part[k]);
    gibbs_release(&a, model->part);
    if (model->owns_context) gibbs_release(&a, model->context);
    gibbs_release(&a, model->labels);
    gibbs_release(&a, model->parameter);
    gibbs_release_aligned(&a, model->theta);
    gibbs_release(&a, model);
}

gibbs_status ebm_model_prior(ebm_model *model, ebm_prior_fn prior, void *context, gibbs_error *error)
{
    GIBBS_REQUIRE("prior", model, error);
    ebm_model with = ebm_model_view(model, model->dim, NULL, NULL);
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

/* ---- Reading and writing ---- */

gibbs_dtype ebm_model_dtype(const ebm_model *model) { return model->dtype; }
int64_t ebm_model_dim(const ebm_model *model) { return model->dim; }
int64_t ebm_model_given(const ebm_model *model) { return model ? model->given : 0; }
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
