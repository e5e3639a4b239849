#include "band_plot.h"
#include "picture.h"

static const char look[] =
    "set xlabel 'θ'; set ylabel 'J(θ), negative log-likelihood'\n"
    "set key at screen 0.555, screen 0.04 center horizontal maxrows 1\n"
    "set lmargin at screen 0.145; set rmargin at screen 0.965\n"
    "set bmargin at screen 0.185; set tmargin at screen 0.92\n"
    "set yrange [LOW:HIGH]; set autoscale xfix\n"
    "FILE = NAME.'.csv'\n";

static const char band[] =
    "plot FILE skip 1 using 1:4:5 with filledcurves fc rgb '#a8d5a2' title 'all draws', \\\n"
    "  FILE skip 1 using 1:2 with lines lw 2.5 lc rgb RED title 'J, the truth', \\\n"
    "  FILE skip 1 using 1:3 with lines lw 2.5 dt (8, 6) lc rgb BLUE title 'their mean'\n";

static const char single[] =
    "plot FILE skip 1 using 1:2 with lines lw 2.5 lc rgb RED title 'J, the truth', \\\n"
    "  for [i = 1:SINGLES] FILE skip 1 using 1:(column(2 + i)) with lines lw 2 dt (8, 4) \\\n"
    "    lc rgb word(BLUE.' '.GREEN.' '.VIOLET.' '.OCHRE, (i - 1) % 4 + 1) title sprintf('draw %d', i)\n";

gibbs_status band_plot_draw(const char *folder, const char *name, const char *title, int singles, double low,
                            double high, gibbs_error *error)
{
    picture_script p;
    gibbs_status status = picture_start(&p, folder, name, title, error);
    if (status) return status;
    fprintf(p.file, "SINGLES = %d; LOW = %.17g; HIGH = %.17g\n%s%s", singles, low, high, look, singles ? single : band);
    return picture_finish(&p, error);
}
