/* What covers a part of a larger value: slices and gathers of one vector, and values that are joined. Three orders of
 * derivatives against differences of the quadruple-precision interpreter, by plans; and plans in which a larger value
 * is wanted before its pieces are complete, or by someone else, too. How much is written: test_linear.c. */
#include "fuse_check.h"
#include "support/derivative.h"

enum { LONG = 7 };

static ad_var row(ad_var v) { return ad_reshape(v, ad_vec(ad_count(v))); }

/* ---- Derivatives ---- */

static ad_var free_leaf(problem *p, ad_shape shape) { return problem_free(p, shape, -0.9, 0.9); }

/* Σᵢ sin of three neighbours' product, each three overlapping the next; x itself is read in full between them. */
static ad_var overlapping(problem *p)
{
    ad_var x = free_leaf(p, ad_vec(LONG)), y = ad_dot(x, x);
    for (int i = 0; i + 3 <= LONG; i++) {
        ad_var s = ad_slice(x, 0, i, 3);
        y = ad_add(y, ad_sin(ad_mul(ad_at(s, 0), ad_mul(ad_at(s, 1), ad_at(s, 2)))));
        if (i == 2) y = ad_add(y, ad_sum(ad_tanh(x)));
    }
    return y;
}

static ad_var neighbours(problem *p)
{
    ad_var x = free_leaf(p, ad_vec(LONG)), y = ad_constant(p->tape, 0);
    for (int i = 0; i < LONG; i++) y = ad_add(y, ad_sin(ad_mul(ad_at(x, i), ad_at(x, (i + 1) % LONG))));
    return y;
}

static ad_var blocks(problem *p)
{
    ad_var m = free_leaf(p, ad_mat(4, 5)), y = ad_constant(p->tape, 0);
    for (int i = 0; i < 3; i++) {
        ad_var block = ad_slice(ad_slice(m, 0, i, 2), 1, i, 3);
        y = ad_add(y, ad_sum(ad_sin(ad_mul(block, ad_slice(ad_slice(m, 0, 3 - i, 1), 1, 1, 3)))));
        y = ad_add(y, ad_square(ad_at2(m, i, 4 - i)));
    }
    return y;
}

static ad_var gathers(problem *p)
{
    ad_var x = free_leaf(p, ad_mat(LONG, 2)), y = ad_constant(p->tape, 0);
    for (int i = 0; i < LONG; i++) {
        ad_var at = ad_constant_array(p->tape, ad_vec(2), (double[]){i, (2 * i + 1) % LONG});
        y = ad_add(y, ad_sum(ad_sin(ad_mul(ad_gather(x, at), ad_slice(x, 0, i / 2, 2)))));
    }
    return y;
}

/* Functions of x, the second of another leaf, and a constant. */
static void list(problem *p, ad_var x, ad_var *part)
{
    ad_var other = free_leaf(p, ad_mat(2, 2));
    for (int i = 0; i < LONG; i++) part[i] = ad_sin(ad_scale(ad_slice(x, 1, i % 3, 1 + i % 2), i + 1));
    part[1] = ad_mul(other, ad_slice(x, 1, 0, 2));
    part[4] = ad_constant_array(p->tape, ad_mat(2, 1), (double[]){0.5, -0.25});
}

static ad_var bent(ad_var joined) { return ad_sum(ad_sin(ad_mul(joined, ad_square(joined)))); }

static ad_var chain_to_the_left(problem *p)
{
    ad_var x = free_leaf(p, ad_mat(2, 4)), part[LONG], y;
    list(p, x, part);
    y = part[0];
    for (int i = 1; i < LONG; i++) y = ad_concat(y, part[i], 1);
    return bent(y);
}

static ad_var chain_to_the_right(problem *p)
{
    ad_var x = free_leaf(p, ad_mat(2, 4)), part[LONG], y;
    list(p, x, part);
    y = part[LONG - 1];
    for (int i = LONG - 2; i >= 0; i--) y = ad_concat(part[i], y, 1);
    return bent(y);
}

static ad_var list_at_once(problem *p)
{
    ad_var x = free_leaf(p, ad_mat(2, 4)), part[LONG];
    list(p, x, part);
    return bent(ad_concat_all(part, LONG, 1));
}

