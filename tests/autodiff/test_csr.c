/* ad_csr: the Jacobian of residuals that read rows of tables, against the dense one by the tables; what is read twice;
 * and what is refused. */
#include "plan_helpers.h"

enum { OBSERVATIONS = 7, CAMERAS = 3, POINTS = 4, CAMERA = 4, POINT = 3, RESIDUALS = 2, BLOCKS = 3,
       WIDTH = CAMERA + POINT + 1, COLUMNS = CAMERAS * CAMERA + POINTS * POINT + OBSERVATIONS };

static const int camera_of[OBSERVATIONS] = {0, 2, 1, 1, 0, 2, 2}, point_of[OBSERVATIONS] = {3, 0, 1, 2, 2, 1, 3};

/* A reprojection in the small: a camera turns, scales and shifts a point, and each observation has a weight. */
static ad_var residual(ad_var camera, ad_var point, ad_var weight)
{
    ad_var depth = ad_add(ad_square(ad_at(point, 2)), ad_exp(ad_at(camera, 3))), out[2];
    for (int k = 0; k < 2; k++)
        out[k] = ad_div(ad_sin(ad_add(ad_mul(ad_at(camera, k), ad_at(point, k)), ad_at(camera, 2))), depth);
    return ad_mul(weight, ad_stack(out, 2));
}

typedef struct toy {
    ad_tape *tape;
    ad_axis observation, cameras, points;
    ad_var camera, point, weight, at_camera, at_point, jacobian;
    void *p[5];
    gibbs_dtype dtype;
} toy;

static void toy_bind(toy *t, runner r)
{
    const ad_var v[5] = {t->camera, t->point, t->weight, t->at_camera, t->at_point};
    for (int k = 0; k < 5; k++) bind(r, v[k], t->p[k]);
    set_rows(r, t->observation, OBSERVATIONS), set_rows(r, t->cameras, CAMERAS), set_rows(r, t->points, POINTS);
    run(r);
}

static void *copy_of(gibbs_dtype dtype, int64_t count, uint64_t seed)
{
    double *numbers = random_numbers(count, seed);
    void *copy = in_type(dtype, numbers, count);
    free(numbers);
    return copy;
}

static toy toy_new(gibbs_dtype dtype)
{
    toy t = {.tape = ad_tape_new(dtype, NULL), .dtype = dtype};
    double at[2][OBSERVATIONS];
    for (int n = 0; n < OBSERVATIONS; n++) at[0][n] = camera_of[n], at[1][n] = point_of[n];
    t.observation = ad_axis_new(t.tape, "observation");
    t.cameras = ad_axis_new(t.tape, "cameras"), t.points = ad_axis_new(t.tape, "points");
    t.camera = ad_input(t.cameras, "camera", ad_vec(CAMERA)), t.point = ad_input(t.points, "point", ad_vec(POINT));
    t.weight = ad_input(t.observation, "weight", ad_scalar());
    t.at_camera = ad_input(t.observation, "at camera", ad_scalar());
    t.at_point = ad_input(t.observation, "at point", ad_scalar());
    ad_var camera = ad_batch_gather(t.camera, t.at_camera), point = ad_batch_gather(t.point, t.at_point);
    ad_var read[] = {ad_variable(camera), ad_variable(point), t.weight};
    t.jacobian = ad_jacobian(residual(read[0], read[1], read[2]), read, 3);
    const int64_t count[3] = {CAMERAS * CAMERA, POINTS * POINT, OBSERVATIONS};
    for (int k = 0; k < 3; k++) t.p[k] = copy_of(dtype, count[k], 5 + (uint64_t)k);
    for (int k = 0; k < 2; k++) t.p[3 + k] = in_type(dtype, at[k], OBSERVATIONS);
    return t;
}

static void toy_free(toy *t)
{
    for (int k = 0; k < 5; k++) free(t->p[k]);
    ad_tape_free(t->tape);
}

static void blocks_of(const toy *t, ad_csr_block *b)
{
    b[0] = (ad_csr_block){CAMERA, CAMERAS, 0, t->p[3]};
    b[1] = (ad_csr_block){POINT, POINTS, CAMERAS * CAMERA, t->p[4]};
    b[2] = (ad_csr_block){1, OBSERVATIONS, CAMERAS * CAMERA + POINTS * POINT, NULL};
}

