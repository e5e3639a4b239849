/* tensors_header.c — the JSON header of a safetensors file to tensors and spans, refusing whatever is not strict. */
#include "array.h"
#include "json.h"

#include <stdlib.h>
#include <string.h>

/* How the format spells its types, what holds their numbers here, and the number type; NULL: not read. */
static const struct tensor_type {
    const char *name;
    gibbs_dtype dtype;
    const char *number;
} types[] = {
    {"F32", GIBBS_FLOAT32, "f4"},
    {"F64", GIBBS_FLOAT64, "f8"},
    {"F16", GIBBS_FLOAT32, "f2"},
    {"BF16", GIBBS_FLOAT32, "BF16"},
    {"BOOL", GIBBS_FLOAT32, "b1"},
    {"I8", GIBBS_FLOAT32, "i1"},
    {"U8", GIBBS_FLOAT32, "u1"},
    {"I16", GIBBS_FLOAT32, "i2"},
    {"U16", GIBBS_FLOAT32, "u2"},
    {"I32", GIBBS_FLOAT64, "i4"},
    {"U32", GIBBS_FLOAT64, "u4"},
    {"I64", GIBBS_FLOAT64, "i8"},
    {"U64", GIBBS_FLOAT64, "u8"},
    {"F8_E4M3", 0, NULL},
    {"F8_E5M2", 0, NULL},
    {"F8_E8M0", 0, NULL},
    {"F6_E2M3", 0, NULL},
    {"F6_E3M2", 0, NULL},
    {"F4", 0, NULL},
    {"C64", 0, NULL},
};

/* One tensor of the header while it is read. */
enum { RANK_READ = 64 };
typedef struct header_entry {
    ebm_tensor tensor;
    tensor_span span;
    const struct tensor_type *type;
    int rank;
    int64_t dim[RANK_READ];
} header_entry;

static bool read_dtype(json_reader *r, header_entry *e)
{
    if (!ebm_json_string(r)) return false;
    for (int i = 0; i < GIBBS_COUNT(types); i++)
        if (strcmp(r->string, types[i].name) == 0) e->type = &types[i];
    return e->type || ebm_json_fail(r, "the dtype is none of the format's (F32, F64, F16, I32, …)");
}

/* At most `room` whole numbers. Returns how many; −1 after an error. */
static int read_list(json_reader *r, int64_t *value, int room)
{
    int count = 0;
    if (!ebm_json_open(r, '[')) return -1;
    for (bool first = true; ebm_json_next(r, ']', &first); count++)
        if (count == room ? !ebm_json_fail(r, "a list is too long") : !ebm_json_whole(r, &value[count])) break;
    return r->why ? -1 : count;
}

static bool read_shape(json_reader *r, header_entry *e)
{
    e->rank = read_list(r, e->dim, RANK_READ);
    for (int i = 0; i < e->rank; i++)
        if (e->dim[i] < 0) return ebm_json_fail(r, "the shape has a dimension below 0");
    return e->rank >= 0;
}

static bool read_offsets(json_reader *r, header_entry *e)
{
    int64_t pair[2] = {0, 0};
    if (read_list(r, pair, 2) != 2 || pair[0] < 0 || pair[0] > pair[1])
        return ebm_json_fail(r, "data_offsets are not two whole numbers in order");
    e->span.begin = pair[0];
    e->span.end = pair[1];
    return true;
}

static const struct {
    const char *key;
    bool (*read)(json_reader *r, header_entry *e);
} members[] = {{"dtype", read_dtype}, {"shape", read_shape}, {"data_offsets", read_offsets}};

static bool read_member(json_reader *r, header_entry *e, unsigned *seen)
{
    if (!ebm_json_key(r)) return false;
    for (int i = 0; i < GIBBS_COUNT(members); i++) {
        if (strcmp(r->string, members[i].key)) continue;
        if (*seen & 1u << i) return ebm_json_fail(r, "a tensor has a member twice");
        *seen |= 1u << i;
        return members[i].read(r, e);
    }
    return ebm_json_fail(r, "a tensor has a member that is none of dtype, shape and data_offsets");
}

/* The bytes of a tensor by its type and shape; false when they are beyond counting. */
static bool count_bytes(const header_entry *e, int64_t *bytes)
{
    *bytes = ebm_number_type_named(e->type->number)->size;
    for (int i = 0; i < e->rank; i++)
        if (!e->dim[i]) return *bytes = 0, true;
    for (int i = 0; i < e->rank; i++)
        if (!gibbs_mul_size(*bytes, e->dim[i], bytes)) return false;
    return true;
}

