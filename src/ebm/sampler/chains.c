/* chains.c — many chains side by side. Two programs: `start` makes from x what the sampler keeps beside it (and a
 * count of acceptances, 0), `move` takes a step whose outputs are carried into its inputs, so that all steps of a
 * block of chains are taken while its rows are in cache. What is kept is made anew from x at every run, since the
 * parameters may have changed. */
#include "chains.h"

#include "ebm/program.h"
#include "ebm/proposal/record.h"

#include <math.h>
#include <string.h>

/* State: x, what the sampler keeps, the count. Steps of one ad_run: a float counts exactly to 2²⁴. */
enum { MAX_STATE = EBM_MAX_CACHES + 2, RUN_STEPS = 1 << 20 };

struct ebm_chains {
    gibbs_allocator alloc;
    ebm_model *model;
    const ebm_sampler *sampler;
    int threads, caches, state;
    double step;      /* h as one number of the model's dtype */
    ebm_program start, move;
    ad_axis axis;     /* axis and vars are only names for what the plans know: the tape is gone */
    ad_var *theta, h, input[MAX_STATE];
    int64_t width[MAX_STATE]; /* numbers a chain */
    void *x;
    int64_t rows, capacity;
    int64_t taken;    /* steps since the start */
    double accepted;  /* of all chains since then */
};

/* ---- Recording ---- */

static ad_var lifted(const ebm_chains *c, ad_var v) { return ad_is_null(v) ? v : ad_lift(c->axis, v); }

/* Outputs: what the sampler keeps, the count, and last E, which the sampler need not keep. */
static gibbs_status build_start(ebm_chains *c, const ebm_sampler_graph *g, gibbs_error *error)
{
    ad_var output[MAX_STATE];
    for (int k = 0; k < c->caches; k++) output[k] = (ad_var){g->tape, -1};
    if (c->sampler->start) c->sampler->start(g, c->input[0], output);
    output[c->caches] = ad_constant(g->tape, 0);
    output[c->caches + 1] = ebm_sampler_energy(g, c->input[0]);
    for (int k = 0; k < c->state; k++) output[k] = lifted(c, output[k]);
    for (int k = 1; k < c->state; k++) {
        ad_shape shape = ad_shape_of(output[k - 1]);
        c->width[k] = ad_shape_count(&shape);
        c->input[k] = ad_input(c->axis, k <= c->caches ? "kept" : "accepted", shape);
    }
    return ebm_program_build(g->tape, output, c->state, NULL, &c->start, error);
}

static gibbs_status build_move(ebm_chains *c, const ebm_sampler_graph *g, gibbs_error *error)
{
    ad_var output[MAX_STATE];
    ad_carry carry[MAX_STATE];
    int count = c->state - 1;
    for (int k = 0; k < c->state; k++) output[k] = (ad_var){g->tape, -1};
    output[count] = ad_add(c->input[count], c->sampler->step(g, c->input, output));
    for (int k = 0; k < c->state; k++) {
        output[k] = lifted(c, output[k]);
        carry[k] = (ad_carry){k, c->input[k]};
    }
    ad_plan_options options = {.carry = carry, .carries = c->state};
    return ebm_program_build(g->tape, output, c->state, &options, &c->move, error);
}

static gibbs_status record(ebm_chains *c, ad_tape *tape, const ebm_proposal *q, gibbs_error *error)
{
    ebm_model_record(c->model, tape, c->theta);
    c->axis = ad_axis_new(tape, "chain");
    c->h = ad_parameter(tape, "step", ad_scalar());
    c->input[0] = ad_input(c->axis, "x", ad_vec(c->model->dim));
    c->width[0] = c->model->dim;
    ebm_sampler_graph graph = {.tape = tape, .model = c->model, .theta = c->theta, .chain = c->axis, .step = c->h,
                               .proposal = q};
    gibbs_status status = build_start(c, &graph, error);
    return status ? status : build_move(c, &graph, error);
}

/* ---- Making and freeing ---- */

ebm_chain_options ebm_chain_defaults(void) { return (ebm_chain_options){.sampler = &ebm_mala, .step = 0.01}; }

