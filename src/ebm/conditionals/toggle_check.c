/* toggle_check.c — whether change statistics are those of the energy that is recorded: from where the first chain stands,
 * some variables change, one after the other. What is wrong here would be wrong in every draw, without a sign. */
#include "toggles.h"

#include "ebm/model/program.h"

#include <math.h>

enum { TRIES = 8 };

/* x with variable v at another label. */
static void changed(const ebm_sweep *b, int64_t v, int32_t to, double *x)
{
    int64_t K = b->labels;
    ebm_from_dtype(b->c->dtype, b->c->dim, x, b->x);
    if (K == 1) x[v] = b->value[to];
    else
        for (int64_t k = 0; k < K; k++) x[v * K + k] = k == to;
}

/* By θ·gain, or as the recorded energies have it. */
static gibbs_status compare(const ebm_toggles *t, const ebm_sweep *b, const void *state, const double *E, double *room,
                            gibbs_error *error)
{
    int64_t n = b->c->dim / b->labels;
    double digits = b->c->dtype == GIBBS_FLOAT64 ? 1e-6 : 1e-3;
    for (int64_t k = 1; k < TRIES; k++) {
        int64_t v = k * n / TRIES;
        int32_t to = b->label[v] ? 0 : 1;
        double rise = 0;
        t->changes.change(state, v, to, room, t->context);
        for (int64_t i = 0; i < t->parameters; i++) rise -= t->theta[i] * room[i];
        if (fabs(E[k] - E[0] - rise) > digits * (1 + fabs(E[0]) + fabs(E[k])))
            return gibbs_fail(error, GIBBS_ARGUMENT, "chains: by its change statistics E rises by %g when variable %lld "
                              "takes label %d, as it is recorded by %g (labels count options.space's values)", rise,
                              (long long)v + 1, (int)to, E[k] - E[0]);
    }
    return GIBBS_OK;
}

gibbs_status ebm_toggles_check(const ebm_toggles *t, ebm_model *model, const ebm_sweep *b, const void *state,
                               double *room, gibbs_error *error)
{
    int64_t d = b->c->dim, n = d / b->labels;
    double E[TRIES], *x = gibbs_alloc(&model->alloc, (size_t)d, TRIES * sizeof *x);
    if (!x) return gibbs_fail(error, GIBBS_MEMORY, "chains: out of memory");
    ebm_from_dtype(b->c->dtype, d, x, b->x);
    for (int64_t k = 1; k < TRIES; k++) changed(b, k * n / TRIES, b->label[k * n / TRIES] ? 0 : 1, x + k * d);
    gibbs_status status = ebm_model_energy(model, x, TRIES, E, NULL, error);
    if (!status) status = compare(t, b, state, E, room, error);
    gibbs_release(&model->alloc, x);
    return status;
}
