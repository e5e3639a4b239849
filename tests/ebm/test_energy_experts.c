/* Products of experts on linear features: formulas, and log Z of the complete ones. */
#include "ebm/energy_check.h"

enum { D = 3 };

static ad_var quartic_expert(ad_var u) { return ad_square(ad_square(u)); }

static const struct form {
    const char *name;
    ebm_activation expert;
    int experts, learn_weights;
} forms[] = {
    {"logcosh", NULL, D, 0},
    {"logcosh, weighted", ad_logcosh, D, 1},
    {"student", ebm_student_expert, D, 1},
    {"overcomplete", ebm_student_expert, 5, 1},
    {"undercomplete", NULL, 2, 0},
    {"of one's own", quartic_expert, 4, 0},
};

static ebm_model *experts(const struct form *f, int dim, gibbs_dtype dtype)
{
    ebm_model *model;
    ebm_experts_spec spec = {.dim = dim, .experts = f->experts, .expert = f->expert,
                             .learn_weights = f->learn_weights, .dtype = dtype, .seed = 4};
    OK(ebm_model_experts(&spec, &model, ERROR));
    return model;
}

static number formula(const number *x, const number *theta, const void *context)
{
    const struct form *f = context;
    number E = 0;
    for (int j = 0; j < f->experts; j++) {
        number u = 0, G;
        for (int i = 0; i < D; i++) u += x[i] * theta[i * f->experts + j];
        if (f->expert == quartic_expert) G = u * u * u * u;
        else G = f->expert == ebm_student_expert ? clog(1 + u * u / 2) : clog(ccosh(u));
        E += G * (f->learn_weights ? cexp(theta[D * f->experts + j]) : 1);
    }
    return E;
}

Test(experts, is_the_formula)
{
    double x[CHECK_ROWS * D];
    spread(x, COUNT(x), 1);
    for (int k = 0; k < 2 * COUNT(forms); k++) {
        ebm_model *model = experts(&forms[k / 2], D, k % 2 ? GIBBS_FLOAT32 : GIBBS_FLOAT64);
        spread_theta(model, 2);
        expect_energy(model, formula, &forms[k / 2], x, forms[k / 2].name);
        if (!(k % 2)) expect_score_matching(model, formula, &forms[k / 2], x, forms[k / 2].name);
        ebm_model_free(model);
    }
}

/* In one dimension by quadrature, on the line w u: ∫ exp(−αG(wx)) dx. A Student t needs a wide box: what lies beyond
 * ±L is 2∫ (w²x²/2)^−α dx to first order, and is added. */
Test(experts, log_z_on_the_line)
{
    static const double w = -1.7, log_alpha[] = {0, 0.4, 1.2};
    for (int k = 0; k < 3; k++) {
        const struct form *f = &forms[k];
        struct form one = {f->name, f->expert, 1, f->learn_weights};
        ebm_model *model = experts(&one, 1, GIBBS_FLOAT64);
        double alpha = exp(log_alpha[k]), log_z, L = k == 2 ? 400 : 60, tail = 0;
        ebm_box box = {{-L}, {L}, 400001, 0};
        ebm_quadrature z;
        ebm_model_set(model, (double[]){w, log_alpha[k]});
        OK(ebm_model_log_z(model, &log_z, ERROR));
        OK(ebm_integrate(model, &box, &z, ERROR));
        if (k == 2) tail = 2 * pow(w * w / 2, -alpha) * pow(L, 1 - 2 * alpha) / (2 * alpha - 1);
        expect_close(log_z, log(exp(z.log_z) + tail), 1e-10, f->name);
        ebm_model_free(model);
    }
}

/* Two dimensions need |det W| as well, with pivots: its first element is 0. */
Test(experts, log_z_in_the_plane)
{
    const struct form two = {"logcosh", NULL, 2, 0};
    ebm_model *model = experts(&two, 2, GIBBS_FLOAT64);
    double log_z;
    ebm_box box = {{-45, -45}, {45, 45}, 900, 0};
    ebm_quadrature z;
    ebm_model_set(model, (double[]){0, 1.5, -2, 0.5});
    OK(ebm_model_log_z(model, &log_z, ERROR));
    OK(ebm_integrate(model, &box, &z, ERROR));
    expect_close(log_z, 2 * log(M_PI) - log(3), 1e-14, "closed form");
    expect_close(log_z, z.log_z, 1e-9, "quadrature");
    ebm_model_free(model);
}

static void expect_no_log_z(const struct form *f, int dim, const double *theta, gibbs_status status, const char *part)
{
    ebm_model *model = experts(f, dim, GIBBS_FLOAT64);
    double log_z = 7;
    if (theta) ebm_model_set(model, theta);
    FAILS(status, part, ebm_model_log_z(model, &log_z, FAIL));
    cr_expect_eq(log_z, 7);
    ebm_model_free(model);
}

Test(experts, no_log_z)
{
    const struct form own = {"own", quartic_expert, 1, 0}, student = {"student", ebm_student_expert, 1, 1};
    const struct form two = {"two", NULL, 2, 0};
    expect_no_log_z(&forms[3], D, NULL, GIBBS_ARGUMENT, "5 experts in 3 dimensions");
    expect_no_log_z(&forms[4], D, NULL, GIBBS_ARGUMENT, "2 experts in 3 dimensions");
    expect_no_log_z(&own, 1, NULL, GIBBS_ARGUMENT, "no closed form for these");
    expect_no_log_z(&student, 1, (double[]){1, log(0.5)}, GIBBS_NUMERIC, "normalisable");
    expect_no_log_z(&two, 2, (double[]){1, 2, 2, 4}, GIBBS_NUMERIC, "normalisable");
}

static ad_var null_expert(ad_var u) { return (ad_var){u.tape, -1}; }

Test(experts, refuses)
{
    static const struct {
        ebm_experts_spec spec;
        gibbs_status status;
        const char *sentence;
    } cases[] = {
        {{.experts = 1}, GIBBS_ARGUMENT, "0 dimensions"},
        {{.dim = 1}, GIBBS_ARGUMENT, "0 experts"},
        {{.dim = 1, .experts = INT64_MAX}, GIBBS_SIZE, "experts"},
        {{.dim = 1, .experts = 1, .expert = null_expert}, GIBBS_TAPE, "null"},
    };
    for (int k = 0; k < COUNT(cases); k++) {
        ebm_model *model = (ebm_model *)&model;
        FAILS(cases[k].status, cases[k].sentence, ebm_model_experts(&cases[k].spec, &model, FAIL));
        cr_expect_null(model);
    }
}

Test(experts, a_null_var_stays_one)
{
    ad_tape *tape = ad_tape_new(GIBBS_FLOAT64, NULL);
    cr_expect(ad_is_null(ebm_student_expert((ad_var){tape, -1})));
    ad_tape_free(tape);
}
