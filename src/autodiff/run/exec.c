/* exec.c — the executors: what an instruction does with a block of rows. */
#include "base/random.h"
#include "frame.h"

#include <stdio.h>
#include <string.h>

gibbs_status ad_run_logistic(const ad_instruction *i, ad_frame *f)
{
    void *to[3];
    for (int k = 0; k < 3; k++) {
        int operand = i->logistic.result[k];
        to[k] = operand < 0 ? NULL : ad_address(f, &i->operand[operand]);
    }
    f->kernels->logistic(ad_rows_of(f, i) * i->count, to, ad_address(f, &i->logistic.x));
    return GIBBS_OK;
}

/* ---- Products ---- */

/* One product for all rows where the right factor is shared and the left one's rows simply follow each other; else one
 * for each row and leading index. */
gibbs_status ad_run_matmul(const ad_instruction *i, ad_frame *f)
{
    int64_t L = i->matmul.products, m = i->matmul.m, n = i->matmul.n, k = i->matmul.k;
    int64_t rows = ad_rows_of(f, i), size = (int64_t)f->kernels->size;
    int64_t next_a = i->matmul.a.row_stride, next_b = i->matmul.b.row_stride;
    bool ta = i->matmul.a_transposed, tb = i->matmul.b_transposed;
    const char *a = ad_address(f, &i->matmul.a), *b = ad_address(f, &i->matmul.b);
    ad_product x = {ta, tb, m, n, k, m, ta ? m : k, .room = f->room};
    x.c = ad_address(f, &i->matmul.c);
    x.start = i->matmul.starts ? ad_address(f, &i->matmul.start) : NULL;
    if (next_b == 0 && next_a && L == 1 && (!ta || m == 1)) {
        x.ta = false;
        x.m *= rows;
        x.rows *= f->all_rows * i->factor;
        x.next_a = m == 1 ? next_a : k;
        x.a = a, x.b = b;
        f->kernels->matmul(&x);
        return GIBBS_OK;
    }
    int64_t step_a = i->matmul.one_a ? 0 : m * k * size, step_b = i->matmul.one_b ? 0 : k * n * size;
    bool in_place = x.start == x.c;
    for (int64_t r = 0; r < rows; r++)
        for (int64_t l = 0; l < L; l++, x.c = (char *)x.c + m * n * size) {
            x.a = a + r * next_a * size + l * step_a;
            x.b = b + r * next_b * size + l * step_b;
            if (in_place) x.start = x.c;
            f->kernels->matmul(&x);
        }
    return GIBBS_OK;
}

gibbs_status ad_run_batch_matmul(const ad_instruction *i, ad_frame *f)
{
    int64_t m = i->batch_matmul.m, k = i->batch_matmul.k;
    bool begun = f->first_shard ? i->batch_matmul.sum_begun : i->batch_matmul.c_begun;
    char *c = ad_address(f, f->first_shard ? &i->batch_matmul.sum : &i->batch_matmul.c);
    ad_product x = {true, false, m, i->batch_matmul.n, ad_rows_of(f, i) * k, .rows = m,
                    .a = ad_address(f, &i->batch_matmul.a), .b = ad_address(f, &i->batch_matmul.b), .c = c,
                    .room = f->room};
    x.next_a = k == 1 ? i->batch_matmul.a.row_stride : m;
    x.start = begun || !f->first ? c : NULL;
    f->kernels->matmul(&x);
    return GIBBS_OK;
}

/* ---- Reductions ---- */

gibbs_status ad_run_reduce(const ad_instruction *i, ad_frame *f)
{
    const ad_kernels *k = f->kernels;
    void (*reduce)(int64_t, int64_t, int64_t, void *, const void *) = k->sum;
    switch (i->op) {
    case OP_max_reduce: reduce = k->max; break;
    case OP_logsumexp: reduce = k->logsumexp; break;
    case OP_norm: reduce = k->norm; break;
    default: break;
    }
    if (i->op == OP_softmax)
        k->softmax(ad_rows_of(f, i) * i->reduce.outer, i->reduce.reduced, i->reduce.inner, ad_address(f, &i->reduce.y),
                   NULL, ad_address(f, &i->reduce.x));
    else
        reduce(ad_rows_of(f, i) * i->reduce.outer, i->reduce.reduced, i->reduce.inner, ad_address(f, &i->reduce.y),
           ad_address(f, &i->reduce.x));
    return GIBBS_OK;
}

gibbs_status ad_run_softmax(const ad_instruction *i, ad_frame *f)
{
    f->kernels->softmax(ad_rows_of(f, i) * i->softmax.outer, i->softmax.reduced, i->softmax.inner,
                        ad_address(f, &i->softmax.y), ad_address(f, &i->softmax.total), ad_address(f, &i->softmax.x));
    return GIBBS_OK;
}

