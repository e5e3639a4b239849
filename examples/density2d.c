/* density2d — one energy, four ways to fit it.
 *
 * The same network energy of points in the plane (or on the line, or in space) is fitted by maximum likelihood with
 * importance sampling, contrastive divergence, score matching and noise contrastive estimation; all four densities are
 * then normalised by quadrature and compared on rows that none of them saw. Reading order: main, run_method, train,
 * judge. The command line is in common/, and so are the table and the pictures. */
#include "common/data_load.h"
#include "common/density_tell.h"
#include "common/failure.h"
#include "common/files.h"
#include "common/progress.h"
#include "common/statistics.h"

#include <gibbs/ebm.h>

#include <math.h>
#include <stdlib.h>

/* ---- A loss of our own: score matching at x + sd·ε, ε redrawn in every step --------------------------------- */

enum { NOISE_STREAM = 1000 };

static ad_var record_noisy(ebm_graph *g)
{
    const double *sd = g->context;
    ebm_graph noisy = *g;
    noisy.x = ad_add(g->x, ad_scale(ad_normal(g->data, ad_shape_of(g->x), NOISE_STREAM), *sd));
    return ebm_loss_score_matching.record(&noisy);
}

const ebm_loss noisy_score_matching = {
    .name = "score-matching",
    .title = "score matching of noisy data",
    .redraw = 1,
    .record = record_noisy,
    .validation = &ebm_loss_score_matching,
};

/* ---- Fitting one loss -------------------------------------------------------------------------------------- */

static ebm_loss_options loss_options(const settings *set, const problem *p, const method *m)
{
    ebm_loss_options o = ebm_loss_defaults();
    o.proposal = p->noise;
    o.noise_ratio = setting_or(set->noise_ratio, m->noise_ratio);
    o.redraw = 1; /* before every step: a network would learn the gaps between fixed points */
    o.sampler_steps = (int)set->cd_steps;
    o.sampler_step = set->cd_step;
    o.context = (void *)&set->data_noise;
    o.threads = (int)set->common.threads;
    return o;
}

static gibbs_status train(const settings *set, const problem *p, const method *m, ebm_model *model, result *r)
{
    progress_line line = progress_start(m->name, set->common.quiet);
    ebm_fit_options o = ebm_fit_defaults();
    o.loss = m->loss;
    o.loss_options = loss_options(set, p, m);
    o.steps = (int64_t)setting_or(set->steps, m->steps);
    o.rate = setting_or(set->rate, m->rate);
    o.weight_decay = setting_or(set->weight_decay, m->weight_decay);
    o.batch = (int64_t)set->batch;
    o.schedule = EBM_SCHEDULE_COSINE;
    o.clip = 10;
    o.seed = (uint64_t)set->common.seed;
    o.validation_fraction = set->validation; /* of the training rows; the best parameters are kept */
    o.threads = (int)set->common.threads;
    o.progress = progress_of_fit;
    o.context = &line;
    gibbs_status status = ebm_fit(model, &p->train, &o, &r->fit, &r->error);
    progress_clear(&line);
    return status;
}

/* Health and log Z-hat at the parameters that were kept: the report's are those of the last step. */
static gibbs_status examine(const settings *set, const problem *p, const method *m, ebm_model *model, result *r)
{
    ebm_loss_options o = loss_options(set, p, m);
    ebm_objective *objective;
    size_t count = (size_t)(p->train.rows * p->train.cols);
    float *single = malloc(count * sizeof *single);
    if (!single) return fail(&r->error, GIBBS_MEMORY, "out of memory");
    for (size_t i = 0; i < count; i++) single[i] = (float)p->train.x[i];
    const void *x = ebm_model_dtype(model) == GIBBS_FLOAT32 ? (const void *)single : p->train.x;
    gibbs_status status = ebm_objective_new(model, m->loss, &o, &objective, &r->error);
    if (!status) status = ebm_objective_bind(objective, x, p->train.rows, &r->error);
    if (!status) status = ebm_objective_refresh(objective, (uint64_t)set->common.seed, UINT32_MAX, &r->error);
    if (!status) status = ebm_objective_evaluate(objective, NULL, &r->error);
    if (!status) r->health = ebm_objective_health(objective);
    if (!status) r->log_z_hat = ebm_objective_log_z(objective);
    ebm_objective_free(objective);
    free(single);
    return status;
}

static gibbs_status judge(const problem *p, ebm_model *model, result *r)
{
    gibbs_status status = ebm_integrate(model, &p->box, &r->quadrature, &r->error);
    if (status) return status;
    return ebm_mean_log_likelihood(model, &p->held, r->quadrature.log_z_doubled, &r->held_out, &r->error);
}

