/* Improved contrastive divergence: CD where the coefficient is 0; else also the derivative through the last transition,
 * with the nearest neighbours' entropy, against plain C. */
#include "loss_helpers.h"
#include "ebm/objective/neighbours.h"

enum { ROWS = 80, SEED = 4, STEP = 6 };
static const double h = 0.15;

static ebm_loss_options with(int steps, double coefficient)
{
    ebm_loss_options options = {0};
    options.sampler = &ebm_ula;
    options.sampler_steps = steps;
    options.sampler_step = h;
    options.coefficient = coefficient == 0 ? EBM_ZERO : coefficient;
    return options;
}

/* ---- Coefficient 0 ---- */

Test(improved_cd, without_the_term_it_is_cd)
{
    for (int k = 0; k < ENERGIES; k++)
        for (int steps = 1; steps <= 4; steps += 3) {
            const plain_energy *e = &energies[k];
            double *x = test_points(e, ROWS, 1);
            ebm_loss_options options = with(steps, 0);
            total cd = evaluate_loss(e->make, &ebm_loss_cd, &options, e->theta, x, ROWS, SEED, STEP);
            options.sampler = NULL; /* ULA by default */
            total improved = evaluate_loss(e->make, &ebm_loss_improved_cd, &options, e->theta, x, ROWS, SEED, STEP);
            expect_close(improved.value, cd.value, 1e-12, e->name);
            for (int i = 0; i < e->size; i++) expect_close(improved.gradient[i], cd.gradient[i], 1e-12, e->name);
            free(x);
        }
}

/* A Langevin step that reads everything that options of chains give to a sampler. */
static ad_var reads_all(const ebm_sampler_graph *g, const ad_var *state, ad_var *next)
{
    ad_var E = ebm_sampler_energy(g, state[0]), slope = {g->tape, -1}, h = ad_scale(g->step, 1.0 / g->leapfrog_steps);
    ad_grad(E, state, 1, &slope);
    ad_var drift = ad_mul(ad_mul(h, ad_square(g->scale)), slope);
    ad_var noise = ad_normal(g->chain, ad_shape_of(state[0]), EBM_STREAM_USER);
    double shift = g->space.values[0] + 10 * g->space.values[1];
    next[0] = ad_shift(ad_add(ad_sub(state[0], drift), ad_mul(ad_mul(ad_sqrt(h), g->scale), noise)), 0.01 * shift);
    next[1] = ad_sum(next[0]);
    if (!g->proposal) return ad_constant(g->tape, 1);
    next[0] = ad_add(next[0], ad_scale(g->proposal->log_density(g->proposal, state[0], NULL), 0.1));
    return ad_constant(g->tape, 1);
}
static void keep_sum(const ebm_sampler_graph *g, ad_var x, ad_var *cache) { (void)g, cache[0] = ad_sum(x); }

static const ebm_sampler own = {.name = "reads all", .step = reads_all, .start = keep_sum, .caches = 1};

/* options.chain holds of the recorded transition as of the others. */
Test(improved_cd, the_last_transition_has_the_chain_s_options)
{
    static const double mass[] = {1.0 / 16, 4}, values_of_x[] = {-1, 2};
    const plain_energy *e = &energies[GAUSSIAN2];
    double *x = test_points(e, ROWS, 1), values[16];
    ebm_proposal *q = test_proposal(e);
    for (int set = 0; set < COUNT(values); set++) {
        ebm_chain_options chain = {0};
        ebm_loss_options options = with(1 + set % 3, 0);
        options.sampler = &own;
        if (set & 1) chain.mass = mass;
        if (set & 2) chain.leapfrog_steps = 3;
        if (set & 4) chain.space.values = values_of_x;
        if (set & 8) options.proposal = q;
        options.chain = &chain;
        total cd = evaluate_loss(e->make, &ebm_loss_cd, &options, e->theta, x, ROWS, SEED, STEP);
        total improved = evaluate_loss(e->make, &ebm_loss_improved_cd, &options, e->theta, x, ROWS, SEED, STEP);
        expect_close(improved.value, cd.value, 1e-12, "value");
        for (int i = 0; i < e->size; i++) expect_close(improved.gradient[i], cd.gradient[i], 1e-12, "gradient");
        values[set] = cd.value;
        for (int k = 0; k < set; k++) cr_expect(fabs(values[k] - cd.value) > 1e-6, "%d and %d do not differ", k, set);
    }
    ebm_proposal_free(q);
    free(x);
}

/* ---- The term ---- */

