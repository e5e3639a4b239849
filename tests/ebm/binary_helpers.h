/* binary_helpers.h — files made byte by byte, and what tests of their readers do with them. */
#ifndef TEST_BINARY_HELPERS_H
#define TEST_BINARY_HELPERS_H

#include <gibbs/data.h>

#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(array) ((int)(sizeof(array) / sizeof((array)[0])))

enum { BYTES_SIZE = 4096 };
typedef struct bytes {
    unsigned char at[BYTES_SIZE];
    size_t length;
} bytes;

static inline void add(bytes *b, const void *from, size_t length)
{
    cr_assert(b->length + length <= BYTES_SIZE);
    memcpy(b->at + b->length, from, length);
    b->length += length;
}

/* The low `size` bytes of a whole number. */
static inline void add_whole(bytes *b, uint64_t whole, int size, bool big_endian)
{
    for (int i = 0; i < size; i++) {
        unsigned char byte = (unsigned char)(whole >> 8 * (big_endian ? size - 1 - i : i));
        add(b, &byte, 1);
    }
}

/* A number as the type «i2», «f8» … stores it: whole numbers are in `whole`, floats in `real`. */
static inline void add_number(bytes *b, const char *type, int64_t whole, double real, bool big_endian)
{
    int size = type[1] - '0';
    uint64_t bits = (uint64_t)whole;
    float single = (float)real;
    if (type[0] == 'f' && size == 8) memcpy(&bits, &real, 8);
    if (type[0] == 'f' && size == 4) bits = 0, memcpy(&bits, &single, 4);
    if (type[0] == 'f' && size == 4 && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__) bits >>= 32;
    add_whole(b, bits, size, big_endian);
}

/* Values whose every bit counts, by the type of number; a whole number stands as itself and as the nearest double. */
static const struct {
    const char *type;
    int64_t whole[4];
    double value[4];
} type_cases[] = {
    {"u1", {0, 1, 128, 255}, {0, 1, 128, 255}},
    {"i1", {0, -1, 127, -128}, {0, -1, 127, -128}},
    {"i2", {0x0102, -1, 32767, -32768}, {258, -1, 32767, -32768}},
    {"i4", {0x01020304, -2, 2147483647, -2147483648LL}, {16909060, -2, 2147483647, -2147483648.}},
    {"f4", {0}, {0x1.020304p-3, -0.0, 0x1.fffffep127, 0x1p-149}},
    {"f8", {0}, {0x1.0203040506070p-3, -0.0, 1.7976931348623157e308, 0x1p-1074}},
    {"u2", {0x0102, 1, 65535, 32768}, {258, 1, 65535, 32768}},
    {"u4", {0x01020304, 1, 4294967295, 2147483648}, {16909060, 1, 4294967295., 2147483648.}},
    {"i8", {0x0102030405060708, -2, INT64_MAX, INT64_MIN}, {72623859790382856., -2, 0x1p63, -0x1p63}},
    {"u8", {0x0102030405060708, 9007199254740993, -1, INT64_MIN}, {72623859790382856., 0x1p53, 0x1p64, 0x1p63}},
    {"b1", {0, 1, 1, 0}, {0, 1, 1, 0}},
};

/* Reads bytes that end where they say, so that the sanitizers see a step too far. */
static inline gibbs_status parse_exactly(const void *from, size_t length, ebm_data *out, gibbs_error *error)
{
    unsigned char *exact = malloc(length ? length : 1);
    cr_assert(exact);
    memcpy(exact, from, length);
    *out = (ebm_data){.rows = 99};
    gibbs_status status = ebm_data_parse(exact, length, "t", NULL, out, error);
    free(exact);
    if (status) cr_expect(!out->rows && !out->cols && !out->x && !out->names);
    return status;
}

static inline void expect_table(const bytes *b, int64_t rows, int64_t cols, const double *x, const char *what)
{
    ebm_data data;
    gibbs_error error = {0};
    cr_assert(parse_exactly(b->at, b->length, &data, &error) == GIBBS_OK, "%s: %s", what, error.message);
    cr_assert(data.rows == rows && data.cols == cols && !data.names, "%s: %d × %d", what, (int)data.rows,
              (int)data.cols);
    cr_expect(!memcmp(data.x, x, (size_t)(rows * cols) * sizeof *x), "%s: other numbers", what);
    ebm_data_free(&data);
}

static inline void expect_refused(const bytes *b, gibbs_status status, const char *message)
{
    ebm_data data;
    gibbs_error error = {0};
    gibbs_status got = parse_exactly(b->at, b->length, &data, &error);
    cr_expect(got == status && error.status == got, "«%s»: status %d", message, (int)got);
    cr_expect_str_eq(error.message, message, "«%s», expected «%s»", error.message, message);
    cr_expect(parse_exactly(b->at, b->length, &data, NULL) == status, "without an error to write to");
}

/* Cut short anywhere, or with any one bit changed: read or refused with a sentence, and nothing else. Returns how many
 * of the damaged files were refused. */
static inline int refused_when_damaged(const bytes *b)
{
    int refused = 0;
    gibbs_error error;
    ebm_data data;
    for (size_t length = 0; length < b->length; length++) {
        gibbs_status status = parse_exactly(b->at, length, &data, &error);
        cr_expect(status == GIBBS_FORMAT || (length < 2 && status == GIBBS_DATA), "%zu bytes: %d", length, (int)status);
    }
    for (size_t bit = 0; bit < 8 * b->length; bit++) {
        bytes damaged = *b;
        damaged.at[bit / 8] ^= (unsigned char)(1u << bit % 8);
        error.message[0] = 0;
        gibbs_status status = parse_exactly(damaged.at, damaged.length, &data, &error);
        cr_expect(status == GIBBS_OK || ((status == GIBBS_FORMAT || status == GIBBS_DATA) && error.message[0]),
                  "bit %zu: status %d", bit, (int)status);
        refused += status != GIBBS_OK;
        ebm_data_free(&data);
    }
    return refused;
}

#endif
