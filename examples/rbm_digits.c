/* rbm_digits — restricted Boltzmann machines of small binary images.
 *
 * The energy E(v, h) = −vᵀWh − a·v − b·h is fitted to handwritten digits by contrastive divergence, by persistent
 * chains and by pseudo-likelihood. None of them needs log Z; what they learnt is judged by the mean log-likelihood of
 * images that were held out, which does. So log Z is estimated by annealed importance sampling, forward (too low on
 * average) and in reverse (too high), and with few hidden units it is known: a sum over their states. Reading order:
 * main, run_fit, fit, judge, draw_exactly. */
#include "common/data_load.h"
#include "common/failure.h"
#include "common/fitting.h"
#include "common/image_plot.h"
#include "common/rbm_tell.h"

#include <gibbs/ebm.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- The model, twice: F(v), which is fitted, and E(v, h), along whose path Gibbs sampling can go ---------------- */

static gibbs_status make_rbm(int64_t visible, int64_t hidden, int joint, uint64_t seed, const double *theta,
                             ebm_model **model, gibbs_error *error)
{
    const ebm_rbm_spec spec = {.visible = visible, .hidden = hidden, .joint = joint, .weight_sd = 0.05,
                               .dtype = GIBBS_FLOAT32, .seed = seed};
    gibbs_status status = ebm_model_rbm(&spec, model, error);
    if (!status && theta) ebm_model_set(*model, theta);
    return status;
}

static gibbs_status fit(const settings *set, const problem *p, const method *m, ebm_model *model, result *r,
                        gibbs_error *error)
{
    ebm_blocks blocks;
    ebm_chain_options chain = {0};
    gibbs_status status = ebm_model_blocks(model, &blocks, error);
    ebm_fit_options o = {0};
    chain.blocks = &blocks;
    o.loss = m->loss;
    o.loss_options.sampler = &ebm_block_gibbs;
    o.loss_options.chain = &chain;
    o.loss_options.sampler_steps = (int)set->cd_steps;
    o.loss_options.threads = o.threads = (int)set->common.threads;
    o.steps = (int64_t)(isnan(set->steps) ? m->steps : set->steps);
    o.rate = set->rate;
    o.batch = (int64_t)set->batch;
    o.weight_decay = set->weight_decay;
    o.schedule = EBM_SCHEDULE_LINEAR;
    o.seed = (uint64_t)set->common.seed;
    return status ? status : fit_model(&set->common, m->name, model, &p->train, &o, &r->fit, error);
}

/* ---- Samples of the model ------------------------------------------------------------------------------------- */

/* `steps` steps of block Gibbs of E(v, h), from x and in place: h given v, then v given h. */
static gibbs_status walk(const settings *set, ebm_model *joint, int64_t steps, int64_t rows, double *x,
                         gibbs_error *error)
{
    ebm_blocks blocks;
    ebm_chain_options o = {0};
    ebm_chains *chains = NULL;
    gibbs_status status = ebm_model_blocks(joint, &blocks, error);
    o.sampler = &ebm_block_gibbs;
    o.blocks = &blocks;
    o.threads = (int)set->common.threads;
    if (!status) status = ebm_chains_new(joint, &o, &chains, error);
    if (!status) status = ebm_chains_start(chains, x, rows, error);
    if (!status) status = ebm_chains_run(chains, steps, (uint64_t)set->common.seed, 0, error);
    if (!status) ebm_chains_get(chains, x);
    ebm_chains_free(chains);
    return status;
}

/* θ = (W, a, b) of the machine seen from its other side: (Wᵀ, b, a). */
static void turn(const double *theta, int64_t nv, int64_t nh, double *turned)
{
    for (int64_t i = 0; i < nv * nh; i++) turned[i % nh * nv + i / nh] = theta[i];
    memcpy(turned + nv * nh, theta + nv * nh + nv, sizeof *turned * (size_t)nh);
    memcpy(turned + nv * nh + nh, theta + nv * nh, sizeof *turned * (size_t)nv);
}

/* Exact draws of x = (v, h), for few hidden units: seen from its other side the machine has h for its visible units,
 * whose states can be listed and drawn by their probabilities; one step of block Gibbs then draws v given h, and h
 * anew given v. */
