/* tape.h — the evaluations as the library's tape has them. Each file begins with what is evaluated. */
#ifndef GRADBENCH_TAPE_H
#define GRADBENCH_TAPE_H

#include "frame.h"

void gb_hello_square(gb_run *r);
void gb_hello_double(gb_run *r);
void gb_gmm_objective(gb_run *r);
void gb_gmm_jacobian(gb_run *r);
json_t *gb_gmm_output(gb_run *r);
void gb_kmeans_cost(gb_run *r);
void gb_kmeans_dir(gb_run *r);
void gb_lse_primal(gb_run *r);
void gb_lse_gradient(gb_run *r);
void gb_llsq_primal(gb_run *r);
void gb_llsq_gradient(gb_run *r);
void gb_ode_primal(gb_run *r);
void gb_ode_gradient(gb_run *r);
void gb_det_primal(gb_run *r);
void gb_det_gradient(gb_run *r);
void gb_lstm_objective(gb_run *r);
void gb_lstm_jacobian(gb_run *r);
void gb_ba_objective(gb_run *r);
void gb_ba_jacobian(gb_run *r);
void gb_ba_assemble(gb_run *r);
json_t *gb_ba_errors(gb_run *r);
json_t *gb_ba_matrix(gb_run *r);
void gb_ht_objective(gb_run *r);
void gb_ht_jacobian(gb_run *r);
json_t *gb_ht_errors(gb_run *r);
json_t *gb_ht_matrix(gb_run *r);
void gb_particle_ff(gb_run *r);
void gb_particle_fr(gb_run *r);
void gb_particle_rf(gb_run *r);
void gb_particle_rr(gb_run *r);
void gb_particle_run(gb_run *r);
json_t *gb_particle_output(gb_run *r);

#endif
