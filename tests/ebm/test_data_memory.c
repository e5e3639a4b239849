/* Tables and tensor files with every allocation failed in turn. */
#include <gibbs/data.h>

#include <criterion/criterion.h>
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

/* Numbers that are converted, tensors that are skipped, metadata. */
static gibbs_status do_other_tensors(const gibbs_allocator *a, gibbs_error *error)
{
    static const char file[] = "\xC0\0\0\0\0\0\0\0{\"__metadata__\":{\"k\":\"v\",\"l\":\"w\"},"
                               "\"h\":{\"dtype\":\"F16\",\"shape\":[2],\"data_offsets\":[0,4]},"
                               "\"e\":{\"dtype\":\"F32\",\"shape\":[0],\"data_offsets\":[4,4]},"
                               "\"i\":{\"dtype\":\"I32\",\"shape\":[],\"data_offsets\":[4,8]}}\0\0\0\0\1\0\0";
    FILE *out = fopen(file_path, "wb");
    cr_assert(out && fwrite(file, 1, sizeof file, out) == sizeof file && fclose(out) == 0);
    ebm_tensors back = {.count = 9};
    gibbs_status status = ebm_tensors_read(file_path, a, &back, error);
    if (status) cr_expect(!back.count && !back.tensor && !back.skipped);
    else cr_expect(back.count == 2 && back.skipped_count == 1 && back.metadata_count == 2);
    ebm_tensors_free(&back);
    return status;
}

static const struct {
    const char *name;
    gibbs_status (*run)(const gibbs_allocator *a, gibbs_error *error);
    int allocations; /* at least: the test is empty if the allocator is not used */
} operations[] = {{"parse", do_parse, 5},   {"read", do_read, 6},   {"from", do_from, 1},
                  {"standardise", do_standardise, 1}, {"split", do_split, 10}, {"tensors", do_tensors, 7},
                  {"other tensors", do_other_tensors, 15}};

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

Test(data_memory, every_allocation_failed_in_turn)
{
    strcpy(file_path, "/tmp/gibbs-table-XXXXXX");
    int descriptor = mkstemp(file_path);
    cr_assert(descriptor >= 0 && close(descriptor) == 0);
    for (int i = 0; i < COUNT(operations); i++) fail_each(i);
    unlink(file_path);
}
