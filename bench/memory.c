/* memory.c — what a full-data gradient holds: heap bytes of an objective with its artificial points after a step,
 * without the data themselves, and the allocations of the next step. */
#include "memory.h"

#include "json.h"
#include "problem.h"

#include <malloc.h>

static double held(void)
{
    struct mallinfo2 m = mallinfo2();
    return (double)(m.uordblks + m.hblkhd);
}

static gibbs_status measure(const bench_case *c, double *bytes, double *grown, gibbs_error *error)
{
    bench_problem p;
    double before = held();
    gibbs_status status = bench_problem_open(c, GIBBS_FLOAT32, 1, &p, error);
    if (status) return status;
    status = bench_problem_step(&p, error);
    double numbers = (double)(c->rows * c->dim), first = held();
    *bytes = first - before - numbers * (sizeof(double) + sizeof(float)); /* the data, in both types */
    if (!status) status = bench_problem_step(&p, error);
    *grown = held() - first;
    bench_problem_close(&p);
    return status;
}

gibbs_status bench_memory_print(gibbs_error *error)
{
    static const int64_t rows[] = {10000, 100000, 1000000};
    bench_case c = *bench_case_find("full-nce-2x128x2");
    for (int k = 0; k < 3; k++) {
        double bytes, grown;
        c.rows = rows[k];
        gibbs_status status = measure(&c, &bytes, &grown, error);
        if (status) return status;
        json_begin();
        json_number("rows", (double)c.rows);
        json_number("bytes", bytes);
        json_number("bytes_a_row", bytes / (double)c.rows);
        json_number("grown", grown);
        json_end();
    }
    return GIBBS_OK;
}
