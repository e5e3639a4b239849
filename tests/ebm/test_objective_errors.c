/* What ebm_objective_* refuse, and what must come before what. */
#include "objective_helpers.h"

static ad_var no_draw(const ebm_proposal *q, ad_var normal, const ad_var *theta)
{
    return (void)q, (void)theta, normal;
}
static ad_var record_vector(ebm_graph *g) { return ad_batch_mean(g->data, g->x); }
static ad_var record_per_sample(ebm_graph *g) { return ebm_graph_energy(g, g->x); }
static ad_var record_nothing(ebm_graph *g) { return (ad_var){g->tape, -1}; }

static ad_var record_y(ebm_graph *g) { return ad_batch_mean(g->noise, ebm_graph_energy(g, g->y)); }

static const ebm_loss nameless = {.record = record_per_sample};
static const ebm_loss judged = {.name = "judged", .record = record_per_sample, .validation = &nameless};
static const ebm_loss odd = {.name = "odd", .record = record_per_sample, .noise = (ebm_noise)99};
static const ebm_loss no_points = {.name = "no points", .record = record_y};
static const ebm_loss vector_loss = {.name = "vector", .record = record_vector};
static const ebm_loss per_sample_loss = {.name = "per sample", .record = record_per_sample};
static const ebm_loss null_loss = {.name = "nothing", .record = record_nothing}, hollow = {.name = "hollow"};

/* ---- Options ---- */

typedef struct refusal {
    const ebm_loss *loss;
    const char *option;
    double value;
    gibbs_status status;
    const char *part;
} refusal;

static const refusal refusals[] = {
    {NULL, "", 0, GIBBS_ARGUMENT, "no loss"},
    {&hollow, "", 0, GIBBS_ARGUMENT, "no loss"},
    {&ebm_loss_ml_is, "no proposal", 0, GIBBS_ARGUMENT, "needs a proposal"},
    {&ebm_loss_nce, "no proposal", 0, GIBBS_ARGUMENT, "needs a proposal"},
    {&ebm_loss_nce, "noise_ratio", -1, GIBBS_ARGUMENT, "noise_ratio is -1; it must lie in (0, inf)"},
    {&ebm_loss_ml_is, "noise_ratio", INFINITY, GIBBS_ARGUMENT, "noise_ratio is inf"},
    {&ebm_loss_ml_is, "noise_ratio", NAN, GIBBS_ARGUMENT, "noise_ratio is"},
    {&ebm_loss_cd, "sampler_steps", -2, GIBBS_ARGUMENT, "sampler_steps is -2; it must lie in [1, inf); 0 means 1"},
    {&ebm_loss_cd, "sampler_step", -1, GIBBS_ARGUMENT, "sampler_step is -1"},
    {&ebm_loss_cd, "sampler_step", NAN, GIBBS_ARGUMENT, "sampler_step is"},
    {&ebm_loss_cd, "threads", -1, GIBBS_ARGUMENT, "threads"},
    {&ebm_loss_cd, "independence", 0, GIBBS_ARGUMENT, "no proposal"},
    {&ebm_loss_ml_is, "dim", 0, GIBBS_SHAPE, "2 dimensions"},
    {&ebm_loss_nce, "callbacks", 0, GIBBS_ARGUMENT, "log_density"},
    {&ebm_loss_nce, "callbacks of θ", 0, GIBBS_ARGUMENT, "log_density"},
    {&vector_loss, "", 0, GIBBS_SHAPE, "one scalar for the whole batch; `record` returned the shape [1]"},
    {&per_sample_loss, "", 0, GIBBS_SHAPE, "returned the shape [] for each row of «data»"},
    {&null_loss, "", 0, GIBBS_TAPE, "nothing: `record` returned the null var"},
    {&no_points, "", 0, GIBBS_TAPE, "the loss declares no artificial points"},
    {&nameless, "", 0, GIBBS_ARGUMENT, "the loss has no name"},
    {&judged, "", 0, GIBBS_ARGUMENT, "the loss has no name"},
    {&odd, "", 0, GIBBS_ARGUMENT, "odd: the loss's noise is 99"},
};

