/* Carried pairs: K repetitions in one run equal K runs fed by hand, bit for bit. */
#include "plan_helpers.h"

enum { D = 3, ROWS = 1021, STEPS = 7 };

/* What a test carries: out[k] becomes in[k]; outputs beyond `pairs` are only looked at. */
typedef struct sampler {
    ad_tape *tape;
    ad_axis data;
    ad_var in[2], theta, out[5];
    int pairs, outputs;
} sampler;

static sampler sampler_new(gibbs_dtype dtype)
{
    sampler s = {.tape = ad_tape_new(dtype, NULL)};
    s.data = ad_axis_new(s.tape, "data");
    s.in[0] = ad_input(s.data, "x", ad_vec(D));
    s.in[1] = ad_input(s.data, "p", ad_vec(D));
    s.theta = ad_parameter(s.tape, "θ", ad_mat(D, D));
    return s;
}

static ad_var energy(const sampler *s)
{
    return ad_add(ad_sum(ad_softplus(ad_matmul(s->in[0], s->theta))), ad_scale(ad_sum(ad_square(s->in[0])), 0.5));
}

/* Langevin dynamics of one variable, with the energy looked at. */
static sampler langevin(gibbs_dtype dtype)
{
    sampler s = sampler_new(dtype);
    ad_var E = energy(&s), g;
    ad_grad(E, s.in, 1, &g);
    ad_var noise = ad_normal(s.data, ad_vec(D), 9);
    s.out[0] = ad_add(ad_sub(s.in[0], ad_scale(g, 0.05)), ad_scale(noise, 0.3));
    s.out[1] = E;
    s.pairs = 1, s.outputs = 2;
    return s;
}

/* Position and momentum, each new one from both old ones. */
static sampler leapfrog(gibbs_dtype dtype)
{
    sampler s = sampler_new(dtype);
    ad_var g;
    ad_grad(energy(&s), s.in, 1, &g);
    s.out[1] = ad_add(ad_scale(ad_sub(s.in[1], ad_scale(g, 0.1)), 0.9), ad_uniform(s.data, ad_vec(D), 1));
    s.out[0] = ad_add(s.in[0], ad_scale(s.out[1], 0.1));
    s.out[2] = ad_sum(s.in[1]);
    s.pairs = 2, s.outputs = 3;
    return s;
}

/* The two inputs change places: what is carried is an input, and the outputs are no computed values. */
static sampler exchange(gibbs_dtype dtype)
{
    sampler s = sampler_new(dtype);
    s.out[0] = s.in[1];
    s.out[1] = s.in[0];
    s.out[2] = energy(&s);
    s.pairs = 2, s.outputs = 3;
    return s;
}

/* The input itself among the outputs, before its step. */
static sampler previous(gibbs_dtype dtype)
{
    sampler s = langevin(dtype);
    s.out[2] = s.in[0];
    s.outputs = 3;
    return s;
}

/* Means over the batch, of the last repetition. */
static sampler with_means(gibbs_dtype dtype)
{
    sampler s = langevin(dtype);
    s.out[2] = ad_batch_mean(s.data, s.out[1]);
    s.out[3] = ad_batch_matmul(s.data, s.in[0], s.out[0]);
    s.out[4] = ad_batch_logsumexp(s.data, s.out[1]);
    s.outputs = 5;
    return s;
}

static runner start(const sampler *s, int carry, int64_t block_bytes, void *const *memory)
{
    ad_carry pair[2] = {{0, s->in[0]}, {1, s->in[1]}};
    ad_plan_options options = {.carry = pair, .carries = carry ? s->pairs : 0, .block_bytes = block_bytes};
    runner r = runner_with(s->out, s->outputs, &options);
    for (int k = 0; k < 2; k++) bind(r, s->in[k], memory[k]);
    bind(r, s->theta, memory[2]);
    set_rows(r, s->data, ROWS);
    return r;
}

static size_t bytes_of(const sampler *s, int k)
{
    ad_shape shape = ad_shape_of(s->out[k]);
    return (size_t)((ad_is_shared(s->out[k]) ? 1 : ROWS) * ad_shape_count(&shape)) *
           gibbs_dtype_size(ad_tape_dtype(s->tape));
}

