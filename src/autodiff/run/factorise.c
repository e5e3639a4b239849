/* factorise.c — the executor of factorisations, and why one has failed. */
#include "frame.h"

static ad_factor factor_of(const ad_instruction *i, const ad_frame *f)
{
    return (ad_factor){.rows = ad_rows_of(f, i), .n = i->factorise.n, .m = i->factorise.m,
                       .next_a = i->factorise.a.row_stride, .next_b = i->factorise.b.row_stride,
                       .transposed = i->factorise.transposed, .a = ad_address(f, &i->factorise.a),
                       .b = i->nin > 1 ? ad_address(f, &i->factorise.b) : NULL, .y = ad_address(f, &i->factorise.y),
                       .room = f->room};
}

gibbs_status ad_run_factorise(const ad_instruction *i, ad_frame *f)
{
    const ad_kernels *k = f->kernels;
    ad_factor x = factor_of(i, f);
    (i->op == OP_cholesky ? k->cholesky : i->op == OP_triangular_solve ? k->triangular_solve
     : i->op == OP_solve ? k->solve : i->op == OP_log_abs_det ? k->log_abs_det : k->eigen)(&x);
    return GIBBS_OK;
}

bool ad_explain_factors(const ad_instruction *i, const ad_frame *f, int64_t row)
{
    double pivot;
    ad_factor x = factor_of(i, f);
    x.a = (const char *)x.a + row * x.next_a * (int64_t)f->kernels->size;
    x.y = (char *)x.y + row * i->count * (int64_t)f->kernels->size;
    long long at = f->kernels->first_pivot(i->op, &x, &pivot);
    const char *why = i->op == OP_cholesky ? "the matrix is not positive definite" : "the matrix is singular";
    if (at == x.n) return false;
    if (i->axis < 0) {
        gibbs_fail(f->error, GIBBS_NUMERIC, "%s (node %d): pivot [%lld,%lld] is %g: %s", ad_op_said(i->op), i->node,
                   at, at, pivot, why);
        return true;
    }
    row += f->row0 * i->factor;
    gibbs_fail(f->error, GIBBS_NUMERIC, "%s (node %d): pivot [%lld,%lld] at row %lld of «%s» is %g: %s",
               ad_op_said(i->op), i->node, at, at, (long long)row, f->plan->axis[i->axis].name, pivot, why);
    if (f->error) f->error->row = row, f->error->axis = i->axis;
    return true;
}
