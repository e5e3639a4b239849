/* Tensor files from elsewhere: one by the reference implementation, unusual spellings, every kind of malformed file. */
#include <gibbs/data.h>

#include <criterion/criterion.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define COUNT(array) ((int)(sizeof(array) / sizeof((array)[0])))

static char path[] = "/tmp/gibbs-tensors-XXXXXX";

static void make_file(void)
{
    int descriptor = mkstemp(path);
    cr_assert(descriptor >= 0 && close(descriptor) == 0);
}

static void remove_file(void)
{
    unlink(path);
}

TestSuite(tensors_read, .init = make_file, .fini = remove_file);

static void write_bytes(const void *bytes, size_t length)
{
    FILE *file = fopen(path, "wb");
    cr_assert(file);
    cr_assert(fwrite(bytes, 1, length, file) == length);
    cr_assert(fclose(file) == 0);
}

static gibbs_status read_status(gibbs_error *error)
{
    ebm_tensors back = {.count = 99};
    gibbs_status status = ebm_tensors_read(path, NULL, &back, error);
    if (status) cr_expect(!back.count && !back.tensor);
    ebm_tensors_free(&back);
    return status;
}

/* ---- Well-formed files -------------------------------------------------------------------------------------- */

static void expect_same(const ebm_tensor *a, const ebm_tensor *b)
{
    cr_expect_str_eq(a->name, b->name);
    cr_assert(a->dtype == b->dtype && a->shape.rank == b->shape.rank, "%s", a->name);
    for (int i = 0; i < a->shape.rank; i++) cr_assert(a->shape.dim[i] == b->shape.dim[i], "%s", a->name);
    size_t bytes = (size_t)ad_shape_count(&a->shape) * gibbs_dtype_size(a->dtype);
    cr_expect(memcmp(a->data, b->data, bytes) == 0, "%s", a->name);
}

static void expect_file_holds(const ebm_tensor *tensor, int count)
{
    ebm_tensors back;
    gibbs_error error = {0};
    cr_assert(ebm_tensors_read(path, NULL, &back, &error) == GIBBS_OK, "%s", error.message);
    cr_assert(back.count == count);
    for (int i = 0; i < count; i++) expect_same(&tensor[i], &back.tensor[i]);
    ebm_tensors_free(&back);
    cr_expect(!back.count && !back.tensor);
}

/* Written by Python's safetensors 0.8.0: save_file({"b": …, "W": …, "step": …}, metadata={"made_by": …}). */
#define REFERENCE_HEADER                                                                                    \
    "{\"__metadata__\":{\"made_by\":\"safetensors\"},\"W\":{\"dtype\":\"F64\",\"shape\":[2,3],"             \
    "\"data_offsets\":[0,48]},\"step\":{\"dtype\":\"F64\",\"shape\":[],\"data_offsets\":[48,56]},\"b\":{"   \
    "\"dtype\":\"F32\",\"shape\":[3],\"data_offsets\":[56,68]}}      "
static const char reference_file[] =
    "\xd8\0\0\0\0\0\0\0" REFERENCE_HEADER
    "\0\0\0\0\0\0\xf0?\0\0\0\0\0\0\0@\0\0\0\0\0\0\x08@\0\0\0\0\0\0\x10@\0\0\0\0\0\0\x14@UUUUUU\xd5?"
    "\0\0\0\0\0\0\x1c@\0\0\0?\0\0\xa0\xbf\0\0@@";
enum { REFERENCE_BYTES = sizeof reference_file - 1 };

Test(tensors_read, reads_the_reference_implementation)
{
    static double w[] = {1, 2, 3, 4, 5, 1.0 / 3}, step[] = {7};
    static float b[] = {0.5f, -1.25f, 3};
    const ebm_tensor expected[] = {{"W", GIBBS_FLOAT64, {2, {2, 3}}, w}, {"step", GIBBS_FLOAT64, {0, {0}}, step},
                                   {"b", GIBBS_FLOAT32, {1, {3}}, b}};
    cr_assert(REFERENCE_BYTES == 292);
    write_bytes(reference_file, REFERENCE_BYTES);
    expect_file_holds(expected, 3);
}

