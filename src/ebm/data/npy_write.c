/* npy_write.c — a table to NumPy's format, version 1.0. */
#include "data_private.h"

#include <string.h>

enum { PREFIX = 10, HEADER = 128 }; /* bytes; the prefix is part of the header, whose length is a multiple of 64 */

void ebm_npy_write_header(FILE *file, const int64_t *dim, int rank)
{
    char header[HEADER + 1] = "\x93NUMPY\1\0\0\0";
    header[PREFIX - 2] = HEADER - PREFIX;
    int used = PREFIX + snprintf(header + PREFIX, HEADER - PREFIX, "{'descr': '%cf8', 'fortran_order': False, 'shape': (",
                                 __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? '<' : '>');
    for (int k = 0; k < rank; k++)
        used += snprintf(header + used, (size_t)(HEADER - used), k ? ", %lld" : "%lld", (long long)dim[k]);
    used += snprintf(header + used, (size_t)(HEADER - used), "), }");
    memset(header + used, ' ', (size_t)(HEADER - used));
    header[HEADER - 1] = '\n';
    fwrite(header, 1, HEADER, file);
}

gibbs_status ebm_data_write_npy(const char *path, const ebm_data *data, gibbs_error *error)
{
    GIBBS_REQUIRE("write_npy", path && data, error);
    gibbs_status status = ebm_data_not_empty(data, error);
    if (status) return status;
    ebm_writer writer;
    status = ebm_writer_open(path, &writer, error);
    if (status) return status;
    ebm_npy_write_header(writer.file, (const int64_t[]){data->rows, data->cols + (data->weight != NULL)}, 2);
    if (!data->weight) fwrite(data->x, sizeof *data->x, (size_t)(data->rows * data->cols), writer.file);
    for (int64_t row = 0; data->weight && row < data->rows; row++) {
        fwrite(data->x + row * data->cols, sizeof *data->x, (size_t)data->cols, writer.file);
        fwrite(data->weight + row, sizeof *data->weight, 1, writer.file);
    }
    return ebm_writer_close(&writer, GIBBS_OK, error);
}
