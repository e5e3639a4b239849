/* L-BFGS by liblbfgs (Moré-Thuente line search).
 *
 * Memory: liblbfgs takes its 2·memory + 5 vectors from malloc, and so do we our 3 (lbfgs_malloc: its SSE builds
 * want them aligned and padded with zeros). No gibbs_allocator is involved.
 *
 * A trial is usable when f, ‖g‖ and ‖w‖ are finite. At an unusable one (the far side of a logarithm's edge, an
 * overflow) the search sees a rise as steep as the slope it came down: f₀ − g₀·(w−w₀) with gradient −g₀, from the
 * last accepted w₀. That never satisfies the search, so it backs off, and being of the problem's own scale it
 * backs off by a sensible factor (about 7), which a huge constant would not.
 *
 * Beside such an edge, and now and then elsewhere, the line search gives up while there is much to gain. As long as
 * a run has lowered f by more than rounding, another (of at most MOST_RUNS) starts from the best point with its
 * memory empty.
 *
 * liblbfgs cannot be stopped from within an evaluation. When that is needed it is told that the trial is perfect
 * (f lowest, g zero); the progress call that follows ends the run, and the objective is not called again. */
#include "base/options.h"

#include <gibbs/optim.h>

#include <float.h>
#include <lbfgs.h>
#include <limits.h>
#include <math.h>
#include <string.h>

enum { MOST_RUNS = 20, LARGEST_N = INT_MAX - 16 };
static const double least_gain = 1e-12;

static const gibbs_option numbers[] = {
    GIBBS_OPTION(ebm_lbfgs_options, memory, 6, '[', 1, INFINITY, ')'),
    GIBBS_OPTION(ebm_lbfgs_options, max_iterations, 500, '[', 1, INFINITY, ')'),
    GIBBS_OPTION(ebm_lbfgs_options, tolerance, 1e-6, '(', 0, INFINITY, ')'),
};

/* A point's figures. */
typedef struct point {
    double f, g_norm;
} point;

typedef struct search {
    int64_t n;
    ebm_objective_fn objective;
    void *context;
    const ebm_lbfgs_options *options;
    double *w_best;              /* the caller's w: always the lowest usable point so far, `best` */
    double *w_anchor, *g_anchor; /* the last accepted point, `anchor`, where the line search starts */
    point best, anchor;
    int iterations, evaluations;
    double start_f;      /* f and iteration where this run of liblbfgs began */
    int start_iteration;
    bool fresh;          /* the next evaluation is a run's first */
    bool over;           /* tell liblbfgs to end */
    gibbs_status status; /* why, when it was the objective, the callback or the first point */
    gibbs_error error;
} search;

static double norm(int64_t n, const double *x)
{
    double sum = 0;
#pragma omp simd reduction(+ : sum)
    for (int64_t i = 0; i < n; i++) sum += x[i] * x[i];
    return sqrt(sum);
}

static double end_search(search *s, gibbs_status status, double *g)
{
    s->over = true;
    s->status = status;
    memset(g, 0, (size_t)s->n * sizeof *g);
    return -DBL_MAX;
}

/* Keeps a usable point when it is the lowest so far. */
static void keep_best(search *s, const double *w, point p)
{
    if (s->evaluations > 1 && !(p.f < s->best.f)) return;
    memcpy(s->w_best, w, (size_t)s->n * sizeof *w);
    s->best = p;
}

static void move_anchor(search *s, const double *w, const double *g, point p)
{
    memcpy(s->w_anchor, w, (size_t)s->n * sizeof *w);
    memcpy(s->g_anchor, g, (size_t)s->n * sizeof *g);
    s->anchor = p;
}

/* What the search sees of an unusable trial. */
static double mirror_slope(search *s, const double *w, double *g)
{
    double slope = 0;
    for (int64_t i = 0; i < s->n; i++) {
        slope += s->g_anchor[i] * (w[i] - s->w_anchor[i]);
        g[i] = -s->g_anchor[i];
    }
    double f = s->anchor.f - slope;
    return isfinite(f) ? f : end_search(s, GIBBS_OK, g);
}

/* The objective failed: its own sentence, or one for it when it left none. */
static double objective_failed(search *s, gibbs_status status, double *g)
{
    if (s->error.message[0] == '\0')
        gibbs_fail(&s->error, status, "the objective failed: %s", gibbs_status_text(status));
    return end_search(s, status, g);
}

