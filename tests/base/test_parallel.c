/* The thread pool: every index once, workers of their own, and nobody waits for a helper that does not come. What
 * must happen at the same time is made to: tasks that meet return only when all of them run. */
#define _GNU_SOURCE
#include "base/parallel.h"

#include <criterion/criterion.h>
#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define LENGTH(array) ((int)(sizeof(array) / sizeof((array)[0])))

enum { MOST_TASKS = 2000, MOST_THREADS = 64 };

/* ---- The library's helpers are created through this function, which can refuse, or let them come late ---- */

static enum { START_AT_ONCE, START_LATE, START_NEVER } start;
static _Atomic int created;
static sem_t late;

typedef struct late_thread {
    void *(*routine)(void *);
    void *argument;
} late_thread;

static void *run_late(void *context)
{
    late_thread t = *(late_thread *)context;
    free(context);
    while (sem_wait(&late)) continue;
    return t.routine(t.argument);
}

__attribute__((visibility("default"))) int pthread_create(pthread_t *thread, const pthread_attr_t *attributes,
                                                          void *(*routine)(void *), void *argument)
{
    static int (*real)(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);
    if (!real) *(void **)&real = dlsym(RTLD_NEXT, "pthread_create");
    if (start == START_NEVER) return EAGAIN;
    atomic_fetch_add(&created, 1);
    if (start == START_AT_ONCE) return real(thread, attributes, routine, argument);
    late_thread *t = malloc(sizeof *t);
    *t = (late_thread){routine, argument};
    return real(thread, attributes, run_late, t);
}

/* Other libraries' threads, made before the test began, are not counted. */
static void forget_threads(void) { atomic_store(&created, 0); }

TestSuite(parallel, .init = forget_threads, .timeout = 60);

/* ---- What is seen of one call ---- */

typedef struct watch {
    int threads;
    int64_t count;
    _Atomic int ran[MOST_TASKS], busy[MOST_THREADS];
    _Atomic int bad_index, bad_worker, shared_worker, arrived;
    int meet; /* tasks that wait for one another; 0: none */
} watch;

static void enter(watch *w, int worker)
{
    if (worker < 0 || worker >= w->threads || worker >= MOST_THREADS) atomic_store(&w->bad_worker, 1);
    else if (atomic_exchange(&w->busy[worker], 1)) atomic_store(&w->shared_worker, 1);
}

static void leave(watch *w, int worker)
{
    if (worker >= 0 && worker < MOST_THREADS) atomic_store(&w->busy[worker], 0);
}

static void task(void *context, int64_t index, int worker)
{
    watch *w = context;
    enter(w, worker);
    if (index < 0 || index >= w->count) atomic_store(&w->bad_index, 1);
    else atomic_fetch_add(&w->ran[index], 1);
    atomic_fetch_add(&w->arrived, 1);
    while (atomic_load(&w->arrived) < w->meet) sched_yield();
    leave(w, worker);
}

/* What was wrong, or NULL. */
static const char *fault(const watch *w)
{
    if (w->bad_index) return "an index is out of range";
    if (w->bad_worker) return "a worker's number is out of range";
    if (w->shared_worker) return "two running tasks have one worker's number";
    for (int64_t i = 0; i < w->count; i++) {
        if (w->ran[i] == 0) return "an index was lost";
        if (w->ran[i] > 1) return "an index ran twice";
    }
    return NULL;
}

typedef void parallel(int threads, int64_t count, gibbs_task *task, void *context);

static const char *fault_of(parallel *call, int threads, int64_t count, int meet)
{
    watch *w = calloc(1, sizeof *w);
    *w = (watch){.threads = threads < 1 ? 1 : threads, .count = count, .meet = meet};
    call(threads, count, task, w);
    const char *found = fault(w);
    free(w);
    return found;
}

static void expect_good(int threads, int64_t count, int meet)
{
    const char *found = fault_of(gibbs_parallel, threads, count, meet);
    cr_assert_null(found, "%d threads, %lld tasks, %d meet: %s", threads, (long long)count, meet, found);
}

static void sleep_milliseconds(int n) { nanosleep(&(struct timespec){0, n * 1000000L}, NULL); }

/* ---- Every index once ---- */

