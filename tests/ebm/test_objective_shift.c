/* Adding a constant to the energy changes no density: no loss may see it, in its value or in its gradient. One that
 * regularises the energy unasked, as implementations of contrastive divergence do, is found by it; so is a sum that
 * overflows. Where log Z is learnt, the constant and c are one parameter. */
#include "loss_helpers.h"

enum { DIM = 4, ROWS = 200, SEED = 3, STEP = 1 };

/* ½λ|x|² + b, of real x; −λ Σ xᵢxᵢ₊₁ + b of spins. */
static ad_var quadratic(ad_var x, const ad_var *theta, void *context)
{
    (void)context;
    return ad_add(ad_scale(ad_mul(theta[0], ad_sum(ad_square(x))), 0.5), theta[1]);
}

static ad_var ring(ad_var x, const ad_var *theta, void *context)
{
    (void)context;
    ad_var next = ad_concat(ad_slice(x, 0, 1, DIM - 1), ad_slice(x, 0, 0, 1), 0);
    return ad_add(ad_neg(ad_mul(theta[0], ad_dot(x, next))), theta[1]);
}

/* A critic without parameters: those of the energy alone are in question here. */
static ad_var critic(ad_var x, const ad_var *theta, void *context)
{
    return (void)theta, (void)context, ad_scale(ad_tanh(x), 0.3);
}

typedef struct unseen {
    const ebm_loss *loss;
    ebm_energy_fn energy;
    const ebm_sampler *sampler;
    ad_var (*field)(ad_var x, const ad_var *theta, void *context);
    bool conditional;
    double moves; /* the value, by so much of the constant: improved CD's is a divergence without its log Z */
} unseen;

static const unseen losses[] = {
    {.loss = &ebm_loss_ml_is, .energy = quadratic},
    {.loss = &ebm_loss_exact_ml, .energy = ring},
    {.loss = &ebm_loss_cd, .energy = quadratic, .sampler = &ebm_mala},
    {.loss = &ebm_loss_cd, .energy = quadratic, .sampler = &ebm_hmc},
    {.loss = &ebm_loss_cd, .energy = ring, .sampler = &ebm_gibbs},
    {.loss = &ebm_loss_cd, .energy = ring, .sampler = &ebm_gibbs_with_gradients},
    {.loss = &ebm_loss_pcd, .energy = quadratic, .sampler = &ebm_ula},
    {.loss = &ebm_loss_ml_resampled, .energy = quadratic},
    {.loss = &ebm_loss_ml_mh, .energy = quadratic},
    {.loss = &ebm_loss_improved_cd, .energy = quadratic, .sampler = &ebm_ula, .moves = 1},
    {.loss = &ebm_loss_score_matching, .energy = quadratic},
    {.loss = &ebm_loss_weighted_score_matching, .energy = quadratic},
    {.loss = &ebm_loss_denoising, .energy = quadratic},
    {.loss = &ebm_loss_denoising_autoencoder, .energy = quadratic},
    {.loss = &ebm_loss_sliced, .energy = quadratic},
    {.loss = &ebm_loss_sliced_reduced, .energy = quadratic},
    {.loss = &ebm_loss_nce, .energy = quadratic},
    {.loss = &ebm_loss_conditional_nce, .energy = quadratic},
    {.loss = &ebm_loss_ranking_nce, .energy = quadratic},
    {.loss = &ebm_loss_pseudo_likelihood, .energy = ring},
    {.loss = &ebm_loss_ratio_matching, .energy = ring},
    {.loss = &ebm_loss_ksd_rbf, .energy = quadratic},
    {.loss = &ebm_loss_ksd_imq, .energy = quadratic},
    {.loss = &ebm_loss_stein, .energy = quadratic, .field = critic},
    {.loss = &ebm_loss_stein_hutchinson, .energy = quadratic, .field = critic},
    {.loss = &ebm_loss_conditional_ml, .energy = ring, .conditional = true},
    {.loss = &ebm_loss_batch_ranking_nce, .energy = quadratic, .conditional = true},
};

