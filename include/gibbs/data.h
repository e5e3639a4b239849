/* gibbs/data.h — tables of numbers: reading, drawing, checking, standardising and splitting them; tensor files. */
#ifndef GIBBS_DATA_H
#define GIBBS_DATA_H

#include <gibbs/ad.h>

GIBBS_API_BEGIN

/* What the weight w of a row says. Estimates are the same; their errors are not:
 *   COUNTS    the row stands for w equal rows: Σ w rows were seen, and the sandwich's meat is Σ w u uᵀ
 *   SAMPLING  the row was drawn w times too seldom (surveys, reweighted sequences): the meat is Σ w² u uᵀ */
typedef enum ebm_weight_kind { EBM_WEIGHT_COUNTS, EBM_WEIGHT_SAMPLING } ebm_weight_kind;

/* The texts that a column's numbers stand for: text[k] is that of k. A column of numbers proper has count 0. */
typedef struct ebm_labels {
    int64_t count;
    char **text;
} ebm_labels;

/* A table of `rows` observations of `cols` variables, row-major: x[row * cols + col]. Fill it with one of the
 * functions below; free it with ebm_data_free, which also accepts a zeroed struct. `names` holds one string a
 * column (from the CSV's header), or is NULL. `weight` holds one number a row, finite and not negative and some of
 * them above 0 (else DATA), or is NULL: every row counts once. `labels` holds one entry a column, or is NULL where no
 * column was text. What copies rows and columns copies these, too. */
typedef struct ebm_data {
    int64_t rows, cols;
    double *x;
    char **names;
    gibbs_allocator allocator;
    double *weight;
    ebm_weight_kind weight_kind;
    ebm_labels *labels;
    void *map; /* not NULL: x lies in a file that is mapped (ebm_data_read), of so many bytes */
    int64_t map_bytes;
} ebm_data;

/* Reads a table from a file whose format its first bytes tell:
 *   npy   NumPy's format, versions 1.0 to 3.0, either byte order, C and Fortran order; bool, whole numbers of 8 to 64
 *         bits, float16, float32 and float64
 *   IDX   the format of MNIST: all six types of number, any number of dimensions
 *   gzip  of any of the others; offsets and lines in messages are then those of the unpacked file
 *   CSV   any other text, in UTF-8: see below
 * The first dimension of an npy or IDX array counts the rows, the others are columns, the last moving fastest; an array
 * of one dimension is one column, of none one number. Whole numbers beyond 2^53 become the nearest double. An npy file
 * of float64 in C order and this machine's byte order, of 2^20 bytes and more, is mapped, not copied: changes of the
 * table do not reach the file, and the file must not become shorter as long as the table is there.
 *
 * CSV (RFC 4180: quotes, a UTF-8 byte order mark; lines end in LF, CRLF or CR). Commas, semicolons, tabs, bars or
 * blanks separate the fields: what fits the first hundred lines, or what a first line «sep=;» says. Fields are numbers
 * in C notation, whatever the locale; blanks around them (the non-breaking ones, too) mean nothing, and U+2212 is a
 * minus. Blank lines at the end are ignored, and so are lines that begin with # before the table. The first line is the
 * header when no field of it is a number or a missing value; a first line of both words and numbers is an error that
 * names them. Row names are left out, as R and pandas write them: a first column whose name is empty or «Unnamed: 0»,
 * or that the header lacks. So is a last column without a name or a value (lines that end in a comma). Missing values
 * are the empty field, NA, N/A, NaN, null, None, ., ?, -, and the like.
 *
 * Errors: IO; FORMAT with «file:line: …» and the column (ragged line, not a number, open quote) or «file: byte 128: …»
 * (from 0), what was expected there and what was found (a header that is damaged or says more or less than the file
 * holds, records and Python objects, other types of number, data after the end; other formats and UTF-16 by name); DATA
 * (no numbers, infinity; missing values, with their count and the first one's row and column); SIZE, MEMORY. What a
 * file claims is held against its length before memory is asked for, at most eight bytes a byte; gzip can pack a
 * thousand bytes into one, and may unpack to 2^30 bytes. On error *out is zeroed. */