/* Where chains are before the last of k transitions. */
static double *before_last(const plain_energy *e, int steps, const double *x)
{
    double *y = malloc((size_t)(ROWS * e->dim) * sizeof *y);
    ebm_chain_options options = {0};
    ebm_chains *chains;
    ebm_model *model = e->make();
    ebm_model_set(model, e->theta);
    options.sampler = &ebm_ula;
    options.step = h;
    OK(ebm_chains_new(model, &options, &chains, ERROR));
    OK(ebm_chains_start(chains, x, ROWS, ERROR));
    OK(ebm_chains_run(chains, steps - 1, SEED, (uint64_t)(STEP * steps), ERROR));
    ebm_chains_get(chains, y);
    ebm_chains_free(chains);
    ebm_model_free(model);
    return y;
}

static int nearest_to(const double *y, int i)
{
    int best = i ? 0 : 1;
    for (int j = 0; j < ROWS; j++)
        if (j != i && fabs(y[j] - y[i]) < fabs(y[best] - y[i])) best = j;
    return best;
}

/* On the line: y = b − hE′(b) + √2h ε, dy/dθ = −h ∂θE′(b), and what KL adds is
 * mean E′(y) dy − mean (dyᵢ − dyⱼ)/(yᵢ − yⱼ) to the gradient, mean E(y) − mean log|yᵢ − yⱼ| to the value. */
static total term(int which, int steps, const double *x)
{
    const plain_energy *e = &energies[which];
    double *b = before_last(e, steps, x), y[ROWS], dy[ROWS][2];
    double *noise = graph_random(0, ROWS, 1, EBM_STREAM_SAMPLER_NORMAL, SEED, (uint64_t)(STEP * steps + steps - 1));
    total t = {0};
    for (int r = 0; r < ROWS; r++) {
        slopes s = slopes_at(which, b[r], e->theta);
        y[r] = b[r] - h * s.first + sqrt(2 * h) * noise[r];
        for (int k = 0; k < e->size; k++) dy[r][k] = -h * s.dfirst[k];
    }
    for (int r = 0; r < ROWS; r++) {
        int j = nearest_to(y, r);
        double slope = slopes_at(which, y[r], e->theta).first;
        t.value += (e->E(&y[r], e->theta) - log(fabs(y[r] - y[j]))) / ROWS;
        for (int k = 0; k < e->size; k++)
            t.gradient[k] += (slope * dy[r][k] - (dy[r][k] - dy[j][k]) / (y[r] - y[j])) / ROWS;
    }
    free(b), free(noise);
    return t;
}

Test(improved_cd, derivative_through_the_last_transition)
{
    for (int which = SCALE; which <= QUARTIC; which++)
        for (int steps = 1; steps <= 3; steps += 2)
            for (int sign = -1; sign <= 1; sign += 2) {
                const plain_energy *e = &energies[which];
                double *x = test_points(e, ROWS, 1);
                ebm_loss_options options = with(steps, sign * 0.7);
                total cd = evaluate_loss(e->make, &ebm_loss_cd, &options, e->theta, x, ROWS, SEED, STEP);
                total all = evaluate_loss(e->make, &ebm_loss_improved_cd, &options, e->theta, x, ROWS, SEED, STEP);
                total t = term(which, steps, x);
                expect_close(all.value, cd.value + sign * 0.7 * t.value, 1e-11, e->name);
                for (int k = 0; k < e->size; k++) {
                    expect_close(all.gradient[k], cd.gradient[k] + sign * 0.7 * t.gradient[k], 1e-9, e->name);
                    cr_expect(fabs(t.gradient[k]) > 1e-3, "the term must matter: %g", t.gradient[k]);
                }
                free(x);
            }
}

/* In two dimensions against differences of the term as a function of the sampler's parameters alone. */
static double moved_term(const plain_energy *e, const double *theta, const double *b, const double *noise,
                         const int *nearest)
{
    double y[2 * ROWS], s[2], sum = 0;
    for (int r = 0; r < ROWS; r++) {
        e->dx(b + 2 * r, theta, s);
        for (int i = 0; i < 2; i++) y[2 * r + i] = b[2 * r + i] - h * s[i] + sqrt(2 * h) * noise[2 * r + i];
    }
    for (int r = 0; r < ROWS; r++) {
        const double *p = y + 2 * r, *q = y + 2 * nearest[r];
        sum += (e->E(p, e->theta) - log(pow(p[0] - q[0], 2) + pow(p[1] - q[1], 2))) / ROWS; /* 2·½ log */
    }
    return sum;
}