static gibbs_status check_options(const ebm_model *model, const ebm_chain_options *o, gibbs_error *error)
{
    const ebm_sampler *s = o->sampler ? o->sampler : &ebm_mala;
    double h = model->dtype == GIBBS_FLOAT64 ? o->step : (double)(float)o->step;
    if (!(h > 0 && isfinite(h)))
        return gibbs_fail(error, GIBBS_ARGUMENT, "chains: the step is %g; it must be positive and finite", o->step);
    if (o->threads < 0) return gibbs_fail(error, GIBBS_ARGUMENT, "chains: %d threads", o->threads);
    if (!s->step || s->caches < 0 || s->caches > EBM_MAX_CACHES || (s->caches && !s->start))
        return gibbs_fail(error, GIBBS_ARGUMENT, "chains: «%s» keeps %d values (at most %d) and must have a step%s",
                          s->name ? s->name : "", s->caches, EBM_MAX_CACHES, s->caches ? " and a start" : "");
    if (!s->needs_proposal && !o->proposal) return GIBBS_OK;
    return ebm_proposal_check(s->name ? s->name : "chains", o->proposal, model->dim, true, error);
}

gibbs_status ebm_chains_new(ebm_model *model, const ebm_chain_options *options, ebm_chains **out, gibbs_error *error)
{
    GIBBS_REQUIRE("chains", model && options && out, error);
    *out = NULL;
    gibbs_allocator a = model->alloc;
    gibbs_status status = check_options(model, options, error);
    if (status) return status;
    ebm_chains *c = gibbs_alloc_zero(&a, 1, sizeof *c);
    ad_tape *tape = c ? ad_tape_new(model->dtype, &a) : NULL;
    if (c) {
        *c = (ebm_chains){.alloc = a, .model = model, .sampler = options->sampler ? options->sampler : &ebm_mala,
                          .threads = options->threads};
        c->caches = c->sampler->caches;
        c->state = c->caches + 2;
        ebm_to_dtype(model->dtype, 1, &c->step, &options->step);
        c->theta = gibbs_alloc(&a, (size_t)model->parameters, sizeof *c->theta);
    }
    status = tape && c->theta ? record(c, tape, options->proposal, error)
                              : gibbs_fail(error, GIBBS_MEMORY, "chains: out of memory");
    ad_tape_free(tape);
    if (status) ebm_chains_free(c);
    else *out = c;
    return status;
}

void ebm_chains_free(ebm_chains *c)
{
    if (!c) return;
    gibbs_allocator a = c->alloc;
    ebm_program_free(&c->start);
    ebm_program_free(&c->move);
    gibbs_release(&a, c->theta);
    gibbs_release_aligned(&a, c->x);
    gibbs_release(&a, c);
}

/* ---- Placing ---- */

static gibbs_status make_room(ebm_chains *c, int64_t rows, gibbs_error *error)
{
    if (rows <= c->capacity) return GIBBS_OK;
    void *x = gibbs_alloc_aligned(&c->alloc, (size_t)(rows * c->model->dim), gibbs_dtype_size(c->model->dtype));
    if (!x) return gibbs_fail(error, GIBBS_MEMORY, "chains: out of memory for %lld chains", (long long)rows);
    gibbs_release_aligned(&c->alloc, c->x);
    c->x = x;
    c->capacity = rows;
    c->rows = 0;
    return GIBBS_OK;
}

/* Checks and room for points of the given dtype; then the chains are at `rows` places that the caller fills in. */
static gibbs_status place(ebm_chains *c, gibbs_dtype dtype, const void *x, int64_t rows, gibbs_error *error)
{
    if (rows < 1) return gibbs_fail(error, GIBBS_DATA, "chains: no rows");
    if (!x) return gibbs_fail(error, GIBBS_ARGUMENT, "chains: no points to start from");
    int64_t dim = c->model->dim, count;
    if (!gibbs_mul_size(rows, dim, &count))
        return gibbs_fail(error, GIBBS_SIZE, "chains: %lld chains are too many", (long long)rows);
    int64_t bad = ebm_first_not_finite(dtype, x, count);
    if (bad < count)
        return ebm_fail_row(error, GIBBS_DATA, bad / dim, "chains: the start is %g at row %lld, column %lld",
                            ebm_number(dtype, x, bad), (long long)(bad / dim) + 1, (long long)(bad % dim) + 1);
    gibbs_status status = make_room(c, rows, error);
    if (status) return status;
    c->rows = rows;
    c->taken = 0;
    c->accepted = 0;
    return GIBBS_OK;
}

gibbs_status ebm_chains_start(ebm_chains *c, const double *x, int64_t rows, gibbs_error *error)
{
    GIBBS_REQUIRE("chains", c, error);
    gibbs_status status = place(c, GIBBS_FLOAT64, x, rows, error);
    if (!status) ebm_to_dtype(c->model->dtype, rows * c->model->dim, c->x, x);
    return status;
}

