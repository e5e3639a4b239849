/* fuzz.h — what the fuzz targets share. Each defines LLVMFuzzerTestOneInput, which libFuzzer calls with inputs of its own
 * (script/fuzz) and replay.c with those of tests/fuzz/corpus (every build's tests). */
#ifndef TEST_FUZZ_H
#define TEST_FUZZ_H

#include "support/alloc.h"

#include <gibbs/ebm.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

/* Ends the program where what must hold does not. */
#define HOLDS(condition)                                                                \
    do {                                                                                \
        if (!(condition)) {                                                             \
            fprintf(stderr, "%s:%d: %s does not hold\n", __FILE__, __LINE__, #condition); \
            abort();                                                                    \
        }                                                                               \
    } while (0)

enum { FUZZ_LARGEST_BLOCK = 1 << 26 };

/* A failure has a sentence, of nothing but text, and its own status. */
static inline void fuzz_failure(gibbs_status status, const gibbs_error *error)
{
    HOLDS(status > GIBBS_OK && status < GIBBS_STATUS_COUNT && error->status == status && error->message[0]);
    for (const char *p = error->message; *p; p++) HOLDS((unsigned char)*p >= ' ' && *p != 127);
}

static char fuzz_paths[2][32];

static inline void fuzz_remove(void)
{
    for (int i = 0; i < 2; i++)
        if (fuzz_paths[i][0]) unlink(fuzz_paths[i]);
}

/* A file of this process, 0 or 1. */
static inline const char *fuzz_path(int which)
{
    if (!fuzz_paths[0][0]) atexit(fuzz_remove);
    if (!fuzz_paths[which][0]) {
        strcpy(fuzz_paths[which], "/tmp/gibbs-fuzz-XXXXXX");
        int descriptor = mkstemp(fuzz_paths[which]);
        HOLDS(descriptor >= 0 && !close(descriptor));
    }
    return fuzz_paths[which];
}

static inline const char *fuzz_file(const uint8_t *bytes, size_t length)
{
    FILE *file = fopen(fuzz_path(0), "wb");
    HOLDS(file && fwrite(bytes, 1, length, file) == length && !fclose(file));
    return fuzz_path(0);
}

/* A table that was read is one; what it holds is written and read back to the same bits. Nothing is lost. */
static inline void fuzz_table(gibbs_status status, ebm_data *data, const gibbs_error *error)
{
    gibbs_error found;
    ebm_data back;
    if (status) {
        fuzz_failure(status, error);
        HOLDS(!data->x && !data->names && !data->weight && !data->labels && !data->rows && !data->cols);
        return;
    }
    HOLDS(ebm_data_check(data, NULL) == GIBBS_OK);
    for (int64_t c = 0; c < data->cols; c++) {
        HOLDS(!data->names || data->names[c]);
        for (int64_t r = 0; data->labels && data->labels[c].count && r < data->rows; r++)
            HOLDS(data->x[r * data->cols + c] >= 0 && data->x[r * data->cols + c] < (double)data->labels[c].count);
    }
    gibbs_status written = data->rows * data->cols < 4096 && !data->labels && !data->weight
                               ? ebm_data_write_csv(fuzz_path(1), data, &found)
                               : GIBBS_STOPPED;
    if (!written) {
        gibbs_status again = ebm_data_read_csv(fuzz_path(1), NULL, &back, &found);
        HOLDS(again || (back.rows == data->rows && back.cols == data->cols &&
                        !memcmp(back.x, data->x, (size_t)(back.rows * back.cols) * sizeof *back.x)));
        for (int64_t c = 0; !again && data->names && c < data->cols; c++) HOLDS(!strcmp(back.names[c], data->names[c]));
        HOLDS(!again || data->names); /* a header of strange names may be asked to be told */
        ebm_data_free(&back);
    }
    ebm_data_free(data);
}

#endif
