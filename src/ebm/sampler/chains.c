/* chains.c — many chains side by side: made, placed, moved. What is kept beside x is made anew from x at every run,
 * since the parameters may have changed. */
#include "chain_state.h"

#include "ebm/model/conditioned.h"
#include "ebm/space/space.h"

#include <math.h>
#include <string.h>

/* ---- Making and freeing ---- */

static bool fill(ebm_chains *c, ebm_model *model, const ebm_chain_options *o, const ebm_proposal *base)
{
    *c = (ebm_chains){.alloc = model->alloc, .model = model, .sampler = o->sampler, .threads = o->threads,
                      .rungs = o->temperatures, .swap_every = o->swap_every, .space = o->space,
                      .given = ebm_model_given(model), .dim = model->dim - ebm_model_given(model)};
    for (int k = 0; k < 2; k++) c->values[k] = o->space.values[k];
    c->space.values = c->values;
    c->caches = c->sampler->caches;
    c->state = c->caches + 2;
    c->path = base != NULL;
    c->tempered = base || o->temperatures;
    c->discrete = c->sampler->discrete || (base && c->sampler->needs_blocks); /* whose units are then 0 or 1 */
    ebm_to_dtype(model->dtype, 1, &c->step, &o->step);
    c->theta = gibbs_alloc(&c->alloc, (size_t)model->parameters, sizeof *c->theta);
    if (!o->temperatures) return c->theta;
    c->ladder = gibbs_alloc(&c->alloc, (size_t)o->temperatures, sizeof *c->ladder);
    if (c->ladder) memcpy(c->ladder, o->inverse_temperatures, (size_t)o->temperatures * sizeof *c->ladder);
    return c->theta && c->ladder;
}

/* Sweeps on couplings where the energy has them, else moves that are recorded. */
static gibbs_status make(ebm_chains *c, ebm_chain_options *o, const ebm_proposal *base, gibbs_error *error)
{
    gibbs_status status = GIBBS_OK;
    o->space = c->space;
    if (c->sampler == &ebm_gibbs) status = ebm_sweeps_new(c->model, o, base, &c->sweeps, error);
    c->moves = 1;
    if (status || c->sweeps) return status;
    ad_tape *tape = ad_tape_new(c->model->dtype, &c->alloc);
    status = tape ? ebm_chains_record(c, tape, o, base, error)
                  : gibbs_fail(error, GIBBS_MEMORY, "chains: out of memory");
    ad_tape_free(tape);
    return status;
}

gibbs_status ebm_chains_new_path(ebm_model *model, const ebm_chain_options *options, const ebm_proposal *base,
                                 ebm_chains **out, gibbs_error *error)
{
    GIBBS_REQUIRE("chains", model && out, error);
    *out = NULL;
    gibbs_allocator a = model->alloc;
    ebm_chain_options filled = options ? *options : (ebm_chain_options){0};
    gibbs_status status = ebm_chain_options_fill(model, &filled, error);
    if (status) return status;
    ebm_chains *c = gibbs_alloc_zero(&a, 1, sizeof *c);
    bool ready = c && fill(c, model, &filled, base);
    status = ready ? make(c, &filled, base, error) : gibbs_fail(error, GIBBS_MEMORY, "chains: out of memory");
    if (status) ebm_chains_free(c);
    else *out = c;
    return status;
}

gibbs_status ebm_chains_new(ebm_model *model, const ebm_chain_options *options, ebm_chains **chains,
                            gibbs_error *error)
{
    return ebm_chains_new_path(model, options, NULL, chains, error);
}

void ebm_chains_free(ebm_chains *c)
{
    if (!c) return;
    gibbs_allocator a = c->alloc;
    ebm_program_free(&c->start);
    ebm_program_free(&c->move);
    ebm_sweeps_free(c->sweeps);
    gibbs_release(&a, c->theta);
    gibbs_release(&a, c->ladder);
    gibbs_release_aligned(&a, c->x);
    gibbs_release_aligned(&a, c->x_given);
    gibbs_release_aligned(&a, c->inverse_temperature);
    gibbs_release(&a, c);
}

/* ---- Placing ---- */

