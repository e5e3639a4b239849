/* eigen.h — eigenvectors of a symmetric matrix. */
#ifndef EXAMPLES_EIGEN_H
#define EXAMPLES_EIGEN_H

#include <gibbs/status.h>

/* Of A [n × n], symmetric: vector[k * n + i] is component i of eigenvector k, of which the eigenvalue is value[k],
 * smallest first. */
gibbs_status eigen_symmetric(int n, const double *A, double *value, double *vector, gibbs_error *error);

#endif
