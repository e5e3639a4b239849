/* L-BFGS: minima with known answers, and every way to end. */
#include <criterion/criterion.h>
#include <float.h>
#include <gibbs/optim.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST = 64 };

/* Wraps a function, remembers the lowest point it was asked for, and fails at a chosen evaluation. */
typedef struct probe {
    double (*function)(int64_t n, const double *w, double *g);
    int evaluations, fail_at;
    gibbs_status failure;
    const char *sentence;
    double lowest_f, lowest_w[MOST];
    int iterations, stop_at;
    double last_f, last_norm;
} probe;

static gibbs_status evaluate(void *context, int64_t n, const double *w, double *f, double *g, gibbs_error *error)
{
    probe *p = context;
    if (++p->evaluations == p->fail_at) {
        if (error && p->sentence) {
            error->status = p->failure;
            strcpy(error->message, p->sentence);
        }
        return p->failure;
    }
    *f = p->function(n, w, g);
    if (isfinite(*f) && (p->evaluations == 1 || *f < p->lowest_f)) {
        p->lowest_f = *f;
        memcpy(p->lowest_w, w, (size_t)n * sizeof *w);
    }
    return GIBBS_OK;
}

static int progress(void *context, int iteration, double f, double gradient_norm)
{
    probe *p = context;
    cr_assert_eq(iteration, p->iterations + 1);
    p->iterations = iteration;
    p->last_f = f;
    p->last_norm = gradient_norm;
    return iteration == p->stop_at;
}

static double rosenbrock(int64_t n, const double *w, double *g)
{
    double f = 0;
    memset(g, 0, (size_t)n * sizeof *g);
    for (int64_t i = 0; i + 1 < n; i++) {
        double bend = w[i + 1] - w[i] * w[i], rest = 1 - w[i];
        f += 100 * bend * bend + rest * rest;
        g[i] += -400 * w[i] * bend - 2 * rest;
        g[i + 1] += 200 * bend;
    }
    return f;
}

/* ½(w−c)ᵀA(w−c) with c = cos i, A = H D H for the reflection H = I − 2uuᵀ and D = 1 … 1000: dense, condition 1000. */
static double quadratic(int64_t n, const double *w, double *g)
{
    double u = 1 / sqrt((double)n), f = 0, sum = 0, sum_g = 0, z[MOST];
    for (int64_t i = 0; i < n; i++) sum += u * (w[i] - cos((double)i));
    for (int64_t i = 0; i < n; i++) {
        z[i] = w[i] - cos((double)i) - 2 * u * sum;
        g[i] = pow(1000, n > 1 ? (double)i / (double)(n - 1) : 0) * z[i];
        f += 0.5 * z[i] * g[i];
        sum_g += u * g[i];
    }
    for (int64_t i = 0; i < n; i++) g[i] -= 2 * u * sum_g;
    return f;
}

static double cosines_gap(int64_t n, const double *w)
{
    double worst = 0;
    for (int64_t i = 0; i < n; i++) worst = fmax(worst, fabs(w[i] - cos((double)i)));
    return worst;
}

static double barrier(int64_t n, const double *w, double *g) /* least at w = 1/100; NaN for w < 0 */
{
    double f = 0;
    for (int64_t i = 0; i < n; i++) {
        f += 100 * w[i] - log(w[i]);
        g[i] = 100 - 1 / w[i];
    }
    return f;
}

static double downhill(int64_t n, const double *w, double *g) /* no minimum */
{
    double f = 0;
    for (int64_t i = 0; i < n; i++) f -= w[i], g[i] = -1;
    return f;
}

static double nowhere(int64_t n, const double *w, double *g)
{
    for (int64_t i = 0; i < n; i++) g[i] = w[i];
    return NAN;
}

static double steep(int64_t n, const double *w, double *g) /* f is finite, its gradient is not */
{
    for (int64_t i = 0; i < n; i++) g[i] = INFINITY;
    return w[0];
}

/* Finite at its start only: every trial is a wall. */
static double cell(int64_t n, const double *w, double *g)
{
    for (int64_t i = 0; i < n; i++) g[i] = 3;
    return w[0] == 2 ? 5 : INFINITY;
}

static void start_rosenbrock(double *w, int64_t n)
{
    for (int64_t i = 0; i < n; i++) w[i] = i % 2 ? 1 : -1.2;
}

