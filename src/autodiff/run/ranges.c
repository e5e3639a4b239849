/* ranges.c — in a build that checks (GIBBS_CHECK_RANGES): every operand of an instruction lies in the memory that it is
 * said to be in: its span of the arena or of what stages share, the constants, its shard's accumulators, the block's
 * rows of its slot. A sanitizer sees only what leaves the arena as a whole. */
#include "frame.h"

#ifdef GIBBS_CHECK_RANGES

/* ---- How many numbers there are from an operand's first to its last ---- */

static int64_t of_nest(const ad_instruction *i, int k, int64_t rows)
{
    const ad_loops *l = ad_loops_of(i);
    int64_t last = 0;
    for (int d = 0; d < l->count; d++) last += (l->size[d] * (d == l->rows ? rows : 1) - 1) * ad_stride(l, k, d);
    return last + 1;
}

/* Of rows of n numbers. */
static int64_t of_rows(const ad_instruction *i, int k, int64_t rows, int64_t n)
{
    return (rows - 1) * i->operand[k].row_stride + n;
}

static int64_t of_matmul(const ad_instruction *i, int k, int64_t rows)
{
    int64_t m = i->matmul.m, n = i->matmul.n, depth = i->matmul.k, L = i->matmul.products;
    bool in_place = i->matmul.start.base == i->matmul.c.base && i->matmul.start.offset == i->matmul.c.offset;
    if (k == 1) return of_rows(i, k, rows, (i->matmul.one_a ? 1 : L) * m * depth);
    if (k == 2) return of_rows(i, k, rows, (i->matmul.one_b ? 1 : L) * depth * n);
    return k == 0 || in_place ? rows * L * m * n : n;
}

static int64_t of_batch_matmul(const ad_instruction *i, int k, int64_t rows)
{
    int64_t m = i->batch_matmul.m, n = i->batch_matmul.n, depth = i->batch_matmul.k;
    return k == 1 ? of_rows(i, k, rows, depth * m) : k == 2 ? of_rows(i, k, rows, depth * n) : m * n;
}

static int64_t of_matrix(const ad_windows *w, int64_t images)
{
    return images * ad_windows_count(w) * ad_windows_size(w);
}

static int64_t of_window_matmul(const ad_instruction *i, int k, int64_t rows)
{
    const ad_windows *w = &i->window_matmul.windows;
    bool in_place = i->window_matmul.start.base == i->window_matmul.c.base &&
                    i->window_matmul.start.offset == i->window_matmul.c.offset;
    if (k == 1) return rows * i->window_matmul.images * ad_windows_image(w);
    if (k == 2) return of_rows(i, k, rows, ad_windows_size(w) * i->window_matmul.n);
    return k == 0 || in_place ? rows * i->count : i->window_matmul.n;
}

static int64_t of_window_batch(const ad_instruction *i, int k, int64_t rows)
{
    const ad_windows *w = &i->window_batch.windows;
    if (k == 1) return rows * i->window_batch.images * ad_windows_image(w);
    return k == 2 ? rows * i->window_batch.images * ad_windows_count(w) * i->window_batch.n : i->count;
}

static int64_t of_matmul_overlap(const ad_instruction *i, int k, int64_t rows)
{
    const ad_windows *w = &i->matmul_overlap.windows;
    if (k == 1) return rows * i->matmul_overlap.images * ad_windows_count(w) * i->matmul_overlap.k;
    return k == 2 ? of_rows(i, k, rows, ad_windows_size(w) * i->matmul_overlap.k) : rows * i->count;
}

static int64_t of_gather(const ad_instruction *i, int k, int64_t rows)
{
    int64_t n = i->gather.indices, width = i->gather.width;
    return k == 0 ? rows * n * width : of_rows(i, k, rows, k == 1 ? i->gather.rows * width : n);
}

static int64_t of_scatter(const ad_instruction *i, int k, int64_t rows)
{
    int64_t n = i->scatter.indices, width = i->scatter.width, next = i->scatter.next;
    if (k == 0) return (rows * i->scatter.rows - 1) * next + width;
    return of_rows(i, k, rows, k == 1 ? (n - 1) * next + width : n);
}

static int64_t of_place(const ad_instruction *i, int k, int64_t rows)
{
    int64_t whole = i->place.before + i->place.own + i->place.after, outer = i->place.outer;
    return k ? of_rows(i, k, rows, outer * i->place.own) : rows * outer * whole - (i->place.alone ? 0 : i->place.after);
}

static int64_t of_factorise(const ad_instruction *i, int k, int64_t rows)
{
    int64_t n = i->factorise.n;
    return k == 0 ? rows * i->count : of_rows(i, k, rows, n * (k == 1 ? n : i->factorise.m));
}

/* Step by step, each with the rows of a full block. */
static int64_t of_stacked(const ad_instruction *i, const ad_frame *f, int64_t rows)
{
    int64_t before = (i->unstack.first + i->unstack.steps - 1) * f->stage->block_rows * i->factor;
    return (before + rows) * i->unstack.width;
}

