/* parts.c — instructions of shared code in parts that threads take side by side. Where the cuts are depends on sizes
 * only. */
#include "parts.h"

enum { WORTH = 1 << 14 }; /* numbers that make a part pay */

static int longest_loop(const ad_instruction *i)
{
    int longest = 0;
    for (int d = 1; d < i->loops.count; d++)
        if (i->loops.n[d] > i->loops.n[longest]) longest = d;
    return longest;
}

/* ---- What a cut does to an instruction: it keeps units first … first + n − 1 of those that the table says ---- */

static void move(ad_instruction *i, int operand, int64_t numbers, int64_t size)
{
    i->operand[operand].offset += numbers * size;
}

static void cut_loops(ad_instruction *i, int64_t first, int64_t n, int64_t size)
{
    int d = longest_loop(i);
    for (int k = 0; k <= i->nin; k++) move(i, k, first * i->loops.stride[k][d], size);
    i->loops.n[d] = n;
}

static void cut_reduction(ad_instruction *i, int64_t first, int64_t n, int64_t size)
{
    move(i, 0, first * i->dim[2], size);
    move(i, 1, first * i->dim[1] * i->dim[2], size);
    i->dim[0] = n;
}

static void cut_products(ad_instruction *i, int64_t first, int64_t n, int64_t size)
{
    move(i, 0, first * i->dim[1] * i->dim[2], size);
    if (i->dim[4] > 1) move(i, 1, first * i->dim[1] * i->dim[3], size);
    if (i->dim[5] > 1) move(i, 2, first * i->dim[3] * i->dim[2], size);
    i->dim[0] = n;
}

static void cut_gather(ad_instruction *i, int64_t first, int64_t n, int64_t size)
{
    move(i, 0, first * i->dim[1], size);
    move(i, 2, first, size);
    i->dim[2] = n;
}

static void cut_scatter(ad_instruction *i, int64_t first, int64_t n, int64_t size)
{
    move(i, 0, first, size);
    move(i, 1, first, size);
    i->dim[1] = n;
}

static int64_t units_of_loops(const ad_instruction *i)
{
    return i->loops.n[longest_loop(i)];
}

static const struct cut {
    ad_executor *run;
    int dim;       /* that counts the units; −1: the longest loop */
    int64_t least; /* units of a part */
    void (*keep)(ad_instruction *, int64_t first, int64_t n, int64_t size);
} cuts[] = {
    {ad_run_elementwise, -1, 1, cut_loops}, {ad_run_copy, -1, 1, cut_loops},   {ad_run_reduce, 0, 1, cut_reduction},
    {ad_run_matmul, 0, 1, cut_products},    {ad_run_gather, 2, 1, cut_gather}, {ad_run_scatter, 1, 64, cut_scatter},
};

static const struct cut *cut_of(const ad_instruction *i)
{
    for (size_t k = 0; k < sizeof cuts / sizeof *cuts; k++)
        if (cuts[k].run == i->run) return &cuts[k];
    return NULL;
}

/* Numbers read and added up, or written. */
static int64_t work(const ad_instruction *i)
{
    if (i->run == ad_run_matmul) return i->count * i->dim[3];
    return i->run == ad_run_reduce ? i->count * i->dim[1] : i->count;
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

ad_instruction ad_part(const ad_instruction *i, ad_parts of, int64_t part, int64_t size)
{
    ad_instruction one = *i;
    int64_t first = start_of(of, part);
    cut_of(i)->keep(&one, first, start_of(of, part + 1) - first, size);
    return one;
}