static gibbs_status draw_exactly(const settings *set, const double *theta, int64_t nv, int64_t nh, int64_t rows,
                                 double *x, gibbs_error *error)
{
    const ebm_space space = {.variables = nh};
    int64_t states = ebm_space_size(&space), n = nv + nh, size = nv * nh + n;
    double *turned = calloc((size_t)(size + states + rows * n), sizeof *turned), log_z;
    double *p = turned + size, *y = p + states;
    int64_t *index = malloc(sizeof *index * (size_t)rows);
    ebm_model *side = NULL, *joint = NULL;
    gibbs_status status = turned && index ? GIBBS_OK : fail(error, GIBBS_MEMORY, "out of memory");
    if (!status) turn(theta, nv, nh, turned);
    if (!status) status = make_rbm(nh, nv, 0, 0, turned, &side, error);
    if (!status) status = make_rbm(nh, nv, 1, 0, turned, &joint, error);
    if (!status) status = ebm_enumerate(side, NULL, &log_z, p, error);
    if (!status) status = ebm_resample(p, states, rows, 1, (uint64_t)set->common.seed, NULL, index, error);
    for (int64_t r = 0; !status && r < rows; r++) ebm_space_rows(&space, index[r], 1, y + r * n);
    if (!status) status = walk(set, joint, 1, rows, y, error);
    for (int64_t r = 0; !status && r < rows; r++) {
        memcpy(x + r * n, y + r * n + nh, sizeof *x * (size_t)nv);
        memcpy(x + r * n + nv, y + r * n, sizeof *x * (size_t)nh);
    }
    ebm_model_free(joint);
    ebm_model_free(side);
    free(index);
    free(turned);
    return status;
}

/* With many hidden units: chains from data rows, for so long that they may have forgotten them. */
static gibbs_status draw_by_chains(const settings *set, const problem *p, ebm_model *joint, int64_t rows, double *x,
                                   gibbs_error *error)
{
    int64_t nv = p->train.cols, n = ebm_model_dim(joint);
    for (int64_t r = 0; r < rows; r++) memcpy(x + r * n, p->train.x + r % p->train.rows * nv, sizeof *x * (size_t)nv);
    return walk(set, joint, (int64_t)set->burn_in, rows, x, error);
}

/* ---- log Z, and what it says of the held-out images -------------------------------------------------------------- */

/* Both ways between independent units, pixels as often on as in the data, and the machine. */
static gibbs_status anneal(const settings *set, const problem *p, ebm_model *joint, const double *x, int64_t rows,
                           result *r, gibbs_error *error)
{
    int64_t nv = p->train.cols, n = ebm_model_dim(joint);
    double *on = malloc(sizeof *on * (size_t)n);
    ebm_proposal *base = NULL;
    ebm_blocks blocks;
    ebm_ais_options o = {0};
    gibbs_status status = on ? ebm_model_blocks(joint, &blocks, error) : fail(error, GIBBS_MEMORY, "out of memory");
    for (int64_t i = 0; !status && i < n; i++) on[i] = i < nv ? p->on[i] : 0.5;
    if (!status) status = ebm_proposal_bernoulli(n, on, 0, 1, NULL, &base, error);
    o.chain.sampler = &ebm_block_gibbs;
    o.chain.blocks = &blocks;
    o.chain.threads = (int)set->common.threads;
    o.base = base;
    o.bridges = (int64_t)set->bridges;
    o.seed = (uint64_t)set->common.seed;
    if (!status) status = ebm_ais_forward(joint, &o, rows, NULL, NULL, &r->forward, error);
    o.seed++;
    if (!status) status = ebm_ais_reverse(joint, &o, x, rows, NULL, &r->reverse, error);
    ebm_proposal_free(base);
    free(on);
    return status;
}

/* Fills x with samples (v, h), a row each. */
static gibbs_status judge(const settings *set, const problem *p, ebm_model *model, int64_t hidden, double *x,
                          result *r, gibbs_error *error)
{
    int64_t rows = (int64_t)set->chains, nv = p->train.cols;
    double *theta = malloc(sizeof *theta * (size_t)ebm_model_size(model));
    ebm_model *joint = NULL;
    gibbs_status status = theta ? GIBBS_OK : fail(error, GIBBS_MEMORY, "out of memory");
    if (!status) ebm_model_get(model, theta);
    if (!status) status = make_rbm(nv, hidden, 1, 0, theta, &joint, error);
    r->exact = hidden <= EXACT;
    if (!status && r->exact) status = draw_exactly(set, theta, nv, hidden, rows, x, error);
    if (!status && !r->exact) status = draw_by_chains(set, p, joint, rows, x, error);
    if (!status) status = anneal(set, p, joint, x, rows, r, error);
    if (!status) r->log_z = fmax(r->forward.log_z, r->reverse.log_z);
    if (!status && r->exact) status = ebm_model_log_z(model, &r->log_z, error);
    if (!status) status = ebm_mean_log_likelihood(model, &p->held, r->log_z, &r->held_out, error);
    ebm_model_free(joint);
    free(theta);
    return status;
}

