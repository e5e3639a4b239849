/* csr.c — the Jacobian of samples that read rows of tables, put where the rows are in the matrix of all tables. */
#include "autodiff/kernel/kernels.h"

#include <gibbs/plan.h>

#include <string.h>

enum { MOST_BLOCKS = 64 };

typedef struct sparse {
    const ad_kernels *kernels;
    int64_t samples, residuals, width; /* of a row of the Jacobian */
    const ad_csr_block *block;
    int blocks;
    int64_t *column;
    char *value;
    int64_t entries;
    int64_t first[MOST_BLOCKS]; /* of the sample at hand, each block's first column */
    int64_t at[MOST_BLOCKS];    /* where a block begins in a row of the Jacobian */
    int order[MOST_BLOCKS];     /* the blocks by ascending columns */
    bool ascending;             /* … is their own, and no two are at one place */
} sparse;

static double number_at(const sparse *s, const void *index, int64_t sample)
{
    bool doubles = s->kernels->size == sizeof(double);
    return doubles ? ((const double *)index)[sample] : (double)((const float *)index)[sample];
}

/* The row of the table that the sample read; −1: none. */
static int64_t row_of(const sparse *s, const ad_csr_block *b, int64_t sample)
{
    if (!b->index) return b->rows == 1 ? 0 : sample;
    double index = number_at(s, b->index, sample);
    int64_t row = index >= 0 && index < (double)b->rows ? (int64_t)index : -1;
    return (double)row == index ? row : -1;
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
        s->at[k] = s->width;
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
                       number_at(s, b->index, n), k, (long long)n, (long long)b->rows - 1);
            if (error) error->row = n;
            return GIBBS_DATA;
        }
    return GIBBS_OK;
}

/* ---- Rows ---- */

static void sort_blocks(sparse *s, int64_t sample)
{
    s->ascending = true;
    for (int k = 0; k < s->blocks; k++) {
        const ad_csr_block *b = &s->block[k];
        int at = k;
        s->first[k] = b->first + row_of(s, b, sample) * b->columns;
        for (; at > 0 && s->first[s->order[at - 1]] > s->first[k]; at--) s->order[at] = s->order[at - 1];
        s->order[at] = k;
        s->ascending &= at == k && (k == 0 || s->first[s->order[k - 1]] < s->first[k]);
    }
}

/* Blocks at one place are added up. */
static void write_row(sparse *s, const char *row)
{
    const int64_t size = (int64_t)s->kernels->size;
    for (int j = 0; j < s->blocks; j++) {
        int k = s->order[j];
        int64_t columns = s->block[k].columns, first = s->first[k];
        const char *from = row + s->at[k] * size;
        bool begun = j > 0 && s->first[s->order[j - 1]] == first;
        char *to = s->value + (s->entries - begun * columns) * size;
        if (begun) s->kernels->binary[OP_add](columns, to, to, 1, from, 1);
        else memcpy(to, from, (size_t)(columns * size));
        for (int64_t c = 0; c < columns && !begun; c++) s->column[s->entries++] = first + c;
    }
}

/* All rows of a sample have the same columns, and mostly the numbers lie as they should. */
static void write_sample(sparse *s, const char *rows, int64_t *row_start)
{
    const int64_t size = (int64_t)s->kernels->size;
    if (s->ascending) memcpy(s->value + s->entries * size, rows, (size_t)(s->residuals * s->width * size));
    for (int64_t e = 0; e < s->residuals; e++, rows += s->width * size) {
        row_start[e] = s->entries;
        if (!s->ascending) write_row(s, rows);
        for (int k = 0; s->ascending && k < s->blocks; k++)
            for (int64_t c = 0; c < s->block[k].columns; c++) s->column[s->entries++] = s->first[k] + c;
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
    if (blocks > MOST_BLOCKS)
        return gibbs_fail(error, GIBBS_ARGUMENT, "csr: %d blocks; at most %d", blocks, MOST_BLOCKS);
    sparse s = {.kernels = ad_kernels_for(dtype), .samples = samples, .residuals = residuals, .block = block,
                .blocks = blocks, .column = column, .value = value};
    gibbs_status status = check_blocks(&s, error);
    if (!status) status = check_apart(&s, error);
    if (!status) status = check_indices(&s, error);
    if (status) return status;
    if (!gibbs_mul_size(samples, residuals, &rows) || !gibbs_mul_size(rows, s.width, &numbers))
        return gibbs_fail(error, GIBBS_SIZE, "csr: a Jacobian of so many numbers is too large");
    for (int64_t n = 0; n < samples; n++) {
        sort_blocks(&s, n);
        write_sample(&s, (const char *)jacobian + n * residuals * s.width * (int64_t)s.kernels->size,
                     row_start + n * residuals);
    }
    row_start[rows] = s.entries;
    return GIBBS_OK;
}
