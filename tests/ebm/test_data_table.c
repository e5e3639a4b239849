/* Tables: made from memory, and checked. */
#include <gibbs/data.h>

#include <criterion/criterion.h>
#include <float.h>
#include <math.h>
#include <string.h>

#define COUNT(array) ((int)(sizeof(array) / sizeof((array)[0])))

static char *names[] = {"height", "weight"};
static const double six[] = {1, 10, 2, 30, 6, 20};

static bool zeroed(const ebm_data *data)
{
    return !data->rows && !data->cols && !data->x && !data->names;
}

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