/* One run after another, each on copies of the last one's outputs. */
static void by_hand(const sampler *s, runner r, void *const *memory)
{
    void *state[2], *next[2];
    size_t bytes = bytes_of(s, 0);
    for (int k = 0; k < 2; k++) memcpy(state[k] = malloc(bytes), memory[k], bytes), next[k] = malloc(bytes);
    for (int k = 0; k < s->pairs; k++) bind(r, s->in[k], state[k]);
    for (int step = 0; step < STEPS; step++) {
        if (step)
            for (int k = 0; k < s->pairs; k++) memcpy(next[k], ad_result(r.w, k), bytes);
        for (int k = 0; step && k < s->pairs; k++) memcpy(state[k], next[k], bytes);
        run_with(r, (ad_run_options){.seed = 3, .step = 10 + (uint64_t)step});
    }
    for (int k = 0; k < s->outputs; k++) /* inputs among the outputs are read where they are bound */
        for (int j = 0; j < s->pairs; j++)
            if (s->out[k].id == s->in[j].id) cr_assert_eq(ad_result(r.w, k), state[j]);
    for (int k = 0; k < 2; k++) memcpy(memory[k + 3], state[k], bytes), free(state[k]), free(next[k]);
    for (int k = 0; k < s->pairs; k++) bind(r, s->in[k], memory[k + 3]);
}

static void check(sampler (*make)(gibbs_dtype), gibbs_dtype dtype, int64_t block_bytes)
{
    sampler s = make(dtype);
    double *x = random_numbers(2 * ROWS * D, 1), *theta = random_numbers(D * D, 2);
    void *memory[5] = {in_type(dtype, x, ROWS * D), in_type(dtype, x + ROWS * D, ROWS * D),
                       in_type(dtype, theta, D * D), malloc(ROWS * D * sizeof(double)),
                       malloc(ROWS * D * sizeof(double))};
    void *before = in_type(dtype, x, ROWS * D);
    runner one = start(&s, 0, block_bytes, memory), all = start(&s, 1, block_bytes, memory);
    cr_assert_eq(ad_tape_status(s.tape), GIBBS_OK, "%s", ad_tape_message(s.tape));
    by_hand(&s, one, memory);
    for (int threads = 1; threads <= 3; threads++) {
        run_with(all, (ad_run_options){.seed = 3, .step = 10, .repeat = STEPS, .threads = threads});
        for (int k = 0; k < s.outputs; k++)
            if (ad_plan_describe(one.plan).block_rows == ad_plan_describe(all.plan).block_rows ||
                !ad_is_shared(s.out[k]))
                cr_assert_eq(memcmp(ad_result(one.w, k), ad_result(all.w, k), bytes_of(&s, k)), 0, "output %d", k);
    }
    cr_assert_eq(memcmp(before, memory[0], bytes_of(&s, 0)), 0, "a bound input was written");
    runner_free(one), runner_free(all);
    ad_tape_free(s.tape);
    for (int k = 0; k < 5; k++) free(memory[k]);
    free(x), free(theta), free(before);
}

static void check_all(sampler (*make)(gibbs_dtype))
{
    static const int64_t bytes[] = {1, 5000, 1 << 26};
    for (int k = 0; k < LENGTH(bytes); k++) {
        check(make, GIBBS_FLOAT64, bytes[k]);
        check(make, GIBBS_FLOAT32, bytes[k]);
    }
}

Test(plan_carry, langevin) { check_all(langevin); }
Test(plan_carry, leapfrog) { check_all(leapfrog); }
Test(plan_carry, exchange) { check_all(exchange); }
Test(plan_carry, previous) { check_all(previous); }
Test(plan_carry, with_means) { check_all(with_means); }

/* ---- What cannot be carried ---- */

static void refuse(const sampler *s, const ad_carry *carry, int outputs, gibbs_status status, const char *words)
{
    ad_plan *plan = (ad_plan *)&plan;
    gibbs_error error;
    ad_plan_options options = {.carry = carry, .carries = 1};
    cr_assert_eq(ad_tape_status(s->tape), GIBBS_OK, "%s", ad_tape_message(s->tape));
    cr_assert_eq(ad_compile(s->out, outputs, &options, &plan, &error), status, "not refused: %s", words);
    cr_assert_eq(error.status, status);
    cr_assert(strstr(error.message, words) != NULL, "%s", error.message);
    cr_assert_null(plan);
}

