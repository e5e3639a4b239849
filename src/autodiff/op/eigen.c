/* eigen.c — the symmetric part of A as VΛVᵀ. One op makes both, [n+1,n]: the values, then R = Vᵀ, a vector a row.
 * With F_ij = 1/(λ_j − λ_i), 0 on the diagonal (Giles 2008, §3.1): Ā = V(diag λ̄ + F∘(VᵀV̄))Vᵀ; λ̇ = diag Q and V̇ =
 * V(F∘Q), Q = VᵀȦV. Where two values are equal, vectors have no derivative, and F is NaN; nor have values a second
 * one. */
#include "op.h"

static ad_var eigen(const char *what, ad_var A)
{
    ad_tape *tape;
    if (!ad_check_args(what, &A, 1, &tape) || !ad_check_square(what, A)) return ad_handle(tape, -1);
    int64_t n = ad_node_of(A)->shape.dim[0];
    ad_node node = ad_proto(OP_eigen, &A, 1, ad_mat(n + 1, n));
    return ad_hoist(tape, &node);
}

static ad_var values_of(ad_var y)
{
    int64_t n = ad_shape_of(y).dim[1];
    return ad_reshape(ad_slice(y, 0, 0, 1), ad_vec(n));
}

static ad_var rows_of(ad_var y)
{
    int64_t n = ad_shape_of(y).dim[1];
    return ad_slice(y, 0, 1, n);
}

ad_var ad_eigenvalues(ad_var A)
{
    ad_var y = eigen("eigenvalues", A);
    return ad_is_null(y) ? y : values_of(y);
}

ad_var ad_eigenvectors(ad_var A)
{
    ad_var y = eigen("eigenvectors", A);
    return ad_is_null(y) ? y : ad_transpose(rows_of(y));
}

static ad_var again(const ad_node *node, const ad_var *in) { return (void)node, eigen("eigen", in[0]); }

static ad_var gaps(ad_var y)
{
    int64_t n = ad_shape_of(y).dim[1];
    ad_var value = values_of(y), eye = ad_eye(y.tape, n);
    ad_var gap = ad_sub(ad_reshape(value, ad_mat(1, n)), ad_reshape(value, ad_mat(n, 1)));
    return ad_sub(ad_pole(ad_recip(ad_add(gap, eye))), eye);
}

/* Whether it is an adjoint of the values alone: then there is no F, which need not be finite. */
static bool is_of_values(ad_var ybar)
{
    const ad_node *node = ad_node_of(ybar);
    return node->op == OP_pad && node->attr[0] == 0 && node->attr[1] == 0 && node->shape.dim[0] == node->attr[2] + 1;
}

static ad_var adjoint(const ad_call *c, ad_var ybar, int which)
{
    int64_t n = c->node.shape.dim[1];
    bool alone = is_of_values(ybar);
    ad_var R = rows_of(c->y), inner = ad_mul(ad_reshape(values_of(ybar), ad_mat(n, 1)), R);
    (void)which;
    if (!alone) {
        ad_var turned = ad_mul(gaps(c->y), ad_matmul(R, ad_transpose(rows_of(ybar))));
        inner = ad_add(inner, ad_matmul(turned, R));
    }
    return ad_symmetric_part(ad_matmul(ad_transpose(R), inner));
}

static ad_var tangent(const ad_call *c, ad_var t, int which, int64_t D)
{
    int64_t n = c->node.shape.dim[1];
    ad_var R = rows_of(c->y), Q = ad_matmul(ad_matmul(R, ad_symmetric_part(t)), ad_transpose(R));
    ad_var values = ad_sum_dims(ad_mul(Q, ad_eye(R.tape, n)), 1u << 2);
    ad_var rows = ad_matmul(ad_transpose(ad_mul(gaps(c->y), Q)), R);
    (void)which;
    return ad_concat(ad_reshape(values, ad_cube(D, 1, n)), rows, 1);
}

const ad_structure ad_structure_eigen = {
    .again = again, .adjoint = adjoint, .mask = ad_mask_whole, .tangent = tangent,
};
