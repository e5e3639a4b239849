/* names.c — the tables of energies and of activations. */
#include "describe.h"

#include "autodiff/tape/tape.h"
#include "ebm/energy/ships.h"

#include <string.h>

static const ebm_energy *const energies[] = {
    &ebm_energy_gaussian, &ebm_energy_gaussian_cholesky, &ebm_energy_mlp, &ebm_energy_rbm, &ebm_energy_ising,
    &ebm_energy_potts, &ebm_energy_mrf, &ebm_energy_exponential, &ebm_energy_experts, &ebm_energy_sum,
    &ebm_energy_tempered, &ebm_energy_mixture, &ebm_energy_regression, &ebm_energy_chain_crf, &ebm_energy_bilinear,
};

const ebm_energy *ebm_energy_named(const char *name, const ebm_energy *const *own)
{
    for (; own && *own; own++)
        if ((*own)->name && !strcmp((*own)->name, name)) return *own;
    for (int k = 0; k < GIBBS_COUNT(energies); k++)
        if (!strcmp(energies[k]->name, name)) return energies[k];
    return NULL;
}

/* Every elementwise op of one variable (those that only derivatives record do no harm), and what is made of them. */
static const struct activation {
    const char *name;
    ebm_activation record;
} activations[] = {
#define UNARY(name, value, dx, smooth, low, high) {#name, ad_##name},
#include "autodiff/tape/ops.def"
    {"square", ad_square}, {"relu", ad_relu}, {"silu", ad_silu}, {"gelu", ad_gelu},
    {"student_expert", ebm_student_expert},
};

const char *ebm_activation_name(ebm_activation activation)
{
    for (int k = 0; k < GIBBS_COUNT(activations); k++)
        if (activations[k].record == activation) return activations[k].name;
    return NULL;
}

ebm_activation ebm_activation_named(const char *name)
{
    for (int k = 0; k < GIBBS_COUNT(activations); k++)
        if (!strcmp(activations[k].name, name)) return activations[k].record;
    return NULL;
}
