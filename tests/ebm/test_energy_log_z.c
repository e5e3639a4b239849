/* log Z of energies by quadrature against closed forms: a network, products, tempered densities, mixtures, exponential
 * families, experts; and which of them ebm_model_log_z knows. Where the other energies have theirs: docs/methods.md. */
#include "objective_helpers.h"

typedef struct made {
    ebm_model *model, *part[2]; /* parts are freed after it */
    double log_z;
    bool known; /* by the library as well */
} made;

static ebm_model *normal(double mean, double precision)
{
    ebm_model *model;
    OK(ebm_model_gaussian(1, GIBBS_FLOAT64, NULL, &model, ERROR));
    ebm_model_set(model, (double[]){mean, precision});
    return model;
}

/* With softplus units and v = −1, exp(−E) is Π (1 + exp(xW + b)) times the base, so that Z is a sum over the 2³ subsets
 * h of the units: Σ exp(b·h + ½sd²|Wh|²) (2π sd²)^(d/2). */
static made network(void)
{
    enum { D = 2, UNITS = 3 };
    static const double W[D][UNITS] = {{0.7, -1.1, 0.4}, {0.2, 0.5, -0.9}}, b[UNITS] = {0.3, -0.2, 0.6}, sd = 0.8;
    double theta[D * UNITS + 2 * UNITS], z = 0;
    made m = {.log_z = 0};
    ebm_mlp_spec spec = {.dim = D, .widths = (int64_t[]){UNITS}, .layers = 1, .base_sd = sd, .dtype = GIBBS_FLOAT64};
    OK(ebm_model_mlp(&spec, &m.model, ERROR));
    memcpy(theta, W, sizeof W), memcpy(theta + D * UNITS, b, sizeof b);
    for (int j = 0; j < UNITS; j++) theta[(D + 1) * UNITS + j] = -1;
    ebm_model_set(m.model, theta);
    for (int h = 0; h < 1 << UNITS; h++) {
        double power = 0, u[D] = {0};
        for (int j = 0; j < UNITS; j++)
            if (h >> j & 1) power += b[j], u[0] += W[0][j], u[1] += W[1][j];
        z += exp(power + sd * sd * (u[0] * u[0] + u[1] * u[1]) / 2);
    }
    m.log_z = log(z) + D / 2. * log(2 * M_PI * sd * sd);
    return m;
}

/* 0.5 E₁ + 2 E₂: precisions a, b and means that are apart give ½ log(2π/(a + b)) − ½ (μ₁ − μ₂)² ab/(a + b). */
static made product(void)
{
    const double a = 0.5 * 1.2, b = 2 * 0.3, gap = 1 + 0.5;
    made m = {.part = {normal(1, 1.2), normal(-0.5, 0.3)}};
    OK(ebm_model_sum(m.part, (double[]){0.5, 2}, 2, &m.model, ERROR));
    m.log_z = 0.5 * log(2 * M_PI / (a + b)) - 0.5 * gap * gap * a * b / (a + b);
    return m;
}

static made tempered(void)
{
    made m = {.part = {normal(0.4, 1.7)}, .log_z = 0.5 * log(2 * M_PI / (0.3 * 1.7)), .known = true};
    OK(ebm_model_tempered(m.part[0], 0.3, &m.model, ERROR));
    return m;
}

/* Z = Z₁ + ξ₂ Z₂ */
static made mixture(void)
{
    made m = {.part = {normal(-1, 2), normal(1.5, 0.6)}};
    OK(ebm_model_mixture(m.part, 2, &m.model, ERROR));
    *(double *)ebm_model_theta(m.model) = 0.7; /* log ξ₂ */
    m.log_z = log(sqrt(2 * M_PI / 2) + exp(0.7) * sqrt(2 * M_PI / 0.6));
    m.known = true;
    return m;
}

static ad_var two_powers(ad_var x, const ad_var *theta, void *context)
{
    return (void)theta, (void)context, ad_concat(x, ad_square(x), 0);
}

/* η₁x + η₂x², η₂ < 0: ½ log(π/−η₂) − η₁²/4η₂ */
static made exponential(void)
{
    const double eta[] = {0.8, -0.6};
    made m = {.log_z = 0.5 * log(M_PI / 0.6) + 0.8 * 0.8 / (4 * 0.6)};
    ebm_exponential_spec spec = {.dim = 1, .statistics = {.record = two_powers, .size = 2}, .dtype = GIBBS_FLOAT64};
    OK(ebm_model_exponential(&spec, &m.model, ERROR));
    ebm_model_set(m.model, eta);
    return m;
}

