/* matmul.c — matrix products. All of them are one core op on [L,m,k]·[L,k,n] with transpose flags, L ≥ 1 and 1
 * where a factor lacks it; vectors and matrices are reshaped into it, which costs nothing. A product whose sum runs
 * over the samples as well, Σₙ aₙᵀbₙ, is the other op: the adjoint of each by a shared factor is the other. */
#include "op.h"

static bool is_transpose(ad_var v)
{
    const ad_node *n = ad_node_of(v);
    if (n->op != OP_permute) return false;
    int r = n->shape.rank;
    for (int i = 0; i < r - 2; i++)
        if (n->attr[i] != i) return false;
    return r >= 2 && n->attr[r - 1] == r - 2 && n->attr[r - 2] == r - 1;
}

/* Moves a recorded transpose into the flag, through a lift. */
static ad_var absorb_transpose(ad_var v, bool *flag)
{
    if (!is_transpose(v)) return v;
    *flag = !*flag;
    return ad_input_of(v, 0);
}

/* v is [1,m,n]; a unit matrix in another shape is none. */
static bool is_identity(ad_var v)
{
    if (ad_node_of(v)->shape.dim[1] != ad_node_of(v)->shape.dim[2]) return false;
    while (ad_node_of(v)->op == OP_reshape || ad_node_of(v)->op == OP_lift) v = ad_input_of(v, 0);
    return ad_node_of(v)->op == OP_array && v.tape->side[ad_node_of(v)->side].identity;
}

/* The one number that every element of v repeats, as a var; the null var when v is not made so. */
static ad_var repeated_number(ad_var v)
{
    double c;
    if (ad_is_constant(v, &c)) return ad_constant(v.tape, c);
    while (ad_node_of(v)->op == OP_reshape || ad_node_of(v)->op == OP_lift) v = ad_input_of(v, 0);
    if (ad_node_of(v)->op != OP_expand || ad_count(ad_input_of(v, 0)) != 1) return ad_handle(NULL, -1);
    return ad_reshape(ad_input_of(v, 0), ad_scalar());
}

/* A factor of equal numbers c multiplies nothing: a·b is then c times sums over the dimension that they share. */
static ad_var scaled_sums(ad_var a, bool ta, ad_var b, bool tb, ad_shape shape)
{
    ad_var c = repeated_number(b), sum;
    int64_t L = ad_node_of(a)->shape.dim[0];
    if (!ad_is_null(c)) {
        sum = ad_reshape(ad_sum_dims(a, ta ? 1u << 1 : 1u << 2), ad_cube(L, shape.dim[1], 1));
    } else {
        c = repeated_number(a);
        if (ad_is_null(c)) return c;
        L = ad_node_of(b)->shape.dim[0];
        sum = ad_reshape(ad_sum_dims(b, tb ? 1u << 2 : 1u << 1), ad_cube(L, 1, shape.dim[2]));
    }
    return ad_expand(ad_mul(c, sum), shape);
}

static ad_var fold_matmul(ad_var a, bool ta, ad_var b, bool tb, int32_t axis, ad_shape shape)
{
    ad_tape *tape = a.tape;
    if (ad_is_zero(a) || ad_is_zero(b)) return ad_fill(tape, axis, shape, 0);
    if (ad_node_of(a)->shape.dim[0] == 1 && is_identity(a)) return tb ? ad_transpose(b) : b;
    if (ad_node_of(b)->shape.dim[0] == 1 && is_identity(b)) return ta ? ad_transpose(a) : a;
    return scaled_sums(a, ta, b, tb, shape);
}

/* A·b with shared A and per-sample column b is (bᵀAᵀ)ᵀ: one product for all rows of a block. */
static ad_var swap_column(ad_var a, bool ta, ad_var b, ad_shape shape)
{
    int64_t k = ad_count(b) / ad_node_of(b)->shape.dim[0];
    ad_var row = ad_reshape(b, ad_cube(ad_node_of(b)->shape.dim[0], 1, k));
    return ad_reshape(ad_matmul_core(row, false, a, !ta), shape);
}

