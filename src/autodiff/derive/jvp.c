/* jvp.c — products with the Jacobian and with the Hessian along a direction. */
#include "derive.h"

/* v as a direction of x: of its shape, on its axis. */
static ad_var direction(ad_var v, ad_var x, int number)
{
    ad_node at = *ad_node_of(x);
    v = ad_broadcast_to(v, ad_is_shared(v) ? at.axis : -1, at.shape);
    if (ad_is_null(v) || ad_node_of(v)->axis == at.axis) return v;
    return ad_fail(x.tape, GIBBS_AXIS, "jvp: v %d is on another axis than x", number);
}

static ad_var jvp(ad_var y, const ad_var *x, const ad_var *v, int n)
{
    ad_tape *tape = y.tape;
    ad_var *along = gibbs_alloc(&tape->alloc, (size_t)(n > 0 ? n : 1), sizeof *along);
    if (!along) return ad_fail(tape, GIBBS_MEMORY, "jvp: out of memory");
    for (int i = 0; i < n && tape->error.status == GIBBS_OK; i++) along[i] = direction(v[i], x[i], i + 1);
    ad_var result = tape->error.status ? ad_handle(tape, -1) : ad_tangent_along("jvp", y, x, along, n);
    gibbs_release(&tape->alloc, along);
    return result;
}

ad_var ad_jvp(ad_var y, const ad_var *x, const ad_var *v, int n)
{
    ad_tape *tape;
    bool good = ad_check_lists("jvp", y, x, n, v, &tape) && ad_check_lists("jvp", y, v, n, x, &tape) &&
                ad_check_independent("jvp", y, x, n);
    return good ? jvp(y, x, v, n) : ad_handle(tape, -1);
}

ad_var ad_hvp(ad_var y, ad_var x, ad_var v)
{
    ad_tape *tape;
    ad_var dx;
    if (!ad_check_args("hvp", (ad_var[]){y, x, v}, 3, &tape)) return ad_handle(tape, -1);
    if (ad_grad(y, &x, 1, &dx)) return dx;
    return jvp(dx, &x, &v, 1);
}
