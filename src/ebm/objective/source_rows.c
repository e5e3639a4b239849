/* source_rows.c — artificial points that are rows of the batch: all pairs of them, or for each row some others. */
#include "source.h"

#include "base/random.h"
#include "pairs.h"

#include <string.h>

/* ---- Pairs of data rows ---- */

static void pairs_weigh(ebm_objective *o)
{
    ebm_graph *g = &o->graph;
    g->noise_weight = ad_mul(ad_batch_gather(g->weight, g->first), ad_batch_gather(g->weight, g->second));
}

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
    gibbs_status status = ebm_source_room(o, noise_rows, 1, 1, 0, error);
    if (status) return status;
    ebm_fill_pairs(o->model->dtype, rows, o->buffer, o->moved);
    status = ad_bind(o->program.workspace, o->graph.first, o->buffer, error);
    return status ? status : ad_bind(o->program.workspace, o->graph.second, o->moved, error);
}

/* ---- Other rows of the batch: of each data row those that lie `copies` random distances after it, round the end.
 * Where there are fewer others than copies, all come equally often, but for one ---- */

static double others_rows(const ebm_objective *o, int64_t rows) { return (double)o->options.copies * (double)rows; }

static gibbs_status others_bind(ebm_objective *o, const void *x, int64_t rows, int64_t noise_rows, gibbs_error *error)
{
    (void)x, (void)rows;
    /* in `moved` are the distances, of 64 bits */
    gibbs_status status = ebm_source_room(o, noise_rows, (size_t)ebm_source_dim(o), 2, 0, error);
    return status ? status : ad_bind(o->program.workspace, o->y_leaf, o->buffer, error);
}

/* Distances 1 … rows − 1 in random order, again and again. */
static void draw_distances(const ebm_objective *o, int64_t *distance)
{
    gibbs_words words = gibbs_words_start(o->seed, EBM_STREAM_BUFFER, o->step);
    int64_t others = o->rows - 1;
    for (int64_t i = 0; i < others; i++) {
        int64_t k = (int64_t)gibbs_words_below(&words, (uint64_t)i + 1);
        distance[i] = distance[k];
        distance[k] = i + 1;
    }
}

/* A row other than n, by weight; whichever comes next where no other weighs anything. `below`: Σ w of rows before. */
static int64_t draw_other(const ebm_objective *o, const double *below, double total, int64_t n, gibbs_words *words)
{
    double own = ebm_number(o->model->dtype, o->weight, n), place = gibbs_words_unit(words) * (total - own);
    if (!(total - own > 0)) return (n + 1) % o->rows;
    if (place >= below[n]) place += own;
    int64_t low = 0, high = o->rows; /* the last row with below <= place */
    while (high - low > 1) {
        int64_t middle = (low + high) / 2;
        if (below[middle] <= place) low = middle;
        else high = middle;
    }
    return low == n ? (n + 1) % o->rows : low; /* by rounding */
}

static double sum_below(const ebm_objective *o, double *below)
{
    double total = 0;
    for (int64_t n = 0; n < o->rows; n++) {
        below[n] = total;
        total += ebm_number(o->model->dtype, o->weight, n);
    }
    return total;
}

static gibbs_status others_refresh(ebm_objective *o, gibbs_error *error)
{
    int64_t copies = o->options.copies, *distance = o->moved;
    size_t bytes = (size_t)ebm_source_dim(o) * gibbs_dtype_size(o->model->dtype);
    (void)error;
    const char *from = o->modelled ? o->modelled : o->x;
    double total = o->weight ? sum_below(o, o->moved) : 0;
    gibbs_words words = gibbs_words_start(o->seed, EBM_STREAM_START, o->step);
    if (!o->weight) draw_distances(o, distance);
    for (int64_t n = 0; n < o->rows; n++)
        for (int64_t k = 0; k < copies; k++) {
            int64_t other = o->weight ? draw_other(o, o->moved, total, n, &words)
                                      : (n + distance[k % (o->rows - 1)]) % o->rows;
            memcpy((char *)o->buffer + (size_t)(n * copies + k) * bytes, from + (size_t)other * bytes, bytes);
        }
    return GIBBS_OK;
}

/* ---- The sources ---- */

const ebm_source ebm_source_pairs = {
    .record = pairs_record, .rows = pairs_rows, .bind = pairs_bind, .weigh = pairs_weigh, .least = 2, .whole = true,
};

const ebm_source ebm_source_others = {
    .record = ebm_source_input_y, .rows = others_rows, .bind = others_bind, .refresh = others_refresh, .least = 2,
    .by_row = true,
};