gibbs_status ebm_data_read(const char *path, const gibbs_allocator *allocator, ebm_data *out, gibbs_error *error);

/* The same from memory; `name` stands for the file in messages. `bytes` need not end in a NUL. */
gibbs_status ebm_data_parse(const void *bytes, size_t length, const char *name, const gibbs_allocator *allocator,
                            ebm_data *out, gibbs_error *error);

/* The same for what is known to be CSV. */
gibbs_status ebm_data_read_csv(const char *path, const gibbs_allocator *allocator, ebm_data *out, gibbs_error *error);
gibbs_status ebm_data_parse_csv(const char *text, size_t length, const char *name, const gibbs_allocator *allocator,
                                ebm_data *out, gibbs_error *error);

/* Whether the first line of a CSV is a header: by what is in it (above), or as told. */
typedef enum ebm_header { EBM_HEADER_FOUND, EBM_HEADER_YES, EBM_HEADER_NO } ebm_header;

/* What becomes of rows with a missing value (NaN in an npy or IDX file) in a column that is read. */
typedef enum ebm_missing { EBM_MISSING_REFUSE, EBM_MISSING_DROP } ebm_missing;

/* How a file is to be read. Columns are given by their name in the header or, where none has it, by their number in the
 * file, from 1 («2»; row names count). The lists and texts are the caller's. */
typedef struct ebm_read_options {
    char separator; /* between fields: ',', ';', '\t', ' ' (any number of blanks and tabs) …; 0: found */
    char decimal;   /* '.' or ','; 0: '.' */
    char comment;   /* the rest of a line from this character on is left out; 0: lines before the table from # on */
    ebm_header header;
    ebm_missing missing;
    const char *const *columns; /* the columns of the table, in this order; NULL: all */
    int64_t column_count;
    const char *const *labels; /* columns of text (CSV), numbered from 0 in the order of the alphabet (bytes), or of the
                                  numbers if all are; the table's `labels` keep it */
    int64_t label_count;
    const ebm_data *like;        /* a table read before, whose labels keep their numbers; another text is DATA */
    const char *weight;          /* the column of the rows' weights, which is no column of the table; NULL: none */
    ebm_weight_kind weight_kind; /* what they say */
    int64_t unpacked_limit;      /* bytes that a gzip file may unpack to; 0: 2^30 */
} ebm_read_options;

/* What was found in a file. */
enum { EBM_READ_TEXT = 512 };
typedef struct ebm_read_report {
    char text[EBM_READ_TEXT]; /* all of it in a sentence: «CSV separated by ';', a header; 2 of 10 rows dropped, …» */
    char separator;           /* of a CSV; 0: another format */
    int header, row_names, open_lines; /* 1: the first line was names; the first column was row names, the last one
                                          empty, and was left out */
    int64_t comments, missing, dropped; /* lines left out; missing values; rows dropped for them */
} ebm_read_report;

/* ebm_data_read with options (NULL: the defaults), and a report (or NULL). Errors besides: ARGUMENT (an option out of
 * its range; no such column, or one twice), DATA (no row is complete; a text that `like` has not; weights that are
 * none). */
gibbs_status ebm_data_read_with(const char *path, const ebm_read_options *options, const gibbs_allocator *allocator,
                                ebm_data *out, ebm_read_report *report, gibbs_error *error);
gibbs_status ebm_data_parse_with(const void *bytes, size_t length, const char *name, const ebm_read_options *options,
                                 const gibbs_allocator *allocator, ebm_data *out, ebm_read_report *report,
                                 gibbs_error *error);

/* A copy of rows × cols numbers. Errors: DATA (empty; NaN or infinity, row and column named), SIZE, MEMORY. */
gibbs_status ebm_data_from(const double *x, int64_t rows, int64_t cols, const gibbs_allocator *allocator, ebm_data *out,
                           gibbs_error *error);

/* Gives the table a copy of `rows` weights, in the place of those that it has; NULL takes them away. Errors: ARGUMENT
 * (another kind), DATA (a weight that is negative or not finite, by its row; all of them 0), MEMORY; the table is then
 * as it was. */
