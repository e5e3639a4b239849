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
    {"", false},      {"na", false},     {"n/a", false},    {"nan", false},     {"<na>", false},
    {"#n/a", false},  {".", false},      {"?", false},      {"#na", false},     {"-nan", false},
    {"null", true},   {"none", true},    {"nil", true},     {"-", true},        {"--", true},
    {"1.#ind", true}, {"-1.#ind", true}, {"1.#qnan", true}, {"-1.#qnan", true},
};

static bool is_missing(const char *text, bool label)
{
    for (int i = 0; i < GIBBS_COUNT(missing); i++)
        if (strcasecmp(text, missing[i].word) == 0) return !label || !missing[i].label;
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

/* Whether the text begins as numbers do. */
static bool begins_as_number(const char *text)
{
    text += strncmp(text, "\xE2\x88\x92", 3) == 0 ? 3 : strspn(text, "+-");
    text += *text == '.' || *text == ',';
    return *text >= '0' && *text <= '9';
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
