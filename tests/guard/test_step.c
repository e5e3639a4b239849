/* A slowdown, seen without a clock: what one training step of two fixed cases allocates (nothing), which matrix
 * products it calls for, and how many instructions and how much memory its plan has. Cases and figures are in one
 * table: where a figure falls, write the lower one down; where it rises, somebody should know why. */
#include "interpose.h"

#include "autodiff/plan/plan.h"
#include "ebm/objective/objective.h"

#include <criterion/criterion.h>
#include <math.h>

enum { DIM = 8, WIDTH = 128, LAYERS = 3, ROWS = 256, MOST_THREADS = 2 };

/* Flops of products with the first layer's matrix, and with those of all others, for one row. */
static const double A = 2.0 * DIM * WIDTH, B = 2.0 * (LAYERS - 1) * WIDTH * WIDTH;

typedef struct figures {
    double first, hidden;   /* flops of one step: (first·A + hidden·B) for each of ROWS rows */
    long products, blocks;  /* in one step: products a block, and blocks */
    long added;             /* of a block's products, at least so many add to what is there, which saves an addition */
    int instructions;       /* of the plan, at most */
    int64_t bytes_per_row;  /* of scratch memory in the largest pass, at most */
} figures;

typedef struct guard_case {
    const char *name;
    const ebm_loss *loss;
    figures figures;
} guard_case;

/* With F = A + B, NCE takes 3F − A for each row of data and of noise: forward, weights and, but for the first layer,
 * backward. Score matching takes 6F − A + 3dB + A (docs/design.md). */
static const guard_case cases[] = {
    {"noise contrastive estimation", &ebm_loss_nce, {2 * (3 - 1), 2 * 3, 3 + 3 + 2, 2 * 2, 3, 106, 3592}},
    {"score matching", &ebm_loss_score_matching, {6 - 1 + 1, 6 + 3 * DIM, 24, 4, 5, 143, 38980}},
};
enum { CASES = sizeof cases / sizeof cases[0] };

/* A BLAS that does all products takes memory when it likes (OpenBLAS does). */
#ifdef GIBBS_PRODUCTS_BLAS
#define BLAS_MAY_ALLOCATE 1
#else
#define BLAS_MAY_ALLOCATE 0
#endif

/* ---- Products of matrices: calls, and flops with a multiplication and an addition as two ---- */

static _Atomic long product_calls, products_added; /* added: to what is there already */
static _Atomic long long product_flops;
static const ad_kernels *product_kernels;

/* Rows, columns and outer products are not counted. */
static void counting_matmul(const ad_product *x)
{
    if (x->m > 1 && x->n > 1 && x->k > 1) {
        product_calls++;
        products_added += x->start != NULL;
        product_flops += 2LL * x->m * x->n * x->k;
    }
    product_kernels->matmul(x);
}

static void count_products(ad_plan *plan)
{
    static ad_kernels counting;
    product_kernels = ad_kernels_for(GIBBS_FLOAT32);
    counting = *product_kernels;
    counting.matmul = counting_matmul;
    for (; plan; plan = plan->storing) plan->kernels = &counting;
}

/* ---- One training step ---- */

typedef struct training {
    ebm_model *model;
    ebm_proposal *proposal;
    ebm_objective *objective;
    float x[2 * ROWS * DIM], *moments; /* rows, of which the first half is bound */
    int64_t step;
} training;

#define MUST(call) cr_assert_eq((call), GIBBS_OK, "%s", error.message)

static training *training_new(ebm_model *model, const ebm_loss *loss, int threads)
{
    gibbs_error error = {.status = GIBBS_OK};
    training *t = calloc(1, sizeof *t);
    ebm_loss_options options = {0};
    double mean[DIM] = {0}, sd[DIM];
    for (int i = 0; i < DIM; i++) sd[i] = 1.5;
    for (int i = 0; i < 2 * ROWS * DIM; i++) t->x[i] = (float)(sin(1.7 * i) + 0.3 * cos(0.01 * i));
    t->model = model;
    MUST(ebm_proposal_gaussian_diagonal(DIM, mean, sd, NULL, &t->proposal, &error));
    options.proposal = t->proposal;
    options.noise_ratio = 1;
    options.threads = threads;
    MUST(ebm_objective_new(model, loss, &options, &t->objective, &error));
    MUST(ebm_objective_bind(t->objective, t->x, ROWS, &error));
    count_products(t->objective->program.plan);
    t->moments = calloc((size_t)(ebm_adam.slots * ebm_objective_size(t->objective)), sizeof *t->moments);
    return t;
}

