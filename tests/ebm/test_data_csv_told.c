/* CSV with options: separators, decimals, comments and headers that are told, columns by name and number, missing rows
 * dropped, weights; and what of these is refused. */
#include "csv_helpers.h"

#define LIST(...) (const char *const[]){__VA_ARGS__}
#define COLUMNS(n, ...) .columns = LIST(__VA_ARGS__), .column_count = n

static const csv_case read[] = {
    {"x;y\n1,5;2\n-3,25;4,0\n", {.decimal = ','}, 2, 2, {1.5, 2, -3.25, 4}, {"x", "y"}, "';'"},
    {"x\ty\n1,5\t2\n", {.decimal = ','}, 1, 2, {1.5, 2}, {"x", "y"}, "tabs"},
    {"1,5 2,5\n", {.decimal = ','}, 1, 2, {1.5, 2.5}, {0}, "blanks"},
    {"x\n1,5\n2,5\n", {.decimal = ','}, 2, 1, {1.5, 2.5}, {"x"}, ""},
    {"1|2\n3|4\n", {.separator = '|'}, 2, 2, {1, 2, 3, 4}, {0}, "'|'"},
    {"1\t\t2\n", {.separator = '\t', COLUMNS(2, "1", "3")}, 1, 2, {1, 2}, {0}, "tabs"},
    {"a b,c\n1,2\n", {.separator = ','}, 1, 2, {1, 2}, {"a b", "c"}, "','"},
    {"x,y % of all\n1,2 % two\n% three\n3,4\n%\n", {.comment = '%'}, 2, 2, {1, 2, 3, 4}, {"x", "y"}, "2 lines of comm"},
    {"x,\"y#z\"\n1,2#\n", {.comment = '#'}, 1, 2, {1, 2}, {"x", "y#z"}, "with a header"},
    {"1990,2000\n1,2\n", {.header = EBM_HEADER_YES}, 1, 2, {1, 2}, {"1990", "2000"}, "with a header"},
    {"x,NA\n1,2\n", {.header = EBM_HEADER_YES}, 1, 2, {1, 2}, {"x", "NA"}, ""},
    /* columns */
    {"x,y,z\n1,2,3\n4,5,6\n", {COLUMNS(2, "z", "x")}, 2, 2, {3, 1, 6, 4}, {"z", "x"}, ""},
    {"x,y,z\n1,2,3\n4,5,6\n", {COLUMNS(2, "3", "1")}, 2, 2, {3, 1, 6, 4}, {"z", "x"}, ""},
    {"2,1\n5,6\n", {.header = EBM_HEADER_YES, COLUMNS(1, "2")}, 1, 1, {5}, {"2"}, ""}, /* a name before a number */
    {"x,who,y\n1,Ada,NA\n2,,4\n", {COLUMNS(1, "x")}, 2, 1, {1, 2}, {"x"}, ""}, /* the others may be anything */
    {"1,Ada\n2,Bob\n", {COLUMNS(1, "1")}, 2, 1, {1, 2}, {0}, "without a header"},
    {",x\n7,1\n8,2\n", {COLUMNS(2, "1", "x")}, 2, 2, {7, 1, 8, 2}, {"", "x"}, ""}, /* row names, told */
    {"x,1990\n1,2\n", {COLUMNS(1, "x")}, 1, 1, {1}, {"x"}, "with a header"}, /* a name needs a header */
    {"# x,y\n1,2\n", {COLUMNS(1, "y")}, 1, 1, {2}, {"y"}, ""},
    {"# by me\nx,2\n1,3\n", {COLUMNS(1, "x")}, 1, 1, {1}, {"x"}, ""},
    /* rows dropped */
    {"x,y\n1,2\nNA,3\n4,\n5,6\n", {.missing = EBM_MISSING_DROP}, 2, 2, {1, 2, 5, 6}, {"x", "y"},
     "2 of 4 rows dropped, for 2 missing values"},
    {"NA,0.5\n1,2\n", {.missing = EBM_MISSING_DROP}, 1, 2, {1, 2}, {0}, "1 of 2 rows dropped, for 1 missing value"},
    {",2\n1,3\n4,5\n", {.missing = EBM_MISSING_DROP}, 2, 2, {1, 3, 4, 5}, {0}, "without a header; 1 of 3 rows"},
    {"x,y\nNA,?\n1,NA\n2,3\n", {.missing = EBM_MISSING_DROP, COLUMNS(1, "x")}, 2, 1, {1, 2}, {"x"}, "1 of 3 rows"},
    {"a,b,c,d\n1,,,\n,,,2\n1,2,3,4\n", {.missing = EBM_MISSING_DROP}, 1, 4, {1, 2, 3, 4}, {0}, "2 of 3"},
};

Test(csv_told, read)
{
    for (int i = 0; i + 1 < COUNT(read); i++) expect_read(&read[i], i);
    ebm_data data;
    gibbs_error error;
    const csv_case *last = &read[COUNT(read) - 1];
    cr_assert(!parse_text(last->text, &last->options, &data, NULL, &error) && data.rows == 1 && data.cols == 4);
    cr_expect(!memcmp(data.x, last->x, 4 * sizeof *data.x));
    ebm_data_free(&data);
}

