/* training.c — what a training is of, as texts: a file of one is for the same model, data and options, and where it is
 * not the first text that differs says why. What has no name (a function of the user's own) is not told apart here;
 * state.c compares an energy. */
#include "state.h"

#include "autodiff/tape/tape.h"
#include "ebm/data/data_private.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NOTE "note." /* the keys of notes */

static uint64_t mix(uint64_t hash, uint64_t word)
{
    hash = (hash ^ word) * UINT64_C(0x100000001b3); /* FNV-1a (Fowler, Noll & Vo), a word at a time */
    return hash ^ hash >> 32;
}

uint64_t ebm_hash(uint64_t before, const void *bytes, size_t size)
{
    uint64_t hash = before ? before : UINT64_C(0xcbf29ce484222325), word = 0;
    for (const char *at = bytes; size; at += sizeof word) {
        size_t part = size < sizeof word ? size : sizeof word;
        memcpy(&word, at, part);
        hash = mix(hash, word);
        size -= part;
    }
    return hash;
}

/* ---- Texts ---- */

typedef struct list {
    const ebm_trainer *trainer;
    ebm_description *out;
    bool no_memory;
} list;

/* One text, under the key `group`, or `group.name`. */
__attribute__((format(printf, 4, 5)))
static void add(list *l, const char *group, const char *name, const char *format, ...)
{
    char key[2 * EBM_KEY_SIZE], text[256];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    snprintf(key, sizeof key, "%s%s%s", group, *name ? "." : "", name);
    if (!l->no_memory) l->no_memory = !ebm_description_add(l->out, key, text);
}

static const char *named(const char *name) { return name ? name : "(without a name)"; }

static void add_numbers(list *l, const char *group, const gibbs_option_table *table, const void *options)
{
    for (const gibbs_option *o = table->option; o < table->option + table->count; o++)
        if (strcmp(o->name, "threads")) add(l, group, o->name, "%.17g", gibbs_option_value(o, options));
}

/* ---- The model ---- */

static void add_model(list *l)
{
    const ebm_model *m = l->trainer->model;
    ebm_description is;
    char shape[AD_SHAPE_TEXT];
    if (ebm_describe(m, &is, NULL)) l->no_memory = true;
    for (int k = 0; k < is.count && !l->no_memory; k++) add(l, "model", is.item[k].key, "%.255s", is.item[k].value);
    ebm_description_free(&is);
    add(l, "model", "dtype", "%s", ebm_dtype_names[m->dtype]);
    add(l, "model", "columns", "%lld", (long long)m->dim);
    add(l, "model", "given columns", "%lld", (long long)m->given);
    add(l, "model", "parameters", "%d", m->parameters);
    for (int k = 0; k < m->parameters; k++)
        add(l, "parameter", m->parameter[k].name, "%s",
            ad_shape_text(&m->parameter[k].shape, shape, sizeof shape));
    add(l, "model", "prior", "%s", m->prior ? "one" : "none");
}

/* ---- The loss ---- */

/* What a proposal draws, where it can be drawn from by itself. */
static uint64_t hash_draws(list *l, const ebm_proposal *q)
{
    enum { DRAWS = 8 };
    ebm_draw *draw;
    uint64_t hash = 0;
    gibbs_dtype dtype = l->trainer->model->dtype;
    if (q->depends_on_theta || q->given) return 0;
    gibbs_status status = ebm_draw_new(q, dtype, &l->trainer->model->alloc, &draw, NULL);
    if (!status) {
        status = ebm_draw_run(draw, DRAWS, 0, 0, NULL);
        if (!status) hash = ebm_hash(0, ebm_draw_y(draw), DRAWS * (size_t)q->dim * gibbs_dtype_size(dtype));
        if (!status) hash = ebm_hash(hash, ebm_draw_log_q(draw), DRAWS * gibbs_dtype_size(dtype));
        ebm_draw_free(draw);
    }
    l->no_memory |= status == GIBBS_MEMORY;
    return hash;
}

static void add_space(list *l, const ebm_space *s)
{
    add(l, "space", "variables", "%lld", (long long)s->variables);
    add(l, "space", "labels", "%lld", (long long)s->labels);
    add(l, "space", "one-hot", "%d", s->one_hot);
}

static void add_loss(list *l)
{
    const ebm_trainer *t = l->trainer;
    const ebm_loss_options *o = &t->objective->options;
    const ebm_points *p = o->points;
    add(l, "loss", "", "%s", t->options.loss->name);
    add_numbers(l, "loss", &ebm_loss_numbers, o);
    add(l, "loss", "gaussian", "%d", o->gaussian);
    if (o->proposal) add(l, "proposal", "", "%s", named(o->proposal->name));
    if (o->proposal) add(l, "proposal", "draws", "%016llx", (unsigned long long)hash_draws(l, o->proposal));
    if (p) {
        uint64_t hash = ebm_hash(0, p->x, (size_t)(p->rows * p->dim) * sizeof *p->x);
        add(l, "points", "", "%lld", (long long)p->rows);
        add(l, "points", "hash", "%016llx",
            (unsigned long long)ebm_hash(hash, p->log_weight, (size_t)p->rows * sizeof *p->x));
    }
    add_space(l, &o->space);
    if (!t->objective->chains) return;
    ebm_chain_options chain = ebm_loss_chain(o);
    add(l, "sampler", "", "%s", chain.sampler ? named(chain.sampler->name) : "the loss's own");
    add_numbers(l, "sampler", &ebm_chain_numbers, &chain);
}

