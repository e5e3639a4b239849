/* csv_read.c — RFC 4180 text to a table. Two layers: csv_next reads one field, the rest reads lines of them. */
#include "data_private.h"

#include <math.h>
#include <string.h>

/* Invariant: text before `at` is read; `line` is the number of the line that `at` stands in. */
typedef struct csv_reader {
    const char *at, *end, *name;
    const char *first, *record; /* where the first line begins, and the current one */
    int64_t line;
    int64_t column, field_line; /* of the current field, both from 1 */
    bool last;                  /* the current field ends its line */
    bool quoted;
    char *field; /* the current field: unquoted, NUL ended, in memory that is used again for the next */
    int64_t length, capacity;
    const gibbs_allocator *allocator;
    gibbs_error *error;
} csv_reader;

#define CSV_FAIL(r, status, format, ...)                                                                          \
    gibbs_fail((r)->error, status, "%s:%lld: " format, ebm_short_name((r)->name), (long long)(r)->field_line,    \
               __VA_ARGS__)

static const char *line_end(const csv_reader *r, const char *line)
{
    const char *end = memchr(line, '\n', (size_t)(r->end - line));
    return end ? end : r->end;
}

static bool has(const csv_reader *r, const char *line, char c)
{
    return memchr(line, c, (size_t)(line_end(r, line) - line)) != NULL;
}

/* Whether the line is numbers, perhaps with decimal commas, with spaces between them; words and dates have spaces, too.
 * Spaces behind a comma belong to a field. */
static bool spaced_numbers(const csv_reader *r, const char *line)
{
    bool found = false;
    for (const char *p = line, *end = line_end(r, line); p < end; p++) {
        if (!*p || !strchr("0123456789.,+-eE \r", *p) || (*p == ' ' && p > line && p[-1] == ',')) return false;
        found |= *p == ' ' && p > line && p[-1] != ' ' && p + 1 < end && p[1] != '\r';
    }
    return found;
}

/* What to add to a sentence about a line: another separator than the comma, where the first line has it, too. */
static const char *separator_hint(const csv_reader *r)
{
    const char *line = r->record;
    if (has(r, r->first, ';') && has(r, line, ';'))
        return "; fields are separated by commas, not semicolons, and decimals by points: tr ',;' '.,' makes it so";
    if (has(r, r->first, '\t') && has(r, line, '\t'))
        return "; fields are separated by commas, not tabs, and decimals by points: tr ',\\t' '.,' makes it so";
    if (has(r, r->first, ' ') && spaced_numbers(r, line))
        return "; fields are separated by commas, not spaces, and decimals by points: "
               "awk '{ gsub(/,/, \".\"); $1 = $1 } 1' OFS=, makes it so";
    return "";
}

