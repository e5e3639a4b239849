/* Conditional models: an energy of one's own with listed labels or a recorded log Z(x), bilinear embeddings, and what
 * is refused. */
#include "ebm/conditional_check.h"

enum { GIVEN = 2, LABELS = 5, ROWS = 40 };
static const double labels[LABELS] = {-1, 0, 0.5, 2, 3};

/* E(x, y) = ½(y − w·x)² + a y x₁ */
static ad_var energy(ad_var row, const ad_var *theta, void *context)
{
    (void)context;
    ad_var x = ad_slice(row, 0, 0, 2), y = ad_reshape(ad_slice(row, 0, 2, 1), ad_scalar());
    ad_var first = ad_reshape(ad_slice(row, 0, 0, 1), ad_scalar());
    ad_var off = ad_sub(y, ad_dot(theta[0], x));
    return ad_add(ad_scale(ad_square(off), 0.5), ad_mul(ad_mul(theta[1], y), first));
}
static number formula(const number *x, const number *theta, const void *context)
{
    (void)context;
    number d = x[2] - theta[0] * x[0] - theta[1] * x[1];
    return d * d / 2 + theta[2] * x[2] * x[0];
}
/* ∫ exp(−E) dy: with y − w·x normal, log Z = ½ log 2π − a x₁ w·x + ½(a x₁)². */
static ad_var gaussian_log_z(ad_var x, const ad_var *theta, void *context)
{
    (void)context;
    ad_var ax = ad_mul(theta[1], ad_reshape(ad_slice(x, 0, 0, 1), ad_scalar()));
    ad_var shift = ad_sub(ad_scale(ad_square(ax), 0.5), ad_mul(ax, ad_dot(theta[0], x)));
    return ad_shift(shift, 0.5 * log(2 * M_PI));
}

static const ebm_energy recorded = {.name = "recorded", .record = energy, .conditional = {.log_z = gaussian_log_z}};

static const ebm_parameter parameters[] = {{"w", {1, {GIVEN}}, EBM_INIT_CONSTANT, 0.3},
                                           {"a", {0, {0}}, EBM_INIT_CONSTANT, -0.4}};

static ebm_model_spec spec_of(ebm_energy_fn f, gibbs_dtype dtype)
{
    ebm_model_spec spec = {0};
    spec.dtype = dtype, spec.dim = GIVEN + 1, spec.energy = f;
    spec.parameters = parameters, spec.parameter_count = COUNT(parameters);
    return spec;
}

/* With labels, or none where there is one column given. */
static ebm_model *conditional(int64_t given, gibbs_dtype dtype)
{
    ebm_model *model;
    ebm_model_spec spec = spec_of(energy, dtype);
    spec.given = given;
    if (given == GIVEN) spec.labels = labels, spec.label_count = LABELS;
    OK(ebm_model_new(&spec, &model, ERROR));
    return model;
}

Test(conditional, labels_are_enumerated)
{
    double rows[ROWS * 3], x[CHECK_ROWS * 3];
    ebm_model *model = conditional(GIVEN, GIBBS_FLOAT64);
    label_rows(rows, ROWS, GIVEN, 1, labels, LABELS, 1);
    spread(x, COUNT(x), 2);
    spread_theta(model, 3);
    expect_energy(model, formula, NULL, x, "energy");
    expect_conditional_loss(model, formula, NULL, rows, ROWS, GIVEN, labels, LABELS, "loss");
    ebm_model_free(model);
}

