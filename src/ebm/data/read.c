/* read.c — a table from a file of any known format, told by its first bytes. */
#include "array.h"
#include "base/options.h"
#include "csv.h"

#include <string.h>

enum { UNPACKED_NAME = 192, UNPACKED_LIMIT = 1 << 30 };

static gibbs_status text_table(const ebm_bytes *f, const ebm_source *source, ebm_data *out)
{
    gibbs_status status = ebm_refuse_binary(f);
    return status ? status : ebm_csv_table(f, source, out);
}

static gibbs_status csv_alone(const ebm_bytes *f, const ebm_source *source, ebm_data *out)
{
    gibbs_status status = ebm_refuse_foreign(f);
    return status ? status : text_table(f, source, out);
}

static ebm_table_reader gzip_table;

/* Formats by their first bytes; any other file is text. Two of npy's six are enough to tell it, and the reader names
 * the first that is wrong. */
static const struct {
    const char *magic;
    size_t length;
    ebm_table_reader *read;
} formats[] = {
    {"\x93N", 2, ebm_npy_table},
    {"\0\0", 2, ebm_idx_table},
    {"\x1f\x8b", 2, gzip_table},
    {"", 0, text_table},
};

static gibbs_status table_of(const ebm_bytes *f, const ebm_source *source, ebm_data *out)
{
    int i = 0;
    gibbs_status status = ebm_refuse_foreign(f);
    if (status) return status;
    while ((size_t)f->length < formats[i].length || memcmp(f->at, formats[i].magic, formats[i].length)) i++;
    return formats[i].read(f, source, out);
}

/* Offsets and lines in messages are those of what was packed. Packed twice is refused: a file could go on for ever. */
static gibbs_status gzip_table(const ebm_bytes *f, const ebm_source *source, ebm_data *out)
{
    char name[UNPACKED_NAME], *text;
    int64_t length;
    gibbs_status status = ebm_gzip_unpack(f, source, &text, &length);
    if (status) return status;
    snprintf(name, sizeof name, "%s (unpacked)", ebm_short_name(f->name));
    ebm_bytes inner = {(unsigned char *)text, length, name, f->error, false};
    if (length >= 2 && memcmp(text, "\x1f\x8b", 2) == 0)
        status = EBM_BYTES_FAIL(&inner, 0, "expected a table, found %s", "another gzip file");
    else status = table_of(&inner, source, out);
    gibbs_release(source->allocator, text);
    return status;
}

/* ---- Options ---- */

static const gibbs_option numbers[] = {
    GIBBS_OPTION(ebm_read_options, header, EBM_HEADER_FOUND, '[', EBM_HEADER_FOUND, EBM_HEADER_NO, ']'),
    GIBBS_OPTION(ebm_read_options, missing, EBM_MISSING_REFUSE, '[', EBM_MISSING_REFUSE, EBM_MISSING_DROP, ']'),
    GIBBS_OPTION(ebm_read_options, column_count, 0, '[', 0, 1 << 30, ']'),
    GIBBS_OPTION(ebm_read_options, label_count, 0, '[', 0, 1 << 30, ']'),
    GIBBS_OPTION(ebm_read_options, weight_kind, EBM_WEIGHT_COUNTS, '[', EBM_WEIGHT_COUNTS, EBM_WEIGHT_SAMPLING, ']'),
    GIBBS_OPTION(ebm_read_options, unpacked_limit, UNPACKED_LIMIT, '[', 1, 1LL << 62, ']'),
};

static bool is_mark(char c)
{
    return !c || (c > ' ' && c < 127 && !strchr("0123456789+-.eE\"", c));
}

static gibbs_status fill_options(const ebm_read_options *options, ebm_read_options *o, gibbs_error *error)
{
    *o = options ? *options : (ebm_read_options){0};
    if (!is_mark(o->separator) && o->separator != '\t' && o->separator != ' ')
        return gibbs_fail(error, GIBBS_ARGUMENT, "read: separator is '%c', which separates nothing", o->separator);
    if (!is_mark(o->comment))
        return gibbs_fail(error, GIBBS_ARGUMENT, "read: comment is '%c', which begins none", o->comment);
    if (o->decimal && o->decimal != '.' && o->decimal != ',')
        return gibbs_fail(error, GIBBS_ARGUMENT, "read: decimal is '%c', neither '.' nor ','", o->decimal);
    if (o->separator && (o->separator == o->decimal || o->separator == o->comment))
        return gibbs_fail(error, GIBBS_ARGUMENT, "read: separator is '%c', and so is %s", o->separator,
                          o->separator == o->decimal ? "decimal" : "comment");
    if ((o->column_count && !o->columns) || (o->label_count && !o->labels))
        return gibbs_fail(error, GIBBS_ARGUMENT, "read: %s is NULL, and has a count",
                          o->column_count && !o->columns ? "columns" : "labels");
    return gibbs_options_fill("read", numbers, GIBBS_COUNT(numbers), o, error);
}