static int64_t numbers_of(const ad_instruction *i, const ad_frame *f, int k)
{
    int64_t rows = ad_rows_of(f, i);
    switch (i->action) {
    case DO_elementwise:
    case DO_copy: return of_nest(i, k, rows);
    case DO_matmul: return of_matmul(i, k, rows);
    case DO_batch_matmul: return of_batch_matmul(i, k, rows);
    case DO_reduce: return rows * i->reduce.outer * (k ? i->reduce.reduced * i->reduce.inner : i->reduce.results);
    case DO_softmax: return rows * i->softmax.outer * i->softmax.inner * (k < 2 ? i->softmax.reduced : 1);
    case DO_accumulate: return k ? rows * i->count : i->count * ad_accumulated(i->op);
    case DO_patches: return rows * (k ? i->patches.images * ad_windows_image(&i->patches.windows) : i->count);
    case DO_overlap: return rows * (k ? of_matrix(&i->overlap.windows, i->overlap.images) : i->count);
    case DO_window_matmul: return of_window_matmul(i, k, rows);
    case DO_window_batch: return of_window_batch(i, k, rows);
    case DO_matmul_overlap: return of_matmul_overlap(i, k, rows);
    case DO_gather: return of_gather(i, k, rows);
    case DO_scatter: return of_scatter(i, k, rows);
    case DO_place: return of_place(i, k, rows);
    case DO_batch_gather:
        return k == 0 ? rows * i->count
               : k == 2 ? of_rows(i, k, rows, 1)
                        : f->axis_rows[i->batch_gather.root] * i->batch_gather.factor * i->count;
    case DO_batch_scatter:
        return k == 0 ? f->axis_rows[i->batch_scatter.root] * i->batch_scatter.factor * i->count
                      : f->axis_rows[i->batch_scatter.x_root] * i->batch_scatter.x_factor * (k == 1 ? i->count : 1);
    case DO_factorise: return of_factorise(i, k, rows);
    case DO_loop: return 1;
    case DO_unstack: return k ? of_stacked(i, f, rows) : rows * i->count;
    case DO_user: return k ? of_rows(i, k, rows, 1) : rows * i->count;
    default: return rows * i->count; /* logistic, random, axis_count */
    }
}

/* ---- Where they may lie: bytes behind the base ---- */

typedef struct range {
    int64_t begin, end;
} range;

static range of_slot(const ad_instruction *i, const ad_frame *f, int k)
{
    const ad_slot *slot = &f->plan->slot[i->operand[k].base - AD_BASE_SLOTS];
    int32_t root = slot->axis;
    while (root >= 0 && f->plan->axis[root].parent >= 0) root = f->plan->axis[root].parent;
    bool whole = f->base == f->start || root != f->stage->axis || (i->action == DO_batch_gather && k == 1);
    int64_t rows = root < 0 ? 1 : whole ? f->axis_rows[root] : f->rows;
    return (range){0, rows * slot->factor * slot->count * (int64_t)f->kernels->size};
}

/* Of an operand that is no slot's; in an arena, so many rows. */
static range of_span(const ad_frame *f, const ad_operand *at, int64_t rows)
{
    if (at->base == AD_BASE_ACCUMULATOR) return (range){0, f->stage->accumulator_bytes};
    if (at->span < 0) return (range){0, at->base == AD_BASE_SHARED ? f->plan->constant_bytes : 0};
    const ad_range *span = &f->plan->range[at->base][at->span];
    return (range){span->begin, span->begin + span->bytes * (at->base == AD_BASE_ARENA ? rows : 1)};
}

static range range_of(const ad_instruction *i, const ad_frame *f, int k);

/* Of what a loop moves through, as seen from where it is: slices have the rows of a full block. */
static range of_moved(const ad_instruction *i, const ad_frame *f, int k, const ad_slot *slot)
{
    const ad_move *m = &f->plan->move[slot->leaf];
    ad_instruction through = {.action = DO_copy, .axis = i->axis, .operand = {m->at}};
    range at = m->at.base < AD_BASE_SLOTS ? of_span(f, &m->at, m->row_bytes ? f->stage->block_rows : f->rows)
                                          : range_of(&through, f, 0);
    int64_t here = f->base[i->operand[k].base] - f->base[m->at.base];
    return (range){at.begin - here, at.end - here};
}

static range range_of(const ad_instruction *i, const ad_frame *f, int k)
{
    const ad_operand *at = &i->operand[k];
    const ad_slot *slot = at->base < AD_BASE_SLOTS ? NULL : &f->plan->slot[at->base - AD_BASE_SLOTS];
    if (slot && slot->kind == SLOT_MOVED) return of_moved(i, f, k, slot);
    if (slot) return of_slot(i, f, k);
    return of_span(f, at, i->action == DO_unstack && k == 1 ? f->stage->block_rows : f->rows);
}

gibbs_status ad_check_ranges(const ad_instruction *i, const ad_frame *f)
{
    for (int k = 0; k < AD_OPERANDS; k++) {
        if (!ad_has_operand(i, k)) continue;
        range may = range_of(i, f, k);
        int64_t begin = i->operand[k].offset, size = (int64_t)f->kernels->size;
        if (i->action == DO_accumulate && k == 0) size = sizeof(double);
        int64_t end = begin + numbers_of(i, f, k) * size;
        if (begin < may.begin || end > may.end)
            return gibbs_fail(f->error, GIBBS_SIZE,
                              "run: operand %d of %s (node %d) is bytes %lld to %lld of what is its own from %lld to "
                              "%lld", k, ad_ops[i->op].name, i->node, (long long)begin, (long long)end,
                              (long long)may.begin, (long long)may.end);
    }
    return GIBBS_OK;
}

#endif
