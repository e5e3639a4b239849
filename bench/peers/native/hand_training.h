/* hand_training.h — a problem of the network: its rows are halved among the threads, each half (a part) runs in blocks
 * of rows with memory of its own, and the gradients are added up for Adam. The size of a block is chosen by trying. */
#ifndef HAND_TRAINING_H
#define HAND_TRAINING_H

#include "hand_network.h"
#include "hand_random.h"

enum { HAND_MOST_THREADS = 8, HAND_MOST_ARRAYS = 256, HAND_MOST_BLOCK = 4096 };

/* What one thread works on. points, energy, log_q and weight have data + noise rows, the data first. */
typedef struct hand_part {
    int64_t data, noise, block, capacity; /* activations have room for `capacity` rows */
    REAL *points, *log_q, *energy, *weight;
    hand_block activations;
    REAL *delta, *other, *gradient;
    void *scratch; /* the recipe's own */
    double value, top, total;
    hand_random random;
} hand_part;

typedef struct hand_recipe hand_recipe;

typedef struct hand_training {
    const hand_recipe *recipe;
    hand_network net;
    int64_t rows, rows_a_sample, steps;
    int threads, chain_steps;
    double mean, sd, chain_step, rate;
    REAL *theta, *first, *second, *gradient;
    hand_part part[HAND_MOST_THREADS];
    void *array[HAND_MOST_ARRAYS]; /* all that is to be freed */
    int arrays, out_of_memory;
} hand_training;

/* What a step of a method is made of. */
struct hand_recipe {
    int learns_log_z;
    int noise, log_q; /* whether there are artificial points, and whether the file has their log q */
    int keep;         /* activations of all rows rather than of a block */
    int tangents;     /* the largest products have dim rows a sample */
    int adam;
    void (*draw)(hand_training *t, hand_part *p); /* new artificial points; NULL: they stay */
    void (*pass)(hand_training *t, hand_part *p); /* adds to the part's value and gradient; NULL: sampling */
    void (*prepare)(hand_training *t, hand_part *p); /* makes the scratch; may be NULL */
};

/* An array that lives as long as the problem. When memory is out, out_of_memory is set. */
void *NAME(hand_array)(hand_training *t, int64_t bytes);
REAL *NAME(hand_reals)(hand_training *t, int64_t count);

void *NAME(hand_training_open)(peer_request *r, const hand_recipe *recipe);
double NAME(hand_training_answer)(void *problem, double *gradient);
void NAME(hand_training_step)(void *problem);
void NAME(hand_training_close)(void *problem);

/* From sums over the part's rows, value and gradient, to its share of the mean over all rows. */
void NAME(hand_mean)(const hand_training *t, hand_part *p);

/* Unadjusted Langevin moves of rows of points, block by block; and the scratch that they need. */
void NAME(hand_moves)(hand_training *t, hand_part *p, int64_t rows, REAL *x);
void NAME(hand_moves_prepare)(hand_training *t, hand_part *p);

/* Activations of the part's row `from`: their own when they are kept, else the block's. */
hand_block NAME(hand_rows_from)(const hand_training *t, const hand_part *p, int64_t from);

#define HAND_TRAINING(symbol, method, recipe)                                                               \
    static void *open_##symbol(peer_request *r) { return NAME(hand_training_open)(r, &(recipe)); }          \
    const peer_method NAME(hand_##symbol) = {(method), "unfused", HAND_DTYPE, open_##symbol,                \
                                             NAME(hand_training_answer), NAME(hand_training_step),          \
                                             NAME(hand_training_close)};

#endif