/* Names spelled with escapes, and the same in UTF-8, by the length of the character. */
Test(tensors_read, names_with_escapes)
{
    static const char *const spelled[][2] = {
        {"\\\"\\\\\\/\\b\\f\\n\\r\\t", "\"\\/\b\f\n\r\t"},
        {"\\u0041\\u00e4\\u20AC\\ud83d\\uDE00", "A\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80"},
        {"A\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80", "A\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80"},
    };
    for (int i = 0; i < COUNT(spelled); i++) {
        char file[256] = {0};
        int length = snprintf(file + 8, sizeof file - 8,
                              "{\"%s\" : { \"shape\":[],\"data_offsets\":[0 ,4],\"dtype\":\"F32\"}}",
                              spelled[i][0]);
        file[0] = (char)length;
        write_bytes(file, 8 + (size_t)length + 4);
        expect_file_holds(&(ebm_tensor){spelled[i][1], GIBBS_FLOAT32, {0, {0}}, &(float){0}}, 1);
    }
}

/* ---- Malformed files --------------------------------------------------------------------------------------- */

#define ENTRY(dtype, shape, begin, end) \
    "{\"dtype\":" dtype ",\"shape\":" shape ",\"data_offsets\":[" begin "," end "]}"
#define TWO ENTRY("\"F32\"", "[2]", "0", "8")
#define NEXT(begin, end) ENTRY("\"F32\"", "[2]", begin, end)

