#include "denoise.h"

#include "ebm/model/conditioned.h"

ad_var bench_denoise_record(ebm_graph *g, double sd)
{
    ad_var noisy = ad_variable(ad_add(g->x, g->y)), slope = {g->tape, -1};
    ad_grad(ebm_graph_energy(g, noisy), &noisy, 1, &slope);
    ad_var off = ad_sub(ad_scale(g->y, 1 / (sd * sd)), slope);
    return ad_scale(ad_batch_mean(g->data, ad_sum(ad_square(off))), 0.5);
}

/* ---- The noise of the library's loss ---- */

/* In a score network's place: keeps the var x + y that the loss hands it. */
static ad_var keep(ad_var noisy, const ad_var *theta, void *context)
{
    (void)theta;
    *(ad_var *)context = noisy;
    return noisy;
}

/* x + y as the library's loss records it. */
static ad_var record_noisy(const bench_problem *p, ad_tape *tape, ad_var *x, ad_axis *data)
{
    ad_var noisy = {tape, -1};
    ebm_loss_options options = {0};
    options.noise_sd = bench_proposal_sd(p->c);
    options.copies = 1;
    options.field = keep;
    *data = ad_axis_new(tape, "data");
    *x = ad_input(*data, "x", ad_vec(p->c->dim));
    ebm_conditioned conditioned;
    ebm_conditioned_start(&conditioned, p->model);
    ebm_graph g = {.tape = tape, .model = p->model, .conditioned = &conditioned, .loss = &ebm_loss_denoising,
                   .options = &options, .data = *data, .x = *x, .context = &noisy};
    ebm_loss_denoising.record(&g);
    return noisy;
}

static gibbs_status run(const bench_problem *p, ad_workspace *w, ad_var x, ad_axis data, double *y, gibbs_error *error)
{
    gibbs_status status = ad_bind_f64(w, x, p->data, error);
    if (!status) status = ad_set_rows(w, data, p->c->rows, error);
    if (!status) status = ad_run(w, &(ad_run_options){.seed = BENCH_SEED, .threads = p->threads}, error);
    for (int64_t i = 0; !status && i < p->c->rows * p->c->dim; i++) y[i] = ad_result_f64(w, 0)[i] - p->data[i];
    return status;
}

gibbs_status bench_denoise_noise(const bench_problem *p, double *y, gibbs_error *error)
{
    ad_plan *plan = NULL;
    ad_workspace *w = NULL;
    ad_var x;
    ad_axis data;
    ad_tape *tape = ad_tape_new(GIBBS_FLOAT64, NULL);
    *error = (gibbs_error){.status = GIBBS_MEMORY, .message = "bench: out of memory"};
    if (!tape) return GIBBS_MEMORY;
    ad_var noisy = record_noisy(p, tape, &x, &data);
    gibbs_status status = ad_compile(&noisy, 1, NULL, &plan, error);
    if (!status) status = ad_workspace_new(plan, &w, error);
    if (!status) status = run(p, w, x, data, y, error);
    ad_workspace_free(w);
    ad_plan_free(plan);
    ad_tape_free(tape);
    return status;
}
