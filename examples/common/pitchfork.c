#include "pitchfork.h"
#include "failure.h"
#include "files.h"
#include "fitting.h"
#include "picture.h"

#include <gibbs/ebm.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { POINTS = 401, COARSE = 81, WIDE = 121, HIDDEN = 32, DIM = 2 };
static const double tau = 0.15, x_low = -1.5, x_high = 1.5, y_high = 2.4;

typedef struct setup {
    const common_options *common;
    ebm_data train, test;
    ebm_points y, coarse; /* grids: what is integrated over, to judge and in steps of exact likelihood */
    double steps;
} setup;

/* ---- Two energies ----------------------------------------------------------------------------------------------- */

/* (ay⁴ − bxy²): a = 1/4τ, b = 1/2τ. */
static ad_var own_energy(ad_var row, const ad_var *theta, void *context)
{
    (void)context;
    ad_var x = ad_at(row, 0), square = ad_square(ad_at(row, 1));
    return ad_sub(ad_mul(theta[0], ad_square(square)), ad_mul(theta[1], ad_mul(x, square)));
}

/* v·silu(W₂ᵀ silu(W₁ᵀ[x, y] + b₁) + b₂) + y²/2·3²: a network, and what keeps it integrable over y. */
static ad_var network(ad_var row, const ad_var *theta, void *context)
{
    (void)context;
    ad_var h = ad_silu(ad_add(ad_matmul(row, theta[0]), theta[1]));
    h = ad_silu(ad_add(ad_matmul(h, theta[2]), theta[3]));
    return ad_add(ad_matmul(h, theta[4]), ad_scale(ad_square(ad_at(row, 1)), 1 / 18.0));
}

static gibbs_status make_model(int of_its_own, uint64_t seed, ebm_model **model, gibbs_error *error)
{
    const ebm_parameter own[] = {{"a", ad_scalar(), EBM_INIT_CONSTANT, 1}, {"b", ad_scalar(), EBM_INIT_CONSTANT, 0}};
    const ebm_parameter layers[] = {{"W1", ad_mat(DIM, HIDDEN), EBM_INIT_GLOROT, 1},
                                    {"b1", ad_vec(HIDDEN), EBM_INIT_NORMAL, 0.5},
                                    {"W2", ad_mat(HIDDEN, HIDDEN), EBM_INIT_GLOROT, 1},
                                    {"b2", ad_vec(HIDDEN), EBM_INIT_CONSTANT, 0},
                                    {"v", ad_vec(HIDDEN), EBM_INIT_NORMAL, 0.2}};
    ebm_model_spec spec = {0};
    spec.dim = DIM, spec.seed = seed;
    spec.parameters = of_its_own ? own : layers;
    spec.parameter_count = of_its_own ? 2 : 5;
    spec.energy = of_its_own ? own_energy : network;
    spec.given = 1;
    return ebm_model_new(&spec, model, error);
}

/* ---- Data ------------------------------------------------------------------------------------------------------- */

/* p(y | x) on the grid of y, a density, and its distribution function. */
static void truth(double x, const ebm_points *y, double *density, double *below)
{
    double sum = 0, step = y->x[1] - y->x[0];
    for (int k = 0; k < POINTS; k++) {
        double square = y->x[k] * y->x[k];
        density[k] = exp((x * square / 2 - square * square / 4) / tau);
        below[k] = sum += density[k] * step;
    }
    for (int k = 0; k < POINTS; k++) density[k] /= sum, below[k] /= sum;
}

static double uniform(uint64_t *state) /* splitmix64 */
{
    uint64_t z = (*state += 0x9e3779b97f4a7c15u);
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return ((double)((z ^ z >> 31) >> 12) + 0.5) * 0x1p-52;
}

