#define _GNU_SOURCE
#include "parallel.h"

#include "float_word.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum { MAX_HELPERS = 255 };
static const int64_t SPIN = 100000; /* nanoseconds that an idle helper stays awake: longer than between two stages */

/* The tasks that a worker begins with: next … end − 1. On a cache line of its own. */
typedef struct share {
    _Alignas(64) _Atomic int64_t next;
    int64_t end;
} share;

/* `gate` counts the helpers inside the open job in steps of 2; bit 0 says that it is open. The job's fields are
 * written only while the gate is 0, by the holder of `turn`. */
static struct pool {
    pthread_mutex_t turn, sleep;
    pthread_cond_t wake;
    int helpers;
    gibbs_task *task;
    void *context;
    int threads;
    gibbs_float_word word; /* the caller's */
    share share[MAX_HELPERS + 1];
    _Atomic uint64_t gate, jobs;
    _Atomic int sleepers;
} pool = {.turn = PTHREAD_MUTEX_INITIALIZER, .sleep = PTHREAD_MUTEX_INITIALIZER, .wake = PTHREAD_COND_INITIALIZER};

static void pause_briefly(void)
{
#if defined(__x86_64__)
    __builtin_ia32_pause();
#endif
}

static int64_t nanoseconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

/* First its own share, so that neighbouring tasks, and the same tasks of the next job, find their data in one core's
 * cache; then what others have left. */
static void take_tasks(int worker)
{
    for (int k = 0; k < pool.threads; k++) {
        share *s = &pool.share[(worker + k) % pool.threads];
        for (int64_t i; (i = atomic_fetch_add(&s->next, 1)) < s->end;) pool.task(pool.context, i, worker);
    }
}

/* ---- Helpers ---- */

static void help(int worker)
{
    uint64_t gate = atomic_load(&pool.gate);
    do {
        if (!(gate & 1)) return;
    } while (!atomic_compare_exchange_weak(&pool.gate, &gate, gate + 2));
    if (worker < pool.threads) {
        gibbs_float_set(pool.word);
        take_tasks(worker);
    }
    atomic_fetch_sub(&pool.gate, 2);
}

static void wait_for_job(uint64_t seen)
{
    for (int64_t end = nanoseconds() + SPIN; nanoseconds() < end;)
        for (int i = 0; i < 32; i++) {
            if (atomic_load(&pool.jobs) != seen) return;
            pause_briefly();
        }
    pthread_mutex_lock(&pool.sleep);
    atomic_fetch_add(&pool.sleepers, 1);
    while (atomic_load(&pool.jobs) == seen) pthread_cond_wait(&pool.wake, &pool.sleep);
    atomic_fetch_sub(&pool.sleepers, 1);
    pthread_mutex_unlock(&pool.sleep);
}

static void *helper(void *number)
{
    uint64_t seen = 0;
    for (;;) {
        wait_for_job(seen);
        seen = atomic_load(&pool.jobs);
        help((int)(intptr_t)number);
    }
    return NULL;
}

/* A child process has the memory of the pool, but none of its threads. */
static void forget_helpers(void)
{
    pool = (struct pool){.turn = PTHREAD_MUTEX_INITIALIZER, .sleep = PTHREAD_MUTEX_INITIALIZER,
                         .wake = PTHREAD_COND_INITIALIZER};
}

/* The host's signals are not for our threads. Where no thread can be had, there are fewer. */
static void start_helpers(int wanted)
{
    sigset_t all, own;
    pthread_t thread;
    if (wanted > MAX_HELPERS) wanted = MAX_HELPERS;
    if (pool.helpers >= wanted) return;
    static bool registered;
    if (!registered) registered = pthread_atfork(NULL, NULL, forget_helpers) == 0;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &own);
    while (pool.helpers < wanted &&
           pthread_create(&thread, NULL, helper, (void *)(intptr_t)(pool.helpers + 1)) == 0) {
        pthread_detach(thread);
        pool.helpers++;
    }
    pthread_sigmask(SIG_SETMASK, &own, NULL);
}

/* ---- The caller ---- */

static void open_job(int threads, int64_t count, gibbs_task *task, void *context)
{
    pool.task = task;
    pool.context = context;
    pool.threads = threads;
    pool.word = gibbs_float_get();
    for (int w = 0; w < threads; w++) {
        atomic_store(&pool.share[w].next, count * w / threads);
        pool.share[w].end = count * (w + 1) / threads;
    }
    atomic_store(&pool.gate, 1);
    atomic_fetch_add(&pool.jobs, 1);
    if (!atomic_load(&pool.sleepers)) return;
    pthread_mutex_lock(&pool.sleep);
    pthread_cond_broadcast(&pool.wake);
    pthread_mutex_unlock(&pool.sleep);
}

/* Helpers inside are at their last task; others can no longer come in. */
static void close_job(void)
{
    atomic_fetch_and(&pool.gate, ~(uint64_t)1);
    for (int i = 0; atomic_load(&pool.gate); i++) i < 1 << 14 ? pause_briefly() : (void)sched_yield();
}

void gibbs_parallel(int threads, int64_t count, gibbs_task *task, void *context)
{
    if (threads > MAX_HELPERS + 1) threads = MAX_HELPERS + 1;
    if (threads > count) threads = (int)count;
    if (threads > 1 && pthread_mutex_trylock(&pool.turn) == 0) {
        start_helpers(threads - 1);
        open_job(threads, count, task, context);
        take_tasks(0);
        close_job();
        pthread_mutex_unlock(&pool.turn);
        return;
    }
    for (int64_t i = 0; i < count; i++) task(context, i, 0);
}

int gibbs_default_threads(void)
{
    const char *wish = getenv("OMP_NUM_THREADS");
    int n = wish ? atoi(wish) : 0;
    if (n > 0) return n;
#if defined(__linux__)
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set) == 0) return CPU_COUNT(&set);
#endif
    long online = sysconf(_SC_NPROCESSORS_ONLN);
    return online > 0 ? (int)online : 1;
}
