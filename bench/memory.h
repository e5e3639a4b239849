#ifndef BENCH_MEMORY_H
#define BENCH_MEMORY_H

#include <gibbs/status.h>

/* A JSON object a line for 10⁴, 10⁵ and 10⁶ rows: float32 NCE of an MLP 2×128×2, as many noise points as rows. */
gibbs_status bench_memory_print(gibbs_error *error);

#endif
