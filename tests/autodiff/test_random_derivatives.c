/* Derivatives of random programs over every kind of leaf, several axes, views, products, batch reductions and recorded
 * derivatives, against differences of the interpreter: three orders, Hessian diagonals, Jacobians. And what folding
 * makes of each program: it is recorded twice, the second time with every value behind a veil, the maximum with a leaf
 * far below, which nothing can fold, and both must have the same value. */
#include "random_graph.h"
#include "support/derivative.h"
#include "support/hessian.h"
#include "support/jacobian.h"
#include "support/user_ops.h"

#ifndef FIRST_SEED /* to look for more, compile with others */
#define FIRST_SEED 1
#define PROGRAMS (int)(60 * test_times())
#endif
enum { OPS = 22, VEILS = 30, SMALL = 16 };

typedef struct program {
    problem p;
    graph g;
    ad_var to_other, to_data; /* row numbers on one root axis of rows on the other */
    ad_var veil[VEILS];
    int veils;
    bool veiled;
} program;

/* ---- Ops beside those of random_graph.h ---- */

static ad_var do_smooth(program *r, ad_var x)
{
    ad_var away = ad_shift(ad_square(x), 1);
    switch (roll(&r->g, 8)) {
    case 0: return ad_sqrt(away);
    case 1: return ad_log(away);
    case 2: return ad_recip(away);
    case 3: return ad_exp(ad_tanh(x));
    case 4: return ad_log1p(ad_square(x));
    case 5: return ad_pow(away, ad_tanh(x));
    case 6: return ad_gelu(x);
    default: return ad_sigmoid_slope(x);
    }
}

/* What folding is fond of. */
static ad_var do_fold(program *r, ad_var x)
{
    switch (roll(&r->g, 8)) {
    case 0: return ad_neg(x);
    case 1: return ad_scale(x, 0.5);
    case 2: return ad_sub(ad_scale(x, -1), ad_neg(ad_cos(x)));
    case 3: return ad_recip(ad_shift(ad_softplus(x), 1));
    case 4: return ad_add(ad_tanh(x), ad_tanh(x));
    case 5: return ad_sub(ad_constant(x.tape, 1), x);
    case 6: return ad_mul(ad_neg(x), ad_sin(x));
    default: return ad_pow(ad_tanh(x), ad_constant(x.tape, 2));
    }
}

static ad_var do_move(program *r, ad_var x)
{
    if (ad_is_shared(x)) return NO_VAR;
    bool data = ad_axis_of(x).id == r->p.data.id;
    if (!data && ad_axis_of(x).id != r->p.other.id) return NO_VAR;
    ad_axis to = data ? r->p.other : r->p.data;
    if (roll(&r->g, 2)) return ad_batch_gather(x, data ? r->to_other : r->to_data);
    return ad_tanh(ad_batch_scatter_add(to, x, data ? r->to_data : r->to_other));
}

static ad_var do_cube(program *r, ad_var x)
{
    (void)r;
    if (ad_shape_of(x).rank != 3) return NO_VAR;
    return ad_tanh(ad_scale(ad_matmul(x, ad_transpose(x)), 0.3));
}

static ad_var do_user(program *r, ad_var x)
{
    ad_shape s = ad_shape_of(x);
    if (s.rank == 0 || ad_shape_count(&s) < USER_SIZE) return NO_VAR;
    ad_var a = ad_slice(ad_reshape(x, ad_vec(ad_shape_count(&s))), 0, 0, USER_SIZE), b = ad_tanh(a);
    switch (roll(&r->g, 3)) {
    case 0: return ad_user(&user_wave, (ad_var[]){b, a});
    case 1: return ad_tanh(ad_user(&user_blend, (ad_var[]){a, b, ad_sin(a), b}));
    default: return ad_user(&user_cube, &b);
    }
}

