/* Which way a loss pulls, with a sign flipped as the control; and losses of a user's own, made of the library's. */
#include "objective_helpers.h"

static const ebm_loss *const losses[] = {
    &ebm_loss_ml_is,          &ebm_loss_exact_ml,       &ebm_loss_cd,          &ebm_loss_pcd,
    &ebm_loss_score_matching, &ebm_loss_weighted_score_matching, &ebm_loss_denoising, &ebm_loss_denoising_autoencoder,
    &ebm_loss_sliced,         &ebm_loss_sliced_reduced, &ebm_loss_nce,         &ebm_loss_conditional_nce,
    &ebm_loss_ranking_nce,    &ebm_loss_ksd_rbf,        &ebm_loss_ksd_imq,     &ebm_loss_stein,
    &ebm_loss_stein_hutchinson, &ebm_loss_ml_resampled, &ebm_loss_ml_mh,
};

/* ---- Direction on a quadratic ---- */

enum { ROWS = 4000 };

/* A user's loss around another one, which is the context. */
static ad_var record_negated(ebm_graph *graph)
{
    const ebm_loss *inner = graph->context;
    graph->loss = inner;
    return ad_neg(inner->record(graph));
}

static ebm_loss negated(const ebm_loss *loss)
{
    ebm_loss made = *loss;
    made.record = record_negated;
    return made;
}

/* The best critic of the precision is a multiple of (λ − 1)x: its own parameters are no part of this. */
static ad_var best_critic(ad_var x, const ad_var *theta, void *context)
{
    (void)context;
    return ad_stop_gradient(ad_mul(ad_shift(ad_neg(theta[0]), 1), x));
}

/* Losses of all pairs look at fewer rows. */
static int64_t rows_of(const ebm_loss *loss) { return loss->noise == EBM_NOISE_PAIRS ? 600 : ROWS; }

/* The precision after one step of gradient descent from `start`. */
static double after_a_step(const ebm_loss *loss, const void *context, double start, const double *x)
{
    const plain_energy *e = &energies[PRECISION];
    ebm_model *model = e->make();
    ebm_loss_options options = {0};
    options.proposal = test_proposal(e);
    options.sampler_step = 0.1;
    options.noise_sd = 0.5;
    options.copies = 10;
    options.field = loss->validation == &ebm_loss_score_matching ? best_critic : NULL;
    options.context = (void *)context;
    ebm_points points;
    OK(ebm_points_box(1, &(ebm_box){{-12}, {12}, 400, 0}, NULL, &points, ERROR));
    options.points = &points;
    ebm_objective *o = objective_at(model, loss, &options, &start, x, rows_of(loss), 3, 0);
    if (loss->learns_log_z) ((double *)ebm_objective_theta(o))[1] = 0.5 * log(2 * acos(-1) / start);
    value_of(o);
    double gradient = *(const double *)ebm_objective_gradient(o), next = start - 0.02 * gradient;
    ebm_objective_free(o);
    ebm_points_free(&points);
    ebm_proposal_free((ebm_proposal *)options.proposal);
    ebm_model_free(model);
    return next;
}

/* Whether a step from a precision on either side of the data's leads nearer to it. */
static bool moves_towards(const ebm_loss *loss, const void *context)
{
    static const double truth = 1, wrong[] = {0.4, 0.6, 1.7, 2.5};
    double *x = normals(ROWS, 0, 1 / sqrt(truth), 11);
    int nearer = 0;
    for (int k = 0; k < COUNT(wrong); k++)
        nearer += fabs(after_a_step(loss, context, wrong[k], x) - truth) < fabs(wrong[k] - truth);
    free(x);
    cr_expect(nearer == 0 || nearer == COUNT(wrong), "%s: nearer from %d of %d", loss->name, nearer, COUNT(wrong));
    return nearer == COUNT(wrong);
}

Test(direction, every_loss_moves_towards_the_data)
{
    for (int k = 0; k < COUNT(losses); k++) cr_expect(moves_towards(losses[k], NULL), "%s", losses[k]->name);
}

