/* parts.h — instructions of shared code in parts. */
#ifndef GIBBS_PARTS_H
#define GIBBS_PARTS_H

#include "autodiff/plan/plan.h"

enum { AD_MOST_PARTS = 16 };

typedef struct ad_parts {
    int64_t units, count; /* what is cut, into how many parts; 1 where that would not pay, or cannot be done */
} ad_parts;

ad_parts ad_parts_of(const ad_instruction *i);

/* Part `part` of an instruction with several; `size` bytes a number. */
ad_instruction ad_part(const ad_instruction *i, ad_parts of, int64_t part, int64_t size);

#endif
