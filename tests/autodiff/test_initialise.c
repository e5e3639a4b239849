/* Several threads that begin at once: where products are BLAS's, none goes on before OpenBLAS was told to run one
 * thread. Where they are our own, it is told nothing. */
#include "autodiff/kernel/kernels.h"
#include "plan_helpers.h"

#include <pthread.h>
#include <stdatomic.h>
#include <time.h>

enum { THREADS = 4 };

static atomic_int told, waiting = THREADS;

/* Found by the library before OpenBLAS' own, and slow, so that who does not wait for it is seen. */
void openblas_set_num_threads(int threads);
void openblas_set_num_threads(int threads)
{
    nanosleep(&(struct timespec){.tv_nsec = 50000000}, NULL);
    atomic_store(&told, threads);
}

/* What OpenBLAS has been told when ad_initialise returns; 0 for nothing. */
static void *begin(void *keep)
{
    atomic_fetch_sub(&waiting, 1);
    while (atomic_load(&waiting)) continue;
    ad_initialise(keep != NULL);
    return (void *)(intptr_t)atomic_load(&told);
}

static void expect_told(bool keep, int expected)
{
    pthread_t thread[THREADS];
    for (int k = 0; k < THREADS; k++) cr_assert_eq(pthread_create(&thread[k], NULL, begin, keep ? &told : NULL), 0);
    for (int k = 0; k < THREADS; k++) {
        void *found;
        cr_assert_eq(pthread_join(thread[k], &found), 0);
        cr_expect_eq((intptr_t)found, expected, "thread %d goes on with %d", k + 1, (int)(intptr_t)found);
    }
}

static void only_blas(void) { cr_assert_eq(setenv("GIBBS_ISA", "base", 1), 0); }

#ifdef GIBBS_OPENBLAS
Test(initialise, nobody_goes_on_before_it_is_done, .init = only_blas) { expect_told(false, 1); }
#endif
Test(initialise, threads_are_kept_when_asked, .init = only_blas) { expect_told(true, 0); }

Test(initialise, blas_is_left_alone_where_products_are_our_own)
{
    if (ad_kernels_for(GIBBS_FLOAT64)->uses_blas) cr_skip_test("products are BLAS's here");
    expect_told(false, 0);
}
