/* Weighted sums of losses, and the energy penalty. */
#include "loss_helpers.h"

#include "support/alloc.h"

enum { ROWS = 60, SEED = 3, STEP = 1 };

static ebm_loss *sum_of(const ebm_loss_term *terms, int count)
{
    ebm_loss *loss;
    OK(ebm_loss_sum(terms, count, NULL, &loss, ERROR));
    return loss;
}

static ebm_loss_options with(const ebm_proposal *q)
{
    ebm_loss_options options = {0};
    options.proposal = q;
    options.noise_ratio = 2;
    options.noise_sd = 0.4;
    options.copies = 3;
    options.sampler_step = 0.1;
    return options;
}

/* Value and gradient are the weighted sums of those of the terms, each made alone with the same draws. */
static void check_sum(const plain_energy *e, const ebm_loss_term *terms, int count)
{
    double *x = test_points(e, ROWS, 1), theta[MOST_PARAMETERS + 1];
    ebm_proposal *q = test_proposal(e);
    ebm_loss_options options = with(q);
    ebm_loss *loss = sum_of(terms, count);
    total expected = {0}, got;
    memcpy(theta, e->theta, sizeof e->theta);
    for (int k = 0; k < count; k++) {
        total t = evaluate_loss(e->make, terms[k].loss, &options, theta, x, ROWS, SEED, STEP);
        expected.value += terms[k].weight * t.value;
        for (int i = 0; i < e->size; i++) expected.gradient[i] += terms[k].weight * t.gradient[i];
    }
    got = evaluate_loss(e->make, loss, &options, theta, x, ROWS, SEED, STEP);
    expect_close(got.value, expected.value, 1e-12, e->name);
    for (int i = 0; i < e->size; i++) expect_close(got.gradient[i], expected.gradient[i], 1e-12, e->name);
    ebm_loss_free(loss);
    ebm_proposal_free(q);
    free(x);
}

Test(loss_sum, is_the_weighted_sum_of_its_terms)
{
    static const ebm_loss_term data[] = {{&ebm_loss_score_matching, 0.3},
                                         {&ebm_loss_denoising, 2},
                                         {&ebm_loss_sliced, -0.5},
                                         {&ebm_loss_conditional_nce, 1},
                                         {&ebm_loss_ranking_nce, 0.25}};
    static const ebm_loss_term drawn[] = {{&ebm_loss_ml_is, 1.5}, {&ebm_loss_weighted_score_matching, 0.1}};
    static const ebm_loss_term moved[] = {{&ebm_loss_denoising, 0.5}, {&ebm_loss_cd, 2}};
    static const ebm_loss_term paired[] = {
        {&ebm_loss_ksd_rbf, 1}, {&ebm_loss_ksd_imq, 3}, {&ebm_loss_score_matching, 0}};
    for (int k = 0; k < ENERGIES; k++) {
        check_sum(&energies[k], data, COUNT(data));
        check_sum(&energies[k], drawn, COUNT(drawn));
        check_sum(&energies[k], moved, COUNT(moved));
        check_sum(&energies[k], paired, COUNT(paired));
    }
}

/* A sum is a loss, and can be a term. */
Test(loss_sum, sums_of_sums)
{
    ebm_loss *inner = sum_of((ebm_loss_term[]){{&ebm_loss_denoising, 2}, {&ebm_loss_ksd_imq, 1}}, 2);
    check_sum(&energies[QUARTIC], (ebm_loss_term[]){{inner, 0.5}, {&ebm_loss_ksd_imq, 0.1}}, 2);
    cr_expect(inner->noise == EBM_NOISE_PAIRS && inner->deterministic && inner->redraw && !inner->needs_proposal);
    ebm_loss_free(inner);
}

Test(loss_sum, has_the_properties_of_its_terms)
{
    ebm_loss *loss = sum_of((ebm_loss_term[]){{&ebm_loss_denoising, 1}, {&ebm_loss_cd, 1}}, 2);
    cr_expect(loss->noise == EBM_NOISE_CHAIN && !loss->deterministic && !loss->learns_log_z);
    cr_expect(loss->validation->noise == EBM_NOISE_NONE && loss->validation->deterministic);
    cr_expect(loss->health == ebm_loss_denoising.health);
    ebm_loss_free(loss);
    loss = sum_of((ebm_loss_term[]){{&ebm_loss_ranking_nce, 1}, {&ebm_loss_nce, 1}}, 2);
    cr_expect(loss->noise == EBM_NOISE_PROPOSAL && loss->learns_log_z && loss->needs_proposal &&
              loss->noise_ratio == 1);
    ebm_loss_free(loss);
    ebm_loss_free(NULL);
    ebm_loss_free((ebm_loss *)&ebm_loss_cd); /* the library's own: left alone */
}