static ebm_loss_options options_of(const refusal *r, const ebm_proposal *good, const ebm_proposal *wide)
{
    static const ebm_proposal bad[] = {{.name = "bad", .dim = 1, .draw = no_draw},
                                       {.name = "bad", .dim = 1, .draw = no_draw, .depends_on_theta = 1}};
    ebm_loss_options o = {0};
    o.proposal = good;
    if (!strcmp(r->option, "no proposal") || !strcmp(r->option, "independence")) o.proposal = NULL;
    if (!strcmp(r->option, "dim")) o.proposal = wide;
    if (!strcmp(r->option, "callbacks")) o.proposal = &bad[0];
    if (!strcmp(r->option, "callbacks of θ")) o.proposal = &bad[1];
    if (!strcmp(r->option, "noise_ratio")) o.noise_ratio = r->value;
    if (!strcmp(r->option, "sampler_steps")) o.sampler_steps = (int)r->value;
    if (!strcmp(r->option, "sampler_step")) o.sampler_step = r->value;
    if (!strcmp(r->option, "threads")) o.threads = (int)r->value;
    if (!strcmp(r->option, "independence")) o.sampler = &ebm_independence_mh;
    return o;
}

Test(objective, refuses)
{
    ebm_proposal *good = test_proposal(&energies[PRECISION]), *wide = test_proposal(&energies[GAUSSIAN2]);
    ebm_model *model = energies[PRECISION].make();
    for (int k = 0; k < COUNT(refusals); k++) {
        const refusal *r = &refusals[k];
        ebm_objective *o = (ebm_objective *)model;
        ebm_loss_options options = options_of(r, good, wide);
        FAILS(r->status, r->part, ebm_objective_new(model, r->loss, &options, &o, FAIL));
        cr_expect(!o, "%s %s", r->part, r->option);
    }
    ebm_objective_free(NULL);
    ebm_model_free(model);
    ebm_proposal_free(good);
    ebm_proposal_free(wide);
}

/* A recording that fails says so: here on the way to the Hessian of |x|. */
static ad_var kink(ad_var x, const ad_var *theta, void *context)
{
    (void)context;
    return ad_mul(theta[0], ad_sum(ad_abs(x)));
}

Test(objective, score_matching_of_a_kink_names_the_op)
{
    ebm_model *model = model_of(1, &(ebm_parameter){"k", {0, {0}}, EBM_INIT_CONSTANT, 1}, 1, kink, GIBBS_FLOAT64);
    ebm_objective *o;
    FAILS(GIBBS_SMOOTH, "abs", ebm_objective_new(model, &ebm_loss_score_matching, NULL, &o, FAIL));
    ebm_model_free(model);
}

/* |x − m| and its like, whose kinks m moves: the sentence names the loss, and the op of which the energy was made. */
static ad_var by_abs(ad_var x, ad_var m) { return ad_abs(ad_sub(x, m)); }
static ad_var by_relu(ad_var x, ad_var m) { return ad_relu(ad_sub(x, m)); }
static ad_var by_max(ad_var x, ad_var m) { return ad_max(x, m); }
static ad_var by_min(ad_var x, ad_var m) { return ad_min(m, x); }
static ad_var by_elu(ad_var x, ad_var m) { return ad_elu(ad_sub(x, m)); }
static ad_var by_reduction(ad_var x, ad_var m) { return ad_max_reduce(ad_concat(x, m, 0)); }
static ad_var by_select(ad_var x, ad_var m) { return ad_select(ad_less(x, m), ad_square(x), ad_exp(x)); }
static ad_var by_step(ad_var x, ad_var m) { return ad_mul(ad_square(x), ad_step(ad_sub(x, m))); }

static const struct {
    ad_var (*record)(ad_var x, ad_var m);
    const char *op;
} kinks[] = {{by_abs, "abs (node"},  {by_relu, "max or relu (node"}, {by_max, "max or relu (node"},
             {by_min, "min (node"},  {by_elu, "elu (node"},          {by_reduction, "max_reduce (node"},
             {by_select, "select (node"}, {by_step, "step (node"}};

static ad_var moved_kink(ad_var x, const ad_var *theta, void *context)
{
    return ad_sum(kinks[*(int *)context].record(x, theta[0]));
}

