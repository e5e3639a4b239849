/* files.h — the folder that results go to, and tables in it. */
#ifndef EXAMPLES_FILES_H
#define EXAMPLES_FILES_H

#include <gibbs/status.h>
#include <stdio.h>

enum { PATH_SIZE = 4096 };

/* folder/name, name by a format. Errors: SIZE (longer than PATH_SIZE). */
gibbs_status file_path(char path[PATH_SIZE], gibbs_error *error, const char *folder, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* Makes the folder and those above it, where missing, and tries to write into it. Errors: IO. */
gibbs_status folder_make(const char *folder, gibbs_error *error);

/* Opens folder/name for writing; close it with file_close, which reports what went wrong while writing. */
gibbs_status file_create(const char *folder, const char *name, FILE **file, gibbs_error *error);
gibbs_status file_close(FILE *file, const char *name, gibbs_error *error);

/* A CSV with full precision; a NaN is an empty field. `header` is its first line. */
gibbs_status table_write(const char *folder, const char *name, const char *header, int64_t rows, int cols,
                         const double *x, gibbs_error *error);

#endif
