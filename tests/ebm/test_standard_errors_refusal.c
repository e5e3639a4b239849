/* What ebm_standard_errors refuses, in which words, leaving nothing behind; and the eigenvalues under it. */
#include "ebm/inference/symmetric.h"
#include "ebm/objective_helpers.h"

enum { ROWS = 20 };

static ad_var rough_graph(ad_var x, const ad_var *theta, void *context)
{
    (void)context;
    return ad_sum(ad_square(ad_relu(ad_sub(x, theta[0]))));
}
static ad_var infinite_graph(ad_var x, const ad_var *theta, void *context)
{
    (void)context;
    return ad_mul(ad_exp(ad_scale(theta[0], 1000)), ad_sum(ad_square(x)));
}
static ad_var held_record(ebm_graph *g)
{
    ad_var E = ebm_graph_energy(g, g->x);
    return ad_batch_mean(g->data, ad_mul(E, ad_stop_gradient(E)));
}
static const ebm_loss loss_held = {.name = "held", .deterministic = 1, .record = held_record};
/* Minus the score matching loss: its minimum is a maximum. */
static ad_var upside_down_record(ebm_graph *g) { return ad_neg(ebm_loss_score_matching.record(g)); }
static const ebm_loss loss_upside_down = {.name = "upside-down", .deterministic = 1, .record = upside_down_record};

typedef struct refusal {
    const char *part;
    gibbs_status status;
    const ebm_loss *loss;
    ebm_energy_fn energy;
    int64_t dim;    /* the parameter has so many elements */
    double decay;
    int cols;
} refusal;

static const refusal refusals[] = {
    {"cd is no mean over independent samples", GIBBS_ARGUMENT, &ebm_loss_cd, precision_graph, 1, 0, 1},
    {"pcd is no mean", GIBBS_ARGUMENT, &ebm_loss_pcd, precision_graph, 1, 0, 1},
    {"improved-cd is no mean", GIBBS_ARGUMENT, &ebm_loss_improved_cd, precision_graph, 1, 0, 1},
    {"501 parameters; from 1 to 500", GIBBS_ARGUMENT, &ebm_loss_score_matching, precision_graph, 501, 0, 1},
    {"501 parameters", GIBBS_ARGUMENT, &ebm_loss_nce, precision_graph, 500, 0, 1},
    {"no loss", GIBBS_ARGUMENT, NULL, precision_graph, 1, 0, 1},
    {"2 columns", GIBBS_SHAPE, &ebm_loss_score_matching, precision_graph, 1, 0, 2},
    {"weight_decay is -1", GIBBS_ARGUMENT, &ebm_loss_score_matching, precision_graph, 1, -1, 1},
    {"held holds a part", GIBBS_ARGUMENT, &loss_held, precision_graph, 1, 0, 1},
    {"max", GIBBS_SMOOTH, &ebm_loss_ml_is, rough_graph, 1, 0, 1},
    {"not finite", GIBBS_NUMERIC, &ebm_loss_score_matching, infinite_graph, 1, 0, 1},
    {"curves down", GIBBS_NUMERIC, &loss_upside_down, precision_graph, 1, 0, 1},
};

static ad_var energy_of_first(ad_var x, const ad_var *theta, void *context)
{
    const refusal *r = context;
    ad_var first = ad_sum(theta[0]);
    return r->energy(x, &first, NULL);
}

static void check(const refusal *r)
{
    const ebm_parameter p = {"theta", ad_vec(r->dim), EBM_INIT_CONSTANT, 1};
    ebm_model_spec spec = {0};
    ebm_model *model;
    spec.dim = 1, spec.parameters = &p, spec.parameter_count = 1;
    spec.energy = energy_of_first, spec.context = (void *)r;
    OK(ebm_model_new(&spec, &model, ERROR));
    double *x = normals(2 * ROWS, 0, 1, 4);
    ebm_data data = table(x, ROWS, r->cols);
    ebm_fit_options o = {0};
    ebm_uncertainty u = {.size = 7};
    o.loss = r->loss, o.weight_decay = r->decay;
    FAILS(r->status, r->part, ebm_standard_errors(model, &data, &o, &u, FAIL));
    cr_expect(u.size == 0 && !u.covariance && !u.standard_error, "%s", r->part);
    ebm_model_free(model);
    free(x);
}