/* A join that is joined twice, along two dimensions, and read by itself. */
static ad_var join_read_again(problem *p)
{
    ad_var x = free_leaf(p, ad_mat(2, 2)), inner = ad_concat(ad_sin(x), ad_square(x), 1);
    ad_var outer = ad_concat(ad_concat(inner, inner, 1), ad_concat(x, ad_concat(inner, ad_cos(x), 1), 1), 1);
    ad_var tall = ad_concat(ad_concat(outer, ad_tanh(outer), 0), ad_neg(outer), 0);
    return ad_add(bent(tall), ad_sum(ad_sin(inner)));
}

typedef struct bent_case {
    const char *name;
    ad_var (*record)(problem *p);
} bent_case;

#define CASE(name) {#name, name}
static const bent_case cases[] = {
    CASE(overlapping),       CASE(neighbours),         CASE(blocks),       CASE(gathers),
    CASE(chain_to_the_left), CASE(chain_to_the_right), CASE(list_at_once), CASE(join_read_again),
};

/* By the first leaf, by the last, and by all of them. */
static void check_derivatives(const bent_case *c, int choices)
{
    for (unsigned by = 0, leaves = 1; by < 3; by++) {
        problem p;
        derivative_errors e;
        cr_assert(problem_start(&p, GIBBS_FLOAT64, choices, 5));
        ad_var y = c->record(&p);
        unsigned last = (unsigned)p.leaves - 1, active = by == 0 ? 1 : by == 1 ? 1u << last : (2u << last) - 1;
        leaves = last + 1;
        if (by == 0 || leaves > 1) {
            cr_assert(derivative_check(&p, y, active, &e), "%s: %s %s", c->name, ad_tape_message(p.tape), p.message);
            cr_expect(e.value <= 1e-14 && e.first <= 1e-13 && e.second <= 1e-10 && e.third <= 1e-8 &&
                          e.forward <= 1e-10 && e.transpose <= 1e-13 && e.symmetry <= 1e-13,
                      "%s, leaves %d, by %u: off by %.2g %.2g %.2g %.2g, %.2g, %.2g, %.2g", c->name, choices, active,
                      e.value, e.first, e.second, e.third, e.forward, e.transpose, e.symmetry);
        }
        problem_end(&p);
    }
}

Test(pieces, derivatives)
{
    static const int choices[] = {10 * LEAF_SHARED + LEAF_SHARED, 10 * LEAF_ROWS + LEAF_ROWS,
                                  10 * LEAF_SHARED + LEAF_ROWS, 10 * LEAF_ROWS + LEAF_SHARED};
    for (int k = 0; k < LENGTH(cases); k++)
        for (int i = 0; i < LENGTH(choices); i++) check_derivatives(&cases[k], choices[i]);
}

/* ---- Plans ---- */

static ad_var place(ad_var v, int64_t at) { return ad_pad(v, 0, at, LONG - at - ad_count(v)); }
static ad_var three(ad_var x) { return ad_tanh(ad_slice(x, 0, 2, 3)); }

static int in_place(problem *p, ad_var *out)
{
    ad_var x = data(p, ad_vec(LONG));
    out[0] = ad_sin(ad_add(ad_add(ad_exp(x), place(three(x), 1)), place(ad_square(three(x)), 3)));
    return 1;
}

/* Nobody but the first sum may find the second's piece in it. */
static int sum_read_again(problem *p, ad_var *out)
{
    ad_var x = data(p, ad_vec(LONG)), first = ad_add(ad_exp(x), place(three(x), 1));
    out[0] = ad_sin(ad_add(first, place(ad_square(three(x)), 3)));
    out[1] = ad_cos(first);
    return 2;
}

static int sum_is_output(problem *p, ad_var *out)
{
    ad_var x = shared(p, ad_vec(LONG));
    out[0] = ad_add(ad_exp(x), place(three(x), 1));
    out[1] = ad_add(out[0], place(ad_square(three(x)), 3));
    return 2;
}

static int stored_sum_is_output(problem *p, ad_var *out)
{
    ad_var x = data(p, ad_vec(LONG));
    out[0] = ad_add(ad_exp(x), place(three(x), 1));
    out[1] = ad_add(out[0], place(ad_square(three(x)), 3));
    return 2;
}

