/* source.c — artificial points: from a proposal, from chains that start at the data or go on from where they stood,
 * all points of a space, or pairs of data rows. */
#include "source.h"

#include "base/random.h"
#include "ebm/proposal/record_proposal.h"
#include "neighbours.h"
#include "source_rows.h"

#include <math.h>
#include <string.h>

enum { MOST_A_ROW = 1 << 24 }; /* artificial points of a data row */

static size_t y_bytes(const ebm_objective *o)
{
    return (size_t)ebm_source_dim(o) * gibbs_dtype_size(o->model->dtype);
}

static size_t row_bytes(const ebm_objective *o) { return (size_t)o->model->dim * gibbs_dtype_size(o->model->dtype); }

void ebm_source_input_y(ebm_objective *o)
{
    o->graph.y = o->y_leaf = ad_input(o->graph.noise, "y", ad_vec(ebm_source_dim(o)));
}

static void input_log_q(ebm_objective *o)
{
    o->graph.log_q = o->log_q_leaf = ad_input(o->graph.noise, "log_q", ad_scalar());
}

/* ---- A proposal: inputs where q is fixed, else recorded functions of θ, of x and of common random numbers ---- */

static bool recorded(const ebm_objective *o)
{
    return o->options.proposal->depends_on_theta || ebm_model_given(o->model);
}

static gibbs_status proposal_check(const ebm_loss *loss, const ebm_loss_options *o, gibbs_error *error)
{
    return o->proposal ? GIBBS_OK : gibbs_fail(error, GIBBS_ARGUMENT, "%s: needs a proposal", loss->name);
}

static void proposal_record(ebm_objective *o)
{
    ebm_graph *g = &o->graph;
    if (recorded(o)) {
        g->y = ebm_graph_draw(g, g->noise);
        g->log_q = ebm_graph_log_q(g, g->y);
        return;
    }
    ebm_source_input_y(o);
    input_log_q(o);
}

static gibbs_status proposal_make(ebm_objective *o, gibbs_error *error)
{
    const ebm_proposal *q = o->options.proposal;
    double ratio = o->options.noise_ratio;
    gibbs_status status = ebm_proposal_check_model(o->loss->name, q, o->model, true, error);
    if (status) return status;
    if (ebm_model_given(o->model) && (ratio != round(ratio) || !(ratio <= MOST_A_ROW)))
        return gibbs_fail(error, GIBBS_ARGUMENT,
                          "%s: of a conditional model each row has artificial points of its own, and the noise ratio "
                          "is their number: %g is no whole number up to %d", o->loss->name, ratio, MOST_A_ROW);
    return recorded(o) ? GIBBS_OK : ebm_draw_new(q, o->model->dtype, &o->alloc, &o->draw, error);
}

static double proposal_rows(const ebm_objective *o, int64_t rows)
{
    return round(o->options.noise_ratio * (double)rows);
}

