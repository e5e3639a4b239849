/* A thread of 128 KiB of stack can do everything: the library puts no large arrays there. */
#include "sampling.h"

#include <gibbs/data.h>

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

enum { STACK = SANITIZED ? 1 << 20 : 1 << 17 }; /* sanitized, frames have borders */

static void *in_small_stack(void *(*work)(void *), void *context)
{
    pthread_attr_t attributes;
    pthread_t thread;
    void *result = NULL;
    cr_assert(!pthread_attr_init(&attributes) && !pthread_attr_setstacksize(&attributes, STACK));
    cr_assert(!pthread_create(&thread, &attributes, work, context));
    cr_assert(!pthread_join(thread, &result));
    pthread_attr_destroy(&attributes);
    return result;
}

typedef struct job {
    ebm_model *model;
    ebm_data data;
    char path[64];
    gibbs_status status;
    gibbs_error error;
} job;

static void fit(job *j, const ebm_loss *loss)
{
    ebm_fit_options o = {0};
    o.loss = loss;
    o.steps = 3;
    o.threads = 2;
    if (!j->status) j->status = ebm_fit(j->model, &j->data, &o, NULL, &j->error);
}

static void save_and_load(job *j)
{
    ebm_data copy;
    if (!j->status) j->status = ebm_model_save(j->model, j->path, &j->error);
    if (!j->status) j->status = ebm_model_load(j->model, j->path, &j->error);
    if (!j->status) j->status = ebm_data_write_csv(j->path, &j->data, &j->error);
    if (!j->status) j->status = ebm_data_read(j->path, NULL, &copy, &j->error);
    if (!j->status) ebm_data_free(&copy);
}

static void standard_errors(job *j)
{
    ebm_fit_options o = {0};
    ebm_uncertainty u;
    o.loss = &ebm_loss_score_matching;
    o.weight_decay = 10;
    if (!j->status) j->status = ebm_standard_errors(j->model, &j->data, &o, &u, &j->error);
    if (!j->status) ebm_uncertainty_free(&u);
}

static void chains(job *j)
{
    ebm_chain_options o = {0};
    ebm_chains *c = NULL;
    if (!j->status) j->status = ebm_chains_new(j->model, &o, &c, &j->error);
    if (!j->status) j->status = ebm_chains_start(c, j->data.x, j->data.rows, &j->error);
    if (!j->status) j->status = ebm_chains_run(c, 3, 1, 0, &j->error);
    ebm_chains_free(c);
}

static void *everything(void *context)
{
    job *j = context;
    int64_t widths[] = {16};
    ebm_mlp_spec spec = {.dim = 2, .widths = widths, .layers = 1, .base_sd = 2, .dtype = GIBBS_FLOAT64, .seed = 1};
    j->status = ebm_data_generate("moons", 2000, 1, NULL, &j->data, &j->error);
    if (!j->status) j->status = ebm_model_mlp(&spec, &j->model, &j->error);
    fit(j, &ebm_loss_score_matching);
    fit(j, &ebm_loss_pcd);
    save_and_load(j);
    standard_errors(j);
    chains(j);
    return NULL;
}

Test(stack, of_128_kib_suffices)
{
    job j = {.error = {.status = GIBBS_OK, .message = ""}};
    snprintf(j.path, sizeof j.path, "stack-%ld.tmp", (long)getpid());
    in_small_stack(everything, &j);
    remove(j.path);
    cr_expect_eq(j.status, GIBBS_OK, "%s", j.error.message);
    ebm_model_free(j.model);
    ebm_data_free(&j.data);
}

/* The control: what needs more is seen to fail. */
static void *hungry(void *context)
{
    volatile char room[STACK];
    for (int i = STACK - 1; i >= 0; i -= 256) room[i] = *(char *)context;
    return room[0] ? context : NULL;
}

Test(stack, of_128_kib_is_small, .signal = SIGSEGV, .disabled = SANITIZED) { in_small_stack(hungry, "a"); }
