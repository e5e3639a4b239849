/* csv_read.c — the text of a CSV to a table, row after row. */
#include "csv.h"

#include <math.h>
#include <string.h>

static const char *label_of(const csv_table *t, int64_t column, char label[EBM_LABEL_SIZE])
{
    return ebm_column_label(label, t->names, column);
}

/* ---- Fields ---- */

/* The row in hand among those of the file, from 0. */
static int64_t row_of(const csv_table *t)
{
    return t->out->rows + t->source->report->dropped;
}

static gibbs_status not_whole(csv_table *t, int64_t fields)
{
    int64_t wanted = t->fields - t->short_header;
    if (t->short_header && fields != t->fields) wanted = t->fields;
    return CSV_FAIL(&t->r, GIBBS_FORMAT, "the line has %lld field%s and the %s has %lld: column %lld is %s",
                    (long long)fields, gibbs_plural(fields),
                    wanted == t->fields && t->short_header ? "second" : "first", (long long)wanted,
                    (long long)(fields < wanted ? fields : wanted) + 1, fields < wanted ? "missing" : "too many");
}

static void note_missing(csv_table *t, int64_t column, bool *whole)
{
    char shown[CSV_SHOWN], label[EBM_LABEL_SIZE];
    ebm_read_report *report = t->source->report;
    *whole = false;
    if (report->missing++) return;
    t->missing_row = row_of(t);
    snprintf(t->missing, sizeof t->missing, "%s:%lld: row %lld, %s: '%s'", ebm_short_name(t->r.name),
             (long long)t->r.field_line, (long long)t->missing_row + 1, label_of(t, column, label),
             ebm_csv_excerpt(&t->r, shown));
}

static gibbs_status read_label(csv_table *t, int64_t column, bool *whole, double *value)
{
    char shown[CSV_SHOWN], label[EBM_LABEL_SIZE];
    csv_reader *r = &t->r;
    if (ebm_csv_missing_label(r)) return note_missing(t, column, whole), GIBBS_OK;
    ebm_label_set *set = &t->labels[t->selection.place[column]];
    int64_t number = memchr(r->field, 0, (size_t)r->length) ? -1 : ebm_label_number(set, r->allocator, r->field);
    if (number == -2) return ebm_csv_no_memory(r);
    *value = (double)number;
    if (number >= 0) return GIBBS_OK;
    return gibbs_fail_row(r->error, GIBBS_DATA, row_of(t), "%s:%lld: row %lld, %s: '%s' %s", ebm_short_name(r->name),
                          (long long)r->field_line, (long long)row_of(t) + 1, label_of(t, column, label),
                          ebm_csv_excerpt(r, shown),
                          set->known                     ? "is none of the labels of the other table"
                          : set->count < EBM_LABELS_MOST ? "has a NUL byte in it"
                                                         : "is one label too many, after 65536");
}

static gibbs_status read_number(csv_table *t, int64_t column, bool *whole, double *value)
{
    char shown[CSV_SHOWN], label[EBM_LABEL_SIZE];
    csv_reader *r = &t->r;
    csv_kind kind = ebm_csv_kind(r, value);
    if (kind == CSV_MISSING) return note_missing(t, column, whole), GIBBS_OK;
    if (kind != CSV_NUMBER)
        return CSV_FAIL(r, GIBBS_FORMAT, "%s: '%s' is not a number%s", label_of(t, column, label),
                        ebm_csv_excerpt(r, shown), ebm_csv_hint(r));
    if (isfinite(*value)) return GIBBS_OK;
    return gibbs_fail_row(r->error, GIBBS_DATA, row_of(t), "%s:%lld: row %lld, %s: '%s' is not finite",
                          ebm_short_name(r->name), (long long)r->field_line, (long long)row_of(t) + 1,
                          label_of(t, column, label), ebm_csv_excerpt(r, shown));
}

/* Row names are text, or whole numbers: where nothing but a short header speaks of them, they must be. */
static bool is_row_name(csv_table *t)
{
    double value;
    return t->r.quoted || ebm_csv_kind(&t->r, &value) != CSV_NUMBER || value == floor(value);
}

static gibbs_status store_field(csv_table *t, int64_t column, bool *whole)
{
    int64_t place = t->selection.place[column];
    bool weight = column == t->selection.weight;
    double value = 0;
    if (column == 0 && t->short_header && !is_row_name(t)) return not_whole(t, t->fields);
    if (place < 0 && !weight) return GIBBS_OK;
    gibbs_status status =
        t->selection.is_labels[column] ? read_label(t, column, whole, &value) : read_number(t, column, whole, &value);
    if (t->source->report->missing && t->source->options->missing == EBM_MISSING_REFUSE) return status;
    if (weight) t->weight[t->out->rows] = value;
    else t->out->x[t->out->rows * t->out->cols + place] = value;
    return status;
}