static gibbs_status proposal_refresh(ebm_objective *o, gibbs_error *error)
{
    if (!o->draw) return GIBBS_OK;
    gibbs_status status = ebm_draw_run(o->draw, o->noise_rows, o->seed, o->step, error);
    if (!status) status = ad_bind(o->workspace, o->y_leaf, ebm_draw_y(o->draw), error);
    return status ? status : ad_bind(o->workspace, o->log_q_leaf, ebm_draw_log_q(o->draw), error);
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

/* k transitions from `x`. */
static gibbs_status move_from(ebm_objective *o, const void *x, gibbs_error *error)
{
    uint64_t k = (uint64_t)o->options.sampler_steps;
    gibbs_status status = ebm_chains_start_native(o->chains, x, o->rows, error);
    if (!status) status = ebm_chains_run(o->chains, (int64_t)k, o->seed, o->step * k, error);
    if (!status) status = ad_bind(o->workspace, o->y_leaf, ebm_chains_native(o->chains), error);
    if (status || ad_is_null(o->y_given)) return status;
    return ad_bind(o->workspace, o->y_given, ebm_chains_given(o->chains), error);
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
    gibbs_status status = ebm_chains_start_native(o->chains, o->x, o->rows, error);
    if (!status) status = ebm_chains_run(o->chains, (int64_t)k - 1, o->seed, first, error);
    if (status) return status;
    memcpy(o->buffer, ebm_chains_native(o->chains), (size_t)o->rows * row_bytes(o));
    status = ebm_chains_run(o->chains, 1, o->seed, first, error);
    if (status) return status;
    ebm_nearest(o->model->dtype, ebm_chains_native(o->chains), o->rows, o->model->dim, o->options.threads, o->moved);
    status = ad_bind(o->workspace, o->y_leaf, o->buffer, error);
    return status ? status : ad_bind(o->workspace, o->graph.second, o->moved, error);
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

/* The first time, and when a batch outgrows the ring, chains start at the data, again and again until it is full. Those
 * of a conditional model take their x from there as well: they start at the rows of this batch, which move first, and
 * of the next ones, so that the ring's x are the data's. */
static gibbs_status persistent_bind(ebm_objective *o, const void *x, int64_t rows, int64_t noise_rows,
                                    gibbs_error *error)
{
    (void)noise_rows;
    int64_t kept = o->filled, wanted = o->options.buffer > rows ? o->options.buffer : rows;
    gibbs_status status = ebm_source_room(o, wanted, (size_t)o->model->dim, (size_t)o->model->dim, kept, error);
    if (status || kept >= wanted) return status;
    int64_t first = 0;
    if (ebm_model_given(o->model)) {
        if (wanted > kept + rows) wanted = kept + rows;
        o->buffer_next = first = kept;
    }
    for (int64_t i = kept; i < wanted; i++)
        memcpy((char *)o->buffer + (size_t)i * row_bytes(o),
               (const char *)x + (size_t)((i - first) % rows) * row_bytes(o), row_bytes(o));
    o->filled = wanted;
    return GIBBS_OK;
}

static gibbs_status restart_some(ebm_objective *o, gibbs_error *error)
{
    gibbs_words words = gibbs_words_start(o->seed, EBM_STREAM_BUFFER, o->step);
    gibbs_status status = o->draw ? ebm_draw_run(o->draw, o->rows, o->seed, o->step, error) : GIBBS_OK;
    for (int64_t i = 0; !status && i < o->rows; i++) {
        bool anew = gibbs_words_unit(&words) < o->options.restart;
        bool own = o->draw || ebm_model_given(o->model); /* a row's chain goes on with the row's x */
        int64_t row = own ? i : (int64_t)gibbs_words_below(&words, (uint64_t)o->rows);
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
    size_t x = row_bytes(o) - y_bytes(o);
    for (int64_t i = 0; i < o->rows; i++) memcpy(buffered_chain(o, i) + x, y + (size_t)i * y_bytes(o), y_bytes(o));
    o->buffer_next = (o->buffer_next + o->rows) % o->filled;
    return GIBBS_OK;
}

/* ---- All points of a space ---- */

static gibbs_status points_check(const ebm_loss *loss, const ebm_loss_options *o, gibbs_error *error)
{
    const ebm_points *p = o->points;
    if (p && p->rows > 0 && p->x && p->log_weight) return GIBBS_OK;
    return gibbs_fail(error, GIBBS_ARGUMENT, "%s: needs options.points, all points of the space", loss->name);
}

/* One table for all data rows. */
static void points_record(ebm_objective *o)
{
    ebm_graph *g = &o->graph;
    if (!o->by_row) {
        ebm_source_input_y(o);
        input_log_q(o);
        return;
    }
    int64_t count = o->options.points->rows;
    o->y_leaf = ad_parameter(o->tape, "y", ad_mat(count, ebm_source_dim(o)));
    o->log_q_leaf = ad_parameter(o->tape, "log_q", ad_vec(count));
    g->y = ad_ungroup(g->noise, ad_lift(g->data, o->y_leaf));
    g->log_q = ad_ungroup(g->noise, ad_lift(g->data, o->log_q_leaf));
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

/* Of points that somebody has listed it is not known where there could be more. */
static bool make_hull(ebm_objective *o, const ebm_points *p)
{
    if (p->kind == EBM_POINTS_LISTED) return true;
    o->hull = gibbs_alloc(&o->alloc, 2 * (size_t)p->dim, sizeof *o->hull);
    for (int64_t k = 0; o->hull && k < p->dim; k++) {
        double *low = &o->hull[k], *high = &o->hull[p->dim + k];
        *low = *high = p->x[k];
        for (int64_t i = 1; i < p->rows; i++) {
            *low = fmin(*low, p->x[i * p->dim + k]);
            *high = fmax(*high, p->x[i * p->dim + k]);
        }
    }
    return o->hull;
}

static gibbs_status points_make(ebm_objective *o, gibbs_error *error)
{
    const ebm_points *p = o->options.points;
    size_t size = gibbs_dtype_size(o->model->dtype);
    if (p->dim != ebm_source_dim(o))
        return gibbs_fail(error, GIBBS_SHAPE, "%s: the points have %lld dimensions, the model %s%lld", o->loss->name,
                          (long long)p->dim, ebm_model_given(o->model) ? "has modelled columns: " : "",
                          (long long)ebm_source_dim(o));
    gibbs_status status = check_points(o, p, error);
    if (status) return status;
    o->buffer = gibbs_alloc_aligned(&o->alloc, (size_t)(p->rows * p->dim), size);
    o->moved = gibbs_alloc_aligned(&o->alloc, (size_t)p->rows, sizeof(double));
    double *minus = gibbs_alloc(&o->alloc, (size_t)p->rows, sizeof *minus);
    if (!o->buffer || !o->moved || !minus || !make_hull(o, p)) {
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
    gibbs_status status = ad_bind(o->workspace, o->y_leaf, o->buffer, error);
    return status ? status : ad_bind(o->workspace, o->log_q_leaf, o->moved, error);
}

/* ---- The table ---- */

const ebm_source *ebm_source_of(ebm_noise noise)
{
    static const ebm_source table[] = {
        [EBM_NOISE_NONE] = {0},
        [EBM_NOISE_PROPOSAL] = {.check = proposal_check, .record = proposal_record, .make = proposal_make,
                                .rows = proposal_rows, .refresh = proposal_refresh, .by_row = true},
        [EBM_NOISE_CHAIN] = {.check = chain_check, .record = ebm_source_input_y, .make = chain_make,
                             .refresh = chain_refresh},
        [EBM_NOISE_LAST] = {.check = chain_check, .record = last_record, .make = chain_make, .bind = last_bind,
                            .refresh = last_refresh, .least = 2, .whole = true},
        [EBM_NOISE_PERSISTENT] = {.check = chain_check, .record = ebm_source_input_y, .make = persistent_make,
                                  .bind = persistent_bind, .refresh = persistent_refresh},
        [EBM_NOISE_POINTS] = {.check = points_check, .record = points_record, .make = points_make,
                              .rows = points_rows, .bind = points_bind, .by_row = true},
        [EBM_NOISE_PAIRS] = {.record = ebm_pairs_record, .rows = ebm_pairs_rows, .bind = ebm_pairs_bind, .least = 2,
                             .whole = true},
        [EBM_NOISE_OTHERS] = {.record = ebm_source_input_y, .rows = ebm_others_rows, .bind = ebm_others_bind,
                              .refresh = ebm_others_refresh, .least = 2, .by_row = true},
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