/* x uniform, y by its distribution function, straight between the points of the grid. */
static gibbs_status draw_rows(const ebm_points *y, int64_t rows, uint64_t seed, ebm_data *out, gibbs_error *error)
{
    double density[POINTS], below[POINTS], *x = malloc(sizeof *x * DIM * (size_t)rows);
    if (!x) return fail(error, GIBBS_MEMORY, "out of memory");
    for (int64_t r = 0; r < rows; r++) {
        int k = 0;
        x[DIM * r] = x_low + (x_high - x_low) * uniform(&seed);
        truth(x[DIM * r], y, density, below);
        double u = uniform(&seed);
        while (k < POINTS - 1 && below[k] < u) k++;
        x[DIM * r + 1] = y->x[k] - (y->x[1] - y->x[0]) * (below[k] - u) / (below[k] - (k ? below[k - 1] : 0));
    }
    gibbs_status status = ebm_data_from(x, rows, DIM, NULL, out, error);
    free(x);
    return status;
}

/* ---- Fits ------------------------------------------------------------------------------------------------------- */

typedef struct method {
    const char *name;
    const ebm_loss *loss;
    int own; /* the energy's own two parameters, by L-BFGS */
} method;

static const method methods[] = {
    {"own, score matching", &ebm_loss_score_matching, 1}, {"own, ranking NCE", &ebm_loss_ranking_nce, 1},
    {"own, NCE", &ebm_loss_nce, 1},                       {"network, exact ML", &ebm_loss_exact_ml, 0},
    {"network, score matching", &ebm_loss_score_matching, 0}, {"network, ranking NCE", &ebm_loss_ranking_nce, 0},
    {"network, CD", &ebm_loss_cd, 0},
};
enum { METHODS = sizeof methods / sizeof *methods, SHOWN = 4 };
static const int shown[SHOWN - 1] = {4, 5, 6}; /* beside the truth */

typedef struct result {
    double held_out, theta[2], error[2], spread;
} result;

/* mean log p(y | x) of the test rows: minus the exact loss of them. */
static gibbs_status judge(const setup *s, ebm_model *model, double *held_out, gibbs_error *error)
{
    ebm_objective *o;
    ebm_loss_options options = {0};
    options.points = &s->y;
    gibbs_status status = ebm_objective_new(model, &ebm_loss_exact_ml, &options, &o, error);
    if (status) return status;
    status = ebm_objective_bind(o, s->test.x, s->test.rows, error);
    if (!status) status = ebm_objective_evaluate(o, held_out, error);
    *held_out = -*held_out;
    ebm_objective_free(o);
    return status;
}

static gibbs_status fit(const setup *s, const method *m, ebm_model *model, result *r, gibbs_error *error)
{
    ebm_fit_options o = {0};
    ebm_fit_report report;
    ebm_uncertainty u = {0};
    o.loss = m->loss;
    o.loss_options.points = &s->coarse, o.loss_options.copies = 10, o.loss_options.noise_ratio = 10;
    o.loss_options.sampler_steps = 20, o.loss_options.sampler_step = 0.02;
    o.lbfgs = m->own, o.steps = (int64_t)s->steps, o.rate = 5e-3, o.schedule = EBM_SCHEDULE_COSINE;
    o.batch = m->own ? 0 : 256, o.validation_fraction = m->own ? 0 : 0.2, o.validation_every = 20;
    o.seed = (uint64_t)s->common->seed, o.threads = (int)s->common->threads;
    gibbs_status status = fit_model(s->common, m->name, model, &s->train, &o, &report, error);
    r->spread = report.log_z_spread;
    ebm_fit_report_free(&report);
    if (!status && m->own) status = ebm_standard_errors(model, &s->train, &o, &u, error);
    if (!status && m->own) ebm_model_get(model, r->theta), memcpy(r->error, u.standard_error, sizeof r->error);
    ebm_uncertainty_free(&u);
    return status ? status : judge(s, model, &r->held_out, error);
}

/* ---- Pictures and telling --------------------------------------------------------------------------------------- */

