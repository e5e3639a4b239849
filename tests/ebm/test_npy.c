/* NumPy's format: files by NumPy itself, every type and order, every kind of malformed header, and the writer. */
#include "binary_helpers.h"

#include <unistd.h>

/* A file with this header; its length is padded as NumPy does it, to a multiple of 64 bytes with the prefix. */
static bytes file_with(int major, const char *header)
{
    bytes b = {.length = 0};
    size_t prefix = major == 1 ? 10 : 12, length = strlen(header) + 1;
    size_t padded = (prefix + length + 63) / 64 * 64 - prefix;
    add(&b, "\x93NUMPY", 6);
    add_whole(&b, (uint64_t)major, 1, false);
    add_whole(&b, 0, 1, false);
    add_whole(&b, padded, major == 1 ? 2 : 4, false);
    add(&b, header, length - 1);
    for (; length < padded; length++) add(&b, " ", 1);
    add(&b, "\n", 1);
    return b;
}

static bytes array_of(const char *descr, const char *order, const char *shape)
{
    char header[256];
    snprintf(header, sizeof header, "{'descr': %s, 'fortran_order': %s, 'shape': %s, }", descr, order, shape);
    return file_with(1, header);
}

/* ---- Well-formed files -------------------------------------------------------------------------------------- */

/* By NumPy 2.4.6: save(arange(6, dtype="<f4").reshape(2, 3)), the same with asfortranarray(…, dtype=">i2"), and
 * array([True, False]). */
#define PADDED(dict, blanks) "\x93NUMPY\1\0v\0" dict blanks "\n"
#define TEN "          "
static const char float32_file[] =
    PADDED("{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }", TEN TEN TEN TEN TEN "        ")
    "\0\0\0\0\0\0\x80?\0\0\0@\0\0@@\0\0\x80@\0\0\xa0@";
static const char fortran_file[] =
    PADDED("{'descr': '>i2', 'fortran_order': True, 'shape': (2, 3), }", TEN TEN TEN TEN TEN "         ")
    "\0\0\0\3\0\1\0\4\0\2\0\5";
static const char bool_file[] =
    PADDED("{'descr': '|b1', 'fortran_order': False, 'shape': (2,), }", TEN TEN TEN TEN TEN TEN) "\1\0";

static bytes literal(const char *text, size_t size)
{
    bytes b = {.length = 0};
    add(&b, text, size - 1);
    return b;
}

Test(npy, reads_numpys_files)
{
    static const double six[] = {0, 1, 2, 3, 4, 5}, two[] = {1, 0};
    const bytes files[] = {literal(float32_file, sizeof float32_file), literal(fortran_file, sizeof fortran_file),
                           literal(bool_file, sizeof bool_file)};
    cr_assert(files[0].length == 152 && files[1].length == 140 && files[2].length == 130);
    expect_table(&files[0], 2, 3, six, "float32");
    expect_table(&files[1], 2, 3, six, "int16, Fortran order, big endian");
    expect_table(&files[2], 2, 1, two, "bool");
}

Test(npy, every_type_in_both_byte_orders)
{
    for (int i = 0; i < COUNT(type_cases); i++)
        for (int big = 0; big < 2; big++) {
            char descr[8];
            snprintf(descr, sizeof descr, "'%c%s'", big ? '>' : '<', type_cases[i].type);
            bytes b = array_of(descr, "False", "(2, 2)");
            for (int k = 0; k < 4; k++)
                add_number(&b, type_cases[i].type, type_cases[i].whole[k], type_cases[i].value[k], big);
            expect_table(&b, 2, 2, type_cases[i].value, descr);
        }
}

