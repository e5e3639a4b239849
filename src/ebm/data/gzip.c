/* gzip.c — unpacking a gzip file (RFC 1952) in memory, by zlib. */
#include "array.h"

#include <string.h>
#include <zlib.h>

enum { AUTOMATIC_WINDOW = 15, GZIP_ONLY = 16, PIECE = 1 << 30, FIRST_ROOM = 1 << 16 };

static void *zlib_alloc(void *allocator, unsigned count, unsigned size)
{
    return gibbs_alloc(allocator, count, size);
}

static void zlib_release(void *allocator, void *memory)
{
    gibbs_release(allocator, memory);
}

/* zlib counts in unsigned ints. */
static unsigned piece(int64_t bytes)
{
    return bytes < PIECE ? (unsigned)bytes : PIECE;
}

/* What has been unpacked: `taken` bytes of the file gave the first `length` of the text. */
typedef struct unpacking {
    z_stream z;
    const ebm_bytes *file;
    char **text;
    int64_t taken, length, capacity, limit;
} unpacking;

/* One call of inflate. There is room for output whenever it is called, so that Z_BUF_ERROR means: no more input. */
static int step(unpacking *u)
{
    unsigned in = piece(u->file->length - u->taken), out = piece(u->capacity - u->length);
    u->z.next_in = (unsigned char *)u->file->at + u->taken;
    u->z.avail_in = in;
    u->z.next_out = (unsigned char *)*u->text + u->length;
    u->z.avail_out = out;
    int code = inflate(&u->z, Z_NO_FLUSH);
    u->taken += in - u->z.avail_in;
    u->length += out - u->z.avail_out;
    return code;
}

static gibbs_status no_memory(const unpacking *u)
{
    return gibbs_fail(u->file->error, GIBBS_MEMORY, "no memory to unpack '%s'", ebm_short_name(u->file->name));
}

/* Nothing but zeros follows, as tapes and some copiers leave them. */
static bool is_padding(const unpacking *u)
{
    for (int64_t i = u->taken; i < u->file->length; i++)
        if (u->file->at[i]) return false;
    return true;
}

/* A file may be several members, one after the other. */
static gibbs_status unpack(unpacking *u, const gibbs_allocator *a)
{
    for (;;) {
        int64_t need = u->length < FIRST_ROOM ? FIRST_ROOM : u->length + 1;
        if (!gibbs_grow(a, u->text, &u->capacity, u->length, need, 1)) return no_memory(u);
        int code = step(u);
        if (u->length > u->limit)
            return gibbs_fail(u->file->error, GIBBS_SIZE, "%s: unpacks to more than %lld bytes (unpacked_limit)",
                              ebm_short_name(u->file->name), (long long)u->limit);
        if (code == Z_STREAM_END && is_padding(u)) return GIBBS_OK;
        if (code == Z_STREAM_END) {
            if (u->file->length - u->taken > 1 && memcmp(u->file->at + u->taken, "\x1f\x8b", 2))
                return EBM_BYTES_FAIL(u->file, u->taken, "expected the end of the gzip file, found %lld bytes more",
                                      (long long)(u->file->length - u->taken));
            code = inflateReset(&u->z);
        }
        if (code == Z_MEM_ERROR) return no_memory(u);
        if (code == Z_BUF_ERROR)
            return EBM_BYTES_FAIL(u->file, u->taken, "expected more of a gzip member, found %s", "the end");
        if (code != Z_OK)
            return EBM_BYTES_FAIL(u->file, u->taken, "the gzip data are damaged: %s", u->z.msg ? u->z.msg : "no more");
    }
}

gibbs_status ebm_gzip_unpack(const ebm_bytes *f, const ebm_source *source, char **text, int64_t *length)
{
    const gibbs_allocator *a = source->allocator;
    unpacking u = {.limit = source->options->unpacked_limit,
                   .z = {.zalloc = zlib_alloc, .zfree = zlib_release, .opaque = (void *)a},
                   .file = f,
                   .text = text};
    *text = NULL;
    if (inflateInit2(&u.z, AUTOMATIC_WINDOW + GZIP_ONLY) != Z_OK) return no_memory(&u);
    gibbs_status status = unpack(&u, a);
    inflateEnd(&u.z);
    *length = u.length;
    if (status) {
        gibbs_release(a, *text);
        *text = NULL;
    }
    return status;
}
