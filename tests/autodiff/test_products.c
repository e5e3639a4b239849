/* The products of every instruction set here, of a build with neither wide vectors nor BLAS, and of both number types:
 * against plain loops, and a row's bits however the rows are cut. */
#include "kernel_tables.h"

#include <stdio.h>

extern const ad_kernels ad_kernels_f32_plain, ad_kernels_f64_plain;
static const table plain[] = {{"float32, plain", &ad_kernels_f32_plain, GIBBS_ISA_BASE},
                              {"float64, plain", &ad_kernels_f64_plain, GIBBS_ISA_BASE}};
enum { ALL = TABLES + LENGTH(plain) };

static const table *table_of(int t) { return t < TABLES ? &tables[t] : &plain[t - TABLES]; }

/* What the rows of C start from. */
typedef enum start { FROM_ZEROS, FROM_C, FROM_ONE_ROW, STARTS } start;

static void naive(bool ta, bool tb, int m, int n, int k, const double *a, const double *b, start from,
                  const double *row, double *c)
{
    for (int i = 0; i < m; i++)
        for (int j = 0; j < n; j++) {
            double sum = from == FROM_C ? c[i * n + j] : from == FROM_ONE_ROW ? row[j] : 0;
            for (int l = 0; l < k; l++) sum += a[ta ? l * m + i : i * k + l] * b[tb ? j * k + l : l * n + j];
            c[i * n + j] = sum;
        }
}

/* A's rows with `apart` numbers between them, which are never to be read. */
static void *typed_apart(const table *t, double *x, int rows, int columns, int apart)
{
    size_t size = t->kernels->size, next = (size_t)(columns + apart) * size;
    char *tight = typed(t, x, rows * columns), *copy = malloc((size_t)rows * next);
    memset(copy, 0xff, (size_t)rows * next); /* NaN */
    for (int r = 0; r < rows; r++)
        memcpy(copy + (size_t)r * next, tight + (size_t)(r * columns) * size, (size_t)columns * size);
    free(tight);
    return copy;
}

static void check_product(const table *t, bool ta, bool tb, int m, int n, int k, start from, int apart)
{
    char what[80];
    double *a = random_numbers(m * k, 1), *b = random_numbers(k * n, 2), *c = random_numbers(m * n, 3);
    double *row = random_numbers(n, 4);
    if (from != FROM_C) /* what was there must not matter */
        for (int i = 0; i < m * n; i++) c[i] = NAN;
    void *pa = typed_apart(t, a, ta ? k : m, ta ? m : k, apart);
    void *pb = typed(t, b, k * n), *pc = typed(t, c, m * n), *prow = typed(t, row, n);
    void *room = aligned_alloc(64, (size_t)t->kernels->room + 64);
    t->kernels->matmul(&(ad_product){ta, tb, m, n, k, m, (ta ? m : k) + apart, pa, pb,
                                     from == FROM_C ? pc : from == FROM_ONE_ROW ? prow : NULL, pc, room});
    free(room);
    naive(ta, tb, m, n, k, a, b, from, row, c);
    snprintf(what, sizeof what, "A%s[%d,%d] B%s[%d,%d] start %d, %d apart", ta ? "T" : "", m, k, tb ? "T" : "", k,
             n, from, apart);
    expect_numbers(t, pc, c, m * n, sqrt(k) + 1, what);
    free(a), free(b), free(c), free(row), free(pa), free(pb), free(pc), free(prow);
}

Test(products, small)
{
    static const int size[] = {1, 2, 3, 4, 8, 16, 37, 70};
    enum { S = LENGTH(size), WAYS = 4 * STARTS };
    for (int t = 0; t < ALL; t++)
        for (int c = 0; table_of(t)->kernels && c < WAYS * S * S * S; c++) {
            if (!in_sweep(c, 13)) continue;
            int shape = c / WAYS, m = size[shape % S], n = size[shape / S % S], k = size[shape / S / S];
            check_product(table_of(t), c & 1, c & 2, m, n, k, (start)(c % WAYS / 4), 0);
            check_product(table_of(t), c & 1, c & 2, m, n, k, (start)(c % WAYS / 4), 3);
        }
}

/* All heights and widths of tiles, with whole and partial vectors; more than one depth and panel. */
Test(products, tiles)
{
    enum { HEIGHTS = 14, WIDTHS = 70, DEEP = 300, TALL = 130 };
    for (int t = 0; t < ALL; t++)
        for (int n = 6; table_of(t)->kernels && n < WIDTHS; n++) {
            for (int m = 6; m <= HEIGHTS; m++)
                for (int way = 0; way < 4; way++)
                    if (in_sweep(m * 4 + way + n, 5)) check_product(table_of(t), way & 1, way & 2, m, n, 9, FROM_C, 0);
            check_product(table_of(t), n & 1, n & 2, 7, n, DEEP, (start)(n % STARTS), n % 3);
            check_product(table_of(t), n & 1, n & 2, TALL, n, 33, (start)(n % STARTS), n % 3);
        }
}

/* Shapes of which A, B, or both are packed; several panels, depths and rounds of rows, with a rest of each; rows of A
 * that share a set of a cache. */
Test(products, packed)
{
    static const int shape[][3] = {{61, 1100, 7},  {30, 530, 270}, {600, 70, 270},
                                   {530, 270, 30}, {397, 3, 600},  {800, 20, 270}, {25, 7, 1024},
                                   {1024, 33, 530}, {1030, 4, 600}, {60, 520, 70}};
    for (int t = 0; t < ALL; t++)
        for (int c = 0; table_of(t)->kernels && c < 4 * LENGTH(shape); c++)
            for (int from = 0; from < STARTS; from += 2 - c % 2) {
                if (!in_sweep(c * STARTS + from, 11)) continue;
                const int *s = shape[c / 4];
                check_product(table_of(t), c & 1, c & 2, s[0], s[1], s[2], (start)from, c % 3);
            }
}

