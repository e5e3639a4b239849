/* gmm.c — all Q_k(x − μ_k) are products of the rows (1, x) with shared matrices, whose first row is −Q_k μ_k. As Q_k is
 * triangular, its rows are taken in bands: those up to j need the columns up to j only, and bands of d/8 rows do 9/16
 * of the work of the whole squares. The components lie side by side in the last dimension, so that all factors are
 * gathered from one table whose rows are K long, and sums over d run along whole rows of K numbers. */
#include "gmm.h"

#include <math.h>
#include <stdlib.h>

enum { X, ALPHA, MU, Q, L, LEAVES };
enum { LEAST_BAND = 8, LEAST_COLUMNS = 80, WIDE = 8192, LARGE_BLOCK = 32 << 20 };

/* A band's product has band·K columns: few are not worth a product of their own. */
static int64_t band_of(int64_t d, int64_t K)
{
    int64_t least = (LEAST_COLUMNS + K - 1) / K;
    if (least < LEAST_BAND) least = LEAST_BAND;
    return d / 8 > least ? d / 8 : least;
}

int64_t bench_gmm_band(const bench_case *c) { return band_of(c->dim, c->width); }

/* Every block reads all factors once. Where they do not fit the caches, and a row has some 16 d·K bytes, a block of the
 * default size has too few rows for that. */
static int64_t block_bytes(const bench_case *c) { return c->dim * c->width < WIDE ? 0 : LARGE_BLOCK; }

static int leaves(const bench_case *c, bench_leaf *leaf)
{
    int64_t d = c->dim, K = c->width;
    leaf[X] = (bench_leaf){"x", ad_vec(d), BENCH_NORMAL};
    leaf[ALPHA] = (bench_leaf){"alpha", ad_vec(K), BENCH_NORMAL};
    leaf[MU] = (bench_leaf){"mu", ad_mat(K, d), BENCH_UNIFORM};
    leaf[Q] = (bench_leaf){"q", ad_mat(K, d), BENCH_NORMAL};
    leaf[L] = (bench_leaf){"l", ad_mat(K, d * (d - 1) / 2), BENCH_NORMAL};
    return LEAVES;
}

/* ---- The factors ---- */

/* Zeros; then the d diagonal elements; then those below, column by column: [1 + d + d(d−1)/2, K]. */
static ad_var element_table(const bench_gmm_spec *c, const ad_var *leaf)
{
    ad_var zeros = ad_expand(ad_constant(leaf[Q].tape, 0), ad_mat(1, c->components));
    ad_var diagonal = ad_exp(ad_transpose(leaf[Q]));
    return ad_concat(ad_concat(zeros, diagonal, 0), ad_transpose(leaf[L]), 0);
}

/* Where the table has element (row, column) of the factors. */
static int64_t table_row(int64_t d, int64_t row, int64_t column)
{
    if (row < column) return 0;
    return row == column ? 1 + row : d + column * (2 * d - column - 1) / 2 + row - column;
}

/* Rows first … first + count − 1 of all factors, transposed: [first + count, count, K]. */
static ad_var gather_band(const bench_gmm_spec *c, ad_var table, int64_t first, int64_t count)
{
    int64_t columns = first + count;
    double *index = malloc(sizeof *index * (size_t)(columns * count));
    if (!index) return (ad_var){table.tape, -1};
    for (int64_t i = 0; i < columns; i++)
        for (int64_t j = 0; j < count; j++) index[i * count + j] = (double)table_row(c->dim, first + j, i);
    ad_var band = ad_gather(table, ad_constant_array(table.tape, ad_mat(columns, count), index));
    free(index);
    return band;
}

/* Σ over these rows of (Q_k(x − μ_k))², for points (1, x) and μ [d, 1, K]. */
static ad_var band_squares(const bench_gmm_spec *c, ad_var table, ad_var points, ad_var mu, int64_t first,
                           int64_t count)
{
    int64_t columns = first + count, K = c->components;
    ad_var band = gather_band(c, table, first, count);
    ad_var at_mean = ad_sum_dims(ad_mul(band, ad_slice(mu, 0, 0, columns)), 1);
    ad_var matrix =
        ad_concat(ad_reshape(ad_neg(at_mean), ad_mat(1, count * K)), ad_reshape(band, ad_mat(columns, count * K)), 0);
    ad_var z = ad_matmul(ad_slice(points, 0, 0, columns + 1), matrix);
    return ad_sum_dims(ad_square(ad_reshape(z, ad_mat(count, K))), 1);
}

/* ½|Q_k(x − μ_k)|² of all components. The points are divided by √2, so that nothing larger need be halved. */
static ad_var half_distances(const bench_gmm_spec *c, const ad_var *leaf)
{
    double half = M_SQRT1_2;
    int64_t d = c->dim, band = band_of(d, c->components);
    ad_var points = ad_concat(ad_constant_array(leaf[X].tape, ad_vec(1), &half), ad_scale(leaf[X], half), 0);
    ad_var table = element_table(c, leaf), mu = ad_reshape(ad_transpose(leaf[MU]), ad_cube(d, 1, c->components));
    ad_var sum = band_squares(c, table, points, mu, 0, band < d ? band : d);
    for (int64_t first = band; first < d; first += band)
        sum = ad_add(sum, band_squares(c, table, points, mu, first, first + band < d ? band : d - first));
    return sum;
}

/* ---- The posterior ---- */

static double log_multigamma(double a, int64_t p)
{
    double sum = 0.25 * (double)(p * (p - 1)) * log(M_PI);
    for (int64_t j = 0; j < p; j++) sum += lgamma(a - 0.5 * (double)j);
    return sum;
}

static ad_var log_prior(const bench_gmm_spec *c, const ad_var *leaf)
{
    double gamma = c->gamma, m = c->m, d = (double)c->dim, degrees = d + m + 1;
    double constant = degrees * d * log(gamma * M_SQRT1_2) - log_multigamma(0.5 * degrees, c->dim);
    ad_var squares = ad_add(ad_sum(ad_exp(ad_scale(leaf[Q], 2))), ad_sum(ad_square(leaf[L])));
    ad_var prior = ad_add(ad_scale(squares, -0.5 * gamma * gamma), ad_scale(ad_sum(leaf[Q]), m));
    return ad_shift(prior, (double)c->components * constant);
}

static ad_var log_likelihood(const bench_gmm_spec *c, const ad_var *leaf)
{
    ad_axis data = ad_axis_of(leaf[X]);
    ad_var log_weight = ad_add(leaf[ALPHA], ad_sum_dims(leaf[Q], 2));
    ad_var mixture = ad_logsumexp(ad_sub(log_weight, half_distances(c, leaf)));
    ad_var constant = ad_shift(ad_logsumexp(leaf[ALPHA]), 0.5 * (double)c->dim * log(2 * M_PI));
    return ad_sub(ad_batch_sum(data, mixture), ad_mul(ad_batch_count(data), constant));
}

ad_var bench_gmm_posterior(const bench_gmm_spec *spec, const ad_var *leaf)
{
    return ad_add(log_likelihood(spec, leaf), log_prior(spec, leaf));
}

static int record(const bench_case *c, const ad_var *leaf, ad_var *output)
{
    bench_gmm_spec spec = {c->dim, c->width, BENCH_WISHART_GAMMA, BENCH_WISHART_M};
    output[0] = bench_gmm_posterior(&spec, leaf);
    ad_grad(output[0], leaf + ALPHA, LEAVES - ALPHA, output + 1);
    return 1 + LEAVES - ALPHA;
}

const bench_recipe bench_gmm = {leaves, record, block_bytes};
