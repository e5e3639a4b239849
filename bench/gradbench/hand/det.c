/* By minors, expanded as they come: ℓ! multiplications, and of the gradient ℓ² minors of ℓ − 1 rows. */
#include "hand.h"

enum { MOST = 20 };

typedef struct det {
    hand_answer answer;
    int n;
    double *A, *slope, y;
} det;

static void open(gb_run *r)
{
    det *s = gb_keep(r, sizeof *s);
    int64_t n = gb_whole(r, "ell");
    if (n < 1 || n > MOST) gb_fail(r, "1 <= ell <= 20 is wanted");
    s->n = (int)n;
    s->A = gb_numbers(r, "A", n * n);
    s->slope = gb_memory(r, (size_t)(n * n), sizeof *s->slope);
    s->answer.number = &s->y;
}

static void open_gradient(gb_run *r)
{
    open(r);
    det *s = gb_own(r);
    s->answer = (hand_answer){s->slope, (int64_t)s->n * s->n};
}

/* Of m rows, listed, and as many columns in a list without those that are out: next[c] is the one behind c. */
static double minor(const det *s, const int *row, int *next, int m)
{
    const double *a = s->A + *row * s->n;
    int before = s->n, column = next[before];
    if (m == 1) return a[column];
    double sum = 0, sign = 1;
    for (int j = 0; j < m; j++) {
        next[before] = next[column];
        sum += sign * a[column] * minor(s, row + 1, next, m - 1);
        next[before] = column;
        before = column;
        column = next[column];
        sign = -sign;
    }
    return sum;
}

static void list(const det *s, int without_row, int without_column, int *row, int *next)
{
    int rows = 0, before = s->n;
    for (int i = 0; i < s->n; i++) {
        if (i != without_row) row[rows++] = i;
        if (i != without_column) next[before] = i, before = i;
    }
    next[before] = s->n;
}

static void primal(gb_run *r)
{
    det *s = gb_own(r);
    int row[MOST], next[MOST + 1];
    list(s, -1, -1, row, next);
    s->y = minor(s, row, next, s->n);
}

static void gradient(gb_run *r)
{
    det *s = gb_own(r);
    int row[MOST], next[MOST + 1];
    for (int i = 0; i < s->n; i++)
        for (int j = 0; j < s->n; j++) {
            list(s, i, j, row, next);
            double own = s->n > 1 ? minor(s, row, next, s->n - 1) : 1;
            s->slope[i * s->n + j] = (i + j) % 2 ? -own : own;
        }
}

const gb_function hand_det[2] = {
    {"det", "primal", open, primal, hand_output},
    {"det", "gradient", open_gradient, gradient, hand_output},
};