gibbs_status ebm_chains_start_native(ebm_chains *c, const void *x, int64_t rows, gibbs_error *error)
{
    gibbs_status status = place(c, c->model->dtype, x, rows, error);
    if (!status) memcpy(c->x, x, (size_t)(rows * c->model->dim) * gibbs_dtype_size(c->model->dtype));
    return status;
}

/* ---- Moving ---- */

static gibbs_status check_finite(const ebm_chains *c, const char *what, const void *numbers, int64_t width,
                                 gibbs_error *error)
{
    int64_t bad = ebm_first_not_finite(c->model->dtype, numbers, c->rows * width);
    if (bad == c->rows * width) return GIBBS_OK;
    return ebm_fail_row(error, GIBBS_NUMERIC, bad / width, "chains: %s is %g at row %lld", what,
                        ebm_number(c->model->dtype, numbers, bad), (long long)(bad / width) + 1);
}

/* The parameters are bound at every run: cheap, and it holds if the model's memory should ever move. */
static gibbs_status prepare(const ebm_chains *c, const ebm_program *p, gibbs_error *error)
{
    gibbs_status status = ebm_model_bind(c->model, p->workspace, c->theta, error);
    if (!status) status = ad_bind(p->workspace, c->h, &c->step, error);
    if (!status) status = ad_bind(p->workspace, c->input[0], c->x, error);
    return status ? status : ad_set_rows(p->workspace, c->axis, c->rows, error);
}

static gibbs_status run_start(ebm_chains *c, gibbs_error *error)
{
    gibbs_status status = prepare(c, &c->start, error);
    if (!status) status = ad_run(c->start.workspace, &(ad_run_options){.threads = c->threads}, error);
    const ad_workspace *w = c->start.workspace;
    if (!status) status = check_finite(c, "the energy at the start", ad_result(w, c->state - 1), 1, error);
    for (int k = 1; k <= c->caches && !status; k++)
        status = check_finite(c, "the gradient or weight at the start", ad_result(w, k - 1), c->width[k], error);
    return status;
}

static gibbs_status run_move(ebm_chains *c, const ad_run_options *options, gibbs_error *error)
{
    gibbs_status status = prepare(c, &c->move, error);
    for (int k = 1; k < c->state && !status; k++)
        status = ad_bind(c->move.workspace, c->input[k], ad_result(c->start.workspace, k - 1), error);
    if (!status) status = ad_run(c->move.workspace, options, error);
    for (int k = 0; k <= c->caches && !status; k++) {
        const char *what = k ? "after the moves the energy, gradient or weight" : "after the moves (is h too large?) x";
        status = check_finite(c, what, ad_result(c->move.workspace, k), c->width[k], error);
    }
    return status;
}

/* The chains are where the moves ended; nothing here fails. */
static void commit(ebm_chains *c, int64_t steps)
{
    const void *count = ad_result(c->move.workspace, c->state - 1);
    memcpy(c->x, ad_result(c->move.workspace, 0), (size_t)(c->rows * c->width[0]) * gibbs_dtype_size(c->model->dtype));
    for (int64_t row = 0; row < c->rows; row++) c->accepted += ebm_number(c->model->dtype, count, row);
    c->taken += steps;
}

gibbs_status ebm_chains_run(ebm_chains *c, int64_t steps, uint64_t seed, uint64_t step0, gibbs_error *error)
{
    GIBBS_REQUIRE("chains", c, error);
    if (!c->rows) return gibbs_fail(error, GIBBS_ARGUMENT, "chains: run before a start");
    if (steps < 0) return gibbs_fail(error, GIBBS_ARGUMENT, "chains: %lld steps", (long long)steps);
    while (steps > 0) {
        int now = steps < RUN_STEPS ? (int)steps : RUN_STEPS;
        ad_run_options options = {.seed = seed, .step = step0 + (uint64_t)c->taken, .repeat = now};
        options.threads = c->threads;
        gibbs_status status = run_start(c, error);
        if (!status) status = run_move(c, &options, error);
        if (status) return status;
        commit(c, now);
        steps -= now;
    }
    return GIBBS_OK;
}

/* ---- Looking ---- */

int64_t ebm_chains_rows(const ebm_chains *c) { return c->rows; }
const void *ebm_chains_native(const ebm_chains *c) { return c->rows ? c->x : NULL; }
void ebm_chains_get(const ebm_chains *c, double *x) { ebm_from_dtype(c->model->dtype, c->rows * c->width[0], x, c->x); }

double ebm_chains_acceptance(const ebm_chains *c)
{
    return c->taken ? c->accepted / ((double)c->taken * (double)c->rows) : NAN;
}
