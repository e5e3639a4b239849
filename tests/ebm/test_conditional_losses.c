/* Losses and samplers of conditional energies. E(x, y) = E₀(y − Cx) is, given x, the density of E₀ moved by Cx: every
 * loss of rows [x, y] must be the ordinary loss of the rows y − Cx under E₀, number for number, and every chain the
 * ordinary chain moved by Cx. A loss that differentiated by x, moved x, lost a row's x or gave a row another's x would
 * differ. */
#include "ebm/objective_helpers.h"

enum { GIVEN = 2, WIDTH = 2, DIM = GIVEN + WIDTH, ROWS = 12, COPIES = 3 };
static const double C[GIVEN * WIDTH] = {0.7, -0.4, 0.3, 1.1}; /* [given, width] */

static const ebm_parameter parameters[] = {{"a", {1, {WIDTH}}, EBM_INIT_CONSTANT, 0.6},
                                           {"b", {0, {0}}, EBM_INIT_CONSTANT, 0.15}};

/* E₀(v) = ½ Σ aᵢvᵢ² + b (v₁v₂ + Σ vᵢ⁴/4) + log cosh(v₁ − v₂) */
static ad_var energy_of_y(ad_var v, const ad_var *theta, void *context)
{
    (void)context;
    ad_var first = ad_reshape(ad_slice(v, 0, 0, 1), ad_scalar()),
           second = ad_reshape(ad_slice(v, 0, 1, 1), ad_scalar());
    ad_var squares = ad_scale(ad_dot(theta[0], ad_square(v)), 0.5), fourth = ad_sum(ad_square(ad_square(v)));
    ad_var bent = ad_add(ad_mul(first, second), ad_scale(fourth, 0.25));
    return ad_add(ad_add(squares, ad_mul(theta[1], bent)), ad_logcosh(ad_sub(first, second)));
}

static ad_var shifted(ad_var row)
{
    ad_var c = ad_constant_array(row.tape, ad_mat(GIVEN, WIDTH), C);
    return ad_sub(ad_slice(row, 0, GIVEN, WIDTH), ad_matmul(ad_slice(row, 0, 0, GIVEN), c));
}

static ad_var energy_of_row(ad_var row, const ad_var *theta, void *context)
{
    return energy_of_y(shifted(row), theta, context);
}

/* A critic of v; of the conditional model a function of the row. */
static ad_var critic_of_y(ad_var v, const ad_var *theta, void *context)
{
    return (void)context, ad_tanh(ad_mul(theta[0], v));
}
static ad_var critic_of_row(ad_var row, const ad_var *theta, void *context)
{
    return critic_of_y(shifted(row), theta, context);
}
/* A weight may look at y alone: a constant one is the same of y and of v. */
static ad_var flat_weight(ad_var y, void *context) { return (void)context, ad_shift(ad_scale(y, 0), 2); }

static ebm_model *model_of_rows(ebm_energy_fn energy, gibbs_dtype dtype)
{
    ebm_model *model;
    ebm_model_spec spec = {0};
    spec.dtype = dtype, spec.dim = DIM, spec.energy = energy;
    spec.parameters = parameters, spec.parameter_count = COUNT(parameters);
    spec.given = GIVEN;
    OK(ebm_model_new(&spec, &model, ERROR));
    return model;
}

static double moved(const double *row, int k)
{
    double v = row[GIVEN + k];
    for (int i = 0; i < GIVEN; i++) v -= row[i] * C[i * WIDTH + k];
    return v;
}

typedef struct both { /* rows [x, y], and v = y − Cx */
    double *rows, *v;
    ebm_model *model[2]; /* conditional, ordinary */
    ebm_proposal *q[2], *residual;
    ebm_points points;
} both;

