/* Options: a zeroed struct, NULL and the documented defaults written out give the same numbers to the last bit; another
 * value of an option does not, so that each is seen to be read; one out of its range is refused by its name. One list
 * of rows for each struct of the public headers, and the last test finds those that have none. */
#include "base/options.h"
#include "objective_helpers.h"

#include <stdio.h>

enum { ROWS = 12, MOST = 16, MOST_BYTES = 1024 };

typedef struct option {
    gibbs_option is;   /* its place, and what 0 means; no range */
    double other, bad; /* a value that changes the numbers (0: none does here), one that is refused (0: none is) */
} option;
#define OPTION(type, field, standard, other, bad) \
    {GIBBS_OPTION(type, field, standard, '[', -INFINITY, INFINITY, ']'), other, bad}

typedef struct subject {
    const char *name;
    size_t size;
    gibbs_status (*run)(const void *options, double *out, gibbs_error *error); /* out[MOST], zeroed before */
    void (*write_out)(void *options); /* the defaults that are no numbers; NULL: there are none */
    bool needs;                       /* something must be set, which `run` sets: NULL is refused */
    int count;
    option option[12];
} subject;

static double *data_rows(void)
{
    static double x[ROWS];
    for (int i = 0; i < ROWS; i++) x[i] = sin(1.3 * i) + 0.1 * i;
    return x;
}

/* ---- What is done with each ---- */

/* The second column is the weights; the lists come with their counts. */
static gibbs_status run_read(const void *options, double *out, gibbs_error *error)
{
    static const char text[] = "5,2\n7,4\n";
    static const char *const first[] = {"1"};
    ebm_read_options o = options ? *(const ebm_read_options *)options : (ebm_read_options){.weight = "2"};
    ebm_data data;
    o.weight = "2";
    o.columns = o.column_count ? first : NULL;
    o.labels = o.label_count ? first : NULL;
    gibbs_status status = ebm_data_parse_with(text, sizeof text - 1, "t", &o, NULL, &data, NULL, error);
    if (status) return status;
    out[0] = (double)data.rows, out[1] = data.x[0], out[2] = data.weight_kind;
    ebm_data_free(&data);
    return status;
}

static gibbs_status run_fit(const void *options, double *out, gibbs_error *error)
{
    ebm_model *model = energies[QUARTIC].make();
    ebm_data data = table(data_rows(), ROWS, 1);
    ebm_fit_options o = *(const ebm_fit_options *)options;
    ebm_fit_report report;
    o.loss = &ebm_loss_score_matching;
    o.optimizer = &ebm_adam; /* most of the options are its */
    gibbs_status status = ebm_fit(model, &data, &o, &report, error);
    ebm_model_get(model, out);
    out[2] = report.loss, out[3] = (double)report.best_step, out[4] = (double)report.steps;
    ebm_fit_report_free(&report);
    ebm_model_free(model);
    return status;
}

static void write_fit(void *options)
{
    ebm_fit_options *o = options;
    o->schedule = EBM_SCHEDULE_CONSTANT;
}

/* Three losses, which read different options. */
static gibbs_status run_loss(const void *options, double *out, gibbs_error *error)
{
    static const ebm_loss *const losses[] = {&ebm_loss_ml_is, &ebm_loss_improved_cd, &ebm_loss_denoising};
    ebm_proposal *q = test_proposal(&energies[QUARTIC]);
    gibbs_status status = GIBBS_OK;
    for (int k = 0; k < COUNT(losses) && !status; k++) {
        ebm_model *model = energies[QUARTIC].make();
        ebm_objective *o;
        ebm_loss_options own = {0};
        if (options) own = *(const ebm_loss_options *)options;
        if (losses[k]->noise == EBM_NOISE_PROPOSAL) own.proposal = q;
        bool null = !options && !own.proposal;
        status = ebm_objective_new(model, losses[k], null ? NULL : &own, &o, error);
        if (!status) OK(ebm_objective_bind(o, data_rows(), ROWS, ERROR));
        if (!status) OK(ebm_objective_refresh(o, 3, 4, ERROR));
        if (!status) out[3 * k] = value_of(o);
        if (!status) memcpy(out + 3 * k + 1, ebm_objective_gradient(o), 2 * sizeof *out);
        if (!status) ebm_objective_free(o);
        ebm_model_free(model);
    }
    ebm_proposal_free(q);
    return status;
}

