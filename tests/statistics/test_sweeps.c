/* Gibbs sweeps on couplings against the probabilities of all states by χ²: in each order, from couplings that are handed
 * over and from the tape, tempered, along a path; and with a mistake, which must be noticed. */
#include "ebm/changes_helpers.h"
#include "ebm/discrete_space.h"
#include "ebm/conditionals/kernel.h"
#include "ebm/sampler/chain_state.h"

enum { ROWS = 8000 };

static const ebm_order orders[] = {EBM_ORDER_IN_TURN, EBM_ORDER_RANDOM, EBM_ORDER_COLOURS};

/* The ends of `steps` steps from exact draws, or all from the first state, as a normal number. */
static double judge(ebm_model *model, ebm_chain_options o, const columns *c, int64_t steps, bool exact)
{
    int64_t dim = ebm_model_dim(model);
    double *x = sampling_room(ROWS * dim, sizeof *x);
    ebm_chains *chains;
    ebm_space of = o.space = space_of(c);
    space s = space_list(model, &of);
    if (exact) space_draw(&s, ROWS, 3, x);
    for (int64_t r = 0; !exact && r < ROWS; r++) memcpy(x + r * dim, s.x, (size_t)dim * sizeof *x);
    o.sampler = &ebm_gibbs;
    OK(ebm_chains_new(model, &o, &chains, ERROR));
    cr_assert(chains->sweeps);
    OK(ebm_chains_start(chains, x, ROWS, ERROR));
    OK(ebm_chains_run(chains, steps, 21, 0, ERROR));
    ebm_chains_get(chains, x);
    double z = space_chi_square(&s, x, ROWS);
    ebm_chains_free(chains);
    free(x);
    return z;
}

static void expect_right(ebm_model *model, const columns *c, const char *what)
{
    for (int k = 0; k < COUNT(orders); k++) {
        const ebm_chain_options o = {.order = orders[k]};
        double keep = judge(model, o, c, 2, true), find = judge(model, o, c, 40, false);
        cr_expect(keep < 4.3 && find < 4.3, "%s, order %d: %.2f, %.2f", what, k, keep, find);
    }
    ebm_model_free(model);
}

Test(sweeps, of_couplings_from_the_tape)
{
    static const columns spaces[] = {{{0, 1}, 0}, {{-1, 1}, 0}, {{0.25, -0.5}, 0}, {{0, 1}, 2}, {{0, 1}, 3}, {{0, 1}, 6}};
    const quad q = {2, 0, 0};
    for (int k = 0; k < COUNT(spaces); k++)
        for (int narrow = 0; narrow < 2; narrow++)
            expect_right(quad_model(&q, NULL, narrow ? GIBBS_FLOAT32 : GIBBS_FLOAT64), &spaces[k], "quadratic");
}

typedef gibbs_status make(const ebm_mrf_spec *spec, ebm_model **model, gibbs_error *error);

static ebm_model *shipped(make *f, int labels, const int64_t *edges, int64_t count)
{
    ebm_mrf_spec spec = {.space = {.variables = labels ? 6 / labels : 6, .labels = labels, .one_hot = labels > 0},
                         .edges = edges, .edge_count = count};
    double theta[64];
    ebm_model *model;
    OK(f(&spec, &model, ERROR));
    for (int k = 0; k < 64; k++) theta[k] = 0.5 * sin(1 + 2.3 * k);
    ebm_model_set(model, theta);
    return model;
}

Test(sweeps, of_couplings_that_are_handed_over)
{
    static const int64_t ring[] = {0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 0, 5}, chain[] = {0, 1, 2, 1};
    static const columns spins = {{0, 1}, 0}, blocks = {{0, 1}, 2};
    expect_right(shipped(ebm_model_ising, 0, NULL, 0), &spins, "ising");
    expect_right(shipped(ebm_model_ising, 0, ring, 6), &spins, "ising on a ring");
    expect_right(shipped(ebm_model_mrf, 2, NULL, 0), &blocks, "mrf");
    expect_right(shipped(ebm_model_potts, 2, chain, 2), &blocks, "potts on a chain");
}

