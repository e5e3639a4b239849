#include "output.h"
#include "failure.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int diverted = -1; /* what was stdout */

static void check_stdout(void)
{
    errno = 0;
    int failed = ferror(stdout);
    failed |= fclose(stdout) != 0;
    if (!failed) return;
    fprintf(stderr, "%s: stdout: cannot be written: %s\n", program_name(),
            errno ? strerror(errno) : "an earlier output failed");
    _exit(EXIT_FAILURE); /* exit must not be called again from here */
}

/* Where the caller has closed stdout its number is taken, so that no file gets it, and what is printed with it. */
void output_guard(void)
{
    if (fcntl(STDOUT_FILENO, F_GETFD) < 0) {
        int unwritable = open("/dev/null", O_RDONLY);
        if (unwritable >= 0 && unwritable != STDOUT_FILENO) dup2(unwritable, STDOUT_FILENO), close(unwritable);
    }
    atexit(check_stdout);
}

int output_is_stdout(const char *path) { return path && !strcmp(path, "-"); }

void output_divert(void)
{
    fflush(stdout);
    diverted = dup(STDOUT_FILENO);
    dup2(STDERR_FILENO, STDOUT_FILENO);
}

FILE *output_stream(const char *path, const char *mode)
{
    if (!output_is_stdout(path)) return fopen(path, mode);
    int copy = dup(diverted);
    return copy < 0 ? NULL : fdopen(copy, mode);
}
