/* idx_read.c — IDX, the format of MNIST: 0, 0, a type, a rank, then the dimensions and the numbers, all big endian. */
#include "array.h"

enum { IDX_TYPE = 2, IDX_RANK = 3, IDX_DIMENSIONS = 4, DIMENSION_BYTES = 4 };

/* The number that a type's byte stands for, by name; NULL for none. */
static const char *const types[] = {
    [0x08] = "u1", [0x09] = "i1", [0x0B] = "i2", [0x0C] = "i4", [0x0D] = "f4", [0x0E] = "f8",
};

static gibbs_status read_header(const ebm_bytes *f, ebm_array *array)
{
    int type = f->at[IDX_TYPE], rank = f->at[IDX_RANK];
    if (type >= GIBBS_COUNT(types) || !types[type])
        return EBM_BYTES_FAIL(f, IDX_TYPE, "expected a type of number (8, 9 or 11 to 14), found %d", type);
    if (!rank) return EBM_BYTES_FAIL(f, IDX_RANK, "expected a number of dimensions above 0, found %d", rank);
    *array = (ebm_array){.format = "IDX", .number = ebm_number_type_named(types[type]), .big_endian = true,
                         .rank = rank, .at = IDX_DIMENSIONS + (int64_t)DIMENSION_BYTES * rank};
    if (f->length < array->at)
        return EBM_BYTES_FAIL(f, f->length, "expected %d dimensions up to byte %lld, found the end", rank,
                              (long long)array->at);
    for (int k = 0; k < rank; k++)
        array->dim[k] = (int64_t)ebm_bytes_whole(f->at + IDX_DIMENSIONS + DIMENSION_BYTES * k, DIMENSION_BYTES, true);
    return GIBBS_OK;
}

gibbs_status ebm_idx_table(const ebm_bytes *f, const ebm_source *source, ebm_data *out)
{
    ebm_array array;
    *out = (ebm_data){0};
    for (int i = 0; i < IDX_DIMENSIONS; i++) {
        if (i == f->length) return EBM_BYTES_FAIL(f, i, "expected the %d bytes of an IDX magic, found the end", 4);
        if (i < IDX_TYPE && f->at[i]) return EBM_BYTES_FAIL(f, i, "expected 0, found %d: no IDX file", f->at[i]);
    }
    gibbs_status status = read_header(f, &array);
    return status ? status : ebm_array_table(f, &array, source, out);
}
