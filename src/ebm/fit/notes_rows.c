/* notes_rows.c — rows where there should be none, rows that are tied, and importance weights without a variance. */
#include "notes.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- Outside the support ---- */

static const ebm_proposal *proposal(const ebm_look *l)
{
    const ebm_proposal *q = l->fit->loss_options.proposal;
    bool plain = q && !q->depends_on_theta && !q->given && q->dim == l->rows.cols && !ebm_model_given(l->fit->model);
    return plain && l->fit->options.loss->noise == EBM_NOISE_PROPOSAL ? q : NULL;
}

/* The weights that ship vanish at the ends of these; what lies beyond is weighed all the same. */
static bool weighs_part(const ebm_look *l)
{
    ad_var (*w)(ad_var, void *) = l->fit->loss_options.weight;
    return l->fit->options.loss == &ebm_loss_weighted_score_matching &&
           (!w || w == ebm_weight_half_line || w == ebm_weight_unit_box);
}

bool ebm_seek_has_support(const ebm_look *l) { return proposal(l) || weighs_part(l); }

static void note_outside(const ebm_look *l, int64_t row, int64_t count, const char *what)
{
    if (!count) return;
    if (l->fit->row_number) row = l->fit->row_number[row];
    ebm_note_add(l, EBM_NOTE_OUTSIDE_THE_SUPPORT, "%lld row%s outside of %s (the first is row %lld): the estimate is "
                 "wrong for them. Leave them out, or widen it", (long long)count, count == 1 ? " is" : "s are", what,
                 (long long)row + 1);
}

static void look_at_weight(const ebm_look *l)
{
    bool box = l->fit->loss_options.weight == ebm_weight_unit_box;
    int64_t count = 0, first = 0, dim = l->rows.cols;
    for (int64_t r = l->rows.rows - 1; r >= 0; r--) {
        bool out = false;
        for (int64_t k = 0; k < dim; k++) out |= l->rows.x[r * dim + k] < 0 || (box && l->rows.x[r * dim + k] > 1);
        if (out) count++, first = r;
    }
    note_outside(l, first, count, box ? "the unit box of the weight" : "the half line of the weight");
}

gibbs_status ebm_seek_outside(const ebm_look *l)
{
    const ebm_proposal *q = proposal(l);
    int64_t count = 0, first = 0;
    if (!q) return look_at_weight(l), GIBBS_OK;
    double *log_q = gibbs_alloc(&l->alloc, (size_t)l->rows.rows, sizeof *log_q);
    if (!log_q) return GIBBS_MEMORY;
    gibbs_status status = ebm_proposal_log_density(q, l->rows.x, l->rows.rows, &l->alloc, log_q, NULL);
    for (int64_t r = l->rows.rows - 1; r >= 0 && !status; r--)
        if (log_q[r] == -INFINITY) count++, first = r;
    gibbs_release(&l->alloc, log_q);
    note_outside(l, first, count, "what the proposal draws");
    return status;
}

/* ---- Ties ---- */

enum { MOST_SORTED = 5000, LEAST_ROWS = 10 };
static const double TIED = 0.1; /* of the rows */

bool ebm_seek_matches_scores(const ebm_look *l)
{
    static const ebm_loss *const losses[] = {&ebm_loss_score_matching, &ebm_loss_weighted_score_matching,
                                             &ebm_loss_sliced, &ebm_loss_sliced_reduced};
    for (int k = 0; k < GIBBS_COUNT(losses); k++)
        if (l->fit->options.loss == losses[k]) return l->rows.rows >= LEAST_ROWS;
    return false;
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Rows among the first few thousand whose value is another row's as well. */
static int64_t count_tied(const ebm_look *l, int64_t rows, int64_t k, double *sorted)
{
    int64_t count = 0;
    for (int64_t r = 0; r < rows; r++) sorted[r] = l->rows.x[r * l->rows.cols + k];
    qsort(sorted, (size_t)rows, sizeof *sorted, compare);
    for (int64_t r = 0; r < rows; r++)
        count += (r && sorted[r] == sorted[r - 1]) || (r + 1 < rows && sorted[r] == sorted[r + 1]);
    return count;
}

gibbs_status ebm_seek_ties(const ebm_look *l)
{
    int64_t rows = l->rows.rows < MOST_SORTED ? l->rows.rows : MOST_SORTED, columns = 0, most = 0, worst = 0;
    double *sorted = gibbs_alloc(&l->alloc, (size_t)rows, sizeof *sorted);
    if (!sorted) return GIBBS_MEMORY;
    for (int64_t k = 0; k < l->rows.cols; k++) {
        int64_t tied = count_tied(l, rows, k, sorted);
        columns += (double)tied > TIED * (double)rows;
        if (tied > most) most = tied, worst = k;
    }
    gibbs_release(&l->alloc, sorted);
    if (columns)
        ebm_note_add(l, EBM_NOTE_TIES, "%lld column%s tied or rounded: in column %lld %.0f %% of the rows share "
                     "their value with another, and score matching can heap density on such values. Take nce, or "
                     "denoising with noise of that width", (long long)columns, columns == 1 ? " is" : "s are",
                     (long long)(ebm_model_given(l->fit->model) + worst) + 1, 100 * (double)most / (double)rows);
    return GIBBS_OK;
}

/* ---- Weights ---- */

bool ebm_seek_has_weights(const ebm_look *l) { return l->fit->options.loss == &ebm_loss_ml_is; }

gibbs_status ebm_seek_weights(const ebm_look *l)
{
    const ebm_importance *w = &l->fit->report.weights;
    if (w->k > 0.5)
        ebm_note_add(l, EBM_NOTE_WEIGHTS, "the weights exp(−E)/q have no variance (index of their tail %.2f, the "
                     "largest is %.2g of their sum, effective size %.0f): standard errors are too small. A wider "
                     "proposal, or nce", w->k, w->largest, w->ess);
    return GIBBS_OK;
}
