/* array.c — an array of numbers in a file's bytes to a table. */
#include "array.h"

#include <math.h>
#include <string.h>

uint64_t ebm_bytes_whole(const unsigned char *p, int size, bool big_endian)
{
    uint64_t whole = 0;
    for (int i = 0; i < size; i++) whole = whole << 8 | p[big_endian ? i : size - 1 - i];
    return whole;
}

/* ---- Numbers ---- */

static double value_b1(uint64_t bits)
{
    return bits != 0;
}

#define WHOLE(name, type)                                                                                              \
    static double value_##name(uint64_t bits)                                                                          \
    {                                                                                                                  \
        return (double)(type)bits;                                                                                     \
    }
WHOLE(i1, int8_t)
WHOLE(i2, int16_t)
WHOLE(i4, int32_t)
WHOLE(i8, int64_t)
WHOLE(unsigned, uint64_t)

static double value_f4(uint64_t bits)
{
    uint32_t half = (uint32_t)bits;
    float x;
    memcpy(&x, &half, sizeof x);
    return x;
}

static double value_f8(uint64_t bits)
{
    double x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

/* One sign bit, five of the exponent, ten of the fraction. */
static double value_f2(uint64_t bits)
{
    int exponent = (int)(bits >> 10 & 31);
    double fraction = (double)(bits & 1023), x;
    if (exponent == 31) x = fraction ? NAN : INFINITY;
    else x = exponent ? ldexp(1024 + fraction, exponent - 25) : ldexp(fraction, -24);
    return bits >> 15 ? -x : x;
}

/* The upper half of a float32. */
static double value_bf16(uint64_t bits)
{
    return value_f4(bits << 16);
}

static const ebm_number_type numbers[] = {
    {"BF16", 2, value_bf16, ""},
    {"b1", 1, value_b1, " ? bool "},
    {"i1", 1, value_i1, " int8 b "},
    {"i2", 2, value_i2, " int16 h "},
    {"i4", 4, value_i4, " int32 i "},
    {"i8", 8, value_i8, " int64 q "},
    {"u1", 1, value_unsigned, " uint8 B "},
    {"u2", 2, value_unsigned, " uint16 H "},
    {"u4", 4, value_unsigned, " uint32 I "},
    {"u8", 8, value_unsigned, " uint64 Q "},
    {"f2", 2, value_f2, " float16 e "},
    {"f4", 4, value_f4, " float32 f "},
    {"f8", 8, value_f8, " float64 d "},
};

const ebm_number_type *ebm_number_type_spelt(const char *name)
{
    const ebm_number_type *found = strcmp(name, "BF16") ? ebm_number_type_named(name) : NULL;
    char word[16];
    int length = snprintf(word, sizeof word, " %s ", name);
    if (strchr(name, ' ') || length >= (int)sizeof word) return NULL;
    for (int i = 0; i < GIBBS_COUNT(numbers) && !found; i++)
        if (strstr(numbers[i].spellings, word)) found = &numbers[i];
    return found;
}

const ebm_number_type *ebm_number_type_named(const char *name)
{
    for (int i = 0; i < GIBBS_COUNT(numbers); i++)
        if (strcmp(name, numbers[i].name) == 0) return &numbers[i];
    return NULL;
}

/* ---- Arrays ---- */

/* The product of the dimensions from `first` on, 0 when one of them is; false when it does not fit. */
static bool product(const ebm_array *array, int first, int64_t *out)
{
    bool fits = true;
    *out = 1;
    for (int k = first; k < array->rank; k++)
        if (array->dim[k] == 0) return *out = 0, true;
    for (int k = first; k < array->rank && fits; k++) fits = gibbs_mul_size(*out, array->dim[k], out);
    return fits;
}

/* The numbers take all that is left of the file, and no more. */
static gibbs_status measure(const ebm_bytes *f, const ebm_array *array)
{
    int64_t count, bytes, found = f->length - array->at;
    if (!product(array, 0, &count) || !gibbs_mul_size(count, array->number->size, &bytes))
        return EBM_BYTES_FAIL(f, array->at, "expected more than 2^63 bytes of data, found %lld", (long long)found);
    if (bytes > found)
        return EBM_BYTES_FAIL(f, array->at, "expected %lld bytes of data, found %lld", (long long)bytes,
                              (long long)found);
    if (bytes < found)
        return EBM_BYTES_FAIL(f, array->at + bytes, "expected the end of the data, found %lld byte%s more",
                              (long long)(found - bytes), gibbs_plural(found - bytes));
    if (!count) return gibbs_fail(f->error, GIBBS_DATA, "'%s' has no rows of numbers", ebm_short_name(f->name));
    return GIBBS_OK;
}

/* A column counts the other dimensions with the last moving fastest; this is its number when the first does. */
static int64_t place_of(const ebm_array *array, int64_t cols, int64_t col)
{
    int64_t place = 0, stride = cols;
    for (int k = array->rank - 1; k > 0; k--) {
        stride /= array->dim[k];
        place += col % array->dim[k] * stride;
        col /= array->dim[k];
    }
    return place;
}

/* The file is read in runs: one column after the other in Fortran order, else all numbers in one. */
static void convert(const ebm_bytes *f, const ebm_array *array, ebm_data *out)
{
    const ebm_number_type *number = array->number;
    int64_t runs = array->first_fastest ? out->cols : 1, length = out->rows * out->cols / runs;
    for (int64_t run = 0; run < runs; run++) {
        int64_t place = runs > 1 ? place_of(array, runs, run) : 0;
        const unsigned char *p = f->at + array->at + place * length * number->size;
        for (int64_t i = 0; i < length; i++, p += number->size)
            out->x[i * runs + run] = number->value(ebm_bytes_whole(p, number->size, array->big_endian));
    }
}

/* Of each row the columns that were chosen, in place; *first tells of the first missing value. Infinities are DATA. */
static gibbs_status pick(const ebm_bytes *f, const ebm_source *source, const ebm_selection *s, double *row_buffer,
                         ebm_data *out, int64_t *first)
{
    ebm_read_report *report = source->report;
    int64_t rows = out->rows, cols = out->cols, kept = 0;
    for (int64_t row = 0; row < rows; row++) {
        bool whole = true;
        memcpy(row_buffer, out->x + row * cols, (size_t)cols * sizeof *row_buffer);
        for (int64_t c = 0; c < cols; c++) {
            double value = row_buffer[c];
            if (s->place[c] < 0 && c != s->weight) continue;
            if (isinf(value))
                return gibbs_fail_row(f->error, GIBBS_DATA, row, "%s: row %lld, column %lld is infinite",
                                      ebm_short_name(f->name), (long long)row + 1, (long long)c + 1);
            if (isnan(value) && !report->missing++) *first = row * cols + c;
            whole &= !isnan(value);
            double *to = c == s->weight ? &out->weight[kept] : &out->x[kept * s->count + s->place[c]];
            if (to != &out->x[row * cols + c]) *to = value; /* pages of a mapping stay the file's */
        }
        kept += whole;
    }
    report->dropped = rows - kept;
    out->rows = kept;
    out->cols = s->count;
    return GIBBS_OK;
}

static gibbs_status check_missing(const ebm_bytes *f, const ebm_source *source, int64_t cols, int64_t first,
                                  const ebm_data *out)
{
    const ebm_read_report *report = source->report;
    char count[48] = "";
    if (report->missing > 1) snprintf(count, sizeof count, ", the first of %lld", (long long)report->missing);
    if (report->missing && source->options->missing == EBM_MISSING_REFUSE)
        return gibbs_fail_row(
            f->error, GIBBS_DATA, first / cols,
            "%s: row %lld, column %lld is NaN, a missing value%s: fill it in, or have such rows dropped "
            "(missing)",
            ebm_short_name(f->name), (long long)(first / cols) + 1, (long long)(first % cols) + 1, count);
    if (out->rows) return GIBBS_OK;
    return gibbs_fail(f->error, GIBBS_DATA, "%s: no row is left: all %lld have missing values", ebm_short_name(f->name),
                      (long long)report->dropped);
}

static gibbs_status choose(const ebm_bytes *f, const ebm_source *source, const ebm_selection *s, ebm_data *out)
{
    const gibbs_allocator *a = source->allocator;
    int64_t cols = out->cols, first = 0;
    gibbs_error found;
    double *row_buffer = gibbs_alloc(a, (size_t)cols, sizeof *row_buffer);
    if (s->weight >= 0) out->weight = gibbs_alloc(a, (size_t)out->rows, sizeof *out->weight);
    gibbs_status status = GIBBS_OK;
    if (!row_buffer || (s->weight >= 0 && !out->weight))
        status = gibbs_fail(f->error, GIBBS_MEMORY, "no memory for the table in '%s'", ebm_short_name(f->name));
    if (!status) status = pick(f, source, s, row_buffer, out, &first);
    gibbs_release(a, row_buffer);
    if (!status) status = check_missing(f, source, cols, first, out);
    if (status || !out->weight) return status;
    out->weight_kind = source->options->weight_kind;
    status = ebm_data_check(out, &found);
    if (!status) return GIBBS_OK;
    return gibbs_fail_row(f->error, status, found.row, "%s: %.150s", ebm_short_name(f->name), found.message);
}

static void tell(const ebm_array *array, const ebm_data *out, ebm_read_report *report)
{
    int used = snprintf(report->text, sizeof report->text, "%s file of %s, %lld rows of %lld columns", array->format,
                        array->number->name, (long long)(out->rows + report->dropped), (long long)out->cols);
    if (report->dropped)
        snprintf(report->text + used, sizeof report->text - (size_t)used,
                 "; %lld rows dropped, for %lld missing value%s", (long long)report->dropped,
                 (long long)report->missing, gibbs_plural(report->missing));
}

/* The numbers lie in a mapping as they do in a table. */
static bool is_table(const ebm_bytes *f, const ebm_array *array, int64_t cols)
{
    bool ours = array->big_endian == (__BYTE_ORDER__ == __ORDER_BIG_ENDIAN__);
    bool in_order = !array->first_fastest || cols == 1 || array->dim[0] == 1;
    return f->mapped && ours && in_order && !strcmp(array->number->name, "f8") &&
           array->at % (int64_t)sizeof(double) == 0;
}

static gibbs_status fill(const ebm_bytes *f, const ebm_array *array, int64_t cols, const gibbs_allocator *a,
                         ebm_data *out)
{
    if (is_table(f, array, cols)) {
        *out = (ebm_data){.rows = array->dim[0],
                          .cols = cols,
                          .x = (double *)(f->at + array->at),
                          .allocator = *a,
                          .map = (void *)f->at,
                          .map_bytes = f->length};
        return GIBBS_OK;
    }
    gibbs_status status = ebm_data_new(array->dim[0], cols, a, out, f->error);
    if (!status) convert(f, array, out);
    return status;
}

gibbs_status ebm_array_table(const ebm_bytes *f, const ebm_array *array, const ebm_source *source, ebm_data *out)
{
    int64_t cols = 0;
    ebm_selection selection = {.count = 0};
    *out = (ebm_data){0};
    if (source->options->label_count)
        return gibbs_fail(f->error, GIBBS_ARGUMENT, "%s: labels: there is no text in %s files", ebm_short_name(f->name),
                          array->format);
    gibbs_status status = measure(f, array);
    if (status || !product(array, 1, &cols)) return status;
    status = ebm_select(f, source, NULL, cols, 0, &selection);
    if (!status) status = fill(f, array, cols, source->allocator, out);
    if (!status) status = choose(f, source, &selection, out);
    ebm_selection_free(source->allocator, &selection);
    if (status) ebm_data_free(out);
    else tell(array, out, source->report);
    return status;
}
