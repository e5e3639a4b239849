/* exec.c — the executors: what an instruction does with a block of rows. */
#include "plan.h"

#include <stdio.h>
#include <string.h>

static inline char *address(const ad_instruction *i, const ad_frame *f, int k)
{
    return f->base[i->operand[k].base] + i->operand[k].offset;
}

/* ---- Elementwise: the innermost loop is a kernel, the others are walked like an odometer ---- */

static void inner(const ad_instruction *i, const ad_frame *f, int64_t n, char *const *p, const int64_t *stride)
{
    const ad_kernels *k = f->kernels;
    if (i->run == ad_run_copy) {
        if (p[0] != p[1]) k->copy(n, p[0], p[1], stride[1]);
    }
    else if (i->nin == 2) k->binary[i->op](n, p[0], p[1], stride[1], p[2], stride[2]);
    else if (i->nin == 3) k->select(n, p[0], p[1], stride[1], p[2], stride[2], p[3], stride[3]);
    else if (stride[1] == 1) k->unary[i->op](n, p[0], p[1]);
    else {
        k->unary[i->op](1, p[0], p[1]);
        k->copy(n - 1, p[0] + k->size, p[0], 0);
    }
}

/* Where rows are short, as many as make a tile are one call: operands that do not lie tight are spread out first. */
static void inner_short(const ad_instruction *i, const ad_frame *f, const int64_t *n, char **p, const int64_t *stride,
                        const int64_t *step)
{
    enum { TILE = 512, MOST = 3 };
    static const int64_t ones[AD_OPERANDS] = {1, 1, 1, 1, 1};
    _Alignas(64) char room[MOST][TILE * sizeof(double)];
    int64_t size = (int64_t)f->kernels->size, rows = TILE / n[1];
    if (i->run == ad_run_copy) {
        f->kernels->spread(n[0], n[1], p[0], p[1], step[1] / size, stride[1]);
        return;
    }
    for (int64_t done = 0; done < n[0]; done += rows) {
        char *q[AD_OPERANDS];
        if (rows > n[0] - done) rows = n[0] - done;
        for (int k = 0; k <= i->nin; k++) {
            q[k] = p[k] + done * step[k];
            if (k == 0 || (stride[k] == 1 && step[k] == n[1] * size)) continue;
            f->kernels->spread(rows, n[1], room[k - 1], q[k], step[k] / size, stride[k]);
            q[k] = room[k - 1];
        }
        inner(i, f, rows * n[1], q, ones);
    }
}

/* The loop around the innermost one, without the odometer. */
static void inner_two(const ad_instruction *i, const ad_frame *f, const int64_t *n, char **p, const int64_t *stride,
                      const int64_t *step)
{
    enum { SHORT = 24 };
    char *q[AD_OPERANDS];
    bool tight = stride[0] == 1 && step[0] == n[1] * (int64_t)f->kernels->size;
    if (n[1] <= SHORT && n[0] > 1 && tight && i->nin <= 3) {
        inner_short(i, f, n, p, stride, step);
        return;
    }
    memcpy(q, p, sizeof q);
    for (int64_t j = 0; j < n[0]; j++) {
        inner(i, f, n[1], q, stride);
        for (int k = 0; k <= i->nin; k++) q[k] += step[k];
    }
}

static void walk(const ad_instruction *i, const ad_frame *f)
{
    const ad_loops *l = &i->loops;
    int last = l->count - 1, operands = i->nin + 1;
    int64_t size = (int64_t)f->kernels->size, n[AD_MAX_LOOPS + 1], at[AD_MAX_LOOPS] = {0};
    int64_t stride[AD_OPERANDS] = {0}, step[AD_OPERANDS] = {0};
    char *p[AD_OPERANDS] = {NULL};
    for (int d = 0; d <= last; d++) n[d] = d == l->rows ? l->n[d] * f->rows * i->factor : l->n[d];
    for (int k = 0; k < operands; k++) {
        p[k] = address(i, f, k);
        stride[k] = l->stride[k][last];
        step[k] = last > 0 ? l->stride[k][last - 1] * size : 0;
    }
    if (last == 0) {
        inner(i, f, n[0], p, stride);
        return;
    }
    for (;;) {
        inner_two(i, f, n + last - 1, p, stride, step);
        int d = last - 2;
        for (; d >= 0; d--) {
            for (int k = 0; k < operands; k++) p[k] += l->stride[k][d] * size;
            if (++at[d] < n[d]) break;
            at[d] = 0;
            for (int k = 0; k < operands; k++) p[k] -= n[d] * l->stride[k][d] * size;
        }
        if (d < 0) return;
    }
}

