/* band_plot.h — curves over a parameter: a band from the lowest to the highest of many, their mean and the truth; or
 * just a few of them and the truth. */
#ifndef EXAMPLES_BAND_PLOT_H
#define EXAMPLES_BAND_PLOT_H

#include <gibbs/status.h>

/* Draws NAME.png from folder/NAME.csv, whose columns are: x, truth, and either mean, min, max or, when `singles` is not
 * 0, as many single curves. Where there is no gnuplot only the script is written. low … high is what is shown of y. */
gibbs_status band_plot_draw(const char *folder, const char *name, const char *title, int singles, double low,
                            double high, gibbs_error *error);

#endif
