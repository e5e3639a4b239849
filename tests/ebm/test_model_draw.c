/* ebm_model_draw: draws have the model's moments in any units, with any sampler; chains that do not mix are said to. */
#include "objective_helpers.h"

enum { DRAWS = SANITIZED ? 200 : 2000 };

/* (x/s − c)²/2: a Gaussian of any scale. */
typedef struct place {
    double centre, scale;
} place;

static ad_var bowl(ad_var x, const ad_var *theta, void *context)
{
    (void)theta;
    const place *p = context;
    return ad_scale(ad_sum(ad_square(ad_shift(ad_scale(x, 1 / p->scale), -p->centre / p->scale))), 0.5);
}

/* h (x² − 1)²: barriers of height h between −1 and 1. */
static ad_var wells(ad_var x, const ad_var *theta, void *context)
{
    (void)theta;
    return ad_scale(ad_sum(ad_square(ad_shift(ad_square(x), -1))), *(double *)context);
}

static ebm_model *model_with(int64_t dim, ebm_energy_fn energy, void *context, gibbs_dtype dtype)
{
    ebm_model *model;
    ebm_model_spec spec = {0};
    spec.dim = dim, spec.energy = energy, spec.context = context, spec.dtype = dtype;
    OK(ebm_model_new(&spec, &model, ERROR));
    return model;
}

/* Started three scales away, all from one row. */
Test(model_draw, moments_in_any_units)
{
    static const place places[] = {{0, 1}, {3e5, 2e4}, {-7e-4, 1e-5}, {170, 8}};
    for (int k = 0; k < 2 * COUNT(places); k++) {
        place p = places[k / 2];
        gibbs_dtype dtype = k % 2 ? GIBBS_FLOAT32 : GIBBS_FLOAT64;
        double start[2] = {p.centre + 3 * p.scale, p.centre - 3 * p.scale}, x[2 * DRAWS];
        ebm_data data = table(start, 1, 2);
        ebm_model *model = model_with(2, bowl, &p, dtype);
        ebm_draw_report report;
        OK(ebm_model_draw(model, &data, DRAWS, NULL, x, &report, ERROR));
        cr_expect(report.r_hat <= 1.05 && report.steps <= 1500, "R-hat %g, %d steps", report.r_hat, (int)report.steps);
        cr_expect(report.acceptance > 0.45 && report.acceptance < 0.7, "%g", report.acceptance);
        for (int c = 0; c < 2; c++) {
            double m1 = 0, m2 = 0;
            for (int r = 0; r < DRAWS; r++) {
                double z = (x[2 * r + c] - p.centre) / p.scale;
                m1 += z / DRAWS, m2 += z * z / DRAWS;
            }
            cr_expect(fabs(m1) < 4 / sqrt(DRAWS) && fabs(m2 - 1) < 4 * sqrt(2.0 / DRAWS), "%g %g", m1, m2);
        }
        ebm_model_free(model);
    }
}

/* Draws are a chain each: their mean has the spread of independent ones, and a longer table begins with other rows only
 * where chains are started otherwise; the same seed gives the same. */
Test(model_draw, seeds)
{
    place p = {0, 1};
    double start[] = {0.5, -0.5}, a[DRAWS], b[DRAWS];
    ebm_data data = table(start, 2, 1);
    ebm_model *model = model_with(1, bowl, &p, GIBBS_FLOAT64);
    ebm_draw_options o = {.seed = 5};
    OK(ebm_model_draw(model, &data, DRAWS, &o, a, NULL, ERROR));
    OK(ebm_model_draw(model, &data, DRAWS, &o, b, NULL, ERROR));
    cr_expect_arr_eq(a, b, sizeof a);
    o.seed = 6;
    OK(ebm_model_draw(model, &data, DRAWS, &o, b, NULL, ERROR));
    int same = 0;
    for (int r = 0; r < DRAWS; r++) same += a[r] == b[r];
    cr_expect(same < 3);
    OK(ebm_model_draw(model, &data, 1, &o, b, NULL, ERROR)); /* one draw is one, of a hundred chains */
    cr_expect(isfinite(b[0]) && fabs(b[0]) < 6);
    ebm_model_free(model);
}

/* A barrier that chains climb takes longer; one that they do not is an error, and x is left alone. Tempered they climb
 * it: the shares of the wells are even though all chains start in one. */
Test(model_draw, wells_apart)
{
    double low = 3, high = 40, start[] = {1}, x[DRAWS];
    static const double ladder[] = {1, 0.6, 0.35, 0.2, 0.1, 0.05};
    ebm_data one = table(start, 1, 1);
    ebm_model *easy = model_with(1, wells, &low, GIBBS_FLOAT64), *hard = model_with(1, wells, &high, GIBBS_FLOAT64);
    ebm_draw_report report;
    for (int k = 0; k < 2; k++) {
        ebm_chain_options chain = {0};
        if (k) chain.inverse_temperatures = ladder, chain.temperatures = COUNT(ladder), chain.swap_every = 1;
        ebm_draw_options o = {.chain = &chain};
        int right = 0, rows = k ? DRAWS / 4 : DRAWS;
        OK(ebm_model_draw(k ? hard : easy, &one, rows, &o, x, &report, ERROR));
        for (int r = 0; r < rows; r++) right += x[r] > 0;
        cr_expect(fabs((double)right / rows - 0.5) < 4 * 0.5 / sqrt(rows), "%d of %d", right, rows);
    }
    double both[] = {1, -1};
    ebm_data two = table(both, 2, 1);
    ebm_draw_options o = {.steps = 3200};
    x[0] = 77;
    FAILS(GIBBS_NUMERIC, "draw: after 3100 steps the chains have not mixed: R-hat of column 1 is",
          ebm_model_draw(hard, &two, 100, &o, x, &report, FAIL));
    cr_expect(x[0] == 77 && report.r_hat > 1.5 && report.worst == 0 && report.steps == 3100, "%g", report.r_hat);
    o.r_hat = INFINITY;
    OK(ebm_model_draw(hard, &two, 100, &o, x, &report, ERROR));
    cr_expect(report.r_hat > 1.5 && report.steps == 3100 && x[0] != 77);
    ebm_model_free(easy), ebm_model_free(hard);
}

