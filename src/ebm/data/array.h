/* array.h — what the readers of binary tables share: a file's bytes, errors that say where in them, and the way from an
 * array of numbers among them to a table. */
#ifndef EBM_ARRAY_H
#define EBM_ARRAY_H

#include "data_private.h"

typedef struct ebm_bytes {
    const unsigned char *at;
    int64_t length;
    const char *name; /* of the file, for messages */
    gibbs_error *error;
} ebm_bytes;

/* FORMAT with «file: byte 12: …». The rest of the sentence says what was expected and what was found. */
#define EBM_BYTES_FAIL(f, offset, format, ...)                                                               \
    gibbs_fail((f)->error, GIBBS_FORMAT, "%s: byte %lld: " format, ebm_short_name((f)->name),                \
               (long long)(offset), __VA_ARGS__)

/* A whole number of `size` <= 8 bytes. */
uint64_t ebm_bytes_whole(const unsigned char *p, int size, bool big_endian);

/* How one number is stored: «i2», «f8». */
typedef struct ebm_number_type {
    const char *name;
    int size;                       /* bytes */
    double (*value)(uint64_t bits); /* the nearest double */
} ebm_number_type;

/* b1, i1 … i8, u1 … u8, f4 and f8; NULL for any other name. */
const ebm_number_type *ebm_number_type_named(const char *name);

/* Numbers from byte `at` to the end of the file. The first dimension counts the rows. */
enum { EBM_ARRAY_RANK = 255 };
typedef struct ebm_array {
    const ebm_number_type *number;
    bool big_endian;
    bool first_fastest; /* Fortran order: the first index moves fastest, not the last */
    int rank;           /* at least 1 */
    int64_t dim[EBM_ARRAY_RANK];
    int64_t at;
} ebm_array;

/* A table of dim[0] rows; the other dimensions are columns, the last moving fastest whatever the order in the file.
 * The file's length is compared with the shape before memory is asked for. FORMAT (data are missing or left over),
 * DATA (no numbers; NaN or infinity), MEMORY; on error *out is zeroed. */
gibbs_status ebm_array_table(const ebm_bytes *f, const ebm_array *array, const gibbs_allocator *a, ebm_data *out);

/* The readers. Each makes a table of a whole file, or leaves *out zeroed. */
gibbs_status ebm_npy_table(const ebm_bytes *f, const gibbs_allocator *a, ebm_data *out);
gibbs_status ebm_idx_table(const ebm_bytes *f, const gibbs_allocator *a, ebm_data *out);

/* Unpacks a gzip file of one member or more. The caller releases *text, which is NULL after an error. */
gibbs_status ebm_gzip_unpack(const ebm_bytes *f, const gibbs_allocator *a, char **text, int64_t *length);

#endif
