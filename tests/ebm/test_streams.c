/* Streams of random numbers: those of the library are below EBM_STREAM_USER, and the user's are no others' numbers. */
#include "autodiff/tape/tape.h"
#include "ebm/objective/objective.h"
#include "ebm/sampler/chains.h"
#include "loss_helpers.h"

enum { DIM = 2, ROWS = 10 };

static ad_var energy(ad_var x, const ad_var *theta, void *context)
{
    return (void)context, ad_mul(theta[0], ad_sum(ad_softplus(x)));
}
static ad_var critic(ad_var x, const ad_var *theta, void *context)
{
    return (void)context, ad_mul(theta[0], ad_sin(x));
}
static ad_var draw_both(const ebm_proposal *q, ad_var random, const ad_var *theta)
{
    return (void)q, (void)theta, ad_add(ad_slice(random, 0, 0, DIM), ad_slice(random, 0, DIM, DIM));
}
static ad_var bell(const ebm_proposal *q, ad_var y, const ad_var *theta)
{
    return (void)q, (void)theta, ad_neg(ad_sum(ad_square(y)));
}
static void logit(ad_var other, const ad_var *theta, void *context, ad_var *parameter)
{
    (void)theta, (void)context;
    parameter[0] = other;
}

/* Normals and uniforms, recorded in the graph since it says that it depends on θ. */
static const ebm_proposal both = {.name = "both", .dim = DIM, .depends_on_theta = 1, .draw = draw_both,
                                  .log_density = bell, .normals = DIM, .uniforms = DIM};

static ebm_model *make(void)
{
    return model_of(DIM, &(ebm_parameter){"k", {0, {0}}, EBM_INIT_CONSTANT, 0.7}, 1, energy, GIBBS_FLOAT64);
}

/* How many random leaves there are; none takes a user's stream. */
static int count_random(const ad_tape *tape, const char *what)
{
    int count = 0;
    cr_expect(!ad_tape_status(tape), "%s: %s", what, ad_tape_message(tape));
    for (int64_t i = 0; i < tape->size; i++) {
        const ad_node *n = &tape->node[i];
        if (n->op != OP_normal && n->op != OP_uniform) continue;
        cr_expect(n->stream < EBM_STREAM_USER, "%s draws from stream %llu", what, (unsigned long long)n->stream);
        count++;
    }
    return count;
}

Test(streams, losses_stay_below_the_users)
{
    static const ebm_loss *const losses[] = {
        &ebm_loss_ml_is, &ebm_loss_nce, &ebm_loss_improved_cd, &ebm_loss_denoising, &ebm_loss_sliced,
        &ebm_loss_sliced_reduced, &ebm_loss_conditional_nce, &ebm_loss_ranking_nce, &ebm_loss_stein_hutchinson,
    };
    ebm_model *model = make();
    ebm_loss_options options = {0};
    options.proposal = &both, options.field = critic, options.copies = 3;
    for (int k = 0; k < COUNT(losses); k++) {
        ebm_objective *o;
        OK(ebm_objective_new(model, losses[k], &options, &o, ERROR));
        cr_expect(count_random(o->tape, losses[k]->name), "%s draws nothing here", losses[k]->name);
        ebm_objective_free(o);
    }
    ebm_model_free(model);
}

Test(streams, samplers_stay_below_the_users)
{
    static const ebm_sampler *const samplers[] = {&ebm_ula, &ebm_mala, &ebm_hmc, &ebm_random_walk, &ebm_independence_mh,
                                                  &ebm_gibbs, &ebm_gibbs_with_gradients, &ebm_block_gibbs};
    const ebm_blocks blocks = {.visible = {EBM_UNIT_BINARY, DIM, logit}, .hidden = {EBM_UNIT_BINARY, DIM, logit}};
    ebm_model *model = make();
    ebm_chain_options options = {0};
    options.proposal = &both, options.blocks = &blocks;
    OK(ebm_chain_options_fill(model, &options, ERROR));
    for (int k = 0; k < COUNT(samplers); k++) {
        ad_tape *tape = ad_tape_new(GIBBS_FLOAT64, NULL);
        ad_axis axis = ad_axis_new(tape, "chain");
        ad_var theta = ad_parameter(tape, "k", ad_scalar()), none = {tape, -1};
        ad_var state[EBM_MAX_CACHES + 1] = {ad_input(axis, "x", ad_vec(DIM))}, next[EBM_MAX_CACHES + 1];
        ebm_sampler_graph g = ebm_sampler_graph_of(model, &theta, axis, &options);
        g.step = ad_constant(tape, 0.1);
        for (int i = 0; i <= EBM_MAX_CACHES; i++) next[i] = none;
        if (samplers[k]->start) samplers[k]->start(&g, state[0], state + 1);
        samplers[k]->step(&g, state, next);
        cr_expect(count_random(tape, samplers[k]->name), "%s draws nothing", samplers[k]->name);
        ad_tape_free(tape);
    }
    ebm_model_free(model);
}

/* The distance of y from what a user's loss draws itself: 0 from the library's own stream, the control. */
static ad_var record_distance(ebm_graph *g)
{
    uint64_t stream = *(const uint64_t *)g->loss->own;
    ad_var mine = ad_normal(g->noise, ad_vec(DIM), stream), E = ad_batch_mean(g->data, ebm_graph_energy(g, g->x));
    return ad_add(ad_batch_mean(g->noise, ad_sum(ad_abs(ad_sub(mine, g->y)))), ad_scale(E, 0));
}

Test(streams, a_users_numbers_are_not_the_proposals)
{
    static const uint64_t streams[] = {EBM_STREAM_PROPOSAL, EBM_STREAM_USER, EBM_STREAM_USER + EBM_STREAM_PROPOSAL};
    double x[ROWS * DIM] = {0}, zero[DIM] = {0}, one[DIM] = {1, 1};
    ebm_model *model = make();
    ebm_proposal *q;
    ebm_loss_options options = {0};
    OK(ebm_proposal_gaussian_diagonal(DIM, zero, one, NULL, &q, ERROR));
    options.proposal = q;
    for (int k = 0; k < COUNT(streams); k++) {
        const ebm_loss loss = {.name = "distance", .noise = EBM_NOISE_PROPOSAL, .noise_ratio = 1,
                               .record = record_distance, .own = &streams[k]};
        ebm_objective *o = objective_at(model, &loss, &options, NULL, x, ROWS, 5, 3);
        double distance = value_of(o);
        cr_expect(k ? distance > 0.5 : distance == 0, "stream %llu: %g", (unsigned long long)streams[k], distance);
        ebm_objective_free(o);
    }
    ebm_proposal_free(q);
    ebm_model_free(model);
}
