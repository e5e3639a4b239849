/* sweeps.c — sweeps in blocks of chains, which threads take. */
#include "sweeps.h"

#include "autodiff/kernel/kernels.h"
#include "base/float_word.h"
#include "base/parallel.h"
#include "base/random.h"
#include "colours.h"
#include "coupled.h"
#include "linear_base.h"
#include "toggles.h"

#include <math.h>
#include <string.h>

static ebm_sweep_fn *const fields[] = GIBBS_ISA_TABLE(ebm_sweep_fields);
static ebm_sweep_energy_fn *const energies[] = GIBBS_ISA_TABLE(ebm_sweep_energies);
static ebm_sweep_fn *const columns[] = GIBBS_ISA_TABLE(ebm_sweep_columns);
static ebm_sweep_fn *const at_once[] = GIBBS_ISA_TABLE(ebm_sweep_columns_at_once);
static ebm_sweep_turn_fn *const log_weights[] = GIBBS_ISA_TABLE(ebm_sweep_log_weights);
static ebm_sweep_turn_fn *const pick[] = GIBBS_ISA_TABLE(ebm_sweep_pick);

/* A block's fields fill BLOCK_BYTES, beside the rows of J that its chains share in turn; a sweep draws for PART
 * variables at once. */
enum { BLOCK_BYTES = 1 << 18, MOST_CHAINS = 64, PART = 1024 };

/* What a thread needs for a block. */
typedef struct scratch {
    void *draw, *other, *weight;
    int32_t *order, *changed;
    double energy[MOST_CHAINS], *room; /* room: of change statistics */
} scratch;

struct ebm_sweeps {
    gibbs_allocator alloc;
    ebm_coupled coupled; /* where there are change statistics, without couplings: */
    ebm_toggles *toggles;
    char *state;         /* rows of `bytes` */
    size_t bytes;
    bool checked;        /* the change statistics, against the recorded energy */
    const ad_kernels *kernels;
    ebm_order order;
    int threads;
    int64_t variables, labels, block; /* block: chains */
    int32_t *coloured;                /* the variables by colours, and where each colour ends */
    int64_t *end, colours;
    void *base;                       /* slope of log q, and log q at 0 */
    double base_constant;
    void *field, *energy, *log_q;
    int32_t *label;
    int64_t capacity;
    scratch *worker;
    int workers;
};

static bool has_labels(const ebm_sweeps *s) { return s->toggles || s->labels > 1; }

/* ---- Memory ---- */

static void free_workers(ebm_sweeps *s)
{
    for (int w = 0; w < s->workers; w++) {
        gibbs_release_aligned(&s->alloc, s->worker[w].draw);
        gibbs_release_aligned(&s->alloc, s->worker[w].other);
        gibbs_release_aligned(&s->alloc, s->worker[w].weight);
        gibbs_release(&s->alloc, s->worker[w].order);
        gibbs_release(&s->alloc, s->worker[w].changed);
        gibbs_release(&s->alloc, s->worker[w].room);
    }
    gibbs_release(&s->alloc, s->worker);
    s->worker = NULL;
    s->workers = 0;
}

static void free_rows(ebm_sweeps *s)
{
    gibbs_release_aligned(&s->alloc, s->field);
    gibbs_release_aligned(&s->alloc, s->energy);
    gibbs_release_aligned(&s->alloc, s->log_q);
    gibbs_release(&s->alloc, s->label);
    gibbs_release_aligned(&s->alloc, s->state);
    s->field = s->energy = s->log_q = s->label = NULL;
    s->state = NULL;
    s->capacity = 0;
}

void ebm_sweeps_free(ebm_sweeps *s)
{
    if (!s) return;
    gibbs_allocator a = s->alloc;
    free_workers(s);
    free_rows(s);
    gibbs_release(&a, s->coloured);
    gibbs_release(&a, s->end);
    gibbs_release_aligned(&a, s->base);
    if (s->toggles) gibbs_release(&a, s->toggles->theta);
    gibbs_release(&a, s->toggles);
    ebm_coupled_free(&s->coupled);
    gibbs_release(&a, s);
}

