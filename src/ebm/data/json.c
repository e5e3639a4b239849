/* json.c — strict JSON, piece by piece. */
#include "json.h"

#include <string.h>

bool ebm_json_fail(json_reader *r, const char *why)
{
    if (!r->why && !r->no_memory) r->why = why;
    return false;
}

/* The next byte that is no white space, not read yet; −1 at the end of the text or after an error. */
static int peek(json_reader *r)
{
    while (r->at < r->end && memchr(" \t\r\n", *r->at, 4)) r->at++;
    return r->at < r->end && !r->why && !r->no_memory ? (unsigned char)*r->at : -1;
}

static bool take(json_reader *r, char c)
{
    if (peek(r) != c) return false;
    r->at++;
    return true;
}

bool ebm_json_open(json_reader *r, char bracket)
{
    return take(r, bracket) || ebm_json_fail(r, bracket == '{' ? "an object was expected" : "a list was expected");
}

bool ebm_json_next(json_reader *r, char close, bool *first)
{
    bool was_first = *first;
    *first = false;
    if (take(r, close)) return false;
    if (was_first ? peek(r) >= 0 : take(r, ',')) return true;
    return ebm_json_fail(r, "a comma or a closing bracket was expected");
}

bool ebm_json_end(json_reader *r)
{
    if (peek(r) < 0 && !r->why && !r->no_memory) return true;
    return ebm_json_fail(r, "the text goes on after its end");
}

bool ebm_json_null(json_reader *r)
{
    if (peek(r) != 'n' || r->end - r->at < 4 || memcmp(r->at, "null", 4)) return false;
    r->at += 4;
    return true;
}

bool ebm_json_whole(json_reader *r, int64_t *value)
{
    if (peek(r) < 0) return ebm_json_fail(r, "a whole number was expected");
    bool negative = take(r, '-');
    const char *first = r->at;
    *value = 0;
    for (; r->at < r->end && *r->at >= '0' && *r->at <= '9'; r->at++)
        if (__builtin_mul_overflow(*value, 10, value) || __builtin_add_overflow(*value, *r->at - '0', value))
            return ebm_json_fail(r, "a number is too large");
    if (r->at == first || (*first == '0' && r->at > first + 1) || (r->at < r->end && memchr(".eE", *r->at, 3)))
        return ebm_json_fail(r, "a whole number was expected");
    if (negative) *value = -*value;
    return true;
}

/* ---- Strings ----------------------------------------------------------------------------------------------- */

static bool is_scalar(uint32_t code)
{
    return code <= 0x10FFFF && (code < 0xD800 || code > 0xDFFF);
}

bool ebm_is_utf8(const char *text)
{
    const char *end = text + strlen(text);
    uint32_t code;
    int length = 1;
    for (; text < end && length; text += length) length = gibbs_utf8(text, end, &code);
    return length;
}

static char *put_utf8(char *out, uint32_t code)
{
    int more = code < 0x80 ? 0 : code < 0x800 ? 1 : code < 0x10000 ? 2 : 3;
    *out++ = (char)(more ? (0xFF00u >> (more + 1) & 0xFF) | code >> (6 * more) : code);
    while (more--) *out++ = (char)(0x80 | (code >> (6 * more) & 0x3F));
    return out;
}

/* The four hexadecimal digits of \uXXXX at r->at, which are then read; −1 when they are none. */
static int32_t take_hex(json_reader *r)
{
    int32_t code = 0;
    if (r->end - r->at < 4) return -1;
    for (int i = 0; i < 4; i++) {
        int c = (unsigned char)*r->at++;
        int digit = c >= '0' && c <= '9' ? c - '0' : (c | 32) >= 'a' && (c | 32) <= 'f' ? (c | 32) - 'a' + 10 : -1;
        if (digit < 0) return -1;
        code = code << 4 | digit;
    }
    return code;
}

/* After «\u». A character beyond 16 bits comes as two halves; half a pair is no character, and neither is NUL. */
static char *take_unicode(json_reader *r, char *out)
{
    int32_t code = take_hex(r);
    if (code >= 0xD800 && code < 0xDC00 && r->end - r->at >= 2 && r->at[0] == '\\' && r->at[1] == 'u') {
        r->at += 2;
        int32_t low = take_hex(r);
        code = low >= 0xDC00 && low < 0xE000 ? 0x10000 + (code - 0xD800) * 0x400 + (low - 0xDC00) : -1;
    }
    if (code > 0 && is_scalar((uint32_t)code)) return put_utf8(out, (uint32_t)code);
    ebm_json_fail(r, "a \\u escape in a string is no character");
    return out;
}

static char *take_escape(json_reader *r, char *out)
{
    static const char letters[] = "\"\\/bfnrt", meanings[] = "\"\\/\b\f\n\r\t";
    char c = r->at < r->end ? *r->at++ : 0;
    if (c == 'u') return take_unicode(r, out);
    const char *letter = c ? strchr(letters, c) : NULL;
    if (letter) *out++ = meanings[letter - letters];
    else ebm_json_fail(r, "an escape in a string is not known");
    return out;
}

static char *take_character(json_reader *r, char *out)
{
    if (*r->at == '\\') {
        r->at++;
        return take_escape(r, out);
    }
    uint32_t code;
    int length = (unsigned char)*r->at < ' ' ? 0 : gibbs_utf8(r->at, r->end, &code);
    if (!length) ebm_json_fail(r, "a string holds a control character or is not UTF-8");
    memcpy(out, r->at, (size_t)length);
    r->at += length;
    return out + length;
}

/* The closing quote of the string whose text begins at p; NULL when it has none. */
static const char *closing_quote(const char *p, const char *end)
{
    for (; p < end && *p != '"'; p++)
        if (*p == '\\' && p + 1 < end) p++;
    return p < end ? p : NULL;
}

/* No character takes more bytes than what spells it, so the string fits where its spelling does. */
bool ebm_json_string(json_reader *r)
{
    if (!take(r, '"')) return ebm_json_fail(r, "a string was expected");
    const char *stop = closing_quote(r->at, r->end);
    if (!stop) return ebm_json_fail(r, "a string is never closed");
    if (!gibbs_grow(r->allocator, &r->string, &r->capacity, 0, stop - r->at + 1, 1)) {
        r->no_memory = true;
        return false;
    }
    char *out = r->string;
    while (r->at < stop && !r->why) out = take_character(r, out);
    *out = 0;
    r->at += !r->why;
    return !r->why;
}

bool ebm_json_key(json_reader *r)
{
    return ebm_json_string(r) && (take(r, ':') || ebm_json_fail(r, "a colon was expected"));
}
