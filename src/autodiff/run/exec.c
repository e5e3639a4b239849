/* exec.c — the executors: what an instruction does with a block of rows. */
#include "frame.h"

#include <stdio.h>
#include <string.h>

/* dim: the operands that are softplus, sigmoid and its slope; −1 for none */
gibbs_status ad_run_logistic(const ad_instruction *i, ad_frame *f)
{
    void *to[3];
    for (int k = 0; k < 3; k++) to[k] = i->dim[k] < 0 ? NULL : ad_address(i, f, (int)i->dim[k]);
    f->kernels->logistic(f->rows * i->factor * i->count, to, ad_address(i, f, 1));
    return GIBBS_OK;
}

/* ---- Products ---- */

/* One product for all rows where the right factor is shared and the left one's rows simply follow each other; else one
 * for each row and leading index. Operand 3 is what the rows of the result start from. */
gibbs_status ad_run_matmul(const ad_instruction *i, ad_frame *f)
{
    int64_t L = i->dim[0], m = i->dim[1], k = i->dim[3], rows = f->rows * i->factor, size = (int64_t)f->kernels->size;
    const char *a = ad_address(i, f, 1), *b = ad_address(i, f, 2);
    ad_product x = {i->ta, i->tb, m, i->dim[2], k, m, i->ta ? m : k, .room = f->room};
    x.c = ad_address(i, f, 0);
    x.start = i->adds ? ad_address(i, f, 3) : NULL;
    if (i->operand[2].row_stride == 0 && i->operand[1].row_stride && L == 1 && (!i->ta || m == 1)) {
        x.ta = false;
        x.m *= rows;
        x.rows *= f->all_rows * i->factor;
        x.next_a = m == 1 ? i->operand[1].row_stride : k;
        x.a = a, x.b = b;
        f->kernels->matmul(&x);
        return GIBBS_OK;
    }
    int64_t step_a = i->dim[4] == 1 ? 0 : m * k * size, step_b = i->dim[5] == 1 ? 0 : k * x.n * size;
    bool in_place = x.start == x.c;
    for (int64_t r = 0; r < rows; r++)
        for (int64_t l = 0; l < L; l++, x.c = (char *)x.c + m * x.n * size) {
            x.a = a + r * i->operand[1].row_stride * size + l * step_a;
            x.b = b + r * i->operand[2].row_stride * size + l * step_b;
            if (in_place) x.start = x.c;
            f->kernels->matmul(&x);
        }
    return GIBBS_OK;
}

/* The first shard adds up in the result itself, operand 3. dim: k, m, n, whether a product before this one has begun
 * the other shards' accumulator. */
gibbs_status ad_run_batch_matmul(const ad_instruction *i, ad_frame *f)
{
    bool begun = f->first_shard ? i->adds : i->dim[3];
    char *c = ad_address(i, f, f->first_shard ? 3 : 0);
    ad_product x = {true, false, i->dim[1], i->dim[2], f->rows * i->factor * i->dim[0], .rows = i->dim[1],
                    .a = ad_address(i, f, 1), .b = ad_address(i, f, 2), .c = c, .room = f->room};
    x.next_a = i->dim[0] == 1 ? i->operand[1].row_stride : i->dim[1];
    x.start = begun || !f->first ? c : NULL;
    f->kernels->matmul(&x);
    return GIBBS_OK;
}

/* ---- Reductions ---- */

gibbs_status ad_run_reduce(const ad_instruction *i, ad_frame *f)
{
    const ad_kernels *k = f->kernels;
    int64_t outer = f->rows * i->factor * i->dim[0];
    (i->op == OP_sum ? k->sum : i->op == OP_max_reduce ? k->max : k->logsumexp)(outer, i->dim[1], i->dim[2],
                                                                                ad_address(i, f, 0), ad_address(i, f, 1));
    return GIBBS_OK;
}

gibbs_status ad_run_accumulate(const ad_instruction *i, ad_frame *f)
{
    const ad_kernels *k = f->kernels;
    double *acc = (double *)ad_address(i, f, 0);
    (i->op == OP_batch_sum ? k->batch_sum : i->op == OP_batch_max ? k->batch_max : k->batch_logsumexp)(
        f->rows * i->factor, i->count, ad_address(i, f, 1), acc, f->first);
    return GIBBS_OK;
}

/* ---- Leaves ---- */

gibbs_status ad_run_random(const ad_instruction *i, ad_frame *f)
{
    uint64_t key[2] = {f->seed, i->stream};
    uint64_t row0 = (uint64_t)(f->row0 * i->factor);
    (i->op == OP_normal ? f->kernels->normal : f->kernels->uniform)(f->rows * i->factor, i->count, ad_address(i, f, 0),
                                                                    row0, key, f->step);
    return GIBBS_OK;
}

/* dim: the root axis, elements for each of the root's */
gibbs_status ad_run_count(const ad_instruction *i, ad_frame *f)
{
    double count = (double)(f->axis_rows[i->dim[0]] * i->dim[1]);
    f->kernels->from_double(1, ad_address(i, f, 0), &count);
    return GIBBS_OK;
}

/* ---- Moving elements ---- */

static const char *row_of(const ad_instruction *i, const ad_frame *f, int k, int64_t r)
{
    return ad_address(i, f, k) + r * i->operand[k].row_stride * (int64_t)f->kernels->size;
}

/* A value put into its part of a larger one: among zeros (a pad alone), beside others (concats), or added to what is
 * there. dim: outer, numbers before, numbers of the argument, numbers after */
