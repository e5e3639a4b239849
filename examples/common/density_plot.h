/* density_plot.h — a fitted density in the plane: its data files, and a picture of them. */
#ifndef EXAMPLES_DENSITY_PLOT_H
#define EXAMPLES_DENSITY_PLOT_H

#include <gibbs/ebm.h>

enum { DENSITY_CONTOURS = 3 };

typedef struct density_plot {
    const char *folder, *name; /* files are folder/name….csv */
    const char *data;          /* the CSV of the data points, in the same folder */
    const char *points;        /* what the key calls them; NULL: training rows */
    const char *title, *subtitle; /* the latter may be NULL */
    char **labels;             /* of the two columns, or NULL */
    const double *mean, *sd;   /* standardised x → mean + sd·x, for the axes */
    ebm_box box;               /* what is shown, standardised */
    double log_z;
    double top;                     /* the density of the darkest colour: the grid's largest, unless it is changed */
    double level[DENSITY_CONTOURS]; /* densities above which lie 50, 90 and 99 % of the probability; NaN: in no grid */
} density_plot;

/* Writes NAME.csv (x, y, density, E on a grid) and NAME-score.csv (x, y, and −∇E there); notes `top` and `level`. */
gibbs_status density_plot_write(density_plot *plot, ebm_model *model, gibbs_error *error);

/* NAME.gnuplot, of what was written; and NAME.png, where there is a gnuplot. Pictures to be compared have one `top`. */
gibbs_status density_plot_draw(const density_plot *plot, gibbs_error *error);

#endif
