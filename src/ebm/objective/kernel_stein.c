/* kernel_stein.c — the kernel Stein discrepancy (Liu, Lee & Jordan 2016; Chwialkowski et al. 2016), as the U-statistic
 * 2/(N(N − 1)) Σ_{i<j} u(xᵢ, xⱼ):
 *
 *     u = k s·s′ + s·∇′k + s′·∇k + tr ∇∇′k,   s = −∇E
 *
 * For a kernel k(t) of t = ‖x − x′‖², with δ = x − x′, that is k s·s′ − 2k′ (s − s′)·δ − 2d k′ − 4t k″. Its expectation
 * is 0 where the model is the data's density, and positive elsewhere (Gorham & Mackey 2017 on which kernels see
 * everything: the inverse multiquadric does, the Gaussian one does not in higher dimensions). */
#include "record_loss.h"
#include "stein_kernel.h"

#include "autodiff/op/op.h"

ad_var ebm_radial_rbf(ad_var t, double scale) { return ad_exp(ad_scale(t, -0.5 / (scale * scale))); }

ad_var ebm_radial_imq(ad_var t, double scale) { return ad_recip(ad_sqrt(ad_shift(t, scale * scale))); }

ad_var ebm_stein_kernel(ebm_radial radial, double scale, const ad_var x[2], const ad_var score[2])
{
    ad_var apart = ad_sub(x[0], x[1]), t = ad_as_variable(ad_sum(ad_square(apart)));
    ad_var k = radial(t, scale), first, second;
    if (ad_grad(k, &t, 1, &first) || ad_grad(first, &t, 1, &second)) return (ad_var){t.tape, -1};
    double d = (double)ad_shape_of(apart).dim[0];
    ad_var pull = ad_dot(ad_sub(score[0], score[1]), apart);
    ad_var bent = ad_scale(ad_mul(t, second), 4);
    return ad_sub(ad_mul(k, ad_dot(score[0], score[1])), ad_add(ad_scale(ad_mul(first, ad_shift(pull, d)), 2), bent));
}

static ad_var record(ebm_graph *g)
{
    ad_var slope = ebm_graph_gradient(g, g->x), index[2] = {g->first, g->second}, x[2], score[2];
    for (int k = 0; k < 2; k++) {
        x[k] = ad_batch_gather(g->x, index[k]);
        score[k] = ad_neg(ad_batch_gather(slope, index[k]));
    }
    const ebm_radial *radial = g->loss->own;
    return ebm_graph_mean(g, g->noise, ebm_stein_kernel(*radial, g->options->noise_sd, x, score));
}

static const ebm_radial rbf = ebm_radial_rbf, imq = ebm_radial_imq;

const ebm_loss ebm_loss_ksd_rbf = {
    .name = "ksd-rbf",
    .title = "kernel Stein discrepancy, Gaussian kernel",
    .noise = EBM_NOISE_PAIRS,
    .models = EBM_MODELS_WHOLE,
    .deterministic = 1,
    .record = record,
    .own = &rbf,
};

const ebm_loss ebm_loss_ksd_imq = {
    .name = "ksd-imq",
    .title = "kernel Stein discrepancy, inverse multiquadric kernel",
    .noise = EBM_NOISE_PAIRS,
    .models = EBM_MODELS_WHOLE,
    .deterministic = 1,
    .record = record,
    .own = &imq,
};
