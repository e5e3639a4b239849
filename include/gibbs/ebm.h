/* gibbs/ebm.h — energy-based models: p(x) = exp(−E(x; θ))/Z(θ), low energy = likely.
 *
 * An energy is written once, for one x, as a C callback that records ad_* operations. From that graph come the
 * training losses, ∇xE for samplers, ∇θE for optimisers and exact Hessian diagonals for score matching.
 *
 *     static ad_var energy(ad_var x, const ad_var *theta, void *context) { … }
 *
 *     ebm_model_spec spec = {.dim = 2, .energy = energy, …};
 *     ebm_model *model;
 *     ebm_model_new(&spec, &model, &error);
 *     ebm_fit_options options = {.loss = &ebm_loss_score_matching};   // a zeroed field is its default
 *     ebm_fit(model, &data, &options, &report, &error);
 *
 * Sources: S0 Martino et al., A note on gradient-based parameter estimation for energy-based models; S1 Jin, Notes
 * on training of energy-based models; S3 Dai, Lecture 10; S4 Hyvärinen, Energy-based models (docs/methods.md).
 *
 * In the order of need: gibbs/model.h, energy.h (energies that ship), loss.h, fit.h, audit.h (what a fit is worth),
 * proposal.h, sampler.h, draws.h, space.h, log_z.h, and extend.h for a loss, a sampler, a proposal or an energy of your own.
 * This header includes them all.
 */
#ifndef GIBBS_EBM_H
#define GIBBS_EBM_H

#include <gibbs/audit.h>
#include <gibbs/defaults.h>
#include <gibbs/draws.h>
#include <gibbs/energy.h>
#include <gibbs/extend.h>
#include <gibbs/fit.h>
#include <gibbs/log_z.h>
#include <gibbs/loss.h>
#include <gibbs/model.h>
#include <gibbs/proposal.h>
#include <gibbs/sampler.h>
#include <gibbs/space.h>

#endif