gibbs_status ad_run_elementwise(const ad_instruction *i, ad_frame *f)
{
    walk(i, f);
    return GIBBS_OK;
}

gibbs_status ad_run_copy(const ad_instruction *i, ad_frame *f)
{
    walk(i, f);
    return GIBBS_OK;
}

/* dim: the operands that are softplus, sigmoid and its slope; −1 for none */
gibbs_status ad_run_logistic(const ad_instruction *i, ad_frame *f)
{
    void *to[3];
    for (int k = 0; k < 3; k++) to[k] = i->dim[k] < 0 ? NULL : address(i, f, (int)i->dim[k]);
    f->kernels->logistic(f->rows * i->factor * i->count, to, address(i, f, 1));
    return GIBBS_OK;
}

/* ---- Products ---- */

/* One product for all rows where the right factor is shared and the left one's rows simply follow each other; else one
 * for each row and leading index. Operand 3 is what the rows of the result start from. */
gibbs_status ad_run_matmul(const ad_instruction *i, ad_frame *f)
{
    int64_t L = i->dim[0], m = i->dim[1], n = i->dim[2], k = i->dim[3], rows = f->rows * i->factor;
    const char *a = address(i, f, 1), *b = address(i, f, 2), *start = i->adds ? address(i, f, 3) : NULL;
    char *c = address(i, f, 0);
    int64_t size = (int64_t)f->kernels->size;
    if (i->operand[2].row_stride == 0 && i->operand[1].row_stride && L == 1 && (!i->ta || m == 1)) {
        f->kernels->matmul(false, i->tb, rows * m, n, k, a, b, start, c);
        return GIBBS_OK;
    }
    int64_t step_a = i->dim[4] == 1 ? 0 : m * k * size, step_b = i->dim[5] == 1 ? 0 : k * n * size;
    bool in_place = start == c;
    for (int64_t r = 0; r < rows; r++)
        for (int64_t l = 0; l < L; l++, c += m * n * size)
            f->kernels->matmul(i->ta, i->tb, m, n, k, a + r * i->operand[1].row_stride * size + l * step_a,
                               b + r * i->operand[2].row_stride * size + l * step_b, in_place ? c : start, c);
    return GIBBS_OK;
}

/* The first shard adds up in the result itself, operand 3. dim: k, m, n, whether a product before this one has begun
 * the other shards' accumulator. */
gibbs_status ad_run_batch_matmul(const ad_instruction *i, ad_frame *f)
{
    bool begun = f->first_shard ? i->adds : i->dim[3];
    char *c = address(i, f, f->first_shard ? 3 : 0);
    f->kernels->matmul(true, false, i->dim[1], i->dim[2], f->rows * i->factor * i->dim[0], address(i, f, 1),
                       address(i, f, 2), begun || !f->first ? c : NULL, c);
    return GIBBS_OK;
}

/* ---- Reductions ---- */

gibbs_status ad_run_reduce(const ad_instruction *i, ad_frame *f)
{
    const ad_kernels *k = f->kernels;
    int64_t outer = f->rows * i->factor * i->dim[0];
    (i->op == OP_sum ? k->sum : i->op == OP_max_reduce ? k->max : k->logsumexp)(outer, i->dim[1], i->dim[2],
                                                                                address(i, f, 0), address(i, f, 1));
    return GIBBS_OK;
}

