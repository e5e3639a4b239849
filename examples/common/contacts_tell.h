/* contacts_tell.h — what contacts finds, and how it is shown. */
#ifndef EXAMPLES_CONTACTS_TELL_H
#define EXAMPLES_CONTACTS_TELL_H

#include "alignment.h"
#include "options.h"
#include "report.h"

typedef struct settings {
    const char *data;
    double coupling_penalty, field_penalty, steps, apart, top;
    common_options common;
} settings;

typedef struct contact {
    int64_t i, j; /* sites, from 0 */
    double score;
} contact;

/* What came of it: all pairs of sites, the highest score first; E of every mutant of the first sequence less its own,
 * sites × RESIDUES. */
typedef struct found {
    contact *pair;
    int64_t pairs;
    double *mutant;
    double loss, seconds;
    int64_t steps;
    int converged;
} found;

/* Prints the pairs with the highest scores, unless quiet, and puts them into the report. */
void contacts_tell(const settings *set, const alignment *a, const found *f, report *root);

/* Tables of pairs and mutants, and a map. */
gibbs_status contacts_save(const settings *set, const alignment *a, const found *f, gibbs_error *error);

#endif
