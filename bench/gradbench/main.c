/* gibbs_gradbench — a tool of the GradBench suite: reads a message a line, answers each by a line.
 *
 *     gibbs_gradbench [tape | hand] [THREADS] [cpu]
 *
 * `tape` (the default) evaluates by the library, `hand` by plain C that was written by hand; on one thread unless told.
 * Timings are of the clock on the wall; `cpu`: of the process's, for a machine that others work on. */
#define _POSIX_C_SOURCE 200809L
#include "frame.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>

enum { MOST_RUNS = 1 << 20 };

typedef struct tool {
    const char *name;
    const gb_function *(*function)(int number);
    int threads;
    clockid_t clock;
    int64_t *nanoseconds; /* [MOST_RUNS] */
} tool;

static int64_t now(const tool *t)
{
    struct timespec s;
    clock_gettime(t->clock, &s);
    return (int64_t)s.tv_sec * 1000000000 + s.tv_nsec;
}

static const gb_function *find(const tool *t, const char *module, const char *name)
{
    const gb_function *f;
    for (int i = 0; module && (f = t->function(i)) != NULL; i++)
        if (!strcmp(f->module, module) && (!name || !strcmp(f->name, name))) return f;
    return NULL;
}

/* ---- Answers ---- */

static void refuse(long long id, const char *why)
{
    json_t *answer = json_pack("{sI sb ss}", "id", (json_int_t)id, "success", 0, "error", why);
    json_dumpf(answer, stdout, 0);
    json_decref(answer);
}

static void print_time(const char *name, int64_t nanoseconds, const char *before)
{
    printf("%s{\"name\": \"%s\", \"nanoseconds\": %lld}", before, name, (long long)nanoseconds);
}

static void print_answer(const tool *t, long long id, const json_t *output, int64_t prepare, int runs)
{
    printf("{\"id\": %lld, \"success\": true, \"output\": ", id);
    json_dumpf(output, stdout, JSON_ENCODE_ANY | JSON_REAL_PRECISION(17));
    print_time("prepare", prepare, ", \"timings\": [");
    for (int i = 0; i < runs; i++) print_time("evaluate", t->nanoseconds[i], ", ");
    fputs("]}", stdout);
}

/* ---- Messages ---- */

static double wanted(const json_t *input, const char *name, double otherwise)
{
    const json_t *number = json_object_get(input, name);
    return json_is_number(number) ? json_number_value(number) : otherwise;
}

/* Runs as often and as long as the input says. 0: it failed. */
static int run_often(tool *t, gb_run *r, const json_t *input, gibbs_error *error)
{
    double most = wanted(input, "min_runs", 1), seconds = wanted(input, "min_seconds", 0), spent = 0;
    int runs = 0;
    for (; runs < MOST_RUNS && (runs < 1 || runs < most || spent < seconds); runs++) {
        int64_t start = now(t);
        if (gb_again(r, error)) return 0;
        t->nanoseconds[runs] = now(t) - start;
        spent += 1e-9 * (double)t->nanoseconds[runs];
    }
    return runs;
}

static void evaluate(tool *t, long long id, const json_t *message)
{
    gibbs_error error = {GIBBS_MEMORY, "out of memory", -1, -1};
    const json_t *input = json_object_get(message, "input");
    const gb_function *f = find(t, json_string_value(json_object_get(message, "module")),
                                json_string_value(json_object_get(message, "function")));
    if (!f || !input) {
        refuse(id, f ? "there is no input" : "there is no such function");
        return;
    }
    int64_t start = now(t), prepare;
    gb_run *r = gb_open(f, input, t->threads, &error);
    prepare = now(t) - start;
    int runs = r ? run_often(t, r, input, &error) : 0;
    json_t *output = runs ? gb_answer(r) : NULL;
    if (output) print_answer(t, id, output, prepare, runs);
    else refuse(id, runs ? "a number of the output is not finite" : error.message);
    json_decref(output);
    gb_close(r);
}

static void obey(tool *t, const json_t *message)
{
    const char *kind = json_string_value(json_object_get(message, "kind"));
    long long id = json_integer_value(json_object_get(message, "id"));
    if (!kind) kind = "";
    if (!strcmp(kind, "evaluate")) evaluate(t, id, message);
    else if (!strcmp(kind, "define"))
        printf("{\"id\": %lld, \"success\": %s}", id,
               find(t, json_string_value(json_object_get(message, "module")), NULL) ? "true" : "false");
    else if (!strcmp(kind, "start")) printf("{\"id\": %lld, \"tool\": \"%s\"}", id, t->name);
    else printf("{\"id\": %lld}", id);
    putchar('\n');
    fflush(stdout);
}

/* False behind the last line, and at one that is no JSON: there is no id then to answer it by. */
static int next(tool *t, char **line, size_t *size)
{
    json_error_t wrong;
    ssize_t length = getline(line, size, stdin);
    if (length <= 0) return 0;
    json_t *message = json_loadb(*line, (size_t)length, 0, &wrong);
    if (message) obey(t, message);
    else fprintf(stderr, "gibbs_gradbench: column %d: %s\n", wrong.column, wrong.text);
    json_decref(message);
    return message != NULL;
}

static int usage(void)
{
    fputs("usage: gibbs_gradbench [tape | hand] [THREADS] [cpu]\n", stderr);
    return EX_USAGE;
}

int main(int argc, char **argv)
{
    tool t = {"gibbs", gb_tape, 1, CLOCK_MONOTONIC, malloc(MOST_RUNS * sizeof(int64_t))};
    char *line = NULL;
    size_t size = 0;
    for (int i = 1; i < argc; i++) {
        if (!strcmp(argv[i], "hand")) t.name = "hand", t.function = gb_hand;
        else if (!strcmp(argv[i], "cpu")) t.clock = CLOCK_PROCESS_CPUTIME_ID;
        else if (atoi(argv[i]) > 0) t.threads = atoi(argv[i]);
        else if (strcmp(argv[i], "tape")) return free(t.nanoseconds), usage();
    }
    if (!t.nanoseconds) return EX_OSERR;
    while (next(&t, &line, &size)) {}
    free(line);
    free(t.nanoseconds);
    return ferror(stdin) ? EX_IOERR : EX_OK;
}
