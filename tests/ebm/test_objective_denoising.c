/* Denoising score matching against plain C with the same noise: both scales, several copies, a free score network. */
#include "loss_helpers.h"

enum { ROWS = 150, SEED = 5, STEP = 3 };
static const double sd = 0.3;

static ebm_loss_options with(int copies)
{
    ebm_loss_options options = {0};
    options.noise_sd = sd;
    options.copies = copies;
    return options;
}

static total line(int which, const double *theta, int size, const double *x, int copies)
{
    total t = {0};
    int64_t n = ROWS * copies;
    double *noise = graph_random(0, n, 1, EBM_STREAM_LOSS_NORMAL, SEED, STEP);
    for (int64_t r = 0; r < n; r++) {
        slopes s = slopes_at(which, x[r / copies] + sd * noise[r], theta);
        double off = noise[r] / sd - s.first;
        t.value += 0.5 * off * off / (double)n;
        for (int k = 0; k < size; k++) t.gradient[k] -= off * s.dfirst[k] / (double)n;
    }
    free(noise);
    return t;
}

Test(denoising, energies_on_the_line)
{
    for (int which = SCALE; which <= QUARTIC; which++)
        for (int copies = 1; copies <= 4; copies += 3) {
            const plain_energy *e = &energies[which];
            double *x = test_points(e, ROWS, 1), factor = 2 * pow(sd, 4);
            ebm_loss_options options = with(copies);
            total t = line(which, e->theta, e->size, x, copies);
            ebm_model *model = e->make();
            ebm_objective *o = objective_at(model, &ebm_loss_denoising, &options, e->theta, x, ROWS, SEED, STEP);
            expect_total(o, &t, 1e-11, e->name);
            cr_expect_eq(ebm_objective_health(o), sd, "σ is reported");
            ebm_objective_free(o);
            t.value *= factor;
            for (int k = 0; k < e->size; k++) t.gradient[k] *= factor;
            o = objective_at(model, &ebm_loss_denoising_autoencoder, &options, e->theta, x, ROWS, SEED, STEP);
            expect_total(o, &t, 1e-11, "autoencoder");
            ebm_objective_free(o);
            ebm_model_free(model);
            free(x);
        }
}

/* The autoencoder form is what S4 eq 13 says: ‖x − [x̃ + σ²φ(x̃)]‖², here in two dimensions. */
Test(denoising, autoencoder_reconstructs)
{
    const plain_energy *e = &energies[GAUSSIAN2];
    double *x = test_points(e, ROWS, 1), *noise = graph_random(0, ROWS, 2, EBM_STREAM_LOSS_NORMAL, SEED, STEP), sum = 0;
    for (int r = 0; r < ROWS; r++) {
        double noisy[2], slope[2];
        for (int i = 0; i < 2; i++) noisy[i] = x[2 * r + i] + sd * noise[2 * r + i];
        gaussian2_dx(noisy, e->theta, slope);
        for (int i = 0; i < 2; i++) sum += pow(x[2 * r + i] - (noisy[i] - sd * sd * slope[i]), 2) / ROWS;
    }
    ebm_loss_options options = with(1);
    ebm_model *model = e->make();
    ebm_objective *o = objective_at(model, &ebm_loss_denoising_autoencoder, &options, e->theta, x, ROWS, SEED, STEP);
    expect_close(value_of(o), sum, 1e-12, "reconstruction error");
    expect_consistent(o, 1e-8, "two dimensions");
    ebm_objective_free(o);
    ebm_model_free(model);
    free(x), free(noise);
}

/* The noise is new at each step, and the same again for the same seed and step. */
Test(denoising, noise_is_a_function_of_seed_and_step)
{
    const plain_energy *e = &energies[QUARTIC];
    double *x = test_points(e, ROWS, 1), value[4];
    static const uint64_t seed[] = {5, 5, 5, 6}, step[] = {3, 4, 3, 3};
    for (int k = 0; k < 4; k++)
        value[k] = evaluate_loss(e->make, &ebm_loss_denoising, NULL, e->theta, x, ROWS, seed[k], step[k]).value;
    cr_expect(value[0] == value[2] && value[0] != value[1] && value[0] != value[3]);
    free(x);
}

/* ---- Score networks ---- */

/* s(x) = −λx, as a field: the same numbers as from the energy. */
static ad_var linear(ad_var x, const ad_var *theta, void *context)
{
    (void)context;
    return ad_neg(ad_mul(theta[0], x));
}

