#include "data_load.h"
#include "failure.h"
#include "files.h"
#include "options.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int data_is_drawn(const char *data)
{
    for (int i = 0; ebm_data_generator(i); i++)
        if (!strcmp(data, ebm_data_generator(i))) return 1;
    return 0;
}

/* ---- How files are read ---- */

ebm_read_options data_told;

int data_parse_mark(const char *text, void *target, char *message, size_t size)
{
    static const struct {
        const char *name;
        char mark;
    } marks[] = {{"tab", '\t'}, {"blank", ' '}};
    char mark = text[0] && !text[1] ? text[0] : 0;
    for (size_t i = 0; i < sizeof marks / sizeof *marks; i++)
        if (!strcmp(text, marks[i].name)) mark = marks[i].mark;
    if (!mark) return snprintf(message, size, "«%.20s» is no character, nor tab or blank", text), 1;
    *(char *)target = mark;
    return 0;
}

/* One of two words, for 1 and 2, or for 0 and 1. */
static int parse_word(const char *text, const char *const *words, char *message, size_t size)
{
    return option_choose(text, words, 2, sizeof *words, message, size);
}

int data_parse_header(const char *text, void *target, char *message, size_t size)
{
    static const char *const words[] = {"yes", "no"};
    int word = parse_word(text, words, message, size);
    ((ebm_read_options *)target)->header = word ? EBM_HEADER_NO : EBM_HEADER_YES;
    return word < 0;
}

int data_parse_missing(const char *text, void *target, char *message, size_t size)
{
    static const char *const words[] = {"drop", "refuse"};
    int word = parse_word(text, words, message, size);
    ((ebm_read_options *)target)->missing = word ? EBM_MISSING_REFUSE : EBM_MISSING_DROP;
    return word < 0;
}

/* Names as they were told, for as long as the program runs. */
enum { LIST = 1024 };
typedef struct name_list {
    const char *name[LIST];
    int64_t count;
} name_list;
static name_list columns, labels;

static int add_name(const char *piece, void *context)
{
    name_list *list = context;
    if (list->count == LIST) return 1;
    list->name[list->count] = strdup(piece);
    return !list->name[list->count++];
}

static int parse_list(const char *text, name_list *list, char *message, size_t size)
{
    while (list->count) free((char *)list->name[--list->count]);
    if (!option_each(text, add_name, list)) return 0;
    return snprintf(message, size, "there are more than %d names", LIST), 1;
}

int data_parse_columns(const char *text, void *target, char *message, size_t size)
{
    int failed = parse_list(text, &columns, message, size);
    ((ebm_read_options *)target)->columns = columns.name;
    ((ebm_read_options *)target)->column_count = columns.count;
    return failed;
}

int data_parse_labels(const char *text, void *target, char *message, size_t size)
{
    int failed = parse_list(text, &labels, message, size);
    ((ebm_read_options *)target)->labels = labels.name;
    ((ebm_read_options *)target)->label_count = labels.count;
    return failed;
}

/* ---- Reading ---- */

static gibbs_status read_as_told(const char *path, ebm_data *out, gibbs_error *error)
{
    ebm_read_report found;
    gibbs_status status = ebm_data_read_with(path, &data_told, NULL, out, &found, error);
    int left_out = !status && (found.row_names || found.open_lines || found.comments || found.dropped || out->labels);
    if (left_out && !options_quiet) fprintf(stderr, "%s: %s\n", path, found.text);
    return status;
}

gibbs_status data_read(const char *file, ebm_data *out, gibbs_error *error)
{
    static const char folder[] = "examples/data/";
    const char *name = strncmp(file, folder, sizeof folder - 1) ? file : file + sizeof folder - 1;
    char path[PATH_SIZE];
    *out = (ebm_data){0};
    if (!access(file, F_OK) || strchr(name, '/')) return read_as_told(file, out, error);
    gibbs_status status = file_path(path, error, GIBBS_EXAMPLES_DATA, "%s", name);
    if (status) return status;
    if (!access(path, F_OK)) return read_as_told(path, out, error);
    return fail(error, GIBBS_IO, "%.200s: there is no such file, neither here nor in %.200s", file,
                GIBBS_EXAMPLES_DATA);
}

gibbs_status data_read_or_draw(const char *data, double rows, double seed, ebm_data *out, gibbs_error *error)
{
    return data_is_drawn(data) ? ebm_data_generate(data, (int64_t)rows, (uint64_t)seed, NULL, out, error)
                               : data_read(data, out, error);
}

gibbs_status data_load(const char *data, double rows, double seed, ebm_data *out, gibbs_error *error)
{
    gibbs_status status = data_read_or_draw(data, rows, seed, out, error);
    if (status || out->cols == 2) return status;
    status = fail(error, GIBBS_ARGUMENT, "%.200s has %lld column%s; two are needed", data, (long long)out->cols,
                  out->cols == 1 ? "" : "s");
    ebm_data_free(out);
    return status;
}

gibbs_status data_load_split(const char *data, double rows, double test_rows, double seed, ebm_data *train,
                             ebm_data *test, gibbs_error *error)
{
    ebm_data all;
    double part = data_is_drawn(data) ? test_rows / (rows + test_rows) : 0.2;
    gibbs_status status = data_load(data, rows + test_rows, seed, &all, error);
    if (status) return status;
    status = ebm_data_split(&all, part, (uint64_t)seed, train, test, NULL, error);
    ebm_data_free(&all);
    return status;
}
