#include "density_plot.h"
#include "failure.h"
#include "files.h"
#include "picture.h"

#include <math.h>
#include <stdlib.h>

enum { GRID = 201, ARROWS = 21, TEXT = 512 };

static const double held_by[DENSITY_CONTOURS] = {0.5, 0.9, 0.99};

/* side × side points over the box, the first coordinate moving fastest. */
static void place(const ebm_box *box, int side, double *x)
{
    for (int i = 0; i < side * side; i++) {
        int at[2] = {i % side, i / side};
        for (int k = 0; k < 2; k++) x[2 * i + k] = box->low[k] + (box->high[k] - box->low[k]) * at[k] / (side - 1);
    }
}

static int falling(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x < y) - (x > y);
}

/* Cells of the grid from the densest on, until their probability is that of the contour. Sorts the densities. */
static void find_levels(density_plot *p, double *density, int count)
{
    double cell = (p->box.high[0] - p->box.low[0]) * (p->box.high[1] - p->box.low[1]) / ((GRID - 1.) * (GRID - 1));
    double mass = 0;
    int next = 0;
    qsort(density, (size_t)count, sizeof *density, falling);
    p->top = density[0];
    for (int k = 0; k < DENSITY_CONTOURS; k++) p->level[k] = NAN;
    for (int i = 0; i < count && next < DENSITY_CONTOURS; i++) {
        mass += density[i] * cell;
        while (next < DENSITY_CONTOURS && mass >= held_by[next]) p->level[next++] = density[i];
    }
}

/* One row a point: x, y, then density and E, or the two components of the score. */
static gibbs_status write_grid(density_plot *p, ebm_model *model, const char *file, int side, int score,
                               gibbs_error *error)
{
    int count = side * side;
    double *x = malloc(sizeof(double) * 9 * (size_t)count), *energy = x + 2 * count, *slope = energy + count;
    double *row = slope + 2 * count;
    if (!x) return fail(error, GIBBS_MEMORY, "%s: out of memory", file);
    place(&p->box, side, x);
    gibbs_status status = ebm_model_energy(model, x, count, energy, score ? slope : NULL, error);
    for (int i = 0; !status && i < count; i++) {
        row[4 * i] = x[2 * i];
        row[4 * i + 1] = x[2 * i + 1];
        row[4 * i + 2] = score ? -slope[2 * i] : exp(-energy[i] - p->log_z);
        row[4 * i + 3] = score ? -slope[2 * i + 1] : energy[i];
    }
    const char *header = score ? "x,y,score_x,score_y" : "x,y,density,E";
    if (!status) status = table_write(p->folder, file, header, count, 4, row, error);
    for (int i = 0; i < count; i++) energy[i] = row[4 * i + 2];
    if (!status && !score) find_levels(p, energy, count);
    free(x);
    return status;
}

gibbs_status density_plot_write(density_plot *p, ebm_model *model, gibbs_error *error)
{
    char grid[TEXT], score[TEXT];
    snprintf(grid, sizeof grid, "%s.csv", p->name);
    snprintf(score, sizeof score, "%s-score.csv", p->name);
    gibbs_status status = write_grid(p, model, grid, GRID, 0, error);
    return status ? status : write_grid(p, model, score, ARROWS, 1, error);
}

/* The grid is read into an array, from which both the colours and the contour lines are drawn. */
static const char reading[] =
    "set terminal pngcairo size 1160,940 font 'sans,15' enhanced background 'white'; set output NAME.'.png'\n"
    "array D[N * N]\n"
    "stats NAME.'.csv' skip 1 using (D[int($0) + 1] = $3) nooutput\n"
    "set table $points; plot DATA skip 1 using 1:2 with table\n"
    "set table $arrows; plot NAME.'-score.csv' skip 1 using 1:2:3:4 with table\n"
    "unset table; set datafile separator whitespace\n"
    "cell(v, low, high) = int((v - low) / (high - low) * (N - 1) + 0.5)\n"
    "density(x, y) = D[cell(y, y0, y1) * N + cell(x, x0, x1) + 1]\n"
    "set samples N; set isosamples N\n"
    "set urange [x0:x1]; set vrange [y0:y1]; set xrange [x0:x1]; set yrange [y0:y1]\n"
    "set contour base; unset surface\n";

