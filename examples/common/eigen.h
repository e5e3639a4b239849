/* eigen.h — eigenvectors of a small symmetric matrix. */
#ifndef EXAMPLES_EIGEN_H
#define EXAMPLES_EIGEN_H

/* A [n × n], symmetric, becomes diagonal in place; vector[k * n + i] is component i of eigenvector k, of which the
 * eigenvalue is value[k], largest first. Jacobi's rotations, each of which lessens the squares off the diagonal. */
void eigen_symmetric(int n, double *A, double *value, double *vector);

#endif
