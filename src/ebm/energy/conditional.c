/* conditional.c — models of y given x: an energy of rows [x, y], and how log Z(x) is known. Where labels are listed,
 * log Z(x) = log Σ over y of exp(−E(x, y)) on a child axis, which has every label once for each row. */
#include "conditional.h"

#include "autodiff/tape/tape.h"

#include <math.h>
#include <string.h>

/* The context of a conditional model: the caller's energy and context, and how the rest is to be read. */
typedef struct conditional {
    ebm_energy_fn energy;
    void *context;
    bool owned; /* the context is released with the model */
    ebm_conditional is;
    double labels[];
} conditional;

static ad_var energy(ad_var row, const ad_var *theta, void *context)
{
    const conditional *c = context;
    return c->energy(row, theta, c->context);
}

static const conditional *find(const ebm_model *model)
{
    return model && model->energy == energy ? model->context : NULL;
}

const ebm_conditional *ebm_conditional_of(const ebm_model *model)
{
    const conditional *c = find(model);
    return c ? &c->is : NULL;
}

int64_t ebm_model_given(const ebm_model *model)
{
    const ebm_conditional *is = ebm_conditional_of(model);
    return is ? is->given : 0;
}

ad_var ebm_given(ad_var row, int64_t given) { return ad_slice(row, 0, 0, given); }

ad_var ebm_modelled(ad_var row, int64_t given)
{
    ad_shape shape = ad_shape_of(row);
    return ad_slice(row, 0, given, shape.rank == 1 ? shape.dim[0] - given : 0);
}

/* ---- log Z(x) ---- */

ad_var ebm_conditional_scores(const ebm_model *model, ad_var x, ad_var y, const ad_var *theta)
{
    if (ad_is_null(x) || ad_is_null(y)) return (ad_var){x.tape, -1};
    if (ad_is_shared(x))
        return ad_fail(x.tape, GIBBS_AXIS, "conditional: x is shared; labels are enumerated for samples of an axis");
    ad_axis child = ad_axis_child(ad_axis_of(x), ad_shape_of(y).dim[0], "labels");
    ad_var row = ad_concat(ebm_value_on(child, x), ad_ungroup(child, ad_lift(ad_axis_of(x), y)), 0);
    return ad_neg(ad_regroup(ad_lift(child, ebm_model_energy_at(model, row, theta))));
}

static ad_var enumerate(const ebm_model *model, const conditional *c, ad_var x, const ad_var *theta)
{
    ad_shape shape = ad_mat(c->is.label_count, model->dim - c->is.given);
    return ad_logsumexp(ebm_conditional_scores(model, x, ad_constant_array(x.tape, shape, c->labels), theta));
}

ad_var ebm_conditional_log_z(const ebm_model *model, ad_var x, const ad_var *theta)
{
    const conditional *c = find(model);
    if (ad_is_null(x)) return x;
    if (!c) return ad_fail(x.tape, GIBBS_ARGUMENT, "conditional: the model has no given columns");
    if (c->is.log_z) {
        ad_var log_z = c->is.log_z(x, theta, c->context);
        if (ad_is_null(log_z) || log_z.tape != x.tape || ad_shape_of(log_z).rank)
            return ad_fail(x.tape, GIBBS_SHAPE, "conditional: log Z(x) is no scalar of the tape");
        return log_z;
    }
    if (c->is.labels) return enumerate(model, c, x, theta);
    return ad_fail(
        x.tape, GIBBS_ARGUMENT,
        "conditional: neither labels nor a function give log Z(x) of this model: "
        "ebm_loss_exact_ml sums over options.points; score matching, ranking NCE and others need no log Z(x)");
}

ad_var ebm_conditional_log_likelihood(const ebm_model *model, ad_var row, const ad_var *theta)
{
    const conditional *c = find(model);
    if (ad_is_null(row)) return row;
    if (!c) return ad_fail(row.tape, GIBBS_ARGUMENT, "conditional: the model has no given columns");
    ad_var log_z = ebm_conditional_log_z(model, ebm_given(row, c->is.given), theta);
    return ad_neg(ad_add(ebm_model_energy_at(model, row, theta), log_z));
}

/* ---- Prediction ---- */

/* n, n − 1, … 1 */
static ad_var descending(ad_tape *tape, int64_t n)
{
    gibbs_allocator a = tape->alloc;
    double *number = gibbs_alloc(&a, (size_t)n, sizeof *number);
    if (!number) return ad_fail(tape, GIBBS_MEMORY, "conditional: out of memory for %lld labels", (long long)n);
    for (int64_t i = 0; i < n; i++) number[i] = (double)(n - i);
    ad_var v = ad_constant_array(tape, ad_vec(n), number);
    gibbs_release(&a, number);
    return v;
}

ad_var ebm_first_largest(ad_var v)
{
    ad_shape shape = ad_shape_of(v), column = shape;
    if (shape.rank < 1) return v;
    unsigned last = 1u << (shape.rank - 1);
    column.dim[shape.rank - 1] = 1;
    ad_var score = v;
    for (int round = 0; round < 2; round++) {
        ad_var largest = ad_reshape(ad_max_reduce_dims(score, last), column);
        v = ad_shift(ad_neg(ad_less(score, largest)), 1); /* 1 at all that are as large */
        score = ad_mul(v, descending(v.tape, shape.dim[shape.rank - 1]));
    }
    return v;
}