/* ∫ p(y | x) dy = 1 when log Z(x) is the integral: the loss at y on a fine grid sums to one. And float32 agrees. */
Test(conditional, recorded_log_z)
{
    enum { N = 1201 };
    static double rows[N * 3];
    static float narrow[3];
    double total = 0, value, values[2];
    ebm_model *models[2];
    for (int k = 0; k < 2; k++) {
        ebm_model_spec spec = spec_of(NULL, k ? GIBBS_FLOAT32 : GIBBS_FLOAT64);
        spec.kind = &recorded, spec.given = GIVEN, spec.labels = labels, spec.label_count = LABELS;
        OK(ebm_model_new(&spec, &models[k], ERROR));
    }
    ebm_objective *o;
    for (int i = 0; i < N; i++) rows[3 * i] = 0.5, rows[3 * i + 1] = -1, rows[3 * i + 2] = 0.02 * (i - N / 2);
    OK(ebm_objective_new(models[0], &ebm_loss_conditional_ml, NULL, &o, ERROR));
    for (int i = 0; i < N; i++) {
        OK(ebm_objective_bind(o, rows + 3 * i, 1, ERROR));
        OK(ebm_objective_evaluate(o, &value, ERROR));
        total += 0.02 * exp(-value);
        if (i == N / 2 + 7) values[0] = value;
    }
    expect_close(total, 1, 1e-12, "∫ p(y | x) dy");
    ebm_objective_free(o);
    for (int i = 0; i < 3; i++) narrow[i] = (float)rows[3 * (N / 2 + 7) + i];
    OK(ebm_objective_new(models[1], &ebm_loss_conditional_ml, NULL, &o, ERROR));
    OK(ebm_objective_bind(o, narrow, 1, ERROR));
    OK(ebm_objective_evaluate(o, &values[1], ERROR));
    expect_close(values[1], values[0], 1e-6, "float32");
    ebm_objective_free(o);
    ebm_model_free(models[0]), ebm_model_free(models[1]);
}

/* ---- What the loss refuses ---- */

Test(conditional, needs_a_log_z)
{
    ebm_model *none = conditional(1, GIBBS_FLOAT64), *plain;
    ebm_objective *o;
    OK(ebm_model_gaussian(2, GIBBS_FLOAT64, NULL, &plain, ERROR));
    cr_expect(ebm_model_given(none) == 1 && ebm_model_given(plain) == 0 && ebm_model_given(NULL) == 0);
    FAILS(GIBBS_ARGUMENT, "neither labels", ebm_objective_new(none, &ebm_loss_conditional_ml, NULL, &o, FAIL));
    FAILS(GIBBS_ARGUMENT, "conditional-ml: the model is not conditional",
          ebm_objective_new(plain, &ebm_loss_conditional_ml, NULL, &o, FAIL));
    ebm_model_free(none), ebm_model_free(plain);
}

/* What compares whole rows, or integrates over them, is refused: alone and in a sum. */
Test(conditional, losses_of_whole_rows_are_refused)
{
    static const ebm_loss *const of_rows[] = {&ebm_loss_improved_cd, &ebm_loss_ksd_rbf, &ebm_loss_ksd_imq};
    static double rows[ROWS * 3];
    ebm_model *model = conditional(GIVEN, GIBBS_FLOAT64);
    label_rows(rows, ROWS, GIVEN, 1, labels, LABELS, 1);
    ebm_data data = {.rows = ROWS, .cols = 3, .x = rows};
    ebm_fit_options options = {0};
    ebm_uncertainty uncertainty;
    ebm_loss *sum;
    options.steps = 2;
    for (int k = 0; k < COUNT(of_rows); k++) {
        options.loss = of_rows[k];
        FAILS(GIBBS_ARGUMENT, "the model is conditional", ebm_fit(model, &data, &options, NULL, FAIL));
        FAILS(GIBBS_ARGUMENT, "the model is conditional",
              ebm_standard_errors(model, &data, &options, &uncertainty, FAIL));
        ebm_loss_term terms[] = {{of_rows[k], 1}, {&ebm_loss_energy_penalty, 0.1}};
        OK(ebm_loss_sum(terms, 2, NULL, &sum, ERROR));
        options.loss = sum;
        FAILS(GIBBS_ARGUMENT, "the model is conditional", ebm_fit(model, &data, &options, NULL, FAIL));
        ebm_loss_free(sum);
        terms[1].loss = &ebm_loss_conditional_ml;
        FAILS(GIBBS_ARGUMENT, "for different models", ebm_loss_sum(terms, 2, NULL, &sum, FAIL));
    }
    ebm_ksd ksd;
    ebm_quadrature z;
    ebm_proposal *q;
    ebm_importance importance;
    double value;
    FAILS(GIBBS_ARGUMENT, "the model is conditional", ebm_ksd_test(model, &data, NULL, &ksd, FAIL));
    FAILS(GIBBS_ARGUMENT, "the model is conditional", ebm_integrate(model, &(ebm_box){.low = {0}}, &z, FAIL));
    FAILS(GIBBS_ARGUMENT, "the model is conditional", ebm_enumerate(model, NULL, &value, NULL, FAIL));
    FAILS(GIBBS_ARGUMENT, "each x has its own log Z", ebm_mean_log_likelihood(model, &data, 0, &value, FAIL));
    OK(ebm_proposal_gaussian_fit(&data, 0, 1, NULL, &q, ERROR));
    FAILS(GIBBS_ARGUMENT, "the model is conditional",
          ebm_importance_sample(model, q, 10, 1, NULL, NULL, &importance, FAIL));
    ebm_ais_options ais = {0};
    ebm_ais walk;
    ais.base = q;
    FAILS(GIBBS_ARGUMENT, "the model is conditional", ebm_ais_forward(model, &ais, 10, NULL, NULL, &walk, FAIL));
    ebm_proposal_free(q);
    ebm_model_free(model);
}