/* ---- From a file or a name to a problem ------------------------------------------------------------------------ */

static gibbs_status split_and_scale(const settings *set, const ebm_data *all, problem *p, gibbs_error *error)
{
    if (all->cols > MAX_DIM)
        return fail(error, GIBBS_ARGUMENT, "%.200s has %lld columns; quadrature works with at most %d", set->data,
                    (long long)all->cols, MAX_DIM);
    gibbs_status status = ebm_data_split(all, set->held_out, (uint64_t)set->split_seed, &p->train, &p->held, error);
    if (!status) status = ebm_data_standardise(&p->train, p->mean, p->sd, error);
    return status ? status : ebm_data_apply_scale(&p->held, p->mean, p->sd, error);
}

/* The box of the quadrature holds the base measure out to four standard deviations, and the data. */
static void choose_box(const settings *set, problem *p)
{
    p->box = ebm_box_around(&p->train, 1);
    for (int k = 0; k < p->train.cols; k++) {
        p->box.low[k] = fmin(p->box.low[k], -4 * set->base_sd);
        p->box.high[k] = fmax(p->box.high[k], 4 * set->base_sd);
    }
}

static gibbs_status measure_gaussian(problem *p, gibbs_error *error)
{
    ebm_proposal *q = NULL;
    double *log_density = malloc(sizeof *log_density * (size_t)p->held.rows);
    gibbs_status status = log_density ? GIBBS_OK : fail(error, GIBBS_MEMORY, "out of memory");
    if (!status) status = ebm_proposal_gaussian_fit(&p->train, 1, 1, NULL, &q, error);
    if (!status) status = ebm_proposal_log_density(q, p->held.x, p->held.rows, NULL, log_density, error);
    if (!status) p->gaussian = mean_of(log_density, p->held.rows, NULL);
    ebm_proposal_free(q);
    free(log_density);
    return status;
}

static gibbs_status load(const settings *set, problem *p, gibbs_error *error)
{
    ebm_data all;
    char path[PATH_SIZE];
    gibbs_status status = data_read_or_draw(set->data, set->rows, set->split_seed, &all, error);
    if (status) return status;
    status = split_and_scale(set, &all, p, error);
    ebm_data_free(&all);
    if (!status) status = ebm_proposal_gaussian_fit(&p->train, 1, 1.5, NULL, &p->noise, error);
    if (!status) status = measure_gaussian(p, error);
    if (!status) status = report_prepare(&set->common, error);
    if (!status) status = file_path(path, error, set->common.out, "density2d-data.csv");
    if (!status) status = ebm_data_write_csv(path, &p->train, error);
    choose_box(set, p);
    return status;
}

/* ---- Running and telling --------------------------------------------------------------------------------------- */

static void run_method(const settings *set, const problem *p, const method *m, result *r)
{
    ebm_model *model = NULL;
    ebm_mlp_spec spec = {.dim = p->train.cols, .widths = set->width, .layers = set->layers,
                         .activation = set->activation, .base_sd = set->base_sd,
                         .dtype = set->double_precision ? GIBBS_FLOAT64 : GIBBS_FLOAT32,
                         .seed = (uint64_t)set->common.seed};
    r->held_out = r->log_z_hat = r->health = r->quadrature.log_z = r->quadrature.log_z_doubled = NAN;
    gibbs_status status = ebm_model_mlp(&spec, &model, &r->error);
    if (!status) status = train(set, p, m, model, r);
    if (!status) status = examine(set, p, m, model, r);
    if (!status) status = judge(p, model, r);
    if (!status && density_save(set, p, m, model, r)) complain(&r->unsaved);
    if (status && set->common.quiet) complain(&r->error); /* else the table says it */
    ebm_model_free(model);
}

int main(int argc, char **argv)
{
    settings set = settings_read(argc, argv);
    problem p = {0};
    result results[METHODS] = {0};
    gibbs_error error = {0};
    report *root = report_new();
    int failed = 0;
    gibbs_status status = load(&set, &p, &error);
    for (int i = 0; i < METHODS && !status; i++) {
        if (set.chosen[i]) run_method(&set, &p, &methods[i], &results[i]);
        failed |= results[i].error.status || results[i].unsaved.status;
    }
    if (!status && !set.common.quiet) density_print(&set, &p, results);
    if (!status) density_report(&set, &p, results, root);
    failed |= report_end(root, status, set.common.json, &error);
    for (int i = 0; i < METHODS; i++) ebm_fit_report_free(&results[i].fit);
    ebm_proposal_free(p.noise);
    ebm_data_free(&p.train);
    ebm_data_free(&p.held);
    return failed;
}
