/* Reading and writing CSV: what is accepted, every refusal with its line and column, round trips. */
#include <gibbs/data.h>

#include <criterion/criterion.h>
#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define COUNT(array) ((int)(sizeof(array) / sizeof((array)[0])))
#define MARK "\xEF\xBB\xBF"

typedef struct scratch {
    char folder[32], path[64];
} scratch;

static scratch scratch_new(void)
{
    scratch s = {.folder = "/tmp/gibbs-csv-XXXXXX"};
    cr_assert(mkdtemp(s.folder));
    snprintf(s.path, sizeof s.path, "%s/table.csv", s.folder);
    return s;
}

/* Fails when anything but the one file was left in the folder. */
static void scratch_remove(const scratch *s)
{
    unlink(s->path);
    cr_expect(rmdir(s->folder) == 0, "something was left in %s", s->folder);
}

static void write_text(const char *path, const char *text)
{
    FILE *file = fopen(path, "wb");
    cr_assert(file);
    cr_assert(fputs(text, file) >= 0);
    cr_assert(fclose(file) == 0);
}

static bool zeroed(const ebm_data *data)
{
    return !data->rows && !data->cols && !data->x && !data->names;
}

/* ---- What is accepted -------------------------------------------------------------------------------------- */

static const struct {
    const char *text;
    int rows, cols;
    double x[4];
    const char *names[2]; /* all NULL: no names */
} accepted[] = {
    {"1,2\n3,4\n", 2, 2, {1, 2, 3, 4}, {0}},
    {"1,2\n3,4", 2, 2, {1, 2, 3, 4}, {0}},
    {"1,2\r\n3,4\r\n", 2, 2, {1, 2, 3, 4}, {0}},
    {"a,b\n1,2\n", 1, 2, {1, 2}, {"a", "b"}},
    {MARK "a,b\r\n1,2\r\n", 1, 2, {1, 2}, {"a", "b"}},
    {MARK "1,2\n", 1, 2, {1, 2}, {0}},
    {"1,2\n\n \t\r\n\n", 1, 2, {1, 2}, {0}},
    {" 1 ,\t-2 \n +.5, 6.e1\n", 2, 2, {1, -2, .5, 60}, {0}},
    {"\"1\",\" 2 \"\n3 , \"4\" \n", 2, 2, {1, 2, 3, 4}, {0}},
    {"\"a,b\",\"c\"\"d\"\n1,2\n", 1, 2, {1, 2}, {"a,b", "c\"d"}},
    {"\"a\nb\",\" c \"\n1,2\n", 1, 2, {1, 2}, {"a\nb", " c "}},
    {" a\t, b c \n1,2\n", 1, 2, {1, 2}, {"a", "b c"}},
    {"\"\"\n1\n2\n", 2, 1, {1, 2}, {""}},
    {"1e3,1E-3\n1e+2,-0\n", 2, 2, {1000, .001, 100, -0.0}, {0}},
    {"1e-400,4.9406564584124654e-324\n", 1, 2, {0, 4.9406564584124654e-324}, {0}},
    {"0.1,123456789012345678901234567890\n", 1, 2, {0.1, 123456789012345678901234567890.}, {0}},
    /* half way between two doubles, and a little above: the first goes to even, the second up */
    {"9007199254740993,9007199254740993.00000000000000000000000000001\n", 1, 2, {0x1p53, 0x1p53 + 2}, {0}},
    {"7\n", 1, 1, {7}, {0}},
};

