/* Minibatches, seeds and threads. */
#include "objective_helpers.h"

/* ---- Every row once an epoch ---- */

enum { ROWS = 11, BATCH = 4, BATCHES = 3, EPOCHS = 6 };

/* Rows are unit vectors and the loss is −Σ θ·x: SGD of rate 1 counts in θ how often each row was seen. */
static ad_var record_count(ebm_graph *g) { return ad_neg(ad_batch_sum(g->data, ad_dot(g->x, g->theta[0]))); }
static const ebm_loss count_loss = {.name = "count", .record = record_count};

static ad_var linear(ad_var x, const ad_var *theta, void *context) { return (void)context, ad_dot(x, theta[0]); }

typedef struct seen {
    const ebm_model *model;
    double count[EPOCHS * BATCHES + 1][ROWS];
} seen;

static int look(void *context, const ebm_progress *p)
{
    seen *s = context;
    ebm_model_get(s->model, s->count[p->step]);
    return 0;
}

static void count_rows(int64_t batch, uint64_t seed, gibbs_dtype dtype, seen *s)
{
    double x[ROWS * ROWS] = {0};
    for (int r = 0; r < ROWS; r++) x[r * ROWS + r] = 1;
    ebm_data data = table(x, ROWS, ROWS);
    ebm_model *model = model_of(ROWS, &(ebm_parameter){"t", {1, {ROWS}}, EBM_INIT_CONSTANT, 0}, 1, linear, dtype);
    ebm_fit_options o = {0};
    o.loss = &count_loss;
    o.optimizer = &ebm_sgd;
    o.rate = 1;
    o.steps = EPOCHS * BATCHES;
    o.batch = batch;
    o.seed = seed;
    o.progress = look;
    o.context = s;
    *s = (seen){.model = model};
    OK(ebm_fit(model, &data, &o, NULL, ERROR));
    ebm_model_free(model);
}

static int rows_of_step(const seen *s, int step, int *rows)
{
    int n = 0;
    for (int r = 0; r < ROWS; r++) {
        double times = s->count[step + 1][r] - s->count[step][r];
        cr_expect(times == 0 || times == 1);
        if (times == 1) rows[n++] = r;
    }
    return n;
}

Test(fit_batches, every_row_once_an_epoch)
{
    static seen s;
    int rows[2 * ROWS], orders = 0, first[ROWS];
    for (gibbs_dtype dtype = GIBBS_FLOAT64; dtype <= GIBBS_FLOAT32; dtype++) {
        count_rows(BATCH, 5, dtype, &s);
        rows_of_step(&s, 0, first);
        for (int step = 0; step < EPOCHS * BATCHES; step++) {
            int last = step % BATCHES == BATCHES - 1, n = rows_of_step(&s, step, rows);
            cr_expect(n == (last ? ROWS - (BATCHES - 1) * BATCH : BATCH), "%d rows in step %d", n, step);
            if (step % BATCHES == 0) orders += memcmp(rows, first, BATCH * sizeof *rows) != 0;
            for (int r = 0; last && r < ROWS; r++) cr_expect(s.count[step + 1][r] == step / BATCHES + 1);
        }
    }
    cr_expect(orders >= EPOCHS - 1, "every epoch is shuffled anew: %d differ", orders);
}

Test(fit_batches, a_seed_is_an_order)
{
    static seen a, b, c;
    count_rows(BATCH, 5, GIBBS_FLOAT64, &a);
    count_rows(BATCH, 5, GIBBS_FLOAT64, &b);
    count_rows(BATCH, 6, GIBBS_FLOAT64, &c);
    cr_expect(!memcmp(a.count, b.count, sizeof a.count) && memcmp(a.count, c.count, sizeof a.count));
}

Test(fit_batches, full_batches_see_all_rows_in_every_step)
{
    static const int64_t full[] = {0, ROWS, ROWS + 1, 1000};
    static seen s;
    for (int k = 0; k < COUNT(full); k++) {
        count_rows(full[k], 5, GIBBS_FLOAT64, &s);
        for (int r = 0; r < ROWS; r++) cr_expect(s.count[3][r] == 3);
    }
}

/* ---- New artificial points ---- */

enum { DRAWS = 5, POINTS = 40 };

/* With a rate that moves nothing the losses differ by what is drawn: at step s it is what a refresh with the fit's seed
 * and step s (0 when the draw is kept) gives. Of NCE, which moves c to its estimate first, only the change is asked. */
static void check_redraw(const ebm_loss *loss, ebm_redraw redraw, bool expected)
{
    const plain_energy *e = &energies[PRECISION];
    double *x = normals(POINTS, 0, 1, 1);
    ebm_data data = table(x, POINTS, 1);
    ebm_model *model = e->make();
    ebm_fit_options o = {0};
    ebm_fit_report report;
    o.loss = loss;
    o.loss_options.proposal = test_proposal(e);
    o.loss_options.redraw = redraw;
    o.optimizer = &ebm_sgd;
    o.rate = 1e-200;
    o.steps = DRAWS;
    o.seed = 21;
    OK(ebm_fit(model, &data, &o, &report, ERROR));
    for (uint64_t s = 0; s < DRAWS; s++) {
        if (s) cr_expect((report.history_loss[s] != report.history_loss[s - 1]) == expected, "%s", loss->name);
        if (loss->learns_log_z) continue;
        ebm_objective *objective =
            objective_at(model, loss, &o.loss_options, NULL, x, POINTS, o.seed, expected ? s : 0);
        cr_expect(value_of(objective) == report.history_loss[s], "%s, step %d", loss->name, (int)s);
        ebm_objective_free(objective);
    }
    ebm_fit_report_free(&report);
    ebm_proposal_free((ebm_proposal *)o.loss_options.proposal);
    ebm_model_free(model);
    free(x);
}

