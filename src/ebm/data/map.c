/* map.c — large npy files are mapped, not read: pages come as they are used, and changes stay in memory. Others are
 * read: a text is looked at once, and a file that shrinks under its mapping ends the program. */
#include "array.h"

#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MAPPED_FROM = 1 << 20 };

static bool is_large_npy(int descriptor, int64_t *length)
{
    struct stat info;
    char magic[EBM_NPY_MAGIC];
    if (fstat(descriptor, &info) || !S_ISREG(info.st_mode) || info.st_size < MAPPED_FROM) return false;
    *length = (int64_t)info.st_size;
    return pread(descriptor, magic, sizeof magic, 0) == sizeof magic && !memcmp(magic, "\x93NUMPY", sizeof magic);
}

bool ebm_map_file(const char *path, ebm_bytes *f)
{
    int descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    void *map = MAP_FAILED;
    if (descriptor < 0) return false;
    if (is_large_npy(descriptor, &f->length))
        map = mmap(NULL, (size_t)f->length, PROT_READ | PROT_WRITE, MAP_PRIVATE, descriptor, 0);
    close(descriptor);
    f->at = map;
    f->mapped = map != MAP_FAILED;
    return f->mapped;
}

void ebm_map_release(void *map, int64_t length)
{
    if (map) munmap(map, (size_t)length);
}
