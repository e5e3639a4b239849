/* log Z of energies that ebm_model_log_z does not know, by quadrature against closed forms: a network, products,
 * tempered densities, mixtures, exponential families, more experts than dimensions. Where the other energies have
 * theirs: docs/methods.md. */
#include "objective_helpers.h"

typedef struct made {
    ebm_model *model, *part[2]; /* parts are freed after it */
    double log_z;
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
    made m = {.part = {normal(0.4, 1.7)}, .log_z = 0.5 * log(2 * M_PI / (0.3 * 1.7))};
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
    static made (*const makers[])(void) = {network, product, tempered, mixture, exponential, experts};
    static const char *const names[] = {"network", "product", "tempered", "mixture", "exponential", "experts"};
    for (int k = 0; k < COUNT(makers); k++) {
        made m = makers[k]();
        double *theta = ebm_model_theta(m.model), largest = 0;
        expect_close(quadrature(m.model), m.log_z, 1e-10, names[k]);
        for (int i = 0; i < ebm_model_size(m.model); i++) {
            theta[i] += 0.05;
            largest = fmax(largest, fabs(quadrature(m.model) - m.log_z));
            theta[i] -= 0.05;
        }
        cr_expect(largest > 0.005, "%s: %g", names[k], largest);
        ebm_model_free(m.model), ebm_model_free(m.part[0]), ebm_model_free(m.part[1]);
    }
}