gibbs_status ad_run_accumulate(const ad_instruction *i, ad_frame *f)
{
    const ad_kernels *k = f->kernels;
    (i->op == OP_batch_sum ? k->batch_sum : i->op == OP_batch_max ? k->batch_max : k->batch_logsumexp)(
        ad_rows_of(f, i), i->count, ad_address(f, &i->accumulate.x), (double *)ad_address(f, &i->accumulate.y),
        f->first);
    return GIBBS_OK;
}

gibbs_status ad_run_cumsum(const ad_instruction *i, ad_frame *f)
{
    f->kernels->cumsum(ad_rows_of(f, i) * i->cumsum.outer, i->cumsum.n, i->cumsum.inner, i->cumsum.from_end,
                       ad_address(f, &i->cumsum.y), ad_address(f, &i->cumsum.x));
    return GIBBS_OK;
}

/* ---- Leaves ---- */

/* In a loop each turn has a stream of its own. */
static uint64_t stream_of(const ad_instruction *i, const ad_frame *f)
{
    enum { TURNS = 0x7475726e };
    if (!i->random.by_turn) return i->random.stream;
    gibbs_words words = gibbs_words_start(i->random.stream, TURNS, (uint64_t)f->turn);
    return gibbs_words_next(&words);
}

gibbs_status ad_run_random(const ad_instruction *i, ad_frame *f)
{
    uint64_t key[2] = {f->seed, stream_of(i, f)};
    uint64_t row0 = (uint64_t)(f->row0 * i->factor);
    (i->op == OP_normal ? f->kernels->normal : f->kernels->uniform)(
        ad_rows_of(f, i), i->count, ad_address(f, &i->random.y), row0, key, f->step);
    return GIBBS_OK;
}

gibbs_status ad_run_axis_count(const ad_instruction *i, ad_frame *f)
{
    double count = (double)(f->axis_rows[i->axis_count.root] * i->axis_count.factor);
    f->kernels->from_double(1, ad_address(f, &i->axis_count.y), &count);
    return GIBBS_OK;
}

/* ---- Moving elements ---- */

static const char *row_of(const ad_frame *f, const ad_operand *at, int64_t r)
{
    return ad_address(f, at) + r * at->row_stride * (int64_t)f->kernels->size;
}

/* Numbers from one row of an operand to the next, where the rows' pieces of n numbers lie in steps of as many: all rows
 * are one loop then. */
static bool in_steps(const ad_operand *at, int64_t pieces, int64_t n, int64_t *next)
{
    *next = pieces == 1 ? at->row_stride : n;
    return at->row_stride == pieces * *next;
}

/* What others leave out, or add to, is done a row at a time. */
static void place_row(const ad_instruction *i, ad_frame *f, char *y, const char *x)
{
    int64_t size = (int64_t)f->kernels->size, n = i->place.own;
    size_t before = (size_t)(i->place.before * size), own = (size_t)(n * size), after = (size_t)(i->place.after * size);
    for (int64_t o = 0; o < i->place.outer; o++, x += own, y += before + own + after) {
        if (i->place.alone) memset(y, 0, before), memset(y + before + own, 0, after);
        if (i->place.adds) f->kernels->binary[OP_add](n, y + before, y + before, 1, x, 1);
        else if (x != y + before) memcpy(y + before, x, own);
    }
}

gibbs_status ad_run_place(const ad_instruction *i, ad_frame *f)
{
    int64_t size = (int64_t)f->kernels->size, rows = ad_rows_of(f, i), outer = i->place.outer, next_x;
    int64_t next = i->place.before + i->place.own + i->place.after;
    char *y = ad_address(f, &i->place.y);
    if (!i->place.alone && !i->place.adds && in_steps(&i->place.x, outer, i->place.own, &next_x))
        f->kernels->place(rows * outer, i->place.own, y + i->place.before * size, next, row_of(f, &i->place.x, 0),
                          next_x);
    else
        for (int64_t r = 0; r < rows; r++, y += outer * next * size) place_row(i, f, y, row_of(f, &i->place.x, r));
    return GIBBS_OK;
}

/* A sentence about number k of the index, which is no row of a table of n, at that row of that axis. */
static gibbs_status bad_index(const ad_instruction *i, ad_frame *f, const char *index, int64_t k, int64_t n,
                              int32_t axis, int64_t row)
{
    gibbs_fail(f->error, GIBBS_DATA, "%s (node %d): index %g at row %lld is no whole number from 0 to %lld",
               ad_ops[i->op].name, i->node, f->kernels->get(index, k), (long long)row, (long long)n - 1);
    if (f->error && axis >= 0) f->error->row = row, f->error->axis = axis;
    return GIBBS_DATA;
}

