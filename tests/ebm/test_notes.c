/* What a fit says it found: each note where it must come, and where it must not. */
#include "ebm/objective_helpers.h"

enum { ROWS = 400 };

static bool has(const ebm_fit_report *r, ebm_note_code code)
{
    for (int k = 0; k < r->note_count; k++)
        if (r->note[k].code == code) return true;
    return false;
}

static void expect_note(const ebm_fit_report *r, ebm_note_code code, bool wanted, const char *what)
{
    cr_expect_eq(has(r, code), wanted, "%s: «%s» %s", what, ebm_note_name(code), wanted ? "is missing" : "is there");
    for (int k = 0; k < r->note_count; k++) {
        size_t length = strlen(r->note[k].text);
        cr_expect(length > 20 && length < sizeof r->note[k].text - 1, "%s: «%s»", what, r->note[k].text);
    }
}

static ebm_fit_report fit(ebm_model *model, double *x, int64_t rows, ebm_fit_options o)
{
    ebm_data data = table(x, rows, ebm_model_dim(model));
    ebm_fit_report report;
    OK(ebm_fit(model, &data, &o, &report, ERROR));
    ebm_fit_report_free(&report);
    return report;
}

/* The fit of a new model of one parameter, which goes away. */
static ebm_fit_report fit_new(ebm_energy_fn energy, int64_t dim, double start, double *x, int64_t rows,
                              ebm_fit_options o)
{
    ebm_parameter p = {"t", ad_scalar(), EBM_INIT_CONSTANT, start};
    ebm_model *model = model_of(dim, &p, 1, energy, GIBBS_FLOAT64);
    ebm_fit_report report = fit(model, x, rows, o);
    ebm_model_free(model);
    return report;
}

static ad_var half_square(ad_var x, const ad_var *theta, void *context)
{
    (void)context;
    return ad_mul(theta[0], ad_scale(ad_sum(ad_square(x)), 0.5));
}

static ad_var location_graph(ad_var x, const ad_var *theta, void *context)
{
    (void)context;
    return ad_sum(ad_logcosh(ad_sub(x, theta[0])));
}
static ad_var cosine_graph(ad_var x, const ad_var *theta, void *context)
{
    (void)context;
    return ad_neg(ad_mul(theta[0], ad_sum(ad_cos(x))));
}

/* ---- The minimum ---- */

Test(notes, none_of_a_fit_that_is_good)
{
    static const ebm_loss *const losses[] = {&ebm_loss_score_matching, &ebm_loss_ml_is, &ebm_loss_nce, &ebm_loss_cd,
                                             &ebm_loss_sliced, &ebm_loss_denoising, &ebm_loss_ksd_imq};
    for (int64_t dim = 1; dim <= 5; dim += 2)
        for (int k = 0; k < (dim == 1 ? 7 : 3); k++) {
            double *x = normals(ROWS * dim, 0, 1, 3);
            ebm_fit_options o = {.loss = losses[k], .rate = 0.02, .steps = 300, .loss_options.noise_sd = 0.5};
            ebm_fit_report r = fit_new(half_square, dim, 0.8, x, ROWS, o);
            cr_expect(!r.note_count, "%s, dim %d: «%s»", losses[k]->name, (int)dim, r.note[0].text);
            free(x);
        }
    for (int code = 1; code < EBM_NOTE_CODES; code++) cr_expect(strlen(ebm_note_name(code)) > 5);
    cr_expect(!strcmp(ebm_note_name(0), "?") && !strcmp(ebm_note_name(EBM_NOTE_CODES), "?"));
}

/* Adam ends within the standard error, or says that it has not. */
Test(notes, not_converged)
{
    double *x = normals(ROWS, 0, 0.01, 3), *plain = normals(ROWS, 0, 1, 3);
    ebm_fit_options o = {.loss = &ebm_loss_score_matching, .optimizer = &ebm_adam, .steps = 300, .rate = 0.02};
    ebm_fit_report r = fit_new(half_square, 1, 1, x, ROWS, o); /* 1/m₂ is 10⁴ */
    expect_note(&r, EBM_NOTE_NOT_CONVERGED, true, "from afar");
    cr_expect(!r.converged && r.newton > 1, "%g", r.newton);
    r = fit_new(half_square, 1, 1, plain, ROWS, o);
    expect_note(&r, EBM_NOTE_NOT_CONVERGED, false, "near");
    cr_expect(r.newton < 1, "%g", r.newton);
    o = (ebm_fit_options){.loss = &ebm_loss_score_matching, .steps = 1};
    r = fit_new(location_graph, 1, 1, plain, ROWS, o);
    expect_note(&r, EBM_NOTE_NOT_CONVERGED, true, "one step");
    free(x);
    free(plain);
}

