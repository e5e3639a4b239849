/* csv_dialect.c — what separates the fields of a CSV: each candidate is tried on the first lines. */
#include "csv.h"

#include <string.h>

enum { LINES = 100 };

/* What a candidate makes of the first lines: their shape, and of the fields behind the first line (if there are lines
 * behind it), in lines of more than one, how many are numbers or missing, in either decimal notation, more than are
 * not. */
typedef struct trial {
    csv_shape shape;
    int64_t split; /* lines of more than one field, the first left out */
    int64_t score;
    bool words;      /* the first line holds a word */
    int64_t grouped; /* lines whose fields could be one number, with blanks between its thousands */
} trial;

static int judge(csv_reader *r, bool *word)
{
    double ignored;
    csv_kind kind = ebm_csv_kind(r, &ignored);
    *word = kind == CSV_TEXT;
    if (kind != CSV_ALMOST) return kind == CSV_TEXT ? -1 : 1;
    char told = r->decimal;
    r->decimal = ',';
    kind = ebm_csv_kind(r, &ignored);
    r->decimal = told;
    return kind == CSV_NUMBER ? 1 : -1;
}

/* Whether the field is a group of digits of a number: three, but of the first up to three; of the last with decimals.
 */
static bool is_group(const csv_reader *r)
{
    const char *digits = r->field + (r->column == 1 ? strspn(r->field, "+-") : 0);
    size_t count = strspn(digits, "0123456789");
    bool ends = !digits[count] || (r->last && (digits[count] == '.' || digits[count] == ','));
    return ends && (r->column == 1 ? count >= 1 && count <= 3 : count == 3);
}

/* A line into the trial, which has its fields, the empty ones at its end and their score. */
static void add_line(trial *t, int64_t fields, int64_t open, int64_t score)
{
    csv_shape *shape = &t->shape;
    if (!shape->lines++) {
        shape->first = fields;
        shape->first_open = open;
        t->score = score;
        return;
    }
    bool second = shape->lines == 2;
    if (second) t->score = 0;
    shape->rows = second || shape->rows == fields ? fields : -1;
    shape->rows_open = second || open < shape->rows_open ? open : shape->rows_open;
    t->split += fields > 1;
    t->score += fields > 1 ? score : 0;
}

static gibbs_status try_line(csv_reader *r, trial *t)
{
    int64_t fields = 0, score = 0, open = 0;
    bool word, grouped = true;
    do {
        gibbs_status status = ebm_csv_next(r);
        if (status) return status;
        fields++;
        score += judge(r, &word);
        open = ebm_csv_empty(r) ? open + 1 : 0;
        grouped &= is_group(r);
        t->words |= !t->shape.lines && word;
    } while (!r->last);
    t->grouped += grouped && fields > 1;
    add_line(t, fields, open, score);
    return GIBBS_OK;
}

/* The reader is where it was afterwards. A line that cannot be read ends the trial: it will be met again. */
static gibbs_status try(csv_reader *r, char separator, trial *t)
{
    csv_reader before = *r;
    gibbs_error *error = r->error;
    gibbs_status status = GIBBS_OK;
    *t = (trial){.score = 0};
    r->separator = separator;
    r->error = NULL;
    while (!status && t->shape.lines < LINES && ebm_csv_more(r)) status = try_line(r, t);
    before.field = r->field;
    before.capacity = r->capacity;
    *r = before;
    r->error = error;
    return status == GIBBS_MEMORY ? ebm_csv_no_memory(r) : GIBBS_OK;
}

/* Whether the candidate splits the first line and half of the others; the second time, whether it splits rows into a
 * row name and a number each, below one name. */
static bool fits(const trial *t, int time)
{
    const csv_shape *s = &t->shape;
    if (time && t->grouped == s->lines - 1) return false;
    if (!time) return s->first > 1 && 2 * t->split >= s->lines - 1;
    return s->first == 1 && s->rows == 2 && t->words && t->score > 0;
}

/* The best of the candidates that fit, the first among equals; *found is left alone where none does. */
static gibbs_status find(csv_reader *r, int time, char *found)
{
    static const char candidates[] = {',', ';', '\t', '|', ' '};
    int64_t best = INT64_MIN;
    trial t;
    for (int i = 0; i < GIBBS_COUNT(candidates); i++) {
        if (candidates[i] == r->decimal || candidates[i] == r->comment) continue;
        if (try(r, candidates[i], &t)) return GIBBS_MEMORY;
        if (!fits(&t, time) || t.score <= best) continue;
        best = t.score;
        *found = candidates[i];
    }
    return GIBBS_OK;
}

gibbs_status ebm_csv_shape(csv_reader *r, csv_shape *shape)
{
    char found = r->separator;
    bool told = found;
    trial t;
    for (int time = 0; time < 2 && !found; time++)
        if (find(r, time, &found)) return GIBBS_MEMORY;
    if (!found) found = r->decimal == ',' ? ';' : ',';
    if (try(r, found, &t)) return GIBBS_MEMORY;
    if (!told && found == ' ' && t.grouped == t.shape.lines)
        return CSV_FAIL(r, GIBBS_FORMAT,
                        "its blanks may stand between fields or between thousands: say that they separate "
                        "fields (separator = ' '), or write numbers without them%s",
                        "");
    r->separator = found;
    *shape = t.shape;
    return GIBBS_OK;
}