gibbs_status ad_run_place(const ad_instruction *i, ad_frame *f)
{
    int64_t size = (int64_t)f->kernels->size, n = i->dim[2];
    size_t before = (size_t)(i->dim[1] * size), own = (size_t)(n * size), after = (size_t)(i->dim[3] * size);
    bool alone = i->op == OP_pad;
    char *y = ad_address(i, f, 0);
    for (int64_t r = 0; r < f->rows * i->factor; r++) {
        const char *x = row_of(i, f, 1, r);
        for (int64_t o = 0; o < i->dim[0]; o++, x += own, y += before + own + after) {
            if (alone) memset(y, 0, before), memset(y + before + own, 0, after);
            if (i->adds) f->kernels->binary[OP_add](n, y + before, y + before, 1, x, 1);
            else memcpy(y + before, x, own);
        }
    }
    return GIBBS_OK;
}

/* A sentence about number k of the index, which is no row of a table of n, at that row of that axis. */
static gibbs_status bad_index(const ad_instruction *i, ad_frame *f, const char *index, int64_t k, int64_t n,
                              int64_t axis, int64_t row)
{
    gibbs_fail(f->error, GIBBS_DATA, "%s (node %d): index %g at row %lld is no whole number from 0 to %lld",
               ad_ops[i->op].name, i->node, f->kernels->get(index, k), (long long)row, (long long)n - 1);
    if (f->error && axis >= 0) f->error->row = row, f->error->axis = (int32_t)axis;
    return GIBBS_DATA;
}

/* dim: rows of the table, numbers of one, indices a sample */
gibbs_status ad_run_gather(const ad_instruction *i, ad_frame *f)
{
    int64_t n = i->dim[2], bytes = n * i->dim[1] * (int64_t)f->kernels->size;
    char *y = ad_address(i, f, 0);
    for (int64_t r = 0; r < f->rows * i->factor; r++, y += bytes) {
        const char *index = row_of(i, f, 2, r);
        int64_t done = f->kernels->gather(n, i->dim[0], i->dim[1], y, row_of(i, f, 1, r), index);
        if (done < n) return bad_index(i, f, index, done, i->dim[0], i->axis, f->row0 * i->factor + r);
    }
    return GIBBS_OK;
}

/* dim: rows of the table, numbers of one that are added, indices a sample, numbers from one row to the next */
gibbs_status ad_run_scatter(const ad_instruction *i, ad_frame *f)
{
    size_t size = f->kernels->size, step = (size_t)i->dim[3] * size, own = (size_t)i->dim[1] * size;
    char *y = ad_address(i, f, 0);
    int64_t n = i->dim[2], samples = f->rows * i->factor, rows = samples * i->dim[0];
    if (own == step && !i->adds) memset(y, 0, (size_t)rows * step);
    else
        for (int64_t r = 0; !i->adds && r < rows; r++) memset(y + (size_t)r * step, 0, own);
    for (int64_t r = 0; r < samples; r++, y += (size_t)i->dim[0] * step) {
        const char *index = row_of(i, f, 2, r);
        int64_t done = f->kernels->scatter(n, i->dim[0], i->dim[1], i->dim[3], y, row_of(i, f, 1, r), index);
        if (done < n) return bad_index(i, f, index, done, i->dim[0], i->axis, f->row0 * i->factor + r);
    }
    return GIBBS_OK;
}

/* dim: root axis of the table, its factor. The table is read from the start of its slot. */
gibbs_status ad_run_batch_gather(const ad_instruction *i, ad_frame *f)
{
    const char *table = f->start[i->operand[1].base] + i->operand[1].offset;
    int64_t n = f->axis_rows[i->dim[0]] * i->dim[1], bytes = i->count * (int64_t)f->kernels->size;
    char *y = ad_address(i, f, 0);
    for (int64_t r = 0; r < f->rows * i->factor; r++, y += bytes) {
        const char *index = row_of(i, f, 2, r);
        if (f->kernels->gather(1, n, i->count, y, table, index) < 1)
            return bad_index(i, f, index, 0, n, i->axis, f->row0 * i->factor + r);
    }
    return GIBBS_OK;
}

/* dim: root axis of the table, its factor, root axis of the terms, its factor, axis of the terms. Runs once, outside
 * bodies. */
gibbs_status ad_run_batch_scatter(const ad_instruction *i, ad_frame *f)
{
    char *y = ad_address(i, f, 0);
    const char *index = ad_address(i, f, 2);
    int64_t n = f->axis_rows[i->dim[0]] * i->dim[1], rows = f->axis_rows[i->dim[2]] * i->dim[3];
    memset(y, 0, (size_t)(n * i->count) * f->kernels->size);
    int64_t done = f->kernels->scatter(rows, n, i->count, i->count, y, ad_address(i, f, 1), index);
    return done < rows ? bad_index(i, f, index, done, n, i->dim[4], done) : GIBBS_OK;
}

gibbs_status ad_run_user(const ad_instruction *i, ad_frame *f)
{
    const void *in[AD_MAX_ARGUMENTS];
    int shared[AD_MAX_ARGUMENTS];
    for (int k = 0; k < i->nin; k++) {
        in[k] = ad_address(i, f, k + 1);
        shared[k] = i->operand[k + 1].row_stride == 0;
    }
    gibbs_float_leave(f->host);
    i->user->kernel(i->user->context, f->plan->dtype, f->rows * i->factor, in, shared, ad_address(i, f, 0));
    gibbs_float_enter(); /* whatever the kernel has made of the word */
    return GIBBS_OK;
}

ad_executor *const ad_executors[] = {
#define INSTRUCTION(name, in_order) [DO_##name] = ad_run_##name,
#include "autodiff/plan/plan.def"
};