static ebm_model *network(void)
{
    gibbs_error error = {.status = GIBBS_OK};
    ebm_model *model = NULL;
    const int64_t widths[LAYERS] = {WIDTH, WIDTH, WIDTH};
    const ebm_mlp_spec spec = {
        .dim = DIM, .widths = widths, .layers = LAYERS, .base_sd = 4, .dtype = GIBBS_FLOAT32, .seed = 1};
    MUST(ebm_model_mlp(&spec, &model, &error));
    return model;
}

static void training_free(training *t)
{
    ebm_objective_free(t->objective);
    ebm_proposal_free(t->proposal);
    ebm_model_free(t->model);
    free(t->moments);
    free(t);
}

/* New noise where the loss has some, value and gradient, Adam. */
static void take_step(training *t)
{
    gibbs_error error = {.status = GIBBS_OK};
    ebm_objective *o = t->objective;
    ebm_optim_step step = {.step = t->step, .rate = 1e-3, .beta1 = 0.9, .beta2 = 0.999, .epsilon = 1e-8};
    double value;
    MUST(ebm_objective_refresh(o, 1, (uint64_t)t->step++, &error));
    MUST(ebm_objective_evaluate(o, &value, &error));
    cr_assert(isfinite(value));
    ebm_adam.update(GIBBS_FLOAT32, ebm_objective_size(o), ebm_objective_theta(o), ebm_objective_gradient(o), t->moments,
                    &step);
}

/* ---- What a step did ---- */

typedef struct seen {
    long allocations, calls, added;
    double flops;
} seen;

static seen now(void) { return (seen){guard_allocations, product_calls, products_added, (double)product_flops}; }

static seen watch_step(training *t)
{
    seen before = now();
    take_step(t);
    seen after = now();
    return (seen){after.allocations - before.allocations, after.calls - before.calls, after.added - before.added,
                  after.flops - before.flops};
}

static double expected_flops(const figures *f) { return ROWS * (f->first * A + f->hidden * B); }

static void check_case(const guard_case *c, int threads)
{
    training *t = training_new(network(), c->loss, threads);
    take_step(t);
    for (int step = 2; step <= 4; step++) {
        seen s = watch_step(t);
        if (!BLAS_MAY_ALLOCATE)
            cr_expect_eq(s.allocations, 0, "%s, %d threads: step %d allocates %ld times", c->name, threads, step,
                         s.allocations);
        cr_expect_eq(s.flops, expected_flops(&c->figures), "%s: %.0f flops in products, not %.0f", c->name, s.flops,
                     expected_flops(&c->figures));
        cr_expect_eq(s.calls, c->figures.products * c->figures.blocks,
                     "%s: %ld products, not %ld in each of %ld blocks", c->name, s.calls, c->figures.products,
                     c->figures.blocks);
        cr_expect_geq(s.added, c->figures.added * c->figures.blocks,
                      "%s: only %ld products are added to what is there, not %ld in each of %ld blocks", c->name,
                      s.added, c->figures.added, c->figures.blocks);
    }
    training_free(t);
}

Test(guard, allocations_and_products)
{
    for (int k = 0; k < CASES; k++)
        for (int threads = 1; threads <= MOST_THREADS; threads++) check_case(&cases[k], threads);
}

static ad_plan_info plan_of(ebm_model *model, const ebm_loss *loss)
{
    training *t = training_new(model, loss, 1);
    const ad_plan *plan = t->objective->program.plan;
    ad_plan_info info = ad_plan_describe(plan->storing ? plan->storing : plan); /* what runs when rows are few */
    training_free(t);
    return info;
}

Test(guard, plans)
{
    for (int k = 0; k < CASES; k++) {
        const figures *f = &cases[k].figures;
        ad_plan_info info = plan_of(network(), cases[k].loss);
        cr_expect_leq(info.instructions, f->instructions, "%s: %d instructions, more than %d", cases[k].name,
                      info.instructions, f->instructions);
        cr_expect_leq(info.bytes_per_row, f->bytes_per_row, "%s: %lld bytes a row, more than %lld", cases[k].name,
                      (long long)info.bytes_per_row, (long long)f->bytes_per_row);
    }
}