/* The first term that has a health figure, and the estimate of log Z. */
Test(loss_sum, health_and_log_z)
{
    const plain_energy *e = &energies[PRECISION];
    double *x = test_points(e, ROWS, 1);
    ebm_proposal *q = test_proposal(e);
    ebm_loss_options options = with(q);
    ebm_loss *loss =
        sum_of((ebm_loss_term[]){{&ebm_loss_score_matching, 1}, {&ebm_loss_denoising, 1}, {&ebm_loss_nce, 1}}, 3);
    ebm_model *model = e->make();
    ebm_objective *o = objective_at(model, loss, &options, e->theta, x, ROWS, SEED, STEP);
    ((double *)ebm_objective_theta(o))[1] = 0.8;
    value_of(o);
    cr_expect_eq(ebm_objective_health(o), options.noise_sd);
    cr_expect_eq(ebm_objective_log_z(o), 0.8);
    expect_consistent(o, 1e-8, "with c");
    ebm_objective_free(o);
    ebm_loss_free(loss);
    ebm_model_free(model);
    ebm_proposal_free(q);
    free(x);
}

/* ½λ²m₂ − λ + ½·2α mean E² with E = ½λx²: fitted through ebm_fit. */
Test(loss_sum, energy_penalty)
{
    const plain_energy *e = &energies[PRECISION];
    double *x = test_points(e, ROWS, 1), m2 = 0, m4 = 0, a = 0.3, t = e->theta[0];
    for (int r = 0; r < ROWS; r++) m2 += pow(x[r], 2) / ROWS, m4 += pow(x[r], 4) / ROWS;
    total alone = evaluate_loss(e->make, &ebm_loss_energy_penalty, NULL, e->theta, x, ROWS, 0, 0);
    expect_close(alone.value, 0.25 * t * t * m4, 1e-12, "penalty");
    expect_close(alone.gradient[0], 0.5 * t * m4, 1e-12, "its gradient");
    ebm_loss *loss = sum_of((ebm_loss_term[]){{&ebm_loss_score_matching, 1}, {&ebm_loss_energy_penalty, a}}, 2);
    ebm_data data = table(x, ROWS, 1);
    ebm_model *model = e->make();
    ebm_fit_options options = {0};
    options.loss = loss;
    options.lbfgs = 1;
    OK(ebm_fit(model, &data, &options, NULL, ERROR));
    expect_close(parameter_of(model, "precision"), 1 / (m2 + 0.5 * a * m4), 1e-6, "minimum");
    ebm_model_free(model);
    ebm_loss_free(loss);
    free(x);
}

/* With artificial points the penalty is on them as well, held constant. */
Test(loss_sum, energy_penalty_on_noise)
{
    const plain_energy *e = &energies[PRECISION];
    double *x = test_points(e, ROWS, 1), *y = malloc(2 * ROWS * sizeof *y), of_data = 0, of_noise = 0;
    ebm_proposal *q = test_proposal(e);
    ebm_loss_options options = with(q);
    OK(ebm_proposal_sample(q, 2 * ROWS, SEED, STEP, NULL, y, NULL, ERROR));
    for (int r = 0; r < ROWS; r++) of_data += pow(e->E(&x[r], e->theta), 2) / ROWS;
    for (int r = 0; r < 2 * ROWS; r++) of_noise += pow(e->E(&y[r], e->theta), 2) / (2 * ROWS);
    ebm_loss *loss = sum_of((ebm_loss_term[]){{&ebm_loss_ml_is, 0}, {&ebm_loss_energy_penalty, 1}}, 2);
    total t = evaluate_loss(e->make, loss, &options, e->theta, x, ROWS, SEED, STEP);
    expect_close(t.value, of_data + of_noise, 1e-12, "both");
    expect_close(t.gradient[0], 2 * (of_data + of_noise) / e->theta[0], 1e-12, "gradient");
    ebm_loss_free(loss);
    ebm_proposal_free(q);
    free(x), free(y);
}

