/* First-order optimisers, against the papers' formulas in scalar float64. */
#include "ebm/optim/kernel.h"
#include "optim_helpers.h"

#include <criterion/criterion.h>
#include <float.h>
#include <gibbs/optim.h>
#include <math.h>
#include <stdbool.h>
#include <string.h>

enum { STEPS = 60, SLOTS = 2, CANARY = 16 };

/* A number of the reference and the sum of the absolute terms it was made of, which scales its rounding error. */
typedef struct term {
    double value, size;
} term;

typedef struct scalar_state {
    term w, slot[SLOTS];
} scalar_state;

typedef void reference_fn(scalar_state *s, double g, const ebm_optim_step *a);

static term plus(term a, term b)
{
    return (term){a.value + b.value, a.size + b.size};
}

static term times(double c, term a)
{
    return (term){c * a.value, fabs(c) * a.size};
}

static term exactly(double x)
{
    return (term){x, fabs(x)};
}

/* Polyak 1964: v ← μv + g; w ← w − rate·v. */
static void reference_sgd(scalar_state *s, double g, const ebm_optim_step *a)
{
    term gradient = plus(exactly(g), times(a->weight_decay, s->w));
    s->slot[0] = plus(times(a->momentum, s->slot[0]), gradient);
    s->w = plus(s->w, times(-a->rate, s->slot[0]));
}

/* 1 − βᵗ in long double: at β₂ = 0.999 the difference costs a double three digits. */
static double correction(double beta, double t)
{
    return (double)(1 - powl(beta, t));
}

/* Kingma & Ba 2015, algorithm 1, line by line. */
static void reference_adam(scalar_state *s, double g, const ebm_optim_step *a)
{
    double t = (double)(a->step + 1);
    term gradient = plus(exactly(g), times(a->weight_decay, s->w));
    term square = {gradient.value * gradient.value, gradient.size * gradient.size};
    s->slot[0] = plus(times(a->beta1, s->slot[0]), times(1 - a->beta1, gradient));
    s->slot[1] = plus(times(a->beta2, s->slot[1]), times(1 - a->beta2, square));
    term m = times(1 / correction(a->beta1, t), s->slot[0]);
    double v = s->slot[1].value / correction(a->beta2, t);
    /* A relative error of v̂ by cancellation in the gradient is passed on to w by its root. */
    double spread = s->slot[1].size / (s->slot[1].value > 0 ? s->slot[1].value : 1);
    term change = times(-a->rate / (sqrt(v) + a->epsilon), m);
    change.size *= fmax(1, spread);
    s->w = plus(s->w, change);
}

/* Loshchilov & Hutter 2019, algorithm 2: Adam of the gradient alone, begun from (1 − rate·λ)w. */
static void reference_adamw(scalar_state *s, double g, const ebm_optim_step *a)
{
    ebm_optim_step adam = *a;
    adam.weight_decay = 0;
    s->w = plus(s->w, times(-a->rate * a->weight_decay, s->w));
    reference_adam(s, g, &adam);
}

/* Tieleman & Hinton 2012, with PyTorch's epsilon and momentum. */
static void reference_rmsprop(scalar_state *s, double g, const ebm_optim_step *a)
{
    term gradient = plus(exactly(g), times(a->weight_decay, s->w));
    term square = {gradient.value * gradient.value, gradient.size * gradient.size};
    s->slot[0] = plus(times(a->beta2, s->slot[0]), times(1 - a->beta2, square));
    double spread = s->slot[0].size / (s->slot[0].value > 0 ? s->slot[0].value : 1);
    term share = times(1 / (sqrt(s->slot[0].value) + a->epsilon), gradient);
    share.size *= fmax(1, spread);
    s->slot[1] = plus(times(a->momentum, s->slot[1]), share);
    s->w = plus(s->w, times(-a->rate, s->slot[1]));
}

typedef void update_fn(EBM_OPTIM_UPDATE_ARGUMENTS);

/* ---- The builds, one an instruction set, told apart from the one that this machine takes ---- */

