/* known_log_z.h — energies that know their normaliser exactly: told from others by the function that records them. */
#ifndef GIBBS_LOG_Z_H
#define GIBBS_LOG_Z_H

#include "ebm/model/model.h"

typedef struct ebm_known_log_z {
    ebm_energy_fn energy;
    gibbs_status (*log_z)(ebm_model *model, double *log_z, gibbs_error *error); /* the result is not NULL */
} ebm_known_log_z;

extern const ebm_known_log_z ebm_gaussian_log_z, ebm_gaussian_cholesky_log_z, ebm_rbm_log_z, ebm_experts_log_z;

#endif