/* In an array of d₀ × d₁ × …, place p of the file holds p; the table's numbers are then the places. */
static void expect_places(const char *shape, const int *dim, int rank, bool fortran)
{
    double x[64];
    int count = 1, cols, used = 0;
    for (int k = 0; k < rank; k++) count *= dim[k];
    cols = count / dim[0];
    bytes b = array_of("'|u1'", fortran ? "True" : "False", shape);
    for (int p = 0; p < count; p++) add_whole(&b, (uint64_t)p, 1, false);
    for (int n = 0; n < count; n++) { /* the n-th index, the last moving fastest: i₀ … */
        int rest = n, index[4], place = 0;
        for (int k = rank - 1; k >= 0; k--) index[k] = rest % dim[k], rest /= dim[k];
        for (int k = 0; k < rank; k++) {
            int slowest = fortran ? rank - 1 - k : k;
            place = place * dim[slowest] + index[slowest];
        }
        x[used++] = place;
    }
    expect_table(&b, dim[0], cols, x, shape);
}

Test(npy, shapes_and_orders)
{
    for (int fortran = 0; fortran < 2; fortran++) {
        expect_places("(5,)", (int[]){5}, 1, fortran);
        expect_places("(5, 1)", (int[]){5, 1}, 2, fortran);
        expect_places("(1, 5)", (int[]){1, 5}, 2, fortran);
        expect_places("(2, 3)", (int[]){2, 3}, 2, fortran);
        expect_places("(2, 3, 4)", (int[]){2, 3, 4}, 3, fortran);
        expect_places("(3, 2, 2, 5)", (int[]){3, 2, 2, 5}, 4, fortran);
    }
}

/* Other spellings of one array of two numbers, which Python reads as well. */
Test(npy, spellings)
{
    static const double two[] = {1, 2};
    static const char *const headers[] = {
        "{'descr': '|u1', 'fortran_order': False, 'shape': (2,), }",
        "{\"shape\":(2,),\"descr\":\"<u1\",\"fortran_order\":False}",
        " { 'fortran_order' :False , 'shape'\t:( 2 , ) ,\n'descr': '>u1' } ",
        "{'descr': '|u1', 'fortran_order': True, 'shape': (2L,)}",
        "{'descr': '|u1', 'fortran_order': False, 'shape': (2, 1)}",
        "{'descr': '|u1', 'fortran_order': False, 'shape': (2, 1, 1, 1,)}",
    };
    for (int i = 0; i < COUNT(headers); i++)
        for (int major = 1; major <= 3; major++) {
            bytes b = file_with(major, headers[i]);
            add(&b, "\1\2", 2);
            expect_table(&b, 2, 1, two, headers[i]);
        }
}

/* Types in the spellings of numpy.dtype; float16 in both orders; an array of no dimensions. */
Test(npy, spellings_of_types)
{
    static const double two[] = {1, 2}, halves[] = {0, -0.0, 1, -2, 65504, 0x1p-24, 0x3ffp-24, 0x1p-14, 0x1.554p-2};
    static const char *const eight[] = {"'=f8'", "'f8'", "'|f8'", "'float64'", "'d'", "'=d'"};
    static const int half[] = {0, 0x8000, 0x3C00, 0xC000, 0x7BFF, 1, 0x3FF, 0x400, 0x3555};
    for (int i = 0; i < COUNT(eight); i++) {
        bytes b = array_of(eight[i], "False", "(2,)");
        for (int k = 0; k < 2; k++) add(&b, &two[k], 8);
        expect_table(&b, 2, 1, two, eight[i]);
    }
    for (int big = 0; big < 2; big++) {
        bytes b = array_of(big ? "'>f2'" : "'<e'", "False", "(9,)");
        for (int k = 0; k < 9; k++) add_whole(&b, (uint64_t)half[k], 2, big);
        expect_table(&b, 9, 1, halves, "float16");
    }
    bytes b = array_of("'?'", "False", "()");
    add(&b, "\1", 1);
    expect_table(&b, 1, 1, two, "no dimensions");
    b = array_of("'<f2'", "False", "(1,)");
    add_whole(&b, 0xFC00, 2, false);
    expect_refused(&b, GIBBS_DATA, "t: row 1, column 1 is infinite");
}

