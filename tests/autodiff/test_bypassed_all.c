/* That refuse.c knows all that constructors look through: x is made of leaves by one or two moves, y of x by one to
 * three, from a table of everything that can be recorded. ad_grad by x must refuse exactly where y reads those leaves
 * past x, and must otherwise give what it gives for the same moves on a leaf in x's place. */
#include "autodiff/tape/tape.h"
#include "plan_helpers.h"
#include "support/user_ops.h"

#include <stdio.h>

enum { ROWS = 3, CHILDREN = 3, MOST = 128, LEAVES = 8 };

typedef struct scene {
    ad_tape *tape;
    ad_axis data, child;
    ad_var z;     /* x is made of this and of */
    ad_var other; /* what a move takes beside its argument: one leaf for x, another for y */
    ad_var at;    /* a row's number */
    ad_var leaf[LEAVES];
    double *memory[LEAVES];
    int leaves;
} scene;

static ad_var leaf(scene *s, ad_axis axis, ad_shape shape, uint64_t seed)
{
    ad_var v = axis.id < 0 ? ad_parameter(s->tape, "p", shape) : ad_input(axis, "v", shape);
    int64_t rows = axis.id < 0 ? 1 : axis.id == s->data.id ? ROWS : ROWS * CHILDREN;
    s->leaf[s->leaves] = v;
    s->memory[s->leaves++] = random_numbers(rows * MOST, seed);
    return v;
}

/* z is shared, of the samples, or of their children. */
static scene start(int kind)
{
    scene s = {.tape = ad_tape_new(GIBBS_FLOAT64, NULL)};
    s.data = ad_axis_new(s.tape, "data");
    s.child = ad_axis_child(s.data, CHILDREN, "child");
    ad_axis of[] = {{s.tape, -1}, s.data, s.child};
    s.z = leaf(&s, of[kind], kind == 2 ? ad_vec(3) : ad_mat(3, 3), 1);
    s.other = leaf(&s, of[0], ad_vec(3), 2);
    s.at = leaf(&s, s.data, ad_scalar(), 3);
    for (int i = 0; i < ROWS; i++) s.memory[2][i] = (i + 1) % ROWS;
    return s;
}

static void finish(scene *s)
{
    for (int k = 0; k < s->leaves; k++) free(s->memory[k]);
    ad_tape_free(s->tape);
}

/* ---- Moves: x to something of it; the null var where x does not have the shape or axis for it ---- */

static const ad_var NO_VAR = {NULL, -1};
static int rank(ad_var x) { return ad_shape_of(x).rank; }
static int64_t first_dim(ad_var x) { return ad_shape_of(x).dim[0]; }
static bool is_on(ad_var x, ad_axis axis) { return ad_axis_of(x).id == axis.id; }
static ad_var number(ad_var x, double c) { return ad_constant(x.tape, c); }

/* An array of other numbers each, so that no two elements count alike. */
static ad_var array(ad_var x, ad_shape shape)
{
    double value[4 * MOST];
    for (int64_t i = 0; i < ad_shape_count(&shape); i++) value[i] = 0.3 + 0.1 * (double)((7 * i) % 11);
    return ad_constant_array(x.tape, shape, value);
}

