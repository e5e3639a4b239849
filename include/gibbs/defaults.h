/* gibbs/defaults.h — options at their defaults, by name: the same as zeros, as an expression, in C and in C++. */
#ifndef GIBBS_DEFAULTS_H
#define GIBBS_DEFAULTS_H

#include <gibbs/fit.h>
#include <gibbs/loss.h>
#include <gibbs/model.h>
#include <gibbs/sampler.h>

#define GIBBS_DEFAULTS(type, name)       \
    static inline type name(void)        \
    {                                    \
        static type zeros;               \
        return zeros;                    \
    }

GIBBS_DEFAULTS(ebm_model_spec, ebm_model_defaults)
GIBBS_DEFAULTS(ebm_fit_options, ebm_fit_defaults)
GIBBS_DEFAULTS(ebm_loss_options, ebm_loss_defaults)
GIBBS_DEFAULTS(ebm_chain_options, ebm_chain_defaults)
GIBBS_DEFAULTS(ebm_ais_options, ebm_ais_defaults)

#undef GIBBS_DEFAULTS

#endif
