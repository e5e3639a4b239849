/* model_draw.c — draws of a model in one call: a chain each, run until the chains agree.
 *
 * Stretches of 100, 200, 400, … steps are each looked at NOTES times; the first whose chains agree is the last. So no
 * stretch is judged together with the way from where the chains started. */
#include "base/options.h"

#include "ebm/data/data_private.h"
#include "base/random.h"
#include "chain_state.h"

#include <math.h>
#include <stdio.h>

enum { NOTES = 100, LEAST_CHAINS = 100, MOST_JUDGED = 1000 };

typedef struct drawing {
    ebm_model *model;
    ebm_draw_options options; /* with the defaults filled in */
    ebm_draw_report report;
    ebm_chains *chains;
    int64_t stride;           /* chains a draw: the temperatures */
    int64_t count;            /* of draws, at least LEAST_CHAINS */
    int64_t judged;           /* of them, evenly spaced */
    double *x, *energy;       /* of all chains */
    double *series;           /* of each quantity (columns, then the energy) NOTES × judged */
} drawing;

static const gibbs_option numbers[] = {
    GIBBS_OPTION(ebm_draw_options, warm_up, 1000, '[', 1, INFINITY, ')'),
    GIBBS_OPTION(ebm_draw_options, steps, 102400, '[', NOTES, INFINITY, ')'),
    GIBBS_OPTION(ebm_draw_options, r_hat, 1.05, '(', 1, INFINITY, ']'),
};

static gibbs_status check(const ebm_model *model, const ebm_data *start, int64_t rows, drawing *d, gibbs_error *error)
{
    ebm_draw_options *o = &d->options;
    gibbs_status status = ebm_check_data("draw", model, start, error);
    if (!status) status = ebm_need_count("draw", "rows", rows, 1, error);
    if (!status) status = gibbs_options_fill("draw", numbers, GIBBS_COUNT(numbers), o, error);
    if (status) return status;
    if (ebm_model_given(model) && !isinf(o->r_hat))
        return gibbs_fail(
            error, GIBBS_ARGUMENT,
            "draw: of a conditional model each chain has an x of its own, and R-hat cannot compare them: set "
            "r_hat to INFINITY and steps, and look at longer runs, or sum over points of y (ebm_predict)");
    return GIBBS_OK;
}

static gibbs_status allocate(drawing *d, gibbs_error *error)
{
    const gibbs_allocator *a = &d->model->alloc;
    int64_t dim = d->model->dim, chains, numbers;
    if (!gibbs_mul_size(d->count, d->stride, &chains) || !gibbs_mul_size(chains, dim, &numbers))
        return gibbs_fail(error, GIBBS_SIZE, "draw: %lld draws are too many", (long long)d->count);
    d->x = gibbs_alloc(a, (size_t)numbers, sizeof *d->x);
    d->energy = gibbs_alloc(a, (size_t)chains, sizeof *d->energy);
    d->series = gibbs_alloc(a, (size_t)(NOTES * d->judged), (size_t)(dim + 1) * sizeof *d->series);
    return d->x && d->energy && d->series ? GIBBS_OK : gibbs_fail(error, GIBBS_MEMORY, "draw: out of memory");
}

static gibbs_status start_chains(drawing *d, const ebm_data *start, gibbs_error *error)
{
    gibbs_words words = gibbs_words_start(d->options.seed, EBM_STREAM_START, 0);
    int64_t dim = d->model->dim;
    for (int64_t c = 0; c < d->count; c++) { /* all temperatures of a chain at one row */
        int64_t at = start->weight ? ebm_data_row_at(start, gibbs_words_unit(&words))
                                   : (int64_t)gibbs_words_below(&words, (uint64_t)start->rows);
        const double *row = start->x + at * dim;
        for (int64_t k = 0; k < d->stride * dim; k++) d->x[c * d->stride * dim + k] = row[k % dim];
    }
    gibbs_status status = ebm_chains_new(d->model, d->options.chain, &d->chains, error);
    if (!status) status = ebm_chains_start(d->chains, d->x, d->count * d->stride, error);
    if (!status && d->chains->sampler->target)
        status = ebm_chains_warm_up(d->chains, d->options.warm_up, 0, d->options.seed, error);
    return status;
}