Test(conditional, labels_need_an_axis)
{
    ebm_model *model = conditional(GIVEN, GIBBS_FLOAT64);
    ad_tape *tape = ad_tape_new(GIBBS_FLOAT64, NULL);
    ad_var theta[] = {ad_parameter(tape, "w", ad_vec(2)), ad_parameter(tape, "a", ad_scalar())};
    ad_var null = {tape, -1};
    cr_expect(ad_is_null(ebm_conditional_log_z(model, null, theta)) && !ad_tape_status(tape));
    cr_expect(ad_is_null(ebm_conditional_log_likelihood(model, null, theta)) && !ad_tape_status(tape));
    cr_expect(ad_is_null(ebm_conditional_log_z(model, ad_parameter(tape, "x", ad_vec(2)), theta)));
    cr_expect_eq(ad_tape_status(tape), GIBBS_AXIS);
    cr_expect(strstr(ad_tape_message(tape), "x is shared"));
    ad_tape_free(tape);
    ebm_model_free(model);
}

static ad_var null_log_z(ad_var x, const ad_var *theta, void *context)
{
    (void)theta, (void)context;
    return (ad_var){x.tape, -1};
}
static ad_var vector_log_z(ad_var x, const ad_var *theta, void *context)
{
    (void)theta, (void)context;
    return x;
}
static ad_var bad_log_z(ad_var x, const ad_var *theta, void *context)
{
    (void)context;
    return ad_matmul(x, theta[1]);
}

Test(conditional, refuses)
{
    static const double nan_label[] = {0, NAN};
    const ebm_energy null = {"null", energy, .conditional = {.log_z = null_log_z}};
    const ebm_energy vector = {"vector", energy, .conditional = {.log_z = vector_log_z}};
    const ebm_energy bad = {"bad", energy, .conditional = {.log_z = bad_log_z}};
    const ebm_energy long_mean = {"mean", energy, .conditional = {.mean = vector_log_z}};
    const struct {
        ebm_energy_fn energy;
        const ebm_energy *kind;
        int64_t given;
        const double *labels;
        int64_t label_count;
        gibbs_status status;
        const char *sentence;
    } cases[] = {
        {energy, NULL, 0, labels, LABELS, GIBBS_ARGUMENT, "0 of 3 columns"},
        {energy, NULL, 3, NULL, 0, GIBBS_ARGUMENT, "3 of 3 columns"},
        {energy, NULL, -1, NULL, 0, GIBBS_ARGUMENT, "-1 of 3"},
        {energy, NULL, 2, labels, 0, GIBBS_ARGUMENT, "0 labels"},
        {energy, NULL, 2, labels, INT64_MAX, GIBBS_SIZE, "too many"},
        {energy, NULL, 2, nan_label, 2, GIBBS_DATA, "row 2"},
        {NULL, &null, 2, NULL, 0, GIBBS_SHAPE, "no scalar"},
        {NULL, &vector, 2, NULL, 0, GIBBS_SHAPE, "no scalar"},
        {NULL, &bad, 2, NULL, 0, GIBBS_SHAPE, "matmul"},
        {NULL, &long_mean, 2, NULL, 0, GIBBS_SHAPE, "the mean of y is no vector of the 1 modelled"},
        {NULL, NULL, 2, NULL, 0, GIBBS_ARGUMENT, "no energy"},
        {energy, &recorded, 2, NULL, 0, GIBBS_ARGUMENT, "two energies"},
    };
    for (int k = 0; k < COUNT(cases); k++) {
        ebm_model_spec spec = spec_of(cases[k].energy, GIBBS_FLOAT64);
        ebm_model *model = (ebm_model *)&model;
        spec.kind = cases[k].kind, spec.given = cases[k].given;
        spec.labels = cases[k].labels, spec.label_count = cases[k].label_count;
        FAILS(cases[k].status, cases[k].sentence, ebm_model_new(&spec, &model, FAIL));
        cr_expect_null(model);
    }
    ebm_model_spec lost = spec_of(energy, GIBBS_FLOAT64);
    ebm_model *model;
    lost.given = 2, lost.parameters = NULL;
    FAILS(GIBBS_ARGUMENT, "no list", ebm_model_new(&lost, &model, FAIL));
}

