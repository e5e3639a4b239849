/* tensors_write.c — named arrays to a safetensors file. The header keeps the caller's order; of the data the
 * float64 come first, so that every number of a mapped file is aligned. */
#include "data_private.h"

#include <jansson.h>
#include <string.h>

enum { CHUNK_BYTES = 1 << 12, HEADER_ALIGNMENT = 8 };

static gibbs_status no_memory(gibbs_error *error)
{
    return gibbs_fail(error, GIBBS_MEMORY, "no memory for the header of the tensor file");
}

/* What is wrong with a tensor, or NULL. */
static const char *objection(const ebm_tensor *t)
{
    const char *why = ebm_tensor_name_objection(t->name);
    if (why) return why;
    if ((unsigned)t->dtype >= TENSOR_DTYPES) return "has a dtype that is neither float32 nor float64";
    if (ad_shape_count(&t->shape) < 1) return "has a shape that is not valid";
    return t->data ? NULL : "has no data";
}

static int64_t tensor_bytes(const ebm_tensor *t)
{
    return ad_shape_count(&t->shape) * (int64_t)gibbs_dtype_size(t->dtype);
}

/* {"dtype": …, "shape": […], "data_offsets": [begin, end]}, or NULL when memory is out. */
static json_t *describe(const ebm_tensor *t, int64_t begin)
{
    json_t *shape = json_array();
    for (int i = 0; shape && i < t->shape.rank; i++)
        if (json_array_append_new(shape, json_integer(t->shape.dim[i]))) {
            json_decref(shape);
            return NULL;
        }
    return json_pack("{s:s, s:o, s:[I,I]}", "dtype", ebm_dtype_names[t->dtype], "shape", shape, "data_offsets",
                     (json_int_t)begin, (json_int_t)(begin + tensor_bytes(t)));
}

static gibbs_status add_tensor(json_t *header, const ebm_tensor *t, int64_t begin, gibbs_error *error)
{
    if (json_object_get(header, t->name))
        return gibbs_fail(error, GIBBS_ARGUMENT, "two tensors are named '%.100s'", t->name);
    return json_object_set_new(header, t->name, describe(t, begin)) ? no_memory(error) : GIBBS_OK;
}

/* Every tensor can be written, and bytes[dtype] is what those of one dtype take together. */
static gibbs_status check_tensors(const ebm_tensor *tensor, int count, int64_t bytes[TENSOR_DTYPES],
                                  gibbs_error *error)
{
    for (int i = 0; i < count; i++) {
        const char *why = objection(&tensor[i]);
        if (why) return gibbs_fail(error, GIBBS_ARGUMENT, "tensor %d cannot be written: it %s", i + 1, why);
        bytes[tensor[i].dtype] += tensor_bytes(&tensor[i]);
        if (bytes[tensor[i].dtype] > INT64_MAX / 4)
            return gibbs_fail(error, GIBBS_SIZE, "the tensors are too large for one file");
    }
    return GIBBS_OK;
}

static gibbs_status add_tensors(json_t *header, const ebm_tensor *tensor, int count, gibbs_error *error)
{
    int64_t bytes[TENSOR_DTYPES] = {0};
    gibbs_status status = check_tensors(tensor, count, bytes, error);
    int64_t next[TENSOR_DTYPES] = {[GIBBS_FLOAT64] = 0, [GIBBS_FLOAT32] = bytes[GIBBS_FLOAT64]};
    for (int i = 0; i < count && !status; i++) {
        status = add_tensor(header, &tensor[i], next[tensor[i].dtype], error);
        next[tensor[i].dtype] += tensor_bytes(&tensor[i]);
    }
    return status;
}

