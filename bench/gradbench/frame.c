#include "frame.h"

#include <math.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_LEAVES = 32, MOST_BLOCKS = 256 };

struct gb_run {
    const gb_function *f;
    const json_t *input;
    gibbs_error error;
    jmp_buf failed;
    void *own, *block[MOST_BLOCKS];
    int blocks, leaves, axes;
    ad_tape *tape;
    ad_plan *plan;
    ad_workspace *workspace;
    ad_run_options options;
    ad_var leaf[MOST_LEAVES];
    const double *bound[MOST_LEAVES];
    ad_axis axis[MOST_LEAVES];
    int64_t rows[MOST_LEAVES];
    ad_shape shape; /* of the first output, rows included */
};

void gb_fail(gb_run *r, const char *sentence)
{
    r->error.status = GIBBS_DATA;
    snprintf(r->error.message, sizeof r->error.message, "%s: %s: %s", r->f->module, r->f->name, sentence);
    longjmp(r->failed, 1);
}

static void check(gb_run *r, gibbs_status status)
{
    if (status) longjmp(r->failed, 1);
}

void *gb_memory(gb_run *r, size_t count, size_t size)
{
    void *block = r->blocks < MOST_BLOCKS ? calloc(count ? count : 1, size) : NULL;
    if (!block) gb_fail(r, "out of memory");
    return r->block[r->blocks++] = block;
}

void *gb_keep(gb_run *r, size_t size) { return r->own = gb_memory(r, 1, size); }

void *gb_own(gb_run *r) { return r->own; }

/* ---- The input ---- */

static const json_t *at(gb_run *r, const char *path)
{
    const json_t *found = r->input;
    while (found && *path) {
        char name[64] = "";
        size_t length = strcspn(path, ".");
        memcpy(name, path, length < sizeof name ? length : sizeof name - 1);
        found = json_object_get(found, name);
        path += length + (path[length] == '.');
    }
    if (!found) gb_fail(r, "the input lacks something");
    return found;
}

double gb_number(gb_run *r, const char *path)
{
    const json_t *number = at(r, path);
    if (!json_is_number(number)) gb_fail(r, "what should be a number is none");
    return json_number_value(number);
}

int64_t gb_whole(gb_run *r, const char *path)
{
    double number = gb_number(r, path);
    if (!(number >= 0 && number <= 1e9 && number == floor(number))) gb_fail(r, "what should be a count is none");
    return (int64_t)number;
}

int gb_flag(gb_run *r, const char *path) { return json_is_true(at(r, path)); }

int64_t gb_length(gb_run *r, const char *path, int depth)
{
    const json_t *array = at(r, path);
    for (; depth > 0; depth--) array = json_array_get(array, 0);
    return (int64_t)json_array_size(array);
}

static int64_t flatten(const json_t *from, double *to, int64_t count)
{
    if (json_is_number(from)) {
        if (count > 0) *to = json_number_value(from);
        return 1;
    }
    int64_t n = 0;
    for (size_t i = 0; i < json_array_size(from); i++) n += flatten(json_array_get(from, i), to + n, count - n);
    return n;
}

double *gb_numbers(gb_run *r, const char *path, int64_t count)
{
    double *numbers = gb_memory(r, (size_t)count, sizeof *numbers);
    if (flatten(at(r, path), numbers, count) != count) gb_fail(r, "an array has another length than the others say");
    return numbers;
}

/* ---- The output ---- */

json_t *gb_nested(const double *numbers, const ad_shape *shape)
{
    if (shape->rank == 0) return json_real(*numbers);
    ad_shape rest = {.rank = shape->rank - 1};
    for (int i = 0; i < rest.rank; i++) rest.dim[i] = shape->dim[i + 1];
    int64_t step = ad_shape_count(&rest);
    json_t *array = json_array();
    for (int64_t i = 0; i < shape->dim[0]; i++)
        if (json_array_append_new(array, gb_nested(numbers + i * step, &rest))) return json_decref(array), NULL;
    return array;
}