static void write_loss(void *options)
{
    static const double bits[] = {0, 1};
    ebm_loss_options *o = options;
    o->redraw = EBM_REDRAW_EACH_STEP;
    o->sampler = &ebm_ula;
    o->space = (ebm_space){.variables = 1, .labels = 2, .values = bits};
}

static gibbs_status run_sampler(const ebm_sampler *sampler, const void *options, double *out, gibbs_error *error)
{
    ebm_model *model = energies[QUARTIC].make();
    ebm_chains *chains;
    ebm_chain_options o = {0};
    if (options) o = *(const ebm_chain_options *)options;
    if (sampler) o.sampler = sampler;
    gibbs_status status = ebm_chains_new(model, options || sampler ? &o : NULL, &chains, error);
    if (!status) OK(ebm_chains_start(chains, data_rows(), ROWS, ERROR));
    if (!status) OK(ebm_chains_run(chains, 25, 1, 0, ERROR));
    if (!status) {
        double x[ROWS];
        ebm_chains_get(chains, x);
        memcpy(out, x, 4 * sizeof *out);
        ebm_chains_free(chains);
    }
    ebm_model_free(model);
    return status;
}

static gibbs_status run_chain(const void *options, double *out, gibbs_error *error)
{
    gibbs_status status = run_sampler(NULL, options, out, error);
    return status ? status : run_sampler(&ebm_hmc, options, out + 4, error);
}

static void write_chain(void *options)
{
    static const double bits[] = {0, 1}, mass[] = {1};
    ebm_chain_options *o = options;
    o->sampler = &ebm_mala;
    o->mass = mass;
    o->space = (ebm_space){.variables = 1, .labels = 2, .values = bits};
}

/* An order, of a discrete x. */
static gibbs_status run_order(const void *options, double *out, gibbs_error *error)
{
    ebm_chain_options o = *(const ebm_chain_options *)options;
    double x[ROWS * 4] = {0};
    ebm_mrf_spec spec = {.space = {.variables = 4}};
    ebm_model *model;
    ebm_chains *chains;
    OK(ebm_model_ising(&spec, &model, ERROR));
    o.sampler = &ebm_gibbs;
    gibbs_status status = ebm_chains_new(model, &o, &chains, error);
    if (!status) {
        OK(ebm_chains_start(chains, x, ROWS, ERROR));
        OK(ebm_chains_run(chains, 3, 1, 0, ERROR));
        ebm_chains_get(chains, x);
        for (int k = 0; k < ROWS * 4; k++) out[k % 4] += x[k] * (k + 1);
        ebm_chains_free(chains);
    }
    ebm_model_free(model);
    return status;
}

static void write_order(void *options)
{
    static const double bits[] = {0, 1};
    ebm_chain_options *o = options;
    o->space = (ebm_space){.variables = 4, .labels = 2, .values = bits};
}

/* swap_every is of no use without temperatures. */
static gibbs_status run_ladder(const void *options, double *out, gibbs_error *error)
{
    static const double beta[] = {1, 0.2};
    ebm_chain_options o = *(const ebm_chain_options *)options;
    o.inverse_temperatures = beta, o.temperatures = 2;
    return run_sampler(&ebm_random_walk, &o, out, error);
}

static gibbs_status run_ais(const void *options, double *out, gibbs_error *error)
{
    ebm_model *model = energies[QUARTIC].make();
    ebm_proposal *q = test_proposal(&energies[QUARTIC]);
    ebm_ais_options o = *(const ebm_ais_options *)options;
    ebm_ais result = {0};
    o.base = q;
    gibbs_status status = ebm_ais_forward(model, &o, 5, NULL, NULL, &result, error);
    out[0] = result.log_z, out[1] = result.ess, out[2] = result.acceptance;
    ebm_proposal_free(q);
    ebm_model_free(model);
    return status;
}

static gibbs_status run_following(const void *options, double *out, gibbs_error *error)
{
    ebm_model *model = energies[QUARTIC].make();
    ebm_proposal *family = test_proposal(&energies[QUARTIC]), *q;
    ebm_importance result = {0};
    gibbs_status status = ebm_proposal_following(model, family, options, NULL, &q, error);
    ((double *)ebm_model_theta(model))[0] += 0.1;
    if (!status) OK(ebm_importance_sample(model, q, 5, 3, NULL, NULL, &result, ERROR));
    out[0] = result.log_z, out[1] = result.ess;
    ebm_proposal_free(q);
    ebm_proposal_free(family);
    ebm_model_free(model);
    return status;
}