/* The JSON text, with spaces at its end up to whole words: the data that follow are aligned. */
static gibbs_status print_header(const json_t *header, char **text, size_t *length, gibbs_error *error)
{
    gibbs_allocator a = gibbs_allocator_or_default(NULL);
    size_t used = json_dumpb(header, NULL, 0, JSON_COMPACT);
    *length = (used + HEADER_ALIGNMENT - 1) / HEADER_ALIGNMENT * HEADER_ALIGNMENT;
    if (!used) return no_memory(error);
    if (*length > TENSOR_HEADER_LIMIT)
        return gibbs_fail(error, GIBBS_SIZE, "a tensor file's header of %zu bytes is too large", *length);
    *text = gibbs_alloc(&a, *length, 1);
    if (!*text || json_dumpb(header, *text, used, JSON_COMPACT) != used) return no_memory(error);
    memset(*text + used, ' ', *length - used);
    return GIBBS_OK;
}

/* {"__metadata__": {key: text}}, which the format wants in front; nothing where there is none. */
static gibbs_status add_metadata(json_t *header, const ebm_metadata *metadata, int count, gibbs_error *error)
{
    json_t *texts = count ? json_object() : NULL;
    if (!count) return GIBBS_OK;
    if (!texts || json_object_set_new(header, TENSOR_METADATA, texts)) return no_memory(error);
    for (int i = 0; i < count; i++)
        if (json_object_set_new(texts, metadata[i].key, json_string(metadata[i].value))) return no_memory(error);
    return GIBBS_OK;
}

static gibbs_status make_header(const ebm_tensor *tensor, int count, const ebm_metadata *metadata, int texts,
                                char **text, size_t *length, gibbs_error *error)
{
    json_t *header = json_object();
    if (!header) return no_memory(error);
    gibbs_status status = add_metadata(header, metadata, texts, error);
    if (!status) status = add_tensors(header, tensor, count, error);
    if (!status) status = print_header(header, text, length, error);
    json_decref(header);
    return status;
}

static bool write_numbers(FILE *file, const ebm_tensor *t)
{
    char chunk[CHUNK_BYTES];
    size_t size = gibbs_dtype_size(t->dtype), left = (size_t)tensor_bytes(t), part;
    for (const char *from = t->data; left; from += part, left -= part) {
        part = left < CHUNK_BYTES ? left : CHUNK_BYTES;
        memcpy(chunk, from, part);
        ebm_byte_order(chunk, (int64_t)(part / size), size);
        if (fwrite(chunk, 1, part, file) != part) return false;
    }
    return true;
}

static bool write_file(FILE *file, const char *header, size_t length, const ebm_tensor *tensor, int count)
{
    static const gibbs_dtype order[TENSOR_DTYPES] = {GIBBS_FLOAT64, GIBBS_FLOAT32};
    uint64_t prefix = length;
    ebm_byte_order(&prefix, 1, sizeof prefix);
    bool ok = fwrite(&prefix, sizeof prefix, 1, file) == 1 && fwrite(header, 1, length, file) == length;
    for (int d = 0; d < TENSOR_DTYPES; d++)
        for (int i = 0; i < count && ok; i++)
            if (tensor[i].dtype == order[d]) ok = write_numbers(file, &tensor[i]);
    return ok;
}

gibbs_status ebm_tensors_write(const char *path, const ebm_tensor *tensor, int count, gibbs_error *error)
{
    return ebm_tensors_write_with(path, tensor, count, NULL, 0, error);
}

gibbs_status ebm_tensors_write_with(const char *path, const ebm_tensor *tensor, int count, const ebm_metadata *metadata,
                                    int texts, gibbs_error *error)
{
    GIBBS_REQUIRE("tensors_write", path && (tensor || count <= 0), error);
    gibbs_allocator a = gibbs_allocator_or_default(NULL);
    char *header = NULL;
    size_t length = 0;
    ebm_writer writer;
    if (count < 0) return gibbs_fail(error, GIBBS_ARGUMENT, "%d tensors cannot be written", count);
    gibbs_status status = make_header(tensor, count, metadata, texts, &header, &length, error);
    if (!status) status = ebm_writer_open(path, &writer, error);
    if (!status) {
        if (!write_file(writer.file, header, length, tensor, count)) status = ebm_io_fail(error, "write", path);
        status = ebm_writer_close(&writer, status, error);
    }
    gibbs_release(&a, header);
    return status;
}