ad_var ad_matmul_core(ad_var a, bool ta, ad_var b, bool tb)
{
    if (ad_is_null(a) || ad_is_null(b)) return ad_handle(a.tape ? a.tape : b.tape, -1);
    ad_tape *tape = a.tape;
    int32_t axis = ad_node_of(a)->axis >= 0 ? ad_node_of(a)->axis : ad_node_of(b)->axis;
    a = absorb_transpose(ad_unlift(a), &ta);
    b = absorb_transpose(ad_unlift(b), &tb);
    ad_shape s = ad_node_of(a)->shape, t = ad_node_of(b)->shape;
    int64_t L = s.dim[0] > t.dim[0] ? s.dim[0] : t.dim[0];
    ad_shape shape = ad_cube(L, s.dim[ta ? 2 : 1], t.dim[tb ? 1 : 2]);
    ad_var y = fold_matmul(a, ta, b, tb, axis, shape);
    if (ad_is_null(y) && ad_node_of(a)->axis < 0 && ad_node_of(b)->axis >= 0 && shape.dim[2] == 1 && s.dim[0] == 1)
        y = swap_column(a, ta, b, shape);
    if (ad_is_null(y)) {
        ad_node node = ad_proto(OP_matmul, (ad_var[]){a, b}, 2, shape);
        node.attr[0] = ta;
        node.attr[1] = tb;
        y = ad_record(tape, &node);
    }
    return axis >= 0 && ad_is_shared(y) ? ad_lift((ad_axis){tape, axis}, y) : y;
}

/* [k] → [1,k] on the left and [k,1] on the right; [m,k] → [1,m,k]. */
static ad_var to_core(ad_var v, bool left)
{
    ad_shape s = ad_node_of(v)->shape;
    if (s.rank == 1) return ad_reshape(v, left ? ad_cube(1, 1, s.dim[0]) : ad_cube(1, s.dim[0], 1));
    return s.rank == 2 ? ad_reshape(v, ad_cube(1, s.dim[0], s.dim[1])) : v;
}

static bool matmul_shapes(ad_shape s, ad_shape t, ad_shape *out)
{
    if (s.rank < 1 || s.rank > 3 || t.rank < 1 || t.rank > 3) return false;
    int64_t k = s.dim[s.rank - 1], inner = t.rank == 1 ? t.dim[0] : t.dim[t.rank - 2];
    int64_t L = s.rank == 3 ? s.dim[0] : 1, M = t.rank == 3 ? t.dim[0] : 1;
    if (k != inner || (L != M && L != 1 && M != 1)) return false;
    *out = ad_scalar();
    if (s.rank == 3 || t.rank == 3) out->dim[out->rank++] = L > M ? L : M;
    if (s.rank > 1) out->dim[out->rank++] = s.dim[s.rank - 2];
    if (t.rank > 1) out->dim[out->rank++] = t.dim[t.rank - 1];
    return true;
}

ad_var ad_matmul(ad_var a, ad_var b)
{
    ad_tape *tape;
    ad_shape shape;
    char p[AD_SHAPE_TEXT], q[AD_SHAPE_TEXT];
    if (!ad_check_args("matmul", (ad_var[]){a, b}, 2, &tape)) return ad_handle(tape, -1);
    ad_shape s = ad_node_of(a)->shape, t = ad_node_of(b)->shape;
    if (!matmul_shapes(s, t, &shape))
        return ad_fail(tape, GIBBS_SHAPE, "matmul: shapes %s and %s do not agree", ad_shape_text(&s, p, sizeof p),
                       ad_shape_text(&t, q, sizeof q));
    int32_t x = ad_node_of(a)->axis, y = ad_node_of(b)->axis;
    if (x >= 0 && y >= 0 && x != y)
        return ad_fail(tape, GIBBS_AXIS, "matmul: axes «%s» and «%s» meet", ad_axis_name(tape, x),
                       ad_axis_name(tape, y));
    bool ta = false, tb = false;
    if (s.rank > 1) a = absorb_transpose(ad_unlift(a), &ta);
    if (t.rank > 1) b = absorb_transpose(ad_unlift(b), &tb);
    ad_var core = ad_matmul_core(to_core(a, true), ta, to_core(b, false), tb);
    if (ad_is_null(core)) return core;
    int32_t axis = x >= 0 ? x : y;
    if (axis >= 0 && ad_node_of(core)->axis < 0) core = ad_lift((ad_axis){tape, axis}, core);
    return ad_reshape(core, shape);
}

