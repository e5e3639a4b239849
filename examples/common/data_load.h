/* data_load.h — --data FILE|NAME: a table from a file, or points of the plane from a set that the library draws. */
#ifndef EXAMPLES_DATA_LOAD_H
#define EXAMPLES_DATA_LOAD_H

#include <gibbs/data.h>

/* Whether `data` is the name of a set (moons, rings, …) rather than of a file. */
int data_is_drawn(const char *data);

/* Reads a table (ebm_data_read). A file that is not there, given without a folder or as examples/data/NAME, is looked
 * for among the data that ship as well, wherever the program is started. Errors: those of ebm_data_read; IO, which
 * says where it looked. On error *out is zeroed. */
gibbs_status data_read(const char *file, ebm_data *out, gibbs_error *error);

/* Draws `rows` rows of that set by `seed`, or reads the file. Errors: those of ebm_data_generate and data_read. */
gibbs_status data_read_or_draw(const char *data, double rows, double seed, ebm_data *out, gibbs_error *error);

/* The same; ARGUMENT when there are not two columns. */
gibbs_status data_load(const char *data, double rows, double seed, ebm_data *out, gibbs_error *error);

/* Draws rows + test_rows rows, or reads the file, and splits them: of a file one row in five is for testing. */
gibbs_status data_load_split(const char *data, double rows, double test_rows, double seed, ebm_data *train,
                             ebm_data *test, gibbs_error *error);

#endif
