/* Annealed importance sampling: what is refused, one by one, and what a failure leaves alone. How estimates are
 * distributed: statistics/test_ais.c. */
#include "sampling.h"

static const density unit = {"unit", 1, 0, 0, -8, 8};

static ebm_proposal *normal(int64_t dim)
{
    ebm_proposal *q;
    OK(ebm_proposal_gaussian_diagonal(dim, (double[]){0, 0}, (double[]){1, 1}, NULL, &q, ERROR));
    return q;
}

Test(ais_errors, options)
{
    const double flat[] = {0, 0.5, 0.5, 1}, late[] = {0.1, 0.5, 0.7, 1}, early[] = {0, 0.5, 0.7, 0.9}, one = 1;
    double w[4] = {-1}, x[4] = {0.1, 0.2, 0.3, 0.4};
    ebm_model *model = density_model(&unit, GIBBS_FLOAT64, NULL);
    ebm_proposal *q = normal(1), *wide = normal(2);
    ebm_ais result = {.log_z = -1, .acceptance = -1};
    ebm_ais_options good = {0}, o;
    good.base = q;
    good.bridges = 3;
#define REFUSED(status, part, change)                                                     \
    do {                                                                                  \
        o = good;                                                                         \
        change;                                                                           \
        FAILS(status, part, ebm_ais_forward(model, &o, 4, w, x, &result, FAIL));          \
        FAILS(status, part, ebm_ais_reverse(model, &o, x, 4, w, &result, FAIL));          \
    } while (0)
    REFUSED(GIBBS_ARGUMENT, "no proposal", o.base = NULL);
    REFUSED(GIBBS_SHAPE, "2 dimensions", o.base = wide);
    REFUSED(GIBBS_ARGUMENT, "bridges is -1", o.bridges = -1);
    REFUSED(GIBBS_ARGUMENT, "steps is -1", o.steps = -1);
    REFUSED(GIBBS_SIZE, "at most", o.steps = 1 << 24);
    REFUSED(GIBBS_ARGUMENT, "at bridge 2", o.beta = flat);
    REFUSED(GIBBS_ARGUMENT, "from 0.1", o.beta = late);
    REFUSED(GIBBS_ARGUMENT, "to 0.9", o.beta = early);
    REFUSED(GIBBS_ARGUMENT, "must not", (o.chain.inverse_temperatures = &one, o.chain.temperatures = 1));
    REFUSED(GIBBS_ARGUMENT, "step is -1", o.chain.step = -1);
    cr_assert(w[0] == -1 && result.log_z == -1 && x[0] == 0.1);
    ebm_model_free(model);
    ebm_proposal_free(q);
    ebm_proposal_free(wide);
}

Test(ais_errors, points_and_places)
{
    double w[4] = {-1}, x[4] = {0.1, 0.2, 0.3, 0.4};
    ebm_model *model = density_model(&unit, GIBBS_FLOAT64, NULL);
    ebm_proposal *q = normal(1);
    ebm_ais result = {.log_z = -1, .acceptance = -1};
    ebm_ais_options good = {0};
    good.base = q;
    good.bridges = 3;
    FAILS(GIBBS_ARGUMENT, "1 row;", ebm_ais_forward(model, &good, 1, w, x, &result, FAIL));
    FAILS(GIBBS_ARGUMENT, "1 row;", ebm_ais_reverse(model, &good, x, 1, w, &result, FAIL));
    FAILS(GIBBS_ARGUMENT, "ais_forward", ebm_ais_forward(NULL, &good, 4, w, x, &result, FAIL));
    FAILS(GIBBS_ARGUMENT, "ais_forward", ebm_ais_forward(model, NULL, 4, w, x, &result, FAIL));
    FAILS(GIBBS_ARGUMENT, "ais_forward", ebm_ais_forward(model, &good, 4, w, x, NULL, FAIL));
    FAILS(GIBBS_ARGUMENT, "ais_reverse", ebm_ais_reverse(model, &good, NULL, 4, w, &result, FAIL));
    x[2] = NAN;
    FAILS(GIBBS_DATA, "row 3", ebm_ais_reverse(model, &good, x, 4, w, &result, FAIL));
    cr_assert(w[0] == -1 && result.log_z == -1 && x[0] == 0.1);
    OK(ebm_ais_forward(model, &good, 4, w, x, &result, ERROR));
    cr_assert_float_eq(result.log_z, 0.5 * log(2 * M_PI), 1e-12); /* base and model are one density */
    cr_assert_float_eq(result.standard_error, 0, 1e-7);
    ebm_model_free(model);
    ebm_proposal_free(q);
}

