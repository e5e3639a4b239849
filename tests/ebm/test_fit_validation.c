/* Held-out rows: the best parameters are kept, and patience ends a fit. */
#include "ebm/objective/objective.h"
#include "objective_helpers.h"

enum { ROWS = 9, STEPS = 300, EVERY = 5, SEED = 2 };

/* Score matching of a free network on a few points sharpens on them for ever: the held-out loss falls, then rises. */
static ebm_model *network(void)
{
    ebm_model *model;
    const int64_t widths[] = {32};
    const ebm_mlp_spec spec = {.dim = 1, .widths = widths, .layers = 1, .activation = ad_tanh, .base_sd = 3,
                               .dtype = GIBBS_FLOAT64, .seed = 3};
    OK(ebm_model_mlp(&spec, &model, ERROR));
    return model;
}

static ebm_fit_options overfit(const ebm_loss *loss)
{
    ebm_fit_options o = {0};
    o.loss = loss;
    o.steps = STEPS;
    o.rate = 3e-2;
    o.seed = SEED;
    o.validation_fraction = 1.0 / 3;
    o.validation_every = EVERY;
    return o;
}

/* The validation loss at the model's present parameters, from the same split, draw and plan as the fit's. */
static double held_out(ebm_model *model, const ebm_data *data, const ebm_fit_options *o, const ebm_proposal *q)
{
    ebm_data train, held;
    ebm_objective *judge;
    ebm_loss_options options = o->loss_options;
    options.proposal = q;
    OK(ebm_data_split(data, o->validation_fraction, o->seed, &train, &held, NULL, ERROR));
    const ebm_loss *loss = o->loss->validation ? o->loss->validation : o->loss;
    OK(ebm_objective_make(model, loss, &options, false, &judge, ERROR));
    OK(ebm_objective_bind(judge, held.x, held.rows, ERROR));
    OK(ebm_objective_refresh(judge, o->seed, UINT64_MAX >> 1, ERROR));
    double value = value_of(judge);
    ebm_objective_free(judge);
    ebm_data_free(&train);
    ebm_data_free(&held);
    return value;
}

typedef struct copies {
    const ebm_model *model;
    double *theta; /* STEPS + 1 of them */
} copies;

static int copy(void *context, const ebm_progress *p)
{
    copies *c = context;
    ebm_model_get(c->model, c->theta + p->step * ebm_model_size(c->model));
    cr_expect(isnan(p->validation) == (p->step % EVERY != 0 && p->step != p->steps));
    return 0;
}

/* The step whose validation is the least, the first of equals; `at_start` is the one before any step. */
static int64_t best_of(const ebm_fit_report *r, double at_start, double *best)
{
    int64_t step = 0;
    *best = at_start;
    for (int64_t k = 0; k < r->history_count; k++)
        if (r->history_validation[k] < *best) *best = r->history_validation[k], step = k + 1;
    return step;
}

static void check_best(const ebm_loss *loss, const ebm_proposal *q)
{
    double *x = normals(ROWS, 0, 1, 7), best;
    ebm_data data = table(x, ROWS, 1);
    ebm_model *model = network();
    size_t n = (size_t)ebm_model_size(model);
    copies kept = {model, malloc((STEPS + 1) * n * sizeof(double))};
    ebm_fit_options o = overfit(loss);
    ebm_fit_report report;
    o.loss_options.proposal = q;
    o.progress = copy;
    o.context = &kept;
    double start = loss->learns_log_z ? INFINITY : held_out(model, &data, &o, q);
    OK(ebm_fit(model, &data, &o, &report, ERROR));
    int64_t step = best_of(&report, start, &best);
    cr_expect(report.best_validation == best && report.best_step == step, "%s: %.17g at %d, expected %.17g at %d",
              loss->name, report.best_validation, (int)report.best_step, best, (int)step);
    cr_expect(report.steps == STEPS && step > 0 && step < STEPS, "%s: best at %d", loss->name, (int)step);
    cr_expect(report.history_validation[STEPS - 1] > best + 0.01, "%s: the held-out loss must rise", loss->name);
    cr_expect(!memcmp(ebm_model_theta(model), kept.theta + (size_t)step * n, n * sizeof(double)), "%s", loss->name);
    if (!loss->learns_log_z) cr_expect(held_out(model, &data, &o, q) == report.best_validation, "%s", loss->name);
    ebm_fit_report_free(&report);
    ebm_model_free(model);
    free(x), free(kept.theta);
}