/* ---- Sums over the samples ---- */

static ad_var sum_of_core(int32_t axis, ad_var x) { return ad_batch_reduce(OP_batch_sum, axis, x); }

/* aᵀb of two [k,·] matrices through the matrix product. */
static ad_var transposed_product(ad_var a, ad_var b)
{
    if (ad_is_null(a) || ad_is_null(b)) return ad_handle(a.tape ? a.tape : b.tape, -1);
    ad_shape s = ad_node_of(a)->shape, t = ad_node_of(b)->shape;
    ad_var product = ad_matmul_core(ad_reshape(a, ad_cube(1, s.dim[0], s.dim[1])), true,
                                    ad_reshape(b, ad_cube(1, t.dim[0], t.dim[1])), false);
    return ad_is_null(product) ? product : ad_reshape(product, ad_mat(s.dim[1], t.dim[1]));
}

ad_var ad_batch_matmul_core(int32_t axis, ad_var a, ad_var b)
{
    if (ad_is_null(a) || ad_is_null(b)) return ad_handle(a.tape ? a.tape : b.tape, -1);
    ad_tape *tape = a.tape;
    a = ad_unlift(a);
    b = ad_unlift(b);
    bool per_a = ad_node_of(a)->axis >= 0, per_b = ad_node_of(b)->axis >= 0;
    ad_shape shape = ad_mat(ad_node_of(a)->shape.dim[1], ad_node_of(b)->shape.dim[1]);
    if (ad_is_zero(a) || ad_is_zero(b)) return ad_fill(tape, -1, shape, 0);
    if (per_a && per_b) {
        ad_node node = ad_proto(OP_batch_matmul, (ad_var[]){a, b}, 2, shape);
        node.axis = -1;
        node.attr[0] = axis;
        return ad_record(tape, &node);
    }
    if (per_a) return transposed_product(sum_of_core(axis, a), b);
    return transposed_product(a, sum_of_core(axis, b));
}

ad_var ad_batch_matmul(ad_axis axis, ad_var a, ad_var b)
{
    ad_tape *tape;
    ad_var v[2] = {a, b};
    char p[AD_SHAPE_TEXT], q[AD_SHAPE_TEXT];
    if (!ad_check_args("batch_matmul", v, 2, &tape) || !ad_axis_check("batch_matmul", axis, tape))
        return ad_handle(tape, -1);
    ad_shape s[2];
    for (int i = 0; i < 2; i++) {
        s[i] = ad_node_of(v[i])->shape;
        int32_t own = ad_node_of(v[i])->axis;
        if (own >= 0 && own != axis.id)
            return ad_fail(tape, GIBBS_AXIS, "batch_matmul: a factor is on axis «%s», not on «%s»",
                           ad_axis_name(tape, own), ad_axis_name(tape, axis.id));
        if (s[i].rank == 1) v[i] = ad_reshape(v[i], ad_mat(1, s[i].dim[0]));
    }
    if (s[0].rank != s[1].rank || s[0].rank < 1 || s[0].rank > 2 || (s[0].rank == 2 && s[0].dim[0] != s[1].dim[0]))
        return ad_fail(tape, GIBBS_SHAPE, "batch_matmul: shapes %s and %s do not agree",
                       ad_shape_text(&s[0], p, sizeof p), ad_shape_text(&s[1], q, sizeof q));
    return ad_batch_matmul_core(axis.id, v[0], v[1]);
}

/* ---- Rules ---- */

/* Σ_n Σ_l over what the shared factor [1,·,·] is used for, as one batch product where both sides are per-sample. */
static ad_var shared_factor(int32_t axis, ad_var p, bool tp, ad_var q, bool tq)
{
    if (tp) p = ad_transpose(p);
    if (tq) q = ad_transpose(q);
    if (ad_is_null(p) || ad_is_null(q)) return ad_is_null(p) ? p : q;
    ad_shape s = ad_node_of(p)->shape, t = ad_node_of(q)->shape;
    p = ad_reshape(p, ad_mat(s.dim[0] * s.dim[1], s.dim[2]));
    q = ad_reshape(q, ad_mat(t.dim[0] * t.dim[1], t.dim[2]));
    if (ad_is_null(p) || ad_is_null(q)) return ad_is_null(p) ? p : q;
    return ad_reshape(ad_batch_matmul_core(axis, p, q), ad_cube(1, s.dim[2], t.dim[2]));
}