static ad_var tripled(scene *s, ad_var x) { return (void)s, ad_scale(x, 3); }
static ad_var square(scene *s, ad_var x) { return (void)s, ad_square(x); }
static ad_var flat(scene *s, ad_var x) { return (void)s, ad_reshape(x, ad_vec(ad_count(x))); }
static ad_var column(scene *s, ad_var x) { return (void)s, ad_reshape(x, ad_mat(ad_count(x), 1)); }
static ad_var matrix(scene *s, ad_var x)
{
    return (void)s, ad_count(x) % 3 ? NO_VAR : ad_reshape(x, ad_mat(3, ad_count(x) / 3));
}
static ad_var transpose(scene *s, ad_var x) { return (void)s, rank(x) < 2 ? NO_VAR : ad_transpose(x); }
static ad_var turned(scene *s, ad_var x)
{
    int order[AD_MAX_RANK], n = rank(x);
    for (int i = 0; i < n; i++) order[i] = (i + 1) % n;
    return (void)s, n < 2 ? NO_VAR : ad_permute(x, order);
}
static ad_var expand(scene *s, ad_var x)
{
    ad_shape own = ad_shape_of(x);
    return (void)s, own.rank > 2 ? NO_VAR : ad_expand(x, ad_shape_prepend(3, &own));
}
static ad_var widen(scene *s, ad_var x)
{
    ad_shape own = ad_shape_of(x);
    bool thin = own.rank && own.dim[own.rank - 1] == 1;
    if (thin) own.dim[own.rank - 1] = 3;
    return (void)s, thin ? ad_expand(x, own) : NO_VAR;
}
static ad_var lift(scene *s, ad_var x) { return ad_is_shared(x) ? ad_lift(s->data, x) : NO_VAR; }
static ad_var regroup(scene *s, ad_var x) { return is_on(x, s->child) ? ad_regroup(x) : NO_VAR; }
static ad_var ungroup(scene *s, ad_var x)
{
    return rank(x) && first_dim(x) == CHILDREN && !is_on(x, s->child) ? ad_ungroup(s->child, x) : NO_VAR;
}
static ad_var slice(scene *s, ad_var x)
{
    return (void)s, rank(x) && first_dim(x) > 1 ? ad_slice(x, 0, 1, 1) : NO_VAR;
}
static ad_var pad(scene *s, ad_var x) { return (void)s, rank(x) ? ad_pad(x, rank(x) - 1, 1, 0) : NO_VAR; }
static ad_var twice(scene *s, ad_var x) { return (void)s, rank(x) ? ad_concat(x, x, 0) : NO_VAR; }
static ad_var beside(scene *s, ad_var x) { return rank(x) == 1 ? ad_concat(s->other, x, 0) : NO_VAR; }
static ad_var sum(scene *s, ad_var x) { return (void)s, ad_sum(x); }
static ad_var sum_first(scene *s, ad_var x) { return (void)s, rank(x) ? ad_sum_dims(x, 1) : NO_VAR; }
static ad_var largest(scene *s, ad_var x) { return (void)s, rank(x) ? ad_max_reduce_dims(x, 1) : NO_VAR; }
static ad_var logsumexp(scene *s, ad_var x)
{
    return (void)s, rank(x) ? ad_logsumexp_dims(x, 1u << (rank(x) - 1)) : NO_VAR;
}
static ad_var rows_of(scene *s, ad_var x)
{
    static const double index[3] = {1, 0, 1};
    (void)s;
    return rank(x) && first_dim(x) > 1 ? ad_gather(x, ad_constant_array(x.tape, ad_vec(3), index)) : NO_VAR;
}
static ad_var spread(scene *s, ad_var x) { return (void)s, ad_scatter_add(x, number(x, 1), 2); }
static ad_var product(scene *s, ad_var x)
{
    (void)s;
    if (rank(x) < 1 || rank(x) > 3) return NO_VAR;
    return ad_matmul(x, array(x, ad_vec(ad_shape_of(x).dim[rank(x) - 1])));
}
static ad_var factor(scene *s, ad_var x)
{
    return (void)s, rank(x) == 2 ? ad_matmul(array(x, ad_mat(2, first_dim(x))), x) : NO_VAR;
}
static ad_var of_other(scene *s, ad_var x)
{
    return rank(x) == 2 && first_dim(x) == 3 ? ad_matmul(s->other, x) : NO_VAR;
}
static ad_var gram(scene *s, ad_var x) { return (void)s, rank(x) == 2 ? ad_matmul(x, ad_transpose(x)) : NO_VAR; }
static ad_var chosen(scene *s, ad_var x) { return (void)s, ad_select(ad_less(x, number(x, 0.2)), x, ad_sin(x)); }
static ad_var either(scene *s, ad_var x) { return (void)s, ad_select(number(x, 1), x, ad_sin(x)); }
static ad_var cube(scene *s, ad_var x)
{
    return (void)s, rank(x) == 1 && first_dim(x) == USER_SIZE ? ad_user(&user_cube, &x) : NO_VAR;
}
static ad_axis axis_for(scene *s, ad_var x) { return ad_is_shared(x) ? s->data : ad_axis_of(x); }
static ad_var batch_sum(scene *s, ad_var x) { return ad_batch_sum(axis_for(s, x), x); }
static ad_var batch_mean(scene *s, ad_var x) { return ad_batch_mean(axis_for(s, x), x); }
static ad_var batch_logsumexp(scene *s, ad_var x) { return ad_batch_logsumexp(axis_for(s, x), x); }
static ad_var batch_max(scene *s, ad_var x) { return ad_batch_max(axis_for(s, x), x); }
static ad_var batch_product(scene *s, ad_var x)
{
    return rank(x) == 1 ? ad_batch_matmul(axis_for(s, x), x, array(x, ad_vec(2))) : NO_VAR;
}
static ad_var batch_gram(scene *s, ad_var x)
{
    return rank(x) == 1 ? ad_batch_matmul(axis_for(s, x), x, ad_sin(x)) : NO_VAR;
}
static ad_var batch_gather(scene *s, ad_var x) { return is_on(x, s->child) ? NO_VAR : ad_batch_gather(x, s->at); }
static ad_var batch_scatter(scene *s, ad_var x)
{
    return is_on(x, s->child) ? NO_VAR : ad_batch_scatter_add(s->data, x, s->at);
}

