/* optim_run.c — an update in parts of the parameters, which threads take. Every number is updated by itself, so that
 * the bits do not depend on how. */
#include "kernel.h"

#include "base/float_word.h"
#include "base/parallel.h"

enum { PART = 1 << 14 }; /* numbers: some microseconds */

typedef struct update {
    ebm_optim_kernel_fn *kernel;
    int slots;
    gibbs_dtype dtype;
    int64_t n;
    char *w, *state;
    const char *g;
    const ebm_optim_step *args;
} update;

static void update_part(void *context, int64_t part, int worker)
{
    const update *u = context;
    int64_t size = (int64_t)gibbs_dtype_size(u->dtype), first = part * PART, rest = u->n - first;
    void *slot[EBM_OPTIM_SLOTS];
    (void)worker;
    for (int k = 0; k < u->slots; k++) slot[k] = u->state + (k * u->n + first) * size;
    u->kernel(u->dtype, rest < PART ? rest : PART, u->w + first * size, u->g + first * size, slot, u->args);
}

void ebm_optim_run(ebm_optim_kernel_fn *const *kernel, int slots, EBM_OPTIM_UPDATE_ARGUMENTS)
{
    update u = {kernel[gibbs_isa()], slots, dtype, n, w, state, g, args};
    int64_t parts = (n + PART - 1) / PART;
    int threads = parts <= 1 ? 1 : args->threads > 0 ? args->threads : gibbs_default_threads();
    gibbs_float_word host = gibbs_float_enter(); /* moments decay towards 0, through the subnormals */
    gibbs_parallel(threads, parts, update_part, &u);
    gibbs_float_leave(host);
}
