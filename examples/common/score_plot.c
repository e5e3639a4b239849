#include "score_plot.h"
#include "failure.h"
#include "files.h"
#include "picture.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PROGRAM "score_field"
enum { DIM = 2, SIDE = 76, ARROWS = 5, COLUMNS = 6 };

gibbs_status score_plot_start(score_plot *p, const char *folder, const char *data, const ebm_data *points,
                              gibbs_error *error)
{
    *p = (score_plot){.folder = folder, .data = data, .box = ebm_box_around(points, 0.08), .rows = points->rows};
    return table_write(folder, PROGRAM "-data.csv", "x,y", points->rows, DIM, points->x, error);
}

/* NAME.csv: density, E and score on a grid over the data, x moving fastest. */
gibbs_status score_plot_add(score_plot *p, ebm_model *model, const char *name, double log_z, double log_p,
                            gibbs_error *error)
{
    enum { POINTS = SIDE * SIDE };
    char file[128];
    double *x = malloc(sizeof *x * POINTS * (2 * DIM + 1 + COLUMNS)), *E = x + DIM * POINTS, *slope = E + POINTS;
    double *row = slope + DIM * POINTS;
    if (!x) return fail(error, GIBBS_MEMORY, "out of memory");
    for (int i = 0; i < POINTS; i++)
        for (int k = 0; k < DIM; k++)
            x[DIM * i + k] = p->box.low[k] + (p->box.high[k] - p->box.low[k]) * (k ? i / SIDE : i % SIDE) / (SIDE - 1);
    gibbs_status status = ebm_model_energy(model, x, POINTS, E, slope, error);
    for (int i = 0; !status && i < POINTS; i++) {
        const double values[COLUMNS] = {x[DIM * i], x[DIM * i + 1], exp(-E[i] - log_z), E[i], -slope[DIM * i],
                                        -slope[DIM * i + 1]};
        memcpy(row + COLUMNS * i, values, sizeof values);
        if (!p->fixed) p->top = fmax(p->top, values[2]);
    }
    snprintf(file, sizeof file, PROGRAM "-%s.csv", name);
    if (!status)
        status = table_write(p->folder, file, "x,y,density,E,score_x,score_y", POINTS, COLUMNS, row, error);
    free(x);
    if (status) return status;
    p->fixed |= !strcmp(name, "truth");
    score_panel *shown = &p->panel[p->panels++];
    snprintf(shown->name, sizeof shown->name, "%s", name);
    snprintf(shown->note, sizeof shown->note, "%s: held-out log p %.3f", name, log_p);
    return GIBBS_OK;
}

/* Arrows give the score's direction; their length levels off, so that steep places stay readable. */
static const char script[] =
    "across = PANELS > 4 ? ceil(sqrt(PANELS)) : 2; down = ceil(PANELS / (1.0 * across))\n"
    "W = 20 + 330.0 * across; H = 60 + 375.0 * down\n"
    "set terminal pngcairo size W, H font 'sans,13' enhanced background 'white'\n"
    "set output NAME.'.png'\n"
    "set multiplot layout down,across margins 60 / W, 1 - 15 / W, 60 / H, 1 - 95 / H spacing 62 / W, 112 / H \\\n"
    "  title TITLE font 'sans,17'\n"
    "stats NAME.'-'.WHO[1].'.csv' skip 1 using 1:2 nooutput name 'S'\n"
    "set xrange [S_min_x:S_max_x]; set yrange [S_min_y:S_max_y]; set cbrange [0:TOP]; unset colorbox; unset grid\n"
    "set palette defined (0 '#ffffff', 0.04 '#eef4fa', 0.2 '#c3daec', 0.45 '#82b4d8', 0.7 '#3f81ba', 1 '#103a72')\n"
    "set size ratio -1; set tics scale 0.5; set xlabel 'x_1' offset 0,1.1; set ylabel 'x_2' offset 1.2,0\n"
    "set xtics 2 offset 0,0.3; set ytics 2; set key off; set border 3 back\n"
    "step = EVERY * (S_max_x - S_min_x) / (SIDE - 1)\n"
    "size(u, v) = 0.95 * step * tanh(sqrt(u**2 + v**2) / 4.0) / (sqrt(u**2 + v**2) + 1e-12)\n"
    "here(n) = n % SIDE % EVERY == EVERY / 2 && n / SIDE % EVERY == EVERY / 2\n"
    "do for [k = 1:PANELS] {\n"
    "  F = NAME.'-'.WHO[k].'.csv'; set title NOTE[k] noenhanced offset 0,-0.4 font ',12'\n"
    "  plot F skip 1 using 1:2:3 with image, NAME.'-data.csv' skip 1 using 1:2 every THIN with points pt 7 ps 0.3 \\\n"
    "    lc rgb ORANGE, F skip 1 using (here(int($0)) ? $1 : 1/0):2:($5 * size($5, $6)):($6 * size($5, $6)) \\\n"
    "    with vectors head size graph 0.012,22 filled lw 1 lc rgb '#505050'\n"
    "}\n"
    "unset multiplot\n";

gibbs_status score_plot_draw(const score_plot *p, gibbs_error *error)
{
    picture_script out;
    char title[256];
    int thin = (int)(p->rows / 150 + 1);
    snprintf(title, sizeof title, "%.100s. Blue: density, 0 to %.2g; arrows: score −∇E, length levelled off; "
             "orange: %d of %lld rows", p->data, p->top, (int)((p->rows + thin - 1) / thin), (long long)p->rows);
    gibbs_status status = picture_start(&out, p->folder, PROGRAM, title, error);
    if (status) return status;
    fprintf(out.file, "PANELS = %d; array WHO[PANELS]; array NOTE[PANELS]\n", p->panels);
    for (int i = 0; i < p->panels; i++)
        fprintf(out.file, "WHO[%d] = '%s'; NOTE[%d] = '%s'\n", i + 1, p->panel[i].name, i + 1, p->panel[i].note);
    fprintf(out.file, "TOP = %.17g; SIDE = %d; EVERY = %d; THIN = %d\n%s", p->top, SIDE, ARROWS, thin,
            script);
    return picture_finish(&out, error);
}