static ad_var (*const structural[])(scene *, ad_var) = {
    tripled,   square,    flat,      column,       matrix,     transpose,       turned,        expand,
    widen,     lift,      regroup,   ungroup,      slice,      pad,             twice,         beside,
    sum,       sum_first, largest,   logsumexp,    rows_of,    spread,          product,       factor,
    of_other,  gram,      chosen,    either,       cube,       batch_sum,       batch_mean,    batch_max,
    batch_logsumexp,      batch_product,           batch_gram, batch_gather,    batch_scatter};

/* f(x), and f of x beside another leaf, itself and numbers that constructors know, on either side. */
enum { FORMS = 11 };
static int forms(ad_op op) { return ad_ops[op].kind == KIND_UNARY ? 1 : ad_ops[op].kind == KIND_BINARY ? FORMS : 0; }

static ad_var elementwise(scene *s, ad_op op, int form, ad_var x)
{
    static const double known[] = {0, 1, -1, 2};
    ad_var v[2] = {x, x};
    ad_shape a = ad_shape_of(x), b = ad_shape_of(s->other), joint;
    if (form > 2) v[form % 2] = number(x, known[(form - 3) / 2]);
    else if (form > 0) v[form % 2] = ad_shape_broadcast(&a, &b, &joint) ? s->other : NO_VAR;
    return ad_is_null(v[form % 2]) ? NO_VAR : ad_elementwise(op, v, ad_ops[op].arguments);
}

static int count_moves(void)
{
    int n = LENGTH(structural);
    for (int op = 0; op < OP_COUNT; op++) n += forms((ad_op)op);
    return n;
}

static ad_var move(scene *s, int k, ad_var x)
{
    if (ad_is_null(x) || rank(x) > 4 || ad_count(x) > MOST) return NO_VAR;
    if (k < LENGTH(structural)) return structural[k](s, x);
    k -= LENGTH(structural);
    for (int op = 0; op < OP_COUNT; k -= forms((ad_op)op++))
        if (k < forms((ad_op)op)) return elementwise(s, (ad_op)op, k, x);
    return NO_VAR;
}

static ad_var moves(scene *s, const int *k, int n, ad_var x)
{
    for (int i = 0; i < n; i++) x = move(s, k[i], x);
    return ad_is_null(x) || rank(x) > 4 || ad_count(x) > MOST ? NO_VAR : x;
}

/* ---- One question ---- */

typedef struct tally {
    int asked, refused, compared;
} tally;

static ad_var total(ad_var x)
{
    ad_var y = ad_dot(x, array(x, ad_shape_of(x)));
    return ad_is_shared(y) ? y : ad_batch_sum(ad_axis_of(y), y);
}

/* Whether y reads leaves on a path that does not pass node x (−1: at all). */
static bool reads_past(const scene *s, ad_var y, int32_t x)
{
    bool read[2048] = {false}, found = false;
    cr_assert_lt(y.id, LENGTH(read));
    read[y.id] = true;
    for (int32_t i = y.id; i >= 0; i--) {
        const ad_node *node = &s->tape->node[i];
        if (!read[i] || i == x) continue;
        bool named = node->op == OP_input || node->op == OP_parameter;
        found |= named && i != s->other.id && i != s->at.id;
        for (int k = 0; k < node->nin; k++) read[node->in[k]] = true;
    }
    return found;
}