static ebm_model *model_for(const unseen *u)
{
    static const ebm_parameter p[] = {{"theta", {0, {0}}, EBM_INIT_CONSTANT, 0.7},
                                      {"constant", {0, {0}}, EBM_INIT_CONSTANT, 0}};
    static const double labels[] = {-1, 1};
    ebm_model *model;
    ebm_model_spec spec = {0};
    if (!u->conditional) return model_of(DIM, p, 2, u->energy, GIBBS_FLOAT64);
    spec.dim = DIM, spec.energy = u->energy, spec.parameters = p, spec.parameter_count = 2;
    spec.given = DIM - 1, spec.labels = labels, spec.label_count = 2;
    OK(ebm_model_new(&spec, &model, ERROR));
    return model;
}

/* Value and gradient by (θ, constant, c) at a constant, with c that much lower where it is learnt. */
static total shifted(const unseen *u, const ebm_loss *loss, double constant, const double *x, const ebm_proposal *q,
                     const ebm_points *points)
{
    ebm_model *model = model_for(u);
    ebm_loss_options options = {0};
    options.proposal = q, options.points = points, options.sampler = u->sampler, options.field = u->field;
    options.sampler_step = 0.1, options.space.values = (double[]){-1, 1}, options.noise_sd = 0.5, options.copies = 2;
    options.context = (void *)u->loss;
    ebm_objective *o = objective_at(model, loss, &options, (double[]){0.7, constant}, x, ROWS, SEED, STEP);
    if (loss->learns_log_z) ((double *)ebm_objective_theta(o))[2] = 1 - constant;
    total t = {.value = value_of(o)};
    memcpy(t.gradient, ebm_objective_gradient(o), (size_t)ebm_objective_size(o) * sizeof(double));
    if (loss->learns_log_z) t.gradient[1] -= t.gradient[2]; /* the same by b as by c */
    ebm_objective_free(o);
    ebm_model_free(model);
    return t;
}

/* How far value and gradient move, at worst, for constants of both signs; large ones must leave them finite. */
static double seen(const unseen *u, const ebm_loss *loss)
{
    static const double constants[] = {-2, 3, 1e5, -1e5};
    double *x = normals(ROWS * DIM, 0.1, 1, 4), mean[DIM] = {0}, sd[DIM] = {2, 2, 2, 2}, worst = 0;
    ebm_proposal *q;
    ebm_points points;
    for (int i = 0; i < ROWS * DIM && u->energy == ring; i++) x[i] = x[i] > 0 ? 1 : -1;
    OK(ebm_proposal_gaussian_diagonal(DIM, mean, sd, NULL, &q, ERROR));
    OK(ebm_points_space(&(ebm_space){.variables = DIM, .values = (double[]){-1, 1}}, NULL, &points, ERROR));
    total plain = shifted(u, loss, 0, x, q, &points);
    worst = fabs(plain.gradient[1]);
    for (int k = 0; k < COUNT(constants); k++) {
        total t = shifted(u, loss, constants[k], x, q, &points);
        double value = t.value - u->moves * constants[k];
        double gap = fmax(fabs(value - plain.value), fabs(t.gradient[0] - plain.gradient[0]));
        gap = fmax(gap, fabs(t.gradient[1]));
        worst = fmax(worst, isfinite(gap) ? gap / fmax(1, fabs(constants[k])) : INFINITY);
    }
    ebm_points_free(&points);
    ebm_proposal_free(q);
    free(x);
    return worst;
}

Test(shift, no_loss_sees_a_constant)
{
    for (int k = 0; k < COUNT(losses); k++)
        cr_expect(seen(&losses[k], losses[k].loss) < 1e-12, "%s: %g", losses[k].loss->name,
                  seen(&losses[k], losses[k].loss));
}

/* The control: a penalty on the energy, which none has unless asked, is seen beside each of them. */
static ad_var record_penalised(ebm_graph *g)
{
    g->loss = g->context;
    return ad_add(g->loss->record(g), ad_scale(ebm_loss_energy_penalty.record(g), 1e-3));
}

Test(shift, control_a_penalty_on_the_energy_is_seen)
{
    for (int k = 0; k < COUNT(losses); k++) {
        ebm_loss penalised = *losses[k].loss;
        penalised.record = record_penalised;
        cr_expect(seen(&losses[k], &penalised) > 1e-4, "%s: %g", losses[k].loss->name, seen(&losses[k], &penalised));
    }
}
