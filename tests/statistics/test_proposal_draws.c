/* How proposals draw, against what they say their density is: counts in cells of the plane by χ², moments in closed
 * form, Student t by the distance of Kolmogorov and Smirnov for many ν. Each check is shown to notice a proposal that
 * is off by a little. Seeds are fixed; a right proposal passes a bound here with probability 1 − 10⁻⁴ or more. */
#include "ebm/proposal/draw.h"
#include "ebm/proposal_check.h"

enum { ROWS = 100000 };

/* ---- Proposals in the plane ---- */

typedef struct planar {
    ebm_proposal *q, *part[3]; /* parts are freed with it */
    double mean[2], variance[2];
} planar;

static void planar_free(planar p)
{
    ebm_proposal_free(p.q);
    for (int k = 0; k < 3; k++) ebm_proposal_free(p.part[k]);
}

static planar new_student(void)
{
    planar p = {.mean = {0.5, -1}, .variance = {0.36 * 9 / 7, 9 / 7.}};
    OK(ebm_proposal_student_t(2, p.mean, (double[]){0.6, 1}, 9, NULL, &p.q, ERROR));
    return p;
}

static planar new_uniform(void)
{
    planar p = {.mean = {-0.25, 2.5}, .variance = {2.25 / 12, 1 / 12.}};
    OK(ebm_proposal_uniform(2, (double[]){-1, 2}, (double[]){0.5, 3}, NULL, &p.q, ERROR));
    return p;
}

/* 30 % N((−1, 1), C), 50 % t₇, 20 % uniform: E(y − m)² = Σ w (v + (mean − m)²). */
static planar new_mixture(void)
{
    static const double mean[3][2] = {{-1, 1}, {1, 0}, {0, -2}}, weight[] = {3, 5, 2};
    static const double variance[3][2] = {{1, 0.5}, {0.35, 0.35}, {1 / 3., 1 / 12.}};
    planar p = {.q = NULL};
    OK(ebm_proposal_gaussian_full(2, mean[0], (double[]){1, -0.4, -0.4, 0.5}, NULL, &p.part[0], ERROR));
    OK(ebm_proposal_student_t(2, mean[1], (double[]){0.5, 0.5}, 7, NULL, &p.part[1], ERROR));
    OK(ebm_proposal_uniform(2, (double[]){-1, -2.5}, (double[]){1, -1.5}, NULL, &p.part[2], ERROR));
    OK(ebm_proposal_mixture(3, weight, (const ebm_proposal *const *)p.part, NULL, &p.q, ERROR));
    for (int i = 0; i < 2; i++) {
        for (int g = 0; g < 3; g++) p.mean[i] += weight[g] / 10 * mean[g][i];
        for (int g = 0; g < 3; g++)
            p.variance[i] += weight[g] / 10 * (variance[g][i] + pow(mean[g][i] - p.mean[i], 2));
    }
    return p;
}

/* Mean and variance of the rows, and the kernels' variance. */
static planar new_kernels(void)
{
    enum { N = 7 };
    static double x[2 * N] = {0, 1, 0.3, -2, 1.5, 0.4, -1, -1, 0.3, 1.1, 2, 2, -2.5, 0.5};
    static const double h[] = {0.5, 0.3};
    planar p = {.q = NULL};
    ebm_data data = {.rows = N, .cols = 2, .x = x};
    OK(ebm_proposal_kernel_density(&data, h, NULL, &p.q, ERROR));
    for (int i = 0; i < 2; i++) {
        for (int r = 0; r < N; r++) p.mean[i] += x[2 * r + i] / N;
        for (int r = 0; r < N; r++) p.variance[i] += pow(x[2 * r + i] - p.mean[i], 2) / N;
        p.variance[i] += h[i] * h[i];
    }
    return p;
}

static planar new_product(void)
{
    planar p = {.mean = {0.5, -0.4}, .variance = {1, 0.25}};
    OK(ebm_proposal_student_t(1, p.mean, (double[]){sqrt(5 / 7.)}, 7, NULL, &p.part[0], ERROR));
    OK(ebm_proposal_gaussian_diagonal(1, &p.mean[1], (double[]){0.5}, NULL, &p.part[1], ERROR));
    OK(ebm_proposal_product(2, (const ebm_proposal *const *)p.part, NULL, &p.q, ERROR));
    return p;
}

