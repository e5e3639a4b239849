#include "hand_training.h"

#include <omp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- Memory ---- */

void *NAME(hand_array)(hand_training *t, int64_t bytes)
{
    void *array = t->arrays < HAND_MOST_ARRAYS ? aligned_alloc(64, (size_t)(bytes + 64) / 64 * 64) : NULL;
    if (!array) return t->out_of_memory = 1, NULL;
    return t->array[t->arrays++] = array;
}

REAL *NAME(hand_reals)(hand_training *t, int64_t count)
{
    return NAME(hand_array)(t, count * (int64_t)sizeof(REAL));
}

static int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }

static void make_part(hand_training *t, int thread)
{
    hand_part *p = &t->part[thread];
    p->data = t->rows * (thread + 1) / t->threads - t->rows * thread / t->threads;
    p->noise = t->recipe->noise ? p->data : 0;
    int64_t rows = p->data + p->noise, most = HAND_MOST_BLOCK / t->rows_a_sample;
    p->block = p->capacity = least(rows, most ? most : 1);
    int64_t kept = t->recipe->keep ? rows : p->capacity;
    p->points = NAME(hand_reals)(t, rows * t->net.dim);
    p->log_q = NAME(hand_reals)(t, rows);
    p->energy = NAME(hand_reals)(t, rows);
    p->weight = NAME(hand_reals)(t, rows);
    for (int l = 0; l < t->net.layers; l++) {
        p->activations.a[l] = NAME(hand_reals)(t, kept * t->net.width);
        p->activations.slope[l] = NAME(hand_reals)(t, kept * t->net.width);
    }
    p->delta = NAME(hand_reals)(t, p->capacity * t->net.width);
    p->other = NAME(hand_reals)(t, p->capacity * t->net.width);
    p->gradient = NAME(hand_reals)(t, t->net.size);
    NAME(hand_random_start)(&p->random, (uint64_t)thread + 1);
    if (t->recipe->prepare) t->recipe->prepare(t, p);
}

/* ---- The numbers of the file ---- */

/* The thread's share of the tensor's rows, each of `width` numbers. */
static int load_rows(hand_training *t, int thread, peer_request *r, const char *name, int64_t width, REAL *to)
{
    ad_shape shape;
    const double *from = peer_tensor(r, name, &shape);
    if (!from) return 0;
    if (ad_shape_count(&shape) != t->rows * width)
        return snprintf(r->reason, sizeof r->reason, "%s: wrong size", name), 0;
    from += t->rows * thread / t->threads * width;
    for (int64_t i = 0; i < t->part[thread].data * width; i++) to[i] = (REAL)from[i];
    return 1;
}

static int load(hand_training *t, peer_request *r)
{
    int64_t dim = t->net.dim;
    for (int thread = 0; thread < t->threads; thread++) {
        hand_part *p = &t->part[thread];
        if (!load_rows(t, thread, r, "x", dim, p->points)) return 0;
        if (p->noise && !load_rows(t, thread, r, "y", dim, p->points + p->data * dim)) return 0;
        if (t->recipe->log_q && !load_rows(t, thread, r, "log_q", 1, p->log_q + p->data)) return 0;
    }
    t->steps = 0;
    memset(t->first, 0, sizeof(REAL) * (size_t)t->net.size);
    memset(t->second, 0, sizeof(REAL) * (size_t)t->net.size);
    return 1;
}

/* ---- A step ---- */

static void adam(hand_training *t, int64_t from, int64_t to)
{
    double b1 = 0.9, b2 = 0.999, n = (double)t->steps;
    REAL size = (REAL)(t->rate / (1 - pow(b1, n))), grown = (REAL)(1 / (1 - pow(b2, n)));
    REAL *restrict theta = t->theta, *restrict m = t->first, *restrict v = t->second;
    const REAL *restrict g = t->gradient;
#pragma omp simd
    for (int64_t i = from; i < to; i++) {
        m[i] = (REAL)0.9 * m[i] + (REAL)0.1 * g[i];
        v[i] = (REAL)0.999 * v[i] + (REAL)0.001 * g[i] * g[i];
        theta[i] -= size * m[i] / (FN(sqrt)(v[i] * grown) + (REAL)1e-8);
    }
}

static void add_gradients(hand_training *t, int64_t from, int64_t to)
{
    memcpy(t->gradient + from, t->part[0].gradient + from, sizeof(REAL) * (size_t)(to - from));
    for (int k = 1; k < t->threads; k++)
#pragma omp simd
        for (int64_t i = from; i < to; i++) t->gradient[i] += t->part[k].gradient[i];
}

void NAME(hand_mean)(const hand_training *t, hand_part *p)
{
    REAL each = (REAL)(1 / (double)t->rows);
    p->value /= (double)t->rows;
#pragma omp simd
    for (int64_t i = 0; i < t->net.size; i++) p->gradient[i] *= each;
}

