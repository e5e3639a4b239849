/* A training in pieces is the training in one, by way of a file and other objects, bit for bit: for every kind of loss,
 * optimiser and option. What a file is refused for: test_trainer_files.c. */
#include "trainer_helpers.h"

/* ---- What is trained ---- */

static const ebm_chain_options leaps = {.leapfrog_steps = 3};

static const training trainings[] = {
    {"score matching", {.loss = &ebm_loss_score_matching, .optimizer = &ebm_sgd, .momentum = 0.5, .rate = 1e-4}},
    {"denoising", {.loss = &ebm_loss_denoising, .loss_options = {.noise_sd = 0.3, .copies = 2}, .batch = 64,
                   .validation_fraction = 0.2, .average = 0.9, .schedule = EBM_SCHEDULE_COSINE}},
    {"ML-IS", {.loss = &ebm_loss_ml_is, .optimizer = &ebm_rmsprop, .momentum = 0.3, .warmup = 20}},
    {"NCE", {.loss = &ebm_loss_nce, .batch = 48, .optimizer = &ebm_adamw, .weight_decay = 0.1, .average = 0.5}},
    {"NCE of one draw", {.loss = &ebm_loss_nce, .loss_options = {.redraw = EBM_REDRAW_NEVER}, .clip = 0.1,
                         .optimizer = &ebm_adam}},
    {"CD", {.loss = &ebm_loss_cd, .loss_options = {.sampler_steps = 3, .sampler_step = 0.05}, .batch = 50,
            .validation_fraction = 0.3, .patience = 4, .validation_every = 7, .rate = 0.05}},
    {"PCD", {.loss = &ebm_loss_pcd, .loss_options = {.buffer = 130, .sampler_step = 0.05, .sampler_steps = 2},
             .batch = 64, .schedule = EBM_SCHEDULE_INVERSE}},
    {"a replay buffer", {.loss = &ebm_loss_pcd, .loss_options = {.buffer = 200, .restart = 0.2, .sampler = &ebm_hmc,
                                                                 .sampler_step = 0.1, .chain = &leaps},
                         .batch = 32, .average = 0.9, .validation_fraction = 0.1}},
    {"improved CD", {.loss = &ebm_loss_improved_cd, .loss_options = {.sampler_steps = 2}, .batch = 40}},
    {"conditional NCE", {.loss = &ebm_loss_conditional_nce, .batch = 77}},
    {"kernel Stein", {.loss = &ebm_loss_ksd_imq, .loss_options = {.noise_sd = 0.5}, .batch = 20, .weight_decay = 0.01}},
};

/* ---- The comparison ---- */

#define SAME(field) same(&one->report.field, &two->report.field, sizeof one->report.field, #field, what)

static void same(const void *a, const void *b, size_t bytes, const char *name, const char *what)
{
    cr_expect(!memcmp(a, b, bytes), "%s: %s differs", what, name);
}

static void expect_same(const outcome *one, const outcome *two, const char *what)
{
    same(one->theta, two->theta, sizeof one->theta, "theta", what);
    SAME(steps), SAME(best_step), SAME(loss), SAME(best_validation), SAME(health), SAME(log_z), SAME(history_count);
    SAME(newton), SAME(note_count), SAME(note), SAME(weights);
    size_t bytes = (size_t)one->report.history_count * sizeof(double);
    same(one->report.history_loss, two->report.history_loss, bytes, "loss", what);
    same(one->report.history_norm, two->report.history_norm, bytes, "norm", what);
    same(one->report.history_validation, two->report.history_validation, bytes, "validation", what);
}

TestSuite(trainer, .init = trainer_enter, .fini = trainer_leave);

/* With the process's objects made anew at each of these steps. */
static const int64_t stops[][3] = {{0}, {37}, {1, 99}, {50, 51, 100}};