Test(parallel, every_index_once)
{
    static const int threads[] = {-1, 0, 1, 2, 3, 4, 7, 16, 60};
    static const int64_t counts[] = {0, 1, 2, 3, 5, 16, 61, MOST_TASKS};
    for (int again = 0; again < 20; again++)
        for (int t = 0; t < LENGTH(threads); t++)
            for (int c = 0; c < LENGTH(counts); c++) expect_good(threads[t], counts[c], 0);
}

/* Jobs in quick succession find helpers awake, or on their way to sleep, or still leaving the last job. */
Test(parallel, one_job_after_another)
{
    for (int k = 0; k < 20000; k++) expect_good(2 + k % 3, 1 + k % 7, 0);
}

/* Tasks that wait for one another need a thread each: helpers come, also more than there are processors, also when
 * they have gone to sleep. */
Test(parallel, tasks_meet)
{
    for (int n = 2; n <= 32; n += n < 8 ? 1 : 8) {
        expect_good(n, n, n);
        expect_good(n, 50 * n, n);
    }
    for (int k = 0; k < 20; k++) {
        sleep_milliseconds(1);
        expect_good(3, 3, 3);
    }
    cr_assert_eq(created, 31, "%d helpers were created, not one less than the most threads", created);
}

/* ---- Controls: what the tests above would see ---- */

static void loses_one(int threads, int64_t count, gibbs_task *task, void *context)
{
    gibbs_parallel(threads, count - 1, task, context);
}

static void doubles_one(int threads, int64_t count, gibbs_task *task, void *context)
{
    gibbs_parallel(threads, count, task, context);
    task(context, count / 2, 0);
}

static void goes_beyond(int threads, int64_t count, gibbs_task *task, void *context)
{
    gibbs_parallel(threads, count + 1, task, context);
}

static void counts_workers_from_1(int threads, int64_t count, gibbs_task *task, void *context)
{
    for (int64_t i = 0; i < count; i++) task(context, i, threads);
}

typedef struct other_caller {
    gibbs_task *task;
    void *context;
} other_caller;

static void *second_task(void *context)
{
    const other_caller *o = context;
    o->task(o->context, 1, 0);
    return NULL;
}

/* Both tasks as worker 0, at the same time: they meet. */
static void shares_a_worker(int threads, int64_t count, gibbs_task *task, void *context)
{
    (void)threads, (void)count;
    pthread_t thread;
    other_caller o = {task, context};
    pthread_create(&thread, NULL, second_task, &o);
    task(context, 0, 0);
    pthread_join(thread, NULL);
}

static void expect_fault(parallel *broken, int meet, const char *sentence)
{
    const char *found = fault_of(broken, 2, meet ? 2 : 10, meet);
    cr_assert(found && strcmp(found, sentence) == 0, "%s instead of: %s", found ? found : "nothing", sentence);
}

Test(parallel, broken_pools_are_seen)
{
    expect_fault(loses_one, 0, "an index was lost");
    expect_fault(doubles_one, 0, "an index ran twice");
    expect_fault(goes_beyond, 0, "an index is out of range");
    expect_fault(counts_workers_from_1, 0, "a worker's number is out of range");
    expect_fault(shares_a_worker, 2, "two running tasks have one worker's number");
}

/* ---- Helpers that do not come ---- */

/* They exist, but have not begun: the caller does all tasks, and those who come later serve the next job. */
Test(parallel, nobody_waits_for_late_helpers)
{
    sem_init(&late, 0, 0);
    start = START_LATE;
    for (int k = 0; k < 100; k++) expect_good(4, 1 + k, 0);
    cr_assert_eq(created, 3);
    for (int k = 0; k < 3; k++) sem_post(&late);
    for (int k = 0; k < 100; k++) expect_good(4, 4, 4);
}

Test(parallel, threads_that_cannot_be_had)
{
    start = START_NEVER;
    for (int k = 0; k < 100; k++) expect_good(4, 1 + k, 0);
    start = START_AT_ONCE;
    expect_good(4, 4, 4);
}

/* ---- Calls inside calls, and beside them ---- */

typedef struct alone {
    watch w;
    pthread_t thread;
    _Atomic int elsewhere;
} alone;

