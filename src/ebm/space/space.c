/* space.c — the states of discrete variables, counted and listed. */
#include "space.h"

#include "ebm/model/program.h"

#include <math.h>

/* Without a list all variables are alike: nothing is counted one by one, as there may be any number of them. */
bool ebm_space_has_labels(const ebm_space *s)
{
    int64_t listed = s->labels_of ? s->variables : 1, v = 0;
    while (v < listed && ebm_space_labels(s, v) > 0) v++;
    return s->variables > 0 && v == listed;
}

int64_t ebm_space_dim(const ebm_space *s)
{
    int64_t dim = 0;
    if (!s || !ebm_space_has_labels(s)) return -1;
    if (!s->one_hot) return s->variables;
    if (!s->labels_of) return gibbs_mul_size(s->variables, ebm_space_labels(s, 0), &dim) ? dim : -1;
    for (int64_t v = 0; v < s->variables; v++)
        if (__builtin_add_overflow(dim, s->labels_of[v], &dim)) return -1;
    return dim;
}

int64_t ebm_space_size(const ebm_space *s)
{
    int64_t size = 1;
    if (ebm_space_dim(s) < 0) return -1;
    if (!s->labels_of && ebm_space_labels(s, 0) == 1) return 1;
    for (int64_t v = 0; v < s->variables; v++)
        if (!gibbs_mul_size(size, ebm_space_labels(s, v), &size)) return -1;
    return size;
}

/* One row: the digits of `number`, the last variable's the lowest. */
static void place(const ebm_space *s, int64_t dim, int64_t number, double *x)
{
    for (int64_t v = s->variables - 1, end = dim; v >= 0; v--) {
        int64_t labels = ebm_space_labels(s, v), digit = number % labels;
        number /= labels;
        if (!s->one_hot) {
            x[v] = s->values ? s->values[digit] : (double)digit;
            continue;
        }
        end -= labels;
        for (int64_t k = 0; k < labels; k++) x[end + k] = k == digit;
    }
}

void ebm_space_rows(const ebm_space *s, int64_t first, int64_t rows, double *x)
{
    int64_t dim = ebm_space_dim(s);
    for (int64_t r = 0; r < rows && dim > 0; r++) place(s, dim, first + r, x + r * dim);
}

gibbs_status ebm_space_check(const char *who, const ebm_space *s, gibbs_error *error)
{
    int64_t size = ebm_space_size(s);
    if (!ebm_space_has_labels(s))
        return gibbs_fail(error, GIBBS_ARGUMENT, "%s: the space has no variables, or one without labels", who);
    if (size < 0 || size > EBM_MOST_POINTS)
        return gibbs_fail(error, GIBBS_SIZE, "%s: %lld variables have more than 2^20 states", who,
                          (long long)s->variables);
    if (s->one_hot || !s->values) return GIBBS_OK;
    for (int64_t v = 0, checked = 0; v < s->variables; v++)
        for (; checked < ebm_space_labels(s, v); checked++)
            if (!isfinite(s->values[checked]))
                return gibbs_fail(error, GIBBS_ARGUMENT, "%s: %g stands for label %lld", who, s->values[checked],
                                  (long long)checked);
    return GIBBS_OK;
}

/* ---- As the columns of rows ---- */

gibbs_status ebm_space_of_rows(const char *who, const ebm_space *from, int64_t dim, ebm_space *s, gibbs_error *error)
{
    static const double bits[2] = {0, 1};
    int64_t labels = ebm_space_labels(from, 0), width = from->one_hot ? labels : 1;
    for (int64_t v = 1; from->labels_of && v < from->variables; v++)
        if (from->labels_of[v] != labels)
            return gibbs_fail(error, GIBBS_ARGUMENT, "%s: a space whose variables have %lld and %lld labels: all must "
                              "have as many here", who, (long long)labels, (long long)from->labels_of[v]);
    if (labels < 2 || (!from->one_hot && labels > 2))
        return gibbs_fail(error, GIBBS_ARGUMENT, "%s: a space of %lld labels in %s: 2 can be in a column, and 2 or more "
                          "in one-hot blocks", who, (long long)labels, from->one_hot ? "a block" : "one column");
    if (dim % width)
        return gibbs_fail(error, GIBBS_ARGUMENT, "%s: %lld columns are no blocks of %lld labels", who, (long long)dim,
                          (long long)labels);
    if (from->variables && from->variables != dim / width)
        return gibbs_fail(error, GIBBS_SHAPE, "%s: the rows have %lld columns, which are %lld variables; the space has "
                          "%lld", who, (long long)dim, (long long)(dim / width), (long long)from->variables);
    const double *values = from->values && !from->one_hot ? from->values : bits;
    *s = (ebm_space){.variables = dim / width, .labels = labels, .one_hot = from->one_hot != 0, .values = values};
    if (isfinite(values[0]) && isfinite(values[1]) && values[0] != values[1]) return GIBBS_OK;
    return gibbs_fail(error, GIBBS_ARGUMENT, "%s: a two-valued variable has the values %g and %g", who, values[0],
                      values[1]);
}

static bool is_value(const ebm_space *s, double v)
{
    return v == s->values[0] || v == s->values[1] || v == (float)s->values[0] || v == (float)s->values[1];
}

gibbs_status ebm_space_check_row(const char *who, const ebm_space *s, gibbs_dtype dtype, const void *x, int64_t first,
                                 int64_t column, gibbs_error *error)
{
    int64_t width = s->one_hot ? s->labels : 1;
    double ones = 0;
    for (int64_t i = 0; i < s->variables * width; i++) {
        double v = ebm_number(dtype, x, first + i);
        if (!is_value(s, v))
            return gibbs_fail(error, GIBBS_DATA, "%s: column %lld is %g, neither %g nor %g (options.space)", who,
                              (long long)(column + i) + 1, v, s->values[0], s->values[1]);
        ones = i % width ? ones + v : v;
        if (s->one_hot && i % width == width - 1 && ones != 1)
            return gibbs_fail(error, GIBBS_DATA, "%s: the block that ends in column %lld has %g ones, not one", who,
                              (long long)(column + i) + 1, ones);
    }
    return GIBBS_OK;
}
