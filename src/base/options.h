/* options.h — the numbers among a struct's options as a table: what 0 means, and the range of all others. */
#ifndef GIBBS_OPTIONS_H
#define GIBBS_OPTIONS_H

#include "base.h"

typedef struct gibbs_option {
    const char *name;
    size_t offset;
    char type;             /* 'd' double, 'l' int64_t, 'i' int or enum */
    double standard;       /* what 0 means */
    char left;             /* '[' and ']': the end belongs to the range; '(' and ')': it does not */
    double low, high;
    char right;
} gibbs_option;

/* A row: what 0 means, then the range: GIBBS_OPTION(ebm_fit_options, beta1, 0.9, '[', 0, 1, ')'). */
#define GIBBS_OPTION(type, field, ...)                                                                        \
    {#field, offsetof(type, field), _Generic(((type *)0)->field, double: 'd', int64_t: 'l', default: 'i'), __VA_ARGS__}

/* Puts in what 0 means, and 0 for EBM_ZERO where 0 is of the range and not what 0 means; ARGUMENT, naming option, value
 * and range, for one that is NaN or outside. `who` begins the sentence. Once for a struct: afterwards 0 is a number. */
gibbs_status gibbs_options_fill(const char *who, const gibbs_option *table, int count, void *options,
                                gibbs_error *error);

/* The number that the option is now, and another one in its place. */
double gibbs_option_value(const gibbs_option *option, const void *options);
void gibbs_option_set(const gibbs_option *option, void *options, double value);

/* A table that other files read as well. */
typedef struct gibbs_option_table {
    const gibbs_option *option;
    int count;
} gibbs_option_table;

#endif
