/* What a program of n ops costs is in proportion to n: nodes on the tape, numbers that a run writes, bytes that are
 * handed out while recording, compiling and running. n numbers of one vector read one by one, n values joined one by
 * one, and Hessian diagonals of n ops, with derivatives up to the third. The controls are not in proportion, and seen
 * not to be. */
#include "autodiff/plan/plan.h"
#include "plan_helpers.h"
#include "support/alloc.h"

enum { SMALL = 120, TIMES = 4, OUTPUTS = 4, WIDTH = 2 };

typedef struct scene {
    ad_tape *tape;
    ad_axis data;
    ad_var x, u;
    int n;
    const ad_var *each; /* its elements as variables; NULL: they are not */
} scene;

/* Nodes; slices of slices, which a plan walks for each that it reads, at most; bytes handed out while recording;
 * numbers that a run writes; bytes at most. */
typedef struct costs {
    double nodes, depth, recording, numbers, memory;
} costs;

/* ---- Programs: an energy of x ---- */

static ad_var product(ad_var a, ad_var b) { return ad_sin(ad_mul(a, b)); }
static ad_var element(const scene *s, int i) { return s->each ? s->each[i % s->n] : ad_at(s->x, i % s->n); }

static ad_var slices(const scene *s)
{
    ad_var y = ad_dot(s->x, s->x);
    for (int i = 0; i < s->n; i++) y = ad_add(y, product(element(s, i), element(s, i + 1)));
    return y;
}

static ad_var gathered(const scene *s, int i)
{
    return ad_gather(s->x, ad_constant_array(s->tape, ad_vec(1), (double[]){i % s->n}));
}

static ad_var gathers(const scene *s)
{
    ad_var y = ad_dot(s->x, s->x);
    for (int i = 0; i < s->n; i++) y = ad_add(y, ad_sum(product(gathered(s, i), gathered(s, i + 1))));
    return y;
}

/* Two columns of a matrix of two rows, by a list that is no range. */
static ad_var listed(const scene *s, int i)
{
    const int64_t list[] = {i % s->n, (i + 2) % s->n};
    return ad_take(ad_stack((ad_var[]){s->x, s->x}, 2), list, 2, 1);
}

static ad_var lists(const scene *s)
{
    ad_var y = ad_dot(s->x, s->x);
    for (int i = 0; i < s->n; i++) y = ad_add(y, ad_sum(product(listed(s, i), listed(s, i + 1))));
    return y;
}

/* One list of n, backwards, and cumulative sums of n: with a matrix of n by n that would be n² numbers. */
static ad_var one_list(const scene *s)
{
    ad_var back = ad_slice_step(s->x, 0, s->n - 1, s->n, -1);
    return ad_sum(product(ad_cumsum(s->x, 0), ad_cumsum_reverse(back, 0)));
}

static ad_var part(const scene *s, int i) { return ad_reshape(product(element(s, i), element(s, i + 1)), ad_vec(1)); }

static ad_var joined_left(const scene *s)
{
    ad_var y = part(s, 0);
    for (int i = 1; i < s->n; i++) y = ad_concat(y, part(s, i), 0);
    return ad_sum(ad_mul(ad_square(y), s->x));
}

static ad_var joined_right(const scene *s)
{
    ad_var y = part(s, 0);
    for (int i = 1; i < s->n; i++) y = ad_concat(part(s, i), y, 0);
    return ad_sum(ad_mul(ad_square(y), s->x));
}

static ad_var joined_at_once(const scene *s)
{
    ad_var *list = malloc((size_t)s->n * sizeof *list);
    for (int i = 0; i < s->n; i++) list[i] = part(s, i);
    ad_var y = ad_concat_all(list, s->n, 0);
    free(list);
    return ad_sum(ad_mul(ad_square(y), s->x));
}

static ad_var chain(const scene *s)
{
    ad_var y = s->x;
    for (int i = 0; i < s->n; i++) y = i % 2 ? ad_tanh(y) : ad_mul(ad_shift(y, 0.5), s->x);
    return ad_sum(y);
}

