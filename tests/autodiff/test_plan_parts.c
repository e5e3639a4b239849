/* Large shared instructions run in parts, on any number of threads: to the bits of the whole instruction. */
#include "autodiff/run/parts.h"
#include "autodiff/run/workspace.h"
#include "plan_helpers.h"

enum { ROWS = 600, COLS = 300, SMALL = 100, INDICES = 5000 };

/* Records a function of A [ROWS, COLS], B [COLS, ROWS] and whole numbers `index` [INDICES] below ROWS. */
typedef struct shared_case {
    const char *name;
    ad_action action; /* that must be cut */
    ad_var (*record)(ad_var A, ad_var B, ad_var index);
} shared_case;

static ad_var elementwise(ad_var A, ad_var B, ad_var index)
{
    (void)B, (void)index;
    return ad_mul(ad_tanh(A), ad_slice(A, 0, 0, 1)); /* one operand is the same for all rows */
}

static ad_var of_strides(ad_var A, ad_var B, ad_var index)
{
    (void)index;
    return ad_sub(ad_transpose(A), B);
}

static ad_var copy(ad_var A, ad_var B, ad_var index)
{
    (void)B, (void)index;
    return ad_concat(ad_transpose(A), ad_transpose(A), 0);
}

static ad_var sum(ad_var A, ad_var B, ad_var index)
{
    (void)B, (void)index;
    return ad_sum_dims(A, 2);
}

static ad_var logsumexp_of_short_rows(ad_var A, ad_var B, ad_var index)
{
    (void)B, (void)index;
    return ad_logsumexp_dims(ad_reshape(A, ad_cube(ROWS * COLS / 12, 4, 3)), 2);
}

static ad_var products(ad_var A, ad_var B, ad_var index)
{
    (void)index;
    return ad_matmul(ad_reshape(A, ad_cube(10, ROWS / 10, COLS)), ad_reshape(B, ad_cube(10, COLS, ROWS / 10)));
}

static ad_var one_factor_for_all(ad_var A, ad_var B, ad_var index)
{
    (void)index;
    return ad_matmul(ad_reshape(A, ad_cube(10, ROWS / 10, COLS)), ad_slice(B, 1, 0, SMALL));
}

static ad_var other_factor_for_all(ad_var A, ad_var B, ad_var index)
{
    (void)index;
    return ad_matmul(ad_slice(A, 0, 0, SMALL), ad_reshape(B, ad_cube(10, COLS, ROWS / 10)));
}

static ad_var gather(ad_var A, ad_var B, ad_var index)
{
    (void)B;
    return ad_gather(A, index);
}

static ad_var scatter(ad_var A, ad_var B, ad_var index)
{
    (void)B;
    return ad_scatter_add(ad_gather(A, index), index, ROWS);
}

static const shared_case cases[] = {
    {"elementwise", DO_elementwise, elementwise},
    {"strided elementwise", DO_elementwise, of_strides},
    {"copy", DO_copy, copy},
    {"sum", DO_reduce, sum},
    {"logsumexp of short rows", DO_reduce, logsumexp_of_short_rows},
    {"products", DO_matmul, products},
    {"products with one factor", DO_matmul, one_factor_for_all},
    {"products with one left factor", DO_matmul, other_factor_for_all},
    {"gather", DO_gather, gather},
    {"scatter_add", DO_scatter, scatter},
};

typedef struct leaves {
    ad_tape *tape;
    ad_var A, B, index, out;
} leaves;

static leaves record(gibbs_dtype dtype, const shared_case *c)
{
    leaves l = {.tape = ad_tape_new(dtype, NULL)};
    l.A = ad_parameter(l.tape, "A", ad_mat(ROWS, COLS));
    l.B = ad_parameter(l.tape, "B", ad_mat(COLS, ROWS));
    l.index = ad_parameter(l.tape, "index", ad_vec(INDICES));
    l.out = c->record(l.A, l.B, l.index);
    cr_assert_eq(ad_tape_status(l.tape), GIBBS_OK, "%s: %s", c->name, ad_tape_message(l.tape));
    return l;
}

/* Runs the stage's shared instructions once more, each as one. */
static void run_whole(runner r)
{
    ad_frame f = {.plan = r.plan, .kernels = r.plan->kernels, .base = r.w->base, .start = r.w->base, .rows = 1,
                  .room = r.w->rooms.at, .axis_rows = r.w->rows, .first = true};
    const ad_code *code = &r.plan->stage[0].shared;
    for (int64_t k = 0; k < code->count; k++) cr_assert_eq(ad_execute(&code->at[k], &f), GIBBS_OK);
}

