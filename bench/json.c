#include "json.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>

static bool empty;

void json_begin(void)
{
    empty = true;
    putchar('{');
}

static void quoted(const char *text)
{
    putchar('"');
    for (const unsigned char *c = (const unsigned char *)text; *c; c++) {
        if (*c < 0x20) printf("\\u%04x", *c);
        else if (*c == '"' || *c == '\\') printf("\\%c", *c);
        else putchar(*c);
    }
    putchar('"');
}

static void key_of(const char *key)
{
    if (!empty) fputs(", ", stdout);
    empty = false;
    quoted(key);
    fputs(": ", stdout);
}

void json_text(const char *key, const char *value)
{
    key_of(key);
    quoted(value);
}

void json_number(const char *key, double value)
{
    key_of(key);
    if (isfinite(value)) printf("%.17g", value);
    else fputs("null", stdout);
}

void json_end(void)
{
    puts("}");
    fflush(stdout);
}
