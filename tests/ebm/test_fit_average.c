/* Averaged parameters: an average of the path that the fit takes anyway, seen by validation and left in the model. */
#include "ebm/objective/objective.h"
#include "objective_helpers.h"

enum { ROWS = 50, STEPS = 40, EVERY = 4, SEED = 2, MOST = MOST_PARAMETERS + 1 };

static ebm_fit_options basic(const ebm_loss *loss)
{
    ebm_fit_options o = {0};
    o.loss = loss;
    o.steps = STEPS;
    o.rate = 0.05;
    o.batch = 16;
    o.seed = SEED;
    o.validation_every = EVERY;
    return o;
}

/* What a callback sees of the model, step after step. */
typedef struct path {
    ebm_model *model;
    double theta[STEPS + 1][MOST], rate[STEPS + 1];
    int stop_at;
} path;

static int note(void *context, const ebm_progress *p)
{
    path *seen = context;
    ebm_model_get(seen->model, seen->theta[p->step]);
    seen->rate[p->step] = p->rate;
    return p->step == seen->stop_at;
}

/* Fits a fresh model of QUARTIC and notes its path. The caller frees the model and the report. */
static gibbs_status fit(ebm_fit_options o, path *seen, ebm_fit_report *report)
{
    gibbs_error error;
    double *x = test_points(&energies[QUARTIC], ROWS, 1);
    ebm_data data = table(x, ROWS, 1);
    ebm_proposal *q = test_proposal(&energies[QUARTIC]);
    seen->model = energies[QUARTIC].make();
    ebm_model_get(seen->model, seen->theta[0]);
    o.loss_options.proposal = q;
    o.progress = note;
    o.context = seen;
    gibbs_status status = ebm_fit(seen->model, &data, &o, report, &error);
    ebm_proposal_free(q);
    free(x);
    return status;
}

/* The average after `steps` steps, from its definition: Σ (1−β)β^(t−k) θₖ/(1 − βᵗ). */
static double average_of(const path *seen, double beta, int64_t steps, int i)
{
    double sum = 0;
    for (int64_t k = 1; k <= steps; k++) sum = beta * sum + (1 - beta) * seen->theta[k][i];
    return sum / (1 - pow(beta, (double)steps));
}

static const ebm_loss *const losses[] = {&ebm_loss_score_matching, &ebm_loss_cd, &ebm_loss_nce};

Test(fit_average, is_left_in_the_model_and_does_not_change_the_path)
{
    for (int l = 0; l < COUNT(losses); l++) {
        static path plain, averaged;
        ebm_fit_report first, second;
        ebm_fit_options o = basic(losses[l]);
        OK(fit(o, &plain, &first));
        o.average = 0.9;
        OK(fit(o, &averaged, &second));
        cr_expect(!memcmp(plain.theta, averaged.theta, sizeof plain.theta), "%s: the path", losses[l]->name);
        cr_expect(!memcmp(first.history_loss, second.history_loss, STEPS * sizeof *first.history_loss));
        cr_expect(second.steps == STEPS && second.best_step == STEPS && second.loss == first.loss);
        double end[2];
        ebm_model_get(averaged.model, end);
        for (int i = 0; i < 2; i++) {
            expect_close(end[i], average_of(&averaged, 0.9, STEPS, i), 1e-14, losses[l]->name);
            cr_expect(fabs(end[i] - averaged.theta[STEPS][i]) > 1e-4, "control: not the last ones");
        }
        if (losses[l]->learns_log_z)
            cr_expect(first.log_z != second.log_z && fabs(first.log_z - second.log_z) < 1, "log Z is averaged too");
        ebm_fit_report_free(&first), ebm_fit_report_free(&second);
        ebm_model_free(plain.model), ebm_model_free(averaged.model);
    }
}

/* The validation loss at given parameters, from the fit's own split. */
static double held_out(const ebm_fit_options *o, const double *theta)
{
    ebm_data train, held;
    double *x = test_points(&energies[QUARTIC], ROWS, 1);
    ebm_data data = table(x, ROWS, 1);
    ebm_model *model = energies[QUARTIC].make();
    OK(ebm_data_split(&data, o->validation_fraction, o->seed, &train, &held, NULL, ERROR));
    ebm_objective *judge = objective_at(model, &ebm_loss_score_matching, NULL, theta, held.x, held.rows, 0, 0);
    double value = value_of(judge);
    ebm_objective_free(judge);
    ebm_model_free(model);
    ebm_data_free(&train), ebm_data_free(&held);
    free(x);
    return value;
}

Test(fit_average, validation_judges_and_keeps_it)
{
    static path seen;
    ebm_fit_report report;
    ebm_fit_options o = basic(&ebm_loss_score_matching);
    o.average = 0.8;
    o.rate = 0.3; /* far too large: the average is what is any good */
    o.validation_fraction = 0.3;
    OK(fit(o, &seen, &report));
    double best = held_out(&o, seen.theta[0]), end[2], kept[2] = {seen.theta[0][0], seen.theta[0][1]};
    int64_t best_step = 0;
    for (int64_t step = EVERY; step <= STEPS; step += EVERY) {
        double at[2] = {average_of(&seen, 0.8, step, 0), average_of(&seen, 0.8, step, 1)}, value = held_out(&o, at);
        expect_close(report.history_validation[step - 1], value, 1e-12, "validation");
        cr_expect(fabs(value - held_out(&o, seen.theta[step])) > 1e-9, "control: not at the parameters themselves");
        if (value < best) best = value, best_step = step, memcpy(kept, at, sizeof kept);
    }
    ebm_model_get(seen.model, end);
    cr_expect(report.best_step == best_step && best_step > 0, "%d, expected %d", (int)report.best_step, (int)best_step);
    for (int i = 0; i < 2; i++) expect_close(end[i], kept[i], 1e-13, "kept");
    expect_close(held_out(&o, end), report.best_validation, 1e-12, "best");
    ebm_fit_report_free(&report);
    ebm_model_free(seen.model);
}

