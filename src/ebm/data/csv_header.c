/* csv_header.c — the first line of a CSV: names, or the first row. */
#include "csv.h"

#include <string.h>

/* What the fields of the first line say. Places count from 0; −1: there is none. */
typedef struct evidence {
    int64_t value; /* the first number or missing value, */
    int64_t word;  /* the first field that is no number though its column is one of numbers, */
    bool clear;    /* and whether some field does not even look like one */
} evidence;

static bool is_index_name(const char *name)
{
    return !name[0] || strcmp(name, "Unnamed: 0") == 0;
}

static bool lists(const char *const *texts, int64_t count, int64_t column, int64_t cols)
{
    for (int64_t k = 0; k < count; k++)
        if (texts[k] && ebm_column_of(texts[k], NULL, cols) == column) return true;
    return false;
}

/* Whether a column, so far without a name, is one of numbers. */
static bool holds_numbers(const ebm_read_options *o, int64_t column, int64_t cols)
{
    if (lists(o->labels, o->label_count, column, cols)) return false;
    return !o->columns || lists(o->columns, o->column_count, column, cols) ||
           (o->weight && lists(&o->weight, 1, column, cols));
}

static bool has_name(const char *const *texts, int64_t count)
{
    for (int64_t k = 0; k < count; k++)
        if (texts[k] && !ebm_column_is_number(texts[k])) return true;
    return false;
}

/* Columns that are given by name need a header. */
static bool needs_names(const ebm_read_options *o)
{
    return has_name(o->columns, o->column_count) || has_name(o->labels, o->label_count) ||
           (o->weight && has_name(&o->weight, 1));
}

static gibbs_status keep_name(csv_table *t)
{
    csv_reader *r = &t->r;
    int64_t n = t->names_count;
    if (memchr(r->field, 0, (size_t)r->length))
        return CSV_FAIL(r, GIBBS_FORMAT, "the name of column %lld has a NUL byte in it", (long long)r->column);
    if (!gibbs_grow(r->allocator, &t->names, &t->names_capacity, n, n + 1, sizeof *t->names))
        return ebm_csv_no_memory(r);
    t->names[n] = gibbs_strdup(r->allocator, r->field);
    if (!t->names[n]) return ebm_csv_no_memory(r);
    t->names_count++;
    return GIBBS_OK;
}

static void weigh_field(csv_table *t, int64_t column, int64_t width, evidence *e)
{
    double ignored;
    csv_kind kind = ebm_csv_kind(&t->r, &ignored);
    if (kind == CSV_MISSING && t->r.quoted && !t->r.length) kind = CSV_TEXT; /* "" is a name */
    if (column == 0 && width > 1 && is_index_name(t->r.field)) return;
    bool word = kind == CSV_ALMOST || kind == CSV_TEXT;
    if (!word && e->value < 0) e->value = column;
    if (word && e->word < 0 && holds_numbers(t->source->options, column, width)) e->word = column;
    e->clear |= kind == CSV_TEXT;
}

/* All fields of the line but an empty one at an open end. */
static gibbs_status read_line(csv_table *t, int64_t width, evidence *e)
{
    *e = (evidence){-1, -1, false};
    for (int64_t c = 0;; c++) {
        gibbs_status status = ebm_csv_next(&t->r);
        if (!status && c < width) status = keep_name(t);
        if (status) return status;
        if (c < width) weigh_field(t, c, width, e);
        if (t->r.last) return GIBBS_OK;
    }
}

static void rewind_line(csv_table *t, const csv_reader *first)
{
    t->r.at = first->at;
    t->r.line = first->line;
    t->r.last = true;
}

/* A line of words and values is neither: names both, from the line read again up to the word. */
static gibbs_status refuse_mixture(csv_table *t, const csv_reader *first, const evidence *e)
{
    char shown[CSV_SHOWN], value[64] = "";
    double ignored;
    const char *text = e->value < 0 ? "" : t->names[e->value];
    gibbs_status status = GIBBS_OK;
    rewind_line(t, first);
    for (int64_t c = 0; c <= e->word && !status; c++) status = ebm_csv_next(&t->r);
    if (status) return status;
    if (e->value >= 0 && text[0])
        snprintf(value, sizeof value, ", since column %lld is '%.30s'", (long long)e->value + 1, text);
    else if (e->value >= 0) snprintf(value, sizeof value, ", since column %lld is empty", (long long)e->value + 1);
    bool word = ebm_csv_kind(&t->r, &ignored) == CSV_TEXT;
    return CSV_FAIL(&t->r, GIBBS_FORMAT, "column %lld: '%s' is not a number, and the line is no header%s%s",
                    (long long)e->word + 1, ebm_csv_excerpt(&t->r, shown), value,
                    word ? ": say that it is one (header), or what the column is (columns, labels)"
                         : ebm_csv_hint(&t->r));
}