static both make_both(gibbs_dtype dtype)
{
    both b = {.rows = normals(ROWS * DIM, 0, 1, 5), .v = sampling_room(ROWS * WIDTH, sizeof(double))};
    for (int r = 0; r < ROWS; r++)
        for (int k = 0; k < WIDTH; k++) b.v[r * WIDTH + k] = moved(b.rows + r * DIM, k);
    b.model[0] = model_of_rows(energy_of_row, dtype);
    b.model[1] = model_of(WIDTH, parameters, COUNT(parameters), energy_of_y, dtype);
    /* q(y | x) = N(y; m + Cx, S) */
    const double mean[] = {0.2, -0.1}, covariance[] = {1.7, 0.4, 0.4, 1.2}, zero[] = {0, 0};
    double coefficient[(1 + GIVEN) * WIDTH] = {0.2, -0.1};
    memcpy(coefficient + WIDTH, C, sizeof C);
    OK(ebm_proposal_gaussian_full(WIDTH, mean, covariance, NULL, &b.q[1], ERROR));
    OK(ebm_proposal_gaussian_full(WIDTH, zero, covariance, NULL, &b.residual, ERROR));
    OK(ebm_proposal_regression(GIVEN, coefficient, b.residual, NULL, &b.q[0], ERROR));
    OK(ebm_points_box(WIDTH, &(ebm_box){.low = {-9, -9}, .high = {9, 9}, .points = 60}, NULL, &b.points, ERROR));
    return b;
}

static void free_both(both *b)
{
    free(b->rows), free(b->v);
    for (int k = 0; k < 2; k++) ebm_model_free(b->model[k]), ebm_proposal_free(b->q[k]);
    ebm_proposal_free(b->residual);
    ebm_points_free(&b->points);
}

typedef struct way {
    const ebm_loss *loss;
    const ebm_sampler *sampler;
    int rows;         /* ML-IS: of one row, whose log Z is then the batch's */
    double tolerance; /* of a quadrature whose nodes do not move with x */
    bool one_way;     /* its value is no function whose gradient is the one given */
} way;

static const way ways[] = {
    {&ebm_loss_score_matching, NULL, ROWS, 1e-11, false},
    {&ebm_loss_weighted_score_matching, NULL, ROWS, 1e-11, false},
    {&ebm_loss_denoising, NULL, ROWS, 1e-11, false},
    {&ebm_loss_denoising_autoencoder, NULL, ROWS, 1e-11, false},
    {&ebm_loss_sliced, NULL, ROWS, 1e-11, false},
    {&ebm_loss_sliced_reduced, NULL, ROWS, 1e-11, false},
    {&ebm_loss_conditional_nce, NULL, ROWS, 1e-11, false},
    {&ebm_loss_energy_penalty, NULL, ROWS, 1e-11, false},
    {&ebm_loss_stein, NULL, ROWS, 1e-11, true},
    {&ebm_loss_stein_hutchinson, NULL, ROWS, 1e-11, true},
    {&ebm_loss_nce, NULL, ROWS, 1e-11, false},
    {&ebm_loss_ranking_nce, NULL, ROWS, 1e-11, false},
    {&ebm_loss_ml_is, NULL, 1, 1e-11, false},
    {&ebm_loss_exact_ml, NULL, ROWS, 1e-6, false},
    {&ebm_loss_cd, &ebm_mala, ROWS, 1e-9, true},
    {&ebm_loss_cd, &ebm_hmc, ROWS, 1e-9, true},
    {&ebm_loss_cd, &ebm_independence_mh, ROWS, 1e-9, true},
    {&ebm_loss_pcd, &ebm_ula, ROWS, 1e-9, true},
};

