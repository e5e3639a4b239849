/* Hessian diagonals by many elements at once: where each element of x bends y by itself, or through few others, what is
 * recorded and run stays in proportion to these, never (number of elements)². Values by hand. */
#include "support/alloc.h"
#include "support/problem.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { ROWS = 5, DIMENSIONS = 40 };

typedef struct large {
    const struct question *q;
    counting_alloc count;
    ad_tape *tape;
    ad_var x, point;    /* shared, [n]; per-sample, [DIMENSIONS] */
    double *at, *want;  /* x, and the diagonal */
    double points[ROWS * DIMENSIONS];
} large;

/* An x of n elements, and what recording and running may take, in numbers for each of them. */
typedef struct question {
    const char *name;
    int n, numbers;
    ad_var (*record)(large *l);
    void (*by_hand)(large *l);
} question;

static double square(double x) { return x * x; }
static ad_var matrix(large *l, int64_t cols) { return ad_reshape(l->x, ad_mat(l->q->n / cols, cols)); }

/* Σₙ min_k |pointₙ − x_k|², by one product: twice how many points chose the centroid. */
static ad_var nearest(large *l)
{
    double one = 1;
    ad_var x = matrix(l, DIMENSIONS), norms = ad_sum_dims(ad_square(x), 2);
    ad_var both = ad_concat(ad_scale(x, 2), ad_neg(ad_reshape(norms, ad_mat(l->q->n / DIMENSIONS, 1))), 1);
    ad_var point = ad_concat(l->point, ad_constant_array(l->tape, ad_vec(1), &one), 0);
    return ad_sub(ad_sum(ad_square(l->point)), ad_max_reduce(ad_matmul(point, ad_transpose(both))));
}

/* The same as books have it. */
static ad_var nearest_plainly(large *l)
{
    ad_var away = ad_sum_dims(ad_square(ad_sub(l->point, matrix(l, DIMENSIONS))), 2);
    return ad_neg(ad_max_reduce(ad_neg(away)));
}

static void nearest_by_hand(large *l)
{
    for (int r = 0; r < ROWS; r++) {
        int best = 0;
        double least = INFINITY;
        for (int k = 0; k < l->q->n; k += DIMENSIONS) {
            double away = 0;
            for (int i = 0; i < DIMENSIONS; i++) away += square(l->points[r * DIMENSIONS + i] - l->at[k + i]);
            if (away < least) least = away, best = k;
        }
        for (int i = 0; i < DIMENSIONS; i++) l->want[best + i] += 2;
    }
}

/* Σ e^xᵢ sin xᵢ + (Σ xᵢ²)²: 2 e^xᵢ cos xᵢ + 4 Σx² + 8 xᵢ². */
static ad_var sums(large *l)
{
    return ad_add(ad_dot(ad_exp(l->x), ad_sin(l->x)), ad_square(ad_sum(ad_square(l->x))));
}
static void sums_by_hand(large *l)
{
    double sum = 0;
    for (int i = 0; i < l->q->n; i++) sum += square(l->at[i]);
    for (int i = 0; i < l->q->n; i++) l->want[i] = 2 * exp(l->at[i]) * cos(l->at[i]) + 4 * sum + 8 * square(l->at[i]);
}

/* log Σ e^2xᵢ: 4p(1 − p). */
static ad_var partition(large *l) { return ad_logsumexp(ad_scale(l->x, 2)); }
static void partition_by_hand(large *l)
{
    double z = 0;
    for (int i = 0; i < l->q->n; i++) z += exp(2 * l->at[i]);
    for (int i = 0; i < l->q->n; i++) l->want[i] = 4 * exp(2 * l->at[i]) / z * (1 - exp(2 * l->at[i]) / z);
}