static const csv_refusal refused[] = {
    {"x;y\n1.5;2\n", {.decimal = ','}, GIBBS_FORMAT,
     "column 1 (x): '1.5' is not a number: its decimal sign is a point"},
    {"x,y\n1,2\n", {.header = EBM_HEADER_NO}, GIBBS_FORMAT, "t:1: column 1: 'x' is not a number"},
    {"x,y\n1,2\n", {COLUMNS(1, "z")}, GIBBS_ARGUMENT, "t: columns: 'z' is none of the 2 columns: 'x', 'y'"},
    {"# by me\n1,2\n", {COLUMNS(1, "z")}, GIBBS_ARGUMENT, "'z' is none of the 2 columns: '1', '2'"},
    {"x,y\n1,2\n", {COLUMNS(1, "3")}, GIBBS_ARGUMENT, "t: columns: '3' is none of the 2 columns"},
    {"x,y\n1,2\n", {COLUMNS(1, "0")}, GIBBS_ARGUMENT, "t: columns: '0' is none of the 2 columns"},
    {"x,y\n1,2\n", {COLUMNS(1, "99999999999999999999")}, GIBBS_ARGUMENT, "is none of the 2 columns"},
    {"x,y\n1,2\n", {COLUMNS(2, "x", "1")}, GIBBS_ARGUMENT, "t: columns: '1' is there twice"},
    {"1,2\n", {COLUMNS(1, "x")}, GIBBS_ARGUMENT, "t: columns: 'x' is none of the 2 columns: '1', '2'"},
    {"x,y\n1,2\n", {COLUMNS(1, NULL)}, GIBBS_ARGUMENT, "columns has a NULL"},
    {"x,y\n1,2\n", {.columns = LIST("x")}, GIBBS_ARGUMENT, "no column is left"},
    {"x,y\n1,2\n", {.column_count = 1}, GIBBS_ARGUMENT, "columns is NULL, and has a count"},
    {"x,y\n1,2\n", {.separator = '3'}, GIBBS_ARGUMENT, "separator is '3', which separates nothing"},
    {"x,y\n1,2\n", {.separator = '\n'}, GIBBS_ARGUMENT, "separator is '?'"},
    {"x,y\n1,2\n", {.separator = ',', .decimal = ','}, GIBBS_ARGUMENT, "separator is ',', and so is decimal"},
    {"x,y\n1,2\n", {.separator = '#', .comment = '#'}, GIBBS_ARGUMENT, "separator is '#', and so is comment"},
    {"x,y\n1,2\n", {.decimal = ';'}, GIBBS_ARGUMENT, "decimal is ';', neither '.' nor ','"},
    {"x,y\n1,2\n", {.comment = '"'}, GIBBS_ARGUMENT, "comment is '\"'"},
    {"x\nNA\nNA\n", {.missing = EBM_MISSING_DROP}, GIBBS_DATA, "t: no row is left: all 2 have missing values"},
    {"x,y\n1,NA\n2,inf\n", {.missing = EBM_MISSING_DROP}, GIBBS_DATA, "t:3: row 2, column 2 (y): 'inf' is not finite"},
    /* weights */
    {"x,w\n1,2\n", {.weight = "v"}, GIBBS_ARGUMENT, "t: weight: 'v' is none of the 2 columns: 'x', 'w'"},
    {"x,w\n1,2\n", {.weight = "w", COLUMNS(1, "w")}, GIBBS_ARGUMENT, "t: columns: 'w' is the weights"},
    {"w\n2\n", {.weight = "w"}, GIBBS_DATA, "t: no column is left for the table"},
    {"x,w\n1,2\n3,-1\n", {.weight = "w"}, GIBBS_DATA,
     "t: the weight of row 2 is -1: weights are finite and not negative"},
    {"x,w\n1,0\n3,0\n", {.weight = "2"}, GIBBS_DATA, "t: the weights of the 2 rows add up to 0"},
    {"x,w\n1,NA\n3,0\n", {.weight = "2"}, GIBBS_DATA, "t:2: row 1, column 2 (w): 'NA' is a missing value"},
    {"x,w\n1,a\n3,0\n", {.weight = "2"}, GIBBS_FORMAT, "t:2: column 2 (w): 'a' is not a number"},
};

Test(csv_told, refused)
{
    for (int i = 0; i < COUNT(refused); i++) expect_csv_refused(&refused[i], i);
}

Test(csv_told, weights)
{
    static const double x[] = {1, 3, 7, 9}, w[] = {0.5, 4};
    const ebm_read_options o = {.weight = "w", .weight_kind = EBM_WEIGHT_SAMPLING, .missing = EBM_MISSING_DROP};
    ebm_data data;
    gibbs_error error = {.message = ""};
    cr_assert(!parse_text("x,w,y\n1,.5,3\n4,NA,6\nNA,1,1\n7,4,9\n", &o, &data, NULL, &error), "%s", error.message);
    cr_assert(data.rows == 2 && data.cols == 2 && data.weight && data.weight_kind == EBM_WEIGHT_SAMPLING);
    cr_expect(!memcmp(data.x, x, sizeof x) && !memcmp(data.weight, w, sizeof w));
    cr_expect_str_eq(data.names[1], "y");
    ebm_data_free(&data);
}

/* The report of a failure is the caller's as it was. */
Test(csv_told, report)
{
    ebm_read_report report = {.text = "as it was", .dropped = 7};
    ebm_data data;
    cr_expect(parse_text("x\nA\n", NULL, &data, &report, NULL) == GIBBS_FORMAT);
    cr_expect(report.dropped == 7 && !strcmp(report.text, "as it was"));
    cr_assert(!parse_text("#c\n,x,\n1,NA,\n2,3,\n", &(ebm_read_options){.missing = EBM_MISSING_DROP}, &data, &report,
                          NULL));
    cr_expect(report.separator == ',' && report.header == 1 && report.row_names == 1 && report.open_lines == 1);
    cr_expect(report.comments == 1 && report.missing == 1 && report.dropped == 1);
    cr_expect_str_eq(report.text,
                     "CSV separated by ',', with a header; row names left out; an empty last column left "
                                  "out; 1 line of comments left out; 1 of 2 rows dropped, for 1 missing value");
    ebm_data_free(&data);
}
