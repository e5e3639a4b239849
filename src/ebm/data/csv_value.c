/* csv_value.c — what a field of a CSV is: a number, in whatever spelling; a missing value; or neither. */
#include "csv.h"

#include <math.h>
#include <string.h>
#include <strings.h>

/* How missing values are spelt, in any case. Some of them are labels where labels are read. */
static const struct {
    const char *word;
    bool label;
} missing[] = {
    {"", false},       {"na", false},     {"n/a", false},     {"n.a.", false},    {"nan", false},   {"-nan", false},
    {"<na>", false},   {"#n/a", false},   {"#na", false},     {"#div/0!", false}, {"#num!", false}, {"#value!", false},
    {"#ref!", false},  {"#name?", false}, {"#null!", false},  {"\\n", false},     {"nat", false},   {".", false},
    {"?", false},      {"..", true},      {"...", true},      {"null", true},     {"(null)", true}, {"none", true},
    {"nil", true},     {"-", true},       {"--", true},       {"*", true},        {"n.d.", true},   {"1.#ind", true},
    {"-1.#ind", true}, {"1.#qnan", true}, {"-1.#qnan", true},
};

static bool is_missing(const char *text, bool label)
{
    for (int i = 0; i < GIBBS_COUNT(missing); i++)
        if (strcasecmp(text, missing[i].word) == 0) return !label || !missing[i].label;
    return false;
}

bool ebm_csv_missing_error(const char *text, const char *end)
{
    for (int i = 0; i < GIBBS_COUNT(missing); i++) {
        int64_t length = (int64_t)strlen(missing[i].word);
        if (missing[i].word[0] == '#' && end - text >= length && !strncasecmp(text, missing[i].word, (size_t)length))
            return true;
    }
    return false;
}

bool ebm_csv_missing_label(const csv_reader *r)
{
    return is_missing(r->field, true);
}

/* The field in C notation, behind itself: U+2212 to minus, blanks of Unicode to blanks, and the decimal sign to a
 * point; a point is then no part of a number. */
static char *respell(csv_reader *r, char decimal)
{
    char *out = r->field + r->length + 1, *spelt = out;
    for (const char *p = r->field, *end = p + r->length; p < end;) {
        int blank = ebm_blank_length(p, end);
        bool minus = end - p >= 3 && memcmp(p, "\xE2\x88\x92", 3) == 0;
        *out++ = minus ? '-' : blank ? ' ' : decimal != '.' && *p == '.' ? '!' : *p == decimal ? '.' : *p;
        p += minus ? 3 : blank ? blank : 1;
    }
    *out = 0;
    return spelt;
}

static bool parse(csv_reader *r, char decimal, double *value)
{
    if (decimal == '.' && ebm_parse_number(r->field, r->length, value)) return true;
    const char *spelt = respell(r, decimal);
    return ebm_parse_number(spelt, (int64_t)strlen(spelt), value);
}

/* Signs and currencies of Unicode, digits of other scripts: what a number that is not read as one may begin with. */
static bool is_number_sign(uint32_t code)
{
    return (code >= 0x2010 && code <= 0x2015) || (code >= 0x20A0 && code <= 0x20CF) ||
           (code >= 0x2200 && code <= 0x22FF) || (code >= 0xA2 && code <= 0xA5) || code == 0xB1 || code == 0xFE63 ||
           code == 0xFF0B || code == 0xFF0D;
}

static bool is_digit(uint32_t code)
{
    return (code >= '0' && code <= '9') || (code >= 0x660 && code <= 0x669) || (code >= 0x6F0 && code <= 0x6F9) ||
           (code >= 0xFF10 && code <= 0xFF19);
}

/* Whether the text begins as numbers do: with a digit, behind anything but letters. */
static bool begins_as_number(const char *text)
{
    const char *end = text + strlen(text);
    uint32_t code;
    for (int length; text < end; text += length) {
        length = gibbs_utf8(text, end, &code);
        if (!length) return false;
        if (is_digit(code)) return true;
        bool ascii_sign = length == 1 && !((code | 32) >= 'a' && (code | 32) <= 'z') && code != '_';
        if (!ascii_sign && !is_number_sign(code) && !ebm_blank_length(text, end)) return false;
    }
    return false;
}

csv_kind ebm_csv_kind(csv_reader *r, double *value)
{
    if ((int64_t)strlen(r->field) == r->length) {
        if (parse(r, r->decimal, value)) return isnan(*value) ? CSV_MISSING : CSV_NUMBER;
        if (is_missing(r->field, false)) return CSV_MISSING;
    }
    return begins_as_number(r->field) ? CSV_ALMOST : CSV_TEXT;
}

bool ebm_csv_is_word(const char *text)
{
    double ignored;
    int64_t length = (int64_t)strlen(text);
    if (ebm_parse_number(text, length, &ignored) || (length && is_missing(text, false))) return false;
    return !begins_as_number(ebm_trim_blanks(text, text + length, &length));
}

const char *ebm_csv_hint(csv_reader *r)
{
    double ignored;
    if (parse(r, r->decimal == ',' ? '.' : ',', &ignored))
        return r->decimal == ',' ? ": its decimal sign is a point, not the comma that was told"
                                 : ": if its comma is a decimal one, say so (decimal = ',')";
    if (r->field[0] == '#') return ": if this begins a comment, say so (comment = '#')";
    if (!begins_as_number(r->field)) return ": leave the column out, or read it as labels (options columns, labels)";
    const char *spelt = respell(r, '.');
    if (spelt[strspn(spelt, "+-.,0123456789 '_")] || !strpbrk(spelt, " ,'_")) return "";
    return ": write its digits without blanks or commas between them";
}

const char *ebm_csv_excerpt(const csv_reader *r, char shown[CSV_SHOWN])
{
    size_t length = r->length < 40 ? (size_t)r->length : 40;
    while (length && (int64_t)length < r->length && (r->field[length] & 0xC0) == 0x80) length--;
    memcpy(shown, r->field, length);
    for (size_t i = 0; i < length; i++)
        if (!shown[i]) shown[i] = '?';
    strcpy(shown + length, (int64_t)length < r->length ? "…" : "");
    return shown;
}