Test(trainer, a_training_goes_on_with_the_same_bits)
{
    for (int k = 0; k < 2 * COUNT(trainings); k++) {
        const training *t = &trainings[k / 2];
        outcome one = train(t, k % 2, 1, stops[0], NULL);
        for (int s = 1; s < COUNT(stops); s++) {
            char what[80];
            outcome two = train(t, k % 2, s, stops[s], NULL);
            snprintf(what, sizeof what, "%s in %s, stopped at %d", t->name, k % 2 ? "float32" : "float64",
                     (int)stops[s][0]);
            expect_same(&one, &two, what);
            ebm_fit_report_free(&two.report);
        }
        cr_expect(one.report.steps == STEPS || t->options.patience, "%s", t->name);
        ebm_fit_report_free(&one.report);
    }
}

/* Negative control: without its chains, or the optimiser's moments, it would not. */
Test(trainer, what_is_left_out_is_seen)
{
    static const char *const left_out[] = {"chains", "optimizer", "train.next"};
    const training *pcd = &trainings[6];
    outcome one = train(pcd, 0, 1, stops[0], NULL);
    for (int k = 0; k < COUNT(left_out); k++) {
        outcome two = train(pcd, 0, 1, stops[1], left_out[k]);
        cr_expect(memcmp(one.theta, two.theta, sizeof one.theta), "without %s", left_out[k]);
        ebm_fit_report_free(&two.report);
    }
    ebm_fit_report_free(&one.report);
}

/* A fit is a training of all steps. */
Test(trainer, a_fit_is_all_steps)
{
    gibbs_error error;
    for (int k = 0; k < COUNT(trainings); k++) {
        outcome one = train(&trainings[k], 0, 1, stops[0], NULL), two = {0};
        ebm_model *model = trainer_model(0);
        ebm_fit_options o = trainer_options(&trainings[k]);
        cr_assert(!ebm_fit(model, &trainer_data, &o, &two.report, &error), "%s", error.message);
        trainer_theta(model, two.theta);
        expect_same(&one, &two, trainings[k].name);
        ebm_fit_report_free(&one.report);
        ebm_fit_report_free(&two.report);
        ebm_model_free(model);
    }
}

/* ---- From the callback ---- */

typedef struct saver {
    ebm_trainer *trainer;
    int64_t at;
} saver;

static int save_and_stop(void *context, const ebm_progress *p)
{
    saver *s = context;
    gibbs_error error;
    if (p->step != s->at) return 0;
    cr_expect(!ebm_trainer_save(s->trainer, "ck", &error), "%s", error.message);
    return 1;
}

/* What a callback saves is the step in hand, be it the last one; and a stopped training goes on by itself. */
Test(trainer, a_callback_saves_and_stops)
{
    gibbs_error error;
    static const int64_t at[] = {37, STEPS};
    for (int k = 0; k < 2 * COUNT(at); k++) {
        const training *t = &trainings[1];
        outcome one = train(t, 0, 1, stops[0], NULL), two = {0};
        ebm_model *model = trainer_model(0);
        saver s = {.at = at[k / 2]};
        ebm_fit_options o = trainer_options(t);
        o.progress = save_and_stop, o.context = &s;
        OK(ebm_trainer_new(model, &trainer_data, &o, &s.trainer, &error));
        cr_assert_eq(ebm_trainer_run(s.trainer, 0, &error), GIBBS_STOPPED);
        cr_expect(ebm_trainer_report(s.trainer)->steps == s.at && ebm_trainer_done(s.trainer) == (s.at == STEPS));
        if (k % 2) {
            ebm_trainer_free(s.trainer);
            ebm_model_free(model);
            model = trainer_model(0);
            OK(ebm_trainer_new(model, &trainer_data, &o, &s.trainer, &error));
            OK(ebm_trainer_load(s.trainer, "ck", &error));
        }
        s.at = -1;
        OK(ebm_trainer_run(s.trainer, 0, &error));
        trainer_outcome(s.trainer, model, &two);
        expect_same(&one, &two, "saved by the callback");
        ebm_fit_report_free(&one.report);
        ebm_trainer_free(s.trainer);
        ebm_model_free(model);
    }
}

/* ---- Others ---- */

