/* source_chains.c — artificial points from chains that start at the data, or go on from where they stood. */
#include "source.h"

#include "base/random.h"
#include "ebm/proposal/record_proposal.h"
#include "neighbours.h"

#include <string.h>

static size_t y_bytes(const ebm_objective *o)
{
    return (size_t)ebm_source_dim(o) * gibbs_dtype_size(o->model->dtype);
}

static size_t row_bytes(const ebm_objective *o) { return (size_t)o->model->dim * gibbs_dtype_size(o->model->dtype); }

static gibbs_status chain_check(const ebm_loss *loss, const ebm_loss_options *o, gibbs_error *error)
{
    if (o->chain && (o->chain->temperatures || o->chain->inverse_temperatures))
        return gibbs_fail(error, GIBBS_ARGUMENT, "%s: tempered chains are no samples of the model", loss->name);
    return GIBBS_OK;
}

ebm_chain_options ebm_loss_chain(const ebm_loss_options *from)
{
    ebm_chain_options chain = from->chain ? *from->chain : (ebm_chain_options){0};
    chain.sampler = from->sampler;
    chain.step = from->sampler_step;
    chain.proposal = from->proposal;
    chain.threads = from->threads;
    const ebm_space *own = &chain.space;
    if (!own->variables && !own->labels && !own->labels_of && !own->one_hot && !own->values) chain.space = from->space;
    return chain;
}

static gibbs_status chain_make(ebm_objective *o, gibbs_error *error)
{
    ebm_chain_options chain = ebm_loss_chain(&o->options);
    return ebm_chains_new(o->model, &chain, &o->chains, error);
}

gibbs_status ebm_source_room(ebm_objective *o, int64_t rows, size_t buffer, size_t moved, int64_t kept,
                             gibbs_error *error)
{
    if (rows <= o->buffered) return GIBBS_OK;
    size_t size = gibbs_dtype_size(o->model->dtype);
    void *first = gibbs_alloc_aligned(&o->alloc, (size_t)rows, buffer * size);
    void *second = first ? gibbs_alloc_aligned(&o->alloc, (size_t)rows, moved * size) : NULL;
    if (!second) {
        gibbs_release_aligned(&o->alloc, first);
        return gibbs_fail(error, GIBBS_MEMORY, "%s: out of memory for %lld %s", o->loss->name, (long long)rows,
                          o->loss->noise == EBM_NOISE_PAIRS ? "pairs" : "chains");
    }
    if (kept) memcpy(first, o->buffer, (size_t)kept * buffer * size);
    gibbs_release_aligned(&o->alloc, o->buffer);
    gibbs_release_aligned(&o->alloc, o->moved);
    o->buffer = first;
    o->moved = second;
    o->buffered = rows;
    o->drawn = 0;
    return GIBBS_OK;
}

/* `count` rows of x, from number `first` on where they do not weigh, else each as often as it weighs. */
static void copy_rows(const ebm_objective *o, const void *x, int64_t rows, int64_t first, int64_t count, char *to)
{
    ebm_source_rows r = ebm_source_rows_start(o, rows, count);
    for (int64_t i = 0; i < count; i++)
        memcpy(to + (size_t)i * row_bytes(o),
               (const char *)x + (size_t)ebm_source_row(o, &r, first + i) * row_bytes(o), row_bytes(o));
}

/* k transitions from `x`. */
static gibbs_status move_from(ebm_objective *o, const void *x, gibbs_error *error)
{
    uint64_t k = (uint64_t)o->options.sampler_steps;
    gibbs_status status = ebm_chains_start_native(o->chains, x, o->rows, error);
    if (!status) status = ebm_chains_run(o->chains, (int64_t)k, o->seed, o->step * k, error);
    if (!status) status = ad_bind(o->program.workspace, o->y_leaf, ebm_chains_native(o->chains), error);
    if (status || ad_is_null(o->y_given)) return status;
    return ad_bind(o->program.workspace, o->y_given, ebm_chains_given(o->chains), error);
}

/* Chain i starts at row i. */
static void chain_weigh(ebm_objective *o)
{
    o->graph.noise_weight = o->noise_weight = ad_input(o->graph.noise, "weight", ad_scalar());
}

static gibbs_status chain_refresh(ebm_objective *o, gibbs_error *error) { return move_from(o, o->x, error); }

/* ---- All transitions but the last, which the loss records: with the number that it would have had, and hence with the
 * same random numbers. It is taken here as well, to see which chains end up next to one another. ---- */

static void last_record(ebm_objective *o)
{
    ebm_source_input_y(o);
    o->graph.second = ad_input(o->graph.noise, "nearest", ad_scalar());
}

static gibbs_status last_bind(ebm_objective *o, const void *x, int64_t rows, int64_t noise_rows, gibbs_error *error)
{
    (void)x, (void)noise_rows;
    return ebm_source_room(o, rows, (size_t)o->model->dim, 1, 0, error);
}

static gibbs_status last_refresh(ebm_objective *o, gibbs_error *error)
{
    uint64_t k = (uint64_t)o->options.sampler_steps, first = o->step * k;
    o->graph_step = first + k - 1;
    if (o->weight) copy_rows(o, o->x, o->rows, 0, o->rows, o->buffer);
    gibbs_status status = ebm_chains_start_native(o->chains, o->weight ? o->buffer : o->x, o->rows, error);
    if (!status) status = ebm_chains_run(o->chains, (int64_t)k - 1, o->seed, first, error);
    if (status) return status;
    memcpy(o->buffer, ebm_chains_native(o->chains), (size_t)o->rows * row_bytes(o));
    status = ebm_chains_run(o->chains, 1, o->seed, first, error);
    if (status) return status;
    ebm_nearest(o->model->dtype, ebm_chains_native(o->chains), o->rows, o->model->dim, o->options.threads, o->moved);
    status = ad_bind(o->program.workspace, o->y_leaf, o->buffer, error);
    return status ? status : ad_bind(o->program.workspace, o->graph.second, o->moved, error);
}