Test(improved_cd, two_dimensions)
{
    const plain_energy *e = &energies[GAUSSIAN2];
    double *x = test_points(e, ROWS, 1), *b = before_last(e, 2, x), s[2], y[2 * ROWS], index[ROWS];
    double *noise = graph_random(0, ROWS, 2, EBM_STREAM_SAMPLER_NORMAL, SEED, 2 * STEP + 1);
    int nearest[ROWS];
    for (int r = 0; r < ROWS; r++) {
        e->dx(b + 2 * r, e->theta, s);
        for (int i = 0; i < 2; i++) y[2 * r + i] = b[2 * r + i] - h * s[i] + sqrt(2 * h) * noise[2 * r + i];
    }
    ebm_nearest(GIBBS_FLOAT64, y, ROWS, 2, 2, index);
    for (int r = 0; r < ROWS; r++) nearest[r] = (int)index[r];
    ebm_loss_options options = with(2, 1);
    total cd = evaluate_loss(e->make, &ebm_loss_cd, &options, e->theta, x, ROWS, SEED, STEP);
    total all = evaluate_loss(e->make, &ebm_loss_improved_cd, &options, e->theta, x, ROWS, SEED, STEP);
    expect_close(all.value - cd.value, moved_term(e, e->theta, b, noise, nearest), 1e-11, "value");
    for (int k = 0; k < e->size; k++) {
        double value[4], moved[6];
        for (int i = 0; i < 4; i++) {
            memcpy(moved, e->theta, sizeof moved);
            moved[k] += (i % 2 ? -1 : 1) * (i / 2 + 1) * 1e-4;
            value[i] = moved_term(e, moved, b, noise, nearest);
        }
        double slope = (4 * (value[0] - value[1]) / 2e-4 - (value[2] - value[3]) / 4e-4) / 3;
        expect_close(all.gradient[k] - cd.gradient[k], slope, 1e-6, "gradient");
    }
    free(x), free(b), free(noise);
}

/* ---- Neighbours ---- */

Test(neighbours, all_pairs)
{
    enum { MANY = 101 };
    double *x = normals(3 * MANY, 0, 1, 4), found[MANY];
    float narrow[3 * MANY], number[MANY];
    for (int i = 0; i < 3 * MANY; i++) narrow[i] = (float)x[i];
    for (int threads = 1; threads <= 3; threads++) {
        ebm_nearest(GIBBS_FLOAT64, x, MANY, 3, threads, found);
        ebm_nearest(GIBBS_FLOAT32, narrow, MANY, 3, threads, number);
        for (int i = 0; i < MANY; i++) {
            double best = INFINITY;
            int at = -1;
            for (int j = 0; j < MANY; j++) {
                double d = 0;
                for (int k = 0; k < 3; k++) d += pow(x[3 * i + k] - x[3 * j + k], 2);
                if (j != i && d < best) best = d, at = j;
            }
            cr_expect(found[i] == at && number[i] == at, "%d: %g and %g, not %d", i, found[i], number[i], at);
        }
    }
    const double tied[] = {0, 1, 2, 2};
    ebm_nearest(GIBBS_FLOAT64, tied, 4, 1, 1, found);
    cr_expect(found[0] == 1 && found[1] == 0 && found[2] == 3 && found[3] == 2, "the first of several");
    free(x);
}

/* ---- Errors ---- */

Test(improved_cd, refuses)
{
    static const ebm_sampler *const jumpy[] = {&ebm_mala, &ebm_independence_mh};
    const double x[] = {1, 2};
    ebm_model *model = energies[PRECISION].make();
    ebm_objective *o;
    ebm_loss_options options = with(1, 1);
    for (int k = 0; k < COUNT(jumpy); k++) {
        options.sampler = jumpy[k];
        FAILS(GIBBS_ARGUMENT, "no derivative", ebm_objective_new(model, &ebm_loss_improved_cd, &options, &o, FAIL));
    }
    options = with(-1, 1);
    FAILS(GIBBS_ARGUMENT, "sampler_steps is -1", ebm_objective_new(model, &ebm_loss_improved_cd, &options, &o, FAIL));
    options = with(1, NAN);
    FAILS(GIBBS_ARGUMENT, "coefficient is nan", ebm_objective_new(model, &ebm_loss_improved_cd, &options, &o, FAIL));
    options = with(1, 1);
    OK(ebm_objective_new(model, &ebm_loss_improved_cd, &options, &o, ERROR));
    FAILS(GIBBS_DATA, "improved-cd compares rows: 2 are needed, the batch has 1", ebm_objective_bind(o, x, 1, FAIL));
    OK(ebm_objective_bind(o, x, 2, ERROR));
    FAILS(GIBBS_UNBOUND, "refresh", ebm_objective_evaluate(o, NULL, FAIL));
    OK(ebm_objective_refresh(o, 1, 1, ERROR));
    cr_expect(isfinite(value_of(o)));
    ebm_objective_free(o);
    ebm_model_free(model);
}