static void drop_names(csv_table *t)
{
    for (int64_t c = 0; c < t->names_count; c++) gibbs_release(t->r.allocator, t->names[c]);
    gibbs_release(t->r.allocator, t->names);
    t->names = NULL;
    t->names_count = t->names_capacity = 0;
}

/* The name "" in front of the others. */
static gibbs_status name_first(csv_table *t)
{
    t->r.field[0] = 0;
    t->r.length = 0;
    gibbs_status status = keep_name(t);
    if (status) return status;
    char *name = t->names[t->names_count - 1];
    memmove(t->names + 1, t->names, (size_t)(t->names_count - 1) * sizeof *t->names);
    t->names[0] = name;
    return GIBBS_OK;
}

/* Names from a comment above a first line of values, as numpy.savetxt writes them: as many as there are fields, and no
 * value among them. */
static gibbs_status name_by_comment(csv_table *t, bool *named)
{
    evidence e;
    csv_table other = *t;
    other.names = NULL;
    other.names_count = other.names_capacity = 0;
    other.r.at = strchr(t->comment, '#') + 1;
    other.r.last = true;
    other.r.error = NULL; /* a comment that cannot be read is none of the caller's errors */
    gibbs_status status = read_line(&other, t->fields, &e);
    *named = !status && other.r.column == t->fields && e.value < 0 && e.clear;
    t->r.field = other.r.field;
    t->r.capacity = other.r.capacity;
    drop_names(*named ? t : &other);
    if (!*named) return status == GIBBS_MEMORY ? ebm_csv_no_memory(&t->r) : GIBBS_OK;
    t->names = other.names;
    t->names_count = other.names_count;
    t->names_capacity = other.names_capacity;
    return GIBBS_OK;
}

/* Names in the first line that the rows know, and row names. */
static gibbs_status take_names(csv_table *t)
{
    t->source->report->header = 1;
    t->short_header = t->shape.rows - t->shape.rows_open == t->fields + 1;
    t->source->report->row_names = t->short_header || (t->fields > 1 && is_index_name(t->names[0]));
    t->fields += t->short_header;
    return t->short_header ? name_first(t) : GIBBS_OK;
}

/* t->fields: all but columns at the end that are empty in every line and have no name. */
static void measure(csv_table *t)
{
    const csv_shape *s = &t->shape;
    int64_t least = s->first - s->first_open, rows = s->rows - s->rows_open;
    if (s->rows < 0) rows = s->first - (s->rows_open < s->first_open ? s->rows_open : s->first_open);
    t->fields = rows > s->first ? s->first : rows > least ? rows : least;
    if (t->fields < 1) t->fields = 1;
    t->open_rows = s->rows_open > 0 && (s->rows < 0 || s->rows > t->fields);
    t->source->report->open_lines = t->fields < s->first || t->open_rows;
}

/* What pandas writes above columns without names: «,0,1», and above its index, which begins with 0. */
static bool is_pandas_header(const csv_table *t)
{
    const csv_reader *r = &t->r;
    char number[24];
    bool found = t->fields > 1 && is_index_name(t->names[0]) && r->end - r->at > 1 && r->at[0] == '0' &&
                 r->at[1] == r->separator;
    for (int64_t c = 1; found && c < t->fields; c++) {
        snprintf(number, sizeof number, "%lld", (long long)c - 1);
        found = !strcmp(t->names[c], number);
    }
    return found;
}

gibbs_status ebm_csv_header(csv_table *t)
{
    const csv_reader first = t->r;
    evidence e;
    bool by_comment = false;
    measure(t);
    gibbs_status status = read_line(t, t->fields, &e);
    if (status) return status;
    ebm_header header = t->source->options->header;
    if (!header && ((e.value < 0 && e.clear) || is_pandas_header(t))) header = EBM_HEADER_YES;
    if (!header && e.word < 0 && t->comment) status = name_by_comment(t, &by_comment);
    if (status) return status;
    if (!header && !by_comment && needs_names(t->source->options)) header = EBM_HEADER_YES;
    if (header == EBM_HEADER_YES) return take_names(t);
    if (!header && e.word >= 0) return refuse_mixture(t, &first, &e);
    if (!by_comment) drop_names(t);
    rewind_line(t, &first);
    t->source->report->header = by_comment;
    t->source->report->row_names = by_comment && t->fields > 1 && is_index_name(t->names[0]);
    return GIBBS_OK;
}