/* Steps that take a value apart and put it together. */
static ad_var steps(const scene *s)
{
    ad_var y = s->x;
    for (int i = 0; i < s->n; i++) {
        ad_var a = ad_at(y, 0), b = ad_at(y, 1);
        y = ad_stack((ad_var[]){product(a, b), ad_tanh(ad_add(a, ad_at(s->x, 1)))}, 2);
    }
    return ad_sum(y);
}

/* Each pad is read twice, so that it is a vector of n numbers. */
static ad_var pads_read_twice(const scene *s)
{
    ad_var y = ad_constant(s->tape, 0);
    for (int i = 0; i < s->n; i++) {
        ad_var pad = ad_pad(ad_reshape(element(s, i), ad_vec(1)), 0, i, s->n - 1 - i);
        y = ad_add(y, ad_add(ad_dot(pad, pad), ad_logsumexp(pad)));
    }
    return y;
}

/* A gradient every other step. */
static ad_var gradients(const scene *s)
{
    ad_var y = ad_sum(s->x), g = s->x;
    for (int i = 0; i < s->n; i++) {
        y = ad_tanh(ad_shift(y, i));
        if (i % 2) ad_grad(y, &s->x, 1, &g);
    }
    return ad_sum(g);
}

/* ---- What they cost ---- */

static int derivatives(const scene *s, ad_var y, ad_var *out)
{
    out[0] = y;
    ad_grad(y, &s->x, 1, &out[1]);
    out[2] = ad_hvp(y, s->x, s->u);
    ad_grad(ad_dot(s->u, out[2]), &s->x, 1, &out[3]);
    return 4;
}

/* By each number as a variable of its own, and by as many that y does not read. */
static int by_elements(const scene *s, ad_var y, ad_var *out)
{
    int n = s->n;
    ad_var *x = malloc(4 * (size_t)n * sizeof *x), *g = x + 2 * n;
    for (int i = 0; i < n; i++) x[i] = ad_variable(ad_at(s->u, i)), x[n + i] = element(s, i);
    ad_grad(y, x, 2 * n, g);
    out[0] = ad_stack(g, 2 * n);
    free(x);
    return 1;
}

static ad_var *elements(const scene *s)
{
    ad_var *x = malloc((size_t)s->n * sizeof *x);
    for (int i = 0; i < s->n; i++) x[i] = ad_variable(ad_at(s->x, i));
    return x;
}

static int diagonal(const scene *s, ad_var y, ad_var *out) { return out[0] = y, out[1] = ad_hess_diag(y, s->x), 2; }
static int value(const scene *s, ad_var y, ad_var *out) { return (void)s, out[0] = y, 1; }

/* A table that is scattered into a sum is written where the indices say. */
static double numbers_of(const ad_code *code)
{
    double sum = 0;
    for (int64_t k = 0; k < code->count; k++) {
        const ad_instruction *i = &code->at[k];
        sum += (double)(i->action == DO_scatter && i->scatter.adds ? i->scatter.width * i->scatter.indices : i->count);
    }
    return sum;
}

static double deepest_slices(const ad_tape *tape)
{
    int64_t deepest = 0, *depth = calloc((size_t)tape->size, sizeof *depth);
    for (int64_t i = 0; i < tape->size; i++) {
        if (tape->node[i].op == OP_slice) depth[i] = 1 + depth[tape->node[i].in[0]];
        if (depth[i] > deepest) deepest = depth[i];
    }
    free(depth);
    return (double)deepest;
}

static double numbers_written(const ad_plan *plan)
{
    double sum = 0;
    for (int64_t s = 0; s < plan->stages; s++)
        sum += numbers_of(&plan->stage[s].shared) + numbers_of(&plan->stage[s].body);
    return sum;
}

typedef struct question {
    const char *name;
    ad_var (*record)(const scene *s);
    int (*derive)(const scene *s, ad_var y, ad_var *out);
    bool wide; /* x has n numbers, not WIDTH */
    int n;     /* 0: SMALL */
} question;

