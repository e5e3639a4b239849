/* ba_input.h — bundle adjustment: n cameras see m points in p observations, each of which has a weight. One camera, one
 * point, one weight and one feature are given, and repeated; observation k is of camera k mod n, point k mod m. */
#ifndef GRADBENCH_BA_INPUT_H
#define GRADBENCH_BA_INPUT_H

#include "frame.h"

/* A camera: rotation (an axis times its angle), centre, focal length, principal point, two radial distortions. */
enum { CAMERA = 11, ROTATION = 0, CENTRE = 3, FOCAL = 6, PRINCIPAL = 7, RADIAL = 9, POINT = 3 };
enum { COLUMNS = CAMERA + POINT + 1 };

typedef struct ba_input {
    int64_t n, m, p;
    double *camera, *point, *weight, *feature; /* [n, 11], [m, 3], [p], [p, 2] */
    double *of_camera, *of_point;              /* [p] whole numbers */
} ba_input;

/* A sparse matrix of 3p rows, of which the last p are the weights' errors, compressed by rows. */
typedef struct ba_matrix {
    int64_t *row, *column; /* [3p + 1], [31p] */
    double *value;
} ba_matrix;

void ba_read(gb_run *r, ba_input *in);
void ba_new_matrix(gb_run *r, const ba_input *in, ba_matrix *m);

/* As the suite wants them: the first numbers, since all are the same. */
json_t *ba_errors_output(const ba_input *in, const double *reprojection, const double *weight);
json_t *ba_matrix_output(const ba_input *in, const ba_matrix *m);

#endif
