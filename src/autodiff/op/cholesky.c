/* cholesky.c — A = LLᵀ, of the symmetric part of A, and the log determinant by it. The derivatives are Murray's
 * (2016), in products and triangular systems, so that any order can be had: Φ halves the diagonal and drops what is
 * above it. */
#include "op.h"

ad_var ad_cholesky(ad_var A)
{
    ad_tape *tape;
    if (!ad_check_args("cholesky", &A, 1, &tape) || !ad_check_square("cholesky", A)) return ad_handle(tape, -1);
    ad_node node = ad_proto(OP_cholesky, &A, 1, ad_node_of(A)->shape);
    return ad_hoist(tape, &node);
}

/* 2Σ log Lᵢᵢ */
ad_var ad_log_det(ad_var A)
{
    ad_tape *tape;
    if (!ad_check_args("log_det", &A, 1, &tape) || !ad_check_square("log_det", A)) return ad_handle(tape, -1);
    int64_t n = ad_node_of(A)->shape.dim[0];
    ad_var diagonal = ad_sum_dims(ad_mul(ad_cholesky(A), ad_eye(tape, n)), 1u << 1);
    return ad_scale(ad_sum(ad_log(diagonal)), 2);
}

static ad_var again(const ad_node *node, const ad_var *in) { return (void)node, ad_cholesky(in[0]); }

/* The symmetric part of L⁻ᵀ Φ(LᵀL̄) L⁻¹. */
static ad_var adjoint(const ad_call *c, ad_var ybar, int which)
{
    ad_var phi = ad_lower(c->y.tape, c->node.shape.dim[0], 0.5);
    ad_var inner = ad_mul(phi, ad_matmul(ad_transpose(c->y), ybar));
    ad_var left = ad_solve_core(OP_triangular_solve, c->y, true, inner);
    (void)which;
    return ad_symmetric_part(ad_solve_core(OP_triangular_solve, c->y, true, ad_transpose(left)));
}

/* L Φ(L⁻¹ȦL⁻ᵀ), whose right factor is had from the transpose of the left product. */
static ad_var tangent(const ad_call *c, ad_var t, int which, int64_t D)
{
    ad_var L = c->y, phi = ad_lower(L.tape, c->node.shape.dim[0], 0.5);
    ad_var left = ad_apart(ad_solve_core(OP_triangular_solve, L, false, ad_beside(ad_symmetric_part(t))), D);
    ad_var both = ad_apart(ad_solve_core(OP_triangular_solve, L, false, ad_beside(ad_transpose(left))), D);
    (void)which;
    return ad_matmul(L, ad_mul(phi, both));
}

const ad_structure ad_structure_cholesky = {
    .again = again, .adjoint = adjoint, .mask = ad_mask_whole, .tangent = tangent,
};
