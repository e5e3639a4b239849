/* names.h — what the names in a model's file stand for. */
#ifndef GIBBS_NAMES_H
#define GIBBS_NAMES_H

#include <gibbs/extend.h>

/* An energy that ships, or of the list `own`, which ends with NULL (and may be NULL); NULL where there is none. */
const ebm_energy *ebm_energy_named(const char *name, const ebm_energy *const *own);

/* The name of an activation, and back; NULL where there is none. */
const char *ebm_activation_name(ebm_activation activation);
ebm_activation ebm_activation_named(const char *name);

#endif