static ad_var again(const ad_node *node, const ad_var *in)
{
    return ad_matmul_core(in[0], node->attr[0], in[1], node->attr[1]);
}

/* Y = op(A) op(B): Ā = Ȳ op(B)ᵀ and B̄ = op(A)ᵀ Ȳ, each transposed again where its own flag is set. */
static ad_var adjoint(const ad_call *c, ad_var ybar, int which)
{
    bool ta = c->node.attr[0], tb = c->node.attr[1];
    ad_var in[2] = {ad_arg(c, 0), ad_arg(c, 1)};
    ad_shape own = ad_node_of(in[which])->shape, other = ad_node_of(in[1 - which])->shape;
    int32_t axis = c->node.axis;
    int64_t L = c->node.shape.dim[0];
    bool one_product = own.dim[0] == L || (own.dim[0] == 1 && other.dim[0] == L);
    if (axis >= 0 && ad_is_shared(in[which]) && own.dim[0] == 1 && one_product) {
        if (which)
            return tb ? shared_factor(axis, ybar, false, in[0], ta) : shared_factor(axis, in[0], ta, ybar, false);
        return ta ? shared_factor(axis, in[1], !tb, ybar, true) : shared_factor(axis, ybar, true, in[1], !tb);
    }
    ad_var result;
    if (which) result = tb ? ad_matmul_core(ybar, true, in[0], ta) : ad_matmul_core(in[0], !ta, ybar, false);
    else result = ta ? ad_matmul_core(in[1], tb, ybar, true) : ad_matmul_core(ybar, false, in[1], !tb);
    return own.dim[0] == L ? result : ad_reshape(ad_sum_dims(result, 1), own);
}

/* A row of op(A) is taken where something of that row of Y is, a column of op(B) where something of that column. */
static ad_var mask(const ad_call *c, ad_var taken, int which)
{
    if (ad_is_null(taken)) return taken;
    ad_shape own = ad_node_of(ad_arg(c, which))->shape, kept = c->node.shape;
    kept.dim[which ? 1 : 2] = 1;
    taken = ad_reshape(ad_sum_dims(taken, which ? 1u << 1 : 1u << 2), kept);
    if (c->node.attr[which]) taken = ad_transpose(taken);
    ad_shape one = ad_shape_of(taken);
    one.dim[0] = 1;
    if (own.dim[0] < kept.dim[0]) taken = ad_reshape(ad_sum_dims(taken, 1), one);
    return ad_expand(taken, own);
}

/* [D,L,m,k]·[L,k,n] (or the other side active) → [D,L,m,n]. `side` is the active factor. */
/* Directions as rows of the left factor, or as columns of the right one, of L products that are all different:
 * [D,L,m,k] → [L,D·m,k], [D,L,k,n] → [L,k,D·n], as they are stored. So L products are made, and not D·L. */
static ad_var side_by_side(const ad_call *c, ad_var t, int side, int64_t D)
{
    bool flag = c->node.attr[side];
    ad_shape s = ad_node_of(ad_arg(c, side))->shape, y = c->node.shape;
    int to = flag != side ? 2 : 1; /* the dimension that D joins */
    ad_shape wide = s;
    wide.dim[to] *= D;
    ad_shape t4 = ad_shape_prepend(D, &s);
    ad_var many = ad_reshape(ad_move_dim(ad_reshape(t, t4), 0, to), wide), one = ad_arg(c, 1 - side);
    ad_var product = side ? ad_matmul_core(one, c->node.attr[0], many, flag)
                          : ad_matmul_core(many, flag, one, c->node.attr[1]);
    ad_shape apart = {4, {y.dim[0], y.dim[1], y.dim[1], y.dim[2]}};
    apart.dim[1 + side] = D;
    return ad_move_dim(ad_reshape(product, apart), 1 + side, 0);
}

