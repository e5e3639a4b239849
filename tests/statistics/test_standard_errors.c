/* 95 % intervals of ebm_standard_errors hold the truth 95 times in 100, over seeded replications of data, noise and
 * fit: for a true model by three losses, and for a wrong one, where the limit is the loss's own. Two controls break the
 * interval on purpose, as one would who forgot a part, and must be seen to miss: the part of the artificial sample left
 * out, and the inverse Hessian in place of the sandwich. */
#include "ebm/objective_helpers.h"

enum { REPLICATIONS = 1000, ROWS = 400 };

/* Of n intervals 0.95n ± √(0.0475n) hold: the band is 4 of these wide on each side (6e-5), and n/200 wider below, since
 * the normal law is not quite reached. */
static int least(int n) { return (int)floor(0.945 * n - 4 * sqrt(0.0475 * n)); }
static int most(int n) { return (int)ceil(0.95 * n + 4 * sqrt(0.0475 * n)); }

/* E = ½λ(x − μ)² with λ = 1.6, μ = 0.5, and log Z where the loss learns it. */
static const double truth[] = {0.5, 1.6};
static double true_log_z(void) { return 0.5 * log(2 * M_PI / truth[1]); }

/* Copies: of each row, which are no independent rows. Noise: 0 none; else its sd, and the limit of λ̂ is that of x̃. */
typedef struct study {
    const char *name;
    const ebm_loss *loss;
    double noise_ratio;
    int copies;
    double noise_sd;
    bool blurred;
    int size, replications, rows;
} study;

static const study studies[] = {
    {"score matching", &ebm_loss_score_matching, 0, 1, 0.1, false, 2, REPLICATIONS, ROWS},
    {"importance sampling", &ebm_loss_ml_is, 1, 1, 0.1, false, 2, REPLICATIONS, ROWS},
    {"noise contrastive", &ebm_loss_nce, 1, 1, 0.1, false, 3, REPLICATIONS, ROWS},
    {"denoising", &ebm_loss_denoising, 0, 3, 0.5, true, 2, REPLICATIONS / 2, ROWS},
    {"sliced", &ebm_loss_sliced, 0, 2, 0.1, false, 2, REPLICATIONS / 2, ROWS},
    {"conditional NCE", &ebm_loss_conditional_nce, 0, 4, 0.7, false, 2, REPLICATIONS / 2, ROWS},
    {"ranking NCE", &ebm_loss_ranking_nce, 0, 3, 0.1, false, 2, REPLICATIONS / 2, ROWS},
    {"kernel Stein", &ebm_loss_ksd_imq, 0, 1, 1, false, 2, REPLICATIONS / 5, 120},
};

typedef struct counts {
    int held[3], without_noise[3];
    double squares[3], variances[3]; /* of the errors, and what was said of them */
} counts;

static void replicate(const study *s, uint64_t seed, counts *c)
{
    static const double mean[] = {0.2}, sd[] = {1.3};
    double *x = normals(s->rows, truth[0], 1 / sqrt(truth[1]), 3000 + seed);
    double blur = s->blurred ? s->noise_sd * s->noise_sd : 0;
    const double target[] = {truth[0], 1 / (1 / truth[1] + blur), true_log_z()};
    ebm_data data = table(x, s->rows, 1);
    ebm_model *model;
    ebm_proposal *q;
    ebm_fit_options o = ebm_fit_defaults();
    ebm_uncertainty u;
    OK(ebm_model_gaussian(1, GIBBS_FLOAT64, NULL, &model, ERROR));
    OK(ebm_gaussian_diagonal(1, mean, sd, NULL, &q, ERROR));
    o.loss = s->loss, o.lbfgs = 1, o.seed = seed;
    o.loss_options.proposal = q, o.loss_options.noise_ratio = s->noise_ratio, o.loss_options.threads = 1;
    o.loss_options.copies = s->copies, o.loss_options.noise_sd = s->noise_sd;
    OK(ebm_fit(model, &data, &o, NULL, ERROR));
    OK(ebm_standard_errors(model, &data, &o, &u, ERROR));
    cr_assert(u.size == s->size && u.newton < 0.01, "%s, seed %d: %g", s->name, (int)seed, u.newton);
    for (int i = 0; i < s->size; i++) {
        double e = fabs(((double *)ebm_model_theta(model))[i] - target[i]), all = u.standard_error[i];
        double data_only = sqrt(all * all - u.noise_error[i] * u.noise_error[i]);
        c->held[i] += e < 1.959964 * all;
        c->without_noise[i] += e < 1.959964 * data_only;
        c->squares[i] += e * e / s->replications;
        c->variances[i] += all * all / s->replications;
    }
    ebm_uncertainty_free(&u);
    ebm_proposal_free(q);
    ebm_model_free(model);
    free(x);
}

