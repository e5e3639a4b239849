/* exponential.h — the statistics of an exponential family, for those who fit it from their expectations. */
#ifndef GIBBS_EXPONENTIAL_H
#define GIBBS_EXPONENTIAL_H

#include "features.h"

/* T of an exponential family, owned by the model; NULL when it is none. */
const ebm_features *ebm_exponential_statistics(const ebm_model *model);

#endif