gibbs_status ebm_data_weigh(ebm_data *data, const double *weight, ebm_weight_kind kind, gibbs_error *error);

/* Writes a CSV with full precision (17 digits), header included when there are names; labels are written as
 * their texts, and weights are a column more, the last, named «weight». Errors: DATA (an empty table, which no reader
 * accepts), ARGUMENT (a name is a number, none is a word, or the first is empty: the header would not be read as one,
 * or as row names), IO, MEMORY. */
gibbs_status ebm_data_write_csv(const char *path, const ebm_data *data, gibbs_error *error);

/* Writes an npy file, version 1.0, of rows × cols float64 in C order; names are left out, and weights
 * are a column more, the last. Errors: DATA (an empty table), IO. */
gibbs_status ebm_data_write_npy(const char *path, const ebm_data *data, gibbs_error *error);

/* Draws `rows` independent points of the plane from one of the usual sets. Row r depends on seed and r only, so that a
 * longer draw begins with a shorter one. ε, ε′ are standard normals, U(a, b) is uniform, one of several is each as
 * likely:
 *   gaussian      (ε, ε′)
 *   8gaussians    (4(cos a, sin a) + ½(ε, ε′))/1.414, a one of kπ/4
 *   circles       r(cos a, sin a) + 0.24(ε, ε′), a ~ U(0, 2π), r one of 1.5 and 3
 *   rings         r(cos a, sin a) + 0.08(ε, ε′), a ~ U(0, 2π), r one of 0.75, 1.5, 2.25 and 3
 *   moons         2m − (1, 0.2) + 0.2(ε, ε′), m one of (cos a, sin a) and (1 − cos a, ½ − sin a), a ~ U(0, π)
 *   pinwheel      2(ρ cos a + τ sin a, τ cos a − ρ sin a), ρ = 1 + 0.3ε, τ = 0.1ε′, a = b + ¼ exp ρ, b one of 2πk/5
 *   swissroll     (t(cos t, sin t) + (ε, ε′))/5, t ~ U(1.5π, 4.5π)
 *   2spirals      ±(u − n cos n, v + n sin n)/3 + 0.1(ε, ε′), n = 3π√U(0, 1), u and v ~ U(0, ½)
 *   checkerboard  uniform on the squares [2i, 2i + 2) × [2j, 2j + 2), i and j from −2 to 1, of which i + j is even
 * These are the sets of Grathwohl et al. 2019 (FFJORD) and scikit-learn, with angles and parts drawn, not counted out.
 * Errors: ARGUMENT (another name; rows < 1), SIZE, MEMORY. */
gibbs_status ebm_data_generate(const char *name, int64_t rows, uint64_t seed, const gibbs_allocator *allocator,
                               ebm_data *out, gibbs_error *error);

/* The name of set i, counted from 0; NULL when there are no more. */
const char *ebm_data_generator(int i);

/* OK when the table has at least one row and one column and every number is finite, and the weights are weights; else
 * DATA, naming the first bad row and column (counted from 1, the column also by its name when there is one). */
gibbs_status ebm_data_check(const ebm_data *data, gibbs_error *error);

/* Subtracts each column's mean and divides by its standard deviation (divisor rows), in place; the `cols` means
 * and deviations are written to mean[] and sd[] (either may be NULL). Where rows have weights these are the weighted
 * ones, m = Σ w x/Σ w and √(Σ w (x − m)²/Σ w). DATA when a column is constant (named) in the rows that count. */
gibbs_status ebm_data_standardise(ebm_data *data, double *mean, double *sd, gibbs_error *error);

/* The same for the first `count` columns. The others, such as one-hot labels, keep their numbers and get mean 0 and
 * deviation 1, so that ebm_data_apply_scale leaves those of other tables alone as well. ARGUMENT: count is not from 1
 * to cols. */
gibbs_status ebm_data_standardise_first(ebm_data *data, int64_t count, double *mean, double *sd, gibbs_error *error);

/* Applies x ← (x − mean)/sd with given figures, such as those of the training rows to the held-out rows. */
gibbs_status ebm_data_apply_scale(ebm_data *data, const double *mean, const double *sd, gibbs_error *error);

