/* failure.h — the library's way with errors, for the examples: a status, and a sentence in a gibbs_error. */
#ifndef EXAMPLES_FAILURE_H
#define EXAMPLES_FAILURE_H

#include <gibbs/status.h>

/* Writes the sentence to `error` and returns `status`. */
gibbs_status fail(gibbs_error *error, gibbs_status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Prints «program: sentence» on stderr. */
void complain(const gibbs_error *error);

/* The program's name in sentences: the last part of what main was given. */
void program_named(const char *argv0);
const char *program_name(void);

#endif
