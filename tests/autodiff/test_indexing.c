/* ad_take, ad_slice_step, ad_stack_dim and ad_cumsum against plain C, of both number types, along every dimension, down
 * to one element. Their derivatives are in the recipes of gather, concat and cumsum, what they cost in test_linear.c,
 * their errors in test_errors.c. */
#include "plan_helpers.h"

#include "autodiff/tape/tape.h"

enum { ROWS = 3, MOST = 4 * 3 * 20 };

typedef struct scene {
    ad_tape *tape;
    ad_axis data;
    ad_var x;
    double *numbers;
    int64_t before, size, behind; /* of the dimension looked at */
} scene;

static scene start(gibbs_dtype dtype, ad_shape shape, int dim)
{
    scene s = {.tape = ad_tape_new(dtype, NULL), .before = 1, .size = shape.dim[dim], .behind = 1};
    for (int i = 0; i < dim; i++) s.before *= shape.dim[i];
    for (int i = dim + 1; i < shape.rank; i++) s.behind *= shape.dim[i];
    s.data = ad_axis_new(s.tape, "data");
    s.x = ad_input(s.data, "x", shape);
    s.numbers = random_numbers(ROWS * ad_shape_count(&shape), 4);
    return s;
}

static double at(const scene *s, int64_t o, int64_t k, int64_t i)
{
    return s->numbers[(o * s->size + k) * s->behind + i];
}

/* Runs y, compares it with `wanted`, and frees everything. */
static void expect(scene *s, ad_var y, const double *wanted, const char *what)
{
    cr_assert(!ad_is_null(y), "%s: %s", what, ad_tape_message(s->tape));
    gibbs_dtype dtype = ad_tape_dtype(s->tape);
    runner r = runner_new(&y, 1, 0);
    void *memory = in_type(dtype, s->numbers, ROWS * ad_count(s->x));
    bind(r, s->x, memory);
    set_rows(r, s->data, ROWS);
    run(r);
    expect_close(r, 0, dtype, wanted, ROWS * ad_count(y), dtype == GIBBS_FLOAT32 ? 1e-6 : 1e-14, what);
    free(memory), free(s->numbers);
    runner_free(r);
    ad_tape_free(s->tape);
}

static const gibbs_dtype types[] = {GIBBS_FLOAT64, GIBBS_FLOAT32};
static const ad_shape shapes[] = {{1, {1}}, {1, {7}}, {3, {3, 4, 5}}, {3, {4, 1, 3}}, {2, {2, 20}}};

/* For each type, shape and dimension. */
static void each(void (*check)(scene s, int dim))
{
    for (int t = 0; t < LENGTH(types); t++)
        for (int k = 0; k < LENGTH(shapes); k++)
            for (int dim = 0; dim < shapes[k].rank; dim++) check(start(types[t], shapes[k], dim), dim);
}

static void check_list(scene s, int dim, const int64_t *list, int64_t n, ad_var y, const char *what)
{
    double wanted[ROWS * MOST], *to = wanted;
    for (int64_t o = 0; o < ROWS * s.before; o++)
        for (int64_t k = 0; k < n; k++)
            for (int64_t i = 0; i < s.behind; i++) *to++ = at(&s, o, list[k], i);
    cr_expect_eq(ad_shape_of(y).dim[dim], n);
    expect(&s, y, wanted, what);
}

static void take(scene s, int dim)
{
    int64_t list[3] = {s.size - 1, 0, s.size / 2};
    check_list(s, dim, list, 3, ad_take(s.x, list, 3, dim), "take");
}

Test(indexing, lists) { each(take); }

Test(indexing, a_list_of_neighbours_is_a_slice)
{
    scene s = start(GIBBS_FLOAT64, ad_vec(7), 0);
    const int64_t list[] = {2, 3, 4};
    cr_expect_eq(ad_take(s.x, list, 3, 0).id, ad_slice(s.x, 0, 2, 3).id);
    cr_expect_eq(ad_take(s.x, list, 1, 0).id, ad_slice(s.x, 0, 2, 1).id);
    check_list(s, 0, list, 3, ad_take(s.x, list, 3, 0), "slice");
}

static void backwards(scene s, int dim)
{
    int64_t list[20], n = (s.size + 2) / 3;
    for (int64_t i = 0; i < n; i++) list[i] = s.size - 1 - 3 * i;
    check_list(s, dim, list, n, ad_slice_step(s.x, dim, s.size - 1, n, -3), "backwards");
}

