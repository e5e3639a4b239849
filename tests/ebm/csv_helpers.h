/* csv_helpers.h — tables of texts: what each is read as, or the words by which it is refused. */
#ifndef TEST_CSV_HELPERS_H
#define TEST_CSV_HELPERS_H

#include "binary_helpers.h"

typedef struct csv_case {
    const char *text;
    ebm_read_options options;
    int rows, cols;
    double x[8];          /* the first of them */
    const char *names[3]; /* all NULL: there are none */
    const char *told;     /* a part of the report */
} csv_case;

typedef struct csv_refusal {
    const char *text;
    ebm_read_options options;
    gibbs_status status;
    const char *message; /* a part of it */
} csv_refusal;

/* From memory that ends where the text does. */
static inline gibbs_status parse_text(const char *text, const ebm_read_options *o, ebm_data *data,
                                      ebm_read_report *report, gibbs_error *error)
{
    size_t length = strlen(text);
    char *exact = malloc(length ? length : 1);
    cr_assert(exact);
    memcpy(exact, text, length);
    *data = (ebm_data){.rows = 99};
    gibbs_status status = ebm_data_parse_with(exact, length, "t", o, NULL, data, report, error);
    free(exact);
    return status;
}

static inline void expect_read(const csv_case *c, int i)
{
    ebm_data data;
    ebm_read_report report;
    gibbs_error error = {.message = ""};
    gibbs_status status = parse_text(c->text, &c->options, &data, &report, &error);
    cr_expect(status == GIBBS_OK, "case %d, «%.40s»: %s", i, c->text, error.message);
    if (status) return;
    int numbers = c->rows * c->cols < 8 ? c->rows * c->cols : 8;
    cr_assert(data.rows == c->rows && data.cols == c->cols, "case %d, «%.40s»: %d × %d", i, c->text, (int)data.rows,
              (int)data.cols);
    for (int k = 0; k < numbers; k++)
        cr_expect(data.x[k] == c->x[k], "case %d, «%.40s»: x[%d] = %g", i, c->text, k, data.x[k]);
    cr_expect((data.names != NULL) == (c->names[0] != NULL), "case %d, «%.40s»: names", i, c->text);
    for (int k = 0; data.names && c->names[0] && k < data.cols; k++)
        cr_expect_str_eq(data.names[k], c->names[k], "case %d: name %d is «%s»", i, k, data.names[k]);
    cr_expect(strstr(report.text, c->told), "case %d, «%.40s»: told «%s»", i, c->text, report.text);
    ebm_data_free(&data);
}

static inline void expect_csv_refused(const csv_refusal *c, int i)
{
    ebm_data data;
    gibbs_error error = {.message = ""};
    gibbs_status status = parse_text(c->text, &c->options, &data, NULL, &error);
    cr_expect(status == c->status, "case %d, «%.40s»: status %d, %s", i, c->text, (int)status, error.message);
    cr_expect(strstr(error.message, c->message), "case %d: «%s» lacks «%s»", i, error.message, c->message);
    cr_expect(!data.rows && !data.cols && !data.x && !data.names && !data.weight && !data.labels, "case %d: *out", i);
    ebm_data_free(&data);
    cr_expect(parse_text(c->text, &c->options, &data, NULL, NULL) == c->status, "case %d: without an error", i);
    ebm_data_free(&data);
}

#endif
