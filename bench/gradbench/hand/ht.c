/* Bones one after the other; an angle moves its bone and what hangs on it, and no other. Of a vertex the place and its
 * derivatives are computed once, and points are put together from them. */
#include "../ht_input.h"
#include "hand.h"

#include <math.h>
#include <string.h>

enum { ANGLES = HT_THETA - 6 };

typedef double matrix[4][4];

typedef struct ht {
    ht_input in;
    matrix *relative, *placed, *bone;         /* [bones] */
    matrix *moved, *bone_by;                  /* [bones] while one angle is looked at; [ANGLES, bones] */
    char *moves;                              /* [ANGLES, bones] */
    double turn[3][3], turn_by[3][3][3];      /* of the hand as a whole, and by the number that makes it */
    double *vertex, *vertex_by;               /* [vertices, 3], [vertices, 26, 3] */
    double *answer;                           /* [points, 3], or [points, 3, 26 or 28] */
} ht;

static void *memory(gb_run *r, int64_t count, size_t size) { return gb_memory(r, (size_t)count, size); }

static ht *read(gb_run *r)
{
    ht *h = gb_keep(r, sizeof *h);
    ht_read(r, &h->in);
    h->relative = memory(r, h->in.bones, sizeof(matrix));
    h->placed = memory(r, h->in.bones, sizeof(matrix));
    h->bone = memory(r, h->in.bones, sizeof(matrix));
    h->vertex = memory(r, 3 * h->in.vertices, sizeof(double));
    return h;
}

static void open(gb_run *r)
{
    ht *h = read(r);
    h->answer = memory(r, 3 * h->in.points, sizeof(double));
}

static void open_jacobian(gb_run *r)
{
    ht *h = read(r);
    h->moved = memory(r, h->in.bones, sizeof(matrix));
    h->bone_by = memory(r, ANGLES * h->in.bones, sizeof(matrix));
    h->moves = memory(r, ANGLES * h->in.bones, 1);
    h->vertex_by = memory(r, 3 * HT_THETA * h->in.vertices, sizeof(double));
    h->answer = memory(r, 3 * (HT_THETA + 2) * h->in.points, sizeof(double));
}

static void multiply(matrix a, const double (*b)[4], matrix c)
{
    for (int i = 0; i < 4; i++)
        for (int j = 0; j < 4; j++)
            c[i][j] = a[i][0] * b[0][j] + a[i][1] * b[1][j] + a[i][2] * b[2][j] + a[i][3] * b[3][j];
}

static double angle_of(const ht *h, int64_t bone, int k)
{
    int64_t of = ht_angle(bone, k);
    return of < HT_THETA ? h->in.theta[of] : 0;
}

/* Rz·Ry·Rx, or (by 0: x, 1: z) a derivative of it. */
static void bend(double x, double z, double y, int by, matrix m)
{
    double cx = cos(x), sx = sin(x), cy = cos(y), sy = sin(y), cz = cos(z), sz = sin(z);
    double xy[3][3] = {{cy, sy * sx, sy * cx}, {0, cx, -sx}, {-sy, cy * sx, cy * cx}};
    double by_x[3][3] = {{0, sy * cx, -sy * sx}, {0, -sx, -cx}, {0, cy * cx, -cy * sx}};
    double by_z[3][3] = {{-sz, -cz, 0}, {cz, -sz, 0}, {0, 0, 0}}, of_z[3][3] = {{cz, -sz, 0}, {sz, cz, 0}, {0, 0, 1}};
    const double(*left)[3] = (const double(*)[3])(by == 1 ? by_z : of_z);
    const double(*right)[3] = (const double(*)[3])(by == 0 ? by_x : xy);
    memset(m, 0, sizeof(matrix));
    for (int i = 0; i < 3; i++)
        for (int j = 0; j < 3; j++)
            m[i][j] = left[i][0] * right[0][j] + left[i][1] * right[1][j] + left[i][2] * right[2][j];
    m[3][3] = by < 0;
}

static const double (*four(const double *numbers, int64_t bone))[4]
{
    return (const double(*)[4])(numbers + 16 * bone);
}

