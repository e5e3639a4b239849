/* run_plan.c — running a plan: stages in order; in a stage, shards over threads; in a shard, blocks; in a block, the
 * flat list of instructions. */
#include "base/parallel.h"
#include "workspace.h"

#include <string.h>

/* Shards of fewer rows than a block, or than 128, would make thin products; but two of 64 are better than one thread
 * where there is much to do. */
enum { MAX_SHARDS = 16, SHARD_ROWS = 128, LEAST_ROWS = 64, MUCH = 8 };
static const double SHARD_WORTH = 40e3;      /* nanoseconds of work that make a second shard pay */
static const double ACCUMULATOR_COST = 0.01; /* nanoseconds a byte, to start an accumulator and add it up */
static const double ACCUMULATOR_SHARE = 0.05;

ad_split ad_split_rows(const ad_stage *stage, int64_t rows)
{
    double work = (double)rows * stage->row_cost,
           each = ACCUMULATOR_COST * (double)stage->accumulator_bytes / ACCUMULATOR_SHARE;
    double most = work / (each > SHARD_WORTH ? each : SHARD_WORTH);
    int64_t least = stage->block_rows < SHARD_ROWS ? stage->block_rows : SHARD_ROWS, shards = 1;
    while (shards < MAX_SHARDS && 2 * shards * least <= rows && (double)(2 * shards) <= most) shards *= 2;
    if (shards == 1 && rows >= 2 * LEAST_ROWS && most >= MUCH) shards = 2;
    return (ad_split){rows, shards};
}

int64_t ad_shard_start(ad_split s, int64_t shard)
{
    return (int64_t)((__int128)s.rows * shard / s.shards);
}

/* ---- One block, one shard ---- */

typedef struct run_state {
    ad_workspace *w;
    const ad_run_options *options;
    const ad_stage *stage;
    int threads;
    gibbs_float_word host; /* the word of the caller */
    ad_split split;
    gibbs_error *error;
    gibbs_status *status; /* of each shard, with its sentence */
    gibbs_error *shard_error;
} run_state;

/* The allocator is the host's, and so is the word that it runs under. */
static bool fit(const run_state *r, ad_memory *m, int64_t bytes)
{
    if (bytes <= m->bytes) return true;
    gibbs_float_leave(r->host);
    bool fits = ad_memory_fit(&r->w->alloc, m, bytes);
    gibbs_float_enter();
    return fits;
}

static void move_bases(const ad_plan *plan, const ad_workspace *w, char **base, int32_t axis, int64_t row)
{
    for (int64_t s = 0; s < plan->slots; s++) {
        const ad_slot *slot = &plan->slot[s];
        int64_t k = AD_BASE_SLOTS + s;
        bool moves = slot->axis >= 0 && w->base[k] && ad_root_of(plan, slot->axis) == axis; /* else: from its start */
        base[k] = moves ? w->base[k] + row * slot->factor * slot->count * (int64_t)plan->kernels->size : w->base[k];
    }
}

/* Reductions over the batch are of the last repetition only. */
typedef struct code_state {
    bool check, last;
} code_state;

static gibbs_status run_code(void *context, const ad_instruction *i, int64_t count, ad_frame *f)
{
    const code_state *s = context;
    for (int64_t k = 0; k < count; k++, i++) {
        if (!s->last && i->operand[0].base == AD_BASE_ACCUMULATOR) continue;
        gibbs_status status = ad_execute(i, f);
        if (!status && s->check) status = ad_check_finite(i, f);
        if (!status && i->action == DO_loop) {
            status = ad_repeat(i, f, run_code, context);
            k += i->loop.body, i += i->loop.body;
        }
        if (status) return status;
    }
    return GIBBS_OK;
}

static void copy_carried(const ad_plan *plan, const ad_frame *f, bool in)
{
    for (int k = 0; k < plan->carries; k++) {
        const ad_carried *c = &plan->carried[k];
        int32_t from = in ? c->into_slot : c->from_slot;
        memcpy(f->base[AD_BASE_ARENA] + c->buffer.offset, f->base[AD_BASE_SLOTS + from],
               (size_t)(c->row_bytes * f->rows));
    }
}

static gibbs_status run_block(const run_state *r, ad_frame *f, int64_t row, int64_t rows)
{
    const ad_plan *plan = r->w->plan;
    int repeat = plan->repeats && r->options->repeat > 1 ? r->options->repeat : 1;
    f->row0 = row;
    f->rows = rows;
    move_bases(plan, r->w, f->base, r->stage->axis, row);
    copy_carried(plan, f, true);
    for (int k = 0; k < repeat; k++) {
        f->step = r->options->step + (uint64_t)k;
        code_state state = {r->options->check, k + 1 == repeat};
        gibbs_status status = run_code(&state, r->stage->body.at, r->stage->body.count, f);
        if (status) return status;
        if (k + 1 < repeat) copy_carried(plan, f, false);
    }
    return GIBBS_OK;
}

