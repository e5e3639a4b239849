/* file.c — whole files in, and the words for what goes wrong with one. */
#include "data_private.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

enum { NAME_SHOWN = 150, FIRST_READ = 1 << 16 };

const char *ebm_short_name(const char *name)
{
    size_t length = strlen(name);
    if (length <= NAME_SHOWN) return name;
    name += length - NAME_SHOWN;
    while ((*name & 0xC0) == 0x80) name++; /* do not begin inside a UTF-8 character */
    return name;
}

gibbs_status ebm_io_fail(gibbs_error *error, const char *verb, const char *path)
{
    int reason = errno;
    return gibbs_fail(error, reason == ENOMEM ? GIBBS_MEMORY : GIBBS_IO, "cannot %s '%s': %s", verb,
                      ebm_short_name(path), strerror(reason));
}

/* For a regular file one byte more than its size is asked for, so that the end is seen without growing. */
static int64_t first_capacity(FILE *file)
{
    struct stat info;
    return fstat(fileno(file), &info) == 0 && S_ISREG(info.st_mode) ? (int64_t)info.st_size + 1 : FIRST_READ;
}

static gibbs_status read_stream(FILE *file, const char *path, const gibbs_allocator *a, char **text, int64_t *length,
                                gibbs_error *error)
{
    int64_t capacity = 0, need = first_capacity(file);
    size_t got;
    do {
        if (!gibbs_grow(a, text, &capacity, *length, need, 1))
            return gibbs_fail(error, GIBBS_MEMORY, "no memory for the text of '%s'", ebm_short_name(path));
        got = fread(*text + *length, 1, (size_t)(capacity - *length), file);
        *length += (int64_t)got;
        need = *length + 1;
    } while (got);
    return ferror(file) ? ebm_io_fail(error, "read", path) : GIBBS_OK;
}

gibbs_status ebm_read_file(const char *path, const gibbs_allocator *a, char **text, int64_t *length,
                           gibbs_error *error)
{
    *text = NULL;
    *length = 0;
    FILE *file = fopen(path, "rb");
    if (!file) return ebm_io_fail(error, "open", path);
    gibbs_status status = read_stream(file, path, a, text, length, error);
    fclose(file);
    if (status) {
        gibbs_release(a, *text);
        *text = NULL;
    }
    return status;
}
