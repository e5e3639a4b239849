/* Which way the losses of test_objective_direction.c's list do not have pull, on what is theirs: improved CD on a
 * precision in four dimensions, those of discrete data on the coupling of a ring of spins, conditional likelihood on a
 * slope. Each of one parameter; one step of descent from either side of the truth must lead nearer to it, and with the
 * sign flipped away from it. */
#include "loss_helpers.h"

/* ---- What is fitted ---- */

enum { DIM = 4, ROWS = 2000 };
static const double truth = 0.7;

static ad_var precision(ad_var x, const ad_var *theta, void *context)
{
    (void)context;
    return ad_scale(ad_mul(theta[0], ad_sum(ad_square(x))), 0.5);
}

static ad_var ring(ad_var x, const ad_var *theta, void *context)
{
    (void)context;
    ad_var next = ad_concat(ad_slice(x, 0, 1, DIM - 1), ad_slice(x, 0, 0, 1), 0);
    return ad_neg(ad_mul(theta[0], ad_dot(x, next)));
}

/* −θ y x₁ of a row [x₁, x₂, x₃, y], y = ±1: log odds 2θx₁. */
static ad_var slope(ad_var row, const ad_var *theta, void *context)
{
    (void)context;
    return ad_neg(ad_mul(theta[0], ad_sum(ad_mul(ad_slice(row, 0, 0, 1), ad_slice(row, 0, DIM - 1, 1)))));
}

static double *gaussian_rows(void) { return normals(ROWS * DIM, 0, 1 / sqrt(truth), 5); }

static double *slope_rows(void)
{
    double *x = normals(ROWS * DIM, 0, 1, 5);
    uint64_t state = 3;
    for (int r = 0; r < ROWS; r++) {
        double *row = x + r * DIM;
        row[DIM - 1] = sampling_uniform(&state) < 1 / (1 + exp(-2 * truth * row[0])) ? 1 : -1;
    }
    return x;
}

/* Exact draws from all 16 states. */
static double *ring_rows(void)
{
    double *x = sampling_room(ROWS * DIM, sizeof *x), weight[1 << DIM], sum = 0;
    uint64_t state = 4;
    for (int s = 0; s < 1 << DIM; s++) {
        int agree = 0;
        for (int i = 0; i < DIM; i++) agree += (s >> i & 1) == (s >> (i + 1) % DIM & 1) ? 1 : -1;
        sum += weight[s] = exp(truth * agree);
    }
    for (int r = 0; r < ROWS; r++) {
        double u = sum * sampling_uniform(&state);
        int s = 0;
        while (s < (1 << DIM) - 1 && (u -= weight[s]) > 0) s++;
        for (int i = 0; i < DIM; i++) x[r * DIM + i] = s >> i & 1 ? 1 : -1;
    }
    return x;
}

static ebm_model *conditional_model(ebm_energy_fn energy, const ebm_parameter *p)
{
    static const double labels[] = {-1, 1};
    ebm_model *model;
    ebm_model_spec spec = {0};
    spec.dim = DIM, spec.energy = energy, spec.parameters = p, spec.parameter_count = 1;
    spec.given = DIM - 1, spec.labels = labels, spec.label_count = 2;
    OK(ebm_model_new(&spec, &model, ERROR));
    return model;
}

/* ---- The losses ---- */

typedef struct pull {
    const ebm_loss *loss;
    ebm_energy_fn energy;
    double *(*rows)(void);
    const ebm_sampler *sampler;
    double coefficient;
    bool conditional;
} pull;

/* The term that improved CD adds is −c times CD's own expected gradient to first order in h: c = 1 leaves the second
 * order, whose direction test_loss_improved_cd.c has. */
static const pull pulls[] = {
    {&ebm_loss_improved_cd, precision, gaussian_rows, &ebm_ula, 0.5, false},
    {&ebm_loss_improved_cd, precision, gaussian_rows, &ebm_ula, -1, false},
    {&ebm_loss_pseudo_likelihood, ring, ring_rows, NULL, 0, false},
    {&ebm_loss_ratio_matching, ring, ring_rows, NULL, 0, false},
    {&ebm_loss_exact_ml, ring, ring_rows, NULL, 0, false},
    {&ebm_loss_cd, ring, ring_rows, &ebm_gibbs, 0, false},
    {&ebm_loss_cd, ring, ring_rows, &ebm_gibbs_with_gradients, 0, false},
    {&ebm_loss_pcd, ring, ring_rows, &ebm_gibbs, 0, false},
    {&ebm_loss_conditional_ml, slope, slope_rows, NULL, 0, true},
    {&ebm_loss_batch_ranking_nce, slope, slope_rows, NULL, 0, true},
};

static ad_var record_negated(ebm_graph *graph)
{
    graph->loss = graph->context;
    return ad_neg(graph->loss->record(graph));
}

static double after_a_step(const pull *p, bool flipped, double start, const double *x)
{
    const ebm_parameter theta = {"theta", {0, {0}}, EBM_INIT_CONSTANT, start};
    ebm_model *model = p->conditional ? conditional_model(p->energy, &theta)
                                      : model_of(DIM, &theta, 1, p->energy, GIBBS_FLOAT64);
    ebm_loss_options options = {0};
    ebm_loss loss = *p->loss;
    ebm_points points;
    OK(ebm_points_space(&(ebm_space){.variables = DIM, .values = (double[]){-1, 1}}, NULL, &points, ERROR));
    options.points = &points;
    options.space.values = (double[]){-1, 1};
    options.sampler = p->sampler;
    options.sampler_step = 0.1;
    options.coefficient = p->coefficient;
    options.context = (void *)p->loss;
    if (flipped) loss.record = record_negated;
    ebm_objective *o = objective_at(model, &loss, &options, NULL, x, p->rows == gaussian_rows ? 500 : ROWS, 3, 0);
    value_of(o);
    double next = start - 0.02 * *(const double *)ebm_objective_gradient(o);
    ebm_objective_free(o);
    ebm_points_free(&points);
    ebm_model_free(model);
    return next;
}

/* From how many of four places on either side of the truth a step leads nearer to it. */
static int nearer(const pull *p, bool flipped, const double *x)
{
    static const double wrong[] = {0.2, 0.45, 1.1, 1.8};
    int count = 0;
    for (int k = 0; k < COUNT(wrong); k++)
        count += fabs(after_a_step(p, flipped, wrong[k], x) - truth) < fabs(wrong[k] - truth);
    return count;
}

Test(direction_more, every_loss_moves_towards_the_data_and_a_flipped_sign_is_caught)
{
    for (int k = 0; k < COUNT(pulls); k++) {
        double *x = pulls[k].rows();
        int right = nearer(&pulls[k], false, x), flipped = nearer(&pulls[k], true, x);
        cr_expect(right == 4 && flipped == 0, "%d, %s: nearer from %d of 4, flipped from %d", k, pulls[k].loss->name,
                  right, flipped);
        free(x);
    }
}
