/* shape.c — shapes of one sample's value. */
#include "tape.h"

#include <stdio.h>

ad_shape ad_scalar(void) { return (ad_shape){0}; }
ad_shape ad_vec(int64_t n) { return (ad_shape){1, {n}}; }
ad_shape ad_mat(int64_t rows, int64_t cols) { return (ad_shape){2, {rows, cols}}; }
ad_shape ad_cube(int64_t a, int64_t b, int64_t c) { return (ad_shape){3, {a, b, c}}; }

int64_t ad_shape_count(const ad_shape *shape)
{
    int64_t count = 1;
    if (shape->rank < 0 || shape->rank > AD_MAX_RANK) return -1;
    for (int i = 0; i < shape->rank; i++)
        if (shape->dim[i] < 1 || !gibbs_mul_size(count, shape->dim[i], &count) || count > INT32_MAX) return -1;
    return count;
}

int64_t ad_shape_part(const ad_shape *s, int from, int to)
{
    int64_t product = 1;
    for (int i = from; i < to; i++) product *= s->dim[i];
    return product;
}

int64_t ad_count(ad_var v) { return ad_shape_count(&ad_node_of(v)->shape); }

bool ad_shape_equal(const ad_shape *a, const ad_shape *b)
{
    if (a->rank != b->rank) return false;
    for (int i = 0; i < a->rank; i++)
        if (a->dim[i] != b->dim[i]) return false;
    return true;
}

bool ad_shape_broadcast(const ad_shape *a, const ad_shape *b, ad_shape *out)
{
    ad_shape s = {.rank = a->rank > b->rank ? a->rank : b->rank};
    for (int i = 1; i <= s.rank; i++) {
        int64_t p = i <= a->rank ? a->dim[a->rank - i] : 1, q = i <= b->rank ? b->dim[b->rank - i] : 1;
        if (p != q && p != 1 && q != 1) return false;
        s.dim[s.rank - i] = p == 1 ? q : p;
    }
    *out = s;
    return true;
}

ad_shape ad_shape_prepend(int64_t n, const ad_shape *s)
{
    ad_shape out = {.rank = s->rank + 1};
    out.dim[0] = n;
    for (int i = 0; i < s->rank && i + 1 < AD_MAX_RANK; i++) out.dim[i + 1] = s->dim[i];
    return out;
}

ad_shape ad_shape_drop(const ad_shape *s, int first, int count)
{
    ad_shape out = {0};
    for (int i = 0; i < s->rank; i++)
        if (i < first || i >= first + count) out.dim[out.rank++] = s->dim[i];
    return out;
}

const char *ad_shape_text(const ad_shape *s, char *buffer, size_t size)
{
    size_t used = (size_t)snprintf(buffer, size, "[");
    for (int i = 0; i < s->rank && i < AD_MAX_RANK && used < size; i++)
        used += (size_t)snprintf(buffer + used, size - used, i ? ",%lld" : "%lld", (long long)s->dim[i]);
    if (used < size) snprintf(buffer + used, size - used, "]");
    return buffer;
}
