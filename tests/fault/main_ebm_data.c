/* Every allocation of the readers of binary tables and of drawn sets fails in turn: MEMORY comes back with a sentence,
 * no table is left, nothing is lost; and without a failure the table is there. A plain program: Criterion's own memory
 * would be in the way of leak checkers. */
#include "support/alloc.h"

#include <gibbs/data.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#define COUNT(array) ((int)(sizeof(array) / sizeof((array)[0])))

static char path[] = "/tmp/gibbs-fault-data-XXXXXX";
static int failed;

static void expect(int good, const char *what, const char *name, int64_t at)
{
    if (!good) failed++, printf("%s, allocation %lld: %s\n", name, (long long)at, what);
}

/* More than a gzip reader's first room, so that it has to grow. */
enum { ROWS = 200000 };
static char numbers[8 + ROWS] = "\0\0\x08\1\x00\x03\x0D\x40";

static const char npy[] =
    "\x93NUMPY\1\0:\0{'descr':'<u2','fortran_order':True,'shape':(2,2)}       \n\1\0\2\0\3\0\4\0";
static const char csv[] = "a,b\n1,2\n3,4\n";
static const char all[] = "# all\n,x,kind,w\n1,5,one,1\nb,6,two,2\nc,7,one,3\nd,NA,three,4\n";
static const char commented[] = "# x,y\n1,2\n3,4\n";

typedef gibbs_status attempt_fn(const void *bytes, size_t length, const gibbs_allocator *a, ebm_data *out,
                                gibbs_error *error);

static gibbs_status parse(const void *bytes, size_t length, const gibbs_allocator *a, ebm_data *out, gibbs_error *error)
{
    return ebm_data_parse(bytes, length, "t", a, out, error);
}

/* Everything that a CSV can have: comments, names, row names, labels, weights, rows that are dropped. */
static gibbs_status parse_with_all(const void *bytes, size_t length, const gibbs_allocator *a, ebm_data *out,
                                   gibbs_error *error)
{
    static const char *const columns[] = {"kind", "x"}, *const labels[] = {"kind"};
    const ebm_read_options o = {.columns = columns, .column_count = 2, .labels = labels, .label_count = 1, .weight = "w",
                                .missing = EBM_MISSING_DROP};
    return ebm_data_parse_with(bytes, length, "t", &o, a, out, NULL, error);
}

/* NumPy's format with a column chosen, and one of weights. */
static gibbs_status parse_chosen(const void *bytes, size_t length, const gibbs_allocator *a, ebm_data *out,
                                 gibbs_error *error)
{
    static const char *const columns[] = {"2"};
    const ebm_read_options o = {.columns = columns, .column_count = 1, .weight = "1"};
    return ebm_data_parse_with(bytes, length, "t", &o, a, out, NULL, error);
}

static gibbs_status write_and_read(const void *bytes, size_t length, const gibbs_allocator *a, ebm_data *out,
                                   gibbs_error *error)
{
    FILE *file = fopen(path, "wb");
    if (!file || fwrite(bytes, 1, length, file) != length || fclose(file)) exit(2);
    return ebm_data_read(path, a, out, error);
}

static gibbs_status parse_packed(const void *bytes, size_t length, const gibbs_allocator *a, ebm_data *out,
                                 gibbs_error *error)
{
    static unsigned char packed[1 << 16];
    z_stream z = {.next_in = (void *)bytes, .avail_in = (unsigned)length, .next_out = packed,
                  .avail_out = sizeof packed};
    if (deflateInit2(&z, 9, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) || deflate(&z, Z_FINISH) != Z_STREAM_END)
        exit(2);
    deflateEnd(&z);
    return ebm_data_parse(packed, z.total_out, "t", a, out, error);
}

static gibbs_status generate(const void *bytes, size_t length, const gibbs_allocator *a, ebm_data *out,
                             gibbs_error *error)
{
    (void)length;
    return ebm_data_generate(bytes, ROWS, 1, a, out, error);
}

static const struct attempt {
    const char *name;
    attempt_fn *run;
    const void *bytes;
    size_t length;
    int64_t rows, allocations; /* at least so many, or the allocator is not used */
} attempts[] = {
    {"npy", parse, npy, sizeof npy - 1, 2, 1},
    {"npy with columns", parse_chosen, npy, sizeof npy - 1, 2, 5},
    {"CSV with all", parse_with_all, all, sizeof all - 1, 3, 20},
    {"CSV with names in a comment", parse, commented, sizeof commented - 1, 2, 10},
    {"IDX", parse, numbers, sizeof numbers, ROWS, 1},
    {"npy from a file", write_and_read, npy, sizeof npy - 1, 2, 2},
    {"CSV from a file", write_and_read, csv, sizeof csv - 1, 2, 5},
    {"packed IDX", parse_packed, numbers, sizeof numbers, ROWS, 5},
    {"packed CSV", parse_packed, csv, sizeof csv - 1, 2, 6},
    {"generate", generate, "moons", 0, ROWS, 1},
};

/* fail_at 0: nothing fails. Returns how often the attempt allocates. */
static int64_t one(const struct attempt *t, int64_t fail_at)
{
    counting_alloc count = {.fail_at = fail_at};
    gibbs_allocator a = counting_allocator(&count);
    gibbs_error error = {.message = ""};
    ebm_data data = {.rows = 99};
    gibbs_status status = t->run(t->bytes, t->length, &a, &data, &error);
    if (fail_at) {
        expect(count.failures == 1 && status == GIBBS_MEMORY, gibbs_status_text(status), t->name, fail_at);
        expect(error.status == GIBBS_MEMORY && error.message[0], "no sentence", t->name, fail_at);
        expect(!data.rows && !data.cols && !data.x && !data.names, "a table is left", t->name, fail_at);
    } else {
        expect(!status && data.rows == t->rows, error.message, t->name, 0);
    }
    ebm_data_free(&data);
    expect(!count.live && !count.bytes, "blocks are lost", t->name, fail_at);
    return count.calls;
}

int main(void)
{
    int64_t total = 0;
    int descriptor = mkstemp(path);
    if (descriptor < 0 || close(descriptor)) return 2;
    for (int i = 0; i < ROWS; i++) numbers[8 + i] = (char)(i >> 9);
    for (int k = 0; k < COUNT(attempts); k++) {
        int64_t calls = one(&attempts[k], 0);
        expect(calls >= attempts[k].allocations, "hardly any allocation is hooked", attempts[k].name, 0);
        for (int64_t at = 1; at <= calls; at++) one(&attempts[k], at);
        printf("%s: %lld allocations\n", attempts[k].name, (long long)calls);
        total += calls;
    }
    unlink(path);
    printf("%lld failures injected, %d checks failed\n", (long long)total, failed);
    return failed != 0;
}
