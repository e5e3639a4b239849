/* source_rows.h — the entries of source.c's table for artificial points that are rows of the batch. */
#ifndef GIBBS_SOURCE_ROWS_H
#define GIBBS_SOURCE_ROWS_H

#include "source.h"

void ebm_pairs_record(ebm_objective *o);
double ebm_pairs_rows(const ebm_objective *o, int64_t rows);
gibbs_status ebm_pairs_bind(ebm_objective *o, const void *x, int64_t rows, int64_t noise_rows, gibbs_error *error);

double ebm_others_rows(const ebm_objective *o, int64_t rows);
gibbs_status ebm_others_bind(ebm_objective *o, const void *x, int64_t rows, int64_t noise_rows, gibbs_error *error);
gibbs_status ebm_others_refresh(ebm_objective *o, gibbs_error *error);

#endif