static gibbs_status run_audit(const void *options, double *out, gibbs_error *error)
{
    ebm_model *model = energies[QUARTIC].make();
    ebm_proposal *q = test_proposal(&energies[QUARTIC]);
    ebm_audit audit;
    gibbs_status status = ebm_audit_proposal(model, q, options, &audit, error);
    if (!status) out[0] = audit.row[0].weights.log_z, out[1] = audit.row[0].verdict, out[2] = audit.row[0].weights.ess;
    ebm_audit_free(&audit);
    ebm_proposal_free(q);
    ebm_model_free(model);
    return status;
}

static gibbs_status run_errors(const void *options, double *out, gibbs_error *error)
{
    ebm_model *model = energies[QUARTIC].make();
    ebm_proposal *q = test_proposal(&energies[QUARTIC]);
    ebm_data data = table(data_rows(), ROWS, 1);
    ebm_fit_options fit = {.loss = &ebm_loss_ml_is, .loss_options = {.proposal = q, .noise_ratio = 100}};
    ebm_uncertainty u;
    gibbs_status status = ebm_standard_errors_by(model, &data, &fit, options, &u, error);
    for (int i = 0; !status && i < u.size; i++) out[i] = u.standard_error[i];
    ebm_uncertainty_free(&u);
    ebm_proposal_free(q);
    ebm_model_free(model);
    return status;
}

/* E = −θx of one bit. */
static ad_var bit_energy(ad_var x, const ad_var *theta, void *context)
{
    return (void)context, ad_neg(ad_mul(theta[0], ad_sum(x)));
}

static gibbs_status bit_draws(const double *theta, int64_t rows, uint64_t seed, double *x, void *context,
                              gibbs_error *error)
{
    (void)context, (void)error;
    for (int64_t r = 0; r < rows; r++) x[r] = sampling_uniform(&seed) < 1 / (1 + exp(-theta[0]));
    return GIBBS_OK;
}

static gibbs_status run_mcml(const void *options, double *out, gibbs_error *error)
{
    double bits[] = {1, 0, 0};
    const ebm_parameter p = {"theta", ad_scalar(), EBM_INIT_CONSTANT, 0};
    ebm_model *model = model_of(1, &p, 1, bit_energy, GIBBS_FLOAT64);
    ebm_data data = table(bits, 3, 1);
    ebm_mcml_options o = *(const ebm_mcml_options *)options;
    ebm_mcml r;
    o.simulate = bit_draws;
    gibbs_status status = ebm_monte_carlo_ml(model, &data, &o, &r, error);
    ebm_model_get(model, out);
    ebm_mcml_free(&r);
    ebm_model_free(model);
    return status;
}

static gibbs_status run_summary(const void *options, double *out, gibbs_error *error)
{
    ebm_model *model = energies[QUARTIC].make();
    double numbers[8] = {1, 1, 1, 1, 1, 1, 1, 1};
    const ebm_uncertainty u = {.size = 2, .covariance = numbers, .standard_error = numbers, .noise_error = numbers};
    ebm_summary_options o = {0};
    if (options) o = *(const ebm_summary_options *)options;
    o.uncertainty = &u;
    char *text;
    gibbs_status status = ebm_summary(model, &o, &text, error);
    for (int i = 0; text && text[i]; i++) out[i % 8] += text[i] * (i + 1.);
    ebm_summary_free(model, text);
    ebm_model_free(model);
    return status;
}

static gibbs_status run_ratio(const void *options, double *out, gibbs_error *error)
{
    ebm_model *model = energies[QUARTIC].make();
    ebm_proposal *q = test_proposal(&energies[QUARTIC]);
    const ebm_chain_options chain = {.sampler = &ebm_independence_mh, .proposal = q};
    const ebm_draw_options draw = {.chain = &chain, .warm_up = 1, .steps = 100, .r_hat = INFINITY};
    ebm_data data = table(data_rows(), ROWS, 1);
    ebm_ratio_options o = {0};
    ebm_ratio result = {0};
    double from[4], to[4];
    if (options) o = *(const ebm_ratio_options *)options;
    o.draw = &draw;
    ebm_model_get(model, from);
    ebm_model_get(model, to);
    to[0] += 0.2;
    gibbs_status status = ebm_log_z_ratio(model, from, to, &data, &o, &result, error);
    out[0] = result.bridge, out[1] = result.path, out[2] = result.path_error;
    ebm_proposal_free(q);
    ebm_model_free(model);
    return status;
}