/* ---- The bits of a row ---- */

/* All rows at once, and cut into blocks: 1, 2, 3 … rows. */
static void check_cuts(const table *t, bool tb, int n, int k, int apart)
{
    enum { ROWS = 119 };
    const ad_kernels *kernels = t->kernels;
    const size_t size = kernels->size;
    double *a = random_numbers(ROWS * (k + apart), 5), *b = random_numbers(k * n, 6);
    char *pa = typed(t, a, ROWS * (k + apart)), *pb = typed(t, b, k * n);
    char *whole = malloc(ROWS * (size_t)n * size), *cut = malloc(ROWS * (size_t)n * size);
    void *room = aligned_alloc(64, (size_t)kernels->room + 64);
    ad_product x = {false, tb, ROWS, n, k, ROWS, k + apart, pa, pb, NULL, whole, room};
    kernels->matmul(&x);
    for (int first = 0, rows = 1; first < ROWS; first += rows, rows++) {
        x.m = rows < ROWS - first ? rows : ROWS - first;
        x.a = pa + (size_t)(first * (k + apart)) * size;
        x.c = cut + (size_t)(first * n) * size;
        kernels->matmul(&x);
    }
    cr_expect_arr_eq(cut, whole, ROWS * (size_t)n * size, "B%s[%d,%d], %d apart, %s", tb ? "T" : "", k, n, apart,
                     t->name);
    free(a), free(b), free(pa), free(pb), free(whole), free(cut), free(room);
}

/* BLAS chooses by the number of rows as well, and promises nothing; the plain kernels are there in every build. */
Test(products, a_rows_bits_do_not_depend_on_the_cuts)
{
    static const int width[] = {1, 2, 7, 40, 600}, depth[] = {1, 2, 9, 300};
    for (int t = 0; t < ALL; t++)
        for (int c = 0; table_of(t)->kernels && !table_of(t)->kernels->uses_blas && c < 40 * 2; c++)
            if (in_sweep(c, 3)) check_cuts(table_of(t), c & 1, width[c / 2 % 5], depth[c / 10 % 4], c < 40 ? 0 : 3);
}

/* A network's value and its gradient by x, of 119 rows in blocks of 4, of which the last has 3, and in larger ones. */
static void check_blocks(gibbs_dtype dtype)
{
    enum { ROWS = 119, D = 5, H = 40 };
    ad_tape *tape = ad_tape_new(dtype, NULL);
    ad_axis axis = ad_axis_new(tape, "data");
    ad_var x = ad_input(axis, "x", ad_vec(D)), W = ad_parameter(tape, "W", ad_mat(D, H));
    ad_var U = ad_parameter(tape, "U", ad_mat(H, H)), E = ad_sum(ad_tanh(ad_matmul(ad_tanh(ad_matmul(x, W)), U)));
    ad_var out[2] = {E};
    ad_grad(E, &x, 1, out + 1);
    double *values[3] = {random_numbers(ROWS * D, 1), random_numbers(D * H, 2), random_numbers(H * H, 3)};
    const int count[3] = {ROWS * D, D * H, H * H};
    const ad_var leaf[3] = {x, W, U};
    gibbs_error error = {.status = GIBBS_OK};
    runner r[2] = {runner_with(out, 2, &(ad_plan_options){.block_bytes = 1}), runner_with(out, 2, NULL)};
    for (int k = 0; k < 3; k++) {
        void *typed = in_type(dtype, values[k], count[k]);
        for (int w = 0; w < 2; w++) MUST(ad_bind(r[w].w, leaf[k], typed, &error), error);
        free(values[k]);
        values[k] = typed;
    }
    for (int w = 0; w < 2; w++) {
        MUST(ad_set_rows(r[w].w, axis, ROWS, &error), error);
        MUST(ad_run(r[w].w, &(ad_run_options){.threads = 1}, &error), error);
    }
    for (int o = 0; o < 2; o++)
        cr_expect_arr_eq(ad_result(r[0].w, o), ad_result(r[1].w, o), ROWS * (o ? D : 1) * gibbs_dtype_size(dtype));
    for (int k = 0; k < 3; k++) free(values[k]);
    for (int w = 0; w < 2; w++) runner_free(r[w]);
    ad_tape_free(tape);
}

Test(products, a_rows_bits_do_not_depend_on_the_blocks)
{
    if (ad_kernels_for(GIBBS_FLOAT64)->uses_blas) cr_skip_test("products are BLAS's here, which promises nothing");
    check_blocks(GIBBS_FLOAT32);
    check_blocks(GIBBS_FLOAT64);
}

/* Which kernels call BLAS is what the build was told. */
Test(products, are_blas_as_configured)
{
    cr_expect_not(ad_kernels_f32_plain.uses_blas);
    for (int t = 0; t < TABLES; t++) {
        if (!tables[t].kernels) continue;
#if defined(GIBBS_PRODUCTS_BLAS)
        const bool expected = true;
#elif defined(GIBBS_BLAS)
        const bool expected = tables[t].isa == GIBBS_ISA_BASE;
#else
        const bool expected = false;
#endif
        cr_expect_eq(tables[t].kernels->uses_blas, expected, "%s", tables[t].name);
    }
}