/* The same by three shared tables, dense: rows of one long vector of residuals. */
static double *dense(const toy *t)
{
    ad_tape *tape = ad_tape_new(GIBBS_FLOAT64, NULL);
    const ad_shape shape[3] = {ad_mat(CAMERAS, CAMERA), ad_mat(POINTS, POINT), ad_vec(OBSERVATIONS)};
    ad_var table[3], each[OBSERVATIONS];
    for (int k = 0; k < 3; k++) table[k] = ad_parameter(tape, "table", shape[k]);
    for (int n = 0; n < OBSERVATIONS; n++) {
        ad_var camera = ad_reshape(ad_slice(table[0], 0, camera_of[n], 1), ad_vec(CAMERA));
        ad_var point = ad_reshape(ad_slice(table[1], 0, point_of[n], 1), ad_vec(POINT));
        each[n] = residual(camera, point, ad_at(table[2], n));
    }
    ad_var J = ad_jacobian(ad_stack(each, OBSERVATIONS), table, 3);
    runner r = runner_new(&J, 1, 0);
    double *copy[3];
    for (int k = 0; k < 3; k++) {
        int64_t count = ad_shape_count(&shape[k]);
        copy[k] = malloc((size_t)count * sizeof(double));
        for (int64_t i = 0; i < count; i++) copy[k][i] = number_at(t->dtype, t->p[k], i);
        bind(r, table[k], copy[k]);
    }
    run(r);
    size_t bytes = sizeof(double) * OBSERVATIONS * RESIDUALS * COLUMNS;
    double *out = memcpy(malloc(bytes), ad_result_f64(r.w, 0), bytes);
    for (int k = 0; k < 3; k++) free(copy[k]);
    runner_free(r);
    ad_tape_free(tape);
    return out;
}

static void check_toy(gibbs_dtype dtype)
{
    enum { MATRIX = OBSERVATIONS * RESIDUALS };
    toy t = toy_new(dtype);
    runner r = runner_new(&t.jacobian, 1, 0);
    ad_csr_block block[BLOCKS];
    int64_t start[MATRIX + 1], column[MATRIX * WIDTH];
    double value[MATRIX * WIDTH], *want = dense(&t), full[MATRIX * COLUMNS] = {0};
    gibbs_error error;
    toy_bind(&t, r);
    blocks_of(&t, block);
    MUST(ad_csr(dtype, OBSERVATIONS, RESIDUALS, ad_result(r.w, 0), block, BLOCKS, start, column, value, &error), error);
    cr_expect_eq(start[0], 0);
    cr_expect_eq(start[MATRIX], MATRIX * WIDTH);
    for (int i = 0; i < MATRIX; i++)
        for (int64_t k = start[i]; k < start[i + 1]; k++) {
            if (k > start[i]) cr_expect_lt(column[k - 1], column[k]);
            full[i * COLUMNS + column[k]] = number_at(dtype, value, k);
        }
    for (int i = 0; i < MATRIX * COLUMNS; i++)
        cr_expect(fabs(full[i] - want[i]) <= (dtype == GIBBS_FLOAT32 ? 2e-6 : 1e-14) * (1 + fabs(want[i])),
                  "element %d: %g, not %g", i, full[i], want[i]);
    free(want);
    runner_free(r);
    toy_free(&t);
}

Test(csr, as_the_dense_jacobian)
{
    check_toy(GIBBS_FLOAT64);
    check_toy(GIBBS_FLOAT32);
}

/* Edges of a graph, both of whose ends are rows of one table: columns ascend whichever comes first, and an edge from a
 * row to itself has one block, the sum. */
