/* particle.c — a charge flies through the field of two others, by Euler's steps of 0.1, until it is below the axis; by
 * gradient descent the place w of one of the two is sought for which it comes through the origin. The force is a
 * gradient inside of the loop, and the descent's is one of what it leads to: each forward or reverse. The loop's length
 * is a number that a run is given: the steps down to the last above the axis, found anew where it has moved. */
#include "descent.h"
#include "tape.h"

#include <math.h>

enum { MOST_STEPS = 1000 };
#define TIME_STEP 0.1

typedef struct particle {
    double w, length, at; /* at: w as it was given */
} particle;

typedef struct field {
    ad_var charges; /* [2, 2] */
    int forward;
} field;

static ad_var potential(ad_var charges, ad_var x)
{
    return ad_sum(ad_recip(ad_sqrt(ad_sum_dims(ad_square(ad_sub(charges, x)), 2))));
}

static ad_var slope_of(const field *f, ad_var x)
{
    ad_var p = potential(f->charges, x), slope[2];
    if (!f->forward) return ad_grad(p, &x, 1, slope), slope[0];
    for (int i = 0; i < 2; i++) {
        ad_var along = ad_constant_array(x.tape, ad_vec(2), (const double[]){!i, i});
        slope[i] = ad_jvp(p, &x, &along, 1);
    }
    return ad_stack(slope, 2);
}

static void step(const ad_var *state, const ad_var *input, ad_var *next, ad_var *out, void *context)
{
    (void)input;
    (void)out;
    next[0] = ad_add(state[0], ad_scale(state[1], TIME_STEP));
    next[1] = ad_sub(state[1], ad_scale(slope_of(context, state[0]), TIME_STEP));
}

/* The square of where it crosses the axis, its derivative, and height and fall behind the last step. */
static void open(gb_run *r, int outer_forward, int inner_forward)
{
    particle *own = gb_keep(r, sizeof *own);
    own->at = gb_number(r, "w");
    own->length = 10;
    ad_tape *t = gb_new_tape(r);
    ad_var w = gb_parameter(r, "w", ad_scalar(), &own->w);
    ad_var length = gb_parameter(r, "length", ad_scalar(), &own->length);
    ad_var ten = ad_constant(t, 10), corner[4] = {ten, ad_sub(ten, w), ten, ad_constant(t, 0)};
    field f = {ad_reshape(ad_stack(corner, 4), ad_mat(2, 2)), inner_forward};
    ad_var state[2] = {ad_constant_array(t, ad_vec(2), (const double[]){0, 8}),
                       ad_constant_array(t, ad_vec(2), (const double[]){0.75, 0})}, last[2], output[4];
    ad_scan(&(ad_scan_spec){.steps = MOST_STEPS, .state = state, .states = 2, .length = length, .body = step,
                            .context = &f}, last, NULL);
    ad_var height = ad_at(last[0], 1), fall = ad_at(last[1], 1);
    output[0] = ad_square(ad_sub(ad_at(last[0], 0), ad_mul(ad_div(height, fall), ad_at(last[1], 0))));
    ad_var one = ad_constant(t, 1);
    if (outer_forward) output[1] = ad_jvp(output[0], &w, &one, 1);
    else ad_grad(output[0], &w, 1, &output[1]);
    output[2] = height;
    output[3] = fall;
    gb_compile(r, output, 4);
}

void gb_particle_ff(gb_run *r) { open(r, 1, 1); }
void gb_particle_fr(gb_run *r) { open(r, 1, 0); }
void gb_particle_rf(gb_run *r) { open(r, 0, 1); }
void gb_particle_rr(gb_run *r) { open(r, 0, 0); }

/* The last step above the axis is one that is above it, and the next is not. */
static double value_of(void *run, double w, double *slope)
{
    gb_run *r = run;
    particle *own = gb_own(r);
    own->w = w;
    for (int tries = 0; tries < 2 * MOST_STEPS; tries++) {
        gb_run_plan(r);
        double height = *gb_result(r, 2), fall = -TIME_STEP * *gb_result(r, 3);
        *slope = *gb_result(r, 1);
        if (height > 0 && height <= fall) return *gb_result(r, 0);
        double steps = fall > 0 && tries < 20 ? fabs(height / fall) : 1; /* a guess, at first */
        steps = fmin(fmax(1, ceil(steps) - 1), own->length);
        own->length = fmax(1, fmin(height > 0 ? own->length + steps : own->length - steps, MOST_STEPS));
    }
    gb_fail(r, "the particle does not come down");
}

void gb_particle_run(gb_run *r)
{
    particle *own = gb_own(r);
    own->w = gb_descend(own->at, value_of, r);
}

json_t *gb_particle_output(gb_run *r)
{
    const particle *own = gb_own(r);
    return json_real(own->w);
}
