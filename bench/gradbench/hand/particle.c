/* The derivative by w goes along with the flight; the four ways of the suite are one here. */
#include "../descent.h"
#include "hand.h"

#include <math.h>

typedef struct particle {
    hand_answer answer;
    double w, end;
} particle;

static void open(gb_run *r)
{
    particle *p = gb_keep(r, sizeof *p);
    p->w = gb_number(r, "w");
    p->answer.number = &p->end;
}

/* Adds d/|d|³, and its derivative along d_dot. */
static void push(const double *d, const double *d_dot, double *a, double *a_dot)
{
    double square = d[0] * d[0] + d[1] * d[1], factor = 1 / (square * sqrt(square));
    double along = 3 * (d[0] * d_dot[0] + d[1] * d_dot[1]) / square;
    for (int i = 0; i < 2; i++) {
        a[i] += factor * d[i];
        a_dot[i] += factor * (d_dot[i] - along * d[i]);
    }
}

static double value_of(void *context, double w, double *slope)
{
    double x[2] = {0, 8}, v[2] = {0.75, 0}, x_dot[2] = {0}, v_dot[2] = {0}, h = 0.1;
    (void)context;
    while (x[1] + h * v[1] > 0) {
        double a[2] = {0}, a_dot[2] = {0};
        push((double[]){x[0] - 10, x[1] - (10 - w)}, (double[]){x_dot[0], x_dot[1] + 1}, a, a_dot);
        push((double[]){x[0] - 10, x[1]}, x_dot, a, a_dot);
        for (int i = 0; i < 2; i++) {
            x[i] += h * v[i];
            x_dot[i] += h * v_dot[i];
            v[i] += h * a[i];
            v_dot[i] += h * a_dot[i];
        }
    }
    double time = -x[1] / v[1], time_dot = -(x_dot[1] + time * v_dot[1]) / v[1], at = x[0] + time * v[0];
    *slope = 2 * at * (x_dot[0] + time_dot * v[0] + time * v_dot[0]);
    return at * at;
}

static void run(gb_run *r)
{
    particle *p = gb_own(r);
    p->end = gb_descend(p->w, value_of, NULL);
}

const gb_function hand_particle[4] = {
    {"particle", "ff", open, run, hand_output},
    {"particle", "fr", open, run, hand_output},
    {"particle", "rf", open, run, hand_output},
    {"particle", "rr", open, run, hand_output},
};
