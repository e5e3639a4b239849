/* solve.c — systems of a triangle and of a general matrix, X = T⁻¹B with T = A or Aᵀ, and log |det A|. The adjoints are
 * B̄ = T⁻ᵀX̄ and T̄ = −B̄Xᵀ, of a triangle what lies in it (Giles 2008); that of the determinant is A⁻ᵀ. */
#include "op.h"

bool ad_check_square(const char *op, ad_var A)
{
    char text[AD_SHAPE_TEXT];
    ad_shape s = ad_node_of(A)->shape;
    if (s.rank == 2 && s.dim[0] == s.dim[1]) return true;
    ad_fail(A.tape, GIBBS_SHAPE, "%s: needs a square matrix [n,n], got the shape %s", op,
            ad_shape_text(&s, text, sizeof text));
    return false;
}

ad_var ad_mask_whole(const ad_call *c, ad_var mask, int which)
{
    if (ad_is_null(mask)) return mask;
    ad_shape own = ad_node_of(ad_arg(c, which))->shape;
    return ad_expand(ad_sum(mask), own);
}

/* The numbers 0 … n − 1, and `shift` more. */
static ad_var numbers(ad_tape *tape, ad_shape shape, double shift)
{
    int64_t n = ad_shape_count(&shape);
    double *at = gibbs_alloc(&tape->alloc, (size_t)n, sizeof *at);
    if (!at) return ad_fail(tape, GIBBS_MEMORY, "factorisation: out of memory");
    for (int64_t i = 0; i < n; i++) at[i] = (double)i + shift;
    ad_var v = ad_constant_array(tape, shape, at);
    gibbs_release(&tape->alloc, at);
    return v;
}

ad_var ad_lower(ad_tape *tape, int64_t n, double diagonal)
{
    ad_var column = numbers(tape, ad_mat(1, n), 0);
    ad_var with = ad_less(column, numbers(tape, ad_mat(n, 1), 0.5));
    if (diagonal == 1) return with;
    ad_var without = ad_less(column, numbers(tape, ad_mat(n, 1), -0.5));
    return ad_add(ad_scale(with, diagonal), ad_scale(without, 1 - diagonal));
}

ad_var ad_symmetric_part(ad_var v) { return ad_scale(ad_add(v, ad_transpose(v)), 0.5); }

ad_var ad_beside(ad_var t)
{
    ad_shape s = ad_shape_of(t);
    return ad_reshape(ad_permute(t, (int[]){1, 0, 2}), ad_mat(s.dim[1], s.dim[0] * s.dim[2]));
}

ad_var ad_apart(ad_var columns, int64_t D)
{
    ad_shape s = ad_shape_of(columns);
    return ad_permute(ad_reshape(columns, ad_cube(s.dim[0], D, s.dim[1] / D)), (int[]){1, 0, 2});
}

/* ---- Systems ---- */

ad_var ad_solve_core(ad_op op, ad_var A, bool transposed, ad_var B)
{
    if (ad_is_null(A) || ad_is_null(B)) return ad_handle(A.tape ? A.tape : B.tape, -1);
    ad_tape *tape = A.tape;
    int32_t axis = ad_node_of(A)->axis >= 0 ? ad_node_of(A)->axis : ad_node_of(B)->axis;
    ad_var in[2] = {ad_unlift(A), ad_unlift(B)};
    ad_shape shape = ad_node_of(B)->shape;
    if (ad_is_zero(B)) return ad_fill(tape, axis, shape, 0);
    ad_node node = ad_proto(op, in, 2, shape);
    node.attr[0] = transposed;
    return ad_on_axis(ad_record(tape, &node), axis);
}

static ad_var system_of(ad_op op, ad_var A, ad_var B, int transposed)
{
    ad_tape *tape;
    char a[AD_SHAPE_TEXT], b[AD_SHAPE_TEXT];
    const char *name = ad_ops[op].name;
    if (!ad_check_args(name, (ad_var[]){A, B}, 2, &tape) || !ad_check_square(name, A)) return ad_handle(tape, -1);
    ad_shape s = ad_node_of(A)->shape, t = ad_node_of(B)->shape;
    if (t.rank < 1 || t.rank > 2 || t.dim[0] != s.dim[0])
        return ad_fail(tape, GIBBS_SHAPE, "%s: right sides of the shape %s do not fit the matrix %s: they are [n] or "
                       "[n,m]", name, ad_shape_text(&t, b, sizeof b), ad_shape_text(&s, a, sizeof a));
    int32_t p = ad_node_of(A)->axis, q = ad_node_of(B)->axis;
    if (p >= 0 && q >= 0 && p != q)
        return ad_fail(tape, GIBBS_AXIS, "%s: axes «%s» and «%s» meet", name, ad_axis_name(tape, p),
                       ad_axis_name(tape, q));
    ad_var core = t.rank == 1 ? ad_reshape(B, ad_mat(t.dim[0], 1)) : B;
    return ad_reshape(ad_solve_core(op, A, transposed != 0, core), t);
}

ad_var ad_triangular_solve(ad_var L, ad_var B, int transposed)
{
    return system_of(OP_triangular_solve, L, B, transposed);
}

ad_var ad_solve(ad_var A, ad_var B, int transposed) { return system_of(OP_solve, A, B, transposed); }

/* ---- Their rules ---- */

