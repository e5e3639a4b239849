/* stream.h — streams of random numbers, so that no two purposes share one. Their numbers are part of every result: a
 * new one goes to the end. */
#ifndef GIBBS_STREAM_H
#define GIBBS_STREAM_H

#include <gibbs/extend.h>

enum {
    EBM_STREAM_INIT = 1,
    EBM_STREAM_PROPOSAL,
    EBM_STREAM_SAMPLER_NORMAL,
    EBM_STREAM_SAMPLER_UNIFORM,
    EBM_STREAM_RESAMPLE,
    EBM_STREAM_SHUFFLE,
    EBM_STREAM_BUFFER = EBM_STREAM_SHUFFLE + 2, /* the number between was a purpose's that is no more */
    EBM_STREAM_LOSS_NORMAL, /* of losses that add noise to the data; the next ones are theirs, too */
    EBM_STREAM_LOSS_LAST = EBM_STREAM_LOSS_NORMAL + 1000,
    EBM_STREAM_SAMPLER_PICK = 1 << 16, /* which change of a discrete x */
    EBM_STREAM_SAMPLER_BLOCK,          /* hidden units; the next one: visible units */
    EBM_STREAM_SWAP = EBM_STREAM_SAMPLER_BLOCK + 2, /* neighbours of a ladder */
    EBM_STREAM_START,                               /* the rows that chains start at */
    EBM_STREAM_SAMPLER_SWEEP, /* the labels of a sweep on couplings */
    EBM_STREAM_SAMPLER_TURN,  /* whose turn it is, in random order */
    EBM_STREAM_RAYS,                                /* directions along which a fit follows E */
    EBM_STREAM_END /* of those above */
};

/* The uniforms of a proposal's draw take the stream of its normals and this: they must differ, or the one would be a
 * function of the other. */
#define EBM_STREAM_UNIFORMS (UINT64_C(1) << 32)

/* A user's streams are above all of them. (Purposes of gibbs_words, as a table's split, are no streams of a graph: they
 * are drawn from their key itself, a graph's numbers from a key that is made of it.) */
_Static_assert(EBM_STREAM_UNIFORMS + EBM_STREAM_END < EBM_STREAM_USER, "streams of the library are below the user's");

#endif
