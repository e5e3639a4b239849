/* fitting.h — fits that show how they get on, end on SIGINT and SIGTERM after the step in hand, and go on from a file. */
#ifndef EXAMPLES_FITTING_H
#define EXAMPLES_FITTING_H

#include "options.h"

#include <gibbs/ebm.h>

/* ebm_fit with a line of progress, and what it noted printed unless quiet; with --checkpoint FILE saved every few
 * seconds and at the end, as FILE or, where the program fits several models, FILE.name; with --resume begun there, where
 * such a file is. `name` NULL: the only one. Errors: those of ebm_fit, of ebm_trainer_save and ebm_trainer_load; STOPPED, saying how to go on. */
gibbs_status fit_model(const common_options *common, const char *name, ebm_model *model, const ebm_data *data,
                       const ebm_fit_options *options, ebm_fit_report *report, gibbs_error *error);

#endif
