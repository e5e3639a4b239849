/* data_load.h — --data FILE|NAME: a table from a file, or points of the plane from a set that the library draws. */
#ifndef EXAMPLES_DATA_LOAD_H
#define EXAMPLES_DATA_LOAD_H

#include <gibbs/data.h>

/* Whether `data` is the name of a set (moons, rings, …) rather than of a file. */
int data_is_drawn(const char *data);

/* Rows for a table of options: how data_read reads a file. */
#define DATA_OPTIONS                                                                                                 \
    {"separator", "CHAR", "Between the fields of a CSV: a character, tab or blank (default: found)",                 \
     &data_told.separator, NULL, data_parse_mark},                                                                   \
    {"decimal", "CHAR", "The decimal sign of a CSV, . or , (default .)", &data_told.decimal, NULL, data_parse_mark}, \
    {"comment", "CHAR", "What begins comments in a CSV (default: # before the table)", &data_told.comment, NULL,     \
     data_parse_mark},                                                                                               \
    {"header", "yes|no", "Whether a CSV has names in its first line (default: found)", &data_told, NULL,             \
     data_parse_header},                                                                                             \
    {"missing", "drop|refuse", "Rows with missing values (default refuse)", &data_told, NULL, data_parse_missing},   \
    {"columns", "NAME,...", "Columns to read, by name, or by number from 1 (default: all)", &data_told, NULL,        \
     data_parse_columns},                                                                                            \
    {"labels", "NAME,...", "Columns of text, to be numbered in the order of the alphabet", &data_told, NULL,         \
     data_parse_labels}
extern ebm_read_options data_told;
int data_parse_mark(const char *text, void *target, char *message, size_t size);
int data_parse_header(const char *text, void *target, char *message, size_t size);
int data_parse_missing(const char *text, void *target, char *message, size_t size);
int data_parse_columns(const char *text, void *target, char *message, size_t size);
int data_parse_labels(const char *text, void *target, char *message, size_t size);

/* Reads a table (ebm_data_read_with, as told). What was left out of it is said on stderr, unless --quiet. A file that is
 * not there, given without a folder or as examples/data/NAME, is looked for among the data that ship as well, wherever
 * the program is started. Errors: those of ebm_data_read_with; IO, which says where it looked. On error *out is
 * zeroed. */
gibbs_status data_read(const char *file, ebm_data *out, gibbs_error *error);

/* Draws `rows` rows of that set by `seed`, or reads the file. Errors: those of ebm_data_generate and data_read. */
gibbs_status data_read_or_draw(const char *data, double rows, double seed, ebm_data *out, gibbs_error *error);

/* The same; ARGUMENT when there are not two columns. */
gibbs_status data_load(const char *data, double rows, double seed, ebm_data *out, gibbs_error *error);

/* Draws rows + test_rows rows, or reads the file, and splits them: of a file one row in five is for testing. */
gibbs_status data_load_split(const char *data, double rows, double test_rows, double seed, ebm_data *train,
                             ebm_data *test, gibbs_error *error);

#endif