static void check(const study *s)
{
    counts c = {0};
    int n = s->replications;
    for (int seed = 1; seed <= n; seed++) replicate(s, (uint64_t)seed, &c);
    for (int i = 0; i < s->size; i++) {
        cr_log_info("%s, parameter %d: %d held, %d without the noise, variance %.4g said %.4g", s->name, i, c.held[i],
                    c.without_noise[i], c.squares[i], c.variances[i]);
        cr_expect(c.held[i] >= least(n) && c.held[i] <= most(n), "%s, parameter %d: %d of %d intervals hold", s->name,
                  i, c.held[i], n);
        /* a variance over n is known to √(2/n), and its limit is reached to a tenth */
        cr_expect(fabs(log(c.variances[i] / c.squares[i])) < 0.1 + 4 * sqrt(2. / n),
                  "%s, parameter %d: variance %g, said to be %g", s->name, i, c.squares[i], c.variances[i]);
        if (s->noise_ratio)
            cr_expect(c.without_noise[i] < least(n), "%s, parameter %d: the control holds %d times", s->name, i,
                      c.without_noise[i]);
    }
}

Test(standard_errors, intervals_of_score_matching) { check(&studies[0]); }
Test(standard_errors, intervals_of_importance_sampling) { check(&studies[1]); }
Test(standard_errors, intervals_of_noise_contrastive_estimation) { check(&studies[2]); }
Test(standard_errors, intervals_of_denoising) { check(&studies[3]); }
Test(standard_errors, intervals_of_sliced_score_matching) { check(&studies[4]); }
Test(standard_errors, intervals_of_conditional_nce) { check(&studies[5]); }
Test(standard_errors, intervals_of_ranking_nce) { check(&studies[6]); }
Test(standard_errors, intervals_of_kernel_stein) { check(&studies[7]); }

/* Data from a logistic law of variance 1 (kurtosis 4.2), a Gaussian fitted: the limit of λ̂ is 1. Its variance is
 * (4.2 − 1)/N; a Gaussian's would be 2/N, which is what the inverse Hessian says. */
Test(standard_errors, intervals_of_a_wrong_model)
{
    int held = 0, naive = 0;
    for (uint64_t seed = 1; seed <= REPLICATIONS; seed++) {
        gibbs_words words = gibbs_words_start(seed, 0x6c6f67, 0);
        double *x = calloc(ROWS, sizeof *x), lambda;
        for (int r = 0; r < ROWS; r++) {
            double p = gibbs_words_unit(&words);
            x[r] = log(p / (1 - p)) * sqrt(3) / M_PI;
        }
        ebm_data data = table(x, ROWS, 1);
        ebm_model *model = precision_make();
        ebm_fit_options o = ebm_fit_defaults();
        ebm_uncertainty u;
        o.loss = &ebm_loss_score_matching, o.lbfgs = 1, o.loss_options.threads = 1;
        OK(ebm_fit(model, &data, &o, NULL, ERROR));
        OK(ebm_standard_errors(model, &data, &o, &u, ERROR));
        ebm_model_get(model, &lambda);
        held += fabs(lambda - 1) < 1.959964 * u.standard_error[0];
        naive += fabs(lambda - 1) < 1.959964 * lambda * sqrt(2. / ROWS);
        ebm_uncertainty_free(&u);
        ebm_model_free(model);
        free(x);
    }
    cr_log_info("wrong model: %d held, %d by the inverse Hessian", held, naive);
    cr_expect(held >= least(REPLICATIONS) && held <= most(REPLICATIONS), "%d of %d intervals hold", held, REPLICATIONS);
    cr_expect(naive < least(REPLICATIONS), "the control holds %d times", naive);
}
