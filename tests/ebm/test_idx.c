/* IDX, the format of MNIST: every type, many dimensions, and malformed files. */
#include "binary_helpers.h"

static bytes idx(int type, int rank, const uint32_t *dim)
{
    bytes b = {.length = 0};
    add_whole(&b, 0, 2, true);
    add_whole(&b, (uint64_t)type, 1, true);
    add_whole(&b, (uint64_t)rank, 1, true);
    for (int k = 0; k < rank; k++) add_whole(&b, dim[k], 4, true);
    return b;
}

/* The byte of the types that the format has, in the order of the first of type_cases. */
static const int types[] = {0x08, 0x09, 0x0B, 0x0C, 0x0D, 0x0E};

Test(idx, every_type)
{
    for (int i = 0; i < COUNT(types); i++) {
        bytes b = idx(types[i], 2, (uint32_t[]){2, 2});
        for (int k = 0; k < 4; k++)
            add_number(&b, type_cases[i].type, type_cases[i].whole[k], type_cases[i].value[k], true);
        expect_table(&b, 2, 2, type_cases[i].value, type_cases[i].type);
    }
}

/* Labels, images, and deeper: the first dimension counts the rows. */
Test(idx, shapes)
{
    static const struct {
        int rank, rows, cols;
        uint32_t dim[5];
    } cases[] = {{1, 6, 1, {6}}, {2, 2, 3, {2, 3}}, {3, 2, 6, {2, 2, 3}}, {5, 3, 8, {3, 2, 2, 1, 2}}};
    for (int i = 0; i < COUNT(cases); i++) {
        double x[24];
        bytes b = idx(0x08, cases[i].rank, cases[i].dim);
        for (int k = 0; k < cases[i].rows * cases[i].cols; k++) add_whole(&b, (uint64_t)(x[k] = 250 - k), 1, true);
        expect_table(&b, cases[i].rows, cases[i].cols, x, "shape");
    }
    uint32_t ones[255];
    for (int k = 0; k < 255; k++) ones[k] = 1;
    bytes b = idx(0x09, 255, ones);
    add(&b, "\xff", 1);
    expect_table(&b, 1, 1, &(double){-1}, "255 dimensions");
}

static const struct {
    const char *bytes;
    size_t length;
    gibbs_status status;
    const char *message;
} malformed[] = {
    {"\0\0", 2, GIBBS_FORMAT, "t: byte 2: expected the 4 bytes of an IDX magic, found the end"},
    {"\0\0\x08", 3, GIBBS_FORMAT, "t: byte 3: expected the 4 bytes of an IDX magic, found the end"},
    {"\0\0\x08\0", 4, GIBBS_FORMAT, "t: byte 3: expected a number of dimensions above 0, found 0"},
    {"\0\0\0\1\0\0\0\1a", 9, GIBBS_FORMAT, "t: byte 2: expected a type of number (8, 9 or 11 to 14), found 0"},
    {"\0\0\x0A\1\0\0\0\1a", 9, GIBBS_FORMAT, "t: byte 2: expected a type of number (8, 9 or 11 to 14), found 10"},
    {"\0\0\x0F\1\0\0\0\1a", 9, GIBBS_FORMAT, "t: byte 2: expected a type of number (8, 9 or 11 to 14), found 15"},
    {"\0\0\xff\1\0\0\0\1a", 9, GIBBS_FORMAT, "t: byte 2: expected a type of number (8, 9 or 11 to 14), found 255"},
    {"\0\0\x08\2\0\0\0\1", 8, GIBBS_FORMAT, "t: byte 8: expected 2 dimensions up to byte 12, found the end"},
    {"\0\0\x08\xff\0\0\0\1", 8, GIBBS_FORMAT, "t: byte 8: expected 255 dimensions up to byte 1024, found the end"},
    {"\0\0\x08\1\0\0\0\2a", 9, GIBBS_FORMAT, "t: byte 8: expected 2 bytes of data, found 1"},
    {"\0\0\x08\1\0\0\0\2abc", 11, GIBBS_FORMAT, "t: byte 10: expected the end of the data, found 1 byte more"},
    {"\0\0\x08\1\xff\xff\xff\xff" "a", 9, GIBBS_FORMAT, "t: byte 8: expected 4294967295 bytes of data, found 1"},
    {"\0\0\x0E\2\x40\0\0\0\x40\0\0\0a", 13, GIBBS_FORMAT,
     "t: byte 12: expected more than 2^63 bytes of data, found 1"},
    {"\0\0\x08\1\0\0\0\0", 8, GIBBS_DATA, "'t' has no rows of numbers"},
    {"\0\0\x08\2\0\0\0\5\0\0\0\0", 12, GIBBS_DATA, "'t' has no rows of numbers"},
    {"\0\0\x0D\1\0\0\0\1\x7f\xc0\0\0", 12, GIBBS_DATA,
     "t: row 1, column 1 is NaN, a missing value: fill it in, or have such rows dropped (missing)"},
    {"\0\0\x0E\1\0\0\0\1\x7f\xf0\0\0\0\0\0\0", 16, GIBBS_DATA, "t: row 1, column 1 is infinite"},
};

Test(idx, malformed_files)
{
    for (int i = 0; i < COUNT(malformed); i++) {
        bytes b = {.length = 0};
        add(&b, malformed[i].bytes, malformed[i].length);
        expect_refused(&b, malformed[i].status, malformed[i].message);
    }
}

Test(idx, damaged_files_do_no_harm)
{
    bytes b = idx(0x0B, 3, (uint32_t[]){2, 2, 2});
    for (int k = 0; k < 8; k++) add_number(&b, "i2", 300 * k, 0, true);
    int refused = refused_when_damaged(&b);
    cr_expect(refused > 8 * 14 && refused <= 8 * 16, "%d refused", refused); /* of the header's 16 bytes */
}