static ad_var tangent(const ad_call *c, ad_var t, int side, int64_t D)
{
    bool flag[2] = {c->node.attr[0], c->node.attr[1]};
    ad_var in[2] = {ad_arg(c, 0), ad_arg(c, 1)};
    ad_shape s = ad_node_of(in[side])->shape, o = ad_node_of(in[1 - side])->shape, y = c->node.shape;
    ad_shape result = ad_shape_prepend(D, &y);
    bool one = s.dim[0] == 1 && o.dim[0] == 1;
    if (one && side == 0) { /* one product of D·m rows */
        ad_var rows = ad_reshape(t, ad_cube(D, s.dim[1], s.dim[2]));
        if (flag[0]) rows = ad_transpose(rows);
        rows = ad_reshape(rows, ad_cube(1, D * y.dim[1], flag[0] ? s.dim[1] : s.dim[2]));
        return ad_reshape(ad_matmul_core(rows, false, in[1], flag[1]), result);
    }
    if (one && y.dim[2] == 1) { /* columns: (A ḃ)ᵀ = ḃᵀAᵀ */
        ad_var rows = ad_reshape(t, ad_cube(1, D, ad_shape_count(&s)));
        return ad_reshape(ad_matmul_core(rows, false, in[0], !flag[0]), result);
    }
    bool row = one && y.dim[1] == 1 && ad_is_shared(t), different = s.dim[0] == y.dim[0] && o.dim[0] == y.dim[0];
    if (row || (!one && different)) return side_by_side(c, t, side, D);
    int64_t L = y.dim[0];
    ad_shape mine = ad_cube(L, s.dim[1], s.dim[2]), other = ad_cube(L, o.dim[1], o.dim[2]);
    mine = ad_shape_prepend(D, &mine);
    other = ad_shape_prepend(D, &other);
    ad_shape t4 = ad_shape_prepend(D, &s);
    ad_var p = ad_reshape(ad_expand(ad_reshape(t, t4), mine), ad_cube(D * L, s.dim[1], s.dim[2]));
    ad_var q =
        o.dim[0] == 1 ? in[1 - side] : ad_reshape(ad_expand(in[1 - side], other), ad_cube(D * L, o.dim[1], o.dim[2]));
    return ad_reshape(side ? ad_matmul_core(q, flag[0], p, flag[1]) : ad_matmul_core(p, flag[0], q, flag[1]), result);
}

/* Y = AB with one factor diagonal: ∂Y[a,c]/∂A[i,j] = v[i,j] B[j,c] where a = i, and likewise for B. The directions are
 * the factor's two dimensions as it is stored; of these one is summed over, and δ lies between the other and Y's. */
static bool joint(const ad_call *c, const ad_tangent *t, int64_t D, ad_tangent *out)
{
    const ad_node *node = &c->node;
    int side = t[0].kind == TANGENT_DIAGONAL ? 0 : 1;
    if (node->shape.dim[0] != 1 || t[side].kind != TANGENT_DIAGONAL || t[1 - side].kind != TANGENT_ZERO) return false;
    int64_t kept = node->shape.dim[1 + side], free = node->shape.dim[2 - side], summed = D / kept;
    int kept_at = node->attr[side] ? 1 - side : side, summed_at = 1 - kept_at;
    ad_var other = ad_arg(c, 1 - side);
    if (node->attr[1 - side] != side) other = ad_transpose(other); /* the summed dimension first */
    ad_shape own = {4, {1, 1, 1, 1}}, across = own, unit = own, dense = ad_shape_prepend(D, &node->shape);
    own.dim[kept_at] = kept, own.dim[summed_at] = summed;
    across.dim[summed_at] = summed, across.dim[3 - side] = free;
    unit.dim[kept_at] = unit.dim[2 + side] = kept;
    ad_var v = ad_chain(ad_reshape(t[side].v, own), ad_reshape(other, across));
    v = ad_reshape(ad_where_equal(kept, unit, v), dense);
    *out = (ad_tangent){.kind = TANGENT_DENSE, .v = ad_broadcast_to(v, ad_is_shared(v) ? node->axis : -1, dense)};
    return true;
}

