/* finite.c — the check of a run's numbers (ad_run_options.check): the first one bound, or computed, that is a NaN or an
 * infinity, said with its node, row and element. */
#include "workspace.h"

#include <stdio.h>

static gibbs_status not_finite(const ad_plan *plan, const char *what, int32_t node, int32_t axis, double v, int64_t row,
                               int64_t element, gibbs_error *error)
{
    if (axis < 0)
        return gibbs_fail(error, GIBBS_NUMERIC, "%s (node %d) is %g at element %lld", what, node, v,
                          (long long)element);
    gibbs_fail(error, GIBBS_NUMERIC, "%s (node %d) is %g at row %lld of «%s», element %lld", what, node, v,
               (long long)row, plan->axis[axis].name, (long long)element);
    if (error) error->row = row, error->axis = axis;
    return GIBBS_NUMERIC;
}

gibbs_status ad_check_inputs(const ad_workspace *w, gibbs_error *error)
{
    const ad_plan *plan = w->plan;
    for (int64_t s = 0; s < plan->slots; s++) {
        const ad_slot *slot = &plan->slot[s];
        if (slot->kind != SLOT_INPUT) continue;
        int32_t root = ad_root_of(plan, slot->axis);
        int64_t rows = root < 0 ? 1 : w->rows[root] * slot->factor, n = rows * slot->count;
        int64_t bad = plan->kernels->first_bad(n, w->base[AD_BASE_SLOTS + s]);
        char what[128];
        snprintf(what, sizeof what, "%s «%s»", root < 0 ? "parameter" : "input", slot->name);
        if (bad < n)
            return not_finite(plan, what, slot->leaf, slot->axis, plan->kernels->get(w->base[AD_BASE_SLOTS + s], bad),
                              bad / slot->count, bad % slot->count, error);
    }
    return GIBBS_OK;
}

/* Of a value that is put into a larger one, which may be there in part only, its own numbers. */
static gibbs_status check_placed(const ad_instruction *i, const ad_frame *f)
{
    int64_t own = i->place.own, whole = i->place.before + own + i->place.after, outer = i->place.outer;
    const char *at = ad_address(f, &i->place.y);
    for (int64_t k = 0; k < ad_rows_of(f, i) * outer; k++) {
        int64_t from = k * whole + i->place.before;
        int64_t bad = from + f->kernels->first_bad(own, at + from * (int64_t)f->kernels->size);
        if (bad < from + own)
            return not_finite(f->plan, ad_op_said(i->op), i->node, i->axis, f->kernels->get(at, bad),
                              f->row0 * i->factor + k / outer, bad % (whole * outer), f->error);
    }
    return GIBBS_OK;
}

gibbs_status ad_check_finite(const ad_instruction *i, const ad_frame *f)
{
    int64_t n = ad_rows_of(f, i) * i->count;
    if (i->action == DO_place) return check_placed(i, f);
    if (i->action == DO_loop || i->operand[0].base == AD_BASE_ACCUMULATOR) return GIBBS_OK;
    if (i->op == OP_batch_scatter_add) return GIBBS_OK;
    const char *at = ad_address(f, &i->operand[0]);
    int64_t bad = f->kernels->first_bad(n, at);
    if (bad == n) return GIBBS_OK;
    if (i->action == DO_factorise && ad_explain_factors(i, f, bad / i->count)) return GIBBS_NUMERIC;
    return not_finite(f->plan, i->action == DO_user ? i->user.op->name : ad_op_said(i->op), i->node, i->axis,
                      f->kernels->get(at, bad), f->row0 * i->factor + bad / i->count, bad % i->count, f->error);
}
