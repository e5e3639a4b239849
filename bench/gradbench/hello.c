/* hello.c — x², and its derivative. */
#include "tape.h"

static ad_var square(gb_run *r, ad_var *x)
{
    double *number = gb_memory(r, 1, sizeof *number);
    *number = gb_number(r, "");
    gb_new_tape(r);
    *x = gb_parameter(r, "x", ad_scalar(), number);
    return ad_square(*x);
}

void gb_hello_square(gb_run *r)
{
    ad_var x, y = square(r, &x);
    gb_compile(r, &y, 1);
}

void gb_hello_double(gb_run *r)
{
    ad_var x, y = square(r, &x), dx;
    ad_grad(y, &x, 1, &dx);
    gb_compile(r, &dx, 1);
}
