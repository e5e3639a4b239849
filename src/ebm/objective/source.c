/* source.c — the table of the places where artificial points come from. */
#include "source.h"

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

void ebm_source_free(ebm_objective *o)
{
    ebm_draw_free(o->draw);
    ebm_chains_free(o->chains);
    ebm_program_free(&o->weighed);
    gibbs_release_aligned(&o->alloc, o->buffer);
    gibbs_release_aligned(&o->alloc, o->moved);
}