/* Columns by number, one of weights, rows with NaN dropped. */
Test(npy, options)
{
    bytes b = array_of("'<f8'", "True", "(3, 3)");
    for (int k = 0; k < 9; k++) add_number(&b, "f8", 0, k == 4 ? NAN : k + 1, false);
    static const double four[] = {7, 1, 9, 3}, weights[] = {4, 6};
    const char *const columns[] = {"3", "1"}, *const all[] = {"1", "2", "3"}, *const two[] = {"2"};
    ebm_read_options o = {.columns = columns, .column_count = 2, .weight = "2", .missing = EBM_MISSING_DROP};
    ebm_read_report report;
    ebm_data data;
    gibbs_error error = {0};
    cr_assert(!ebm_data_parse_with(b.at, b.length, "t", &o, NULL, &data, &report, &error), "%s", error.message);
    cr_assert(data.rows == 2 && data.cols == 2 && data.weight);
    cr_expect(!memcmp(data.x, four, sizeof four) && !memcmp(data.weight, weights, sizeof weights));
    cr_expect(report.dropped == 1 && report.missing == 1 && strstr(report.text, "1 rows dropped"), "%s", report.text);
    ebm_data_free(&data);
    o.weight = NULL; /* the NaN is in no column that is read */
    cr_assert(!ebm_data_parse_with(b.at, b.length, "t", &o, NULL, &data, &report, &error) && data.rows == 3);
    ebm_data_free(&data);
    o = (ebm_read_options){.columns = all, .column_count = 3, .labels = two, .label_count = 1};
    cr_expect(ebm_data_parse_with(b.at, b.length, "t", &o, NULL, &data, NULL, &error) == GIBBS_ARGUMENT);
    cr_expect(strstr(error.message, "no text in npy files"), "%s", error.message);
}

/* A large file of doubles is mapped: with options, too; changes stay in memory; a stride that does not fit is copied; one
 * that is cut short, or holds a NaN, leaves no mapping behind (the sanitizers see others). */
Test(npy, large_files_are_mapped)
{
    enum { ROWS = 70000, COLS = 2 };
    static double x[ROWS * COLS];
    static const char *const first[] = {"1"};
    char path[] = "/tmp/gibbs-npy-XXXXXX";
    ebm_data data = {.rows = ROWS, .cols = COLS, .x = x}, again;
    gibbs_error error = {.message = ""};
    int descriptor = mkstemp(path);
    cr_assert(descriptor >= 0 && close(descriptor) == 0);
    for (int i = 0; i < ROWS * COLS; i++) x[i] = i + 0.25;
    cr_assert(!ebm_data_write_npy(path, &data, &error), "%s", error.message);
    cr_assert(!ebm_data_read(path, NULL, &data, &error), "%s", error.message);
    cr_assert(data.map && data.rows == ROWS && data.cols == COLS && !memcmp(data.x, x, sizeof x));
    cr_assert(!ebm_data_standardise(&data, NULL, NULL, &error));
    ebm_read_options o = {.columns = first, .column_count = 1, .weight = "2", .missing = EBM_MISSING_DROP};
    cr_assert(!ebm_data_read_with(path, &o, NULL, &again, NULL, &error), "%s", error.message);
    cr_expect(again.cols == 1 && data.x[0] != x[0]);
    for (int i = 0; i < ROWS; i++) cr_assert(again.x[i] == x[2 * i] && again.weight[i] == x[2 * i + 1]);
    ebm_data_free(&again);
    ebm_data_free(&data);
    cr_expect(!data.map && !data.x);
    x[5] = NAN;
    data = (ebm_data){.rows = ROWS, .cols = COLS, .x = x};
    cr_assert(!ebm_data_write_npy(path, &data, &error));
    cr_expect(ebm_data_read(path, NULL, &data, &error) == GIBBS_DATA && !data.x && !data.map && error.row == 2);
    o = (ebm_read_options){.missing = EBM_MISSING_DROP};
    cr_assert(!ebm_data_read_with(path, &o, NULL, &data, NULL, &error), "%s", error.message);
    cr_expect(data.rows == ROWS - 1 && !memcmp(data.x + 4, x + 6, sizeof x - 6 * sizeof *x));
    ebm_data_free(&data);
    cr_assert(!truncate(path, 1 << 20));
    cr_expect(ebm_data_read(path, NULL, &data, &error) == GIBBS_FORMAT && !data.map);
    unlink(path);
}

