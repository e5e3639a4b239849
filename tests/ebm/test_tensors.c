/* Tensor files written and read back; refusals to write; whole writes. What is read from elsewhere:
 * test_tensors_read.c. */
#include <gibbs/data.h>

#include <criterion/criterion.h>
#include <jansson.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#define COUNT(array) ((int)(sizeof(array) / sizeof((array)[0])))

typedef struct scratch {
    char folder[32], path[64], link[64];
} scratch;

static scratch scratch_new(void)
{
    scratch s = {.folder = "/tmp/gibbs-tensors-XXXXXX"};
    cr_assert(mkdtemp(s.folder));
    snprintf(s.path, sizeof s.path, "%s/t", s.folder);
    snprintf(s.link, sizeof s.link, "%s/link", s.folder);
    return s;
}

/* Fails when anything else was left in the folder, such as a temporary file. */
static void scratch_remove(const scratch *s)
{
    unlink(s->path);
    unlink(s->link);
    cr_expect(rmdir(s->folder) == 0, "something was left in %s", s->folder);
}

static size_t read_bytes(const char *path, void *bytes, size_t room)
{
    FILE *file = fopen(path, "rb");
    cr_assert(file);
    size_t length = fread(bytes, 1, room, file);
    fclose(file);
    return length;
}

/* ---- Round trips ------------------------------------------------------------------------------------------- */

static float bias[] = {0.5f, -0.0f, 3e-45f};
static double weight[] = {1, 1.0 / 3, INFINITY, -NAN, 4.9406564584124654e-324, 6}, step[] = {7};
static float eight[] = {1, 2, 3, 4};

static const ebm_tensor mixed[] = {
    {"bias", GIBBS_FLOAT32, {1, {3}}, bias},
    {"weight", GIBBS_FLOAT64, {2, {2, 3}}, weight},
    {"eight", GIBBS_FLOAT32, {8, {1, 2, 1, 1, 2, 1, 1, 1}}, eight},
    {"schritt/größe \"τ\"", GIBBS_FLOAT64, {0, {0}}, step},
};

static size_t bytes_of(const ebm_tensor *t)
{
    return (size_t)ad_shape_count(&t->shape) * gibbs_dtype_size(t->dtype);
}

static void expect_same(const ebm_tensor *a, const ebm_tensor *b)
{
    cr_expect_str_eq(a->name, b->name);
    cr_assert(a->dtype == b->dtype && a->shape.rank == b->shape.rank, "%s", a->name);
    for (int i = 0; i < a->shape.rank; i++) cr_assert(a->shape.dim[i] == b->shape.dim[i], "%s", a->name);
    cr_expect(memcmp(a->data, b->data, bytes_of(a)) == 0, "%s", a->name);
}

static void expect_file_holds(const char *path, const ebm_tensor *tensor, int count)
{
    ebm_tensors back;
    gibbs_error error = {0};
    cr_assert(ebm_tensors_read(path, NULL, &back, &error) == GIBBS_OK, "%s", error.message);
    cr_assert(back.count == count);
    for (int i = 0; i < count; i++) expect_same(&tensor[i], &back.tensor[i]);
    ebm_tensors_free(&back);
    cr_expect(!back.count && !back.tensor);
}

Test(tensors, round_trip_keeps_order_and_every_bit)
{
    scratch s = scratch_new();
    for (int count = 0; count <= COUNT(mixed); count++) {
        cr_assert(ebm_tensors_write(s.path, mixed, count, NULL) == GIBBS_OK);
        expect_file_holds(s.path, mixed, count);
    }
    scratch_remove(&s);
}