static ad_var fields_graph(ad_var x, const ad_var *theta, void *context)
{
    (void)context;
    return ad_neg(ad_sum(ad_mul(theta[0], x)));
}

Test(notes, runaway)
{
    double x[3 * 60];
    for (int constant = 0; constant < 2; constant++) {
        ebm_parameter p = {"field", ad_vec(3), EBM_INIT_CONSTANT, 0};
        ebm_model *model = model_of(3, &p, 1, fields_graph, GIBBS_FLOAT64);
        for (int i = 0; i < 180; i++) x[i] = (constant && i % 3 == 1) || i * 7 % 5 < 2;
        ebm_fit_report r = fit(model, x, 60, (ebm_fit_options){.loss = &ebm_loss_pseudo_likelihood});
        expect_note(&r, EBM_NOTE_RUNAWAY, constant, "a column");
        expect_note(&r, EBM_NOTE_NOT_CONVERGED, constant, "a column");
        if (constant) cr_expect(r.runaway == 1 && strstr(r.note[1].text, "field[1]"), "%s", r.note[1].text);
        ebm_model_free(model);
    }
}

static ad_var twice_graph(ad_var x, const ad_var *theta, void *context)
{
    (void)context;
    return ad_mul(ad_sum(theta[0]), ad_scale(ad_sum(ad_square(x)), 0.5));
}

Test(notes, not_identified)
{
    double *x = normals(ROWS, 0, 1, 3);
    for (int64_t elements = 1; elements <= 2; elements++) {
        ebm_parameter p = {"t", ad_vec(elements), EBM_INIT_CONSTANT, 0.3};
        ebm_model *model = model_of(1, &p, 1, twice_graph, GIBBS_FLOAT64);
        ebm_fit_report r = fit(model, x, ROWS, (ebm_fit_options){.loss = &ebm_loss_score_matching});
        expect_note(&r, EBM_NOTE_NOT_IDENTIFIED, elements == 2, "a sum of two");
        expect_note(&r, EBM_NOTE_NOT_CONVERGED, false, "a sum of two");
        cr_expect(r.identified == 1 && r.converged);
        ebm_model_free(model);
    }
    free(x);
}

/* ---- The density ---- */

/* ½|x|² + tx₀⁴: fitted to tails of a Laplace density t is below 0. */
static ad_var quartic_term(ad_var x, const ad_var *theta, void *context)
{
    (void)context;
    return ad_add(ad_scale(ad_sum(ad_square(x)), 0.5), ad_mul(theta[0], ad_square(ad_square(ad_at(x, 0)))));
}

/* (t + 1.5) Σ log(1 + xᵢ²) is a density though E rises slowly. */
static ad_var slow_graph(ad_var x, const ad_var *theta, void *context)
{
    (void)context;
    return ad_add(ad_mul(ad_shift(theta[0], 1.5), ad_sum(ad_log1p(ad_square(x)))), ad_square(theta[0]));
}

/* The softplus of one column falls to the right and is flat in the others. */
static ad_var improper_graph(ad_var x, const ad_var *theta, void *context)
{
    (void)context;
    return ad_mul(ad_exp(theta[0]), ad_softplus(ad_neg(ad_at(x, 0))));
}

Test(notes, not_normalisable)
{
    for (int64_t dim = 1; dim <= 6; dim += dim == 3 ? 3 : 1) {
        double *x = normals(ROWS * dim, 0, 1, 3);
        for (int64_t i = 0; i < ROWS; i++) x[i * dim] *= i % 10 ? 0.7 : 3; /* heavy tails */
        ebm_fit_options o = {.loss = &ebm_loss_score_matching, .steps = 60};
        ebm_fit_report r = fit_new(quartic_term, dim, 0.1, x, ROWS, o);
        expect_note(&r, EBM_NOTE_NOT_NORMALISABLE, true, "a quartic that falls");
        r = fit_new(half_square, dim, 1, x, ROWS, o);
        expect_note(&r, EBM_NOTE_NOT_NORMALISABLE, false, "a Gaussian");
        o.loss = &ebm_loss_nce, o.rate = 1e-9, o.steps = 2;
        r = fit_new(improper_graph, dim, 0, x, ROWS, o);
        expect_note(&r, EBM_NOTE_NOT_NORMALISABLE, true, "softplus");
        r = fit_new(slow_graph, dim, 0, x, ROWS, o);
        expect_note(&r, EBM_NOTE_NOT_NORMALISABLE, false, "Cauchy's tails");
        free(x);
    }
}

