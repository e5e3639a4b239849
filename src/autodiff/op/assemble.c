/* assemble.c — elements taken out of a value, and lists of values put together: slices, reshapes and joins. */
#include "op.h"

/* ---- Elements ---- */

/* The element at index[0 … rank − 1], as a scalar: a slice a dimension. */
static ad_var element(const char *op, ad_var x, int rank, const int64_t *index)
{
    ad_tape *tape;
    char text[AD_SHAPE_TEXT];
    if (!ad_check_args(op, &x, 1, &tape)) return ad_handle(tape, -1);
    ad_shape own = ad_node_of(x)->shape;
    ad_shape_text(&own, text, sizeof text);
    if (own.rank != rank)
        return ad_fail(tape, GIBBS_SHAPE, "%s: needs a %s, got the shape %s%s", op, rank == 1 ? "vector" : "matrix",
                       text, rank == 1 && own.rank == 2 ? " (ad_at2 is for matrices)" : "");
    for (int k = 0; k < rank; k++)
        if (index[k] < 0 || index[k] >= own.dim[k])
            return ad_fail(tape, GIBBS_ARGUMENT,
                           "%s: index %lld of dimension %d is not among the 0 … %lld of the shape %s", op,
                           (long long)index[k], k, (long long)own.dim[k] - 1, text);
    for (int k = 0; k < rank; k++) x = ad_slice(x, k, index[k], 1);
    return ad_reshape(x, ad_scalar());
}

ad_var ad_at(ad_var x, int64_t i) { return element("at", x, 1, &i); }
ad_var ad_at2(ad_var x, int64_t i, int64_t j) { return element("at2", x, 2, (int64_t[]){i, j}); }

/* ---- Lists ---- */

/* True when all values fit the first one: equal shapes but for dimension `dim` (−1: in all). */
static bool check_list(const char *op, const ad_var *x, int n, int dim, ad_tape **tape)
{
    *tape = NULL;
    if (!x || n < 1 || !ad_check_args(op, x, n, tape)) return false;
    char a[AD_SHAPE_TEXT], b[AD_SHAPE_TEXT];
    ad_shape first = ad_node_of(x[0])->shape;
    for (int k = 1; k < n; k++) {
        ad_shape own = ad_node_of(x[k])->shape;
        bool fits = own.rank == first.rank;
        for (int i = 0; fits && i < own.rank; i++) fits = i == dim || own.dim[i] == first.dim[i];
        if (fits) continue;
        ad_fail(*tape, GIBBS_SHAPE, "%s: value %d has the shape %s, which does not fit that of value 0, %s", op, k,
                ad_shape_text(&own, a, sizeof a), ad_shape_text(&first, b, sizeof b));
        return false;
    }
    return true;
}

ad_var ad_concat_all(const ad_var *x, int n, int dim)
{
    ad_tape *tape;
    if (!check_list("concat_all", x, n, dim, &tape)) return ad_handle(tape, -1);
    int rank = ad_node_of(x[0])->shape.rank;
    if (dim < 0 || dim >= rank)
        return ad_fail(tape, GIBBS_ARGUMENT, "concat_all: there is no dimension %d in %d", dim, rank);
    return ad_join(x, n, dim);
}

ad_var ad_stack_dim(const ad_var *x, int n, int dim)
{
    ad_tape *tape;
    if (!check_list("stack", x, n, -1, &tape)) return ad_handle(tape, -1);
    ad_shape own = ad_node_of(x[0])->shape, one = {.rank = own.rank + 1};
    if (own.rank == AD_MAX_RANK)
        return ad_fail(tape, GIBBS_SIZE, "stack: more than %d dimensions", AD_MAX_RANK);
    if (dim < 0 || dim > own.rank)
        return ad_fail(tape, GIBBS_ARGUMENT, "stack: a new dimension %d does not fit among %d", dim, own.rank);
    for (int i = 0; i < one.rank; i++) one.dim[i] = i == dim ? 1 : own.dim[i - (i > dim)];
    ad_var *row = gibbs_alloc(&tape->alloc, (size_t)n, sizeof *row), y = ad_handle(tape, -1);
    if (!row) return ad_fail(tape, GIBBS_MEMORY, "stack: out of memory");
    for (int k = 0; k < n; k++) row[k] = ad_reshape(x[k], one);
    if (tape->error.status == GIBBS_OK) y = ad_join(row, n, dim);
    gibbs_release(&tape->alloc, row);
    return y;
}

ad_var ad_stack(const ad_var *x, int n) { return ad_stack_dim(x, n, 0); }
