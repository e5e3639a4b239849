/* array.c — an array of numbers in a file's bytes to a table. */
#include "array.h"

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

#define WHOLE(name, type)                     \
    static double value_##name(uint64_t bits) \
    {                                         \
        return (double)(type)bits;            \
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

const ebm_number_type *ebm_number_type_named(const char *name)
{
    static const ebm_number_type numbers[] = {
        {"b1", 1, value_b1},       {"i1", 1, value_i1},       {"i2", 2, value_i2},       {"i4", 4, value_i4},
        {"i8", 8, value_i8},       {"u1", 1, value_unsigned}, {"u2", 2, value_unsigned}, {"u4", 4, value_unsigned},
        {"u8", 8, value_unsigned}, {"f4", 4, value_f4},       {"f8", 8, value_f8},
    };
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

gibbs_status ebm_array_table(const ebm_bytes *f, const ebm_array *array, const gibbs_allocator *a, ebm_data *out)
{
    int64_t cols = 0;
    gibbs_error found;
    *out = (ebm_data){0};
    gibbs_status status = measure(f, array);
    if (!status && product(array, 1, &cols)) status = ebm_data_new(array->dim[0], cols, NULL, a, out, f->error);
    if (status) return status;
    convert(f, array, out);
    status = ebm_data_check(out, &found);
    if (!status) return GIBBS_OK;
    ebm_data_free(out);
    return gibbs_fail_row(f->error, status, found.row, "%s: %.100s", ebm_short_name(f->name), found.message);
}
