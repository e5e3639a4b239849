/* csv_field.c — one field of a CSV after the other. */
#include "csv.h"

#include <string.h>

gibbs_status ebm_csv_no_memory(const csv_reader *r)
{
    return gibbs_fail(r->error, GIBBS_MEMORY, "no memory for the table in '%s'", ebm_short_name(r->name));
}

/* Blanks that mean nothing; where they separate fields, the first of them means one. */
static bool is_blank(const csv_reader *r, char c)
{
    return (c == ' ' || c == '\t') && (c != r->separator || c == ' ');
}

static void skip_blanks(csv_reader *r)
{
    while (r->at < r->end && is_blank(r, *r->at)) r->at++;
}

static bool separates(const csv_reader *r, char c)
{
    return c == r->separator || (r->separator == ' ' && c == '\t');
}

static bool at_comment(const csv_reader *r)
{
    return r->comment && r->at < r->end && *r->at == r->comment;
}

/* Bytes of the line's end at p: LF, CRLF, CR, or CRCRLF, which converting twice makes; 0 when it is none. */
static int line_end(const csv_reader *r, const char *p)
{
    if (p >= r->end || (*p != '\n' && *p != '\r')) return 0;
    if (*p == '\r' && r->end - p > 2 && p[1] == '\r' && p[2] == '\n') return 3;
    return *p == '\r' && p + 1 < r->end && p[1] == '\n' ? 2 : 1;
}

static void skip_comment(csv_reader *r)
{
    while (r->at < r->end && !line_end(r, r->at)) r->at++;
}

/* Past a line that is a comment, if it is one. */
static bool skip_comment_line(csv_reader *r)
{
    const char *start = r->at;
    skip_blanks(r);
    if (!at_comment(r)) {
        r->at = start;
        return false;
    }
    skip_comment(r);
    r->at += line_end(r, r->at);
    r->line++;
    r->comments++;
    return true;
}

bool ebm_csv_more(csv_reader *r)
{
    while (skip_comment_line(r)) continue;
    return r->at < r->end;
}

const char *ebm_csv_comments(csv_reader *r)
{
    const char *last = NULL;
    if (r->comment || r->separator == '#') return NULL;
    r->comment = '#';
    for (const char *start = r->at; !ebm_csv_missing_error(start, r->end) && skip_comment_line(r); start = r->at) {
        last = start;
        for (int blank; (blank = line_end(r, r->at)); r->line++) r->at += blank;
    }
    r->comment = 0;
    return last;
}

/* Room for a field of `length` bytes and its NUL, twice: numbers are spelt again behind it. */
static bool field_room(csv_reader *r, int64_t length)
{
    return gibbs_grow(r->allocator, &r->field, &r->capacity, 0, 2 * (length + 1), 1);
}

/* At a quote. Two quotes inside stand for one; line ends inside belong to the field. */
static gibbs_status read_quoted(csv_reader *r)
{
    const char *p = r->at + 1, *stop = p;
    while (stop < r->end && (*stop != '"' || (stop + 1 < r->end && stop[1] == '"'))) stop += *stop == '"' ? 2 : 1;
    if (stop >= r->end)
        return CSV_FAIL(r, GIBBS_FORMAT, "column %lld opens a quote that is never closed", (long long)r->column);
    if (!field_room(r, stop - p)) return ebm_csv_no_memory(r);
    char *out = r->field;
    for (; p < stop; p += *p == '"' ? 2 : 1) {
        r->line += line_end(r, p) == 1 || *p == '\n';
        *out++ = *p;
    }
    *out = 0;
    r->length = out - r->field;
    r->at = stop + 1;
    return GIBBS_OK;
}

/* Up to the separator or line end; blanks around the field, of Unicode too, do not belong to it. */
static gibbs_status read_plain(csv_reader *r)
{
    const char *stop = r->at, *start;
    for (; stop < r->end && !separates(r, *stop) && !line_end(r, stop) && !(r->comment && *stop == r->comment); stop++)
        if (*stop == '"')
            return CSV_FAIL(r, GIBBS_FORMAT, "column %lld has a quote inside an unquoted field", (long long)r->column);
    start = ebm_trim_blanks(r->at, stop, &r->length);
    if (!field_room(r, r->length)) return ebm_csv_no_memory(r);
    memcpy(r->field, start, (size_t)r->length);
    r->field[r->length] = 0;
    r->at = stop;
    return GIBBS_OK;
}

/* Past the separator or line end after a field. */
static gibbs_status read_separator(csv_reader *r)
{
    const char *behind = r->at;
    skip_blanks(r);
    if (at_comment(r)) skip_comment(r);
    int ended = line_end(r, r->at);
    r->last = r->at == r->end || ended;
    r->line += ended > 0;
    bool separated = r->last || (r->separator == ' ' ? r->at > behind : *r->at == r->separator);
    if (!separated)
        return CSV_FAIL(r, GIBBS_FORMAT, "column %lld has text after its closing quote", (long long)r->column);
    r->at += r->last ? ended : r->separator != ' ';
    return GIBBS_OK;
}

gibbs_status ebm_csv_next(csv_reader *r)
{
    r->column = r->last ? 1 : r->column + 1;
    r->field_line = r->line;
    skip_blanks(r);
    r->quoted = r->at < r->end && *r->at == '"';
    gibbs_status status = r->quoted ? read_quoted(r) : read_plain(r);
    if (!status) status = read_separator(r);
    if (status) return status;
    if (r->last && r->column == 1 && ebm_csv_empty(r))
        return CSV_FAIL(r, GIBBS_FORMAT, "the line is blank, column %d is missing", 1);
    return GIBBS_OK;
}
