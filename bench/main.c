/* gibbs_bench — ours and the floor, driven by bench/driver.py (script/bench):
 *
 *     gibbs_bench list | machine | memory | products | sweeps
 *     gibbs_bench write CASE FILE          the reference answer, in float64
 *     gibbs_bench serve DTYPE THREADS      then a command a line, each answered by a JSON object on one line:
 *         open CASE FILE                   makes the case ready and compares its answer with the reference
 *         measure SECONDS                  the median step
 *         floor CASE SECONDS               the case's GEMM calls alone
 *         close */
#include "floor.h"
#include "json.h"
#include "memory.h"
#include "problem.h"
#include "products.h"
#include "pseudo.h"
#include "sweeps.h"
#include "reference.h"
#include "timing.h"

#include <cblas.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

enum { LINE_SIZE = 4096 };

static void refuse(const char *reason)
{
    json_begin();
    json_text("status", "refused");
    json_text("reason", reason);
    json_end();
}

static void accept(void)
{
    json_begin();
    json_text("status", "ok");
    json_end();
}

/* ---- The commands of a server ---- */

typedef struct server {
    gibbs_dtype dtype;
    int threads;
    bench_problem problem;
    int open;
} server;

static void command_close(server *s)
{
    if (s->open) bench_problem_close(&s->problem);
    s->open = 0;
}

static void command_open(server *s, const char *name, const char *file)
{
    gibbs_error error = {0};
    const bench_case *c = bench_case_find(name);
    command_close(s);
    if (!c) {
        refuse("there is no such case");
        return;
    }
    gibbs_status status = bench_problem_open(c, s->dtype, s->threads, &s->problem, &error);
    s->open = !status;
    if (!status) status = bench_reference_check(&s->problem, file, &error);
    if (!status) {
        accept();
        return;
    }
    command_close(s); /* what does not agree is not measured */
    refuse(error.message);
}

static gibbs_status step(void *problem, gibbs_error *error) { return bench_problem_step(problem, error); }

static void command_measure(server *s, double seconds)
{
    gibbs_error error = {0};
    double time;
    if (!s->open) {
        refuse("no case is open");
        return;
    }
    if (bench_median(step, &s->problem, seconds, &time, &error)) {
        refuse(error.message);
        return;
    }
    json_begin();
    json_text("status", "ok");
    json_number("us", time);
    json_end();
}

static void command_floor(server *s, const char *name, double seconds)
{
    gibbs_error error = {0};
    const bench_case *c = bench_case_find(name);
    double time;
    int64_t block;
    if (!c || bench_floor(c, s->dtype, seconds, &time, &block, &error)) {
        refuse(c ? error.message : "there is no such case");
        return;
    }
    json_begin();
    json_text("status", "ok");
    json_number("us", time);
    json_number("block", (double)block);
    json_number("flops", bench_floor_flops(c));
    json_end();
}

static void obey(server *s, char *line)
{
    char *word[3] = {"", "", ""};
    int count = 0;
    for (char *w = strtok(line, " \n"); w && count < 3; w = strtok(NULL, " \n")) word[count++] = w;
    if (!strcmp(word[0], "open")) command_open(s, word[1], word[2]);
    else if (!strcmp(word[0], "measure")) command_measure(s, atof(word[1]));
    else if (!strcmp(word[0], "floor")) command_floor(s, word[1], atof(word[2]));
    else if (!strcmp(word[0], "close")) {
        command_close(s);
        accept();
    } else refuse("there is no such command");
}

/* For the floor: the library needs none. */
static void one_blas_thread(void)
{
#ifdef GIBBS_OPENBLAS
    openblas_set_num_threads(1);
#endif
}

static int serve(const char *dtype, const char *threads)
{
    char line[LINE_SIZE];
    server s = {.dtype = strcmp(dtype, "float64") ? GIBBS_FLOAT32 : GIBBS_FLOAT64, .threads = atoi(threads)};
    one_blas_thread();
    accept();
    while (fgets(line, sizeof line, stdin)) obey(&s, line);
    command_close(&s);
    return EX_OK;
}

/* ---- The rest ---- */

static int print_machine(void)
{
    one_blas_thread();
    json_begin();
    json_text("compiler", __VERSION__);
#ifdef GIBBS_OPENBLAS
    json_text("blas", openblas_get_config());
#else
    json_text("blas", "not OpenBLAS");
#endif
    json_end();
    return EX_OK;
}

static int write_reference(const char *name, const char *path)
{
    gibbs_error error = {0};
    const bench_case *c = bench_case_find(name);
    if (c && !bench_reference_write(c, path, &error)) return EX_OK;
    fprintf(stderr, "gibbs_bench: %s: %s\n", name, c ? error.message : "there is no such case");
    return EX_SOFTWARE;
}

static int print_memory(void)
{
    gibbs_error error = {0};
    if (!bench_memory_print(&error)) return EX_OK;
    fprintf(stderr, "gibbs_bench: %s\n", error.message);
    return EX_SOFTWARE;
}

static int print_sweeps(void)
{
    gibbs_error error = {0};
    if (!bench_sweeps_print(&error) && !bench_pseudo_print(&error)) return EX_OK;
    fprintf(stderr, "gibbs_bench: %s\n", error.message);
    return EX_SOFTWARE;
}

static int print_products(void)
{
    gibbs_error error = {0};
    one_blas_thread();
    if (!bench_products_print(&error)) return EX_OK;
    fprintf(stderr, "gibbs_bench: %s\n", error.message);
    return EX_SOFTWARE;
}

int main(int argc, char **argv)
{
    if (argc == 2 && !strcmp(argv[1], "list")) return bench_cases_print(), EX_OK;
    if (argc == 2 && !strcmp(argv[1], "machine")) return print_machine();
    if (argc == 2 && !strcmp(argv[1], "memory")) return print_memory();
    if (argc == 2 && !strcmp(argv[1], "products")) return print_products();
    if (argc == 2 && !strcmp(argv[1], "sweeps")) return print_sweeps();
    if (argc == 4 && !strcmp(argv[1], "write")) return write_reference(argv[2], argv[3]);
    if (argc == 4 && !strcmp(argv[1], "serve")) return serve(argv[2], argv[3]);
    fputs("usage: gibbs_bench list | machine | memory | products | sweeps | write CASE FILE | "
          "serve float32|float64 THREADS\n", stderr);
    return EX_USAGE;
}