static void run_once(scene *s, runner r, bool samples)
{
    double *numbers = random_numbers(s->n * 2, 3);
    bind(r, s->x, numbers);
    gibbs_error error;
    ad_bind(r.w, s->u, numbers, &error); /* an error where the plan does not need u, ignored */
    if (samples) set_rows(r, s->data, 2);
    run_with(r, (ad_run_options){.threads = 1});
    free(numbers);
}

static costs costs_of(const question *q, int n, bool samples)
{
    counting_alloc count = {0};
    gibbs_allocator allocator = counting_allocator(&count);
    scene s = {.tape = ad_tape_new(GIBBS_FLOAT64, &allocator), .n = n};
    ad_shape shape = ad_vec(q->wide ? n : WIDTH);
    ad_var out[OUTPUTS];
    s.data = ad_axis_new(s.tape, "data");
    s.x = samples ? ad_input(s.data, "x", shape) : ad_parameter(s.tape, "x", shape);
    s.u = ad_parameter(s.tape, "u", shape);
    ad_var *each = q->derive == by_elements ? elements(&s) : NULL;
    s.each = each;
    int outputs = q->derive(&s, q->record(&s), out);
    free(each);
    cr_assert_eq(ad_tape_status(s.tape), GIBBS_OK, "%s: %s", q->name, ad_tape_message(s.tape));
    costs c = {(double)ad_tape_size(s.tape), deepest_slices(s.tape), (double)count.total, 0, 0};
    runner r = runner_new(out, outputs, 0);
    c.numbers = numbers_written(r.plan);
    run_once(&s, r, samples);
    c.memory = (double)count.peak;
    runner_free(r);
    ad_tape_free(s.tape);
    cr_expect_eq(count.live, 0);
    return c;
}

/* How often as much TIMES as many ops cost. Arrays that grow do so by doubling. */
static costs growth(const question *q, bool samples)
{
    int n = q->n ? q->n : SMALL;
    costs a = costs_of(q, n, samples), b = costs_of(q, TIMES * n, samples);
    return (costs){b.nodes / a.nodes, b.depth, b.recording / a.recording, b.numbers / a.numbers, b.memory / a.memory};
}

static const double LINEAR = TIMES * 1.6;

Test(linear, in_the_number_of_ops)
{
    static const question questions[] = {
        {"slices", slices, derivatives, true, 0},
        {"slices, by each", slices, by_elements, true, 5 * SMALL},
        {"gathers", gathers, derivatives, true, 0},
        {"lists", lists, derivatives, true, 0},
        {"one list", one_list, derivatives, true, 5 * SMALL},
        {"joined to the left", joined_left, derivatives, true, 0},
        {"joined to the right", joined_right, derivatives, true, 0},
        {"joined at once", joined_at_once, derivatives, true, 0},
        {"the diagonal of a chain", chain, diagonal, false, 0},
        {"the diagonal of steps", steps, diagonal, false, 0},
    };
    for (int k = 0; k < LENGTH(questions); k++)
        for (int samples = 0; samples < 2; samples++) {
            costs g = growth(&questions[k], samples);
            cr_expect_leq(g.depth, 2, "%s: %g slices of slices", questions[k].name, g.depth);
            cr_expect(g.nodes < LINEAR && g.recording < LINEAR && g.numbers < LINEAR && g.memory < LINEAR,
                      "%s, %s: of %d times as many ops, nodes are %.2g, bytes while recording %.2g, numbers %.2g, "
                      "memory %.2g times as many",
                      questions[k].name, samples ? "per-sample" : "shared", TIMES, g.nodes, g.recording, g.numbers,
                      g.memory);
        }
}

Test(linear, control_what_is_not_is_seen)
{
    static const question pads = {"pads read twice", pads_read_twice, value, true, 3 * SMALL};
    static const question walks = {"a gradient every other step", gradients, value, false, 0};
    costs p = growth(&pads, false), s = growth(&walks, false);
    cr_expect(p.numbers > LINEAR, "numbers %.3g", p.numbers);
    cr_expect(s.nodes > LINEAR && s.recording > LINEAR && s.memory > LINEAR, "nodes %.3g, recording %.3g, memory %.3g",
              s.nodes, s.recording, s.memory);
}
