/* options.c — options, checked and filled in. */
#include "options.h"

#include <stdio.h>

static bool within(const gibbs_option *o, double v)
{
    return (o->left == '[' ? v >= o->low : v > o->low) && (o->right == ']' ? v <= o->high : v < o->high);
}

double gibbs_option_value(const gibbs_option *o, const void *options)
{
    const void *at = (const char *)options + o->offset;
    return o->type == 'd' ? *(const double *)at : o->type == 'l' ? (double)*(const int64_t *)at : *(const int *)at;
}

void gibbs_option_set(const gibbs_option *o, void *options, double v)
{
    void *at = (char *)options + o->offset;
    if (o->type == 'd') *(double *)at = v;
    else if (o->type == 'l') *(int64_t *)at = (int64_t)v;
    else *(int *)at = (int)v;
}

static gibbs_status refuse(const char *who, const gibbs_option *o, double v, gibbs_error *error)
{
    char zero[64] = "";
    if (o->standard != 0)
        snprintf(zero, sizeof zero, "; 0 means %.6g%s", o->standard, within(o, 0) ? ", EBM_ZERO 0" : "");
    return gibbs_fail(error, GIBBS_ARGUMENT, "%s: %s is %.10g; it must lie in %c%.10g, %.10g%c%s", who, o->name, v,
                      o->left, o->low, o->high, o->right, zero);
}

gibbs_status gibbs_options_fill(const char *who, const gibbs_option *table, int count, void *options,
                                gibbs_error *error)
{
    for (const gibbs_option *o = table; o < table + count; o++) {
        double v = gibbs_option_value(o, options);
        if (v == 0) gibbs_option_set(o, options, o->standard);
        else if (v == EBM_ZERO && o->standard != 0 && within(o, 0)) gibbs_option_set(o, options, 0);
        else if (!within(o, v)) return refuse(who, o, v, error);
    }
    return GIBBS_OK;
}
