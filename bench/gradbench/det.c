/* det.c — the determinant of a matrix by expansion by minors, and its gradient. Minors of the last m rows are numbered
 * by their columns, a set; each is Σ ± (element of the row above) · (minor without its column), so that the tape has
 * a gather, a product and a sum for each row, and 2ˡ·l multiplications in all: none is expanded twice. */
#include "tape.h"

enum { MOST_ROWS = 20 };

/* Where a set of columns is among those of as many, in ascending order. */
static int64_t number_of(unsigned set, const int64_t (*choose)[MOST_ROWS + 1])
{
    int64_t number = 0;
    for (int column = 0, size = 1; column < MOST_ROWS; column++)
        if (set >> column & 1) number += choose[column][size++];
    return number;
}

static void binomials(int64_t (*choose)[MOST_ROWS + 1])
{
    for (int n = 0; n <= MOST_ROWS; n++)
        for (int k = 0; k <= MOST_ROWS; k++)
            choose[n][k] = k == 0 ? 1 : n == 0 ? 0 : choose[n - 1][k - 1] + choose[n - 1][k];
}

typedef struct terms {
    double *minor, *column, *sign; /* [sets, m]: of each term the smaller minor, the element's column, ±1 */
} terms;

static void list_terms(const terms *t, unsigned set, int m, const int64_t (*choose)[MOST_ROWS + 1])
{
    int64_t at = number_of(set, choose) * m;
    double sign = 1;
    for (int column = 0; column < MOST_ROWS; column++) {
        if (!(set >> column & 1)) continue;
        t->minor[at] = (double)number_of(set & ~(1u << column), choose);
        t->column[at] = column;
        t->sign[at++] = sign;
        sign = -sign;
    }
}

/* All minors of m rows, from those of m − 1 and the row above them. */
static ad_var expand(gb_run *r, ad_var minors, ad_var row, int l, int m, const int64_t (*choose)[MOST_ROWS + 1])
{
    int64_t sets = choose[l][m];
    size_t count = (size_t)(sets * m);
    terms t = {gb_memory(r, count, sizeof(double)), gb_memory(r, count, sizeof(double)),
               gb_memory(r, count, sizeof(double))};
    for (unsigned set = 0; set < 1u << l; set++)
        if (__builtin_popcount(set) == m) list_terms(&t, set, m, choose);
    ad_shape shape = ad_mat(sets, m);
    ad_var minor = ad_gather(minors, ad_constant_array(row.tape, shape, t.minor));
    ad_var element = ad_gather(row, ad_constant_array(row.tape, shape, t.column));
    ad_var sign = ad_constant_array(row.tape, shape, t.sign);
    return ad_sum_dims(ad_mul(minor, ad_mul(element, sign)), 2);
}

static ad_var determinant(gb_run *r, ad_var *A)
{
    int64_t choose[MOST_ROWS + 1][MOST_ROWS + 1], l = gb_whole(r, "ell");
    if (l < 1 || l > MOST_ROWS) gb_fail(r, "1 <= ell <= 20 is wanted");
    gb_new_tape(r);
    binomials(choose);
    *A = gb_parameter(r, "A", ad_vec(l * l), gb_numbers(r, "A", l * l));
    ad_var minors = ad_slice(*A, 0, (l - 1) * l, l);
    for (int m = 2; m <= l; m++)
        minors = expand(r, minors, ad_slice(*A, 0, (l - m) * l, l), (int)l, m, (const int64_t(*)[MOST_ROWS + 1])choose);
    return ad_at(minors, 0);
}

void gb_det_primal(gb_run *r)
{
    ad_var A, y = determinant(r, &A);
    gb_compile(r, &y, 1);
}

void gb_det_gradient(gb_run *r)
{
    ad_var A, y = determinant(r, &A), dA;
    ad_grad(y, &A, 1, &dA);
    gb_compile(r, &dA, 1);
}