Test(objective, losses_name_themselves_and_the_kink_that_was_written)
{
    static const ebm_loss *const losses[] = {&ebm_loss_score_matching, &ebm_loss_sliced, &ebm_loss_denoising,
                                             &ebm_loss_weighted_score_matching, &ebm_loss_ksd_imq};
    enum { ROWS = 9 };
    double *x = normals(ROWS, 1, 1, 4);
    for (int k = 0; k < COUNT(kinks); k++) {
        ebm_parameter m = {"m", {1, {1}}, EBM_INIT_CONSTANT, 1};
        ebm_model_spec spec = {.dim = 1, .dtype = GIBBS_FLOAT64, .parameters = &m, .parameter_count = 1,
                               .energy = moved_kink, .context = &k};
        ebm_model *model;
        OK(ebm_model_new(&spec, &model, ERROR));
        for (int i = 0; i < COUNT(losses); i++) {
            ebm_objective *o;
            gibbs_error error = {0};
            bool sees_slopes = losses[i] == &ebm_loss_denoising || losses[i] == &ebm_loss_ksd_imq;
            if (kinks[k].record == by_elu && sees_slopes) { /* whose slope does not jump: the gradient is right */
                OK(ebm_objective_new(model, losses[i], NULL, &o, ERROR));
                OK(ebm_objective_bind(o, x, ROWS, ERROR));
                OK(ebm_objective_refresh(o, 1, 0, ERROR));
                expect_consistent(o, 1e-6, losses[i]->name);
                ebm_objective_free(o);
                continue;
            }
            cr_assert_eq(ebm_objective_new(model, losses[i], NULL, &o, &error), GIBBS_SMOOTH, "%s, %d", kinks[k].op, i);
            size_t length = strlen(losses[i]->name);
            cr_expect(!strncmp(error.message, losses[i]->name, length) && error.message[length] == ':', "%s",
                      error.message);
            cr_expect(strstr(error.message, kinks[k].op), "«%s»: %s", kinks[k].op, error.message);
            cr_expect(strstr(error.message, "; take "), "%s", error.message);
            cr_expect(strstr(error.message, "or a loss without derivatives by x"), "%s", error.message);
        }
        ebm_model_free(model);
    }
    free(x);
}

/* ---- Order of calls ---- */

Test(objective, needs_data_before_it_draws_and_draws_before_it_evaluates)
{
    const plain_energy *e = &energies[PRECISION];
    double x[40], value = 7;
    for (int r = 0; r < COUNT(x); r++) x[r] = sin(r);
    ebm_model *model = e->make();
    ebm_proposal *q = test_proposal(e);
    ebm_loss_options options = {0};
    options.proposal = q;
    static const ebm_loss *const with_noise[] = {&ebm_loss_ml_is, &ebm_loss_nce, &ebm_loss_cd};
    for (int k = 0; k < COUNT(with_noise); k++) {
        ebm_objective *o;
        OK(ebm_objective_new(model, with_noise[k], &options, &o, ERROR));
        cr_expect(isnan(ebm_objective_health(o)));
        FAILS(GIBBS_UNBOUND, "", ebm_objective_refresh(o, 0, 0, FAIL));
        FAILS(GIBBS_UNBOUND, "", ebm_objective_evaluate(o, &value, FAIL));
        OK(ebm_objective_bind(o, x, 10, ERROR));
        FAILS(GIBBS_UNBOUND, "", ebm_objective_evaluate(o, &value, FAIL));
        OK(ebm_objective_refresh(o, 0, 0, ERROR));
        cr_expect(value == 7 && isfinite(value_of(o)));
        /* the artificial points of 10 rows are not those of 40 */
        OK(ebm_objective_bind(o, x, 40, ERROR));
        FAILS(GIBBS_UNBOUND, "refresh", ebm_objective_evaluate(o, &value, FAIL));
        OK(ebm_objective_refresh(o, 0, 0, ERROR));
        cr_expect(isfinite(value_of(o)));
        ebm_objective_free(o);
    }
    ebm_proposal_free(q);
    ebm_model_free(model);
}

Test(objective, refuses_no_rows_and_too_few_artificial_points)
{
    const plain_energy *e = &energies[PRECISION];
    double x[] = {1, 2, 3};
    ebm_model *model = e->make();
    ebm_proposal *q = test_proposal(e);
    ebm_objective *o;
    ebm_loss_options options = {0};
    options.proposal = q;
    options.noise_ratio = 0.1;
    OK(ebm_objective_new(model, &ebm_loss_nce, &options, &o, ERROR));
    FAILS(GIBBS_DATA, "no data", ebm_objective_bind(o, x, 0, FAIL));
    FAILS(GIBBS_ARGUMENT, "NULL", ebm_objective_bind(o, NULL, 3, FAIL));
    FAILS(GIBBS_ARGUMENT, "3 rows", ebm_objective_bind(o, x, 3, FAIL));
    ebm_objective_free(o);
    ebm_proposal_free(q);
    ebm_model_free(model);
}