/* Value and gradient of the conditional model (0) and of the ordinary one (1). */
static void evaluate_way(const way *w, both *b, gibbs_dtype dtype, double *value, double (*gradient)[4])
{
    for (int k = 0; k < 2; k++) {
        ebm_loss_options o = {0};
        o.proposal = w->loss == &ebm_loss_pcd ? NULL : b->q[k], o.points = &b->points, o.noise_ratio = COPIES;
        o.copies = COPIES, o.noise_sd = 0.4, o.sampler = w->sampler, o.sampler_steps = 3, o.sampler_step = 0.1;
        o.field = w->one_way && !w->sampler ? k ? critic_of_y : critic_of_row : NULL, o.weight = flat_weight;
        float narrow[ROWS * DIM];
        const double *rows = k ? b->v : b->rows;
        const void *x = rows;
        int width = k ? WIDTH : DIM;
        for (int i = 0; i < w->rows * width; i++) narrow[i] = (float)rows[i];
        if (dtype == GIBBS_FLOAT32) x = narrow;
        ebm_objective *objective;
        OK(ebm_objective_new(b->model[k], w->loss, &o, &objective, ERROR));
        OK(ebm_objective_bind(objective, x, w->rows, ERROR));
        for (uint64_t step = 0; step < 2; step++)
            OK(ebm_objective_refresh(objective, 3, step, ERROR)); /* PCD goes on */
        OK(ebm_objective_evaluate(objective, &value[k], ERROR));
        for (int64_t i = 0; i < ebm_objective_size(objective); i++)
            gradient[k][i] = dtype == GIBBS_FLOAT64 ? ((const double *)ebm_objective_gradient(objective))[i]
                                                    : (double)((const float *)ebm_objective_gradient(objective))[i];
        if (!w->one_way && dtype == GIBBS_FLOAT64 && !k) expect_consistent(objective, 1e-6, w->loss->name);
        ebm_objective_free(objective);
    }
}

static void check_way(const way *w, both *b, gibbs_dtype dtype, double loosen)
{
    double value[2], gradient[2][4];
    evaluate_way(w, b, dtype, value, gradient);
    expect_close(value[0], value[1], w->tolerance * loosen, w->loss->name);
    for (int i = 0; i < 3; i++) expect_close(gradient[0][i], gradient[1][i], w->tolerance * loosen, w->loss->name);
    cr_expect(fabs(value[1]) > 1e-4 && fabs(gradient[1][0]) > 1e-6, "%s: nothing to see", w->loss->name);
}

Test(conditional_losses, are_those_of_y_moved_by_x)
{
    both b = make_both(GIBBS_FLOAT64), narrow = make_both(GIBBS_FLOAT32);
    for (int k = 0; k < COUNT(ways); k++) {
        check_way(&ways[k], &b, GIBBS_FLOAT64, 1);
        check_way(&ways[k], &narrow, GIBBS_FLOAT32, ways[k].tolerance < 1e-7 ? 3e-4 / ways[k].tolerance : 300);
    }
    free_both(&b), free_both(&narrow);
}

/* One row with another's x is seen by every loss: rows[0] keeps its y and takes another x, v stays as it was. */
Test(conditional_losses, control_a_wrong_x_is_seen)
{
    both b = make_both(GIBBS_FLOAT64);
    double value[2], gradient[2][4];
    for (int i = 0; i < GIVEN; i++) b.rows[i] += 0.3;
    for (int k = 0; k < COUNT(ways); k++) {
        evaluate_way(&ways[k], &b, GIBBS_FLOAT64, value, gradient);
        bool same = close_to(value[0], value[1], 1e-5);
        for (int i = 0; i < 3; i++) same = same && close_to(gradient[0][i], gradient[1][i], 1e-5);
        /* exact likelihood and NCE with a q that follows x see y − Cx as well */
        cr_expect(!same, "%s does not see a wrong x", ways[k].loss->name);
    }
    free_both(&b);
}

/* ---- Chains ---- */