/* ---- Bilinear embeddings ---- */

enum { X = 3, Y = 2, WIDTH = 2 };

static number bilinear(const number *row, const number *theta, const void *context)
{
    (void)context;
    number E = 0;
    for (int k = 0; k < WIDTH; k++) {
        number psi = 0, phi = 0;
        for (int i = 0; i < X; i++) psi += row[i] * theta[i * WIDTH + k];
        for (int j = 0; j < Y; j++) phi += row[X + j] * theta[X * WIDTH + j * WIDTH + k];
        E -= psi * phi;
    }
    return E;
}

/* Ψ(x) = tanh(x C), φ(y) = sin y, without projections. */
static ad_var tower(ad_var x, const ad_var *theta, void *context)
{
    (void)context;
    return ad_tanh(ad_matmul(x, theta[0]));
}
static ad_var sines(ad_var y, const ad_var *theta, void *context)
{
    (void)theta, (void)context;
    return ad_sin(y);
}
static number towers(const number *row, const number *theta, const void *context)
{
    (void)context;
    number E = 0;
    for (int k = 0; k < WIDTH; k++) {
        number psi = 0;
        for (int i = 0; i < X; i++) psi += row[i] * theta[i * WIDTH + k];
        E -= ctanh(psi) * csin(row[X + k]);
    }
    return E;
}

Test(bilinear, is_the_formula_and_its_softmax)
{
    static const ebm_parameter C = {"C", {2, {X, WIDTH}}, EBM_INIT_GLOROT, 1};
    double x[CHECK_ROWS * (X + Y)], candidates[7 * Y], rows[ROWS * (X + Y)];
    spread(x, COUNT(x), 1), spread(candidates, COUNT(candidates), 2);
    label_rows(rows, ROWS, X, Y, candidates, 7, 3);
    const ebm_bilinear_spec specs[] = {
        {.given = X, .modelled = Y, .width = WIDTH, .labels = candidates, .label_count = 7, .dtype = GIBBS_FLOAT64},
        {.given = X, .modelled = Y, .labels = candidates, .label_count = 7, .dtype = GIBBS_FLOAT64,
         .x = {tower, WIDTH, &C, 1, NULL}, .y = {.record = sines, .size = Y}},
    };
    const plain_formula f[] = {bilinear, towers};
    static const char *const names[] = {"U", "x.C"};
    for (int k = 0; k < 2; k++) {
        ebm_model *model;
        OK(ebm_model_bilinear(&specs[k], &model, ERROR));
        cr_expect_str_eq(ebm_model_parameter_name(model, 0), names[k]);
        spread_theta(model, 4);
        expect_energy(model, f[k], NULL, x, "bilinear");
        expect_conditional_loss(model, f[k], NULL, rows, ROWS, X, candidates, 7, "bilinear loss");
        ebm_model_free(model);
    }
}

Test(bilinear, refuses)
{
    static const double label[] = {0, 0};
    static const struct {
        ebm_bilinear_spec spec;
        gibbs_status status;
        const char *sentence;
    } cases[] = {
        {{.modelled = 1, .width = 1}, GIBBS_ARGUMENT, "0 given"},
        {{.given = 1, .width = 1}, GIBBS_ARGUMENT, "0 modelled"},
        {{.given = 1, .modelled = 1, .width = -1}, GIBBS_ARGUMENT, "-1 dimensions"},
        {{.given = 1, .modelled = 2}, GIBBS_SHAPE, "1 and 2"},
        {{.given = 2, .modelled = 2, .labels = label}, GIBBS_ARGUMENT, "0 labels"},
        {{.given = 2, .modelled = 2, .labels = label, .label_count = INT64_MAX}, GIBBS_SIZE, "too many"},
        {{.given = 2, .modelled = 2, .x = {.size = 3}}, GIBBS_ARGUMENT, "identity of 2"},
    };
    for (int k = 0; k < COUNT(cases); k++) {
        ebm_model *model = (ebm_model *)&model;
        FAILS(cases[k].status, cases[k].sentence, ebm_model_bilinear(&cases[k].spec, &model, FAIL));
        cr_expect_null(model);
    }
}
