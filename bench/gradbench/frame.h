/* frame.h — what the evaluations have in common: a function of the GradBench suite is opened at an input, run again and
 * again, and asked for its output. The protocol is main.c's. Of an input that is not as it should be an evaluation says
 * so by gb_fail, which does not return; all memory is the run's, which main.c releases. */
#ifndef GRADBENCH_FRAME_H
#define GRADBENCH_FRAME_H

#include <gibbs/ad.h>
#include <jansson.h>

typedef struct gb_run gb_run;

typedef struct gb_function {
    const char *module, *name;
    void (*open)(gb_run *r);      /* whatever needs doing once: reads the input, records, compiles */
    void (*run)(gb_run *r);       /* what is timed; NULL: the plan */
    json_t *(*output)(gb_run *r); /* of the last run; NULL: the plan's first output */
} gb_function;

/* Two tools, by the tape and by hand: function `number`, NULL behind the last. */
const gb_function *gb_tape(int number);
const gb_function *gb_hand(int number);

/* The evaluation's own struct, zeroed, which gb_own gives back; memory, zeroed. */
void *gb_keep(gb_run *r, size_t size);
void *gb_own(gb_run *r);
void *gb_memory(gb_run *r, size_t count, size_t size);
_Noreturn void gb_fail(gb_run *r, const char *sentence);

/* ---- The input: a path is names joined by dots, "" the whole ---- */

double gb_number(gb_run *r, const char *path);
int64_t gb_whole(gb_run *r, const char *path); /* a number that is whole and not below 0 */
int gb_flag(gb_run *r, const char *path);
/* How many elements the array has, at a depth: 0 the array itself, 1 its first element, … 0 where there is none. */
int64_t gb_length(gb_run *r, const char *path, int depth);
/* All numbers of arrays in arrays, one after the other. `count` of them, else it fails. */
double *gb_numbers(gb_run *r, const char *path, int64_t count);

/* ---- The output ---- */

json_t *gb_nested(const double *numbers, const ad_shape *shape);
json_t *gb_list(const double *numbers, int64_t count);

/* ---- A plan ---- */

ad_tape *gb_new_tape(gb_run *r);
ad_axis gb_axis(gb_run *r, const char *name, int64_t rows);
/* Leaves that are bound to these numbers. */
ad_var gb_parameter(gb_run *r, const char *name, ad_shape shape, const double *numbers);
ad_var gb_input(gb_run *r, ad_axis axis, const char *name, ad_shape shape, const double *numbers);
void gb_compile(gb_run *r, const ad_var *outputs, int count);
void gb_run_plan(gb_run *r);
const double *gb_result(gb_run *r, int output);

/* ---- For main.c ---- */

gb_run *gb_open(const gb_function *f, const json_t *input, int threads, gibbs_error *error); /* NULL: why */
gibbs_status gb_again(gb_run *r, gibbs_error *error);
json_t *gb_answer(gb_run *r); /* NULL where a number is not finite */
void gb_close(gb_run *r);

#endif
