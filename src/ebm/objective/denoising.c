/* denoising.c — denoising score matching (Vincent 2011; S1 §3.2, S4 eq 13): with x̃ = x + σε,
 *
 *     mean ½‖(x̃ − x)/σ² − ∇E(x̃)‖² = mean ½‖ε/σ + s(x̃)‖²,   s = −∇E, or a free score network
 *
 * and in the autoencoder's scale mean ‖x − (x̃ + σ²s(x̃))‖² = 2σ⁴ times that. No second derivatives. What it learns is
 * the density of x̃, not of x: the σ is reported beside the loss. */
#include "record_loss.h"

#include "autodiff/op/op.h"

/* ‖ε/σ + s(x̃)‖² for each noisy copy. */
static ad_var squares(ebm_graph *g, ad_axis copies)
{
    double sd = g->options->noise_sd;
    ad_var noise = ad_normal(copies, ad_vec(g->model->dim), EBM_STREAM_LOSS_NORMAL);
    ad_var noisy = ad_as_variable(ad_add(ebm_value_on(copies, g->x), ad_scale(noise, sd)));
    ad_var score = g->options->field ? ebm_graph_field(g, copies, noisy) : ad_neg(ebm_graph_gradient(g, noisy));
    g->health = ad_constant(g->tape, sd);
    return ad_sum(ad_square(ad_add(ad_scale(noise, 1 / sd), score)));
}

static ad_var record(ebm_graph *g)
{
    ad_axis copies = ebm_graph_copies(g, g->options->copies, "noisy copies");
    return ad_scale(ebm_graph_mean(g, copies, squares(g, copies)), 0.5);
}

static ad_var record_autoencoder(ebm_graph *g)
{
    double sd = g->options->noise_sd;
    return ad_scale(record(g), 2 * sd * sd * sd * sd);
}

const ebm_loss ebm_loss_denoising = {
    .name = "denoising",
    .title = "denoising score matching",
    .deterministic = 1,
    .health = "noise sd",
    .redraw = 1,
    .record = record,
};

const ebm_loss ebm_loss_denoising_autoencoder = {
    .name = "denoising-autoencoder",
    .title = "denoising score matching, in the autoencoder's scale",
    .deterministic = 1,
    .health = "noise sd",
    .redraw = 1,
    .record = record_autoencoder,
};
