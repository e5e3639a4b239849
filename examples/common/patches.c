#include "patches.h"
#include "eigen.h"
#include "data_load.h"
#include "failure.h"
#include "image_plot.h"

#include <math.h>
#include <stdlib.h>

/* Where patches are cut: `wide` pixels wide images, columns first … last of that. */
typedef struct region {
    const ebm_data *images;
    int wide, side;
    double first, last;
} region;

/* One patch, less its mean, at the place that three uniform numbers say. */
static void cut_one(const region *from, const double *u, double *patch)
{
    const double *image = from->images->x + (int64_t)(u[0] * (double)from->images->rows) * from->images->cols;
    int left = (int)(from->wide * from->first), n = from->side * from->side;
    int x = left + (int)(u[1] * ((int)(from->wide * from->last) - left - from->side + 1));
    int y = (int)(u[2] * (from->wide - from->side + 1));
    double mean = 0;
    for (int i = 0; i < n; i++) {
        patch[i] = image[(y + i / from->side) * from->wide + x + i % from->side];
        mean += patch[i] / n;
    }
    for (int i = 0; i < n; i++) patch[i] -= mean;
}

static gibbs_status cut(const region *from, int64_t rows, uint64_t seed, double *patch, gibbs_error *error)
{
    const double zero[3] = {0, 0, 0}, one[3] = {1, 1, 1};
    ebm_proposal *places = NULL;
    double *u = malloc(sizeof *u * 3 * (size_t)rows);
    gibbs_status status = u ? GIBBS_OK : fail(error, GIBBS_MEMORY, "out of memory");
    if (!status) status = ebm_proposal_uniform(3, zero, one, NULL, &places, error);
    if (!status) status = ebm_proposal_sample(places, rows, seed, 0, NULL, u, NULL, error);
    for (int64_t r = 0; !status && r < rows; r++) cut_one(from, u + 3 * r, patch + r * from->side * from->side);
    ebm_proposal_free(places);
    free(u);
    return status;
}

static void add_products(const double *x, int64_t rows, int n, double *C)
{
    for (int64_t r = 0; r < rows; r++)
        for (int i = 0; i < n; i++)
            for (int j = 0; j < n; j++) C[i * n + j] += x[r * n + i] * x[r * n + j] / (double)rows;
}

static gibbs_status find_whitening(const patch_spec *spec, const double *patch, patches *p, gibbs_error *error)
{
    int n = spec->side * spec->side;
    double *C = calloc((size_t)(2 * n * n + n), sizeof *C), *vector = C + n * n, *value = vector + n * n, total = 0;
    if (!C) return fail(error, GIBBS_MEMORY, "out of memory");
    add_products(patch, spec->rows, n, C);
    gibbs_status status = eigen_symmetric(n, C, value, vector, error);
    if (!status && !(value[n - spec->dims] > 1e-9 * value[n - 1]))
        status = fail(error, GIBBS_DATA, "%.200s: the patches vary in fewer than %d directions", spec->file,
                      spec->dims);
    for (int i = 0; i < n; i++) total += value[i];
    for (int k = 0; !status && k < spec->dims; k++) {
        int of = n - 1 - k; /* the largest first */
        p->explained += value[of] / total;
        for (int i = 0; i < n; i++) p->white[k * n + i] = vector[of * n + i] / sqrt(value[of]);
    }
    free(C);
    return status;
}

static gibbs_status whiten(const patch_spec *spec, const double *white, const double *patch, int64_t rows,
                           uint64_t seed, ebm_data *out, gibbs_error *error)
{
    int n = spec->side * spec->side, d = spec->dims;
    double *x = malloc(sizeof *x * (size_t)(rows * d)), *ones = calloc(2 * (size_t)d, sizeof *ones);
    ebm_proposal *noise = NULL;
    gibbs_status status = x && ones ? GIBBS_OK : fail(error, GIBBS_MEMORY, "out of memory");
    for (int k = 0; !status && k < d; k++) ones[k] = 1;
    if (!status) status = ebm_proposal_gaussian_diagonal(d, ones + d, ones, NULL, &noise, error);
    if (!status) status = ebm_proposal_sample(noise, rows, seed, 1, NULL, x, NULL, error);
    for (int64_t i = 0; !status && i < rows * d; i++) {
        double sum = spec->noise * x[i];
        for (int k = 0; k < n; k++) sum += white[i % d * n + k] * patch[i / d * n + k];
        x[i] = sum / sqrt(1 + spec->noise * spec->noise);
    }
    if (!status) status = ebm_data_from(x, rows, d, NULL, out, error);
    ebm_proposal_free(noise);
    free(ones);
    free(x);
    return status;
}

static gibbs_status cut_all(const patch_spec *spec, const ebm_data *images, int wide, patches *p, gibbs_error *error)
{
    int64_t rows = spec->rows, held = rows / 4 + 1, n = spec->side * spec->side;
    const region left = {images, wide, spec->side, 0, 0.75}, right = {images, wide, spec->side, 0.75, 1};
    double *patch = malloc(sizeof *patch * (size_t)((rows + held) * n)), *rest = patch + rows * n;
    p->white = calloc((size_t)(spec->dims * n), sizeof *p->white);
    gibbs_status status = patch && p->white ? GIBBS_OK : fail(error, GIBBS_MEMORY, "out of memory");
    if (!status) status = cut(&left, rows, 2 * spec->seed, patch, error);
    if (!status) status = cut(&right, held, 2 * spec->seed + 1, rest, error);
    if (!status) status = find_whitening(spec, patch, p, error);
    if (!status) status = whiten(spec, p->white, patch, rows, 2 * spec->seed, &p->train, error);
    if (!status) status = whiten(spec, p->white, rest, held, 2 * spec->seed + 1, &p->held, error);
    free(patch);
    return status;
}

gibbs_status patches_cut(const patch_spec *spec, patches *p, gibbs_error *error)
{
    ebm_data images;
    int wide;
    gibbs_status status = data_read(spec->file, &images, error);
    if (status) return status;
    status = image_side(&images, spec->file, &wide, error);
    if (!status && wide < 4 * spec->side)
        status = fail(error, GIBBS_DATA, "%.200s: images of %d × %d pixels are too small for patches of %d × %d, whose "
                      "held-out part comes from a quarter", spec->file, wide, wide, spec->side, spec->side);
    if (!status) status = cut_all(spec, &images, wide, p, error);
    ebm_data_free(&images);
    return status;
}

void patches_free(patches *p)
{
    ebm_data_free(&p->train);
    ebm_data_free(&p->held);
    free(p->white);
}
