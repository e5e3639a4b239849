/* composed.c — what is composed of products and reductions. */
#include "op.h"

/* The square of a norm is smooth where the norm is not. */
ad_var ad_square(ad_var x)
{
    if (ad_is_null(x) || ad_node_of(x)->op != OP_norm) return ad_mul(x, x);
    ad_node norm = *ad_node_of(x);
    ad_var of = ad_input_of(x, 0);
    return ad_sum_range(OP_sum, ad_mul(of, of), norm.attr[0], norm.attr[1]);
}

ad_var ad_norm(ad_var x)
{
    ad_tape *tape;
    if (!ad_check_args("norm", &x, 1, &tape)) return ad_handle(tape, -1);
    return ad_sum_range(OP_norm, x, 0, ad_node_of(x)->shape.rank);
}

ad_var ad_quadratic_form(ad_var x, ad_var A) { return ad_matmul(ad_matmul(x, A), x); }

ad_var ad_rbm_free_energy(ad_var v, ad_var W, ad_var a, ad_var b)
{
    ad_tape *tape;
    if (!ad_check_args("rbm_free_energy", (ad_var[]){v, W, a, b}, 4, &tape)) return ad_handle(tape, -1);
    ad_var hidden = ad_sum(ad_softplus(ad_add(ad_matmul(v, W), b)));
    return ad_neg(ad_add(ad_matmul(v, a), hidden));
}

ad_var ad_log_mixture(ad_var log_weight, ad_var log_density) { return ad_logsumexp(ad_add(log_weight, log_density)); }
