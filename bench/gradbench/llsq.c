/* llsq.c — ½ Σᵢ (sign tᵢ − Σⱼ xⱼ tᵢʲ)², tᵢ = −1 + 2i/(n − 1), and its gradient by x. */
#include "tape.h"

/* 1, t, t², … : each doubling multiplies all there are by one power. */
static ad_var powers(ad_var t, int64_t count)
{
    ad_var one = ad_lift(ad_axis_of(t), ad_constant(t.tape, 1)), all = ad_stack(&one, 1), top = t;
    for (int64_t n = 1; n < count; n *= 2, top = ad_square(top)) {
        int64_t more = count - n < n ? count - n : n;
        all = ad_concat(all, ad_mul(ad_slice(all, 0, 0, more), top), 0);
    }
    return all;
}

static ad_var objective(gb_run *r, ad_var *x)
{
    int64_t m = gb_length(r, "x", 0), n = gb_whole(r, "n");
    if (m < 1 || n < 2) gb_fail(r, "n >= 2 and an x that is not empty are wanted");
    double *at = gb_memory(r, (size_t)n, sizeof *at);
    for (int64_t i = 0; i < n; i++) at[i] = -1 + 2 * (double)i / (double)(n - 1);
    gb_new_tape(r);
    ad_axis rows = gb_axis(r, "rows", n);
    *x = gb_parameter(r, "x", ad_vec(m), gb_numbers(r, "x", m));
    ad_var t = gb_input(r, rows, "t", ad_scalar(), at);
    ad_var rest = ad_sub(ad_sign(t), ad_matmul(powers(t, m), *x));
    return ad_scale(ad_batch_sum(rows, ad_square(rest)), 0.5);
}

void gb_llsq_primal(gb_run *r)
{
    ad_var x, y = objective(r, &x);
    gb_compile(r, &y, 1);
}

void gb_llsq_gradient(gb_run *r)
{
    ad_var x, y = objective(r, &x), dx;
    ad_grad(y, &x, 1, &dx);
    gb_compile(r, &dx, 1);
}
