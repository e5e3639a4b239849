/* One observation after the other; the numbers of its two rows go into the matrix at once. */
#include "../ba_input.h"
#include "hand.h"

#include <math.h>

typedef struct ba {
    ba_input in;
    ba_matrix matrix;
    double *error, *weight_error;
} ba;

static void open(gb_run *r)
{
    ba *b = gb_keep(r, sizeof *b);
    ba_read(r, &b->in);
    b->error = gb_memory(r, 2 * (size_t)b->in.p, sizeof(double));
    b->weight_error = gb_memory(r, (size_t)b->in.p, sizeof(double));
}

static void open_jacobian(gb_run *r)
{
    open(r);
    ba *b = gb_own(r);
    ba_new_matrix(r, &b->in, &b->matrix);
}

static void cross(const double *a, const double *b, double *c)
{
    c[0] = a[1] * b[2] - a[2] * b[1];
    c[1] = a[2] * b[0] - a[0] * b[2];
    c[2] = a[0] * b[1] - a[1] * b[0];
}

static double dot(const double *a, const double *b) { return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]; }

/* y = x cos θ + (v × x) s + v (v·x) c, s = sin θ/θ, c = (1 − cos θ)/θ²; with its derivatives by v and x. */
typedef struct turned {
    double y[3], by_v[3][3], by_x[3][3];
} turned;

static void factors(double square, double *cosine, double *s, double *c)
{
    double angle = sqrt(square);
    *cosine = square > 0 ? cos(angle) : 1;
    *s = square > 0 ? sin(angle) / angle : 1;
    *c = square > 0 ? (1 - *cosine) / square : 0;
}

static void rotate(const double *v, const double *x, double *y)
{
    double cosine, s, c, crossed[3], along = dot(v, x);
    factors(dot(v, v), &cosine, &s, &c);
    cross(v, x, crossed);
    for (int i = 0; i < 3; i++) y[i] = x[i] * cosine + crossed[i] * s + v[i] * along * c;
}

static void rotate_with(const double *v, const double *x, turned *t)
{
    double cosine, s, c, crossed[3], along = dot(v, x), square = dot(v, v);
    factors(square, &cosine, &s, &c);
    double ds = square > 0 ? (cosine - s) / square : 0, dc = square > 0 ? (s - 2 * c) / square : 0; /* by θ, over θ */
    double of_v[3][3] = {{0, -v[2], v[1]}, {v[2], 0, -v[0]}, {-v[1], v[0], 0}};
    double of_x[3][3] = {{0, -x[2], x[1]}, {x[2], 0, -x[0]}, {-x[1], x[0], 0}};
    cross(v, x, crossed);
    for (int i = 0; i < 3; i++) {
        t->y[i] = x[i] * cosine + crossed[i] * s + v[i] * along * c;
        double by_angle = -x[i] * s + crossed[i] * ds + v[i] * along * dc;
        for (int j = 0; j < 3; j++) {
            t->by_x[i][j] = (i == j) * cosine + of_v[i][j] * s + v[i] * v[j] * c;
            t->by_v[i][j] = by_angle * v[j] - of_x[i][j] * s + ((i == j) * along + v[i] * x[j]) * c;
        }
    }
}

static void objective(gb_run *r)
{
    ba *b = gb_own(r);
    const ba_input *in = &b->in;
    for (int64_t k = 0; k < in->p; k++) {
        const double *camera = in->camera + CAMERA * (int64_t)in->of_camera[k], w = in->weight[k];
        const double *x = in->point + POINT * (int64_t)in->of_point[k], *radial = camera + RADIAL;
        double y[3], at[3] = {x[0] - camera[CENTRE], x[1] - camera[CENTRE + 1], x[2] - camera[CENTRE + 2]};
        rotate(camera + ROTATION, at, y);
        double p[2] = {y[0] / y[2], y[1] / y[2]}, square = p[0] * p[0] + p[1] * p[1];
        double far = 1 + radial[0] * square + radial[1] * square * square;
        for (int i = 0; i < 2; i++)
            b->error[2 * k + i] = w * (p[i] * far * camera[FOCAL] + camera[PRINCIPAL + i] - in->feature[2 * k + i]);
        b->weight_error[k] = 1 - w * w;
    }
}