/* The callback's model is the one that stays. */
Test(fit_average, a_stopped_fit_keeps_the_parameters_themselves)
{
    static path seen = {.stop_at = 7};
    ebm_fit_report report;
    ebm_fit_options o = basic(&ebm_loss_score_matching);
    o.average = 0.9;
    double end[2];
    cr_expect(fit(o, &seen, &report) == GIBBS_STOPPED && report.best_step == 7);
    ebm_model_get(seen.model, end);
    cr_expect(!memcmp(end, seen.theta[7], sizeof end));
    ebm_fit_report_free(&report);
    ebm_model_free(seen.model);
}

/* ---- Warm-up, and decay that is no gradient ---- */

Test(fit_average, warm_up_takes_effect)
{
    static path seen;
    ebm_fit_report report;
    ebm_fit_options o = basic(&ebm_loss_score_matching);
    o.schedule = EBM_SCHEDULE_COSINE;
    o.warmup = 9;
    OK(fit(o, &seen, &report));
    for (int k = 0; k < STEPS; k++)
        cr_expect_eq(seen.rate[k + 1], ebm_schedule_warmed(EBM_SCHEDULE_COSINE, 0.05, k, STEPS, 9), "step %d", k);
    cr_expect(fabs(seen.theta[1][0] - seen.theta[0][0]) < 0.006, "Adam's first step is its rate, a ninth of 0.05");
    ebm_fit_report_free(&report);
    ebm_model_free(seen.model);
}

/* Score matching of a precision: the gradient is λm₂ − 1. AdamW in plain C, of the gradient without the decay. */
Test(fit_average, adamw_decays_weights_but_not_the_gradient)
{
    double *x = normals(ROWS, 0, 1.3, 1), m2 = 0, w = 2, m = 0, v = 0;
    for (int r = 0; r < ROWS; r++) m2 += x[r] * x[r] / ROWS;
    ebm_data data = table(x, ROWS, 1);
    ebm_model *model = energies[PRECISION].make();
    ebm_fit_options o = basic(&ebm_loss_score_matching);
    ebm_fit_report report;
    o.batch = 0;
    o.optimizer = &ebm_adamw;
    o.weight_decay = 0.4;
    o.schedule = EBM_SCHEDULE_LINEAR;
    o.beta1 = 0.9, o.beta2 = 0.999, o.epsilon = 1e-8; /* the defaults */
    ebm_model_set(model, &w);
    OK(ebm_fit(model, &data, &o, &report, ERROR));
    for (int t = 1; t <= STEPS; t++) {
        double rate = o.rate * (1 - (t - 1.0) / STEPS), g = w * m2 - 1;
        expect_close(report.history_norm[t - 1], fabs(g), 1e-11, "the norm of the gradient, without decay");
        m = o.beta1 * m + (1 - o.beta1) * g;
        v = o.beta2 * v + (1 - o.beta2) * g * g;
        w = (1 - rate * 0.4) * w - rate * (m / (1 - pow(o.beta1, t))) / (sqrt(v / (1 - pow(o.beta2, t))) + o.epsilon);
    }
    expect_close(parameter_of(model, "precision"), w, 1e-11, "AdamW");
    ebm_fit_report_free(&report);
    ebm_model_free(model);
    free(x);
}

/* A learnt log Z is no weight: the first step moves it alike with and without decay. */
Test(fit_average, adamw_leaves_log_z_alone)
{
    double log_z[2], theta[2];
    for (int k = 0; k < 2; k++) {
        static path seen;
        ebm_fit_report report;
        ebm_fit_options o = basic(&ebm_loss_nce);
        o.optimizer = &ebm_adamw;
        o.steps = 1;
        o.weight_decay = k ? 3 : 0;
        OK(fit(o, &seen, &report));
        log_z[k] = report.log_z;
        theta[k] = parameter_of(seen.model, "a");
        ebm_fit_report_free(&report);
        ebm_model_free(seen.model);
    }
    cr_expect(log_z[0] == log_z[1], "%.17g and %.17g", log_z[0], log_z[1]);
    expect_close(theta[0] - theta[1], 0.05 * 3 * 0.5, 1e-14, "a begins at ½");
}

Test(fit_average, lbfgs_keeps_none)
{
    double *x = normals(ROWS, 0, 1, 1);
    ebm_data data = table(x, ROWS, 1);
    ebm_model *model = energies[PRECISION].make();
    ebm_fit_options o = basic(&ebm_loss_score_matching);
    o.lbfgs = 1;
    o.batch = 0;
    o.average = 0.9;
    FAILS(GIBBS_ARGUMENT, "average", ebm_fit(model, &data, &o, NULL, FAIL));
    o.average = 0;
    OK(ebm_fit(model, &data, &o, NULL, ERROR));
    ebm_model_free(model);
    free(x);
}
