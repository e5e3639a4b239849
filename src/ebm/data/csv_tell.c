/* csv_tell.c — what was found in a CSV, as a sentence. */
#include "csv.h"

#include <stdarg.h>

static void add(ebm_read_report *report, size_t *used, const char *format, ...)
{
    va_list args;
    if (*used >= sizeof report->text) return;
    va_start(args, format);
    *used += (size_t)vsnprintf(report->text + *used, sizeof report->text - *used, format, args);
    va_end(args);
}

static void add_labels(const ebm_data *data, ebm_read_report *report, size_t *used)
{
    char name[EBM_LABEL_SIZE];
    for (int64_t c = 0; data->labels && c < data->cols; c++) {
        const ebm_labels *labels = &data->labels[c];
        if (labels->count) add(report, used, "; labels of %s:", ebm_column_label(name, data->names, c));
        for (int64_t k = 0; k < labels->count; k++)
            add(report, used, "%s %lld is %.40s", k ? "," : "", (long long)k, labels->text[k]);
    }
}

void ebm_csv_tell(const csv_table *t)
{
    ebm_read_report *report = t->source->report;
    size_t used = 0;
    report->separator = t->r.separator;
    report->comments = t->r.comments;
    if (t->r.separator == '\t') add(report, &used, "CSV separated by tabs");
    else if (t->r.separator == ' ') add(report, &used, "CSV separated by blanks");
    else add(report, &used, "CSV separated by '%c'", t->r.separator);
    add(report, &used, report->header ? ", with a header" : ", without a header");
    if (report->row_names) add(report, &used, "; row names left out");
    if (report->open_lines) add(report, &used, "; an empty last column left out");
    if (report->comments)
        add(report, &used, "; %lld line%s of comments left out", (long long)report->comments,
            gibbs_plural(report->comments));
    if (report->dropped)
        add(report, &used, "; %lld of %lld rows dropped, for %lld missing value%s", (long long)report->dropped,
            (long long)(report->dropped + t->out->rows), (long long)report->missing, gibbs_plural(report->missing));
    add_labels(t->out, report, &used);
    gibbs_safe_text(report->text);
}
