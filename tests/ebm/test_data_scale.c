/* Columns to mean 0 and standard deviation 1, and by given figures. */
#include <gibbs/data.h>

#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

#define COUNT(array) ((int)(sizeof(array) / sizeof((array)[0])))

static char *names[] = {"height", "weight"};
static const double six[] = {1, 10, 2, 30, 6, 20};

Test(data_scale, standardise_and_apply)
{
    double x[6], mean[2], sd[2], held[] = {3, 20, 4, 21};
    memcpy(x, six, sizeof x);
    ebm_data data = {.rows = 3, .cols = 2, .x = x}, other = {.rows = 2, .cols = 2, .x = held};
    cr_assert(ebm_data_standardise(&data, mean, sd, NULL) == GIBBS_OK);
    const double expected_sd[] = {sqrt(14.0 / 3), sqrt(200.0 / 3)}; /* Σ(x − mean)² over 3 rows */
    for (int c = 0; c < 2; c++) {
        cr_expect(fabs(mean[c] - (c ? 20 : 3)) < 1e-14);
        cr_expect(fabs(sd[c] - expected_sd[c]) < 1e-14 * expected_sd[c]);
        for (int row = 0; row < 3; row++)
            cr_expect(fabs(x[2 * row + c] - (six[2 * row + c] - mean[c]) / expected_sd[c]) < 1e-14);
    }
    cr_assert(ebm_data_apply_scale(&other, mean, sd, NULL) == GIBBS_OK);
    cr_expect(held[0] == 0 && held[1] == 0 && held[2] == 1 / sd[0] && held[3] == 1 / sd[1]);
    cr_expect(ebm_data_standardise(&data, NULL, NULL, NULL) == GIBBS_OK);
}

/* Columns whose squares, sums or differences from a large mean are beyond a naive sum. */
Test(data_scale, standardise_far_numbers)
{
    double x[] = {1e9 + 1, 3e200, 1e-200, 5e307, 1e9 + 2, -3e200, -1e-200, -5e307, 1e9 + 3, 0, 0, 0};
    double mean[4], sd[4];
    const double root = sqrt(2.0 / 3), unit[] = {1, 3e200, 1e-200, 5e307};
    ebm_data data = {.rows = 3, .cols = 4, .x = x};
    cr_assert(ebm_data_standardise(&data, mean, sd, NULL) == GIBBS_OK);
    cr_expect(mean[0] == 1e9 + 2);
    for (int c = 0; c < 4; c++) {
        cr_expect(fabs(sd[c] / unit[c] / root - 1) < 1e-14, "column %d: %g", c, sd[c]);
        cr_expect(fabs(fabs(x[c]) - 1 / root) < 1e-14, "column %d: %g", c, x[c]);
    }
}

static const struct {
    double x[6];
    gibbs_status status;
    const char *message;
} unscalable[] = {
    {{1, .1, 2, .1, 3, .1}, GIBBS_DATA, "column 2 (weight) is constant: it cannot be standardised"},
    {{1e300, 1, 1e300, 2, 1e300, 3}, GIBBS_DATA, "column 1 (height) is constant: it cannot be standardised"},
    {{1, 1.7e308, 2, -1.7e308, 3, 0}, GIBBS_DATA, "column 2 (weight) has too wide a range to be standardised"},
    {{1, 1, 2, NAN, 3, 3}, GIBBS_DATA, "row 2, column 2 (weight) is NaN"},
};

Test(data_scale, standardise_refuses_and_changes_nothing)
{
    for (int i = 0; i < COUNT(unscalable); i++) {
        double x[6], mean[2] = {7, 7}, sd[2] = {7, 7};
        gibbs_error error = {0};
        memcpy(x, unscalable[i].x, sizeof x);
        ebm_data data = {.rows = 3, .cols = 2, .x = x, .names = names};
        cr_expect(ebm_data_standardise(&data, mean, sd, &error) == unscalable[i].status, "case %d", i);
        cr_expect_str_eq(error.message, unscalable[i].message, "case %d: «%s»", i, error.message);
        cr_expect(memcmp(x, unscalable[i].x, sizeof x) == 0, "case %d", i);
        cr_expect(mean[0] == 7 && mean[1] == 7 && sd[0] == 7 && sd[1] == 7, "case %d", i);
    }
}

Test(data_scale, apply_scale_refuses)
{
    static const double bad[][2] = {{0, 0}, {0, -1}, {0, NAN}, {0, INFINITY}, {NAN, 1}, {INFINITY, 1}};
    for (int i = 0; i < COUNT(bad); i++) {
        double x[6], mean[] = {0, bad[i][0]}, sd[] = {1, bad[i][1]};
        gibbs_error error = {0};
        memcpy(x, six, sizeof x);
        ebm_data data = {.rows = 3, .cols = 2, .x = x, .names = names};
        cr_expect(ebm_data_apply_scale(&data, mean, sd, &error) == GIBBS_ARGUMENT, "case %d", i);
        cr_expect(strstr(error.message, "column 2 (weight)"), "case %d: «%s»", i, error.message);
        cr_expect(memcmp(x, six, sizeof x) == 0, "case %d", i);
    }
}