static ebm_optim_kernel_fn *const sgd_kernels[] = GIBBS_ISA_TABLE(ebm_optim_sgd);
static ebm_optim_kernel_fn *const adam_kernels[] = GIBBS_ISA_TABLE(ebm_optim_adam);
static ebm_optim_kernel_fn *const adamw_kernels[] = GIBBS_ISA_TABLE(ebm_optim_adamw);
static ebm_optim_kernel_fn *const rmsprop_kernels[] = GIBBS_ISA_TABLE(ebm_optim_rmsprop);
static int isa_under_test;

static void run_kernel(ebm_optim_kernel_fn *const *kernels, EBM_OPTIM_UPDATE_ARGUMENTS)
{
    void *slot[EBM_OPTIM_SLOTS] = {state, (char *)state + (size_t)n * gibbs_dtype_size(dtype)};
    kernels[isa_under_test](dtype, n, w, g, slot, args);
}

static void sgd_by_isa(EBM_OPTIM_UPDATE_ARGUMENTS)
{
    run_kernel(sgd_kernels, dtype, n, w, g, state, args);
}

static void rmsprop_by_isa(EBM_OPTIM_UPDATE_ARGUMENTS)
{
    run_kernel(rmsprop_kernels, dtype, n, w, g, state, args);
}

/* Adam's builds get the folded rate from here, AdamW's the factor that w keeps as well. */
static ebm_optim_step folded(const ebm_optim_step *args)
{
    ebm_optim_step step = *args;
    double t = (double)(args->step + 1), root = sqrt(correction(args->beta2, t));
    step.rate *= root / correction(args->beta1, t);
    step.epsilon *= root;
    return step;
}

static void adam_by_isa(EBM_OPTIM_UPDATE_ARGUMENTS)
{
    ebm_optim_step step = folded(args);
    run_kernel(adam_kernels, dtype, n, w, g, state, &step);
}

static void adamw_by_isa(EBM_OPTIM_UPDATE_ARGUMENTS)
{
    ebm_optim_step step = folded(args);
    step.weight_decay = 1 - args->rate * args->weight_decay;
    run_kernel(adamw_kernels, dtype, n, w, g, state, &step);
}

typedef struct method {
    const ebm_optimizer *optimizer;
    update_fn *by_isa;
    reference_fn *reference;
    ebm_optim_step args;
} method;

static const method methods[] = {
    {&ebm_sgd, sgd_by_isa, reference_sgd, {.rate = 0.05}},
    {&ebm_sgd, sgd_by_isa, reference_sgd, {.rate = 0.01, .momentum = 0.9, .weight_decay = 0.02}},
    {&ebm_adam, adam_by_isa, reference_adam, {.rate = 0.01, .beta1 = 0.9, .beta2 = 0.999, .epsilon = 1e-8}},
    {&ebm_adam, adam_by_isa, reference_adam,
     {.rate = 0.1, .beta1 = 0.5, .beta2 = 0.9, .epsilon = 1e-3, .weight_decay = 0.1}},
    {&ebm_adam, adam_by_isa, reference_adam, {.rate = 0.01, .beta1 = 0, .beta2 = 0.99, .epsilon = 1e-8}},
    {&ebm_adamw, adamw_by_isa, reference_adamw,
     {.rate = 0.01, .beta1 = 0.9, .beta2 = 0.999, .epsilon = 1e-8, .weight_decay = 0.5}},
    {&ebm_rmsprop, rmsprop_by_isa, reference_rmsprop, {.rate = 0.01, .beta2 = 0.99, .epsilon = 1e-8}},
    {&ebm_rmsprop, rmsprop_by_isa, reference_rmsprop,
     {.rate = 0.01, .momentum = 0.5, .beta2 = 0.9, .epsilon = 1e-3, .weight_decay = 0.1}},
};

/* The largest error of one element's w and state, in units of eps × size. */
static double error_of(gibbs_dtype dtype, int n, int i, const scalar_state *s, int slots, const void *w,
                       const void *state)
{
    double eps = dtype == GIBBS_FLOAT32 ? FLT_EPSILON : DBL_EPSILON;
    double worst = fabs(get(dtype, w, i) - s->w.value) / (eps * (s->w.size + DBL_MIN));
    if (isnan(worst)) return INFINITY; /* fmax below would lose it */
    for (int k = 0; k < slots; k++) {
        double gap = fabs(get(dtype, state, (int64_t)k * n + i) - s->slot[k].value);
        if (isnan(gap)) return INFINITY;
        worst = fmax(worst, gap / (eps * (s->slot[k].size + DBL_MIN)));
    }
    return worst;
}