static const char looking[] =
    "unset contour; set surface; set format xy '%.10g'\n"
    "X(x) = MX + SX * x; Y(y) = MY + SY * y\n"
    "set xrange [X(x0):X(x1)]; set yrange [Y(y0):Y(y1)]; set cbrange [0:TOP / (SX * SY)]\n"
    "set palette defined (0 '#ffffff', 0.03 '#f1f6fb', 0.25 '#c3daec', 0.55 '#86b6db', 1 '#3f82bd')\n"
    "unset grid; set cbtics scale 0.4; set colorbox noborder; set title font ',19' offset 0,0.9\n"
    "set label 1 SUBTITLE at graph 0.5, screen 0.935 center noenhanced font ',15' tc rgb '#404040'\n"
    "set xlabel LX noenhanced font ',17'; set ylabel LY noenhanced font ',17' offset 0.5,0\n"
    "set cblabel CB noenhanced font ',17' offset 0.6,0\n"
    "set key at screen 0.5, screen 0.038 center horizontal maxrows 1 samplen 2 width -3 font ',15' Left reverse\n"
    "set style textbox opaque noborder fillcolor '#30ffffff' margins 0.3,0.2\n"
    "set lmargin at screen 0.1; set rmargin at screen 0.85; set bmargin at screen 0.15; set tmargin at screen 0.91\n"
    "# An arrow shows the direction of the score; its length levels off, so that steep places stay readable.\n"
    "step = (x1 - x0) / (M - 1.0)\n"
    "size(u, v) = 0.8 * step * tanh(sqrt(u**2 + v**2) / 3.0) / (sqrt(u**2 + v**2) + 1e-12)\n"
    "plot '++' using (X($1)):(Y($2)):(density($1, $2) / (SX * SY)) with image notitle, \\\n";

static const char plotting[] =
    "  $arrows using (X($1)):(Y($2)):(SX * $3 * size($3, $4)):(SY * $4 * size($3, $4)) \\\n"
    "    with vectors head size graph 0.006,22 filled lw 1 lc rgb '#8c8c8c' title 'score −∇E', \\\n"
    "  $points using (X($1)):(Y($2)) with points pt 7 ps 0.8 lc rgb 'white' notitle, \\\n"
    "  $points using (X($1)):(Y($2)) with points pt 7 ps 0.55 lc rgb ORANGE title POINTS noenhanced\n";

/* A contour is a table of lines, labelled at its topmost point. */
static void write_script(const density_plot *p, FILE *file)
{
    int count = 0;
    fprintf(file, "N = %d; M = %d; TOP = %.17g\n%s", GRID, ARROWS, p->top, reading);
    for (; count < DENSITY_CONTOURS && !isnan(p->level[count]); count++)
        fprintf(file, "set cntrparam levels discrete %.17g\nset table $line%d; splot '++' using 1:2:(density($1, $2))\n"
                "unset table; stats $line%d using 1:2 nooutput\n"
                "set label %d '%g %%' at MX + SX * STATS_pos_max_y, MY + SY * STATS_max_y center front boxed "
                "font ',14' tc rgb '#0b2447'\n", p->level[count], count, count, 10 + count, 100 * held_by[count]);
    fputs(looking, file);
    for (int k = 0; k < count; k++)
        fprintf(file, "  $line%d using (X(column(1))):(Y(column(2))) with lines lw %g lc rgb '#0b2447' %s, \\\n", k,
                2.2 - 0.4 * k, k ? "notitle" : "title 'probability inside'");
    fputs(plotting, file);
}

gibbs_status density_plot_draw(const density_plot *p, gibbs_error *error)
{
    picture_script out;
    static const char *const axes[2] = {"X", "Y"}, *const labels[2] = {"LX", "LY"};
    static char *standard[2] = {"first column", "second column"};
    gibbs_status status = picture_start(&out, p->folder, p->name, p->title, error);
    if (status) return status;
    picture_text(&out, "DATA", p->data);
    picture_text(&out, "POINTS", p->points ? p->points : "training rows");
    picture_text(&out, "SUBTITLE", p->subtitle ? p->subtitle : "");
    picture_text(&out, "CB", "density, in the data's units");
    for (int k = 0; k < 2; k++) {
        picture_text(&out, labels[k], (p->labels ? p->labels : standard)[k]);
        fprintf(out.file, "M%s = %.17g; S%s = %.17g\n", axes[k], p->mean[k], axes[k], p->sd[k]);
        fprintf(out.file, "%c0 = %.17g; %c1 = %.17g\n", 'x' + k, p->box.low[k], 'x' + k, p->box.high[k]);
    }
    write_script(p, out.file);
    return picture_finish(&out, error);
}
