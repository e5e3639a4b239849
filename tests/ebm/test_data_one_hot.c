/* One-hot blocks: the table they make, its names, what is refused; and standardising the columns beside them. */
#include "support/alloc.h"

#include <gibbs/data.h>

#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#define COUNT(array) ((int)(sizeof(array) / sizeof((array)[0])))

static double four[] = {5, 2, 7, /**/ 6, 0, 8, /**/ 9, 2, 9, /**/ 8, -0.0, 1};
static char *names[] = {"length", "species", "width"};

static bool zeroed(const ebm_data *data)
{
    return !data->rows && !data->cols && !data->x && !data->names;
}

static void expect_numbers(const ebm_data *data, const double *expected, int64_t rows, int64_t cols)
{
    cr_assert(data->rows == rows && data->cols == cols, "%d × %d", (int)data->rows, (int)data->cols);
    for (int64_t i = 0; i < rows * cols; i++)
        cr_expect(data->x[i] == expected[i], "number %d is %g, not %g", (int)i, data->x[i], expected[i]);
}

/* ---- The block, wherever the column is --------------------------------------------------------------------- */

static const struct {
    double row[3];
    int64_t column, categories, cols;
    double expected[6];
    const char *names[6];
} blocks[] = {
    {{2, 5, 7}, 0, 3, 5, {0, 0, 1, 5, 7}, {"length=0", "length=1", "length=2", "species", "width"}},
    {{5, 0, 7}, 1, 4, 6, {5, 1, 0, 0, 0, 7}, {"length", "species=0", "species=1", "species=2", "species=3", "width"}},
    {{5, 7, 1}, 2, 2, 4, {5, 7, 0, 1}, {"length", "species", "width=0", "width=1"}},
    {{5, 0, 7}, 1, 1, 3, {5, 1, 7}, {"length", "species=0", "width"}},
};

Test(one_hot, block_stands_where_the_column_stood)
{
    for (int i = 0; i < COUNT(blocks); i++) {
        double row[3];
        memcpy(row, blocks[i].row, sizeof row);
        ebm_data out, data = {.rows = 1, .cols = 3, .x = row, .names = names};
        gibbs_error error = {0};
        cr_assert(ebm_data_one_hot(&data, blocks[i].column, blocks[i].categories, &out, &error) == GIBBS_OK, "%s",
                  error.message);
        expect_numbers(&out, blocks[i].expected, 1, blocks[i].cols);
        for (int64_t c = 0; c < out.cols; c++) cr_expect_str_eq(out.names[c], blocks[i].names[c]);
        cr_expect(memcmp(row, blocks[i].row, sizeof row) == 0, "the table given is as it was");
        ebm_data_free(&out);
        cr_expect(zeroed(&out));
    }
}

/* A category that no row shows has its column all the same; −0 is 0; without names there are none. */
Test(one_hot, every_row_has_one_one)
{
    static const double expected[] = {5, 0, 0, 1, 7, 6, 1, 0, 0, 8, 9, 0, 0, 1, 9, 8, 1, 0, 0, 1};
    ebm_data out, data = {.rows = 4, .cols = 3, .x = four};
    cr_assert(ebm_data_one_hot(&data, 1, 3, &out, NULL) == GIBBS_OK);
    expect_numbers(&out, expected, 4, 5);
    cr_expect(!out.names);
    ebm_data_free(&out);
}

/* Two columns, one after the other, as a chain of labels is encoded: each time the places behind the block move. */
Test(one_hot, one_after_the_other)
{
    static const char text[] = "x,\"a\nlong name\",b\n0.5,1,0\n1.5,0,2\n";
    static const double expected[] = {0.5, 0, 1, 1, 0, 0, 1.5, 1, 0, 0, 0, 1};
    static const char *const expected_names[] = {"x", "a\nlong name=0", "a\nlong name=1", "b=0", "b=1", "b=2"};
    ebm_data table, first, both;
    cr_assert(ebm_data_parse_csv(text, sizeof text - 1, "t", NULL, &table, NULL) == GIBBS_OK);
    cr_assert(ebm_data_one_hot(&table, 1, 2, &first, NULL) == GIBBS_OK);
    cr_assert(ebm_data_one_hot(&first, 3, 3, &both, NULL) == GIBBS_OK);
    expect_numbers(&both, expected, 2, 6);
    for (int64_t c = 0; c < both.cols; c++) cr_expect_str_eq(both.names[c], expected_names[c]);
    ebm_data_free(&table);
    ebm_data_free(&first);
    ebm_data_free(&both);
}

/* ---- What is refused --------------------------------------------------------------------------------------- */

static const struct {
    double label; /* of the third row */
    int64_t column, categories;
    gibbs_status status;
    const char *message;
} refused[] = {
    {3, 1, 3, GIBBS_DATA, "row 3, column 2 (species) is 3, not a whole number from 0 to 2"},
    {-1, 1, 3, GIBBS_DATA, "row 3, column 2 (species) is -1, not a whole number from 0 to 2"},
    {1.5, 1, 3, GIBBS_DATA, "row 3, column 2 (species) is 1.5, not a whole number from 0 to 2"},
    {1e300, 1, 3, GIBBS_DATA, "row 3, column 2 (species) is 1.0000000000000001e+300, not a whole number from 0 to 2"},
    {NAN, 1, 3, GIBBS_DATA, "row 3, column 2 (species) is NaN"},
    {2, 1, 2, GIBBS_DATA, "row 1, column 2 (species) is 2, not a whole number from 0 to 1"},
    {2, -1, 3, GIBBS_ARGUMENT, "one_hot: the column's index is -1, not one from 0 to 2"},
    {2, 3, 3, GIBBS_ARGUMENT, "one_hot: the column's index is 3, not one from 0 to 2"},
    {2, 1, 0, GIBBS_ARGUMENT, "one_hot: 0 categories; there must be from 1 to 2^31-1"},
    {2, 1, INT64_MAX, GIBBS_ARGUMENT, "one_hot: 9223372036854775807 categories; there must be from 1 to 2^31-1"},
};

