/* Whole spaces as points: which they are, that weights add up to the volume, and what is refused. */
#include "objective_helpers.h"

static double volume(const ebm_points *p)
{
    double sum = 0;
    for (int64_t i = 0; i < p->rows; i++) sum += exp(p->log_weight[i]);
    return sum;
}

Test(points, states_are_all_there_once)
{
    const double values[] = {-1, 0.5, 2};
    ebm_points p;
    OK(ebm_points_space(&(ebm_space){.variables = 3, .labels = 3, .values = values}, NULL, &p, ERROR));
    cr_assert(p.rows == 27 && p.dim == 3);
    for (int i = 0; i < 27; i++) {
        const double *x = p.x + 3 * i;
        cr_expect(x[0] == values[i / 9] && x[1] == values[i / 3 % 3] && x[2] == values[i % 3] && p.log_weight[i] == 0,
                  "point %d", i);
    }
    ebm_points_free(&p);
    cr_expect(!p.x && !p.rows);
    ebm_points_free(&p);
    ebm_points_free(NULL);
}

Test(points, weights_of_a_box_sum_to_its_volume)
{
    const ebm_box box = {{-1, 2, 0.5}, {3, 2.5, 4}, 9, 0};
    double expected = 1;
    for (int64_t dim = 1; dim <= 3; dim++) {
        ebm_points p;
        expected *= box.high[dim - 1] - box.low[dim - 1];
        OK(ebm_points_box(dim, &box, NULL, &p, ERROR));
        cr_assert_eq(p.rows, (int64_t)pow(9, (double)dim));
        expect_close(volume(&p), expected, 1e-13, "volume");
        for (int64_t i = 0; i < p.rows * dim; i++)
            cr_expect(p.x[i] >= box.low[i % dim] && p.x[i] <= box.high[i % dim]);
        cr_expect(p.x[p.rows * dim - 1] == box.high[dim - 1], "the last point is the corner");
        ebm_points_free(&p);
    }
}

/* Linear functions are integrated exactly, and the default number of points is ebm_integrate's. */
Test(points, trapezoidal_rule)
{
    ebm_box box = {{-1}, {3}, 5, 0};
    ebm_points p;
    double integral = 0;
    OK(ebm_points_box(1, &box, NULL, &p, ERROR));
    for (int64_t i = 0; i < p.rows; i++) integral += exp(p.log_weight[i]) * (2 * p.x[i] + 1);
    expect_close(integral, 12, 1e-13, "∫ 2x + 1");
    ebm_points_free(&p);
    box.points = 0;
    OK(ebm_points_box(1, &box, NULL, &p, ERROR));
    cr_expect_eq(p.rows, 2000);
    ebm_points_free(&p);
}

Test(points, refuses)
{
    ebm_points p;
    const ebm_space two = {.variables = 2}, none = {.variables = 0}, empty = {.variables = 2, .labels = -1};
    const ebm_space many = {.variables = 21}, vast = {.variables = INT64_MAX};
    ebm_box flat = {{0}, {0}, 5, 0}, endless = {{0}, {INFINITY}, 5, 0}, few = {{0}, {1}, 1, 0};
    ebm_box huge = {{0, 0, 0}, {1, 1, 1}, 500, 0};
    FAILS(GIBBS_ARGUMENT, "NULL", ebm_points_space(NULL, NULL, &p, FAIL));
    FAILS(GIBBS_ARGUMENT, "NULL", ebm_points_space(&two, NULL, NULL, FAIL));
    FAILS(GIBBS_ARGUMENT, "no variables", ebm_points_space(&none, NULL, &p, FAIL));
    FAILS(GIBBS_ARGUMENT, "without labels", ebm_points_space(&empty, NULL, &p, FAIL));
    FAILS(GIBBS_SIZE, "2^20", ebm_points_space(&many, NULL, &p, FAIL));
    FAILS(GIBBS_SIZE, "2^20", ebm_points_space(&vast, NULL, &p, FAIL));
    FAILS(GIBBS_ARGUMENT, "nan stands for label 1",
          ebm_points_space(&(ebm_space){.variables = 1, .values = (double[]){0, -NAN}}, NULL, &p, FAIL));
    FAILS(GIBBS_ARGUMENT, "NULL", ebm_points_box(1, NULL, NULL, &p, FAIL));
    FAILS(GIBBS_ARGUMENT, "4 dimensions", ebm_points_box(4, &few, NULL, &p, FAIL));
    FAILS(GIBBS_ARGUMENT, "0 dimensions", ebm_points_box(0, &few, NULL, &p, FAIL));
    FAILS(GIBBS_ARGUMENT, "1 points", ebm_points_box(1, &few, NULL, &p, FAIL));
    FAILS(GIBBS_ARGUMENT, "from 0 to 0", ebm_points_box(1, &flat, NULL, &p, FAIL));
    FAILS(GIBBS_ARGUMENT, "to inf", ebm_points_box(1, &endless, NULL, &p, FAIL));
    FAILS(GIBBS_SIZE, "2^20", ebm_points_box(3, &huge, NULL, &p, FAIL));
    cr_expect(!p.x && !p.log_weight && !p.rows, "nothing is left behind");
}
