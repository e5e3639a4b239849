/* bootstrap.c — rows drawn with replacement, as many as there are, and fitted again (Efron 1979). Artificial points are
 * drawn anew for each table, as their chance is a part of the estimate's. */
#include "bootstrap.h"

#include "base/random.h"
#include "ebm/model/model.h"

#include <string.h>

enum { PURPOSE = 0x626f6f74 }; /* of its random numbers */

static gibbs_status fit_one(ebm_model *m, const ebm_data *data, const ebm_fit_options *options, uint64_t seed,
                            int64_t number, double *rows, double *estimate, gibbs_error *error)
{
    gibbs_words words = gibbs_words_start(seed, PURPOSE, (uint64_t)number);
    size_t bytes = (size_t)data->cols * sizeof *rows;
    for (int64_t r = 0; r < data->rows; r++) {
        int64_t from = (int64_t)gibbs_words_below(&words, (uint64_t)data->rows);
        memcpy(rows + r * data->cols, data->x + from * data->cols, bytes);
    }
    const ebm_data drawn = {.rows = data->rows, .cols = data->cols, .x = rows};
    ebm_fit_options o = *options;
    ebm_fit_report report;
    o.seed = options->seed + (uint64_t)number + 1;
    gibbs_status status = ebm_fit(m, &drawn, &o, &report, error);
    ebm_model_get(m, estimate);
    if (o.loss->learns_log_z) estimate[m->size] = report.log_z;
    ebm_fit_report_free(&report);
    return status;
}

/* Welford's sums: the mean after k fits, and Σ (θ − mean)(θ − mean)ᵀ. */
static void take(ebm_uncertainty *r, double *mean, const double *estimate, double *off, int64_t k)
{
    int64_t p = r->size;
    for (int64_t i = 0; i < p; i++) off[i] = estimate[i] - mean[i];
    for (int64_t i = 0; i < p; i++) mean[i] += off[i] / (double)k;
    for (int64_t i = 0; i < p * p; i++) r->covariance[i] += off[i / p] * off[i % p] * (double)(k - 1) / (double)k;
}

gibbs_status ebm_bootstrap(ebm_model *m, const ebm_data *data, const ebm_fit_options *options, int64_t fits,
                           uint64_t seed, ebm_uncertainty *r, gibbs_error *error)
{
    const gibbs_allocator *a = &m->alloc;
    size_t p = (size_t)r->size, numbers = (size_t)(data->rows * data->cols);
    double *memory = gibbs_alloc_zero(a, 4 * (p + 1) + numbers, sizeof *memory);
    if (!memory) return gibbs_fail(error, GIBBS_MEMORY, "bootstrap: out of memory");
    double *mean = memory, *estimate = mean + p + 1, *off = estimate + p + 1, *first = off + p + 1;
    gibbs_status status = GIBBS_OK;
    ebm_model_get(m, first);
    for (int64_t k = 1; !status && k <= fits; k++) {
        ebm_model_set(m, first);
        status = fit_one(m, data, options, seed, k, first + p + 1, estimate, error);
        if (!status) take(r, mean, estimate, off, k);
    }
    for (size_t i = 0; i < p * p; i++) r->covariance[i] /= (double)(fits - 1);
    ebm_model_set(m, first);
    gibbs_release(a, memory);
    return status;
}
