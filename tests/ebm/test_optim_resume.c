/* Optimisers saved to a file in the middle of a run and loaded again: the same bits as without the break. */
#include "optim_helpers.h"

#include <criterion/criterion.h>
#include <gibbs/data.h>
#include <gibbs/optim.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { N = 37, STEPS = 60, BREAK = 23, SLOTS = 2 };

static const ebm_optimizer *const optimizers[] = {&ebm_sgd, &ebm_adam, &ebm_adamw, &ebm_rmsprop};
static char path[] = "/tmp/gibbs-resume-XXXXXX";

static void make_file(void)
{
    int descriptor = mkstemp(path);
    cr_assert(descriptor >= 0 && close(descriptor) == 0);
}

static void remove_file(void)
{
    unlink(path);
}

TestSuite(optim_resume, .init = make_file, .fini = remove_file);

/* All that a run goes on from. */
typedef struct run {
    double w[N], state[SLOTS * N], average[N];
} run;

static run start(gibbs_dtype dtype)
{
    run r;
    memset(&r, 0, sizeof r);
    uint64_t seed = 31;
    for (int i = 0; i < N; i++) put(dtype, r.w, i, random_number(&seed));
    return r;
}

static void take_steps(const ebm_optimizer *o, gibbs_dtype dtype, run *r, int64_t from, int64_t to)
{
    ebm_optim_step args = {.momentum = 0.9, .beta1 = 0.9, .beta2 = 0.99, .epsilon = 1e-8, .weight_decay = 0.1};
    double g[N] = {0};
    for (args.step = from; args.step < to; args.step++) {
        args.rate = ebm_schedule_warmed(EBM_SCHEDULE_COSINE, 0.01, args.step, STEPS, 5);
        for (int i = 0; i < N; i++) put(dtype, g, i, sin(i + 3 * get(dtype, r->w, i)));
        o->update(dtype, N, r->w, g, r->state, &args);
        ebm_average(dtype, N, r->average, r->w, 0.9, args.step);
    }
}

/* A run as it comes back from a file of the first `tensors` tensors; what is not in the file is 0. */
static run through_a_file(gibbs_dtype dtype, int slots, run *r, int tensors)
{
    run back;
    ebm_tensors file;
    gibbs_error error = {0};
    const ebm_tensor tensor[] = {{"w", dtype, {1, {N}}, r->w},
                                 {"state", dtype, {2, {slots, N}}, r->state},
                                 {"average", GIBBS_FLOAT64, {1, {N}}, r->average}};
    cr_assert(ebm_tensors_write(path, tensor, tensors, &error) == GIBBS_OK, "%s", error.message);
    cr_assert(ebm_tensors_read(path, NULL, &file, &error) == GIBBS_OK, "%s", error.message);
    memset(&back, 0, sizeof back);
    void *const to[] = {back.w, back.state, back.average};
    for (int k = 0; k < tensors; k++) {
        const ebm_tensor *t = ebm_tensors_find(&file, tensor[k].name);
        memcpy(to[k], t->data, (size_t)ad_shape_count(&t->shape) * gibbs_dtype_size(t->dtype));
    }
    ebm_tensors_free(&file);
    return back;
}

/* 1 when the parameters end alike, and 2 when the averages do. */
static int same_end(const ebm_optimizer *o, gibbs_dtype dtype, int tensors)
{
    run whole = start(dtype), broken = start(dtype);
    take_steps(o, dtype, &whole, 0, STEPS);
    take_steps(o, dtype, &broken, 0, BREAK);
    broken = through_a_file(dtype, o->slots, &broken, tensors);
    take_steps(o, dtype, &broken, BREAK, STEPS);
    return (memcmp(whole.w, broken.w, N * gibbs_dtype_size(dtype)) ? 0 : 1) +
           (memcmp(whole.average, broken.average, sizeof whole.average) ? 0 : 2);
}

Test(optim_resume, same_bits)
{
    for (int o = 0; o < 4; o++)
        EACH(gibbs_dtype, dtype, dtypes) {
            cr_expect(same_end(optimizers[o], *dtype, 3) == 3, "%s, dtype %d", optimizers[o]->name, (int)*dtype);
            cr_expect(same_end(optimizers[o], *dtype, 2) == 1, "control: %s, no average", optimizers[o]->name);
            cr_expect(same_end(optimizers[o], *dtype, 1) == 0, "control: %s, no state", optimizers[o]->name);
        }
}
