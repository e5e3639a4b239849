/* CSV as people have it, read without being told anything: separators, headers, row names, comments, missing values,
 * and what was found, as told by the report. */
#include "csv_helpers.h"

#define MINUS "\xE2\x88\x92"
#define NBSP "\xC2\xA0"
#define THIN "\xE2\x80\x89"

static const csv_case read[] = {
    /* separators */
    {"x;y\n1;2\n3;4\n", {0}, 2, 2, {1, 2, 3, 4}, {"x", "y"}, "separated by ';', with a header"},
    {"x\ty\n1\t2\n3\t4\n", {0}, 2, 2, {1, 2, 3, 4}, {"x", "y"}, "separated by tabs, with a header"},
    {"x y\n1 2\n3 4\n", {0}, 2, 2, {1, 2, 3, 4}, {"x", "y"}, "separated by blanks, with a header"},
    {"  1   2\n 3\t4 \n", {0}, 2, 2, {1, 2, 3, 4}, {0}, "separated by blanks, without a header"},
    {"\"x y\" \"z\"\n1 2\n", {0}, 1, 2, {1, 2}, {"x y", "z"}, "blanks"},
    {"x, y\n1, 2\n3, 4\n", {0}, 2, 2, {1, 2, 3, 4}, {"x", "y"}, "','"},
    {"x,\ty\n1,\t2\n", {0}, 1, 2, {1, 2}, {"x", "y"}, "','"},
    {"a b;c d\n1;2\n", {0}, 1, 2, {1, 2}, {"a b", "c d"}, "';'"},
    {"a;b\n1;\n2;3\n", {.missing = EBM_MISSING_DROP}, 1, 2, {2, 3}, {"a", "b"},
     "1 of 2 rows dropped, for 1 missing value"},
    {"\"a;b\"\n1\n2\n", {0}, 2, 1, {1, 2}, {"a;b"}, "','"},
    {"a b\n1\n2\n", {0}, 2, 1, {1, 2}, {"a b"}, "','"},
    {"1;2", {0}, 1, 2, {1, 2}, {0}, "';'"},
    {"1 2", {0}, 1, 2, {1, 2}, {0}, "blanks"},
    {"x|y\n1|2\n", {0}, 1, 2, {1, 2}, {"x", "y"}, "separated by '|', with a header"},
    {"sep=|\r\nx|y\r\n1|2\r\n", {0}, 1, 2, {1, 2}, {"x", "y"}, "separated by '|', with a header"},
    {"\xEF\xBB\xBFsep=;\n1;2\n", {0}, 1, 2, {1, 2}, {0}, "separated by ';', without"},
    /* line ends, marks and blanks */
    {"x,y\r1,2\r3,4\r", {0}, 2, 2, {1, 2, 3, 4}, {"x", "y"}, "','"},
    {"x,y\r1,2\n3,4\r\n", {0}, 2, 2, {1, 2, 3, 4}, {"x", "y"}, "','"},
    {"\"a\rb\",c\r1,2\r", {0}, 1, 2, {1, 2}, {"a\rb", "c"}, "','"},
    {"x,y\r\r\n1,2\r\r\n3,4\r\r\n\x1A", {0}, 2, 2, {1, 2, 3, 4}, {"x", "y"}, "','"},
    {"\xEF\xBB\xBF\xEF\xBB\xBFx,y\n1,2\n", {0}, 1, 2, {1, 2}, {"x", "y"}, "','"},
    {"\xEF\xBB\xBFx;y\r\n1;2\r\n", {0}, 1, 2, {1, 2}, {"x", "y"}, "';'"},
    {"x,y\n" MINUS "1," MINUS "2e" MINUS "1\n", {0}, 1, 2, {-1, -.2}, {"x", "y"}, ""},
    {"x,y\n" NBSP "1,2" THIN "\n\"" NBSP "3\",4" NBSP NBSP "\n", {0}, 2, 2, {1, 2, 3, 4}, {"x", "y"}, ""},
    {"1,2 " NBSP " \n3,4\n", {0}, 2, 2, {1, 2, 3, 4}, {0}, "without a header"},
    {NBSP "x" NBSP ",y\n1,2\n", {0}, 1, 2, {1, 2}, {"x", "y"}, ""},
    /* row names and open ends */
    {"\"\",\"x\",\"y\"\n\"1\",1.5,2\n\"2\",3,4\n", {0}, 2, 2, {1.5, 2, 3, 4}, {"x", "y"}, "row names left out"},
    {"\"x\",\"y\"\n\"1\",1.5,2\n\"b\",3,4\n", {0}, 2, 2, {1.5, 2, 3, 4}, {"x", "y"}, "row names left out"},
    {"\"x\" \"y\"\n\"a b\" 1.5 2\n\"c\" 3 4\n", {0}, 2, 2, {1.5, 2, 3, 4}, {"x", "y"}, "row names left out"},
    {"x\n1 1.5\n2 3\n", {0}, 2, 1, {1.5, 3}, {"x"}, "row names left out"},
    {"x y\n3 1.5 2\n7 3 4\n", {0}, 2, 2, {1.5, 2, 3, 4}, {"x", "y"}, "row names left out"},
    {",x,y\n0,1.5,2\n1,3,4\n", {0}, 2, 2, {1.5, 2, 3, 4}, {"x", "y"}, "row names left out"},
    {";x\n2020-01-01;1\n2020-01-02;2\n", {0}, 2, 1, {1, 2}, {"x"}, "row names left out"},
    {"Unnamed: 0,x\n0,1\n1,2\n", {0}, 2, 1, {1, 2}, {"x"}, "row names left out"},
    {"A,B,\n1,4,\n2,5,\n", {0}, 2, 2, {1, 4, 2, 5}, {"A", "B"}, "an empty last column left out"},
    {"1,4,\n2,5,\n", {0}, 2, 2, {1, 4, 2, 5}, {0}, "an empty last column left out"},
    {"A,B\n1,4,\n2,5,\n", {0}, 2, 2, {1, 4, 2, 5}, {"A", "B"}, "an empty last column left out"},
    {"A,B,\n1,4\n2,5\n", {0}, 2, 2, {1, 4, 2, 5}, {"A", "B"}, "an empty last column left out"},
    {"1,\n2,\n", {0}, 2, 1, {1, 2}, {0}, "an empty last column left out"},
    {"A,B,,\n1,4,,\n2,5,,\n", {0}, 2, 2, {1, 4, 2, 5}, {"A", "B"}, "an empty last column left out"},
    {"A,B,,\n1,4,\n2,5,\n", {0}, 2, 2, {1, 4, 2, 5}, {"A", "B"}, "an empty last column left out"},
    {"1,4,,\n2,5,,\n", {0}, 2, 2, {1, 4, 2, 5}, {0}, "an empty last column left out"},
    {"x,y\na,1,4,\nb,2,5,\n", {0}, 2, 2, {1, 4, 2, 5}, {"x", "y"}, "row names left out; an empty last column"},
    {",0,1\n0,1.5,2\n1,3,4\n", {0}, 2, 2, {1.5, 2, 3, 4}, {"0", "1"}, "row names left out"},
    {"12 345\n7 89\n", {0}, 2, 2, {12, 345, 7, 89}, {0}, "blanks"},
    {"x y\n1 000\n2 000\n", {0}, 2, 2, {1, 0, 2, 0}, {"x", "y"}, "blanks"},
    /* comments before the table, which may name the columns */
    {"# by me\nx,y\n1,2\n", {0}, 1, 2, {1, 2}, {"x", "y"}, "1 line of comments left out"},
    {"# made, in May\n# x,y\n1,2\n", {0}, 1, 2, {1, 2}, {"x", "y"}, "with a header; 2 lines of comments"},
    {"# x y\n1 2\n3 4\n", {0}, 2, 2, {1, 2, 3, 4}, {"x", "y"}, "blanks, with a header"},
    {"# by \"me, 3\n\n1,2\n3,4\n", {0}, 2, 2, {1, 2, 3, 4}, {0}, "without a header; 1 line of comments"},
    {"#5,6\n1,2\n", {0}, 1, 2, {1, 2}, {0}, "1 line of comments"},
    {"#,x\n1,2\n3,4\n", {0}, 2, 1, {2, 4}, {"x"}, "row names left out; 1 line"},
    /* names that begin with digits, and quoted ones that are empty */
    {"1st,x\n1,2\n", {0}, 1, 2, {1, 2}, {"1st", "x"}, "with a header"},
    {"x,\"\"\n1,2\n", {0}, 1, 2, {1, 2}, {"x", ""}, "with a header"},
};