static void expect_accepted(int i)
{
    ebm_data data;
    gibbs_error error = {.message = "untouched"};
    gibbs_status status =
        ebm_data_parse_csv(accepted[i].text, strlen(accepted[i].text), "t.csv", NULL, &data, &error);
    cr_assert(status == GIBBS_OK, "case %d: %s", i, error.message);
    cr_expect_str_eq(error.message, "untouched");
    cr_assert(data.rows == accepted[i].rows && data.cols == accepted[i].cols, "case %d: %d × %d", i, (int)data.rows,
              (int)data.cols);
    cr_expect(memcmp(data.x, accepted[i].x, (size_t)(data.rows * data.cols) * sizeof(double)) == 0, "case %d", i);
    cr_assert((data.names != NULL) == (accepted[i].names[0] != NULL), "case %d: names", i);
    for (int c = 0; data.names && c < data.cols; c++) cr_expect_str_eq(data.names[c], accepted[i].names[c]);
    ebm_data_free(&data);
    cr_expect(zeroed(&data));
}

Test(data_csv, accepts)
{
    for (int i = 0; i < COUNT(accepted); i++) expect_accepted(i);
}

/* ---- What is refused --------------------------------------------------------------------------------------- */

#define WORD ": leave the column out, or read it as labels (options columns, labels)"
#define BLANKS ": write its digits without blanks or commas between them"
#define COMMA ": if its comma is a decimal one, say so (decimal = ',')"
#define MISSING " is a missing value: fill it in, or have such rows dropped (missing)"

static const struct {
    const char *text;
    gibbs_status status;
    const char *message;
} refused[] = {
    {"1,2\n3\n", GIBBS_FORMAT, "t.csv:2: the line has 1 field and the first has 2: column 2 is missing"},
    {"1,2\n3,4\n5,6,7,8\n", GIBBS_FORMAT, "t.csv:3: the line has 4 fields and the first has 2: column 3 is too many"},
    {"a,b,c\n1,2\n", GIBBS_FORMAT, "t.csv:2: the line has 2 fields and the first has 3: column 3 is missing"},
    {"1,2\n3,x\n", GIBBS_FORMAT, "t.csv:2: column 2: 'x' is not a number" WORD},
    {"a,b\n1,2\n3,x y\n", GIBBS_FORMAT, "t.csv:3: column 2 (b): 'x y' is not a number" WORD},
    {"\"a\nb\",c\n1,2\n3,?\n", GIBBS_DATA, "t.csv:4: row 2, column 2 (c): '?'" MISSING},
    {"1,2\r\n3,0x10\r\n", GIBBS_FORMAT, "t.csv:2: column 2: '0x10' is not a number"},
    {"1,2\n1.5e,2\n", GIBBS_FORMAT, "t.csv:2: column 1: '1.5e' is not a number"},
    {"1,2\n3,4 5\n", GIBBS_FORMAT, "t.csv:2: column 2: '4 5' is not a number" BLANKS},
    {"1,2\n3,.\n", GIBBS_DATA, "t.csv:2: row 2, column 2: '.'" MISSING},
    {"1,2\n3,--4\n", GIBBS_FORMAT, "t.csv:2: column 2: '--4' is not a number"},
    {"1,2\n3,nan(1)\n", GIBBS_FORMAT, "t.csv:2: column 2: 'nan(1)' is not a number" WORD},
    {"1,2\n3,1;5\n", GIBBS_FORMAT, "t.csv:2: column 2: '1;5' is not a number"}, /* one, by mistake */
    {"a;b\n1,5;2\n", GIBBS_FORMAT, "t.csv:2: column 1 (a): '1,5' is not a number" COMMA},
    {"a b\n1,5 2\n", GIBBS_FORMAT, "t.csv:2: column 1 (a): '1,5' is not a number" COMMA},
    {"a\n2020-01-01 10:00\n", GIBBS_FORMAT, "t.csv:2: column 1 (a): '2020-01-01 10:00' is not a number"},
    {"a, b\n1, 2e\n3;4", GIBBS_FORMAT, "t.csv:2: column 2 (b): '2e' is not a number"},
    {"\"a;\tb\",c\n1,x\n", GIBBS_FORMAT, "t.csv:2: column 2 (c): 'x' is not a number" WORD},
    {"1,2\n,4\n", GIBBS_DATA, "t.csv:2: row 2, column 1: ''" MISSING},
    {"1,2\n3,\n", GIBBS_DATA, "t.csv:2: row 2, column 2: ''" MISSING},
    {"1,b\n1,2\n", GIBBS_FORMAT,
     "t.csv:1: column 2: 'b' is not a number, and the line is no header, since column 1 is '1'"
     ": say that it is one (header), or what the column is (columns, labels)"},
    {"1\n2\n\n3\n", GIBBS_FORMAT, "t.csv:3: the line is blank, column 1 is missing"},
    {"\n1\n", GIBBS_FORMAT, "t.csv:1: the line is blank, column 1 is missing"},
    {"1,2\n3,\"4\n5,6\n", GIBBS_FORMAT, "t.csv:2: column 2 opens a quote that is never closed"},
    {"a,\"b\"\"\n1,2\n", GIBBS_FORMAT, "t.csv:1: column 2 opens a quote that is never closed"},
    {"1,2\n3,\"4\"5\n", GIBBS_FORMAT, "t.csv:2: column 2 has text after its closing quote"},
    {"1,2\n3,4\"\n", GIBBS_FORMAT, "t.csv:2: column 2 has a quote inside an unquoted field"},
    {"1,2\n3,ääääääääääääääääääääääääää\n", GIBBS_FORMAT,
     "t.csv:2: column 2: 'ääääääääääääääääääää…' is not a number" WORD},
    {"1,2\n3,4\n5,nan\n", GIBBS_DATA, "t.csv:3: row 3, column 2: 'nan'" MISSING},
    {"a,b\n1,2\n-Infinity,4\n", GIBBS_DATA, "t.csv:3: row 2, column 1 (a): '-Infinity' is not finite"},
    {"a,b\n1,1e999\n", GIBBS_DATA, "t.csv:2: row 1, column 2 (b): '1e999' is not finite"},
    {"nan,1\n2,3\n", GIBBS_DATA, "t.csv:1: row 1, column 1: 'nan'" MISSING}, /* data, not a header */
    {"", GIBBS_DATA, "'t.csv' has no rows of numbers"},
    {MARK "\r\n\n", GIBBS_DATA, "'t.csv' has no rows of numbers"},
    {"a,b\n", GIBBS_DATA, "'t.csv' has no rows of numbers"},
};