static void pose(ht *h)
{
    const ht_input *in = &h->in;
    for (int64_t b = 0; b < in->bones; b++) {
        matrix own, base;
        memcpy(base, in->relative + 16 * b, sizeof base);
        bend(angle_of(h, b, 0), angle_of(h, b, 1), 0, -1, own);
        multiply(base, (const double(*)[4])own, h->relative[b]);
        if (in->parent[b] < 0) memcpy(h->placed[b], h->relative[b], sizeof own);
        else multiply(h->placed[(int64_t)in->parent[b]], (const double(*)[4])h->relative[b], h->placed[b]);
        multiply(h->placed[b], four(in->inverse, b), h->bone[b]);
    }
}

/* The bones from `bone` on, by one of its angles. */
static void move(ht *h, int64_t bone, int k)
{
    const ht_input *in = &h->in;
    int64_t angle = ht_angle(bone, k) - 6;
    char *moves = h->moves + angle * in->bones;
    matrix own, base, turned;
    memcpy(base, in->relative + 16 * bone, sizeof base);
    bend(angle_of(h, bone, 0), angle_of(h, bone, 1), 0, k, own);
    multiply(base, (const double(*)[4])own, turned);
    memset(moves, 0, (size_t)in->bones);
    for (int64_t b = bone; b < in->bones; b++) {
        int64_t parent = (int64_t)in->parent[b];
        moves[b] = b == bone || (parent >= 0 && moves[parent]);
        if (!moves[b]) continue;
        if (b > bone) multiply(h->moved[parent], (const double(*)[4])h->relative[b], h->moved[b]);
        else if (parent < 0) memcpy(h->moved[b], turned, sizeof turned);
        else multiply(h->placed[parent], (const double(*)[4])turned, h->moved[b]);
        multiply(h->moved[b], four(in->inverse, b), h->bone_by[angle * in->bones + b]);
    }
}

static void move_all(ht *h)
{
    for (int64_t b = 0; b < h->in.bones; b++)
        for (int k = 0; k < 2; k++)
            if (ht_angle(b, k) < HT_THETA) move(h, b, k);
}

/* n nᵀ(1 − c) + c + [n]ₓ s, and by v = angle·n: of n it is (eⱼ − n nⱼ)/angle, of the angle nⱼ. */
static void turn(ht *h, int with_derivative)
{
    const double *v = h->in.theta;
    double angle = sqrt(v[0] * v[0] + v[1] * v[1] + v[2] * v[2]), s = sin(angle), c = cos(angle);
    int none = angle < 1e-4;
    double n[3] = {v[0] / angle, v[1] / angle, v[2] / angle};
    for (int i = 0; i < 3; i++)
        for (int k = 0; k < 3; k++) {
            int third = 3 - i - k;
            double sign = i == k ? 0 : (k - i + 3) % 3 == 1 ? -1 : 1, across = i == k ? 0 : sign * n[third];
            h->turn[i][k] = none ? i == k : n[i] * n[k] * (1 - c) + (i == k) * c + across * s;
            for (int j = 0; with_derivative && j < 3; j++) {
                double dn[3];
                for (int l = 0; l < 3; l++) dn[l] = ((l == j) - n[l] * n[j]) / angle;
                double by_axis = (dn[i] * n[k] + n[i] * dn[k]) * (1 - c) + (i == k ? 0 : sign * dn[third] * s);
                double by_angle = (n[i] * n[k] - (i == k)) * s + across * c;
                h->turn_by[j][i][k] = none ? 0 : by_axis + by_angle * n[j];
            }
        }
}

static void rotate(const double (*R)[3], const double *x, double *y)
{
    for (int i = 0; i < 3; i++) y[i] = R[i][0] * x[0] + R[i][1] * x[1] + R[i][2] * x[2];
}

static void add_bone(double weight, const double (*bone)[4], const double *base, double *at)
{
    for (int i = 0; i < 3; i++)
        at[i] += weight * (bone[i][0] * base[0] + bone[i][1] * base[1] + bone[i][2] * base[2] + bone[i][3] * base[3]);
}

static void place_vertex(ht *h, int64_t v, double *at)
{
    const ht_input *in = &h->in;
    memset(at, 0, 3 * sizeof *at);
    for (int64_t b = 0; b < in->bones; b++) {
        double w = in->weight[v * in->bones + b];
        if (w != 0) add_bone(w, (const double(*)[4])h->bone[b], in->base + 4 * v, at);
    }
    if (in->mirrored) at[0] = -at[0];
    rotate((const double(*)[3])h->turn, at, h->vertex + 3 * v);
    for (int i = 0; i < 3; i++) h->vertex[3 * v + i] += in->theta[3 + i];
}