/* The gradients by x and by the leaf in its place are equal; false where numbers are not finite. */
static bool same_gradients(scene *s, ad_var x, ad_var dx, ad_var twin_dx, const char *what)
{
    ad_var out[3] = {x, dx, twin_dx};
    runner r = runner_new(out, 3, 0);
    int64_t n = ad_count(x) * (ad_is_shared(x) ? 1 : is_on(x, s->data) ? ROWS : ROWS * CHILDREN);
    double scale = 1, off = 0;
    set_rows(r, s->data, ROWS);
    for (int k = 0; k < s->leaves; k++) bind(r, s->leaf[k], s->memory[k]);
    run(r);
    memcpy(s->memory[s->leaves - 1], ad_result(r.w, 0), (size_t)n * sizeof(double)); /* the twin is the last leaf */
    run(r);
    const double *a = ad_result_f64(r.w, 1), *b = ad_result_f64(r.w, 2);
    for (int64_t i = 0; i < n; i++) scale = fmax(scale, fabs(b[i])), off = fmax(off, fabs(a[i] - b[i]));
    bool finite = true;
    for (int64_t i = 0; i < n; i++) finite &= isfinite(a[i]) && isfinite(b[i]);
    cr_expect(!finite || off <= 1e-7 * scale, "%s: off by %g of %g", what, off, scale);
    runner_free(r);
    return finite && scale < 1e6;
}

/* z − z is recorded for −(z − z) as well: what reads it cannot be told apart, and is always refused. */
static bool is_own_negative(ad_var x)
{
    const ad_node *node = ad_node_of(x);
    return node->op == OP_sub && node->in[0] == node->in[1];
}

/* x by the first `split` of n moves on z, y by the rest on x. */
static void ask(int kind, const int *k, int split, int n, tally *t)
{
    scene s = start(kind);
    char what[64];
    snprintf(what, sizeof what, "z %d, moves %d %d %d %d, %d of %d for x", kind, k[0], k[1], n > 2 ? k[2] : -1,
             n > 3 ? k[3] : -1, split, n);
    ad_var x = moves(&s, k, split, s.z), dx, twin_dx, twin = NO_VAR;
    s.other = leaf(&s, (ad_axis){s.tape, -1}, ad_vec(3), 4);
    ad_var y = moves(&s, k + split, n - split, x);
    if (!ad_is_null(y) && reads_past(&s, x, -1) && !is_own_negative(x)) {
        y = ad_add(total(y), total(ad_sin(x)));
        twin = leaf(&s, ad_axis_of(x), ad_shape_of(x), 5);
        ad_grad(ad_add(total(moves(&s, k + split, n - split, twin)), total(ad_sin(twin))), &twin, 1, &twin_dx);
    }
    cr_assert_eq(ad_tape_status(s.tape), GIBBS_OK, "%s: %s", what, ad_tape_message(s.tape));
    if (!ad_is_null(twin)) {
        bool past = reads_past(&s, y, x.id);
        gibbs_status status = ad_grad(y, &x, 1, &dx);
        cr_expect_eq(status, past ? GIBBS_ARGUMENT : GIBBS_OK, "%s: %s, «%s»", what, past ? "past x" : "through x",
                     ad_tape_message(s.tape));
        t->asked++, t->refused += status != GIBBS_OK;
        if (!status) t->compared += same_gradients(&s, x, dx, twin_dx, what);
    }
    finish(&s);
}

Test(bypassed_all, a_move_each)
{
    tally t = {0};
    int n = count_moves();
    for (int i = 0; i < n; i++)
        for (int j = 0; j < n; j++) ask((i + j) % 3, (int[]){i, j}, 1, 2, &t);
    cr_expect(t.asked > 19000 && t.refused > 600 && t.compared > 16000);
}

Test(bypassed_all, several_moves_at_random)
{
    tally t = {0};
    uint64_t seed = 1;
    for (int round = 0; round < 20000; round++) {
        int k[4], n = count_moves(), total_moves = 3 + (int)next_below(&seed, 2), split = 1 + (int)next_below(&seed, 2);
        for (int i = 0; i < 4; i++) k[i] = (int)next_below(&seed, next_below(&seed, 2) ? LENGTH(structural) : n);
        ask((int)next_below(&seed, 3), k, split, total_moves, &t);
    }
    cr_expect(t.asked > 10000 && t.refused > 500 && t.compared > 8000, "%d asked, %d refused, %d compared", (int)t.asked,
              (int)t.refused, (int)t.compared);
}