static bool make_workers(ebm_sweeps *s, int workers)
{
    const gibbs_allocator *a = &s->alloc;
    size_t size = s->kernels->size, block = (size_t)s->block;
    int64_t part = s->variables < PART ? s->variables : PART;
    if (workers <= s->workers) return true;
    free_workers(s);
    s->worker = gibbs_alloc_zero(a, (size_t)workers, sizeof *s->worker);
    bool ready = s->worker;
    for (int w = 0; ready && w < workers; w++) {
        scratch *own = &s->worker[s->workers++];
        own->draw = gibbs_alloc_aligned(a, block * (size_t)part, size);
        own->other = gibbs_alloc_aligned(a, s->labels > 1 ? 0 : block * (size_t)part, size);
        own->weight = gibbs_alloc_aligned(a, block * (size_t)s->labels, size);
        own->changed = gibbs_alloc(a, (size_t)part, sizeof *own->changed);
        own->order = gibbs_alloc(a, s->order == EBM_ORDER_RANDOM ? (size_t)s->variables : 0, sizeof *own->order);
        own->room = gibbs_alloc(a, s->toggles ? (size_t)ebm_toggles_room(s->toggles, s->labels) : 0, sizeof *own->room);
        ready = own->draw && own->other && own->weight && own->changed && own->order && own->room;
    }
    return ready;
}

static bool make_rows(ebm_sweeps *s, int64_t rows)
{
    const gibbs_allocator *a = &s->alloc;
    size_t size = s->kernels->size, n = (size_t)rows;
    if (rows <= s->capacity) return true;
    free_rows(s);
    s->field = gibbs_alloc_aligned(a, s->toggles ? 0 : n * (size_t)s->coupled.c.dim, size);
    s->state = gibbs_alloc_aligned(a, s->toggles ? n : 0, s->bytes);
    s->energy = gibbs_alloc_aligned(a, n, size);
    s->log_q = gibbs_alloc_aligned(a, s->base ? n : 0, size);
    s->label = gibbs_alloc(a, has_labels(s) ? n * (size_t)s->variables : 0, sizeof *s->label);
    bool ready = s->field && s->energy && s->log_q && s->label && s->state;
    if (ready) s->capacity = rows;
    return ready;
}

static int workers_for(const ebm_sweeps *s, int64_t rows)
{
    int64_t blocks = (rows + s->block - 1) / s->block, threads = s->threads > 0 ? s->threads : gibbs_default_threads();
    return (int)(blocks < threads ? blocks : threads);
}

static gibbs_status make_room(ebm_sweeps *s, int64_t rows, gibbs_error *error)
{
    if (make_rows(s, rows) && make_workers(s, workers_for(s, rows))) return GIBBS_OK;
    return gibbs_fail(error, GIBBS_MEMORY, "chains: out of memory for %lld chains", (long long)rows);
}

/* ---- Making ---- */

/* Change statistics, where the energy has them. */
static gibbs_status take_changes(ebm_sweeps *s, ebm_model *model, const ebm_space *space, gibbs_error *error)
{
    ebm_changes changes;
    if (model->given || !model->kind->changes || !model->kind->changes(model->context, &changes)) return GIBBS_OK;
    s->coupled = (ebm_coupled){.model = model, .space = *space, .c = {.dtype = model->dtype, .dim = model->dim}};
    s->toggles = gibbs_alloc_zero(&s->alloc, 1, sizeof *s->toggles);
    if (s->toggles) {
        *s->toggles = (ebm_toggles){changes, model->context, model->size, NULL};
        s->toggles->theta = gibbs_alloc(&s->alloc, (size_t)model->size, sizeof(double));
        s->bytes = (changes.bytes + 63) / 64 * 64;
    }
    return s->toggles && s->toggles->theta ? GIBBS_OK : gibbs_fail(error, GIBBS_MEMORY, "chains: out of memory");
}

static void set_up(ebm_sweeps *s, const ebm_chain_options *o)
{
    const ebm_space *space = &s->coupled.space;
    s->kernels = ad_kernels_for(s->coupled.c.dtype);
    s->order = s->toggles && o->order == EBM_ORDER_COLOURS ? EBM_ORDER_IN_TURN : o->order;
    s->threads = o->threads;
    s->variables = space->variables;
    s->labels = space->one_hot ? space->labels : 1;
    s->block = BLOCK_BYTES / (s->coupled.c.dim * (int64_t)s->kernels->size);
    if (s->block < 1) s->block = 1;
    if (s->block > MOST_CHAINS) s->block = MOST_CHAINS;
}

