/* Sums, tempered models and mixtures of conditional models are conditional: the same columns are given, y takes the
 * labels that the parts list, and log Z(x) is their sum. */
#include "ebm/conditional_check.h"

enum { GIVEN = 2, LABELS = 3, ROWS = 20, EACH = GIVEN + 1 };
static const double labels[LABELS] = {-1, 0.5, 2}, others[LABELS] = {-1, 0.5, 3};
static const double beta[] = {0.7, -0.4};

/* E(x, y) = y w·x + ½y² + a y */
static ad_var energy(ad_var row, const ad_var *theta, void *context)
{
    (void)context;
    ad_var x = ad_slice(row, 0, 0, GIVEN), y = ad_reshape(ad_slice(row, 0, GIVEN, 1), ad_scalar());
    return ad_add(ad_mul(y, ad_add(ad_dot(theta[0], x), theta[1])), ad_scale(ad_square(y), 0.5));
}
static number formula(const number *x, const number *theta)
{
    return x[2] * (theta[0] * x[0] + theta[1] * x[1] + theta[2]) + x[2] * x[2] / 2;
}
static number sum_formula(const number *x, const number *theta, const void *context)
{
    (void)context;
    return beta[0] * formula(x, theta) + beta[1] * formula(x, theta + EACH);
}
static number tempered_formula(const number *x, const number *theta, const void *context)
{
    (void)context;
    return 0.5 * formula(x, theta);
}
static number mixture_formula(const number *x, const number *theta, const void *context)
{
    const number part[] = {-formula(x, theta + 1), theta[0] - formula(x, theta + 1 + EACH)};
    (void)context;
    return -plain_lse(part, 2);
}

static ad_var any_log_z(ad_var x, const ad_var *theta, void *context)
{
    return (void)context, ad_mul(theta[1], ad_sum(x));
}

/* What is given and how log Z(x) is known. */
typedef struct known {
    int64_t given;
    const double *labels;
    int64_t label_count;
    const ebm_energy *kind;
} known;

static const ebm_energy with_log_z = {.name = "linear", .record = energy, .conditional = {.log_z = any_log_z}};

static ebm_model *part_of(known is, double scale)
{
    const ebm_parameter parameters[] = {{"w", {1, {GIVEN}}, EBM_INIT_CONSTANT, scale},
                                        {"a", {0, {0}}, EBM_INIT_CONSTANT, -scale}};
    ebm_model_spec spec = {0};
    ebm_model *model;
    spec.dim = GIVEN + 1, spec.parameters = parameters, spec.parameter_count = 2;
    spec.energy = is.kind ? NULL : energy, spec.kind = is.kind, spec.given = is.given;
    spec.labels = is.labels, spec.label_count = is.label_count;
    OK(ebm_model_new(&spec, &model, ERROR));
    return model;
}

static const known listed = {.given = GIVEN, .labels = labels, .label_count = LABELS};
static const known recorded = {.given = GIVEN, .kind = &with_log_z};

static void expect_conditional(ebm_model *model, plain_formula f, const char *what)
{
    double rows[ROWS * (GIVEN + 1)];
    ebm_objective *o;
    label_rows(rows, ROWS, GIVEN, 1, labels, LABELS, 1);
    expect_conditional_loss(model, f, NULL, rows, ROWS, GIVEN, labels, LABELS, what);
    FAILS(GIBBS_ARGUMENT, "the model is conditional", ebm_objective_new(model, &ebm_loss_ksd_imq, NULL, &o, FAIL));
    ebm_model_free(model);
}

Test(compose_conditional, losses_of_y_given_x)
{
    ebm_model *parts[] = {part_of(listed, 0.3), part_of(listed, -0.8)}, *model, *again;
    OK(ebm_model_sum(parts, beta, 2, &model, ERROR));
    expect_conditional(model, sum_formula, "sum");
    OK(ebm_model_mixture(parts, 2, &model, ERROR));
    double data[] = {1, 1, -1}, pi[2];
    ebm_data table = {.rows = 1, .cols = 3, .x = data};
    FAILS(GIBBS_ARGUMENT, "conditional", ebm_model_mixture_weights(model, &table, 0, pi, NULL, FAIL));
    expect_conditional(model, mixture_formula, "mixture");
    OK(ebm_model_tempered(parts[0], 0.5, &model, ERROR));
    expect_conditional(model, tempered_formula, "tempered");
    OK(ebm_model_tempered(parts[0], 0.25, &again, ERROR)); /* of a composed model */
    OK(ebm_model_tempered(again, 2, &model, ERROR));
    expect_conditional(model, tempered_formula, "tempered twice");
    ebm_model_free(again);
    ebm_model_free(parts[0]);
    ebm_model_free(parts[1]);
}

/* A part's own log Z(x) is not that of the sum; labels of another part are. */
Test(compose_conditional, labels_come_from_any_part)
{
    ebm_model *parts[] = {part_of(recorded, 0.3), part_of(listed, -0.8)}, *model;
    ebm_objective *o;
    OK(ebm_model_sum(parts, beta, 2, &model, ERROR));
    expect_conditional(model, sum_formula, "sum");
    OK(ebm_model_tempered(parts[0], 0.5, &model, ERROR));
    cr_expect_eq(ebm_model_given(model), GIVEN);
    FAILS(GIBBS_ARGUMENT, "neither labels", ebm_objective_new(model, &ebm_loss_conditional_ml, NULL, &o, FAIL));
    ebm_model_free(model);
    ebm_model_free(parts[0]);
    ebm_model_free(parts[1]);
}

Test(compose_conditional, parts_must_agree)
{
    known fewer = listed, other = listed, narrow = {.given = 1};
    fewer.label_count--;
    other.labels = others;
    const struct {
        known first, second;
        const char *part;
    } cases[] = {
        {listed, {0}, "part 1 has 2 given columns, part 2 has 0"},
        {{0}, listed, "part 1 has 0 given columns, part 2 has 2"},
        {listed, narrow, "part 2 has 1"},
        {listed, other, "part 2 lists other labels"},
        {listed, fewer, "part 2 lists other labels"},
    };
    for (int k = 0; k < COUNT(cases); k++) {
        ebm_model *parts[] = {part_of(cases[k].first, 1), part_of(cases[k].second, 1)}, *model = parts[0];
        FAILS(GIBBS_ARGUMENT, cases[k].part, ebm_model_sum(parts, NULL, 2, &model, FAIL));
        cr_expect_null(model);
        FAILS(GIBBS_ARGUMENT, cases[k].part, ebm_model_mixture(parts, 2, &model, FAIL));
        ebm_model_free(parts[0]);
        ebm_model_free(parts[1]);
    }
}
