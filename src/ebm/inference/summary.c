/* summary.c — what is known of a fit, as text for people, CSV for tables and JSON for programs: one list of figures,
 * and a way to write each for every format. */
#include "base/options.h"
#include "ebm/data/data_private.h"
#include "ebm/diagnostic/normal.h"
#include "ebm/model/program.h"

#include <gibbs/audit.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const gibbs_option numbers[] = {
    GIBBS_OPTION(ebm_summary_options, format, EBM_SUMMARY_TEXT, '[', 0, EBM_SUMMARY_JSON, ']'),
    GIBBS_OPTION(ebm_summary_options, level, 0.95, '(', 0, 1, ')'),
};

typedef struct page {
    gibbs_allocator alloc;
    ebm_summary_format format;
    char *text;
    int64_t used, room;
    bool full; /* memory is out */
} page;

/* ---- Writing ---- */

static void __attribute__((format(printf, 2, 3))) say(page *p, const char *format, ...)
{
    va_list list, again;
    va_start(list, format);
    va_copy(again, list);
    int length = vsnprintf(NULL, 0, format, list);
    p->full |= length < 0 || !gibbs_grow(&p->alloc, &p->text, &p->room, p->used, p->used + length + 1, 1);
    if (!p->full) p->used += vsnprintf(p->text + p->used, (size_t)length + 1, format, again);
    va_end(list);
    va_end(again);
}

/* In JSON, and in CSV where it has to be, in quotes. */
static void say_name(page *p, const char *name)
{
    bool json = p->format == EBM_SUMMARY_JSON;
    if (!json && !strpbrk(name, ",\"\r\n")) {
        say(p, "%s", name);
        return;
    }
    say(p, "\"");
    for (const char *c = name; *c; c++)
        if (json && (unsigned char)*c < 32) say(p, "\\u%04x", (unsigned)*c);
        else if (*c == '"' || (json && *c == '\\')) say(p, json ? "\\%c" : "\"%c", *c);
        else say(p, "%c", *c);
    say(p, "\"");
}

static void say_number(page *p, double v)
{
    if (p->format == EBM_SUMMARY_TEXT) say(p, " %12.5g", v);
    else if (isfinite(v)) say(p, "%.17g", v);
    else if (p->format == EBM_SUMMARY_JSON) say(p, "null");
}

/* ---- Parameters ---- */

enum { ESTIMATE, ERROR, LOW, HIGH, NOISE, COLUMNS };
static const char *const columns[] = {"estimate", "standard_error", "low", "high", "noise_error"};

static void find_row(const ebm_model *m, const ebm_summary_options *o, int64_t i, double *v)
{
    const ebm_uncertainty *u = o->uncertainty;
    bool known = u && i < u->size;
    double z = -ebm_normal_quantile((1 - o->level) / 2);
    v[ESTIMATE] = ebm_number(m->dtype, m->theta, i);
    if (i == m->size) v[ESTIMATE] = o->report ? o->report->log_z : NAN;
    v[ERROR] = known ? u->standard_error[i] : NAN;
    v[NOISE] = known ? u->noise_error[i] : NAN;
    v[LOW] = v[ESTIMATE] - z * v[ERROR];
    v[HIGH] = v[ESTIMATE] + z * v[ERROR];
}

/* «W[3]», and after the last one log Z. */
static void name_row(const ebm_model *m, int64_t i, char *name, size_t size)
{
    int k = 0;
    while (k + 1 < m->parameters && m->parameter[k + 1].offset <= i) k++;
    if (i == m->size) snprintf(name, size, "log_z");
    else if (m->parameter[k].count == 1) snprintf(name, size, "%s", m->parameter[k].name);
    else snprintf(name, size, "%s[%lld]", m->parameter[k].name, (long long)(i - m->parameter[k].offset));
}

static void say_row(page *p, const char *name, const double *v, bool first)
{
    if (p->format == EBM_SUMMARY_TEXT) say(p, "%-24s", name);
    else if (p->format == EBM_SUMMARY_CSV) say_name(p, name);
    else say(p, "%s{\"name\":", first ? "" : ","), say_name(p, name);
    for (int c = 0; c < COLUMNS; c++) {
        if (p->format == EBM_SUMMARY_CSV) say(p, ",");
        if (p->format == EBM_SUMMARY_JSON) say(p, ",\"%s\":", columns[c]);
        say_number(p, v[c]);
    }
    say(p, p->format == EBM_SUMMARY_JSON ? "}" : "\n");
}