Test(fit_validation, keeps_the_best_parameters_of_score_matching) { check_best(&ebm_loss_score_matching, NULL); }

Test(fit_validation, keeps_the_best_parameters_of_ml_is)
{
    ebm_proposal *q;
    OK(ebm_proposal_gaussian_diagonal(1, (double[]){0}, (double[]){2}, NULL, &q, ERROR));
    check_best(&ebm_loss_ml_is, q);
    ebm_proposal_free(q);
}

/* Contrastive divergence is judged by score matching, its own value being no objective. */
Test(fit_validation, judges_cd_by_score_matching)
{
    double *x = normals(ROWS, 0, 1, 7);
    ebm_data data = table(x, ROWS, 1);
    ebm_model *model = network();
    ebm_fit_options o = overfit(&ebm_loss_cd);
    ebm_fit_report report;
    o.steps = 20;
    OK(ebm_fit(model, &data, &o, &report, ERROR));
    cr_expect(held_out(model, &data, &o, NULL) == report.best_validation, "%g", report.best_validation);
    cr_expect(report.health > 0.5 && report.health <= 1);
    ebm_fit_report_free(&report);
    ebm_model_free(model);
    free(x);
}

/* Steps end `patience` validations after the best one, and not before. */
Test(fit_validation, patience_stops_early)
{
    static const int patience[] = {1, 3, 8};
    double *x = normals(ROWS, 0, 1, 7);
    ebm_data data = table(x, ROWS, 1);
    for (int k = 0; k < COUNT(patience); k++) {
        ebm_model *model = network();
        ebm_fit_options o = overfit(&ebm_loss_score_matching);
        ebm_fit_report report;
        o.patience = patience[k];
        OK(ebm_fit(model, &data, &o, &report, ERROR));
        cr_expect(report.steps < STEPS && report.steps == report.best_step + patience[k] * EVERY, "%d after %d",
                  (int)report.steps, (int)report.best_step);
        cr_expect(report.history_count == report.steps);
        cr_expect(held_out(model, &data, &o, NULL) == report.best_validation);
        ebm_fit_report_free(&report);
        ebm_model_free(model);
    }
    free(x);
}

/* The held-out rows are not trained on: other values there change what is kept, but not the path. */
Test(fit_validation, training_does_not_see_held_out_rows)
{
    double *x = normals(ROWS, 0, 1, 7), first[STEPS];
    ebm_data data = table(x, ROWS, 1), train, held;
    OK(ebm_data_split(&data, 1.0 / 3, SEED, &train, &held, NULL, ERROR));
    cr_assert(train.rows == ROWS - ROWS / 3 && held.rows == ROWS / 3);
    for (int pass = 0; pass < 2; pass++) {
        ebm_model *model = network();
        ebm_fit_options o = overfit(&ebm_loss_score_matching);
        ebm_fit_report report;
        OK(ebm_fit(model, &data, &o, &report, ERROR));
        if (!pass) memcpy(first, report.history_loss, sizeof first);
        cr_expect(!memcmp(first, report.history_loss, sizeof first));
        for (int64_t r = 0; r < ROWS; r++)
            for (int64_t h = 0; h < held.rows; h++)
                if (x[r] == held.x[h]) x[r] = held.x[h] = 9 + (double)r;
        ebm_fit_report_free(&report);
        ebm_model_free(model);
    }
    ebm_data_free(&train), ebm_data_free(&held);
    free(x);
}
