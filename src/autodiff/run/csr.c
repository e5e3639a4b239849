/* csr.c — the Jacobian of samples that read rows of tables, put where the rows are in the matrix of all tables. */
#include "autodiff/kernel/kernels.h"

#include <gibbs/plan.h>

#include <string.h>

typedef struct sparse {
    const ad_kernels *kernels;
    int64_t samples, residuals, width; /* of a row of the Jacobian */
    const ad_csr_block *block;
    int blocks;
    int64_t *column;
    char *value;
    int64_t entries;
} sparse;

/* The row of the table that the sample read; −1: none. */
static int64_t row_of(const sparse *s, const ad_csr_block *b, int64_t sample)
{
    if (!b->index) return b->rows == 1 ? 0 : sample;
    double index = s->kernels->get(b->index, sample);
    int64_t row = index >= 0 && index < (double)b->rows ? (int64_t)index : -1;
    return (double)row == index ? row : -1;
}

static int64_t first_column(const sparse *s, const ad_csr_block *b, int64_t sample)
{
    return b->first + row_of(s, b, sample) * b->columns;
}

/* ---- What is asked for ---- */

static gibbs_status check_blocks(sparse *s, gibbs_error *error)
{
    for (int k = 0; k < s->blocks; k++) {
        const ad_csr_block *b = &s->block[k];
        bool counts = !b->index || s->kernels->size > sizeof(float) || b->rows <= 1 << 24;
        int64_t size;
        if (b->columns < 1 || b->rows < 1 || b->first < 0 || (!b->index && b->rows != 1 && b->rows != s->samples))
            return gibbs_fail(error, GIBBS_ARGUMENT, "csr: block %d has %lld rows of %lld columns from %lld on%s", k,
                              (long long)b->rows, (long long)b->columns, (long long)b->first,
                              b->index ? "" : "; without an index it has 1 row, or one a sample");
        if (!gibbs_mul_size(b->rows, b->columns, &size) || size > INT64_MAX - b->first || b->columns > INT32_MAX ||
            !counts)
            return gibbs_fail(error, GIBBS_SIZE, "csr: the columns or rows of block %d are too many%s", k,
                              counts ? "" : " for an index in float32");
        s->width += b->columns;
    }
    return GIBBS_OK;
}

/* Tables are apart, or one and the same. */
static gibbs_status check_apart(const sparse *s, gibbs_error *error)
{
    for (int k = 0; k < s->blocks; k++)
        for (int l = 0; l < k; l++) {
            const ad_csr_block *a = &s->block[k], *b = &s->block[l];
            bool same = a->first == b->first && a->rows == b->rows && a->columns == b->columns;
            bool apart = a->first + a->rows * a->columns <= b->first || b->first + b->rows * b->columns <= a->first;
            if (!same && !apart)
                return gibbs_fail(error, GIBBS_ARGUMENT, "csr: the tables of blocks %d and %d overlap; give them "
                                  "columns of their own, or make them one table", l, k);
        }
    return GIBBS_OK;
}

static gibbs_status check_indices(const sparse *s, gibbs_error *error)
{
    for (int64_t n = 0; n < s->samples; n++)
        for (int k = 0; k < s->blocks; k++) {
            const ad_csr_block *b = &s->block[k];
            if (row_of(s, b, n) >= 0) continue;
            gibbs_fail(error, GIBBS_DATA, "csr: index %g of block %d at sample %lld is no whole number from 0 to %lld",
                       s->kernels->get(b->index, n), k, (long long)n, (long long)b->rows - 1);
            if (error) error->row = n;
            return GIBBS_DATA;
        }
    return GIBBS_OK;
}

/* ---- Rows ---- */

/* The block whose columns are the first from `from` on; −1: none. */
static int next_block(const sparse *s, int64_t sample, int64_t from)
{
    int next = -1;
    int64_t least = 0;
    for (int k = 0; k < s->blocks; k++) {
        int64_t first = first_column(s, &s->block[k], sample);
        if (first < from || (next >= 0 && first >= least)) continue;
        next = k;
        least = first;
    }
    return next;
}

/* The numbers of a row of the Jacobian for those columns, of all blocks that have them. */
static void write_block(sparse *s, int64_t sample, const char *row, int64_t first, int64_t columns)
{
    const int64_t size = (int64_t)s->kernels->size;
    char *to = s->value + s->entries * size;
    bool begun = false;
    for (int k = 0; k < s->blocks; row += s->block[k++].columns * size) {
        if (first_column(s, &s->block[k], sample) != first) continue;
        if (begun) s->kernels->binary[OP_add](columns, to, to, 1, row, 1);
        else memcpy(to, row, (size_t)(columns * size));
        begun = true;
    }
    for (int64_t j = 0; j < columns; j++) s->column[s->entries++] = first + j;
}

static void write_row(sparse *s, int64_t sample, const char *row)
{
    for (int64_t from = 0;;) {
        int k = next_block(s, sample, from);
        if (k < 0) return;
        int64_t first = first_column(s, &s->block[k], sample);
        write_block(s, sample, row, first, s->block[k].columns);
        from = first + s->block[k].columns;
    }
}

gibbs_status ad_csr(gibbs_dtype dtype, int64_t samples, int64_t residuals, const void *jacobian,
                    const ad_csr_block *block, int blocks, int64_t *row_start, int64_t *column, void *value,
                    gibbs_error *error)
{
    int64_t rows, numbers;
    if ((unsigned)dtype > GIBBS_FLOAT32) return gibbs_fail(error, GIBBS_DTYPE, "csr: no such number type");
    if (!jacobian || !block || !row_start || !column || !value || samples < 1 || residuals < 1 || blocks < 1)
        return gibbs_fail(error, GIBBS_ARGUMENT, "csr: NULL, or no samples (%lld), residuals (%lld) or blocks (%d)",
                          (long long)samples, (long long)residuals, blocks);
    sparse s = {ad_kernels_for(dtype), samples, residuals, 0, block, blocks, column, value, 0};
    gibbs_status status = check_blocks(&s, error);
    if (!status) status = check_apart(&s, error);
    if (!status) status = check_indices(&s, error);
    if (status) return status;
    if (!gibbs_mul_size(samples, residuals, &rows) || !gibbs_mul_size(rows, s.width, &numbers))
        return gibbs_fail(error, GIBBS_SIZE, "csr: a Jacobian of so many numbers is too large");
    for (int64_t r = 0; r < rows; r++) {
        row_start[r] = s.entries;
        write_row(&s, r / residuals, (const char *)jacobian + r * s.width * (int64_t)s.kernels->size);
    }
    row_start[rows] = s.entries;
    return GIBBS_OK;
}