/* A sampler without a step size, of a discrete x; a column that never varies is no matter. */
Test(model_draw, discrete_states)
{
    ebm_model *model;
    ebm_mrf_spec spec = {.space = {.variables = 3}, .dtype = GIBBS_FLOAT64};
    double start[] = {0, 0, 0}, x[3 * DRAWS], p[8], log_z, count[8] = {0}, theta[] = {0.5, -0.3, 0.2, 0.4, -0.2, -40};
    ebm_data data = table(start, 1, 3);
    OK(ebm_model_ising(&spec, &model, ERROR));
    ebm_model_set(model, theta);
    OK(ebm_enumerate(model, NULL, &log_z, p, ERROR));
    ebm_chain_options chain = {.sampler = &ebm_gibbs};
    ebm_draw_options o = {.chain = &chain};
    OK(ebm_model_draw(model, &data, DRAWS, &o, x, NULL, ERROR));
    for (int r = 0; r < DRAWS; r++) count[(int)(4 * x[3 * r] + 2 * x[3 * r + 1] + x[3 * r + 2])]++;
    for (int s = 0; s < 8; s++)
        cr_expect(fabs(count[s] / DRAWS - p[s]) < 4 * sqrt(p[s] / DRAWS) + 1e-12, "state %d: %g, %g", s,
                  count[s] / DRAWS, p[s]);
    ebm_model_free(model);
}

static ad_var line(ad_var row, const ad_var *theta, void *context)
{
    return (void)theta, (void)context, ad_scale(ad_square(ad_sub(ad_at(row, 1), ad_at(row, 0))), 0.5);
}

/* Chains of different x cannot be compared; told to run, they move y alone, also when tempered. */
Test(model_draw, of_a_conditional_model)
{
    double start[] = {0, 0, 50, 50}, x[2 * 100], mean[2] = {0};
    ebm_data data = table(start, 2, 2);
    ebm_model_spec spec = {0};
    ebm_model *model;
    spec.dim = 2, spec.energy = line, spec.dtype = GIBBS_FLOAT64;
    spec.given = 1;
    OK(ebm_model_new(&spec, &model, ERROR));
    FAILS(GIBBS_ARGUMENT, "R-hat cannot compare them", ebm_model_draw(model, &data, 100, NULL, x, NULL, FAIL));
    ebm_chain_options chain = {0};
    const double beta[] = {1, 0.5};
    chain.temperatures = 2, chain.inverse_temperatures = beta;
    OK(ebm_model_draw(model, &data, 100, &(ebm_draw_options){.chain = &chain, .r_hat = INFINITY, .steps = 200}, x, NULL,
                      ERROR));
    for (int r = 0; r < 100; r++) {
        cr_expect(x[2 * r] == 0 || x[2 * r] == 50);
        mean[x[2 * r] > 0] += x[2 * r + 1] - x[2 * r];
    }
    cr_expect(fabs(mean[0]) < 40 && fabs(mean[1]) < 40, "%g, %g", mean[0], mean[1]);
    ebm_model_free(model);
}

Test(model_draw, refuses)
{
    place p = {0, 1};
    double start[] = {0.5, NAN}, x[4];
    ebm_data data = table(start, 1, 1), bad = table(start, 2, 1), wide = table(start, 1, 2), none = {0};
    ebm_model *model = model_with(1, bowl, &p, GIBBS_FLOAT64);
    FAILS(GIBBS_ARGUMENT, "0 rows", ebm_model_draw(model, &data, 0, NULL, x, NULL, FAIL));
    FAILS(GIBBS_DATA, "row 2", ebm_model_draw(model, &bad, 1, NULL, x, NULL, FAIL));
    FAILS(GIBBS_DATA, "empty", ebm_model_draw(model, &none, 1, NULL, x, NULL, FAIL));
    wide.x = (double[]){1, 2};
    FAILS(GIBBS_SHAPE, "2 columns", ebm_model_draw(model, &wide, 1, NULL, x, NULL, FAIL));
    static const ebm_draw_options wrong[] = {{.steps = 99}, {.warm_up = -1}, {.r_hat = 1}, {.r_hat = NAN}};
    for (int k = 0; k < COUNT(wrong); k++)
        FAILS(GIBBS_ARGUMENT, "draw:", ebm_model_draw(model, &data, 1, &wrong[k], x, NULL, FAIL));
    ebm_chain_options chain = {.sampler = &ebm_independence_mh};
    FAILS(GIBBS_ARGUMENT, "proposal",
          ebm_model_draw(model, &data, 1, &(ebm_draw_options){.chain = &chain}, x, NULL, FAIL));
    ebm_model_free(model);
}