Test(sweeps, of_change_statistics)
{
    for (int k = 0; k < COUNT(changing); k++)
        for (int narrow = 0; narrow < 2; narrow++) {
            int labels = changing[k].space.labels;
            expect_right(changes_model(changing[k].kind, &labels, narrow ? GIBBS_FLOAT32 : GIBBS_FLOAT64, 1),
                         &changing[k].space, changing[k].kind->name);
        }
}

/* ---- Tempering, and a path ---- */

static void expect_tempered(bool of_changes)
{
    static const double beta[] = {1, 0.4};
    const columns *c = &quad_spaces[of_changes ? 0 : 1];
    const ebm_chain_options ladder = {.inverse_temperatures = beta, .temperatures = 2, .swap_every = 3};
    const quad q = {2, 0, 0};
    ebm_model *model = of_changes ? changes_model(&network, NULL, GIBBS_FLOAT64, 1)
                                  : quad_model(&q, NULL, GIBBS_FLOAT64), *hot;
    double *x = sampling_room(ROWS * QUAD_DIM, sizeof *x), *rung = sampling_room(ROWS / 2 * QUAD_DIM, sizeof *x);
    ebm_chain_options o = ladder;
    ebm_chains *chains;
    ebm_space of = o.space = space_of(c);
    space s = space_list(model, &of);
    for (int64_t r = 0; r < ROWS; r++) memcpy(x + r * QUAD_DIM, s.x, QUAD_DIM * sizeof *x);
    o.sampler = &ebm_gibbs;
    OK(ebm_chains_new(model, &o, &chains, ERROR));
    OK(ebm_chains_start(chains, x, ROWS, ERROR));
    OK(ebm_chains_run(chains, 60, 4, 0, ERROR));
    ebm_chains_get(chains, x);
    OK(ebm_model_tempered(model, beta[1], &hot, ERROR));
    for (int k = 0; k < 2; k++) {
        space own = space_list(k ? hot : model, &of);
        for (int64_t r = 0; r < ROWS / 2; r++)
            memcpy(rung + r * QUAD_DIM, x + (2 * r + k) * QUAD_DIM, QUAD_DIM * sizeof *x);
        double z = space_chi_square(&own, rung, ROWS / 2);
        cr_expect_lt(z, 4.3, "temperature %d: %.2f", k, z);
    }
    cr_expect(ebm_chains_swapped(chains) > 0.1);
    ebm_chains_free(chains);
    ebm_model_free(hot);
    ebm_model_free(model);
    free(x);
    free(rung);
}

Test(sweeps, tempered)
{
    expect_tempered(false);
    expect_tempered(true);
}

static void expect_annealed(bool of_changes)
{
    const quad q = {2, 0, 0};
    const double odds[QUAD_DIM] = {0.3, 0.4, 0.5, 0.6, 0.7, 0.2};
    ebm_model *model = of_changes ? changes_model(&network, NULL, GIBBS_FLOAT64, 1)
                                  : quad_model(&q, NULL, GIBBS_FLOAT64);
    double *w = sampling_room(ROWS, sizeof *w), *x = sampling_room(ROWS * QUAD_DIM, sizeof *x), z = 0;
    double count[SPACE_STATES] = {0};
    ebm_ais result;
    ebm_ais_options o = {.bridges = 30};
    space s = space_list(model, &(ebm_space){0});
    ebm_proposal *base;
    OK(ebm_proposal_bernoulli(QUAD_DIM, odds, 0, 1, NULL, &base, ERROR));
    o.base = base;
    o.chain.sampler = &ebm_gibbs;
    OK(ebm_ais_forward(model, &o, ROWS, w, x, &result, ERROR));
    cr_expect(fabs(result.log_z - s.log_z) < 4.3 * result.standard_error && result.standard_error < 0.03, "%g +- %g, %g",
              result.log_z, result.standard_error, s.log_z);
    for (int r = 0; r < ROWS; r++) z += exp(w[r]);
    for (int r = 0; r < ROWS; r++) count[space_index(&s, x + r * QUAD_DIM)] += exp(w[r]) / z;
    for (int k = 0; k < s.states; k++) cr_expect_lt(fabs(count[k] - s.p[k]), 6 * sqrt(s.p[k] * 1.5 / ROWS));
    ebm_proposal_free(base);
    ebm_model_free(model);
    free(w);
    free(x);
}

