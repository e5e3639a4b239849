/* chain_record.c — chains made from options: checks, and the two programs that move them. `start` makes from x what the
 * sampler keeps beside it (and a count of acceptances, 0), `move` takes a step whose outputs are carried into its
 * inputs, so that all steps of a block of chains are taken while its rows are in cache. */
#include "chain_state.h"

#include "autodiff/tape/tape.h"
#include "base/options.h"
#include "ebm/model/conditioned.h"
#include "ebm/proposal/record_proposal.h"
#include "ebm/space/space.h"
#include "path.h"

#include <math.h>

static const char *name_of(const ebm_sampler *s) { return s->name ? s->name : "(no name)"; }

static ad_var lifted(const ebm_chains *c, ad_var v) { return ad_is_null(v) ? v : ad_lift(c->axis, v); }

/* Outputs: what the sampler keeps, the count, E, which the sampler need not keep, and log q when there is a base. */
static gibbs_status build_start(ebm_chains *c, const ebm_sampler_graph *g, const ebm_model *of_y, gibbs_error *error)
{
    ad_var output[MAX_STATE + 1];
    int count = c->state;
    for (int k = 0; k < c->caches; k++) output[k] = (ad_var){g->tape, -1};
    if (c->sampler->start) c->sampler->start(g, c->input[0], output);
    for (int k = 0; k < c->caches; k++)
        if (ad_is_null(output[k]))
            ad_fail(g->tape, GIBBS_TAPE, "chains: the start of «%s» left cache[%d] the null var", name_of(c->sampler),
                    k);
    output[c->caches] = ad_constant(g->tape, 0);
    output[c->caches + 1] = ebm_model_energy_at(of_y, c->input[0], g->theta);
    if (g->base) output[count++] = ebm_proposal_log_density_at(g->base, c->axis, g->given, c->input[0], g->theta);
    for (int k = 0; k < count; k++) output[k] = lifted(c, output[k]);
    for (int k = 1; k < c->state; k++) {
        ad_shape shape = ad_shape_of(output[k - 1]);
        c->width[k] = ad_shape_count(&shape);
        c->input[k] = ad_input(c->axis, k <= c->caches ? "kept" : "accepted", shape);
    }
    return ebm_program_build(g->tape, output, count, NULL, &c->start, error);
}

/* What a step recorded must fit what it started from. The tape keeps its first error: of two, that is the cause. */
static void check_step(const ebm_chains *c, ad_tape *tape, ad_var accepted, const ad_var *next)
{
    const char *name = name_of(c->sampler);
    ad_shape scalar = ad_scalar();
    char is[AD_SHAPE_TEXT], was[AD_SHAPE_TEXT];
    for (int k = 0; k <= c->caches; k++) {
        ad_shape shape = ad_shape_of(next[k]), before = ad_shape_of(c->input[k]);
        if (ad_is_null(next[k]))
            ad_fail(tape, GIBBS_TAPE, "chains: the step of «%s» left next[%d] the null var", name, k);
        else if (!ad_shape_equal(&shape, &before))
            ad_fail(tape, GIBBS_SHAPE, "chains: the step of «%s» gave next[%d] the shape %s; state[%d] has %s", name, k,
                    ad_shape_text(&shape, is, sizeof is), k, ad_shape_text(&before, was, sizeof was));
    }
    ad_shape shape = ad_shape_of(accepted);
    if (ad_is_null(accepted))
        ad_fail(tape, GIBBS_TAPE, "chains: the step of «%s» returned the null var, not whether it accepted", name);
    else if (!ad_shape_equal(&shape, &scalar))
        ad_fail(tape, GIBBS_SHAPE, "chains: the step of «%s» returned the shape %s, not a scalar", name,
                ad_shape_text(&shape, is, sizeof is));
}

static gibbs_status build_move(ebm_chains *c, const ebm_sampler_graph *g, gibbs_error *error)
{
    ad_var output[MAX_STATE];
    ad_carry carry[MAX_STATE];
    int count = c->state - 1;
    for (int k = 0; k < c->state; k++) output[k] = (ad_var){g->tape, -1};
    ad_var accepted = c->sampler->step(g, c->input, output);
    check_step(c, g->tape, accepted, output);
    output[count] = ad_add(c->input[count], accepted);
    for (int k = 0; k < c->state; k++) {
        output[k] = lifted(c, output[k]);
        carry[k] = (ad_carry){k, c->input[k]};
    }
    ad_plan_options options = {.carry = carry, .carries = c->state};
    return ebm_program_build(g->tape, output, c->state, &options, &c->move, error);
}

/* 1/√mass */
static ad_var record_scale(const ebm_model *model, ad_tape *tape, const double *mass)
{
    if (!mass) return ad_constant(tape, 1);
    return ad_recip(ad_sqrt(ad_constant_array(tape, ad_vec(model->dim), mass)));
}

ebm_sampler_graph ebm_sampler_graph_of(ebm_model *model, const ad_var *theta, ad_axis chain,
                                       const ebm_chain_options *o)
{
    ad_tape *tape = chain.tape;
    ad_var none = {tape, -1};
    return (ebm_sampler_graph){
        .tape = tape, .model = model, .theta = theta, .chain = chain, .given = none, .step = none,
        .proposal = o->proposal, .leapfrog_steps = o->leapfrog_steps, .scale = record_scale(model, tape, o->mass),
        .space = o->space, .order = o->order, .blocks = o->blocks, .inverse_temperature = none};
}