/* More bytes than any buffer on the way. */
Test(tensors, round_trip_large)
{
    enum { ROWS = 300, COLS = 1001 };
    scratch s = scratch_new();
    float *x = malloc(ROWS * COLS * sizeof *x);
    cr_assert(x);
    for (int i = 0; i < ROWS * COLS; i++) x[i] = (float)i * 0.25f;
    ebm_tensor big[] = {{"big", GIBBS_FLOAT32, {2, {ROWS, COLS}}, x}, mixed[1]};
    cr_assert(ebm_tensors_write(s.path, big, 2, NULL) == GIBBS_OK);
    expect_file_holds(s.path, big, 2);
    free(x);
    scratch_remove(&s);
}

/* A mapped file has its numbers aligned: the header fills whole words and the 8-byte numbers come first. */
Test(tensors, layout)
{
    unsigned char file[1024];
    scratch s = scratch_new();
    cr_assert(ebm_tensors_write(s.path, mixed, COUNT(mixed), NULL) == GIBBS_OK);
    size_t length = read_bytes(s.path, file, sizeof file), header = file[0] + 256u * file[1];
    cr_expect(header % 8 == 0 && file[8] == '{');
    cr_expect(length == 8 + header + sizeof weight + sizeof step + sizeof bias + sizeof eight);
    cr_expect(memcmp(file + 8 + header, weight, sizeof weight) == 0);
    cr_expect(memcmp(file + 8 + header + sizeof weight + sizeof step, bias, sizeof bias) == 0);
    scratch_remove(&s);
}

Test(tensors, find)
{
    ebm_tensors all = {.count = COUNT(mixed), .tensor = (ebm_tensor *)mixed};
    cr_expect(ebm_tensors_find(&all, "eight") == &mixed[2]);
    cr_expect(ebm_tensors_find(&all, "Eight") == NULL);
    cr_expect(ebm_tensors_find(&(ebm_tensors){0}, "eight") == NULL);
    ebm_tensors_free(NULL);
}

Test(tensors, read_io_errors)
{
    scratch s = scratch_new();
    ebm_tensors back = {.count = 99};
    gibbs_error error;
    cr_expect(ebm_tensors_read(s.path, NULL, &back, &error) == GIBBS_IO && !back.count && !back.tensor);
    cr_expect(strstr(error.message, s.path) && strstr(error.message, "No such file"), "«%s»", error.message);
    cr_expect(ebm_tensors_read(s.folder, NULL, &back, &error) == GIBBS_IO);
    scratch_remove(&s);
}

/* ---- Writing ----------------------------------------------------------------------------------------------- */

static const struct {
    ebm_tensor second; /* after «bias» */
    const char *message;
} unwritable[] = {
    {{"bias", GIBBS_FLOAT64, {0, {0}}, step}, "two tensors are named 'bias'"},
    {{"", GIBBS_FLOAT64, {0, {0}}, step}, "tensor 2 cannot be written: it has no name"},
    {{NULL, GIBBS_FLOAT64, {0, {0}}, step}, "tensor 2 cannot be written: it has no name"},
    {{"__metadata__", GIBBS_FLOAT64, {0, {0}}, step},
     "tensor 2 cannot be written: it has the reserved name __metadata__"},
    {{"\xff", GIBBS_FLOAT64, {0, {0}}, step}, "tensor 2 cannot be written: it has a name that is not UTF-8"},
    {{"x", (gibbs_dtype)2, {0, {0}}, step},
     "tensor 2 cannot be written: it has a dtype that is neither float32 nor float64"},
    {{"x", GIBBS_FLOAT64, {1, {0}}, step}, "tensor 2 cannot be written: it has a shape that is not valid"},
    {{"x", GIBBS_FLOAT64, {9, {1}}, step}, "tensor 2 cannot be written: it has a shape that is not valid"},
    {{"x", GIBBS_FLOAT64, {0, {0}}, NULL}, "tensor 2 cannot be written: it has no data"},
};