static void write_ais(void *options)
{
    ebm_ais_options *o = options;
    o->chain = (ebm_chain_options){.sampler = &ebm_mala, .step = 0.01};
}

static gibbs_status run_ksd(const void *options, double *out, gibbs_error *error)
{
    ebm_model *model = energies[QUARTIC].make();
    ebm_data data = table(data_rows(), ROWS, 1);
    ebm_ksd result;
    gibbs_status status = ebm_ksd_test(model, &data, options, &result, error);
    if (!status) out[0] = result.statistic, out[1] = result.p_value, out[2] = result.length;
    ebm_model_free(model);
    return status;
}

static gibbs_status run_draws(const void *options, double *out, gibbs_error *error)
{
    ebm_model *model = energies[PRECISION].make();
    ebm_chains *chains;
    ebm_draws draws;
    OK(ebm_chains_new(model, NULL, &chains, ERROR));
    OK(ebm_chains_start(chains, data_rows(), ROWS, ERROR));
    gibbs_status status = ebm_chains_draws(chains, options, &draws, error);
    if (!status) out[0] = (double)draws.draws, out[1] = draws.x[draws.draws * draws.chains - 1];
    ebm_draws_free(&draws);
    ebm_chains_free(chains);
    ebm_model_free(model);
    return status;
}

static gibbs_status run_trace(const void *options, double *out, gibbs_error *error)
{
    ebm_model *model = energies[QUARTIC].make();
    ebm_chains *chains;
    ebm_trace result = {0};
    OK(ebm_chains_new(model, NULL, &chains, ERROR));
    OK(ebm_chains_start(chains, data_rows(), ROWS, ERROR));
    gibbs_status status = ebm_chains_trace(chains, options, NULL, &result, error);
    out[0] = result.mean, out[1] = result.ess, out[2] = result.r_hat;
    ebm_chains_free(chains);
    ebm_model_free(model);
    return status;
}

static gibbs_status run_draw(const void *options, double *out, gibbs_error *error)
{
    ebm_model *model = energies[QUARTIC].make();
    ebm_data data = table(data_rows(), ROWS, 1);
    ebm_draw_report report = {0};
    gibbs_status status = ebm_model_draw(model, &data, 3, options, out, &report, error);
    out[3] = report.step, out[4] = report.r_hat;
    if (status == GIBBS_NUMERIC) status = GIBBS_OK, out[5] = 1; /* not mixed: another number, too */
    ebm_model_free(model);
    return status;
}

static gibbs_status run_predict(const void *options, double *out, gibbs_error *error)
{
    const ebm_regression_spec spec = {.response = EBM_LOGISTIC, .given = 1};
    ebm_model *model;
    OK(ebm_model_regression(&spec, &model, ERROR));
    ebm_model_set(model, (double[]){0.7, 0.4});
    gibbs_status status = ebm_predict(model, options, data_rows(), 4, out, NULL, NULL, error);
    ebm_model_free(model);
    return status;
}

static gibbs_status valley(void *context, int64_t n, const double *w, double *f, double *g, gibbs_error *unused)
{
    double a = 1 - w[0], b = w[1] - w[0] * w[0];
    (void)context, (void)n, (void)unused;
    *f = a * a + 100 * b * b;
    g[0] = -2 * a - 400 * w[0] * b, g[1] = 200 * b;
    return GIBBS_OK;
}

static gibbs_status run_lbfgs(const void *options, double *out, gibbs_error *error)
{
    ebm_lbfgs_result result;
    out[0] = -1.2, out[1] = 1;
    gibbs_status status = ebm_lbfgs(2, out, valley, NULL, options, &result, error);
    out[2] = result.evaluations, out[3] = result.iterations;
    return status;
}

static gibbs_status run_check(const void *options, double *out, gibbs_error *error)
{
    ad_tape *tape = ad_tape_new(GIBBS_FLOAT64, NULL);
    ad_axis axis = ad_axis_new(tape, "rows");
    ad_var x = ad_input(axis, "x", ad_vec(2));
    const double *values[] = {data_rows()};
    ad_check_result result;
    gibbs_status status = ad_check_gradient(ad_sum(ad_exp(x)), &x, values, 1, options, &result, error);
    out[0] = result.gradient;
    if (status == GIBBS_NUMERIC) status = GIBBS_OK, out[1] = 1; /* above the tolerance */
    ad_tape_free(tape);
    return status;
}

