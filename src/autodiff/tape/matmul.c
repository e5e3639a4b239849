/* matmul.c — matrix products. All of them are one core op on [L,m,k]·[L,k,n] with transpose flags, L ≥ 1 and 1
 * where a factor lacks it; vectors and matrices are reshaped into it, which costs nothing. */
#include "tape.h"

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

/* A factor that is the same for all samples stays shared when the other is not. */
static ad_var unlift(ad_var v) { return ad_node_of(v)->op == OP_lift ? ad_input_of(v, 0) : v; }

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
    a = absorb_transpose(unlift(a), &ta);
    b = absorb_transpose(unlift(b), &tb);
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
    if (s.rank > 1) a = absorb_transpose(unlift(a), &ta);
    if (t.rank > 1) b = absorb_transpose(unlift(b), &tb);
    ad_var core = ad_matmul_core(to_core(a, true), ta, to_core(b, false), tb);
    if (ad_is_null(core)) return core;
    int32_t axis = x >= 0 ? x : y;
    if (axis >= 0 && ad_node_of(core)->axis < 0) core = ad_lift((ad_axis){tape, axis}, core);
    return ad_reshape(core, shape);
}
