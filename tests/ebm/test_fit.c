/* Fitting step by step, against a recurrence in plain C: score matching of a precision λ is ½λ²m₂ − λ, with gradient
 * λm₂ − 1, so that SGD's whole path is known. */
#include "objective_helpers.h"

enum { ROWS = 50, STEPS = 40 };

/* ---- The path in plain C ---- */

typedef struct path {
    double theta[STEPS + 1], loss[STEPS], norm[STEPS], rate[STEPS];
} path;

static path plain_path(double m2, double start, const ebm_fit_options *o)
{
    path p = {.theta = {start}};
    double velocity = 0;
    for (int k = 0; k < STEPS; k++) {
        double w = p.theta[k], gradient = w * m2 - 1 + o->weight_decay * w;
        p.loss[k] = 0.5 * w * w * m2 - w;
        p.norm[k] = fabs(gradient);
        p.rate[k] = ebm_schedule_rate(o->schedule, o->rate, k, STEPS);
        if (o->clip > 0 && p.norm[k] > o->clip) gradient *= o->clip / p.norm[k];
        velocity = o->momentum * velocity + gradient;
        p.theta[k + 1] = w - p.rate[k] * velocity;
    }
    return p;
}

typedef struct watcher {
    const path *expected;
    const ebm_model *model;
    int calls, stop_at;
} watcher;

static int watch(void *context, const ebm_progress *p)
{
    watcher *w = context;
    int k = w->calls++;
    cr_expect(p->step == k + 1 && p->steps == STEPS);
    expect_close(p->loss, w->expected->loss[k], 1e-11, "loss");
    expect_close(p->gradient_norm, w->expected->norm[k], 1e-11, "norm");
    expect_close(parameter_of(w->model, "precision"), w->expected->theta[k + 1], 1e-11, "parameters of the moment");
    cr_expect(p->rate == w->expected->rate[k] && isnan(p->validation) && isnan(p->health));
    return w->calls == w->stop_at;
}

static ebm_fit_options sgd(void)
{
    ebm_fit_options o = {0};
    o.loss = &ebm_loss_score_matching;
    o.optimizer = &ebm_sgd;
    o.steps = STEPS;
    o.rate = 0.05;
    return o;
}

static void check_path(ebm_fit_options options, const char *what)
{
    double *x = normals(ROWS, 0, 1.3, 1), m2 = 0, start = 2;
    for (int r = 0; r < ROWS; r++) m2 += x[r] * x[r] / ROWS;
    ebm_data data = table(x, ROWS, 1);
    ebm_model *model = energies[PRECISION].make();
    path expected = plain_path(m2, start, &options);
    watcher w = {.expected = &expected, .model = model};
    ebm_fit_report report;
    ebm_model_set(model, &start);
    options.progress = watch;
    options.context = &w;
    OK(ebm_fit(model, &data, &options, &report, ERROR));
    cr_expect(w.calls == STEPS && report.steps == STEPS && report.best_step == STEPS && report.history_count == STEPS);
    for (int k = 0; k < STEPS; k++) {
        expect_close(report.history_loss[k], expected.loss[k], 1e-11, what);
        expect_close(report.history_norm[k], expected.norm[k], 1e-11, what);
        cr_expect(isnan(report.history_validation[k]));
    }
    expect_close(parameter_of(model, "precision"), expected.theta[STEPS], 1e-11, what);
    cr_expect(report.loss == report.history_loss[STEPS - 1] && report.seconds > 0 && report.seconds < 60);
    cr_expect(isnan(report.best_validation) && isnan(report.health) && isnan(report.log_z) && !report.converged);
    ebm_fit_report_free(&report);
    cr_expect(!report.history_loss && !report.history_norm && !report.history_validation && !report.history_count);
    ebm_fit_report_free(&report);
    ebm_model_free(model);
    free(x);
}

Test(fit, sgd_takes_the_steps_of_plain_c)
{
    ebm_fit_options o = sgd();
    check_path(o, "plain");
    o.momentum = 0.8;
    check_path(o, "momentum");
    o.clip = 0.3; /* the gradient starts at about 2.4 */
    check_path(o, "clipping");
    o.weight_decay = 0.5;
    check_path(o, "clipping, with decay in what is clipped");
    o.clip = 0;
    check_path(o, "decay");
}

Test(fit, schedules_take_effect)
{
    for (ebm_schedule s = EBM_SCHEDULE_CONSTANT; s <= EBM_SCHEDULE_INVERSE; s++) {
        ebm_fit_options o = sgd();
        o.schedule = s;
        check_path(o, "schedule");
    }
}

Test(fit, clipping_and_decay_change_the_path) /* else the checks above would hold without them */
{
    ebm_fit_options o = sgd();
    path plain = plain_path(1.7, 2, &o);
    o.clip = 0.3;
    path clipped = plain_path(1.7, 2, &o);
    o.clip = 0;
    o.weight_decay = 0.5;
    path decayed = plain_path(1.7, 2, &o);
    cr_expect(fabs(clipped.theta[1] - (2 - 0.05 * 0.3)) < 1e-15 && clipped.norm[0] == plain.norm[0]);
    cr_expect(fabs(plain.theta[1] - clipped.theta[1]) > 0.1 && fabs(plain.theta[1] - decayed.theta[1] - 0.05) < 1e-12);
}