Test(standard_errors_refusal, each_in_its_words)
{
    for (int i = 0; i < COUNT(refusals); i++) check(&refusals[i]);
}

/* NCE holds noise that depends on θ constant. */
static ad_var draw(const ebm_proposal *q, ad_var normal, const ad_var *theta)
{
    return (void)q, ad_mul(normal, theta[0]);
}
static ad_var log_density(const ebm_proposal *q, ad_var y, const ad_var *theta)
{
    (void)q;
    ad_var square = ad_sum(ad_square(ad_div(y, theta[0])));
    return ad_shift(ad_sub(ad_scale(square, -0.5), ad_log(theta[0])), -0.5 * log(2 * M_PI));
}
Test(standard_errors_refusal, noise_that_moves_and_is_held)
{
    static const ebm_proposal q = {.name = "q", .dim = 1, .depends_on_theta = 1, .draw = draw,
                                   .log_density = log_density};
    double *x = normals(ROWS, 0, 1, 4);
    ebm_data data = table(x, ROWS, 1);
    ebm_model *model = precision_make();
    ebm_fit_options o = {0};
    ebm_uncertainty u;
    o.loss = &ebm_loss_nce, o.loss_options.proposal = &q;
    FAILS(GIBBS_ARGUMENT, "nce holds a part", ebm_standard_errors(model, &data, &o, &u, FAIL));
    ebm_model_free(model);
    free(x);
}

Test(standard_errors_refusal, null_pointers_and_bad_data)
{
    double x[] = {1, NAN};
    ebm_data data = table(x, 2, 1), empty = {0};
    ebm_model *model = precision_make();
    ebm_fit_options o = {0};
    ebm_uncertainty u;
    o.loss = &ebm_loss_score_matching;
    FAILS(GIBBS_ARGUMENT, "standard errors", ebm_standard_errors(NULL, &data, &o, &u, FAIL));
    FAILS(GIBBS_ARGUMENT, "standard errors", ebm_standard_errors(model, NULL, &o, &u, FAIL));
    FAILS(GIBBS_ARGUMENT, "standard errors", ebm_standard_errors(model, &data, NULL, &u, FAIL));
    FAILS(GIBBS_ARGUMENT, "standard errors", ebm_standard_errors(model, &data, &o, NULL, FAIL));
    FAILS(GIBBS_DATA, "row 2", ebm_standard_errors(model, &data, &o, &u, FAIL));
    FAILS(GIBBS_DATA, "", ebm_standard_errors(model, &empty, &o, &u, FAIL));
    cr_expect_eq(ebm_standard_errors(NULL, NULL, NULL, NULL, NULL), GIBBS_ARGUMENT);
    ebm_uncertainty_free(NULL);
    ebm_uncertainty_free(&u);
    ebm_uncertainty_free(&u);
    ebm_model_free(model);
}

/* One row, or rows that are all alike, say nothing of chance. */
Test(standard_errors_refusal, rows_that_do_not_differ)
{
    double x[ROWS], one = 1;
    ebm_fit_options o = {.loss = &ebm_loss_score_matching};
    ebm_parameter p = {"lambda", ad_scalar(), EBM_INIT_CONSTANT, 1};
    ebm_model *model = model_of(1, &p, 1, precision_graph, GIBBS_FLOAT64);
    for (int i = 0; i < ROWS; i++) x[i] = 0.7;
    for (int rows = 1; rows <= ROWS; rows += ROWS - 1) {
        ebm_data data = table(rows > 1 ? x : &one, rows, 1);
        ebm_uncertainty u;
        const ebm_errors_options how = {.method = EBM_ERRORS_SANDWICH};
        FAILS(GIBBS_NUMERIC, rows > 1 ? "do not differ" : "one row",
              ebm_standard_errors_by(model, &data, &o, &how, &u, FAIL));
        cr_expect(!u.covariance);
        x[0] = 0.71; /* the control */
        if (rows > 1) OK(ebm_standard_errors(model, &data, &o, &u, ERROR));
        ebm_uncertainty_free(&u);
        x[0] = 0.7;
    }
    ebm_model_free(model);
}