static bool is_cut(const ad_plan *plan, ad_action action)
{
    const ad_code *code = &plan->stage[0].shared;
    for (int64_t k = 0; k < code->count; k++)
        if (code->at[k].action == action && ad_parts_of(&code->at[k]).count > 1) return true;
    return false;
}

static void check(gibbs_dtype dtype, const shared_case *c)
{
    leaves l = record(dtype, c);
    runner r = runner_new(&l.out, 1, 0);
    double *a = random_numbers(ROWS * COLS, 1), *b = random_numbers(ROWS * COLS, 2), *i = random_numbers(INDICES, 3);
    for (int k = 0; k < INDICES; k++) i[k] = floor(fabs(i[k]) * 1000) - ROWS * floor(fabs(i[k]) * 1000 / ROWS);
    void *A = in_type(dtype, a, ROWS * COLS), *B = in_type(dtype, b, ROWS * COLS), *index = in_type(dtype, i, INDICES);
    bind(r, l.A, A);
    if (c->action == DO_gather || c->action == DO_scatter) bind(r, l.index, index);
    if (c->action == DO_matmul || c->record == of_strides) bind(r, l.B, B);
    ad_shape shape = ad_shape_of(l.out);
    size_t bytes = (size_t)ad_shape_count(&shape) * gibbs_dtype_size(dtype);
    void *whole = malloc(bytes);
    cr_assert(is_cut(r.plan, c->action), "%s", c->name);
    run_with(r, (ad_run_options){.threads = 1});
    run_whole(r);
    memcpy(whole, ad_result(r.w, 0), bytes);
    for (int threads = 1; threads <= 4; threads++) {
        memset((void *)ad_result(r.w, 0), 0xff, bytes);
        run_with(r, (ad_run_options){.threads = threads});
        cr_assert_eq(memcmp(whole, ad_result(r.w, 0), bytes), 0, "%s with %d threads", c->name, threads);
    }
    runner_free(r);
    ad_tape_free(l.tape);
    free(a), free(b), free(i), free(A), free(B), free(index), free(whole);
}

Test(plan_parts, have_the_bits_of_the_whole)
{
    for (int k = 0; k < LENGTH(cases); k++) check(GIBBS_FLOAT64, &cases[k]), check(GIBBS_FLOAT32, &cases[k]);
}

/* Parts cover all units once, in order, none of them empty. */
Test(plan_parts, cover_everything)
{
    for (int64_t n = 1; n < (int64_t)1 << 40; n = n * 3 + 1) {
        ad_instruction i = {.action = DO_gather, .nin = 2, .count = n * 7};
        i.gather.rows = 100, i.gather.width = 7, i.gather.indices = n;
        ad_parts parts = ad_parts_of(&i);
        int64_t next = 0;
        cr_assert(parts.count >= 1 && parts.count <= AD_MOST_PARTS);
        for (int64_t p = 0; parts.count > 1 && p < parts.count; p++) {
            ad_part part;
            ad_part_of(&i, parts, p, 4, &part);
            cr_assert_eq(part.is.gather.index.offset, next * 4);
            cr_assert_eq(part.is.gather.y.offset, next * 28);
            cr_assert_gt(part.is.gather.indices, 0);
            next += part.is.gather.indices;
        }
        cr_assert(parts.count == 1 || next == n);
    }
}

/* The first index that is wrong is named, whichever part meets one first. */
Test(plan_parts, report_the_first_error)
{
    static const shared_case wrong = {"gather", DO_gather, gather};
    leaves l = record(GIBBS_FLOAT64, &wrong);
    runner r = runner_new(&l.out, 1, 0);
    double *a = random_numbers(ROWS * COLS, 1), index[INDICES] = {0};
    gibbs_error error = {0};
    index[1000] = -7, index[INDICES - 1] = ROWS;
    bind(r, l.A, a), bind(r, l.index, index);
    cr_assert_eq(ad_run(r.w, &(ad_run_options){.threads = 4}, &error), GIBBS_DATA);
    cr_assert(strstr(error.message, "index -7"), "%s", error.message);
    runner_free(r);
    ad_tape_free(l.tape);
    free(a);
}