/* ---- Stopping ---- */

Test(fit, callback_stops_and_the_parameters_stay)
{
    double *x = normals(ROWS, 0, 1.3, 1), m2 = 0, start = 2;
    for (int r = 0; r < ROWS; r++) m2 += x[r] * x[r] / ROWS;
    ebm_data data = table(x, ROWS, 1);
    ebm_model *model = energies[PRECISION].make();
    ebm_fit_options o = sgd();
    path expected = plain_path(m2, start, &o);
    watcher w = {.expected = &expected, .model = model, .stop_at = 7};
    ebm_fit_report report;
    ebm_model_set(model, &start);
    o.progress = watch;
    o.context = &w;
    FAILS(GIBBS_STOPPED, "step 7", ebm_fit(model, &data, &o, &report, FAIL));
    cr_expect(w.calls == 7 && report.steps == 7 && report.history_count == 7 && report.best_step == 7);
    expect_close(parameter_of(model, "precision"), expected.theta[7], 1e-11, "parameters");
    expect_close(report.loss, expected.loss[6], 1e-11, "loss");
    ebm_fit_report_free(&report);
    ebm_model_free(model);
    free(x);
}

static int stop_lbfgs(void *context, const ebm_progress *p)
{
    ++*(int *)context;
    return p->step == 2;
}

Test(fit, callback_stops_lbfgs)
{
    double *x = test_points(&energies[GAUSSIAN2], ROWS, 1), theta[6], value, calls_seen;
    int calls = 0;
    ebm_data data = table(x, ROWS, 2);
    ebm_model *model = energies[GAUSSIAN2].make();
    ebm_fit_options o = sgd();
    ebm_fit_report report;
    o.lbfgs = 1;
    o.progress = stop_lbfgs;
    o.context = &calls;
    FAILS(GIBBS_STOPPED, "2", ebm_fit(model, &data, &o, &report, FAIL));
    calls_seen = calls;
    cr_expect(calls_seen == 2 && report.steps == 2 && report.history_count == 2 && !report.converged);
    ebm_model_get(model, theta);
    ebm_objective *objective = objective_at(model, o.loss, NULL, NULL, x, ROWS, 0, 0);
    value = value_of(objective);
    expect_close(value, fmin(report.history_loss[0], report.history_loss[1]), 1e-12, "the best point seen is kept");
    ebm_objective_free(objective);
    ebm_fit_report_free(&report);
    ebm_model_free(model);
    free(x);
}

/* ---- Weight decay and a learnt log Z ---- */

/* One step of NCE by SGD with decay δ lowers λ by rate·δ·λ₀ more, and moves the learnt log Z as it would without: that
 * is not a weight. */
Test(fit, decay_leaves_log_z_alone)
{
    double *x = normals(ROWS, 0, 1, 1), theta[2], log_z[3], start = 0.2;
    static const double decay[] = {0, 3, 0}, rate[] = {0.05, 0.05, 1e-9};
    ebm_data data = table(x, ROWS, 1);
    for (int k = 0; k < 3; k++) {
        ebm_model *model = energies[PRECISION].make();
        ebm_fit_options o = sgd();
        ebm_fit_report report;
        ebm_model_set(model, &start);
        o.loss = &ebm_loss_nce;
        o.steps = 1;
        o.rate = rate[k];
        o.weight_decay = decay[k];
        OK(ebm_fit(model, &data, &o, &report, ERROR));
        if (k < 2) theta[k] = parameter_of(model, "precision");
        log_z[k] = report.log_z;
        ebm_fit_report_free(&report);
        ebm_model_free(model);
    }
    expect_close(theta[0] - theta[1], 0.05 * 3 * start, 1e-12, "decay");
    cr_expect(log_z[0] == log_z[1] && fabs(log_z[0] - log_z[2]) > 1e-4, "%g %g %g", log_z[0], log_z[1], log_z[2]);
    free(x);
}

/* ½λ²m₂ − λ + ½δλ² is least at 1/(m₂ + δ), for L-BFGS as for the optimisers. */
Test(fit, lbfgs_decays_weights)
{
    double *x = normals(ROWS, 0, 1.3, 1), m2 = 0;
    for (int r = 0; r < ROWS; r++) m2 += x[r] * x[r] / ROWS;
    ebm_data data = table(x, ROWS, 1);
    ebm_model *model = energies[PRECISION].make();
    ebm_fit_options o = sgd();
    ebm_fit_report report;
    o.lbfgs = 1;
    o.weight_decay = 0.7;
    OK(ebm_fit(model, &data, &o, &report, ERROR));
    expect_close(parameter_of(model, "precision"), 1 / (m2 + 0.7), 1e-6, "minimiser");
    cr_expect(report.converged && report.steps < STEPS && report.history_count == report.steps);
    ebm_fit_report_free(&report);
    ebm_model_free(model);
    free(x);
}