ad_var ebm_conditional_guess(const ebm_model *model, bool mean, ad_var x, const ad_var *theta)
{
    const conditional *c = find(model);
    ad_var none = {x.tape, -1};
    if (!c || ad_is_null(x)) return none;
    ad_var (*formula)(ad_var, const ad_var *, void *) = mean ? c->is.mean : c->is.mode;
    if (!formula) return none;
    ad_var y = formula(x, theta, c->context);
    ad_shape shape = ad_shape_of(y);
    if (ad_is_null(y) || y.tape != x.tape || shape.rank != 1 || shape.dim[0] != model->dim - c->is.given)
        return ad_fail(x.tape, GIBBS_SHAPE, "conditional: the %s of y is no vector of the %lld modelled columns",
                       mean ? "mean" : "mode", (long long)(model->dim - c->is.given));
    return y;
}

/* ---- Making one ---- */

static gibbs_status check(const ebm_model_spec *spec, const ebm_conditional *is, gibbs_error *error)
{
    if (!spec->energy) return gibbs_fail(error, GIBBS_ARGUMENT, "conditional: no energy");
    if (is->given < 1 || is->given >= spec->dim)
        return gibbs_fail(error, GIBBS_ARGUMENT, "conditional: %lld of %lld columns are given; at least one must be, "
                                                 "and one not", (long long)is->given, (long long)spec->dim);
    if (!is->labels && !is->label_count) return GIBBS_OK;
    if (!is->labels)
        return gibbs_fail(error, GIBBS_ARGUMENT, "conditional: %lld labels, and no list of them",
                          (long long)is->label_count);
    int64_t width = spec->dim - is->given, count;
    if (is->label_count < 1)
        return gibbs_fail(error, GIBBS_ARGUMENT, "conditional: %lld labels", (long long)is->label_count);
    if (!gibbs_mul_size(is->label_count, width, &count) || count > INT32_MAX)
        return gibbs_fail(error, GIBBS_SIZE, "conditional: %lld labels are too many", (long long)is->label_count);
    return ebm_check_points("conditional labels", is->labels, is->label_count, width, error);
}

static conditional *conditional_new(const gibbs_allocator *a, const ebm_model_spec *spec, const ebm_conditional *is,
                                    bool owned)
{
    size_t count = is->labels ? (size_t)(is->label_count * (spec->dim - is->given)) : 0;
    conditional *c = gibbs_alloc(a, 1, sizeof *c + count * sizeof *c->labels);
    if (!c) return NULL;
    *c = (conditional){spec->energy, spec->context, owned, *is};
    if (count) memcpy(c->labels, is->labels, count * sizeof *c->labels);
    if (count) c->is.labels = c->labels;
    return c;
}

static void release(const gibbs_allocator *a, void *context)
{
    conditional *c = context;
    if (c->owned) gibbs_release(a, c->context);
    gibbs_release(a, c);
}

/* log Z(x) and the formulas of y are recorded once, as a model's energy is: what is wrong with them shows now. */
static gibbs_status try_log_z(const ebm_model *model, const ebm_conditional *is, gibbs_error *error)
{
    ebm_recording r;
    gibbs_status status = ebm_recording_start("conditional", model, &r, error);
    if (!status) {
        ad_var x = ad_input(ad_axis_new(r.tape, "data"), "x", ad_vec(is->given));
        if (is->log_z || is->labels) ebm_conditional_log_z(model, x, r.theta);
        for (int mean = 0; mean < 2; mean++) ebm_conditional_guess(model, mean, x, r.theta);
        status = ebm_tape_error(r.tape, error);
    }
    ebm_recording_end(&r);
    return status;
}

static gibbs_status build(ebm_build *b, ebm_model_spec spec, const ebm_conditional *is, bool owned, ebm_model **model,
                          gibbs_error *error)
{
    gibbs_status status = check(&spec, is, error);
    conditional *c = !status && (spec.context || !owned) ? conditional_new(&b->alloc, &spec, is, owned) : NULL;
    if (!c && owned) gibbs_release(&b->alloc, spec.context);
    if (status) return ebm_build_drop(b), status;
    b->short_of_memory |= !c;
    spec.energy = energy;
    spec.context = c;
    status = ebm_build_model(b, spec, model, error);
    if (status && c) release(&b->alloc, c);
    if (status) return status;
    (*model)->release_context = release;
    status = try_log_z(*model, is, error);
    if (!status) return GIBBS_OK;
    ebm_model_free(*model);
    *model = NULL;
    return status;
}

gibbs_status ebm_conditional_build(ebm_build *b, ebm_model_spec spec, const ebm_conditional *is, ebm_model **model,
                                   gibbs_error *error)
{
    return build(b, spec, is, true, model, error);
}

gibbs_status ebm_model_conditional(const ebm_model_spec *spec, const ebm_conditional *is, ebm_model **model,
                                   gibbs_error *error)
{
    GIBBS_REQUIRE("conditional", spec && is && model, error);
    *model = NULL;
    if (spec->parameter_count < 0 || (spec->parameter_count && !spec->parameters))
        return gibbs_fail(error, GIBBS_ARGUMENT, "conditional: %d parameters, but no list of them",
                          spec->parameter_count);
    ebm_build b = ebm_build_start(spec->allocator);
    ebm_build_add_all(&b, NULL, spec->parameters, spec->parameter_count);
    return build(&b, *spec, is, false, model, error);
}
