/* shared.c — what a stage does outside its body: shared instructions, and adding up the shards' accumulators. What is
 * large is cut into parts that threads take; by sizes alone, so that the bits are the same for any number of
 * threads. */
#include "base/parallel.h"
#include "parts.h"
#include "workspace.h"

#include <math.h>

/* ---- Shared instructions ---- */

typedef struct parts_job {
    const ad_instruction *i;
    const ad_frame *frame;
    ad_parts parts;
    gibbs_status status[AD_MOST_PARTS];
    gibbs_error error[AD_MOST_PARTS];
} parts_job;

static void run_part(void *context, int64_t part, int worker)
{
    parts_job *job = context;
    ad_frame f = *job->frame;
    ad_part one;
    ad_part_of(job->i, job->parts, part, (int64_t)f.kernels->size, &one);
    if (f.room) f.room += worker * f.plan->room;
    f.error = &job->error[part];
    job->status[part] = ad_execute(&one.is, &f);
}

static gibbs_status run_parts(const ad_instruction *i, const ad_frame *f, ad_parts parts, int threads)
{
    parts_job job = {.i = i, .frame = f, .parts = parts};
    gibbs_parallel(threads, parts.count, run_part, &job);
    for (int64_t k = 0; k < parts.count; k++)
        if (job.status[k]) {
            if (f->error) *f->error = job.error[k];
            return job.status[k];
        }
    return GIBBS_OK;
}

typedef struct shared_state {
    int threads;
    bool check;
} shared_state;

static gibbs_status run_code(void *context, const ad_instruction *i, int64_t count, ad_frame *f)
{
    const shared_state *s = context;
    for (int64_t k = 0; k < count; k++, i++) {
        ad_parts parts = ad_parts_of(i);
        gibbs_status status = parts.count > 1 ? run_parts(i, f, parts, s->threads) : ad_execute(i, f);
        if (!status && s->check) status = ad_check_finite(i, f);
        if (!status && i->action == DO_loop) {
            status = ad_repeat(i, f, run_code, context);
            k += i->loop.body, i += i->loop.body;
        }
        if (status) return status;
    }
    return GIBBS_OK;
}

gibbs_status ad_run_shared(const ad_code *code, ad_frame *f, int threads, bool check)
{
    shared_state state = {threads, check};
    return run_code(&state, code->at, code->count, f);
}

/* ---- Adding up ---- */

typedef struct sum_job {
    const ad_kernels *kernels;
    const ad_accumulator *a;
    const char *acc; /* the first shard's; the others' follow at `stride` */
    int64_t stride, shards;
    char *to;
} sum_job;

enum { CHUNK = 1 << 14 }; /* numbers added up as one task */

static double combine(const sum_job *j, int64_t k)
{
    const ad_accumulator *a = j->a;
    double total = ((const double *)j->acc)[k],
           sum = ad_accumulated(a->op) == 2 ? ((const double *)j->acc)[a->count + k] : 0;
    for (int64_t s = 1; s < j->shards; s++) {
        const double *next = (const double *)(j->acc + s * j->stride);
        if (a->op == OP_batch_sum) total += next[k];
        else if (a->op == OP_batch_max) total = next[k] > total || next[k] != next[k] ? next[k] : total;
        else {
            double top = next[k] > total || next[k] != next[k] ? next[k] : total;
            double p = total == top ? 1 : exp(total - top), q = next[k] == top ? 1 : exp(next[k] - top);
            sum = sum * p + next[a->count + k] * q;
            total = top;
        }
    }
    if (ad_accumulated(a->op) < 2) return total;
    double exact = total - total == 0 ? total + log(sum) : total;
    if (a->op == OP_batch_logsumexp) return exact;
    double rounded = j->kernels->size == sizeof(float) ? (float)exact : exact;
    return exact - exact == 0 ? (total - rounded) + log(sum) : 0;
}

static void add_up_chunk(void *context, int64_t chunk, int worker)
{
    const sum_job *j = context;
    int64_t first = chunk * CHUNK, n = j->a->count - first < CHUNK ? j->a->count - first : CHUNK;
    int64_t size = (int64_t)j->kernels->size;
    char *to = j->to + first * size;
    (void)worker;
    if (j->a->op == OP_batch_matmul) {
        for (int64_t s = 1; s < j->shards; s++)
            j->kernels->binary[OP_add](n, to, to, 1, j->acc + first * size + s * j->stride, 1);
        return;
    }
    for (int64_t k = first; k < first + n; k++, to += size) {
        double v = combine(j, k);
        j->kernels->from_double(1, to, &v);
    }
}

/* The first shard's sum of products lies in the result already. */
void ad_add_up(const ad_workspace *w, const ad_stage *stage, const ad_accumulator *a, int64_t shards, int threads)
{
    if (a->op == OP_batch_matmul && shards == 1) return;
    sum_job job = {w->plan->kernels, a, w->accumulators.at + a->offset, stage->accumulator_bytes, shards,
                   w->base[a->result.base] + a->result.offset};
    gibbs_parallel(threads, (a->count + CHUNK - 1) / CHUNK, add_up_chunk, &job);
}