static double unusable(search *s, const double *w, double *g, double f)
{
    if (s->evaluations > 1) return mirror_slope(s, w, g);
    gibbs_fail(&s->error, GIBBS_NUMERIC, "at the starting point the objective is %g and its gradient's norm %g", f,
               norm(s->n, g));
    return end_search(s, GIBBS_NUMERIC, g);
}

static double evaluate(void *instance, const double *w, double *g, const int n, const double step)
{
    (void)n, (void)step;
    search *s = instance;
    if (s->over || !isfinite(norm(s->n, w))) return end_search(s, s->status, g);
    s->evaluations++;
    point p = {0};
    gibbs_status status = s->objective(s->context, s->n, w, &p.f, g, &s->error);
    if (status != GIBBS_OK) return objective_failed(s, status, g);
    p.g_norm = norm(s->n, g);
    if (!isfinite(p.f) || !isfinite(p.g_norm)) return unusable(s, w, g, p.f);
    keep_best(s, w, p);
    if (s->fresh) {
        move_anchor(s, w, g, p);
        s->start_f = p.f;
        s->fresh = false;
    }
    return p.f;
}

/* liblbfgs' progress call, once for each accepted point. */
static int accepted(void *instance, const double *w, const double *g, const double f, const double w_norm,
                    const double g_norm, const double step, int n, int iteration, int trials)
{
    (void)w_norm, (void)step, (void)n, (void)trials;
    search *s = instance;
    if (s->over) return LBFGSERR_CANCELED;
    s->iterations = iteration += s->start_iteration;
    move_anchor(s, w, g, (point){f, g_norm});
    const ebm_lbfgs_options *o = s->options;
    if (!o->progress || !o->progress(o->context, iteration, f, g_norm)) return 0;
    s->over = true;
    s->status = gibbs_fail(&s->error, GIBBS_STOPPED, "the callback stopped L-BFGS after iteration %d, at f = %.17g",
                           iteration, f);
    return LBFGSERR_CANCELED;
}

/* What liblbfgs' codes mean here. A line search that finds nothing better, for whichever of its reasons, is worth
 * another run or the end of the road, but no error: `converged` tells. Codes not listed cannot come of checked
 * options. */
typedef struct outcome {
    int code;
    bool search_ended;
    gibbs_status status;
    const char *sentence;
} outcome;

static const outcome outcomes[] = {
    {LBFGS_SUCCESS, false, GIBBS_OK, ""},
    {LBFGS_ALREADY_MINIMIZED, false, GIBBS_OK, ""},
    {LBFGSERR_CANCELED, false, GIBBS_OK, ""},
    {LBFGSERR_MAXIMUMITERATION, false, GIBBS_OK, ""},
    {LBFGSERR_MAXIMUMSTEP, false, GIBBS_OK, ""},
    {LBFGSERR_OUTOFINTERVAL, true, GIBBS_OK, ""},
    {LBFGSERR_INCORRECT_TMINMAX, true, GIBBS_OK, ""},
    {LBFGSERR_ROUNDING_ERROR, true, GIBBS_OK, ""},
    {LBFGSERR_MINIMUMSTEP, true, GIBBS_OK, ""},
    {LBFGSERR_MAXIMUMLINESEARCH, true, GIBBS_OK, ""},
    {LBFGSERR_WIDTHTOOSMALL, true, GIBBS_OK, ""},
    {LBFGSERR_INCREASEGRADIENT, true, GIBBS_OK, ""},
    {LBFGSERR_INVALIDPARAMETERS, true, GIBBS_OK, ""},
    {LBFGSERR_OUTOFMEMORY, false, GIBBS_MEMORY, "liblbfgs found no memory for its vectors"},
    {LBFGSERR_INVALID_N, false, GIBBS_SIZE, "liblbfgs refused the number of variables"},
    {LBFGSERR_INVALID_N_SSE, false, GIBBS_SIZE, "liblbfgs refused the number of variables"},
    {LBFGSERR_UNKNOWNERROR, false, GIBBS_NUMERIC, "liblbfgs reports an unknown error"},
    {LBFGSERR_LOGICERROR, false, GIBBS_NUMERIC, "liblbfgs reports a logic error"},
};

static outcome outcome_of(int code)
{
    for (int i = 0; i < GIBBS_COUNT(outcomes); i++)
        if (outcomes[i].code == code) return outcomes[i];
    return (outcome){code, false, GIBBS_NUMERIC, "liblbfgs ended with an unexpected code"};
}

static gibbs_status judge(const search *s, int code, gibbs_error *error)
{
    if (s->status != GIBBS_OK) return gibbs_fail(error, s->status, "%s", s->error.message);
    outcome o = outcome_of(code);
    return o.status ? gibbs_fail(error, o.status, "%s (code %d)", o.sentence, code) : GIBBS_OK;
}

