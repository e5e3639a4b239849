/* chain_state.h — the inside of chains, shared by the files that record, move and adapt them. */
#ifndef GIBBS_CHAIN_STATE_H
#define GIBBS_CHAIN_STATE_H

#include "chains.h"

#include "ebm/conditionals/sweeps.h"
#include "ebm/model/program.h"

#include <stdbool.h>

/* State: x, what the sampler keeps, the count. */
enum { MAX_STATE = EBM_MAX_CACHES + 2 };

/* Recorded transitions of one ad_run: a float counts exactly to 2²⁴. */
enum { RUN_MOVES = 1 << 20 };

struct ebm_chains {
    gibbs_allocator alloc;
    ebm_model *model;
    const ebm_sampler *sampler;
    int threads, caches, state;
    int64_t moves;    /* recorded transitions in a step */
    bool discrete;    /* starts must be states: */
    ebm_space space;  /* of these */
    double values[2]; /* which are its own */
    double step;      /* h as one number of the model's dtype */
    ebm_program start, move;
    ebm_sweeps *sweeps; /* in their place, where there are couplings */
    ad_axis axis;     /* axis and vars are only names for what the plans know: the tape is gone */
    ad_var *theta, h, beta, given_input, input[MAX_STATE];
    int64_t width[MAX_STATE]; /* numbers a chain */
    int64_t dim, given;       /* of a row: columns that move, after columns that are given and stay */
    void *x, *x_given;
    bool path;        /* to a base density */
    bool tempered;    /* chains have their own β: */
    void *inverse_temperature; /* rows numbers */
    int64_t rows, capacity;
    int64_t taken;    /* steps since the start */
    int64_t counted;  /* of which acceptances are counted */
    double accepted;  /* of all chains in those */
    double *ladder;   /* parallel tempering: the β of `rungs` neighbouring rows; NULL: none */
    int rungs, swap_every;
    double swaps_tried, swaps_made;
};

/* E of the path to `base` (NULL: tempering alone) recorded in place of the model's, and chains that move in it. */
gibbs_status ebm_chains_record(ebm_chains *chains, ad_tape *tape, const ebm_chain_options *options,
                               const ebm_proposal *base, gibbs_error *error);

/* Exchanges neighbours of every ladder by their energies (rows numbers of the model's dtype). */
void ebm_chains_swap(ebm_chains *chains, const void *energy, uint64_t seed, uint64_t step);

#endif