static void place_vertices(ht *h)
{
    double at[3];
    pose(h);
    turn(h, 0);
    for (int64_t v = 0; v < h->in.vertices; v++) place_vertex(h, v, at);
}

static void move_vertex(ht *h, int64_t v)
{
    const ht_input *in = &h->in;
    double at[3], *by = h->vertex_by + 3 * HT_THETA * v, moved[ANGLES][3] = {{0}};
    place_vertex(h, v, at);
    for (int j = 0; j < 3; j++) {
        rotate((const double(*)[3])h->turn_by[j], at, by + 3 * j);
        for (int i = 0; i < 3; i++) by[9 + 3 * j + i] = i == j;
    }
    for (int64_t b = 0; b < in->bones; b++) {
        double w = in->weight[v * in->bones + b];
        for (int64_t j = 0; w != 0 && j < ANGLES; j++)
            if (h->moves[j * in->bones + b])
                add_bone(w, (const double(*)[4])h->bone_by[j * in->bones + b], in->base + 4 * v, moved[j]);
    }
    for (int j = 0; j < ANGLES; j++) {
        if (in->mirrored) moved[j][0] = -moved[j][0];
        rotate((const double(*)[3])h->turn, moved[j], by + 18 + 3 * j);
    }
}

static void corner_weights(const ht_input *in, int64_t point, double *u)
{
    u[0] = in->us ? in->us[2 * point] : 1;
    u[1] = in->us ? in->us[2 * point + 1] : 0;
    u[2] = 1 - u[0] - u[1];
}

static void objective(gb_run *r)
{
    ht *h = gb_own(r);
    const ht_input *in = &h->in;
    place_vertices(h);
    for (int64_t k = 0; k < in->points; k++) {
        double u[3];
        corner_weights(in, k, u);
        for (int i = 0; i < 3; i++) {
            double at = 0;
            for (int c = 0; c < in->corners; c++) at += u[c] * h->vertex[3 * (int64_t)in->corner[c][k] + i];
            h->answer[3 * k + i] = in->measured[3 * k + i] - at;
        }
    }
}

static void point_by(const ht *h, int64_t k, int64_t columns, double *rows)
{
    const ht_input *in = &h->in;
    double u[3];
    const double *at[3], *by[3];
    corner_weights(in, k, u);
    for (int c = 0; c < in->corners; c++) {
        at[c] = h->vertex + 3 * (int64_t)in->corner[c][k];
        by[c] = h->vertex_by + 3 * HT_THETA * (int64_t)in->corner[c][k];
    }
    for (int i = 0; i < 3; i++) {
        double *row = rows + i * columns;
        if (in->us) *row++ = at[2][i] - at[0][i], *row++ = at[2][i] - at[1][i];
        for (int64_t j = 0; j < HT_THETA; j++) {
            row[j] = -u[0] * by[0][3 * j + i];
            if (in->us) row[j] -= u[1] * by[1][3 * j + i] + u[2] * by[2][3 * j + i];
        }
    }
}

static int64_t columns_of(const ht *h) { return HT_THETA + (h->in.us ? 2 : 0); }

static void jacobian(gb_run *r)
{
    ht *h = gb_own(r);
    int64_t columns = columns_of(h);
    pose(h);
    turn(h, 1);
    move_all(h);
    for (int64_t v = 0; v < h->in.vertices; v++) move_vertex(h, v);
    for (int64_t k = 0; k < h->in.points; k++) point_by(h, k, columns, h->answer + 3 * columns * k);
}

static json_t *errors_output(gb_run *r)
{
    const ht *h = gb_own(r);
    return gb_list(h->answer, 3 * h->in.points);
}

static json_t *jacobian_output(gb_run *r)
{
    const ht *h = gb_own(r);
    ad_shape shape = ad_mat(3 * h->in.points, columns_of(h));
    return gb_nested(h->answer, &shape);
}

const gb_function hand_ht[2] = {
    {"ht", "objective", open, objective, errors_output},
    {"ht", "jacobian", open_jacobian, jacobian, jacobian_output},
};
