/* parts.c — instructions of shared code in parts that threads take side by side. Where the cuts are depends on sizes
 * only. */
#include "parts.h"

#include <string.h>

enum { WORTH = 1 << 14 }; /* numbers that make a part pay */

static int longest_loop(const ad_instruction *i)
{
    const ad_loops *l = ad_loops_of(i);
    int longest = 0;
    for (int d = 1; d < l->count; d++)
        if (l->size[d] > l->size[longest]) longest = d;
    return longest;
}

/* ---- Cuts: how many units there are; what keeps an instruction to units first … first + n − 1 ---- */

static void move(ad_operand *at, int64_t numbers, int64_t size) { at->offset += numbers * size; }

static int64_t count_loops(const ad_instruction *i) { return ad_loops_of(i)->size[longest_loop(i)]; }

/* The nest's numbers are the plan's: the part has its own. */
static void keep_loops(ad_part *p, int64_t first, int64_t n, int64_t size)
{
    ad_instruction *i = &p->is;
    ad_loops *l = i->action == DO_copy ? &i->copy.loops : &i->elementwise.loops;
    int d = longest_loop(i);
    for (int k = 0; k <= i->nin; k++) move(&i->operand[k], first * ad_stride(l, k, d), size);
    memcpy(p->loops, l->size, (size_t)((2 + i->nin) * l->count) * sizeof *p->loops);
    p->loops[d] = n;
    l->size = p->loops;
}

static int64_t count_outer(const ad_instruction *i) { return i->reduce.outer; }

static void keep_outer(ad_part *p, int64_t first, int64_t n, int64_t size)
{
    ad_instruction *i = &p->is;
    move(&i->reduce.y, first * i->reduce.results, size);
    move(&i->reduce.x, first * i->reduce.reduced * i->reduce.inner, size);
    i->reduce.outer = n;
}

static int64_t count_products(const ad_instruction *i) { return i->matmul.products; }

static void keep_products(ad_part *p, int64_t first, int64_t n, int64_t size)
{
    ad_instruction *i = &p->is;
    move(&i->matmul.c, first * i->matmul.m * i->matmul.n, size);
    if (!i->matmul.one_a) move(&i->matmul.a, first * i->matmul.m * i->matmul.k, size);
    if (!i->matmul.one_b) move(&i->matmul.b, first * i->matmul.k * i->matmul.n, size);
    i->matmul.products = n;
}

static int64_t count_indices(const ad_instruction *i) { return i->gather.indices; }

static void keep_indices(ad_part *p, int64_t first, int64_t n, int64_t size)
{
    ad_instruction *i = &p->is;
    move(&i->gather.y, first * i->gather.width, size);
    move(&i->gather.index, first, size);
    i->gather.indices = n;
}

static int64_t count_width(const ad_instruction *i) { return i->scatter.width; }

static void keep_width(ad_part *p, int64_t first, int64_t n, int64_t size)
{
    ad_instruction *i = &p->is;
    move(&i->scatter.table, first, size);
    move(&i->scatter.x, first, size);
    i->scatter.width = n;
}

/* ---- Which instruction is cut how ---- */

typedef struct cut {
    int64_t (*count)(const ad_instruction *); /* of units */
    void (*keep)(ad_part *, int64_t first, int64_t n, int64_t size);
    int64_t least; /* units of a part */
} cut;

static const cut cut_NONE = {NULL, NULL, 1}, cut_LOOPS = {count_loops, keep_loops, 1},
                 cut_OUTER = {count_outer, keep_outer, 1}, cut_PRODUCTS = {count_products, keep_products, 1},
                 cut_INDICES = {count_indices, keep_indices, 1}, cut_WIDTH = {count_width, keep_width, 64};

static const cut *const cuts[DO_COUNT] = {
#define INSTRUCTION(name, in_place, cut, first, others, operands, sizes) [DO_##name] = &cut_##cut,
#include "autodiff/plan/plan.def"
};

/* Numbers read and added up, or written. */
static int64_t work(const ad_instruction *i)
{
    if (i->action == DO_matmul) return i->count * i->matmul.k;
    return i->action == DO_reduce ? i->reduce.outer * i->reduce.reduced * i->reduce.inner : i->count;
}

ad_parts ad_parts_of(const ad_instruction *i)
{
    const cut *cut = cuts[i->action];
    int64_t most = cut->count ? work(i) / WORTH : 0;
    if (most <= 1) return (ad_parts){1, 1}; /* most instructions, and those of loops again and again */
    int64_t units = cut->count(i);
    if (most > units / cut->least) most = units / cut->least;
    if (most > AD_MOST_PARTS) most = AD_MOST_PARTS;
    return (ad_parts){units, most > 1 ? most : 1};
}

/* Where there are many units, parts are whole vectors. */
static int64_t start_of(ad_parts of, int64_t part)
{
    int64_t start = of.units * part / of.count;
    return part == of.count || of.units < 32 * of.count ? start : start / 16 * 16;
}

void ad_part_of(const ad_instruction *i, ad_parts of, int64_t part, int64_t size, ad_part *one)
{
    int64_t first = start_of(of, part);
    one->is = *i;
    cuts[i->action]->keep(one, first, start_of(of, part + 1) - first, size);
}