/* Note t of the chains that are judged. */
static gibbs_status note(drawing *d, int64_t t, gibbs_error *error)
{
    int64_t dim = d->model->dim;
    ebm_chains_get(d->chains, d->x);
    gibbs_status status = ebm_model_energy(d->model, d->x, d->count * d->stride, d->energy, NULL, error);
    for (int64_t j = 0; j < d->judged && !status; j++) {
        int64_t c = j * d->count / d->judged * d->stride;
        for (int64_t k = 0; k <= dim; k++)
            d->series[(k * NOTES + t) * d->judged + j] = k < dim ? d->x[c * dim + k] : d->energy[c];
    }
    return status;
}

/* Numbers that are all equal, as of a column that cannot vary, say nothing. Chains that stand still apart have no R̂. */
static gibbs_status judge(drawing *d, gibbs_error *error)
{
    d->report.r_hat = 1;
    for (int64_t k = 0; k <= d->model->dim; k++) {
        const double *series = d->series + k * NOTES * d->judged;
        int64_t i = 1, n = NOTES * d->judged;
        double r_hat;
        while (i < n && series[i] == series[0]) i++;
        if (i == n) continue;
        gibbs_status status = ebm_split_r_hat(series, NOTES, d->judged, 1, &d->model->alloc, &r_hat, error);
        if (status) return status;
        if (isnan(r_hat)) r_hat = INFINITY;
        if (r_hat <= d->report.r_hat) continue;
        d->report.r_hat = r_hat;
        d->report.worst = k < d->model->dim ? k : -1;
    }
    return GIBBS_OK;
}

static gibbs_status stretch(drawing *d, int64_t every, gibbs_error *error)
{
    gibbs_status status = GIBBS_OK;
    for (int64_t t = 0; t < NOTES && !status; t++) {
        status = ebm_chains_run(d->chains, every, d->options.seed, 0, error);
        if (!status) status = note(d, t, error);
    }
    if (status) return status;
    d->report.steps += NOTES * every;
    d->report.acceptance = ebm_chains_acceptance(d->chains);
    return judge(d, error);
}

static gibbs_status not_mixed(const drawing *d, gibbs_error *error)
{
    char what[32] = "the energy";
    if (d->report.worst >= 0) snprintf(what, sizeof what, "column %lld", (long long)d->report.worst + 1);
    return gibbs_fail(error, GIBBS_NUMERIC,
                      "draw: after %lld steps the chains have not mixed: R-hat of %s is %.3g, more than %g; acceptance "
                      "%.2g. Allow more steps, or temper them (inverse_temperatures of options.chain)",
                      (long long)d->report.steps, what, d->report.r_hat, d->options.r_hat, d->report.acceptance);
}

/* After stretches of 1, 2, …, `every` times NOTES steps there were 2·every − 1 of them. */
static gibbs_status run(drawing *d, gibbs_error *error)
{
    bool mixed = false, whatever = isinf(d->options.r_hat);
    for (int64_t every = 1; !mixed && NOTES * (2 * every - 1) <= d->options.steps; every *= 2) {
        gibbs_status status = stretch(d, every, error);
        if (status) return status;
        mixed = !whatever && d->report.r_hat <= d->options.r_hat;
    }
    return mixed || whatever ? GIBBS_OK : not_mixed(d, error);
}

static void release(drawing *d)
{
    const gibbs_allocator *a = &d->model->alloc;
    ebm_chains_free(d->chains);
    gibbs_release(a, d->x);
    gibbs_release(a, d->energy);
    gibbs_release(a, d->series);
}

gibbs_status ebm_model_draw(ebm_model *model, const ebm_data *start, int64_t rows, const ebm_draw_options *options,
                            double *x, ebm_draw_report *report, gibbs_error *error)
{
    GIBBS_REQUIRE("draw", model && start && x, error);
    drawing d = {.model = model, .stride = 1, .report = {.worst = -1, .r_hat = NAN, .acceptance = NAN}};
    if (options) d.options = *options;
    gibbs_status status = check(model, start, rows, &d, error);
    if (status) return status;
    if (d.options.chain && d.options.chain->temperatures > 0) d.stride = d.options.chain->temperatures;
    d.count = rows > LEAST_CHAINS ? rows : LEAST_CHAINS;
    d.judged = d.count < MOST_JUDGED ? d.count : MOST_JUDGED;
    status = allocate(&d, error);
    if (!status) status = start_chains(&d, start, error);
    if (!status) {
        d.report.step = ebm_chains_step(d.chains);
        status = run(&d, error);
        if (report) *report = d.report;
    }
    for (int64_t r = 0; r < rows && !status; r++)
        for (int64_t k = 0; k < model->dim; k++) x[r * model->dim + k] = d.x[r * d.stride * model->dim + k];
    release(&d);
    return status;
}
