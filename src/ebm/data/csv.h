/* csv.h — what the files that read CSV share: a reader that takes one field after the other, and what a field is. */
#ifndef EBM_CSV_H
#define EBM_CSV_H

#include "array.h"
#include "labels.h"

/* Invariant: text before `at` is read; `line` is the number of the line that `at` stands in. */
typedef struct csv_reader {
    const char *at, *end, *name;
    int64_t line, comments;
    int64_t column, field_line; /* of the current field, both from 1 */
    bool last;                  /* the current field ends its line */
    bool quoted;
    char separator, decimal, comment; /* comment 0: there are none */
    char *field; /* the current field: unquoted, NUL ended, in memory that is used again for the next */
    int64_t length, capacity;
    const gibbs_allocator *allocator;
    gibbs_error *error;
} csv_reader;

#define CSV_FAIL(r, status, format, ...)                                                                          \
    gibbs_fail((r)->error, status, "%s:%lld: " format, ebm_short_name((r)->name), (long long)(r)->field_line,    \
               __VA_ARGS__)

gibbs_status ebm_csv_no_memory(const csv_reader *r);

/* Whether another line follows, past lines of comments. */
bool ebm_csv_more(csv_reader *r);

/* Past lines before the table that begin with #, though no comments were told. Returns the last of them, or NULL. */
const char *ebm_csv_comments(csv_reader *r);

/* Reads the next field of the line, or the first of the next line when r->last. */
gibbs_status ebm_csv_next(csv_reader *r);

/* The current field is empty, and not by quotes. */
static inline bool ebm_csv_empty(const csv_reader *r)
{
    return !r->length && !r->quoted;
}

/* What the current field is. Of a number *value is set; a text that begins as a number does, or is a number in another
 * notation, is ALMOST one. */
typedef enum csv_kind { CSV_NUMBER, CSV_MISSING, CSV_ALMOST, CSV_TEXT } csv_kind;
csv_kind ebm_csv_kind(csv_reader *r, double *value);

/* Whether the text begins as the errors of spreadsheets do that stand for missing values: #N/A, #DIV/0! … */
bool ebm_csv_missing_error(const char *text, const char *end);

/* Whether it stands for a label that is not known. */
bool ebm_csv_missing_label(const csv_reader *r);

/* Whether a quoted name is CSV_TEXT, which makes a header. Needs the C locale. */
bool ebm_csv_is_word(const char *text);

/* What to add to «… is not a number», or "". */
const char *ebm_csv_hint(csv_reader *r);

/* The start of the current field for a message. */
enum { CSV_SHOWN = 48 };
const char *ebm_csv_excerpt(const csv_reader *r, char shown[CSV_SHOWN]);

/* Fields of the first line and of the others (−1: they differ), and how many of them are empty at the end of the first,
 * and of all others. Of the first hundred lines. */
typedef struct csv_shape {
    int64_t first, rows, lines, first_open, rows_open;
} csv_shape;

/* Finds r->separator, if that is 0, and the shape of what follows. */
gibbs_status ebm_csv_shape(csv_reader *r, csv_shape *shape);

/* The table that is being made. out->rows counts the rows that are whole. */
typedef struct csv_table {
    csv_reader r;
    const ebm_bytes *file;
    const ebm_source *source;
    ebm_data *out;
    csv_shape shape;
    const char *comment; /* the last line before the table that begins with #, or NULL */
    char **names; /* of the file's columns, or NULL */
    int64_t names_count, names_capacity, fields;
    bool short_header; /* its first column has no name because the header is one field shorter */
    bool open_rows;    /* lines end with a separator, behind which nothing is */
    ebm_selection selection;
    ebm_label_set *labels; /* one a column of the table */
    double *weight;
    char missing[EBM_READ_TEXT / 2]; /* where the first missing value is */
    int64_t missing_row;
} csv_table;

/* Reads the first line: t->fields, and t->names when it is a header; else the reader is at its beginning again. */
gibbs_status ebm_csv_header(csv_table *t);

/* Fills the report's sentence in. */
void ebm_csv_tell(const csv_table *t);

/* The table of a whole text. */
gibbs_status ebm_csv_table(const ebm_bytes *f, const ebm_source *source, ebm_data *out);

#endif
