/* The gradient is the adjoint of the Runge-Kutta steps, from the states of all of them. (Of this equation the solution
 * is known, and with it a gradient without any steps: that would not be a derivative of the program.) */
#include "hand.h"

#include <string.h>

typedef struct ode {
    hand_answer answer;
    int64_t n, s;
    double *x, *state, *k[4], *at; /* state: [s + 1, n] for the gradient, else [n] */
    double *bar, *k_bar[4], *at_bar, *x_bar;
} ode;

static double *numbers(gb_run *r, int64_t n) { return gb_memory(r, (size_t)n, sizeof(double)); }

static ode *read(gb_run *r, int64_t states)
{
    ode *o = gb_keep(r, sizeof *o);
    o->n = gb_length(r, "x", 0);
    o->s = gb_whole(r, "s");
    if (o->n < 2 || o->s < 1) gb_fail(r, "x of two numbers and s >= 1 are wanted");
    o->x = gb_numbers(r, "x", o->n);
    o->state = numbers(r, o->n * (states ? o->s + 1 : 1));
    for (int i = 0; i < 4; i++) o->k[i] = numbers(r, o->n);
    o->at = numbers(r, o->n);
    o->answer = (hand_answer){o->state, o->n};
    return o;
}

static void open(gb_run *r) { read(r, 0); }

static void open_gradient(gb_run *r)
{
    ode *o = read(r, 1);
    for (int i = 0; i < 4; i++) o->k_bar[i] = numbers(r, o->n);
    o->bar = numbers(r, o->n);
    o->at_bar = numbers(r, o->n);
    o->x_bar = numbers(r, o->n);
    o->answer.number = o->x_bar;
}

static void slope(int64_t n, const double *restrict x, const double *restrict y, double *restrict k)
{
    k[0] = x[0];
    for (int64_t i = 1; i < n; i++) k[i] = x[i] * y[i - 1];
}

static void move(int64_t n, const double *restrict y, double h, const double *restrict k, double *restrict at)
{
    for (int64_t i = 0; i < n; i++) at[i] = y[i] + h * k[i];
}

static void slopes(ode *o, const double *y, double h)
{
    slope(o->n, o->x, y, o->k[0]);
    for (int i = 1; i < 4; i++) {
        move(o->n, y, i < 3 ? h / 2 : h, o->k[i - 1], o->at);
        slope(o->n, o->x, o->at, o->k[i]);
    }
}

static void sum(int64_t n, double h, double *const *k, const double *y, double *next)
{
    const double *restrict a = k[0], *restrict b = k[1], *restrict c = k[2], *restrict d = k[3];
    for (int64_t i = 0; i < n; i++) next[i] = y[i] + h / 6 * (a[i] + 2 * b[i] + 2 * c[i] + d[i]);
}

static void primal(gb_run *r)
{
    ode *o = gb_own(r);
    double h = 2 / (double)o->s;
    memset(o->state, 0, sizeof *o->state * (size_t)o->n);
    for (int64_t s = 0; s < o->s; s++) {
        slopes(o, o->state, h);
        sum(o->n, h, o->k, o->state, o->state);
    }
}

/* Of k = slope(x, at): x̄ += k̄ · at, and at̄, one place to the left. */
static void slope_back(int64_t n, const double *restrict x, const double *restrict at, const double *restrict k_bar,
                       double *restrict x_bar, double *restrict at_bar)
{
    x_bar[0] += k_bar[0];
    for (int64_t i = 1; i < n; i++) x_bar[i] += k_bar[i] * at[i - 1];
    for (int64_t i = 1; i < n; i++) at_bar[i - 1] = k_bar[i] * x[i];
    at_bar[n - 1] = 0;
}

static void step_back(ode *o, const double *y, double h)
{
    int64_t n = o->n;
    double *bar = o->bar;
    slopes(o, y, h);
    for (int i = 0; i < 4; i++)
        for (int64_t j = 0; j < n; j++) o->k_bar[i][j] = h / (i == 0 || i == 3 ? 6 : 3) * bar[j];
    for (int i = 3; i >= 0; i--) {
        double by = i == 3 ? h : h / 2;
        if (i) move(n, y, by, o->k[i - 1], o->at);
        slope_back(n, o->x, i ? o->at : y, o->k_bar[i], o->x_bar, o->at_bar);
        for (int64_t j = 0; j < n; j++) bar[j] += o->at_bar[j];
        for (int64_t j = 0; i && j < n; j++) o->k_bar[i - 1][j] += by * o->at_bar[j];
    }
}

static void gradient(gb_run *r)
{
    ode *o = gb_own(r);
    double h = 2 / (double)o->s;
    size_t bytes = sizeof *o->bar * (size_t)o->n;
    memset(o->state, 0, bytes);
    for (int64_t s = 0; s < o->s; s++) {
        const double *y = o->state + s * o->n;
        slopes(o, y, h);
        sum(o->n, h, o->k, y, o->state + (s + 1) * o->n);
    }
    memset(o->bar, 0, bytes);
    memset(o->x_bar, 0, bytes);
    o->bar[o->n - 1] = 1;
    for (int64_t s = o->s - 1; s >= 0; s--) step_back(o, o->state + s * o->n, h);
}

const gb_function hand_ode[2] = {
    {"ode", "primal", open, primal, hand_output},
    {"ode", "gradient", open_gradient, gradient, hand_output},
};