/* Held-out rows are judged by what judges them for each term, contrastive divergence by score matching. */
Test(loss_sum, validation_is_a_sum_too)
{
    const plain_energy *e = &energies[QUARTIC];
    double *x = test_points(e, ROWS, 1);
    ebm_loss *plain = sum_of((ebm_loss_term[]){{&ebm_loss_sliced, 1}, {&ebm_loss_ksd_imq, 1}}, 2);
    ebm_loss *loss = sum_of((ebm_loss_term[]){{&ebm_loss_cd, 2}, {&ebm_loss_energy_penalty, 0.5}}, 2);
    cr_expect(!plain->validation, "a sum of objectives judges itself");
    total got = evaluate_loss(e->make, loss->validation, NULL, e->theta, x, ROWS, SEED, STEP);
    total score = evaluate_loss(e->make, &ebm_loss_score_matching, NULL, e->theta, x, ROWS, SEED, STEP);
    total penalty = evaluate_loss(e->make, &ebm_loss_energy_penalty, NULL, e->theta, x, ROWS, SEED, STEP);
    expect_close(got.value, 2 * score.value + 0.5 * penalty.value, 1e-12, "validation");
    ebm_loss_free(loss), ebm_loss_free(plain);
    free(x);
}

/* A conditional model, by conditional likelihood and contrastive divergence at once, keeps its best validation. */
Test(loss_sum, conditional_likelihood_with_contrastive_divergence)
{
    enum { N = 40 };
    const ebm_regression_spec spec = {.response = EBM_LINEAR, .given = 1, .outputs = 1, .dtype = GIBBS_FLOAT64};
    double *x = normals(2 * N, 0, 1, 4);
    ebm_data data = table(x, N, 2);
    ebm_model *model;
    ebm_fit_report report;
    OK(ebm_model_regression(&spec, &model, ERROR));
    ebm_loss *loss = sum_of((ebm_loss_term[]){{&ebm_loss_conditional_ml, 1}, {&ebm_loss_cd, 0.1}}, 2);
    ebm_fit_options options = {0};
    options.loss = loss;
    options.steps = 20;
    options.validation_fraction = 0.25;
    OK(ebm_fit(model, &data, &options, &report, ERROR));
    cr_expect(isfinite(report.best_validation) && report.steps == 20);
    ebm_fit_report_free(&report);
    ebm_model_free(model);
    ebm_loss_free(loss);
    free(x);
}

/* Checks of the terms are made. */
Test(loss_sum, terms_check_options_and_rows)
{
    double x[] = {0, 1, 0.5};
    ebm_model *model = energies[PRECISION].make();
    ebm_objective *o;
    ebm_loss *loss = sum_of((ebm_loss_term[]){{&ebm_loss_score_matching, 1}, {&ebm_loss_pseudo_likelihood, 1}}, 2);
    OK(ebm_objective_new(model, loss, NULL, &o, ERROR));
    FAILS(GIBBS_DATA, "row 3", ebm_objective_bind(o, x, 3, FAIL));
    ebm_objective_free(o);
    ebm_loss_free(loss);
    loss = sum_of((ebm_loss_term[]){{&ebm_loss_score_matching, 1}, {&ebm_loss_stein, 1}}, 2);
    FAILS(GIBBS_ARGUMENT, "options.field", ebm_objective_new(model, loss, NULL, &o, FAIL));
    ebm_loss_free(loss);
    ebm_model_free(model);
}

Test(loss_sum, refuses)
{
    static const ebm_loss hollow = {.name = "hollow"};
    const ebm_loss_term good[] = {{&ebm_loss_cd, 1}, {&ebm_loss_ml_is, 1}};
    ebm_loss *loss;
    FAILS(GIBBS_ARGUMENT, "NULL", ebm_loss_sum(NULL, 1, NULL, &loss, FAIL));
    FAILS(GIBBS_ARGUMENT, "NULL", ebm_loss_sum(good, 1, NULL, NULL, FAIL));
    FAILS(GIBBS_ARGUMENT, "0 terms", ebm_loss_sum(good, 0, NULL, &loss, FAIL));
    FAILS(GIBBS_ARGUMENT, "elsewhere", ebm_loss_sum(good, 2, NULL, &loss, FAIL));
    FAILS(GIBBS_ARGUMENT, "term 1 has no loss", ebm_loss_sum(&(ebm_loss_term){NULL, 1}, 1, NULL, &loss, FAIL));
    FAILS(GIBBS_ARGUMENT, "no loss", ebm_loss_sum(&(ebm_loss_term){&hollow, 1}, 1, NULL, &loss, FAIL));
    FAILS(GIBBS_ARGUMENT, "not finite", ebm_loss_sum(&(ebm_loss_term){&ebm_loss_cd, NAN}, 1, NULL, &loss, FAIL));
    cr_expect_null(loss);
}
