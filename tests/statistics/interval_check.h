/* interval_check.h — do 95 % intervals of ebm_standard_errors hold the limit of an estimate 95 times in 100? Over
 * seeded replications of data, noise and fit, for one study: a problem (a model and the law of its data), a loss, and
 * the limit. The variance of the estimates must also be the one that is said.
 *
 * A control leaves a part out of the interval, as one would who forgot it, and must be seen to miss. */
#ifndef TESTS_INTERVAL_CHECK_H
#define TESTS_INTERVAL_CHECK_H

#include "ebm/sandwich_helpers.h"

/* What the control leaves out. POINTS: the artificial sample. MEAT: the S of H⁻¹SH⁻¹, so that H⁻¹/N is left, which is
 * right for the likelihood of a true model and for nothing else. */
typedef enum left_out { NOTHING, POINTS, MEAT } left_out;

enum { MOST_KINDS = 10 };

/* A law is drawn from row by row, or it is a crowd: `kinds` of row, of which number k is there share[k] times. */
typedef struct problem {
    int dim;
    ebm_model *(*make)(void);
    void (*draw)(gibbs_words *words, double *row);
    int kinds, share[MOST_KINDS];
    double kind[MOST_KINDS][4];
    void (*points)(ebm_points *points); /* the whole space, for exact likelihoods; or NULL */
} problem;

typedef struct study {
    const problem *problem;
    ebm_loss_term terms[2]; /* the loss, or the sum of two */
    double limit[MOST];     /* of a crowd: where the fit to all of it ends, which need not be said */
    int size, replications, rows;
    int unseen;             /* directions of the parameters that the loss does not see */
    left_out control;
    int missed;                   /* the parameters whose control must miss, at least; 0: all hold */
    double noise_ratio, noise_sd; /* options of the loss; 0: their defaults */
    int copies, labels;
    ad_var (*weight)(ad_var x, void *context);
} study;

typedef struct counts {
    int held[MOST], control[MOST];
    double squares[MOST], variances[MOST]; /* of the errors, and what was said of them */
} counts;

/* Of n intervals 0.95n ± √(0.0475n) hold: the band is 4 of these wide on each side (6e-5), and n/200 wider below, since
 * the normal law is not quite reached. */
static inline int least(int n) { return (int)floor(0.945 * n - 4 * sqrt(0.0475 * n)); }
static inline int most(int n) { return (int)ceil(0.95 * n + 4 * sqrt(0.0475 * n)); }

/* ---- Data ---- */

/* The number of one of n things that come with these weights. */
static inline int pick(gibbs_words *words, int n, const double *weight)
{
    double total = 0;
    for (int k = 0; k < n; k++) total += weight[k];
    double u = total * gibbs_words_unit(words);
    for (int k = 0; k < n - 1; k++)
        if ((u -= weight[k]) < 0) return k;
    return n - 1;
}

/* Of a stream of its own for each name: studies of the same law do not share their luck. */
static inline double *sample_of(const char *name, const problem *p, int rows, uint64_t seed)
{
    uint64_t stream = 0;
    for (const char *c = name; *c; c++) stream = 31 * stream + (unsigned char)*c;
    gibbs_words words = gibbs_words_start(seed, 0x696e7476, stream);
    double *x = sampling_room((int64_t)rows * p->dim, sizeof *x), share[MOST_KINDS];
    for (int k = 0; k < p->kinds; k++) share[k] = p->share[k];
    for (int r = 0; r < rows; r++)
        if (p->draw) p->draw(&words, x + r * p->dim);
        else memcpy(x + r * p->dim, p->kind[pick(&words, p->kinds, share)], (size_t)p->dim * sizeof *x);
    return x;
}

/* Each kind as often as it is there. */
static inline double *crowd_of(const problem *p, int *rows)
{
    int many = 0;
    for (int k = 0; k < p->kinds; k++) many += p->share[k];
    double *x = sampling_room((int64_t)many * p->dim, sizeof *x);
    *rows = 0;
    for (int k = 0; k < p->kinds; k++)
        for (int i = 0; i < p->share[k]; i++)
            memcpy(x + (*rows)++ * p->dim, p->kind[k], (size_t)p->dim * sizeof *x);
    return x;
}

/* ---- Fits ---- */

typedef struct setting {
    ebm_fit_options options;
    ebm_proposal *q;
    ebm_points points;
    ebm_loss *sum;
} setting;

static inline void setting_make(const study *s, setting *t)
{
    static const double mean[] = {0.2}, sd[] = {1.3};
    *t = (setting){0};
    ebm_loss_options *o = &t->options.loss_options;
    OK(ebm_proposal_gaussian_diagonal(1, mean, sd, NULL, &t->q, ERROR));
    if (s->terms[1].loss) OK(ebm_loss_sum(s->terms, 2, NULL, &t->sum, ERROR));
    if (s->problem->points) s->problem->points(&t->points);
    t->options.loss = t->sum ? t->sum : s->terms[0].loss, t->options.lbfgs = 1;
    o->proposal = t->q, o->points = &t->points, o->noise_ratio = s->noise_ratio, o->threads = 1;
    o->space = (ebm_space){.labels = s->labels, .one_hot = s->labels > 0}, o->weight = s->weight;
    if (s->noise_sd) o->noise_sd = s->noise_sd;
    if (s->copies) o->copies = s->copies;
}

