/* source.c — artificial points: from a proposal, from chains that start at the data or go on from where they stood,
 * all points of a space, or pairs of data rows. */
#include "source.h"

#include "base/random.h"
#include "ebm/proposal/record.h"
#include "neighbours.h"
#include "pairs.h"

#include <math.h>
#include <string.h>

static void input_y(ebm_objective *o) { o->graph.y = ad_input(o->graph.noise, "y", ad_vec(o->model->dim)); }
static void input_log_q(ebm_objective *o) { o->graph.log_q = ad_input(o->graph.noise, "log_q", ad_scalar()); }

/* ---- A proposal: inputs where q is fixed, else recorded functions of θ and of common random numbers ---- */

static gibbs_status proposal_check(const ebm_loss *loss, const ebm_loss_options *o, gibbs_error *error)
{
    return o->proposal ? GIBBS_OK : gibbs_fail(error, GIBBS_ARGUMENT, "%s: needs a proposal", loss->name);
}

static void proposal_record(ebm_objective *o)
{
    ebm_graph *g = &o->graph;
    const ebm_proposal *q = o->options.proposal;
    if (q->depends_on_theta) {
        g->y = ebm_graph_draw(g, g->noise);
        g->log_q = ebm_graph_log_q(g, g->y);
        return;
    }
    input_y(o);
    input_log_q(o);
}

static gibbs_status proposal_make(ebm_objective *o, gibbs_error *error)
{
    const ebm_proposal *q = o->options.proposal;
    gibbs_status status = ebm_proposal_check(o->loss->name, q, o->model->dim, true, error);
    if (status || q->depends_on_theta) return status;
    return ebm_draw_new(q, o->model->dtype, &o->alloc, &o->draw, error);
}

static double proposal_rows(const ebm_objective *o, int64_t rows)
{
    return round(o->options.noise_ratio * (double)rows);
}

static gibbs_status proposal_refresh(ebm_objective *o, gibbs_error *error)
{
    if (!o->draw) return GIBBS_OK;
    gibbs_status status = ebm_draw_run(o->draw, o->noise_rows, o->seed, o->step, error);
    if (!status) status = ad_bind(o->workspace, o->graph.y, ebm_draw_y(o->draw), error);
    return status ? status : ad_bind(o->workspace, o->graph.log_q, ebm_draw_log_q(o->draw), error);
}

/* ---- Chains ---- */

static gibbs_status chain_check(const ebm_loss *loss, const ebm_loss_options *o, gibbs_error *error)
{
    if (o->sampler_steps < 1)
        return gibbs_fail(error, GIBBS_ARGUMENT, "%s: %d sampler steps; at least 1 is needed", loss->name,
                          o->sampler_steps);
    if (o->buffer < 0 || !(o->restart >= 0 && o->restart <= 1))
        return gibbs_fail(error, GIBBS_ARGUMENT, "%s: a buffer of %lld chains, of which %g start anew", loss->name,
                          (long long)o->buffer, o->restart);
    if (o->chain && (o->chain->temperatures || o->chain->inverse_temperatures))
        return gibbs_fail(error, GIBBS_ARGUMENT, "%s: tempered chains are no samples of the model", loss->name);
    return GIBBS_OK;
}

ebm_chain_options ebm_loss_chain(const ebm_loss_options *from)
{
    ebm_chain_options chain = from->chain ? *from->chain : ebm_chain_defaults();
    chain.sampler = from->sampler;
    chain.step = from->sampler_step;
    chain.proposal = from->proposal;
    chain.threads = from->threads;
    if (!from->chain) {
        memcpy(chain.states, from->states, sizeof chain.states);
        chain.categories = from->categories;
    }
    return chain;
}

static gibbs_status chain_make(ebm_objective *o, gibbs_error *error)
{
    ebm_chain_options chain = ebm_loss_chain(&o->options);
    return ebm_chains_new(o->model, &chain, &o->chains, error);
}

static size_t row_bytes(const ebm_objective *o) { return (size_t)o->model->dim * gibbs_dtype_size(o->model->dtype); }

/* Room for `rows` rows of so many numbers in both buffers. Where they grow, the first `kept` rows of the first one
 * stay, and what was drawn into them is to be drawn anew. */