Test(sweeps, annealed)
{
    expect_annealed(false);
    expect_annealed(true);
}

/* ---- Mistakes, which must be noticed ---- */

static int mistake; /* 1: an own term is left out; 2: a field is not told of a change */

static void wrong(const void *theta, void *context, ebm_couplings *c)
{
    (void)context;
    c->width = c->pieces = QUAD_DIM;
    if (!c->J) return;
    const double *b = (const double *)theta + 1, *W = b + QUAD_DIM;
    double *J = c->J;
    memcpy(c->linear, b, QUAD_DIM * sizeof *b);
    c->constant = *(const double *)theta;
    for (int i = 0; i < QUAD_DIM; i++)
        for (int j = 0; j < QUAD_DIM; j++) J[i * QUAD_DIM + j] = W[i * QUAD_DIM + j] + W[j * QUAD_DIM + i];
    if (mistake == 1) J[2 * QUAD_DIM + 2] = 0;
    if (mistake == 2) J[4 * QUAD_DIM + 5] = 0;
}

Test(sweeps, control_wrong_couplings_are_noticed)
{
    const ebm_energy kind = {.name = "wrong", .record = quad_energy, .couplings = wrong};
    const quad q = {2, 0, 0};
    for (mistake = 0; mistake <= 2; mistake++) {
        ebm_model *model = quad_model(&q, &kind, GIBBS_FLOAT64);
        double z = judge(model, (ebm_chain_options){0}, &quad_spaces[0], 40, false);
        cr_expect(mistake ? z > 8 : z < 4.3, "mistake %d: %.2f", mistake, z);
        ebm_model_free(model);
    }
}

/* Two spins with E = −s₀s₁, decided at once, as if they were of one colour: alike they stay, or both turn. */
Test(sweeps, control_a_colour_with_an_edge_inside_is_noticed)
{
    double linear[] = {0, 0}, J[] = {0, -1, -1, 0}, p[] = {0, 0, 0, 0}, total = 0;
    ebm_couplings c = {.dtype = GIBBS_FLOAT64, .dim = 2, .width = 2, .pieces = 2, .linear = linear, .J = J};
    for (int k = 0; k < 4; k++) total += p[k] = exp(k == 0 || k == 3 ? 1 : -1);
    for (int k = 0; k < 4; k++) p[k] /= total;
    for (int at_once = 0; at_once < 2; at_once++) {
        double count[4] = {0};
        uint64_t words = 5;
        for (int r = 0; r < ROWS; r++) {
            double x[] = {1, 1}, field[2], draw[2];
            int32_t changed[2];
            ebm_sweep s = {.c = &c, .chains = 1, .labels = 1, .value = {-1, 1}, .x = x, .field = field, .count = 2,
                           .draw = draw, .changed = changed};
            ebm_sweep_fields_base(&s);
            for (int k = 0; k < 40; k++) {
                for (int i = 0; i < 2; i++) {
                    double u = sampling_uniform(&words);
                    draw[i] = log(u / (1 - u));
                }
                (at_once ? ebm_sweep_columns_at_once_base : ebm_sweep_columns_base)(&s);
            }
            count[(x[0] > 0) + 2 * (x[1] > 0)]++;
        }
        double z = chi_square_z(count, p, 4, ROWS);
        cr_expect(at_once ? z > 8 : z < 4.3, "at once %d: %.2f", at_once, z);
    }
}