/* ---- Chains that persist: a ring of `buffered` chains, of which every refresh moves the next o->rows in place. A
 * conditional model's chains keep the given columns that they started with ---- */

/* The place of the i-th chain of this refresh. */
static char *buffered_chain(const ebm_objective *o, int64_t i)
{
    return (char *)o->buffer + (size_t)((o->buffer_next + i) % o->filled) * row_bytes(o);
}

static gibbs_status persistent_make(ebm_objective *o, gibbs_error *error)
{
    gibbs_status status = chain_make(o, error);
    const ebm_proposal *q = o->options.proposal;
    if (status || !q || o->options.restart == 0) return status;
    if (ebm_model_given(o->model))
        return gibbs_fail(error, GIBBS_ARGUMENT, "%s: chains of a conditional model start anew at data rows: leave out "
                          "the proposal", o->loss->name);
    status = ebm_proposal_check(o->loss->name, q, o->model->dim, true, error);
    return status ? status : ebm_draw_new(q, o->model->dtype, &o->alloc, &o->draw, error);
}

static int64_t ring(const ebm_objective *o, int64_t rows) { return o->options.buffer > rows ? o->options.buffer : rows; }

/* The first time, and when a batch outgrows the ring, chains start at the data, again and again until it is full. Those
 * of a conditional model take their x from there as well: they start at the rows of this batch, which move first, and
 * of the next ones, so that the ring's x are the data's. */
static void fill_ring(ebm_objective *o, const void *x, int64_t rows)
{
    int64_t kept = o->filled, wanted = ring(o, rows), first = 0;
    if (kept >= wanted) return;
    if (ebm_model_given(o->model)) {
        if (wanted > kept + rows) wanted = kept + rows;
        o->buffer_next = first = kept;
    }
    if (o->weight) first = kept;
    copy_rows(o, x, rows, kept - first, wanted - kept, (char *)o->buffer + (size_t)kept * row_bytes(o));
    o->filled = wanted;
}

/* Rows that weigh are waited for: they come with the refresh. */
static gibbs_status persistent_bind(ebm_objective *o, const void *x, int64_t rows, int64_t noise_rows,
                                    gibbs_error *error)
{
    (void)noise_rows;
    size_t width = (size_t)o->model->dim;
    gibbs_status status = ebm_source_room(o, ring(o, rows), width, width, o->filled, error);
    if (!status && !o->options.weighted) fill_ring(o, x, rows);
    return status;
}

static gibbs_status restart_some(ebm_objective *o, gibbs_error *error)
{
    gibbs_words words = gibbs_words_start(o->seed, EBM_STREAM_BUFFER, o->step);
    ebm_source_rows rows = ebm_source_rows_start(o, o->rows, o->rows);
    gibbs_status status = o->draw ? ebm_draw_run(o->draw, o->rows, o->seed, o->step, error) : GIBBS_OK;
    for (int64_t i = 0; !status && i < o->rows; i++) {
        bool anew = gibbs_words_unit(&words) < o->options.restart;
        bool own = o->draw || ebm_model_given(o->model); /* a row's chain goes on with the row's x */
        int64_t row = o->weight && !o->draw ? ebm_source_row(o, &rows, i)
                      : own                 ? i
                                            : (int64_t)gibbs_words_below(&words, (uint64_t)o->rows);
        const char *from = o->draw ? ebm_draw_y(o->draw) : o->x;
        if (anew) memcpy(buffered_chain(o, i), from + (size_t)row * row_bytes(o), row_bytes(o));
    }
    return status;
}

static gibbs_status persistent_refresh(ebm_objective *o, gibbs_error *error)
{
    fill_ring(o, o->x, o->rows);
    gibbs_status status = o->options.restart > 0 ? restart_some(o, error) : GIBBS_OK;
    for (int64_t i = 0; i < o->rows; i++)
        memcpy((char *)o->moved + (size_t)i * row_bytes(o), buffered_chain(o, i), row_bytes(o));
    if (!status) status = move_from(o, o->moved, error);
    if (status) return status;
    const char *y = ebm_chains_native(o->chains);
    size_t x = row_bytes(o) - y_bytes(o);
    for (int64_t i = 0; i < o->rows; i++) memcpy(buffered_chain(o, i) + x, y + (size_t)i * y_bytes(o), y_bytes(o));
    o->buffer_next = (o->buffer_next + o->rows) % o->filled;
    return GIBBS_OK;
}

/* ---- The sources ---- */

const ebm_source ebm_source_chain = {
    .check = chain_check, .record = ebm_source_input_y, .make = chain_make, .refresh = chain_refresh,
    .weigh = chain_weigh,
};

const ebm_source ebm_source_last = {
    .check = chain_check, .record = last_record, .make = chain_make, .bind = last_bind, .refresh = last_refresh,
    .least = 2, .whole = true,
};

const ebm_source ebm_source_persistent = {
    .check = chain_check, .record = ebm_source_input_y, .make = persistent_make, .bind = persistent_bind,
    .refresh = persistent_refresh,
};