/* One thread's share, first of the rows, then of the parameters. The barrier is nothing outside a parallel region. */
static void share(hand_training *t, int thread, int training)
{
    hand_part *p = &t->part[thread];
    if (training && t->recipe->draw) t->recipe->draw(t, p);
    if (!t->recipe->pass) return;
    p->value = 0;
    memset(p->gradient, 0, sizeof(REAL) * (size_t)t->net.size);
    t->recipe->pass(t, p);
#pragma omp barrier
    int64_t from = t->net.size * thread / t->threads, to = t->net.size * (thread + 1) / t->threads;
    add_gradients(t, from, to);
    if (training && t->recipe->adam) adam(t, from, to);
}

static void run(hand_training *t, int training)
{
    t->steps += training;
    if (t->threads == 1) {
        share(t, 0, training);
        return;
    }
#pragma omp parallel num_threads(t->threads)
    share(t, omp_get_thread_num(), training);
}

void NAME(hand_training_step)(void *problem) { run(problem, 1); }

double NAME(hand_training_answer)(void *problem, double *gradient)
{
    hand_training *t = problem;
    double value = 0;
    run(t, 0);
    for (int k = 0; k < t->threads; k++) value += t->part[k].value;
    for (int64_t i = 0; i < t->net.size; i++) gradient[i] = (double)t->gradient[i];
    return value;
}

/* ---- The best block ---- */

static double time_of_a_step(hand_training *t)
{
    double best = INFINITY;
    for (int i = 0; i < 4; i++) {
        double start = omp_get_wtime();
        run(t, 1);
        if (i) best = fmin(best, omp_get_wtime() - start); /* the first one warms up */
    }
    return best;
}

/* Doubles from 64 rows in the largest products up to all rows. What is tried is no more than some thousand rows. */
static void choose_block(hand_training *t)
{
    hand_part whole[HAND_MOST_THREADS];
    int64_t all = t->part[0].capacity, best = all, first = 64 / t->rows_a_sample;
    double least_time = INFINITY;
    memcpy(whole, t->part, sizeof whole);
    for (int k = 0; k < t->threads; k++) {
        t->part[k].data = least(whole[k].data, HAND_MOST_BLOCK);
        t->part[k].noise = least(whole[k].noise, HAND_MOST_BLOCK);
    }
    for (int64_t block = first ? first : 1;; block *= 2) {
        block = least(block, all);
        for (int k = 0; k < t->threads; k++) t->part[k].block = least(block, t->part[k].capacity);
        double time = time_of_a_step(t);
        if (time < least_time) best = block;
        least_time = fmin(least_time, time);
        if (block == all) break;
    }
    memcpy(t->part, whole, sizeof whole);
    for (int k = 0; k < t->threads; k++) t->part[k].block = least(best, t->part[k].capacity);
}

/* ---- Opening and closing ---- */

static int read_case(hand_training *t, peer_request *r)
{
    t->rows = (int64_t)peer_number(r, "rows");
    t->mean = peer_number(r, "mean");
    t->sd = peer_number(r, "sd");
    t->rate = peer_number(r, "rate");
    t->chain_steps = (int)peer_number(r, "chain_steps");
    t->chain_step = peer_number(r, "chain_step");
    t->threads = r->threads < 1 ? 1 : r->threads > HAND_MOST_THREADS ? HAND_MOST_THREADS : r->threads;
    if (t->threads > t->rows) t->threads = (int)t->rows;
    return !*r->reason && NAME(hand_network_open)(r, t->recipe->learns_log_z, &t->net, &t->theta);
}

static int fill(hand_training *t, peer_request *r)
{
    if (!read_case(t, r)) return 0;
    t->rows_a_sample = t->recipe->tangents ? t->net.dim : 1;
    t->first = NAME(hand_reals)(t, t->net.size);
    t->second = NAME(hand_reals)(t, t->net.size);
    t->gradient = NAME(hand_reals)(t, t->net.size);
    for (int k = 0; k < t->threads; k++) make_part(t, k);
    if (t->out_of_memory || !load(t, r)) return 0;
    choose_block(t);
    free(t->theta); /* trying has moved parameters and points */
    t->theta = NULL;
    return NAME(hand_network_open)(r, t->recipe->learns_log_z, &t->net, &t->theta) && load(t, r);
}

void *NAME(hand_training_open)(peer_request *r, const hand_recipe *recipe)
{
    hand_training *t = calloc(1, sizeof *t);
    if (!t) return NULL;
    t->recipe = recipe;
    if (fill(t, r)) return t;
    NAME(hand_training_close)(t);
    return NULL;
}

void NAME(hand_training_close)(void *problem)
{
    hand_training *t = problem;
    while (t->arrays) free(t->array[--t->arrays]);
    free(t->theta);
    free(t);
}
