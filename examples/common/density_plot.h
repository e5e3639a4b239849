/* density_plot.h — a fitted density in the plane: its data files, and a picture of them. */
#ifndef EXAMPLES_DENSITY_PLOT_H
#define EXAMPLES_DENSITY_PLOT_H

#include <gibbs/ebm.h>

typedef struct density_plot {
    const char *folder, *name; /* files are folder/name….csv */
    const char *data;          /* the CSV of the data points, in the same folder */
    const char *points;        /* what the key calls them; NULL: training data */
    const char *title;
    char **labels;             /* of the two columns, or NULL */
    const double *mean, *sd;   /* standardised x → mean + sd·x, for the axes */
    ebm_box box;               /* what is shown, standardised */
    double log_z;
} density_plot;

/* Writes NAME.csv (x, y, density, E on a grid) and NAME-score.csv (x, y, and −∇E there), and draws NAME.png where
 * there is a gnuplot. */
gibbs_status density_plot_write(const density_plot *plot, ebm_model *model, gibbs_error *error);

#endif