Test(data_csv, refuses)
{
    for (int i = 0; i < COUNT(refused); i++) {
        ebm_data data = {.rows = 99};
        gibbs_error error = {0};
        const char *text = refused[i].text;
        gibbs_status status = ebm_data_parse_csv(text, strlen(text), "t.csv", NULL, &data, &error);
        cr_expect(status == refused[i].status && error.status == status, "case %d: status %d", i, (int)status);
        cr_expect_str_eq(error.message, refused[i].message, "case %d: «%s»", i, error.message);
        cr_expect(zeroed(&data), "case %d: *out", i);
        cr_expect(ebm_data_parse_csv(text, strlen(text), "t.csv", NULL, &data, NULL) == status);
    }
}

/* The text's end is where the length says, with no NUL behind it; a NUL inside is no end. */
Test(data_csv, length_counts)
{
    ebm_data data;
    gibbs_error error;
    char *exact = malloc(7);
    cr_assert(exact);
    memcpy(exact, "1,2\n3,4", 7);
    cr_assert(ebm_data_parse_csv(exact, 7, "t", NULL, &data, NULL) == GIBBS_OK);
    cr_expect(data.rows == 2 && data.x[3] == 4);
    ebm_data_free(&data);
    cr_expect(ebm_data_parse_csv(exact, 6, "t", NULL, &data, &error) == GIBBS_DATA); /* the last field is empty */
    free(exact);
    cr_expect(ebm_data_parse_csv("1,2\n3\0,4\n", 9, "t", NULL, &data, &error) == GIBBS_FORMAT);
    cr_expect_str_eq(error.message,
                     "t: byte 5 is NUL: this is no text, nor another format that is known (npy, IDX, gzip)");
    cr_expect(ebm_data_parse_csv(NULL, 0, "t", NULL, &data, &error) == GIBBS_DATA);
}