/* Room for x, for what is given, and for each chain's β when chains have one. */
static gibbs_status make_room(ebm_chains *c, int64_t rows, gibbs_error *error)
{
    if (rows <= c->capacity) return GIBBS_OK;
    size_t size = gibbs_dtype_size(c->model->dtype);
    void *x = gibbs_alloc_aligned(&c->alloc, (size_t)(rows * c->dim), size);
    void *given = gibbs_alloc_aligned(&c->alloc, (size_t)(rows * c->given), size);
    void *beta = gibbs_alloc_aligned(&c->alloc, c->tempered ? (size_t)rows : 0, size);
    if (!x || !given || !beta) {
        gibbs_release_aligned(&c->alloc, x);
        gibbs_release_aligned(&c->alloc, given);
        gibbs_release_aligned(&c->alloc, beta);
        return gibbs_fail(error, GIBBS_MEMORY, "chains: out of memory for %lld chains", (long long)rows);
    }
    gibbs_release_aligned(&c->alloc, c->x);
    gibbs_release_aligned(&c->alloc, c->x_given);
    gibbs_release_aligned(&c->alloc, c->inverse_temperature);
    c->x = x;
    c->x_given = given;
    c->inverse_temperature = beta;
    c->capacity = rows;
    c->rows = 0;
    return GIBBS_OK;
}

static void set_beta(ebm_chains *c, int64_t row, double beta)
{
    size_t size = gibbs_dtype_size(c->model->dtype);
    ebm_to_dtype(c->model->dtype, 1, (char *)c->inverse_temperature + (size_t)row * size, &beta);
}

void ebm_chains_set_beta(ebm_chains *c, double beta)
{
    for (int64_t r = 0; c->tempered && r < c->rows; r++) set_beta(c, r, beta);
}

/* Neighbours on a ladder change places: they must have the same x. */
static gibbs_status check_ladders(const ebm_chains *c, gibbs_dtype dtype, const char *x, int64_t rows,
                                  gibbs_error *error)
{
    size_t size = gibbs_dtype_size(dtype), bytes = (size_t)c->model->dim * size;
    if (c->rungs && rows % c->rungs)
        return gibbs_fail(error, GIBBS_ARGUMENT, "chains: %lld rows are no whole ladders of %d temperatures",
                          (long long)rows, c->rungs);
    for (int64_t r = 1; c->rungs && c->given && r < rows; r++)
        if (r % c->rungs && memcmp(x + (size_t)r * bytes, x + (size_t)(r - 1) * bytes, (size_t)c->given * size))
            return gibbs_fail_row(error, GIBBS_ARGUMENT, r, "chains: row %lld has other given columns than the row "
                                  "before it, on the same ladder of temperatures", (long long)r + 1);
    return GIBBS_OK;
}

static gibbs_status check_state(const ebm_chains *c, gibbs_dtype dtype, const void *x, int64_t r, gibbs_error *error)
{
    gibbs_error found = {GIBBS_OK, "", -1, -1};
    int64_t first = r * c->model->dim + c->given;
    gibbs_status status = ebm_space_check_row("chains", &c->space, dtype, x, first, c->given, &found);
    return status ? gibbs_fail_row(error, status, r, "%.280s, at row %lld", found.message, (long long)r + 1) : GIBBS_OK;
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
        return gibbs_fail_row(error, GIBBS_DATA, bad / dim, "chains: the start is %g at row %lld, column %lld",
                              ebm_number(dtype, x, bad), (long long)(bad / dim) + 1, (long long)(bad % dim) + 1);
    gibbs_status status = check_ladders(c, dtype, x, rows, error);
    for (int64_t r = 0; !status && c->discrete && r < rows; r++) status = check_state(c, dtype, x, r, error);
    if (!status) status = make_room(c, rows, error);
    if (status) return status;
    c->rows = rows;
    c->taken = c->counted = 0;
    c->accepted = c->swaps_tried = c->swaps_made = 0;
    for (int64_t r = 0; c->tempered && r < rows; r++) set_beta(c, r, c->ladder ? c->ladder[r % c->rungs] : 1);
    return GIBBS_OK;
}

/* The two parts of a chain's row. */
static char *given_at(const ebm_chains *c, int64_t row)
{
    return (char *)c->x_given + (size_t)(row * c->given) * gibbs_dtype_size(c->model->dtype);
}