/* Rows that read the same table are one list of indices. */
gibbs_status ad_run_gather(const ad_instruction *i, ad_frame *f)
{
    int64_t n = i->gather.indices, table = i->gather.rows, width = i->gather.width, rows = ad_rows_of(f, i), next;
    bool together = i->gather.table.row_stride == 0 && in_steps(&i->gather.index, n, 1, &next) && next == 1;
    int64_t lists = together ? 1 : rows, each = together ? rows * n : n;
    char *y = ad_address(f, &i->gather.y);
    for (int64_t r = 0; r < lists; r++, y += n * width * (int64_t)f->kernels->size) {
        const char *index = row_of(f, &i->gather.index, r);
        int64_t done = f->kernels->gather(each, table, width, y, row_of(f, &i->gather.table, r), index);
        if (done == each) continue;
        return bad_index(i, f, index, done, table, i->axis, f->row0 * i->factor + (together ? done / n : r));
    }
    return GIBBS_OK;
}

static void clear_table(const ad_instruction *i, const ad_frame *f, int64_t rows)
{
    char *y = ad_address(f, &i->scatter.table);
    size_t step = (size_t)i->scatter.next * f->kernels->size, own = (size_t)i->scatter.width * f->kernels->size;
    if (own == step) memset(y, 0, (size_t)rows * step);
    else
        for (int64_t r = 0; r < rows; r++) memset(y + (size_t)r * step, 0, own);
}

gibbs_status ad_run_scatter(const ad_instruction *i, ad_frame *f)
{
    int64_t n = i->scatter.indices, table = i->scatter.rows, next = i->scatter.next, samples = ad_rows_of(f, i);
    char *y = ad_address(f, &i->scatter.table);
    if (!i->scatter.adds) clear_table(i, f, samples * table);
    for (int64_t r = 0; r < samples; r++, y += table * next * (int64_t)f->kernels->size) {
        const char *index = row_of(f, &i->scatter.index, r);
        int64_t done =
            f->kernels->scatter(n, table, i->scatter.width, next, y, row_of(f, &i->scatter.x, r), index);
        if (done < n) return bad_index(i, f, index, done, table, i->axis, f->row0 * i->factor + r);
    }
    return GIBBS_OK;
}

/* The table is read from the start of its slot. */
gibbs_status ad_run_batch_gather(const ad_instruction *i, ad_frame *f)
{
    const char *table = f->start[i->batch_gather.table.base] + i->batch_gather.table.offset;
    int64_t n = f->axis_rows[i->batch_gather.root] * i->batch_gather.factor;
    char *y = ad_address(f, &i->batch_gather.y);
    for (int64_t r = 0; r < ad_rows_of(f, i); r++, y += i->count * (int64_t)f->kernels->size) {
        const char *index = row_of(f, &i->batch_gather.index, r);
        if (f->kernels->gather(1, n, i->count, y, table, index) < 1)
            return bad_index(i, f, index, 0, n, i->axis, f->row0 * i->factor + r);
    }
    return GIBBS_OK;
}

gibbs_status ad_run_batch_scatter(const ad_instruction *i, ad_frame *f)
{
    char *y = ad_address(f, &i->batch_scatter.table);
    const char *index = ad_address(f, &i->batch_scatter.index);
    int64_t n = f->axis_rows[i->batch_scatter.root] * i->batch_scatter.factor;
    int64_t rows = f->axis_rows[i->batch_scatter.x_root] * i->batch_scatter.x_factor;
    memset(y, 0, (size_t)(n * i->count) * f->kernels->size);
    int64_t done =
        f->kernels->scatter(rows, n, i->count, i->count, y, ad_address(f, &i->batch_scatter.x), index);
    return done < rows ? bad_index(i, f, index, done, n, i->batch_scatter.x_axis, done) : GIBBS_OK;
}

gibbs_status ad_run_user(const ad_instruction *i, ad_frame *f)
{
    const ad_user_op *op = i->user.op;
    const void *in[AD_MAX_ARGUMENTS];
    int shared[AD_MAX_ARGUMENTS];
    for (int k = 0; k < i->nin; k++) {
        in[k] = ad_address(f, &i->user.x[k]);
        shared[k] = i->user.x[k].row_stride == 0;
    }
    gibbs_float_leave(f->host);
    op->kernel(op->context, f->plan->dtype, ad_rows_of(f, i), in, shared, ad_address(f, &i->user.y));
    gibbs_float_enter(); /* whatever the kernel has made of the word */
    return GIBBS_OK;
}

ad_executor *const ad_executors[] = {
#define INSTRUCTION(name, in_place, cut, first, others, operands, sizes) [DO_##name] = ad_run_##name,
#include "autodiff/plan/plan.def"
};
