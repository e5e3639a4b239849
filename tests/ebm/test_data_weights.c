/* Weights of rows: given, refused, kept by whatever copies rows, counted in means and deviations, written. */
#include "ebm/sampling.h"
#include "support/alloc.h"

#include <stdio.h>
#include <unistd.h>

#define COUNT(array) ((int)(sizeof(array) / sizeof((array)[0])))

static double eight[] = {1, 0, 2, 1, 4, 2, 8, 0}, weights[] = {0.5, 0, 3, 1};
static char *names[] = {"x", "label"};

static ebm_data weighted(void)
{
    return (ebm_data){.rows = 4, .cols = 2, .x = eight, .names = names, .weight = weights,
                      .weight_kind = EBM_WEIGHT_SAMPLING};
}

Test(weights, given_replaced_and_taken_away)
{
    const double other[] = {1, 2, 3, 4};
    ebm_data data;
    OK(ebm_data_from(eight, 4, 2, NULL, &data, ERROR));
    cr_expect(!data.weight && data.weight_kind == EBM_WEIGHT_COUNTS);
    OK(ebm_data_weigh(&data, weights, EBM_WEIGHT_SAMPLING, ERROR));
    cr_expect(data.weight != weights && !memcmp(data.weight, weights, sizeof weights));
    OK(ebm_data_weigh(&data, other, EBM_WEIGHT_COUNTS, ERROR));
    cr_expect(!memcmp(data.weight, other, sizeof other) && data.weight_kind == EBM_WEIGHT_COUNTS);
    OK(ebm_data_weigh(&data, NULL, EBM_WEIGHT_COUNTS, ERROR));
    cr_expect_null(data.weight);
    ebm_data_free(&data);
}

static const struct {
    double weight[4];
    gibbs_status status;
    const char *message;
} refused[] = {
    {{1, 1, -0.5, 1}, GIBBS_DATA, "the weight of row 3 is -0.5: weights are finite and not negative"},
    {{NAN, 1, 1, 1}, GIBBS_DATA, "the weight of row 1 is nan"},
    {{1, INFINITY, 1, 1}, GIBBS_DATA, "the weight of row 2 is inf"},
    {{0, 0, 0, 0}, GIBBS_DATA, "the weights of the 4 rows add up to 0"},
    {{1e308, 1e308, 0, 0}, GIBBS_DATA, "the weights of the 4 rows add up to inf"},
};

Test(weights, refused_and_nothing_changed)
{
    ebm_data data;
    OK(ebm_data_from(eight, 4, 2, NULL, &data, ERROR));
    OK(ebm_data_weigh(&data, weights, EBM_WEIGHT_SAMPLING, ERROR));
    for (int i = 0; i < COUNT(refused); i++) {
        ebm_data by_hand = weighted();
        FAILS(refused[i].status, refused[i].message,
              ebm_data_weigh(&data, refused[i].weight, EBM_WEIGHT_COUNTS, FAIL));
        cr_expect(!memcmp(data.weight, weights, sizeof weights) && data.weight_kind == EBM_WEIGHT_SAMPLING);
        by_hand.weight = (double *)refused[i].weight;
        FAILS(refused[i].status, refused[i].message, ebm_data_check(&by_hand, FAIL));
    }
    FAILS(GIBBS_ARGUMENT, "7 is no kind of weight", ebm_data_weigh(&data, weights, (ebm_weight_kind)7, FAIL));
    ebm_data_free(&data);
    FAILS(GIBBS_DATA, "empty", ebm_data_weigh(&data, weights, EBM_WEIGHT_COUNTS, FAIL));
}

Test(weights, go_with_their_rows)
{
    const ebm_data data = weighted();
    ebm_data out, held;
    int64_t number[4];
    OK(ebm_data_columns(&data, (int64_t[]){0}, 1, &out, ERROR));
    cr_expect(!memcmp(out.weight, weights, sizeof weights) && out.weight_kind == EBM_WEIGHT_SAMPLING);
    ebm_data_free(&out);
    OK(ebm_data_one_hot(&data, 1, 3, &out, ERROR));
    cr_expect(!memcmp(out.weight, weights, sizeof weights) && out.weight_kind == EBM_WEIGHT_SAMPLING);
    ebm_data_free(&out);
    OK(ebm_data_split(&data, 0.25, 3, &out, &held, number, ERROR));
    for (int i = 0; i < 4; i++) {
        double w = i < 3 ? out.weight[i] : held.weight[0], x = i < 3 ? out.x[2 * i] : held.x[0];
        cr_expect(w == weights[number[i]] && x == eight[2 * number[i]], "row %d", i);
    }
    cr_expect(out.weight_kind == EBM_WEIGHT_SAMPLING && held.weight_kind == EBM_WEIGHT_SAMPLING);
    ebm_data_free(&out);
    ebm_data_free(&held);
}