Test(csr, one_table_read_twice)
{
    const double from[] = {2, 0, 1}, to[] = {0, 1, 1}, jacobian[] = {1, 2, 10, 20, 3, 4, 30, 40, 5, 6, 50, 60};
    const ad_csr_block block[] = {{2, 3, 0, from}, {2, 3, 0, to}};
    const int64_t starts[] = {0, 4, 8, 10}, columns[] = {0, 1, 4, 5, 0, 1, 2, 3, 2, 3};
    const double values[] = {10, 20, 1, 2, 3, 4, 30, 40, 55, 66};
    int64_t start[4], column[12];
    double value[12];
    gibbs_error error;
    MUST(ad_csr(GIBBS_FLOAT64, 3, 1, jacobian, block, 2, start, column, value, &error), error);
    for (int i = 0; i < 4; i++) cr_expect_eq(start[i], starts[i]);
    for (int i = 0; i < 10; i++) cr_expect(column[i] == columns[i] && value[i] == values[i], "entry %d", i);
}

Test(csr, one_of_everything)
{
    const ad_csr_block shared = {1, 1, 4, NULL};
    const float jacobian = 3;
    float value;
    int64_t start[2], column;
    gibbs_error error;
    MUST(ad_csr(GIBBS_FLOAT32, 1, 1, &jacobian, &shared, 1, start, &column, &value, &error), error);
    cr_expect(start[0] == 0 && start[1] == 1 && column == 4 && value == 3);
}

static void expect(gibbs_status status, gibbs_status wanted, const gibbs_error *error, const char *words)
{
    cr_expect(status == wanted && strstr(error->message, words), "%d «%s», not «%s»", status, error->message, words);
}

Test(csr, what_is_refused)
{
    double J[8] = {0}, index[2] = {0, 3}, value[8];
    int64_t start[5], column[8];
    gibbs_error e;
    ad_csr_block b[2] = {{2, 3, 0, index}, {2, 1, 6, NULL}};
#define CSR(block, n) ad_csr(GIBBS_FLOAT64, 2, 1, J, block, n, start, column, value, &e)
    start[0] = 77;
    expect(CSR(b, 2), GIBBS_DATA, &e, "csr: index 3 of block 0 at sample 1 is no whole number from 0 to 2");
    cr_expect_eq(e.row, 1);
    index[1] = NAN;
    expect(CSR(b, 2), GIBBS_DATA, &e, "index nan of block 0 at sample 1");
    index[1] = 0.5;
    expect(CSR(b, 2), GIBBS_DATA, &e, "index 0.5 of block 0");
    index[1] = -1;
    expect(CSR(b, 2), GIBBS_DATA, &e, "index -1 of block 0");
    index[1] = 2;
    b[1].first = 5;
    expect(CSR(b, 2), GIBBS_ARGUMENT, &e, "csr: the tables of blocks 0 and 1 overlap; give them columns of their own");
    b[1] = (ad_csr_block){2, 3, 6, NULL};
    expect(CSR(b, 2), GIBBS_ARGUMENT, &e, "csr: block 1 has 3 rows of 2 columns from 6 on; without an index it has 1");
    b[1] = (ad_csr_block){0, 1, 6, NULL};
    expect(CSR(b, 2), GIBBS_ARGUMENT, &e, "csr: block 1 has 1 rows of 0 columns");
    b[1] = (ad_csr_block){2, INT64_MAX, 6, index};
    expect(CSR(b, 2), GIBBS_SIZE, &e, "csr: the columns or rows of block 1 are too many");
    b[1] = (ad_csr_block){2, (1 << 24) + 1, 6, index};
    expect(ad_csr(GIBBS_FLOAT32, 2, 1, J, b, 2, start, column, value, &e), GIBBS_SIZE, &e, "for an index in float32");
    expect(CSR(NULL, 2), GIBBS_ARGUMENT, &e, "csr: NULL");
    expect(CSR(b, 0), GIBBS_ARGUMENT, &e, "blocks (0)");
    expect(ad_csr((gibbs_dtype)7, 2, 1, J, b, 2, start, column, value, &e), GIBBS_DTYPE, &e, "no such number type");
    ad_csr_block many[65];
    for (int k = 0; k < 65; k++) many[k] = (ad_csr_block){1, 1, k, NULL};
    expect(ad_csr(GIBBS_FLOAT64, 1, 1, J, many, 65, start, column, value, &e), GIBBS_ARGUMENT, &e, "65 blocks");
    cr_expect_eq(ad_csr(GIBBS_FLOAT64, 0, 1, J, b, 2, start, column, value, NULL), GIBBS_ARGUMENT);
    cr_expect_eq(start[0], 77, "nothing is written");
}
