#include "alignment.h"
#include "failure.h"
#include "files.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const char residue_letters[RESIDUES + 1] = "-ACDEFGHIKLMNPQRSTVWY";

/* ---- Sequences as text ---- */

typedef struct sequence {
    char *name, *text;
    size_t length, room;
} sequence;

typedef struct sequences {
    sequence *item;
    int64_t count, room;
} sequences;

static void free_all(sequences *s)
{
    for (int64_t k = 0; k < s->count; k++) free(s->item[k].name), free(s->item[k].text);
    free(s->item);
}

static int append(sequence *to, const char *text)
{
    size_t more = strlen(text);
    if (to->length + more + 1 > to->room) {
        char *moved = realloc(to->text, to->room = 2 * (to->length + more + 1));
        if (!moved) return 0;
        to->text = moved;
    }
    memcpy(to->text + to->length, text, more + 1);
    to->length += more;
    return 1;
}

static sequence *begin(sequences *s, const char *name)
{
    if (s->count == s->room) {
        sequence *moved = realloc(s->item, (size_t)(s->room = 2 * s->room + 64) * sizeof *moved);
        if (!moved) return NULL;
        s->item = moved;
    }
    s->item[s->count] = (sequence){strdup(name), NULL, 0, 0};
    return s->item[s->count++].name ? &s->item[s->count - 1] : NULL;
}

/* The blocks of a Stockholm file come in the same order: the one with this name is mostly the next. */
static sequence *named(sequences *s, const char *name, int64_t *next)
{
    for (int64_t k = 0; k < s->count; k++) {
        int64_t at = (*next + k) % s->count;
        if (strcmp(s->item[at].name, name)) continue;
        *next = (at + 1) % s->count;
        return &s->item[at];
    }
    return begin(s, name);
}

/* ---- Formats ---- */

enum { LINES, FASTA, STOCKHOLM };

static int take_line(sequences *s, int format, char *line, int64_t *next)
{
    char *word = strtok(line, " \t\r\n"), *other = strtok(NULL, " \t\r\n"), *last = other ? other : word;
    if (!word) return 1;
    if (format == STOCKHOLM) {
        if (*word == '#' || !strcmp(word, "//") || !other) return 1;
        sequence *own = named(s, word, next);
        return own && append(own, other);
    }
    if (format == FASTA && *word == '>') return begin(s, word + 1) != NULL;
    if (format == FASTA) return s->count ? append(&s->item[s->count - 1], word) : 1;
    for (char *more; (more = strtok(NULL, " \t\r\n"));) last = more;
    sequence *own = begin(s, "");
    return own && append(own, last);
}

static gibbs_status read_text(FILE *in, const char *file, sequences *s, gibbs_error *error)
{
    char *line = NULL;
    size_t room = 0;
    int format = -1, taken = 1;
    int64_t next = 0;
    while (taken && getline(&line, &room, in) >= 0) {
        if (format < 0 && strspn(line, " \t\r\n") == strlen(line)) continue;
        if (format < 0) format = *line == '>' ? FASTA : !strncmp(line, "# STOCKHOLM", 11) ? STOCKHOLM : LINES;
        taken = take_line(s, format, line, &next);
    }
    free(line);
    if (ferror(in)) return fail(error, GIBBS_IO, "%.200s: %s", file, strerror(errno));
    if (!taken) return fail(error, GIBBS_MEMORY, "%.200s: out of memory", file);
    return s->count > 1 ? GIBBS_OK : fail(error, GIBBS_FORMAT, "%.200s: %lld sequences; an alignment has two or more",
                                          file, (long long)s->count);
}

/* ---- Labels ---- */

