#include "ht_input.h"

/* Fingers have four bones after the wrist, of which the first three bend, and the first to the side as well. */
int64_t ht_angle(int64_t bone, int angle)
{
    int64_t finger = (bone - 2) / 4, joint = (bone - 2) % 4;
    if (bone < 2 || finger >= HT_FINGERS || joint == 3 || angle == 2 || (angle == 1 && joint)) return HT_THETA;
    return 6 + 4 * finger + (joint ? joint + 1 : angle);
}

static void read_model(gb_run *r, ht_input *in)
{
    in->bones = gb_length(r, "data.model.parents", 0);
    in->points = gb_length(r, "data.correspondences", 0);
    in->corners = gb_length(r, "us", 0) > 0 ? 3 : 1;
    in->mirrored = gb_flag(r, "data.model.is_mirrored");
    if (in->bones < 1 || in->points < 1) gb_fail(r, "there are no bones or no points");
    in->theta = gb_numbers(r, "theta", HT_THETA);
    in->us = in->corners == 3 ? gb_numbers(r, "us", 2 * in->points) : NULL;
    in->parent = gb_numbers(r, "data.model.parents", in->bones);
    in->relative = gb_numbers(r, "data.model.base_relatives", 16 * in->bones);
    in->inverse = gb_numbers(r, "data.model.inverse_base_absolutes", 16 * in->bones);
    in->measured = gb_numbers(r, "data.points", 3 * in->points);
    for (int64_t b = 0; b < in->bones; b++)
        if (!(in->parent[b] >= -1 && in->parent[b] < b)) gb_fail(r, "a bone's parent does not come before it");
}

static int64_t place(gb_run *r, double number, int64_t count)
{
    if (!(number >= 0 && number < count)) gb_fail(r, "a vertex or triangle is out of range");
    return (int64_t)number;
}

/* Which vertices the points read, renumbered by those that are read at all. */
void ht_read(gb_run *r, ht_input *in)
{
    read_model(r, in);
    int64_t all = gb_length(r, "data.model.base_positions", 0), triangles = gb_length(r, "data.model.triangles", 0);
    double *base = gb_numbers(r, "data.model.base_positions", 4 * all);
    double *weight = gb_numbers(r, "data.model.weights", in->bones * all);
    double *triangle = gb_numbers(r, "data.model.triangles", 3 * triangles);
    double *of = gb_numbers(r, "data.correspondences", in->points);
    int64_t *number = gb_memory(r, (size_t)all, sizeof *number), *used = gb_memory(r, (size_t)all, sizeof *used);
    for (int c = 0; c < in->corners; c++) {
        in->corner[c] = gb_memory(r, (size_t)in->points, sizeof(double));
        for (int64_t k = 0; k < in->points; k++) {
            int64_t t = in->corners == 3 ? place(r, of[k], triangles) : 0;
            int64_t v = place(r, in->corners == 3 ? triangle[3 * t + c] : of[k], all);
            if (!number[v]) used[in->vertices] = v, number[v] = ++in->vertices;
            in->corner[c][k] = (double)(number[v] - 1);
        }
    }
    in->base = gb_memory(r, (size_t)(4 * in->vertices), sizeof(double));
    in->weight = gb_memory(r, (size_t)(in->bones * in->vertices), sizeof(double));
    for (int64_t k = 0; k < in->vertices; k++) {
        for (int64_t j = 0; j < 4; j++) in->base[4 * k + j] = base[4 * used[k] + j];
        for (int64_t b = 0; b < in->bones; b++) in->weight[k * in->bones + b] = weight[used[k] * in->bones + b];
    }
}