Test(conditional_losses, chains_move_y_and_leave_x)
{
    static const ebm_sampler *const samplers[] = {&ebm_ula, &ebm_mala, &ebm_hmc, &ebm_random_walk,
                                                  &ebm_independence_mh};
    const double ladder[] = {1, 0.5}, mass[] = {1.5, 0.8};
    both b = make_both(GIBBS_FLOAT64);
    double got[ROWS * DIM], plain[ROWS * WIDTH];
    for (int i = 0; i < ROWS; i += 2) /* neighbours on a ladder have one x */
        memcpy(b.rows + (i + 1) * DIM, b.rows + i * DIM, GIVEN * sizeof(double));
    for (int r = 0; r < ROWS; r++)
        for (int k = 0; k < WIDTH; k++) b.v[r * WIDTH + k] = moved(b.rows + r * DIM, k);
    for (int s = 0; s < COUNT(samplers); s++)
        for (int tempered = 0; tempered < 2; tempered++) {
            ebm_chains *chains[2];
            for (int k = 0; k < 2; k++) {
                ebm_chain_options o = {.sampler = samplers[s], .step = 0.2, .proposal = b.q[k], .swap_every = 2};
                if (tempered) o.inverse_temperatures = ladder, o.temperatures = 2;
                if (samplers[s] == &ebm_hmc) o.mass = mass, o.leapfrog_steps = 3;
                OK(ebm_chains_new(b.model[k], &o, &chains[k], ERROR));
                OK(ebm_chains_start(chains[k], k ? b.v : b.rows, ROWS, ERROR));
                OK(ebm_chains_run(chains[k], 7, 11, 0, ERROR));
            }
            ebm_chains_get(chains[0], got), ebm_chains_get(chains[1], plain);
            for (int r = 0; r < ROWS; r++) {
                cr_expect(!memcmp(got + r * DIM, b.rows + r * DIM, GIVEN * sizeof(double)), "x moved");
                for (int k = 0; k < WIDTH; k++)
                    expect_close(moved(got + r * DIM, k), plain[r * WIDTH + k], 1e-9, samplers[s]->name);
            }
            cr_expect(memcmp(plain, b.v, sizeof plain), "nothing moved");
            expect_close(ebm_chains_acceptance(chains[0]), ebm_chains_acceptance(chains[1]), 1e-12, "acceptance");
            ebm_chains_free(chains[0]), ebm_chains_free(chains[1]);
        }
    ebm_chains *chains;
    ebm_chain_options o = {.step = 0.1, .inverse_temperatures = ladder, .temperatures = 2};
    b.rows[DIM] += 1;
    OK(ebm_chains_new(b.model[0], &o, &chains, ERROR));
    FAILS(GIBBS_ARGUMENT, "row 2 has other given columns", ebm_chains_start(chains, b.rows, ROWS, FAIL));
    ebm_chains_free(chains);
    free_both(&b);
}

/* ---- Other rows of the batch ---- */

/* −log of the own y's share among the own and the y of `copies` others, by the energies of all pairs. */
static double pairs_loss(ebm_model *model, const double *rows, int n)
{
    double loss = 0, all[ROWS * ROWS * DIM], E[ROWS * ROWS];
    for (int i = 0; i < n; i++)
        for (int j = 0; j < n; j++) {
            memcpy(all + (i * n + j) * DIM, rows + i * DIM, GIVEN * sizeof *all);
            memcpy(all + (i * n + j) * DIM + GIVEN, rows + j * DIM + GIVEN, WIDTH * sizeof *all);
        }
    OK(ebm_model_energy(model, all, n * n, E, NULL, ERROR));
    for (int i = 0; i < n; i++) {
        double sum = 0;
        for (int j = 0; j < n; j++) sum += exp(E[i * n + i] - E[i * n + j]);
        loss += log(sum) / n;
    }
    return loss;
}

