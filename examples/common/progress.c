#define _GNU_SOURCE
#include "progress.h"

#include <stdio.h>
#include <time.h>
#include <unistd.h>

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

progress_line progress_start(const char *name, int quiet)
{
    double start = now();
    return (progress_line){!quiet && isatty(STDERR_FILENO), name, start, start};
}

void progress_show(progress_line *line, int64_t step, int64_t steps, const char *note)
{
    double time = line->shown ? now() : 0;
    if (!line->shown || time - line->drawn < 0.1) return;
    line->drawn = time;
    double rate = (double)step / (time - line->start);
    fprintf(stderr, "\r%s  step %lld of %lld  %.0f %%  %.0f steps/s  %.0f s left%s\033[K", line->name, (long long)step,
            (long long)steps, 100.0 * (double)step / (double)steps, rate, (double)(steps - step) / rate, note);
    fflush(stderr);
}

int progress_of_fit(void *line, const ebm_progress *p)
{
    char note[32];
    snprintf(note, sizeof note, "  loss %.4f", p->loss);
    progress_show(line, p->step, p->steps, note);
    return 0;
}

void progress_clear(progress_line *line)
{
    if (line->shown) fputs("\r\033[K", stderr);
}