/* Other derivatives as parts of the program: along something, and second ones. */
static ad_var do_derivative(program *r, ad_var x)
{
    graph *g = &r->g;
    if (ad_tape_size(g->tape) > 400) return NO_VAR;
    ad_var leaf = g->leaf[4 + roll(g, 2)], y = ad_sum(ad_tanh(x)), v = ad_tanh(leaf), d;
    switch (roll(g, 3)) {
    case 0: return ad_tanh(ad_jvp(ad_tanh(x), &leaf, &v, 1));
    case 1: return ad_is_zero(d = ad_hvp(y, leaf, v)) ? NO_VAR : ad_tanh(d);
    default: return ad_is_zero(d = ad_hess_diag_almost_everywhere(y, leaf)) ? NO_VAR : ad_tanh(d);
    }
}

static ad_var do_child(program *r, ad_var x)
{
    bool elsewhere = ad_axis_of(x).id == r->p.other.id;
    return elsewhere ? NO_VAR : do_axes(&r->g, x);
}

/* An op of random_graph.h, where it fits. */
static ad_var do_common(program *r, ad_var x)
{
    static ad_var (*const f[])(graph *, ad_var) = {do_unary,   do_unary,  do_binary, do_binary,  do_reduction, do_batch,
                                                   do_permute, do_permute, do_reshape, do_cut,    do_cut,
                                                   do_expand,  do_indexed, do_matmul};
    return f[roll(&r->g, LENGTH(f))](&r->g, x);
}
static ad_var do_first(program *r, ad_var x) { return do_gradient(&r->g, x); }

/* ---- Programs ---- */

static ad_var veiled(program *r, ad_var v)
{
    ad_shape s = ad_shape_of(v), t;
    if (ad_is_null(v) || !r->veiled) return v;
    for (int k = 0; k < r->veils; k++) {
        t = ad_shape_of(r->veil[k]);
        if (ad_axis_of(r->veil[k]).id == ad_axis_of(v).id && ad_shape_equal(&s, &t)) return ad_max(v, r->veil[k]);
    }
    if (r->veils == VEILS) return v;
    ad_var below = r->veil[r->veils++] = problem_like(&r->p, v);
    const problem_leaf *leaf = &r->p.leaf[r->p.leaves - 1];
    for (int64_t i = 0; i < leaf->size; i++) leaf->value[i] = -1e9;
    return ad_max(v, below);
}

/* The same seed gives the same program, veiled or not. A smooth one has no select on its paths. */
static void start(program *r, uint64_t seed, bool veil, bool smooth)
{
    *r = (program){.veiled = veil};
    cr_assert(problem_start(&r->p, GIBBS_FLOAT64, 0, seed));
    ad_axis data = r->p.data, none = problem_shared(&r->p), child = ad_axis_child(data, CHILDREN, "children");
    r->g = (graph){.tape = r->p.tape, .data = data, .child = child, .seed = 0x9E37 + 7919 * seed};
    const ad_axis axis[LEAVES] = {data, data, r->p.other, child, none, none, none, data};
    const ad_shape shape[LEAVES] = {ad_mat(3, 4), ad_vec(4), ad_vec(3),   ad_vec(4),
                                    ad_mat(3, 4), ad_vec(4), ad_scalar(), ad_cube(2, 3, 2)};
    for (int k = 0; k < LEAVES; k++)
        keep(&r->g, r->g.leaf[r->g.leaves++] = problem_on(&r->p, axis[k], shape[k], -1, 1));
    if (smooth) r->g.leaf[6] = ad_constant(r->p.tape, 1);
    r->to_other = problem_index_on(&r->p, r->p.other, ad_scalar(), DATA_ROWS);
    r->to_data = problem_index_on(&r->p, data, ad_scalar(), OTHER_ROWS);
}

/* Derivatives come last: what they leave out, since it is zero, a veil would hide. */
static void grow(program *r, bool derivatives)
{
    static ad_var (*const f[])(program *, ad_var) = {do_common, do_common, do_common, do_common, do_common, do_common,
                                                     do_smooth, do_fold,   do_fold,   do_move,   do_child,  do_child,
                                                     do_cube,   do_user,   do_first,  do_derivative};
    for (int k = 0; k < OPS; k++) {
        ad_var x = any(&r->g);
        keep(&r->g, veiled(r, f[roll(&r->g, LENGTH(f) - (derivatives ? 0 : 2))](r, x)));
    }
    cr_assert_eq(ad_tape_status(r->p.tape), GIBBS_OK, "%s", ad_tape_message(r->p.tape));
}