static planar new_widened(void)
{
    planar p = {.mean = {0.5, -1}, .variance = {1.69 * 0.09 * 9 / 7, 1.69 * 0.25 * 9 / 7.}};
    OK(ebm_proposal_student_t(2, p.mean, (double[]){0.3, 0.5}, 9, NULL, &p.part[0], ERROR));
    OK(ebm_proposal_widened(p.part[0], 1.3, NULL, &p.q, ERROR));
    return p;
}

static planar (*const makers[])(void) = {new_student, new_uniform, new_mixture,
                                         new_kernels, new_product, new_widened};

/* ---- χ² over cells ---- */

/* |y| < 4 in 16 × 16 cells, whose probabilities are sums over 12 × 12 middles; cells with fewer than 20 draws to come,
 * and the rest of the plane, are one. */
enum { SIDE = 16, FINE = 12, CELLS = SIDE * SIDE };

static int cell_of(const double *y)
{
    if (!(fabs(y[0]) < 4 && fabs(y[1]) < 4)) return CELLS;
    return (int)((y[0] + 4) * SIDE / 8) * SIDE + (int)((y[1] + 4) * SIDE / 8);
}

static void cell_probabilities(const ebm_proposal *q, double *p)
{
    enum { POINTS = SIDE * FINE };
    double *y = sampling_room(2 * POINTS * POINTS, sizeof *y), *log_q = sampling_room(POINTS * POINTS, sizeof *log_q);
    double step = 8. / POINTS;
    for (int r = 0; r < POINTS * POINTS; r++)
        y[2 * r] = (r / POINTS + 0.5) * step - 4, y[2 * r + 1] = (r % POINTS + 0.5) * step - 4;
    OK(ebm_proposal_log_density(q, y, POINTS * POINTS, NULL, log_q, ERROR));
    for (int r = 0; r < POINTS * POINTS; r++) p[cell_of(y + 2 * r)] += exp(log_q[r]) * step * step;
    free(y);
    free(log_q);
}

static double *draws_of(const ebm_proposal *q, gibbs_dtype dtype)
{
    double *y = sampling_room(q->dim * ROWS, sizeof *y);
    ebm_draw *draw;
    OK(ebm_draw_new(q, dtype, NULL, &draw, ERROR));
    OK(ebm_draw_run(draw, ROWS, 21, 0, ERROR));
    ebm_from_dtype(dtype, q->dim * ROWS, y, ebm_draw_y(draw));
    ebm_draw_free(draw);
    return y;
}

/* The score of q's draws by the density of `judge`. */
static double cells_score(const ebm_proposal *q, const ebm_proposal *judge, gibbs_dtype dtype)
{
    double p[CELLS + 1] = {0}, merged[CELLS + 1] = {0};
    int64_t count[CELLS + 1] = {0}, merged_count[CELLS + 1] = {0};
    int cells = 1;
    double *y = draws_of(q, dtype), rest = 1;
    cell_probabilities(judge, p);
    for (int r = 0; r < ROWS; r++) count[cell_of(y + 2 * r)]++;
    for (int c = 0; c < CELLS; c++) {
        int own = p[c] * ROWS > 20 ? cells++ : 0; /* place 0 is the rest */
        if (own) merged[own] = p[c], rest -= p[c];
        merged_count[own] += count[c];
    }
    merged_count[0] += count[CELLS];
    merged[0] = rest;
    free(y);
    cr_assert_gt(cells, 5);
    if (rest * ROWS > 5) return count_score(merged_count, merged, cells, ROWS);
    if (merged_count[0] > 25) return INFINITY; /* none are expected there */
    return count_score(merged_count + 1, merged + 1, cells - 1, ROWS);
}

Test(proposal_draws, cells_of_the_plane)
{
    for (int k = 0; k < COUNT(makers); k++) {
        planar p = makers[k]();
        for (int type = GIBBS_FLOAT64; type <= GIBBS_FLOAT32; type++) {
            double score = cells_score(p.q, p.q, (gibbs_dtype)type);
            cr_expect_lt(score, 4, "%d %s: %g", k, p.q->name, score);
            cr_expect_gt(score, -4, "%d %s: %g, too good to be true", k, p.q->name, score);
        }
        planar_free(p);
    }
}