Test(lbfgs, rosenbrock)
{
    for (int n = 2; n <= 20; n++) {
        double w[MOST];
        probe p = {.function = rosenbrock};
        ebm_lbfgs_options o = {.tolerance = 1e-11, .progress = progress, .context = &p};
        ebm_lbfgs_result r;
        gibbs_error error = {GIBBS_OK, "untouched", -1, -1};
        start_rosenbrock(w, n);
        if (n > 3) w[0] = 0.5; /* from −1.2 the long valleys have a second minimum */
        cr_assert_eq(ebm_lbfgs(n, w, evaluate, &p, &o, &r, &error), GIBBS_OK);
        cr_assert_str_eq(error.message, "untouched");
        for (int i = 0; i < n; i++) cr_assert_float_eq(w[i], 1, 1e-8, "n %d, w[%d] = %.17g", n, i, w[i]);
        cr_assert(r.converged && r.iterations > 10 && r.iterations == p.iterations);
        cr_assert_eq(r.evaluations, p.evaluations);
        cr_assert(r.f == p.last_f && r.f < 1e-16 && r.gradient_norm == p.last_norm);
    }
}

Test(lbfgs, quadratic_of_any_size)
{
    static const int sizes[] = {1, 2, 3, 7, 8, 9, 15, 16, 17, 31, 50, 63};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        int n = sizes[i];
        double *w = calloc((size_t)n, sizeof *w), g[MOST]; /* exactly n: a sanitizer sees any use of padding */
        probe p = {.function = quadratic};
        ebm_lbfgs_options o = {.tolerance = 1e-9, .memory = 10};
        ebm_lbfgs_result r;
        cr_assert_eq(ebm_lbfgs(n, w, evaluate, &p, &o, &r, NULL), GIBBS_OK);
        cr_assert(r.converged);
        cr_assert(cosines_gap(n, w) <= 1e-8, "n %d: %g", n, cosines_gap(n, w));
        cr_assert_eq(r.f, quadratic(n, w, g), "the result is not of the point handed out");
        free(w);
    }
}

Test(lbfgs, nothing_given_but_the_problem)
{
    double w[50] = {0};
    probe p = {.function = quadratic};
    cr_assert_eq(ebm_lbfgs(50, w, evaluate, &p, NULL, NULL, NULL), GIBBS_OK);
    cr_assert(cosines_gap(50, w) <= 1e-5);
}

/* Control: a gradient of the wrong sign must not pass for a minimisation. */
static double uphill(int64_t n, const double *w, double *g)
{
    double f = quadratic(n, w, g);
    for (int64_t i = 0; i < n; i++) g[i] = -g[i];
    return f;
}

Test(lbfgs, a_flipped_gradient_is_no_convergence)
{
    double w[50] = {0};
    probe p = {.function = uphill};
    ebm_lbfgs_result r;
    cr_assert_eq(ebm_lbfgs(50, w, evaluate, &p, NULL, &r, NULL), GIBBS_OK);
    cr_assert(!r.converged);
    cr_assert(cosines_gap(50, w) > 0.1);
}

Test(lbfgs, a_minimum_stays)
{
    double w[3] = {1, 1, 1};
    probe p = {.function = rosenbrock};
    ebm_lbfgs_result r;
    cr_assert_eq(ebm_lbfgs(3, w, evaluate, &p, NULL, &r, NULL), GIBBS_OK);
    cr_assert(r.converged && r.iterations == 0 && r.evaluations == 1 && r.f == 0);
    cr_assert(w[0] == 1 && w[1] == 1 && w[2] == 1);
}

Test(lbfgs, the_end_of_precision_is_no_error)
{
    double w[50] = {0};
    probe p = {.function = quadratic};
    ebm_lbfgs_options o = {.tolerance = 1e-300, .max_iterations = 100000};
    ebm_lbfgs_result r;
    cr_assert_eq(ebm_lbfgs(50, w, evaluate, &p, &o, &r, NULL), GIBBS_OK);
    cr_assert(cosines_gap(50, w) <= 1e-10 && r.iterations < 1000);
    cr_assert_eq(r.f, p.lowest_f);
}