/* ---- The public functions ---- */

static gibbs_status parse(const ebm_bytes *f, const ebm_read_options *options, const gibbs_allocator *allocator,
                          ebm_table_reader *read, ebm_data *out, ebm_read_report *report)
{
    ebm_read_options filled;
    ebm_read_report found = {.header = 0};
    gibbs_allocator a = gibbs_allocator_or_default(allocator);
    ebm_source source = {&filled, &found, &a};
    *out = (ebm_data){0};
    if (gibbs_allocator_check(allocator, f->error) || fill_options(options, &filled, f->error)) return GIBBS_ARGUMENT;
    gibbs_status status = read(f, &source, out);
    if (!status && report) *report = found;
    return status;
}

static gibbs_status parse_bytes(const void *bytes, size_t length, const char *name, const ebm_read_options *options,
                                const gibbs_allocator *allocator, ebm_table_reader *reader, ebm_data *out,
                                ebm_read_report *report, gibbs_error *error)
{
    const ebm_bytes f = {length ? bytes : (const unsigned char *)"", (int64_t)length, name, error, false};
    return parse(&f, options, allocator, reader, out, report);
}

static gibbs_status read(const char *path, const ebm_read_options *options, const gibbs_allocator *allocator,
                         ebm_table_reader *reader, ebm_data *out, ebm_read_report *report, gibbs_error *error)
{
    gibbs_allocator a = gibbs_allocator_or_default(allocator);
    ebm_bytes f = {.name = path, .error = error};
    char *bytes;
    *out = (ebm_data){0};
    if (gibbs_allocator_check(allocator, error)) return GIBBS_ARGUMENT;
    if (reader == table_of && ebm_map_file(path, &f)) {
        gibbs_status status = parse(&f, options, allocator, reader, out, report);
        if (!out->map) ebm_map_release((void *)f.at, f.length);
        return status;
    }
    gibbs_status status = ebm_read_file(path, &a, &bytes, &f.length, error);
    f.at = (const unsigned char *)bytes;
    if (!status) status = parse(&f, options, allocator, reader, out, report);
    gibbs_release(&a, bytes);
    return status;
}

gibbs_status ebm_data_parse_with(const void *bytes, size_t length, const char *name, const ebm_read_options *options,
                                 const gibbs_allocator *allocator, ebm_data *out, ebm_read_report *report,
                                 gibbs_error *error)
{
    GIBBS_REQUIRE("parse", (bytes || !length) && name && out, error);
    return parse_bytes(bytes, length, name, options, allocator, table_of, out, report, error);
}

gibbs_status ebm_data_read_with(const char *path, const ebm_read_options *options, const gibbs_allocator *allocator,
                                ebm_data *out, ebm_read_report *report, gibbs_error *error)
{
    GIBBS_REQUIRE("read", path && out, error);
    return read(path, options, allocator, table_of, out, report, error);
}

gibbs_status ebm_data_parse(const void *bytes, size_t length, const char *name, const gibbs_allocator *allocator,
                            ebm_data *out, gibbs_error *error)
{
    return ebm_data_parse_with(bytes, length, name, NULL, allocator, out, NULL, error);
}

gibbs_status ebm_data_read(const char *path, const gibbs_allocator *allocator, ebm_data *out, gibbs_error *error)
{
    return ebm_data_read_with(path, NULL, allocator, out, NULL, error);
}

gibbs_status ebm_data_parse_csv(const char *text, size_t length, const char *name, const gibbs_allocator *allocator,
                                ebm_data *out, gibbs_error *error)
{
    GIBBS_REQUIRE("parse_csv", (text || !length) && name && out, error);
    return parse_bytes(text, length, name, NULL, allocator, csv_alone, out, NULL, error);
}

gibbs_status ebm_data_read_csv(const char *path, const gibbs_allocator *allocator, ebm_data *out, gibbs_error *error)
{
    GIBBS_REQUIRE("read_csv", path && out, error);
    return read(path, NULL, allocator, csv_alone, out, NULL, error);
}
