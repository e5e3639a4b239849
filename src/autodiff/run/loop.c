/* loop.c — a scan's loop: how often it runs, and where its slots are at each step. */
#include "frame.h"

#include <string.h>

static int64_t slice_bytes(const ad_frame *f, const ad_move *m)
{
    return m->bytes + (m->row_bytes ? m->row_bytes * f->stage->block_rows : 0);
}

/* Before the turn of that number: states count turns, all else is told by the step. */
static void move_slots(const ad_instruction *i, ad_frame *f, int64_t turn, int64_t turns)
{
    const ad_move *m = f->plan->move + i->loop.move;
    int64_t step = i->loop.reverse ? turns - 1 - turn : turn;
    for (int64_t k = 0; k < i->loop.moves; k++, m++) {
        int64_t slice = m->first + (m->state ? turn : step);
        if (m->state && slice >= m->slices) slice %= m->slices;
        f->base[AD_BASE_SLOTS + m->slot] = ad_address(f, &m->at) + slice * slice_bytes(f, m);
    }
}

/* The results of steps that were not run: of all rows of a block at once, or of each. */
static void clear_rest(const ad_instruction *i, const ad_frame *f, int64_t turns)
{
    const ad_move *m = f->plan->move + i->loop.move;
    for (int64_t k = 0; k < i->loop.moves && turns < i->loop.steps; k++, m++) {
        int64_t bytes = slice_bytes(f, m), rows = m->by_row ? ad_rows_of(f, i) : 1;
        int64_t next = m->at.row_stride * (int64_t)f->kernels->size;
        for (int64_t r = 0; m->written && r < rows; r++)
            memset(ad_address(f, &m->at) + r * next + turns * bytes, 0, (size_t)((i->loop.steps - turns) * bytes));
    }
}

gibbs_status ad_run_loop(const ad_instruction *i, ad_frame *f)
{
    f->turns = i->loop.steps;
    if (!i->loop.by_length) return GIBBS_OK;
    double length = f->kernels->get(ad_address(f, &i->loop.length), 0);
    if (!(length >= 1) || (length < 9e15 && length != (double)(int64_t)length))
        return gibbs_fail(f->error, GIBBS_DATA, "scan (node %d): the length %g is no whole number from 1 up", i->node,
                          length);
    if (length < (double)f->turns) f->turns = (int64_t)length;
    return GIBBS_OK;
}

/* Accumulators are started in the first turn of the first block. */
gibbs_status ad_repeat(const ad_instruction *i, ad_frame *f, ad_runner *run, void *context)
{
    int64_t turns = f->turns, outer = f->turn;
    bool first = f->first;
    gibbs_status status = GIBBS_OK;
    for (int64_t turn = 0; turn < turns && !status; turn++) {
        move_slots(i, f, turn, turns);
        f->turn = (outer > 0 ? outer * i->loop.all : 0) + i->loop.first +
                  i->loop.stride * (i->loop.reverse ? turns - 1 - turn : turn);
        f->first = first && turn == 0;
        status = run(context, i + 1, i->loop.body, f);
    }
    f->turn = outer;
    f->first = first;
    move_slots(i, f, turns, turns);
    if (i->loop.by_length) clear_rest(i, f, turns);
    return status;
}

gibbs_status ad_run_unstack(const ad_instruction *i, ad_frame *f)
{
    int64_t rows = ad_rows_of(f, i), size = (int64_t)f->kernels->size, n = i->unstack.width, T = i->unstack.steps;
    int64_t next = f->stage->block_rows * i->factor * n;
    char *y = ad_address(f, &i->unstack.y);
    const char *x = ad_address(f, &i->unstack.x) + i->unstack.first * next * size;
    if (n == 1) f->kernels->transpose(rows, T, y, T, x, next);
    for (int64_t t = 0; n > 1 && t < T; t++)
        for (int64_t r = 0; r < rows; r++)
            memcpy(y + (r * T + t) * n * size, x + (t * next + r * n) * size, (size_t)(n * size));
    return GIBBS_OK;
}