/* A JSON header, the bytes of data after it, and what the message says; NULL: it is in order (the controls). */
static const struct {
    const char *json;
    int data;
    const char *message;
} files[] = {
    {"{\"a\":" TWO "}", 8, NULL},
    {"{\"b\":" NEXT("8", "16") ",\"a\":" TWO "}  ", 16, NULL},
    {"{\"__metadata__\":{\"k\":\"v\"},\"a\":" TWO "}", 8, NULL},
    {"{}", 0, NULL},
    {"", 0, "the header does not begin with '{'"},
    {" {\"a\":" TWO "}", 8, "the header begins with a blank; the format wants a '{' there"},
    {"[" TWO "]", 8, "the header does not begin with '{'"},
    {"{\"a\":" TWO, 8, "a comma or a closing bracket was expected, at byte"},
    {"{\"a\":" TWO ",}", 8, "a string was expected, at byte"},
    {"{'a':" TWO "}", 8, "a string was expected, at byte 1 of the header"},
    {"{\"a\":" TWO "} x", 8, "the text goes on after its end"},
    {"{\"a\":" TWO "}{}", 8, "the text goes on after its end"},
    {"{\"a\":" TWO ",\"a\":" NEXT("8", "16") "}", 16, "two tensors are named 'a'"},
    {"{\"a\":{\"dtype\":\"F32\",\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}}", 8,
     "a tensor has a member twice, in tensor a"},
    {"{\"\xff\":" TWO "}", 8, "is not UTF-8"},
    {"{\"a\\u0000\":" TWO "}", 8, "a \\u escape in a string is no character"},
    {"{\"a\":" ENTRY("\"F16\"", "[3]", "0", "8") "}", 8, "data_offsets disagree with the shape, in tensor a"},
    {"{\"a\":" ENTRY("\"f32\"", "[2]", "0", "8") "}", 8, "the dtype is none of the format's (F32, F64, F16, I32"},
    {"{\"a\":" ENTRY("32", "[2]", "0", "8") "}", 8, "a string was expected, in tensor a"},
    {"{\"a\":" ENTRY("\"F32\"", "2", "0", "8") "}", 8, "a list was expected"},
    {"{\"a\":" ENTRY("\"F32\"", "[2.0]", "0", "8") "}", 8, "a whole number was expected"},
    {"{\"a\":" ENTRY("\"F32\"", "[\"2\"]", "0", "8") "}", 8, "a whole number was expected"},
    {"{\"a\":" ENTRY("\"F32\"", "[-1,-2]", "0", "8") "}", 8, "the shape has a dimension below 0"},
    {"{\"a\":" ENTRY("\"F32\"", "[0]", "0", "4") "}", 4, "data_offsets disagree with the shape"},
    {"{\"a\":" ENTRY("\"F32\"", "[4294967296,4294967296]", "0", "8") "}", 8, "data_offsets disagree with the shape"},
    {"{\"a\":" ENTRY("\"F32\"", "[99999999999999999999]", "0", "8") "}", 8, "a number is too large"},
    {"{\"a\":" ENTRY("\"F32\"", "[2]", "0", "8,8") "}", 8, "a list is too long"},
    {"{\"a\":" ENTRY("\"F32\"", "[2]", "0.0", "8") "}", 8, "a whole number was expected"},
    {"{\"a\":" ENTRY("\"F32\"", "[2]", "8", "0") "}", 8, "data_offsets are not two whole numbers in order"},
    {"{\"a\":" ENTRY("\"F32\"", "[2]", "-8", "0") "}", 8, "data_offsets are not two whole numbers in order"},
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":8}}", 8, "a list was expected"},
    {"{\"a\":" ENTRY("\"F32\"", "[3]", "0", "12") "}", 8, "data_offsets lie beyond the end of the file"},
    {"{\"a\":" ENTRY("\"F32\"", "[2]", "0", "9223372036854775807") "}", 8,
     "data_offsets lie beyond the end of the file"},
    {"{\"a\":" ENTRY("\"F32\"", "[1]", "0", "8") "}", 8, "data_offsets disagree with the shape, in tensor a"},
    {"{\"a\":" ENTRY("\"F64\"", "[2]", "0", "8") "}", 8, "data_offsets disagree with the shape, in tensor a"},
    {"{\"a\":" ENTRY("\"F32\"", "[]", "0", "8") "}", 8, "data_offsets disagree with the shape, in tensor a"},
    {"{\"a\":" TWO ",\"b\":" NEXT("4", "12") "}", 12, "tensor 'b' overlaps another: it begins at data byte 4, not 8"},
    {"{\"a\":" TWO ",\"b\":" TWO "}", 8, "overlaps another"},
    {"{\"a\":" TWO ",\"b\":" NEXT("12", "20") "}", 20, "tensor 'b' leaves a gap before it"},
    {"{\"a\":" NEXT("8", "16") "}", 16, "tensor 'a' leaves a gap before it"},
    {"{\"a\":" TWO "}", 9, ": 1 byte at the end belongs to no tensor"},
    {"{}", 3, "3 bytes at the end belong to no tensor"},
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[2]}}", 8, "a tensor lacks dtype, shape or data_offsets"},
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8],\"x\":1}}", 8,
     "a tensor has a member that is none of dtype, shape and data_offsets, in tensor a"},
    {"{\"__metadata__\":{\"k\":\"1\",\"k\":\"1\"}}", 0, "the metadata have 'k' twice"},
    {"{\"__metadata__\":nul}", 0, "an object was expected"},
    {"{\"a\":[]}", 0, "an object was expected"},
    {"{\"a\":null}", 0, "an object was expected"},
    {"{\"__metadata__\":[],\"a\":" TWO "}", 8, "an object was expected"},
    {"{\"__metadata__\":{\"k\":1},\"a\":" TWO "}", 8, "a string was expected"},
    {"{\"__metadata__\":{},\"a\":" TWO ",\"__metadata__\":{}}", 8, "__metadata__ is there twice"},
    {"{\"a\":" ENTRY("\"F32\"", "[02]", "0", "8") "}", 8, "a whole number was expected"},
    {"{\"a\":" ENTRY("\"F32\"", "[2e0]", "0", "8") "}", 8, "a whole number was expected"},
    {"{\"a\":" ENTRY("\"F32\"", "[2,]", "0", "8") "}", 8, "a whole number was expected"},
    {"{\"a\" " TWO "}", 8, "a colon was expected"},
    {"{\"a:", 0, "a string is never closed"},
    {"{\"a\\", 0, "a string is never closed"},
    {"{\"a\\x\":" TWO "}", 8, "an escape in a string is not known"},
    {"{\"\\ud800\":" TWO "}", 8, "a \\u escape in a string is no character"},
    {"{\"\\ud800\\u0041\":" TWO "}", 8, "a \\u escape in a string is no character"},
    {"{\"\\udc00\":" TWO "}", 8, "a \\u escape in a string is no character"},
    {"{\"\\u00g0\":" TWO "}", 8, "a \\u escape in a string is no character"},
    {"{\"\xc0\x80\":" TWO "}", 8, "is not UTF-8"},
    {"{\"\xed\xa0\x80\":" TWO "}", 8, "is not UTF-8"},
    {"{\"\xf4\x90\x80\x80\":" TWO "}", 8, "is not UTF-8"},
    {"{\"\xe2\x82\":" TWO "}", 8, "is not UTF-8"},
    {"{\"a\n\":" TWO "}", 8, "a control character"},
};

