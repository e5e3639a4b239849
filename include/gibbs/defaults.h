/* gibbs/defaults.h — options at their defaults, by name: zeros, as an expression, in C and in C++. */
#ifndef GIBBS_DEFAULTS_H
#define GIBBS_DEFAULTS_H

#include <gibbs/fit.h>
#include <gibbs/loss.h>
#include <gibbs/model.h>
#include <gibbs/sampler.h>

GIBBS_API_BEGIN

ebm_model_spec ebm_model_defaults(void);
ebm_fit_options ebm_fit_defaults(void);
ebm_loss_options ebm_loss_defaults(void);
ebm_chain_options ebm_chain_defaults(void);
ebm_ais_options ebm_ais_defaults(void);

GIBBS_API_END
#endif