/* ---- Malformed files --------------------------------------------------------------------------------------- */

#define HEAD "{'descr': '<f8', 'fortran_order': False, 'shape': "
static const struct {
    const char *header;
    int data; /* bytes of it, all 0 */
    const char *message;
} malformed[] = {
    {"", 0, "t: byte 64: expected '{', found the end of the header"},
    {"(1, 2)", 0, "t: byte 10: expected '{', found '('"},
    {"{", 0, "t: byte 64: expected a key or '}', found the end of the header"},
    {"{}", 0, "t: byte 12: expected the key 'descr' before the header's end"},
    {HEAD "(2,)", 0, "t: byte 128: expected ',' or '}', found the end of the header"},
    {HEAD "(2,)} x", 16, "t: byte 66: expected nothing but blanks, found 'x'"},
    {HEAD "(2,)}}", 16, "t: byte 65: expected nothing but blanks, found '}'"},
    {HEAD "(2,) 'a'}", 16, "t: byte 65: expected ',' or '}', found '''"},
    {"{'shape': (2,), 'fortran_order': False}", 0, "t: byte 49: expected the key 'descr' before the header's end"},
    {"{'descr': '<f8', 'shape': (2,)}", 0, "t: byte 41: expected the key 'fortran_order' before the header's end"},
    {"{'descr': '<f8', 'fortran_order': False}", 0, "t: byte 50: expected the key 'shape' before the header's end"},
    {"{'descr': '<f8', 'descr': '<f8'}", 0, "t: byte 27: expected each key once, found 'descr' again"},
    {"{'order': 'C'}", 0, "t: byte 11: expected descr, fortran_order or shape, found 'order'"},
    {"{descr: '<f8'}", 0, "t: byte 11: expected a key or '}', found 'd'"},
    {"{'descr' '<f8'}", 0, "t: byte 19: expected ':', found '''"},
    {"{'descr: 1}", 0, "t: byte 43: expected a short plain string, found byte 0x20"},
    {"{'de\\x73cr': '<f8'}", 0, "t: byte 14: expected a short plain string, found '\\'"},
    {"{'d\xc3\xa9'}", 0, "t: byte 13: expected a short plain string, found byte 0xc3"},
    {"{'a key that goes on and on and on and on': 1}", 0,
     "t: byte 43: expected a short plain string, found 'n'"},
    {"{'descr': 8}", 0, "t: byte 20: expected one type of number, such as '<f8', found '8'"},
    {"{'descr': [('x', '<f8'), ('y', '<f8')]}", 0,
     "t: byte 20: expected one type of number, such as '<f8', found '['"},
    {"{'descr': '|O'}", 0,
     "t: byte 20: expected a type of number (b1, i1 to i8, u1 to u8, f2, f4, f8), found '|O': Python objects"},
    {"{'descr': '<c16'}", 0,
     "t: byte 20: expected a type of number (b1, i1 to i8, u1 to u8, f2, f4, f8), found '<c16'"},
    {"{'descr': '<U4'}", 0,
     "t: byte 20: expected a type of number (b1, i1 to i8, u1 to u8, f2, f4, f8), found '<U4'"},
    {"{'descr': ''}", 0, "t: byte 20: expected a type of number (b1, i1 to i8, u1 to u8, f2, f4, f8), found ''"},
    {"{'fortran_order': 0}", 0, "t: byte 28: expected True or False, found '0'"},
    {"{'fortran_order': true}", 0, "t: byte 28: expected True or False, found 't'"},
    {HEAD "2}", 0, "t: byte 60: expected the shape's '(', found '2'"},
    {HEAD "[2]}", 0, "t: byte 60: expected the shape's '(', found '['"},
    {HEAD "()}", 9, "t: byte 72: expected the end of the data, found 1 byte more"},
    {HEAD "(,)}", 8, "t: byte 61: expected a dimension, found ','"},
    {HEAD "(2)}", 16, "t: byte 62: expected ',', found ')'"},
    {HEAD "(2, 3", 16, "t: byte 128: expected ',' or ')', found the end of the header"},
    {HEAD "(2, , 3)}", 16, "t: byte 64: expected a dimension, found ','"},
    {HEAD "(-2,)}", 16, "t: byte 61: expected a dimension, found '-'"},
    {HEAD "(2.5,)}", 16, "t: byte 62: expected ',', found '.'"},
    {HEAD "(9223372036854775808,)}", 16, "t: byte 79: expected a dimension below 2^63, found '8'"},
    {HEAD "(99999999999999999999,)}", 16, "t: byte 79: expected a dimension below 2^63, found '9'"},
    {HEAD "(1152921504606846976,)}", 16, "t: byte 128: expected more than 2^63 bytes of data, found 16"},
    {HEAD "(1152921504606846975,)}", 16, "t: byte 128: expected 9223372036854775800 bytes of data, found 16"},
    {HEAD "(4294967296, 4294967296)}", 16, "t: byte 128: expected more than 2^63 bytes of data, found 16"},
    {HEAD "(2, 3)}", 40, "t: byte 128: expected 48 bytes of data, found 40"},
    {HEAD "(2, 3)}", 0, "t: byte 128: expected 48 bytes of data, found 0"},
    {HEAD "(2, 3)}", 49, "t: byte 176: expected the end of the data, found 1 byte more"},
    {HEAD "(0, 3)}", 5, "t: byte 128: expected the end of the data, found 5 bytes more"},
};

