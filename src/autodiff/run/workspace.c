/* workspace.c — memory and bindings. */
#include "workspace.h"

#include <math.h>
#include <pthread.h>
#include <string.h>
#ifdef GIBBS_BLAS
#include <cblas.h>
#endif

#ifdef GIBBS_OPENBLAS
void openblas_set_num_threads(int);
#endif

static _Thread_local int keep_threads; /* set_up's argument: pthread_once hands none over */

/* OpenBLAS hangs when its first call finds no memory; so that call is made here, early and small. Where the products
 * are our own, what the host has set is left alone. */
static void set_up(void)
{
    if (!ad_kernels_for(GIBBS_FLOAT64)->uses_blas) return;
#ifdef GIBBS_OPENBLAS
    if (!keep_threads) openblas_set_num_threads(1);
#endif
#ifdef GIBBS_BLAS
    enum { N = 48 };
    static double a[N * N], b[N * N];
    cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, N, N, N, 1, a, N, a, N, 0, b, N);
#endif
}

/* Nobody returns before it is done. */
void ad_initialise(int keep_blas_threads)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    keep_threads = keep_blas_threads;
    pthread_once(&once, set_up);
}

bool ad_memory_fit(const gibbs_allocator *a, ad_memory *m, int64_t bytes)
{
    if (bytes <= m->bytes) return true;
    char *fresh = gibbs_alloc_aligned(a, (size_t)bytes, 1);
    if (!fresh) return false;
    gibbs_release_aligned(a, m->at);
    *m = (ad_memory){fresh, bytes};
    return true;
}

gibbs_status ad_workspace_new(const ad_plan *plan, ad_workspace **out, gibbs_error *error)
{
    if (out) *out = NULL;
    GIBBS_REQUIRE("workspace", plan && out, error);
    ad_initialise(0);
    const gibbs_allocator *a = &plan->alloc;
    ad_workspace *w = gibbs_alloc_zero(a, 1, sizeof *w);
    if (!w) return gibbs_fail(error, GIBBS_MEMORY, "workspace: out of memory");
    w->plan = plan;
    w->alloc = *a;
    w->bases = AD_BASE_SLOTS + plan->slots;
    w->rows = gibbs_alloc_zero(a, (size_t)plan->axes, sizeof *w->rows);
    w->base = gibbs_alloc_zero(a, (size_t)w->bases, sizeof *w->base);
    w->stored = gibbs_alloc_zero(a, (size_t)plan->slots, sizeof *w->stored);
    w->shared = gibbs_alloc_aligned(a, (size_t)plan->shared_bytes, 1);
    if (!w->rows || !w->base || !w->stored || !w->shared) {
        ad_workspace_free(w);
        return gibbs_fail(error, GIBBS_MEMORY, "workspace: out of memory");
    }
    memset(w->shared, 0, (size_t)plan->shared_bytes);
    if (plan->constant_bytes) memcpy(w->shared, plan->constants, (size_t)plan->constant_bytes);
    w->base[AD_BASE_SHARED] = w->shared;
    gibbs_status status = plan->storing ? ad_workspace_new(plan->storing, &w->storing, error) : GIBBS_OK;
    if (status) ad_workspace_free(w);
    else *out = w;
    return status;
}

void ad_workspace_free(ad_workspace *w)
{
    if (!w) return;
    gibbs_allocator a = w->alloc;
    ad_workspace_free(w->storing);
    for (int64_t s = 0; w->stored && s < w->plan->slots; s++) gibbs_release_aligned(&a, w->stored[s].at);
    gibbs_release_aligned(&a, w->accumulators.at);
    gibbs_release_aligned(&a, w->arena.at);
    gibbs_release_aligned(&a, w->tables.at);
    gibbs_release_aligned(&a, w->rooms.at);
    gibbs_release_aligned(&a, w->shared);
    gibbs_release(&a, w->stored);
    gibbs_release(&a, w->base);
    gibbs_release(&a, w->rows);
    gibbs_release(&a, w);
}

