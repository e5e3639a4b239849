/* Every allocation of models, objectives and fits fails in turn: alone, and with all that follow. MEMORY comes back,
 * nothing is lost, and what was there before can still be used. liblbfgs' own vectors are not hooked. A plain program:
 * Criterion's own memory would be in the way of leak checkers. */
#include "support/alloc.h"
#include "support/sanitized.h"

#include <gibbs/ebm.h>

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define COUNT(array) ((int)(sizeof(array) / sizeof((array)[0])))

static int failed;

static int expect(int good, const char *what, const char *name, int64_t at, const char *message)
{
    if (!good) failed++, printf("%s, allocation %lld: %s: %s\n", name, (long long)at, what, message);
    return good;
}

/* ---- An allocator that, once it has failed, goes on to fail if it is asked to ---- */

typedef struct hook {
    counting_alloc count;
    gibbs_allocator inner; /* counts in `count`, and fails once */
    int fail_on;
} hook;

static void *hook_alloc(void *context, size_t bytes)
{
    hook *h = context;
    if (!h->fail_on || !h->count.fail_at || h->count.calls < h->count.fail_at)
        return h->inner.alloc(h->inner.context, bytes);
    h->count.calls++;
    h->count.failures++;
    return NULL;
}

static void hook_release(void *context, void *memory)
{
    hook *h = context;
    h->inner.release(h->inner.context, memory);
}

/* ---- What is tried ---- */

enum { ROWS = 8, DIM = 2 };
static double points[ROWS * DIM];
static float narrow[ROWS * DIM]; /* the same for float32 */

/* One attempt with the hook's allocator. The attempt itself arms the hook where failures begin to matter. */
typedef struct attempt {
    const char *name;
    const ebm_loss *loss;
    gibbs_dtype dtype;
    int lbfgs;
    int64_t batch;
    gibbs_status (*run)(const struct attempt *a, hook *h, int64_t fail_at, gibbs_error *error);
} attempt;

static void arm(hook *h, int64_t fail_at) { h->count.calls = 0, h->count.fail_at = fail_at; }

/* What an attempt made: how often it allocated is left in `calls`, and allocations work again. */
static int64_t disarm(hook *h)
{
    int64_t calls = h->count.calls;
    h->count.fail_at = 0;
    return calls;
}

static gibbs_status make_model(const attempt *a, const gibbs_allocator *allocator, ebm_model **model,
                               gibbs_error *error)
{
    static const int64_t widths[] = {2};
    const ebm_mlp_spec spec = {.dim = DIM, .widths = widths, .layers = 1, .base_sd = 2, .dtype = a->dtype, .seed = 1,
                               .allocator = allocator};
    return ebm_model_mlp(&spec, model, error);
}

static int usable(ebm_model *model)
{
    double energy[ROWS], gradient[ROWS * DIM];
    if (ebm_model_energy(model, points, ROWS, energy, gradient, NULL)) return 0;
    for (int r = 0; r < ROWS; r++)
        if (!isfinite(energy[r]) || !isfinite(gradient[DIM * r])) return 0;
    return 1;
}

static gibbs_status try_model(const attempt *a, hook *h, int64_t fail_at, gibbs_error *error)
{
    gibbs_allocator allocator = {hook_alloc, hook_release, h};
    ebm_model *model = NULL;
    arm(h, fail_at);
    gibbs_status status = make_model(a, &allocator, &model, error);
    int64_t calls = disarm(h);
    expect(!status == !!model, "a model comes exactly with OK", a->name, fail_at, error->message);
    if (model) expect(usable(model), "the model is of no use", a->name, fail_at, "");
    ebm_model_free(model);
    h->count.calls = calls;
    return status;
}

static gibbs_status try_gaussian(const attempt *a, hook *h, int64_t fail_at, gibbs_error *error)
{
    gibbs_allocator allocator = {hook_alloc, hook_release, h};
    ebm_model *model = NULL;
    arm(h, fail_at);
    gibbs_status status = ebm_model_gaussian(DIM, a->dtype, &allocator, &model, error);
    int64_t calls = disarm(h);
    expect(!status == !!model, "a model comes exactly with OK", a->name, fail_at, error->message);
    ebm_model_free(model);
    h->count.calls = calls;
    return status;
}

/* Draws and evaluates twice, at different sizes, and notes the last value. */
static gibbs_status use_objective(ebm_objective *objective, const void *x, double *value, gibbs_error *error)
{
    static const int64_t rows[] = {3, ROWS};
    gibbs_status status = GIBBS_OK;
    for (int k = 0; k < COUNT(rows) && !status; k++) {
        status = ebm_objective_bind(objective, x, rows[k], error);
        if (!status) status = ebm_objective_refresh(objective, 1, (uint64_t)k, error);
        if (!status) status = ebm_objective_evaluate(objective, value, error);
    }
    return status;
}

