/* Monte Carlo maximum likelihood: the marriages of sixteen Florentine families (Padgett), a network observed once, by
 * edges and triangles; networks of five by enumeration, with chains of the library; what has no maximum. */
#include "base/random.h"
#include "ebm/inference/hull.h"
#include "ebm/objective_helpers.h"

/* ---- Networks ---- */

enum { MOST_NODES = 16, MOST_PAIRS = MOST_NODES * (MOST_NODES - 1) / 2, MOST_TRIPLES = 560 };

/* Pairs i < j in order, and for each triple the numbers of its pairs. */
typedef struct network {
    int nodes, pairs, triples;
    int64_t side[3][MOST_TRIPLES];
} network;

static int pair_of(const network *g, int i, int j)
{
    int a = i < j ? i : j, b = i < j ? j : i;
    return a * (2 * g->nodes - a - 1) / 2 + b - a - 1;
}

static network network_of(int nodes)
{
    network g = {.nodes = nodes, .pairs = nodes * (nodes - 1) / 2};
    for (int i = 0; i < nodes; i++)
        for (int j = i + 1; j < nodes; j++)
            for (int k = j + 1; k < nodes; k++, g.triples++) {
                g.side[0][g.triples] = pair_of(&g, i, j);
                g.side[1][g.triples] = pair_of(&g, i, k);
                g.side[2][g.triples] = pair_of(&g, j, k);
            }
    return g;
}

static ad_var energy(ad_var x, const ad_var *theta, void *context)
{
    const network *g = context;
    ad_var triangles = ad_take(x, g->side[0], g->triples, 0);
    for (int k = 1; k < 3; k++) triangles = ad_mul(triangles, ad_take(x, g->side[k], g->triples, 0));
    return ad_neg(ad_add(ad_mul(theta[0], ad_sum(x)), ad_mul(theta[1], ad_sum(triangles))));
}

static ebm_model *network_model(const network *g)
{
    const ebm_parameter p[] = {{"edges", ad_scalar(), EBM_INIT_CONSTANT, 0},
                               {"triangles", ad_scalar(), EBM_INIT_CONSTANT, 0}};
    ebm_model_spec spec = {.dim = g->pairs, .parameters = p, .parameter_count = 2, .energy = energy,
                           .context = (void *)g};
    ebm_model *model;
    OK(ebm_model_new(&spec, &model, ERROR));
    return model;
}

static void count(const network *g, const double *x, double *edges, double *triangles)
{
    *edges = *triangles = 0;
    for (int i = 0; i < g->pairs; i++) *edges += x[i];
    for (int t = 0; t < g->triples; t++) *triangles += x[g->side[0][t]] * x[g->side[1][t]] * x[g->side[2][t]];
}

/* Sweeps by change statistics: an edge brings as many triangles as its ends have neighbours in common. */
static gibbs_status simulate(const double *theta, int64_t rows, uint64_t seed, double *x, void *context,
                             gibbs_error *error)
{
    const network *g = context;
    unsigned near[MOST_NODES] = {0};
    (void)error;
    gibbs_words words = gibbs_words_start(seed, 0x666c6f, 1);
    for (int64_t r = -20; r < rows; r++) {
        for (int sweep = 0; sweep < 10; sweep++)
            for (int i = 0; i < g->nodes; i++)
                for (int j = i + 1; j < g->nodes; j++) {
                    double odds = theta[0] + theta[1] * __builtin_popcount(near[i] & near[j]);
                    bool tie = gibbs_words_unit(&words) < 1 / (1 + exp(-odds));
                    near[i] = tie ? near[i] | 1u << j : near[i] & ~(1u << j);
                    near[j] = tie ? near[j] | 1u << i : near[j] & ~(1u << i);
                }
        for (int i = 0; r >= 0 && i < g->nodes; i++)
            for (int j = i + 1; j < g->nodes; j++) x[r * g->pairs + pair_of(g, i, j)] = near[i] >> j & 1;
    }
    return GIBBS_OK;
}

/* Acciaiuoli, Albizzi, Barbadori, Bischeri, Castellani, Ginori, Guadagni, Lamberteschi, Medici, Pazzi, Peruzzi, Pucci,
 * Ridolfi, Salviati, Strozzi, Tornabuoni. */