Test(npy, malformed_headers)
{
    for (int i = 0; i < COUNT(malformed); i++) {
        bytes b = file_with(1, malformed[i].header);
        for (int k = 0; k < malformed[i].data; k++) add(&b, "", 1);
        expect_refused(&b, GIBBS_FORMAT, malformed[i].message);
    }
}

Test(npy, many_dimensions)
{
    char shape[1200] = "(";
    double one = 7;
    for (int k = 0; k < 255; k++) strcat(shape, "1,");
    for (int more = 0; more < 2; more++) {
        char header[1300];
        snprintf(header, sizeof header, "{'descr': '|u1', 'fortran_order': True, 'shape': %s)}", shape);
        bytes b = file_with(1, header);
        add(&b, "\7", 1);
        if (!more) expect_table(&b, 1, 1, &one, "255 dimensions");
        else expect_refused(&b, GIBBS_FORMAT, "t: byte 570: expected at most 255 dimensions, found '1'");
        strcat(shape, "1,");
    }
}

/* Before the header: prefixes that are cut short, of other versions, or lie about the header's length. */
Test(npy, malformed_prefixes)
{
    static const struct {
        const char *bytes;
        size_t length;
        const char *message;
    } cases[] = {
        {"\x93N", 2, "t: byte 2: expected 8 bytes of magic and version, found the end"},
        {"\x93NUMPX\1\0", 8, "t: byte 5: expected the magic of an npy file, found byte 0x58"},
        {"\x93NUMPY\1", 7, "t: byte 7: expected 8 bytes of magic and version, found the end"},
        {"\x93NUMPY\0\0", 8, "t: byte 6: expected version 1.0, 2.0 or 3.0, found 0.0"},
        {"\x93NUMPY\4\0", 8, "t: byte 6: expected version 1.0, 2.0 or 3.0, found 4.0"},
        {"\x93NUMPY\1\1", 8, "t: byte 6: expected version 1.0, 2.0 or 3.0, found 1.1"},
        {"\x93NUMPY\1\0", 8, "t: byte 8: expected the header's length in 2 bytes, found the end"},
        {"\x93NUMPY\2\0vvv", 11, "t: byte 11: expected the header's length in 4 bytes, found the end"},
        {"\x93NUMPY\1\0\3\0{'a", 13, "t: byte 13: expected a closing quote, found the end of the header"},
        {"\x93NUMPY\1\0\3\0{}", 12,
         "t: byte 8: expected a header's length within the file's last 2 bytes, found 3"},
        {"\x93NUMPY\2\0\xff\xff\xff\xff{}", 14,
         "t: byte 8: expected a header's length within the file's last 2 bytes, found 4294967295"},
    };
    for (int i = 0; i < COUNT(cases); i++) {
        bytes b = {.length = 0};
        add(&b, cases[i].bytes, cases[i].length);
        expect_refused(&b, GIBBS_FORMAT, cases[i].message);
    }
}

