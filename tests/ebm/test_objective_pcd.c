/* Persistent contrastive divergence: chains go on in place where they stood, a buffer larger than the batch is moved in
 * turn, a fraction starts anew from the data or from a proposal, and threads make no difference. */
#include "loss_helpers.h"
#include "ebm/objective/objective.h"

enum { ROWS = 6, SEED = 4 };

/* ---- Samplers that leave a trace ---- */

static ad_var climb(const ebm_sampler_graph *graph, const ad_var *state, ad_var *next)
{
    next[0] = ad_shift(state[0], 1);
    return ad_constant(graph->tape, 1);
}

static ad_var stay(const ebm_sampler_graph *graph, const ad_var *state, ad_var *next)
{
    next[0] = state[0];
    return ad_constant(graph->tape, 1);
}

static const ebm_sampler climber = {.name = "climb", .step = climb}, stayer = {.name = "stay", .step = stay};

static const double data[] = {0, 10, 20, 30, 40, 50, 60, 70, 80, 90, 100, 110};

static ebm_loss_options with(const ebm_sampler *sampler, int64_t buffer, double restart)
{
    ebm_loss_options options = {0};
    options.sampler = sampler;
    options.buffer = buffer;
    options.restart = restart;
    return options;
}

static const double *chains_of(ebm_objective *o) { return ebm_chains_native(o->chains); }

static const double *refreshed(ebm_objective *o, uint64_t step)
{
    OK(ebm_objective_refresh(o, SEED, step, ERROR));
    return chains_of(o);
}

/* ---- In place ---- */

/* Three rings of the batch's size in turn: chain i of ring r has moved once for each time that its ring was on. */
static void check_ring(int64_t rings, int k)
{
    ebm_loss_options options = with(&climber, rings * ROWS, 0);
    options.sampler_steps = k;
    ebm_model *model = energies[PRECISION].make();
    ebm_objective *o = objective_at(model, &ebm_loss_pcd, &options, NULL, data, ROWS, SEED, 0);
    int elsewhere = 0;
    for (uint64_t step = 0; step < 10; step++) {
        const double *y = step ? refreshed(o, step) : chains_of(o);
        double moves = k * (double)(step / (uint64_t)rings + 1), lost = k * (double)(step ? 1 : 0);
        for (int i = 0; i < ROWS; i++) {
            cr_expect(y[i] == data[i] + moves, "ring %d, step %d, chain %d is at %g", (int)rings, (int)step, i, y[i]);
            elsewhere += y[i] != data[i] + k + lost; /* where chains would be whose places are not written back */
        }
    }
    cr_expect(elsewhere > 0, "the control must differ");
    ebm_objective_free(o);
    ebm_model_free(model);
}

Test(pcd, chains_go_on_in_place)
{
    for (int64_t rings = 1; rings <= 3; rings++)
        for (int k = 1; k <= 3; k += 2) check_ring(rings, k);
}

/* A ring of ten with batches of six: places run 0–5, 6–9 and 0–1, 2–7, … */
Test(pcd, a_ring_that_batches_do_not_divide)
{
    enum { RING = 10 };
    ebm_loss_options options = with(&climber, RING, 0);
    ebm_model *model = energies[PRECISION].make();
    ebm_objective *o = objective_at(model, &ebm_loss_pcd, &options, NULL, data, ROWS, SEED, 0);
    double place[RING];
    for (int i = 0; i < RING; i++) place[i] = data[i % ROWS];
    for (int step = 0, at = 0; step < 12; step++, at = (at + ROWS) % RING) {
        const double *y = step ? refreshed(o, (uint64_t)step) : chains_of(o);
        for (int i = 0; i < ROWS; i++) {
            place[(at + i) % RING] += 1;
            cr_expect(y[i] == place[(at + i) % RING], "step %d, chain %d is at %g", step, i, y[i]);
        }
    }
    ebm_objective_free(o);
    ebm_model_free(model);
}