/* ---- All of it ---- */

gibbs_status ebm_training_describe(const ebm_trainer *t, ebm_description *out, gibbs_error *error)
{
    list l = {t, out, false};
    ebm_locale locale;
    *out = (ebm_description){.alloc = t->model->alloc};
    if (!ebm_locale_enter(&locale)) return gibbs_fail(error, GIBBS_MEMORY, "train: out of memory");
    add(&l, EBM_TRAINING, "", "1");
    add(&l, "gibbs", "", "%s", GIBBS_VERSION);
    add_model(&l);
    add_loss(&l);
    add(&l, "optimizer", "", "%s", t->options.lbfgs ? "L-BFGS" : named(t->options.optimizer->name));
    add_numbers(&l, "fit", &ebm_fit_numbers, &t->options);
    add(&l, "fit", "seed", "%llu", (unsigned long long)t->options.seed);
    add(&l, "data", "rows", "%lld", (long long)t->rows);
    add(&l, "data", "hash", "%016llx", (unsigned long long)t->hash);
    for (int k = 0; k < t->kept_count; k++)
        add(&l, t->kept[k].name, "", "%llu bytes", (unsigned long long)t->kept[k].bytes);
    ebm_locale_leave(&locale);
    if (l.no_memory) ebm_description_free(out);
    return l.no_memory ? gibbs_fail(error, GIBBS_MEMORY, "train: out of memory") : GIBBS_OK;
}

static const char *find(const ebm_metadata *item, int count, const char *key)
{
    for (int k = 0; k < count; k++)
        if (!strcmp(item[k].key, key)) return item[k].value;
    return NULL;
}

/* Under a constant rate a step does not depend on how many are to come. */
static bool may_differ(const ebm_trainer *t, const char *key)
{
    return !strcmp(key, "fit.steps") && t->options.schedule == EBM_SCHEDULE_CONSTANT;
}

gibbs_status ebm_training_compare(const ebm_trainer *t, const char *file, const ebm_metadata *theirs, int count,
                                  gibbs_error *error)
{
    ebm_description ours;
    if (!find(theirs, count, EBM_TRAINING))
        return gibbs_fail(error, GIBBS_FORMAT, "%s: it is no training that ebm_trainer_save has written", file);
    gibbs_status status = ebm_training_describe(t, &ours, error);
    for (int k = 0; k < ours.count && !status; k++) {
        const char *key = ours.item[k].key, *here = ours.item[k].value, *there = find(theirs, count, key);
        if (!there || (strcmp(here, there) && !may_differ(t, key)))
            status = gibbs_fail(error, GIBBS_FORMAT, "%s: it is another training: %.80s is %.60s there, and %.60s here",
                                file, key, there ? there : "missing", here);
    }
    for (int k = 0; k < count && !status; k++)
        if (strncmp(theirs[k].key, NOTE, strlen(NOTE)) && !find(ours.item, ours.count, theirs[k].key))
            status = gibbs_fail(error, GIBBS_FORMAT,
                                "%s: it is another training: %.80s is %.60s there, and missing here", file,
                                theirs[k].key, theirs[k].value);
    ebm_description_free(&ours);
    return status;
}

/* ---- Notes ---- */

gibbs_status ebm_training_add_notes(const ebm_trainer *t, ebm_description *out, gibbs_error *error)
{
    for (int k = 0; k < t->report.note_count; k++) {
        const ebm_note *note = &t->report.note[k];
        char key[32], text[sizeof note->text + 16];
        snprintf(key, sizeof key, NOTE "%d", k);
        snprintf(text, sizeof text, "%d %s", (int)note->code, note->text);
        if (!ebm_description_add(out, key, text)) return gibbs_fail(error, GIBBS_MEMORY, "train: out of memory");
    }
    return GIBBS_OK;
}

void ebm_training_take_notes(ebm_trainer *t, const ebm_metadata *theirs, int count)
{
    ebm_fit_report *r = &t->report;
    r->note_count = 0;
    for (int k = 0; k < count && r->note_count < EBM_MOST_NOTES; k++) {
        char *text;
        if (strncmp(theirs[k].key, NOTE, strlen(NOTE))) continue;
        long code = strtol(theirs[k].value, &text, 10);
        if (code < 1 || code >= EBM_NOTE_CODES || *text != ' ') continue;
        ebm_note *note = &r->note[r->note_count++];
        note->code = (ebm_note_code)code;
        snprintf(note->text, sizeof note->text, "%s", text + 1);
    }
}