static const int marriages[][2] = {{0, 8},  {1, 5},  {1, 6},   {1, 8},   {2, 4},   {2, 8},  {3, 6},
                                   {3, 10}, {3, 14}, {4, 10},  {4, 14},  {6, 7},   {6, 15}, {8, 12},
                                   {8, 13}, {8, 15}, {9, 13},  {10, 14}, {12, 14}, {12, 15}};

Test(monte_carlo_ml, florentine_marriages)
{
    network g = network_of(16);
    double x[MOST_PAIRS] = {0}, edges, triangles;
    for (int k = 0; k < COUNT(marriages); k++) x[pair_of(&g, marriages[k][0], marriages[k][1])] = 1;
    count(&g, x, &edges, &triangles);
    cr_assert(edges == 20 && triangles == 3);
    ebm_model *model = network_model(&g);
    ebm_data data = table(x, 1, g.pairs);
    ebm_mcml_options o = {.simulate = simulate, .context = &g, .rows = 4000};
    ebm_mcml r;
    OK(ebm_monte_carlo_ml(model, &data, &o, &r, ERROR)); /* from 0, where half of the pairs are married */
    const double *theta = ebm_model_theta(model);
    cr_log_info("%g ± %g (%g), %g ± %g (%g), %d rounds", theta[0], r.standard_error[0], r.monte_carlo_error[0],
                theta[1], r.standard_error[1], r.monte_carlo_error[1], (int)r.rounds);
    cr_expect_float_eq(theta[0], -1.68, 0.03);
    cr_expect_float_eq(theta[1], 0.16, 0.05);
    cr_expect_float_eq(r.standard_error[0], 0.35, 0.02);
    cr_expect_float_eq(r.standard_error[1], 0.59, 0.04);
    cr_expect(r.gamma == 1 && r.rounds > 2 && r.monte_carlo_error[0] < 0.02);
    ebm_mcml_free(&r);
    ebm_model_free(model);
}

/* ---- Five nodes: all 2¹⁰ networks ---- */

/* Newton's method on the exact likelihood; sd: of the estimates of one row. */
static void exact_ml(const network *g, const double *observed, double *theta, double *sd)
{
    double h[3] = {0};
    for (int k = 0; k < 50; k++) {
        double z = 0, mean[2] = {0}, x[MOST_PAIRS], s[2];
        h[0] = h[1] = h[2] = 0;
        for (int state = 0; state < 1 << g->pairs; state++) {
            for (int i = 0; i < g->pairs; i++) x[i] = state >> i & 1;
            count(g, x, &s[0], &s[1]);
            double w = exp(theta[0] * s[0] + theta[1] * s[1]);
            z += w, mean[0] += w * s[0], mean[1] += w * s[1];
            h[0] += w * s[0] * s[0], h[1] += w * s[0] * s[1], h[2] += w * s[1] * s[1];
        }
        for (int i = 0; i < 2; i++) mean[i] /= z;
        h[0] = h[0] / z - mean[0] * mean[0], h[1] = h[1] / z - mean[0] * mean[1], h[2] = h[2] / z - mean[1] * mean[1];
        double det = h[0] * h[2] - h[1] * h[1], g0 = observed[0] - mean[0], g1 = observed[1] - mean[1];
        theta[0] += (h[2] * g0 - h[1] * g1) / det, theta[1] += (h[0] * g1 - h[1] * g0) / det;
        sd[0] = sqrt(h[2] / det), sd[1] = sqrt(h[0] / det);
    }
}