/* A leaf may not be written to, even where the sum alone reads it. */
static int onto_a_leaf(problem *p, ad_var *out)
{
    ad_var x = data(p, ad_vec(LONG)), w = shared(p, ad_vec(LONG));
    ad_var c = ad_constant_array(p->tape, ad_vec(3), (double[]){1, 2, 3});
    out[0] = ad_add(data(p, ad_vec(LONG)), place(three(x), 1));
    out[1] = ad_add(shared(p, ad_vec(LONG)), place(three(w), 4));
    out[2] = ad_add(ad_mul(x, w), ad_lift(p->data, place(three(w), 2)));
    out[3] = ad_add(c, ad_pad(ad_slice(w, 0, 0, 2), 0, 1, 0));
    return 4;
}

static int piece_read_again(problem *p, ad_var *out)
{
    ad_var x = data(p, ad_vec(LONG)), piece = place(three(x), 1);
    out[0] = ad_sin(ad_add(ad_add(ad_exp(x), piece), place(ad_cos(three(x)), 0)));
    out[1] = ad_cos(piece);
    return 2;
}

/* The pieces are known after a pass over the data each, and the sum is needed in another. */
static int over_passes(problem *p, ad_var *out)
{
    ad_var x = data(p, ad_vec(LONG)), w = shared(p, ad_vec(LONG)), m = ad_batch_sum(p->data, ad_sin(x));
    ad_var sum = ad_add(ad_exp(w), place(ad_slice(m, 0, 0, 4), 2));
    ad_var s = ad_batch_sum(p->data, ad_tanh(ad_mul(x, m)));
    sum = ad_add(sum, place(ad_slice(s, 0, 3, 2), 3));
    out[0] = ad_batch_sum(p->data, ad_sum(ad_sin(ad_mul(x, sum))));
    ad_grad(out[0], (ad_var[]){x, w}, 2, out + 1);
    return 3;
}

/* A per-sample sum of pieces that a later pass reads. */
static int later_pass(problem *p, ad_var *out)
{
    ad_var x = data(p, ad_vec(LONG));
    ad_var sum = ad_add(ad_add(ad_exp(x), place(three(x), 1)), place(ad_square(three(x)), 4));
    ad_var joined = ad_concat(ad_concat(sum, three(x), 0), ad_sin(x), 0);
    ad_var m = ad_batch_logsumexp(p->data, ad_sum(ad_square(joined)));
    out[0] = ad_batch_sum(p->data, ad_sum(ad_sin(ad_mul(joined, m))));
    return 1;
}

static int joined_from_outputs(problem *p, ad_var *out)
{
    ad_var x = data(p, ad_vec(3));
    out[0] = ad_concat(ad_exp(x), ad_concat(x, x, 0), 0);
    out[1] = ad_concat(out[0], ad_concat(ad_sin(x), ad_mul(x, shared(p, ad_vec(3))), 0), 0);
    return 2;
}

static int joined_over_passes(problem *p, ad_var *out)
{
    ad_var x = data(p, ad_vec(3)), m = ad_batch_sum(p->data, ad_sin(x)), s = ad_batch_sum(p->data, ad_mul(x, m));
    out[0] = ad_concat(ad_concat(shared(p, ad_vec(2)), m, 0), s, 0);
    out[1] = ad_batch_sum(p->data, ad_sum(ad_sin(ad_mul(row(ad_concat(x, x, 0)), ad_slice(out[0], 0, 1, 6)))));
    return 2;
}

static int on_children(problem *p, ad_var *out)
{
    ad_var x = problem_on(p, p->child, ad_vec(3), -1, 1), all = ad_regroup(ad_concat(ad_concat(x, ad_sin(x), 0), x, 0));
    ad_var sum = ad_add(ad_exp(x), ad_pad(ad_slice(x, 0, 1, 1), 0, 0, 2));
    out[0] = ad_add(ad_sum(ad_sin(all)), ad_sum(ad_regroup(ad_add(sum, ad_pad(ad_slice(x, 0, 0, 2), 0, 1, 0)))));
    return 1;
}

/* What a plan has of instructions that write all numbers of a sum or a join, for pieces; adjoints of one slice alone
 * are such. */