/* x ← 1.5x + ε, `repeat` times. */
static gibbs_status run_plan(const ad_plan_options *more, const void *options, double *out, gibbs_error *error)
{
    ad_tape *tape = ad_tape_new(GIBBS_FLOAT64, NULL);
    ad_axis axis = ad_axis_new(tape, "rows");
    ad_var x = ad_input(axis, "x", ad_scalar());
    ad_var y = ad_add(ad_scale(x, 1.5), ad_normal(axis, ad_scalar(), 7));
    const ad_carry carry = {0, x};
    ad_plan_options plain = {0};
    if (more) plain = *more;
    if (options) plain.carry = &carry, plain.carries = 1;
    ad_plan *plan = NULL;
    ad_workspace *w = NULL;
    gibbs_status status = ad_compile(&y, 1, more || options ? &plain : NULL, &plan, error);
    if (!status) OK(ad_workspace_new(plan, &w, ERROR));
    if (!status) OK(ad_bind(w, x, data_rows(), ERROR));
    if (!status) OK(ad_set_rows(w, axis, ROWS, ERROR));
    if (!status) status = ad_run(w, options, error);
    if (!status) memcpy(out, ad_result(w, 0), ROWS * sizeof *out);
    ad_workspace_free(w);
    ad_plan_free(plan);
    ad_tape_free(tape);
    return status;
}

static gibbs_status run_run(const void *options, double *out, gibbs_error *error)
{
    return run_plan(NULL, options, out, error);
}

static gibbs_status run_compile(const void *options, double *out, gibbs_error *error)
{
    return run_plan(options, NULL, out, error);
}

/* ---- The structs ---- */

#define ROW(field, ...) OPTION(TYPE, field, __VA_ARGS__)
#define COUNTED(...) .count = sizeof((option[]){__VA_ARGS__}) / sizeof(option), .option = {__VA_ARGS__}
#define SUBJECT(type, ...) .name = #type, .size = sizeof(type), __VA_ARGS__

