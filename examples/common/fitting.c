#define _GNU_SOURCE
#include "fitting.h"
#include "failure.h"
#include "progress.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { EVERY = 10 }; /* seconds between files */

static volatile sig_atomic_t caught;

static void catch(int signal) { caught = signal; }

typedef struct fitting {
    progress_line line;
    ebm_trainer *trainer;
    const char *path; /* NULL: none is asked for */
    time_t saved;
    gibbs_status status;
    gibbs_error *error;
} fitting;

static int after_step(void *context, const ebm_progress *p)
{
    fitting *f = context;
    progress_of_fit(&f->line, p);
    if (f->path && time(NULL) - f->saved >= EVERY) {
        f->status = ebm_trainer_save(f->trainer, f->path, f->error);
        f->saved = time(NULL);
    }
    return f->status || caught;
}

static gibbs_status say_stopped(const fitting *f, gibbs_error *error)
{
    const ebm_fit_report *r = ebm_trainer_report(f->trainer);
    if (f->path)
        return fail(error, GIBBS_STOPPED, "stopped after step %lld, which is saved in %.150s: --resume goes on there",
                    (long long)r->steps, f->path);
    return fail(error, GIBBS_STOPPED, "stopped after step %lld; nothing is saved, as --checkpoint FILE would",
                (long long)r->steps);
}

static gibbs_status run(fitting *f, int resume, gibbs_error *error)
{
    struct sigaction action = {.sa_handler = catch, .sa_flags = SA_RESETHAND}, before[2];
    static const int signals[] = {SIGINT, SIGTERM};
    gibbs_status status = GIBBS_OK;
    if (resume && f->path && !access(f->path, F_OK)) status = ebm_trainer_load(f->trainer, f->path, error);
    if (status) return status;
    for (int k = 0; k < 2; k++) sigaction(signals[k], &action, &before[k]);
    status = ebm_trainer_run(f->trainer, 0, error);
    for (int k = 0; k < 2; k++) sigaction(signals[k], &before[k], NULL);
    if (f->status) return f->status; /* the file could not be written */
    int stopped = status == GIBBS_STOPPED && caught;
    if (f->path && (!status || stopped)) {
        gibbs_status written = ebm_trainer_save(f->trainer, f->path, error);
        if (written) return written;
    }
    return stopped ? say_stopped(f, error) : status;
}

static void tell_notes(const char *name, int quiet, const ebm_fit_report *r)
{
    for (int k = 0; k < r->note_count && !quiet; k++)
        printf("%s%s%s: %s.\n", name ? name : "", name ? ": " : "", ebm_note_name(r->note[k].code), r->note[k].text);
}

gibbs_status fit_model(const common_options *common, const char *name, ebm_model *model, const ebm_data *data,
                       const ebm_fit_options *options, ebm_fit_report *report, gibbs_error *error)
{
    char path[4096];
    ebm_fit_options o = *options;
    const char *base = common->checkpoint;
    int length = snprintf(path, sizeof path, "%s%s%s", base ? base : "", name ? "." : "", name ? name : "");
    for (char *at = path + (base ? strlen(base) : 0); at < path + length && *at; at++)
        if (*at == ' ' || *at == ',' || *at == '/') *at = '-';
    fitting f = {.line = progress_start(name ? name : "fit", common->quiet), .path = base ? path : NULL,
                 .saved = time(NULL), .error = error};
    o.progress = after_step, o.context = &f;
    if (report) *report = (ebm_fit_report){0};
    if (caught) return fail(error, GIBBS_STOPPED, "stopped before it had begun");
    gibbs_status status = ebm_trainer_new(model, data, &o, &f.trainer, error);
    if (status) return status;
    status = run(&f, common->resume, error);
    progress_clear(&f.line);
    ebm_fit_report all = ebm_trainer_end(f.trainer);
    tell_notes(name, common->quiet, &all);
    if (report) *report = all;
    else ebm_fit_report_free(&all);
    return status;
}
