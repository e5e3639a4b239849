/* stream.h — streams of random numbers, so that no two purposes share one. Their numbers are part of every result: a
 * new one goes to the end. */
#ifndef GIBBS_STREAM_H
#define GIBBS_STREAM_H

enum {
    EBM_STREAM_INIT = 1,
    EBM_STREAM_PROPOSAL,
    EBM_STREAM_SAMPLER_NORMAL,
    EBM_STREAM_SAMPLER_UNIFORM,
    EBM_STREAM_RESAMPLE,
    EBM_STREAM_SHUFFLE,
    EBM_STREAM_SPLIT,
    EBM_STREAM_BUFFER,
    EBM_STREAM_LOSS_NORMAL, /* of losses that add noise to the data; the next ones are theirs, too */
    EBM_STREAM_LOSS_LAST = EBM_STREAM_LOSS_NORMAL + 1000,
    EBM_STREAM_SAMPLER_PICK = 1 << 16, /* which change of a discrete x */
    EBM_STREAM_SAMPLER_BLOCK,          /* hidden units; the next one: visible units */
    EBM_STREAM_SWAP = EBM_STREAM_SAMPLER_BLOCK + 2 /* neighbours of a ladder */
};

#endif
