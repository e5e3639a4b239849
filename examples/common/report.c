#include "report.h"
#include "failure.h"
#include "files.h"
#include "output.h"

#include <errno.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

static int out_of_memory; /* some piece is missing: the file would be wrong */

/* A report is a json_t. A value is given to its parent, which frees it. */
static report *add(report *r, const char *key, json_t *value)
{
    json_t *parent = (json_t *)r;
    if (!parent) {
        json_decref(value);
        return NULL;
    }
    int failed = key ? json_object_set_new(parent, key, value) : json_array_append_new(parent, value);
    if (failed) out_of_memory = 1;
    return failed ? NULL : (report *)value;
}

report *report_new(void) { return (report *)json_object(); }
void report_free(report *root) { json_decref((json_t *)root); }
report *report_object(report *r, const char *key) { return add(r, key, json_object()); }
report *report_list(report *r, const char *key) { return add(r, key, json_array()); }
void report_number(report *r, const char *key, double v) { add(r, key, isfinite(v) ? json_real(v) : json_null()); }
void report_whole(report *r, const char *key, int64_t v) { add(r, key, json_integer(v)); }
void report_flag(report *r, const char *key, int v) { add(r, key, json_boolean(v)); }
void report_text(report *r, const char *key, const char *v) { add(r, key, json_string(v)); }

void report_numbers(report *r, const char *key, const double *value, int64_t count)
{
    report *list = report_list(r, key);
    for (int64_t i = 0; list && i < count; i++) report_number(list, NULL, value[i]);
}

static gibbs_status cannot_write(const char *path, gibbs_error *error)
{
    return fail(error, GIBBS_IO, "%.200s: cannot be written: %s", path, strerror(errno));
}

gibbs_status report_prepare(const common_options *common, gibbs_error *error)
{
    gibbs_status status = folder_make(common->out, error);
    if (status || !common->json) return status;
    FILE *file = output_stream(common->json, "a"); /* what is there already stays */
    return !file || fclose(file) ? cannot_write(common->json, error) : GIBBS_OK;
}

gibbs_status report_write(const report *root, const char *path, gibbs_error *error)
{
    if (!root || out_of_memory) return fail(error, GIBBS_MEMORY, "%.200s: out of memory", path);
    FILE *file = output_stream(path, "w");
    if (!file) return cannot_write(path, error);
    int failed = json_dumpf((const json_t *)root, file, JSON_INDENT(2) | JSON_REAL_PRECISION(17));
    failed |= fputc('\n', file) == EOF;
    failed |= fclose(file) != 0;
    return failed ? cannot_write(path, error) : GIBBS_OK;
}

int report_end(report *root, gibbs_status status, const char *path, gibbs_error *error)
{
    if (!status && path) status = report_write(root, path, error);
    if (status) complain(error);
    report_free(root);
    return status != GIBBS_OK;
}
