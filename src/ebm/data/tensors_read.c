/* tensors_read.c — a safetensors file to named arrays. The sizes are checked against the file's before anything is
 * asked for, so a hostile header cannot ask for more memory than the file has bytes. */
#include "array.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PIECE = 1 << 12 };

typedef struct tensor_file {
    FILE *file;
    const char *path;
    int64_t header_bytes, data_bytes;
    gibbs_error *error;
} tensor_file;

static gibbs_status no_memory(const tensor_file *f)
{
    return gibbs_fail(f->error, GIBBS_MEMORY, "no memory for the tensors of '%s'", ebm_short_name(f->path));
}

/* The length was checked, so an early end means that somebody is writing to the file. */
static gibbs_status read_bytes(const tensor_file *f, void *to, size_t bytes)
{
    if (fread(to, 1, bytes, f->file) == bytes) return GIBBS_OK;
    if (ferror(f->file)) return ebm_io_fail(f->error, "read", f->path);
    return gibbs_fail(f->error, GIBBS_IO, "'%s' became shorter while it was read", ebm_short_name(f->path));
}

/* Reads the length prefix: header and data together are the rest of the file. */
static gibbs_status measure(tensor_file *f)
{
    struct stat info;
    uint64_t header;
    if (fstat(fileno(f->file), &info)) return ebm_io_fail(f->error, "read", f->path);
    if (!S_ISREG(info.st_mode))
        return gibbs_fail(f->error, GIBBS_IO, "cannot read '%s': it is no regular file", ebm_short_name(f->path));
    int64_t rest = (int64_t)info.st_size - (int64_t)sizeof header;
    if (rest < 0)
        return gibbs_fail(f->error, GIBBS_FORMAT, "%s is no safetensors file: it is too short for a header's length",
                          ebm_short_name(f->path));
    gibbs_status status = read_bytes(f, &header, sizeof header);
    if (status) return status;
    ebm_byte_order(&header, 1, sizeof header);
    if (header > (uint64_t)rest || header > TENSOR_HEADER_LIMIT)
        return gibbs_fail(
            f->error, GIBBS_FORMAT,
            "%s is no safetensors file: its first 8 bytes, which would be a header's length, are %llu, and "
            "%lld follow",
            ebm_short_name(f->path), (unsigned long long)header, (long long)rest);
    f->header_bytes = (int64_t)header;
    f->data_bytes = rest - f->header_bytes;
    return GIBBS_OK;
}

static gibbs_status read_header(const tensor_file *f, ebm_tensors *out, tensor_span **spans)
{
    char *text = gibbs_alloc(&out->allocator, (size_t)f->header_bytes, 1);
    if (!text) return no_memory(f);
    gibbs_status status = read_bytes(f, text, (size_t)f->header_bytes);
    if (!status) status = ebm_tensors_parse_header(text, f->header_bytes, f->data_bytes, f->path, out, spans, f->error);
    gibbs_release(&out->allocator, text);
    return status;
}

/* Numbers of another type than t's, a piece of the file at a time. */
static gibbs_status convert(const tensor_file *f, const ebm_number_type *number, int64_t count, ebm_tensor *t)
{
    unsigned char piece[PIECE];
    float *single = t->data;
    double *full = t->data;
    for (int64_t at = 0; at < count;) {
        int64_t some = PIECE / number->size < count - at ? PIECE / number->size : count - at;
        gibbs_status status = read_bytes(f, piece, (size_t)(some * number->size));
        if (status) return status;
        for (int64_t i = 0; i < some; i++, at++) {
            double x = number->value(ebm_bytes_whole(piece + i * number->size, number->size, false));
            if (t->dtype == GIBBS_FLOAT32) single[at] = (float)x;
            else full[at] = x;
        }
    }
    return GIBBS_OK;
}

static gibbs_status read_tensor(const tensor_file *f, const tensor_span *span, ebm_tensors *out)
{
    ebm_tensor *t = &out->tensor[span->tensor];
    const ebm_number_type *number = ebm_number_type_named(span->number);
    size_t bytes = (size_t)(span->end - span->begin), size = gibbs_dtype_size(t->dtype);
    int64_t count = (int64_t)bytes / number->size;
    t->data = gibbs_alloc(&out->allocator, (size_t)count, size);
    if (!t->data) return no_memory(f);
    if (strcmp(number->name, t->dtype == GIBBS_FLOAT32 ? "f4" : "f8")) return convert(f, number, count, t);
    gibbs_status status = read_bytes(f, t->data, bytes);
    ebm_byte_order(t->data, count, size);
    return status;
}

static gibbs_status read_data(const tensor_file *f, ebm_tensors *out, const tensor_span *spans)
{
    gibbs_status status = GIBBS_OK;
    for (int i = 0; i < out->count + out->skipped_count && !status; i++) {
        int64_t bytes = spans[i].end - spans[i].begin;
        if (spans[i].tensor >= 0) status = read_tensor(f, &spans[i], out);
        else if (fseeko(f->file, (off_t)bytes, SEEK_CUR)) status = ebm_io_fail(f->error, "read", f->path);
    }
    return status;
}

/* Does not wait for somebody to write to a pipe, which is then refused. */
static FILE *open_now(const char *path)
{
    int descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    FILE *file = descriptor < 0 ? NULL : fdopen(descriptor, "rb");
    if (!file && descriptor >= 0) close(descriptor);
    return file;
}

gibbs_status ebm_tensors_read(const char *path, const gibbs_allocator *allocator, ebm_tensors *out, gibbs_error *error)
{
    GIBBS_REQUIRE("tensors_read", path && out, error);
    *out = (ebm_tensors){.allocator = gibbs_allocator_or_default(allocator)};
    if (gibbs_allocator_check(allocator, error)) return GIBBS_ARGUMENT;
    tensor_file f = {.file = open_now(path), .path = path, .error = error};
    tensor_span *spans = NULL;
    gibbs_status status = f.file ? measure(&f) : ebm_io_fail(error, "open", path);
    if (!status) status = read_header(&f, out, &spans);
    if (!status) status = read_data(&f, out, spans);
    gibbs_release(&out->allocator, spans);
    if (f.file) fclose(f.file);
    if (status) ebm_tensors_free(out);
    return status;
}