/* ---- Rows ---- */

static gibbs_status read_row(csv_table *t)
{
    gibbs_status status = GIBBS_OK;
    int64_t fields = 0, open = 0; /* of the fields, those too many that are empty, as all lines have them */
    bool whole = true;
    do {
        status = ebm_csv_next(&t->r);
        if (!status && fields++ < t->fields) status = store_field(t, fields - 1, &whole);
        else open += t->open_rows && ebm_csv_empty(&t->r);
    } while (!status && !t->r.last);
    if (status) return status;
    if (fields - open != t->fields) return not_whole(t, fields);
    if (whole || t->source->options->missing == EBM_MISSING_REFUSE) t->out->rows++;
    else t->source->report->dropped++;
    return GIBBS_OK;
}

/* Lines to come, at most. */
static int64_t row_bound(const csv_reader *r)
{
    int64_t rows = 1;
    for (const char *p = r->at; (p = memchr(p, '\n', (size_t)(r->end - p))) != NULL; p++) rows++;
    for (const char *p = r->at; (p = memchr(p, '\r', (size_t)(r->end - p))) != NULL; p++)
        rows += p + 1 < r->end && p[1] != '\n';
    return rows;
}

/* A number and its separator are two bytes at least, and only of the row in hand can there be empty ones: memory is
 * asked for once, and a hostile text cannot ask for more than some times itself. */
static gibbs_status make_room(csv_table *t)
{
    const gibbs_allocator *a = t->r.allocator;
    int64_t rows = row_bound(&t->r), bytes = (t->r.end - t->r.at) / 2 + 1 + t->selection.count, bound;
    if (!gibbs_mul_size(rows, t->selection.count, &bound) || bound > bytes) bound = bytes;
    t->out->x = gibbs_alloc(a, (size_t)bound, sizeof *t->out->x);
    t->labels = gibbs_alloc_zero(a, (size_t)t->selection.count, sizeof *t->labels);
    if (!t->out->x || !t->labels) return ebm_csv_no_memory(&t->r);
    t->out->cols = t->selection.count;
    if (t->selection.weight < 0) return GIBBS_OK;
    t->weight = gibbs_alloc(a, (size_t)(rows < bytes ? rows : bytes), sizeof *t->weight);
    return t->weight ? GIBBS_OK : ebm_csv_no_memory(&t->r);
}

/* The labels of the other table, for columns of the same name, or place where one of the two has no names. */
static gibbs_status find_known(csv_table *t)
{
    const ebm_data *like = t->source->options->like;
    char label[EBM_LABEL_SIZE];
    for (int64_t c = 0; like && c < t->fields; c++) {
        int64_t place = t->selection.place[c];
        if (!t->selection.is_labels[c]) continue;
        int64_t from = t->names && like->names ? ebm_column_of(t->names[c], like->names, like->cols) : place;
        if (from < 0 || from >= like->cols || !like->labels || !like->labels[from].count)
            return gibbs_fail(t->r.error, GIBBS_ARGUMENT, "%s: like: the other table has no labels of %s",
                              ebm_short_name(t->r.name), label_of(t, c, label));
        t->labels[place].known = &like->labels[from];
    }
    return GIBBS_OK;
}

/* ---- The table ---- */

static gibbs_status check_rows(const csv_table *t)
{
    const ebm_read_report *report = t->source->report;
    const char *name = ebm_short_name(t->r.name);
    if (report->missing && t->source->options->missing == EBM_MISSING_REFUSE) {
        char count[48] = "";
        if (report->missing > 1) snprintf(count, sizeof count, ", the first of %lld", (long long)report->missing);
        return gibbs_fail_row(t->r.error, GIBBS_DATA, t->missing_row,
                              "%s is a missing value%s: fill it in, or have such rows dropped (missing)", t->missing,
                              count);
    }
    if (t->out->rows) return GIBBS_OK;
    if (!report->dropped) return gibbs_fail(t->r.error, GIBBS_DATA, "'%s' has no rows of numbers", name);
    return gibbs_fail(t->r.error, GIBBS_DATA, "%s: no row is left: all %lld have missing values", name,
                      (long long)report->dropped);
}

