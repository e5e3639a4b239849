/* options.h — command lines from a table. Every number is checked before anything is run; a wrong option ends the
 * program with one sentence and status 64. --help shows the defaults. */
#ifndef EXAMPLES_OPTIONS_H
#define EXAMPLES_OPTIONS_H

#include <stddef.h>

enum { EXIT_USAGE = 64 };

/* Which numbers an option takes: low <= number < high. */
typedef struct option_domain {
    const char *is; /* «a positive number» */
    double low, high;
    int whole;
} option_domain;

extern const option_domain option_positive, option_not_negative, option_fraction;
extern const option_domain option_whole, option_count, option_several; /* at least 0, 1, 2 */

/* Reads `text` into `target`; returns 0, or non-zero with what is wrong with it in `message`. */
typedef int (*option_parse_fn)(const char *text, void *target, char *message, size_t size);

/* One option. What the target holds at the start is the default; a NaN or NULL has none that --help could show.
 *   argument NULL: a flag, target int *        domain: a number, target double *
 *   parse: whatever parse reads                none of these: a text, target const char ** */
typedef struct option_entry {
    const char *name, *argument, *help;
    void *target;
    const option_domain *domain;
    option_parse_fn parse;
} option_entry;

/* The options that every example has. */
typedef struct common_options {
    double seed, threads;
    const char *json, *out, *checkpoint;
    int quiet, resume;
} common_options;

/* Whether --quiet was told. */
extern int options_quiet;

/* Reads the command line into the tables' targets. Does not return when it is wrong or asks for help. `doc` is what
 * --help begins with; what follows a '\v' in it comes after the options. stdout is looked after from here on, see
 * output.h. */
void options_read(int argc, char **argv, const char *doc, const option_entry *table, int count, common_options *common);

/* The place of `text` in a list of names; −1, with «…» is none of … in `message`, when it is not there. Names are found
 * in an array of structs that start with a const char *, `stride` bytes each. */
int option_choose(const char *text, const void *list, int count, size_t stride, char *message, size_t size);

/* Text with commas between: "64,64". For parsers of lists. Calls `item` for each piece until one returns non-zero;
 * returns that. */
int option_each(const char *text, int (*item)(const char *piece, void *context), void *context);

#endif