/* Over the points, log Σₙ e^(x cₙ), all xᵢ with c = the points' first number: p's variance of c. */
static ad_var over_batch(large *l)
{
    ad_var c = ad_sum(ad_slice(l->point, 0, 0, 1));
    return ad_sum(ad_batch_logsumexp(ad_axis_of(c), ad_mul(l->x, c)));
}
static void over_batch_by_hand(large *l)
{
    for (int i = 0; i < l->q->n; i++) {
        double z = 0, first = 0, second = 0;
        for (int r = 0; r < ROWS; r++) {
            double c = l->points[r * DIMENSIONS], p = exp(l->at[i] * c);
            z += p, first += p * c, second += p * c * c;
        }
        l->want[i] = second / z - square(first / z);
    }
}

/* Σ_k softplus(x_k·x_k), rows of 16: σ′(s) 4xᵢ² + 2σ(s). */
static ad_var rows(large *l) { return ad_sum(ad_softplus(ad_sum_dims(ad_square(matrix(l, 16)), 2))); }
static void rows_by_hand(large *l)
{
    for (int k = 0; k < l->q->n; k += 16) {
        double s = 0;
        for (int i = k; i < k + 16; i++) s += square(l->at[i]);
        double sigma = 1 / (1 + exp(-s));
        for (int i = k; i < k + 16; i++) l->want[i] = sigma * (1 - sigma) * 4 * square(l->at[i]) + 2 * sigma;
    }
}

/* Σ L² of L = log Σ e^x over the middle one of three dimensions: 2p² + 2L p(1 − p). */
enum { MIDDLE = 8, INNER = 10 };
static ad_var middle(large *l)
{
    ad_var x = ad_reshape(l->x, ad_cube(l->q->n / (MIDDLE * INNER), MIDDLE, INNER));
    return ad_sum(ad_square(ad_logsumexp_dims(x, 2)));
}
static void middle_by_hand(large *l)
{
    for (int i = 0; i < l->q->n; i++) {
        int first = i / (MIDDLE * INNER) * MIDDLE * INNER + i % INNER;
        double z = 0;
        for (int k = 0; k < MIDDLE; k++) z += exp(l->at[first + k * INNER]);
        double p = exp(l->at[i]) / z;
        l->want[i] = 2 * p * p + 2 * log(z) * p * (1 - p);
    }
}

/* Σₙ Σⱼ sin((point W)ⱼ), a layer of weights; its transpose; and as columns: −Σₙ pointᵢ² sin. */
static ad_var layer(large *l) { return ad_sum(ad_sin(ad_matmul(l->point, matrix(l, l->q->n / DIMENSIONS)))); }
static ad_var layer_transposed(large *l)
{
    int n = l->q->n / DIMENSIONS;
    ad_var column = ad_reshape(l->point, ad_mat(DIMENSIONS, 1));
    return ad_sum(ad_sin(ad_matmul(ad_transpose(matrix(l, n)), column)));
}
static void layer_by_hand(large *l)
{
    int n = l->q->n / DIMENSIONS;
    for (int r = 0; r < ROWS; r++)
        for (int j = 0; j < n; j++) {
            const double *point = l->points + r * DIMENSIONS;
            double z = 0;
            for (int i = 0; i < DIMENSIONS; i++) z += point[i] * l->at[i * n + j];
            for (int i = 0; i < DIMENSIONS; i++) l->want[i * n + j] -= square(point[i]) * sin(z);
        }
}

static const question questions[] = {
    {"nearest", 20000, 200, nearest, nearest_by_hand},
    {"nearest, plainly", 20000, 200, nearest_plainly, nearest_by_hand},
    {"sums", 20000, 200, sums, sums_by_hand},
    {"partition", 20000, 200, partition, partition_by_hand},
    {"over the batch", 20000, 200, over_batch, over_batch_by_hand},
    {"rows", 3200, 1000, rows, rows_by_hand},
    {"middle", 1600, 1000, middle, middle_by_hand},
    {"layer", 1600, 1000, layer, layer_by_hand},
    {"layer, transposed", 1600, 1000, layer_transposed, layer_by_hand},
};