/* Why a well-formed tensor is not read, or NULL; then its shape is set. */
static const char *not_read(header_entry *e)
{
    if (!e->type->number) return "is of a type that is not read";
    if (e->span.begin == e->span.end) return "has no numbers";
    if (e->rank > AD_MAX_RANK) return "has too many dimensions";
    e->tensor.dtype = e->type->dtype;
    e->tensor.shape.rank = e->rank;
    memcpy(e->tensor.shape.dim, e->dim, (size_t)e->rank * sizeof *e->dim);
    return ad_shape_count(&e->tensor.shape) > 0 ? NULL : "has more numbers than 2^31 - 1";
}

/* {"dtype": …, "shape": […], "data_offsets": [begin, end]}, in any order, and in agreement with each other. */
static bool read_entry(json_reader *r, int64_t data_bytes, header_entry *e)
{
    unsigned seen = 0;
    int64_t bytes;
    if (!ebm_json_open(r, '{')) return false;
    for (bool first = true; ebm_json_next(r, '}', &first);)
        if (!read_member(r, e, &seen)) return false;
    if (r->why) return false;
    if (seen != (1u << GIBBS_COUNT(members)) - 1)
        return ebm_json_fail(r, "a tensor lacks dtype, shape or data_offsets");
    if (e->span.end > data_bytes) return ebm_json_fail(r, "data_offsets lie beyond the end of the file");
    if (!e->type->number || (count_bytes(e, &bytes) && e->span.end - e->span.begin == bytes)) return true;
    return ebm_json_fail(r, "data_offsets disagree with the shape");
}

/* What is being made, and room for how many. */
typedef struct header_tables {
    ebm_tensors *out;
    tensor_span *spans;
    int64_t tensors, span_count, span_room, texts, skipped;
    const char *reading; /* the name of the tensor whose entry is being read, or NULL */
} header_tables;

/* A copy of what was read last; NULL with no_memory set. */
static char *keep(json_reader *r)
{
    char *text = gibbs_strdup(r->allocator, r->string);
    r->no_memory |= !text;
    return text;
}

/* One member of the metadata; what is in the table is found by ebm_tensors_free. */
static bool read_text(json_reader *r, header_tables *t)
{
    int64_t n = t->out->metadata_count;
    if (!ebm_json_key(r)) return false;
    r->no_memory = !gibbs_grow(r->allocator, &t->out->metadata, &t->texts, n, n + 1, sizeof *t->out->metadata);
    if (r->no_memory) return false;
    ebm_metadata *text = &t->out->metadata[t->out->metadata_count++];
    *text = (ebm_metadata){keep(r), NULL};
    if (text->key && ebm_json_string(r)) text->value = keep(r);
    return text->value;
}

/* An object of strings, or null for none. */
static bool read_metadata(json_reader *r, header_tables *t)
{
    if (ebm_json_null(r)) return true;
    if (!ebm_json_open(r, '{')) return false;
    for (bool first = true; ebm_json_next(r, '}', &first);)
        if (!read_text(r, t)) return false;
    return !r->why;
}

/* Notes a tensor that is not read; the name is then the list's. */
static bool skip_tensor(json_reader *r, header_tables *t, char *name, const char *why)
{
    ebm_tensors *out = t->out;
    int64_t n = out->skipped_count;
    char *reason = gibbs_strdup(r->allocator, why);
    r->no_memory = !reason || !gibbs_grow(r->allocator, &out->skipped, &t->skipped, n, n + 1, sizeof *out->skipped);
    if (r->no_memory) {
        gibbs_release(r->allocator, reason);
        return false;
    }
    out->skipped[out->skipped_count++] = (ebm_metadata){name, reason};
    out->count--;
    return true;
}

/* The name goes to the table first: ebm_tensors_free then finds it whatever follows. */
static bool read_tensor(json_reader *r, int64_t data_bytes, header_tables *t)
{
    const gibbs_allocator *a = r->allocator;
    int64_t n = t->out->count, s = t->span_count;
    r->no_memory = !gibbs_grow(a, &t->out->tensor, &t->tensors, n, n + 1, sizeof *t->out->tensor) ||
                   !gibbs_grow(a, &t->spans, &t->span_room, s, s + 1, sizeof *t->spans);
    if (r->no_memory) return false;
    char *name = keep(r);
    if (!name) return false;
    header_entry e = {.tensor = {.name = name}, .span = {.name = name, .tensor = (int)n}};
    t->out->tensor[n] = e.tensor;
    t->out->count++;
    t->reading = name;
    if (!read_entry(r, data_bytes, &e)) return false;
    t->reading = NULL;
    const char *why = not_read(&e);
    if (why && !skip_tensor(r, t, name, why)) return false;
    if (why) e.span.tensor = -1;
    else t->out->tensor[n] = e.tensor;
    e.span.number = e.type->number;
    t->spans[t->span_count++] = e.span;
    return true;
}

