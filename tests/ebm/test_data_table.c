/* Tables: making, checking, standardising and splitting them; and every allocation of the data layer failed in turn. */
#include <gibbs/data.h>

#include <criterion/criterion.h>
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define COUNT(array) ((int)(sizeof(array) / sizeof((array)[0])))

static char *names[] = {"height", "weight"};
static const double six[] = {1, 10, 2, 30, 6, 20};

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

/* ---- From memory, and the check ---------------------------------------------------------------------------- */

Test(data_table, from_copies)
{
    double x[6];
    ebm_data data;
    memcpy(x, six, sizeof x);
    cr_assert(ebm_data_from(x, 3, 2, NULL, &data, NULL) == GIBBS_OK);
    x[0] = -1;
    cr_expect(data.rows == 3 && data.cols == 2 && !data.names && data.x != x);
    cr_expect(memcmp(data.x, six, sizeof six) == 0);
    ebm_data_free(&data);
    cr_expect(zeroed(&data));
    ebm_data_free(&data);
    ebm_data_free(NULL);
}

static const struct {
    int64_t rows, cols;
    gibbs_status status;
    int bad; /* this element is … */
    double value;
    const char *message;
} made[] = {
    {0, 2, GIBBS_DATA, 0, 1, "the table is empty: 0 rows, 2 columns"},
    {3, 0, GIBBS_DATA, 0, 1, "the table is empty: 3 rows, 0 columns"},
    {-1, -6, GIBBS_DATA, 0, 1, "the table is empty: -1 rows, -6 columns"},
    {3, 2, GIBBS_DATA, 3, NAN, "row 2, column 2 is NaN"},
    {3, 2, GIBBS_DATA, 4, -INFINITY, "row 3, column 1 is infinite"},
    {INT64_C(1) << 40, INT64_C(1) << 30, GIBBS_SIZE, 0, 1,
     "a table of 1099511627776 rows and 1073741824 columns is too large"},
    {INT64_C(1) << 31, INT64_C(1) << 30, GIBBS_SIZE, 0, 1,
     "a table of 2147483648 rows and 1073741824 columns is too large"},
    {3, 2, GIBBS_OK, 0, DBL_MAX, ""},
};

Test(data_table, from_refuses)
{
    for (int i = 0; i < COUNT(made); i++) {
        double x[6];
        memcpy(x, six, sizeof x);
        x[made[i].bad] = made[i].value;
        ebm_data data = {.rows = 99};
        gibbs_error error = {0};
        gibbs_status status = ebm_data_from(x, made[i].rows, made[i].cols, NULL, &data, &error);
        cr_expect(status == made[i].status && error.status == status, "case %d: status %d", i, (int)status);
        cr_expect_str_eq(error.message, made[i].message, "case %d: «%s»", i, error.message);
        cr_expect(zeroed(&data) == (status != GIBBS_OK), "case %d", i);
        ebm_data_free(&data);
    }
}

Test(data_table, check_names_the_column)
{
    double x[] = {1, 2, 3, INFINITY};
    gibbs_error error;
    ebm_data data = {.rows = 2, .cols = 2, .x = x, .names = names};
    cr_expect(ebm_data_check(&data, &error) == GIBBS_DATA);
    cr_expect_str_eq(error.message, "row 2, column 2 (weight) is infinite");
    data.rows = 1;
    cr_expect(ebm_data_check(&data, &error) == GIBBS_OK);
    cr_expect(ebm_data_check(&(ebm_data){0}, NULL) == GIBBS_DATA);
}

/* ---- Standardising ----------------------------------------------------------------------------------------- */

Test(data_table, standardise_and_apply)
{
    double x[6], mean[2], sd[2], held[] = {3, 20, 4, 21};
    memcpy(x, six, sizeof x);
    ebm_data data = {.rows = 3, .cols = 2, .x = x}, other = {.rows = 2, .cols = 2, .x = held};
    cr_assert(ebm_data_standardise(&data, mean, sd, NULL) == GIBBS_OK);
    const double expected_sd[] = {sqrt(14.0 / 3), sqrt(200.0 / 3)}; /* Σ(x − mean)² over 3 rows */
    for (int c = 0; c < 2; c++) {
        cr_expect(fabs(mean[c] - (c ? 20 : 3)) < 1e-14);
        cr_expect(fabs(sd[c] - expected_sd[c]) < 1e-14 * expected_sd[c]);
        for (int row = 0; row < 3; row++)
            cr_expect(fabs(x[2 * row + c] - (six[2 * row + c] - mean[c]) / expected_sd[c]) < 1e-14);
    }
    cr_assert(ebm_data_apply_scale(&other, mean, sd, NULL) == GIBBS_OK);
    cr_expect(held[0] == 0 && held[1] == 0 && held[2] == 1 / sd[0] && held[3] == 1 / sd[1]);
    cr_expect(ebm_data_standardise(&data, NULL, NULL, NULL) == GIBBS_OK);
}