Test(monte_carlo_ml, small_networks_by_enumeration)
{
    enum { ROWS = 4 };
    network g = network_of(5);
    double x[ROWS * 10] = {1, 1, 0, 0, 1, 0, 1, 0, 0, 1, 0, 0, 1, 0, 0, 1, 0, 0, 1, 0,
                           1, 1, 1, 0, 1, 1, 0, 0, 0, 0, 0, 1, 0, 1, 0, 0, 0, 0, 0, 0};
    double observed[2] = {0}, theta[2] = {0}, sd[2];
    for (int r = 0; r < ROWS; r++) {
        double edges, triangles;
        count(&g, x + 10 * r, &edges, &triangles);
        observed[0] += edges / ROWS, observed[1] += triangles / ROWS;
    }
    exact_ml(&g, observed, theta, sd);
    ebm_model *model = network_model(&g);
    ebm_data data = table(x, ROWS, 10);
    const ebm_chain_options chain = {.sampler = &ebm_gibbs};
    const ebm_draw_options draw = {.chain = &chain, .steps = 100, .r_hat = INFINITY};
    ebm_mcml_options o = {.draw = &draw, .rows = 400};
    ebm_mcml r;
    OK(ebm_monte_carlo_ml(model, &data, &o, &r, ERROR));
    const double *found = ebm_model_theta(model);
    for (int i = 0; i < 2; i++) {
        cr_expect(fabs(found[i] - theta[i]) < 4 * r.monte_carlo_error[i], "%d: %g, exactly %g ± %g", i, found[i],
                  theta[i], r.monte_carlo_error[i]);
        cr_expect(fabs(r.standard_error[i] / (sd[i] / sqrt(ROWS)) - 1) < 0.25, "%d: %g, exactly %g", i,
                  r.standard_error[i], sd[i] / sqrt(ROWS));
        cr_expect(r.monte_carlo_error[i] < 0.3 * r.standard_error[i]);
    }
    ebm_mcml_free(&r);
    ebm_model_free(model);
}

/* ---- What it refuses ---- */

static ad_var squared(ad_var x, const ad_var *theta, void *context)
{
    return (void)context, ad_scale(ad_square(ad_mul(theta[0], ad_sum(x))), 0.5);
}
static ad_var twice(ad_var x, const ad_var *theta, void *context)
{
    return (void)context, ad_neg(ad_mul(ad_add(theta[0], theta[1]), ad_sum(x)));
}

Test(monte_carlo_ml, refuses)
{
    network g = network_of(5);
    double full[10] = {1, 1, 1, 1, 1, 1, 1, 1, 1, 1}, some[10] = {1, 0, 0, 1, 0, 1, 0, 0, 1, 0};
    ebm_data edge = table(full, 1, 10), data = table(some, 1, 10);
    ebm_mcml_options o = {.simulate = simulate, .context = &g, .rounds = 8};
    ebm_mcml r = {.size = 3};
    ebm_model *model = network_model(&g);
    FAILS(GIBBS_NUMERIC, "", ebm_monte_carlo_ml(model, &edge, &o, &r, FAIL)); /* no maximum */
    cr_expect(parameter_of(model, "edges") == 0 && !r.covariance && !r.size);
    o.rows = 3;
    FAILS(GIBBS_ARGUMENT, "rows is 3", ebm_monte_carlo_ml(model, &data, &o, &r, FAIL));
    o.rows = 0;
    ebm_model_free(model);
    const ebm_parameter p[] = {{"a", ad_scalar(), EBM_INIT_CONSTANT, 1}, {"b", ad_scalar(), EBM_INIT_CONSTANT, 1}};
    model = model_of(10, p, 1, squared, GIBBS_FLOAT64);
    FAILS(GIBBS_ARGUMENT, "not affine in «a»", ebm_monte_carlo_ml(model, &data, &o, &r, FAIL));
    ebm_model_free(model);
    model = model_of(10, p, 2, twice, GIBBS_FLOAT64);
    FAILS(GIBBS_NUMERIC, "do not determine", ebm_monte_carlo_ml(model, &data, &o, &r, FAIL));
    ebm_model_free(model);
}

Test(monte_carlo_ml, hulls)
{
    const double square[] = {-1, -1, 1, -1, -1, 1, 1, 1};
    const double in[][2] = {{0, 0}, {0.9, 0.9}, {-0.9, 0.5}}, out[][2] = {{1.1, 0}, {1.05, 1.05}, {0, -3}};
    double work[4];
    for (int k = 0; k < 3; k++)
        cr_expect(ebm_in_hull(square, 4, 2, in[k], work) && !ebm_in_hull(square, 4, 2, out[k], work), "%d", k);
}