Test(csv_found, read)
{
    for (int i = 0; i < COUNT(read); i++) expect_read(&read[i], i);
}

#define HEADER ", and the line is no header"
#define FILL ": fill it in, or have such rows dropped (missing)"
static const csv_refusal refused[] = {
    /* a first line that is neither */
    {"1.0D0,2\n3,4\n", {0}, GIBBS_FORMAT, "t:1: column 1: '1.0D0' is not a number" HEADER ", since column 2 is '2'"},
    {"1 000,5\n3,4\n", {0}, GIBBS_FORMAT,
     "t:1: column 1: '1 000' is not a number" HEADER ", since column 2 is '5': write"},
    {"1" NBSP "000;5\n3;4\n", {0}, GIBBS_FORMAT, "t:1: column 1: '1" NBSP "000' is not a number" HEADER},
    {"x,,z\n1,2,3\n", {0}, GIBBS_FORMAT, "t:1: column 1: 'x' is not a number" HEADER ", since column 2 is empty"},
    {"x,NA\n1,2\n", {0}, GIBBS_FORMAT, "t:1: column 1: 'x' is not a number" HEADER ", since column 2 is 'NA'"},
    {"x,2000\n1,2\n", {0}, GIBBS_FORMAT, "t:1: column 1: 'x' is not a number" HEADER ", since column 2 is '2000'"},
    {"12%,5%\n1,2\n", {0}, GIBBS_FORMAT, "t:1: column 1: '12%' is not a number" HEADER},
    {"0x10\n1\n2\n", {0}, GIBBS_FORMAT, "t:1: column 1: '0x10' is not a number" HEADER},
    {"1,5;2,5\n3,5;4,5\n", {0}, GIBBS_FORMAT,
     "t:1: column 1: '1,5' is not a number" HEADER ": if its comma is a decimal"},
    {"$5\n1\n", {0}, GIBBS_FORMAT, "t:1: column 1: '$5' is not a number" HEADER},
    {"<0.5\n1\n", {0}, GIBBS_FORMAT, "t:1: column 1: '<0.5' is not a number" HEADER},
    {"\xE2\x80\x93" "1\n2\n", {0}, GIBBS_FORMAT, "1' is not a number" HEADER}, /* a dash for a minus */
    {"\xEF\xBC\x91\n2\n", {0}, GIBBS_FORMAT, "' is not a number" HEADER},  /* a wide digit */
    {"\xE2\x82\xAC 5\n2\n", {0}, GIBBS_FORMAT, "5' is not a number" HEADER}, /* an amount of euros */
    {"1 000\n2 000\n", {0}, GIBBS_FORMAT, "t:1: its blanks may stand between fields or between thousands"},
    {"1 000 000.5", {0}, GIBBS_FORMAT, "t:1: its blanks may stand between fields or between thousands"},
    {"x\n1 000\n2 000\n", {0}, GIBBS_FORMAT, "t:2: column 1 (x): '1 000' is not a number: write its digits"},
    {"#N/A,1\n2,3\n", {0}, GIBBS_DATA, "t:1: row 1, column 1: '#N/A' is a missing value"},
    {"n.a.\n1\n", {0}, GIBBS_DATA, "t:1: row 1, column 1: 'n.a.' is a missing value"},
    {"FR,1\nDE,2\n", {0}, GIBBS_FORMAT,
     "t:1: column 1: 'FR' is not a number" HEADER ", since column 2 is '1': say that it is one"},
    /* missing values, counted */
    {"NA,0.5\n1,2\n", {0}, GIBBS_DATA, "t:1: row 1, column 1: 'NA' is a missing value" FILL},
    {",2\n1,3\n", {0}, GIBBS_DATA, "t:1: row 1, column 1: '' is a missing value" FILL},
    {"x,y\n1,2\nNA,n/a\n3,null\n", {0}, GIBBS_DATA,
     "t:3: row 2, column 1 (x): 'NA' is a missing value, the first of 3" FILL},
    {"x,y\n1,.\n", {0}, GIBBS_DATA, "t:2: row 1, column 2 (y): '.' is a missing value" FILL},
    {"x,y\n1,?\n2,-\n", {0}, GIBBS_DATA, "'?' is a missing value, the first of 2"},
    {"x,y\n1,\"\"\n", {0}, GIBBS_DATA, "'' is a missing value"},
    {"x,y\n1,<NA>\n", {0}, GIBBS_DATA, "'<NA>' is a missing value"},
    {"x,y\n1,\n2,\n", {0}, GIBBS_DATA, "t:2: row 1, column 2 (y): '' is a missing value, the first of 2"},
    {",,,,,,,,\n,,,,,,,,\n", {0}, GIBBS_DATA, "'' is a missing value, the first of 2"}, /* the others are an open end */
    /* ragged lines */
    {"x;y\n1;2\n3\n", {0}, GIBBS_FORMAT, "t:3: the line has 1 field and the first has 2: column 2 is missing"},
    {"x y\n1 2\n3 4 5\n", {0}, GIBBS_FORMAT, "t:3: the line has 3 fields and the first has 2: column 3 is too many"},
    {"x,y\n1.5,2,3\n2.5,4,5\n", {0}, GIBBS_FORMAT,
     "t:2: the line has 3 fields and the first has 2: column 3 is too many"},
    {"x,y\n1,2,\n3,4\n", {0}, GIBBS_FORMAT, "t:2: the line has 3 fields and the first has 2: column 3 is too many"},
    {"A,B,\n1,4,7\n2,5,\n", {0}, GIBBS_FORMAT, "t:1: column 1: 'A' is not a number" HEADER ", since column 3 is empty"},
    /* separators, decimals, comments */
    {"a;b\n1.5;2,5\n", {0}, GIBBS_FORMAT, "t:2: column 2 (b): '2,5' is not a number: if its comma is a decimal one"},
    {"a,b\n\"1,000\",2\n", {0}, GIBBS_FORMAT, "t:2: column 1 (a): '1,000' is not a number"},
    {"a,b\n1 000,2\n", {0}, GIBBS_FORMAT,
     "t:2: column 1 (a): '1 000' is not a number: write its digits without blanks"},
    {"a,b\n1,2\n# three\n", {0}, GIBBS_FORMAT, "'# three' is not a number: if this begins a comment, say so"},
    {"# nothing\n", {0}, GIBBS_DATA, "no rows of numbers"},
    {"a\"b,c\n1,2\n", {0}, GIBBS_FORMAT, "t:1: column 1 has a quote inside an unquoted field"},
    {"\"a\"b\n1\n", {0}, GIBBS_FORMAT, "t:1: column 1 has text after its closing quote"},
    /* what comes from the file reaches no terminal */
    {"x\x1b[31mred,y\noops,1\n", {0}, GIBBS_FORMAT, "t:2: column 1 (x?[31mred): 'oops' is not a number"},
    {"\"a\nb\",y\noops,1\n", {0}, GIBBS_FORMAT, "t:3: column 1 (a?b): 'oops' is not a number"},
    {"x,y\n\x1b]0;\x07\xC2\x9B,1\n", {0}, GIBBS_FORMAT, "t:2: column 1 (x): '?]0;?\?' is not a number"},
    {"x,y\n\xE2\x80\xAE" "1\xFF\xE2,1\n", {0}, GIBBS_FORMAT, "'?1?\?' is not a number"},
};

