/* image_plot.h — panels side by side, each a mosaic of small square images. */
#ifndef EXAMPLES_IMAGE_PLOT_H
#define EXAMPLES_IMAGE_PLOT_H

#include <gibbs/data.h>

typedef struct image_panel {
    const char *title;
    const double *x; /* count images, side × side numbers each, row by row */
    int64_t count;
    int filters; /* numbers of both signs, each image scaled to its largest; else grey, 0 white and 1 black */
} image_panel;

enum { MOST_TILES = 100 }; /* of a panel; further images are left out */

/* √cols: the side of images that are the rows of a table. Errors: SHAPE (no square; `name` is in the sentence). */
gibbs_status image_side(const ebm_data *images, const char *name, int *side, gibbs_error *error);

/* Writes NAME-1.csv, NAME-2.csv, … (a row a pixel: x and y in the mosaic, and its value) and draws NAME.png where there
 * is a gnuplot. */
gibbs_status image_plot_write(const char *folder, const char *name, const char *title, const image_panel *panel,
                              int count, int side, gibbs_error *error);

#endif
