/* Fused sums and pairs in plans that carry rows from repetition to repetition, and in programs by chance, in which the
 * roles that test_fuse.c takes one by one meet. */
#include "fuse_check.h"

#include <stdio.h>

/* ---- Carried from repetition to repetition: the first output becomes the first leaf ---- */

enum { STEPS = 5 };

static int carried_sum(problem *p, ad_var *out)
{
    ad_var x = data(p, ad_vec(N));
    out[0] = ad_add(times(p, x), x);
    out[1] = ad_sin(out[0]);
    return 2;
}

static int carried_factor(problem *p, ad_var *out)
{
    ad_var x = data(p, ad_vec(N));
    out[0] = ad_add(times(p, ad_tanh(x)), term(p));
    return 1;
}

static int carried_softplus(problem *p, ad_var *out)
{
    ad_var x = data(p, ad_vec(N));
    out[0] = ad_softplus(x);
    out[1] = ad_mul(ad_sigmoid(x), x);
    return 2;
}

static int carried_sigmoid(problem *p, ad_var *out)
{
    ad_var x = data(p, ad_vec(N)), y = ad_add(times(p, x), x);
    out[0] = ad_sigmoid(y);
    out[1] = ad_add(ad_softplus(y), x);
    return 2;
}

static const program carried[] = {
    ROW(carried_sum, 1, 0), ROW(carried_factor, 1, 0), ROW(carried_softplus, 0, 1), ROW(carried_sigmoid, 1, 1),
};

Test(fuse_more, carried)
{
    check_programs(carried, LENGTH(carried), GIBBS_FLOAT64, STEPS);
    check_programs(carried, LENGTH(carried), GIBBS_FLOAT32, STEPS);
}

/* ---- Programs by chance ---- */

enum { PROGRAMS = 120, OPS = 30, SHARED_MATRICES = 3 };

static ad_var any(const ad_var *pool, int size, uint64_t *seed)
{
    int64_t recent = size < 6 ? size : 6;
    return pool[next_below(seed, 3) ? size - 1 - next_below(seed, recent) : next_below(seed, size)];
}

static ad_var grow(const ad_var *pool, int size, const ad_var *W, uint64_t *seed)
{
    ad_var x = any(pool, size, seed), y = any(pool, size, seed), z = any(pool, size, seed);
    ad_var xW = ad_matmul(x, W[next_below(seed, SHARED_MATRICES)]);
    ad_shape matrix = ad_mat(2, 2), vector = ad_vec(N);
    switch (next_below(seed, 8)) {
    case 0: return ad_add(xW, y);
    case 1: return ad_add(xW, ad_matmul(y, W[0]));
    case 2: return ad_add(ad_add(xW, y), ad_matmul(z, W[1]));
    case 3: return ad_reshape(ad_add(ad_reshape(xW, matrix), ad_transpose(ad_reshape(y, matrix))), vector);
    case 4: return ad_tanh(ad_mul(x, y));
    case 5: return ad_softplus(ad_tanh(x));
    case 6: return ad_sigmoid(ad_tanh(x));
    default: return ad_mul(ad_sigmoid(x), ad_tanh(ad_softplus(x)));
    }
}

static uint64_t program_number;

static int by_chance(problem *p, ad_var *out)
{
    uint64_t seed = program_number;
    ad_var pool[2 + OPS], W[SHARED_MATRICES];
    int size = 2, outputs = 1 + (int)next_below(&seed, 3);
    for (int k = 0; k < SHARED_MATRICES; k++) W[k] = ad_scale(shared(p, ad_mat(N, N)), 0.5);
    for (int k = 0; k < 2; k++) pool[k] = data(p, ad_vec(N));
    for (; size < 2 + OPS; size++) pool[size] = grow(pool, size, W, &seed);
    for (int k = 0; k < outputs; k++) out[k] = k ? any(pool, size, &seed) : pool[size - 1];
    return outputs;
}

static fused all_fused;

static void add_fused(const program *program, const ad_plan *plan)
{
    fused f = fused_in(plan);
    (void)program;
    all_fused.sums += f.sums, all_fused.pairs += f.pairs;
}

Test(fuse_more, programs_by_chance)
{
    char name[40];
    const program program = {.name = name, .record = by_chance};
    for (program_number = 1; program_number <= PROGRAMS; program_number++) {
        snprintf(name, sizeof name, "program %d", (int)program_number);
        check_program(&program, GIBBS_FLOAT64, (int64_t)program_number * 37, 1, add_fused);
    }
    cr_expect(all_fused.sums > 3 * PROGRAMS && all_fused.pairs > PROGRAMS, "only %d sums and %d pairs in %d programs",
              all_fused.sums, all_fused.pairs, PROGRAMS);
}