static gibbs_status try_objective(const attempt *a, hook *h, int64_t fail_at, gibbs_error *error)
{
    static double reference; /* of the attempt in which nothing failed, which comes first */
    gibbs_allocator allocator = {hook_alloc, hook_release, h};
    ebm_loss_options options = {0};
    ebm_model *model = NULL;
    ebm_objective *objective = NULL;
    ebm_proposal *q = NULL;
    double value = NAN, again = NAN;
    const void *x = a->dtype == GIBBS_FLOAT64 ? (const void *)points : narrow;
    options.threads = 1;
    if (make_model(a, &allocator, &model, error)) return error->status;
    ebm_proposal_gaussian_diagonal(DIM, (double[]){0, 0}, (double[]){2, 2}, &allocator, &q, error);
    options.proposal = q;
    arm(h, fail_at);
    gibbs_status status = ebm_objective_new(model, a->loss, &options, &objective, error), made = status;
    if (!status) status = use_objective(objective, x, &value, error);
    int64_t calls = disarm(h);
    expect(!made == !!objective, "an objective comes exactly with OK", a->name, fail_at, error->message);
    if (objective) {
        expect(!use_objective(objective, x, &again, error), "the objective is of no use", a->name, fail_at,
               error->message);
        if (!fail_at) reference = again;
        expect(again == reference && isfinite(again), "another value", a->name, fail_at, "");
    }
    expect(usable(model), "the model is of no use", a->name, fail_at, "");
    ebm_objective_free(objective);
    ebm_proposal_free(q);
    ebm_model_free(model);
    h->count.calls = calls;
    return status;
}

/* ---- Fits ---- */

static ebm_fit_options fit_options(const attempt *a)
{
    ebm_fit_options o = {0};
    o.loss = a->loss;
    o.loss_options.noise_ratio = 1;
    o.steps = 3;
    o.batch = a->batch;
    o.threads = 1;
    o.lbfgs = a->lbfgs;
    if (a->batch) o.validation_fraction = 0.25, o.validation_every = 1, o.average = 0.5;
    return o;
}

static int finite_parameters(ebm_model *model)
{
    double theta[16];
    ebm_model_get(model, theta);
    for (int64_t i = 0; i < ebm_model_size(model); i++)
        if (!isfinite(theta[i])) return 0;
    return 1;
}

static gibbs_status try_fit(const attempt *a, hook *h, int64_t fail_at, gibbs_error *error)
{
    gibbs_allocator allocator = {hook_alloc, hook_release, h};
    ebm_data data;
    ebm_model *model = NULL;
    ebm_fit_report report;
    const ebm_fit_options options = fit_options(a);
    if (make_model(a, &allocator, &model, error)) return error->status;
    if (ebm_data_from(points, ROWS, DIM, &allocator, &data, error)) return error->status;
    arm(h, fail_at);
    gibbs_status status = ebm_fit(model, &data, &options, &report, error);
    int64_t calls = disarm(h);
    expect(finite_parameters(model) && usable(model), "the model is of no use", a->name, fail_at, "");
    if (!status) expect(report.steps == report.history_count && report.steps > 0, "no steps", a->name, fail_at, "");
    ebm_fit_report_free(&report);
    if (status && fail_at % 16 == 0) /* a fit is long: now and then it is tried again */
        expect(!ebm_fit(model, &data, &options, NULL, error), "a second fit fails", a->name, fail_at, error->message);
    ebm_data_free(&data);
    ebm_model_free(model);
    h->count.calls = calls;
    return status;
}

/* Two steps, a file, two steps more; what an earlier attempt saved is loaded where nothing fails before. */
static gibbs_status try_trainer(const attempt *a, hook *h, int64_t fail_at, gibbs_error *error)
{
    static char path[64];
    gibbs_allocator allocator = {hook_alloc, hook_release, h};
    char memory[3] = "ab";
    ebm_data data;
    ebm_model *model = NULL;
    ebm_trainer *t = NULL;
    ebm_fit_options options = fit_options(a);
    options.steps = 4;
    snprintf(path, sizeof path, "/tmp/gibbs-fault-%ld", (long)getpid());
    if (make_model(a, &allocator, &model, error)) return error->status;
    if (ebm_data_from(points, ROWS, DIM, &allocator, &data, error)) return error->status;
    arm(h, fail_at);
    gibbs_status status = ebm_trainer_new(model, &data, &options, &t, error), made = status;
    if (!status) status = ebm_trainer_keep(t, "memory", memory, sizeof memory, error);
    if (!status) status = ebm_trainer_run(t, 2, error);
    if (!status) status = ebm_trainer_save(t, path, error);
    if (!status) status = ebm_trainer_load(t, path, error);
    if (!status) status = ebm_trainer_run(t, 2, error);
    int64_t calls = disarm(h);
    expect(!made == !!t, "a trainer comes exactly with OK", a->name, fail_at, error->message);
    expect(finite_parameters(model) && usable(model), "the model is of no use", a->name, fail_at, "");
    if (t && status && fail_at % 16 == 0)
        expect(!ebm_trainer_run(t, 0, error) && ebm_trainer_done(t), "it does not go on", a->name, fail_at,
               error->message);
    unlink(path);
    ebm_trainer_free(t);
    ebm_data_free(&data);
    ebm_model_free(model);
    h->count.calls = calls;
    return status;
}