static ad_var latest(const program *r, int back) { return r->g.pool[r->g.size - 1 - back]; }

/* The mean over the samples of Σ sin, over the latest values. */
static ad_var summary(const program *r)
{
    ad_var y = ad_constant(r->p.tape, 0);
    for (int k = 0; k < 3; k++) {
        ad_var part = ad_sum(ad_sin(latest(r, k)));
        y = ad_add(y, ad_is_shared(part) ? part : ad_batch_mean(ad_axis_of(part), part));
    }
    return y;
}

/* ---- What folding makes of a program ---- */

static void value_of(program *r, ad_var v, quad_machine *m, const quad **value)
{
    cr_assert(quad_start(m, r->p.tape, r->p.rows) && problem_interpret(&r->p, m, NULL, NULL, 0));
    *value = quad_value(m, v);
    cr_assert(*value, "%s", m->failure);
}

Test(random_derivatives, folding_keeps_the_value)
{
    for (uint64_t seed = FIRST_SEED; seed < FIRST_SEED + 4 * (uint64_t)PROGRAMS; seed++) {
        program plain, veil;
        quad_machine m, n;
        const quad *a, *b;
        start(&plain, seed, false, false), grow(&plain, false);
        start(&veil, seed, true, false), grow(&veil, false);
        cr_assert_eq(plain.g.size, veil.g.size, "program %d", (int)seed);
        ad_var u = latest(&plain, 0), v = latest(&veil, 0);
        value_of(&plain, u, &m, &a);
        value_of(&veil, v, &n, &b);
        cr_assert_eq(quad_size(&m, u), quad_size(&n, v), "program %d", (int)seed);
        for (int64_t i = 0; i < quad_size(&m, u); i++)
            cr_expect(derivative_error((double)a[i], b[i], fabs((double)b[i])) <= 1e-13,
                      "program %d, %d: %.17g, not %.17g", (int)seed, (int)i, (double)a[i], (double)b[i]);
        quad_end(&m);
        quad_end(&n);
        problem_end(&plain.p);
        problem_end(&veil.p);
    }
}

/* ---- Derivatives ---- */

/* Four leaves at a time; y a shared scalar, or whatever came last. */
static void check_orders(uint64_t seed, bool whole)
{
    program r;
    derivative_errors e;
    start(&r, seed, false, false), grow(&r, true);
    ad_var y = whole ? latest(&r, 0) : summary(&r);
    unsigned active = seed % 2 ? 0x33 : 0xD4; /* of the eight: [3,4], [4] on the axis and shared; or the others */
    bool done = derivative_check(&r.p, y, active, &e);
    cr_expect(done, "program %d: %s %s", (int)seed, ad_tape_message(r.p.tape), r.p.message);
    if (done) {
        cr_expect(e.value <= 1e-12, "program %d: the value is off by %.3g", (int)seed, e.value);
        cr_expect(e.first <= 1e-11, "program %d: the gradient is off by %.3g", (int)seed, e.first);
        cr_expect(e.transpose <= 1e-11, "program %d: forward and reverse differ by %.3g", (int)seed, e.transpose);
        cr_expect(e.second <= 1e-9, "program %d: the second derivative is off by %.3g", (int)seed, e.second);
        cr_expect(e.forward <= 1e-9, "program %d: forward over reverse is off by %.3g", (int)seed, e.forward);
        cr_expect(e.symmetry <= 1e-9, "program %d: the Hessian is not symmetric: %.3g", (int)seed, e.symmetry);
        cr_expect(e.third <= 1e-7, "program %d: the third derivative is off by %.3g", (int)seed, e.third);
    }
    problem_end(&r.p);
}

