/* kernel.h — the loops of sweeps on couplings, built once per instruction set (kernel.simd.c). Every chain is computed
 * by itself, so that its bits depend on nothing but the chain. */
#ifndef EBM_CONDITIONALS_KERNEL_H
#define EBM_CONDITIONALS_KERNEL_H

#include "base/isa.h"

#include <gibbs/extend.h>

/* A block of chains side by side, and what of a sweep they take at once. Numbers are of the couplings' dtype. */
typedef struct ebm_sweep {
    const ebm_couplings *c;
    int64_t chains, labels; /* labels: of a one-hot block, 1 of two-valued columns */
    double value[2];
    void *x, *field;        /* chains × dim */
    int32_t *label;         /* of one-hot blocks: chains × variables */
    const void *beta;       /* chains: fields are β F − (1 − β) base; NULL: F */
    const void *base;       /* dim, or NULL: 0 */
    const int32_t *order;   /* count variables, or NULL: first, first + 1, … */
    int64_t first, count;
    const void *draw;       /* chains × count: uniform, or of two-valued columns their log odds */
    void *weight;           /* chains × labels */
    int32_t *changed;       /* room for count */
} ebm_sweep;

typedef void ebm_sweep_fn(const ebm_sweep *s);
typedef void ebm_sweep_turn_fn(const ebm_sweep *s, int64_t turn);
typedef void ebm_sweep_energy_fn(const ebm_sweep *s, double *energy);

/* fields: F = linear + xJ, labels, and x as exactly the values that it is nearest to. energies: constant +
 * ½x·(linear + F). columns: redraws two-valued columns in turn; columns_at_once: decides all by the fields as they are,
 * for columns that are not coupled. log_weights: −F of the block whose turn it is, the largest 0; pick: draws from
 * their exponentials. */
#define EBM_SWEEP_DECLARE(isa)                       \
    ebm_sweep_fn ebm_sweep_fields_##isa;             \
    ebm_sweep_energy_fn ebm_sweep_energies_##isa;    \
    ebm_sweep_fn ebm_sweep_columns_##isa;            \
    ebm_sweep_fn ebm_sweep_columns_at_once_##isa;    \
    ebm_sweep_turn_fn ebm_sweep_log_weights_##isa;   \
    ebm_sweep_turn_fn ebm_sweep_pick_##isa;
EBM_SWEEP_DECLARE(base)
EBM_SWEEP_DECLARE(v3)
EBM_SWEEP_DECLARE(v4)

#endif
