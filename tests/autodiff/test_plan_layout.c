/* Where a body's buffers lie: what may take the place of what, and that places are used again. */
#include "plan_helpers.h"

enum { ROWS = 20, M = 4, N = 40 };

/* e − (its first row): e dies here, but what is written over it would be read again. Rows are long enough not to be
 * gathered in a tile. */
Test(plan_layout, not_over_an_operand_that_is_read_in_two_ways)
{
    ad_tape *t = ad_tape_new(GIBBS_FLOAT64, NULL);
    ad_axis data = ad_axis_new(t, "data");
    ad_var x = ad_input(data, "x", ad_mat(M, N)), e = ad_exp(x), first = ad_slice(e, 0, 0, 1);
    ad_var y = ad_sum_dims(ad_sub(e, ad_expand(first, ad_mat(M, N))), 1);
    double *px = random_numbers(ROWS * M * N, 1), want[ROWS * N];
    for (int r = 0; r < ROWS; r++)
        for (int j = 0; j < N; j++) {
            const double *at = px + r * M * N + j;
            want[r * N + j] = exp(at[N]) + exp(at[2 * N]) + exp(at[3 * N]) - 3 * exp(at[0]);
        }
    runner r = runner_new(&y, 1, 0);
    bind(r, x, px), set_rows(r, data, ROWS);
    run(r);
    expect_close(r, 0, GIBBS_FLOAT64, want, ROWS * N, 1e-13, "e − its first row");
    runner_free(r);
    ad_tape_free(t);
    free(px);
}

/* The plan of 30 steps on a vector of n numbers. */
static ad_plan_info chain_of(int64_t n, bool products)
{
    ad_tape *t = ad_tape_new(GIBBS_FLOAT64, NULL);
    ad_axis data = ad_axis_new(t, "data");
    ad_var y = ad_input(data, "x", ad_vec(n)), W = products ? ad_parameter(t, "W", ad_mat(n, n)) : y;
    for (int k = 0; k < 30; k++) y = products ? ad_matmul(ad_tanh(y), W) : ad_tanh(y);
    runner r = runner_new(&y, 1, 0);
    ad_plan_info info = ad_plan_describe(r.plan);
    runner_free(r);
    ad_tape_free(t);
    return info;
}

/* Functions run in place, products between two buffers, however many they are. */
Test(plan_layout, places_are_used_again)
{
    cr_assert_eq(chain_of(N, false).bytes_per_row, (int64_t)(N * sizeof(double)));
    cr_assert_eq(chain_of(N, true).bytes_per_row, (int64_t)(2 * N * sizeof(double)));
}

/* 1 MiB, at most 1024 rows; 128 rows of what is wide, in at most 4 MiB. */
Test(plan_layout, rows_of_a_block)
{
    static const struct {
        int64_t n, rows;
    } cases[] = {{1, 1024}, {256, 512}, {1024, 128}, {2048, 128}, {8192, 64}, {1 << 18, 4}};
    for (int k = 0; k < LENGTH(cases); k++)
        cr_expect_eq(chain_of(cases[k].n, false).block_rows, cases[k].rows, "%lld", (long long)cases[k].n);
}