json_t *gb_list(const double *numbers, int64_t count)
{
    ad_shape shape = ad_vec(count);
    return gb_nested(numbers, &shape);
}

/* ---- A plan ---- */

ad_tape *gb_new_tape(gb_run *r)
{
    r->tape = ad_tape_new(GIBBS_FLOAT64, NULL);
    if (!r->tape) gb_fail(r, "out of memory");
    return r->tape;
}

ad_axis gb_axis(gb_run *r, const char *name, int64_t rows)
{
    ad_axis axis = ad_axis_new(r->tape, name);
    if (r->axes == MOST_LEAVES) gb_fail(r, "too many axes");
    r->axis[r->axes] = axis;
    r->rows[r->axes++] = rows;
    return axis;
}

static ad_var bind(gb_run *r, ad_var leaf, const double *numbers)
{
    if (r->leaves == MOST_LEAVES) gb_fail(r, "too many leaves");
    r->leaf[r->leaves] = leaf;
    r->bound[r->leaves++] = numbers;
    return leaf;
}

ad_var gb_parameter(gb_run *r, const char *name, ad_shape shape, const double *numbers)
{
    return bind(r, ad_parameter(r->tape, name, shape), numbers);
}

ad_var gb_input(gb_run *r, ad_axis axis, const char *name, ad_shape shape, const double *numbers)
{
    return bind(r, ad_input(axis, name, shape), numbers);
}

static int64_t rows_of(const gb_run *r, ad_axis axis)
{
    for (int i = 0; i < r->axes; i++)
        if (r->axis[i].id == axis.id) return r->rows[i];
    return 0;
}

void gb_compile(gb_run *r, const ad_var *outputs, int count)
{
    ad_shape own = ad_shape_of(outputs[0]);
    check(r, ad_compile(outputs, count, NULL, &r->plan, &r->error));
    check(r, ad_workspace_new(r->plan, &r->workspace, &r->error));
    for (int i = 0; i < r->leaves; i++)
        check(r, ad_bind_f64(r->workspace, r->leaf[i], r->bound[i], &r->error));
    for (int i = 0; i < r->axes; i++) check(r, ad_set_rows(r->workspace, r->axis[i], r->rows[i], &r->error));
    r->shape = own;
    if (ad_is_shared(outputs[0])) return;
    r->shape = (ad_shape){.rank = own.rank + 1, .dim = {rows_of(r, ad_axis_of(outputs[0]))}};
    for (int i = 0; i < own.rank; i++) r->shape.dim[i + 1] = own.dim[i];
}

void gb_run_plan(gb_run *r) { check(r, ad_run(r->workspace, &r->options, &r->error)); }

const double *gb_result(gb_run *r, int output) { return ad_result_f64(r->workspace, output); }

/* ---- For main.c ---- */

/* What the work said when it gave up, if it did. */
static gibbs_status guarded(gb_run *r, void (*work)(gb_run *), gibbs_error *error)
{
    if (setjmp(r->failed)) {
        *error = r->error;
        return r->error.status;
    }
    work(r);
    return GIBBS_OK;
}

gb_run *gb_open(const gb_function *f, const json_t *input, int threads, gibbs_error *error)
{
    gb_run *r = calloc(1, sizeof *r);
    if (!r) return NULL;
    r->f = f;
    r->input = input;
    r->options.threads = threads;
    if (!guarded(r, f->open, error)) return r;
    gb_close(r);
    return NULL;
}

gibbs_status gb_again(gb_run *r, gibbs_error *error)
{
    return guarded(r, r->f->run ? r->f->run : gb_run_plan, error);
}

json_t *gb_answer(gb_run *r)
{
    if (r->f->output) return r->f->output(r);
    return gb_nested(gb_result(r, 0), &r->shape);
}

void gb_close(gb_run *r)
{
    if (!r) return;
    ad_workspace_free(r->workspace);
    ad_plan_free(r->plan);
    ad_tape_free(r->tape);
    for (int i = 0; i < r->blocks; i++) free(r->block[i]);
    free(r);
}
