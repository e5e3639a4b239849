#define _GNU_SOURCE
#include "options.h"

#include <argp.h>
#include <errno.h>
#include <fcntl.h>
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

enum { FIRST_KEY = 256, MESSAGE_SIZE = 256 }; /* keys below are short options, of which there are none */

const option_domain option_positive = {"a positive number", DBL_MIN, INFINITY, 0};
const option_domain option_not_negative = {"a number of at least 0", 0, INFINITY, 0};
const option_domain option_count = {"a whole number of at least 1", 1, 0x1p31, 1};
const option_domain option_several = {"a whole number of at least 2", 2, 0x1p31, 1};
const option_domain option_whole = {"a whole number of at least 0", 0, 0x1p53, 1};
const option_domain option_fraction = {"a number between 0 and 1", DBL_MIN, 1, 0};

static const option_domain threads = {"a whole number from 0 to 1023", 0, 1024, 1};

/* ---- One option ---- */

static int parse_number(const option_entry *o, const char *text, char *message, size_t size)
{
    char *end;
    double value = strtod(text, &end);
    int good = end != text && !*end && value >= o->domain->low && value < o->domain->high &&
               (!o->domain->whole || value == floor(value));
    if (good) *(double *)o->target = value;
    else snprintf(message, size, "«%s» is not %s", text, o->domain->is);
    return !good;
}

static int parse_one(const option_entry *o, const char *text, char *message, size_t size)
{
    if (o->parse) return o->parse(text, o->target, message, size);
    if (o->domain) return parse_number(o, text, message, size);
    if (o->argument) *(const char **)o->target = text;
    else *(int *)o->target = 1;
    return 0;
}

/* The help text with the default behind it; the caller frees it. */
static char *help_with_default(const option_entry *o)
{
    char *text = NULL;
    const char *fallback = o->argument && !o->domain && !o->parse ? *(const char **)o->target : NULL;
    size_t length;
    FILE *out = open_memstream(&text, &length);
    if (!out) return NULL;
    fputs(o->help, out);
    if (fallback) fprintf(out, " (default %s)", fallback);
    if (o->domain && !isnan(*(double *)o->target)) fprintf(out, " (default %.10g)", *(double *)o->target);
    return fclose(out) ? NULL : text;
}

typedef struct option_list {
    const option_entry *option;
    int count;
} option_list;

static error_t parse_key(int key, char *text, struct argp_state *state)
{
    const option_list *list = state->input;
    char message[MESSAGE_SIZE];
    if (key == ARGP_KEY_ARG) argp_failure(state, EX_USAGE, 0, "«%s» is no option; see --help", text);
    if (key < FIRST_KEY || key >= FIRST_KEY + list->count) return ARGP_ERR_UNKNOWN;
    const option_entry *o = &list->option[key - FIRST_KEY];
    if (parse_one(o, text, message, sizeof message)) argp_failure(state, EX_USAGE, 0, "--%s: %s", o->name, message);
    return 0;
}

/* ---- The end: nothing that was printed may be lost silently ---- */

static void check_stdout(void)
{
    errno = 0;
    int failed = ferror(stdout);
    failed |= fclose(stdout) != 0;
    if (!failed) return;
    fprintf(stderr, "%s: stdout: cannot be written: %s\n", program_invocation_short_name,
            errno ? strerror(errno) : "an earlier output failed");
    _exit(EXIT_FAILURE); /* exit must not be called again from here */
}

/* Where the caller has closed stdout its number is taken, so that no file gets it, and what is printed with it. */
static void guard_stdout(void)
{
    if (fcntl(STDOUT_FILENO, F_GETFD) < 0) {
        int unwritable = open("/dev/null", O_RDONLY);
        if (unwritable >= 0 && unwritable != STDOUT_FILENO) dup2(unwritable, STDOUT_FILENO), close(unwritable);
    }
    atexit(check_stdout);
}

/* ---- All options ---- */

static void parse_all(int argc, char **argv, const char *doc, const option_list *list)
{
    struct argp_option *argp_options = calloc((size_t)list->count + 1, sizeof *argp_options);
    for (int i = 0; argp_options && i < list->count; i++)
        argp_options[i] = (struct argp_option){list->option[i].name, FIRST_KEY + i, list->option[i].argument, 0,
                                               help_with_default(&list->option[i]), i + 1}; /* listed in this order */
    if (!argp_options) exit(EX_OSERR);
    struct argp argp = {argp_options, parse_key, NULL, doc, NULL, NULL, NULL};
    argp_parse(&argp, argc, argv, 0, NULL, (void *)list);
    for (int i = 0; i < list->count; i++) free((char *)argp_options[i].doc);
    free(argp_options);
}

void options_read(int argc, char **argv, const char *doc, const option_entry *table, int count, common_options *common)
{
    const option_entry shared[] = {
        {"seed", "N", "Of all that is random: the same number, the same results", &common->seed, &option_whole, NULL},
        {"json", "FILE", "Write all numbers to FILE", &common->json, NULL, NULL},
        {"out", "FOLDER", "Where pictures and data go", &common->out, NULL, NULL},
        {"threads", "N", "At most so many; 0: all processors", &common->threads, &threads, NULL},
        {"quiet", NULL, "Print nothing but errors", &common->quiet, NULL, NULL},
    };
    guard_stdout();
    enum { SHARED = sizeof shared / sizeof *shared };
    option_entry *all = calloc((size_t)count + SHARED, sizeof *all);
    if (!all) exit(EX_OSERR);
    memcpy(all, table, (size_t)count * sizeof *all);
    memcpy(all + count, shared, sizeof shared);
    parse_all(argc, argv, doc, &(option_list){all, count + SHARED});
    free(all);
}

int option_choose(const char *text, const void *list, int count, size_t stride, char *message, size_t size)
{
    int used = snprintf(message, size, "«%.60s» is none of ", text);
    for (int i = 0; i < count; i++) {
        const char *name = *(const char *const *)((const char *)list + (size_t)i * stride);
        if (!strcmp(text, name)) return i;
        if (used >= 0 && (size_t)used < size)
            used += snprintf(message + used, size - (size_t)used, "%s%s", i ? ", " : "", name);
    }
    return -1;
}

int option_each(const char *text, int (*item)(const char *piece, void *context), void *context)
{
    char *copy = strdup(text), *rest = copy, *piece;
    int result = copy ? 0 : 1;
    while (!result && rest && (piece = strsep(&rest, ","))) result = item(piece, context);
    free(copy);
    return result;
}
