/* loops.c — the executors of elementwise instructions and copies: loop nests.
 *
 * The innermost loop is a kernel's. Where it is short, more than it has to be one call; so the innermost three loops
 * are walked in one of the ways of a table, which is chosen once, and those around them like an odometer. */
#include "frame.h"

/* The kernel of an instruction, over n numbers. Strides are 0 or 1, but for a copy's argument. */
static void run_kernel(const ad_instruction *i, const ad_frame *f, int64_t n, char *const *p, const int64_t *stride)
{
    const ad_kernels *k = f->kernels;
    if (i->action == DO_copy) {
        if (p[0] != p[1]) k->copy(n, p[0], p[1], stride[1]);
    } else if (i->nin == 2) k->binary[i->op](n, p[0], p[1], stride[1], p[2], stride[2]);
    else if (i->nin == 3) k->ternary[i->op](n, p[0], p[1], stride[1], p[2], stride[2], p[3], stride[3]);
    else if (stride[1] == 1) k->unary[i->op](n, p[0], p[1]);
    else {
        k->unary[i->op](1, p[0], p[1]);
        k->copy(n - 1, p[0] + k->size, p[0], 0);
    }
}

/* The innermost three loops, outermost first: how often, and in bytes how far each operand goes. A loop that is not
 * there runs once. */
typedef struct innermost {
    const ad_instruction *i;
    const ad_frame *f;
    int64_t size, n[3], step[AD_OPERANDS][3];
} innermost;

enum { TILE = 512, MOST_SHORT = 3 };

static bool is_tight(const innermost *l, int k)
{
    return l->step[k][2] == l->size && (l->n[1] == 1 || l->step[k][1] == l->n[2] * l->size) &&
           (l->n[0] == 1 || l->step[k][0] == l->n[1] * l->n[2] * l->size);
}

static bool is_short(const innermost *l)
{
    return l->n[2] * l->size <= AD_SHORT_BYTES && l->i->nin <= MOST_SHORT && is_tight(l, 0);
}

/* ---- Ways ---- */

/* The numbers that follow each other are those of the middle loop. */
static bool is_transposed_copy(const innermost *l)
{
    return l->i->action == DO_copy && l->n[1] > 1 && l->n[2] > 1 && l->step[1][1] == l->size &&
           l->step[1][2] > l->size && l->step[0][2] == l->size;
}

static void transpose(const innermost *l, char *const *p)
{
    for (int64_t o = 0; o < l->n[0]; o++)
        l->f->kernels->transpose(l->n[1], l->n[2], p[0] + o * l->step[0][0], l->step[0][1] / l->size,
                                 p[1] + o * l->step[1][0], l->step[1][2] / l->size);
}

static bool is_short_copy(const innermost *l) { return l->i->action == DO_copy && is_short(l); }

static void spread(const innermost *l, char *const *p)
{
    l->f->kernels->spread(l->n[0], l->n[1], l->n[2], p[0], p[1], l->step[1]);
}

/* As many turns of the outermost loop as make a tile are one call: what does not lie tight is spread out first. */
static bool fits_tile(const innermost *l) { return is_short(l) && l->n[0] > 1 && l->n[1] * l->n[2] <= TILE; }

static void run_tiles(const innermost *l, char *const *p)
{
    static const int64_t ones[AD_OPERANDS] = {1, 1, 1, 1, 1};
    _Alignas(64) char room[MOST_SHORT][TILE * sizeof(double)];
    int64_t row = l->n[1] * l->n[2], rows = TILE / row;
    for (int64_t done = 0; done < l->n[0]; done += rows) {
        char *q[AD_OPERANDS];
        if (rows > l->n[0] - done) rows = l->n[0] - done;
        for (int k = 0; k <= l->i->nin; k++) {
            q[k] = p[k] + done * l->step[k][0];
            if (k == 0 || is_tight(l, k)) continue;
            l->f->kernels->spread(rows, l->n[1], l->n[2], room[k - 1], q[k], l->step[k]);
            q[k] = room[k - 1];
        }
        run_kernel(l->i, l->f, rows * row, q, ones);
    }
}

