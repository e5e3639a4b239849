/* number.c — numbers in C notation whatever the locale. */
#include "data_private.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

bool ebm_locale_enter(ebm_locale *l)
{
    l->c = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    if (!l->c) return false;
    l->before = uselocale(l->c);
    return true;
}

void ebm_locale_leave(const ebm_locale *l)
{
    uselocale(l->before);
    freelocale(l->c);
}

static const char *skip_digits(const char *p)
{
    while (*p >= '0' && *p <= '9') p++;
    return p;
}

static const char *skip_sign(const char *p)
{
    return p + (*p == '+' || *p == '-');
}

static const char *skip_blanks(const char *p)
{
    return p + strspn(p, " \t");
}

/* The end of «nan», «inf» or «infinity» at p, in any case; or NULL. */
static const char *skip_word(const char *p)
{
    static const char *const words[] = {"infinity", "inf", "nan"};
    for (int i = 0; i < GIBBS_COUNT(words); i++) {
        size_t length = strlen(words[i]);
        if (strncasecmp(p, words[i], length) == 0) return p + length;
    }
    return NULL;
}

/* The end of digits [. digits] [e [sign] digits] at p, at least one digit before the e; or NULL. */
static const char *skip_decimal(const char *p)
{
    const char *end = skip_digits(p);
    int64_t digits = end - p;
    if (*end == '.') {
        const char *fraction = end + 1;
        end = skip_digits(fraction);
        digits += end - fraction;
    }
    if (!digits) return NULL;
    if (*end != 'e' && *end != 'E') return end;
    const char *exponent = skip_sign(end + 1);
    end = skip_digits(exponent);
    return end > exponent ? end : NULL;
}

/* strtod also takes hexadecimal, nan(…) and whatever stands before garbage: the grammar is checked first, and
 * strtod left with the correct rounding. */
bool ebm_parse_number(const char *text, int64_t length, double *value)
{
    const char *start = skip_blanks(text), *body = skip_sign(start), *end = skip_word(body);
    if (!end) end = skip_decimal(body);
    if (!end || skip_blanks(end) != text + length) return false;
    *value = strtod(start, NULL);
    return true;
}

/* Blanks of Unicode: U+00A0, U+2000 to U+200A, U+202F, U+205F, U+3000. */
int ebm_blank_length(const char *p, const char *end)
{
    if (*p == ' ' || *p == '\t') return 1;
    const unsigned char *u = (const unsigned char *)p;
    if (end - p >= 2 && u[0] == 0xC2 && u[1] == 0xA0) return 2;
    if (end - p < 3 || (u[0] & 0xF0) != 0xE0 || (u[1] & 0xC0) != 0x80 || (u[2] & 0xC0) != 0x80) return 0;
    unsigned code = (u[0] & 0x0Fu) << 12 | (u[1] & 0x3Fu) << 6 | (u[2] & 0x3Fu);
    return (code >= 0x2000 && code <= 0x200A) || code == 0x202F || code == 0x205F || code == 0x3000 ? 3 : 0;
}

const char *ebm_trim_blanks(const char *start, const char *end, int64_t *length)
{
    int width;
    while (start < end && (width = ebm_blank_length(start, end))) start += width;
    for (int back = 1; back <= 3 && end - start >= back; back++)
        if (ebm_blank_length(end - back, end) == back) end -= back, back = 0;
    *length = end - start;
    return start;
}
