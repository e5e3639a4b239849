#include "band_plot.h"
#include "failure.h"
#include "files.h"
#include "plot.h"

enum { TEXT = 512 };

static const char look[] =
    "set terminal pngcairo size 1000,720 font 'sans,15' background 'white'\n"
    "set output NAME.'.png'\n"
    "set datafile separator ','\n"
    "set tics out nomirror; set border 3 lc rgb '#606060'; set grid lc rgb '#e4e4e4' lt 1\n"
    "set xlabel 'θ'; set ylabel 'J(θ), negative log-likelihood'; set title TITLE noenhanced\n"
    "set key at screen 0.555, screen 0.04 center horizontal maxrows 1 samplen 2.5;\n"
    "set lmargin at screen 0.145; set rmargin at screen 0.965\n"
    "set bmargin at screen 0.185; set tmargin at screen 0.92\n"
    "set yrange [LOW:HIGH]; set autoscale xfix\n"
    "FILE = NAME.'.csv'\n";

static const char band[] =
    "plot FILE skip 1 using 1:4:5 with filledcurves fc rgb '#a8d5a2' title 'all draws', \\\n"
    "  FILE skip 1 using 1:2 with lines lw 2.5 lc rgb '#c8342b' title 'J, the truth', \\\n"
    "  FILE skip 1 using 1:3 with lines lw 2.5 dt (8, 6) lc rgb '#2456a4' title 'their mean'\n";

static const char single[] =
    "plot FILE skip 1 using 1:2 with lines lw 2.5 lc rgb '#c8342b' title 'J, the truth', \\\n"
    "  for [i = 1:SINGLES] FILE skip 1 using 1:(column(2 + i)) with lines lw 2 dt (8, 4) \\\n"
    "    lc rgb word('#2456a4 #3a8f4d #8a5fb0 #b07a2a', (i - 1) % 4 + 1) title sprintf('draw %d', i)\n";

gibbs_status band_plot_draw(const char *folder, const char *name, const char *title, int singles, double low,
                            double high, gibbs_error *error)
{
    char text[TEXT], file[TEXT];
    FILE *out;
    snprintf(file, sizeof file, "%s.gnuplot", name);
    gibbs_status status = file_create(folder, file, &out, error);
    if (status) return status;
    fprintf(out, "NAME = %s\n", plot_quote(name, text, sizeof text));
    fprintf(out, "TITLE = %s\n", plot_quote(title, text, sizeof text));
    fprintf(out, "SINGLES = %d; LOW = %.17g; HIGH = %.17g\n%s%s", singles, low, high, look, singles ? single : band);
    status = file_close(out, file, error);
    return !status && plot_possible() ? plot_draw(folder, name, error) : status;
}