Test(tensors_read, malformed_headers_are_refused)
{
    for (int i = 0; i < COUNT(files); i++) {
        unsigned char file[512] = {0};
        size_t header = strlen(files[i].json);
        cr_assert(8 + header + (size_t)files[i].data <= sizeof file);
        file[0] = (unsigned char)header;
        file[1] = (unsigned char)(header >> 8);
        memcpy(file + 8, files[i].json, header);
        write_bytes(file, 8 + header + (size_t)files[i].data);
        gibbs_error error = {0};
        gibbs_status status = read_status(&error);
        cr_expect(status == (files[i].message ? GIBBS_FORMAT : GIBBS_OK), "case %d: %d «%s»", i, (int)status,
                  error.message);
        if (files[i].message)
            cr_expect(strstr(error.message, files[i].message) && strstr(error.message, path), "case %d: «%s»", i,
                      error.message);
    }
}

/* Numbers of the other types, and tensors that are skipped: without numbers, of a type or shape that is not read. */
Test(tensors_read, other_types)
{
#define ONE(name, dtype, shape, begin, end) "\"" name "\":" ENTRY("\"" dtype "\"", shape, begin, end)
    static const char header[] =
        "{\"__metadata__\":null," ONE("h", "F16", "[2]", "0", "4") "," ONE("b", "BF16", "[1,2]", "4", "8") ","
        ONE("bool", "BOOL", "[2]", "8", "10") "," ONE("i8", "I8", "[2]", "10", "12") ","
        ONE("u16", "U16", "[2]", "12", "16") "," ONE("i32", "I32", "[]", "16", "20") ","
        ONE("u64", "U64", "[1]", "20", "28") "," ONE("e", "F32", "[0,3]", "28", "28") ","
        ONE("f8", "F8_E4M3", "[4]", "28", "32") "," ONE("deep", "U8", "[1,1,1,1,1,1,1,1,2]", "32", "34") ","
        ONE("last", "F64", "[1]", "34", "42") "}";
    static const unsigned char data[] = {0, 0x3C, 0, 0xC5, /**/ 0x80, 0x3F, 0x49, 0xC0, /**/ 0, 2, /**/ 0x80, 7, /**/
                                         0xFF, 0xFF, 1, 0, /**/ 0xFE, 0xFF, 0xFF, 0xFF, /**/ 1, 0, 0, 0, 0, 0, 0x20, 0,
                                         1, 2, 3, 4, 5, 6, 0, 0, 0, 0, 0, 0, 0xF0, 0x3F};
    static float h[] = {1, -5}, b[] = {1, -3.140625f}, bools[] = {0, 1}, i8[] = {-128, 7}, u16[] = {65535, 1};
    static double i32[] = {-2}, u64[] = {0x1p53}, last[] = {1};
    const ebm_tensor expected[] = {
        {"h", GIBBS_FLOAT32, {1, {2}}, h},     {"b", GIBBS_FLOAT32, {2, {1, 2}}, b},
        {"bool", GIBBS_FLOAT32, {1, {2}}, bools}, {"i8", GIBBS_FLOAT32, {1, {2}}, i8},
        {"u16", GIBBS_FLOAT32, {1, {2}}, u16}, {"i32", GIBBS_FLOAT64, {0, {0}}, i32},
        {"u64", GIBBS_FLOAT64, {1, {1}}, u64}, {"last", GIBBS_FLOAT64, {1, {1}}, last}};
    static const char *const skipped[][2] = {{"e", "has no numbers"}, {"f8", "is of a type that is not read"},
                                             {"deep", "has too many dimensions"}};
    unsigned char file[2048] = {0};
    file[0] = (unsigned char)strlen(header), file[1] = (unsigned char)(strlen(header) >> 8);
    memcpy(file + 8, header, strlen(header));
    memcpy(file + 8 + strlen(header), data, sizeof data);
    write_bytes(file, 8 + strlen(header) + sizeof data);
    expect_file_holds(expected, COUNT(expected));
    ebm_tensors back;
    cr_assert(ebm_tensors_read(path, NULL, &back, NULL) == GIBBS_OK && back.skipped_count == COUNT(skipped));
    for (int i = 0; i < COUNT(skipped); i++) {
        cr_expect_str_eq(back.skipped[i].key, skipped[i][0]);
        cr_expect_str_eq(back.skipped[i].value, skipped[i][1]);
    }
    ebm_tensors_free(&back);
    cr_expect(!back.skipped && !back.skipped_count);
}