/* The same for each turn of the outermost loop. */
static bool fits_tile_each(const innermost *l) { return is_short(l) && l->n[1] > 1; }

static void run_tiles_each(const innermost *l, char *const *p)
{
    innermost two = {l->i, l->f, l->size, {l->n[1], 1, l->n[2]}, {{0}}};
    for (int k = 0; k < AD_OPERANDS; k++) two.step[k][0] = l->step[k][1], two.step[k][2] = l->step[k][2];
    for (int64_t o = 0; o < l->n[0]; o++) {
        char *q[AD_OPERANDS];
        for (int k = 0; k <= l->i->nin; k++) q[k] = p[k] + o * l->step[k][0];
        run_tiles(&two, q);
    }
}

static bool always(const innermost *l) { return l; }

static void run_each(const innermost *l, char *const *p)
{
    int64_t stride[AD_OPERANDS];
    for (int k = 0; k <= l->i->nin; k++) stride[k] = l->step[k][2] / l->size;
    for (int64_t o = 0; o < l->n[0]; o++) {
        char *q[AD_OPERANDS];
        for (int k = 0; k <= l->i->nin; k++) q[k] = p[k] + o * l->step[k][0];
        for (int64_t j = 0; j < l->n[1]; j++) {
            run_kernel(l->i, l->f, l->n[2], q, stride);
            for (int k = 0; k <= l->i->nin; k++) q[k] += l->step[k][1];
        }
    }
}

/* The first that holds. */
static const struct way {
    bool (*holds)(const innermost *);
    void (*run)(const innermost *, char *const *p);
} ways[] = {
    {is_transposed_copy, transpose},    {is_short_copy, spread}, {fits_tile, run_tiles},
    {fits_tile_each, run_tiles_each},   {always, run_each},
};

/* ---- Whole nests ---- */

/* One loop over everything: most instructions. */
static void walk_one(const ad_instruction *i, const ad_frame *f, const ad_loops *l)
{
    int64_t stride[AD_OPERANDS];
    char *p[AD_OPERANDS];
    for (int k = 0; k <= i->nin; k++) p[k] = ad_address(f, &i->operand[k]), stride[k] = ad_stride(l, k, 0);
    run_kernel(i, f, l->rows == 0 ? l->size[0] * ad_rows_of(f, i) : l->size[0], p, stride);
}

static void walk(const ad_instruction *i, const ad_frame *f, const ad_loops *l)
{
    int outer = l->count > 3 ? l->count - 3 : 0;
    int64_t size = (int64_t)f->kernels->size, n[AD_MAX_LOOPS], at[AD_MAX_LOOPS] = {0};
    innermost in = {i, f, size, {1, 1, 1}, {{0}}};
    const struct way *way = ways;
    char *p[AD_OPERANDS] = {NULL};
    for (int d = 0; d < l->count; d++) n[d] = d == l->rows ? l->size[d] * ad_rows_of(f, i) : l->size[d];
    for (int k = 0; k <= i->nin; k++) p[k] = ad_address(f, &i->operand[k]);
    for (int d = l->count - 1, to = 2; d >= outer; d--, to--) {
        in.n[to] = n[d];
        for (int k = 0; k <= i->nin; k++) in.step[k][to] = ad_stride(l, k, d) * size;
    }
    while (!way->holds(&in)) way++;
    for (;;) {
        way->run(&in, p);
        int d = outer - 1;
        for (; d >= 0; d--) {
            for (int k = 0; k <= i->nin; k++) p[k] += ad_stride(l, k, d) * size;
            if (++at[d] < n[d]) break;
            at[d] = 0;
            for (int k = 0; k <= i->nin; k++) p[k] -= n[d] * ad_stride(l, k, d) * size;
        }
        if (d < 0) return;
    }
}

gibbs_status ad_run_elementwise(const ad_instruction *i, ad_frame *f)
{
    const ad_loops *l = ad_loops_of(i);
    (l->count == 1 ? walk_one : walk)(i, f, l);
    return GIBBS_OK;
}

gibbs_status ad_run_copy(const ad_instruction *i, ad_frame *f) { return ad_run_elementwise(i, f); }
