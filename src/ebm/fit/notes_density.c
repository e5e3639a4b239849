/* notes_density.c — whether exp(−E) has an integral: by quadrature in up to three dimensions; in more by how E rises
 * along rays. A density needs E to rise faster than log t along every ray x + tu, or the cylinder about it holds no
 * finite mass. */
#include "notes.h"

#include "base/random.h"

#include <math.h>
#include <string.h>

enum { RAYS = 64, POINTS = 9, LARGE = 5000 };
static const int grid[] = {400, 80, 24};

/* Rows of labels: every column has two values at most. */
static bool discrete(const ebm_look *l)
{
    int64_t dim = l->rows.cols;
    for (int64_t k = 0; k < dim; k++) {
        double low = l->rows.x[k], high = low;
        for (int64_t r = 0; r < l->rows.rows; r++) {
            double x = l->rows.x[r * dim + k];
            if (x == low || x == high) continue;
            if (low != high) return false;
            if (x < low) low = x;
            else high = x;
        }
    }
    return true;
}

bool ebm_seek_is_density(const ebm_look *l)
{
    const ebm_trainer *f = l->fit;
    const ebm_loss *loss = f->options.loss;
    const ebm_points *points = loss->noise == EBM_NOISE_POINTS ? f->loss_options.points : NULL;
    bool told = loss->check_row || loss == &ebm_loss_weighted_score_matching;
    told |= points && points->kind != EBM_POINTS_BOX;
    bool field = f->loss_options.field && loss->noise == EBM_NOISE_NONE; /* a score network, beside which E is idle */
    return !told && !field && !ebm_model_given(f->model) && !discrete(l);
}

static gibbs_status integrate(const ebm_look *l)
{
    ebm_box box = ebm_box_around(&l->rows, 1);
    ebm_quadrature q;
    box.points = grid[l->rows.cols - 1];
    gibbs_status status = ebm_integrate(l->fit->model, &box, &q, NULL);
    if (!status && q.verdict == EBM_NOT_NORMALISABLE)
        ebm_note_add(l, EBM_NOTE_NOT_NORMALISABLE, "exp(−E) has no finite integral, as far as a quadrature sees: it "
                     "is no density. A base measure, a term that rises, or whole_domain where no x lies outside");
    return status;
}

/* Rows at x + tu, t = spread · 4ᵏ, of RAYS directions in turn: 2·dim axes first, as far as they go. */
static void place(const ebm_look *l, const double *spread, double *x)
{
    int64_t dim = l->rows.cols;
    gibbs_words words = gibbs_words_start(l->fit->options.seed, EBM_STREAM_RAYS, 0);
    for (int64_t ray = 0; ray < RAYS; ray++) {
        const double *from = l->rows.x + ray * l->rows.rows / RAYS * dim;
        double *first = x + ray * POINTS * dim;
        for (int64_t k = 0; k < dim; k++) {
            double u = gibbs_words_normal(&words);
            if (ray < 2 * dim && ray < RAYS / 2) u = k == ray / 2 ? (ray % 2 ? -1 : 1) : 0;
            for (int64_t p = 0; p < POINTS; p++) first[p * dim + k] = from[k] + ldexp(4 * spread[k] * u, 2 * (int)p);
        }
    }
}

/* Over the last 4³ of t. */
static bool rises(const double *energy)
{
    double rise = energy[POINTS - 1] - energy[POINTS - 4];
    return isnan(rise) || rise > 3 * log(4);
}

static void measure_spread(const ebm_look *l, double *spread)
{
    int64_t dim = l->rows.cols;
    for (int64_t k = 0; k < dim; k++) {
        double low = INFINITY, high = -INFINITY;
        for (int64_t r = 0; r < l->rows.rows; r++) {
            low = fmin(low, l->rows.x[r * dim + k]);
            high = fmax(high, l->rows.x[r * dim + k]);
        }
        spread[k] = high > low ? high - low : fmax(fabs(low), 1);
    }
}

static gibbs_status follow_rays(const ebm_look *l)
{
    int64_t dim = l->rows.cols, flat = 0;
    double *x = gibbs_alloc(&l->alloc, (size_t)(RAYS * POINTS * (dim + 1) + dim), sizeof *x);
    if (!x) return GIBBS_MEMORY;
    double *energy = x + RAYS * POINTS * dim, *spread = energy + RAYS * POINTS;
    measure_spread(l, spread);
    place(l, spread, x);
    gibbs_status status = ebm_model_energy(l->fit->model, x, RAYS * POINTS, energy, NULL, NULL);
    for (int64_t ray = 0; ray < RAYS && !status; ray++) flat += !rises(energy + ray * POINTS);
    gibbs_release(&l->alloc, x);
    if (flat)
        ebm_note_add(l, EBM_NOTE_NOT_NORMALISABLE, "along %lld of %d rays E does not rise as log t far from the "
                     "data: exp(−E) has no finite integral. A base measure, or a term that "
                     "rises", (long long)flat, RAYS);
    return status;
}

gibbs_status ebm_seek_normalisable(const ebm_look *l)
{
    int64_t dim = l->rows.cols;
    bool small = dim <= 2 || (dim == 3 && l->fit->model->size < LARGE);
    return small ? integrate(l) : follow_rays(l);
}