gibbs_status ad_run_accumulate(const ad_instruction *i, ad_frame *f)
{
    const ad_kernels *k = f->kernels;
    double *acc = (double *)address(i, f, 0);
    (i->op == OP_batch_sum ? k->batch_sum : i->op == OP_batch_max ? k->batch_max : k->batch_logsumexp)(
        f->rows * i->factor, i->count, address(i, f, 1), acc, f->first);
    return GIBBS_OK;
}

/* ---- Leaves ---- */

gibbs_status ad_run_random(const ad_instruction *i, ad_frame *f)
{
    uint64_t key[2] = {f->seed, i->stream};
    uint64_t row0 = (uint64_t)(f->row0 * i->factor);
    (i->op == OP_normal ? f->kernels->normal : f->kernels->uniform)(f->rows * i->factor, i->count, address(i, f, 0),
                                                                    row0, key, f->step);
    return GIBBS_OK;
}

/* dim: the root axis, elements for each of the root's */
gibbs_status ad_run_count(const ad_instruction *i, ad_frame *f)
{
    double count = (double)(f->axis_rows[i->dim[0]] * i->dim[1]);
    f->kernels->from_double(1, address(i, f, 0), &count);
    return GIBBS_OK;
}

/* ---- Moving elements ---- */

static const char *row_of(const ad_instruction *i, const ad_frame *f, int k, int64_t r)
{
    return address(i, f, k) + r * i->operand[k].row_stride * (int64_t)f->kernels->size;
}

/* dim: outer, numbers before, numbers of the argument, numbers after */
gibbs_status ad_run_pad(const ad_instruction *i, ad_frame *f)
{
    int64_t size = (int64_t)f->kernels->size, outer = i->dim[0];
    size_t before = (size_t)(i->dim[1] * size), own = (size_t)(i->dim[2] * size), after = (size_t)(i->dim[3] * size);
    char *y = address(i, f, 0);
    for (int64_t r = 0; r < f->rows * i->factor; r++) {
        const char *x = row_of(i, f, 1, r);
        for (int64_t o = 0; o < outer; o++, x += own, y += before + own + after) {
            memset(y, 0, before);
            memcpy(y + before, x, own);
            memset(y + before + own, 0, after);
        }
    }
    return GIBBS_OK;
}

/* dim: outer, numbers of a, numbers of b */
gibbs_status ad_run_concat(const ad_instruction *i, ad_frame *f)
{
    int64_t size = (int64_t)f->kernels->size, outer = i->dim[0];
    size_t first = (size_t)(i->dim[1] * size), second = (size_t)(i->dim[2] * size);
    char *y = address(i, f, 0);
    for (int64_t r = 0; r < f->rows * i->factor; r++) {
        const char *a = row_of(i, f, 1, r), *b = row_of(i, f, 2, r);
        for (int64_t o = 0; o < outer; o++, a += first, b += second, y += first + second) {
            memcpy(y, a, first);
            memcpy(y + first, b, second);
        }
    }
    return GIBBS_OK;
}

/* Number k of the index, a whole number in [0, n); or −1 with a sentence about that row of that axis. */
static int64_t index_at(const ad_instruction *i, ad_frame *f, const char *index, int64_t k, int64_t n, int64_t axis,
                        int64_t row)
{
    double v = f->kernels->get(index, k);
    int64_t at = v >= 0 && v < (double)n ? (int64_t)v : -1;
    if (at >= 0 && (double)at == v) return at;
    gibbs_fail(f->error, GIBBS_DATA, "%s (node %d): index %g at row %lld is no whole number from 0 to %lld",
               ad_ops[i->op].name, i->node, v, (long long)row, (long long)n - 1);
    if (f->error && axis >= 0) f->error->row = row, f->error->axis = (int32_t)axis;
    return -1;
}