Test(direction, a_flipped_sign_is_caught)
{
    for (int k = 0; k < COUNT(losses); k++) {
        ebm_loss flipped = negated(losses[k]);
        cr_expect(!moves_towards(&flipped, losses[k]), "%s", losses[k]->name);
    }
}

/* ---- Composed losses ---- */

static const double strength = 0.3, share = 0.7;

static ad_var penalty(const ebm_graph *graph)
{
    return ad_scale(ad_sum(ad_square(graph->theta[0])), 0.5 * strength);
}

static ad_var record_ridge(ebm_graph *graph) { return ad_add(ebm_loss_score_matching.record(graph), penalty(graph)); }

static const ebm_loss ridge = {.name = "ridge", .noise = EBM_NOISE_NONE, .deterministic = 1, .record = record_ridge};

/* ½λ²m₂ − λ + ½αλ²: the minimum is at 1/(m₂ + α). */
Test(composed, score_matching_with_an_l2_term)
{
    const plain_energy *e = &energies[PRECISION];
    double *x = test_points(e, ROWS, 1), m2 = 0, lambda = e->theta[0];
    for (int r = 0; r < ROWS; r++) m2 += x[r] * x[r] / ROWS;
    ebm_model *model = e->make();
    ebm_objective *o = objective_at(model, &ridge, NULL, e->theta, x, ROWS, 0, 0);
    expect_close(value_of(o), 0.5 * lambda * lambda * (m2 + strength) - lambda, 1e-12, "value");
    expect_close(*(const double *)ebm_objective_gradient(o), lambda * (m2 + strength) - 1, 1e-12, "gradient");
    ebm_objective_free(o);
    ebm_data data = table(x, ROWS, 1);
    ebm_fit_options options = {0};
    options.loss = &ridge;
    options.lbfgs = 1;
    OK(ebm_fit(model, &data, &options, NULL, ERROR));
    expect_close(parameter_of(model, "precision"), 1 / (m2 + strength), 1e-6, "minimiser");
    ebm_model_free(model);
    free(x);
}

/* share·ML-IS + (1 − share)·score matching. The health figure that ML-IS set stays. */
static ad_var record_mixed(ebm_graph *graph)
{
    ad_var likelihood = ad_scale(ebm_loss_ml_is.record(graph), share);
    return ad_add(likelihood, ad_scale(ebm_loss_score_matching.record(graph), 1 - share));
}

static const ebm_loss mixed = {.name = "mixed", .noise = EBM_NOISE_PROPOSAL, .deterministic = 1, .health = "ESS",
                               .noise_ratio = 2, .record = record_mixed};

typedef struct evaluation {
    double value, gradient[MOST_PARAMETERS], health;
} evaluation;

static evaluation evaluate(const plain_energy *e, const ebm_loss *loss, const ebm_loss_options *options,
                           const double *x)
{
    ebm_model *model = e->make();
    ebm_objective *o = objective_at(model, loss, options, e->theta, x, ROWS, 2, 1);
    evaluation v = {.value = value_of(o), .health = ebm_objective_health(o)};
    memcpy(v.gradient, ebm_objective_gradient(o), (size_t)e->size * sizeof(double));
    expect_consistent(o, 1e-8, loss->name);
    ebm_objective_free(o);
    ebm_model_free(model);
    return v;
}

Test(composed, two_losses_of_the_library)
{
    for (int k = 0; k < ENERGIES; k++) {
        const plain_energy *e = &energies[k];
        double *x = test_points(e, ROWS, 1);
        ebm_loss_options options = {0};
        options.proposal = test_proposal(e);
        options.noise_ratio = 2;
        evaluation a = evaluate(e, &ebm_loss_ml_is, &options, x), both = evaluate(e, &mixed, &options, x);
        evaluation b = evaluate(e, &ebm_loss_score_matching, &options, x);
        expect_close(both.value, share * a.value + (1 - share) * b.value, 1e-12, e->name);
        for (int i = 0; i < e->size; i++)
            expect_close(both.gradient[i], share * a.gradient[i] + (1 - share) * b.gradient[i], 1e-12, e->name);
        cr_expect(both.health == a.health && isnan(b.health));
        ebm_proposal_free((ebm_proposal *)options.proposal);
        free(x);
    }
}
