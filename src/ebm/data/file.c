/* file.c — whole files in, whole files out: a file is either the old one or the new one, never half of each. */
#include "data_private.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { NAME_SHOWN = 150, FIRST_READ = 1 << 16, TEMPORARY_TRIES = 100 };

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

/* Creates a file that was not there before, named after the target, the process and a count. mkstemp would not do:
 * its files are private, and these become the target. */
static int create_beside(const char *target, mode_t mode, char *name, size_t size)
{
    static atomic_uint serial;
    int descriptor = -1;
    for (int i = 0; i < TEMPORARY_TRIES && descriptor < 0; i++) {
        snprintf(name, size, "%s.tmp-%ld-%u", target, (long)getpid(), atomic_fetch_add(&serial, 1));
        descriptor = open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
        if (descriptor < 0 && errno != EEXIST) break;
    }
    return descriptor;
}

static gibbs_status no_memory(const char *path, gibbs_error *error)
{
    return gibbs_fail(error, GIBBS_MEMORY, "no memory to write '%s'", ebm_short_name(path));
}

static void forget_names(ebm_writer *w)
{
    free(w->temporary);
    free(w->target);
    *w = (ebm_writer){0};
}

/* The temporary file, no more open to others than the one it replaces; or the target itself when that exists and
 * is no regular file. */
static gibbs_status open_stream(const char *path, ebm_writer *w, gibbs_error *error)
{
    struct stat info;
    bool exists = stat(w->target, &info) == 0;
    if (exists && !S_ISREG(info.st_mode)) {
        w->file = fopen(w->target, "wb");
        return w->file ? GIBBS_OK : ebm_io_fail(error, "write", path);
    }
    size_t size = strlen(w->target) + 48;
    w->temporary = malloc(size);
    if (!w->temporary) return no_memory(path, error);
    int descriptor = create_beside(w->target, exists ? info.st_mode & 0777 : 0666, w->temporary, size);
    if (descriptor < 0) return ebm_io_fail(error, "write", path);
    w->file = fdopen(descriptor, "wb");
    if (w->file) return GIBBS_OK;
    gibbs_status status = ebm_io_fail(error, "write", path);
    close(descriptor);
    unlink(w->temporary);
    return status;
}

/* A link is followed first: the file that it points to is replaced, not the link. */
gibbs_status ebm_writer_open(const char *path, ebm_writer *w, gibbs_error *error)
{
    *w = (ebm_writer){0};
    w->target = realpath(path, NULL);
    if (!w->target && errno != ENOENT) return ebm_io_fail(error, "write", path);
    if (!w->target) w->target = strdup(path);
    gibbs_status status = w->target ? open_stream(path, w, error) : no_memory(path, error);
    if (status) forget_names(w);
    return status;
}

/* The bytes are on the disk before the name points to them: a crash between the two leaves the old file. */
static bool settle(ebm_writer *w)
{
    bool ok = !ferror(w->file) && fflush(w->file) == 0 && (!w->temporary || fsync(fileno(w->file)) == 0);
    int reason = errno;
    if (fclose(w->file) != 0 && ok) {
        reason = errno;
        ok = false;
    }
    errno = reason;
    return ok && (!w->temporary || rename(w->temporary, w->target) == 0);
}

gibbs_status ebm_writer_close(ebm_writer *w, gibbs_status status, gibbs_error *error)
{
    if (status) fclose(w->file);
    else if (!settle(w)) status = ebm_io_fail(error, "write", w->target);
    if (status && w->temporary) unlink(w->temporary);
    forget_names(w);
    return status;
}