/* Two rows of 15 numbers. */
static void observation(const double *camera, const double *x, double w, const double *feature, double *J)
{
    turned t;
    const double *radial = camera + RADIAL;
    double focal = camera[FOCAL], at[3] = {x[0] - camera[CENTRE], x[1] - camera[CENTRE + 1], x[2] - camera[CENTRE + 2]};
    rotate_with(camera + ROTATION, at, &t);
    double depth = 1 / t.y[2], p[2] = {t.y[0] * depth, t.y[1] * depth}, square = p[0] * p[0] + p[1] * p[1];
    double far = 1 + radial[0] * square + radial[1] * square * square, slope = 2 * radial[0] + 4 * radial[1] * square;
    for (int i = 0; i < 2; i++) {
        double by_p[2] = {w * focal * (slope * p[i] * p[0] + (i == 0) * far),
                          w * focal * (slope * p[i] * p[1] + (i == 1) * far)};
        double by_y[3] = {by_p[0] * depth, by_p[1] * depth, -(by_p[0] * p[0] + by_p[1] * p[1]) * depth};
        double *row = J + COLUMNS * i;
        for (int j = 0; j < 3; j++) {
            row[ROTATION + j] = by_y[0] * t.by_v[0][j] + by_y[1] * t.by_v[1][j] + by_y[2] * t.by_v[2][j];
            row[CAMERA + j] = by_y[0] * t.by_x[0][j] + by_y[1] * t.by_x[1][j] + by_y[2] * t.by_x[2][j];
            row[CENTRE + j] = -row[CAMERA + j];
        }
        row[FOCAL] = w * p[i] * far;
        row[PRINCIPAL + i] = w;
        row[PRINCIPAL + 1 - i] = 0;
        row[RADIAL] = w * focal * p[i] * square;
        row[RADIAL + 1] = row[RADIAL] * square;
        row[COLUMNS - 1] = p[i] * far * focal + camera[PRINCIPAL + i] - feature[i];
    }
}

static void jacobian(gb_run *r)
{
    ba *b = gb_own(r);
    const ba_input *in = &b->in;
    ba_matrix *m = &b->matrix;
    int64_t entry = 0, before = CAMERA * in->n + POINT * in->m;
    for (int64_t k = 0; k < in->p; k++) {
        int64_t camera = CAMERA * (int64_t)in->of_camera[k], point = POINT * (int64_t)in->of_point[k];
        observation(in->camera + camera, in->point + point, in->weight[k], in->feature + 2 * k, m->value + entry);
        for (int i = 0; i < 2; i++) {
            m->row[2 * k + i] = entry;
            for (int64_t j = 0; j < CAMERA; j++) m->column[entry++] = camera + j;
            for (int64_t j = 0; j < POINT; j++) m->column[entry++] = CAMERA * in->n + point + j;
            m->column[entry++] = before + k;
        }
    }
    for (int64_t k = 0; k < in->p; k++) {
        m->row[2 * in->p + k] = entry;
        m->column[entry] = before + k;
        m->value[entry++] = -2 * in->weight[k];
    }
    m->row[3 * in->p] = entry;
}

static json_t *errors_output(gb_run *r)
{
    const ba *b = gb_own(r);
    return ba_errors_output(&b->in, b->error, b->weight_error);
}

static json_t *matrix_output(gb_run *r)
{
    const ba *b = gb_own(r);
    return ba_matrix_output(&b->in, &b->matrix);
}

const gb_function hand_ba[2] = {
    {"ba", "objective", open, objective, errors_output},
    {"ba", "jacobian", open_jacobian, jacobian, matrix_output},
};