static double number(int i) { return 0.9 * sin(1.7 * i + 0.3); }

static void start(large *l, const question *q)
{
    *l = (large){.q = q, .at = calloc((size_t)q->n, sizeof(double)), .want = calloc((size_t)q->n, sizeof(double))};
    gibbs_allocator allocator = counting_allocator(&l->count);
    l->tape = ad_tape_new(GIBBS_FLOAT64, &allocator);
    l->x = ad_parameter(l->tape, "x", ad_vec(q->n));
    l->point = ad_input(ad_axis_new(l->tape, "points"), "point", ad_vec(DIMENSIONS));
    for (int i = 0; i < q->n; i++) l->at[i] = number(i);
    for (int i = 0; i < ROWS * DIMENSIONS; i++) l->points[i] = number(5 * i + 1);
}

static void end(large *l)
{
    ad_tape_free(l->tape);
    free(l->at);
    free(l->want);
    cr_expect_eq(l->count.live, 0);
}

static void check(const question *q)
{
    large l;
    gibbs_error error = {.status = GIBBS_OK};
    ad_plan *plan;
    ad_workspace *w;
    start(&l, q);
    ad_var h = ad_hess_diag_almost_everywhere(q->record(&l), l.x);
    cr_assert(!ad_compile(&h, 1, NULL, &plan, &error), "%s: %s", q->name, error.message);
    cr_assert(!ad_workspace_new(plan, &w, &error), "%s: %s", q->name, error.message);
    ad_set_rows(w, ad_axis_of(l.point), ROWS, &error); /* an axis that the plan does not need is an error, ignored */
    error.status = GIBBS_OK;
    ad_bind(w, l.x, l.at, &error);
    ad_bind(w, l.point, l.points, &error);
    cr_assert(!ad_run(w, NULL, &error), "%s: %s", q->name, error.message);
    q->by_hand(&l);
    const double *got = ad_result_f64(w, 0);
    for (int i = 0; i < q->n; i++)
        cr_assert_float_eq(got[i], l.want[i], 1e-11 * fmax(1, fabs(l.want[i])), "%s, %d: %.17g, not %.17g", q->name, i,
                           got[i], l.want[i]);
    int64_t most = (int64_t)q->n * q->numbers * (int64_t)sizeof(double);
    cr_expect(l.count.peak < most, "%s: %lld bytes, more than %lld", q->name, (long long)l.count.peak, (long long)most);
    ad_workspace_free(w);
    ad_plan_free(plan);
    end(&l);
}

Test(hessian_large, in_proportion)
{
    for (int i = 0; i < (int)(sizeof questions / sizeof questions[0]); i++) check(&questions[i]);
}

/* What would take a direction for each element of each of 20000 is refused before memory for them is asked for. */
static ad_var shuffled(large *l) { return ad_transpose(matrix(l, DIMENSIONS)); }
static ad_var shortened(large *l) { return ad_slice(l->x, 0, 1, l->q->n - 1); }
static ad_var joined(large *l) { return ad_concat(l->x, ad_square(l->x), 0); }

Test(hessian_large, refused_before_anything_is_allocated)
{
    static ad_var (*const record[])(large *l) = {shuffled, shortened, joined};
    static const question q = {"refused", 20000, 200, NULL, NULL};
    for (int k = 0; k < 3; k++) {
        large l;
        start(&l, &q);
        ad_var h = ad_hess_diag(ad_sum(ad_exp(record[k](&l))), l.x);
        cr_expect(ad_is_null(h) && ad_tape_status(l.tape) == GIBBS_SIZE, "%d: %s", k, ad_tape_message(l.tape));
        cr_expect(strstr(ad_tape_message(l.tape), "20000 elements"), "%s", ad_tape_message(l.tape));
        cr_expect(l.count.peak < 1 << 20, "%d: %lld bytes", k, (long long)l.count.peak);
        end(&l);
    }
}