#define WHOLE(name, count) {#name, {0, 0}, {0, 0}, name, count}
static const program programs[] = {
    WHOLE(in_place, 0),    WHOLE(sum_read_again, 1), WHOLE(sum_is_output, 1),       WHOLE(stored_sum_is_output, 2),
    WHOLE(onto_a_leaf, 4), WHOLE(piece_read_again, 1), WHOLE(over_passes, 2),       WHOLE(later_pass, 0),
    WHOLE(on_children, 0), WHOLE(joined_from_outputs, 0), WHOLE(joined_over_passes, 0),
};

static int count_wholes(const ad_code *code)
{
    int count = 0;
    for (int64_t k = 0; k < code->count; k++) {
        const ad_instruction *i = &code->at[k];
        count += i->action == DO_place && i->op == OP_pad;
        count += i->action == DO_copy && (i->op == OP_add || i->op == OP_concat);
    }
    return count;
}

static void check_wholes(const program *program, const ad_plan *plan)
{
    int count = 0;
    for (int64_t s = 0; s < plan->stages; s++)
        count += count_wholes(&plan->stage[s].shared) + count_wholes(&plan->stage[s].body);
    cr_expect_eq(count, program->left, "%s: %d whole values for pieces, not %d", program->name, count, program->left);
}

static void check_all(gibbs_dtype dtype)
{
    static const int64_t block_bytes[] = {0, 1, 3000};
    for (int k = 0; k < LENGTH(programs); k++)
        for (int b = 0; b < LENGTH(block_bytes); b++)
            check_program(&programs[k], dtype, block_bytes[b], 1, check_wholes);
}

Test(pieces, plans_float64) { check_all(GIBBS_FLOAT64); }
Test(pieces, plans_float32) { check_all(GIBBS_FLOAT32); }

/* ---- Runs that look for what is not finite ---- */

typedef struct checked {
    ad_tape *tape;
    ad_var x;
    runner r;
    double numbers[ROWS * LONG];
} checked;

/* 1e308·v + 1e308·(the first three of v, from number 4 on), of v = [exp x, tanh x, sin x], over rows. */
static void start_checked(checked *c)
{
    c->tape = ad_tape_new(GIBBS_FLOAT64, NULL);
    ad_axis rows = ad_axis_new(c->tape, "rows");
    c->x = ad_input(rows, "x", ad_vec(LONG));
    ad_var joined = ad_concat(ad_concat(ad_exp(c->x), ad_tanh(c->x), 0), ad_sin(c->x), 0);
    ad_var large = ad_scale(ad_slice(joined, 0, 0, 3), 1e308);
    ad_var out[2] = {ad_add(ad_scale(joined, 1e308), ad_pad(large, 0, 4, 3 * LONG - 7)), ad_sin(joined)};
    c->r = runner_new(out, 2, 0);
    set_rows(c->r, rows, ROWS);
    bind(c->r, c->x, c->numbers);
}

static gibbs_status run_checked(checked *c, double second, double sixth, gibbs_error *error)
{
    for (int i = 0; i < ROWS * LONG; i++) c->numbers[i] = -1;
    c->numbers[5 * LONG + 2] = second;
    c->numbers[5 * LONG + 6] = sixth;
    return ad_run(c->r.w, &(ad_run_options){.check = 1, .threads = 1}, error);
}

/* What has not been written yet may be anything: here, what a run of NaNs left. */
Test(pieces, only_what_was_written_is_checked)
{
    checked c;
    gibbs_error error = {.status = GIBBS_OK};
    start_checked(&c);
    for (int i = 0; i < ROWS * LONG; i++) c.numbers[i] = NAN;
    run(c.r);
    MUST(run_checked(&c, -1, -1, &error), error);
    runner_free(c.r);
    ad_tape_free(c.tape);
}

/* 1e308·e^0.1 is a number, twice that is not. */
Test(pieces, a_sum_that_overflows_is_found)
{
    checked c;
    gibbs_error error = {.status = GIBBS_OK};
    start_checked(&c);
    MUST(run_checked(&c, 0.1, -1, &error), error);
    MUST(run_checked(&c, -1, 0.1, &error), error);
    cr_assert_eq(run_checked(&c, 0.1, 0.1, &error), GIBBS_NUMERIC);
    cr_expect(strstr(error.message, "row 5 of «rows», element 6"), "%s", error.message);
    cr_expect_eq(error.row, 5);
    runner_free(c.r);
    ad_tape_free(c.tape);
}
