/* npy_write.c — a table to NumPy's format, version 1.0. */
#include "data_private.h"

#include <string.h>

enum { PREFIX = 10, HEADER = 128 }; /* bytes; the prefix is part of the header, whose length is a multiple of 64 */

gibbs_status ebm_data_write_npy(const char *path, const ebm_data *data, gibbs_error *error)
{
    GIBBS_REQUIRE("write_npy", path && data, error);
    gibbs_status status = ebm_data_not_empty(data, error);
    if (status) return status;
    char header[HEADER + 1] = "\x93NUMPY\1\0\0\0";
    header[PREFIX - 2] = HEADER - PREFIX;
    int used = snprintf(header + PREFIX, HEADER - PREFIX,
                        "{'descr': '%cf8', 'fortran_order': False, 'shape': (%lld, %lld), }",
                        __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? '<' : '>', (long long)data->rows,
                        (long long)(data->cols + (data->weight != NULL)));
    memset(header + PREFIX + used, ' ', (size_t)(HEADER - PREFIX - used));
    header[HEADER - 1] = '\n';
    ebm_writer writer;
    status = ebm_writer_open(path, &writer, error);
    if (status) return status;
    fwrite(header, 1, HEADER, writer.file);
    if (!data->weight) fwrite(data->x, sizeof *data->x, (size_t)(data->rows * data->cols), writer.file);
    for (int64_t row = 0; data->weight && row < data->rows; row++) {
        fwrite(data->x + row * data->cols, sizeof *data->x, (size_t)data->cols, writer.file);
        fwrite(data->weight + row, sizeof *data->weight, 1, writer.file);
    }
    return ebm_writer_close(&writer, GIBBS_OK, error);
}
