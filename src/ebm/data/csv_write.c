/* csv_write.c — a table to RFC 4180 text that csv_read.c reads back bit for bit. */
#include "data_private.h"

#include <string.h>

static void write_name(FILE *file, const char *name)
{
    size_t length = strlen(name);
    bool blank_ends = length && (strchr(" \t", name[0]) || strchr(" \t", name[length - 1]));
    if (length && !blank_ends && !strpbrk(name, ",\"\r\n")) {
        fputs(name, file);
        return;
    }
    fputc('"', file);
    for (; *name; name++) {
        if (*name == '"') fputc('"', file);
        fputc(*name, file);
    }
    fputc('"', file);
}

static void write_names(FILE *file, const ebm_data *data)
{
    for (int64_t c = 0; c < data->cols; c++) {
        if (c) fputc(',', file);
        write_name(file, data->names[c]);
    }
    fputs(data->weight ? ",weight\n" : "\n", file);
}

static void write_row(FILE *file, const ebm_data *data, int64_t row)
{
    const double *x = data->x + row * data->cols;
    for (int64_t c = 0; c < data->cols; c++) fprintf(file, c ? ",%.17g" : "%.17g", x[c]);
    if (data->weight) fprintf(file, ",%.17g", data->weight[row]);
    fputc('\n', file);
}

/* A header of numbers only would come back as a row of data. */
static bool names_read_as_numbers(const ebm_data *data)
{
    double ignored;
    for (int64_t c = 0; c < data->cols; c++)
        if (!ebm_parse_number(data->names[c], (int64_t)strlen(data->names[c]), &ignored)) return false;
    return true;
}

static gibbs_status write_table(const char *path, const ebm_data *data, gibbs_error *error)
{
    if (data->names && names_read_as_numbers(data))
        return gibbs_fail(error, GIBBS_ARGUMENT, "every column name is a number: '%s' would read back as data",
                          ebm_short_name(path));
    ebm_writer writer;
    gibbs_status status = ebm_writer_open(path, &writer, error);
    if (status) return status;
    if (data->names) write_names(writer.file, data);
    for (int64_t row = 0; row < data->rows && !ferror(writer.file); row++)
        write_row(writer.file, data, row);
    return ebm_writer_close(&writer, GIBBS_OK, error);
}

gibbs_status ebm_data_write_csv(const char *path, const ebm_data *data, gibbs_error *error)
{
    GIBBS_REQUIRE("write_csv", path && data, error);
    ebm_locale locale;
    gibbs_status status = ebm_data_not_empty(data, error);
    if (status) return status;
    if (!ebm_locale_enter(&locale)) return gibbs_fail(error, GIBBS_MEMORY, "no memory for the C locale");
    status = write_table(path, data, error);
    ebm_locale_leave(&locale);
    return status;
}