/* Bytes of one thread's arena, in whole cache lines. */
static int64_t arena_bytes(const ad_stage *stage)
{
    return (stage->arena_row_bytes * stage->block_rows + 127) / 64 * 64;
}

/* Blocks of a shard are of nearly equal size, in whole vectors of rows. */
static void run_shard(void *context, int64_t shard, int thread)
{
    run_state *r = context;
    const ad_workspace *w = r->w;
    const ad_stage *stage = r->stage;
    char **base = (char **)w->tables.at + thread * w->bases;
    memcpy(base, w->base, (size_t)w->bases * sizeof *base);
    base[AD_BASE_ARENA] = w->arena.at + thread * arena_bytes(stage);
    base[AD_BASE_ACCUMULATOR] = w->accumulators.at + shard * stage->accumulator_bytes;
    ad_frame f = {.plan = w->plan, .stage = stage, .kernels = w->plan->kernels, .base = base, .start = w->base,
                  .axis_rows = w->rows, .room = w->rooms.at + thread * w->plan->room,
                  .all_rows = r->split.rows, .first = true, .turn = -1, .first_shard = shard == 0,
                  .seed = r->options->seed,
                  .host = r->host, .error = &r->shard_error[shard]};
    int64_t begin = ad_shard_start(r->split, shard), end = ad_shard_start(r->split, shard + 1);
    int64_t blocks = (end - begin + stage->block_rows - 1) / stage->block_rows;
    int64_t size = (end - begin + blocks - 1) / blocks;
    if (stage->block_rows >= 16) size = (size + 15) / 16 * 16;
    r->status[shard] = GIBBS_OK;
    for (int64_t row = begin; row < end && !r->status[shard]; row += size, f.first = false)
        r->status[shard] = run_block(r, &f, row, end - row < size ? end - row : size);
}

/* ---- Stages ---- */

static gibbs_status run_body(run_state *r)
{
    ad_workspace *w = r->w;
    const ad_stage *stage = r->stage;
    r->split = ad_split_rows(stage, w->rows[stage->axis]);
    int threads = r->split.shards < r->threads ? (int)r->split.shards : r->threads;
    if (!fit(r, &w->arena, arena_bytes(stage) * threads) ||
        !fit(r, &w->accumulators, stage->accumulator_bytes * r->split.shards) ||
        !fit(r, &w->tables, (int64_t)sizeof(char *) * w->bases * threads))
        return gibbs_fail(r->error, GIBBS_MEMORY, "run: out of memory");
    gibbs_status status[MAX_SHARDS];
    gibbs_error error[MAX_SHARDS];
    r->status = status;
    r->shard_error = error;
    gibbs_parallel(threads, r->split.shards, run_shard, r);
    for (int64_t s = 0; s < r->split.shards; s++)
        if (status[s]) {
            if (r->error) *r->error = error[s];
            return status[s];
        }
    for (int64_t a = 0; a < stage->accumulators; a++)
        ad_add_up(w, stage, &stage->accumulator[a], r->split.shards, r->threads);
    return GIBBS_OK;
}

static gibbs_status run_stage(run_state *r)
{
    ad_workspace *w = r->w;
    ad_frame f = {.plan = w->plan,
                  .stage = r->stage,
                  .kernels = w->plan->kernels,
                  .base = w->base,
                  .start = w->base,
                  .room = w->rooms.at,
                  .rows = 1,
                  .all_rows = 1,
                  .axis_rows = w->rows,
                  .first = true,
                  .turn = -1,
                  .seed = r->options->seed,
                  .step = r->options->step,
                  .host = r->host,
                  .error = r->error};
    gibbs_status status = ad_run_shared(&r->stage->shared, &f, r->threads, r->options->check);
    if (status || r->stage->axis < 0) return status;
    status = run_body(r);
    for (int64_t a = 0; !status && r->options->check && a < r->stage->accumulators; a++) {
        const ad_accumulator *acc = &r->stage->accumulator[a];
        ad_instruction sum = {
            .op = acc->op, .node = -1, .axis = -1, .factor = 1, .count = acc->count, .operand = {acc->result}};
        status = ad_check_finite(&sum, &f);
    }
    return status;
}

/* ---- Before a run ---- */