Test(denoising, a_free_score_takes_the_place_of_the_gradient)
{
    const plain_energy *e = &energies[PRECISION];
    double *x = test_points(e, ROWS, 1);
    ebm_loss_options options = with(2);
    total energy = evaluate_loss(e->make, &ebm_loss_denoising, &options, e->theta, x, ROWS, SEED, STEP);
    options.field = linear;
    total field = evaluate_loss(e->make, &ebm_loss_denoising, &options, e->theta, x, ROWS, SEED, STEP);
    expect_close(field.value, energy.value, 1e-14, "value");
    expect_close(field.gradient[0], energy.gradient[0], 1e-13, "gradient");
    free(x);
}

/* The expected minimum on data of variance m₂ is 1/(m₂ + σ²), not 1/m₂: with 400 copies of each row. */
Test(denoising, learns_the_noisy_density)
{
    enum { MANY = 1000 };
    double *x = normals(MANY, 0, 1, 6), m2 = 0;
    for (int r = 0; r < MANY; r++) m2 += x[r] * x[r] / MANY;
    ebm_data data = table(x, MANY, 1);
    ebm_model *model = energies[PRECISION].make();
    ebm_fit_options options = {0};
    ebm_fit_report report;
    options.loss = &ebm_loss_denoising;
    options.loss_options.noise_sd = 0.7;
    options.loss_options.copies = 400;
    options.lbfgs = 1;
    OK(ebm_fit(model, &data, &options, &report, ERROR));
    double lambda = parameter_of(model, "precision");
    expect_close(lambda, 1 / (m2 + 0.49), 0.01, "precision");
    cr_expect(fabs(lambda - 1 / m2) > 0.2 && report.health == 0.7 && report.converged);
    ebm_fit_report_free(&report);
    ebm_model_free(model);
    free(x);
}

Test(denoising, float32)
{
    float x[ROWS];
    double *wide = test_points(&energies[PRECISION], ROWS, 1), value, expected;
    for (int r = 0; r < ROWS; r++) wide[r] = x[r] = (float)wide[r];
    const ebm_parameter p = {"precision", {0, {0}}, EBM_INIT_CONSTANT, 0.75};
    ebm_loss_options options = with(3);
    ebm_model *model = model_of(1, &p, 1, precision_graph, GIBBS_FLOAT32);
    ebm_objective *o;
    OK(ebm_objective_new(model, &ebm_loss_denoising, &options, &o, ERROR));
    OK(ebm_objective_bind(o, x, ROWS, ERROR));
    OK(ebm_objective_refresh(o, SEED, STEP, ERROR));
    OK(ebm_objective_evaluate(o, &value, ERROR));
    /* other random bits than float64's: the expectation, within 5 standard errors */
    expected = 0;
    for (int r = 0; r < ROWS; r++) expected += 0.5 * 0.75 * 0.75 * wide[r] * wide[r] / ROWS;
    expected += 0.5 * pow(1 / sd - 0.75 * sd, 2);
    cr_expect(fabs(value - expected) < 5 * 0.8 / (sd * sd) / sqrt(3 * ROWS), "%g, expected %g", value, expected);
    ebm_objective_free(o);
    ebm_model_free(model);
    free(wide);
}

/* ---- Errors ---- */

static ad_var scalar(ad_var x, const ad_var *theta, void *context) { return (void)theta, (void)context, ad_sum(x); }

Test(denoising, refuses)
{
    ebm_model *model = energies[GAUSSIAN2].make();
    ebm_objective *o;
    const double wrong[] = {-1, NAN, INFINITY};
    for (int k = 0; k < COUNT(wrong); k++) {
        ebm_loss_options options = with(1);
        options.noise_sd = wrong[k];
        FAILS(GIBBS_ARGUMENT, "noise_sd is", ebm_objective_new(model, &ebm_loss_denoising, &options, &o, FAIL));
    }
    ebm_loss_options options = with(-1);
    FAILS(GIBBS_ARGUMENT, "copies is -1", ebm_objective_new(model, &ebm_loss_denoising, &options, &o, FAIL));
    options = with(1);
    options.field = scalar;
    FAILS(GIBBS_SHAPE, "field", ebm_objective_new(model, &ebm_loss_denoising, &options, &o, FAIL));
    ebm_model_free(model);
}
