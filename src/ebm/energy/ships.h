/* ships.h — the energies that ship. */
#ifndef GIBBS_SHIPS_H
#define GIBBS_SHIPS_H

#include <gibbs/extend.h>

extern const ebm_energy ebm_energy_gaussian, ebm_energy_gaussian_cholesky, ebm_energy_mlp, ebm_energy_rbm,
    ebm_energy_ising, ebm_energy_potts, ebm_energy_mrf, ebm_energy_exponential, ebm_energy_experts, ebm_energy_sum,
    ebm_energy_tempered, ebm_energy_mixture, ebm_energy_regression, ebm_energy_chain_crf, ebm_energy_bilinear;

#endif
