/* The kernels that reduce, of every instruction set here and both number types, against plain
 * loops; and their special values: a maximum, a logsumexp and a sum of infinities and NaN. */
#include "kernel_tables.h"

#include <stdio.h>

static const double INF = INFINITY;

/* ---- Reductions within a sample ---- */

static double reduce(ad_op op, const double *x, int red, int inner)
{
    double top = x[0], sum = 0;
    for (int r = 1; r < red; r++) top = x[r * inner] > top || isnan(x[r * inner]) ? x[r * inner] : top;
    if (op == OP_max_reduce) return top;
    if (op == OP_logsumexp && (isinf(top) || isnan(top))) return top;
    for (int r = 0; r < red; r++) sum += op == OP_sum ? x[r * inner] : exp(x[r * inner] - top);
    return op == OP_sum ? sum : top + log(sum);
}

static void check_reduction(const table *t, double *x, int outer, int red, int inner, const char *what)
{
    static const ad_op ops[] = {OP_sum, OP_max_reduce, OP_logsumexp};
    double *y = malloc((size_t)(outer * inner) * sizeof *y);
    void *px = typed(t, x, outer * red * inner), *py = malloc((size_t)(outer * inner) * sizeof(double));
    for (int k = 0; k < LENGTH(ops); k++) {
        char name[120];
        for (int o = 0; o < outer; o++)
            for (int j = 0; j < inner; j++) y[o * inner + j] = reduce(ops[k], x + o * red * inner + j, red, inner);
        const ad_kernels *kernels = t->kernels;
        (ops[k] == OP_sum          ? kernels->sum
         : ops[k] == OP_max_reduce ? kernels->max
                                   : kernels->logsumexp)(outer, red, inner, py, px);
        snprintf(name, sizeof name, "%s of %s [%d,%d,%d]", ad_ops[ops[k]].name, what, outer, red, inner);
        expect_numbers(t, py, y, outer * inner, sqrt(red) + 1, name);
    }
    free(y), free(px), free(py);
}

static void check_all_shapes(const table *t)
{
    static const int size[] = {1, 2, 3, 7, 8, 16, 17, 29, 33, 64, 200};
    for (int c = 0; c < 5 * LENGTH(size) * LENGTH(size); c++) {
        int outer = 1 + c % 5, red = size[c / 5 % LENGTH(size)], inner = size[c / 5 / LENGTH(size)];
        double *x = random_numbers(outer * red * inner, (uint64_t)c + 1);
        check_reduction(t, x, outer, red, inner, "numbers in (-1, 1)");
        free(x);
    }
}

/* Rows of infinities and NaN, as rows (inner 1) and as columns; -inf alone adds nothing, and all -inf is -inf. */
static void check_special_rows(const table *t)
{
    static const double rows[][5] = {{-INFINITY, -INFINITY, -INFINITY, -INFINITY, -INFINITY},
                                     {-INFINITY, 1, -INFINITY, 2, -INFINITY},
                                     {INFINITY, 1, 2, 3, 4},
                                     {1, 2, NAN, 3, 4},
                                     {NAN, INFINITY, 1, 2, 3},
                                     {1, INFINITY, NAN, 2, 3},
                                     {-INFINITY, -INFINITY, -INFINITY, -INFINITY, 3},
                                     {NAN, NAN, NAN, NAN, NAN},
                                     {1e30, 1e30, -1e30, 1e30, 1e30},
                                     {-5000, -5001, -5002, -5003, -5004},
                                     {5000, 5001, 5002, 0, 1}};
    enum { N = LENGTH(rows) };
    for (int k = 0; k < N; k++) {
        double row[5], column[5 * N];
        memcpy(row, rows[k], sizeof row);
        bool large = fabs(row[0]) >= 1000 && isfinite(row[0]);
        for (int i = 0; i < 5 * N; i++) column[i] = i % N == k ? row[i / N] : large ? row[0] : 0.5;
        if (!large)
            check_reduction(t, row, 1, 5, 1, "a special row"), check_reduction(t, column, 1, 5, N, "a special column");
        double y[2], top = row[0], sum = 0;
        if (!large) continue;
        for (int i = 0; i < 5; i++) top = fmax(top, row[i]);
        for (int i = 0; i < 5; i++) sum += exp(row[i] - top);
        void *p = typed(t, row, 5);
        t->kernels->logsumexp(1, 5, 1, y, p);
        cr_assert_float_eq(t->kernels->get(y, 0), top + log(sum), 1e-6 * fabs(top), "(%s)", t->name);
        free(p);
    }
}

Test(plan_kernel_loops, reductions)
{
    for (int t = 0; t < TABLES; t++)
        if (tables[t].kernels) check_all_shapes(&tables[t]), check_special_rows(&tables[t]);
}

