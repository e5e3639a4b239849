/* lse.c — log Σ exp xᵢ, made of a maximum, exponentials and a sum as the suite asks, and its gradient. The elements are
 * samples of an axis, so that they go through the cache in blocks. */
#include "tape.h"

static ad_var log_sum(gb_run *r, ad_var *x)
{
    int64_t n = gb_length(r, "x", 0);
    if (n < 1) gb_fail(r, "x is empty");
    gb_new_tape(r);
    ad_axis elements = gb_axis(r, "elements", n);
    *x = gb_input(r, elements, "x", ad_scalar(), gb_numbers(r, "x", n));
    ad_var most = ad_stop_gradient(ad_batch_max(elements, *x)); /* any number does */
    return ad_add(most, ad_log(ad_batch_sum(elements, ad_exp(ad_sub(*x, most)))));
}

void gb_lse_primal(gb_run *r)
{
    ad_var x, y = log_sum(r, &x);
    gb_compile(r, &y, 1);
}

void gb_lse_gradient(gb_run *r)
{
    ad_var x, y = log_sum(r, &x), dx;
    ad_grad(y, &x, 1, &dx);
    gb_compile(r, &dx, 1);
}
