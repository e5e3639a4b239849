#define _GNU_SOURCE
#include "failure.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

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
    fprintf(stderr, "%s: %s\n", program_invocation_short_name, error->message);
}
