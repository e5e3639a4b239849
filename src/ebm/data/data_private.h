/* data_private.h — what the files of this folder share: whole files in, whole files out, and words for messages. */
#ifndef EBM_DATA_PRIVATE_H
#define EBM_DATA_PRIVATE_H

#include "base/base.h"

#include <gibbs/data.h>

#include <locale.h>
#include <stdio.h>

/* IO (MEMORY when errno says so) with «cannot <verb> '<path>': <the system's reason>», from errno. */
gibbs_status ebm_io_fail(gibbs_error *error, const char *verb, const char *path);

/* The end of a long name, so that a message about a file keeps room for what was wrong with it. */
const char *ebm_short_name(const char *name);

/* Reads all of a file, which may be a pipe. The caller releases *text, which is NULL after an error. */
gibbs_status ebm_read_file(const char *path, const gibbs_allocator *a, char **text, int64_t *length,
                           gibbs_error *error);

/* A file being written under a temporary name beside its own. What is no regular file (a pipe, a terminal) is
 * written in place and has no temporary name. */
typedef struct ebm_writer {
    FILE *file;
    char *target, *temporary;
} ebm_writer;

/* After OK the writer must be closed. Close with the status of the writing: OK puts the file in place, anything
 * else drops it and comes back. Errors of the stream are found here at the latest. */
gibbs_status ebm_writer_open(const char *path, ebm_writer *writer, gibbs_error *error);
gibbs_status ebm_writer_close(ebm_writer *writer, gibbs_status status, gibbs_error *error);

/* This thread's numbers are in C notation between enter and leave. False when memory is out. */
typedef struct ebm_locale {
    locale_t c, before;
} ebm_locale;
bool ebm_locale_enter(ebm_locale *l);
void ebm_locale_leave(const ebm_locale *l);

/* «column 2 (waiting)», or without the name when there is none. Columns count from 0 here, from 1 in the text. */
enum { EBM_LABEL_SIZE = 96 };
const char *ebm_column_label(char label[EBM_LABEL_SIZE], char *const *names, int64_t col);

/* The allocator of a table, also of one that the caller filled by hand and left without. */
gibbs_allocator ebm_data_allocator(const ebm_data *data);

/* Σ w over the rows, or how many there are. */
double ebm_data_weight(const ebm_data *data);

/* The row at which the place (0 to 1) lies, where rows lie one after another, each as long as it weighs. */
int64_t ebm_data_row_at(const ebm_data *data, double place);

/* ARGUMENT where rows have weights, which `who` cannot count. */
gibbs_status ebm_refuse_weights(const char *who, const ebm_data *data, gibbs_error *error);

/* DATA when the table has no rows, no columns or no numbers. */
gibbs_status ebm_data_not_empty(const ebm_data *data, gibbs_error *error);

/* An unfilled table. SIZE, MEMORY; on error *out is zeroed. */
gibbs_status ebm_data_new(int64_t rows, int64_t cols, const gibbs_allocator *a, ebm_data *out, gibbs_error *error);

/* A column's name in a CSV, quoted where it must be; and the header of an npy file of float64, of at most 3
 * dimensions. */
void ebm_csv_write_name(FILE *file, const char *name);
void ebm_npy_write_header(FILE *file, const int64_t *dim, int rank);

/* An unfilled table with the allocator of `like`, names and labels of those of its columns (NULL: all; −1: a column
 * that has none, and gets its name from the caller), and room for weights where `like` has them. */
gibbs_status ebm_data_like(const ebm_data *like, int64_t rows, const int64_t *column, int64_t cols, ebm_data *out,
                           gibbs_error *error);

/* Gives a mapping back; NULL is none. */
void ebm_map_release(void *map, int64_t length);

/* A copy of labels. False when memory is out; what is there is then the caller's to free. */
bool ebm_labels_copy(const ebm_labels *from, const gibbs_allocator *a, ebm_labels *out);

/* True when the text is one number in C decimal notation, spaces around it allowed, no hexadecimal; «nan» and
 * «inf» count as numbers. Needs a NUL after `length` bytes and the C locale (ebm_locale_enter). */
bool ebm_parse_number(const char *text, int64_t length, double *value);

/* Bytes of the blank at p, non-breaking and other blanks of Unicode included; 0 when it is none. Where the text from
 * `start` to `end` begins without the blanks at its ends, and its length. */
int ebm_blank_length(const char *p, const char *end);
const char *ebm_trim_blanks(const char *start, const char *end, int64_t *length);

/* The largest JSON header of a tensor file, as in the reference implementation. */
enum { TENSOR_HEADER_LIMIT = 100 * 1000 * 1000, TENSOR_DTYPES = 2 };

/* The dtypes as the format spells them, indexed by gibbs_dtype. */
extern const char *const ebm_dtype_names[TENSOR_DTYPES];
#define TENSOR_METADATA "__metadata__"

/* What is wrong with a tensor that has that name («has no name», reserved, not UTF-8), or NULL. */
const char *ebm_tensor_name_objection(const char *name);

/* Where the bytes of one tensor lie, counted from the end of the header. */
typedef struct tensor_span {
    int64_t begin, end;
    int tensor;         /* its index; −1: it is skipped */
    const char *name;   /* the tensor's */
    const char *number; /* the type of number in the file, as ebm_number_type_named calls it; NULL: none that is known */
} tensor_span;

/* Makes the tensors (data still NULL) from the JSON header of a file with `data_bytes` bytes of data, and a span
 * for each, sorted: the first begins at 0, each where the one before ends, the last ends with the file. After an
 * error, too, *out and *spans are the caller's to release. */
gibbs_status ebm_tensors_parse_header(const char *json, int64_t length, int64_t data_bytes, const char *path,
                                      ebm_tensors *out, tensor_span **spans, gibbs_error *error);

/* ebm_tensors_write, with metadata, whose keys differ; texts are UTF-8. */
gibbs_status ebm_tensors_write_with(const char *path, const ebm_tensor *tensor, int count, const ebm_metadata *metadata,
                                    int metadata_count, gibbs_error *error);

/* Turns numbers of the host's byte order into the file's, or back: little endian, so mostly nothing to do. */
void ebm_byte_order(void *numbers, int64_t count, size_t size);

#endif
