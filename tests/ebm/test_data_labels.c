/* Columns of text: numbered, kept with the table and with what is made of it, written and read back. */
#include "csv_helpers.h"

#include <unistd.h>

static const char *const kind[] = {"kind"}, *const first[] = {"1"};
static const ebm_read_options by_name = {.labels = kind, .label_count = 1},
    by_number = {.labels = first, .label_count = 1};

static ebm_data labelled(const char *text, const ebm_read_options *o)
{
    ebm_data data;
    gibbs_error error = {.message = ""};
    cr_assert(!parse_text(text, o, &data, NULL, &error), "«%s»: %s", text, error.message);
    return data;
}

/* Labels of a column as one text, "a|b|". */
static void expect_labels(const ebm_data *data, int64_t column, const char *expected)
{
    char text[256] = "";
    for (int64_t k = 0; data->labels && k < data->labels[column].count; k++)
        strcat(strcat(text, data->labels[column].text[k]), "|");
    cr_expect_str_eq(text, expected, "«%s», expected «%s»", text, expected);
}

static const struct {
    const char *text;
    double x[4];
    const char *labels;
} orders[] = {
    {"kind\npear\nfig\npear\napple\n", {2, 1, 2, 0}, "apple|fig|pear|"},
    {"kind\n10\n9\n2\n10\n", {2, 1, 0, 2}, "2|9|10|"},                   /* all numbers: their order */
    {"kind\n10\n9\n2\nx\n", {0, 2, 1, 3}, "10|2|9|x|"},                  /* else that of bytes */
    {"kind\n\"None\"\n\"b \"\nnull\n-\n", {1, 2, 3, 0}, "-|None|b |null|"}, /* not missing here */
    {"kind\n\xC3\xA9t\xC3\xA9\nz\nA\na\n", {3, 2, 0, 1}, "A|a|z|\xC3\xA9t\xC3\xA9|"},
};

Test(labels, numbers_in_order)
{
    for (int i = 0; i < COUNT(orders); i++) {
        ebm_data data = labelled(orders[i].text, &by_name);
        cr_assert(data.rows == 4 && data.cols == 1);
        cr_expect(!memcmp(data.x, orders[i].x, 4 * sizeof *data.x), "case %d: %g %g %g %g", i, data.x[0], data.x[1],
                  data.x[2], data.x[3]);
        expect_labels(&data, 0, orders[i].labels);
        ebm_data_free(&data);
    }
}

Test(labels, without_a_header)
{
    ebm_data data = labelled("setosa,5.1\nvirginica,6\nsetosa,7\n", &by_number);
    static const double six[] = {0, 5.1, 1, 6, 0, 7};
    cr_assert(data.rows == 3 && data.cols == 2 && !data.names);
    cr_expect(!memcmp(data.x, six, sizeof six));
    expect_labels(&data, 0, "setosa|virginica|");
    expect_labels(&data, 1, "");
    ebm_data_free(&data);
}

/* A label that only rows have that were dropped is none. */
Test(labels, of_rows_that_were_dropped)
{
    ebm_read_options o = by_name;
    o.missing = EBM_MISSING_DROP;
    ebm_data data = labelled("kind,x\nb,1\na,NA\nc,2\nNA,3\n", &o);
    static const double four[] = {0, 1, 1, 2};
    cr_assert(data.rows == 2);
    cr_expect(!memcmp(data.x, four, sizeof four));
    expect_labels(&data, 0, "b|c|");
    ebm_data_free(&data);
}

/* Held-out rows that lack a label, or have another: numbered as the first table is. */
Test(labels, as_in_another_table)
{
    ebm_data data = labelled("x,kind\n1,a\n2,b\n3,c\n", &by_name), other;
    ebm_read_options o = by_name;
    gibbs_error error;
    o.like = &data;
    other = labelled("kind,y\nc,1\na,2\n", &o);
    cr_expect(other.x[0] == 2 && other.x[2] == 0);
    expect_labels(&other, 0, "a|b|c|");
    ebm_data_free(&other);
    cr_expect(parse_text("kind\na\nd\n", &o, &other, NULL, &error) == GIBBS_DATA && error.row == 1);
    cr_expect_str_eq(error.message, "t:3: row 2, column 1 (kind): 'd' is none of the labels of the other table");
    ebm_data numbers = labelled("kind\n1\n", NULL);
    o.like = &numbers;
    cr_expect(parse_text("kind\na\n", &o, &other, NULL, &error) == GIBBS_ARGUMENT);
    cr_expect(strstr(error.message, "the other table has no labels of column 1 (kind)"), "%s", error.message);
    ebm_data_free(&numbers);
    ebm_data_free(&data);
}

