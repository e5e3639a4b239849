/* gibbs/data.h — tables of numbers: reading, checking, standardising and splitting them; tensor files. */
#ifndef GIBBS_DATA_H
#define GIBBS_DATA_H

#include <gibbs/ad.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A table of `rows` observations of `cols` variables, row-major: x[row * cols + col]. Fill it with one of the
 * functions below; free it with ebm_data_free, which also accepts a zeroed struct. `names` holds one string a
 * column (from the CSV's header), or is NULL. */
typedef struct ebm_data {
    int64_t rows, cols;
    double *x;
    char **names;
    gibbs_allocator allocator;
} ebm_data;

/* Reads comma separated numbers (RFC 4180: quotes, CRLF, a UTF-8 byte order mark are understood). A first line
 * in which some field is not a number is taken as the header. Blank lines at the end are ignored. Every field
 * must be one finite number in C notation, whatever the locale; every line must have as many as the first.
 * Errors: IO (cannot be read), FORMAT with «file:line: …» and the column (ragged line, not a number, open
 * quote), DATA (no rows, NaN or infinity: row and column are named), SIZE, MEMORY. On error *out is zeroed. */
gibbs_status ebm_data_read_csv(const char *path, const gibbs_allocator *allocator, ebm_data *out, gibbs_error *error);

/* The same from memory; `name` stands for the file in messages. `text` need not end in a NUL. */
gibbs_status ebm_data_parse_csv(const char *text, size_t length, const char *name, const gibbs_allocator *allocator,
                                ebm_data *out, gibbs_error *error);

/* A copy of rows × cols numbers. Errors: DATA (empty; NaN or infinity, row and column named), SIZE, MEMORY. */
gibbs_status ebm_data_from(const double *x, int64_t rows, int64_t cols, const gibbs_allocator *allocator, ebm_data *out,
                           gibbs_error *error);

/* Writes a CSV with full precision (17 digits), header included when there are names. Errors: IO. */
gibbs_status ebm_data_write_csv(const char *path, const ebm_data *data, gibbs_error *error);

/* OK when the table has at least one row and one column and every number is finite; else DATA, naming the first
 * bad row and column (counted from 1, the column also by its name when there is one). */
gibbs_status ebm_data_check(const ebm_data *data, gibbs_error *error);

/* Subtracts each column's mean and divides by its standard deviation (divisor rows), in place; the `cols` means
 * and deviations are written to mean[] and sd[] (either may be NULL). DATA when a column is constant (named). */
gibbs_status ebm_data_standardise(ebm_data *data, double *mean, double *sd, gibbs_error *error);

/* Applies x ← (x − mean)/sd with given figures, such as those of the training rows to the held-out rows. */
gibbs_status ebm_data_apply_scale(ebm_data *data, const double *mean, const double *sd, gibbs_error *error);

/* Splits the rows at random (a Philox shuffle by `seed`: the same split everywhere) into `train` and `held`,
 * the latter with round(fraction·rows) rows. 0 < fraction < 1, and both parts get at least one row, else
 * ARGUMENT. Rows keep their order within each part. The caller frees both. */
gibbs_status ebm_data_split(const ebm_data *data, double fraction, uint64_t seed, ebm_data *train, ebm_data *held,
                            gibbs_error *error);

void ebm_data_free(ebm_data *data);

/* One named array of a tensor file. `data` points to shape-many numbers of `dtype`, row-major. */
typedef struct ebm_tensor {
    const char *name;
    gibbs_dtype dtype;
    ad_shape shape;
    void *data;
} ebm_tensor;

/* What ebm_tensors_read made: `count` tensors, all owned by this struct. */
typedef struct ebm_tensors {
    int count;
    ebm_tensor *tensor;
    gibbs_allocator allocator;
} ebm_tensors;

/* Writes a safetensors file (github.com/huggingface/safetensors: 8-byte header length, JSON header, data), to a
 * temporary name beside `path` which is then renamed: a crash leaves the old file whole. Errors: ARGUMENT (a
 * name twice, or empty, or "__metadata__"), IO. */
gibbs_status ebm_tensors_write(const char *path, const ebm_tensor *tensor, int count, gibbs_error *error);

/* Reads one. Anything malformed is FORMAT with a sentence: a header that is no strict JSON object, duplicate
 * keys, a dtype other than F32 and F64, offsets that overlap, leave gaps, exceed the file or disagree with the
 * shape, trailing bytes. On error *out is zeroed. */
gibbs_status ebm_tensors_read(const char *path, const gibbs_allocator *allocator, ebm_tensors *out, gibbs_error *error);

/* The tensor of that name, or NULL. */
const ebm_tensor *ebm_tensors_find(const ebm_tensors *tensors, const char *name);

void ebm_tensors_free(ebm_tensors *tensors);

#ifdef __cplusplus
}
#endif
#endif
