#include "density_plot.h"
#include "failure.h"
#include "files.h"
#include "picture.h"

#include <math.h>
#include <stdlib.h>

enum { GRID = 151, ARROWS = 23, TEXT = 512 };

/* side × side points over the box, the first coordinate moving fastest. */
static void place(const ebm_box *box, int side, double *x)
{
    for (int i = 0; i < side * side; i++) {
        int at[2] = {i % side, i / side};
        for (int k = 0; k < 2; k++) x[2 * i + k] = box->low[k] + (box->high[k] - box->low[k]) * at[k] / (side - 1);
    }
}

/* One row a point: x, y, then density and E, or the two components of the score. */
static gibbs_status write_grid(const density_plot *p, ebm_model *model, const char *file, int side, int score,
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
    free(x);
    return status;
}

/* The grid is read into an array, from which both the colours and the contour lines are drawn. */
static const char script[] =
    "set terminal pngcairo size 1160,940 font 'sans,15' enhanced background 'white'; set output NAME.'.png'\n"
    "array D[N * N]\n"
    "stats NAME.'.csv' skip 1 using (D[int($0) + 1] = $3) nooutput\n"
    "top = STATS_max\n"
    "set table $points; plot DATA skip 1 using 1:2 with table\n"
    "set table $arrows; plot NAME.'-score.csv' skip 1 using 1:2:3:4 with table\n"
    "unset table; set datafile separator whitespace\n"
    "cell(v, low, high) = int((v - low) / (high - low) * (N - 1) + 0.5)\n"
    "density(x, y) = D[cell(y, y0, y1) * N + cell(x, x0, x1) + 1]\n"
    "set samples N; set isosamples N\n"
    "set urange [x0:x1]; set vrange [y0:y1]; set xrange [x0:x1]; set yrange [y0:y1]\n"
    "set contour base; unset surface\n"
    "set cntrparam levels discrete 0.02 * top, 0.1 * top, 0.25 * top, 0.5 * top, 0.75 * top\n"
    "set table $lines\n"
    "splot '++' using 1:2:(density($1, $2))\n"
    "unset table; unset contour; set surface\n"
    "X(x) = MX + SX * x; Y(y) = MY + SY * y\n"
    "set xrange [X(x0):X(x1)]; set yrange [Y(y0):Y(y1)]; set cbrange [0:top / (SX * SY)]\n"
    "set palette defined (0 '#ffffff', 0.04 '#eef4fa', 0.2 '#c3daec', 0.45 '#82b4d8', 0.7 '#3f81ba', 1 '#103a72')\n"
    "unset grid; set cbtics scale 0.4; set colorbox noborder\n"
    "set xlabel LX noenhanced; set ylabel LY noenhanced; set cblabel 'density'\n"
    "set key at screen 0.5, screen 0.025 center horizontal samplen 2\n"
    "set lmargin at screen 0.1; set rmargin at screen 0.835; set bmargin at screen 0.135; set tmargin at screen 0.935\n"
    "# An arrow shows the direction of the score; its length levels off, so that steep places stay readable.\n"
    "step = (x1 - x0) / (M - 1)\n"
    "size(u, v) = 0.85 * step * tanh(sqrt(u**2 + v**2) / 3.0) / (sqrt(u**2 + v**2) + 1e-12)\n"
    "plot '++' using (X($1)):(Y($2)):(density($1, $2) / (SX * SY)) with image notitle, \\\n"
    "  $lines using (X(column(1))):(Y(column(2))) with lines lw 1.2 lc rgb '#60103a72' notitle, \\\n"
    "  $arrows using (X($1)):(Y($2)):(SX * $3 * size($3, $4)):(SY * $4 * size($3, $4)) \\\n"
    "    with vectors head size graph 0.006,22 filled lw 1 lc rgb '#909090' title 'score, -grad E', \\\n"
    "  $points using (X($1)):(Y($2)) with points pt 7 ps 0.85 lc rgb 'white' notitle, \\\n"
    "  $points using (X($1)):(Y($2)) with points pt 7 ps 0.6 lc rgb ORANGE title POINTS noenhanced\n";

static gibbs_status draw(const density_plot *p, gibbs_error *error)
{
    picture_script out;
    static const char *const axes[2] = {"X", "Y"}, *const labels[2] = {"LX", "LY"};
    static char *standard[2] = {"first column", "second column"};
    gibbs_status status = picture_start(&out, p->folder, p->name, p->title, error);
    if (status) return status;
    picture_text(&out, "DATA", p->data);
    picture_text(&out, "POINTS", p->points ? p->points : "training data");
    for (int k = 0; k < 2; k++) {
        picture_text(&out, labels[k], (p->labels ? p->labels : standard)[k]);
        fprintf(out.file, "M%s = %.17g; S%s = %.17g\n", axes[k], p->mean[k], axes[k], p->sd[k]);
        fprintf(out.file, "%c0 = %.17g; %c1 = %.17g\n", 'x' + k, p->box.low[k], 'x' + k, p->box.high[k]);
    }
    fprintf(out.file, "N = %d; M = %d\n%s", GRID, ARROWS, script);
    return picture_finish(&out, error);
}

gibbs_status density_plot_write(const density_plot *p, ebm_model *model, gibbs_error *error)
{
    char grid[TEXT], score[TEXT];
    snprintf(grid, sizeof grid, "%s.csv", p->name);
    snprintf(score, sizeof score, "%s-score.csv", p->name);
    gibbs_status status = write_grid(p, model, grid, GRID, 0, error);
    if (!status) status = write_grid(p, model, score, ARROWS, 1, error);
    return status ? status : draw(p, error);
}