/* Runs STEPS updates on n numbers; each step is compared with the reference begun from the same w and state.
 * Returns the worst error in units of eps × size, infinite when something outside the n numbers was written. */
static double worst_error(update_fn *update, const method *m, gibbs_dtype dtype, int n, uint64_t seed)
{
    static double w[LARGEST + CANARY], g[LARGEST + CANARY], g_copy[LARGEST + CANARY],
        state[SLOTS * LARGEST + CANARY];
    static scalar_state before[LARGEST];
    int slots = m->optimizer->slots;
    double worst = 0;
    memset(state, 0, sizeof state);
    for (int i = 0; i < n; i++) put(dtype, w, i, random_number(&seed));
    put(dtype, w, n, 77);
    put(dtype, state, (int64_t)slots * n, 77);
    ebm_optim_step args = m->args;
    for (args.step = 0; args.step < STEPS; args.step++) {
        for (int i = 0; i < n; i++) put(dtype, g, i, get(dtype, w, i) + random_number(&seed));
        for (int i = 0; i < n; i++) {
            before[i].w = exactly(get(dtype, w, i));
            for (int k = 0; k < slots; k++) before[i].slot[k] = exactly(get(dtype, state, (int64_t)k * n + i));
            m->reference(&before[i], get(dtype, g, i), &args);
        }
        memcpy(g_copy, g, sizeof g);
        update(dtype, n, w, g, state, &args);
        for (int i = 0; i < n; i++) worst = fmax(worst, error_of(dtype, n, i, &before[i], slots, w, state));
        bool strayed = memcmp(g, g_copy, sizeof g) != 0 || get(dtype, w, n) != 77 ||
                       get(dtype, state, (int64_t)slots * n) != 77;
        if (strayed) return INFINITY;
    }
    return worst;
}

static const double allowed = 6;

Test(optim, every_step_is_the_papers)
{
    EACH(method, m, methods) EACH(gibbs_dtype, dtype, dtypes) EACH(int, n, sizes) {
        double worst = worst_error(m->optimizer->update, m, *dtype, *n, 5);
        cr_assert(worst <= allowed, "%s, method %d, dtype %d, n %d: %g roundings", m->optimizer->name,
                  (int)(m - methods), (int)*dtype, *n, worst);
    }
}

Test(optim, every_build_is_the_papers)
{
    for (isa_under_test = 0; isa_under_test <= gibbs_isa(); isa_under_test++)
        EACH(method, m, methods) EACH(gibbs_dtype, dtype, dtypes) EACH(int, n, sizes) {
            double worst = worst_error(m->by_isa, m, *dtype, *n, 6);
            cr_assert(worst <= allowed, "isa %d, method %d, dtype %d, n %d: %g roundings", isa_under_test,
                      (int)(m - methods), (int)*dtype, *n, worst);
        }
}

/* Controls: wrong updates that the two tests above must not let pass. */
static void flip(gibbs_dtype dtype, int64_t n, const void *w_old, void *w)
{
    for (int64_t i = 0; i < n; i++) put(dtype, w, i, 2 * get(dtype, w_old, i) - get(dtype, w, i));
}

static const ebm_optimizer *flipped_from;
static void flipped_update(EBM_OPTIM_UPDATE_ARGUMENTS)
{
    double w_old[LARGEST];
    memcpy(w_old, w, (size_t)n * gibbs_dtype_size(dtype));
    flipped_from->update(dtype, n, w, g, state, args);
    flip(dtype, n, w_old, w);
}

static void adam_without_correction(EBM_OPTIM_UPDATE_ARGUMENTS)
{
    ebm_optim_step late = *args;
    late.step += 1000000;
    ebm_adam.update(dtype, n, w, g, state, &late);
}

static void adam_one_step_late(EBM_OPTIM_UPDATE_ARGUMENTS)
{
    ebm_optim_step late = *args;
    late.step++;
    ebm_adam.update(dtype, n, w, g, state, &late);
}