static const subject subjects[] = {
#define TYPE ebm_fit_options
    {SUBJECT(ebm_fit_options, .run = run_fit, .write_out = write_fit, .needs = true,
             COUNTED(ROW(steps, 1000, 999, -1), ROW(batch, 0, 5, -1), ROW(rate, 1e-3, 2e-3, -1),
                     ROW(beta1, 0.9, EBM_ZERO, 1), ROW(beta2, 0.999, EBM_ZERO, NAN), ROW(epsilon, 1e-8, 1, -1e-9),
                     ROW(momentum, 0, 0, -0.5), ROW(weight_decay, 0, 0.1, INFINITY), ROW(clip, 0, 1e-3, -1),
                     ROW(warmup, 0, 10, -1), ROW(validation_every, 10, 0, -1), ROW(patience, 0, 0, -1)))},
    {SUBJECT(ebm_fit_options, .run = run_fit, .write_out = write_fit, .needs = true,
             COUNTED(ROW(average, 0, 0.9, 1), ROW(tolerance, 1e-5, 0, -1), ROW(validation_fraction, 0, 0.25, 1),
                     ROW(threads, 0, 0, -1), ROW(schedule, EBM_SCHEDULE_CONSTANT, EBM_SCHEDULE_COSINE, 4)))},
#undef TYPE
#define TYPE ebm_loss_options
    {SUBJECT(ebm_loss_options, .run = run_loss, .write_out = write_loss,
             COUNTED(ROW(noise_ratio, 10, 2, -1), ROW(redraw, EBM_REDRAW_EACH_STEP, 0, 3),
                     ROW(sampler_steps, 1, 2, -1), ROW(sampler_step, 0.01, 0.1, NAN), ROW(buffer, 0, 0, -1),
                     ROW(restart, 0, 0, 1.5), ROW(noise_sd, 0.1, 0.2, -0.1), ROW(copies, 1, 3, -1),
                     ROW(coefficient, 1, EBM_ZERO, INFINITY), ROW(threads, 0, 0, -1)))},
#undef TYPE
#define TYPE ebm_read_options
    {SUBJECT(ebm_read_options, .run = run_read,
             COUNTED(ROW(header, EBM_HEADER_FOUND, EBM_HEADER_YES, 3), ROW(missing, EBM_MISSING_REFUSE, 0, 2),
                     ROW(column_count, 0, 0, -1), ROW(label_count, 0, 1, -1),
                     ROW(weight_kind, EBM_WEIGHT_COUNTS, EBM_WEIGHT_SAMPLING, 2),
                     ROW(unpacked_limit, 1 << 30, 0, -1)))},
#undef TYPE
#define TYPE ebm_chain_options
    {SUBJECT(ebm_chain_options, .run = run_chain, .write_out = write_chain,
             COUNTED(ROW(step, 0.01, 0.1, -0.1), ROW(threads, 0, 0, -1), ROW(leapfrog_steps, 10, 3, 1001)))},
    {SUBJECT(ebm_chain_options, .run = run_ladder, .write_out = write_chain, .needs = true,
             COUNTED(ROW(swap_every, 10, 1, -1)))},
    {SUBJECT(ebm_chain_options, .run = run_order, .write_out = write_order, .needs = true,
             COUNTED(ROW(order, EBM_ORDER_IN_TURN, EBM_ORDER_RANDOM, 3)))},
#undef TYPE
#define TYPE ebm_ais_options
    {SUBJECT(ebm_ais_options, .run = run_ais, .write_out = write_ais, .needs = true,
             COUNTED(ROW(bridges, 1000, 10, -1), ROW(steps, 1, 2, -1)))},
#undef TYPE
#define TYPE ebm_ksd_options
    {SUBJECT(ebm_ksd_options, .run = run_ksd,
             COUNTED(ROW(length, 0, 3, -1), ROW(bootstrap, 1000, 10, -1), ROW(threads, 0, 0, -1)))},
#undef TYPE
#define TYPE ebm_draws_options
    {SUBJECT(ebm_draws_options, .run = run_draws, COUNTED(ROW(draws, 1000, 900, -1), ROW(thin, 1, 2, -1)))},
#undef TYPE
#define TYPE ebm_trace_options
    {SUBJECT(ebm_trace_options, .run = run_trace, COUNTED(ROW(steps, 1000, 900, 3), ROW(every, 1, 2, -1)))},
#undef TYPE
#define TYPE ebm_following_options
    {SUBJECT(ebm_following_options, .run = run_following, COUNTED(ROW(widen, 1, 1.3, -1), ROW(rows, 4096, 900, 99)))},
#undef TYPE
#define TYPE ebm_audit_options
    {SUBJECT(ebm_audit_options, .run = run_audit, COUNTED(ROW(rows, 10000, 900, 99), ROW(accuracy, 0.01, 5, -1)))},
#undef TYPE
#define TYPE ebm_errors_options
    {SUBJECT(ebm_errors_options, .run = run_errors,
             COUNTED(ROW(method, 0, 2, 4), ROW(rows, 8000, 0, 99), ROW(fits, 200, 0, 9)))},
#undef TYPE
#define TYPE ebm_mcml_options
    {SUBJECT(ebm_mcml_options, .run = run_mcml, .needs = true,
             COUNTED(ROW(rows, 2000, 900, 99), ROW(rounds, 50, 0, 1)))},
#undef TYPE
#define TYPE ebm_summary_options
    {SUBJECT(ebm_summary_options, .run = run_summary, COUNTED(ROW(format, 0, 1, 3), ROW(level, 0.95, 0.5, 1)))},
#undef TYPE
#define TYPE ebm_ratio_options
    {SUBJECT(ebm_ratio_options, .run = run_ratio, COUNTED(ROW(rows, 400, 0, 9), ROW(points, 8, 4, -1)))},
#undef TYPE
#define TYPE ebm_draw_options
    {SUBJECT(ebm_draw_options, .run = run_draw,
             COUNTED(ROW(warm_up, 1000, 10, -1), ROW(steps, 102400, 0, 99), ROW(r_hat, 1.05, 1.0001, 1)))},
#undef TYPE
    {SUBJECT(ebm_predict_options, .run = run_predict, .count = 0)},
#define TYPE ebm_lbfgs_options
    {SUBJECT(ebm_lbfgs_options, .run = run_lbfgs,
             COUNTED(ROW(memory, 6, 1, -1), ROW(max_iterations, 500, 2, -1), ROW(tolerance, 1e-6, 0.1, NAN)))},
#undef TYPE
#define TYPE ad_check_options
    {SUBJECT(ad_check_options, .run = run_check,
             COUNTED(ROW(rows, 3, 2, -1), ROW(directions, 4, 200, -1), ROW(step, 1e-3, 1e-2, NAN),
                     ROW(tolerance, 1e-7, 1e-300, NAN)))},
#undef TYPE
#define TYPE ad_run_options
    {SUBJECT(ad_run_options, .run = run_run, COUNTED(ROW(repeat, 1, 2, -1), ROW(threads, 0, 0, -1)))},
#undef TYPE
#define TYPE ad_plan_options
    {SUBJECT(ad_plan_options, .run = run_compile, COUNTED(ROW(carries, 0, 0, -1), ROW(block_bytes, 0, 0, -1)))},
#undef TYPE
};

