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
    bool mapped; /* a private mapping that may be written to, and that a table may take over */
} ebm_bytes;

/* Maps the file if it is a large npy file: sets at, length and mapped. False: it is to be read. */
bool ebm_map_file(const char *path, ebm_bytes *f);

/* FORMAT with «file: byte 12: …». The rest of the sentence says what was expected and what was found. */
#define EBM_BYTES_FAIL(f, offset, format, ...)                                                               \
    gibbs_fail((f)->error, GIBBS_FORMAT, "%s: byte %lld: " format, ebm_short_name((f)->name),                \
               (long long)(offset), __VA_ARGS__)

/* How a file is to be read, and what was found in it: neither is NULL. */
typedef struct ebm_source {
    const ebm_read_options *options;
    ebm_read_report *report;
    const gibbs_allocator *allocator;
} ebm_source;

/* What becomes of a file's columns. */
typedef struct ebm_selection {
    int64_t count;   /* columns of the table */
    int64_t weight;  /* the column of the weights; −1 */
    int64_t *place;  /* of each column: its place in the table; −1: it has none */
    bool *is_labels; /* of each column: it is text */
} ebm_selection;

/* Looks the columns of the options up, by name, by number; by default all are taken, from `first` on. The caller frees,
 * after an error, too. ARGUMENT, MEMORY. */
gibbs_status ebm_select(const ebm_bytes *f, const ebm_source *source, char *const *names, int64_t cols, int64_t first,
                        ebm_selection *out);
void ebm_selection_free(const gibbs_allocator *a, ebm_selection *s);

/* The column of that name, or of that number, from 1; −1 when there is none. */
int64_t ebm_column_of(const char *text, char *const *names, int64_t cols);

/* Whether the text is a column's number rather than a name. */
bool ebm_column_is_number(const char *text);

/* A whole number of `size` <= 8 bytes. */
uint64_t ebm_bytes_whole(const unsigned char *p, int size, bool big_endian);

/* How one number is stored: «i2», «f8». */
typedef struct ebm_number_type {
    const char *name;
    int size;                       /* bytes */
    double (*value)(uint64_t bits); /* the nearest double */
    const char *spellings;          /* other names, blanks around each */
} ebm_number_type;

/* b1, i1 … i8, u1 … u8, f2, f4 and f8; NULL for any other name. */
const ebm_number_type *ebm_number_type_named(const char *name);

/* The same, in one of NumPy's other spellings as well: float64, d, … */
const ebm_number_type *ebm_number_type_spelt(const char *name);

/* What an npy file begins with. */
enum { EBM_NPY_MAGIC = 6 };

/* Numbers from byte `at` to the end of the file. The first dimension counts the rows. */
enum { EBM_ARRAY_RANK = 255 };
typedef struct ebm_array {
    const char *format; /* for the report */
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
gibbs_status ebm_array_table(const ebm_bytes *f, const ebm_array *array, const ebm_source *source, ebm_data *out);

/* The readers. Each makes a table of a whole file, or leaves *out zeroed. */
typedef gibbs_status ebm_table_reader(const ebm_bytes *f, const ebm_source *source, ebm_data *out);
ebm_table_reader ebm_npy_table, ebm_idx_table;

/* FORMAT for a file of another kind that is known by its first bytes; for what is no text. */
gibbs_status ebm_refuse_foreign(const ebm_bytes *f);
gibbs_status ebm_refuse_binary(const ebm_bytes *f);

/* Unpacks a gzip file of one member or more. The caller releases *text, which is NULL after an error. */
gibbs_status ebm_gzip_unpack(const ebm_bytes *f, const ebm_source *source, char **text, int64_t *length);

#endif
