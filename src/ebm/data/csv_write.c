/* csv_write.c — a table to RFC 4180 text that csv_read.c reads back bit for bit. */
#include "csv.h"

#include <math.h>
#include <string.h>

/* Quoted unless it is plain ASCII that no reader could take for anything but a name. */
static bool is_plain(const char *text)
{
    size_t length = strlen(text);
    if (!length || text[0] == ' ' || text[0] == '#' || text[length - 1] == ' ') return false;
    for (; *text; text++)
        if (*text < ' ' || *text > '~' || strchr(",;\"", *text)) return false;
    return true;
}

void ebm_csv_write_name(FILE *file, const char *text)
{
    if (is_plain(text)) {
        fputs(text, file);
        return;
    }
    fputc('"', file);
    for (; *text; text++) {
        if (*text == '"') fputc('"', file);
        fputc(*text, file);
    }
    fputc('"', file);
}

static void write_names(FILE *file, const ebm_data *data)
{
    for (int64_t c = 0; c < data->cols; c++) {
        if (c) fputc(',', file);
        ebm_csv_write_name(file, data->names[c]);
    }
    fputs(data->weight ? ",weight\n" : "\n", file);
}

static void write_row(FILE *file, const ebm_data *data, int64_t row)
{
    const double *x = data->x + row * data->cols;
    for (int64_t c = 0; c < data->cols; c++) {
        const ebm_labels *labels = data->labels ? &data->labels[c] : NULL;
        if (c) fputc(',', file);
        if (labels && x[c] >= 0 && x[c] < (double)labels->count && x[c] == floor(x[c]))
            ebm_csv_write_name(file, labels->text[(int64_t)x[c]]);
        else fprintf(file, "%.17g", x[c]);
    }
    if (data->weight) fprintf(file, ",%.17g", data->weight[row]);
    fputc('\n', file);
}

/* A header without a word would come back as a row of data, a first column without a name as row names. */
static gibbs_status check_names(const char *path, const ebm_data *data, gibbs_error *error)
{
    bool word = !data->names || data->weight;
    for (int64_t c = 0; !word && c < data->cols; c++) word = ebm_csv_is_word(data->names[c]);
    if (!word)
        return gibbs_fail(error, GIBBS_ARGUMENT, "no column name is a word: '%s' would read back as data",
                          ebm_short_name(path));
    for (int64_t c = 0; data->names && c < data->cols; c++) {
        double number;
        const char *name = data->names[c];
        if (ebm_parse_number(name, (int64_t)strlen(name), &number))
            return gibbs_fail(error, GIBBS_ARGUMENT, "the name of column %lld is the number %s: '%s' would not read back",
                              (long long)c + 1, name, ebm_short_name(path));
    }
    if (data->names && !data->names[0][0] && (data->cols > 1 || data->weight))
        return gibbs_fail(error, GIBBS_ARGUMENT, "the first column has no name: '%s' would read back without it",
                          ebm_short_name(path));
    return GIBBS_OK;
}

static gibbs_status write_table(const char *path, const ebm_data *data, gibbs_error *error)
{
    gibbs_status status = check_names(path, data, error);
    if (status) return status;
    ebm_writer writer;
    status = ebm_writer_open(path, &writer, error);
    if (status) return status;
    if (data->names) write_names(writer.file, data);
    for (int64_t row = 0; row < data->rows && !ferror(writer.file); row++) write_row(writer.file, data, row);
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