/* 2⟨v̄, ȦᵢḂᵢ⟩, with the D directions in the leading dimension. */
static ad_var curvature(const ad_call *c, ad_var vbar, ad_var taken, const ad_tangent *t, int64_t D)
{
    ad_var dense[2];
    int64_t L = c->node.shape.dim[0];
    for (int k = 0; k < 2; k++) {
        ad_shape s = ad_node_of(ad_arg(c, k))->shape, one = ad_shape_prepend(D, &s);
        s.dim[0] = L;
        ad_shape all = ad_shape_prepend(D, &s);
        dense[k] = ad_expand(ad_reshape(ad_tangent_dense(ad_arg(c, k), t[k], D), one), all);
        dense[k] = ad_reshape(dense[k], ad_cube(D * L, s.dim[1], s.dim[2]));
    }
    ad_var product = ad_matmul_core(dense[0], c->node.attr[0], dense[1], c->node.attr[1]);
    product = ad_reshape(product, ad_shape_prepend(D, &c->node.shape));
    return ad_scale(ad_sum_but_first(ad_masked_if(taken, ad_mul(product, vbar))), 2);
}

const ad_structure ad_structure_matmul = {
    .bilinear = true, .again = again, .adjoint = adjoint, .mask = mask, .tangent = tangent, .joint = joint,
    .curvature = curvature,
};

static ad_var batch_again(const ad_node *node, const ad_var *in)
{
    return ad_batch_matmul_core(node->attr[0], in[0], in[1]);
}

/* C = Σ_n aₙᵀbₙ: ā = b C̄ᵀ, b̄ = a C̄. */
static ad_var batch_adjoint(const ad_call *c, ad_var ybar, int which)
{
    ad_var factor = ad_arg(c, 1 - which);
    ad_shape s = ad_node_of(factor)->shape, t = ad_node_of(ybar)->shape;
    ad_var other = ad_reshape(factor, ad_cube(1, s.dim[0], s.dim[1]));
    ad_var product = ad_matmul_core(other, false, ad_reshape(ybar, ad_cube(1, t.dim[0], t.dim[1])), which == 0);
    return ad_is_null(product) ? product : ad_reshape(product, ad_node_of(ad_arg(c, which))->shape);
}

/* A column of a factor is taken where something of that row, or column, of C is. */
static ad_var batch_mask(const ad_call *c, ad_var taken, int which)
{
    ad_shape own = ad_node_of(ad_arg(c, which))->shape;
    return ad_is_null(taken) ? taken : ad_expand(ad_sum_dims(taken, which ? 1u << 0 : 1u << 1), own);
}

/* The D directions are moved next to the columns of their factor. */
static ad_var batch_tangent(const ad_call *c, ad_var t, int side, int64_t D)
{
    ad_shape s = ad_node_of(ad_arg(c, side))->shape;
    ad_var wide = ad_reshape(ad_move_dim(t, 0, 1), ad_mat(s.dim[0], D * s.dim[1]));
    int64_t m = c->node.shape.dim[0], n = c->node.shape.dim[1];
    int32_t axis = c->node.attr[0];
    if (side == 0) return ad_reshape(ad_batch_matmul_core(axis, wide, ad_arg(c, 1)), ad_cube(D, m, n));
    return ad_move_dim(ad_reshape(ad_batch_matmul_core(axis, ad_arg(c, 0), wide), ad_cube(m, D, n)), 1, 0);
}

/* 2⟨C̄, Σₙ ȧᵢᵀḃᵢ⟩ = 2 Σₙ ⟨ȧᵢ C̄, ḃᵢ⟩ for each direction. */
static ad_var batch_curvature(const ad_call *c, ad_var vbar, ad_var taken, const ad_tangent *t, int64_t D)
{
    ad_var a = ad_masked_if(batch_mask(c, taken, 0), ad_tangent_dense(ad_arg(c, 0), t[0], D));
    ad_var b = ad_masked_if(batch_mask(c, taken, 1), ad_tangent_dense(ad_arg(c, 1), t[1], D));
    ad_var terms = ad_sum_but_first(ad_mul(ad_matmul(a, vbar), b));
    return ad_scale(ad_batch_reduce(OP_batch_sum, c->node.attr[0], terms), 2);
}

static ad_var batch_weight(const ad_call *c, ad_var ybar)
{
    return ad_dot(ad_matmul(ad_arg(c, 0), ybar), ad_arg(c, 1));
}

const ad_structure ad_structure_batch_matmul = {
    .bilinear = true, .again = batch_again, .adjoint = batch_adjoint, .mask = batch_mask, .tangent = batch_tangent,
    .curvature = batch_curvature, .weight = batch_weight,
};