Test(one_hot, refuses)
{
    for (int i = 0; i < COUNT(refused); i++) {
        double x[12];
        memcpy(x, four, sizeof x);
        x[7] = refused[i].label;
        ebm_data out = {.rows = 9}, data = {.rows = 4, .cols = 3, .x = x, .names = names};
        gibbs_error error = {0};
        gibbs_status status = ebm_data_one_hot(&data, refused[i].column, refused[i].categories, &out, &error);
        cr_expect(status == refused[i].status && error.status == status, "case %d: status %d", i, (int)status);
        cr_expect_str_eq(error.message, refused[i].message, "case %d: «%s»", i, error.message);
        cr_expect(zeroed(&out), "case %d", i);
    }
    ebm_data out;
    cr_expect(ebm_data_one_hot(&(ebm_data){0}, 0, 2, &out, NULL) == GIBBS_DATA);
    cr_expect(ebm_data_one_hot(NULL, 0, 2, &out, NULL) == GIBBS_ARGUMENT);
}

/* Each allocation fails in turn: nothing is left, nothing lost, and the table that was given stays. */
Test(one_hot, memory)
{
    gibbs_status status = GIBBS_MEMORY;
    for (int64_t n = 1; status; n++) {
        double x[12];
        memcpy(x, four, sizeof x);
        counting_alloc c = {.fail_at = n};
        ebm_data out = {.rows = 9}, data = {.rows = 4, .cols = 3, .x = x, .names = names};
        data.allocator = counting_allocator(&c);
        gibbs_error error = {0};
        status = ebm_data_one_hot(&data, 1, 3, &out, &error);
        cr_expect(status || c.calls == 8, "places, numbers, a list of names and five names: %d requests", (int)c.calls);
        cr_assert(status == GIBBS_OK || (status == GIBBS_MEMORY && error.message[0] && zeroed(&out)), "request %d",
                  (int)n);
        cr_expect(memcmp(x, four, sizeof x) == 0);
        ebm_data_free(&out);
        cr_assert(c.live == 0, "%d blocks lost when request %d failed", (int)c.live, (int)n);
    }
}

/* ---- Standardising what is beside the block ---------------------------------------------------------------- */

Test(one_hot, standardise_first_leaves_the_labels)
{
    double x[] = {1, 10, 1, 0, 0, 2, 30, 0, 0, 1, 6, 20, 1, 0, 0}, other[] = {3, 20, 0, 1, 0};
    double mean[5], sd[5], whole[6], whole_mean[2], whole_sd[2];
    ebm_data data = {.rows = 3, .cols = 5, .x = x}, held = {.rows = 1, .cols = 5, .x = other};
    ebm_data inputs = {.rows = 3, .cols = 2, .x = whole};
    for (int row = 0; row < 3; row++) memcpy(whole + 2 * row, x + 5 * row, 2 * sizeof *x);
    cr_assert(ebm_data_standardise(&inputs, whole_mean, whole_sd, NULL) == GIBBS_OK);
    double before[15];
    memcpy(before, x, sizeof x);
    cr_assert(ebm_data_standardise_first(&data, 2, mean, sd, NULL) == GIBBS_OK);
    for (int c = 0; c < 5; c++) { /* column 4 of the table is constant, which is no matter */
        cr_expect(mean[c] == (c < 2 ? whole_mean[c] : 0) && sd[c] == (c < 2 ? whole_sd[c] : 1), "column %d", c);
        for (int row = 0; row < 3; row++)
            cr_expect(x[5 * row + c] == (c < 2 ? whole[2 * row + c] : before[5 * row + c]));
    }
    cr_assert(ebm_data_apply_scale(&held, mean, sd, NULL) == GIBBS_OK);
    cr_expect(other[0] == 0 && other[1] == 0 && other[2] == 0 && other[3] == 1 && other[4] == 0);
}

Test(one_hot, standardise_first_refuses)
{
    static const int64_t counts[] = {-1, 0, 3};
    double x[] = {1, 10, 2, 30};
    gibbs_error error;
    ebm_data data = {.rows = 2, .cols = 2, .x = x};
    for (int i = 0; i < COUNT(counts); i++) {
        char expected[80];
        cr_expect(ebm_data_standardise_first(&data, counts[i], NULL, NULL, &error) == GIBBS_ARGUMENT);
        snprintf(expected, sizeof expected, "standardise: %d columns of a table that has 2", (int)counts[i]);
        cr_expect_str_eq(error.message, expected);
    }
    x[3] = 10; /* the second column is constant */
    cr_expect(ebm_data_standardise_first(&data, 2, NULL, NULL, &error) == GIBBS_DATA);
    cr_expect_str_eq(error.message, "column 2 is constant: it cannot be standardised");
    cr_expect(x[0] == 1 && x[2] == 2, "nothing is changed");
    cr_expect(ebm_data_standardise_first(&data, 1, NULL, NULL, &error) == GIBBS_OK);
    cr_expect(x[0] == -1 && x[2] == 1 && x[1] == 10);
    cr_expect(ebm_data_standardise_first(NULL, 1, NULL, NULL, NULL) == GIBBS_ARGUMENT);
}
