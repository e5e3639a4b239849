/* ode.c — s steps of the classical Runge-Kutta method from t = 0 to 2 for y₀' = x₀, yᵢ' = xᵢ yᵢ₋₁, y(0) = 0; and the
 * gradient of the last yᵢ by x. The state is (1, y): with it the right side is x times all but the last of it, which
 * takes no copy. */
#include "tape.h"

typedef struct step_of {
    ad_var half; /* h x/2 */
    int64_t n;
} step_of;

/* (0, c·h·f(y)) where by = c·h·x. */
static ad_var slope(const step_of *o, ad_var by, ad_var y)
{
    return ad_pad(ad_mul(by, ad_slice(y, 0, 0, o->n)), 0, 1, 0);
}

/* With the four slopes k: y + h(k₁ + 2k₂ + 2k₃ + k₄)/6. */
static void step(const ad_var *state, const ad_var *input, ad_var *next, ad_var *out, void *context)
{
    const step_of *o = context;
    ad_var y = *state, k[4];
    (void)input;
    (void)out;
    k[0] = slope(o, o->half, y);
    k[1] = slope(o, o->half, ad_add(y, k[0]));
    k[2] = slope(o, ad_scale(o->half, 2), ad_add(y, k[1]));
    k[3] = slope(o, o->half, ad_add(y, k[2]));
    ad_var weight = ad_constant_array(y.tape, ad_vec(4), (const double[]){1.0 / 3, 2.0 / 3, 1.0 / 3, 1.0 / 3});
    *next = ad_add(y, ad_matmul(weight, ad_stack(k, 4)));
}

static ad_var solve(gb_run *r, ad_var *x)
{
    int64_t n = gb_length(r, "x", 0), s = gb_whole(r, "s");
    if (n < 2 || s < 1) gb_fail(r, "x of two numbers and s >= 1 are wanted");
    ad_tape *t = gb_new_tape(r);
    *x = gb_parameter(r, "x", ad_vec(n), gb_numbers(r, "x", n));
    ad_var first = ad_pad(ad_expand(ad_constant(t, 1), ad_vec(1)), 0, 0, n), last;
    step_of context = {ad_scale(*x, 1 / (double)s), n};
    ad_scan(&(ad_scan_spec){.steps = s, .state = &first, .states = 1, .store_bytes = 1 << 30, .body = step,
                            .context = &context}, &last, NULL);
    return ad_slice(last, 0, 1, n);
}

void gb_ode_primal(gb_run *r)
{
    ad_var x, y = solve(r, &x);
    gb_compile(r, &y, 1);
}

void gb_ode_gradient(gb_run *r)
{
    ad_var x, y = solve(r, &x), dx;
    ad_grad(ad_at(y, ad_shape_of(y).dim[0] - 1), &x, 1, &dx);
    gb_compile(r, &dx, 1);
}