Test(lbfgs, the_last_iteration_is_no_error)
{
    double w[2];
    probe p = {.function = rosenbrock};
    ebm_lbfgs_options o = {.max_iterations = 5};
    ebm_lbfgs_result r;
    start_rosenbrock(w, 2);
    cr_assert_eq(ebm_lbfgs(2, w, evaluate, &p, &o, &r, NULL), GIBBS_OK);
    cr_assert(!r.converged && r.iterations == 5 && r.f == p.lowest_f);
    cr_assert_eq(memcmp(w, p.lowest_w, sizeof w), 0);
}

Test(lbfgs, an_endless_descent_ends)
{
    double w[2] = {0};
    probe p = {.function = downhill};
    ebm_lbfgs_result r;
    cr_assert_eq(ebm_lbfgs(2, w, evaluate, &p, NULL, &r, NULL), GIBBS_OK);
    cr_assert(!r.converged && r.f < -1e10 && isfinite(w[0]) && isfinite(w[1]));
}

Test(lbfgs, the_callback_stops_it)
{
    for (int stop = 1; stop <= 8; stop++) {
        double w[2];
        probe p = {.function = rosenbrock, .stop_at = stop};
        ebm_lbfgs_options o = {.progress = progress, .context = &p};
        ebm_lbfgs_result r;
        gibbs_error error = {0};
        start_rosenbrock(w, 2);
        cr_assert_eq(ebm_lbfgs(2, w, evaluate, &p, &o, &r, &error), GIBBS_STOPPED);
        cr_assert_eq(error.status, GIBBS_STOPPED);
        cr_assert(strstr(error.message, "callback"), "%s", error.message);
        cr_assert(r.iterations == stop && p.iterations == stop && !r.converged && r.f == p.lowest_f);
        cr_assert_eq(memcmp(w, p.lowest_w, sizeof w), 0);
    }
}

/* Whichever evaluation fails, it is the last one, its sentence arrives, and w is the lowest point before it. */
static int runs_to_failure(int fail_at, const char *sentence, const char *expected)
{
    double w[2], start[2];
    probe p = {.function = rosenbrock, .fail_at = fail_at, .failure = GIBBS_DATA, .sentence = sentence};
    ebm_lbfgs_options o = {.progress = progress, .context = &p};
    ebm_lbfgs_result r;
    gibbs_error error = {0};
    start_rosenbrock(w, 2);
    start_rosenbrock(start, 2);
    gibbs_status status = ebm_lbfgs(2, w, evaluate, &p, &o, &r, &error);
    if (status == GIBBS_OK) return 0;
    cr_assert_eq(status, GIBBS_DATA);
    cr_assert_eq(error.status, GIBBS_DATA);
    cr_assert_str_eq(error.message, expected);
    cr_assert_eq(p.evaluations, fail_at);
    cr_assert_eq(r.evaluations, fail_at);
    cr_assert_eq(r.iterations, p.iterations);
    cr_assert(!r.converged);
    cr_assert_eq(memcmp(w, fail_at > 1 ? p.lowest_w : start, sizeof w), 0);
    cr_assert(fail_at > 1 ? r.f == p.lowest_f : isnan(r.f));
    return 1;
}

Test(lbfgs, the_objectives_error_passes_through)
{
    int fail_at = 1;
    while (runs_to_failure(fail_at, "row 7 is missing", "row 7 is missing")) fail_at++;
    cr_assert(fail_at > 30, "only %d evaluations", fail_at);
    cr_assert(runs_to_failure(4, NULL, "the objective failed: the data are empty, or hold a NaN or an infinity"));
    probe p = {.function = rosenbrock, .fail_at = 3, .failure = GIBBS_DATA, .sentence = "nobody listens"};
    double w[2] = {3, 4};
    cr_assert_eq(ebm_lbfgs(2, w, evaluate, &p, NULL, NULL, NULL), GIBBS_DATA);
}

Test(lbfgs, a_start_that_is_not_finite_is_numeric)
{
    double (*const functions[])(int64_t, const double *, double *) = {nowhere, steep, barrier};
    for (int i = 0; i < 3; i++) {
        double w[2] = {-1, 2};
        probe p = {.function = functions[i]};
        ebm_lbfgs_result r;
        gibbs_error error = {0};
        cr_assert_eq(ebm_lbfgs(2, w, evaluate, &p, NULL, &r, &error), GIBBS_NUMERIC);
        cr_assert(error.status == GIBBS_NUMERIC && strstr(error.message, "starting point"));
        cr_assert(w[0] == -1 && w[1] == 2 && p.evaluations == 1 && !r.converged);
    }
}

