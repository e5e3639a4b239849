/* Factorisations by their residuals, of every kernel table: sizes on both sides of where small ones are done side by
 * side, samples that fill vectors and those that do not; what has no factors; a sample's bits, whatever is beside
 * it. */
#include "kernel_tables.h"

#include <float.h>

enum { MOST_ROWS = 19, MOST_SIDES = 20 };
static const int64_t sizes[] = {1, 2, 5, 31, 32, 33, 70, 200};
enum { SIZES = LENGTH(sizes) - SANITIZED };
static const int64_t samples[] = {1, 3, MOST_ROWS};

/* One call, and its memory as the table's type and as doubles. */
typedef struct setting {
    const table *t;
    ad_factor f;
    int64_t of_y;
    double *a, *b, *y; /* [rows][n][n], [rows][n][m], [rows][of_y] */
    void *ta, *tb, *ty, *room;
    size_t room_bytes;
} setting;

/* Numbers in [−1, 1), and `diagonal` more on the diagonal. */
static setting setting_new(const table *t, int op, int64_t rows, int64_t n, int64_t m, int64_t of_y,
                           double diagonal)
{
    setting s = {.t = t, .of_y = of_y};
    s.a = random_numbers(rows * n * n, (uint64_t)n);
    s.b = random_numbers(rows * n * m, 7);
    for (int64_t i = 0; i < rows * n; i++) s.a[i / n * n * n + i % n * (n + 1)] += diagonal;
    s.ta = typed(t, s.a, rows * n * n);
    s.tb = typed(t, s.b, rows * n * m);
    s.ty = malloc((size_t)(rows * of_y) * t->kernels->size);
    s.y = malloc((size_t)(rows * of_y) * sizeof *s.y);
    s.room_bytes = (size_t)t->kernels->factor_room((ad_op)op, n);
    s.room = aligned_alloc(64, s.room_bytes);
    s.f = (ad_factor){.rows = rows, .n = n, .m = m, .next_a = n * n, .next_b = n * m, .a = s.ta, .b = s.tb, .y = s.ty,
                      .room = s.room};
    return s;
}

static void setting_free(setting *s)
{
    free(s->a), free(s->b), free(s->y), free(s->ta), free(s->tb), free(s->ty), free(s->room);
}

static void call(setting *s, void (*kernel)(const ad_factor *))
{
    memset(s->room, 0xff, s->room_bytes); /* what was there are NaNs */
    kernel(&s->f);
    for (int64_t i = 0; i < s->f.rows * s->of_y; i++) s->y[i] = s->t->kernels->get(s->ty, i);
}

static double epsilon(const table *t) { return t->kernels->size == 4 ? FLT_EPSILON : DBL_EPSILON; }

/* op(P)·op(Q) of row-major matrices, [n,k]·[k,m] → r. */
static void product(int64_t n, int64_t k, int64_t m, const double *p, bool tp, const double *q, bool tq, double *r)
{
    for (int64_t i = 0; i < n; i++)
        for (int64_t j = 0; j < m; j++) {
            double sum = 0;
            for (int64_t l = 0; l < k; l++) sum += p[tp ? l * n + i : i * k + l] * q[tq ? j * k + l : l * m + j];
            r[i * m + j] = sum;
        }
}

static double largest(const double *x, int64_t count)
{
    double most = 0;
    for (int64_t i = 0; i < count; i++) most = fabs(x[i]) > most || x[i] != x[i] ? fabs(x[i]) : most;
    return most;
}

static double symmetric(const double *a, int64_t n, int64_t i, int64_t j)
{
    return 0.5 * (a[i * n + j] + a[j * n + i]);
}

static void expect_small(double residual, double scale, const setting *s, const char *what)
{
    cr_expect(residual <= 8 * (double)s->f.n * epsilon(s->t) * scale,
              "%s, n = %lld, %lld rows: residual %.3g of %.3g (%s)", what, (long long)s->f.n,
              (long long)s->f.rows, residual, scale, s->t->name);
}

typedef void each(const table *t, int64_t n, int64_t rows);

