/* A scan's values are those of the body without a loop: bit for bit, where both compute the same things for each
 * sample (a scan is per-sample in all of its states). Its plan does not grow with the steps. */
#include "scan_bodies.h"

static int64_t total_of(const program *p, const ad_var *y, int count, int64_t rows)
{
    int64_t total = 0;
    for (int k = 0; k < count; k++) total += numbers_of(p, y[k], rows);
    return total;
}

/* With all kinds of leaves, shared and per-sample. */
static void compare(const body_row *row, gibbs_dtype dtype, int kinds, int64_t steps, int64_t rows, bool reverse)
{
    double *values[2];
    int64_t total = 0;
    for (int loop = 0; loop < 2; loop++) {
        program p;
        program_begin(&p, dtype, steps, kinds);
        program_record(&p, row, steps, reverse, loop);
        ad_var y[4] = {p.last[0], p.last[1], p.out[0], p.out[1]};
        for (int k = 0; k < 4 && kinds; k++) y[k] = ad_is_shared(y[k]) ? ad_lift(p.data, y[k]) : y[k];
        total = total_of(&p, y, 4, rows);
        values[loop] = values_of(&p, y, 4, rows, 5, (ad_run_options){0}, NULL);
        ad_tape_free(p.tape);
    }
    bool same_bits = kinds == 0 || (kinds & 15) == 15;
    double close = same_bits ? 0 : dtype == GIBBS_FLOAT32 ? 1e-5 : 1e-13;
    for (int64_t i = 0; i < total; i++)
        cr_assert(fabs(values[0][i] - values[1][i]) <= close * (1 + fabs(values[0][i])),
                  "%s, leaves %d, %lld steps, %lld rows%s: number %lld is %.17g, without a loop %.17g", row->name,
                  kinds, (long long)steps, (long long)rows, reverse ? ", reverse" : "", (long long)i, values[1][i],
                  values[0][i]);
    free(values[0]);
    free(values[1]);
}

Test(scan, values)
{
    for (int b = 0; b < LENGTH(bodies); b++)
        for (int kinds = 0; kinds < 128; kinds++)
            for (int reverse = 0; reverse < 2 && in_sweep(kinds + b, 3); reverse++) {
                compare(&bodies[b], GIBBS_FLOAT64, kinds, 1 + (kinds + b) % 4, 1 + kinds % 3, reverse);
                compare(&bodies[b], kinds % 2 ? GIBBS_FLOAT32 : GIBBS_FLOAT64, kinds, 5, 77, reverse);
            }
}

Test(scan, many_rows)
{
    for (int b = 0; b < LENGTH(bodies); b++)
        for (int kinds = 1; kinds < 128; kinds = 2 * kinds + 1)
            compare(&bodies[b], GIBBS_FLOAT32, kinds, 4, 3001, false);
}

/* Also those of derivatives: below. */
static int instructions_of(int64_t steps)
{
    program p;
    int instructions;
    program_begin(&p, GIBBS_FLOAT64, steps, 15);
    program_record(&p, &bodies[0], steps, false, true);
    free(values_of(&p, p.out, 2, 3, 1, (ad_run_options){0}, &instructions));
    ad_tape_free(p.tape);
    return instructions;
}

Test(scan, plan_does_not_grow)
{
    int few = instructions_of(2);
    cr_expect_eq(instructions_of(100), few);
    cr_expect_eq(instructions_of(100000), few);
}
