/* log_sum.h — log Σ w exp(v), added up one term at a time without overflow. */
#ifndef GIBBS_LOG_SUM_H
#define GIBBS_LOG_SUM_H

#include <math.h>

/* The sum so far is exp(top)·sum. */
typedef struct ebm_log_sum {
    double top, sum;
} ebm_log_sum;

static inline ebm_log_sum ebm_log_sum_empty(void) { return (ebm_log_sum){-INFINITY, 0}; }

static inline void ebm_log_sum_add(ebm_log_sum *s, double value, double weight)
{
    if (weight == 0 || value == -INFINITY) return;
    if (value > s->top) {
        s->sum *= exp(s->top - value);
        s->top = value;
    }
    s->sum += weight * exp(value - s->top);
}

static inline double ebm_log_sum_value(const ebm_log_sum *s) { return s->top + log(s->sum); }

#endif