/* Of labels there is no integral, nor of a box that is all there is, nor of y given x. */
Test(notes, no_integral_is_asked_for)
{
    double x[ROWS], *angles = normals(ROWS, 0, 0.5, 4);
    ebm_box box = {{-M_PI}, {M_PI}, 200, 1};
    ebm_points points;
    for (int i = 0; i < ROWS; i++) x[i] = i * 7 % 5 < 2;
    OK(ebm_points_box(1, &box, NULL, &points, ERROR));
    ebm_fit_report r = fit_new(fields_graph, 1, 0, x, ROWS, (ebm_fit_options){.loss = &ebm_loss_pseudo_likelihood});
    expect_note(&r, EBM_NOTE_NOT_NORMALISABLE, false, "labels");
    ebm_fit_options o = {.loss = &ebm_loss_exact_ml, .loss_options.points = &points};
    r = fit_new(cosine_graph, 1, 1, angles, ROWS, o);
    expect_note(&r, EBM_NOTE_NOT_NORMALISABLE, false, "angles");
    o = (ebm_fit_options){.loss = &ebm_loss_score_matching};
    r = fit_new(cosine_graph, 1, 1, angles, ROWS, o);
    expect_note(&r, EBM_NOTE_NOT_NORMALISABLE, true, "a cosine on the line");
    ebm_points_free(&points);
    free(angles);
}

/* ---- The rows ---- */

Test(notes, outside_the_support)
{
    double x[ROWS], low = -1, high = 1;
    ebm_proposal *box;
    OK(ebm_proposal_uniform(1, &low, &high, NULL, &box, ERROR));
    for (int out = 0; out < 2; out++) {
        for (int i = 0; i < ROWS; i++) x[i] = 0.9 * sin(1.7 * i);
        x[7] = out ? 1.3 : 0;
        ebm_fit_options o = {.loss = &ebm_loss_ml_is, .steps = 2, .loss_options.proposal = box};
        ebm_fit_report r = fit_new(half_square, 1, 1, x, ROWS, o);
        expect_note(&r, EBM_NOTE_OUTSIDE_THE_SUPPORT, out, "a box of draws");
        for (int i = 0; i < ROWS; i++) x[i] = 0.5 + 0.5 * x[i];
        o = (ebm_fit_options){.loss = &ebm_loss_weighted_score_matching, .loss_options.weight = ebm_weight_unit_box};
        r = fit_new(half_square, 1, 1, x, ROWS, o);
        expect_note(&r, EBM_NOTE_OUTSIDE_THE_SUPPORT, out, "the unit box");
        if (out) cr_expect(strstr(r.note[r.note_count - 1].text, "row 8"), "%s", r.note[r.note_count - 1].text);
        for (int i = 0; i < ROWS; i++) x[i] = out && i == 7 ? -1 : x[i];
        o.loss_options.weight = NULL;
        r = fit_new(half_square, 1, 1, x, ROWS, o);
        expect_note(&r, EBM_NOTE_OUTSIDE_THE_SUPPORT, out, "the half line");
    }
    ebm_proposal_free(box);
}

Test(notes, ties)
{
    double *x = normals(2 * ROWS, 0, 1, 3);
    ebm_fit_options o = {.loss = &ebm_loss_score_matching};
    ebm_fit_report r = fit_new(half_square, 2, 1, x, ROWS, o);
    expect_note(&r, EBM_NOTE_TIES, false, "as drawn");
    x[2] = x[0]; /* one tie is none */
    r = fit_new(half_square, 2, 1, x, ROWS, o);
    expect_note(&r, EBM_NOTE_TIES, false, "one tie");
    for (int i = 0; i < ROWS; i++) x[2 * i + 1] = rint(10 * x[2 * i + 1]) / 10;
    r = fit_new(half_square, 2, 1, x, ROWS, o);
    expect_note(&r, EBM_NOTE_TIES, true, "tenths");
    cr_expect(strstr(r.note[r.note_count - 1].text, "column 2"), "%s", r.note[r.note_count - 1].text);
    o.loss = &ebm_loss_ml_is;
    r = fit_new(half_square, 2, 1, x, ROWS, o);
    expect_note(&r, EBM_NOTE_TIES, false, "by likelihood");
    free(x);
}