static void record_leaves(ebm_chains *c, ad_tape *tape)
{
    ebm_model_record(c->model, tape, c->theta);
    c->axis = ad_axis_new(tape, "chain");
    c->h = ad_parameter(tape, "step", ad_scalar());
    c->input[0] = ad_input(c->axis, "x", ad_vec(c->dim));
    c->width[0] = c->dim;
    if (c->tempered) c->beta = ad_input(c->axis, "inverse temperature", ad_scalar());
}

gibbs_status ebm_chains_record(ebm_chains *c, ad_tape *tape, const ebm_chain_options *o, const ebm_proposal *base,
                               gibbs_error *error)
{
    ebm_conditioned of;
    ebm_path path;
    record_leaves(c, tape);
    ebm_conditioned_start(&of, c->model);
    c->given_input = ebm_conditioned_input(&of, c->axis);
    ebm_sampler_graph graph = ebm_sampler_graph_of(&of.of_y, c->theta, c->axis, o);
    graph.given = c->given_input;
    graph.step = c->h;
    graph.base = base;
    if (c->tempered) {
        ebm_path_start(&path, &of.of_y, c->beta, base);
        graph.model = &path.along;
        graph.inverse_temperature = c->beta;
    }
    c->moves = c->sampler->moves ? c->sampler->moves(&graph) : 1;
    if (c->moves < 1 || c->moves > RUN_MOVES)
        return gibbs_fail(error, GIBBS_SIZE, "chains: a step of «%s» is %lld moves; 1 to %d are possible",
                          name_of(c->sampler), (long long)c->moves, RUN_MOVES);
    gibbs_status status = build_start(c, &graph, &of.of_y, error);
    return status ? status : build_move(c, &graph, error);
}

/* ---- Checks ---- */

/* The first of n numbers that is not positive and finite, in the model's dtype as well; n when there is none. */
static int64_t first_not_positive(gibbs_dtype dtype, const double *v, int64_t n)
{
    int64_t i = 0;
    for (; i < n; i++) {
        double kept = dtype == GIBBS_FLOAT64 ? v[i] : (double)(float)v[i];
        if (!(kept > 0 && isfinite(kept))) break;
    }
    return i;
}

#define OPTION(...) GIBBS_OPTION(ebm_chain_options, __VA_ARGS__)

static const gibbs_option numbers[] = {
    OPTION(step, 0.01, '(', 0, INFINITY, ')'),
    OPTION(threads, 0, '[', 0, INFINITY, ')'),
    OPTION(leapfrog_steps, 10, '[', 1, 1000, ']'),
    OPTION(swap_every, 10, '[', 1, INFINITY, ')'),
    OPTION(order, EBM_ORDER_IN_TURN, '[', EBM_ORDER_IN_TURN, EBM_ORDER_COLOURS, ']'),
};

const gibbs_option_table ebm_chain_numbers = {numbers, GIBBS_COUNT(numbers)};

static gibbs_status check_numbers(const ebm_model *model, const ebm_chain_options *o, int64_t dim, gibbs_error *error)
{
    int64_t mass = dim;
    if (o->mass) mass = first_not_positive(model->dtype, o->mass, dim);
    if (first_not_positive(model->dtype, &o->step, 1) == 0)
        return gibbs_fail(error, GIBBS_ARGUMENT, "chains: the step is %g; it must be positive and finite", o->step);
    if (mass < dim)
        return gibbs_fail(error, GIBBS_ARGUMENT, "chains: mass %lld is %g; it must be positive and finite",
                          (long long)mass + 1, o->mass[mass]);
    return GIBBS_OK;
}

static gibbs_status check_ladder(const ebm_model *model, const ebm_chain_options *o, gibbs_error *error)
{
    if (!o->inverse_temperatures && !o->temperatures) return GIBBS_OK;
    if (!o->inverse_temperatures || o->temperatures < 1)
        return gibbs_fail(error, GIBBS_ARGUMENT, "chains: %d temperatures%s", o->temperatures,
                          o->inverse_temperatures ? "" : ", and none are given");
    int64_t bad = first_not_positive(model->dtype, o->inverse_temperatures, o->temperatures);
    if (bad == o->temperatures) return GIBBS_OK;
    return gibbs_fail(error, GIBBS_ARGUMENT, "chains: inverse temperature %lld is %g; it must be positive and finite",
                      (long long)bad + 1, o->inverse_temperatures[bad]);
}

static gibbs_status check_sampler(const ebm_model *model, const ebm_chain_options *o, gibbs_error *error)
{
    const ebm_sampler *s = o->sampler;
    const char *name = s->name ? s->name : "chains";
    if (!s->step || s->caches < 0 || s->caches > EBM_MAX_CACHES || (s->caches && !s->start))
        return gibbs_fail(error, GIBBS_ARGUMENT, "chains: «%s» keeps %d values (at most %d) and must have a step%s",
                          name_of(s), s->caches, EBM_MAX_CACHES, s->caches ? " and a start" : "");
    if (s->needs_blocks && !o->blocks) return gibbs_fail(error, GIBBS_ARGUMENT, "%s: no blocks", name);
    if (!s->needs_proposal && !o->proposal) return GIBBS_OK;
    return ebm_proposal_check_model(name, o->proposal, model, true, error);
}

gibbs_status ebm_chain_options_fill(const ebm_model *model, ebm_chain_options *o, gibbs_error *error)
{
    int64_t dim = model->dim - ebm_model_given(model);
    if (!o->sampler) o->sampler = &ebm_mala;
    gibbs_status status = gibbs_options_fill("chains", numbers, GIBBS_COUNT(numbers), o, error);
    if (!status) status = check_numbers(model, o, dim, error);
    if (!status) status = ebm_space_of_rows("chains", &o->space, dim, &o->space, error);
    if (!status) status = check_ladder(model, o, error);
    return status ? status : check_sampler(model, o, error);
}