static char *moving_at(const ebm_chains *c, int64_t row)
{
    return (char *)c->x + (size_t)(row * c->dim) * gibbs_dtype_size(c->model->dtype);
}

gibbs_status ebm_chains_start(ebm_chains *c, const double *x, int64_t rows, gibbs_error *error)
{
    GIBBS_REQUIRE("chains", c, error);
    gibbs_status status = place(c, GIBBS_FLOAT64, x, rows, error);
    for (int64_t r = 0; r < rows && !status; r++, x += c->model->dim) {
        ebm_to_dtype(c->model->dtype, c->given, given_at(c, r), x);
        ebm_to_dtype(c->model->dtype, c->dim, moving_at(c, r), x + c->given);
    }
    return status;
}

gibbs_status ebm_chains_start_native(ebm_chains *c, const void *x, int64_t rows, gibbs_error *error)
{
    gibbs_status status = place(c, c->model->dtype, x, rows, error);
    if (!status) ebm_split_rows(gibbs_dtype_size(c->model->dtype), rows, c->given, c->dim, x, c->x_given, c->x);
    return status;
}

/* ---- Moving ---- */

static gibbs_status check_finite(const ebm_chains *c, const char *what, const void *numbers, int64_t width,
                                 gibbs_error *error)
{
    int64_t bad = ebm_first_not_finite(c->model->dtype, numbers, c->rows * width);
    if (bad == c->rows * width) return GIBBS_OK;
    return gibbs_fail_row(error, GIBBS_NUMERIC, bad / width, "chains: %s is %g at row %lld", what,
                          ebm_number(c->model->dtype, numbers, bad), (long long)(bad / width) + 1);
}

/* The parameters are bound at every run: cheap, and it holds if the model's memory should ever move. */
static gibbs_status prepare(const ebm_chains *c, const ebm_program *p, gibbs_error *error)
{
    gibbs_status status = ebm_model_bind(c->model, p->workspace, c->theta, error);
    if (!status) status = ad_bind(p->workspace, c->h, &c->step, error);
    if (!status) status = ad_bind(p->workspace, c->input[0], c->x, error);
    if (!status && c->tempered) status = ad_bind(p->workspace, c->beta, c->inverse_temperature, error);
    if (!status && c->given) status = ad_bind(p->workspace, c->given_input, c->x_given, error);
    return status ? status : ad_set_rows(p->workspace, c->axis, c->rows, error);
}

/* E, and log q where there is a base, of all chains; and what the sampler keeps. */
static gibbs_status run_sweeps_start(ebm_chains *c, const void **energy, const void **log_q, gibbs_error *error)
{
    gibbs_status status = ebm_sweeps_evaluate(c->sweeps, c->x, c->rows, energy, log_q, error);
    return status ? status : check_finite(c, "the energy at the start", *energy, 1, error);
}