static void for_all(each *check)
{
    for (int k = 0; k < TABLES; k++)
        for (int i = 0; i < SIZES && tables[k].kernels; i++)
            for (int r = 0; r < LENGTH(samples) - (sizes[i] > 70); r++) check(&tables[k], sizes[i], samples[r]);
}

/* ---- Cholesky ---- */

static void check_cholesky(const table *t, int64_t n, int64_t rows)
{
    setting s = setting_new(t, OP_cholesky, rows, n, 1, n * n, (double)n + 1);
    double *square = malloc((size_t)(n * n) * sizeof *square);
    call(&s, t->kernels->cholesky);
    for (int64_t r = 0; r < rows; r++) {
        const double *a = s.a + r * n * n, *l = s.y + r * n * n;
        product(n, n, n, l, false, l, true, square);
        for (int64_t i = 0; i < n; i++)
            for (int64_t j = 0; j < n; j++) {
                square[i * n + j] -= symmetric(a, n, i, j);
                cr_assert(j <= i || l[i * n + j] == 0, "above the diagonal of row %lld", (long long)r);
            }
        expect_small(largest(square, n * n), (double)n + 2, &s, "cholesky");
    }
    free(square);
    setting_free(&s);
}

Test(factor, cholesky) { for_all(check_cholesky); }

/* ---- Systems ---- */

static void check_system(const table *t, int64_t n, int64_t rows, int64_t m, int op, bool turned, bool one)
{
    bool triangle = op == OP_triangular_solve;
    setting s = setting_new(t, op, rows, n, m, n * m, triangle ? (double)n : 0.5);
    double *back = malloc((size_t)(n * m) * sizeof *back), most = largest(s.a, rows * n * n);
    s.f.transposed = turned;
    if (one) s.f.next_a = 0;
    call(&s, triangle ? t->kernels->triangular_solve : t->kernels->solve);
    for (int64_t k = 0; k < rows * n * n && triangle; k++) s.a[k] = k % n > k / n % n ? 0 : s.a[k];
    for (int64_t r = 0; r < rows; r++) {
        const double *x = s.y + r * n * m;
        product(n, n, m, s.a + (one ? 0 : r * n * n), turned, x, false, back);
        for (int64_t i = 0; i < n * m; i++) back[i] -= s.b[r * n * m + i];
        expect_small(largest(back, n * m), most * (1 + largest(x, n * m)), &s, ad_ops[op].name);
    }
    free(back);
    setting_free(&s);
}

/* One matrix for all samples or each its own; one right side, a few, many. */
static void check_systems(const table *t, int64_t n, int64_t rows)
{
    for (int k = 0; k < 8; k++)
        for (int64_t m = 1; m <= MOST_SIDES; m += m == 1 ? 2 : 17)
            check_system(t, n, rows, m, k & 1 ? OP_solve : OP_triangular_solve, k & 2, k & 4);
}

Test(factor, systems) { for_all(check_systems); }

/* ---- Determinants: of A and of its inverse, which is a system's solution ---- */

static void check_det(const table *t, int64_t n, int64_t rows)
{
    if (t->kernels->size == 4 && n > 70) return; /* an inverse in float32 has no such determinant */
    setting s = setting_new(t, OP_solve, rows, n, n, n * n, 3);
    setting inverse = setting_new(t, OP_log_abs_det, rows, n, 1, 1, 0);
    double first[MOST_ROWS];
    memset(s.tb, 0, (size_t)(rows * n * n) * t->kernels->size);
    for (int64_t i = 0; i < rows * n; i++) put(t, s.tb, i / n * n * n + i % n * (n + 1), 1);
    call(&s, t->kernels->solve);
    inverse.f.a = s.ta;
    call(&inverse, t->kernels->log_abs_det);
    memcpy(first, inverse.y, (size_t)rows * sizeof *first);
    inverse.f.a = s.ty;
    call(&inverse, t->kernels->log_abs_det);
    for (int64_t r = 0; r < rows; r++)
        cr_expect(fabs(first[r] + inverse.y[r]) <= 1e4 * epsilon(t) * (double)n, "n = %lld: %.10g and %.10g (%s)",
                  (long long)n, first[r], inverse.y[r], t->name);
    setting_free(&s), setting_free(&inverse);
}

Test(factor, determinants) { for_all(check_det); }