/* ---- A fit, and all of them ------------------------------------------------------------------------------------- */

static gibbs_status run_fit(const settings *set, const problem *p, const method *m, int64_t hidden, report *list,
                            gibbs_error *error)
{
    result r = {0};
    ebm_model *model = NULL;
    double *x = calloc((size_t)set->chains * (size_t)(p->train.cols + hidden), sizeof *x);
    gibbs_status status = x ? GIBBS_OK : fail(error, GIBBS_MEMORY, "out of memory");
    if (!status) status = make_rbm(p->train.cols, hidden, 0, (uint64_t)set->common.seed, NULL, &model, error);
    if (!status) status = fit(set, p, m, model, &r, error);
    if (!status) status = judge(set, p, model, hidden, x, &r, error);
    if (!status) rbm_tell(set, m, hidden, &r, list);
    if (!status) status = rbm_draw(set, p, m, model, hidden, x, &r, error);
    ebm_fit_report_free(&r.fit);
    ebm_model_free(model);
    free(x);
    return status;
}

/* ---- Data -------------------------------------------------------------------------------------------------------- */

/* The first --rows images, a pixel 1 where it is above half the largest; and the density of independent pixels. */
static gibbs_status load(const settings *set, problem *p, gibbs_error *error)
{
    ebm_data all;
    ebm_proposal *pixels = NULL;
    double largest = 0, *log_p = NULL;
    gibbs_status status = data_read(set->data, &all, error);
    if (status) return status;
    if ((double)all.rows > set->rows) all.rows = (int64_t)set->rows;
    for (int64_t i = 0; i < all.rows * all.cols; i++) largest = fmax(largest, all.x[i]);
    for (int64_t i = 0; i < all.rows * all.cols; i++) all.x[i] = all.x[i] > 0.5 * largest;
    status = image_side(&all, set->data, &p->side, error);
    if (!status) status = ebm_data_split(&all, set->held_out, 1, &p->train, &p->held, NULL, error);
    ebm_data_free(&all);
    if (!status) status = ebm_proposal_bernoulli_fit(&p->train, 0, 1, 1, NULL, &pixels, error);
    if (!status) log_p = malloc(sizeof *log_p * (size_t)p->held.rows);
    if (!status) p->on = calloc((size_t)p->train.cols, sizeof *p->on);
    if (!status && !(log_p && p->on)) status = fail(error, GIBBS_MEMORY, "out of memory");
    if (!status) status = ebm_proposal_log_density(pixels, p->held.x, p->held.rows, NULL, log_p, error);
    for (int64_t i = 0; !status && i < p->held.rows; i++) p->independent += log_p[i] / (double)p->held.rows;
    for (int64_t i = 0; !status && i < p->train.rows * p->train.cols; i++) p->on[i % p->train.cols] += p->train.x[i];
    for (int64_t k = 0; !status && k < p->train.cols; k++) p->on[k] = (p->on[k] + 1) / ((double)p->train.rows + 2);
    ebm_proposal_free(pixels);
    free(log_p);
    return status;
}

static gibbs_status run(const settings *set, problem *p, report *root, gibbs_error *error)
{
    gibbs_status status = load(set, p, error);
    if (!status) status = report_prepare(&set->common, error);
    if (status) return status;
    report_text(root, "data", set->data);
    report_whole(root, "training_rows", p->train.rows);
    report_whole(root, "held_out_rows", p->held.rows);
    report_number(root, "independent_held_out_mean_log_likelihood", p->independent);
    report *list = report_list(root, "fits");
    rbm_tell_head(set, p);
    for (int s = 0; s < set->sizes; s++)
        for (int i = 0; !status && i < METHODS; i++)
            if (set->chosen[i]) status = run_fit(set, p, &rbm_methods[i], set->hidden[s], list, error);
    if (!status && !set->common.quiet)
        printf("\nForward AIS lies below log Z on average, reverse AIS above it where its start is an exact sample of\n"
               "the model: here up to %d hidden units; beyond, chains of %g steps that began at the data. held-out\n"
               "log p: mean log-likelihood of held-out images in nats, by the exact log Z or the larger of both AIS.\n"
               "Pictures and data: %s/rbm_digits-*\n", EXACT, set->burn_in, set->common.out);
    return status;
}

int main(int argc, char **argv)
{
    settings set = rbm_settings_read(argc, argv);
    problem p = {0};
    gibbs_error error = {0};
    report *root = report_new();
    gibbs_status status = run(&set, &p, root, &error);
    int failed = report_end(root, status, set.common.json, &error);
    ebm_data_free(&p.train);
    ebm_data_free(&p.held);
    free(p.on);
    return failed;
}
