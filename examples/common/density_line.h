/* density_line.h — a fitted density of one column: its data file, and a picture of it over a histogram of the data. */
#ifndef EXAMPLES_DENSITY_LINE_H
#define EXAMPLES_DENSITY_LINE_H

#include "density_plot.h"

/* Writes NAME.csv (x, density, E, and the score −E′, on a grid), and notes `top`. */
gibbs_status density_line_write(density_plot *plot, ebm_model *model, gibbs_error *error);

/* NAME.gnuplot, of what was written; and NAME.png, where there is a gnuplot. Pictures to be compared have one `top`. */
gibbs_status density_line_draw(const density_plot *plot, gibbs_error *error);

#endif
