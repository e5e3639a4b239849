/* Files of any format through one entry: told apart by their first bytes, and unpacked where they are packed. */
#include "binary_helpers.h"

#include <unistd.h>
#include <zlib.h>

static const char csv[] = "a,b\n1,2\n3,4\n";
static const char idx[] = "\0\0\x08\2\0\0\0\2\0\0\0\2\1\2\3\4";
static const char npy[] =
    "\x93NUMPY\1\0:\0{'descr':'|u1','fortran_order':False,'shape':(2,2)}      \n\1\2\3\4";

static const struct {
    const char *name, *text;
    size_t length;
} files[] = {{"csv", csv, sizeof csv - 1}, {"idx", idx, sizeof idx - 1}, {"npy", npy, sizeof npy - 1}};

/* One gzip member with this text, after what is there. */
static void add_packed(bytes *b, const void *text, size_t length)
{
    z_stream z = {.next_in = (void *)text, .avail_in = (unsigned)length, .next_out = b->at + b->length,
                  .avail_out = (unsigned)(BYTES_SIZE - b->length)};
    cr_assert(deflateInit2(&z, 9, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) == Z_OK);
    cr_assert(deflate(&z, Z_FINISH) == Z_STREAM_END);
    b->length += z.total_out;
    deflateEnd(&z);
}

static bytes packed(const void *text, size_t length)
{
    bytes b = {.length = 0};
    add_packed(&b, text, length);
    return b;
}

static void expect_four(gibbs_status status, ebm_data *data, const gibbs_error *error, const char *name)
{
    static const double four[] = {1, 2, 3, 4};
    cr_assert(status == GIBBS_OK, "%s: %s", name, error->message);
    cr_expect(data->rows == 2 && data->cols == 2 && !memcmp(data->x, four, sizeof four), "%s", name);
    ebm_data_free(data);
}

Test(data_read, any_format_plain_and_packed)
{
    char path[] = "/tmp/gibbs-read-XXXXXX";
    int descriptor = mkstemp(path);
    cr_assert(descriptor >= 0 && close(descriptor) == 0);
    for (int i = 0; i < 2 * COUNT(files); i++) {
        ebm_data data;
        gibbs_error error = {0};
        bytes b = packed(files[i / 2].text, files[i / 2].length);
        if (i % 2 == 0) b.length = 0, add(&b, files[i / 2].text, files[i / 2].length);
        expect_four(parse_exactly(b.at, b.length, &data, &error), &data, &error, files[i / 2].name);
        FILE *file = fopen(path, "wb");
        cr_assert(file && fwrite(b.at, 1, b.length, file) == b.length && fclose(file) == 0);
        expect_four(ebm_data_read(path, NULL, &data, &error), &data, &error, files[i / 2].name);
    }
    unlink(path);
}

/* Members follow one another as if they were one; the cut may lie anywhere, in a header too. */
Test(data_read, several_members)
{
    for (size_t cut = 0; cut <= sizeof npy - 1; cut += 3) {
        ebm_data data;
        gibbs_error error = {0};
        bytes b = packed(npy, cut);
        add_packed(&b, npy + cut, sizeof npy - 1 - cut);
        expect_four(parse_exactly(b.at, b.length, &data, &error), &data, &error, "two members");
    }
}

/* More than zlib's window and our first room: a million numbers in a few kilobytes. */
Test(data_read, large_when_unpacked)
{
    enum { ROWS = 1000000 };
    char *text = malloc(16 + ROWS);
    cr_assert(text);
    memcpy(text, "\0\0\x08\1\x00\x0F\x42\x40", 8);
    for (int i = 0; i < ROWS; i++) text[8 + i] = (char)(i / 4096);
    ebm_data data;
    gibbs_error error = {0};
    bytes b = packed(text, 8 + ROWS);
    cr_assert(parse_exactly(b.at, b.length, &data, &error) == GIBBS_OK, "%s", error.message);
    cr_assert(data.rows == ROWS && data.cols == 1);
    for (int i = 0; i < ROWS; i++) cr_assert(data.x[i] == i / 4096);
    ebm_data_free(&data);
    free(text);
}

