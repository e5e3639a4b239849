#include "eigen.h"

#include <float.h>
#include <math.h>

enum { MOST_SWEEPS = 60 }; /* about 8 are enough */

/* A ← JᵀAJ and V ← JᵀV with the rotation J of the plane (p, q) that makes A[p, q] zero. */
static void rotate(int n, double *A, double *V, int p, int q)
{
    double theta = (A[q * n + q] - A[p * n + p]) / (2 * A[p * n + q]);
    double t = copysign(1, theta) / (fabs(theta) + sqrt(theta * theta + 1)), c = 1 / sqrt(t * t + 1), s = t * c;
    for (int k = 0; k < n; k++) {
        double at_p = A[k * n + p], at_q = A[k * n + q];
        A[k * n + p] = c * at_p - s * at_q;
        A[k * n + q] = s * at_p + c * at_q;
    }
    double *const rows[] = {A, V};
    for (int m = 0; m < 2; m++)
        for (int k = 0; k < n; k++) {
            double at_p = rows[m][p * n + k], at_q = rows[m][q * n + k];
            rows[m][p * n + k] = c * at_p - s * at_q;
            rows[m][q * n + k] = s * at_p + c * at_q;
        }
}

static void swap_vectors(int n, double *value, double *vector, int a, int b)
{
    double kept = value[a];
    value[a] = value[b], value[b] = kept;
    for (int k = 0; k < n; k++) {
        kept = vector[a * n + k];
        vector[a * n + k] = vector[b * n + k], vector[b * n + k] = kept;
    }
}

void eigen_symmetric(int n, double *A, double *value, double *vector)
{
    double total = 0, off = INFINITY;
    for (int i = 0; i < n * n; i++) vector[i] = i / n == i % n, total += A[i] * A[i];
    for (int sweep = 0; sweep < MOST_SWEEPS && off > DBL_EPSILON * DBL_EPSILON * total; sweep++) {
        off = 0;
        for (int p = 0; p < n; p++)
            for (int q = p + 1; q < n; q++) {
                off += A[p * n + q] * A[p * n + q];
                if (A[p * n + q] != 0) rotate(n, A, vector, p, q);
            }
    }
    for (int i = 0; i < n; i++) value[i] = A[i * n + i];
    for (int i = 0; i < n; i++)
        for (int k = i + 1; k < n; k++)
            if (value[k] > value[i]) swap_vectors(n, value, vector, i, k);
}
