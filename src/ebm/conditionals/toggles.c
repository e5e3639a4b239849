/* toggles.c — one variable after the other, chain by chain: the energy of a change is −θ·(what s gains). */
#include "toggles.h"

#include "ebm/model/program.h"

#include <math.h>
#include <string.h>

static double rise(const ebm_toggles *t, const void *state, int64_t variable, int32_t label, double *gain)
{
    double sum = 0;
    t->changes.change(state, variable, label, gain, t->context);
    for (int64_t k = 0; k < t->parameters; k++) sum -= t->theta[k] * gain[k];
    return sum;
}

/* ---- Where chains stand ---- */

static int32_t label_of(const ebm_sweep *b, int64_t r, int64_t v)
{
    int64_t first = r * b->c->dim + v * (b->labels > 1 ? b->labels : 1);
    int32_t label = 0;
    if (b->labels == 1) {
        double x = ebm_number(b->c->dtype, b->x, first);
        return fabs(x - b->value[1]) <= fabs(x - b->value[0]);
    }
    while (label < b->labels - 1 && ebm_number(b->c->dtype, b->x, first + label) == 0) label++;
    return label;
}

static void write_number(const ebm_sweep *b, int64_t at, double v)
{
    if (b->c->dtype == GIBBS_FLOAT64) ((double *)b->x)[at] = v;
    else ((float *)b->x)[at] = (float)v;
}

static void write_label(const ebm_sweep *b, int64_t r, int64_t v, int32_t from, int32_t to)
{
    int64_t first = r * b->c->dim + v * b->labels;
    if (b->labels == 1) {
        write_number(b, first, b->value[to]);
        return;
    }
    write_number(b, first + from, 0);
    write_number(b, first + to, 1);
}

void ebm_toggles_start(const ebm_toggles *t, const ebm_sweep *b, char *state, size_t bytes, double *room,
                       double *energy)
{
    int64_t n = b->c->dim / b->labels;
    for (int64_t r = 0; r < b->chains; r++) {
        for (int64_t v = 0; v < n; v++) b->label[r * n + v] = label_of(b, r, v);
        t->changes.start(state + (size_t)r * bytes, b->label + r * n, room, t->context);
        energy[r] = 0;
        for (int64_t k = 0; k < t->parameters; k++) energy[r] -= t->theta[k] * room[k];
    }
}

/* ---- Sweeps ---- */

/* ∂(−(1 − β) log q)/∂x of a column, and β. */
static double path_at(const ebm_sweep *b, int64_t r, int64_t column, double *beta)
{
    *beta = b->beta ? ebm_number(b->c->dtype, b->beta, r) : 1;
    return b->beta && b->base ? (*beta - 1) * ebm_number(b->c->dtype, b->base, column) : 0;
}

static int32_t other_value(const ebm_toggles *t, const ebm_sweep *b, int64_t r, int64_t v, int32_t now,
                           const void *state, double log_odds, double *room)
{
    double beta, slope = path_at(b, r, v, &beta);
    double E = beta * rise(t, state, v, 1 - now, room) + slope * (b->value[1 - now] - b->value[now]);
    return log_odds < -E ? 1 - now : now;
}

static int32_t other_label(const ebm_toggles *t, const ebm_sweep *b, int64_t r, int64_t v, int32_t now,
                           const void *state, double u, double *room)
{
    double beta, least = INFINITY, sum = 0, *w = room + t->parameters;
    int32_t K = (int32_t)b->labels, label = 0;
    for (int32_t k = 0; k < K; k++) {
        double slope = path_at(b, r, v * K + k, &beta);
        w[k] = slope + (k == now ? 0 : beta * rise(t, state, v, k, room));
        least = fmin(least, w[k]);
    }
    for (int32_t k = 0; k < K; k++) sum += w[k] = exp(least - w[k]);
    for (double below = w[0]; label < K - 1 && u * sum >= below; below += w[label]) label++;
    while (w[label] == 0) label--;
    return label;
}

void ebm_toggles_redraw(const ebm_toggles *t, const ebm_sweep *b, char *state, size_t bytes, double *room)
{
    int64_t n = b->c->dim / b->labels;
    for (int64_t r = 0; r < b->chains; r++) {
        void *own = state + (size_t)r * bytes;
        for (int64_t k = 0; k < b->count; k++) {
            int64_t v = b->order ? b->order[b->first + k] : b->first + k;
            int32_t *now = b->label + r * n + v;
            double draw = ebm_number(b->c->dtype, b->draw, r * b->count + k);
            int32_t to = (b->labels == 1 ? other_value : other_label)(t, b, r, v, *now, own, draw, room);
            if (to == *now) continue;
            t->changes.set(own, v, to, t->context);
            write_label(b, r, v, *now, to);
            *now = to;
        }
    }
}

/* ---- All changes ---- */

void ebm_toggles_gains(const ebm_toggles *t, const int32_t *label, int64_t variables, int64_t labels, void *state,
                       double *gains)
{
    int64_t p = t->parameters;
    t->changes.start(state, label, gains, t->context);
    for (int64_t v = 0; v < variables; v++)
        for (int32_t k = 0; k < labels; k++, gains += p) {
            int32_t to = labels == 1 ? 1 - label[v] : k;
            if (to == label[v]) memset(gains, 0, (size_t)p * sizeof *gains);
            else t->changes.change(state, v, to, gains, t->context);
        }
}