/* Splits the rows, with their weights, at random (a Philox shuffle by `seed`: the same split everywhere) into `train`
 * and `held`, the latter with round(fraction·rows) rows. 0 < fraction < 1, and both parts get at least one row, else
 * ARGUMENT, as where two of the three tables are the same one. Rows keep their order within each part; their numbers in
 * `data` go to number[rows] (may be NULL), those of `train` first. The caller frees both. */
gibbs_status ebm_data_split(const ebm_data *data, double fraction, uint64_t seed, ebm_data *train, ebm_data *held,
                            int64_t *number, gibbs_error *error);

/* A copy of some columns, numbered from 0, in the order given; one may come twice. `out` is another table than `data`;
 * the caller frees both. Errors: ARGUMENT (no such column; count < 1), DATA (what ebm_data_check says), SIZE, MEMORY.
 * On error *out is zeroed. */
gibbs_status ebm_data_columns(const ebm_data *data, const int64_t *column, int64_t count, ebm_data *out,
                              gibbs_error *error);

/* A copy of the table in which `column`, from 0, gives way to `categories` columns, one for each of its values 0 …
 * categories − 1: 1 in that of the row's value, 0 in the others. Conditional models and energies of discrete variables
 * (gibbs/energy.h) take labels like this. Where there are names those of the block are «species=0», «species=1», …, or
 * have the labels' texts. The number of categories is told, not counted, since the rows need not show all of them; of a
 * column that was read as labels it is data->labels[column].count. `out` is another table than `data`; the caller frees
 * both. Errors: ARGUMENT (no such column; categories < 1 or ≥ 2^31), DATA (row and column of the first number that is
 * no category; what ebm_data_check says), SIZE, MEMORY. On error *out is zeroed. */
gibbs_status ebm_data_one_hot(const ebm_data *data, int64_t column, int64_t categories, ebm_data *out,
                              gibbs_error *error);

void ebm_data_free(ebm_data *data);

/* One named array of a tensor file. `data` points to shape-many numbers of `dtype`, row-major. */
typedef struct ebm_tensor {
    const char *name;
    gibbs_dtype dtype;
    ad_shape shape;
    void *data;
} ebm_tensor;

/* What a file says beside its tensors: text under a name. */
typedef struct ebm_metadata {
    char *key, *value;
} ebm_metadata;

/* What ebm_tensors_read made: `count` tensors and `metadata_count` texts, and what it did not read: the names of
 * tensors with the reason («has no numbers»). All owned by this struct. */
typedef struct ebm_tensors {
    int count, metadata_count;
    ebm_tensor *tensor;
    ebm_metadata *metadata;
    gibbs_allocator allocator;
    int skipped_count;
    ebm_metadata *skipped;
} ebm_tensors;

/* Writes a safetensors file (github.com/huggingface/safetensors: 8-byte header length, JSON header, data), to a
 * temporary name beside `path` which is then renamed: a crash leaves the old file whole. Errors: ARGUMENT (a
 * name twice, empty, not UTF-8 or "__metadata__"; no data), SIZE, IO, MEMORY. */
gibbs_status ebm_tensors_write(const char *path, const ebm_tensor *tensor, int count, gibbs_error *error);

/* Reads one. F16, BF16, BOOL and whole numbers of 8 and 16 bits become float32, those of 32 and 64 bits float64 (beyond
 * 2^53 the nearest). Tensors of other types of the format, without numbers (a dimension of 0) or of too many dimensions
 * are skipped. Anything malformed is FORMAT with a sentence: a header that is no strict JSON object, duplicate keys, a
 * dtype that the format does not have, other members, offsets that overlap, leave gaps, exceed the file or disagree
 * with the shape, trailing bytes. On error *out is zeroed. */
gibbs_status ebm_tensors_read(const char *path, const gibbs_allocator *allocator, ebm_tensors *out, gibbs_error *error);

/* The tensor of that name, or NULL (also for a NULL). */
const ebm_tensor *ebm_tensors_find(const ebm_tensors *tensors, const char *name);

void ebm_tensors_free(ebm_tensors *tensors);

GIBBS_API_END
#endif
