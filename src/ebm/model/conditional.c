/* conditional.c — models of y given x: an energy of rows [x, y], and how log Z(x) is known. Where labels are listed,
 * log Z(x) = log Σ over y of exp(−E(x, y)) on a child axis, which has every label once for each row. */
#include "conditional.h"

#include "autodiff/tape/tape.h"

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

static ad_var enumerate(const ebm_model *model, ad_var x, const ad_var *theta)
{
    ad_shape shape = ad_mat(model->label_count, model->dim - model->given);
    return ad_logsumexp(ebm_conditional_scores(model, x, ad_constant_array(x.tape, shape, model->labels), theta));
}

ad_var ebm_conditional_log_z(const ebm_model *model, ad_var x, const ad_var *theta)
{
    if (ad_is_null(x)) return x;
    if (!model->given) return ad_fail(x.tape, GIBBS_ARGUMENT, "conditional: the model has no given columns");
    if (model->kind->conditional.log_z) {
        ad_var log_z = model->kind->conditional.log_z(x, theta, model->context);
        if (ad_is_null(log_z) || log_z.tape != x.tape || ad_shape_of(log_z).rank)
            return ad_fail(x.tape, GIBBS_SHAPE, "conditional: log Z(x) is no scalar of the tape");
        return log_z;
    }
    if (model->labels) return enumerate(model, x, theta);
    return ad_fail(
        x.tape, GIBBS_ARGUMENT,
        "conditional: neither labels nor a function give log Z(x) of this model: "
        "ebm_loss_exact_ml sums over options.points; score matching, ranking NCE and others need no log Z(x)");
}

ad_var ebm_conditional_log_likelihood(const ebm_model *model, ad_var row, const ad_var *theta)
{
    if (ad_is_null(row)) return row;
    if (!model->given) return ad_fail(row.tape, GIBBS_ARGUMENT, "conditional: the model has no given columns");
    ad_var log_z = ebm_conditional_log_z(model, ebm_given(row, model->given), theta);
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
    ad_var none = {x.tape, -1};
    ad_var (*formula)(ad_var, const ad_var *, void *) =
        mean ? model->kind->conditional.mean : model->kind->conditional.mode;
    if (!model->given || !formula || ad_is_null(x)) return none;
    ad_var y = formula(x, theta, model->context);
    ad_shape shape = ad_shape_of(y);
    if (ad_is_null(y) || y.tape != x.tape || shape.rank != 1 || shape.dim[0] != model->dim - model->given)
        return ad_fail(x.tape, GIBBS_SHAPE, "conditional: the %s of y is no vector of the %lld modelled columns",
                       mean ? "mean" : "mode", (long long)(model->dim - model->given));
    return y;
}

/* ---- Checks ---- */

gibbs_status ebm_conditional_check(const ebm_model_spec *spec, gibbs_error *error)
{
    int64_t width = spec->dim - spec->given, count;
    bool labels = spec->labels || spec->label_count;
    if (!spec->given && !labels) return GIBBS_OK;
    if (spec->given < 1 || width < 1)
        return gibbs_fail(error, GIBBS_ARGUMENT, "conditional: %lld of %lld columns are given; at least one must be, "
                                                 "and one not", (long long)spec->given, (long long)spec->dim);
    if (!labels) return GIBBS_OK;
    if (!spec->labels || spec->label_count < 1)
        return gibbs_fail(error, GIBBS_ARGUMENT, "conditional: %lld labels%s", (long long)spec->label_count,
                          spec->labels ? "" : ", and no list of them");
    if (!gibbs_mul_size(spec->label_count, width, &count) || count > INT32_MAX)
        return gibbs_fail(error, GIBBS_SIZE, "conditional: %lld labels are too many", (long long)spec->label_count);
    return ebm_check_points("conditional labels", spec->labels, spec->label_count, width, error);
}

void ebm_conditional_try(const ebm_model *model, ad_axis axis, const ad_var *theta)
{
    if (!model->given) return;
    ad_var x = ad_input(axis, "x", ad_vec(model->given));
    if (model->kind->conditional.log_z || model->labels) ebm_conditional_log_z(model, x, theta);
    for (int mean = 0; mean < 2; mean++) ebm_conditional_guess(model, mean, x, theta);
}
