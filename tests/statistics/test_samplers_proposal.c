/* Draws from Gaussian proposals: moments with their standard errors, and the distance of Kolmogorov and Smirnov on
 * whitened coordinates. Each check is shown to notice a proposal that is off by a little. */
#include "ebm/sampling.h"

enum { ROWS = 100000, DIM = 3 };
static const double MEAN[] = {1, -2, 0.5};
static const double COVARIANCE[] = {2, 0.6, -0.3, 0.6, 1, 0.2, -0.3, 0.2, 0.5};

/* L⁻¹(y − μ) of the covariance's factor L, element by element. */
static void whiten(const double *y, double *z)
{
    double l00 = sqrt(2), l10 = 0.6 / l00, l20 = -0.3 / l00, l11 = sqrt(1 - l10 * l10);
    double l21 = (0.2 - l20 * l10) / l11, l22 = sqrt(0.5 - l20 * l20 - l21 * l21);
    z[0] = (y[0] - MEAN[0]) / l00;
    z[1] = (y[1] - MEAN[1] - l10 * z[0]) / l11;
    z[2] = (y[2] - MEAN[2] - l20 * z[0] - l21 * z[1]) / l22;
}

typedef struct verdict {
    double moments; /* the largest |z| of the means and second moments of z, which are those of N(0, I) */
    double ks;
} verdict;

static verdict judge(const ebm_proposal *q)
{
    double *y = sampling_room(DIM * ROWS, sizeof *y), *f = sampling_room(DIM * ROWS, sizeof *f), z[DIM];
    double first[DIM] = {0}, second[DIM][DIM] = {{0}};
    verdict v = {0, 0};
    OK(ebm_proposal_sample(q, ROWS, 11, 0, NULL, y, NULL, ERROR));
    for (int r = 0; r < ROWS; r++) {
        whiten(y + DIM * r, z);
        for (int i = 0; i < DIM; i++) {
            first[i] += z[i];
            f[i * ROWS + r] = sampling_normal_cdf(z[i]);
            for (int j = 0; j <= i; j++) second[i][j] += z[i] * z[j] - (i == j);
        }
    }
    for (int i = 0; i < DIM; i++) {
        v.moments = fmax(v.moments, fabs(first[i]) / sqrt(ROWS));
        for (int j = 0; j <= i; j++)
            v.moments = fmax(v.moments, fabs(second[i][j]) / sqrt((i == j ? 2 : 1) * (double)ROWS));
        v.ks = fmax(v.ks, sampling_ks(f + i * ROWS, ROWS));
    }
    free(y);
    free(f);
    return v;
}

static verdict judge_full(const double *mean, const double *covariance)
{
    ebm_proposal *q;
    OK(ebm_proposal_gaussian_full(DIM, mean, covariance, NULL, &q, ERROR));
    verdict v = judge(q);
    ebm_proposal_free(q);
    return v;
}

Test(samplers_proposal, full_draws)
{
    verdict v = judge_full(MEAN, COVARIANCE);
    cr_assert_lt(v.moments, 4.5);
    cr_assert_lt(v.ks, 2.2);
}

/* 3 % more in a variance, a correlation that is off by 0.03, a mean by 0.03 sd: each is found. */
Test(samplers_proposal, control_other_gaussians_are_noticed)
{
    double variance[9], correlation[9], mean[3] = {1, -2, 0.5 + 0.03 * sqrt(0.5)};
    memcpy(variance, COVARIANCE, sizeof variance);
    memcpy(correlation, COVARIANCE, sizeof correlation);
    variance[0] *= 1.03;
    correlation[5] += 0.03 * sqrt(0.5);
    correlation[7] = correlation[5];
    cr_assert_gt(judge_full(MEAN, variance).moments, 5);
    cr_assert_gt(judge_full(MEAN, correlation).moments, 5);
    verdict v = judge_full(mean, COVARIANCE);
    cr_assert_gt(v.moments, 5);
    cr_assert_gt(v.ks, 2.5);
}

Test(samplers_proposal, diagonal_draws)
{
    double sd[] = {sqrt(2), 1, sqrt(0.5)};
    double *y = sampling_room(DIM * ROWS, sizeof *y), *f = sampling_room(ROWS, sizeof *f);
    ebm_proposal *q;
    OK(ebm_proposal_gaussian_diagonal(DIM, MEAN, sd, NULL, &q, ERROR));
    OK(ebm_proposal_sample(q, ROWS, 12, 3, NULL, y, NULL, ERROR));
    for (int i = 0; i < DIM; i++) {
        double m = 0, s = 0, next = 0;
        for (int r = 0; r < ROWS; r++) {
            double z = (y[DIM * r + i] - MEAN[i]) / sd[i];
            m += z, s += z * z - 1;
            next += z * (y[DIM * r + (i + 1) % DIM] - MEAN[(i + 1) % DIM]) / sd[(i + 1) % DIM];
            f[r] = sampling_normal_cdf(z);
        }
        cr_assert_lt(fabs(m) / sqrt(ROWS), 4.5);
        cr_assert_lt(fabs(s) / sqrt(2. * ROWS), 4.5);
        cr_assert_lt(fabs(next) / sqrt(ROWS), 4.5);
        cr_assert_lt(sampling_ks(f, ROWS), 2.2);
    }
    ebm_proposal_free(q);
    free(y);
    free(f);
}

/* The cross-entropy −E log q of a Gaussian under itself is ½ d log 2πe + ½ log det, its variance d/2. */
Test(samplers_proposal, log_density_of_draws_averages_to_the_entropy)
{
    double *log_q = sampling_room(ROWS, sizeof *log_q), sum = 0, det = 0.578;
    ebm_proposal *q;
    OK(ebm_proposal_gaussian_full(DIM, MEAN, COVARIANCE, NULL, &q, ERROR));
    OK(ebm_proposal_sample(q, ROWS, 13, 0, NULL, NULL, log_q, ERROR));
    for (int r = 0; r < ROWS; r++) sum += log_q[r] + 0.5 * DIM * log(2 * M_PI * M_E);
    cr_assert_lt(fabs(sum / ROWS + 0.5 * log(det)) / sqrt(DIM / 2. / ROWS), 4.5);
    ebm_proposal_free(q);
    free(log_q);
}