gibbs_status ebm_sweeps_new(ebm_model *model, const ebm_chain_options *o, const ebm_proposal *base, ebm_sweeps **out,
                            gibbs_error *error)
{
    ebm_coupled_way way = EBM_COUPLED_NOT;
    bool linear = true;
    ebm_sweeps *s = gibbs_alloc_zero(&model->alloc, 1, sizeof *s);
    *out = NULL;
    if (!s) return gibbs_fail(error, GIBBS_MEMORY, "chains: out of memory");
    s->alloc = model->alloc;
    gibbs_status status = take_changes(s, model, &o->space, error);
    if (!status && !s->toggles) status = ebm_coupled_new("chains", model, &o->space, &s->coupled, &way, error);
    bool known = !status && (s->toggles || way != EBM_COUPLED_NOT);
    if (known) set_up(s, o);
    if (known && base) s->base = gibbs_alloc_aligned(&s->alloc, (size_t)model->dim, s->kernels->size);
    if (known && base && !s->base) status = gibbs_fail(error, GIBBS_MEMORY, "chains: out of memory");
    else if (known && base) status = ebm_linear_base(base, model, s->base, &s->base_constant, &linear, error);
    if (known && !status && linear) *out = s;
    else ebm_sweeps_free(s);
    return status;
}

/* The graph does not change with the parameters. */
static gibbs_status colour(ebm_sweeps *s, gibbs_error *error)
{
    if (s->order != EBM_ORDER_COLOURS || s->colours) return GIBBS_OK;
    size_t n = (size_t)s->variables;
    int64_t *end = gibbs_alloc(&s->alloc, n, sizeof *end);
    if (!s->coloured) s->coloured = gibbs_alloc(&s->alloc, n, sizeof *s->coloured);
    if (s->coloured && end) s->colours = ebm_colours(&s->coupled.c, s->labels, &s->alloc, s->coloured, end);
    if (s->colours) s->end = gibbs_alloc(&s->alloc, (size_t)s->colours, sizeof *end); /* few, of a graph */
    if (s->end) memcpy(s->end, end, (size_t)s->colours * sizeof *end);
    else s->colours = 0;
    gibbs_release(&s->alloc, end);
    return s->colours ? GIBBS_OK : gibbs_fail(error, GIBBS_MEMORY, "chains: out of memory");
}

/* ---- Blocks ---- */

typedef struct job {
    ebm_sweeps *s;
    char *x;
    int64_t rows, steps;
    const char *beta;
    uint64_t seed, first_step;
} job;

static ebm_sweep block_of(const job *j, int64_t index)
{
    const ebm_sweeps *s = j->s;
    size_t size = s->kernels->size;
    int64_t row = index * s->block, rest = j->rows - row, numbers = row * s->coupled.c.dim;
    const double *values = s->coupled.space.values;
    return (ebm_sweep){
        .c = &s->coupled.c, .chains = rest < s->block ? rest : s->block, .labels = s->labels,
        .value = {values[0], values[1]}, .x = j->x + (size_t)numbers * size,
        .field = (char *)s->field + (size_t)numbers * size,
        .label = s->label + (has_labels(s) ? row * s->variables : 0),
        .beta = j->beta ? j->beta + (size_t)row * size : NULL, .base = s->base,
    };
}

static char *state_of(const ebm_sweeps *s, int64_t index) { return s->state + (size_t)(index * s->block) * s->bytes; }

static void evaluate_block(void *context, int64_t index, int worker)
{
    const job *j = context;
    ebm_sweeps *s = j->s;
    ebm_sweep block = block_of(j, index);
    double *energy = s->worker[worker].energy;
    if (s->toggles)
        ebm_toggles_start(s->toggles, &block, state_of(s, index), s->bytes, s->worker[worker].room, energy);
    else {
        fields[gibbs_isa()](&block);
        energies[gibbs_isa()](&block, energy);
    }
    char *to = (char *)s->energy + (size_t)(index * s->block) * s->kernels->size;
    s->kernels->from_double(block.chains, to, energy);
    for (int64_t r = 0; r < block.chains && s->base; r++) { /* few numbers beside the fields */
        int64_t d = s->coupled.c.dim, row = index * s->block + r;
        double sum = s->base_constant;
        for (int64_t k = 0; k < d; k++)
            sum += ebm_number(s->coupled.c.dtype, block.x, r * d + k) * ebm_number(s->coupled.c.dtype, s->base, k);
        s->kernels->from_double(1, (char *)s->log_q + (size_t)row * s->kernels->size, &sum);
    }
}

