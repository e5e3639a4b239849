/* defaults.c — options at their defaults, by name. */
#include <gibbs/defaults.h>

ebm_model_spec ebm_model_defaults(void) { return (ebm_model_spec){0}; }
ebm_fit_options ebm_fit_defaults(void) { return (ebm_fit_options){0}; }
ebm_loss_options ebm_loss_defaults(void) { return (ebm_loss_options){0}; }
ebm_chain_options ebm_chain_defaults(void) { return (ebm_chain_options){0}; }
ebm_ais_options ebm_ais_defaults(void) { return (ebm_ais_options){0}; }
