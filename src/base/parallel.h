/* parallel.h — a pool of threads that share out numbered tasks.
 *
 * Each thread begins with its share of the tasks, neighbours and the same in every job, whose data its cache has; then
 * it takes what others have left. The caller works too, and nobody waits for a thread that has not begun: where other
 * programs hold the cores, helpers that come late find the work done. Which thread runs a task must not matter to its
 * result; so all compute under the caller's floating-point word, as it was at the call. */
#ifndef GIBBS_PARALLEL_H
#define GIBBS_PARALLEL_H

#include <stdint.h>

typedef void gibbs_task(void *context, int64_t index, int worker);

/* Runs task(context, i, worker) once for each i in [0, count) on at most `threads` threads, and returns when all are
 * done. `worker` is below `threads`, and no two tasks run at the same time with the same one; the caller is worker 0.
 * A call from within a task, or while another thread's call runs, does all tasks itself. */
void gibbs_parallel(int threads, int64_t count, gibbs_task *task, void *context);

/* How many threads to use when nobody says: OMP_NUM_THREADS, else the processors this process may run on. */
int gibbs_default_threads(void);

#endif
