#include "tape.h"

static const gb_function function[] = {
    {"hello", "square", gb_hello_square, NULL, NULL},
    {"hello", "double", gb_hello_double, NULL, NULL},
    {"gmm", "objective", gb_gmm_objective, NULL, NULL},
    {"gmm", "jacobian", gb_gmm_jacobian, NULL, gb_gmm_output},
    {"ba", "objective", gb_ba_objective, NULL, gb_ba_errors},
    {"ba", "jacobian", gb_ba_jacobian, gb_ba_assemble, gb_ba_matrix},
    {"ht", "objective", gb_ht_objective, NULL, gb_ht_errors},
    {"ht", "jacobian", gb_ht_jacobian, NULL, gb_ht_matrix},
    {"lstm", "objective", gb_lstm_objective, NULL, NULL},
    {"lstm", "jacobian", gb_lstm_jacobian, NULL, NULL},
    {"kmeans", "cost", gb_kmeans_cost, NULL, NULL},
    {"kmeans", "dir", gb_kmeans_dir, NULL, NULL},
    {"lse", "primal", gb_lse_primal, NULL, NULL},
    {"lse", "gradient", gb_lse_gradient, NULL, NULL},
    {"llsq", "primal", gb_llsq_primal, NULL, NULL},
    {"llsq", "gradient", gb_llsq_gradient, NULL, NULL},
    {"ode", "primal", gb_ode_primal, NULL, NULL},
    {"ode", "gradient", gb_ode_gradient, NULL, NULL},
    {"det", "primal", gb_det_primal, NULL, NULL},
    {"det", "gradient", gb_det_gradient, NULL, NULL},
    {"particle", "ff", gb_particle_ff, gb_particle_run, gb_particle_output},
    {"particle", "fr", gb_particle_fr, gb_particle_run, gb_particle_output},
    {"particle", "rf", gb_particle_rf, gb_particle_run, gb_particle_output},
    {"particle", "rr", gb_particle_rr, gb_particle_run, gb_particle_output},
};

const gb_function *gb_tape(int number)
{
    return number < (int)(sizeof function / sizeof *function) ? &function[number] : NULL;
}