/* A table, whose first bytes are no length that a header could have, and one that is shorter than any file. */
Test(tensors_read, another_kind_of_file_is_told)
{
    static const char *const texts[] = {"a,b\n1,2\n3,4\n", "a\n1\n"};
    for (int i = 0; i < COUNT(texts); i++) {
        gibbs_error error = {0};
        write_bytes(texts[i], strlen(texts[i]));
        cr_expect_eq(read_status(&error), GIBBS_FORMAT);
        cr_expect(strstr(error.message, "is no safetensors file: it"), "%s", error.message);
    }
}

/* The reference file cut short anywhere, or with a header length from 0 to beyond all memory. */
Test(tensors_read, torn_files_are_refused)
{
    static const uint64_t lengths[] = {0, 1, 215, 217, 285, 100000001, INT64_MAX, UINT64_MAX};
    for (size_t length = 0; length < REFERENCE_BYTES; length++) {
        write_bytes(reference_file, length);
        cr_expect(read_status(NULL) == GIBBS_FORMAT, "%zu bytes", length);
    }
    for (int i = 0; i < COUNT(lengths); i++) {
        char file[REFERENCE_BYTES];
        memcpy(file, reference_file, sizeof file);
        for (int k = 0; k < 8; k++) file[k] = (char)(lengths[i] >> (8 * k));
        write_bytes(file, sizeof file);
        cr_expect(read_status(NULL) == GIBBS_FORMAT, "header length %d", i);
    }
}

/* Whether jansson calls the header an object without duplicates; it takes more than a header may hold. */
static bool jansson_accepts(const char *file)
{
    json_t *header = json_loadb(file + 8, sizeof REFERENCE_HEADER - 1, JSON_REJECT_DUPLICATES, NULL);
    bool accepts = json_is_object(header);
    json_decref(header);
    return accepts;
}

/* Any one bit changed: read or refused, nothing else (the sanitizers watch), and nothing read that jansson does not
 * take for JSON. */
Test(tensors_read, damaged_files_do_no_harm)
{
    int ok = 0, refused = 0;
    for (int i = 0; i < REFERENCE_BYTES; i++)
        for (int flip = 1; flip < 256; flip *= 2) {
            char file[REFERENCE_BYTES];
            memcpy(file, reference_file, sizeof file);
            file[i] = (char)(file[i] ^ flip);
            write_bytes(file, sizeof file);
            gibbs_status status = read_status(NULL);
            cr_assert(status == GIBBS_OK || status == GIBBS_FORMAT, "byte %d: status %d", i, (int)status);
            cr_expect(status || jansson_accepts(file), "byte %d, bit %d", i, flip);
            if (status) refused++;
            else ok++;
        }
    cr_expect(ok >= 68 * 8 && refused > 8 * 8, "%d read, %d refused", ok, refused); /* 68 bytes are numbers */
}