Test(conditional_losses, negatives_are_the_other_rows)
{
    both b = make_both(GIBBS_FLOAT64);
    double value;
    ebm_objective *o;
    ebm_loss_options options = {0};
    options.copies = ROWS - 1; /* all of them */
    OK(ebm_objective_new(b.model[0], &ebm_loss_batch_ranking_nce, &options, &o, ERROR));
    OK(ebm_objective_bind(o, b.rows, ROWS, ERROR));
    FAILS(GIBBS_UNBOUND, "refresh after binding", ebm_objective_evaluate(o, &value, FAIL));
    for (uint64_t step = 0; step < 3; step++) {
        OK(ebm_objective_refresh(o, 1, step, ERROR));
        expect_close(value_of(o), pairs_loss(b.model[0], b.rows, ROWS), 1e-12, "all others");
    }
    expect_consistent(o, 1e-7, "all others");
    FAILS(GIBBS_DATA, "compares rows", ebm_objective_bind(o, b.rows, 1, FAIL));
    ebm_objective_free(o);

    /* of three rows each of the two others comes twice among four */
    double E[2], twice = 0;
    options.copies = 4;
    OK(ebm_objective_new(b.model[0], &ebm_loss_batch_ranking_nce, &options, &o, ERROR));
    OK(ebm_objective_bind(o, b.rows, 3, ERROR));
    OK(ebm_objective_refresh(o, 1, 0, ERROR));
    for (int i = 0; i < 3; i++) {
        double sum = 1, row[2 * DIM];
        for (int j = 0; j < 3; j++) {
            if (j == i) continue;
            memcpy(row, b.rows + i * DIM, DIM * sizeof *row), memcpy(row + DIM, row, GIVEN * sizeof *row);
            memcpy(row + DIM + GIVEN, b.rows + j * DIM + GIVEN, WIDTH * sizeof *row);
            OK(ebm_model_energy(b.model[0], row, 2, E, NULL, ERROR));
            sum += 2 * exp(E[0] - E[1]);
        }
        twice += log(sum) / 3;
    }
    expect_close(value_of(o), twice, 1e-12, "others twice");
    ebm_objective_free(o);
    FAILS(GIBBS_ARGUMENT, "not conditional",
          ebm_objective_new(b.model[1], &ebm_loss_batch_ranking_nce, &options, &o, FAIL));
    free_both(&b);
}

/* ---- What is refused ---- */

Test(conditional_losses, proposals_and_ratios)
{
    both b = make_both(GIBBS_FLOAT64);
    ebm_objective *o;
    ebm_loss_options options = {0};
    options.proposal = b.q[0], options.noise_ratio = 1.5;
    FAILS(GIBBS_ARGUMENT, "1.5 is no whole number", ebm_objective_new(b.model[0], &ebm_loss_nce, &options, &o, FAIL));
    options.noise_ratio = 0;
    FAILS(GIBBS_ARGUMENT, "there is no x here", ebm_objective_new(b.model[1], &ebm_loss_nce, &options, &o, FAIL));
    ebm_proposal other = *b.q[0];
    other.given = 1, options.proposal = &other;
    FAILS(GIBBS_SHAPE, "of 2 columns given 1; the model, of 2 given 2",
          ebm_objective_new(b.model[0], &ebm_loss_nce, &options, &o, FAIL));
    options.proposal = b.q[1]; /* the marginal */
    OK(ebm_objective_new(b.model[0], &ebm_loss_nce, &options, &o, ERROR));
    ebm_objective_free(o);
    options.restart = 0.5;
    FAILS(GIBBS_ARGUMENT, "start anew at data rows", ebm_objective_new(b.model[0], &ebm_loss_pcd, &options, &o, FAIL));
    const double *whole = b.rows;
    double log_q[1];
    FAILS(GIBBS_ARGUMENT, "there is no x here", ebm_proposal_log_density(b.q[0], whole, 1, NULL, log_q, FAIL));
    const ebm_proposal *parts[] = {b.q[0]};
    ebm_proposal *q;
    FAILS(GIBBS_ARGUMENT, "there is no x here", ebm_proposal_mixture(1, NULL, parts, NULL, &q, FAIL));
    free_both(&b);
}