Test(npy, no_numbers_and_no_finite_ones)
{
    bytes b = array_of("'<f8'", "False", "(0, 3)");
    expect_refused(&b, GIBBS_DATA, "'t' has no rows of numbers");
    b = array_of("'<f8'", "False", "(9223372036854775807, 3, 0)");
    expect_refused(&b, GIBBS_DATA, "'t' has no rows of numbers");
    b = array_of("'<f8'", "True", "(2, 2)");
    for (int k = 0; k < 4; k++) add_number(&b, "f8", 0, k == 1 ? NAN : 1, false);
    expect_refused(&b, GIBBS_DATA,
                   "t: row 2, column 1 is NaN, a missing value: fill it in, or have such rows dropped (missing)");
    b = array_of("'<f4'", "False", "(2, 2)");
    for (int k = 0; k < 4; k++) add_number(&b, "f4", 0, k == 3 ? -INFINITY : 1, false);
    expect_refused(&b, GIBBS_DATA, "t: row 2, column 2 is infinite");
}

Test(npy, damaged_files_do_no_harm)
{
    bytes b = array_of("'<f4'", "True", "(2, 2, 2)");
    for (int k = 0; k < 8; k++) add_number(&b, "f4", 0, k, false);
    int refused = refused_when_damaged(&b);
    cr_expect(refused > 8 * 60 && refused < 8 * 128, "%d refused", refused); /* blanks and numbers may change */
}

/* ---- Writing ------------------------------------------------------------------------------------------------ */

Test(npy, round_trip)
{
    static double x[] = {0.1, 1.0 / 3, -0.0, 0x1p-1074, 1.7976931348623157e308, -7};
    static const char expected[] =
        PADDED("{'descr': '<f8', 'fortran_order': False, 'shape': (3, 2), }", TEN TEN TEN TEN TEN "        ");
    char path[] = "/tmp/gibbs-npy-XXXXXX", start[128];
    int descriptor = mkstemp(path);
    cr_assert(descriptor >= 0 && close(descriptor) == 0);
    ebm_data back, data = {.rows = 3, .cols = 2, .x = x};
    gibbs_error error = {0};
    cr_assert(ebm_data_write_npy(path, &data, &error) == GIBBS_OK, "%s", error.message);
    cr_assert(ebm_data_read(path, NULL, &back, &error) == GIBBS_OK, "%s", error.message);
    cr_expect(back.rows == 3 && back.cols == 2 && !memcmp(back.x, x, sizeof x));
    ebm_data_free(&back);
    FILE *file = fopen(path, "rb");
    cr_assert(file && fread(start, 1, sizeof start, file) == sizeof start && fclose(file) == 0);
    if (__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__) cr_expect(!memcmp(start, expected, sizeof start), "NumPy's bytes");
    cr_expect(ebm_data_write_npy("/nowhere/t.npy", &data, &error) == GIBBS_IO);
    cr_expect(ebm_data_write_npy(NULL, &data, &error) == GIBBS_ARGUMENT);
    unlink(path);
}
