/* progress.h — one line on stderr, redrawn at most ten times a second, when stderr is a terminal. */
#ifndef EXAMPLES_PROGRESS_H
#define EXAMPLES_PROGRESS_H

#include <gibbs/ebm.h>

typedef struct progress_line {
    int shown; /* 0: show nothing */
    const char *name;
    double start, drawn; /* seconds */
} progress_line;

progress_line progress_start(const char *name, int quiet);

/* For ebm_fit_options.progress, with a progress_line as its context. */
int progress_of_fit(void *line, const ebm_progress *progress);

/* For loops of one's own; `note` may be "". */
void progress_show(progress_line *line, int64_t step, int64_t steps, const char *note);

void progress_clear(progress_line *line);

#endif
