/* plot.h — pictures by gnuplot, where it is installed. A picture is a gnuplot script in the results' folder, beside the
 * CSV files that it reads: `cd out && gnuplot NAME.gnuplot` draws it again. */
#ifndef EXAMPLES_PLOT_H
#define EXAMPLES_PLOT_H

#include <gibbs/status.h>

/* Whether there is a gnuplot. The first time that there is none, says so in one sentence on stderr. */
int plot_possible(void);

/* Runs gnuplot on folder/NAME.gnuplot, in that folder. Errors: IO. */
gibbs_status plot_draw(const char *folder, const char *name, gibbs_error *error);

/* A text for a gnuplot script, in its quotes. Control characters are left out. Returns `out`. */
const char *plot_quote(const char *text, char *out, int size);

#endif
