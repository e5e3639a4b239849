/* read.c — a table from a file of any known format, told by its first bytes. */
#include "array.h"

#include <string.h>

enum { UNPACKED_NAME = 192 };

typedef gibbs_status table_reader(const ebm_bytes *f, const gibbs_allocator *a, ebm_data *out);

static gibbs_status csv_table(const ebm_bytes *f, const gibbs_allocator *a, ebm_data *out)
{
    return ebm_data_parse_csv((const char *)f->at, (size_t)f->length, f->name, a, out, f->error);
}

static gibbs_status refuse_zip(const ebm_bytes *f, const gibbs_allocator *a, ebm_data *out)
{
    (void)a, (void)out;
    return EBM_BYTES_FAIL(f, 0, "expected a table, found a zip archive%s", " (npz?): unpack it, it may hold several");
}

static table_reader gzip_table;

/* Formats by their first bytes; any other file is text. Two of npy's six are enough to tell it, and the reader names
 * the first that is wrong. */
static const struct {
    const char *magic;
    size_t length;
    table_reader *read;
} formats[] = {
    {"\x93N", 2, ebm_npy_table},
    {"\0\0", 2, ebm_idx_table},
    {"\x1f\x8b", 2, gzip_table},
    {"PK\3\4", 4, refuse_zip},
    {"", 0, csv_table},
};

static gibbs_status table_of(const ebm_bytes *f, const gibbs_allocator *a, ebm_data *out)
{
    int i = 0;
    while ((size_t)f->length < formats[i].length || memcmp(f->at, formats[i].magic, formats[i].length)) i++;
    return formats[i].read(f, a, out);
}

/* Offsets and lines in messages are those of what was packed. Packed twice is refused: a file could go on for ever. */
static gibbs_status gzip_table(const ebm_bytes *f, const gibbs_allocator *a, ebm_data *out)
{
    char name[UNPACKED_NAME], *text;
    int64_t length;
    gibbs_status status = ebm_gzip_unpack(f, a, &text, &length);
    if (status) return status;
    snprintf(name, sizeof name, "%s (unpacked)", ebm_short_name(f->name));
    ebm_bytes inner = {(unsigned char *)text, length, name, f->error};
    if (length >= 2 && memcmp(text, "\x1f\x8b", 2) == 0)
        status = EBM_BYTES_FAIL(&inner, 0, "expected a table, found %s", "another gzip file");
    else status = table_of(&inner, a, out);
    gibbs_release(a, text);
    return status;
}

gibbs_status ebm_data_parse(const void *bytes, size_t length, const char *name, const gibbs_allocator *allocator,
                            ebm_data *out, gibbs_error *error)
{
    GIBBS_REQUIRE("parse", (bytes || !length) && name && out, error);
    gibbs_allocator a = gibbs_allocator_or_default(allocator);
    ebm_bytes f = {length ? bytes : (const unsigned char *)"", (int64_t)length, name, error};
    *out = (ebm_data){0};
    if (gibbs_allocator_check(allocator, error)) return GIBBS_ARGUMENT;
    return table_of(&f, &a, out);
}

gibbs_status ebm_data_read(const char *path, const gibbs_allocator *allocator, ebm_data *out, gibbs_error *error)
{
    GIBBS_REQUIRE("read", path && out, error);
    gibbs_allocator a = gibbs_allocator_or_default(allocator);
    char *bytes;
    int64_t length;
    *out = (ebm_data){0};
    if (gibbs_allocator_check(allocator, error)) return GIBBS_ARGUMENT;
    gibbs_status status = ebm_read_file(path, &a, &bytes, &length, error);
    if (!status) status = ebm_data_parse(bytes, (size_t)length, path, allocator, out, error);
    gibbs_release(&a, bytes);
    return status;
}
