#include "ba_input.h"

static double *repeated(gb_run *r, const char *path, int64_t count, int64_t times)
{
    double *one = gb_numbers(r, path, count), *all = gb_memory(r, (size_t)(count * times), sizeof *all);
    for (int64_t k = 0; k < count * times; k++) all[k] = one[k % count];
    return all;
}

void ba_read(gb_run *r, ba_input *in)
{
    *in = (ba_input){gb_whole(r, "n"), gb_whole(r, "m"), gb_whole(r, "p"), NULL, NULL, NULL, NULL, NULL, NULL};
    if (in->n < 1 || in->m < 1 || in->p < 1) gb_fail(r, "n, m and p are at least 1");
    in->camera = repeated(r, "cam", CAMERA, in->n);
    in->point = repeated(r, "x", POINT, in->m);
    in->weight = repeated(r, "w", 1, in->p);
    in->feature = repeated(r, "feat", 2, in->p);
    in->of_camera = gb_memory(r, (size_t)in->p, sizeof(double));
    in->of_point = gb_memory(r, (size_t)in->p, sizeof(double));
    for (int64_t k = 0; k < in->p; k++) {
        in->of_camera[k] = (double)(k % in->n);
        in->of_point[k] = (double)(k % in->m);
    }
}

void ba_new_matrix(gb_run *r, const ba_input *in, ba_matrix *m)
{
    size_t entries = (size_t)in->p * (2 * COLUMNS + 1);
    *m = (ba_matrix){gb_memory(r, 3 * (size_t)in->p + 1, sizeof *m->row), gb_memory(r, entries, sizeof *m->column),
                     gb_memory(r, entries, sizeof *m->value)};
}

json_t *ba_errors_output(const ba_input *in, const double *reprojection, const double *weight)
{
    return json_pack("{s{s[ff]sI}s{sfsI}}", "reproj_error", "elements", reprojection[0], reprojection[1], "repeated",
                     (json_int_t)in->p, "w_err", "element", weight[0], "repeated", (json_int_t)in->p);
}

/* The first 30 of a list and its last. */
static json_t *ends(const int64_t *list, int64_t count)
{
    json_t *array = json_array();
    for (int64_t k = 0; k < 2 * COLUMNS; k++) json_array_append_new(array, json_integer(list[k]));
    json_array_append_new(array, json_integer(list[count - 1]));
    return array;
}

json_t *ba_matrix_output(const ba_input *in, const ba_matrix *m)
{
    int64_t entries = m->row[3 * in->p];
    double value[2 * COLUMNS + 1];
    if (3 * in->p + 1 < 2 * COLUMNS) return NULL;
    for (int64_t k = 0; k < 2 * COLUMNS; k++) value[k] = m->value[k];
    value[2 * COLUMNS] = m->value[entries - 1];
    return json_pack("{sososo}", "rows", ends(m->row, 3 * in->p + 1), "cols", ends(m->column, entries), "vals",
                     gb_list(value, 2 * COLUMNS + 1));
}
