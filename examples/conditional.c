/* conditional — conditional energies, p(y | x) = exp(−E(x, y))/Z(x), of labels (softmax regression) and of a real y.
 *
 * E(x, y) = −y·(xW + b) for a one-hot label y; the library is told the labels and sums over them for Z(x). Fitted to
 * Fisher's irises by maximum conditional likelihood, its coefficients stand beside those of a Newton fit of softmax
 * regression that is written out here and knows nothing of energies (S3, eq 10.4). Both have the same ridge, ½λ‖w‖².
 * Then a real y of one peak or two, whose Z(x) nobody knows, by losses that do without: common/pitchfork.c.
 *
 * Reading order: main, run, energy, make_model, newton; pitchfork. */
#include "common/data_load.h"
#include "common/failure.h"
#include "common/files.h"
#include "common/fitting.h"
#include "common/options.h"
#include "common/picture.h"
#include "common/pitchfork.h"
#include "common/report.h"

#include <gibbs/ebm.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Inputs, labels, columns of a row [x, y]; inputs with the constant, and parameters. */
enum { X = 4, LABELS = 3, ROW = X + LABELS, ONE = X + 1, P = 2 * ONE, SIDE = 121 };

typedef struct settings {
    const char *data;
    double ridge, rows, steps; /* of the irises; of the real y */
    common_options common;
} settings;

/* ---- The energy ------------------------------------------------------------------------------------------------- */

/* The first label has no parameters: its energy is 0. */
static ad_var energy(ad_var row, const ad_var *theta, void *context)
{
    (void)context;
    ad_var x = ad_slice(row, 0, 0, X), y = ad_slice(row, 0, X + 1, LABELS - 1);
    return ad_neg(ad_dot(ad_add(ad_matmul(x, theta[0]), theta[1]), y));
}

static gibbs_status make_model(ebm_model **model, gibbs_error *error)
{
    static const double labels[LABELS * LABELS] = {1, 0, 0, 0, 1, 0, 0, 0, 1};
    const ebm_parameter theta[] = {{"W", ad_mat(X, LABELS - 1), EBM_INIT_CONSTANT, 0},
                                   {"b", ad_vec(LABELS - 1), EBM_INIT_CONSTANT, 0}};
    ebm_model_spec spec = {0};
    spec.dim = ROW, spec.parameters = theta, spec.parameter_count = 2, spec.energy = energy;
    spec.given = X, spec.labels = labels, spec.label_count = LABELS;
    return ebm_model_new(&spec, model, error);
}

static gibbs_status fit(const settings *set, ebm_model *model, const ebm_data *data, ebm_uncertainty *u,
                        gibbs_error *error)
{
    ebm_fit_options options = {0};
    options.loss = &ebm_loss_conditional_ml, options.lbfgs = 1, options.steps = 2000;
    options.weight_decay = set->ridge, options.threads = (int)set->common.threads;
    gibbs_status status = fit_model(&set->common, NULL, model, data, &options, NULL, error);
    return status ? status : ebm_standard_errors(model, data, &options, u, error);
}

/* ---- The same by Newton's method -------------------------------------------------------------------------------- */

/* Solves A d = g for a positive definite A [P,P], both overwritten: Gauss, without pivoting. */
static void solve(double A[P][P], double *g)
{
    for (int i = 0; i < P; i++)
        for (int r = i + 1; r < P; r++) {
            double f = A[r][i] / A[i][i];
            for (int c = i; c < P; c++) A[r][c] -= f * A[i][c];
            g[r] -= f * g[i];
        }
    for (int i = P - 1; i >= 0; i--) {
        for (int c = i + 1; c < P; c++) g[i] -= A[i][c] * g[c];
        g[i] /= A[i][i];
    }
}