/* Where not all are of one length as they stand: without insertions, as in A3M. */
static void leave_out_insertions(sequences *s)
{
    int same = 1;
    for (int64_t k = 1; k < s->count; k++) same &= s->item[k].length == s->item[0].length;
    for (int64_t k = 0; k < s->count && !same; k++) {
        sequence *own = &s->item[k];
        size_t kept = 0;
        for (size_t i = 0; i < own->length; i++)
            if (!islower((unsigned char)own->text[i]) && own->text[i] != '.') own->text[kept++] = own->text[i];
        own->length = kept;
    }
}

static int label_of(char letter, int64_t *unknown)
{
    if (letter == '.' || letter == '~' || letter == '-') return 0;
    if (letter != '*' && !isalpha((unsigned char)letter)) return -1;
    const char *found = strchr(residue_letters, toupper((unsigned char)letter));
    *unknown += !found;
    return found ? (int)(found - residue_letters) : 0;
}

static gibbs_status make_labels(const sequences *s, const char *file, alignment *a, gibbs_error *error)
{
    a->rows = s->count;
    a->sites = (int64_t)s->item[0].length;
    if (!a->sites) return fail(error, GIBBS_FORMAT, "%.200s: the first sequence is empty", file);
    a->label = malloc((size_t)(a->rows * a->sites));
    a->weight = malloc((size_t)a->rows * sizeof *a->weight);
    if (!a->label || !a->weight) return fail(error, GIBBS_MEMORY, "%.200s: out of memory", file);
    for (int64_t r = 0; r < a->rows; r++) {
        const sequence *own = &s->item[r];
        if ((int64_t)own->length != a->sites)
            return fail(error, GIBBS_FORMAT, "%.200s: sequence %lld (%.40s) has %lld sites, the first one has %lld",
                        file, (long long)r + 1, own->name, (long long)own->length, (long long)a->sites);
        for (int64_t i = 0; i < a->sites; i++) {
            int label = label_of(own->text[i], &a->unknown);
            if (label < 0)
                return fail(error, GIBBS_FORMAT, "%.200s: sequence %lld (%.40s) has «%c» at site %lld", file,
                            (long long)r + 1, own->name, own->text[i], (long long)i + 1);
            a->label[r * a->sites + i] = (signed char)label;
        }
    }
    return GIBBS_OK;
}

/* Whole numbers are compared: 5·equal ≥ 4·sites. */
static void weigh(alignment *a)
{
    for (int64_t r = 0; r < a->rows; r++) a->weight[r] = 1;
    for (int64_t r = 0; r < a->rows; r++)
        for (int64_t q = 0; q < r; q++) {
            const signed char *x = a->label + r * a->sites, *y = a->label + q * a->sites;
            int equal = 0;
            for (int64_t i = 0; i < a->sites; i++) equal += x[i] == y[i];
            if (5 * (int64_t)equal < 4 * a->sites) continue;
            a->weight[r]++;
            a->weight[q]++;
        }
    a->effective = 0;
    for (int64_t r = 0; r < a->rows; r++) a->effective += a->weight[r] = 1 / a->weight[r];
}

gibbs_status alignment_read(const char *file, alignment *a, gibbs_error *error)
{
    char path[PATH_SIZE];
    const char *name = strrchr(file, '/') ? strrchr(file, '/') + 1 : file;
    sequences s = {0};
    *a = (alignment){0};
    gibbs_status status = file_path(path, error, GIBBS_EXAMPLES_DATA, "%s", name);
    if (status) return status;
    FILE *in = fopen(access(file, F_OK) && (name == file || !strncmp(file, "examples/data/", 14)) ? path : file, "r");
    if (!in) return fail(error, GIBBS_IO, "%.200s: %s", file, strerror(errno));
    status = read_text(in, file, &s, error);
    fclose(in);
    if (!status) leave_out_insertions(&s);
    if (!status) status = make_labels(&s, file, a, error);
    if (!status) weigh(a);
    free_all(&s);
    return status;
}

void alignment_free(alignment *a)
{
    free(a->label);
    free(a->weight);
    *a = (alignment){0};
}
