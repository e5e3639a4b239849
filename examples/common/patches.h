/* patches.h — small patches of photographs, cut at random and whitened. */
#ifndef EXAMPLES_PATCHES_H
#define EXAMPLES_PATCHES_H

#include <gibbs/ebm.h>

typedef struct patch_spec {
    const char *file;   /* square images, one a row */
    int side, dims;     /* of a patch; principal components that are kept, fewer than side² */
    int64_t rows;       /* training patches; a quarter as many are held out */
    double noise;       /* sd of the normal noise on the whitened patches */
    uint64_t seed;
} patch_spec;

/* A row is x = (white·patch + noise·ε)/√(1 + noise²), a patch having its own mean taken off: of covariance I. Held-out
 * patches come from the right quarter of the images, of which no training patch has a pixel. */
typedef struct patches {
    ebm_data train, held;
    double *white;    /* dims × side²: eigenvectors of the training patches' covariance over the roots of eigenvalues */
    double explained; /* part of their variance that the kept components have */
} patches;

/* Errors: those of reading; SHAPE (no square images), DATA (too small, or patches that vary in fewer directions than
 * `dims`), MEMORY. patches_free frees also what is there after an error. */
gibbs_status patches_cut(const patch_spec *spec, patches *out, gibbs_error *error);
void patches_free(patches *p);

#endif