/* From 30 with n = 5 and from 1e4 liblbfgs' search gives up on its way: the minimum takes several runs. */
Test(lbfgs, a_search_backs_off_from_what_is_not_finite)
{
    static const struct {
        double start;
        int n;
    } cases[] = {{0.5, 1}, {0.5, 5}, {0.5, 9}, {1e-6, 1}, {1e-6, 5}, {1e-6, 9}, {30, 1}, {30, 5}, {1e4, 1}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        double w[MOST];
        probe p = {.function = barrier};
        ebm_lbfgs_options o = {.tolerance = 5e-5, .progress = progress, .context = &p};
        ebm_lbfgs_result r;
        for (int j = 0; j < cases[i].n; j++) w[j] = cases[i].start * (1 + 0.1 * j);
        cr_assert_eq(ebm_lbfgs(cases[i].n, w, evaluate, &p, &o, &r, NULL), GIBBS_OK);
        for (int j = 0; j < cases[i].n; j++) cr_assert_float_eq(w[j], 0.01, 1e-8, "case %zu: %g", i, w[j]);
        cr_assert(r.converged && r.iterations == p.iterations && r.evaluations == p.evaluations);
    }
}

Test(lbfgs, several_runs_share_the_iterations)
{
    for (int most = 1; most <= 40; most++) {
        double w[5];
        probe p = {.function = barrier};
        ebm_lbfgs_options o = {.max_iterations = most, .progress = progress, .context = &p};
        ebm_lbfgs_result r;
        for (int j = 0; j < 5; j++) w[j] = 30 + 3 * j;
        cr_assert_eq(ebm_lbfgs(5, w, evaluate, &p, &o, &r, NULL), GIBBS_OK);
        cr_assert(r.iterations == most && p.iterations == most && !r.converged && r.f == p.lowest_f);
    }
}

Test(lbfgs, walls_all_around_leave_the_start)
{
    double w[1] = {2};
    probe p = {.function = cell};
    ebm_lbfgs_result r;
    cr_assert_eq(ebm_lbfgs(1, w, evaluate, &p, NULL, &r, NULL), GIBBS_OK);
    cr_assert(w[0] == 2 && r.f == 5 && !r.converged && r.evaluations < 100);
}

static const struct {
    int64_t n;
    ebm_lbfgs_options options;
    double w;
    gibbs_status status;
    const char *word;
} refused[] = {
    {0, {0}, 1, GIBBS_ARGUMENT, "at least one"},
    {-3, {0}, 1, GIBBS_ARGUMENT, "-3"},
    {(int64_t)1 << 40, {0}, 1, GIBBS_SIZE, "1099511627776"},
    {2, {0}, NAN, GIBBS_ARGUMENT, "w[1]"},
    {2, {0}, INFINITY, GIBBS_ARGUMENT, "w[1]"},
    {2, {0}, 1e200, GIBBS_ARGUMENT, "norm"},
    {2, {.memory = -1}, 1, GIBBS_ARGUMENT, "memory is -1"},
    {2, {.max_iterations = -1}, 1, GIBBS_ARGUMENT, "max_iterations is -1"},
    {2, {.tolerance = -1}, 1, GIBBS_ARGUMENT, "tolerance is -1"},
    {2, {.tolerance = NAN}, 1, GIBBS_ARGUMENT, "tolerance is nan"},
};

Test(lbfgs, what_it_refuses)
{
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        double w[2] = {1, refused[i].w}, copy[2] = {1, refused[i].w};
        probe p = {.function = rosenbrock};
        gibbs_error error = {0};
        cr_assert_eq(ebm_lbfgs(refused[i].n, w, evaluate, &p, &refused[i].options, NULL, &error), refused[i].status);
        cr_assert(strstr(error.message, refused[i].word), "case %zu: %s", i, error.message);
        cr_assert(p.evaluations == 0 && memcmp(w, copy, sizeof w) == 0);
    }
    double w[2] = {1, 1};
    probe p = {.function = rosenbrock};
    cr_assert_eq(ebm_lbfgs(2, w, NULL, &p, NULL, NULL, NULL), GIBBS_ARGUMENT);
    cr_assert_eq(ebm_lbfgs(2, NULL, evaluate, &p, NULL, NULL, NULL), GIBBS_ARGUMENT);
}