/* ---- Reductions over a batch, in two blocks ---- */

static void check_batch(const table *t, double *x, int rows, int first_rows, int n, const char *what)
{
    const ad_kernels *k = t->kernels;
    double *acc = calloc(2 * (size_t)n, sizeof *acc), *y = malloc((size_t)n * sizeof *y);
    char *px = typed(t, x, rows * n), name[120];
    for (int op = 0; op < 3; op++) {
        void (*run_block)(int64_t, int64_t, const void *, double *, bool) =
            op == 0 ? k->batch_sum : op == 1 ? k->batch_max : k->batch_logsumexp;
        for (int j = 0; j < 2 * n; j++) acc[j] = NAN; /* the first block starts them */
        run_block(first_rows, n, px, acc, true);
        if (rows > first_rows) run_block(rows - first_rows, n, px + (size_t)(first_rows * n) * k->size, acc, false);
        for (int j = 0; j < n; j++) {
            y[j] = reduce(op == 0 ? OP_sum : op == 1 ? OP_max_reduce : OP_logsumexp, x + j, rows, n);
            if (op == 2 && isfinite(acc[j])) acc[j] += log(acc[n + j]);
        }
        snprintf(name, sizeof name, "batch reduction %d of %s, %d rows of %d", op, what, rows, n);
        table doubles = {t->name, &ad_kernels_f64_base, 0};
        double scale = (k->size == 4 ? 1e8 : 1) * (sqrt(rows) + 1); /* float32 exponentials in a sum of doubles */
        expect_numbers(&doubles, acc, y, n, op == 2 ? scale : sqrt(rows) + 1, name);
    }
    free(acc), free(y), free(px);
}

Test(plan_kernel_loops, batch_reductions)
{
    static const int rows[] = {1, 2, 15, 16, 17, 100}, n[] = {1, 2, 7, 31, 32, 33, 64, 70};
    for (int t = 0; t < TABLES; t++)
        for (int c = 0; tables[t].kernels && c < LENGTH(rows) * LENGTH(n); c++) {
            int r = rows[c % LENGTH(rows)], m = n[c / LENGTH(rows)];
            double *x = random_numbers(r * m, (uint64_t)c);
            check_batch(&tables[t], x, r, (r + 2) / 3, m, "numbers in (-1, 1)");
            for (int i = 0; i < r * m; i++) x[i] = i / m < (r + 2) / 3 ? -INF : x[i];
            check_batch(&tables[t], x, r, (r + 2) / 3, m, "a block of -inf first");
            for (int i = 0; i < r * m; i++) x[i] = i / m < (r + 2) / 3 ? 0.25 : -INF;
            check_batch(&tables[t], x, r, (r + 2) / 3, m, "a block of -inf last");
            for (int i = 0; i < r * m; i++) x[i] = -INF;
            check_batch(&tables[t], x, r, (r + 2) / 3, m, "nothing but -inf");
            for (int i = 0; i < r * m; i++) x[i] = i / m == r / 2 ? (i % m ? NAN : INF) : 1;
            check_batch(&tables[t], x, r, (r + 2) / 3, m, "a row of inf and NaN");
            free(x);
        }
}

/* ---- Copies, choices and the search for what is not finite ---- */

static void check_copies(const table *t)
{
    enum { N = 50 };
    double *x = random_numbers(4 * N, 9), y[N];
    void *px = typed(t, x, 4 * N), *py = malloc(N * sizeof(double));
    for (int stride = 0; stride <= 4; stride++)
        for (int n = 1; n <= N; n += 7) {
            t->kernels->copy(n, py, px, stride);
            for (int i = 0; i < n; i++) y[i] = x[i * stride];
            expect_numbers(t, py, y, n, 0, "copy");
        }
    for (int strides = 0; strides < 8; strides++) {
        const char *c = px, *a = c + N * t->kernels->size, *b = a + N * t->kernels->size;
        int sc = strides & 1, sa = strides >> 1 & 1, sb = strides >> 2;
        t->kernels->ternary[OP_select](N, py, c, sc, a, sa, b, sb);
        for (int i = 0; i < N; i++) y[i] = x[i * sc] != 0 ? x[N + i * sa] : x[2 * N + i * sb];
        expect_numbers(t, py, y, N, 0, "select");
    }
    for (int bad = 0; bad <= N; bad++) {
        for (int i = 0; i < N; i++)
            y[i] = i == bad ? (bad % 3 == 0 ? NAN : bad % 3 == 1 ? INF : -INF) : i > bad ? NAN : 1e30;
        t->kernels->from_double(N, py, y);
        cr_assert_eq(t->kernels->first_bad(N, py), bad);
    }
    free(x), free(px), free(py);
}