/* L-BFGS goes on from where it was, and says that it is done. */
Test(trainer, lbfgs_begins_anew)
{
    gibbs_error error;
    ebm_trainer *t;
    training lbfgs = {"L-BFGS", {.loss = &ebm_loss_ml_is, .lbfgs = 1, .weight_decay = 0.1}};
    ebm_fit_options o = trainer_options(&lbfgs);
    ebm_model *model = trainer_model(0);
    o.steps = 500;
    OK(ebm_trainer_new(model, &trainer_data, &o, &t, &error));
    OK(ebm_trainer_run(t, 5, &error));
    cr_expect(ebm_trainer_report(t)->steps == 5 && !ebm_trainer_done(t));
    OK(ebm_trainer_save(t, "ck", &error));
    ebm_trainer_free(t);
    ebm_model_reset(model, 99);
    OK(ebm_trainer_new(model, &trainer_data, &o, &t, &error));
    OK(ebm_trainer_load(t, "ck", &error));
    OK(ebm_trainer_run(t, 0, &error));
    const ebm_fit_report *r = ebm_trainer_report(t);
    cr_expect(ebm_trainer_done(t) && r->steps > 5 && r->steps == r->history_count);
    for (int64_t k = 1; k < r->steps; k++) cr_expect_leq(r->history_loss[k], r->history_loss[k - 1] + 1e-9);
    ebm_trainer_free(t);
    ebm_model_free(model);
}

/* Under a constant rate a training that is over can be made longer. */
Test(trainer, a_training_is_made_longer)
{
    gibbs_error error;
    ebm_trainer *t;
    outcome one = train(&trainings[3], 0, 1, stops[0], NULL), two = {0};
    ebm_fit_options o = trainer_options(&trainings[3]);
    ebm_model *model = trainer_model(0);
    o.steps = 60;
    OK(ebm_trainer_new(model, &trainer_data, &o, &t, &error));
    OK(ebm_trainer_run(t, 0, &error));
    OK(ebm_trainer_save(t, "ck", &error));
    ebm_trainer_free(t);
    o.steps = STEPS;
    OK(ebm_trainer_new(model, &trainer_data, &o, &t, &error));
    OK(ebm_trainer_load(t, "ck", &error));
    cr_expect(!ebm_trainer_done(t));
    OK(ebm_trainer_run(t, 0, &error));
    trainer_outcome(t, model, &two);
    expect_same(&one, &two, "made longer");
    ebm_fit_report_free(&one.report);
    ebm_trainer_free(t);
    ebm_model_free(model);
}

/* What a user keeps is saved and loaded with the rest. */
Test(trainer, memory_of_a_users_own)
{
    gibbs_error error;
    ebm_trainer *t;
    char text[13] = "twelve bytes";
    int64_t count = INT64_MIN + 7;
    ebm_fit_options o = trainer_options(&trainings[0]);
    ebm_model *model = trainer_model(0);
    OK(ebm_trainer_new(model, &trainer_data, &o, &t, &error));
    OK(ebm_trainer_keep(t, "text", text, sizeof text, &error));
    OK(ebm_trainer_keep(t, "count", &count, sizeof count, &error));
    OK(ebm_trainer_keep(t, "nothing", NULL, 0, &error));
    cr_expect_eq(ebm_trainer_keep(t, "text", text, sizeof text, &error), GIBBS_ARGUMENT);
    cr_expect_eq(ebm_trainer_keep(t, "", text, sizeof text, &error), GIBBS_ARGUMENT);
    OK(ebm_trainer_save(t, "ck", &error));
    memset(text, 'x', sizeof text), count = 0;
    OK(ebm_trainer_load(t, "ck", &error));
    cr_expect(!strcmp(text, "twelve bytes") && count == INT64_MIN + 7);
    ebm_trainer_free(t);
    OK(ebm_trainer_new(model, &trainer_data, &o, &t, &error));
    cr_expect_eq(ebm_trainer_load(t, "ck", &error), GIBBS_FORMAT);
    cr_expect(strstr(error.message, "keep.text is 13 bytes there, and missing here"), "%s", error.message);
    ebm_trainer_free(t);
    ebm_model_free(model);
}
