/* Importance weights of proposals: the mean of p/q over draws of q is 1 for every normalised p that q covers; and
 * independence Metropolis–Hastings with proposals that take uniforms, whose accept rule takes one, too. */
#include "chain_check.h"

#include "ebm/proposal_check.h"

enum { ROWS = 100000 };

/* (mean of p/q − 1) in standard errors. */
static double weight_score(const ebm_proposal *q, const ebm_proposal *p)
{
    double *y = sampling_room(q->dim * ROWS, sizeof *y), *log_q = sampling_room(2 * ROWS, sizeof *log_q);
    double *log_p = log_q + ROWS, sum = 0, squares = 0;
    OK(ebm_proposal_sample(q, ROWS, 8, 1, NULL, y, log_q, ERROR));
    OK(ebm_proposal_log_density(p, y, ROWS, NULL, log_p, ERROR));
    for (int r = 0; r < ROWS; r++) {
        double w = exp(log_p[r] - log_q[r]) - 1;
        sum += w, squares += w * w;
    }
    free(y);
    free(log_q);
    return sum / sqrt(squares);
}

/* All in two columns; the second table is judged against the first, which they cover. */
typedef struct family {
    ebm_proposal *student, *box, *small_box, *gaussian, *mixture, *kernels, *product, *line, *wide_bits, *bits,
        *widened;
} family;

static family family_new(void)
{
    family f;
    static double x[] = {-1, 0.5, 0, 0, 1, -0.5, 0.4, 0.6, -0.3, -0.7};
    const double zero[] = {0, 0};
    OK(ebm_proposal_student_t(2, zero, (double[]){1, 0.8}, 2.5, NULL, &f.student, ERROR));
    OK(ebm_proposal_uniform(2, (double[]){-3, -2}, (double[]){2, 2}, NULL, &f.box, ERROR));
    OK(ebm_proposal_uniform(2, (double[]){-1, 0}, (double[]){1, 1.5}, NULL, &f.small_box, ERROR));
    OK(ebm_proposal_gaussian_full(2, zero, (double[]){0.5, 0.2, 0.2, 0.3}, NULL, &f.gaussian, ERROR));
    const ebm_proposal *both[] = {f.box, f.student};
    OK(ebm_proposal_mixture(2, (double[]){0.4, 0.6}, both, NULL, &f.mixture, ERROR));
    OK(ebm_proposal_kernel_density(&(ebm_data){.rows = 5, .cols = 2, .x = x}, (double[]){0.8, 0.7}, NULL, &f.kernels,
                                   ERROR));
    OK(ebm_proposal_student_t(1, zero, (double[]){1.1}, 1, NULL, &f.line, ERROR));
    const ebm_proposal *lines[] = {f.line, f.line};
    OK(ebm_proposal_product(2, lines, NULL, &f.product, ERROR));
    OK(ebm_proposal_bernoulli(3, (double[]){0.5, 0.4, 0.6}, 0, 1, NULL, &f.wide_bits, ERROR));
    OK(ebm_proposal_bernoulli(3, (double[]){0.8, 0.1, 0.6}, 0, 1, NULL, &f.bits, ERROR));
    OK(ebm_proposal_widened(f.gaussian, 2.2, NULL, &f.widened, ERROR));
    return f;
}

static void family_free(family f)
{
    ebm_proposal *all[] = {f.student, f.box,  f.small_box, f.gaussian,  f.mixture,
                           f.kernels, f.line, f.product,   f.wide_bits, f.bits,    f.widened};
    for (int k = 0; k < COUNT(all); k++) ebm_proposal_free(all[k]);
}

Test(proposal_weights, average_to_one)
{
    family f = family_new();
    const ebm_proposal *pairs[][2] = {{f.student, f.gaussian}, {f.student, f.small_box}, {f.student, f.kernels},
                                      {f.box, f.small_box},    {f.mixture, f.student},   {f.mixture, f.gaussian},
                                      {f.kernels, f.gaussian}, {f.kernels, f.small_box}, {f.product, f.student},
                                      {f.product, f.gaussian}, {f.wide_bits, f.bits},    {f.bits, f.wide_bits},
                                      {f.widened, f.gaussian}};
    for (int k = 0; k < COUNT(pairs); k++) {
        double score = weight_score(pairs[k][0], pairs[k][1]);
        cr_expect_lt(fabs(score), 4.5, "%s by %s: %g", pairs[k][1]->name, pairs[k][0]->name, score);
    }
    family_free(f);
}

/* A proposal that draws as one and says that it has the density of another. */
typedef struct mismatch {
    const ebm_proposal *drawn, *said;
} mismatch;

static ad_var drawn(const ebm_proposal *q, ad_var random, const ad_var *theta)
{
    const mismatch *m = q->context;
    return m->drawn->draw(m->drawn, random, theta);
}

static ad_var said(const ebm_proposal *q, ad_var y, const ad_var *theta)
{
    const mismatch *m = q->context;
    return m->said->log_density(m->said, y, theta);
}

static double mismatch_score(const ebm_proposal *draws, const ebm_proposal *density, const ebm_proposal *p)
{
    mismatch m = {draws, density};
    ebm_proposal q = *draws;
    q.draw = drawn, q.log_density = said, q.context = &m;
    return fabs(weight_score(&q, p));
}

