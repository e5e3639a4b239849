/* energies.h — energies E(x; θ) for the tests of Hessian diagonals and score matching, each with another kind of node
 * on the path from x. */
#ifndef TESTS_ENERGIES_H
#define TESTS_ENERGIES_H

#include "problem.h"

typedef struct energy {
    const char *name;
    int64_t d;
    bool shared; /* x is shared and E a function of the whole batch */
    ad_var (*record)(problem *p, ad_var x);
} energy;

extern const energy energies_all[];
extern const int energies_count;

/* A multilayer perceptron with `layers` hidden layers of h units and a linear scalar at the end. */
ad_var energy_mlp(problem *p, ad_var x, int64_t h, int layers, ad_var (*activation)(ad_var));

#endif