static gibbs_status check_ready(const ad_workspace *w, gibbs_error *error)
{
    const ad_plan *plan = w->plan;
    for (int64_t a = 0; a < plan->axes; a++)
        if (plan->counted[a] && !w->rows[a])
            return gibbs_fail(error, GIBBS_UNBOUND, "run: the number of rows on axis «%s» was never set",
                              plan->axis[a].name);
    for (int64_t s = 0; s < plan->slots; s++)
        if (plan->slot[s].kind == SLOT_INPUT && !w->base[AD_BASE_SLOTS + s])
            return gibbs_fail(error, GIBBS_UNBOUND, "run: the %s «%s» is not bound",
                              plan->slot[s].axis < 0 ? "parameter" : "input", plan->slot[s].name);
    return GIBBS_OK;
}

static gibbs_status fit_stored(const run_state *r)
{
    ad_workspace *w = r->w;
    const ad_plan *plan = w->plan;
    for (int64_t s = 0; s < plan->slots; s++) {
        const ad_slot *slot = &plan->slot[s];
        if (slot->kind != SLOT_STORED) continue;
        int32_t root = ad_root_of(plan, slot->axis);
        int64_t bytes;
        if (!gibbs_mul_size(w->rows[root], slot->factor * slot->count * (int64_t)plan->kernels->size, &bytes))
            return gibbs_fail(r->error, GIBBS_SIZE, "run: %lld rows on «%s» are too many", (long long)w->rows[root],
                              plan->axis[root].name);
        if (!fit(r, &w->stored[s], bytes))
            return gibbs_fail(r->error, GIBBS_MEMORY, "run: out of memory");
        w->base[AD_BASE_SLOTS + s] = w->stored[s].at;
    }
    return GIBBS_OK;
}

/* For each thread, what products are packed into, and factorisations work in. */
static gibbs_status fit_rooms(const run_state *r)
{
    int threads = r->threads < MAX_SHARDS ? r->threads : MAX_SHARDS;
    if (!r->w->plan->room || fit(r, &r->w->rooms, r->w->plan->room * threads)) return GIBBS_OK;
    return gibbs_fail(r->error, GIBBS_MEMORY, "run: out of memory");
}

/* The twin that stores, where its memory is small beside a processor's last cache: there, reading is cheaper than
 * computing again. Sizes alone decide, so that the bits are always the same. */
static ad_workspace *chosen(ad_workspace *w)
{
    enum { MOST_BYTES = 16 << 20 };
    const ad_plan *plan = w->storing ? w->storing->plan : NULL;
    double bytes = 0;
    w->twin_ran = false;
    for (int64_t s = 0; plan && s < plan->slots; s++) {
        const ad_slot *slot = &plan->slot[s];
        if (slot->kind == SLOT_STORED)
            bytes += (double)w->rows[ad_root_of(plan, slot->axis)] * (double)(slot->factor * slot->count) *
                     (double)plan->kernels->size;
    }
    w->twin_ran = plan && bytes <= MOST_BYTES;
    return w->twin_ran ? w->storing : w;
}

static gibbs_status run_stages(run_state *r)
{
    ad_workspace *w = r->w;
    gibbs_status status = check_ready(w, r->error);
    if (!status) status = fit_stored(r);
    if (!status) status = fit_rooms(r);
    if (!status && r->options->check) status = ad_check_inputs(w, r->error);
    for (int64_t s = 0; !status && s < w->plan->stages; s++) {
        r->stage = &w->plan->stage[s];
        status = run_stage(r);
    }
    if (!status) w->ran = true;
    return status;
}

gibbs_status ad_run(ad_workspace *w, const ad_run_options *options, gibbs_error *error)
{
    static const ad_run_options defaults;
    if (!w) return gibbs_fail(error, GIBBS_ARGUMENT, "run: no workspace");
    w = chosen(w);
    run_state r = {.w = w, .options = options ? options : &defaults, .error = error};
    if (r.options->repeat < 0 || r.options->threads < 0)
        return gibbs_fail(error, GIBBS_ARGUMENT, "run: repeat %d and threads %d must not be negative",
                          r.options->repeat, r.options->threads);
    if (r.options->repeat > 1 && !w->plan->repeats)
        return gibbs_fail(error, GIBBS_ARGUMENT, "run: repeat %d without a carry computes the same again",
                          r.options->repeat);
    r.threads = r.options->check ? 1 : r.options->threads > 0 ? r.options->threads : gibbs_default_threads();
    r.host = gibbs_float_enter();
    gibbs_status status = run_stages(&r);
    gibbs_float_leave(r.host);
    return status;
}