/* New data do not move the chains (CD's start there); more rows than chains bring new ones, which start there. */
Test(pcd, data_matter_only_at_the_start)
{
    ebm_loss_options options = with(&climber, 0, 0);
    ebm_model *model = energies[PRECISION].make();
    ebm_objective *o = objective_at(model, &ebm_loss_pcd, &options, NULL, data, ROWS, SEED, 0), *cd;
    cd = objective_at(model, &ebm_loss_cd, &options, NULL, data, ROWS, SEED, 0);
    OK(ebm_objective_bind(o, data + 6, ROWS, ERROR));
    OK(ebm_objective_bind(cd, data + 6, ROWS, ERROR));
    for (int i = 0; i < ROWS; i++) cr_expect(refreshed(o, 1)[i] == data[i] + 2 + i, "%d: %g", i, chains_of(o)[i]);
    cr_expect(refreshed(cd, 1)[0] == data[6] + 1, "contrastive divergence is the control");
    double last = chains_of(o)[5];
    OK(ebm_objective_bind(o, data, 12, ERROR));
    const double *y = refreshed(o, 9);
    cr_expect(y[5] == last + 1 && y[6] == data[6] + 1 && y[11] == data[11] + 1, "%g %g %g", y[5], y[6], y[11]);
    ebm_objective_free(o);
    ebm_objective_free(cd);
    ebm_model_free(model);
}

/* Value and gradient are CD's for where the chains are. */
Test(pcd, value_and_gradient)
{
    enum { MANY = 120 };
    for (int k = 0; k < ENERGIES; k++) {
        const plain_energy *e = &energies[k];
        double *x = test_points(e, MANY, 1), of_data[MOST_PARAMETERS], of_chain[MOST_PARAMETERS];
        ebm_loss_options options = with(&ebm_mala, 0, 0);
        options.sampler_step = 0.1;
        ebm_model *model = e->make();
        ebm_objective *o = objective_at(model, &ebm_loss_pcd, &options, e->theta, x, MANY, SEED, 0);
        OK(ebm_objective_refresh(o, SEED, 1, ERROR));
        total t = {mean_energy(e, e->theta, x, MANY, of_data), {0}};
        t.value -= mean_energy(e, e->theta, chains_of(o), MANY, of_chain);
        for (int i = 0; i < e->size; i++) t.gradient[i] = of_data[i] - of_chain[i];
        expect_total(o, &t, 1e-12, e->name);
        cr_expect(ebm_objective_health(o) > 0.2 && ebm_objective_health(o) <= 1);
        ebm_objective_free(o);
        ebm_model_free(model);
        free(x);
    }
}

/* ---- Starting anew ---- */

static int among(double y, const double *x, int n)
{
    int found = 0;
    for (int i = 0; i < n; i++) found |= y == x[i];
    return found;
}

/* How many of many chains, all far away, are at the data again after one refresh. */
static double returned(double restart)
{
    enum { MANY = 2000 };
    static double far[MANY], near[MANY];
    int back = 0;
    for (int i = 0; i < MANY; i++) far[i] = 5000 + i, near[i] = i;
    ebm_loss_options options = with(&stayer, 0, restart);
    ebm_model *model = energies[PRECISION].make();
    ebm_objective *o;
    OK(ebm_objective_new(model, &ebm_loss_pcd, &options, &o, ERROR));
    OK(ebm_objective_bind(o, far, MANY, ERROR));
    OK(ebm_objective_bind(o, near, MANY, ERROR));
    const double *y = refreshed(o, 1);
    for (int i = 0; i < MANY; i++) {
        back += y[i] < 5000;
        cr_expect(y[i] < 5000 ? among(y[i], near, MANY) : y[i] == far[i], "chain %d is at %g", i, y[i]);
    }
    ebm_objective_free(o);
    ebm_model_free(model);
    return (double)back / MANY;
}

Test(pcd, a_fraction_starts_anew_at_the_data)
{
    cr_expect_eq(returned(0), 0);
    cr_expect_eq(returned(1), 1);
    double share = returned(0.3), error = sqrt(0.3 * 0.7 / 2000);
    cr_expect(fabs(share - 0.3) < 4 * error, "%g", share);
}

Test(pcd, a_fraction_starts_anew_from_the_proposal)
{
    double draw[ROWS];
    ebm_proposal *q = test_proposal(&energies[PRECISION]);
    OK(ebm_proposal_sample(q, ROWS, SEED, 3, NULL, draw, NULL, ERROR));
    for (int all = 0; all <= 1; all++) {
        ebm_loss_options options = with(&stayer, 0, all ? 1 : 0.5);
        options.proposal = q;
        ebm_model *model = energies[PRECISION].make();
        ebm_objective *o = objective_at(model, &ebm_loss_pcd, &options, NULL, data, ROWS, SEED, 3);
        int anew = 0;
        for (int i = 0; i < ROWS; i++) {
            cr_expect(chains_of(o)[i] == draw[i] || (!all && chains_of(o)[i] == data[i]), "chain %d", i);
            anew += chains_of(o)[i] == draw[i];
        }
        cr_expect(all ? anew == ROWS : anew > 0 && anew < ROWS, "%d of %d", anew, ROWS);
        ebm_objective_free(o);
        ebm_model_free(model);
    }
    ebm_proposal_free(q);
}