/* However long the file's name, line and column are in the message. */
Test(data_csv, long_names_keep_the_line)
{
    char name[1000];
    memset(name, 'd', sizeof name - 1);
    name[sizeof name - 1] = 0;
    ebm_data data;
    gibbs_error error;
    cr_expect(ebm_data_parse_csv("1\nx\n", 4, name, NULL, &data, &error) == GIBBS_FORMAT);
    cr_expect(strstr(error.message, "d:2: column 1: 'x' is not a number" WORD), "«%s»", error.message);
}

/* ---- Files ------------------------------------------------------------------------------------------------- */

static void expect_same(const ebm_data *a, const ebm_data *b)
{
    cr_assert(a->rows == b->rows && a->cols == b->cols);
    cr_expect(memcmp(a->x, b->x, (size_t)(a->rows * a->cols) * sizeof(double)) == 0);
    cr_assert((a->names != NULL) == (b->names != NULL));
    for (int64_t c = 0; a->names && c < a->cols; c++) cr_expect_str_eq(a->names[c], b->names[c]);
}

static void expect_round_trip(const ebm_data *data, const char *path)
{
    ebm_data back;
    gibbs_error error = {0};
    cr_assert(ebm_data_write_csv(path, data, &error) == GIBBS_OK, "%s", error.message);
    cr_assert(ebm_data_read_csv(path, NULL, &back, &error) == GIBBS_OK, "%s", error.message);
    expect_same(data, &back);
    ebm_data_free(&back);
}

static double awkward[] = {0.1, 1.0 / 3, -0.0, 4.9406564584124654e-324, 1.7976931348623157e308,
                           -2.2250738585072014e-308, 1e22, 0x1p53, -7, 3.141592653589793};
static char *awkward_names[] = {"\xEF\xBB\xBF" "1", "a;b", "say \"x\"\n", " two words\t", ""};

Test(data_csv, round_trip_keeps_every_bit)
{
    scratch s = scratch_new();
    ebm_data table = {.rows = 2, .cols = 5, .x = awkward, .names = awkward_names};
    expect_round_trip(&table, s.path);
    table.names = NULL;
    expect_round_trip(&table, s.path);
    expect_round_trip(&(ebm_data){.rows = 10, .cols = 1, .x = awkward, .names = &awkward_names[4]}, s.path);
    scratch_remove(&s);
}

/* The locale's decimal comma must change neither reading nor writing, and must be back afterwards. */
Test(data_csv, locale_does_not_matter)
{
    static const char *const names[] = {"de_DE.UTF-8", "de_DE.utf8", "fr_FR.UTF-8", "fr_FR.utf8", "nl_NL.UTF-8"};
    const char *found = NULL;
    for (int i = 0; i < COUNT(names) && !found; i++) found = setlocale(LC_ALL, names[i]);
    if (!found) cr_skip_test("no locale with a decimal comma is installed");
    char comma[8];
    snprintf(comma, sizeof comma, "%.1f", 0.5);
    cr_assert_str_eq(comma, "0,5");
    scratch s = scratch_new();
    expect_round_trip(&(ebm_data){.rows = 2, .cols = 5, .x = awkward, .names = awkward_names}, s.path);
    scratch_remove(&s);
    snprintf(comma, sizeof comma, "%.1f", 0.5);
    cr_expect_str_eq(comma, "0,5");
}

