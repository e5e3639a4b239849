#include "data_load.h"
#include "failure.h"
#include "files.h"

#include <string.h>
#include <unistd.h>

int data_is_drawn(const char *data)
{
    for (int i = 0; ebm_data_generator(i); i++)
        if (!strcmp(data, ebm_data_generator(i))) return 1;
    return 0;
}

gibbs_status data_read(const char *file, ebm_data *out, gibbs_error *error)
{
    static const char folder[] = "examples/data/";
    const char *name = strncmp(file, folder, sizeof folder - 1) ? file : file + sizeof folder - 1;
    char path[PATH_SIZE];
    *out = (ebm_data){0};
    if (!access(file, F_OK) || strchr(name, '/')) return ebm_data_read(file, NULL, out, error);
    gibbs_status status = file_path(path, error, GIBBS_EXAMPLES_DATA, "%s", name);
    if (status) return status;
    if (!access(path, F_OK)) return ebm_data_read(path, NULL, out, error);
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
