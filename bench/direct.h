/* direct.h — a case that is recorded on a tape without an energy model: data, parameters, and outputs, of which the
 * first is the value and the others, one after the other, are the gradient that is compared. */
#ifndef BENCH_DIRECT_H
#define BENCH_DIRECT_H

#include "cases.h"

enum { BENCH_DIRECT_LEAVES = 6, BENCH_DIRECT_OUTPUTS = 8 };

/* How a leaf's numbers are drawn: N(0, 1); uniform on (0, 1); as the last rows of the data. */
typedef enum bench_numbers { BENCH_NORMAL, BENCH_UNIFORM, BENCH_LAST_ROWS } bench_numbers;

typedef struct bench_leaf {
    const char *name;
    ad_shape shape; /* of the data: of one row */
    bench_numbers numbers;
} bench_leaf;

typedef struct bench_recipe {
    /* Both return how many they wrote. Leaf 0 is the data, the others are parameters. */
    int (*leaves)(const bench_case *c, bench_leaf *leaf);
    int (*record)(const bench_case *c, const ad_var *leaf, ad_var *output);
    int64_t (*block_bytes)(const bench_case *c); /* NULL: the default */
} bench_recipe;

typedef struct bench_direct bench_direct;

/* NULL-safe close; on error *direct is NULL. */
gibbs_status bench_direct_open(const bench_recipe *recipe, const bench_case *c, gibbs_dtype dtype, int threads,
                               bench_direct **direct, gibbs_error *error);
void bench_direct_close(bench_direct *d);

gibbs_status bench_direct_run(bench_direct *d, gibbs_error *error);

/* Numbers of the gradient; value and gradient of the last run. */
int64_t bench_direct_size(const bench_direct *d);
void bench_direct_answer(const bench_direct *d, double *value, double *gradient);

/* The leaves as tensors of the reference file, data first; they belong to the case. Returns how many. */
int bench_direct_tensors(const bench_direct *d, ebm_tensor *tensor);

#endif
