#include "base.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LINE = 64 };

const char *gibbs_status_text(gibbs_status status)
{
    static const char *const text[] = {
#define STATUS_TEXT(name, sentence) sentence,
        GIBBS_STATUS_MAP(STATUS_TEXT)
#undef STATUS_TEXT
    };
    return (unsigned)status < GIBBS_STATUS_COUNT ? text[status] : "unknown status";
}

const char *gibbs_version(void)
{
    return GIBBS_VERSION;
}

size_t gibbs_dtype_size(gibbs_dtype dtype)
{
    return dtype == GIBBS_FLOAT32 ? sizeof(float) : sizeof(double);
}

int gibbs_utf8(const char *p, const char *end, uint32_t *code)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    unsigned char lead = (unsigned char)*p;
    int length = lead < 0x80 ? 1 : lead < 0xC0 ? 0 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : lead < 0xF8 ? 4 : 0;
    *code = length > 1 ? lead & (0x7Fu >> length) : lead;
    if (end - p < length) return 0;
    for (int i = 1; i < length; i++) {
        if ((p[i] & 0xC0) != 0x80) return 0;
        *code = *code << 6 | (p[i] & 0x3F);
    }
    return *code >= least[length] && *code <= 0x10FFFF && (*code < 0xD800 || *code > 0xDFFF) ? length : 0;
}

/* C0, DEL and C1; line and paragraph ends; what turns the direction of writing, or is not seen. */
static bool is_control(uint32_t code)
{
    return code < 0x20 || (code >= 0x7F && code <= 0x9F) || (code >= 0x200B && code <= 0x200F) ||
           code == 0xFEFF || (code >= 0x2028 && code <= 0x202E) || (code >= 0x2066 && code <= 0x2069);
}

void gibbs_safe_text(char *text)
{
    const char *end = text + strlen(text);
    uint32_t code;
    char *out = text;
    for (const char *p = text; p < end;) {
        int length = gibbs_utf8(p, end, &code);
        bool bad = !length || is_control(code);
        if (bad) *out++ = '?';
        for (int i = 0; i < length; i++, p++)
            if (!bad) *out++ = *p;
        if (!length) do p++; while (p < end && (*p & 0xC0) == 0x80);
    }
    *out = 0;
}

/* A NaN has no sign worth telling, but printf shows one. Only numbers begin after a space or a bracket here. */
static void drop_signs_of_nan(char *message)
{
    for (char *at = message; (at = strstr(at, "-nan")) != NULL; at++)
        if (at == message || strchr(" (", at[-1])) memmove(at, at + 1, strlen(at));
}

static void describe(gibbs_error *error, gibbs_status status, int64_t row, const char *format, va_list args)
{
    if (!error) return;
    vsnprintf(error->message, sizeof error->message, format, args);
    gibbs_safe_text(error->message);
    drop_signs_of_nan(error->message);
    error->status = status;
    error->row = row;
    error->axis = -1;
}

gibbs_status gibbs_fail(gibbs_error *error, gibbs_status status, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    describe(error, status, -1, format, args);
    va_end(args);
    return status;
}

gibbs_status gibbs_fail_row(gibbs_error *error, gibbs_status status, int64_t row, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    describe(error, status, row, format, args);
    va_end(args);
    return status;
}

static void *default_alloc(void *context, size_t bytes)
{
    (void)context;
    return malloc(bytes);
}

static void default_release(void *context, void *memory)
{
    (void)context;
    free(memory);
}

static bool complete(const gibbs_allocator *a) { return a->alloc && a->release; }

gibbs_status gibbs_allocator_check(const gibbs_allocator *allocator, gibbs_error *error)
{
    if (!allocator || complete(allocator)) return GIBBS_OK;
    return gibbs_fail(error, GIBBS_ARGUMENT,
                      "the allocator has no %s: it needs alloc and release; NULL in its place is malloc and free",
                      allocator->alloc ? "release" : "alloc");
}

gibbs_allocator gibbs_allocator_or_default(const gibbs_allocator *allocator)
{
    return allocator ? *allocator : (gibbs_allocator){default_alloc, default_release, NULL};
}

void *gibbs_alloc(const gibbs_allocator *a, size_t count, size_t size)
{
    size_t bytes;
    if (!complete(a) || __builtin_mul_overflow(count, size, &bytes) || bytes > PTRDIFF_MAX) return NULL;
    return a->alloc(a->context, bytes ? bytes : 1);
}

void *gibbs_alloc_zero(const gibbs_allocator *a, size_t count, size_t size)
{
    void *memory = gibbs_alloc(a, count, size);
    if (memory) memset(memory, 0, count * size);
    return memory;
}

void gibbs_release(const gibbs_allocator *a, void *memory)
{
    if (memory && a->release) a->release(a->context, memory);
}

/* The pointer that the allocator gave is kept in the word before the aligned block. */
void *gibbs_alloc_aligned(const gibbs_allocator *a, size_t count, size_t size)
{
    size_t bytes;
    if (__builtin_mul_overflow(count, size, &bytes) || bytes > PTRDIFF_MAX - 4 * LINE) return NULL;
    bytes = (bytes + LINE - 1) / LINE * LINE;
    char *raw = gibbs_alloc(a, 1, bytes + LINE + sizeof(void *));
    if (!raw) return NULL;
    char *block = (char *)(((uintptr_t)raw + sizeof(void *) + LINE - 1) / LINE * LINE);
    memcpy(block - sizeof(void *), &raw, sizeof(void *));
    return block;
}

void gibbs_release_aligned(const gibbs_allocator *a, void *memory)
{
    if (!memory) return;
    void *raw;
    memcpy(&raw, (char *)memory - sizeof(void *), sizeof(void *));
    gibbs_release(a, raw);
}

bool gibbs_grow(const gibbs_allocator *a, void *array, int64_t *capacity, int64_t used, int64_t need, size_t size)
{
    if (need <= *capacity) return true;
    int64_t wanted = *capacity + *capacity / 2 + 16;
    if (wanted < need) wanted = need;
    void *fresh = gibbs_alloc(a, (size_t)wanted, size), *old;
    if (!fresh) return false;
    memcpy(&old, array, sizeof old);
    if (used) memcpy(fresh, old, (size_t)used * size);
    memcpy(array, &fresh, sizeof fresh);
    gibbs_release(a, old);
    *capacity = wanted;
    return true;
}

char *gibbs_strdup(const gibbs_allocator *a, const char *text)
{
    size_t bytes = strlen(text) + 1;
    char *copy = gibbs_alloc(a, bytes, 1);
    if (copy) memcpy(copy, text, bytes);
    return copy;
}