Test(plan_carry, refusals)
{
    sampler s = langevin(GIBBS_FLOAT64);
    ad_axis other = ad_axis_new(s.tape, "other");
    ad_var index = ad_input(s.data, "i", ad_scalar()), scalar = ad_input(s.data, "s", ad_scalar());
    refuse(&s, &(ad_carry){5, s.in[0]}, 2, GIBBS_ARGUMENT, "carry 1 must pair an output with");
    refuse(&s, &(ad_carry){-1, s.in[0]}, 2, GIBBS_ARGUMENT, "carry 1 must pair an output with");
    refuse(&s, &(ad_carry){0, s.theta}, 2, GIBBS_ARGUMENT, "carry 1 must pair an output with");
    refuse(&s, &(ad_carry){0, s.out[1]}, 2, GIBBS_ARGUMENT, "carry 1 must pair an output with");
    refuse(&s, &(ad_carry){0, {s.tape, -1}}, 2, GIBBS_ARGUMENT, "carry 1 must pair an output with");
    refuse(&s, &(ad_carry){0, scalar}, 2, GIBBS_SHAPE, "carry 1: output 0 is [3] («data»), its input [] («data»)");
    refuse(&s, &(ad_carry){1, s.in[0]}, 2, GIBBS_SHAPE, "carry 1: output 1 is [] («data»), its input [3] («data»)");
    refuse(&s, &(ad_carry){0, ad_input(other, "y", ad_vec(D))}, 2, GIBBS_SHAPE, "its input [3] («other»)");
    s.out[0] = ad_add(s.in[0], ad_batch_mean(s.data, s.in[0]));
    refuse(&s, &(ad_carry){0, s.in[0]}, 1, GIBBS_ARGUMENT, "one pass over one axis");
    s.out[0] = ad_tanh(s.in[0]), s.out[1] = ad_exp(ad_input(other, "z", ad_scalar()));
    refuse(&s, &(ad_carry){0, s.in[0]}, 2, GIBBS_ARGUMENT, "one pass over one axis");
    s.out[0] = s.in[0], s.out[1] = ad_normal(other, ad_scalar(), 1); /* the only pass is not the input's */
    refuse(&s, &(ad_carry){0, s.in[0]}, 2, GIBBS_ARGUMENT, "one pass over one axis");
    s.out[0] = ad_tanh(ad_batch_gather(s.in[0], index)); /* another block's row, which may be steps behind */
    refuse(&s, &(ad_carry){0, s.in[0]}, 1, GIBBS_ARGUMENT, "one pass over one axis");
    s.out[0] = ad_tanh(ad_batch_gather(ad_exp(s.in[0]), index));
    refuse(&s, &(ad_carry){0, s.in[0]}, 1, GIBBS_ARGUMENT, "one pass over one axis");
    s.out[0] = ad_batch_scatter_add(s.data, ad_tanh(s.in[0]), index);
    refuse(&s, &(ad_carry){0, s.in[0]}, 1, GIBBS_ARGUMENT, "one pass over one axis");
    ad_tape_free(s.tape);
}

/* A table that is not carried may be read by index, and its rows are those of the run. */
Test(plan_carry, a_walk_over_a_table)
{
    enum { N = 100 };
    ad_tape *t = ad_tape_new(GIBBS_FLOAT64, NULL);
    ad_axis states = ad_axis_new(t, "states"), walkers = ad_axis_new(t, "walkers");
    ad_var next = ad_input(states, "next", ad_scalar()), at = ad_input(walkers, "at", ad_scalar());
    ad_var out = ad_batch_gather(next, at);
    ad_plan_options options = {.carry = &(ad_carry){0, at}, .carries = 1, .block_bytes = 1};
    runner r = runner_with(&out, 1, &options);
    double successor[N], place[ROWS];
    for (int k = 0; k < N; k++) successor[k] = (k * 37 + 1) % N;
    for (int k = 0; k < ROWS; k++) place[k] = k % N;
    bind(r, next, successor), bind(r, at, place), set_rows(r, states, N), set_rows(r, walkers, ROWS);
    run_with(r, (ad_run_options){.repeat = STEPS});
    for (int k = 0; k < ROWS; k++) {
        int64_t expected = k % N;
        for (int step = 0; step < STEPS; step++) expected = (int64_t)successor[expected];
        cr_assert_eq(ad_result_f64(r.w, 0)[k], (double)expected);
    }
    runner_free(r);
    ad_tape_free(t);
}
