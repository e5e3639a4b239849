/* score_plot.h — densities and scores in the plane, a panel each in one picture. */
#ifndef EXAMPLES_SCORE_PLOT_H
#define EXAMPLES_SCORE_PLOT_H

#include <gibbs/ebm.h>

enum { SCORE_PANELS = 25 };

typedef struct score_panel {
    char name[20], note[40]; /* of its file; its title */
} score_panel;

typedef struct score_plot {
    const char *folder, *data; /* data: what the points are called */
    ebm_box box;               /* what is shown */
    int64_t rows;              /* of the points */
    double top;                /* the density of the darkest blue: the truth's highest, or the highest of all */
    int fixed, panels;
    score_panel panel[SCORE_PANELS];
} score_plot;

/* A plot without panels around these points, which are written to score_field-data.csv. */
gibbs_status score_plot_start(score_plot *plot, const char *folder, const char *data, const ebm_data *points,
                              gibbs_error *error);

/* Writes score_field-NAME.csv (x, y, density, E and score on a grid), to be a panel; log_p is told in its title. A
 * panel «truth» comes first and sets the colours of all. Errors: MEMORY, IO, and those of ebm_model_energy. */
gibbs_status score_plot_add(score_plot *plot, ebm_model *model, const char *name, double log_z, double log_p,
                            gibbs_error *error);

/* Draws score_field.png. */
gibbs_status score_plot_draw(const score_plot *plot, gibbs_error *error);

#endif
