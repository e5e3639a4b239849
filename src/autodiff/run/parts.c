/* parts.c — instructions of shared code in parts that threads take side by side. Where the cuts are depends on sizes
 * only. */
#include "parts.h"

#include <string.h>

enum { WORTH = 1 << 14 }; /* numbers that make a part pay */

static int longest_loop(const ad_instruction *i)
{
    int longest = 0;
    for (int d = 1; d < i->loops.count; d++)
        if (i->loops.size[d] > i->loops.size[longest]) longest = d;
    return longest;
}

/* ---- What a cut does to an instruction: it keeps units first … first + n − 1 of those that the table says ---- */

static void move(ad_part *p, int operand, int64_t numbers, int64_t size)
{
    p->is.operand[operand].offset += numbers * size;
}

/* The nest's numbers are the plan's: the part has its own. */
static void cut_loops(ad_part *p, int64_t first, int64_t n, int64_t size)
{
    int d = longest_loop(&p->is);
    for (int k = 0; k <= p->is.nin; k++) move(p, k, first * ad_stride(&p->is.loops, k, d), size);
    memcpy(p->loops, p->is.loops.size, (size_t)((2 + p->is.nin) * p->is.loops.count) * sizeof *p->loops);
    p->loops[d] = n;
    p->is.loops.size = p->loops;
}

static void cut_reduction(ad_part *p, int64_t first, int64_t n, int64_t size)
{
    move(p, 0, first * p->is.dim[2], size);
    move(p, 1, first * p->is.dim[1] * p->is.dim[2], size);
    p->is.dim[0] = n;
}

static void cut_products(ad_part *p, int64_t first, int64_t n, int64_t size)
{
    move(p, 0, first * p->is.dim[1] * p->is.dim[2], size);
    if (p->is.dim[4] > 1) move(p, 1, first * p->is.dim[1] * p->is.dim[3], size);
    if (p->is.dim[5] > 1) move(p, 2, first * p->is.dim[3] * p->is.dim[2], size);
    p->is.dim[0] = n;
}

static void cut_gather(ad_part *p, int64_t first, int64_t n, int64_t size)
{
    move(p, 0, first * p->is.dim[1], size);
    move(p, 2, first, size);
    p->is.dim[2] = n;
}

static void cut_scatter(ad_part *p, int64_t first, int64_t n, int64_t size)
{
    move(p, 0, first, size);
    move(p, 1, first, size);
    p->is.dim[1] = n;
}

static int64_t units_of_loops(const ad_instruction *i)
{
    return i->loops.size[longest_loop(i)];
}

static const struct cut {
    int dim;       /* that counts the units; −1: the longest loop */
    int64_t least; /* units of a part */
    void (*keep)(ad_part *, int64_t first, int64_t n, int64_t size);
} cuts[] = {
    [DO_elementwise] = {-1, 1, cut_loops}, [DO_copy] = {-1, 1, cut_loops},   [DO_reduce] = {0, 1, cut_reduction},
    [DO_matmul] = {0, 1, cut_products},    [DO_gather] = {2, 1, cut_gather}, [DO_scatter] = {1, 64, cut_scatter},
};

static const struct cut *cut_of(const ad_instruction *i)
{
    return (size_t)i->action < sizeof cuts / sizeof *cuts && cuts[i->action].keep ? &cuts[i->action] : NULL;
}

/* Numbers read and added up, or written. */
static int64_t work(const ad_instruction *i)
{
    if (i->action == DO_matmul) return i->count * i->dim[3];
    return i->action == DO_reduce ? i->count * i->dim[1] : i->count;
}

ad_parts ad_parts_of(const ad_instruction *i)
{
    const struct cut *cut = cut_of(i);
    if (!cut) return (ad_parts){1, 1};
    int64_t units = cut->dim < 0 ? units_of_loops(i) : i->dim[cut->dim], most = work(i) / WORTH;
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
    cut_of(i)->keep(one, first, start_of(of, part + 1) - first, size);
}
