/* rows_by_weight.c — rows of a batch, each as often as it weighs. */
#include "source.h"

#include "base/random.h"

ebm_source_rows ebm_source_rows_start(const ebm_objective *o, int64_t rows, int64_t count)
{
    ebm_source_rows r = {.rows = rows, .count = count};
    gibbs_words words = gibbs_words_start(o->seed, EBM_STREAM_START, o->step);
    for (int64_t n = 0; o->weight && n < rows; n++) {
        double weight = ebm_number(o->model->dtype, o->weight, n);
        r.total += weight;
        if (weight > 0) r.last = n;
    }
    if (r.total > 0) r.offset = gibbs_words_unit(&words);
    return r;
}

/* Places 1/count apart on the line of the shares w/Σw, on which the rows lie one after another. */
int64_t ebm_source_row(const ebm_objective *o, ebm_source_rows *r, int64_t i)
{
    if (!(r->total > 0)) return i % r->rows;
    double place = ((double)i + r->offset) / (double)r->count * r->total, weight;
    for (; r->row < r->last; r->row++, r->below += weight) {
        weight = ebm_number(o->model->dtype, o->weight, r->row);
        if (weight > 0 && place < r->below + weight) break;
    }
    return r->row;
}
