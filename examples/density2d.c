/* density2d — one energy, four ways to fit it.
 *
 * The same network energy of points in the plane (or on the line, or of any number of columns) is fitted by maximum
 * likelihood with importance sampling, contrastive divergence, score matching and noise contrastive estimation; all
 * four densities are then normalised (by quadrature up to three columns, beyond by importance sampling where that will
 * do) and compared on rows that none of them saw. Reading order: main, run, run_method, train, judge. The command line
 * is in common/, and so are the table, the files and the pictures. */
#include "common/data_load.h"
#include "common/density_tell.h"
#include "common/failure.h"
#include "common/files.h"
#include "common/fitting.h"
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
    noisy.x = ad_variable(ad_add(g->x, ad_scale(ad_normal(g->data, ad_shape_of(g->x), NOISE_STREAM), *sd)));
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
    ebm_loss_options o = {0};
    o.proposal = p->noise;
    o.noise_ratio = setting_or(set->noise_ratio, m->noise_ratio);
    o.redraw = EBM_REDRAW_EACH_STEP; /* before every step: a network would learn the gaps between fixed points */
    o.sampler_steps = (int)set->cd_steps;
    o.sampler_step = set->cd_step;
    o.context = (void *)&set->data_noise;
    o.threads = (int)set->common.threads;
    return o;
}

static gibbs_status train(const settings *set, const problem *p, const method *m, ebm_model *model, result *r)
{
    ebm_fit_options o = {0};
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
    return fit_model(&set->common, m->name, model, &p->train, &o, &r->fit, &r->error);
}

/* A loss at the parameters that were kept: the fit's report has those of the last step. */
static gibbs_status evaluate(const settings *set, ebm_model *model, const ebm_loss *loss, const ebm_loss_options *o,
                             const ebm_data *data, double *value, double *health, double *log_z, gibbs_error *error)
{
    ebm_objective *objective;
    size_t count = (size_t)(data->rows * data->cols);
    float *single = malloc(count * sizeof *single);
    if (!single) return fail(error, GIBBS_MEMORY, "out of memory");
    for (size_t i = 0; i < count; i++) single[i] = (float)data->x[i];
    const void *x = ebm_model_dtype(model) == GIBBS_FLOAT32 ? (const void *)single : data->x;
    gibbs_status status = ebm_objective_new(model, loss, o, &objective, error);
    if (!status) status = ebm_objective_bind(objective, x, data->rows, error);
    if (!status) status = ebm_objective_refresh(objective, (uint64_t)set->common.seed, UINT32_MAX, error);
    if (!status) status = ebm_objective_evaluate(objective, value, error);
    if (!status && health) *health = ebm_objective_health(objective);
    if (!status && log_z) *log_z = ebm_objective_log_z(objective);
    ebm_objective_free(objective);
    free(single);
    return status;
}

/* log Z by the points of the training rows' Gaussian, where these reach the density at all. */
static gibbs_status sample_log_z(const settings *set, const problem *p, ebm_model *model, result *r)
{
    gibbs_status status = ebm_importance_sample(model, p->noise, DRAWS, (uint64_t)set->common.seed, NULL, NULL,
                                                &r->importance, &r->error);
    if (status == GIBBS_NUMERIC) r->importance.ess = 0, r->error = (gibbs_error){0};
    else if (status) return status;
    if (r->importance.ess >= ENOUGH) r->log_z = r->importance.log_z;
    return GIBBS_OK;
}

static gibbs_status judge(const settings *set, const problem *p, const method *m, ebm_model *model, result *r)
{
    ebm_loss_options own = loss_options(set, p, m), plain = {0};
    gibbs_status status =
        evaluate(set, model, m->loss, &own, &p->train, NULL, &r->health, &r->log_z_hat, &r->error);
    if (!status)
        status = evaluate(set, model, &ebm_loss_score_matching, &plain, &p->held, &r->matching, NULL, NULL, &r->error);
    if (!status && p->train.cols > QUADRATURE) status = sample_log_z(set, p, model, r);
    if (!status && p->train.cols <= QUADRATURE) {
        status = ebm_integrate(model, &p->box, &r->quadrature, &r->error);
        r->log_z = r->quadrature.log_z_doubled;
    }
    if (status || isnan(r->log_z)) return status;
    return ebm_mean_log_likelihood(model, &p->held, r->log_z, &r->held_out, &r->error);
}

/* ---- From a file or a name to a problem ------------------------------------------------------------------------ */

static gibbs_status split_and_scale(const settings *set, const ebm_data *all, problem *p, gibbs_error *error)
{
    p->mean = malloc(sizeof *p->mean * (size_t)all->cols);
    p->sd = malloc(sizeof *p->sd * (size_t)all->cols);
    if (!p->mean || !p->sd) return fail(error, GIBBS_MEMORY, "out of memory");
    gibbs_status status = ebm_data_split(all, set->held_out, (uint64_t)set->split_seed, &p->train, &p->held, NULL,
                                         error);
    if (!status) status = ebm_data_standardise(&p->train, p->mean, p->sd, error);
    for (int64_t k = 0; !status && k < all->cols; k++) p->log_jacobian -= log(p->sd[k]);
    return status ? status : ebm_data_apply_scale(&p->held, p->mean, p->sd, error);
}

/* The box of the quadrature holds the base measure out to four standard deviations, and the data. */
static void choose_box(const settings *set, problem *p)
{
    p->box = ebm_box_around(&p->train, 1);
    for (int k = 0; k < p->train.cols && k < QUADRATURE; k++) {
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
    r->held_out = r->matching = r->log_z = r->log_z_hat = r->health = NAN;
    r->quadrature.log_z = r->quadrature.log_z_doubled = r->importance.log_z = r->importance.ess = NAN;
    gibbs_status status = ebm_model_mlp(&spec, &model, &r->error);
    if (!status) status = train(set, p, m, model, r);
    if (!status) status = judge(set, p, m, model, r);
    if (!status && density_save(set, p, m, model, r)) complain(&r->unsaved);
    density_row(set, p, m, r);
    if (status && set->common.quiet) complain(&r->error); /* else the table says it */
    ebm_model_free(model);
}

static gibbs_status run(const settings *set, problem *p, result *results, int *failed, gibbs_error *error)
{
    gibbs_status status = load(set, p, error);
    if (status) return status;
    density_head(set, p);
    for (int i = 0; i < METHODS; i++) {
        if (set->chosen[i]) run_method(set, p, &methods[i], &results[i]);
        *failed |= results[i].error.status || results[i].unsaved.status;
    }
    density_foot(set, p);
    return density_draw(set, p, results, error);
}

int main(int argc, char **argv)
{
    settings set = settings_read(argc, argv);
    problem p = {0};
    result results[METHODS] = {0};
    gibbs_error error = {0};
    report *root = report_new();
    int failed = 0;
    gibbs_status status = run(&set, &p, results, &failed, &error);
    if (!status) density_report(&set, &p, results, root);
    failed |= report_end(root, status, set.common.json, &error);
    for (int i = 0; i < METHODS; i++) ebm_fit_report_free(&results[i].fit);
    ebm_proposal_free(p.noise);
    ebm_data_free(&p.train);
    ebm_data_free(&p.held);
    free(p.mean);
    free(p.sd);
    return failed;
}