/* p(y | x) over x, of the truth in column 0 of `density` and of model k in column k. */
static gibbs_status densities(const setup *s, ebm_model *model, int column, double *density, gibbs_error *error)
{
    double x[WIDE], *p = malloc(sizeof *p * (WIDE * POINTS + WIDE)), exact[POINTS], below[POINTS];
    if (!p) return fail(error, GIBBS_MEMORY, "out of memory");
    gibbs_status status = GIBBS_OK;
    ebm_predict_options o = {.points = &s->y, .mean = 1};
    double step = s->y.x[1] - s->y.x[0];
    for (int i = 0; i < WIDE; i++) x[i] = x_low + (x_high - x_low) * i / (WIDE - 1);
    if (model) status = ebm_predict(model, &o, x, WIDE, p + WIDE * POINTS, NULL, p, error);
    for (int i = 0; !status && i < WIDE; i++) {
        if (!model) truth(x[i], &s->y, exact, below);
        for (int k = 0; k < POINTS; k++) {
            double *row = density + (2 + SHOWN) * (i * POINTS + k);
            row[0] = x[i], row[1] = s->y.x[k];
            row[2 + column] = model ? p[i * POINTS + k] / step : exact[k];
        }
    }
    free(p);
    return status;
}

static const char panels[] =
    "set terminal pngcairo size 1500,560 font 'sans,14' enhanced background 'white'; set output NAME.'.png'\n"
    "unset grid; set xrange [-1.5:1.5]; set yrange [-2.4:2.4]; set cbrange [0:1.4]; set xlabel 'x'; set xtics 1\n"
    "set palette defined (0 '#ffffff', 0.03 '#f1f6fb', 0.25 '#c3daec', 0.55 '#86b6db', 1 '#3f82bd')\n"
    "unset colorbox; set tmargin at screen 0.84\n"
    "set bmargin at screen 0.16; set multiplot\n"
    "set label 1 TITLE.' (training rows in orange; one scale of colours)' at screen 0.5,0.95 center noenhanced font "
    "',16'\n"
    "array NAMES[4] = ['truth', 'score matching', 'ranking NCE', 'contrastive divergence']\n"
    "do for [k = 1:4] {\n"
    "  left = 0.07 + 0.213 * (k - 1); set lmargin at screen left; set rmargin at screen left + 0.195\n"
    "  set title NAMES[k]; if (k == 1) { set ylabel 'y' offset 1,0 } else { unset ylabel; unset label 1 }\n"
    "  if (k == 2) { set format y '' } # one axis of y for all\n"
    "  if (k == 4) { set colorbox user origin 0.92,0.16 size 0.012,0.68 noborder; set cblabel 'p(y | x)' }\n"
    "  plot NAME.'.csv' skip 1 using 1:2:(column(2 + k)) with image notitle, \\\n"
    "    NAME.'-data.csv' skip 1 every 4 using 1:2 with points pt 7 ps 0.3 lc rgb ORANGE notitle\n"
    "}\n"
    "unset multiplot\n";

static gibbs_status draw(const setup *s, const double *density, gibbs_error *error)
{
    const char *folder = s->common->out, *name = "conditional-pitchfork";
    gibbs_status status = table_write(folder, "conditional-pitchfork.csv", "x,y,truth,score_matching,ranking_nce,cd",
                                      WIDE * POINTS, 2 + SHOWN, density, error);
    if (!status)
        status = table_write(folder, "conditional-pitchfork-data.csv", "x,y", s->train.rows, DIM, s->train.x, error);
    return status ? status : picture_draw(folder, name, "p(y | x) of conditional energies of a real y", panels, error);
}

static void tell(const setup *s, const method *m, const result *r, report *list)
{
    report *row = report_object(list, NULL);
    report_text(row, "method", m->name);
    report_number(row, "held_out_mean_log_likelihood", r->held_out);
    if (m->own) report_numbers(row, "theta", r->theta, 2), report_numbers(row, "standard_errors", r->error, 2);
    if (m->loss == &ebm_loss_nce) report_number(row, "log_z_spread", r->spread);
    if (s->common->quiet) return;
    printf("%-25s %10.4f", m->name, r->held_out);
    if (m->own) printf("   %6.3f (%.3f)  %6.3f (%.3f)", r->theta[0], r->error[0], r->theta[1], r->error[1]);
    if (m->loss == &ebm_loss_nce) printf("   log Z(x) spreads by %.2f: one number is wrong", r->spread);
    printf("\n");
}