Test(data_csv, file_errors)
{
    scratch s = scratch_new();
    ebm_data data = {.rows = 99};
    gibbs_error error;
    cr_expect(ebm_data_read_csv(s.path, NULL, &data, &error) == GIBBS_IO);
    cr_expect(strstr(error.message, s.path) && strstr(error.message, "No such file"), "«%s»", error.message);
    cr_expect(zeroed(&data));
    cr_expect(ebm_data_read_csv(s.folder, NULL, &data, &error) == GIBBS_IO);
    write_text(s.path, "a\n1\nx\n");
    cr_expect(ebm_data_read_csv(s.path, NULL, &data, &error) == GIBBS_FORMAT);
    cr_expect(strstr(error.message, "table.csv:3: column 1 (a): 'x'"), "«%s»", error.message);
    ebm_data table = {.rows = 2, .cols = 5, .x = awkward};
    cr_expect(ebm_data_write_csv("/nowhere/table.csv", &table, &error) == GIBBS_IO);
    cr_expect(ebm_data_write_csv(s.folder, &table, &error) == GIBBS_IO);
    if (access("/dev/full", W_OK) == 0) cr_expect(ebm_data_write_csv("/dev/full", &table, &error) == GIBBS_IO);
    scratch_remove(&s);
}

/* A header that would come back as data is refused, and the old file stays. */
Test(data_csv, numeric_names_are_not_written)
{
    static char *names[] = {"1", "2e5"};
    scratch s = scratch_new();
    gibbs_error error;
    ebm_data back, table = {.rows = 1, .cols = 2, .x = awkward, .names = names};
    write_text(s.path, "old\n1\n");
    cr_expect(ebm_data_write_csv(s.path, &table, &error) == GIBBS_ARGUMENT);
    table.names = (char *[]){"\xEF\xBB\xBF" "a", "2"}; /* one of them is enough */
    cr_expect(ebm_data_write_csv(s.path, &table, &error) == GIBBS_ARGUMENT);
    cr_expect(strstr(error.message, "the name of column 2 is the number 2"), "%s", error.message);
    table.names = (char *[]){"", "b"}; /* row names */
    cr_expect(ebm_data_write_csv(s.path, &table, &error) == GIBBS_ARGUMENT);
    cr_assert(ebm_data_read_csv(s.path, NULL, &back, NULL) == GIBBS_OK);
    cr_expect_str_eq(back.names[0], "old");
    ebm_data_free(&back);
    scratch_remove(&s);
}

/* What is read from a pipe has no size beforehand. */
Test(data_csv, pipes)
{
    enum { ROWS = 50000 };
    scratch s = scratch_new();
    cr_assert(mkfifo(s.path, 0600) == 0);
    pid_t writer = fork();
    if (!writer) {
        FILE *file = fopen(s.path, "wb");
        for (int i = 0; file && i < ROWS; i++) fprintf(file, "%d,%d.5\n", i, -i);
        _exit(!file || fclose(file) ? 1 : 0);
    }
    ebm_data data;
    gibbs_error error;
    cr_assert(ebm_data_read_csv(s.path, NULL, &data, &error) == GIBBS_OK, "%s", error.message);
    cr_assert(data.rows == ROWS && data.cols == 2);
    cr_expect(data.x[2 * (ROWS - 1)] == ROWS - 1 && data.x[2 * ROWS - 1] == -(ROWS - 1) - 0.5);
    ebm_data_free(&data);
    scratch_remove(&s);
}

Test(data_csv, old_faithful)
{
    ebm_data data;
    gibbs_error error;
    cr_assert(ebm_data_read_csv(GIBBS_TEST_SOURCE_DIR "/../examples/data/faithful.csv", NULL, &data, &error) ==
                  GIBBS_OK, "%s", error.message);
    cr_assert(data.rows == 272 && data.cols == 2);
    cr_expect_str_eq(data.names[0], "eruptions (min)");
    cr_expect_str_eq(data.names[1], "waiting (min)");
    double sum[2] = {0};
    for (int i = 0; i < 2 * 272; i++) sum[i % 2] += data.x[i];
    cr_expect(fabs(sum[0] / 272 - 3.487783) < 5e-7);
    cr_expect(fabs(sum[1] / 272 - 70.897059) < 5e-7);
    ebm_data_free(&data);
}
