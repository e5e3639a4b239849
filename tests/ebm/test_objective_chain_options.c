/* Contrastive divergence with samplers that need more than a step: HMC's leapfrog steps and masses, the states of
 * discrete samplers; and what Gibbs sweeps over spins learn. */
#include "ebm/objective/objective.h"
#include "loss_helpers.h"

enum { ROWS = 60, SEED = 4, STEP = 2 };

/* Where chains with those options end, and where the loss's own do. */
static void expect_same_chains(const ebm_chain_options *chain, const ebm_loss_options *options, const double *x)
{
    const plain_energy *e = &energies[GAUSSIAN2];
    double y[2 * ROWS];
    ebm_chains *chains;
    ebm_model *model = e->make();
    ebm_model_set(model, e->theta);
    OK(ebm_chains_new(model, chain, &chains, ERROR));
    OK(ebm_chains_start(chains, x, ROWS, ERROR));
    OK(ebm_chains_run(chains, options->sampler_steps, SEED, (uint64_t)(STEP * options->sampler_steps), ERROR));
    ebm_chains_get(chains, y);
    ebm_objective *o = objective_at(model, &ebm_loss_cd, options, e->theta, x, ROWS, SEED, STEP);
    cr_expect(!memcmp(y, ebm_chains_native(o->chains), sizeof y) && memcmp(x, y, sizeof y));
    ebm_objective_free(o);
    ebm_chains_free(chains);
    ebm_model_free(model);
}

Test(chain_options, hmc)
{
    const double mass[] = {1.5, 0.7};
    double *x = test_points(&energies[GAUSSIAN2], ROWS, 1);
    ebm_chain_options chain = {0};
    ebm_loss_options options = {0};
    chain.leapfrog_steps = 4;
    chain.mass = mass;
    options.chain = &chain;
    options.sampler = &ebm_hmc;
    options.sampler_steps = 3;
    options.sampler_step = 0.3;
    ebm_chain_options whole = chain;
    whole.sampler = &ebm_hmc;
    whole.step = 0.3;
    expect_same_chains(&whole, &options, x);
    free(x);
}

/* ---- Spins ---- */

enum { SPINS = 4, STATES = 1 << SPINS, MANY = 1500 };
static const double couplings[SPINS] = {0.5, -0.4, 0.3, 0.6};

static ad_var ring_graph(ad_var x, const ad_var *theta, void *context)
{
    (void)context;
    ad_var next = ad_concat(ad_slice(x, 0, 1, SPINS - 1), ad_slice(x, 0, 0, 1), 0);
    return ad_neg(ad_dot(theta[0], ad_mul(x, next)));
}

static double *ring_draw(uint64_t seed)
{
    double sum[STATES], total = 0, *data = malloc(MANY * SPINS * sizeof *data);
    for (int s = 0; s < STATES; s++) {
        double score = 0;
        for (int i = 0; i < SPINS; i++)
            score += couplings[i] * ((s >> i & 1) == (s >> (i + 1) % SPINS & 1) ? 1 : -1);
        sum[s] = total += exp(score);
    }
    gibbs_words words = gibbs_words_start(seed, 11, 0);
    for (int r = 0; r < MANY; r++) {
        double u = total * gibbs_words_unit(&words);
        int s = 0;
        while (sum[s] < u) s++;
        for (int i = 0; i < SPINS; i++) data[r * SPINS + i] = s >> i & 1 ? 1 : -1;
    }
    return data;
}

static void fit(const ebm_loss *loss, const ebm_sampler *sampler, double *x, double *theta)
{
    ebm_data data = table(x, MANY, SPINS);
    ebm_model *model =
        model_of(SPINS, &(ebm_parameter){"w", {1, {SPINS}}, EBM_INIT_CONSTANT, 0}, 1, ring_graph, GIBBS_FLOAT64);
    ebm_points points;
    ebm_fit_options o = {0};
    OK(ebm_points_space(&(ebm_space){.variables = SPINS, .values = (double[]){-1, 1}}, NULL, &points, ERROR));
    o.loss = loss;
    o.loss_options.points = &points;
    o.loss_options.space.values = (double[]){-1, 1};
    o.loss_options.sampler = sampler;
    o.loss_options.sampler_steps = 2;
    o.optimizer = &ebm_sgd;
    o.rate = 0.3;
    o.steps = 400;
    o.schedule = EBM_SCHEDULE_INVERSE;
    OK(ebm_fit(model, &data, &o, NULL, ERROR));
    ebm_model_get(model, theta);
    ebm_points_free(&points);
    ebm_model_free(model);
}

/* Gibbs sweeps come to the maximum likelihood estimate from the data's chains and from chains that persist. */
Test(chain_options, gibbs_learns_couplings, .disabled = SANITIZED)
{
    static const ebm_sampler *const samplers[] = {&ebm_gibbs, &ebm_gibbs_with_gradients};
    double *x = ring_draw(3), exact[SPINS], found[SPINS];
    fit(&ebm_loss_exact_ml, NULL, x, exact);
    for (int s = 0; s < 2; s++) {
        fit(&ebm_loss_pcd, samplers[s], x, found);
        for (int k = 0; k < SPINS; k++) {
            cr_expect(fabs(exact[k] - couplings[k]) < 0.15, "%d: %g", k, exact[k]);
            cr_expect(fabs(found[k] - exact[k]) < 0.08, "%d: %g, exactly %g", k, found[k], exact[k]);
        }
    }
    fit(&ebm_loss_cd, &ebm_gibbs, x, found);
    for (int k = 0; k < SPINS; k++)
        cr_expect(fabs(found[k] - exact[k]) < 0.1, "%d: %g, exactly %g", k, found[k], exact[k]);
    free(x);
}

/* ---- An energy that ignores x ---- */

static ad_var constant_graph(ad_var x, const ad_var *theta, void *context) { return (void)x, (void)context, theta[0]; }

/* Every loss of a flat energy is evaluated or refused, never wrong: its score is 0. */
Test(chain_options, energies_that_ignore_x)
{
    static const ebm_loss *const losses[] = {&ebm_loss_weighted_score_matching, &ebm_loss_denoising, &ebm_loss_sliced,
                                             &ebm_loss_sliced_reduced, &ebm_loss_conditional_nce, &ebm_loss_ranking_nce,
                                             &ebm_loss_ksd_rbf, &ebm_loss_improved_cd, &ebm_loss_energy_penalty};
    double *x = normals(ROWS, 0, 1, 3);
    ebm_proposal *q = test_proposal(&energies[PRECISION]);
    ebm_loss_options options = {0};
    options.proposal = q;
    for (int k = 0; k < COUNT(losses); k++) {
        ebm_model *model =
            model_of(1, &(ebm_parameter){"c", {0, {0}}, EBM_INIT_CONSTANT, 0.5}, 1, constant_graph, GIBBS_FLOAT64);
        ebm_objective *o = objective_at(model, losses[k], &options, NULL, x, ROWS, SEED, STEP);
        double value = value_of(o), gradient = *(const double *)ebm_objective_gradient(o);
        cr_expect(isfinite(value), "%s: %g", losses[k]->name, value);
        expect_close(gradient, losses[k] == &ebm_loss_energy_penalty ? 1 : 0, 1e-13, losses[k]->name);
        if (losses[k] == &ebm_loss_conditional_nce) expect_close(value, 2 * log(2), 1e-14, "conditional NCE");
        if (losses[k] == &ebm_loss_sliced) cr_expect_eq(value, 0);
        ebm_objective_free(o);
        ebm_model_free(model);
    }
    ebm_proposal_free(q);
    free(x);
}