Test(factor, the_determinant_of_a_triangle)
{
    for (int k = 0; k < TABLES; k++) {
        if (!tables[k].kernels) continue;
        setting s = setting_new(&tables[k], OP_log_abs_det, 1, 3, 1, 1, 0);
        const double a[] = {0, 0, -4, 0.5, 1, 7, 0, 2, 1};
        for (int i = 0; i < 9; i++) put(&tables[k], s.ta, i, a[i]);
        call(&s, tables[k].kernels->log_abs_det);
        cr_expect_float_eq(s.y[0], log(4), 1e-6);
        setting_free(&s);
    }
}

/* ---- Eigenvalues ---- */

static void check_eigen(const table *t, int64_t n, int64_t rows)
{
    setting s = setting_new(t, OP_eigen, rows, n, 1, (n + 1) * n, 1);
    double *left = malloc((size_t)(n * n) * sizeof *left), *full = malloc((size_t)(n * n) * sizeof *full);
    call(&s, t->kernels->eigen);
    for (int64_t r = 0; r < rows; r++) {
        const double *a = s.a + r * n * n, *value = s.y + r * (n + 1) * n, *vector = value + n;
        for (int64_t k = 0; k < n * n; k++) full[k] = symmetric(a, n, k / n, k % n);
        product(n, n, n, vector, false, full, false, left);
        for (int64_t k = 0; k < n * n; k++) left[k] -= value[k / n] * vector[k];
        expect_small(largest(left, n * n), 2 + sqrt((double)n), &s, "eigen");
        product(n, n, n, vector, false, vector, true, left);
        for (int64_t k = 0; k < n * n; k++) left[k] -= k / n == k % n;
        expect_small(largest(left, n * n), 1, &s, "vectors");
        for (int64_t k = 1; k < n; k++) cr_expect(value[k - 1] <= value[k], "ascending");
        for (int64_t k = 0; k < n; k++) {
            double low = 0, high = 0;
            for (int64_t i = 0; i < n; i++) low = fmin(low, vector[k * n + i]), high = fmax(high, vector[k * n + i]);
            cr_expect(high >= -low, "the largest component is positive");
        }
    }
    free(left), free(full);
    setting_free(&s);
}

Test(factor, eigenvalues) { for_all(check_eigen); }

/* Of any scale, diagonal, all equal, and all 0. */
Test(factor, eigenvalues_of_matrices_that_are_special)
{
    enum { N = 5 };
    static const double diagonal[][N] = {{3, 1, 2, -1, 0}, {2, 2, 2, 2, 2}, {0, 0, 0, 0, 0}, {1e30, -1e30, 1, 0, 2e30}};
    static const double sorted[][N] = {{-1, 0, 1, 2, 3}, {2, 2, 2, 2, 2}, {0, 0, 0, 0, 0}, {-1e30, 0, 1, 1e30, 2e30}};
    for (int k = 0; k < TABLES * LENGTH(diagonal); k++) {
        const table *t = &tables[k % TABLES];
        if (!t->kernels) continue;
        setting s = setting_new(t, OP_eigen, 1, N, 1, (N + 1) * N, 0);
        memset(s.ta, 0, N * N * t->kernels->size);
        for (int i = 0; i < N; i++) put(t, s.ta, i * (N + 1), diagonal[k / TABLES][i]);
        call(&s, t->kernels->eigen);
        expect_numbers(t, s.ty, sorted[k / TABLES], N, 1 + largest(sorted[k / TABLES], N), "values");
        setting_free(&s);
    }
}

/* ---- What has no factors ---- */


static void kernel_of(const ad_kernels *k, int op, ad_factor *f)
{
    (op == OP_cholesky ? k->cholesky : op == OP_solve ? k->solve : op == OP_log_abs_det ? k->log_abs_det
     : op == OP_eigen ? k->eigen : k->triangular_solve)(f);
}

/* The second of three samples is spoilt at its element (k, k): its result is NaN as a whole, the others are
 * untouched. */
