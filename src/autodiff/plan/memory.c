/* memory.c — the memory that a compilation takes, and the error that it ends with. */
#include "passes.h"

#include <stdarg.h>
#include <stdio.h>

gibbs_status ad_compile_fail(ad_compiler *c, gibbs_status status, const char *format, ...)
{
    char what[sizeof c->error->message];
    va_list args;
    va_start(args, format);
    vsnprintf(what, sizeof what, format, args);
    va_end(args);
    if (!c->status) c->status = gibbs_fail(c->error, status, "compile: %s", what);
    return c->status;
}

gibbs_status ad_out_of_memory(ad_compiler *c) { return ad_compile_fail(c, GIBBS_MEMORY, "out of memory"); }

bool ad_one_more(ad_compiler *c, void *array, int64_t *capacity, int64_t count, size_t size)
{
    if (c->status) return false;
    return gibbs_grow(&c->plan->alloc, array, capacity, count, count + 1, size) || !ad_out_of_memory(c);
}