static void task_alone(void *context, int64_t index, int worker)
{
    alone *a = context;
    if (!pthread_equal(pthread_self(), a->thread) || worker) atomic_store(&a->elsewhere, 1);
    task(&a->w, index, worker);
}

/* While another job runs, a call does all of its tasks itself, as worker 0. */
static const char *call_alone(int threads, int64_t count)
{
    alone *a = calloc(1, sizeof *a);
    *a = (alone){.w = {.threads = 1, .count = count}, .thread = pthread_self()};
    gibbs_parallel(threads, count, task_alone, a);
    const char *found = a->elsewhere ? "a task ran on another thread, or not as worker 0" : fault(&a->w);
    free(a);
    return found;
}

typedef struct outer {
    watch w;
    _Atomic int faults;
} outer;

static void nesting_task(void *context, int64_t index, int worker)
{
    outer *o = context;
    enter(&o->w, worker);
    atomic_fetch_add(&o->w.ran[index], 1);
    if (call_alone(4, 1 + index)) atomic_fetch_add(&o->faults, 1);
    leave(&o->w, worker);
}

Test(parallel, nested)
{
    for (int threads = 2; threads <= 5; threads++) {
        outer *o = calloc(1, sizeof *o);
        *o = (outer){.w = {.threads = threads, .count = 100}};
        gibbs_parallel(threads, 100, nesting_task, o);
        const char *found = fault(&o->w);
        cr_assert_null(found, "%s", found);
        cr_assert_eq(o->faults, 0, "%d nested calls went wrong", o->faults);
        free(o);
    }
}

typedef struct holder {
    _Atomic int inside, go;
} holder;

static void hold(void *context, int64_t index, int worker)
{
    holder *h = context;
    (void)index, (void)worker;
    atomic_fetch_add(&h->inside, 1);
    while (!atomic_load(&h->go)) sched_yield();
}

static void *hold_the_pool(void *context)
{
    gibbs_parallel(2, 2, hold, context);
    return NULL;
}

static pthread_t hold_pool(holder *h)
{
    pthread_t thread;
    cr_assert_eq(pthread_create(&thread, NULL, hold_the_pool, h), 0);
    while (atomic_load(&h->inside) < 2) sched_yield();
    return thread;
}

Test(parallel, while_another_threads_job_runs)
{
    holder h = {0};
    pthread_t thread = hold_pool(&h);
    const char *found = call_alone(4, 100);
    cr_assert_null(found, "%s", found);
    atomic_store(&h.go, 1);
    pthread_join(thread, NULL);
    expect_good(2, 2, 2);
}

static void *many_calls(void *faults)
{
    for (int k = 0; k < 3000; k++)
        if (fault_of(gibbs_parallel, 3, k % 20, 0)) atomic_fetch_add((_Atomic int *)faults, 1);
    return NULL;
}

Test(parallel, two_host_threads)
{
    _Atomic int faults = 0;
    pthread_t thread;
    cr_assert_eq(pthread_create(&thread, NULL, many_calls, &faults), 0);
    many_calls(&faults);
    pthread_join(thread, NULL);
    cr_assert_eq(faults, 0, "%d calls of 6000 went wrong", faults);
}

/* ---- After fork() the child has no helpers, and makes its own ---- */

static int exit_code_of_child(void)
{
    int status;
    pid_t pid = fork();
    cr_assert_geq(pid, 0);
    if (pid == 0) {
        alarm(20);
        atomic_store(&created, 0);
        if (fault_of(gibbs_parallel, 3, 100, 3)) _exit(1);
        _exit(atomic_load(&created) == 2 ? 0 : 2);
    }
    cr_assert_eq(waitpid(pid, &status, 0), pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 100 + WTERMSIG(status);
}

Test(parallel, fork_after_a_job)
{
    expect_good(4, 4, 4);
    cr_assert_eq(exit_code_of_child(), 0);
    expect_good(4, 4, 4);
    cr_assert_eq(created, 3, "the parent's helpers went on");
}

Test(parallel, fork_during_another_threads_job)
{
    holder h = {0};
    pthread_t thread = hold_pool(&h);
    cr_assert_eq(exit_code_of_child(), 0);
    atomic_store(&h.go, 1);
    pthread_join(thread, NULL);
    expect_good(4, 4, 4);
}
