#define _GNU_SOURCE
#include "plot.h"
#include "failure.h"
#include "files.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

/* The exit status of `gnuplot argument`, run in `folder`; −1 when it cannot be run. */
static int gnuplot(const char *folder, const char *argument)
{
    char *argv[] = {"gnuplot", (char *)argument, NULL};
    posix_spawn_file_actions_t actions;
    pid_t child;
    int code;
    if (posix_spawn_file_actions_init(&actions)) return -1;
    int failed = posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    if (!failed) failed = posix_spawn_file_actions_addchdir_np(&actions, folder);
    if (!failed) failed = posix_spawnp(&child, "gnuplot", &actions, NULL, argv, environ);
    posix_spawn_file_actions_destroy(&actions);
    if (failed) return -1;
    while (waitpid(child, &code, 0) < 0)
        if (errno != EINTR) return -1;
    return WIFEXITED(code) ? WEXITSTATUS(code) : -1;
}

int plot_possible(void)
{
    static int known, possible;
    if (!known) {
        known = 1;
        possible = gnuplot(".", "--version") == 0;
        if (!possible)
            fprintf(stderr, "%s: gnuplot is not installed, so that only the data files are written, no pictures\n",
                    program_name());
    }
    return possible;
}

gibbs_status plot_draw(const char *folder, const char *name, gibbs_error *error)
{
    char script[PATH_SIZE];
    int length = snprintf(script, sizeof script, "%s.gnuplot", name);
    if (length < 0 || length >= (int)sizeof script) return fail(error, GIBBS_SIZE, "a picture's name is too long");
    if (gnuplot(folder, script) == 0) return GIBBS_OK;
    return fail(error, GIBBS_IO, "gnuplot could not draw %.150s/%.100s", folder, script);
}

const char *plot_quote(const char *text, char *out, int size)
{
    int n = 0;
    out[n++] = '\'';
    for (; *text && n < size - 3; text++) {
        if ((unsigned char)*text < ' ') continue;
        if (*text == '\'') out[n++] = '\''; /* a quote is written twice */
        out[n++] = *text;
    }
    out[n++] = '\'';
    out[n] = 0;
    return out;
}
