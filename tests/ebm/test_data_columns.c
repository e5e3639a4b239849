/* Some columns of a table, in an order of one's own: numbers, names, refusals, no memory. */
#include "ebm/sampling.h"
#include "support/alloc.h"

static double six[] = {1, 2, 3, /**/ 4, 5, 6};
static char *names[] = {"length", "species", "width"};
static const ebm_data table = {.rows = 2, .cols = 3, .x = six, .names = names}, bare = {.rows = 2, .cols = 3, .x = six};

Test(columns, order_and_names)
{
    static const int64_t order[] = {2, 0, 2};
    static const double expected[] = {3, 1, 3, 6, 4, 6};
    ebm_data out;
    OK(ebm_data_columns(&table, order, 3, &out, ERROR));
    cr_assert(out.rows == 2 && out.cols == 3);
    cr_expect_arr_eq(out.x, expected, sizeof expected);
    for (int k = 0; k < 3; k++) cr_expect(!strcmp(out.names[k], names[order[k]]) && out.names[k] != names[order[k]]);
    ebm_data_free(&out);
    OK(ebm_data_columns(&bare, order + 1, 1, &out, ERROR));
    cr_expect(out.cols == 1 && !out.names && out.x[0] == 1 && out.x[1] == 4);
    ebm_data_free(&out);
}

static bool zeroed(const ebm_data *data) { return !data->rows && !data->cols && !data->x && !data->names; }

Test(columns, refuses)
{
    static const int64_t beyond[] = {0, 3}, before[] = {-1};
    double hole[] = {1, NAN};
    const ebm_data bad = {.rows = 2, .cols = 1, .x = hole};
    ebm_data out = table;
    FAILS(GIBBS_ARGUMENT, "there is no column 3 among the 3", ebm_data_columns(&table, beyond, 2, &out, FAIL));
    cr_expect(zeroed(&out));
    FAILS(GIBBS_ARGUMENT, "no column -1", ebm_data_columns(&table, before, 1, &out, FAIL));
    FAILS(GIBBS_ARGUMENT, "0 columns", ebm_data_columns(&table, beyond, 0, &out, FAIL));
    FAILS(GIBBS_DATA, "row 2", ebm_data_columns(&bad, beyond, 1, &out, FAIL));
}

Test(columns, memory)
{
    static const int64_t order[] = {1, 0};
    gibbs_status status = GIBBS_MEMORY;
    for (int64_t n = 1; status; n++) {
        counting_alloc c = {.fail_at = n};
        ebm_data out = {.rows = 9}, data = table;
        data.allocator = counting_allocator(&c);
        gibbs_error error = {.status = GIBBS_OK};
        status = ebm_data_columns(&data, order, 2, &out, &error);
        cr_assert(status == GIBBS_OK || (status == GIBBS_MEMORY && zeroed(&out)), "request %d", (int)n);
        cr_expect(status || c.calls == 4, "numbers, a list of names and two names: %d requests", (int)c.calls);
        ebm_data_free(&out);
        cr_assert(c.live == 0, "%d blocks lost when request %d failed", (int)c.live, (int)n);
    }
}