/* x²/2θ² and q = N(2, 2²): the tail of the weights has the index 1 − 4/θ². */
static ad_var over_scale_graph(ad_var x, const ad_var *theta, void *context)
{
    (void)context;
    return ad_sum(ad_scale(ad_square(ad_div(x, theta[0])), 0.5));
}

Test(notes, weights_without_variance)
{
    static const double scale[] = {1, 2, 3, 6};
    double mean = 2, sd = 2;
    ebm_proposal *q;
    OK(ebm_proposal_gaussian_diagonal(1, &mean, &sd, NULL, &q, ERROR));
    for (int k = 0; k < 4; k++)
        for (uint64_t seed = 0; seed < 8; seed++) {
            double *x = normals(1000, 0, scale[k], 30 + seed);
            ebm_fit_options o = {.loss = &ebm_loss_ml_is, .seed = seed, .loss_options.proposal = q,
                                 .loss_options.noise_ratio = 10, .loss_options.redraw = EBM_REDRAW_NEVER};
            ebm_fit_report r = fit_new(over_scale_graph, 1, scale[k], x, 1000, o);
            expect_note(&r, EBM_NOTE_WEIGHTS, scale[k] > 2, "a scale");
            free(x);
        }
    ebm_proposal_free(q);
}

/* ---- The course ---- */

Test(notes, stuck_chains)
{
    double *x = normals(ROWS, 0, 1, 3);
    for (int stuck = 0; stuck < 2; stuck++) {
        ebm_fit_options o = {.loss = &ebm_loss_cd, .steps = 3, .loss_options.sampler_step = stuck ? 1e6 : 0.5};
        ebm_fit_report r = fit_new(half_square, 1, 1, x, ROWS, o);
        expect_note(&r, EBM_NOTE_STUCK_CHAINS, stuck, "CD");
    }
    free(x);
}

/* A network that is too large for a few rows; and a parameter that cannot be fitted too well. */
Test(notes, validation_and_training)
{
    double *x = normals(2 * 40, 0, 1, 3);
    const int64_t widths[] = {32, 32};
    const ebm_mlp_spec spec = {.dim = 2, .widths = widths, .layers = 2, .base_sd = 2, .seed = 1};
    ebm_model *model;
    OK(ebm_model_mlp(&spec, &model, ERROR));
    ebm_fit_options o = {.loss = &ebm_loss_score_matching, .validation_fraction = 0.4, .rate = 0.01, .steps = 200};
    ebm_fit_report r = fit(model, x, 40, o);
    expect_note(&r, EBM_NOTE_VALIDATION, true, "a network");
    ebm_model_free(model);
    r = fit_new(half_square, 2, 0.5, x, 40, o);
    expect_note(&r, EBM_NOTE_VALIDATION, false, "one parameter");
    free(x);
}

/* Data at the bottom of wells that deepen for ever, and unadjusted chains that are thrown out of them. */
static ad_var deepening_wells(ad_var x, const ad_var *theta, void *context)
{
    (void)context;
    return ad_neg(ad_mul(ad_exp(theta[0]), ad_sum(ad_cos(ad_scale(x, 2 * M_PI)))));
}

Test(notes, the_energy_gap)
{
    double *x = normals(ROWS, 0, 1, 3), y[ROWS];
    ebm_fit_options o = {.loss = &ebm_loss_cd, .steps = 200, .rate = 0.05, .loss_options.sampler = &ebm_ula,
                         .loss_options.sampler_step = 0.5};
    for (int i = 0; i < ROWS; i++) y[i] = i % 3;
    ebm_fit_report r = fit_new(deepening_wells, 1, 0, y, ROWS, o);
    expect_note(&r, EBM_NOTE_ENERGY_GAP, true, "chains that are thrown out");
    r = fit_new(half_square, 1, 1, x, ROWS, o);
    expect_note(&r, EBM_NOTE_ENERGY_GAP, false, "chains that follow");
    free(x);
}