static gibbs_status no_memory(csv_reader *r)
{
    return gibbs_fail(r->error, GIBBS_MEMORY, "no memory for the table in '%s'", ebm_short_name(r->name));
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static void skip_blanks(csv_reader *r)
{
    while (r->at < r->end && is_blank(*r->at)) r->at++;
}

/* Room for a field of `length` bytes and its NUL. */
static bool field_room(csv_reader *r, int64_t length)
{
    return gibbs_grow(r->allocator, &r->field, &r->capacity, 0, length + 1, 1);
}

/* At a quote. Two quotes inside stand for one; line ends inside belong to the field. */
static gibbs_status read_quoted(csv_reader *r)
{
    const char *p = r->at + 1, *stop = p;
    while (stop < r->end && (*stop != '"' || (stop + 1 < r->end && stop[1] == '"'))) stop += *stop == '"' ? 2 : 1;
    if (stop >= r->end)
        return CSV_FAIL(r, GIBBS_FORMAT, "column %lld opens a quote that is never closed", (long long)r->column);
    if (!field_room(r, stop - p)) return no_memory(r);
    char *out = r->field;
    for (; p < stop; p += *p == '"' ? 2 : 1) {
        r->line += *p == '\n';
        *out++ = *p;
    }
    *out = 0;
    r->length = out - r->field;
    r->at = stop + 1;
    return GIBBS_OK;
}

/* Up to the comma or line end; spaces around the field do not belong to it. */
static gibbs_status read_plain(csv_reader *r)
{
    const char *stop = r->at;
    for (; stop < r->end && *stop != ',' && *stop != '\n'; stop++)
        if (*stop == '"')
            return CSV_FAIL(r, GIBBS_FORMAT, "column %lld has a quote inside an unquoted field", (long long)r->column);
    if (stop < r->end && *stop == '\n' && stop > r->at && stop[-1] == '\r') stop--;
    const char *tail = stop;
    while (tail > r->at && is_blank(tail[-1])) tail--;
    r->length = tail - r->at;
    if (!field_room(r, r->length)) return no_memory(r);
    memcpy(r->field, r->at, (size_t)r->length);
    r->field[r->length] = 0;
    r->at = stop;
    return GIBBS_OK;
}

/* Past the comma or line end after a field. */
static gibbs_status read_separator(csv_reader *r)
{
    skip_blanks(r);
    int64_t left = r->end - r->at;
    int64_t line_end = left && *r->at == '\n' ? 1 : left > 1 && *r->at == '\r' && r->at[1] == '\n' ? 2 : 0;
    r->last = left == 0 || line_end;
    r->line += line_end > 0;
    if (!r->last && *r->at != ',')
        return CSV_FAIL(r, GIBBS_FORMAT, "column %lld has text after its closing quote%s", (long long)r->column,
                        separator_hint(r));
    r->at += r->last ? line_end : 1;
    return GIBBS_OK;
}

/* Reads the next field of the line, or the first of the next line when r->last. */
static gibbs_status csv_next(csv_reader *r)
{
    r->column = r->last ? 1 : r->column + 1;
    if (r->last) r->record = r->at;
    r->field_line = r->line;
    skip_blanks(r);
    r->quoted = r->at < r->end && *r->at == '"';
    gibbs_status status = r->quoted ? read_quoted(r) : read_plain(r);
    if (!status) status = read_separator(r);
    if (status) return status;
    if (r->last && r->column == 1 && !r->quoted && !r->length)
        return CSV_FAIL(r, GIBBS_FORMAT, "the line is blank, column %d is missing", 1);
    return GIBBS_OK;
}

/* The start of the current field for a message: one line, nothing but text. */
static const char *excerpt(const csv_reader *r, char shown[48])
{
    size_t length = r->length < 40 ? (size_t)r->length : 40;
    while (length && (int64_t)length < r->length && (r->field[length] & 0xC0) == 0x80) length--;
    memcpy(shown, r->field, length);
    for (size_t i = 0; i < length; i++)
        if ((unsigned char)shown[i] < ' ' || shown[i] == 127) shown[i] = '?';
    strcpy(shown + length, (int64_t)length < r->length ? "…" : "");
    return shown;
}

static gibbs_status store_number(csv_reader *r, ebm_data *data)
{
    char shown[48], label[EBM_LABEL_SIZE];
    double value;
    if (!ebm_parse_number(r->field, r->length, &value))
        return CSV_FAIL(r, GIBBS_FORMAT, "%s: '%s' is not a number%s",
                        ebm_column_label(label, data->names, r->column - 1), excerpt(r, shown), separator_hint(r));
    if (!isfinite(value))
        return gibbs_fail_row(r->error, GIBBS_DATA, data->rows, "%s:%lld: row %lld, %s: '%s' is not finite",
                              ebm_short_name(r->name), (long long)r->field_line, (long long)data->rows + 1,
                              ebm_column_label(label, data->names, r->column - 1), excerpt(r, shown));
    data->x[data->rows * data->cols + r->column - 1] = value;
    return GIBBS_OK;
}

static gibbs_status read_row(csv_reader *r, ebm_data *data)
{
    gibbs_status status = GIBBS_OK;
    int64_t fields = 0;
    do {
        status = csv_next(r);
        if (!status && ++fields <= data->cols) status = store_number(r, data);
    } while (!status && !r->last);
    if (status) return status;
    if (fields != data->cols)
        return CSV_FAIL(r, GIBBS_FORMAT, "the line has %lld field%s and the first has %lld: column %lld is %s%s",
                        (long long)fields, gibbs_plural(fields), (long long)data->cols,
                        (long long)(fields < data->cols ? fields : data->cols) + 1,
                        fields < data->cols ? "missing" : "too many", separator_hint(r));
    data->rows++;
    return GIBBS_OK;
}

/* Reads the first line as names; *header tells whether some of them is not a number. data->cols counts the names
 * that are there, so that ebm_data_free is right at every moment. */
static gibbs_status read_names(csv_reader *r, ebm_data *data, bool *header)
{
    int64_t capacity = 0;
    double ignored;
    *header = false;
    do {
        gibbs_status status = csv_next(r);
        if (status) return status;
        if (memchr(r->field, 0, (size_t)r->length))
            return CSV_FAIL(r, GIBBS_FORMAT, "the name of column %lld has a NUL byte in it", (long long)r->column);
        if (!gibbs_grow(r->allocator, &data->names, &capacity, data->cols, data->cols + 1, sizeof *data->names))
            return no_memory(r);
        data->names[data->cols] = gibbs_strdup(r->allocator, r->field);
        if (!data->names[data->cols]) return no_memory(r);
        data->cols++;
        *header |= !ebm_parse_number(r->field, r->length, &ignored);
    } while (!r->last);
    return GIBBS_OK;
}

/* A number and its separator are two bytes at least, and a row ends with a line: two bounds on the numbers to
 * come, so that their memory is asked for once and a hostile text cannot ask for more than four times itself. */
static int64_t number_bound(const csv_reader *r, int64_t cols)
{
    int64_t lines = 1, bytes = (r->end - r->at) / 2 + 1, bound;
    for (const char *p = r->at; (p = memchr(p, '\n', (size_t)(r->end - p))) != NULL; p++) lines++;
    return gibbs_mul_size(lines, cols, &bound) && bound < bytes ? bound : bytes;
}

static gibbs_status read_table(csv_reader *r, ebm_data *data)
{
    bool header;
    csv_reader first = *r;
    gibbs_status status = read_names(r, data, &header);
    if (status) return status;
    if (!header) {
        for (int64_t i = 0; i < data->cols; i++) gibbs_release(r->allocator, data->names[i]);
        gibbs_release(r->allocator, data->names);
        data->names = NULL;
        r->at = first.at;
        r->line = first.line;
    }
    data->x = gibbs_alloc(r->allocator, (size_t)number_bound(r, data->cols), sizeof *data->x);
    if (!data->x) return no_memory(r);
    while (!status && r->at < r->end) status = read_row(r, data);
    return status;
}

/* A byte order mark goes, and so do blank lines at the end: spaces before them mean nothing either. */
static csv_reader csv_open(const char *text, size_t length, const char *name, const gibbs_allocator *a,
                           gibbs_error *error)
{
    csv_reader r = {.name = name, .line = 1, .field_line = 1, .last = true, .allocator = a, .error = error};
    size_t mark = length >= 3 && memcmp(text, "\xEF\xBB\xBF", 3) == 0 ? 3 : 0;
    while (length > mark && (is_blank(text[length - 1]) || text[length - 1] == '\n' || text[length - 1] == '\r'))
        length--;
    r.at = r.first = r.record = text + mark;
    r.end = text + length;
    return r;
}

gibbs_status ebm_data_parse_csv(const char *text, size_t length, const char *name, const gibbs_allocator *allocator,
                                ebm_data *out, gibbs_error *error)
{
    GIBBS_REQUIRE("parse_csv", (text || !length) && name && out, error);
    *out = (ebm_data){.allocator = gibbs_allocator_or_default(allocator)};
    if (gibbs_allocator_check(allocator, error)) return GIBBS_ARGUMENT;
    csv_reader r = csv_open(length ? text : "", length, name, &out->allocator, error);
    ebm_locale locale;
    gibbs_status status = GIBBS_OK;
    if (!ebm_locale_enter(&locale)) {
        status = no_memory(&r);
    } else {
        if (r.at < r.end) status = read_table(&r, out);
        ebm_locale_leave(&locale);
    }
    gibbs_release(&out->allocator, r.field);
    if (!status && !out->rows)
        status = gibbs_fail(error, GIBBS_DATA, "'%s' has no rows of numbers", ebm_short_name(name));
    if (status) ebm_data_free(out);
    return status;
}

gibbs_status ebm_data_read_csv(const char *path, const gibbs_allocator *allocator, ebm_data *out, gibbs_error *error)
{
    GIBBS_REQUIRE("read_csv", path && out, error);
    gibbs_allocator a = gibbs_allocator_or_default(allocator);
    char *text;
    int64_t length;
    *out = (ebm_data){0};
    if (gibbs_allocator_check(allocator, error)) return GIBBS_ARGUMENT;
    gibbs_status status = ebm_read_file(path, &a, &text, &length, error);
    if (!status) status = ebm_data_parse_csv(text, (size_t)length, path, allocator, out, error);
    gibbs_release(&a, text);
    return status;
}
