/* select.c — which of a file's columns become what. */
#include "array.h"

#include <stdlib.h>
#include <string.h>

enum { NAMES_SHOWN = 120 };

bool ebm_column_is_number(const char *text)
{
    return text[0] && !text[strspn(text, "0123456789")];
}

int64_t ebm_column_of(const char *text, char *const *names, int64_t cols)
{
    for (int64_t c = 0; names && c < cols; c++)
        if (strcmp(names[c], text) == 0) return c;
    long long number = ebm_column_is_number(text) ? strtoll(text, NULL, 10) : 0;
    return number >= 1 && number <= cols ? number - 1 : -1;
}

/* «'x', 'y', …», or nothing where there are no names. */
static const char *list_names(char *const *names, int64_t cols, char shown[NAMES_SHOWN])
{
    size_t used = 0;
    shown[0] = 0;
    for (int64_t c = 0; names && c < cols && used < NAMES_SHOWN - 40; c++)
        used += (size_t)snprintf(shown + used, NAMES_SHOWN - used, "%s'%.20s'", c ? ", " : ": ", names[c]);
    return shown;
}

static gibbs_status refuse(const ebm_bytes *f, const char *option, const char *text, const char *what)
{
    return gibbs_fail(f->error, GIBBS_ARGUMENT, "%s: %s: '%.60s' %s", ebm_short_name(f->name), option, text, what);
}

static gibbs_status look_up(const ebm_bytes *f, const char *option, const char *text, char *const *names, int64_t cols,
                            int64_t *column)
{
    char what[NAMES_SHOWN + 60], shown[NAMES_SHOWN];
    if (!text) return gibbs_fail(f->error, GIBBS_ARGUMENT, "read: %s has a NULL", option);
    *column = ebm_column_of(text, names, cols);
    if (*column >= 0) return GIBBS_OK;
    snprintf(what, sizeof what, "is none of the %lld column%s%s", (long long)cols, gibbs_plural(cols),
             list_names(names, cols, shown));
    return refuse(f, option, text, what);
}

static gibbs_status choose(const ebm_bytes *f, const ebm_read_options *o, char *const *names, int64_t cols,
                           ebm_selection *s)
{
    int64_t c;
    for (int64_t k = 0; k < o->column_count; k++) {
        gibbs_status status = look_up(f, "columns", o->columns[k], names, cols, &c);
        if (status) return status;
        if (s->place[c] >= 0) return refuse(f, "columns", o->columns[k], "is there twice");
        if (c == s->weight) return refuse(f, "columns", o->columns[k], "is the weights");
        s->place[c] = s->count++;
    }
    return GIBBS_OK;
}

static gibbs_status mark_labels(const ebm_bytes *f, const ebm_read_options *o, char *const *names, int64_t cols,
                                ebm_selection *s)
{
    int64_t c;
    for (int64_t k = 0; k < o->label_count; k++) {
        gibbs_status status = look_up(f, "labels", o->labels[k], names, cols, &c);
        if (status) return status;
        if (s->place[c] < 0) return refuse(f, "labels", o->labels[k], "is no column of the table");
        s->is_labels[c] = true;
    }
    return GIBBS_OK;
}

gibbs_status ebm_select(const ebm_bytes *f, const ebm_source *source, char *const *names, int64_t cols, int64_t first,
                        ebm_selection *s)
{
    const ebm_read_options *o = source->options;
    *s = (ebm_selection){.weight = -1};
    s->place = gibbs_alloc(source->allocator, (size_t)cols, sizeof *s->place);
    s->is_labels = gibbs_alloc_zero(source->allocator, (size_t)cols, sizeof *s->is_labels);
    if (!s->place || !s->is_labels)
        return gibbs_fail(f->error, GIBBS_MEMORY, "no memory for the columns of '%s'", ebm_short_name(f->name));
    for (int64_t c = 0; c < cols; c++) s->place[c] = -1;
    gibbs_status status = o->weight ? look_up(f, "weight", o->weight, names, cols, &s->weight) : GIBBS_OK;
    if (!status && o->columns) status = choose(f, o, names, cols, s);
    for (int64_t c = first; !o->columns && c < cols; c++)
        if (c != s->weight) s->place[c] = s->count++;
    if (!status) status = mark_labels(f, o, names, cols, s);
    if (!status && !s->count)
        status = gibbs_fail(f->error, o->columns ? GIBBS_ARGUMENT : GIBBS_DATA, "%s: no column is left for the table",
                            ebm_short_name(f->name));
    return status;
}

void ebm_selection_free(const gibbs_allocator *a, ebm_selection *s)
{
    gibbs_release(a, s->place);
    gibbs_release(a, s->is_labels);
    *s = (ebm_selection){0};
}
