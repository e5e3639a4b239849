/* The Hessian diagonal through every op of ops.def: E = Σ c∘sin(op(functions of x)), so that the op's own curvature,
 * its tangents and its adjoint all count; x per-sample and shared, its functions elementwise (diagonal tangents) and
 * dense, the op's other arguments of either kind. Ops that have no classical curvature must be refused, by name. */
#include "support/hessian.h"
#include "support/recipes.h"
#include "support/sanitized.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

typedef struct setting {
    ad_op op;
    int variant, choices;
    bool shared, diagonal;
} setting;

static const char *describe(const setting *s)
{
    static char text[128];
    snprintf(text, sizeof text, "%s, variant %d, kinds %d, x %s, %s", ad_ops[s->op].name, s->variant, s->choices,
             s->shared ? "shared" : "per-sample", s->diagonal ? "diagonal" : "dense");
    return text;
}

/* E, and x; the op's result in *f. */
static ad_var start(problem *p, const setting *s, ad_var *x, ad_var *f)
{
    cr_assert(problem_start(p, GIBBS_FLOAT64, s->choices, 23 + (uint64_t)s->op));
    ad_var made = problem_on(p, s->shared ? problem_shared(p) : p->data, ad_vec(3), -1, 1);
    p->x = *x = made;
    p->diagonal = s->diagonal;
    *f = recipe_record(p, s->op, s->variant);
    cr_assert(!ad_is_null(*f), "%s: %s", describe(s), ad_tape_message(p->tape));
    return ad_dot(problem_like(p, *f), ad_sin(*f));
}

static void expect_right(problem *p, const setting *s, ad_var E, ad_var x)
{
    hessian_errors error;
    bool done = hessian_check(p, E, x, &error);
    cr_expect(done, "%s: %s %s", describe(s), ad_tape_message(p->tape), p->message);
    if (!done) return;
    cr_expect(error.products <= 1e-11, "%s: differs from Hessian-vector products by %.3g", describe(s), error.products);
    cr_expect(error.diagonal <= 1e-10, "%s: differs from differences by %.3g", describe(s), error.diagonal);
    cr_expect(error.laplacian <= 1e-12, "%s: the Laplacian is off by %.3g", describe(s), error.laplacian);
    cr_expect(error.curvature <= 1e-10, "%s: the curvature is off by %.3g", describe(s), error.curvature);
}

/* True when y depends on x through a node of the op. */
static bool reads(ad_var y, ad_var x)
{
    if (y.id == x.id) return true;
    for (int k = 0; k < ad_node_of(y)->nin; k++)
        if (reads(ad_input_of(y, k), x)) return true;
    return false;
}

/* Whether the node is one of that op; one that masks what depends on x by what does not is smooth. */
static bool is_rough(ad_var y, ad_var x, ad_op op)
{
    return ad_node_of(y)->op == op && (op != OP_masked || reads(ad_input_of(y, 0), x));
}

static bool on_path(ad_var y, ad_var x, ad_op op, bool passed)
{
    if (y.id == x.id) return passed;
    if (ad_ops[ad_node_of(y)->op].smooth == CLASS_STOP) return false;
    for (int k = 0; k < ad_node_of(y)->nin; k++)
        if (on_path(ad_input_of(y, k), x, op, passed || is_rough(y, x, op))) return true;
    return false;
}

static bool mixes_samples(ad_op op) { return ad_ops[op].kind == KIND_BATCH || op == OP_regroup || op == OP_ungroup; }

static bool refused(const setting *s, ad_var E, ad_var x)
{
    ad_class smooth = ad_ops[s->op].smooth;
    bool rough = smooth == CLASS_KINK || smooth == CLASS_PICK || smooth == CLASS_FLAT;
    return (rough || (!s->shared && mixes_samples(s->op))) && on_path(E, x, s->op, false);
}

static void expect_refused(problem *p, const setting *s, ad_var E, ad_var x)
{
    ad_var h = ad_hess_diag(E, x);
    cr_expect(ad_is_null(h) && ad_tape_status(p->tape) == GIBBS_SMOOTH, "%s: not refused", describe(s));
    cr_expect(strstr(ad_tape_message(p->tape), ad_ops[s->op].name), "%s: the message is «%s»", describe(s),
              ad_tape_message(p->tape));
}

/* Returns how many leaves asked for a kind. */
static int check(const setting *s, int counts[2])
{
    problem p;
    ad_var x, f, E = start(&p, s, &x, &f);
    int free = p.free;
    bool no = refused(s, E, x);
    if (no) expect_refused(&p, s, E, x);
    else expect_right(&p, s, E, x);
    counts[no]++;
    problem_end(&p);
    return free;
}

/* Every combination of shared (0) and per-sample (1) for the leaves that ask, as decimal digits. */
static int next_choice(int choices, int digits)
{
    int unit = 1;
    for (int i = 0; i < digits; i++, unit *= 10) {
        if (choices / unit % 10 == LEAF_SHARED) return choices + unit * LEAF_ROWS;
        choices -= unit * LEAF_ROWS;
    }
    return 0;
}

static void check_op(ad_op op, int counts[2])
{
    for (int variant = 0; variant < recipe_variants(op); variant++)
        for (int mode = 0; mode < 4; mode++) {
            setting s = {op, variant, 0, mode & 1, mode >> 1};
            int free;
            if (!in_sweep(mode, 3)) continue;
            do free = check(&s, counts);
            while ((s.choices = next_choice(s.choices, free)));
        }
}

static void check_kind(ad_kind kind)
{
    for (int op = 0; op < OP_COUNT; op++) {
        int counts[2] = {0, 0};
        if (ad_ops[op].kind != kind) continue;
        check_op((ad_op)op, counts);
        ad_class smooth = ad_ops[op].smooth;
        bool rough = smooth == CLASS_KINK || smooth == CLASS_PICK || smooth == CLASS_FLAT;
        cr_expect(rough ? counts[1] > 0 : counts[0] > 0, "%s: %d diagonals and %d refusals", ad_ops[op].name, counts[0],
                  counts[1]);
    }
}

Test(hessian, unary_ops) { check_kind(KIND_UNARY); }
Test(hessian, binary_ops) { check_kind(KIND_BINARY); }
Test(hessian, ternary_ops) { check_kind(KIND_TERNARY); }
Test(hessian, structural_ops) { check_kind(KIND_STRUCTURAL); }
Test(hessian, batch_ops) { check_kind(KIND_BATCH); }