static gibbs_status make_room(ebm_objective *o, int64_t rows, size_t buffer, size_t moved, int64_t kept,
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

/* k transitions from `x`. */
static gibbs_status move_from(ebm_objective *o, const void *x, gibbs_error *error)
{
    uint64_t k = (uint64_t)o->options.sampler_steps;
    gibbs_status status = ebm_chains_start_native(o->chains, x, o->rows, error);
    if (!status) status = ebm_chains_run(o->chains, (int64_t)k, o->seed, o->step * k, error);
    return status ? status : ad_bind(o->workspace, o->graph.y, ebm_chains_native(o->chains), error);
}

static gibbs_status chain_refresh(ebm_objective *o, gibbs_error *error) { return move_from(o, o->x, error); }

/* ---- All transitions but the last, which the loss records: with the number that it would have had, and hence with the
 * same random numbers. It is taken here as well, to see which chains end up next to one another. ---- */

static void last_record(ebm_objective *o)
{
    input_y(o);
    o->graph.second = ad_input(o->graph.noise, "nearest", ad_scalar());
}

static gibbs_status last_bind(ebm_objective *o, const void *x, int64_t rows, int64_t noise_rows, gibbs_error *error)
{
    (void)x, (void)noise_rows;
    return make_room(o, rows, (size_t)o->model->dim, 1, 0, error);
}

static gibbs_status last_refresh(ebm_objective *o, gibbs_error *error)
{
    uint64_t k = (uint64_t)o->options.sampler_steps, first = o->step * k;
    o->graph_step = first + k - 1;
    gibbs_status status = ebm_chains_start_native(o->chains, o->x, o->rows, error);
    if (!status) status = ebm_chains_run(o->chains, (int64_t)k - 1, o->seed, first, error);
    if (status) return status;
    memcpy(o->buffer, ebm_chains_native(o->chains), (size_t)o->rows * row_bytes(o));
    status = ebm_chains_run(o->chains, 1, o->seed, first, error);
    if (status) return status;
    ebm_nearest(o->model->dtype, ebm_chains_native(o->chains), o->rows, o->model->dim, o->options.threads, o->moved);
    status = ad_bind(o->workspace, o->graph.y, o->buffer, error);
    return status ? status : ad_bind(o->workspace, o->graph.second, o->moved, error);
}

/* ---- Chains that persist: a ring of `buffered` chains, of which every refresh moves the next o->rows in place ---- */

/* The place of the i-th chain of this refresh. */
static char *buffered_chain(const ebm_objective *o, int64_t i)
{
    return (char *)o->buffer + (size_t)((o->buffer_next + i) % o->buffered) * row_bytes(o);
}

static gibbs_status persistent_make(ebm_objective *o, gibbs_error *error)
{
    gibbs_status status = chain_make(o, error);
    const ebm_proposal *q = o->options.proposal;
    if (status || !q || o->options.restart == 0) return status;
    status = ebm_proposal_check(o->loss->name, q, o->model->dim, true, error);
    return status ? status : ebm_draw_new(q, o->model->dtype, &o->alloc, &o->draw, error);
}

/* The first time, and when a batch outgrows the ring, chains start at the data. */
static gibbs_status persistent_bind(ebm_objective *o, const void *x, int64_t rows, int64_t noise_rows,
                                    gibbs_error *error)
{
    (void)noise_rows;
    int64_t kept = o->buffered, wanted = o->options.buffer > rows ? o->options.buffer : rows;
    gibbs_status status = make_room(o, wanted, (size_t)o->model->dim, (size_t)o->model->dim, kept, error);
    for (int64_t i = kept; i < wanted && !status; i++)
        memcpy((char *)o->buffer + (size_t)i * row_bytes(o), (const char *)x + (size_t)(i % rows) * row_bytes(o),
               row_bytes(o));
    return status;
}

static gibbs_status restart_some(ebm_objective *o, gibbs_error *error)
{
    gibbs_words words = gibbs_words_start(o->seed, EBM_STREAM_BUFFER, o->step);
    gibbs_status status = o->draw ? ebm_draw_run(o->draw, o->rows, o->seed, o->step, error) : GIBBS_OK;
    for (int64_t i = 0; !status && i < o->rows; i++) {
        bool anew = gibbs_words_unit(&words) < o->options.restart;
        int64_t row = o->draw ? i : (int64_t)gibbs_words_below(&words, (uint64_t)o->rows);
        const char *from = o->draw ? ebm_draw_y(o->draw) : o->x;
        if (anew) memcpy(buffered_chain(o, i), from + (size_t)row * row_bytes(o), row_bytes(o));
    }
    return status;
}

static gibbs_status persistent_refresh(ebm_objective *o, gibbs_error *error)
{
    gibbs_status status = o->options.restart > 0 ? restart_some(o, error) : GIBBS_OK;
    for (int64_t i = 0; i < o->rows; i++)
        memcpy((char *)o->moved + (size_t)i * row_bytes(o), buffered_chain(o, i), row_bytes(o));
    if (!status) status = move_from(o, o->moved, error);
    if (status) return status;
    const char *y = ebm_chains_native(o->chains);
    for (int64_t i = 0; i < o->rows; i++) memcpy(buffered_chain(o, i), y + (size_t)i * row_bytes(o), row_bytes(o));
    o->buffer_next = (o->buffer_next + o->rows) % o->buffered;
    return GIBBS_OK;
}

/* ---- All points of a space ---- */

static gibbs_status points_check(const ebm_loss *loss, const ebm_loss_options *o, gibbs_error *error)
{
    const ebm_points *p = o->points;
    if (p && p->rows > 0 && p->x && p->log_weight) return GIBBS_OK;
    return gibbs_fail(error, GIBBS_ARGUMENT, "%s: needs options.points, all points of the space", loss->name);
}

static void points_record(ebm_objective *o)
{
    input_y(o);
    input_log_q(o);
}

/* A point may count for nothing, but a weight that is infinite or no number has no sum. */
static gibbs_status check_points(const ebm_objective *o, const ebm_points *p, gibbs_error *error)
{
    gibbs_status status = ebm_check_points("the points of options.points", p->x, p->rows, p->dim, error);
    for (int64_t i = 0; i < p->rows && !status; i++)
        if (isnan(p->log_weight[i]) || p->log_weight[i] == INFINITY)
            status = gibbs_fail_row(error, GIBBS_DATA, i, "%s: the log weight of point %lld is %g", o->loss->name,
                                    (long long)i + 1, p->log_weight[i]);
    return status;
}

static gibbs_status points_make(ebm_objective *o, gibbs_error *error)
{
    const ebm_points *p = o->options.points;
    size_t size = gibbs_dtype_size(o->model->dtype);
    if (p->dim != o->model->dim)
        return gibbs_fail(error, GIBBS_SHAPE, "%s: the points have %lld dimensions, the model %lld", o->loss->name,
                          (long long)p->dim, (long long)o->model->dim);
    gibbs_status status = check_points(o, p, error);
    if (status) return status;
    o->buffer = gibbs_alloc_aligned(&o->alloc, (size_t)(p->rows * p->dim), size);
    o->moved = gibbs_alloc_aligned(&o->alloc, (size_t)p->rows, sizeof(double));
    double *minus = gibbs_alloc(&o->alloc, (size_t)p->rows, sizeof *minus);
    if (!o->buffer || !o->moved || !minus) {
        gibbs_release(&o->alloc, minus);
        return gibbs_fail(error, GIBBS_MEMORY, "%s: out of memory for %lld points", o->loss->name, (long long)p->rows);
    }
    for (int64_t i = 0; i < p->rows; i++) minus[i] = -p->log_weight[i];
    ebm_to_dtype(o->model->dtype, p->rows * p->dim, o->buffer, p->x);
    ebm_to_dtype(o->model->dtype, p->rows, o->moved, minus);
    gibbs_release(&o->alloc, minus);
    return GIBBS_OK;
}

static double points_rows(const ebm_objective *o, int64_t rows)
{
    (void)rows;
    return (double)o->options.points->rows;
}

static gibbs_status points_bind(ebm_objective *o, const void *x, int64_t rows, int64_t noise_rows, gibbs_error *error)
{
    (void)x, (void)rows, (void)noise_rows;
    gibbs_status status = ad_bind(o->workspace, o->graph.y, o->buffer, error);
    return status ? status : ad_bind(o->workspace, o->graph.log_q, o->moved, error);
}

/* ---- Pairs of data rows ---- */

static void pairs_record(ebm_objective *o)
{
    o->graph.first = ad_input(o->graph.noise, "first", ad_scalar());
    o->graph.second = ad_input(o->graph.noise, "second", ad_scalar());
}

static double pairs_rows(const ebm_objective *o, int64_t rows)
{
    (void)o;
    return 0.5 * (double)rows * (double)(rows - 1);
}

static gibbs_status pairs_bind(ebm_objective *o, const void *x, int64_t rows, int64_t noise_rows, gibbs_error *error)
{
    (void)x;
    gibbs_status status = make_room(o, noise_rows, 1, 1, 0, error);
    if (status) return status;
    ebm_fill_pairs(o->model->dtype, rows, o->buffer, o->moved);
    status = ad_bind(o->workspace, o->graph.first, o->buffer, error);
    return status ? status : ad_bind(o->workspace, o->graph.second, o->moved, error);
}

/* ---- The table ---- */

const ebm_source *ebm_source_of(ebm_noise noise)
{
    static const ebm_source table[] = {
        [EBM_NOISE_NONE] = {0},
        [EBM_NOISE_PROPOSAL] = {proposal_check, proposal_record, proposal_make, proposal_rows, NULL, proposal_refresh, 0},
        [EBM_NOISE_CHAIN] = {chain_check, input_y, chain_make, NULL, NULL, chain_refresh, 0},
        [EBM_NOISE_LAST] = {chain_check, last_record, chain_make, NULL, last_bind, last_refresh, 2},
        [EBM_NOISE_PERSISTENT] = {chain_check, input_y, persistent_make, NULL, persistent_bind, persistent_refresh, 0},
        [EBM_NOISE_POINTS] = {points_check, points_record, points_make, points_rows, points_bind, NULL, 0},
        [EBM_NOISE_PAIRS] = {NULL, pairs_record, NULL, pairs_rows, pairs_bind, NULL, 2},
    };
    return noise >= 0 && noise < GIBBS_COUNT(table) ? &table[noise] : NULL;
}

void ebm_source_free(ebm_objective *o)
{
    ebm_draw_free(o->draw);
    ebm_chains_free(o->chains);
    gibbs_release_aligned(&o->alloc, o->buffer);
    gibbs_release_aligned(&o->alloc, o->moved);
}
