/* source.c — the table of the places where artificial points come from. */
#include "source.h"

#include "base/random.h"

const ebm_source *ebm_source_of(ebm_noise noise)
{
    static const ebm_source none;
    static const ebm_source *const table[] = {
        [EBM_NOISE_NONE] = &none,
        [EBM_NOISE_PROPOSAL] = &ebm_source_proposal,
        [EBM_NOISE_CHAIN] = &ebm_source_chain,
        [EBM_NOISE_LAST] = &ebm_source_last,
        [EBM_NOISE_PERSISTENT] = &ebm_source_persistent,
        [EBM_NOISE_POINTS] = &ebm_source_points,
        [EBM_NOISE_PAIRS] = &ebm_source_pairs,
        [EBM_NOISE_OTHERS] = &ebm_source_others,
        [EBM_NOISE_RESAMPLED] = &ebm_source_resampled,
        [EBM_NOISE_INDEPENDENCE] = &ebm_source_independence,
    };
    return noise >= 0 && noise < GIBBS_COUNT(table) ? table[noise] : NULL;
}

ebm_source_rows ebm_source_rows_start(const ebm_objective *o, int64_t count)
{
    ebm_source_rows r = {.count = count};
    gibbs_words words = gibbs_words_start(o->seed, EBM_STREAM_START, o->step);
    for (int64_t n = 0; o->weight && n < o->rows; n++) {
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
    if (!(r->total > 0)) return i % o->rows;
    double place = ((double)i + r->offset) / (double)r->count * r->total, weight;
    for (; r->row < r->last; r->row++, r->below += weight) {
        weight = ebm_number(o->model->dtype, o->weight, r->row);
        if (weight > 0 && place < r->below + weight) break;
    }
    return r->row;
}

void ebm_source_free(ebm_objective *o)
{
    ebm_draw_free(o->draw);
    ebm_chains_free(o->chains);
    ebm_program_free(&o->weighed);
    gibbs_release_aligned(&o->alloc, o->buffer);
    gibbs_release_aligned(&o->alloc, o->moved);
}