/* Columns whose squares, sums or differences from a large mean are beyond a naive sum. */
Test(data_table, standardise_far_numbers)
{
    double x[] = {1e9 + 1, 3e200, 1e-200, 5e307, 1e9 + 2, -3e200, -1e-200, -5e307, 1e9 + 3, 0, 0, 0};
    double mean[4], sd[4];
    const double root = sqrt(2.0 / 3), unit[] = {1, 3e200, 1e-200, 5e307};
    ebm_data data = {.rows = 3, .cols = 4, .x = x};
    cr_assert(ebm_data_standardise(&data, mean, sd, NULL) == GIBBS_OK);
    cr_expect(mean[0] == 1e9 + 2);
    for (int c = 0; c < 4; c++) {
        cr_expect(fabs(sd[c] / unit[c] / root - 1) < 1e-14, "column %d: %g", c, sd[c]);
        cr_expect(fabs(fabs(x[c]) - 1 / root) < 1e-14, "column %d: %g", c, x[c]);
    }
}

static const struct {
    double x[6];
    gibbs_status status;
    const char *message;
} unscalable[] = {
    {{1, .1, 2, .1, 3, .1}, GIBBS_DATA, "column 2 (weight) is constant: it cannot be standardised"},
    {{1e300, 1, 1e300, 2, 1e300, 3}, GIBBS_DATA, "column 1 (height) is constant: it cannot be standardised"},
    {{1, 1.7e308, 2, -1.7e308, 3, 0}, GIBBS_DATA, "column 2 (weight) has too wide a range to be standardised"},
    {{1, 1, 2, NAN, 3, 3}, GIBBS_DATA, "row 2, column 2 (weight) is NaN"},
};

Test(data_table, standardise_refuses_and_changes_nothing)
{
    for (int i = 0; i < COUNT(unscalable); i++) {
        double x[6], mean[2] = {7, 7}, sd[2] = {7, 7};
        gibbs_error error = {0};
        memcpy(x, unscalable[i].x, sizeof x);
        ebm_data data = {.rows = 3, .cols = 2, .x = x, .names = names};
        cr_expect(ebm_data_standardise(&data, mean, sd, &error) == unscalable[i].status, "case %d", i);
        cr_expect_str_eq(error.message, unscalable[i].message, "case %d: «%s»", i, error.message);
        cr_expect(memcmp(x, unscalable[i].x, sizeof x) == 0, "case %d", i);
        cr_expect(mean[0] == 7 && mean[1] == 7 && sd[0] == 7 && sd[1] == 7, "case %d", i);
    }
}

Test(data_table, apply_scale_refuses)
{
    static const double bad[][2] = {{0, 0}, {0, -1}, {0, NAN}, {0, INFINITY}, {NAN, 1}, {INFINITY, 1}};
    for (int i = 0; i < COUNT(bad); i++) {
        double x[6], mean[] = {0, bad[i][0]}, sd[] = {1, bad[i][1]};
        gibbs_error error = {0};
        memcpy(x, six, sizeof x);
        ebm_data data = {.rows = 3, .cols = 2, .x = x, .names = names};
        cr_expect(ebm_data_apply_scale(&data, mean, sd, &error) == GIBBS_ARGUMENT, "case %d", i);
        cr_expect(strstr(error.message, "column 2 (weight)"), "case %d: «%s»", i, error.message);
        cr_expect(memcmp(x, six, sizeof x) == 0, "case %d", i);
    }
}

/* ---- Splitting --------------------------------------------------------------------------------------------- */

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

Test(data_table, split_is_the_same_everywhere)
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

Test(data_table, split_is_a_partition)
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
Test(data_table, split_is_fair)
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

Test(data_table, split_refuses)
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

/* ---- Every allocation failed in turn ----------------------------------------------------------------------- */

/* An allocator that knows what is out and refuses the request number `fail_at`. */
typedef struct pool {
    int live, asked, fail_at;
} pool;

static void *pool_alloc(void *context, size_t bytes)
{
    pool *p = context;
    if (++p->asked == p->fail_at) return NULL;
    p->live++;
    return malloc(bytes);
}

static void pool_release(void *context, void *memory)
{
    pool *p = context;
    p->live -= memory != NULL;
    free(memory);
}