/* Two experts on the line: ∫ cosh⁻²(wx) dx = 2/w. */
static made experts(void)
{
    made m = {.log_z = log(2 / 1.3)};
    ebm_experts_spec spec = {.dim = 1, .experts = 2, .dtype = GIBBS_FLOAT64};
    OK(ebm_model_experts(&spec, &m.model, ERROR));
    ebm_model_set(m.model, (double[]){1.3, 1.3});
    return m;
}

/* Of others that know theirs: a Cholesky factor; complete experts of weight α, ∫ cosh^−βα(wx) dx = B(½, ½βα)/w; a sum
 * of one, of a tempered one. */
static made tempered_factor(void)
{
    made m = {.log_z = log(2 * M_PI / 0.7) - 0.2 + 0.5, .known = true};
    OK(ebm_model_gaussian_cholesky(2, GIBBS_FLOAT64, NULL, &m.part[0], ERROR));
    ebm_model_set(m.part[0], (double[]){0.1, -0.3, 0.2, -0.5, 0.4});
    OK(ebm_model_tempered(m.part[0], 0.7, &m.model, ERROR));
    return m;
}
static made tempered_experts(void)
{
    const double half = 0.5 * 1.4 * exp(0.3);
    made m = {.log_z = lgamma(0.5) + lgamma(half) - lgamma(0.5 + half) - log(1.3), .known = true};
    ebm_experts_spec spec = {.dim = 1, .experts = 1, .learn_weights = 1, .dtype = GIBBS_FLOAT64};
    OK(ebm_model_experts(&spec, &m.part[0], ERROR));
    ebm_model_set(m.part[0], (double[]){1.3, 0.3});
    OK(ebm_model_tempered(m.part[0], 1.4, &m.model, ERROR));
    return m;
}
static made sum_of_one(void)
{
    made m = {.part = {normal(0.4, 1.7)}, .log_z = 0.5 * log(2 * M_PI / (0.3 * 2 * 1.7)), .known = true};
    OK(ebm_model_tempered(m.part[0], 0.3, &m.part[1], ERROR));
    OK(ebm_model_sum(&m.part[1], (double[]){2}, 1, &m.model, ERROR));
    return m;
}

static double quadrature(ebm_model *model)
{
    const ebm_box box = {{-18, -18}, {18, 18}, 400, 0};
    ebm_quadrature z;
    OK(ebm_integrate(model, &box, &z, ERROR));
    cr_expect(z.verdict == EBM_NORMALISABLE);
    return z.log_z;
}

/* And the closed form is told from that of other parameters. */
Test(energy_log_z, closed_forms)
{
    static made (*const makers[])(void) = {network, product, tempered, mixture, exponential, experts,
                                           tempered_factor, tempered_experts, sum_of_one};
    static const char *const names[] = {"network", "product", "tempered", "mixture", "exponential", "experts",
                                        "tempered factor", "tempered experts", "sum of one"};
    for (int k = 0; k < COUNT(makers); k++) {
        made m = makers[k]();
        double *theta = ebm_model_theta(m.model), largest = 0;
        double said = 7;
        gibbs_status status = ebm_model_log_z(m.model, &said, NULL);
        cr_expect(status == (m.known ? GIBBS_OK : GIBBS_ARGUMENT), "%s", names[k]);
        expect_close(said, m.known ? m.log_z : 7, 1e-14, names[k]);
        expect_close(quadrature(m.model), m.log_z, 1e-10, names[k]);
        for (int i = 0; i < ebm_model_size(m.model) && !SANITIZED; i++) {
            theta[i] += 0.05;
            largest = fmax(largest, fabs(quadrature(m.model) - m.log_z));
            theta[i] -= 0.05;
        }
        cr_expect(SANITIZED || largest > 0.005, "%s: %g", names[k], largest);
        ebm_model_free(m.model), ebm_model_free(m.part[1]), ebm_model_free(m.part[0]);
    }
}

/* At β < 0 there is no density, and a mixture has a formula at β = 1 alone. */
Test(energy_log_z, refuses)
{
    made of[] = {tempered(), tempered_factor(), tempered_experts(), mixture()};
    for (int k = 0; k < COUNT(of); k++) {
        ebm_model *model;
        double log_z = 7;
        OK(ebm_model_tempered(of[k].model, -1, &model, ERROR));
        const char *said = k == 0 ? "not positive definite" : k < 3 ? "not normalisable" : "a mixture has none";
        FAILS(k < 3 ? GIBBS_NUMERIC : GIBBS_ARGUMENT, said, ebm_model_log_z(model, &log_z, FAIL));
        cr_expect_eq(log_z, 7);
        ebm_model_free(model), ebm_model_free(of[k].model);
        ebm_model_free(of[k].part[1]), ebm_model_free(of[k].part[0]);
    }
}