gibbs_status ad_bind(ad_workspace *w, ad_var input, const void *memory, gibbs_error *error)
{
    GIBBS_REQUIRE("bind", w, error);
    if (input.tape != w->plan->tape || input.id < 0 || input.id >= w->plan->tape_size)
        return gibbs_fail(error, GIBBS_TAPE, "bind: the var is null or not of the plan's tape");
    if (!w->plan->leaf[input.id]) return gibbs_fail(error, GIBBS_TAPE, "bind: the var is no input or parameter");
    if (!memory) return gibbs_fail(error, GIBBS_ARGUMENT, "bind: no memory");
    for (int64_t s = 0; s < w->plan->slots; s++)
        if (w->plan->slot[s].kind == SLOT_INPUT && w->plan->slot[s].leaf == input.id)
            w->base[AD_BASE_SLOTS + s] = (char *)memory;
    return w->storing ? ad_bind(w->storing, input, memory, error) : GIBBS_OK;
}

gibbs_status ad_bind_f32(ad_workspace *w, ad_var input, const float *memory, gibbs_error *error)
{
    GIBBS_REQUIRE("bind", w, error);
    if (w->plan->dtype != GIBBS_FLOAT32)
        return gibbs_fail(error, GIBBS_DTYPE, "bind: the plan's numbers are float64, not float32");
    return ad_bind(w, input, memory, error);
}

gibbs_status ad_bind_f64(ad_workspace *w, ad_var input, const double *memory, gibbs_error *error)
{
    GIBBS_REQUIRE("bind", w, error);
    if (w->plan->dtype != GIBBS_FLOAT64)
        return gibbs_fail(error, GIBBS_DTYPE, "bind: the plan's numbers are float32, not float64");
    return ad_bind(w, input, memory, error);
}

gibbs_status ad_set_rows(ad_workspace *w, ad_axis axis, int64_t rows, gibbs_error *error)
{
    GIBBS_REQUIRE("set_rows", w, error);
    if (axis.tape != w->plan->tape || axis.id < 0 || axis.id >= w->plan->axes)
        return gibbs_fail(error, GIBBS_TAPE,
                          "set_rows: the axis is null, not of the plan's tape, or made after the plan");
    const ad_axis_info *info = &w->plan->axis[axis.id];
    if (info->parent >= 0)
        return gibbs_fail(error, GIBBS_AXIS, "set_rows: «%s» is a child axis; its size follows from «%s»", info->name,
                          w->plan->axis[info->parent].name);
    if (rows < 1)
        return gibbs_fail(error, GIBBS_ARGUMENT, "set_rows: %lld rows on «%s»; at least 1 is needed", (long long)rows,
                          info->name);
    if (rows > (int64_t)1 << 48)
        return gibbs_fail(error, GIBBS_SIZE, "set_rows: %lld rows on «%s» are too many", (long long)rows, info->name);
    w->rows[axis.id] = rows;
    return w->storing ? ad_set_rows(w->storing, axis, rows, error) : GIBBS_OK;
}

const void *ad_result(const ad_workspace *w, int output)
{
    if (w->twin_ran) w = w->storing;
    if (!w->ran || output < 0 || output >= w->plan->outputs) return NULL;
    const ad_operand *at = &w->plan->output[output].at;
    return w->base[at->base] + at->offset;
}

const float *ad_result_f32(const ad_workspace *w, int output)
{
    return w->plan->dtype == GIBBS_FLOAT32 ? ad_result(w, output) : NULL;
}

const double *ad_result_f64(const ad_workspace *w, int output)
{
    return w->plan->dtype == GIBBS_FLOAT64 ? ad_result(w, output) : NULL;
}

double ad_result_scalar(const ad_workspace *w, int output)
{
    const void *at = ad_result(w, output);
    return at ? w->plan->kernels->get(at, 0) : NAN;
}