/* Gradient and Hessian of −mean log p(y | x) + ½ ridge ‖w‖², w[j][k] of input j (X: the constant) and label k + 1. */
static void derivatives(const ebm_data *data, double ridge, const double *w, double *g, double H[P][P])
{
    for (int i = 0; i < P; i++) g[i] = ridge * w[i];
    for (int i = 0; i < P; i++)
        for (int j = 0; j < P; j++) H[i][j] = i == j ? ridge : 0;
    for (int64_t n = 0; n < data->rows; n++) {
        const double *row = data->x + n * ROW;
        double x[ONE] = {row[0], row[1], row[2], row[3], 1}, p[2] = {0}, z;
        for (int i = 0; i < P; i++) p[i % 2] += x[i / 2] * w[i];
        z = 1 + exp(p[0]) + exp(p[1]);
        for (int k = 0; k < 2; k++) p[k] = exp(p[k]) / z;
        for (int i = 0; i < P; i++) {
            g[i] += x[i / 2] * (p[i % 2] - row[X + 1 + i % 2]) / (double)data->rows;
            for (int j = 0; j < P; j++)
                H[i][j] += x[i / 2] * x[j / 2] * p[i % 2] * ((i % 2 == j % 2) - p[j % 2]) / (double)data->rows;
        }
    }
}

/* The loss is convex, the ridge keeps the steps short enough from 0. */
static void newton(const ebm_data *data, double ridge, double *w)
{
    double g[P], H[P][P];
    memset(w, 0, P * sizeof *w);
    for (int step = 0; step < 50; step++) {
        derivatives(data, ridge, w, g, H);
        solve(H, g);
        for (int i = 0; i < P; i++) w[i] -= g[i];
    }
}

/* ---- Data and pictures ------------------------------------------------------------------------------------------ */

/* Standardised inputs and a one-hot label from the table's five columns; mean and sd get ROW numbers each. */
static gibbs_status read_table(const char *path, ebm_data *out, double *mean, double *sd, gibbs_error *error)
{
    ebm_data table;
    gibbs_status status = data_read(path, &table, error);
    if (!status && table.cols != X + 1)
        status = fail(error, GIBBS_DATA, "%.200s has %lld column%s; four inputs and a label are needed", path,
                      (long long)table.cols, table.cols == 1 ? "" : "s");
    if (!status) status = ebm_data_one_hot(&table, X, LABELS, out, error);
    if (!status) status = ebm_data_standardise_first(out, X, mean, sd, error);
    ebm_data_free(&table);
    return status;
}

static const char regions[] =
    "set xlabel 'petal length, cm'; set ylabel 'petal width, cm'; unset grid; set autoscale fix\n"
    "set key at screen 0.5, screen 0.03 center horizontal maxrows 1 samplen 1; set bmargin at screen 0.17\n"
    "plot NAME.'.csv' skip 1 using 1:2:3:4:5 with rgbimage notitle, \\\n"
    "  for [k = 0:2] NAME.'-data.csv' skip 1 using 1:($3 == k ? $2 : NaN) with points \\\n"
    "    pt 5 + 2 * k ps 1.1 lc rgb word(BLUE.' '.GREEN.' '.RED, k + 1) \\\n"
    "    title word('setosa versicolor virginica', k + 1)\n";

/* p(label | petal length and width), the other inputs at their means, mixed from three colours; and the data. */
static gibbs_status draw_regions(const settings *set, const ebm_data *data, ebm_model *model, const double *mean,
                                 const double *sd, gibbs_error *error)
{
    static double x[SIDE * SIDE * LABELS * ROW], E[SIDE * SIDE * LABELS], table[SIDE * SIDE * 5], points[3 * 10000];
    static const double colour[LABELS][3] = {{170, 195, 238}, {178, 224, 184}, {246, 186, 180}};
    for (int i = 0; i < SIDE * SIDE * LABELS; i++) {
        double *row = x + i * ROW;
        row[2] = -2 + 4.0 * (i / LABELS % SIDE) / (SIDE - 1), row[3] = -2 + 4.0 * (i / LABELS / SIDE) / (SIDE - 1);
        row[X + i % LABELS] = 1;
    }
    gibbs_status status = ebm_model_energy(model, x, SIDE * SIDE * LABELS, E, NULL, error);
    for (int i = 0; i < SIDE * SIDE; i++) {
        double z = 0, *row = table + 5 * i;
        for (int k = 0; k < 2; k++) row[k] = mean[2 + k] + sd[2 + k] * x[i * LABELS * ROW + 2 + k];
        for (int y = 0; y < LABELS; y++) z += exp(-E[i * LABELS + y]);
        for (int c = 2; c < 5; c++)
            for (int y = 0; y < LABELS; y++) row[c] += exp(-E[i * LABELS + y]) / z * colour[y][c - 2];
    }
    int64_t rows = data->rows < 10000 ? data->rows : 10000;
    for (int64_t i = 0; i < rows; i++) {
        const double *row = data->x + i * ROW;
        for (int k = 0; k < 2; k++) points[3 * i + k] = mean[2 + k] + sd[2 + k] * row[2 + k];
        points[3 * i + 2] = row[X + 1] + 2 * row[X + 2];
    }
    if (!status)
        status = table_write(set->common.out, "conditional-iris.csv", "petal_length,petal_width,red,green,blue",
                             SIDE * SIDE, 5, table, error);
    if (!status)
        status = table_write(set->common.out, "conditional-iris-data.csv", "petal_length,petal_width,species", rows, 3,
                             points, error);
    return status ? status
                  : picture_draw(set->common.out, "conditional-iris",
                                 "p(species | petal) by a conditional energy, for a mean sepal", regions, error);
}