/* ---- Eigenvalues ---- */

Test(standard_errors_refusal, eigenvectors_make_the_matrix)
{
    enum { N = 23 };
    double a[N * N], value[N + N * N], *q = value + N;
    const gibbs_allocator plain = gibbs_allocator_or_default(NULL);
    uint64_t state = 5;
    for (int i = 0; i < N; i++)
        for (int j = 0; j <= i; j++) a[i * N + j] = a[j * N + i] = sampling_uniform(&state) - 0.5;
    OK(ebm_eigen(N, a, value, &plain, ERROR));
    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++) {
            double again = 0, dot = 0;
            for (int k = 0; k < N; k++) {
                again += value[k] * q[k * N + i] * q[k * N + j];
                dot += q[i * N + k] * q[j * N + k];
            }
            cr_expect_float_eq(again, a[i * N + j], 1e-13);
            cr_expect_float_eq(dot, i == j, 1e-13);
        }
    a[3] = NAN;
    FAILS(GIBBS_NUMERIC, "not finite", ebm_eigen(N, a, value, &plain, FAIL));
    a[3] = INFINITY;
    FAILS(GIBBS_NUMERIC, "not finite", ebm_eigen(N, a, value, &plain, FAIL));
}

/* c = AB */
static void product(int n, const double *a, const double *b, double *c)
{
    for (int i = 0; i < n * n; i++) {
        c[i] = 0;
        for (int k = 0; k < n; k++) c[i] += a[i / n * n + k] * b[k * n + i % n];
    }
}

/* What counts as unseen does not depend on units: diag(1e9, 1e-9) has rank 2. */
Test(standard_errors_refusal, units_do_not_hide_a_direction)
{
    gibbs_allocator a = gibbs_allocator_or_default(NULL);
    double inverse[4], seen[2], h[4] = {1e9, 0, 0, 1e-9};
    ebm_inverse out = {.inverse = inverse, .seen = seen};
    OK(ebm_invert_hessian(2, h, &out, &a, ERROR));
    cr_expect_eq(out.rank, 2);
    expect_close(inverse[0] * 1e9, 1, 1e-14, "large");
    expect_close(inverse[3] / 1e9, 1, 1e-14, "small");
}

/* The four conditions of Penrose (1955), for matrices of every rank whose parameters have units apart. */
Test(standard_errors_refusal, moore_penrose_inverses)
{
    enum { N = 5 };
    gibbs_allocator a = gibbs_allocator_or_default(NULL);
    for (int rank = 1; rank <= N; rank++) {
        double h[N * N] = {0}, g[N * N], hg[N * N], gh[N * N], hgh[N * N], ghg[N * N], used[N * N], seen[N], total = 0;
        ebm_inverse out = {.inverse = g, .seen = seen};
        for (int r = 0; r < rank; r++)
            for (int i = 0; i < N * N; i++)
                h[i] += cos((r + 1.5) * (i / N)) * cos((r + 1.5) * (i % N)) * pow(3, i / N + i % N);
        memcpy(used, h, sizeof h);
        OK(ebm_invert_hessian(N, used, &out, &a, ERROR));
        cr_expect_eq(out.rank, rank, "%d", (int)out.rank);
        product(N, h, g, hg), product(N, g, h, gh), product(N, hg, h, hgh), product(N, gh, g, ghg);
        for (int i = 0; i < N * N; i++) {
            cr_expect_float_eq(hgh[i], h[i], 1e-7 * fabs(h[N * N - 1]), "rank %d: HGH", rank);
            cr_expect_float_eq(ghg[i], g[i], 1e-7 * (1 + fabs(g[0])), "rank %d: GHG", rank);
            cr_expect_float_eq(hg[i], hg[i % N * N + i / N], 1e-7, "rank %d: HG is symmetric", rank);
        }
        for (int i = 0; i < N; i++) {
            cr_expect_float_eq(seen[i], hg[i * N + i], 1e-7, "rank %d: seen", rank);
            total += seen[i];
        }
        cr_expect_float_eq(total, rank, 1e-9);
    }
}
