/* loops.c — the executors of elementwise instructions and copies: the innermost loop is a kernel, short ones are made
 * longer, the others are walked like an odometer. */
#include "frame.h"

static void inner(const ad_instruction *i, const ad_frame *f, int64_t n, char *const *p, const int64_t *stride)
{
    const ad_kernels *k = f->kernels;
    if (i->action == DO_copy) {
        if (p[0] != p[1]) k->copy(n, p[0], p[1], stride[1]);
    }
    else if (i->nin == 2) k->binary[i->op](n, p[0], p[1], stride[1], p[2], stride[2]);
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
    int64_t n[3], step[AD_OPERANDS][3];
} innermost;

enum { TILE = 512, MOST_SHORT = 3 };

static bool is_tight(const innermost *l, int k, int64_t size)
{
    return l->step[k][2] == size && (l->n[1] == 1 || l->step[k][1] == l->n[2] * size) &&
           (l->n[0] == 1 || l->step[k][0] == l->n[1] * l->n[2] * size);
}

/* Where the innermost loop is short, as many turns of the outer ones as make a tile are one call: operands that do not
 * lie tight are spread out first. */
static void inner_short(const ad_instruction *i, const ad_frame *f, const innermost *l, char *const *p)
{
    static const int64_t ones[AD_OPERANDS] = {1, 1, 1, 1, 1};
    _Alignas(64) char room[MOST_SHORT][TILE * sizeof(double)];
    int64_t size = (int64_t)f->kernels->size, row = l->n[1] * l->n[2], rows = TILE / row;
    for (int64_t done = 0; done < l->n[0]; done += rows) {
        char *q[AD_OPERANDS];
        if (rows > l->n[0] - done) rows = l->n[0] - done;
        for (int k = 0; k <= i->nin; k++) {
            q[k] = p[k] + done * l->step[k][0];
            if (k == 0 || is_tight(l, k, size)) continue;
            f->kernels->spread(rows, l->n[1], l->n[2], room[k - 1], q[k], l->step[k]);
            q[k] = room[k - 1];
        }
        inner(i, f, rows * row, q, ones);
    }
}

static void inner_two(const ad_instruction *i, const ad_frame *f, const innermost *l, char **p)
{
    int64_t size = (int64_t)f->kernels->size, stride[AD_OPERANDS];
    for (int k = 0; k <= i->nin; k++) stride[k] = l->step[k][2] / size;
    for (int64_t j = 0; j < l->n[1]; j++) {
        inner(i, f, l->n[2], p, stride);
        for (int k = 0; k <= i->nin; k++) p[k] += l->step[k][1];
    }
}

/* The same without the outermost loop, and with none in the middle. */
static innermost as_two(const innermost *l)
{
    innermost two = {.n = {l->n[1], 1, l->n[2]}};
    for (int k = 0; k < AD_OPERANDS; k++) two.step[k][0] = l->step[k][1], two.step[k][2] = l->step[k][2];
    return two;
}

/* The numbers that follow each other are those of the middle loop. */
static bool is_transposed(const innermost *l, int64_t size)
{
    return l->n[1] > 1 && l->n[2] > 1 && l->step[1][1] == size && l->step[1][2] > size && l->step[0][2] == size;
}

static void inner_three(const ad_instruction *i, const ad_frame *f, const innermost *l, char *const *p)
{
    bool copies = i->action == DO_copy, small = l->n[0] > 1 && l->n[1] * l->n[2] <= TILE;
    int64_t size = (int64_t)f->kernels->size;
    bool is_short = l->n[2] * size <= AD_SHORT_BYTES && i->nin <= MOST_SHORT && is_tight(l, 0, size);
    if (copies && is_transposed(l, size))
        for (int64_t o = 0; o < l->n[0]; o++)
            f->kernels->transpose(l->n[1], l->n[2], p[0] + o * l->step[0][0], l->step[0][1] / size,
                                  p[1] + o * l->step[1][0], l->step[1][2] / size);
    else if (is_short && copies) f->kernels->spread(l->n[0], l->n[1], l->n[2], p[0], p[1], l->step[1]);
    else if (is_short && small) inner_short(i, f, l, p);
    else {
        innermost two = as_two(l);
        for (int64_t o = 0; o < l->n[0]; o++) {
            char *q[AD_OPERANDS];
            for (int k = 0; k <= i->nin; k++) q[k] = p[k] + o * l->step[k][0];
            if (is_short && two.n[0] > 1) inner_short(i, f, &two, q);
            else inner_two(i, f, l, q);
        }
    }
}

/* One loop over everything: most instructions. */
static void walk_one(const ad_instruction *i, const ad_frame *f)
{
    const ad_loops *l = &i->loops;
    int64_t stride[AD_OPERANDS];
    char *p[AD_OPERANDS];
    for (int k = 0; k <= i->nin; k++) p[k] = ad_address(i, f, k), stride[k] = ad_stride(l, k, 0);
    inner(i, f, l->rows == 0 ? l->size[0] * f->rows * i->factor : l->size[0], p, stride);
}

/* The loops around the innermost three, like an odometer. */
static void walk(const ad_instruction *i, const ad_frame *f)
{
    const ad_loops *l = &i->loops;
    int outer = l->count > 3 ? l->count - 3 : 0;
    int64_t size = (int64_t)f->kernels->size, n[AD_MAX_LOOPS], at[AD_MAX_LOOPS] = {0};
    innermost in = {.n = {1, 1, 1}};
    char *p[AD_OPERANDS] = {NULL};
    for (int d = 0; d < l->count; d++) n[d] = d == l->rows ? l->size[d] * f->rows * i->factor : l->size[d];
    for (int k = 0; k <= i->nin; k++) p[k] = ad_address(i, f, k);
    for (int d = l->count - 1, to = 2; d >= outer; d--, to--) {
        in.n[to] = n[d];
        for (int k = 0; k <= i->nin; k++) in.step[k][to] = ad_stride(l, k, d) * size;
    }
    for (;;) {
        inner_three(i, f, &in, p);
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
    (i->loops.count == 1 ? walk_one : walk)(i, f);
    return GIBBS_OK;
}

gibbs_status ad_run_copy(const ad_instruction *i, ad_frame *f)
{
    (i->loops.count == 1 ? walk_one : walk)(i, f);
    return GIBBS_OK;
}