/* Bailey's radius with cosine and sine: each is t, they are uncorrelated, and they are not independent. */
static ad_var draw_pair(const ebm_proposal *q, ad_var u, const ad_var *theta)
{
    (void)q, (void)theta;
    ad_var radius = ad_sqrt(ad_scale(ad_expm1(ad_scale(ad_log(ad_slice(u, 0, 0, 1)), -2 / 3.)), 3));
    ad_var angle = ad_scale(ad_slice(u, 0, 1, 1), 2 * M_PI);
    return ad_mul(radius, ad_concat(ad_cos(angle), ad_sin(angle), 0));
}

Test(proposal_draws, control_both_halves_of_a_pair_are_noticed)
{
    ebm_proposal *q;
    OK(ebm_proposal_student_t(2, (double[]){0, 0}, (double[]){1, 1}, 3, NULL, &q, ERROR));
    ebm_proposal pair = *q;
    pair.draw = draw_pair, pair.uniforms = 2;
    cr_expect_gt(cells_score(&pair, q, GIBBS_FLOAT64), 10);
    cr_expect_lt(cells_score(q, q, GIBBS_FLOAT64), 4);
    ebm_proposal_free(q);
}

/* Weights by 0.02, a bandwidth by 5 %, an edge by 2 %, ν = 9 for 8 with scales by 3 %. */
Test(proposal_draws, control_neighbours_are_noticed)
{
    planar student = new_student(), box = new_uniform(), mixture = new_mixture(), kernels = new_kernels();
    ebm_proposal *other[4];
    static double x[] = {0, 1, 0.3, -2, 1.5, 0.4, -1, -1, 0.3, 1.1, 2, 2, -2.5, 0.5};
    OK(ebm_proposal_student_t(2, student.mean, (double[]){0.618, 1.03}, 8, NULL, &other[0], ERROR));
    OK(ebm_proposal_uniform(2, (double[]){-1, 2}, (double[]){0.53, 3}, NULL, &other[1], ERROR));
    OK(ebm_proposal_mixture(3, (double[]){3.2, 4.8, 2}, (const ebm_proposal *const *)mixture.part, NULL, &other[2],
                            ERROR));
    OK(ebm_proposal_kernel_density(&(ebm_data){.rows = 7, .cols = 2, .x = x}, (double[]){0.525, 0.3}, NULL, &other[3],
                                   ERROR));
    const ebm_proposal *judge[] = {student.q, box.q, mixture.q, kernels.q};
    for (int k = 0; k < 4; k++) {
        double score = cells_score(other[k], judge[k], GIBBS_FLOAT64);
        cr_expect_gt(score, 5, "%s: %g", judge[k]->name, score);
        ebm_proposal_free(other[k]);
    }
    planar_free(student), planar_free(box), planar_free(mixture), planar_free(kernels);
}

/* ---- Moments ---- */

/* |average − truth| in standard errors estimated from the draws themselves, of y and (y − m)² in each column. */
Test(proposal_draws, moments)
{
    for (int k = 0; k < COUNT(makers); k++) {
        planar p = makers[k]();
        double *y = draws_of(p.q, GIBBS_FLOAT64);
        for (int i = 0; i < 2; i++) {
            double first = 0, second = 0, fourth = 0;
            for (int r = 0; r < ROWS; r++) {
                double off = y[2 * r + i] - p.mean[i], square = off * off;
                first += off, second += square - p.variance[i], fourth += pow(square - p.variance[i], 2);
            }
            cr_expect_lt(fabs(first) / sqrt(p.variance[i] * ROWS), 4.5, "%s: mean of column %d", p.q->name, i);
            cr_expect_lt(fabs(second) / sqrt(fourth), 4.5, "%s: variance of column %d", p.q->name, i);
        }
        free(y);
        planar_free(p);
    }
}

/* ---- Student t for many ν ---- */

/* F(y) of q on the line: the integral of q over t, y = sinh t, from a table and linear in between. */
enum { TABLE = 20000 };
static const double REACH = 200;

static double *distribution(const ebm_proposal *q)
{
    double *y = sampling_room(TABLE, sizeof *y), *f = sampling_room(TABLE, sizeof *f), before = 0;
    for (int i = 0; i < TABLE; i++) y[i] = sinh(2 * REACH * i / (TABLE - 1) - REACH);
    OK(ebm_proposal_log_density(q, y, TABLE, NULL, f, ERROR));
    for (int i = 0; i < TABLE; i++) {
        double own = exp(f[i] + log(cosh(2 * REACH * i / (TABLE - 1) - REACH))) * 2 * REACH / (TABLE - 1);
        f[i] = (i ? f[i - 1] : 0) + (own + before) / 2;
        before = own;
    }
    free(y);
    cr_assert_float_eq(f[TABLE - 1], 1, 1e-6);
    return f;
}

