/* What a plan copies: operands that a kernel cannot read where they lie, and those that would be spread out again and
 * again. Values against the quadruple-precision interpreter, copies counted in the plan. */
#include "fuse_check.h"

enum { ALL = 40, PART = 20, WIDE = 24, LONG = 70 };

/* Numbers 7 … 26 of 40. */
static ad_var part(problem *p) { return ad_slice(ad_tanh(data(p, ad_vec(ALL))), 0, 7, PART); }

static ad_var parts_of_rows(problem *p) { return ad_slice(ad_tanh(data(p, ad_mat(3, ALL))), 1, 7, PART); }

static ad_var sum_over_data(problem *p, ad_var a, ad_var b) { return ad_batch_matmul(p->data, a, b); }

/* Its tangent hyperbolic: a result that is a reshaped product would be copied to where it is put out. */
static int one(ad_var y, ad_var *out)
{
    out[0] = ad_tanh(y);
    return 1;
}

/* ---- Factors of products ---- */

#define PROGRAM(name, value) \
    static int name(problem *p, ad_var *out) { return one(value, out); }

PROGRAM(wide_part, ad_matmul(part(p), shared(p, ad_mat(PART, WIDE))))
PROGRAM(by_a_transpose, ad_matmul(part(p), ad_transpose(shared(p, ad_mat(WIDE, PART)))))
PROGRAM(with_a_bias, ad_add(ad_matmul(part(p), shared(p, ad_mat(PART, WIDE))), shared(p, ad_vec(WIDE))))
PROGRAM(of_a_batch, sum_over_data(p, part(p), ad_sin(data(p, ad_vec(WIDE)))))
PROGRAM(of_an_input, ad_matmul(ad_slice(data(p, ad_vec(ALL)), 0, 1, PART), shared(p, ad_mat(PART, WIDE))))
PROGRAM(few_columns, ad_matmul(part(p), shared(p, ad_mat(PART, 3))))
PROGRAM(narrow_part, ad_matmul(ad_slice(part(p), 0, 2, 5), shared(p, ad_mat(5, WIDE))))
PROGRAM(right_factor, sum_over_data(p, ad_sin(data(p, ad_vec(WIDE))), part(p)))
PROGRAM(narrow_of_a_batch, sum_over_data(p, ad_slice(part(p), 0, 2, 5), ad_sin(data(p, ad_vec(WIDE)))))
PROGRAM(part_of_each_row, ad_matmul(parts_of_rows(p), shared(p, ad_mat(PART, WIDE))))
PROGRAM(rows_of_a_batch, sum_over_data(p, parts_of_rows(p), ad_sin(data(p, ad_mat(3, WIDE)))))

/* ---- Operands of elementwise instructions ---- */

static ad_var repeated(problem *p, int64_t inner)
{
    return ad_expand(ad_tanh(data(p, ad_vec(inner))), ad_mat(3, inner));
}

static int read_once(problem *p, ad_var *out)
{
    return one(ad_mul(repeated(p, 5), ad_tanh(data(p, ad_mat(3, 5)))), out);
}

static int read_twice(problem *p, ad_var *out)
{
    ad_var x = repeated(p, 5);
    out[0] = ad_mul(x, ad_tanh(data(p, ad_mat(3, 5))));
    out[1] = ad_mul(x, ad_sin(data(p, ad_mat(3, 5))));
    return 2;
}

static int long_rows_read_twice(problem *p, ad_var *out)
{
    ad_var x = repeated(p, LONG);
    out[0] = ad_mul(x, ad_tanh(data(p, ad_mat(3, LONG))));
    out[1] = ad_mul(x, ad_sin(data(p, ad_mat(3, LONG))));
    return 2;
}

/* What is broadcast is copied before that: 15 numbers, not 60. */
static int transposed_and_repeated(problem *p, ad_var *out)
{
    ad_var x = ad_transpose(ad_tanh(data(p, ad_mat(5, 3))));
    return one(ad_mul(ad_expand(x, ad_cube(4, 3, 5)), ad_sin(data(p, ad_cube(4, 3, 5)))), out);
}

#define COPIES(name, copies) {#name, {0, 0}, {0, 0}, name, copies}
static const program programs[] = {
    COPIES(wide_part, 0),   COPIES(by_a_transpose, 0),   COPIES(with_a_bias, 0),  COPIES(of_a_batch, 0),
    COPIES(of_an_input, 0), COPIES(few_columns, 1),      COPIES(narrow_part, 1),  COPIES(right_factor, 1),
    COPIES(narrow_of_a_batch, 1), COPIES(part_of_each_row, 1), COPIES(rows_of_a_batch, 1), COPIES(read_once, 0),
    COPIES(read_twice, 1),  COPIES(long_rows_read_twice, 0), COPIES(transposed_and_repeated, 1),
};

static void check_copies(const program *program, const ad_plan *plan)
{
    int copies = 0;
    for (int64_t s = 0; s < plan->stages; s++)
        for (int64_t k = 0; k < plan->stage[s].body.count; k++) {
            const ad_instruction *i = &plan->stage[s].body.at[k];
            copies += i->action == DO_copy;
            cr_expect(i->action != DO_copy || i->count < 60 || program->record != transposed_and_repeated);
        }
    cr_expect_eq(copies, program->left, "%s: %d copies, not %d", program->name, copies, program->left);
}

static void check_all(gibbs_dtype dtype)
{
    for (int k = 0; k < LENGTH(programs); k++)
        for (int64_t bytes = 0; bytes <= 3000; bytes += 1500)
            check_program(&programs[k], dtype, bytes, 1, check_copies);
}

Test(plan_copies, float64) { check_all(GIBBS_FLOAT64); }
Test(plan_copies, float32) { check_all(GIBBS_FLOAT32); }

/* Samples of a child axis of one for each of their parent's are its samples: a row, repeated once, stays where it is. */
Test(plan_copies, a_child_of_one)
{
    enum { D = 5, ROWS = 3, MOST = 2 };
    for (int64_t children = 1; children <= MOST; children++) {
        ad_tape *t = ad_tape_new(GIBBS_FLOAT64, NULL);
        ad_axis rows = ad_axis_new(t, "data"), child = ad_axis_child(rows, children, "child");
        ad_var x = ad_input(rows, "x", ad_vec(D)), v = ad_reshape(x, ad_mat(1, D));
        ad_var y = ad_exp(ad_ungroup(child, ad_expand(v, ad_mat(children, D))));
        double *px = random_numbers(ROWS * D, 1);
        runner r = runner_new(&y, 1, 0);
        cr_expect_eq(r.plan->stage[0].body.count, children == 1 ? 1 : 2, "%d children", (int)children); /* copy and exp */
        bind(r, x, px), set_rows(r, rows, ROWS), run(r);
        for (int64_t i = 0; i < ROWS * children * D; i++)
            cr_expect_float_eq(ad_result_f64(r.w, 0)[i], exp(px[i / (children * D) * D + i % D]), 1e-14);
        runner_free(r), free(px), ad_tape_free(t);
    }
}
