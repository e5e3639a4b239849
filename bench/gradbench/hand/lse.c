#include "hand.h"

#include <math.h>

typedef struct lse {
    hand_answer answer;
    int64_t n;
    double *x, *slope, y;
} lse;

static void open(gb_run *r)
{
    lse *s = gb_keep(r, sizeof *s);
    s->n = gb_length(r, "x", 0);
    if (s->n < 1) gb_fail(r, "x is empty");
    s->x = gb_numbers(r, "x", s->n);
    s->slope = gb_memory(r, (size_t)s->n, sizeof *s->slope);
    s->answer.number = &s->y;
}

static void open_gradient(gb_run *r)
{
    open(r);
    lse *s = gb_own(r);
    s->answer = (hand_answer){s->slope, s->n};
}

static double most(const lse *s)
{
    double most = s->x[0];
    for (int64_t i = 1; i < s->n; i++) most = s->x[i] > most ? s->x[i] : most;
    return most;
}

static void primal(gb_run *r)
{
    lse *s = gb_own(r);
    double top = most(s), sum = 0;
    for (int64_t i = 0; i < s->n; i++) sum += exp(s->x[i] - top);
    s->y = top + log(sum);
}

static void gradient(gb_run *r)
{
    lse *s = gb_own(r);
    double top = most(s), sum = 0;
    for (int64_t i = 0; i < s->n; i++) sum += s->slope[i] = exp(s->x[i] - top);
    for (int64_t i = 0; i < s->n; i++) s->slope[i] /= sum;
}

const gb_function hand_lse[2] = {
    {"lse", "primal", open, primal, hand_output},
    {"lse", "gradient", open_gradient, gradient, hand_output},
};