static const char table_text[] = "height,\"the weight\"\n1,2\n3,4\n5,7\n";
static char file_path[64];

static gibbs_status do_parse(const gibbs_allocator *a, gibbs_error *error)
{
    ebm_data data = {.rows = 9};
    gibbs_status status = ebm_data_parse_csv(table_text, sizeof table_text - 1, "t", a, &data, error);
    if (status) cr_expect(zeroed(&data));
    ebm_data_free(&data);
    return status;
}

static gibbs_status do_read(const gibbs_allocator *a, gibbs_error *error)
{
    ebm_data data = {.rows = 9};
    FILE *file = fopen(file_path, "wb");
    cr_assert(file && fputs(table_text, file) >= 0 && fclose(file) == 0);
    gibbs_status status = ebm_data_read_csv(file_path, a, &data, error);
    if (status) cr_expect(zeroed(&data));
    ebm_data_free(&data);
    return status;
}

static gibbs_status do_from(const gibbs_allocator *a, gibbs_error *error)
{
    ebm_data data = {.rows = 9};
    gibbs_status status = ebm_data_from(six, 3, 2, a, &data, error);
    if (status) cr_expect(zeroed(&data));
    ebm_data_free(&data);
    return status;
}

/* Standardises a table in the caller's memory: it must be as it was after a failure. */
static gibbs_status do_standardise(const gibbs_allocator *a, gibbs_error *error)
{
    double x[6];
    memcpy(x, six, sizeof x);
    ebm_data data = {.rows = 3, .cols = 2, .x = x, .allocator = *a};
    gibbs_status status = ebm_data_standardise(&data, NULL, NULL, error);
    if (status) cr_expect(memcmp(x, six, sizeof x) == 0);
    return status;
}

static gibbs_status do_split(const gibbs_allocator *a, gibbs_error *error)
{
    double x[6];
    memcpy(x, six, sizeof x);
    ebm_data data = {.rows = 3, .cols = 2, .x = x, .names = names, .allocator = *a};
    ebm_data train = {.rows = 9}, held = {.rows = 9};
    gibbs_status status = ebm_data_split(&data, 0.34, 5, &train, &held, NULL, error);
    if (status) cr_expect(zeroed(&train) && zeroed(&held));
    ebm_data_free(&train);
    ebm_data_free(&held);
    return status;
}

static gibbs_status do_tensors(const gibbs_allocator *a, gibbs_error *error)
{
    float b[] = {1, 2, 3};
    double w[] = {4, 5};
    ebm_tensor tensor[] = {{"b", GIBBS_FLOAT32, {1, {3}}, b}, {"w", GIBBS_FLOAT64, {2, {1, 2}}, w}};
    cr_assert(ebm_tensors_write(file_path, tensor, 2, error) == GIBBS_OK);
    ebm_tensors back = {.count = 9};
    gibbs_status status = ebm_tensors_read(file_path, a, &back, error);
    if (status) cr_expect(!back.count && !back.tensor);
    ebm_tensors_free(&back);
    return status;
}

static const struct {
    const char *name;
    gibbs_status (*run)(const gibbs_allocator *a, gibbs_error *error);
    int allocations; /* at least: the test is empty if the allocator is not used */
} operations[] = {{"parse", do_parse, 5},   {"read", do_read, 6},   {"from", do_from, 1},
                  {"standardise", do_standardise, 1}, {"split", do_split, 10}, {"tensors", do_tensors, 7}};

static void fail_each(int i)
{
    gibbs_status status = GIBBS_MEMORY;
    for (int n = 1; status; n++) {
        pool p = {.fail_at = n};
        gibbs_allocator a = {pool_alloc, pool_release, &p};
        gibbs_error error = {0};
        status = operations[i].run(&a, &error);
        cr_assert(p.live == 0, "%s: %d blocks leaked when request %d failed", operations[i].name, p.live, n);
        cr_assert(status == (p.asked >= n ? GIBBS_MEMORY : GIBBS_OK), "%s, request %d: status %d", operations[i].name,
                  n, (int)status);
        if (status) cr_expect(error.status == GIBBS_MEMORY && error.message[0], "%s, %d", operations[i].name, n);
        else cr_expect(p.asked >= operations[i].allocations, "%s: %d requests", operations[i].name, p.asked);
    }
}

Test(data_table, every_allocation_failed_in_turn)
{
    strcpy(file_path, "/tmp/gibbs-table-XXXXXX");
    int descriptor = mkstemp(file_path);
    cr_assert(descriptor >= 0 && close(descriptor) == 0);
    for (int i = 0; i < COUNT(operations); i++) fail_each(i);
    unlink(file_path);
}