Test(fit_batches, redraws)
{
    check_redraw(&ebm_loss_ml_is, EBM_REDRAW_AUTOMATIC, false);
    check_redraw(&ebm_loss_ml_is, EBM_REDRAW_EACH_STEP, true);
    check_redraw(&ebm_loss_nce, EBM_REDRAW_AUTOMATIC, true);
    check_redraw(&ebm_loss_nce, EBM_REDRAW_NEVER, false);
    check_redraw(&ebm_loss_cd, EBM_REDRAW_AUTOMATIC, true);
    check_redraw(&ebm_loss_score_matching, EBM_REDRAW_AUTOMATIC, false);
}

/* ---- The same bits ---- */

enum { MANY = 2000, FITS = 6 };

typedef struct variant {
    const ebm_loss *loss;
    gibbs_dtype dtype;
    int64_t batch;
    uint64_t seed;
    int threads, lbfgs;
} variant;

typedef struct outcome {
    int64_t bytes;
    void *theta;
    double loss[FITS], norm[FITS], health, log_z;
} outcome;

static ebm_model *small_mlp(gibbs_dtype dtype)
{
    ebm_model *model;
    const int64_t widths[] = {24, 16};
    const ebm_mlp_spec spec = {.dim = 2, .widths = widths, .layers = 2, .activation = ad_tanh, .base_sd = 2,
                               .dtype = dtype, .seed = 1};
    OK(ebm_model_mlp(&spec, &model, ERROR));
    return model;
}

static outcome fit_once(const variant *v, const double *x)
{
    ebm_data data = table((double *)x, MANY, 2);
    ebm_model *model = small_mlp(v->dtype);
    ebm_fit_options o = {0};
    ebm_fit_report report;
    outcome out = {.bytes = ebm_model_size(model) * (int64_t)gibbs_dtype_size(v->dtype)};
    o.loss = v->loss;
    o.loss_options.noise_ratio = 1;
    o.steps = FITS;
    o.batch = v->batch;
    o.rate = 1e-2;
    o.seed = v->seed;
    o.threads = v->threads;
    o.lbfgs = v->lbfgs;
    OK(ebm_fit(model, &data, &o, &report, ERROR));
    out.theta = memcpy(malloc((size_t)out.bytes), ebm_model_theta(model), (size_t)out.bytes);
    memcpy(out.loss, report.history_loss, (size_t)report.history_count * sizeof(double));
    memcpy(out.norm, report.history_norm, (size_t)report.history_count * sizeof(double));
    out.health = report.health;
    out.log_z = report.log_z;
    ebm_fit_report_free(&report);
    ebm_model_free(model);
    return out;
}

static bool same(outcome a, outcome b)
{
    return !memcmp(a.theta, b.theta, (size_t)a.bytes) && !memcmp(a.loss, b.loss, sizeof a.loss) &&
           !memcmp(a.norm, b.norm, sizeof a.norm) && !memcmp(&a.health, &b.health, sizeof a.health) &&
           !memcmp(&a.log_z, &b.log_z, sizeof a.log_z);
}

/* One thread, two, and one again; then another seed, which must matter when anything is drawn. */
static void check_bits(variant v, const double *x)
{
    outcome out[4];
    bool draws = v.batch || (v.loss != &ebm_loss_score_matching);
    for (int k = 0; k < 4; k++) {
        v.threads = k == 1 ? 2 : 1;
        v.seed = k < 3 ? 9 : 10;
        out[k] = fit_once(&v, x);
    }
    const char *name = v.loss->name;
    cr_expect(same(out[0], out[1]), "%s, dtype %d, batch %d: 1 and 2 threads differ", name, v.dtype, (int)v.batch);
    cr_expect(same(out[0], out[2]), "%s: the same again differs", name);
    cr_expect(same(out[0], out[3]) == !draws, "%s, batch %d: another seed", name, (int)v.batch);
    for (int k = 0; k < 4; k++) free(out[k].theta);
}

static void check_loss(const ebm_loss *loss)
{
    static const double mean[] = {0.5, -0.25}, L[] = {1.1, 0, 0.4, 0.9};
    double *x = normals2(MANY, mean, L, 1);
    for (gibbs_dtype dtype = GIBBS_FLOAT64; dtype <= GIBBS_FLOAT32; dtype++) {
        if (in_sweep(dtype + 1, 2)) check_bits((variant){.loss = loss, .dtype = dtype, .batch = 768}, x);
        if (!in_sweep(dtype, 2)) continue;
        check_bits((variant){.loss = loss, .dtype = dtype}, x);
        if (loss->deterministic) check_bits((variant){.loss = loss, .dtype = dtype, .lbfgs = 1}, x);
    }
    free(x);
}

Test(fit_bits, ml_is) { check_loss(&ebm_loss_ml_is); }
Test(fit_bits, cd) { check_loss(&ebm_loss_cd); }
Test(fit_bits, score_matching) { check_loss(&ebm_loss_score_matching); }
Test(fit_bits, nce) { check_loss(&ebm_loss_nce); }
