/* parts.h — instructions of shared code in parts. */
#ifndef GIBBS_PARTS_H
#define GIBBS_PARTS_H

#include "autodiff/plan/plan.h"

enum { AD_MOST_PARTS = 16 };

typedef struct ad_parts {
    int64_t units, count; /* what is cut, into how many parts; 1 where that would not pay, or cannot be done */
} ad_parts;

ad_parts ad_parts_of(const ad_instruction *i);

typedef struct ad_part {
    ad_instruction is;
    int64_t loops[(1 + AD_OPERANDS) * AD_MAX_LOOPS]; /* its own loop nest, where that was cut */
} ad_part;

/* Part `part` of an instruction with several; `size` bytes a number. *one is not to be moved. */
void ad_part_of(const ad_instruction *i, ad_parts of, int64_t part, int64_t size, ad_part *one);

#endif
