/* ba.c — the errors of reprojected points, w (project(camera, point) − feature), and of the weights, 1 − w²; and their
 * Jacobian by all cameras, points and weights, a sparse matrix: the tape has the numbers of one observation, and
 * ad_csr puts them where they belong. */
#include "ba_input.h"
#include "tape.h"

typedef struct ba {
    ba_input in;
    ba_matrix matrix;
} ba;

typedef struct point {
    ad_var x, y, z;
} point;

static point point_of(const ad_var *v) { return (point){v[0], v[1], v[2]}; }

static ad_var products(ad_var a, ad_var b, ad_var c, ad_var d) { return ad_sub(ad_mul(a, b), ad_mul(c, d)); }

static point cross(point a, point b)
{
    return (point){products(a.y, b.z, a.z, b.y), products(a.z, b.x, a.x, b.z), products(a.x, b.y, a.y, b.x)};
}

static ad_var dot(point a, point b)
{
    return ad_add(ad_mul(a.x, b.x), ad_add(ad_mul(a.y, b.y), ad_mul(a.z, b.z)));
}

static ad_var rotated(ad_var cosine, ad_var x, ad_var first, ad_var crossed, ad_var second, ad_var axis)
{
    return ad_add(ad_mul(cosine, x), ad_add(ad_mul(first, crossed), ad_mul(second, axis)));
}

/* Rodrigues' formula: x cos θ + (v × x) sin θ/θ + v (v·x)(1 − cos θ)/θ², where θ = |v|; no angle: x + v × x. */
static point rotate(point v, point x)
{
    ad_var square = dot(v, v), none = ad_less(square, ad_constant(square.tape, 1e-300));
    ad_var safe = ad_select(none, ad_constant(square.tape, 1), square), angle = ad_sqrt(safe);
    ad_var cosine = ad_select(none, ad_constant(square.tape, 1), ad_cos(angle));
    ad_var sine = ad_select(none, ad_constant(square.tape, 1), ad_div(ad_sin(angle), angle));
    ad_var along = ad_mul(dot(v, x), ad_div(ad_sub(ad_constant(square.tape, 1), cosine), safe));
    point c = cross(v, x);
    return (point){rotated(cosine, x.x, sine, c.x, along, v.x), rotated(cosine, x.y, sine, c.y, along, v.y),
                   rotated(cosine, x.z, sine, c.z, along, v.z)};
}

static point difference(point a, point b) { return (point){ad_sub(a.x, b.x), ad_sub(a.y, b.y), ad_sub(a.z, b.z)}; }

/* `by` is all that an observation reads: the numbers of its camera, of its point, its weight. */
static void reprojection(const ad_var *by, ad_var feature, ad_var *error)
{
    const ad_var *camera = by, *x = by + CAMERA;
    ad_var w = by[COLUMNS - 1];
    point seen = rotate(point_of(camera + ROTATION), difference(point_of(x), point_of(camera + CENTRE)));
    ad_var near = ad_recip(seen.z), on[2] = {ad_mul(seen.x, near), ad_mul(seen.y, near)};
    ad_var square = ad_add(ad_square(on[0]), ad_square(on[1]));
    ad_var radial = ad_mul(square, ad_add(camera[RADIAL], ad_mul(camera[RADIAL + 1], square)));
    ad_var factor = ad_mul(camera[FOCAL], ad_shift(radial, 1));
    for (int i = 0; i < 2; i++) {
        ad_var pixel = ad_add(ad_mul(on[i], factor), camera[PRINCIPAL + i]);
        error[i] = ad_mul(w, ad_sub(pixel, ad_at(feature, i)));
    }
}

/* Each number is a variable of its own, so that its derivative is a number, too, and no row of mostly zeros. */
static void read_rows(ad_var rows, int64_t columns, ad_var index, ad_var *by)
{
    ad_var row = ad_gather(rows, index);
    for (int64_t j = 0; j < columns; j++) by[j] = ad_variable(ad_at(row, j));
}

/* Errors of an observation: two of its reprojection, one of its weight. */
static void errors(gb_run *r, ad_var *error, ad_var *by)
{
    ba *own = gb_keep(r, sizeof *own);
    ba_input *in = &own->in;
    ba_read(r, in);
    ad_axis observations = (gb_new_tape(r), gb_axis(r, "observations", in->p));
    ad_var cameras = gb_parameter(r, "cameras", ad_mat(in->n, CAMERA), in->camera);
    ad_var points = gb_parameter(r, "points", ad_mat(in->m, POINT), in->point);
    ad_var of_camera = gb_input(r, observations, "camera", ad_scalar(), in->of_camera);
    ad_var of_point = gb_input(r, observations, "point", ad_scalar(), in->of_point);
    ad_var feature = gb_input(r, observations, "feature", ad_vec(2), in->feature);
    read_rows(cameras, CAMERA, of_camera, by);
    read_rows(points, POINT, of_point, by + CAMERA);
    ad_var w = by[COLUMNS - 1] = gb_input(r, observations, "w", ad_scalar(), in->weight);
    reprojection(by, feature, error);
    error[2] = ad_sub(ad_constant(w.tape, 1), ad_square(w));
}

void gb_ba_objective(gb_run *r)
{
    ad_var error[3], by[COLUMNS];
    errors(r, error, by);
    gb_compile(r, (ad_var[]){ad_stack(error, 2), error[2]}, 2);
}

json_t *gb_ba_errors(gb_run *r)
{
    const ba *own = gb_own(r);
    return ba_errors_output(&own->in, gb_result(r, 0), gb_result(r, 1));
}

void gb_ba_jacobian(gb_run *r)
{
    ad_var error[3], by[COLUMNS], slope[2 * COLUMNS], jacobian[2];
    errors(r, error, by);
    ba *own = gb_own(r);
    for (int i = 0; i < 2; i++) ad_grad(error[i], by, COLUMNS, slope + COLUMNS * i);
    jacobian[0] = ad_stack(slope, 2 * COLUMNS);
    ad_grad(error[2], by + COLUMNS - 1, 1, &jacobian[1]);
    ba_new_matrix(r, &own->in, &own->matrix);
    gb_compile(r, jacobian, 2);
}

void gb_ba_assemble(gb_run *r)
{
    ba *own = gb_own(r);
    const ba_input *in = &own->in;
    int64_t before = CAMERA * in->n + POINT * in->m, first;
    ad_csr_block block[] = {{CAMERA, in->n, 0, in->of_camera}, {POINT, in->m, CAMERA * in->n, in->of_point},
                            {1, in->p, before, NULL}};
    ba_matrix *m = &own->matrix;
    gibbs_error error;
    gb_run_plan(r);
    gibbs_status status =
        ad_csr(GIBBS_FLOAT64, in->p, 2, gb_result(r, 0), block, 3, m->row, m->column, m->value, &error);
    first = m->row[2 * in->p];
    if (!status)
        status = ad_csr(GIBBS_FLOAT64, in->p, 1, gb_result(r, 1), block + 2, 1, m->row + 2 * in->p, m->column + first,
                        m->value + first, &error);
    if (status) gb_fail(r, error.message);
    for (int64_t k = 2 * in->p; k <= 3 * in->p; k++) m->row[k] += first;
}

json_t *gb_ba_matrix(gb_run *r)
{
    const ba *own = gb_own(r);
    return ba_matrix_output(&own->in, &own->matrix);
}
