/* write_file.c — whole files out: a file is either the old one or the new one, never half of each.
 *
 * What is written goes into a temporary file beside the target, under a lock, and takes the target's name when all of
 * it is on the disk. Temporary files that nobody holds locked were left by a process that was killed; whoever writes
 * beside them takes them away. A lock goes with its process, whatever number that had: other machines' containers each
 * have a process 1. */
#include "data_private.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

/* Names of temporary files: the target's, and the mark, the process and a count. A name that would then be too long
 * for a file is cut, which can only mix up the leftovers of targets whose names begin alike. */
#define MARK ".tmp-"
enum { SUFFIX = 40, STEM_MOST = NAME_MAX - SUFFIX, LINKS_MOST = 40, TEMPORARY_TRIES = 100 };

/* ---- The target ---- */

/* What a link at `path` points to, seen from where `path` is; NULL where there is no link (errno 0), or on an error. */
static char *link_target(const char *path)
{
    char to[PATH_MAX];
    ssize_t length = readlink(path, to, sizeof to - 1);
    if (length < 0) errno = errno == EINVAL || errno == ENOENT ? 0 : errno;
    if (length < 0) return NULL;
    to[length] = '\0';
    const char *slash = *to == '/' ? NULL : strrchr(path, '/');
    size_t folder = slash ? (size_t)(slash - path) + 1 : 0;
    char *joined = malloc(folder + (size_t)length + 1);
    if (!joined) return NULL;
    memcpy(joined, path, folder);
    memcpy(joined + folder, to, (size_t)length + 1);
    return joined;
}

/* The file that is to be replaced or made: links are followed, also where the file that they point to is not there. */
static char *follow(const char *path)
{
    char *target = realpath(path, NULL), *next;
    if (target || errno != ENOENT) return target;
    target = strdup(path);
    for (int k = 0; target && (next = link_target(target)); k++) {
        free(target);
        target = next;
        errno = ELOOP;
        if (k == LINKS_MOST) free(target), target = NULL;
    }
    if (target && !errno) return target;
    int reason = target ? errno : errno ? errno : ENOMEM;
    free(target);
    errno = reason;
    return NULL;
}

/* ---- Temporary files ---- */

/* Length of the target's folder, with its slash; and of as much of its name as goes into a temporary one. */
static size_t folder_length(const char *target)
{
    const char *slash = strrchr(target, '/');
    return slash ? (size_t)(slash - target) + 1 : 0;
}

static size_t stem_length(const char *target)
{
    size_t length = strlen(target + folder_length(target));
    return length < STEM_MOST ? length : STEM_MOST;
}

/* Whether a name goes on, behind the stem, as that of a temporary file does. */
static bool is_temporary(const char *rest)
{
    static const char digits[] = "0123456789";
    if (strncmp(rest, MARK, strlen(MARK))) return false;
    rest += strlen(MARK);
    size_t process = strspn(rest, digits);
    if (!process || rest[process] != '-') return false;
    rest += process + 1;
    return *rest && !rest[strspn(rest, digits)];
}

/* Whether nobody has the file: its lock is free. */
static bool left_behind(int folder, const char *name)
{
    int descriptor = openat(folder, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    bool free = descriptor >= 0 && flock(descriptor, LOCK_EX | LOCK_NB) == 0;
    if (descriptor >= 0) close(descriptor);
    return free;
}

/* Takes away what killed processes left beside the target. What cannot be looked at stays: it is no error. */
static void clean(const char *target)
{
    size_t folder = folder_length(target), stem = stem_length(target);
    char *path = folder ? strndup(target, folder) : strdup(".");
    DIR *list = path ? opendir(path) : NULL;
    for (struct dirent *entry; list && (entry = readdir(list));) {
        const char *name = entry->d_name;
        bool ours = !strncmp(name, target + folder, stem) && is_temporary(name + stem);
        if (ours && left_behind(dirfd(list), name)) unlinkat(dirfd(list), name, 0);
    }
    if (list) closedir(list);
    free(path);
}

/* Creates a file that was not there before, and locks it. mkstemp would not do: its files are private, and these become
 * the target. Between creating and locking somebody may take it for one that was left behind: then it has no name. */
static int create_beside(const char *target, mode_t mode, char *name, size_t size)
{
    static atomic_uint serial;
    struct stat info;
    int most = (int)(folder_length(target) + stem_length(target));
    for (int i = 0; i < TEMPORARY_TRIES; i++) {
        snprintf(name, size, "%.*s" MARK "%ld-%u", most, target, (long)getpid(), atomic_fetch_add(&serial, 1));
        int descriptor = open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
        if (descriptor < 0 && errno != EEXIST) return -1;
        if (descriptor < 0) continue;
        flock(descriptor, LOCK_EX); /* a file system without locks leaves others to think what they like */
        if (fstat(descriptor, &info) == 0 && info.st_nlink > 0) return descriptor;
        close(descriptor);
    }
    return -1;
}

/* ---- The writer ---- */

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
    size_t size = folder_length(w->target) + stem_length(w->target) + SUFFIX;
    w->temporary = malloc(size);
    if (!w->temporary) return no_memory(path, error);
    clean(w->target);
    int descriptor = create_beside(w->target, exists ? info.st_mode & 0777 : 0666, w->temporary, size);
    if (descriptor < 0) return ebm_io_fail(error, "write", path);
    w->file = fdopen(descriptor, "wb");
    if (w->file) return GIBBS_OK;
    gibbs_status status = ebm_io_fail(error, "write", path);
    close(descriptor);
    unlink(w->temporary);
    return status;
}

gibbs_status ebm_writer_open(const char *path, ebm_writer *w, gibbs_error *error)
{
    *w = (ebm_writer){.target = follow(path)};
    if (!w->target) return ebm_io_fail(error, "write", path);
    gibbs_status status = open_stream(path, w, error);
    if (status) forget_names(w);
    return status;
}

/* The new name is on the disk as well. Some file systems cannot be asked for that: what is written is whole. */
static void sync_folder(const char *target)
{
    size_t length = folder_length(target);
    char *path = length ? strndup(target, length) : strdup(".");
    int folder = path ? open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
    if (folder >= 0) fsync(folder), close(folder);
    free(path);
}

/* The bytes are on the disk before the name points to them: a crash between the two leaves the old file. */
static bool settle(ebm_writer *w)
{
    bool ok = !ferror(w->file) && fflush(w->file) == 0;
    if (ok && w->temporary) /* renamed while it is locked: nobody takes it away */
        ok = fsync(fileno(w->file)) == 0 && rename(w->temporary, w->target) == 0;
    int reason = errno;
    if (fclose(w->file) != 0 && ok && !w->temporary) {
        reason = errno;
        ok = false;
    }
    if (ok && w->temporary) sync_folder(w->target);
    errno = reason;
    return ok;
}

gibbs_status ebm_writer_close(ebm_writer *w, gibbs_status status, gibbs_error *error)
{
    if (status) fclose(w->file);
    else if (!settle(w)) status = ebm_io_fail(error, "write", w->target);
    if (status && w->temporary) unlink(w->temporary);
    forget_names(w);
    return status;
}