static void say_parameters(page *p, const ebm_model *m, const ebm_summary_options *o)
{
    int64_t rows = m->size + (o->uncertainty && o->uncertainty->size > m->size);
    char name[256];
    if (p->format == EBM_SUMMARY_TEXT) {
        say(p, "%-24s %12s %12s %12s %12s %12s\n", "", "estimate", "std. error", "low", "high", "of it, noise");
    } else if (p->format == EBM_SUMMARY_CSV) say(p, "parameter,estimate,standard_error,low,high,noise_error\n");
    else say(p, "{\"level\":%.17g,\"parameters\":[", o->level);
    for (int64_t i = 0; i < rows; i++) {
        double v[COLUMNS];
        find_row(m, o, i, v);
        name_row(m, i, name, sizeof name);
        say_row(p, name, v, i == 0);
    }
    if (p->format == EBM_SUMMARY_JSON) say(p, "]");
}

/* ---- The fit ---- */

static void say_figure(page *p, const char *name, double v)
{
    if (p->format == EBM_SUMMARY_TEXT) {
        if (!isnan(v)) say(p, "%-24s %12.7g\n", name, v);
        return;
    }
    say(p, ",");
    say_name(p, name);
    say(p, ":");
    say_number(p, v);
}

static void say_word(page *p, const char *name, const char *word)
{
    if (p->format == EBM_SUMMARY_TEXT) {
        say(p, "%-24s %s\n", name, word);
        return;
    }
    say(p, ",");
    say_name(p, name);
    say(p, ":");
    say_name(p, word);
}

/* Of a loss whose value is −1/N times a log-likelihood. */
static void say_likelihood(page *p, const ebm_model *m, const ebm_summary_options *o)
{
    const ebm_loss *loss = o->fit ? o->fit->loss : NULL;
    bool is = loss == &ebm_loss_ml_is || loss == &ebm_loss_exact_ml || loss == &ebm_loss_conditional_ml;
    if (!is || !o->report || !o->data || m->prior) return;
    double rows = ebm_data_weight(o->data), value = -rows * o->report->loss;
    say_figure(p, "log-likelihood", value);
    say_figure(p, "AIC", 2 * (double)m->size - 2 * value);
    if (loss == &ebm_loss_ml_is) say_figure(p, "AIC, known to", 2 * rows * o->report->weights.standard_error);
}

static void say_fit(page *p, const ebm_model *m, const ebm_summary_options *o)
{
    static const char *const methods[] = {"unknown", "sandwich", "the model's variance", "bootstrap"};
    const ebm_fit_report *r = o->report;
    if (o->fit && o->fit->loss) say_word(p, "loss", o->fit->loss->name);
    if (o->uncertainty) say_word(p, "standard errors", methods[o->uncertainty->method]);
    if (o->data) say_figure(p, "rows", (double)o->data->rows);
    if (!r) return;
    say_figure(p, "value", r->loss);
    say_figure(p, "steps", (double)r->steps);
    say_word(p, "converged", r->converged ? "yes" : "no");
    say_figure(p, "newton", r->newton);
    say_figure(p, "log Z", r->log_z);
    say_figure(p, "log Z, known to", r->weights.standard_error);
    say_figure(p, "ESS", r->weights.ess);
    say_figure(p, "Pareto k", r->weights.k);
    say_likelihood(p, m, o);
    if (p->format == EBM_SUMMARY_JSON) say(p, ",\"notes\":[");
    for (int k = 0; k < r->note_count; k++) {
        if (p->format == EBM_SUMMARY_JSON) say(p, k ? "," : ""), say_name(p, r->note[k].text);
        else say(p, "note: %s\n", r->note[k].text);
    }
    if (p->format == EBM_SUMMARY_JSON) say(p, "]");
}

gibbs_status ebm_summary(const ebm_model *model, const ebm_summary_options *options, char **text, gibbs_error *error)
{
    GIBBS_REQUIRE("summary", model && text, error);
    *text = NULL;
    ebm_summary_options o = options ? *options : (ebm_summary_options){0};
    gibbs_status status = gibbs_options_fill("summary", numbers, GIBBS_COUNT(numbers), &o, error);
    if (status) return status;
    page p = {.alloc = model->alloc, .format = o.format};
    ebm_locale host;
    if (!ebm_locale_enter(&host)) return gibbs_fail(error, GIBBS_MEMORY, "summary: out of memory");
    say_parameters(&p, model, &o);
    if (o.format != EBM_SUMMARY_CSV) say_fit(&p, model, &o);
    if (o.format == EBM_SUMMARY_JSON) say(&p, "}\n");
    ebm_locale_leave(&host);
    if (!p.full) {
        *text = p.text;
        return GIBBS_OK;
    }
    gibbs_release(&p.alloc, p.text);
    return gibbs_fail(error, GIBBS_MEMORY, "summary: out of memory");
}

void ebm_summary_free(const ebm_model *model, char *text)
{
    if (model && text) gibbs_release(&model->alloc, text);
}