Test(plan_kernel_loops, copies)
{
    for (int t = 0; t < TABLES; t++)
        if (tables[t].kernels) check_copies(&tables[t]);
}

/* ---- Transpositions and tables ---- */

enum { GUARD = 77 };

/* y [rows][next_y] of numbers that are all GUARD at first; what lies between its rows must stay so. */
static void check_transpose(const table *t, int rows, int n, int apart)
{
    int next_x = rows + apart, next_y = n + apart;
    double *x = random_numbers(n * next_x, 5), *y = malloc((size_t)(rows * next_y) * sizeof *y);
    for (int i = 0; i < rows * next_y; i++) y[i] = GUARD;
    void *px = typed(t, x, n * next_x), *py = typed(t, y, rows * next_y);
    t->kernels->transpose(rows, n, py, next_y, px, next_x);
    for (int r = 0; r < rows; r++)
        for (int j = 0; j < n; j++) y[r * next_y + j] = x[j * next_x + r];
    expect_numbers(t, py, y, rows * next_y, 0, "transpose");
    free(x), free(y), free(px), free(py);
}

/* A table of `rows`, whose rows are read and added to in an order with repetitions; then an index that is no row. */
static void check_table(const table *t, int rows, int width, int apart)
{
    enum { MOVES = 9 };
    static const double wrong[] = {-1, 0.5, NAN, INFINITY, -INFINITY, 1e30};
    int next = width + apart;
    double index[MOVES], *x = random_numbers(rows * next, 6), *y = malloc((size_t)(MOVES * width) * sizeof *y);
    for (int k = 0; k < MOVES; k++) index[k] = (k * 5 + k / 3) % rows;
    void *px = typed(t, x, rows * next), *pi = typed(t, index, MOVES), *py = malloc((size_t)(MOVES * next) * sizeof *y);
    if (!apart) {
        cr_expect_eq(t->kernels->gather(MOVES, rows, width, py, px, pi), MOVES);
        for (int k = 0; k < MOVES * width; k++) y[k] = x[(int)index[k / width] * width + k % width];
        expect_numbers(t, py, y, MOVES * width, 0, "gather");
    }
    double *g = random_numbers(MOVES * next, 7);
    void *pg = typed(t, g, MOVES * next);
    cr_expect_eq(t->kernels->scatter(MOVES, rows, width, next, px, pg, pi), MOVES);
    for (int k = 0; k < MOVES; k++)
        for (int j = 0; j < width; j++) x[(int)index[k] * next + j] += g[k * next + j];
    expect_numbers(t, px, x, rows * next, MOVES, "scatter");
    for (int k = 0; k <= LENGTH(wrong); k++) {
        put(t, pi, k, k < LENGTH(wrong) ? wrong[k] : rows);
        cr_expect_eq(t->kernels->scatter(MOVES, rows, width, next, px, pg, pi), k, "%s, case %d", t->name, k);
        if (!apart) cr_expect_eq(t->kernels->gather(MOVES, rows, width, py, px, pi), k, "%s, case %d", t->name, k);
        put(t, pi, k, 0);
    }
    free(x), free(y), free(g), free(px), free(py), free(pg), free(pi);
}

Test(plan_kernel_loops, transpositions_and_tables)
{
    static const int size[] = {1, 2, 5, 8, 15, 16, 17, 33, 50};
    for (int t = 0; t < TABLES; t++)
        for (int c = 0; tables[t].kernels && c < LENGTH(size) * LENGTH(size) * 2; c++) {
            int a = size[c / 2 % LENGTH(size)], b = size[c / 2 / LENGTH(size)];
            check_transpose(&tables[t], a, b, c & 1 ? 3 : 0);
            check_table(&tables[t], a, b, c & 1 ? 3 : 0);
        }
}

/* All sets of instructions draw the same uniforms, bit for bit, and the same normals to rounding. */
Test(plan_kernel_loops, random_numbers_of_all_sets)
{
    enum { ROWS = 70, N = 13 };
    const uint64_t key[2] = {5, 6};
    for (int t = 2; t < TABLES; t++) {
        if (!tables[t].kernels) continue;
        double first[ROWS * N], other[ROWS * N], expected[ROWS * N];
        const ad_kernels *base = tables[t % 2].kernels, *k = tables[t].kernels;
        base->uniform(ROWS, N, first, 3, key, 9), k->uniform(ROWS, N, other, 3, key, 9);
        cr_assert_eq(memcmp(first, other, ROWS * N * k->size), 0, "%s", tables[t].name);
        base->normal(ROWS, N, first, 3, key, 9), k->normal(ROWS, N, other, 3, key, 9);
        for (int i = 0; i < ROWS * N; i++) expected[i] = base->get(first, i);
        expect_numbers(&tables[t], other, expected, ROWS * N, 3, "normal");
    }
}