Test(random_derivatives, three_orders)
{
    for (uint64_t seed = FIRST_SEED; seed < FIRST_SEED + (uint64_t)PROGRAMS; seed++) check_orders(seed, seed % 3 == 0);
}

static bool mixes(const program *r)
{
    return ad_tape_status(r->p.tape) == GIBBS_SMOOTH && strstr(ad_tape_message(r->p.tape), "mixes samples");
}

/* The latest value on x's axis for a per-sample x; for a shared one, the summary. */
static ad_var energy_of(const program *r, ad_var x)
{
    if (ad_is_shared(x)) return summary(r);
    for (int k = 0; k < r->g.size; k++)
        if (ad_axis_of(latest(r, k)).id == ad_axis_of(x).id) return ad_sum(ad_sin(latest(r, k)));
    return NO_VAR;
}

/* By one of the leaves of at most SMALL elements. */
static int check_hessian(uint64_t seed, int leaf)
{
    program r;
    hessian_errors e;
    start(&r, seed, false, true), grow(&r, false);
    ad_var x = r.p.leaf[leaf].var;
    bool done = hessian_check(&r.p, energy_of(&r, x), x, &e);
    cr_expect(done || (mixes(&r) && !ad_is_shared(x)), "program %d, leaf %d: %s %s", (int)seed, leaf,
              ad_tape_message(r.p.tape), r.p.message);
    if (done) {
        cr_expect(e.diagonal <= 1e-9, "program %d, leaf %d: the diagonal is off by %.3g", (int)seed, leaf, e.diagonal);
        cr_expect(e.products <= 1e-9, "program %d, leaf %d: products differ by %.3g", (int)seed, leaf, e.products);
        cr_expect(e.laplacian <= 1e-11, "program %d, leaf %d: the trace is off by %.3g", (int)seed, leaf, e.laplacian);
        cr_expect(e.curvature <= 1e-9, "program %d, leaf %d: curvature off by %.3g", (int)seed, leaf, e.curvature);
    }
    problem_end(&r.p);
    return done;
}

Test(random_derivatives, hessian_diagonals)
{
    int done[LEAVES] = {0};
    for (uint64_t seed = FIRST_SEED; seed < FIRST_SEED + (uint64_t)PROGRAMS; seed++)
        for (int leaf = 0; leaf < LEAVES; leaf++)
            if (leaf != 6 && (seed + (uint64_t)leaf) % 2) done[leaf] += check_hessian(seed, leaf);
    for (int leaf = 0; leaf < LEAVES; leaf++)
        cr_expect(leaf == 6 || done[leaf] > PROGRAMS / 8, "leaf %d: %d", leaf, done[leaf]);
}

static int check_jacobian(uint64_t seed, int leaf, bool scalar)
{
    program r;
    double error, across;
    start(&r, seed, false, false), grow(&r, true);
    ad_var x = r.p.leaf[leaf].var, last = latest(&r, 0), y = scalar ? ad_sum(ad_sin(last)) : last;
    ad_var J = ad_jacobian(y, &x, 1);
    bool done = jacobian_check(&r.p, y, x, J, &error, &across);
    bool axes = ad_tape_status(r.p.tape) == GIBBS_AXIS;
    cr_expect(done || ((mixes(&r) || axes) && !ad_is_shared(x)), "program %d, leaf %d: %s %s", (int)seed, leaf,
              ad_tape_message(r.p.tape), r.p.message);
    cr_expect(!done || (error <= 1e-11 && across == 0), "program %d, leaf %d, Jacobian: off by %.3g, across %.3g",
              (int)seed, leaf, error, across);
    problem_end(&r.p);
    return done;
}

Test(random_derivatives, jacobians)
{
    int done = 0;
    for (uint64_t seed = FIRST_SEED; seed < FIRST_SEED + (uint64_t)PROGRAMS; seed++)
        for (int scalar = 0; scalar < 2; scalar++)
            done += check_jacobian(seed, (int)((seed + 4 * (uint64_t)scalar) % LEAVES), scalar);
    cr_expect(done > PROGRAMS, "%d", done);
}