/* ---- Controls ---- */

Test(guard, allocations_are_seen)
{
    if (!GUARD_COUNTS_ALLOCATIONS) cr_skip_test("a sanitizer has replaced the allocator");
    void *volatile memory[5] = {NULL};
    long before = guard_allocations;
    memory[0] = malloc(10);
    memory[1] = calloc(2, 10);
    memory[2] = realloc(NULL, 10);
    memory[3] = aligned_alloc(64, 64);
    cr_assert_eq(posix_memalign((void **)&memory[4], 64, 64), 0);
    cr_expect_eq(guard_allocations - before, 5);
    for (int k = 0; k < 5; k++) free(memory[k]);
}

Test(guard, a_step_at_a_new_size_allocates)
{
    if (!GUARD_COUNTS_ALLOCATIONS) cr_skip_test("a sanitizer has replaced the allocator");
    gibbs_error error = {.status = GIBBS_OK};
    training *t = training_new(network(), &ebm_loss_nce, 1);
    take_step(t);
    MUST(ebm_objective_bind(t->objective, t->x, 2 * ROWS, &error));
    cr_expect_gt(watch_step(t).allocations, 0);
    if (!BLAS_MAY_ALLOCATE) cr_expect_eq(watch_step(t).allocations, 0);
    training_free(t);
}

/* A network written for this purpose, in which something more is done in the middle. */
typedef enum more { NOTHING_MORE, PRODUCT_USED_AGAIN, PRODUCT_MORE, MORES } more;

static ad_var energy(ad_var x, const ad_var *theta, void *context)
{
    more what = *(const more *)context;
    ad_var h = ad_softplus(ad_matmul(x, theta[0])), product = ad_matmul(h, theta[1]);
    ad_var E = ad_matmul(ad_softplus(ad_add(product, theta[2])), theta[3]);
    if (what == PRODUCT_USED_AGAIN) return ad_add(E, ad_sum(ad_sin(product)));
    if (what == PRODUCT_MORE) return ad_add(E, ad_sum(ad_sin(ad_matmul(ad_sin(h), theta[1]))));
    return E;
}

static ebm_model *network_with(more *what)
{
    const ebm_parameter theta[] = {{"W1", ad_mat(DIM, WIDTH), EBM_INIT_GLOROT, 1},
                                   {"W2", ad_mat(WIDTH, WIDTH), EBM_INIT_GLOROT, 1},
                                   {"b", ad_vec(WIDTH), EBM_INIT_CONSTANT, 0},
                                   {"v", ad_vec(WIDTH), EBM_INIT_GLOROT, 1}};
    gibbs_error error = {.status = GIBBS_OK};
    ebm_model_spec spec = {0};
    ebm_model *model = NULL;
    spec.dtype = GIBBS_FLOAT32, spec.dim = DIM, spec.parameters = theta, spec.parameter_count = 4;
    spec.energy = energy, spec.context = what;
    MUST(ebm_model_new(&spec, &model, &error));
    return model;
}

Test(guard, more_work_is_seen)
{
    ad_plan_info info[MORES];
    seen s[MORES];
    for (more what = NOTHING_MORE; what < MORES; what++) {
        training *t = training_new(network_with(&what), &ebm_loss_nce, 1);
        info[what] = ad_plan_describe(t->objective->program.plan);
        take_step(t);
        s[what] = watch_step(t);
        training_free(t);
    }
    cr_expect_gt(info[PRODUCT_USED_AGAIN].instructions, info[NOTHING_MORE].instructions);
    cr_expect_gt(info[PRODUCT_USED_AGAIN].bytes_per_row, info[NOTHING_MORE].bytes_per_row);
    cr_expect_eq(s[PRODUCT_USED_AGAIN].flops, s[NOTHING_MORE].flops);
    cr_expect_lt(s[PRODUCT_USED_AGAIN].added, s[NOTHING_MORE].added);
    cr_expect_gt(info[PRODUCT_MORE].instructions, info[NOTHING_MORE].instructions);
    cr_expect_gt(s[PRODUCT_MORE].flops, s[NOTHING_MORE].flops);
    cr_expect_gt(s[PRODUCT_MORE].calls, s[NOTHING_MORE].calls);
}
