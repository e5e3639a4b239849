#include "hand.h"

#include <math.h>
#include <string.h>

typedef struct kmeans {
    hand_answer answer;
    int64_t n, k, d;
    double *point, *centroid, *sum, *step, cost;
    int64_t *members;
} kmeans;

static void open(gb_run *r)
{
    kmeans *s = gb_keep(r, sizeof *s);
    s->n = gb_length(r, "points", 0);
    s->d = gb_length(r, "points", 1);
    s->k = gb_length(r, "centroids", 0);
    if (s->n < 1 || s->d < 1 || s->k < 1) gb_fail(r, "there are no points or no centroids");
    size_t count = (size_t)(s->k * s->d);
    s->point = gb_numbers(r, "points", s->n * s->d);
    s->centroid = gb_numbers(r, "centroids", s->k * s->d);
    s->sum = gb_memory(r, count, sizeof *s->sum);
    s->step = gb_memory(r, count, sizeof *s->step);
    s->members = gb_memory(r, (size_t)s->k, sizeof *s->members);
    s->answer.number = &s->cost;
}

static double nearest(const kmeans *s, const double *x, int64_t *which)
{
    double least = INFINITY;
    for (int64_t j = 0; j < s->k; j++) {
        const double *c = s->centroid + j * s->d;
        double distance = 0;
        for (int64_t i = 0; i < s->d; i++) distance += (x[i] - c[i]) * (x[i] - c[i]);
        if (distance < least) least = distance, *which = j;
    }
    return least;
}

static void cost(gb_run *r)
{
    kmeans *s = gb_own(r);
    int64_t which = 0;
    s->cost = 0;
    for (int64_t i = 0; i < s->n; i++) s->cost += nearest(s, s->point + i * s->d, &which);
}

/* A gradient of 2(members · centroid − sum) over a Hessian of 2 · members. */
static void dir(gb_run *r)
{
    kmeans *s = gb_own(r);
    memset(s->sum, 0, sizeof *s->sum * (size_t)(s->k * s->d));
    memset(s->members, 0, sizeof *s->members * (size_t)s->k);
    for (int64_t i = 0; i < s->n; i++) {
        const double *x = s->point + i * s->d;
        int64_t which = 0;
        nearest(s, x, &which);
        s->members[which]++;
        for (int64_t l = 0; l < s->d; l++) s->sum[which * s->d + l] += x[l];
    }
    for (int64_t j = 0; j < s->k * s->d; j++) s->step[j] = s->centroid[j] - s->sum[j] / (double)s->members[j / s->d];
}

static json_t *step_output(gb_run *r)
{
    const kmeans *s = gb_own(r);
    ad_shape shape = ad_mat(s->k, s->d);
    return gb_nested(s->step, &shape);
}

const gb_function hand_kmeans[2] = {
    {"kmeans", "cost", open, cost, hand_output},
    {"kmeans", "dir", open, dir, step_output},
};