static gibbs_status finish(csv_table *t)
{
    ebm_data *out = t->out;
    gibbs_error found;
    gibbs_status status = check_rows(t);
    if (status) return status;
    if (t->names) out->names = gibbs_alloc_zero(&out->allocator, (size_t)out->cols, sizeof *out->names);
    if (t->names && !out->names) return ebm_csv_no_memory(&t->r);
    for (int64_t c = 0; c < t->fields; c++) {
        int64_t place = t->selection.place[c];
        if (place < 0) continue;
        if (t->selection.is_labels[c] && !ebm_labels_settle(&t->labels[place], out, place))
            return ebm_csv_no_memory(&t->r);
        if (!t->names) continue;
        out->names[place] = t->names[c];
        t->names[c] = NULL;
    }
    out->weight = t->weight;
    out->weight_kind = t->weight ? t->source->options->weight_kind : EBM_WEIGHT_COUNTS;
    t->weight = NULL;
    status = out->weight ? ebm_data_check(out, &found) : GIBBS_OK;
    if (!status) return GIBBS_OK;
    return gibbs_fail_row(t->r.error, status, found.row, "%s: %.150s", ebm_short_name(t->r.name), found.message);
}

static gibbs_status read_table(csv_table *t)
{
    gibbs_status status = ebm_csv_shape(&t->r, &t->shape);
    if (!status) status = ebm_csv_header(t);
    if (!status)
        status = ebm_select(t->file, t->source, t->names, t->fields, t->source->report->row_names, &t->selection);
    if (!status) status = make_room(t);
    if (!status) status = find_known(t);
    while (!status && ebm_csv_more(&t->r)) status = read_row(t);
    if (!status) status = finish(t);
    if (!status) ebm_csv_tell(t);
    return status;
}

/* Byte order marks go, and so do blank lines at the end (and the ^Z of DOS): blanks before them mean nothing either. */
static csv_reader csv_open(const ebm_bytes *f, const ebm_source *source)
{
    const ebm_read_options *o = source->options;
    const char *text = (const char *)f->at;
    int64_t length = f->length, mark = 0;
    while (length - mark >= 3 && memcmp(text + mark, "\xEF\xBB\xBF", 3) == 0) mark += 3;
    while (length > mark && strchr(" \t\r\n\x1A", text[length - 1]) && text[length - 1]) length--;
    return (csv_reader){.at = text + mark,
                        .end = text + length,
                        .name = f->name,
                        .line = 1,
                        .field_line = 1,
                        .last = true,
                        .separator = o->separator,
                        .decimal = o->decimal ? o->decimal : '.',
                        .comment = o->comment,
                        .allocator = source->allocator,
                        .error = f->error};
}

/* The first line by which spreadsheets tell the separator: «sep=;». */
static void take_separator_line(csv_reader *r)
{
    enum { LENGTH = 5 };
    int64_t left = r->end - r->at - LENGTH;
    if (r->separator || left < 1 || strncmp(r->at, "sep=", LENGTH - 1)) return;
    int line_end = r->at[LENGTH] == '\n' || r->at[LENGTH] == '\r' ? 1 : 0;
    if (line_end && left > 1 && r->at[LENGTH] == '\r' && r->at[LENGTH + 1] == '\n') line_end = 2;
    if (!line_end || r->at[LENGTH - 1] == r->decimal || !strchr(",;:|\t ", r->at[LENGTH - 1])) return;
    r->separator = r->at[LENGTH - 1];
    r->at += LENGTH + line_end;
    r->line++;
}

static void close_table(csv_table *t)
{
    const gibbs_allocator *a = t->r.allocator;
    for (int64_t c = 0; c < t->names_count; c++) gibbs_release(a, t->names[c]);
    for (int64_t k = 0; t->labels && k < t->selection.count; k++) ebm_label_set_free(a, &t->labels[k]);
    gibbs_release(a, t->names);
    gibbs_release(a, t->labels);
    gibbs_release(a, t->weight);
    gibbs_release(a, t->r.field);
    ebm_selection_free(a, &t->selection);
}

gibbs_status ebm_csv_table(const ebm_bytes *f, const ebm_source *source, ebm_data *out)
{
    csv_table t = {.r = csv_open(f, source), .file = f, .source = source, .out = out, .selection.weight = -1};
    ebm_locale locale;
    gibbs_status status = GIBBS_OK;
    *out = (ebm_data){.allocator = *source->allocator};
    if (!ebm_locale_enter(&locale)) return ebm_csv_no_memory(&t.r);
    take_separator_line(&t.r);
    t.comment = ebm_csv_comments(&t.r);
    if (ebm_csv_more(&t.r)) status = read_table(&t);
    else status = gibbs_fail(f->error, GIBBS_DATA, "'%s' has no rows of numbers", ebm_short_name(f->name));
    ebm_locale_leave(&locale);
    close_table(&t);
    if (status) ebm_data_free(out);
    return status;
}