static void put(const gibbs_option *o, void *options, double v)
{
    void *at = (char *)options + o->offset;
    if (o->type == 'd') *(double *)at = v;
    else if (o->type == 'l') *(int64_t *)at = (int64_t)v;
    else *(int *)at = (int)v;
}

static bool same(const subject *s, const void *options, const double *expected)
{
    double out[MOST] = {0};
    OK(s->run(options, out, ERROR));
    return !memcmp(out, expected, sizeof out);
}

/* Whole fits and runs of chains by their defaults: what numbers come out. */
Test(options, zero_null_and_the_defaults_written_out_are_the_same, .disabled = SANITIZED)
{
    for (const subject *s = subjects; s < subjects + COUNT(subjects); s++) {
        _Alignas(max_align_t) char zero[MOST_BYTES] = {0}, written[MOST_BYTES] = {0};
        double out[MOST] = {0};
        cr_assert(s->size <= MOST_BYTES);
        OK(s->run(zero, out, ERROR));
        for (int k = 0; k < s->count; k++) put(&s->option[k].is, written, s->option[k].is.standard);
        if (s->write_out) s->write_out(written);
        cr_expect(same(s, zero, out) && same(s, written, out), "%s", s->name);
        cr_expect(s->needs || same(s, NULL, out), "%s: NULL", s->name);
    }
}

Test(options, each_is_read, .disabled = SANITIZED)
{
    for (const subject *s = subjects; s < subjects + COUNT(subjects); s++) {
        _Alignas(max_align_t) char options[MOST_BYTES] = {0};
        double out[MOST] = {0};
        OK(s->run(options, out, ERROR));
        for (int k = 0; k < s->count; k++) {
            const option *o = &s->option[k];
            if (o->other == 0) continue;
            put(&o->is, options, o->other);
            cr_expect(!same(s, options, out), "%s: %s = %g changes nothing", s->name, o->is.name, o->other);
            put(&o->is, options, 0);
        }
    }
}

Test(options, what_is_out_of_range_is_named)
{
    for (const subject *s = subjects; s < subjects + COUNT(subjects); s++) {
        _Alignas(max_align_t) char options[MOST_BYTES] = {0};
        for (int k = 0; k < s->count; k++) {
            const option *o = &s->option[k];
            gibbs_error error = {0};
            double out[MOST] = {0};
            put(&o->is, options, o->bad);
            cr_expect_eq(s->run(options, out, &error), GIBBS_ARGUMENT, "%s: %s", s->name, o->is.name);
            cr_expect(strstr(error.message, o->is.name), "%s: %s: %s", s->name, o->is.name, error.message);
            put(&o->is, options, 0);
        }
    }
}

/* ---- Specs of energies ---- */

static void expect_like(ebm_model *model, ebm_model *other, const char *what)
{
    double theta[64], energy[2];
    const double x[4] = {1, 0, 0, 1};
    cr_expect(ebm_model_dtype(model) == GIBBS_FLOAT64, "%s", what);
    cr_assert(ebm_model_size(model) <= COUNT(theta) && ebm_model_size(model) == ebm_model_size(other));
    ebm_model_get(model, theta);
    cr_expect(!memcmp(theta, ebm_model_theta(other), (size_t)ebm_model_size(model) * sizeof *theta), "%s", what);
    OK(ebm_model_energy(model, x, 1, energy, NULL, ERROR));
    OK(ebm_model_energy(other, x, 1, energy + 1, NULL, ERROR));
    cr_expect(!memcmp(energy, energy + 1, sizeof *energy), "%s", what);
    ebm_model_free(model);
    ebm_model_free(other);
}