/* What the truth itself, and a Gaussian linear regression, say of the test rows. */
static gibbs_status tell_bounds(const setup *s, report *root, gibbs_error *error)
{
    double density[POINTS], below[POINTS], exact = 0, line = 0, b[2], squares = 0, step = s->y.x[1] - s->y.x[0];
    ebm_data residuals;
    gibbs_status status = ebm_least_squares(&s->train, 1, b, &residuals, error);
    if (status) return status;
    for (int64_t r = 0; r < residuals.rows; r++) squares += residuals.x[r] * residuals.x[r] / (double)residuals.rows;
    for (int64_t r = 0; r < s->test.rows; r++) {
        double x = s->test.x[DIM * r], y = s->test.x[DIM * r + 1], e = y - b[0] - b[1] * x;
        truth(x, &s->y, density, below);
        int k = (int)lround((y - s->y.x[0]) / step);
        exact += log(density[k]) / (double)s->test.rows;
        line -= (0.5 * log(2 * acos(-1) * squares) + e * e / (2 * squares)) / (double)s->test.rows;
    }
    ebm_data_free(&residuals);
    report_number(root, "pitchfork_truth", exact);
    report_number(root, "pitchfork_linear_regression", line);
    if (s->common->quiet) return GIBBS_OK;
    printf("\nA real y with one peak or two, E = (y⁴/4 − xy²/2)/τ: %lld rows, and %lld held out\n\n",
           (long long)s->train.rows, (long long)s->test.rows);
    printf("%-25s %10s   %-14s  %s\n", "", "log p", "a = 1/4τ (se)", "b = 1/2τ (se)");
    printf("%-25s %10.4f   %6.3f          %6.3f\n", "truth", exact, 0.25 / tau, 0.5 / tau);
    printf("%-25s %10.4f\n", "linear regression", line);
    return GIBBS_OK;
}

static gibbs_status run(const setup *s, double *density, report *root, gibbs_error *error)
{
    gibbs_status status = tell_bounds(s, root, error);
    report *list = report_list(root, "pitchfork");
    if (!status) status = densities(s, NULL, 0, density, error);
    for (int i = 0; !status && i < METHODS; i++) {
        ebm_model *model = NULL;
        result r = {0};
        status = make_model(methods[i].own, (uint64_t)s->common->seed, &model, error);
        if (!status) status = fit(s, &methods[i], model, &r, error);
        if (!status) tell(s, &methods[i], &r, list);
        for (int k = 0; k < SHOWN - 1; k++)
            if (!status && shown[k] == i) status = densities(s, model, 1 + k, density, error);
        ebm_model_free(model);
    }
    return status ? status : draw(s, density, error);
}

gibbs_status pitchfork(const common_options *common, double rows, double steps, report *root, gibbs_error *error)
{
    setup s = {.common = common, .steps = steps};
    /* The model is one of y in the picture: after few steps it is so flat that no box would hold it. */
    ebm_box box = {.low = {-y_high}, .high = {y_high}, .points = POINTS, .whole_domain = 1};
    double *density = malloc(sizeof *density * (2 + SHOWN) * WIDE * POINTS);
    uint64_t seed = 2 * (uint64_t)common->seed;
    gibbs_status status = density ? GIBBS_OK : fail(error, GIBBS_MEMORY, "out of memory");
    if (!status) status = ebm_points_box(1, &box, NULL, &s.y, error);
    box.points = COARSE;
    if (!status) status = ebm_points_box(1, &box, NULL, &s.coarse, error);
    if (!status) status = draw_rows(&s.y, (int64_t)rows, seed, &s.train, error);
    if (!status) status = draw_rows(&s.y, (int64_t)rows, seed + 1, &s.test, error);
    if (!status) status = run(&s, density, root, error);
    if (!status && !common->quiet)
        printf("\nlog p: mean log p(y | x) of the held-out rows, Z(x) by quadrature of y. Of the losses only exact ML "
               "needs\n"
               "that; NCE learns one Z for all x, which is not so here. Picture: %s/conditional-pitchfork.png\n",
               common->out);
    ebm_data_free(&s.train), ebm_data_free(&s.test);
    ebm_points_free(&s.y), ebm_points_free(&s.coarse);
    free(density);
    return status;
}
