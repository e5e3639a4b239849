/* conditioned.c — E(x, ·) as the energy of a model of y. */
#include "conditioned.h"

#include "autodiff/tape/tape.h"

#include <string.h>

static ad_var energy(ad_var y, const ad_var *theta, void *context)
{
    const ebm_conditioned *c = context;
    return ebm_model_energy_at(c->model, ebm_conditioned_row(c, y), theta);
}

void ebm_conditioned_start(ebm_conditioned *c, const ebm_model *model)
{
    *c = (ebm_conditioned){.model = model};
    c->of_y = ebm_model_view(model, model->dim - model->given, model->given ? energy : NULL, c);
}

ad_var ebm_conditioned_input(ebm_conditioned *c, ad_axis axis)
{
    if (!c->model->given) return (ad_var){axis.tape, -1};
    return c->given[c->givens++] = ad_input(axis, "given columns", ad_vec(c->model->given));
}

/* The root axis's own x, handed down from parent to child. */
ad_var ebm_conditioned_given(const ebm_conditioned *c, ad_axis axis)
{
    if (!c->model->given) return (ad_var){axis.tape, -1};
    for (int32_t at = axis.id; at >= 0; at = axis.tape->axis[at].parent)
        for (int k = 0; k < c->givens; k++)
            if (ad_axis_of(c->given[k]).id == at) return ebm_value_on(axis, c->given[k]);
    return ad_fail(axis.tape, GIBBS_AXIS, "conditional: y is %s«%s», where no x is given",
                   axis.id < 0 ? "shared, not on an axis: " : "on the axis ", ad_axis_name(axis.tape, axis.id));
}

ad_var ebm_conditioned_row(const ebm_conditioned *c, ad_var y)
{
    if (!c->model->given || ad_is_null(y)) return y;
    ad_var x = ebm_conditioned_given(c, ad_axis_of(y));
    return ad_is_null(x) ? x : ad_concat(x, y, 0);
}

/* ---- Numbers ---- */

void ebm_split_rows(size_t size, int64_t rows, int64_t given, int64_t modelled, const void *from, void *x, void *y)
{
    size_t first = (size_t)given * size, second = (size_t)modelled * size;
    for (int64_t r = 0; r < rows; r++) {
        const char *row = (const char *)from + (size_t)r * (first + second);
        if (x && first) memcpy((char *)x + (size_t)r * first, row, first);
        if (y) memcpy((char *)y + (size_t)r * second, row + first, second);
    }
}

void ebm_join_rows(size_t size, int64_t rows, int64_t given, int64_t modelled, const void *x, const void *y, void *to)
{
    size_t first = (size_t)given * size, second = (size_t)modelled * size;
    for (int64_t r = 0; r < rows; r++) {
        char *row = (char *)to + (size_t)r * (first + second);
        if (x && first) memcpy(row, (const char *)x + (size_t)r * first, first);
        if (y) memcpy(row + first, (const char *)y + (size_t)r * second, second);
    }
}