Test(options, specs_of_energies)
{
    static const int64_t widths[] = {3};
    ebm_model *zero, *written;
#define LIKE(make, type, must, defaults)                                                                     \
    do {                                                                                                     \
        OK(make(&(type){must, defaults}, &written, ERROR));                                                  \
        OK(make(&(type){must}, &zero, ERROR));                                                               \
        expect_like(zero, written, #make);                                                                   \
    } while (0)
#define MUST(...) __VA_ARGS__
    LIKE(ebm_model_mlp, ebm_mlp_spec, MUST(.dim = 4, .widths = widths, .layers = 1),
         MUST(.activation = ad_softplus, .dtype = GIBBS_FLOAT64));
    LIKE(ebm_model_rbm, ebm_rbm_spec, MUST(.visible = 4, .hidden = 2), MUST(.weight_sd = 0.01, .dtype = GIBBS_FLOAT64));
    LIKE(ebm_model_rbm, ebm_rbm_spec, MUST(.visible = 4, .hidden = 2, .gaussian = 1), MUST(.sd = 1, .weight_sd = 0.01));
    LIKE(ebm_model_ising, ebm_mrf_spec, MUST(.space.variables = 4), MUST(.space.labels = 2));
    LIKE(ebm_model_exponential, ebm_exponential_spec, MUST(.dim = 4), MUST(.dtype = GIBBS_FLOAT64));
    LIKE(ebm_model_experts, ebm_experts_spec, MUST(.dim = 4, .experts = 4), MUST(.expert = ad_logcosh));
    LIKE(ebm_model_regression, ebm_regression_spec, MUST(.given = 3), MUST(.response = EBM_LINEAR, .outputs = 1));
    LIKE(ebm_model_chain_crf, ebm_chain_crf_spec, MUST(.given = 2, .length = 1, .labels = 2), MUST(.seed = 0));
    LIKE(ebm_model_bilinear, ebm_bilinear_spec, MUST(.given = 2, .modelled = 2), MUST(.width = 0));
}

/* ---- By name ---- */

#define ZEROS(type, name)                                                                    \
    do {                                                                                     \
        type zeros, got = name();                                                            \
        memset(&zeros, 0, sizeof zeros);                                                     \
        cr_expect(!memcmp(&got, &zeros, sizeof got), #name);                                 \
    } while (0)

Test(options, defaults_by_name_are_zeros)
{
    ZEROS(ebm_model_spec, ebm_model_defaults);
    ZEROS(ebm_fit_options, ebm_fit_defaults);
    ZEROS(ebm_loss_options, ebm_loss_defaults);
    ZEROS(ebm_chain_options, ebm_chain_defaults);
    ZEROS(ebm_ais_options, ebm_ais_defaults);
}

/* ---- Every struct is here ---- */

static char *text_of(const char *path)
{
    static char text[1 << 16];
    FILE *file = fopen(path, "r");
    cr_assert(file, "%s", path);
    text[fread(text, 1, sizeof text - 1, file)] = 0;
    fclose(file);
    return text;
}

Test(options, every_struct_of_the_headers)
{
    static const char *const headers[] = {"ad.h", "plan.h", "data.h", "model.h", "energy.h", "fit.h", "log_z.h",
                                          "loss.h", "optim.h", "proposal.h", "sampler.h", "draws.h", "space.h", "extend.h",
                                          "audit.h"};
    static const char start[] = "\ntypedef struct ";
    static char own[1 << 16];
    int found = 0;
    strcpy(own, text_of(GIBBS_TEST_SOURCE_DIR "/ebm/test_options.c"));
    for (int k = 0; k < COUNT(headers); k++) {
        char path[1024];
        snprintf(path, sizeof path, GIBBS_TEST_SOURCE_DIR "/../include/gibbs/%s", headers[k]);
        for (char *at = text_of(path); (at = strstr(at, start));) {
            char name[64];
            at += strlen(start);
            snprintf(name, sizeof name, "%.*s", (int)strcspn(at, " {;"), at);
            const char *options = strstr(name, "_options"), *spec = strstr(name, "_spec");
            if (!options && (!spec || !strcmp(name, "ebm_model_spec"))) continue; /* which has no default but 0 */
            found++;
            snprintf(path, sizeof path, options ? "SUBJECT(%s" : ", %s,", name);
            cr_expect(strstr(own, path), "%s: no row for %s", headers[k], name);
        }
    }
    cr_expect(found >= 18, "%d structs were found", found);
}