/* A bind that fails changes nothing, wherever the artificial points come from. */
Test(objective, a_bind_that_fails_leaves_what_was_bound)
{
    enum { FEW = 4, MANY = 3000 };
    static const ebm_loss *const with_noise[] = {&ebm_loss_energy_penalty, &ebm_loss_ml_is, &ebm_loss_cd,
                                                 &ebm_loss_pcd, &ebm_loss_improved_cd, &ebm_loss_ksd_imq};
    double few[2 * FEW] = {0, 1, 1, 0, 0, 0, 1, 1}, *many = calloc(2 * MANY, sizeof *many), value;
    ebm_model *model = energies[GAUSSIAN2].make();
    ebm_proposal *q = test_proposal(&energies[GAUSSIAN2]);
    ebm_loss_options options = {0};
    options.proposal = q;
    many[2 * MANY - 1] = 7;
    for (int k = 0; k < COUNT(with_noise); k++) {
        ebm_loss *sum;
        ebm_objective *o;
        ebm_loss_term terms[] = {{with_noise[k], 1}, {&ebm_loss_pseudo_likelihood, 1}};
        OK(ebm_loss_sum(terms, 2, NULL, &sum, ERROR));
        OK(ebm_objective_new(model, sum, &options, &o, ERROR));
        FAILS(GIBBS_DATA, "row 3000", ebm_objective_bind(o, many, MANY, FAIL));
        FAILS(GIBBS_UNBOUND, "", ebm_objective_refresh(o, 1, 0, FAIL));
        FAILS(GIBBS_UNBOUND, "", ebm_objective_evaluate(o, &value, FAIL));
        OK(ebm_objective_bind(o, few, FEW, ERROR));
        OK(ebm_objective_refresh(o, 1, 0, ERROR));
        value = value_of(o);
        FAILS(GIBBS_DATA, "row 3000", ebm_objective_bind(o, many, MANY, FAIL));
        double again = value_of(o);
        cr_expect(again == value, "%s: %g, then %g", with_noise[k]->name, value, again);
        ebm_objective_free(o);
        ebm_loss_free(sum);
    }
    ebm_proposal_free(q);
    ebm_model_free(model);
    free(many);
}

/* Improved CD's points are kept in memory that grows with the rows: those drawn before go with the smaller one. */
Test(objective, points_do_not_outlive_their_memory)
{
    ebm_model *model = energies[PRECISION].make();
    ebm_objective *o;
    double *x = normals(1000, 0, 1, 5);
    OK(ebm_objective_new(model, &ebm_loss_improved_cd, NULL, &o, ERROR));
    OK(ebm_objective_bind(o, x, 10, ERROR));
    OK(ebm_objective_refresh(o, 0, 0, ERROR));
    double value = value_of(o);
    OK(ebm_objective_bind(o, x, 1000, ERROR));
    OK(ebm_objective_bind(o, x, 10, ERROR));
    FAILS(GIBBS_UNBOUND, "refresh", ebm_objective_evaluate(o, NULL, FAIL));
    OK(ebm_objective_refresh(o, 0, 0, ERROR));
    cr_expect_eq(value_of(o), value);
    ebm_objective_free(o);
    ebm_model_free(model);
    free(x);
}

/* Chains name the row of the data that they cannot start from. */
Test(objective, chains_name_a_bad_row)
{
    const double x[] = {1, 2, NAN, 4};
    ebm_model *model = energies[PRECISION].make();
    ebm_objective *o;
    gibbs_error error = {.row = -1};
    OK(ebm_objective_new(model, &ebm_loss_cd, NULL, &o, ERROR));
    OK(ebm_objective_bind(o, x, COUNT(x), ERROR));
    cr_expect(ebm_objective_refresh(o, 0, 0, &error) == GIBBS_DATA && error.row == 2, "%s", error.message);
    cr_expect(strstr(error.message, "row 3"), "%s", error.message);
    ebm_objective_free(o);
    ebm_model_free(model);
}

/* Noise that is part of the graph is that of seed 0 and step 0 before a refresh; a row that is NaN makes the loss NaN,
 * which is no error here. */
Test(objective_errors, what_needs_no_refresh)
{
    static const ebm_loss *const losses[] = {&ebm_loss_denoising, &ebm_loss_sliced, &ebm_loss_conditional_nce,
                                             &ebm_loss_ranking_nce};
    double x[] = {0.5, -1, 2}, unset = NAN, zero, other;
    ebm_proposal *q = test_proposal(&energies[PRECISION]);
    ebm_loss_options options = {0};
    options.proposal = q;
    options.gaussian = 1;
    for (int k = 0; k < COUNT(losses); k++) {
        ebm_model *model = energies[PRECISION].make();
        ebm_objective *o;
        OK(ebm_objective_new(model, losses[k], &options, &o, ERROR));
        OK(ebm_objective_bind(o, x, 3, ERROR));
        unset = value_of(o);
        OK(ebm_objective_refresh(o, 0, 0, ERROR));
        zero = value_of(o);
        OK(ebm_objective_refresh(o, 0, 1, ERROR));
        other = value_of(o);
        cr_expect(unset == zero && zero != other, "%s: %g, %g, %g", losses[k]->name, unset, zero, other);
        x[1] = NAN;
        cr_expect(isnan(value_of(o)), "%s", losses[k]->name);
        x[1] = -1;
        ebm_objective_free(o);
        ebm_model_free(model);
    }
    ebm_proposal_free(q);
}