static void every_other(scene s, int dim)
{
    int64_t list[20], n = (s.size + 1) / 2;
    for (int64_t i = 0; i < n; i++) list[i] = 2 * i;
    check_list(s, dim, list, n, ad_slice_step(s.x, dim, 0, n, 2), "every other");
}

Test(indexing, slices_with_steps)
{
    each(backwards);
    each(every_other);
}

static void check_sums(scene s, int dim, bool end)
{
    double wanted[ROWS * MOST] = {0};
    for (int64_t o = 0; o < ROWS * s.before; o++)
        for (int64_t k = 0; k < s.size; k++)
            for (int64_t i = 0; i < s.behind; i++)
                for (int64_t l = end ? k : 0; l <= (end ? s.size - 1 : k); l++)
                    wanted[(o * s.size + k) * s.behind + i] += at(&s, o, l, i);
    expect(&s, end ? ad_cumsum_reverse(s.x, dim) : ad_cumsum(s.x, dim), wanted, "cumsum");
}

static void from_start(scene s, int dim) { check_sums(s, dim, false); }
static void from_end(scene s, int dim) { check_sums(s, dim, true); }

Test(indexing, cumulative_sums)
{
    each(from_start);
    each(from_end);
}

/* In float32 a million of 0.1 are added up in doubles: the last sum has but the rounding of the numbers. A NaN reaches
 * what lies behind it, and nothing before. */
Test(indexing, cumulative_sums_that_are_long)
{
    enum { N = 1000000 };
    ad_tape *t = ad_tape_new(GIBBS_FLOAT32, NULL);
    ad_var x = ad_parameter(t, "x", ad_vec(N)), y = ad_cumsum(x, 0);
    float *numbers = malloc(N * sizeof *numbers);
    for (int i = 0; i < N; i++) numbers[i] = 0.1f;
    runner r = runner_new(&y, 1, 0);
    bind(r, x, numbers);
    run(r);
    cr_expect_float_eq(ad_result_f32(r.w, 0)[N - 1] / ((double)0.1f * N), 1, 1e-6);
    numbers[5] = NAN;
    run(r);
    cr_expect(ad_result_f32(r.w, 0)[4] > 0 && isnan(ad_result_f32(r.w, 0)[5]) && isnan(ad_result_f32(r.w, 0)[N - 1]));
    free(numbers);
    runner_free(r);
    ad_tape_free(t);
}

/* x and 10 x, put side by side before each dimension and behind the last. */
static void stacked(scene s, int dim)
{
    double wanted[2 * ROWS * MOST], *to = wanted;
    int64_t behind = s.behind * s.size;
    for (int64_t o = 0; o < ROWS * s.before; o++)
        for (int k = 0; k < 2; k++)
            for (int64_t i = 0; i < behind; i++) *to++ = (k ? 10 : 1) * s.numbers[o * behind + i];
    expect(&s, ad_stack_dim((ad_var[]){s.x, ad_scale(s.x, 10)}, 2, dim), wanted, "stack");
}

Test(indexing, stacks_along_any_dimension)
{
    each(stacked);
    scene s = start(GIBBS_FLOAT64, ad_vec(3), 0);
    double wanted[2 * ROWS * 3];
    for (int i = 0; i < 2 * ROWS * 3; i++) wanted[i] = (i % 2 ? 10 : 1) * s.numbers[i / 2];
    expect(&s, ad_stack_dim((ad_var[]){s.x, ad_scale(s.x, 10)}, 2, 1), wanted, "columns");
}

/* Rows that float32 cannot count are refused, where float64 can. */
Test(indexing, more_rows_than_the_type_can_count)
{
    static const int64_t list[] = {0, 2};
    for (int t = 0; t < 2; t++) {
        ad_tape *tape = ad_tape_new(types[t], NULL);
        ad_var y = ad_take(ad_parameter(tape, "x", ad_mat((1 << 24) + 1, 3)), list, 2, 0);
        cr_expect_eq(ad_tape_status(tape), t ? GIBBS_SIZE : GIBBS_OK, "%s", ad_tape_message(tape));
        if (t) cr_expect(ad_is_null(y) && strstr(ad_tape_message(tape), "use float64"), "%s", ad_tape_message(tape));
        ad_tape_free(tape);
    }
}
