#include "failure.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const char *name = "example";

gibbs_status fail(gibbs_error *error, gibbs_status status, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    *error = (gibbs_error){.status = status, .row = -1, .axis = -1};
    vsnprintf(error->message, sizeof error->message, format, arguments);
    va_end(arguments);
    return status;
}

void complain(const gibbs_error *error)
{
    fprintf(stderr, "%s: %s\n", program_name(), error->message);
}

void program_named(const char *argv0)
{
    const char *slash = argv0 ? strrchr(argv0, '/') : NULL;
    if (argv0) name = slash ? slash + 1 : argv0;
}

const char *program_name(void) { return name; }
