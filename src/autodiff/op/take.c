/* take.c — parts of a value whose places are known while recording: lists of elements, and ranges with a step. A list
 * is a gather of rows, of which an element that lies inside has one for each that lies around it: so the adjoint is a
 * scatter, and what covers a part of a larger value is added where that lies. */
#include "op.h"

/* Whether row numbers below `rows` are numbers of the tape. */
static bool can_count(const ad_tape *tape, int64_t rows)
{
    return rows <= (tape->dtype == GIBBS_FLOAT32 ? (int64_t)1 << 24 : INT32_MAX);
}

static bool check_list(const ad_tape *tape, const int64_t *index, int64_t n, int64_t size)
{
    for (int64_t k = 0; k < n; k++)
        if (index[k] < 0 || index[k] >= size)
            return ad_fail((ad_tape *)tape, GIBBS_ARGUMENT,
                           "take: number %lld of the list, %lld, is not among the 0 … %lld of the dimension",
                           (long long)k, (long long)index[k], (long long)size - 1), false;
    return true;
}

/* The rows of [outer·size, inner] that the list picks, as a constant [outer·n]. */
static ad_var rows_of_list(ad_tape *tape, const int64_t *index, int64_t n, int64_t outer, int64_t size)
{
    double *row = gibbs_alloc(&tape->alloc, (size_t)(outer * n), sizeof *row);
    if (!row) return ad_fail(tape, GIBBS_MEMORY, "take: out of memory");
    for (int64_t o = 0; o < outer; o++)
        for (int64_t k = 0; k < n; k++) row[o * n + k] = (double)(o * size + index[k]);
    ad_var rows = ad_constant_array(tape, ad_vec(outer * n), row);
    gibbs_release(&tape->alloc, row);
    return rows;
}

static bool is_one_piece(const int64_t *index, int64_t n)
{
    for (int64_t k = 1; k < n; k++)
        if (index[k] != index[k - 1] + 1) return false;
    return true;
}

ad_var ad_take(ad_var x, const int64_t *index, int64_t n, int dim)
{
    ad_tape *tape;
    if (!ad_check_args("take", &x, 1, &tape) || !ad_check_dim("take", x, dim)) return ad_handle(tape, -1);
    if (!index || n < 1) return ad_fail(tape, GIBBS_ARGUMENT, "take: no list, or one of %lld numbers", (long long)n);
    ad_shape s = ad_node_of(x)->shape, to = s;
    int64_t outer = ad_shape_part(&s, 0, dim), size = s.dim[dim], inner = ad_shape_part(&s, dim + 1, s.rank);
    if (!check_list(tape, index, n, size)) return ad_handle(tape, -1);
    if (is_one_piece(index, n)) return ad_slice(x, dim, index[0], n);
    to.dim[dim] = n;
    if (n > INT32_MAX || ad_shape_count(&to) < 0 || !can_count(tape, outer * size))
        return ad_fail(tape, GIBBS_SIZE, "take: %lld elements of dimension %d of %lld rows are more than this type can "
                       "count; use float64, or a smaller value", (long long)n, dim, (long long)(outer * size));
    ad_var rows = rows_of_list(tape, index, n, outer, size);
    return ad_reshape(ad_gather(ad_reshape(x, ad_mat(outer * size, inner)), rows), to);
}

ad_var ad_slice_step(ad_var x, int dim, int64_t start, int64_t count, int64_t step)
{
    ad_tape *tape;
    if (!ad_check_args("slice_step", &x, 1, &tape) || !ad_check_dim("slice_step", x, dim)) return ad_handle(tape, -1);
    int64_t size = ad_node_of(x)->shape.dim[dim];
    bool inside = start >= 0 && start < size && count >= 1 && count <= size && step != 0;
    if (inside && count > 1) inside = step > 0 ? (size - 1 - start) / step >= count - 1 : -(start / step) >= count - 1;
    if (!inside)
        return ad_fail(tape, GIBBS_ARGUMENT,
                       "slice_step: %lld elements from %lld, %lld apart, do not lie in a dimension of %lld",
                       (long long)count, (long long)start, (long long)step, (long long)size);
    if (step == 1 || count == 1) return ad_slice(x, dim, start, count);
    int64_t *index = gibbs_alloc(&tape->alloc, (size_t)count, sizeof *index);
    if (!index) return ad_fail(tape, GIBBS_MEMORY, "slice_step: out of memory");
    for (int64_t k = 0; k < count; k++) index[k] = start + k * step;
    ad_var part = ad_take(x, index, count, dim);
    gibbs_release(&tape->alloc, index);
    return part;
}