static gibbs_status run_start(ebm_chains *c, const void **energy, const void **log_q, gibbs_error *error)
{
    if (c->sweeps) return run_sweeps_start(c, energy, log_q, error);
    gibbs_status status = prepare(c, &c->start, error);
    if (!status) status = ad_run(c->start.workspace, &(ad_run_options){.threads = c->threads}, error);
    const ad_workspace *w = c->start.workspace;
    if (!status) status = check_finite(c, "the energy at the start", ad_result(w, c->state - 1), 1, error);
    for (int k = 1; k <= c->caches && !status; k++)
        status = check_finite(c, "the gradient or weight at the start", ad_result(w, k - 1), c->width[k], error);
    if (status) return status;
    *energy = ad_result(w, c->state - 1);
    *log_q = c->path ? ad_result(w, c->state) : NULL;
    return GIBBS_OK;
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

static void count_steps(ebm_chains *c, int64_t steps, double accepted)
{
    c->accepted += accepted;
    c->taken += steps;
    c->counted += steps;
}

/* The chains are where the moves ended; nothing here fails. */
static void commit(ebm_chains *c, int64_t steps)
{
    double accepted = 0;
    const void *count = ad_result(c->move.workspace, c->state - 1);
    memcpy(c->x, ad_result(c->move.workspace, 0), (size_t)(c->rows * c->width[0]) * gibbs_dtype_size(c->model->dtype));
    for (int64_t row = 0; row < c->rows; row++) accepted += ebm_number(c->model->dtype, count, row);
    count_steps(c, steps, accepted);
}

int64_t ebm_chains_most(const ebm_chains *c) { return RUN_MOVES / c->moves; }

gibbs_status ebm_chains_evaluate(ebm_chains *c, const void **energy, const void **log_q, gibbs_error *error)
{
    const void *none;
    return run_start(c, energy, log_q ? log_q : &none, error);
}

gibbs_status ebm_chains_move(ebm_chains *c, int64_t steps, uint64_t seed, uint64_t step0, gibbs_error *error)
{
    uint64_t first = step0 + (uint64_t)c->taken;
    if (c->sweeps) {
        ebm_sweeps_move(c->sweeps, c->x, c->rows, c->tempered ? c->inverse_temperature : NULL, steps, seed, first);
        count_steps(c, steps, (double)steps * (double)c->rows);
        return GIBBS_OK;
    }
    ad_run_options options = {.seed = seed, .step = first * (uint64_t)c->moves,
                              .repeat = (int)(steps * c->moves), .threads = c->threads};
    gibbs_status status = run_move(c, &options, error);
    if (!status) commit(c, steps);
    return status;
}

/* Steps since the last swap was due, by the number that the next step has: where chains that go on elsewhere swap does
 * not depend on where they were interrupted. */
static int64_t since_swap(const ebm_chains *c, uint64_t step0)
{
    return (int64_t)((step0 + (uint64_t)c->taken) % (uint64_t)c->swap_every);
}

static gibbs_status swap(ebm_chains *c, uint64_t seed, uint64_t step0, gibbs_error *error)
{
    const void *energy;
    gibbs_status status = ebm_chains_evaluate(c, &energy, NULL, error);
    if (!status) ebm_chains_swap(c, energy, seed, step0 + (uint64_t)c->taken);
    return status;
}

/* So many steps at once that neither the count nor a swap is passed. */
static int64_t next_stop(const ebm_chains *c, int64_t steps, uint64_t step0)
{
    int64_t most = ebm_chains_most(c), to_swap = c->ladder ? c->swap_every - since_swap(c, step0) : steps;
    if (c->sweeps && most > EBM_SWEEPS_A_FIELD) most = EBM_SWEEPS_A_FIELD;
    if (to_swap < most) most = to_swap;
    return steps < most ? steps : most;
}

gibbs_status ebm_chains_run(ebm_chains *c, int64_t steps, uint64_t seed, uint64_t step0, gibbs_error *error)
{
    GIBBS_REQUIRE("chains", c, error);
    if (!c->rows) return gibbs_fail(error, GIBBS_ARGUMENT, "chains: run before a start");
    if (steps < 0) return gibbs_fail(error, GIBBS_ARGUMENT, "chains: %lld steps", (long long)steps);
    while (steps > 0) {
        int64_t now = next_stop(c, steps, step0);
        const void *energy;
        gibbs_status status = ebm_chains_evaluate(c, &energy, NULL, error);
        if (!status) status = ebm_chains_move(c, now, seed, step0, error);
        if (!status && c->ladder && !since_swap(c, step0)) status = swap(c, seed, step0, error);
        if (status) return status;
        steps -= now;
    }
    return GIBBS_OK;
}

/* ---- Looking ---- */

int64_t ebm_chains_rows(const ebm_chains *c) { return c->rows; }
const void *ebm_chains_native(const ebm_chains *c) { return c->rows ? c->x : NULL; }
const void *ebm_chains_given(const ebm_chains *c) { return c->rows ? c->x_given : NULL; }

void ebm_chains_get(const ebm_chains *c, double *x)
{
    for (int64_t r = 0; r < c->rows; r++, x += c->model->dim) {
        ebm_from_dtype(c->model->dtype, c->given, x, given_at(c, r));
        ebm_from_dtype(c->model->dtype, c->dim, x + c->given, moving_at(c, r));
    }
}

double ebm_chains_acceptance(const ebm_chains *c)
{
    return c->counted ? c->accepted / ((double)c->counted * (double)c->moves * (double)c->rows) : NAN;
}