/* Weights of the mixture by 0.1, a bandwidth by 10 %, a probability by 0.02. */
Test(proposal_weights, control_wrong_densities_are_noticed)
{
    static double x[] = {-1, 0.5, 0, 0, 1, -0.5, 0.4, 0.6, -0.3, -0.7};
    family f = family_new();
    ebm_proposal *mixture, *kernels, *bits;
    OK(ebm_proposal_mixture(2, (double[]){0.5, 0.5}, (const ebm_proposal *[]){f.box, f.student}, NULL, &mixture,
                            ERROR));
    OK(ebm_proposal_kernel_density(&(ebm_data){.rows = 5, .cols = 2, .x = x}, (double[]){0.88, 0.7}, NULL, &kernels,
                                   ERROR));
    OK(ebm_proposal_bernoulli(3, (double[]){0.5, 0.42, 0.6}, 0, 1, NULL, &bits, ERROR));
    cr_expect_lt(mismatch_score(f.mixture, f.mixture, f.gaussian), 4.5, "none is right");
    cr_expect_gt(mismatch_score(f.mixture, mixture, f.gaussian), 6);
    cr_expect_gt(mismatch_score(f.kernels, kernels, f.gaussian), 6);
    cr_expect_gt(mismatch_score(f.wide_bits, bits, f.bits), 6);
    ebm_proposal_free(mixture);
    ebm_proposal_free(kernels);
    ebm_proposal_free(bits);
    family_free(f);
}

/* ---- Chains ---- */

static const density QUARTIC = {"quartic", -1, 1, 0.3, -5, 5};

/* √n times the Kolmogorov distance from the target after some steps of chains that start at a point, or at exact
 * draws. */
static double chain_ks(const ebm_proposal *q, double start, int64_t steps, gibbs_dtype dtype)
{
    enum { CHAINS = 20000 };
    grid *g = grid_new(&QUARTIC);
    double *x = sampling_room(CHAINS, sizeof *x);
    ebm_model *model = density_model(&QUARTIC, dtype, NULL);
    ebm_chain_options options = {.sampler = &ebm_independence_mh, .step = 1, .proposal = q};
    ebm_chains *chains;
    if (isnan(start)) grid_draw(g, CHAINS, 99, x);
    else for (int r = 0; r < CHAINS; r++) x[r] = start;
    OK(ebm_chains_new(model, &options, &chains, ERROR));
    OK(ebm_chains_start(chains, x, CHAINS, ERROR));
    OK(ebm_chains_run(chains, steps, 31, 0, ERROR));
    ebm_chains_get(chains, x);
    for (int r = 0; r < CHAINS; r++) x[r] = grid_cdf(g, x[r]);
    double ks = sampling_ks(x, CHAINS);
    ebm_chains_free(chains);
    ebm_model_free(model);
    free(x);
    free(g);
    return ks;
}

/* 60 % t₂ and 40 % of a box that holds the target. */
typedef struct chain_proposal {
    ebm_proposal *q, *part[2];
} chain_proposal;

static chain_proposal chain_proposal_new(void)
{
    chain_proposal c;
    OK(ebm_proposal_student_t(1, (double[]){-1}, (double[]){0.5}, 2, NULL, &c.part[0], ERROR));
    OK(ebm_proposal_uniform(1, (double[]){-5}, (double[]){5}, NULL, &c.part[1], ERROR));
    OK(ebm_proposal_mixture(2, (double[]){6, 4}, (const ebm_proposal *const *)c.part, NULL, &c.q, ERROR));
    return c;
}

static void chain_proposal_free(chain_proposal c)
{
    ebm_proposal_free(c.q);
    for (int k = 0; k < 2; k++) ebm_proposal_free(c.part[k]);
}

Test(proposal_weights, independence_chains_with_a_mixture)
{
    chain_proposal c = chain_proposal_new();
    for (int type = GIBBS_FLOAT64; type <= GIBBS_FLOAT32; type++) {
        cr_expect_lt(chain_ks(c.q, NAN, 3, (gibbs_dtype)type), 2.3, "from exact draws");
        cr_expect_lt(chain_ks(c.q, 0.5, 60, (gibbs_dtype)type), 2.3, "from a point");
    }
    chain_proposal_free(c);
}

/* The same mixture, but the uniform that picks is the accept rule's: right draws, wrong chains. */
static ad_var draw_by_accept(const ebm_proposal *q, ad_var random, const ad_var *theta)
{
    (void)theta;
    const chain_proposal *c = q->context;
    ad_var u = ad_uniform(ad_axis_of(random), ad_scalar(), EBM_STREAM_SAMPLER_UNIFORM);
    ad_var t = c->part[0]->draw(c->part[0], ad_slice(random, 0, 0, 2), NULL);
    return ad_select(ad_less(u, ad_constant(u.tape, 0.6)), t,
                     c->part[1]->draw(c->part[1], ad_slice(random, 0, 2, 1), NULL));
}

static ad_var density_by_accept(const ebm_proposal *q, ad_var y, const ad_var *theta)
{
    const chain_proposal *c = q->context;
    return c->q->log_density(c->q, y, theta);
}

Test(proposal_weights, control_a_shared_uniform_is_noticed)
{
    chain_proposal c = chain_proposal_new();
    const ebm_proposal q = {.name = "by accept", .dim = 1, .draw = draw_by_accept, .log_density = density_by_accept,
                            .uniforms = 3, .context = &c};
    cr_expect_gt(chain_ks(&q, NAN, 3, GIBBS_FLOAT64), 4);
    chain_proposal_free(c);
}