/* ---- All of them ---- */

static const attempt attempts[] = {
    {"network", NULL, GIBBS_FLOAT64, 0, 0, try_model},
    {"gaussian", NULL, GIBBS_FLOAT32, 0, 0, try_gaussian},
    {"objective ml-is", &ebm_loss_ml_is, GIBBS_FLOAT64, 0, 0, try_objective},
    {"objective ml-is", &ebm_loss_ml_is, GIBBS_FLOAT32, 0, 0, try_objective},
    {"objective cd", &ebm_loss_cd, GIBBS_FLOAT64, 0, 0, try_objective},
    {"objective cd", &ebm_loss_cd, GIBBS_FLOAT32, 0, 0, try_objective},
    {"objective score matching", &ebm_loss_score_matching, GIBBS_FLOAT64, 0, 0, try_objective},
    {"objective score matching", &ebm_loss_score_matching, GIBBS_FLOAT32, 0, 0, try_objective},
    {"objective nce", &ebm_loss_nce, GIBBS_FLOAT64, 0, 0, try_objective},
    {"objective nce", &ebm_loss_nce, GIBBS_FLOAT32, 0, 0, try_objective},
    {"fit ml-is", &ebm_loss_ml_is, GIBBS_FLOAT64, 0, 3, try_fit},
    {"fit ml-is", &ebm_loss_ml_is, GIBBS_FLOAT32, 0, 3, try_fit},
    {"fit cd", &ebm_loss_cd, GIBBS_FLOAT64, 0, 3, try_fit},
    {"fit cd", &ebm_loss_cd, GIBBS_FLOAT32, 0, 3, try_fit},
    {"fit score matching", &ebm_loss_score_matching, GIBBS_FLOAT64, 0, 3, try_fit},
    {"fit score matching", &ebm_loss_score_matching, GIBBS_FLOAT32, 0, 3, try_fit},
    {"fit nce", &ebm_loss_nce, GIBBS_FLOAT64, 0, 3, try_fit},
    {"fit nce", &ebm_loss_nce, GIBBS_FLOAT32, 0, 3, try_fit},
    {"training nce", &ebm_loss_nce, GIBBS_FLOAT64, 0, 3, try_trainer},
    {"training pcd", &ebm_loss_pcd, GIBBS_FLOAT32, 0, 3, try_trainer},
    {"fit by L-BFGS", &ebm_loss_nce, GIBBS_FLOAT64, 1, 0, try_fit},
};

/* fail_at 0: nothing fails. Returns how often the attempt allocates. */
static int64_t one(const attempt *a, int64_t fail_at, int fail_on)
{
    hook h = {.fail_on = fail_on};
    gibbs_error error = {.message = ""};
    h.inner = counting_allocator(&h.count);
    gibbs_status status = a->run(a, &h, fail_at, &error), expected = fail_at ? GIBBS_MEMORY : GIBBS_OK;
    expect(status == expected, gibbs_status_text(status), a->name, fail_at, error.message);
    if (fail_at)
        expect(h.count.failures && error.message[0], "nothing failed, or without a sentence", a->name, fail_at, "");
    expect(!h.count.live && !h.count.bytes, "blocks are lost", a->name, fail_at, error.message);
    return h.count.calls;
}

int main(void)
{
    int64_t total = 0;
    for (int i = 0; i < ROWS * DIM; i++) narrow[i] = (float)(points[i] = sin(3.0 * i) + 0.1 * i);
    for (int k = 0; k < COUNT(attempts); k++) {
        int64_t calls = one(&attempts[k], 0, 0);
        expect(calls > 3, "hardly any allocation is hooked", attempts[k].name, 0, "");
        for (int64_t at = 1; at <= calls; at++)
            for (int on = 0; on < 2; on++)
                if (in_sweep(at + on + k, 3)) one(&attempts[k], at, on);
        total += 2 * calls;
    }
    printf("%lld failures injected, %d checks failed\n", (long long)total, failed);
    return failed != 0;
}
