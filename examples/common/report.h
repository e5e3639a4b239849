/* report.h — the numbers of a program as a JSON file: full precision, and null where a number is not finite. The
 * functions accept a NULL report and then do nothing, so that a program need not ask whether --json was given; memory
 * that runs out shows when the file is written. */
#ifndef EXAMPLES_REPORT_H
#define EXAMPLES_REPORT_H

#include "options.h"

#include <gibbs/status.h>

typedef struct report report; /* an object or a list */

report *report_new(void); /* an object; the root, to be freed */
void report_free(report *root);

/* Adds to `r`: under `key` if r is an object, at its end if it is a list (key is NULL then). */
report *report_object(report *r, const char *key);
report *report_list(report *r, const char *key);
void report_number(report *r, const char *key, double value);
void report_whole(report *r, const char *key, int64_t value);
void report_flag(report *r, const char *key, int value);
void report_text(report *r, const char *key, const char *value);
void report_numbers(report *r, const char *key, const double *value, int64_t count);

/* Makes the folder of --out and tries whether it and the file of --json can be written, to know before the work is
 * done. Errors: IO. */
gibbs_status report_prepare(const common_options *common, gibbs_error *error);

/* Errors: IO, MEMORY. */
gibbs_status report_write(const report *root, const char *path, gibbs_error *error);

/* How a program ends: writes the file if one was asked for and all went well, complains of what failed, frees the
 * report and returns what main returns. */
int report_end(report *root, gibbs_status status, const char *path, gibbs_error *error);

#endif
