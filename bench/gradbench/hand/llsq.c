#include "hand.h"

#include <string.h>

typedef struct llsq {
    hand_answer answer;
    int64_t n, m;
    double *x, *slope, y;
} llsq;

static void open(gb_run *r)
{
    llsq *s = gb_keep(r, sizeof *s);
    s->m = gb_length(r, "x", 0);
    s->n = gb_whole(r, "n");
    if (s->m < 1 || s->n < 2) gb_fail(r, "n >= 2 and an x that is not empty are wanted");
    s->x = gb_numbers(r, "x", s->m);
    s->slope = gb_memory(r, (size_t)s->m, sizeof *s->slope);
    s->answer.number = &s->y;
}

static void open_gradient(gb_run *r)
{
    open(r);
    llsq *s = gb_own(r);
    s->answer = (hand_answer){s->slope, s->m};
}

static double place(const llsq *s, int64_t i) { return -1 + 2 * (double)i / (double)(s->n - 1); }

static double rest_at(const llsq *s, double t)
{
    double rest = (t > 0) - (t < 0), power = 1;
    for (int64_t j = 0; j < s->m; j++, power *= t) rest -= s->x[j] * power;
    return rest;
}

static void primal(gb_run *r)
{
    llsq *s = gb_own(r);
    double sum = 0;
    for (int64_t i = 0; i < s->n; i++) {
        double rest = rest_at(s, place(s, i));
        sum += rest * rest;
    }
    s->y = sum / 2;
}

static void gradient(gb_run *r)
{
    llsq *s = gb_own(r);
    memset(s->slope, 0, sizeof *s->slope * (size_t)s->m);
    for (int64_t i = 0; i < s->n; i++) {
        double t = place(s, i), term = rest_at(s, t);
        for (int64_t j = 0; j < s->m; j++, term *= t) s->slope[j] -= term;
    }
}

const gb_function hand_llsq[2] = {
    {"llsq", "primal", open, primal, hand_output},
    {"llsq", "gradient", open_gradient, gradient, hand_output},
};