Test(tensors, write_refuses_and_keeps_the_old_file)
{
    scratch s = scratch_new();
    gibbs_error error = {0};
    cr_assert(ebm_tensors_write(s.path, mixed, COUNT(mixed), NULL) == GIBBS_OK);
    for (int i = 0; i < COUNT(unwritable); i++) {
        const ebm_tensor pair[] = {mixed[0], unwritable[i].second};
        cr_expect(ebm_tensors_write(s.path, pair, 2, &error) == GIBBS_ARGUMENT, "case %d", i);
        cr_expect_str_eq(error.message, unwritable[i].message, "case %d: «%s»", i, error.message);
    }
    cr_expect(ebm_tensors_write(s.path, mixed, -1, &error) == GIBBS_ARGUMENT);
    expect_file_holds(s.path, mixed, COUNT(mixed));
    scratch_remove(&s);
}

/* The disk «fills» in the middle of a file: the old one is whole, and nothing else is left. */
Test(tensors, a_failed_write_keeps_the_old_file)
{
    scratch s = scratch_new();
    gibbs_error error = {0};
    cr_assert(ebm_tensors_write(s.path, mixed, COUNT(mixed), NULL) == GIBBS_OK);
    struct rlimit before, small;
    cr_assert(getrlimit(RLIMIT_FSIZE, &before) == 0);
    small = before;
    small.rlim_cur = 200;
    signal(SIGXFSZ, SIG_IGN);
    cr_assert(setrlimit(RLIMIT_FSIZE, &small) == 0);
    gibbs_status status = ebm_tensors_write(s.path, &mixed[1], 2, &error);
    cr_assert(setrlimit(RLIMIT_FSIZE, &before) == 0);
    cr_expect(status == GIBBS_IO && strstr(error.message, s.path), "%d «%s»", (int)status, error.message);
    expect_file_holds(s.path, mixed, COUNT(mixed));
    cr_expect(ebm_tensors_write("/nowhere/t", mixed, 1, &error) == GIBBS_IO);
    cr_expect(ebm_tensors_write(s.folder, mixed, 1, &error) == GIBBS_IO);
    scratch_remove(&s);
}

/* A link stays a link, and a private file stays private. */
Test(tensors, a_rewrite_keeps_link_and_mode)
{
    scratch s = scratch_new();
    struct stat info;
    cr_assert(ebm_tensors_write(s.path, mixed, 1, NULL) == GIBBS_OK);
    cr_assert(chmod(s.path, 0600) == 0 && symlink("t", s.link) == 0);
    cr_assert(ebm_tensors_write(s.link, mixed, 2, NULL) == GIBBS_OK);
    cr_expect(lstat(s.link, &info) == 0 && S_ISLNK(info.st_mode));
    cr_expect(stat(s.path, &info) == 0 && (info.st_mode & 0777) == 0600);
    expect_file_holds(s.path, mixed, 2);
    scratch_remove(&s);
}

/* ---- jansson's allocations, each failed in turn (those of the library: test_data_table.c) -------------------- */

static int live, asked, fail_at;

static void *counting_malloc(size_t bytes)
{
    if (++asked == fail_at) return NULL;
    live++;
    return malloc(bytes);
}

static void counting_free(void *memory)
{
    live -= memory != NULL;
    free(memory);
}

Test(tensors, memory_for_json)
{
    scratch s = scratch_new();
    json_set_alloc_funcs(counting_malloc, counting_free);
    gibbs_status status = GIBBS_MEMORY;
    for (fail_at = 1; status; fail_at++) {
        gibbs_error error = {0};
        asked = 0;
        status = ebm_tensors_write(s.path, mixed, COUNT(mixed), &error);
        cr_assert(live == 0, "%d blocks leaked when request %d failed", live, fail_at);
        cr_assert(status == (asked >= fail_at ? GIBBS_MEMORY : GIBBS_OK), "request %d: %d «%s»", fail_at, (int)status,
                  error.message);
        cr_assert((access(s.path, F_OK) == 0) == (status == GIBBS_OK));
    }
    cr_expect(asked > 20, "%d requests", asked);
    scratch_remove(&s);
}
