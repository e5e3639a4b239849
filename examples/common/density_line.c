#include "density_line.h"
#include "failure.h"
#include "files.h"
#include "picture.h"

#include <math.h>
#include <stdlib.h>

enum { GRID = 401, COLUMNS = 4, TEXT = 512 };

gibbs_status density_line_write(density_plot *p, ebm_model *model, gibbs_error *error)
{
    char file[TEXT];
    double x[GRID], energy[GRID], slope[GRID], row[GRID * COLUMNS];
    for (int i = 0; i < GRID; i++) x[i] = p->box.low[0] + (p->box.high[0] - p->box.low[0]) * i / (GRID - 1);
    gibbs_status status = ebm_model_energy(model, x, GRID, energy, slope, error);
    if (status) return status;
    p->top = 0;
    for (int i = 0; i < GRID; i++) {
        const double values[COLUMNS] = {x[i], exp(-energy[i] - p->log_z), energy[i], -slope[i]};
        for (int k = 0; k < COLUMNS; k++) row[COLUMNS * i + k] = values[k];
        p->top = fmax(p->top, values[1]);
    }
    snprintf(file, sizeof file, "%s.csv", p->name);
    return table_write(p->folder, file, "x,density,E,score", GRID, COLUMNS, row, error);
}

/* The rows are counted in bins, of which none is cut off. Both tables are read before the separator is changed, and
 * hold standardised numbers: gnuplot's have six digits, too few for data far from 0. */
static const char script[] =
    "X(x) = MX + SX * x; W = (x1 - x0) / 40.0\n"
    "bin(x) = x0 + W * (floor((x - x0) / W) + 0.5)\n"
    "stats DATA skip 1 using 1 name 'R' nooutput\n"
    "set table $rows; plot DATA skip 1 using (bin($1)):(1 / (W * R_records)) smooth frequency\n"
    "set table $curve; plot NAME.'.csv' skip 1 using 1:2 with table\n"
    "unset table; set datafile separator whitespace; stats $rows using 2 name 'H' nooutput\n"
    "set yrange [0:1.08 * (H_max > TOP ? H_max : TOP) / SX]; set xrange [X(x0):X(x1)]\n"
    "set title font ',17' offset 0,1.2; set label 1 SUBTITLE at graph 0.5, screen 0.915 center noenhanced font ',13' "
    "tc rgb '#404040'\n"
    "set xlabel LX noenhanced; set ylabel \"density, in the data's units\"; set tmargin at screen 0.87\n"
    "set key at screen 0.55, screen 0.045 center horizontal; set bmargin at screen 0.175; set format x '%.10g'\n"
    "set boxwidth 0.92 * W * SX; set style fill solid 0.45 noborder\n"
    "plot $rows using (X($1)):($2 / SX) with boxes lc rgb ORANGE title 'training rows', \\\n"
    "  $curve using (X($1)):($2 / SX) with lines lw 2.5 lc rgb BLUE title 'fitted density'\n";

gibbs_status density_line_draw(const density_plot *p, gibbs_error *error)
{
    picture_script out;
    gibbs_status status = picture_start(&out, p->folder, p->name, p->title, error);
    if (status) return status;
    picture_text(&out, "DATA", p->data);
    picture_text(&out, "SUBTITLE", p->subtitle ? p->subtitle : "");
    picture_text(&out, "LX", p->labels ? p->labels[0] : "first column");
    fprintf(out.file, "MX = %.17g; SX = %.17g; x0 = %.17g; x1 = %.17g; TOP = %.17g\n%s", p->mean[0], p->sd[0],
            p->box.low[0], p->box.high[0], p->top, script);
    return picture_finish(&out, error);
}
