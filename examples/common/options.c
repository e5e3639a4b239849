#define _GNU_SOURCE
#include "options.h"
#include "failure.h"
#include "output.h"

#include <gibbs/status.h>

#include <float.h>
#include <getopt.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FIRST_KEY = 256, MESSAGE_SIZE = 256 }; /* keys below are short options, of which there are none */

const option_domain option_positive = {"a positive number", DBL_MIN, INFINITY, 0};
const option_domain option_not_negative = {"a number of at least 0", 0, INFINITY, 0};
const option_domain option_count = {"a whole number of at least 1", 1, 0x1p31, 1};
const option_domain option_several = {"a whole number of at least 2", 2, 0x1p31, 1};
const option_domain option_whole = {"a whole number of at least 0", 0, 0x1p53, 1};
const option_domain option_fraction = {"a number between 0 and 1", DBL_MIN, 1, 0};

static int help, version; /* never set: they tell which option it is */
static const option_domain threads = {"a whole number from 0 to 1023", 0, 1024, 1};

static const char *library_version(void) { return gibbs_version(); }

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

/* ---- Help ---- */

enum { HELP_COLUMN = 29, HELP_WIDTH = 79 };

/* The bytes that begin a character: what a UTF-8 text is wide. */
static int width_of(const char *word, int length)
{
    int width = 0;
    for (int i = 0; i < length; i++) width += (word[i] & 0xC0) != 0x80;
    return width;
}

/* Prints text by words, in lines of HELP_WIDTH that begin at `indent`; the first goes on at `column`. A line that
 * begins with a space is left as it is. */
static void print_wrapped(const char *text, int indent, int column)
{
    while (*text) {
        int length = (int)strcspn(text, " \n"), width = width_of(text, length);
        if (column > indent && column + 1 + width > HELP_WIDTH) printf("\n%*s", column = indent, "");
        printf("%s%.*s", column > indent ? " " : "", length, text);
        column += width + (column > indent);
        text += length;
        if (*text == ' ') text++;
        for (; *text == '\n'; column = indent) {
            int kept = text[1] == ' ' ? (int)strcspn(text + 1, "\n") : 0;
            printf("\n%.*s%*s", kept, text + 1, kept ? 0 : indent, "");
            text += 1 + kept;
        }
    }
    printf("\n");
}

static void print_option(const option_entry *o)
{
    char text[2048];
    const char *fallback = o->argument && !o->domain && !o->parse ? *(const char **)o->target : NULL;
    int used = snprintf(text, sizeof text, "%s", o->help);
    if (fallback) snprintf(text + used, sizeof text - (size_t)used, " (default %s)", fallback);
    if (o->domain && !isnan(*(double *)o->target))
        snprintf(text + used, sizeof text - (size_t)used, " (default %.10g)", *(double *)o->target);
    int column = printf("      --%s%s%s", o->name, o->argument ? "=" : "", o->argument ? o->argument : "");
    if (column >= HELP_COLUMN - 1) printf("\n"), column = 0;
    printf("%*s", HELP_COLUMN - column, "");
    print_wrapped(text, HELP_COLUMN, HELP_COLUMN);
}

static void print_help(const char *doc, const option_entry *table, int count)
{
    char before[2048];
    const char *after = strchr(doc, '\v');
    snprintf(before, sizeof before, "%.*s", (int)(after ? after - doc : (long)strlen(doc)), doc);
    printf("Usage: %s [OPTION...]\n", program_name());
    print_wrapped(before, 0, 0);
    printf("\n");
    for (int i = 0; i < count; i++) print_option(&table[i]);
    if (after) printf("\n"), print_wrapped(after + 1, 0, 0);
}

/* ---- All options ---- */

static void refuse(const char *format, ...) __attribute__((noreturn, format(printf, 1, 2)));
static void refuse(const char *format, ...)
{
    va_list arguments;
    fprintf(stderr, "%s: ", program_name());
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fprintf(stderr, "\n");
    exit(EXIT_USAGE);
}

/* getopt_long gives the place of an option in the table; its names may be cut short where that is no other's. */
static void parse_all(int argc, char **argv, const char *doc, const option_entry *table, int count)
{
    struct option *names = calloc((size_t)count + 1, sizeof *names);
    char message[MESSAGE_SIZE];
    int i;
    if (!names) refuse("out of memory");
    for (i = 0; i < count; i++)
        names[i] = (struct option){table[i].name, table[i].argument ? required_argument : no_argument, NULL,
                                   FIRST_KEY + i};
    while ((i = getopt_long(argc, argv, ":", names, NULL)) != -1) {
        const char *given = argv[optind - 1];
        if (i == ':') refuse("%s: an argument is missing", given);
        if (i < FIRST_KEY) refuse("«%s» is no option; see --help", given);
        const option_entry *o = &table[i - FIRST_KEY];
        if (o->target == &help) print_help(doc, table, count), exit(EXIT_SUCCESS);
        if (o->target == &version) printf("%s (gibbs) %s\n", program_name(), library_version()), exit(EXIT_SUCCESS);
        if (parse_one(o, optarg, message, sizeof message)) refuse("--%s: %s", o->name, message);
    }
    if (optind < argc) refuse("«%s» is no option; see --help", argv[optind]);
    free(names);
}

int options_quiet;

void options_read(int argc, char **argv, const char *doc, const option_entry *table, int count, common_options *common)
{
    const option_entry shared[] = {
        {"seed", "N", "Of all that is random: the same number, the same results", &common->seed, &option_whole, NULL},
        {"json", "FILE", "Write all numbers to FILE; -: to stdout, where then nothing else goes: the tables go to "
         "stderr", &common->json, NULL, NULL},
        {"out", "FOLDER", "Where pictures and data go", &common->out, NULL, NULL},
        {"threads", "N", "At most so many; 0: all processors", &common->threads, &threads, NULL},
        {"checkpoint", "FILE", "Save trainings there as they go, one a fit; they end on Ctrl-C after the step in hand",
         &common->checkpoint, NULL, NULL},
        {"resume", NULL, "Go on with the trainings saved by --checkpoint", &common->resume, NULL, NULL},
        {"quiet", NULL, "Print nothing but errors", &common->quiet, NULL, NULL},
        {"help", NULL, "Print this", &help, NULL, NULL},
        {"version", NULL, "Print the library's version", &version, NULL, NULL},
    };
    enum { SHARED = sizeof shared / sizeof *shared };
    option_entry *all = calloc((size_t)count + SHARED, sizeof *all);
    program_named(argv[0]);
    output_guard();
    if (!all) refuse("out of memory");
    memcpy(all, table, (size_t)count * sizeof *all);
    memcpy(all + count, shared, sizeof shared);
    parse_all(argc, argv, doc, all, count + SHARED);
    free(all);
    if (common->resume && !common->checkpoint) refuse("--resume: from which file? Give it by --checkpoint");
    options_quiet = common->quiet;
    if (output_is_stdout(common->json)) output_divert();
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