static void all_but_the_last(EBM_OPTIM_UPDATE_ARGUMENTS)
{
    double spare[SLOTS * LARGEST];
    if (n > 1) ebm_sgd.update(dtype, n - 1, w, g, state, args);
    else ebm_sgd.update(dtype, 0, w, g, spare, args);
}

Test(optim, wrong_updates_are_noticed)
{
    EACH(gibbs_dtype, dtype, dtypes) EACH(int, n, sizes) {
        EACH(method, m, methods) {
            flipped_from = m->optimizer;
            cr_assert(worst_error(flipped_update, m, *dtype, *n, 7) > 1000);
        }
        cr_assert(worst_error(adam_without_correction, &methods[2], *dtype, *n, 7) > 1000);
        cr_assert(worst_error(adam_one_step_late, &methods[2], *dtype, *n, 7) > 1000);
        cr_assert(worst_error(all_but_the_last, &methods[0], *dtype, *n, 7) > 1000);
    }
}

/* Over a whole run rounding errors add up, but the run stays near a reference that never sees the kernels. The rate
 * falls to nothing: with a constant one Adam circles its minimum for ever, and no two roundings circle alike. */
Test(optim, many_steps_follow_the_reference)
{
    enum { N = 67, RUN = 2000 };
    static double w[N], g[N], state[SLOTS * N];
    static scalar_state s[N];
    EACH(method, m, methods) EACH(gibbs_dtype, dtype, dtypes) {
        uint64_t seed = 8;
        ebm_optim_step args = m->args;
        memset(state, 0, sizeof state);
        memset(s, 0, sizeof s);
        for (int i = 0; i < N; i++) put(*dtype, w, i, 3 * random_number(&seed));
        for (int i = 0; i < N; i++) s[i].w.value = get(*dtype, w, i);
        for (args.step = 0; args.step < RUN; args.step++) {
            args.rate = ebm_schedule_rate(EBM_SCHEDULE_LINEAR, m->args.rate, args.step, RUN);
            /* ∇ of ½(w − sin i)²: it pulls both runs together, so that errors do not pile up without bound. */
            for (int i = 0; i < N; i++) put(*dtype, g, i, get(*dtype, w, i) - sin(i));
            for (int i = 0; i < N; i++) m->reference(&s[i], s[i].w.value - sin(i), &args);
            m->optimizer->update(*dtype, N, w, g, state, &args);
        }
        for (int i = 0; i < N; i++) {
            double gap = fabs(get(*dtype, w, i) - s[i].w.value), most = *dtype == GIBBS_FLOAT32 ? 1e-4 : 1e-12;
            cr_assert(gap <= most, "method %d, dtype %d, w[%d]: off by %g", (int)(m - methods), (int)*dtype, i, gap);
        }
    }
}

/* An element's bits depend neither on its place in a vector nor on n: w may be split among threads. */
Test(optim, bits_do_not_depend_on_the_place)
{
    enum { N = 67 };
    for (isa_under_test = 0; isa_under_test <= gibbs_isa(); isa_under_test++)
        EACH(method, m, methods) EACH(gibbs_dtype, dtype, dtypes) {
            double w[N], one[N], g[N], state[SLOTS * N] = {0};
            uint64_t seed = 9;
            for (int i = 0; i < N; i++) put(*dtype, w, i, random_number(&seed));
            for (int i = 0; i < N; i++) put(*dtype, g, i, random_number(&seed));
            size_t size = gibbs_dtype_size(*dtype);
            memcpy(one, w, sizeof w);
            m->by_isa(*dtype, N, w, g, state, &m->args);
            for (int i = 0; i < N; i++) {
                double alone[SLOTS] = {0};
                m->by_isa(*dtype, 1, (char *)one + i * size, (char *)g + i * size, alone, &m->args);
            }
            cr_assert_eq(memcmp(one, w, N * size), 0, "isa %d, method %d, dtype %d", isa_under_test,
                         (int)(m - methods), (int)*dtype);
        }
}

