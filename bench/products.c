/* products.c — the kernels' matrix products beside BLAS's over a grid of shapes, C = op(A)·op(B). In each of ROUNDS
 * rounds both are timed, one after the other, in time of the processor; of each the fastest round counts, and a shape in
 * which BLAS is ahead is measured again, both alike: what else runs there makes either slower, never faster. */
#include "products.h"

#include "autodiff/kernel/kernels.h"
#include "json.h"

#include <cblas.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { ROUNDS = 5, AGAIN = 8, MOST_ROWS = 4096, MOST = 2048, SMALL = 64 };
static const double round_seconds = 4e-4, most_products = 3e8; /* of a shape: the largest take a second a round */

typedef struct multiplication {
    const ad_kernels *kernels; /* NULL: BLAS */
    ad_product x;
    size_t size;
} multiplication;

static void multiply(const multiplication *p)
{
    const ad_product *x = &p->x;
    if (p->kernels) {
        p->kernels->matmul(x);
        return;
    }
    CBLAS_TRANSPOSE ta = x->ta ? CblasTrans : CblasNoTrans, tb = x->tb ? CblasTrans : CblasNoTrans;
    int m = (int)x->m, n = (int)x->n, k = (int)x->k, lda = (int)x->next_a, ldb = x->tb ? k : n;
    if (p->size == sizeof(float)) cblas_sgemm(CblasRowMajor, ta, tb, m, n, k, 1, x->a, lda, x->b, ldb, 0, x->c, n);
    else cblas_dgemm(CblasRowMajor, ta, tb, m, n, k, 1, x->a, lda, x->b, ldb, 0, x->c, n);
}

static double seconds(const multiplication *p, int calls)
{
    clock_t start = clock();
    for (int i = 0; i < calls; i++) multiply(p);
    return (double)(clock() - start) / CLOCKS_PER_SEC / calls;
}

/* BLAS's time over ours. */
static double ratio(const multiplication *both)
{
    double best[2] = {INFINITY, INFINITY};
    int calls = 1;
    while (calls < 10000 && seconds(&both[0], calls) * calls < round_seconds) calls *= 2;
    for (int round = 0; round < ROUNDS || (round < ROUNDS * AGAIN && best[0] > 0.97 * best[1]); round++)
        for (int who = 0; who < 2; who++) best[who] = fmin(best[who], seconds(&both[who], calls));
    return best[1] / best[0];
}

/* What is told of the shapes of one kind. */
typedef struct tally {
    int shapes, reach;
    double logarithms, worst;
    char shape[40];
} tally;

static void count(tally *t, const ad_product *x, double ratio)
{
    if (!t->shapes || ratio < t->worst) {
        t->worst = ratio;
        snprintf(t->shape, sizeof t->shape, "%d×%d×%d%s%s", (int)x->m, (int)x->n, (int)x->k, x->ta ? ", A transposed" : "",
                 x->tb ? ", B transposed" : "");
    }
    t->shapes++;
    t->reach += ratio >= 0.95;
    t->logarithms += log(ratio);
}

static void print(const char *dtype, const char *kind, const tally *t)
{
    json_begin();
    json_text("dtype", dtype);
    json_text("kind", kind);
    json_number("shapes", t->shapes);
    json_number("reach", t->reach);
    json_number("mean", exp(t->logarithms / t->shapes));
    json_number("worst", t->worst);
    json_text("shape", t->shape);
    json_end();
}

static void grid(gibbs_dtype dtype, void *const memory[3], void *room)
{
    static const int rows[] = {16, 64, 128, 512, MOST_ROWS}, other[] = {4, 16, 64, 128, 512, MOST};
    tally small = {0}, large = {0};
    multiplication both[2] = {{.kernels = ad_kernels_for(dtype)}};
    for (int s = 0; s < 3 * 5 * 6 * 6; s++) {
        bool ta = s % 3 == 1, tb = s % 3 == 2;
        int m = rows[s / 3 % 5], n = other[s / 15 % 6], k = other[s / 90];
        if ((double)m * n * k > most_products) continue;
        for (int who = 0; who < 2; who++) {
            both[who].size = gibbs_dtype_size(dtype);
            both[who].x = (ad_product){ta, tb, m, n, k, m, ta ? m : k, memory[0], memory[1], NULL, memory[2], room};
        }
        count(m < SMALL || n < SMALL || k < SMALL ? &small : &large, &both[0].x, ratio(both));
    }
    const char *name = dtype == GIBBS_FLOAT64 ? "float64" : "float32";
    print(name, "no dimension below 64", &large);
    print(name, "rows 16, or columns or depth 4 or 16", &small);
}

gibbs_status bench_products_print(gibbs_error *error)
{
    size_t bytes = (size_t)MOST_ROWS * MOST * sizeof(double), room = (size_t)ad_kernels_for(GIBBS_FLOAT64)->room;
    if (room < (size_t)ad_kernels_for(GIBBS_FLOAT32)->room) room = (size_t)ad_kernels_for(GIBBS_FLOAT32)->room;
    void *memory[3] = {aligned_alloc(64, bytes), aligned_alloc(64, bytes), aligned_alloc(64, bytes)};
    void *packed = aligned_alloc(64, (room + 64) / 64 * 64);
    bool enough = memory[0] && memory[1] && memory[2] && packed;
    for (int k = 0; enough && k < 3; k++) memset(memory[k], 0x3c, bytes); /* normal numbers in both types */
    if (enough) grid(GIBBS_FLOAT32, memory, packed);
    if (enough) grid(GIBBS_FLOAT64, memory, packed);
    else *error = (gibbs_error){.status = GIBBS_MEMORY, .message = "products: out of memory"};
    for (int k = 0; k < 3; k++) free(memory[k]);
    free(packed);
    return enough ? GIBBS_OK : GIBBS_MEMORY;
}
