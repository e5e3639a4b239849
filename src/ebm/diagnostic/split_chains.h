/* split_chains.h — a series of chains, each split in halves: what R̂ and the effective size begin with. */
#ifndef GIBBS_SPLIT_H
#define GIBBS_SPLIT_H

#include "base/base.h"

/* 2·chains sequences of `length` numbers, one after the other. */
typedef struct ebm_halves {
    gibbs_allocator alloc;
    double *x, *mean;
    int64_t count, length;
    double within;  /* W, the mean of the sequences' variances (divisor length − 1) */
    double between; /* B/length, the variance of their means (divisor count − 1) */
} ebm_halves;

/* Copies series[steps × chains]. `what` begins the sentences. ARGUMENT, DATA, MEMORY, SIZE. */
gibbs_status ebm_halves_new(const char *what, const double *series, int64_t steps, int64_t chains,
                            const gibbs_allocator *allocator, ebm_halves *halves, gibbs_error *error);
void ebm_halves_free(ebm_halves *halves);

/* Means and variances of the numbers as they are now. */
void ebm_halves_measure(ebm_halves *halves);

/* var⁺ = (length − 1)/length W + B/length */
double ebm_halves_variance(const ebm_halves *halves);

/* The effective size (effective_size.c); numbers become the normal scores of their ranks, or of those of their
 * distances to the median (normal_scores.c). MEMORY. */
double ebm_halves_effective_size(const ebm_halves *halves);
gibbs_status ebm_halves_score(const char *what, ebm_halves *halves, gibbs_error *error);
gibbs_status ebm_halves_score_folded(const char *what, ebm_halves *halves, gibbs_error *error);

/* NUMERIC when all numbers are equal. */
gibbs_status ebm_halves_check(const char *what, const ebm_halves *halves, gibbs_error *error);

#endif