/* dim: rows of the table, numbers of one, indices a sample */
gibbs_status ad_run_gather(const ad_instruction *i, ad_frame *f)
{
    size_t bytes = (size_t)i->dim[1] * f->kernels->size;
    char *y = address(i, f, 0);
    for (int64_t r = 0; r < f->rows * i->factor; r++) {
        const char *x = row_of(i, f, 1, r), *index = row_of(i, f, 2, r);
        for (int64_t k = 0; k < i->dim[2]; k++, y += bytes) {
            int64_t at = index_at(i, f, index, k, i->dim[0], i->axis, f->row0 * i->factor + r);
            if (at < 0) return GIBBS_DATA;
            memcpy(y, x + (size_t)at * bytes, bytes);
        }
    }
    return GIBBS_OK;
}

/* dim: rows of the table, numbers of one that are added, indices a sample, numbers from one row to the next */
gibbs_status ad_run_scatter(const ad_instruction *i, ad_frame *f)
{
    size_t size = f->kernels->size, step = (size_t)i->dim[3] * size, own = (size_t)i->dim[1] * size;
    char *y = address(i, f, 0);
    int64_t samples = f->rows * i->factor, rows = samples * i->dim[0];
    if (own == step) memset(y, 0, (size_t)rows * step);
    else
        for (int64_t r = 0; r < rows; r++) memset(y + (size_t)r * step, 0, own);
    for (int64_t r = 0; r < samples; r++, y += (size_t)i->dim[0] * step) {
        const char *g = row_of(i, f, 1, r), *index = row_of(i, f, 2, r);
        for (int64_t k = 0; k < i->dim[2]; k++, g += step) {
            int64_t at = index_at(i, f, index, k, i->dim[0], i->axis, f->row0 * i->factor + r);
            if (at < 0) return GIBBS_DATA;
            char *to = y + (size_t)at * step;
            f->kernels->binary[OP_add](i->dim[1], to, to, 1, g, 1);
        }
    }
    return GIBBS_OK;
}

/* dim: root axis of the table, its factor. The table is read from the start of its slot. */
gibbs_status ad_run_batch_gather(const ad_instruction *i, ad_frame *f)
{
    size_t bytes = (size_t)i->count * f->kernels->size;
    const char *table = f->start[i->operand[1].base] + i->operand[1].offset, *index = address(i, f, 2);
    int64_t n = f->axis_rows[i->dim[0]] * i->dim[1];
    char *y = address(i, f, 0);
    for (int64_t r = 0; r < f->rows * i->factor; r++, y += bytes) {
        int64_t at = index_at(i, f, index, r * (i->operand[2].row_stride ? 1 : 0), n, i->axis, f->row0 * i->factor + r);
        if (at < 0) return GIBBS_DATA;
        memcpy(y, table + (size_t)at * bytes, bytes);
    }
    return GIBBS_OK;
}

/* dim: root axis of the table, its factor, root axis of the terms, its factor, axis of the terms. Runs once, outside
 * bodies. */
gibbs_status ad_run_batch_scatter(const ad_instruction *i, ad_frame *f)
{
    size_t bytes = (size_t)i->count * f->kernels->size;
    char *y = address(i, f, 0);
    const char *g = address(i, f, 1), *index = address(i, f, 2);
    int64_t n = f->axis_rows[i->dim[0]] * i->dim[1], rows = f->axis_rows[i->dim[2]] * i->dim[3];
    memset(y, 0, (size_t)n * bytes);
    for (int64_t r = 0; r < rows; r++, g += bytes) {
        int64_t at = index_at(i, f, index, r, n, i->dim[4], r);
        if (at < 0) return GIBBS_DATA;
        char *to = y + (size_t)at * bytes;
        f->kernels->binary[OP_add](i->count, to, to, 1, g, 1);
    }
    return GIBBS_OK;
}

gibbs_status ad_run_user(const ad_instruction *i, ad_frame *f)
{
    const void *in[AD_MAX_ARGUMENTS];
    int shared[AD_MAX_ARGUMENTS];
    for (int k = 0; k < i->nin; k++) {
        in[k] = address(i, f, k + 1);
        shared[k] = i->operand[k + 1].row_stride == 0;
    }
    i->user->kernel(i->user->context, f->plan->dtype, f->rows * i->factor, in, shared, address(i, f, 0));
    return GIBBS_OK;
}