Test(csv_found, refused)
{
    for (int i = 0; i < COUNT(refused); i++) expect_csv_refused(&refused[i], i);
}

/* A file of which a hundred lines say nothing: what was found in them holds for the rest, or the line is named. */
Test(csv_found, beyond_the_lines_that_were_looked_at)
{
    static char text[4096] = "x;y\n";
    size_t used = strlen(text);
    for (int i = 0; i < 120; i++) used += (size_t)sprintf(text + used, "%d;%d\n", i, 2 * i);
    expect_read(&(csv_case){text, {0}, 120, 2, {0, 0, 1, 2, 2, 4, 3, 6}, {"x", "y"}, "';'"}, 0);
    strcpy(text + used, "1;2;3\n");
    expect_csv_refused(&(csv_refusal){text, {0}, GIBBS_FORMAT, "t:122: the line has 3 fields and the first has 2"}, 0);
    strcpy(text + used, "1;2;\n");
    expect_csv_refused(&(csv_refusal){text, {0}, GIBBS_FORMAT, "t:122: the line has 3 fields and the first has 2"}, 0);
    strcpy(text + used, "1;\n");
    expect_csv_refused(&(csv_refusal){text, {0}, GIBBS_DATA, "t:122: row 121, column 2 (y): '' is a missing value"}, 0);
}