/* The distance to the minimum of ½Σ aᵢ(wᵢ − cᵢ)² after `steps` steps. */
static double distance_after(const ebm_optimizer *o, gibbs_dtype dtype, ebm_optim_step args, int steps)
{
    enum { N = 19 };
    double w[N] = {0}, g[N], state[SLOTS * N] = {0}, rate = args.rate, sum = 0;
    for (args.step = 0; args.step < steps; args.step++) {
        args.rate = ebm_schedule_rate(EBM_SCHEDULE_COSINE, rate, args.step, steps);
        for (int i = 0; i < N; i++) put(dtype, g, i, (1 + 0.5 * i) * (get(dtype, w, i) - cos(i)));
        o->update(dtype, N, w, g, state, &args);
    }
    for (int i = 0; i < N; i++) sum += pow(get(dtype, w, i) - cos(i), 2);
    return sqrt(sum);
}

Test(optim, a_quadratic_is_minimised_and_not_with_the_sign_flipped)
{
    static const ebm_optimizer flipped = {"flipped", 2, flipped_update, 0};
    static const method all[] = {
        {&ebm_sgd, NULL, NULL, {.rate = 0.02, .momentum = 0.9}},
        {&ebm_adam, NULL, NULL, {.rate = 0.05, .beta1 = 0.9, .beta2 = 0.999, .epsilon = 1e-8}},
        {&ebm_adamw, NULL, NULL, {.rate = 0.05, .beta1 = 0.9, .beta2 = 0.999, .epsilon = 1e-8}},
        {&ebm_rmsprop, NULL, NULL, {.rate = 0.01, .beta2 = 0.99, .epsilon = 1e-8}},
    };
    EACH(method, m, all) EACH(gibbs_dtype, dtype, dtypes) {
        flipped_from = m->optimizer;
        double most = *dtype == GIBBS_FLOAT32 ? 1e-5 : 1e-8, start = distance_after(m->optimizer, *dtype, m->args, 0);
        double end = distance_after(m->optimizer, *dtype, m->args, 2000);
        double away = distance_after(&flipped, *dtype, m->args, 2000);
        cr_assert(end <= most, "%s ends %g away", m->optimizer->name, end);
        cr_assert(!(away <= start), "flipped %s ends %g away, from %g", m->optimizer->name, away, start);
    }
}

Test(optim, weight_decay_is_the_gradient_of_an_l2_penalty)
{
    enum { N = 21 };
    EACH(method, m, methods) {
        if (m->optimizer->decoupled) continue; /* test_optim_adamw.c */
        double w[3][N], g[3][N], state[3][SLOTS * N] = {{0}};
        uint64_t seed = 11;
        ebm_optim_step args[3] = {m->args, m->args, m->args};
        args[0].weight_decay = 0.25; /* exact in binary: the sum below rounds as the kernel's */
        args[1].weight_decay = args[2].weight_decay = 0;
        for (int i = 0; i < N; i++) w[0][i] = w[1][i] = w[2][i] = random_number(&seed);
        for (int step = 0; step < 50; step++)
            for (int run = 0; run < 3; run++) {
                for (int i = 0; i < N; i++) g[run][i] = sin(i + w[run][i]) + (run == 1 ? 0.25 * w[run][i] : 0);
                args[run].step = step;
                m->optimizer->update(GIBBS_FLOAT64, N, w[run], g[run], state[run], &args[run]);
            }
        double other = 0;
        for (int i = 0; i < N; i++) {
            cr_assert(fabs(w[0][i] - w[1][i]) <= 1e-12, "method %d", (int)(m - methods));
            other = fmax(other, fabs(w[0][i] - w[2][i]));
        }
        cr_assert(other > 1e-3, "method %d: decay did nothing", (int)(m - methods));
    }
}

Test(optim, adams_first_step_is_its_rate)
{
    double w[3] = {1, 1, 1}, g[3] = {1e-3, -5, 1e5}, state[6] = {0};
    ebm_optim_step args = {.rate = 0.125, .beta1 = 0.9, .beta2 = 0.999, .epsilon = 1e-12};
    ebm_adam.update(GIBBS_FLOAT64, 3, w, g, state, &args);
    for (int i = 0; i < 3; i++) cr_assert_float_eq(w[i], 1 - copysign(0.125, g[i]), 1e-9);
}