/* ---- Threads, types, errors ---- */

Test(pcd, any_number_of_threads)
{
    enum { MANY = 3000, STEPS = 4 };
    double *x = normals(MANY, 0, 1, 8), *first = NULL;
    for (int threads = 1; threads <= 4; threads++) {
        ebm_loss_options options = with(&ebm_mala, 2 * MANY, 0.2);
        options.threads = threads;
        options.sampler_step = 0.1;
        ebm_model *model = energies[PRECISION].make();
        ebm_objective *o = objective_at(model, &ebm_loss_pcd, &options, NULL, x, MANY, SEED, 0);
        for (uint64_t step = 1; step < STEPS; step++) refreshed(o, step);
        if (!first) memcpy(first = malloc(MANY * sizeof *first), chains_of(o), MANY * sizeof *first);
        cr_expect(!memcmp(first, chains_of(o), MANY * sizeof *first), "%d threads", threads);
        ebm_objective_free(o);
        ebm_model_free(model);
    }
    cr_expect(memcmp(first, x, MANY * sizeof *first), "the chains moved");
    free(first), free(x);
}

Test(pcd, float32)
{
    float x[ROWS];
    for (int i = 0; i < ROWS; i++) x[i] = (float)data[i];
    const ebm_parameter p = {"precision", {0, {0}}, EBM_INIT_CONSTANT, 0.75};
    ebm_loss_options options = with(&climber, 2 * ROWS, 0);
    ebm_model *model = model_of(1, &p, 1, precision_graph, GIBBS_FLOAT32);
    ebm_objective *o;
    OK(ebm_objective_new(model, &ebm_loss_pcd, &options, &o, ERROR));
    OK(ebm_objective_bind(o, x, ROWS, ERROR));
    for (uint64_t step = 0; step < 3; step++) OK(ebm_objective_refresh(o, SEED, step, ERROR));
    for (int i = 0; i < ROWS; i++) cr_expect(((const float *)ebm_chains_native(o->chains))[i] == x[i] + 2);
    ebm_objective_free(o);
    ebm_model_free(model);
}

static ad_var draw_anything(const ebm_proposal *q, ad_var random, const ad_var *theta)
{
    return (void)q, (void)theta, random;
}
static ad_var density_of_anything(const ebm_proposal *q, ad_var y, const ad_var *theta)
{
    return (void)q, (void)theta, ad_sum(y);
}
static const ebm_proposal moving = {
    .name = "moving", .dim = 1, .depends_on_theta = 1, .draw = draw_anything, .log_density = density_of_anything};

Test(pcd, refuses)
{
    ebm_model *model = energies[PRECISION].make();
    ebm_objective *o;
    ebm_loss_options options = with(NULL, -1, 0);
    ebm_chain_options tempered = {0};
    FAILS(GIBBS_ARGUMENT, "buffer is -1", ebm_objective_new(model, &ebm_loss_pcd, &options, &o, FAIL));
    const double wrong[] = {-0.1, 1.1, NAN};
    for (int k = 0; k < COUNT(wrong); k++) {
        options = with(NULL, 0, wrong[k]);
        FAILS(GIBBS_ARGUMENT, "restart is", ebm_objective_new(model, &ebm_loss_pcd, &options, &o, FAIL));
    }
    options = with(NULL, 0, 0);
    tempered.temperatures = 2;
    options.chain = &tempered;
    FAILS(GIBBS_ARGUMENT, "tempered", ebm_objective_new(model, &ebm_loss_pcd, &options, &o, FAIL));
    options = with(NULL, 0, 0.5);
    options.proposal = &moving;
    FAILS(GIBBS_ARGUMENT, "depends on θ", ebm_objective_new(model, &ebm_loss_pcd, &options, &o, FAIL));
    options = with(NULL, INT64_MAX / 2, 0);
    OK(ebm_objective_new(model, &ebm_loss_pcd, &options, &o, ERROR));
    FAILS(GIBBS_MEMORY, "chains", ebm_objective_bind(o, data, ROWS, FAIL));
    ebm_objective_free(o);
    ebm_model_free(model);
}