/* Messages count in the unpacked file, and say so. */
Test(data_read, errors_inside_a_packed_file)
{
    static const struct {
        const char *text;
        size_t length;
        gibbs_status status;
        const char *message;
    } cases[] = {
        {"a\n1\nx\n", 6, GIBBS_FORMAT, "t (unpacked):3: column 1 (a): 'x' is not a number"
                                          ": leave the column out, or read it as labels (options columns, labels)"},
        {"", 0, GIBBS_DATA, "'t (unpacked)' has no rows of numbers"},
        {"\0\0\x08\1\0\0\0\2a", 9, GIBBS_FORMAT, "t (unpacked): byte 8: expected 2 bytes of data, found 1"},
        {"\x93NUMPY\7\0", 8, GIBBS_FORMAT, "t (unpacked): byte 6: expected version 1.0, 2.0 or 3.0, found 7.0"},
        {"\x1f\x8b\x08", 3, GIBBS_FORMAT, "t (unpacked): byte 0: expected a table, found another gzip file"},
    };
    for (int i = 0; i < COUNT(cases); i++) {
        bytes b = packed(cases[i].text, cases[i].length);
        expect_refused(&b, cases[i].status, cases[i].message);
    }
}

Test(data_read, malformed_gzip)
{
    bytes b = packed(idx, sizeof idx - 1), cut = b;
    char message[100];
    for (cut.length = 2; cut.length < b.length; cut.length++) {
        snprintf(message, sizeof message, "t: byte %zu: expected more of a gzip member, found the end", cut.length);
        expect_refused(&cut, GIBBS_FORMAT, message);
    }
    b.at[2] = 7; /* the method of compression */
    expect_refused(&b, GIBBS_FORMAT, "t: byte 4: the gzip data are damaged: unknown compression method");
    b = packed(idx, sizeof idx - 1);
    b.at[b.length - 5] ^= 1; /* of the checksum */
    snprintf(message, sizeof message, "t: byte %zu: the gzip data are damaged: incorrect data check", b.length - 4);
    expect_refused(&b, GIBBS_FORMAT, message);
    b.at[b.length - 5] ^= 1;
    size_t length = b.length;
    add(&b, "junk", 4);
    snprintf(message, sizeof message, "t: byte %zu: expected the end of the gzip file, found 4 bytes more", length);
    expect_refused(&b, GIBBS_FORMAT, message);
    b.length = length;
    add(&b, "\x1f", 1);
    snprintf(message, sizeof message, "t: byte %zu: expected more of a gzip member, found the end", length + 1);
    expect_refused(&b, GIBBS_FORMAT, message);
}

/* Zeros behind the last member are padding; a bound holds before the memory is taken. */
Test(data_read, padding_and_a_bound)
{
    bytes b = packed(csv, sizeof csv - 1);
    static const char zeros[512];
    ebm_data data;
    gibbs_error error = {0};
    add(&b, zeros, sizeof zeros);
    expect_four(parse_exactly(b.at, b.length, &data, &error), &data, &error, "padded");
    ebm_read_options options = {.unpacked_limit = sizeof csv - 1};
    expect_four(ebm_data_parse_with(b.at, b.length, "t", &options, NULL, &data, NULL, &error), &data, &error, "just");
    options.unpacked_limit--;
    cr_expect(ebm_data_parse_with(b.at, b.length, "t", &options, NULL, &data, NULL, &error) == GIBBS_SIZE && !data.x);
    cr_expect_str_eq(error.message, "t: unpacks to more than 11 bytes (unpacked_limit)");
}

Test(data_read, damaged_gzip_does_no_harm)
{
    bytes b = packed(npy, sizeof npy - 1);
    int refused = refused_when_damaged(&b);
    cr_expect(refused >= 8 * ((int)b.length - 10), "%d refused", refused); /* all but some of the 10 header bytes */
}

Test(data_read, what_is_no_table)
{
    bytes b = {.length = 0};
    expect_refused(&b, GIBBS_DATA, "'t' has no rows of numbers");
    add(&b, "PK\3\4....", 8);
    expect_refused(&b, GIBBS_FORMAT,
                   "t: this is a zip archive (npz, xlsx?): unpack it first, or write its table as CSV or npy first");
    b.length = 0, add(&b, "\x93", 1);
    expect_refused(&b, GIBBS_DATA, "'t' has no rows of numbers"); /* one byte is text: a header, and no more */
    ebm_data data = {.rows = 9};
    gibbs_error error;
    cr_expect(ebm_data_read("/nowhere/t.npy", NULL, &data, &error) == GIBBS_IO && !data.rows);
    cr_expect(strstr(error.message, "/nowhere/t.npy"));
    cr_expect(ebm_data_read(NULL, NULL, &data, &error) == GIBBS_ARGUMENT);
    cr_expect(ebm_data_parse(NULL, 3, "t", NULL, &data, &error) == GIBBS_ARGUMENT);
    cr_expect(ebm_data_parse(NULL, 0, "t", NULL, &data, &error) == GIBBS_DATA);
}