static void check_spoilt(const table *t, int op, int64_t n, double spoil, int64_t m, bool determined)
{
    int64_t numbers = op == OP_log_abs_det ? 1 : op == OP_eigen ? (n + 1) * n
                                             : op == OP_cholesky ? n * n : n * m, k = n / 2;
    setting s = setting_new(t, op, 3, n, m, numbers, (double)n + 1);
    double *good = malloc((size_t)(3 * numbers) * sizeof *good), value;
    kernel_of(t->kernels, op, &s.f);
    for (int64_t i = 0; i < 3 * numbers; i++) good[i] = t->kernels->get(s.ty, i);
    put(t, s.ta, n * n + k * (n + 1), spoil);
    if (op == OP_solve || op == OP_log_abs_det)
        for (int64_t j = 0; j < n && spoil == 0; j++) put(t, s.ta, n * n + k * n + j, 0);
    kernel_of(t->kernels, op, &s.f);
    for (int64_t i = 0; i < 3 * numbers; i++) {
        double y = t->kernels->get(s.ty, i);
        bool right = i / numbers != 1 ? y == good[i] : determined ? y == -INFINITY : y != y;
        cr_assert(right, "%s of n = %lld spoilt by %g: number %lld is %g (%s)", ad_ops[op].name, (long long)n, spoil,
                  (long long)i, y, t->name);
    }
    ad_factor one = s.f;
    one.a = (char *)s.ta + (size_t)(n * n) * t->kernels->size;
    int64_t at = t->kernels->first_pivot(op, &one, &value);
    cr_expect(op == OP_eigen ? at == n : at < n && !(value > 0 && isfinite(value)), "%s: pivot %lld is %g",
              ad_ops[op].name, (long long)at, value);
    free(good);
    setting_free(&s);
}

Test(factor, what_has_no_factors_is_nan)
{
    for (int k = 0; k < TABLES; k++)
        for (int i = 0; i < SIZES && tables[k].kernels; i++) {
            int64_t n = sizes[i];
            const double bads[] = {-1e3, 0, NAN, INFINITY};
            for (int b = 0; b < LENGTH(bads); b++) {
                check_spoilt(&tables[k], OP_cholesky, n, bads[b], 1, false);
                if (b == 0) continue;
                for (int64_t m = 1; m <= MOST_SIDES; m += 19) {
                    check_spoilt(&tables[k], OP_triangular_solve, n, bads[b], m, false);
                    check_spoilt(&tables[k], OP_solve, n, bads[b], m, false);
                }
                check_spoilt(&tables[k], OP_log_abs_det, n, bads[b], 1, b == 1);
                if (b > 1) check_spoilt(&tables[k], OP_eigen, n, bads[b], 1, false);
            }
        }
}

/* ---- A sample's bits ---- */

static void check_bits(const table *t, int64_t n, int64_t rows)
{
    static const int ops[] = {OP_cholesky, OP_triangular_solve, OP_solve, OP_log_abs_det, OP_eigen};
    for (int k = 0; k < 2 * LENGTH(ops); k++) {
        int op = ops[k / 2];
        bool one = k & 1 && (op == OP_solve || op == OP_triangular_solve);
        int64_t numbers = op == OP_log_abs_det ? 1 : op == OP_eigen ? (n + 1) * n : op == OP_cholesky ? n * n : n;
        setting s = setting_new(t, op, rows, n, 1, numbers, (double)n + 1);
        if (one) s.f.next_a = 0;
        size_t bytes = (size_t)numbers * t->kernels->size;
        void *all = malloc(bytes * (size_t)rows);
        kernel_of(t->kernels, op, &s.f);
        memcpy(all, s.ty, bytes * (size_t)rows);
        for (int64_t r = 0; r < rows; r++) {
            ad_factor alone = s.f;
            alone.rows = 1;
            alone.a = (char *)s.ta + (size_t)(r * s.f.next_a) * t->kernels->size;
            alone.b = (char *)s.tb + (size_t)(r * n) * t->kernels->size;
            kernel_of(t->kernels, op, &alone);
            cr_assert_eq(memcmp(s.ty, (char *)all + (size_t)r * bytes, bytes), 0, "%s, n = %lld, row %lld (%s)",
                         ad_ops[op].name, (long long)n, (long long)r, t->name);
        }
        free(all);
        setting_free(&s);
    }
}

Test(factor, a_sample_has_the_same_bits_alone) { for_all(check_bits); }
