/* Training and held-out rows. */
#include <gibbs/data.h>

#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#define COUNT(array) ((int)(sizeof(array) / sizeof((array)[0])))

static bool zeroed(const ebm_data *data)
{
    return !data->rows && !data->cols && !data->x && !data->names;
}

/* A named table of the library's own making: rows × 2 numbers i², 3i + 1. */
static ebm_data squares(int rows)
{
    char text[20000] = "height,weight\n";
    size_t used = strlen(text);
    for (int i = 0; i < rows; i++)
        used += (size_t)snprintf(text + used, sizeof text - used, "%d,%d\n", i * i, 3 * i + 1);
    ebm_data data;
    cr_assert(ebm_data_parse_csv(text, used, "squares", NULL, &data, NULL) == GIBBS_OK);
    return data;
}

/* Row i of `squares` has i² in its first column. */
static int row_number(const ebm_data *part, int64_t row)
{
    return (int)lround(sqrt(part->x[2 * row]));
}

/* Worked out by an independent program: numpy's Philox(key = (seed, 0x73706c6974), counter = −1) and the shuffle. */
static const struct {
    int rows, held;
    uint64_t seed;
    int row[7];
} known_split[] = {
    {12, 4, 42, {2, 6, 7, 10}},
    {12, 4, 43, {4, 5, 8, 10}},
    {272, 7, 2024, {95, 129, 141, 161, 194, 253, 267}},
    {10, 5, UINT64_MAX, {0, 2, 4, 5, 6}},
};

Test(data_split, split_is_the_same_everywhere)
{
    for (int i = 0; i < COUNT(known_split); i++) {
        ebm_data data = squares(known_split[i].rows), train, held;
        double fraction = (double)known_split[i].held / known_split[i].rows;
        cr_assert(ebm_data_split(&data, fraction, known_split[i].seed, &train, &held, NULL, NULL) == GIBBS_OK);
        cr_assert(held.rows == known_split[i].held);
        for (int k = 0; k < known_split[i].held; k++)
            cr_expect(row_number(&held, k) == known_split[i].row[k], "case %d, row %d: %d", i, k, row_number(&held, k));
        ebm_data_free(&data);
        ebm_data_free(&train);
        ebm_data_free(&held);
    }
}

/* Each row goes to exactly one part, whole and with its number, and both parts keep the order and the names. */
static void expect_partition(const ebm_data *data, const ebm_data *train, const ebm_data *held, const int64_t *number)
{
    int64_t next[2] = {0, 0};
    const ebm_data *part[2] = {train, held};
    cr_assert(train->rows + held->rows == data->rows);
    for (int64_t row = 0; row < data->rows; row++) {
        int p = next[0] == train->rows || row_number(train, next[0]) != (int)row;
        cr_assert(next[p] < part[p]->rows);
        cr_expect_eq(number[p * train->rows + next[p]], row);
        cr_expect(memcmp(part[p]->x + 2 * next[p]++, data->x + 2 * row, 2 * sizeof(double)) == 0);
    }
    for (int p = 0; p < 2; p++) {
        cr_expect_str_eq(part[p]->names[0], "height");
        cr_expect_str_eq(part[p]->names[1], "weight");
        cr_expect(part[p]->names != data->names && part[p]->cols == 2);
    }
}

Test(data_split, split_is_a_partition)
{
    static const double fractions[] = {0.01, 0.25, 0.5, 0.99};
    static const int64_t held_rows[] = {1, 25, 51, 100}; /* round(fraction · 101), halves away from 0 */
    ebm_data data = squares(101), train, held;
    int64_t number[101];
    for (int i = 0; i < COUNT(fractions); i++) {
        cr_assert(!ebm_data_split(&data, fractions[i], (uint64_t)i, &train, &held, number, NULL), "case %d", i);
        cr_expect(held.rows == held_rows[i], "case %d: %d", i, (int)held.rows);
        expect_partition(&data, &train, &held, number);
        ebm_data_free(&train);
        ebm_data_free(&held);
    }
    ebm_data_free(&data);
}

/* Over 2000 seeds each pair of 5 rows is held out equally often: χ² with 9 degrees of freedom is below 27.9 with
 * probability 0.999. The seeds are fixed, so this cannot fail by chance. */
Test(data_split, split_is_fair)
{
    enum { SEEDS = 2000, PAIRS = 10 };
    ebm_data data = squares(5), train, held;
    int seen[5][5] = {0};
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        cr_assert(ebm_data_split(&data, 0.4, seed, &train, &held, NULL, NULL) == GIBBS_OK);
        seen[row_number(&held, 0)][row_number(&held, 1)]++;
        ebm_data_free(&train);
        ebm_data_free(&held);
    }
    double chi2 = 0, expected = (double)SEEDS / PAIRS;
    for (int a = 0; a < 5; a++)
        for (int b = a + 1; b < 5; b++) chi2 += pow(seen[a][b] - expected, 2) / expected;
    cr_expect(chi2 < 27.9 && chi2 > 0.1, "χ² = %g", chi2);
    ebm_data_free(&data);
}

Test(data_split, split_refuses)
{
    static const struct {
        int rows;
        double fraction;
    } bad[] = {{10, 0}, {10, 1}, {10, -0.1}, {10, NAN}, {10, 0.04}, {10, 0.96}, {1, 0.5}};
    for (int i = 0; i < COUNT(bad); i++) {
        ebm_data data = squares(bad[i].rows), train = {.rows = 9}, held = {.rows = 9};
        cr_expect(ebm_data_split(&data, bad[i].fraction, 1, &train, &held, NULL, NULL) == GIBBS_ARGUMENT, "case %d", i);
        cr_expect(zeroed(&train) && zeroed(&held), "case %d", i);
        cr_expect(ebm_data_split(&data, 0.5, 1, &train, &train, NULL, NULL) == GIBBS_ARGUMENT && !train.x);
        cr_expect(ebm_data_split(&data, 0.5, 1, &train, &data, NULL, NULL) == GIBBS_ARGUMENT);
        cr_expect(data.rows == bad[i].rows);
        ebm_data_free(&data);
    }
    ebm_data train, held;
    cr_expect(ebm_data_split(&(ebm_data){0}, 0.5, 1, &train, &held, NULL, NULL) == GIBBS_DATA);
}