static ad_var again(const ad_node *node, const ad_var *in)
{
    return ad_solve_core(node->op, in[0], node->attr[0], in[1]);
}

static ad_var in_triangle(const ad_call *c, ad_var v)
{
    return c->node.op == OP_solve ? v : ad_mul(v, ad_lower(c->y.tape, c->node.shape.dim[0], 1));
}

/* PQᵀ; summed over the samples, where the matrix is one for all. */
static ad_var outer(const ad_call *c, ad_var p, ad_var q)
{
    if (c->node.axis < 0 || !ad_is_shared(ad_arg(c, 0))) return ad_matmul(p, ad_transpose(q));
    return ad_batch_matmul_core(c->node.axis, ad_transpose(p), ad_transpose(q));
}

static ad_var adjoint(const ad_call *c, ad_var ybar, int which)
{
    bool turned = c->node.attr[0];
    ad_var bbar = ad_solve_core(c->node.op, ad_arg(c, 0), !turned, ybar);
    if (which) return bbar;
    return in_triangle(c, ad_neg(turned ? outer(c, c->y, bbar) : outer(c, bbar, c->y)));
}

/* Ṫ of each direction. */
static ad_var moved(const ad_call *c, ad_var t)
{
    t = in_triangle(c, t);
    return c->node.attr[0] ? ad_transpose(t) : t;
}

/* T⁻¹(Ḃ − ṪX), of either part. */
static ad_var tangent(const ad_call *c, ad_var t, int which, int64_t D)
{
    if (!which) t = ad_neg(ad_matmul(moved(c, t), c->y));
    return ad_apart(ad_solve_core(c->node.op, ad_arg(c, 0), c->node.attr[0], ad_beside(t)), D);
}

/* From TẌ = −2ṪẊ: −2⟨T⁻ᵀv̄, ṪẊ⟩. Right sides alone bend nothing. */
static ad_var curvature(const ad_call *c, ad_var vbar, ad_var mask, const ad_tangent *t, int64_t D)
{
    ad_tape *tape = c->y.tape;
    if (t[0].kind == TANGENT_ZERO) return ad_handle(tape, -1);
    ad_var A = ad_tangent_dense(ad_arg(c, 0), t[0], D), y = tangent(c, A, 0, D);
    if (t[1].kind != TANGENT_ZERO) y = ad_add(y, tangent(c, ad_tangent_dense(ad_arg(c, 1), t[1], D), 1, D));
    ad_var bbar = ad_solve_core(c->node.op, ad_arg(c, 0), !c->node.attr[0], vbar);
    ad_var terms = ad_sum_but_first(ad_mul(ad_matmul(moved(c, A), y), bbar));
    return ad_masked_if(ad_is_null(mask) ? mask : ad_sum(mask), ad_scale(terms, -2));
}

const ad_structure ad_structure_triangular_solve = {
    .multiplies = true, .again = again, .adjoint = adjoint, .mask = ad_mask_whole, .tangent = tangent,
    .curvature = curvature,
};

const ad_structure ad_structure_solve = {
    .multiplies = true, .again = again, .adjoint = adjoint, .mask = ad_mask_whole, .tangent = tangent,
    .curvature = curvature,
};

/* ---- log |det A| ---- */

ad_var ad_log_abs_det(ad_var A)
{
    ad_tape *tape;
    if (!ad_check_args("log_abs_det", &A, 1, &tape) || !ad_check_square("log_abs_det", A)) return ad_handle(tape, -1);
    ad_node node = ad_proto(OP_log_abs_det, &A, 1, ad_scalar());
    return ad_hoist(tape, &node);
}

static ad_var det_again(const ad_node *node, const ad_var *in) { return (void)node, ad_log_abs_det(in[0]); }

static ad_var inverse_transposed(const ad_call *c)
{
    int64_t n = ad_node_of(ad_arg(c, 0))->shape.dim[0];
    return ad_solve_core(OP_solve, ad_arg(c, 0), true, ad_eye(c->y.tape, n));
}

static ad_var det_adjoint(const ad_call *c, ad_var ybar, int which)
{
    return (void)which, ad_chain(ybar, inverse_transposed(c));
}

static ad_var det_tangent(const ad_call *c, ad_var t, int which, int64_t D)
{
    ad_shape s = ad_node_of(ad_arg(c, which))->shape;
    int64_t n = ad_shape_count(&s);
    return ad_matmul(ad_reshape(t, ad_mat(D, n)), ad_reshape(inverse_transposed(c), ad_vec(n)));
}

/* −v̄ tr(A⁻¹ȦA⁻¹Ȧ) */
static ad_var det_curvature(const ad_call *c, ad_var vbar, ad_var mask, const ad_tangent *t, int64_t D)
{
    ad_var A = ad_arg(c, 0);
    ad_var W = ad_apart(ad_solve_core(OP_solve, A, false, ad_beside(ad_tangent_dense(A, t[0], D))), D);
    ad_var terms = ad_mul(vbar, ad_neg(ad_sum_but_first(ad_mul(W, ad_transpose(W)))));
    return ad_masked_if(mask, terms);
}

const ad_structure ad_structure_log_abs_det = {
    .again = det_again, .adjoint = det_adjoint, .mask = ad_mask_whole, .tangent = det_tangent,
    .curvature = det_curvature,
};