/* Counts are rows that come so often: the same figures to rounding, and to the bit where the weights are all alike. */
Test(weights, count_in_means_and_deviations)
{
    static const double x[] = {3, 1, -2, 7, 7e300}, w[] = {2, 1, 0, 3, 0}, rows[] = {3, 3, 1, 7, 7, 7};
    double a[5], b[6], mean[2], sd[2];
    memcpy(a, x, sizeof a), memcpy(b, rows, sizeof b);
    ebm_data by_weight = {.rows = 5, .cols = 1, .x = a, .weight = (double *)w},
        by_rows = {.rows = 6, .cols = 1, .x = b};
    OK(ebm_data_standardise(&by_weight, &mean[0], &sd[0], ERROR));
    OK(ebm_data_standardise(&by_rows, &mean[1], &sd[1], ERROR));
    cr_expect(fabs(mean[0] / mean[1] - 1) < 1e-15 && fabs(sd[0] / sd[1] - 1) < 1e-15, "%g %g", mean[0], sd[0]);
    cr_expect(fabs(mean[0] - 14.0 / 3) < 1e-14 && fabs(sd[0] - sqrt(166.0 / 6 - 196.0 / 9)) < 1e-14);
    double like[] = {1e-300, 1e-300, 1e-300, 1e-300, 1e-300};
    memcpy(a, x, sizeof a), memcpy(b, x, sizeof a);
    by_weight.weight = like, by_weight.rows = by_rows.rows = 4, by_rows.x = b;
    OK(ebm_data_standardise(&by_weight, &mean[0], &sd[0], ERROR));
    OK(ebm_data_standardise(&by_rows, &mean[1], &sd[1], ERROR));
    cr_expect(mean[0] == mean[1] && sd[0] == sd[1] && !memcmp(a, b, 4 * sizeof *a));
}

/* A column that differs in rows of weight 0 alone is constant. */
Test(weights, rows_of_weight_0_do_not_count)
{
    double x[] = {9, 2, 2, 2}, w[] = {0, 1, 1, 1};
    ebm_data data = {.rows = 4, .cols = 1, .x = x, .weight = w};
    FAILS(GIBBS_DATA, "column 1 is constant", ebm_data_standardise(&data, NULL, NULL, FAIL));
}

Test(weights, are_the_last_column_of_a_file)
{
    char path[] = "/tmp/gibbs-weights-XXXXXX";
    int descriptor = mkstemp(path);
    cr_assert(descriptor >= 0 && close(descriptor) == 0);
    ebm_data data = weighted(), back;
    OK(ebm_data_write_csv(path, &data, ERROR));
    OK(ebm_data_read(path, NULL, &back, ERROR));
    cr_assert(back.rows == 4 && back.cols == 3);
    cr_expect_str_eq(back.names[2], "weight");
    for (int i = 0; i < 4; i++) cr_expect(back.x[3 * i] == eight[2 * i] && back.x[3 * i + 2] == weights[i]);
    ebm_data_free(&back);
    OK(ebm_data_write_npy(path, &data, ERROR));
    OK(ebm_data_read(path, NULL, &back, ERROR));
    cr_assert(back.rows == 4 && back.cols == 3);
    for (int i = 0; i < 4; i++) cr_expect(back.x[3 * i + 1] == eight[2 * i + 1] && back.x[3 * i + 2] == weights[i]);
    ebm_data_free(&back);
    unlink(path);
}

static gibbs_status copies(ebm_data *data, int which, gibbs_error *error)
{
    ebm_data out = {.rows = 9}, held = {.rows = 9};
    gibbs_status status;
    if (which == 0) status = ebm_data_columns(data, (int64_t[]){1}, 1, &out, error);
    else if (which == 1) status = ebm_data_one_hot(data, 1, 3, &out, error);
    else status = ebm_data_split(data, 0.5, 1, &out, &held, NULL, error);
    if (status) cr_expect(!out.rows && !out.x && !out.weight && (which < 2 || (!held.rows && !held.x)));
    ebm_data_free(&out);
    if (which == 2) ebm_data_free(&held);
    return status;
}

Test(weights, memory)
{
    for (int which = 0; which < 3; which++) {
        gibbs_status status = GIBBS_MEMORY;
        for (int64_t n = 1; status; n++) {
            counting_alloc c = {.fail_at = n};
            gibbs_error error = {.message = ""};
            ebm_data data = weighted();
            data.allocator = counting_allocator(&c);
            status = copies(&data, which, &error);
            cr_assert(status == (c.failures ? GIBBS_MEMORY : GIBBS_OK) && !c.live, "copy %d, request %d", which,
                      (int)n);
            cr_expect(status || n > 4, "copy %d: %d requests", which, (int)n);
        }
    }
}