/* The format wants the brace first, with no white space before it. */
static bool read_tensors(json_reader *r, int64_t data_bytes, header_tables *t)
{
    bool metadata = false;
    if (r->at < r->end && memchr(" \t\r\n", *r->at, 4))
        return ebm_json_fail(r, "the header begins with a blank; the format wants a '{' there");
    if (r->at == r->end || *r->at != '{' || !ebm_json_open(r, '{'))
        return ebm_json_fail(r, "no safetensors file: the header does not begin with '{'");
    for (bool first = true; ebm_json_next(r, '}', &first);) {
        if (!ebm_json_key(r)) return false;
        bool is_metadata = strcmp(r->string, TENSOR_METADATA) == 0;
        if (is_metadata && metadata) return ebm_json_fail(r, TENSOR_METADATA " is there twice");
        if (!(is_metadata ? read_metadata(r, t) : read_tensor(r, data_bytes, t))) return false;
        metadata |= is_metadata;
    }
    return ebm_json_end(r);
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const tensor_span *)a)->name, ((const tensor_span *)b)->name);
}

/* Empty ones come before those that begin at the same place. */
static int by_begin(const void *a, const void *b)
{
    const tensor_span *first = a, *second = b;
    int order = (first->begin > second->begin) - (first->begin < second->begin);
    return order ? order : (first->end > second->end) - (first->end < second->end);
}

static int by_key(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* No key of the metadata twice. */
static gibbs_status check_keys(const ebm_tensors *out, const char *path, gibbs_error *error)
{
    int count = out->metadata_count;
    const char **key = gibbs_alloc(&out->allocator, (size_t)count, sizeof *key);
    gibbs_status status = GIBBS_OK;
    if (!key) return gibbs_fail(error, GIBBS_MEMORY, "no memory for the metadata of '%s'", path);
    for (int k = 0; k < count; k++) key[k] = out->metadata[k].key;
    if (count) qsort(key, (size_t)count, sizeof *key, by_key);
    for (int k = 1; k < count && !status; k++)
        if (strcmp(key[k - 1], key[k]) == 0)
            status = gibbs_fail(error, GIBBS_FORMAT, "%s: the metadata have '%.60s' twice", path, key[k]);
    gibbs_release(&out->allocator, key);
    return status;
}

/* No name twice, and every byte of the data in exactly one tensor. */
static gibbs_status check_spans(tensor_span *spans, int count, int64_t data_bytes, const char *path, gibbs_error *error)
{
    int64_t end = 0;
    if (count) qsort(spans, (size_t)count, sizeof *spans, by_name);
    for (int i = 1; i < count; i++)
        if (by_name(&spans[i - 1], &spans[i]) == 0)
            return gibbs_fail(error, GIBBS_FORMAT, "%s: two tensors are named '%.60s'", path, spans[i].name);
    if (count) qsort(spans, (size_t)count, sizeof *spans, by_begin);
    for (int i = 0; i < count; end = spans[i++].end)
        if (spans[i].begin != end)
            return gibbs_fail(error, GIBBS_FORMAT, "%s: tensor '%.60s' %s: it begins at data byte %lld, not %lld", path,
                              spans[i].name, spans[i].begin < end ? "overlaps another" : "leaves a gap before it",
                              (long long)spans[i].begin, (long long)end);
    if (end != data_bytes)
        return gibbs_fail(error, GIBBS_FORMAT, "%s: %lld byte%s at the end belong%s to no tensor", path,
                          (long long)(data_bytes - end), gibbs_plural(data_bytes - end),
                          data_bytes - end == 1 ? "s" : "");
    return GIBBS_OK;
}

gibbs_status ebm_tensors_parse_header(const char *text, int64_t length, int64_t data_bytes, const char *path,
                                      ebm_tensors *out, tensor_span **spans, gibbs_error *error)
{
    json_reader r = {.start = text, .at = text, .end = text + length, .allocator = &out->allocator};
    header_tables tables = {.out = out};
    bool ok = read_tensors(&r, data_bytes, &tables);
    gibbs_release(r.allocator, r.string);
    *spans = tables.spans;
    path = ebm_short_name(path);
    if (ok) {
        gibbs_status status = check_spans(*spans, (int)tables.span_count, data_bytes, path, error);
        return status ? status : check_keys(out, path, error);
    }
    if (r.no_memory) return gibbs_fail(error, GIBBS_MEMORY, "no memory for the tensors of '%s'", path);
    return gibbs_fail(error, GIBBS_FORMAT, "%s: %s%s%.60s, at byte %lld of the header", path, r.why,
                      tables.reading ? ", in tensor " : "", tables.reading ? tables.reading : "",
                      (long long)(r.at - r.start));
}
