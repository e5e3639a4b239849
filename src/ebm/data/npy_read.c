/* npy_read.c — NumPy's format, versions 1.0 to 3.0: a magic, the length of a header, the header (the text of a Python
 * dict with three known keys), the numbers. Whatever else Python would understand there is refused. */
#include "array.h"

#include <string.h>

static const char magic[] = "\x93NUMPY";
enum { MAGIC = EBM_NPY_MAGIC, PREFIX = MAGIC + 2, TEXT_SIZE = 32 };

/* Invariant: the header before `at` is read. It ends at `end`, which lies within the file. */
typedef struct npy_reader {
    const ebm_bytes *file;
    int64_t at, end;
    ebm_array *array;
} npy_reader;

/* What stands at a place of the header, in words. */
static const char *found_at(const npy_reader *r, int64_t at, char text[TEXT_SIZE])
{
    int byte = at < r->end ? r->file->at[at] : 0;
    if (at >= r->end) return "the end of the header";
    snprintf(text, TEXT_SIZE, byte > ' ' && byte < 127 ? "'%c'" : "byte 0x%02x", byte);
    return text;
}

static gibbs_status fail(const npy_reader *r, const char *expected)
{
    char text[TEXT_SIZE];
    return EBM_BYTES_FAIL(r->file, r->at, "expected %s, found %s", expected, found_at(r, r->at, text));
}

static void skip_blanks(npy_reader *r)
{
    while (r->at < r->end && strchr(" \t\r\n", r->file->at[r->at]) && r->file->at[r->at]) r->at++;
}

/* Takes the next character, past blanks, when it is this one. */
static bool take(npy_reader *r, char c)
{
    skip_blanks(r);
    bool there = r->at < r->end && r->file->at[r->at] == c;
    r->at += there;
    return there;
}

static bool take_word(npy_reader *r, const char *word)
{
    int64_t length = (int64_t)strlen(word);
    skip_blanks(r);
    bool there = r->end - r->at >= length && memcmp(r->file->at + r->at, word, (size_t)length) == 0;
    r->at += there ? length : 0;
    return there;
}

/* A string of plain ASCII without escapes, as all that mean something here are. */
static gibbs_status read_string(npy_reader *r, const char *expected, char text[TEXT_SIZE])
{
    char quote = take(r, '\'') ? '\'' : take(r, '"') ? '"' : 0;
    int length = 0;
    if (!quote) return fail(r, expected);
    for (; r->at < r->end && r->file->at[r->at] != quote; r->at++) {
        int c = r->file->at[r->at];
        if (c < ' ' || c > 126 || c == '\\' || length == TEXT_SIZE - 1) return fail(r, "a short plain string");
        text[length++] = (char)c;
    }
    text[length] = 0;
    return r->at++ < r->end ? GIBBS_OK : (r->at = r->end, fail(r, "a closing quote"));
}

/* ---- The members ---- */

/* «<f8»: byte order, kind, bytes; without an order, or with '=' or '|', that of this host. Records come as a list,
 * objects as «|O». */
static gibbs_status read_descr(npy_reader *r)
{
    char text[TEXT_SIZE];
    skip_blanks(r);
    int64_t start = r->at;
    gibbs_status status = read_string(r, "one type of number, such as '<f8'", text);
    if (status) return status;
    bool ordered = text[0] && strchr("<>=|", text[0]);
    const ebm_number_type *number = ebm_number_type_spelt(text + ordered);
    if (!number)
        return EBM_BYTES_FAIL(r->file, start,
                              "expected a type of number (b1, i1 to i8, u1 to u8, f2, f4, f8), found '%s'%s", text,
                              strchr(text, 'O') ? ": Python objects" : "");
    r->array->number = number;
    r->array->big_endian = text[0] == '>' || (text[0] != '<' && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__);
    return GIBBS_OK;
}

static gibbs_status read_order(npy_reader *r)
{
    r->array->first_fastest = take_word(r, "True");
    return r->array->first_fastest || take_word(r, "False") ? GIBBS_OK : fail(r, "True or False");
}

static gibbs_status read_dimension(npy_reader *r, int64_t *dim)
{
    skip_blanks(r);
    int64_t start = r->at;
    *dim = 0;
    for (; r->at < r->end && r->file->at[r->at] >= '0' && r->file->at[r->at] <= '9'; r->at++)
        if (!gibbs_mul_size(*dim, 10, dim) || __builtin_add_overflow(*dim, r->file->at[r->at] - '0', dim))
            return fail(r, "a dimension below 2^63");
    if (r->at == start) return fail(r, "a dimension");
    if (r->at < r->end && r->file->at[r->at] == 'L') r->at++; /* as Python 2 wrote them */
    return GIBBS_OK;
}