/* ---- Energies that are not finite; a base that no product of bits is ---- */

static ad_var half_line(ad_var x, const ad_var *theta, void *context)
{
    (void)theta;
    (void)context;
    ad_var left = ad_less(x, ad_constant(x.tape, 0));
    return ad_sum(ad_select(left, ad_constant(x.tape, INFINITY), ad_scale(ad_square(x), 0.5)));
}

/* Fair on −1 and 1, which are no states of binary units. */
static ad_var signs(const ebm_proposal *q, ad_var normal, const ad_var *theta)
{
    (void)q;
    (void)theta;
    return ad_sign(normal);
}

static ad_var fair(const ebm_proposal *q, ad_var y, const ad_var *theta)
{
    (void)theta;
    return ad_constant(y.tape, -log(2) * (double)q->dim);
}

static void given(ad_var other, const ad_var *theta, void *context, ad_var *parameter)
{
    (void)theta;
    (void)context;
    parameter[0] = other;
}

Test(ais_errors, energies_and_bases)
{
    double w[50] = {-1};
    ebm_model *half = energy_model(1, half_line), *pair = energy_model(2, half_line);
    ebm_proposal *q = normal(1), *two = normal(2);
    ebm_ais result;
    gibbs_error error;
    ebm_ais_options o = {0};
    o.base = q;
    o.bridges = 4;
    cr_assert_eq(ebm_ais_forward(half, &o, 50, w, NULL, &result, &error), GIBBS_NUMERIC);
    cr_assert(strstr(error.message, "at row") && error.row >= 0 && error.row < 50 && w[0] == -1);
    ebm_blocks blocks = {.visible = {EBM_UNIT_BINARY, 1, given}, .hidden = {EBM_UNIT_BINARY, 1, given}, .joint = 1};
    o.base = two;
    o.chain.sampler = &ebm_block_gibbs;
    o.chain.blocks = &blocks;
    FAILS(GIBBS_ARGUMENT, "not linear", ebm_ais_forward(pair, &o, 50, w, NULL, &result, FAIL));
    blocks.visible.unit = EBM_UNIT_GAUSSIAN;
    FAILS(GIBBS_ARGUMENT, "needs binary units", ebm_ais_forward(pair, &o, 50, w, NULL, &result, FAIL));
    blocks.visible.unit = EBM_UNIT_BINARY;
    o.base = &(ebm_proposal){.name = "signs", .dim = 2, .draw = signs, .log_density = fair};
    FAILS(GIBBS_DATA, "neither 0 nor 1", ebm_ais_forward(pair, &o, 50, w, NULL, &result, FAIL));
    ebm_model_free(half);
    ebm_model_free(pair);
    ebm_proposal_free(q);
    ebm_proposal_free(two);
}

/* A base whose density is infinite below 0, and log q with it. */
static ad_var infinite_below(const ebm_proposal *q, ad_var y, const ad_var *theta)
{
    (void)q, (void)theta;
    return ad_sum(ad_select(ad_less(y, ad_constant(y.tape, 0)), ad_constant(y.tape, INFINITY), ad_neg(ad_square(y))));
}

static ad_var normal_draw(const ebm_proposal *q, ad_var normal, const ad_var *theta)
{
    return (void)q, (void)theta, normal;
}

Test(ais_errors, one_infinite_weight_is_named)
{
    static const ebm_proposal pole = {.name = "pole", .dim = 1, .draw = normal_draw, .log_density = infinite_below};
    double w[3] = {-1}, x[3] = {0.1, -0.2, 0.3};
    ebm_model *model = density_model(&unit, GIBBS_FLOAT64, NULL);
    ebm_ais result;
    gibbs_error error;
    ebm_ais_options o = {0};
    o.base = &pole;
    o.bridges = 1;
    o.chain.sampler = &ebm_ula;
    cr_assert_eq(ebm_ais_reverse(model, &o, x, 3, w, &result, &error), GIBBS_NUMERIC);
    cr_expect(strstr(error.message, "log weight inf at row 2") && error.row == 1, "%s", error.message);
    cr_expect_eq(w[0], -1);
    ebm_model_free(model);
}
