/* null_check.h — what the tests of required pointers that are NULL share. */
#ifndef TESTS_NULL_CHECK_H
#define TESTS_NULL_CHECK_H

#include "sampling.h"

#include <stdio.h>

static gibbs_error error;

static inline void expect(gibbs_status status, const char *name, int line)
{
    cr_expect_eq(status, GIBBS_ARGUMENT, "line %d: status %d", line, status);
    cr_expect(strstr(error.message, name), "line %d: «%s» does not name %s", line, error.message, name);
    error = (gibbs_error){GIBBS_OK, "", -1, -1};
}
#define NULL_IN(name, call) expect(call, name, __LINE__)

static double x[4] = {0.5, 1, 2, 4}, out[16];
static ebm_data column = {.rows = 4, .cols = 1, .x = x};

static inline ebm_model *gaussian(void)
{
    ebm_model *model;
    OK(ebm_model_gaussian(1, GIBBS_FLOAT64, NULL, &model, ERROR));
    return model;
}

static inline ebm_proposal *normal(void)
{
    ebm_proposal *q;
    OK(ebm_proposal_gaussian_diagonal(1, (double[]){0}, (double[]){1}, NULL, &q, ERROR));
    return q;
}

#endif
