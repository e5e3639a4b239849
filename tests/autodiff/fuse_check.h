/* fuse_check.h — what the tests of fused instructions share: a program with the numbers of sums with products and of
 * pairs that are to be fused in it, run by a plan and by the quadruple-precision interpreter. */
#ifndef GIBBS_TEST_FUSE_CHECK_H
#define GIBBS_TEST_FUSE_CHECK_H

#include "autodiff/run/workspace.h"
#include "plan_helpers.h"
#include "support/problem.h"

enum { N = 4, ROWS = 37 };

/* What is computed by one instruction in a plan's bodies. */
typedef struct fused {
    int sums, pairs;
} fused;

typedef struct program {
    const char *name;
    fused plan, twin;                       /* to be fused: in the plan, and in its twin that stores where it has one */
    int (*record)(problem *p, ad_var *out); /* returns how many outputs there are */
    int left;                               /* of what the test counts itself */
} program;

#define ROW(name, sums, pairs) {#name, {sums, pairs}, {sums, pairs}, name, 0}
#define ROW_WITH_TWIN(name, sums, pairs, twin_sums, twin_pairs) {#name, {sums, pairs}, {twin_sums, twin_pairs}, name, 0}

/* ---- What programs are made of ---- */

static inline ad_var data(problem *p, ad_shape shape) { return problem_on(p, p->data, shape, -1, 1); }
static inline ad_var shared(problem *p, ad_shape shape) { return problem_on(p, problem_shared(p), shape, -0.7, 0.7); }
static inline ad_var term(problem *p) { return ad_tanh(data(p, ad_vec(N))); }
static inline ad_var times(problem *p, ad_var x) { return ad_matmul(x, shared(p, ad_mat(N, N))); }
static inline ad_var product(problem *p) { return times(p, data(p, ad_vec(N))); }

/* ---- Running them ---- */

static inline fused fused_in(const ad_plan *plan)
{
    fused f = {0, 0};
    for (int64_t s = 0; s < plan->stages; s++)
        for (int64_t k = 0; k < plan->stage[s].body.count; k++) {
            const ad_instruction *i = &plan->stage[s].body.at[k];
            f.sums += i->action == DO_matmul && i->matmul.starts;
            f.pairs += i->action == DO_logistic;
        }
    return f;
}

static inline void expect_fused(const ad_plan *plan, fused expected, const char *name)
{
    fused f = fused_in(plan);
    cr_expect(f.sums == expected.sums && f.pairs == expected.pairs, "%s: %d sums and %d pairs are fused, not %d and %d",
              name, f.sums, f.pairs, expected.sums, expected.pairs);
}

static inline void bind_leaves(const problem *p, runner r, void **memory)
{
    for (int i = 0; i < p->leaves; i++) {
        memory[i] = in_type(ad_tape_dtype(p->tape), p->leaf[i].value, p->leaf[i].size);
        if (!p->leaf[i].constant) bind(r, p->leaf[i].var, memory[i]);
    }
    set_rows(r, p->data, p->rows[p->data.id]);
}

static inline void expect_outputs(const problem *p, quad_machine *m, runner r, const ad_var *out, int count,
                                  const char *name)
{
    gibbs_dtype dtype = ad_tape_dtype(p->tape);
    for (int k = 0; k < count; k++) {
        const quad *value = quad_value(m, out[k]);
        int64_t size = quad_size(m, out[k]);
        cr_assert_not_null(value, "%s: %s", name, m->failure);
        double *expected = malloc((size_t)size * sizeof *expected);
        for (int64_t i = 0; i < size; i++) expected[i] = (double)value[i];
        expect_close(r, k, dtype, expected, size, dtype == GIBBS_FLOAT32 ? 1e-5 : 1e-13, name);
        free(expected);
    }
}

/* The interpreter takes a step: the first output becomes the first leaf. */
static inline void step_by_hand(const problem *p, quad_machine *m, ad_var out)
{
    size_t bytes = (size_t)quad_size(m, out) * sizeof(quad);
    quad *next = malloc(bytes);
    memcpy(next, quad_value(m, out), bytes);
    memcpy(quad_leaf(m, p->leaf[0].var), next, bytes);
    quad_forget(m);
    free(next);
}

/* Runs twice, and without the twin that a run would take for so few rows, if there is one. */
static inline void run_and_compare(const problem *p, quad_machine *m, runner r, const ad_var *out, int count, int steps,
                                   const char *name)
{
    ad_workspace *twin = r.w->storing;
    for (int again = 0; again < 3; again++) {
        if (again == 2) r.w->storing = NULL;
        run_with(r, (ad_run_options){.repeat = steps});
        expect_outputs(p, m, r, out, count, name);
    }
    r.w->storing = twin;
}

typedef void plan_check(const program *program, const ad_plan *plan);

/* Compares all outputs; with steps above 1, after so many, from each of which the next one's first leaf is carried. */
static inline void check_program(const program *program, gibbs_dtype dtype, int64_t block_bytes, int steps,
                                 plan_check *check)
{
    problem p;
    quad_machine m;
    ad_var out[PROBLEM_OUTPUTS];
    void *memory[PROBLEM_LEAVES] = {NULL};
    cr_assert(problem_start(&p, dtype, 0, 11));
    p.rows[p.data.id] = ROWS;
    int count = program->record(&p, out);
    cr_assert_eq(ad_tape_status(p.tape), GIBBS_OK, "%s: %s", program->name, ad_tape_message(p.tape));
    cr_assert(quad_start(&m, p.tape, p.rows) && problem_interpret(&p, &m, NULL, NULL, 0));
    ad_carry carry = {0, p.leaf[0].var};
    runner r = runner_with(out, count, &(ad_plan_options){&carry, steps > 1, block_bytes});
    check(program, r.plan);
    bind_leaves(&p, r, memory);
    for (int k = 1; k < steps; k++) step_by_hand(&p, &m, out[0]);
    run_and_compare(&p, &m, r, out, count, steps, program->name);
    runner_free(r);
    for (int i = 0; i < PROBLEM_LEAVES; i++) free(memory[i]);
    quad_end(&m);
    problem_end(&p);
}

static inline void check_fused(const program *program, const ad_plan *plan)
{
    expect_fused(plan, program->plan, program->name);
    if (plan->storing) expect_fused(plan->storing, program->twin, program->name);
}

/* All programs of a table, in blocks of different sizes. */
static inline void check_programs(const program *programs, int count, gibbs_dtype dtype, int steps)
{
    static const int64_t block_bytes[] = {0, 1, 3000};
    for (int k = 0; k < count; k++)
        for (int b = 0; b < LENGTH(block_bytes); b++)
            check_program(&programs[k], dtype, block_bytes[b], steps, check_fused);
}

#endif