static gibbs_status check(int64_t n, const double *w, ebm_objective_fn objective, ebm_lbfgs_options *o,
                          gibbs_error *error)
{
    if (!objective || !w)
        return gibbs_fail(error, GIBBS_ARGUMENT, "L-BFGS was given no %s", objective ? "starting point" : "objective");
    if (n < 1)
        return gibbs_fail(error, GIBBS_ARGUMENT, "L-BFGS needs at least one variable, not %lld", (long long)n);
    if (n > LARGEST_N)
        return gibbs_fail(error, GIBBS_SIZE, "%lld variables are more than liblbfgs can count", (long long)n);
    gibbs_status status = gibbs_options_fill("L-BFGS", numbers, GIBBS_COUNT(numbers), o, error);
    if (status) return status;
    for (int64_t i = 0; i < n; i++)
        if (!isfinite(w[i]))
            return gibbs_fail(error, GIBBS_ARGUMENT, "w[%lld] of the starting point is %g", (long long)i, w[i]);
    if (!isfinite(norm(n, w)))
        return gibbs_fail(error, GIBBS_ARGUMENT, "the norm of the starting point is too large for a double");
    return GIBBS_OK;
}

static lbfgs_parameter_t parameters(const ebm_lbfgs_options *o)
{
    lbfgs_parameter_t p;
    lbfgs_parameter_init(&p);
    p.m = o->memory;
    p.max_iterations = o->max_iterations;
    p.epsilon = o->tolerance;
    return p;
}

/* Convergence is of the accepted point, which an earlier trial may have undercut in f with a larger gradient: then
 * the accepted point is handed out. A search that ended otherwise never converged, whatever ‖g‖/‖w‖ is at its best
 * point: on an endless descent ‖w‖ grows until that passes. */
static ebm_lbfgs_result finish(search *s, int code)
{
    bool converged = !s->over && (code == LBFGS_SUCCESS || code == LBFGS_ALREADY_MINIMIZED);
    if (converged) {
        memcpy(s->w_best, s->w_anchor, (size_t)s->n * sizeof *s->w_best);
        s->best = s->anchor;
    }
    return (ebm_lbfgs_result){s->iterations, s->evaluations, s->best.f, s->best.g_norm, converged};
}

static int run(search *s, double *w)
{
    lbfgs_parameter_t p = parameters(s->options);
    p.max_iterations -= s->iterations;
    s->start_iteration = s->iterations;
    s->fresh = true;
    memcpy(w, s->w_best, (size_t)s->n * sizeof *w);
    return lbfgs((int)s->n, w, NULL, evaluate, accepted, s, &p);
}

static bool worth_another_run(const search *s, int code)
{
    double gain = s->start_f - s->best.f;
    return outcome_of(code).search_ended && !s->over && gain > least_gain * fabs(s->best.f) &&
           s->iterations < parameters(s->options).max_iterations;
}

static gibbs_status minimise(search *s, double *w, ebm_lbfgs_result *result, gibbs_error *error)
{
    int code = run(s, w);
    for (int runs = 1; runs < MOST_RUNS && worth_another_run(s, code); runs++) code = run(s, w);
    *result = finish(s, code);
    return judge(s, code, error);
}

gibbs_status ebm_lbfgs(int64_t n, double *w, ebm_objective_fn objective, void *context,
                       const ebm_lbfgs_options *options, ebm_lbfgs_result *result, gibbs_error *error)
{
    ebm_lbfgs_options filled = options ? *options : (ebm_lbfgs_options){0};
    ebm_lbfgs_result unread;
    if (!result) result = &unread;
    *result = (ebm_lbfgs_result){.f = NAN, .gradient_norm = NAN};
    gibbs_status status = check(n, w, objective, &filled, error);
    if (status != GIBBS_OK) return status;
    search s = {.n = n, .objective = objective, .context = context, .options = &filled, .w_best = w,
                .w_anchor = lbfgs_malloc((int)n), .g_anchor = lbfgs_malloc((int)n),
                .best = {NAN, NAN}};
    double *trial = lbfgs_malloc((int)n);
    if (trial && s.w_anchor && s.g_anchor) status = minimise(&s, trial, result, error);
    else status = gibbs_fail(error, GIBBS_MEMORY, "no memory for L-BFGS on %lld variables", (long long)n);
    lbfgs_free(trial);
    lbfgs_free(s.w_anchor);
    lbfgs_free(s.g_anchor);
    return status;
}