static inline void setting_free(setting *t)
{
    ebm_proposal_free(t->q);
    ebm_loss_free(t->sum);
    ebm_points_free(&t->points);
}

static inline ebm_model *fitted(const problem *p, double *x, int rows, const setting *t)
{
    ebm_model *model = p->make();
    ebm_data data = table(x, rows, p->dim);
    OK(ebm_fit(model, &data, &t->options, NULL, ERROR));
    return model;
}

/* √diag(H⁻¹/N), H by differences of the gradient. */
static inline void bare_errors(ebm_model *model, const double *x, int rows, const setting *t, double *error)
{
    ebm_objective *o = objective_at(model, t->options.loss, &t->options.loss_options, NULL, x, rows, 0, 0);
    double *theta = ebm_objective_theta(o), h[MOST * MOST] = {0}, inverse[MOST * MOST], step = 1e-4;
    const double *gradient = ebm_objective_gradient(o);
    int n = (int)ebm_objective_size(o);
    for (int i = 0; i < n; i++)
        for (int side = -1; side <= 1; side += 2) {
            double before = theta[i];
            theta[i] += side * step;
            value_of(o);
            theta[i] = before;
            for (int j = 0; j < n; j++) h[i * n + j] += side * gradient[j] / (2 * step);
        }
    invert(n, h, inverse);
    for (int i = 0; i < n; i++) error[i] = sqrt(inverse[i * n + i] / rows);
    ebm_objective_free(o);
}

/* ---- The study ---- */

static inline void replicate(const char *name, const study *s, const double *limit, setting *t, uint64_t seed,
                             counts *c)
{
    double *x = sample_of(name, s->problem, s->rows, seed), wrong[MOST] = {0};
    ebm_data data = table(x, s->rows, s->problem->dim);
    ebm_uncertainty u;
    t->options.seed = seed;
    ebm_model *model = fitted(s->problem, x, s->rows, t);
    OK(ebm_standard_errors(model, &data, &t->options, &u, ERROR));
    cr_assert(u.identified == s->size - s->unseen && u.newton < 0.01, "%s, seed %d: %g", name, (int)seed, u.newton);
    if (s->control == MEAT) bare_errors(model, x, s->rows, t, wrong);
    for (int i = 0; i < s->size; i++) {
        double e = fabs(((double *)ebm_model_theta(model))[i] - limit[i]), all = u.standard_error[i];
        if (s->control == NOTHING) wrong[i] = all;
        if (s->control == POINTS) wrong[i] = sqrt(all * all - u.noise_error[i] * u.noise_error[i]);
        c->held[i] += e < 1.959964 * all;
        c->control[i] += e < 1.959964 * wrong[i];
        c->squares[i] += e * e / s->replications;
        c->variances[i] += all * all / s->replications;
    }
    ebm_uncertainty_free(&u);
    ebm_model_free(model);
    free(x);
}

static inline void limit_of(const study *s, const setting *t, double *limit)
{
    memcpy(limit, s->limit, sizeof s->limit);
    if (s->problem->draw) return;
    int rows;
    double *x = crowd_of(s->problem, &rows);
    ebm_model *model = fitted(s->problem, x, rows, t);
    memcpy(limit, ebm_model_theta(model), (size_t)s->size * sizeof *limit);
    ebm_model_free(model);
    free(x);
}

static inline void check_intervals(const char *name, const study *s)
{
    setting t;
    counts c = {0};
    int n = s->replications, missed = 0;
    double limit[MOST];
    setting_make(s, &t);
    limit_of(s, &t, limit);
    for (int seed = 1; seed <= n; seed++) replicate(name, s, limit, &t, (uint64_t)seed, &c);
    for (int i = 0; i < s->size; i++) {
        cr_log_info("%s, parameter %d: %d held, %d by the control, variance %.4g said %.4g", name, i, c.held[i],
                    c.control[i], c.squares[i], c.variances[i]);
        cr_expect(c.held[i] >= least(n) && c.held[i] <= most(n), "%s, parameter %d: %d of %d intervals hold", name, i,
                  c.held[i], n);
        /* a variance over n is known to √(2/n), and its limit is reached to a tenth */
        cr_expect(fabs(log(c.variances[i] / c.squares[i])) < 0.1 + 4 * sqrt(2. / n),
                  "%s, parameter %d: variance %g, said to be %g", name, i, c.squares[i], c.variances[i]);
        missed += c.control[i] < least(n) || c.control[i] > most(n);
    }
    cr_expect(s->missed ? missed >= s->missed : !missed, "%s: the control misses %d parameters", name, missed);
    setting_free(&t);
}

#define INTERVALS(name, ...)                                                                      \
    Test(standard_errors, intervals_of_##name) { check_intervals(#name, &(study){__VA_ARGS__}); }

#endif