/* Uniforms; of two-valued columns their log odds. */
static void draw(const job *j, ebm_sweep *block, scratch *own, int64_t row, uint64_t step)
{
    const ad_kernels *k = j->s->kernels;
    const uint64_t key[2] = {j->seed, EBM_STREAM_SAMPLER_SWEEP};
    int64_t n = block->chains * block->count;
    double one[1], unit = 1; /* room for a number of either type */
    k->uniform(block->chains, block->count, own->draw, (uint64_t)row, key,
               step * (uint64_t)j->s->variables + (uint64_t)block->first);
    block->draw = own->draw;
    if (block->labels > 1) return;
    k->from_double(1, one, &unit);
    k->binary[OP_sub](n, own->other, one, 0, own->draw, 1);
    k->unary[OP_log](n, own->draw, own->draw);
    k->unary[OP_log](n, own->other, own->other);
    k->binary[OP_sub](n, own->draw, own->draw, 1, own->other, 1);
}

static void redraw(const job *j, ebm_sweep *block, scratch *own, int64_t index)
{
    const ebm_sweeps *s = j->s;
    int isa = gibbs_isa();
    if (s->toggles) {
        ebm_toggles_redraw(s->toggles, block, state_of(s, index), s->bytes, own->room);
        return;
    }
    if (s->labels == 1) {
        (s->order == EBM_ORDER_COLOURS ? at_once : columns)[isa](block);
        return;
    }
    for (int64_t t = 0; t < block->count; t++) {
        log_weights[isa](block, t);
        s->kernels->unary[OP_exp](block->chains * s->labels, own->weight, own->weight);
        pick[isa](block, t);
    }
}

/* The same for all chains: the order tells nothing of where they are. */
static void random_order(const job *j, int32_t *order, uint64_t step)
{
    gibbs_words words = gibbs_words_start(j->seed, EBM_STREAM_SAMPLER_TURN, step);
    for (int64_t v = 0; v < j->s->variables; v++)
        order[v] = (int32_t)gibbs_words_below(&words, (uint64_t)j->s->variables);
}

static void move_block(void *context, int64_t index, int worker)
{
    const job *j = context;
    const ebm_sweeps *s = j->s;
    scratch *own = &s->worker[worker];
    ebm_sweep block = block_of(j, index);
    block.weight = own->weight;
    block.changed = own->changed;
    block.order = s->order == EBM_ORDER_RANDOM ? own->order : s->order == EBM_ORDER_COLOURS ? s->coloured : NULL;
    for (int64_t k = 0; k < j->steps; k++) {
        uint64_t step = j->first_step + (uint64_t)k;
        int64_t colour = 0;
        if (s->order == EBM_ORDER_RANDOM) random_order(j, own->order, step);
        for (block.first = 0; block.first < s->variables; block.first += block.count) {
            int64_t end = s->order == EBM_ORDER_COLOURS ? s->end[colour] : s->variables;
            block.count = end - block.first < PART ? end - block.first : PART;
            colour += block.first + block.count == end;
            draw(j, &block, own, index * s->block, step);
            redraw(j, &block, own, index);
        }
    }
}

static void run(const job *j, gibbs_task *task)
{
    gibbs_float_word host = gibbs_float_enter();
    gibbs_parallel(workers_for(j->s, j->rows), (j->rows + j->s->block - 1) / j->s->block, task, (void *)j);
    gibbs_float_leave(host);
}

static gibbs_status take_theta(ebm_sweeps *s, gibbs_error *error)
{
    ebm_model_get(s->coupled.model, s->toggles->theta);
    for (int64_t k = 0; k < s->toggles->parameters; k++)
        if (!isfinite(s->toggles->theta[k]))
            return gibbs_fail(error, GIBBS_NUMERIC, "chains: parameter %lld is %g", (long long)k + 1,
                              s->toggles->theta[k]);
    return GIBBS_OK;
}

gibbs_status ebm_sweeps_evaluate(ebm_sweeps *s, void *x, int64_t rows, const void **energy, const void **log_q,
                                 gibbs_error *error)
{
    gibbs_status status = make_room(s, rows, error);
    if (!status) status = s->toggles ? take_theta(s, error) : ebm_coupled_update("chains", &s->coupled, error);
    if (!status) status = colour(s, error);
    if (status) return status;
    const job all = {.s = s, .x = x, .rows = rows};
    run(&all, evaluate_block);
    if (s->toggles && !s->checked) {
        ebm_sweep first = block_of(&all, 0);
        status = ebm_toggles_check(s->toggles, s->coupled.model, &first, s->state, s->worker->room, error);
        if (status) return status;
        s->checked = true;
    }
    *energy = s->energy;
    *log_q = s->log_q;
    return GIBBS_OK;
}

void ebm_sweeps_move(ebm_sweeps *s, void *x, int64_t rows, const void *beta, int64_t steps, uint64_t seed,
                     uint64_t first_step)
{
    run(&(job){s, x, rows, steps, beta, seed, first_step}, move_block);
}
