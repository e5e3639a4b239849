/* ad_at, ad_at2, ad_concat_all and ad_stack against plain C, and how deep a list is. Their derivatives are in the
 * recipes of slice and concat, their errors in test_errors.c. */
#include "plan_helpers.h"

#include "autodiff/tape/tape.h"

enum { ROWS = 3, MOST = 9 };

/* Runs `y`, made of x [ROWS][n] on the data axis, and copies its numbers. */
static void values(ad_var y, ad_var x, ad_axis data, const double *memory, double *out)
{
    runner r = runner_new(&y, 1, 0);
    bind(r, x, memory);
    set_rows(r, data, ROWS);
    run(r);
    memcpy(out, ad_result_f64(r.w, 0), (size_t)(ROWS * ad_count(y)) * sizeof *out);
    runner_free(r);
}

Test(assemble, elements_by_index)
{
    ad_tape *t = ad_tape_new(GIBBS_FLOAT64, NULL);
    ad_axis data = ad_axis_new(t, "data");
    ad_var x = ad_input(data, "x", ad_vec(6)), m = ad_reshape(x, ad_mat(2, 3));
    double *numbers = random_numbers(ROWS * 6, 1), got[ROWS];
    for (int i = 0; i < 2; i++)
        for (int j = 0; j < 3; j++) {
            ad_var one[2] = {ad_at(x, 3 * i + j), ad_at2(m, i, j)};
            for (int k = 0; k < 2; k++) {
                cr_assert(ad_shape_of(one[k]).rank == 0, "%s", ad_tape_message(t));
                values(one[k], x, data, numbers, got);
                for (int r = 0; r < ROWS; r++) cr_expect_eq(got[r], numbers[6 * r + 3 * i + j]);
            }
        }
    free(numbers);
    ad_tape_free(t);
}

/* x₀, …, of which number i is i + 1 wide or, stacked, one of n; each appears where it should. */
Test(assemble, lists_keep_their_order)
{
    for (int n = 1; n <= MOST; n++)
        for (int stacked = 0; stacked < 2; stacked++) {
            ad_tape *t = ad_tape_new(GIBBS_FLOAT64, NULL);
            ad_axis data = ad_axis_new(t, "data");
            int count = stacked ? 2 * n : n * (n + 1) / 2;
            ad_var x = ad_input(data, "x", ad_vec(count)), part[MOST];
            for (int i = 0; i < n; i++)
                part[i] = stacked ? ad_slice(x, 0, 2 * i, 2) : ad_slice(x, 0, i * (i + 1) / 2, i + 1);
            ad_var y = stacked ? ad_stack(part, n) : ad_concat_all(part, n, 0);
            ad_shape expected = stacked ? ad_mat(n, 2) : ad_vec(count), shape = ad_shape_of(y);
            cr_assert(ad_shape_equal(&shape, &expected), "%d values: %s", n, ad_tape_message(t));
            double *numbers = random_numbers(ROWS * count, 2), got[ROWS * MOST * (MOST + 1) / 2];
            values(y, x, data, numbers, got);
            for (int i = 0; i < ROWS * count; i++) cr_expect_eq(got[i], numbers[i], "%d values, number %d", n, i);
            free(numbers);
            ad_tape_free(t);
        }
}

/* Matrices along their last dimension: rows interleave. */
Test(assemble, matrices_side_by_side)
{
    ad_tape *t = ad_tape_new(GIBBS_FLOAT64, NULL);
    ad_axis data = ad_axis_new(t, "data");
    ad_var x = ad_input(data, "x", ad_mat(2, 1)), part[3] = {x, ad_scale(x, 10), ad_scale(x, 100)};
    const double numbers[ROWS * 2] = {1, 2, 3, 4, 5, 6};
    double got[ROWS * 6];
    values(ad_concat_all(part, 3, 1), x, data, numbers, got);
    for (int i = 0; i < ROWS * 6; i++) cr_expect_eq(got[i], numbers[i / 3] * (i % 3 ? i % 3 == 1 ? 10 : 100 : 1));
    ad_tape_free(t);
}

static int count_concats(const ad_tape *tape)
{
    int count = 0;
    for (int64_t i = 0; i < tape->size; i++) count += tape->node[i].op == OP_concat;
    return count;
}

Test(assemble, a_list_of_n_is_one_node)
{
    enum { N = 1000 };
    ad_tape *t = ad_tape_new(GIBBS_FLOAT64, NULL);
    ad_var x = ad_input(ad_axis_new(t, "data"), "x", ad_vec(N)), part[N];
    for (int i = 0; i < N; i++) part[i] = ad_square(ad_at(x, i));
    ad_var listed = ad_stack(part, N), chained = ad_reshape(part[0], ad_vec(1));
    cr_expect_eq(ad_node_of(listed)->nin, N);
    cr_expect_eq(count_concats(t), 1);
    for (int i = 1; i < 20; i++) chained = ad_concat(chained, ad_reshape(part[i], ad_vec(1)), 0);
    cr_expect_eq(count_concats(t), 20, "the control");
    ad_tape_free(t);
}