/* ---- Telling ---------------------------------------------------------------------------------------------------- */

static void tell(const settings *set, const ebm_data *data, ebm_model *model, const ebm_uncertainty *u, report *root)
{
    static const char *const name[ONE] = {"sepal length", "sepal width", "petal length", "petal width", "constant"};
    double w[P], theta[P], worst = 0;
    newton(data, set->ridge, w);
    ebm_model_get(model, theta);
    for (int i = 0; i < P; i++) worst = fmax(worst, fabs(theta[i] - w[i]));
    report_numbers(root, "energy", theta, P);
    report_numbers(root, "newton", w, P);
    report_numbers(root, "standard_errors", u->standard_error, P);
    report_number(root, "largest_difference", worst);
    if (set->common.quiet) return;
    printf("%lld rows, λ = %g       versicolor: energy    Newton (se)      virginica: energy    Newton (se)\n",
           (long long)data->rows, set->ridge);
    for (int j = 0; j < ONE; j++) {
        printf("%-25s", name[j]);
        for (int k = 0; k < 2; k++)
            printf("   %12.6f %9.6f (%.3f)", theta[2 * j + k], w[2 * j + k], u->standard_error[2 * j + k]);
        printf("\n");
    }
    printf("largest difference: %.1e. se: standard error. Inputs\n"
           "are standardised, and setosa's coefficients are 0. Setosa is separable: without λ the others would\n"
           "go to infinity.\n"
           "Picture and data: %s/conditional-*\n",
           worst, set->common.out);
}

static gibbs_status run(const settings *set, report *root, gibbs_error *error)
{
    ebm_data data = {0};
    ebm_model *model = NULL;
    ebm_uncertainty u = {0};
    double mean[ROW], sd[ROW];
    gibbs_status status = report_prepare(&set->common, error);
    if (!status) status = read_table(set->data, &data, mean, sd, error);
    if (!status) status = make_model(&model, error);
    if (!status) status = fit(set, model, &data, &u, error);
    if (!status) tell(set, &data, model, &u, root);
    if (!status) status = draw_regions(set, &data, model, mean, sd, error);
    if (!status) status = pitchfork(&set->common, set->rows, set->steps, root, error);
    ebm_uncertainty_free(&u);
    ebm_model_free(model);
    ebm_data_free(&data);
    return status;
}

int main(int argc, char **argv)
{
    settings set = {"examples/data/iris.csv", 0.01, 2000, 1500, {.seed = 1, .threads = 1, .out = "out"}};
    gibbs_error error = {0};
    const option_entry table[] = {
        {"data", "FILE", "A table like iris.csv: sepal and petal, length and width, and the species as 0, 1 or 2",
         &set.data, NULL, NULL},
        DATA_OPTIONS,
        {"ridge", "LAMBDA", "Of the penalty", &set.ridge, &option_positive, NULL},
        {"rows", "N", "Of the real y", &set.rows, &option_several, NULL},
        {"steps", "N", "Of Adam, for the networks of the real y", &set.steps, &option_count, NULL},
    };
    options_read(argc, argv,
                 "Conditional energies: softmax regression beside a Newton fit, and a real y of one peak or two.",
                 table, sizeof table / sizeof *table, &set.common);
    report *root = report_new();
    gibbs_status status = run(&set, root, &error);
    return report_end(root, status, set.common.json, &error);
}