static const csv_refusal refused[] = {
    {"kind\na\nNA\n", {.labels = kind, .label_count = 1}, GIBBS_DATA,
     "t:3: row 2, column 1 (kind): 'NA' is a missing value"},
    {"kind,x\na,1\n,2\n", {.labels = kind, .label_count = 1}, GIBBS_DATA, "'' is a missing value"},
    {"x\na\n", {.labels = kind, .label_count = 1}, GIBBS_ARGUMENT, "t: labels: 'kind' is none of the 1 column: 'x'"},
    {"kind,x\na,1\n", {.labels = kind, .label_count = 1, .columns = first, .column_count = 1, .weight = "kind"},
     GIBBS_ARGUMENT, "columns: '1' is the weights"},
    {"x,kind\n1,a\n", {.labels = kind, .label_count = 1, .columns = first, .column_count = 1}, GIBBS_ARGUMENT,
     "labels: 'kind' is no column of the table"},
};

Test(labels, refused)
{
    for (int i = 0; i < COUNT(refused); i++) expect_csv_refused(&refused[i], i);
    static char text[600000] = "kind\n";
    size_t used = strlen(text);
    for (int i = 0; i < 65537; i++) used += (size_t)sprintf(text + used, "k%05x\n", i);
    expect_csv_refused(&(csv_refusal){text, by_name, GIBBS_DATA,
                                      "row 65537, column 1 (kind): 'k10000' is one label too many"},
                       0);
}

Test(labels, go_with_their_columns)
{
    ebm_data data = labelled("x,kind\n1,a\n2,b\n3,a\n4,b\n", &by_name), out, held;
    gibbs_error error;
    cr_assert(!ebm_data_columns(&data, (int64_t[]){1, 0, 1}, 3, &out, &error));
    expect_labels(&out, 0, "a|b|");
    expect_labels(&out, 1, "");
    expect_labels(&out, 2, "a|b|");
    ebm_data_free(&out);
    cr_assert(!ebm_data_split(&data, 0.25, 1, &out, &held, NULL, &error));
    expect_labels(&out, 1, "a|b|");
    expect_labels(&held, 1, "a|b|");
    ebm_data_free(&out);
    ebm_data_free(&held);
    cr_assert(!ebm_data_one_hot(&data, 1, 3, &out, &error));
    cr_expect_str_eq(out.names[0], "x");
    cr_expect_str_eq(out.names[1], "kind=a");
    cr_expect_str_eq(out.names[2], "kind=b");
    cr_expect_str_eq(out.names[3], "kind=2");
    expect_labels(&out, 1, "");
    ebm_data_free(&out);
    ebm_data_free(&data);
}

Test(labels, written_and_read_back)
{
    char path[] = "/tmp/gibbs-labels-XXXXXX";
    int descriptor = mkstemp(path);
    cr_assert(descriptor >= 0 && close(descriptor) == 0);
    gibbs_error error = {.message = ""};
    ebm_data data = labelled("x,kind\n1,\"a,b\"\n2,\" c\"\n3,\"a,b\"\n", &by_name), back;
    cr_assert(!ebm_data_write_csv(path, &data, &error), "%s", error.message);
    cr_assert(!ebm_data_read_with(path, &by_name, NULL, &back, NULL, &error), "%s", error.message);
    cr_expect(back.rows == 3 && !memcmp(back.x, data.x, 6 * sizeof *data.x));
    expect_labels(&back, 1, " c|a,b|");
    ebm_data_free(&back);
    ebm_data_free(&data);
    unlink(path);
}