/* «(3, 4)»; one dimension has a comma, too: «(3,)»; none is one number: «()». */
static gibbs_status read_shape(npy_reader *r)
{
    ebm_array *a = r->array;
    if (!take(r, '(')) return fail(r, "the shape's '('");
    bool comma = true;
    while (!take(r, ')')) {
        if (!comma) return fail(r, "',' or ')'");
        if (a->rank == EBM_ARRAY_RANK) return fail(r, "at most 255 dimensions");
        gibbs_status status = read_dimension(r, &a->dim[a->rank]);
        if (status) return status;
        comma = take(r, ',');
        if (!a->rank++ && !comma) return fail(r, "','");
    }
    if (!a->rank) a->dim[a->rank++] = 1;
    return GIBBS_OK;
}

static const struct {
    const char *key;
    gibbs_status (*read)(npy_reader *r);
} members[] = {{"descr", read_descr}, {"fortran_order", read_order}, {"shape", read_shape}};

static gibbs_status read_member(npy_reader *r, unsigned *seen)
{
    char key[TEXT_SIZE];
    skip_blanks(r);
    int64_t start = r->at;
    gibbs_status status = read_string(r, "a key or '}'", key);
    if (status) return status;
    if (!take(r, ':')) return fail(r, "':'");
    for (int i = 0; i < GIBBS_COUNT(members); i++) {
        if (strcmp(key, members[i].key)) continue;
        if (*seen & 1u << i) return EBM_BYTES_FAIL(r->file, start, "expected each key once, found '%s' again", key);
        *seen |= 1u << i;
        return members[i].read(r);
    }
    return EBM_BYTES_FAIL(r->file, start, "expected descr, fortran_order or shape, found '%s'", key);
}

static gibbs_status read_dict(npy_reader *r)
{
    unsigned seen = 0;
    bool comma = true;
    if (!take(r, '{')) return fail(r, "'{'");
    while (!take(r, '}')) {
        if (!comma) return fail(r, "',' or '}'");
        gibbs_status status = read_member(r, &seen);
        if (status) return status;
        comma = take(r, ',');
    }
    for (int i = 0; i < GIBBS_COUNT(members); i++)
        if (!(seen & 1u << i))
            return EBM_BYTES_FAIL(r->file, r->at, "expected the key '%s' before the header's end", members[i].key);
    skip_blanks(r);
    return r->at == r->end ? GIBBS_OK : fail(r, "nothing but blanks");
}

/* ---- The file ---- */

/* Magic, version and the length of the header: 2 bytes in version 1, 4 since then. */
static gibbs_status read_prefix(npy_reader *r)
{
    const ebm_bytes *f = r->file;
    for (int64_t i = 0; i < MAGIC && i < f->length; i++)
        if (f->at[i] != (unsigned char)magic[i])
            return EBM_BYTES_FAIL(f, i, "expected the magic of an npy file, found byte 0x%02x", f->at[i]);
    if (f->length < PREFIX)
        return EBM_BYTES_FAIL(f, f->length, "expected %d bytes of magic and version, found the end", PREFIX);
    int major = f->at[MAGIC], minor = f->at[MAGIC + 1], size = major == 1 ? 2 : 4;
    if (major < 1 || major > 3 || minor)
        return EBM_BYTES_FAIL(f, MAGIC, "expected version 1.0, 2.0 or 3.0, found %d.%d", major, minor);
    r->at = PREFIX + size;
    if (f->length < r->at)
        return EBM_BYTES_FAIL(f, f->length, "expected the header's length in %d bytes, found the end", size);
    int64_t length = (int64_t)ebm_bytes_whole(f->at + PREFIX, size, false);
    if (length > f->length - r->at)
        return EBM_BYTES_FAIL(f, PREFIX, "expected a header's length within the file's last %lld bytes, found %lld",
                              (long long)(f->length - r->at), (long long)length);
    r->end = r->array->at = r->at + length;
    return GIBBS_OK;
}

gibbs_status ebm_npy_table(const ebm_bytes *f, const ebm_source *source, ebm_data *out)
{
    ebm_array array = {.format = "npy"};
    npy_reader r = {.file = f, .array = &array};
    *out = (ebm_data){0};
    gibbs_status status = read_prefix(&r);
    if (!status) status = read_dict(&r);
    return status ? status : ebm_array_table(f, &array, source, out);
}
