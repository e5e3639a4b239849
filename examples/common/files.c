#define _GNU_SOURCE
#include "files.h"
#include "failure.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

gibbs_status file_path(char path[PATH_SIZE], gibbs_error *error, const char *folder, const char *format, ...)
{
    va_list arguments;
    int start = snprintf(path, PATH_SIZE, "%s/", folder), more = 0;
    if (start < PATH_SIZE) {
        va_start(arguments, format);
        more = vsnprintf(path + start, (size_t)(PATH_SIZE - start), format, arguments);
        va_end(arguments);
    }
    return start + more < PATH_SIZE ? GIBBS_OK : fail(error, GIBBS_SIZE, "the path of %.200s is too long", folder);
}

gibbs_status folder_make(const char *folder, gibbs_error *error)
{
    char path[PATH_SIZE];
    if (!*folder) return fail(error, GIBBS_ARGUMENT, "--out: the folder has no name; use . for this one");
    gibbs_status status = file_path(path, error, folder, "%s", "");
    if (status) return status;
    for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = 0;
        if (mkdir(path, 0777) && errno != EEXIST)
            return fail(error, GIBBS_IO, "%.200s: the folder cannot be made: %s", path, strerror(errno));
        *slash = '/';
    }
    if (access(path, W_OK | X_OK))
        return fail(error, GIBBS_IO, "%.200s: nothing can be written there: %s", folder, strerror(errno));
    return GIBBS_OK;
}

gibbs_status file_create(const char *folder, const char *name, FILE **file, gibbs_error *error)
{
    char path[PATH_SIZE];
    gibbs_status status = file_path(path, error, folder, "%s", name);
    if (status) return status;
    *file = fopen(path, "w");
    return *file ? GIBBS_OK : fail(error, GIBBS_IO, "%.200s: cannot be written: %s", path, strerror(errno));
}

gibbs_status file_close(FILE *file, const char *name, gibbs_error *error)
{
    int failed = ferror(file);
    failed |= fclose(file) != 0;
    return failed ? fail(error, GIBBS_IO, "%s: cannot be written: %s", name, strerror(errno)) : GIBBS_OK;
}

gibbs_status table_write(const char *folder, const char *name, const char *header, int64_t rows, int cols,
                         const double *x, gibbs_error *error)
{
    FILE *file;
    gibbs_status status = file_create(folder, name, &file, error);
    if (status) return status;
    fprintf(file, "%s\n", header);
    for (int64_t i = 0; i < rows * cols; i++) {
        if (!isnan(x[i])) fprintf(file, "%.17g", x[i]);
        fputc((i + 1) % cols ? ',' : '\n', file);
    }
    return file_close(file, name, error);
}