static double ks_of(const ebm_proposal *q, const ebm_proposal *judge, gibbs_dtype dtype)
{
    double *f = distribution(judge), *y = draws_of(q, dtype);
    for (int r = 0; r < ROWS; r++) {
        double at = (asinh(y[r]) + REACH) / (2 * REACH) * (TABLE - 1);
        int i = at < TABLE - 2 ? (int)at : TABLE - 2;
        y[r] = f[i] + (at - i) * (f[i + 1] - f[i]);
    }
    double ks = sampling_ks(y, ROWS);
    free(f);
    free(y);
    return ks;
}

static ebm_proposal *line(double nu)
{
    ebm_proposal *q;
    OK(ebm_proposal_student_t(1, (double[]){0}, (double[]){1}, nu, NULL, &q, ERROR));
    return q;
}

/* Above 2.3 with probability 5e-5. */
Test(proposal_draws, student_t_of_many_degrees)
{
    static const double nu[] = {0.15, 0.5, 1, 1.5, 2, 3.7, 12, 300, 1e9, INFINITY};
    for (int k = 0; k < COUNT(nu); k++) {
        ebm_proposal *q = line(nu[k]);
        cr_expect_lt(ks_of(q, q, GIBBS_FLOAT64), 2.3, "ν = %g", nu[k]);
        if (nu[k] >= 0.5) cr_expect_lt(ks_of(q, q, GIBBS_FLOAT32), 2.3, "ν = %g in float32", nu[k]);
        ebm_proposal_free(q);
    }
}

Test(proposal_draws, control_other_degrees_are_noticed)
{
    static const double nu[][2] = {{0.15, 0.16}, {1, 1.2}, {3.7, 6}, {12, INFINITY}};
    for (int k = 0; k < COUNT(nu); k++) {
        ebm_proposal *q = line(nu[k][0]), *judge = line(nu[k][1]);
        double ks = ks_of(q, judge, GIBBS_FLOAT64);
        cr_expect_gt(ks, 2.5, "ν = %g: %g", nu[k][0], ks);
        ebm_proposal_free(q);
        ebm_proposal_free(judge);
    }
}

/* ---- Bernoulli: all states ---- */

enum { BITS = 4, STATES = 1 << BITS };
static const double P[BITS] = {0.5, 0.2, 0.75, 0.35};

static double states_score(const double *p, const double *judged, gibbs_dtype dtype)
{
    ebm_proposal *q, *judge;
    int64_t count[STATES] = {0};
    double all[BITS * STATES], log_q[STATES];
    OK(ebm_proposal_bernoulli(BITS, p, -1, 1, NULL, &q, ERROR));
    OK(ebm_proposal_bernoulli(BITS, judged, -1, 1, NULL, &judge, ERROR));
    for (int s = 0; s < STATES; s++)
        for (int i = 0; i < BITS; i++) all[BITS * s + i] = s >> i & 1 ? 1 : -1;
    OK(ebm_proposal_log_density(judge, all, STATES, NULL, log_q, ERROR));
    for (int s = 0; s < STATES; s++) log_q[s] = exp(log_q[s]);
    double *y = draws_of(q, dtype);
    for (int r = 0; r < ROWS; r++) {
        int s = 0;
        for (int i = 0; i < BITS; i++) s |= (y[BITS * r + i] > 0) << i;
        count[s]++;
    }
    free(y);
    ebm_proposal_free(q);
    ebm_proposal_free(judge);
    return count_score(count, log_q, STATES, ROWS);
}

Test(proposal_draws, bernoulli_states)
{
    const double off[BITS] = {0.5, 0.2, 0.76, 0.35};
    for (int type = GIBBS_FLOAT64; type <= GIBBS_FLOAT32; type++)
        cr_expect_lt(fabs(states_score(P, P, (gibbs_dtype)type)), 4);
    cr_expect_gt(states_score(P, off, GIBBS_FLOAT64), 4.5, "the control");
}
