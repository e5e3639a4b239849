#include "band_plot.h"
#include "picture.h"

static const char look[] =
    "set xlabel 'θ'; set ylabel 'J(θ), negative log-likelihood'\n"
    "set key at screen 0.555, screen 0.045 center horizontal maxrows 1\n"
    "set lmargin at screen 0.145; set rmargin at screen 0.965\n"
    "set bmargin at screen 0.19; set tmargin at screen 0.92\n"
    "set yrange [LOW:HIGH]; set autoscale xfix\n"
    "FILE = NAME.'.csv'\n";

/* Below J the difference from it, which is what there is to see. A band that leaves a panel says how far it goes. */
static const char band[] =
    "set terminal pngcairo size 1000,940; set key at screen 0.555, screen 0.03; set multiplot\n"
    "unset title; D = '#a8d5a2'\n"
    "away(top) = sprintf('cut off: the draws go up to %.0f', top)\n"
    "set autoscale y; stats FILE skip 1 using 5 name 'MOST' nooutput\n"
    "stats FILE skip 1 using ($5 - $2) name 'OVER' nooutput; stats FILE skip 1 using ($4 - $2) name 'UNDER' nooutput\n"
    "set yrange [LOW:HIGH]\n"
    "set label 1 TITLE at screen 0.5, screen 0.975 center noenhanced font ',17'\n"
    "if (MOST_max > HIGH) { set label 2 away(MOST_max) at graph 0.985, graph 0.95 right front tc rgb '#2c6b25' }\n"
    "set bmargin at screen 0.5; set tmargin at screen 0.94; set format x ''; unset xlabel\n"
    "plot FILE skip 1 using 1:4:5 with filledcurves fc rgb D title 'all draws', \\\n"
    "  FILE skip 1 using 1:2 with lines lw 2.5 lc rgb RED title 'J, the truth', \\\n"
    "  FILE skip 1 using 1:3 with lines lw 2.5 dt (8, 6) lc rgb BLUE title 'their mean'\n"
    "unset label 1; unset label 2; set key off; set format x '%g'; set xlabel 'θ'; set ylabel 'less J(θ)'\n"
    "FLOOR = UNDER_min < 0 ? 1.15 * UNDER_min : -1; ROOF = OVER_max < -2 * FLOOR ? 1.15 * OVER_max : -2 * FLOOR\n"
    "set yrange [FLOOR:ROOF]\n"
    "if (OVER_max > ROOF) { set label 2 away(OVER_max) at graph 0.985, graph 0.94 right front tc rgb '#2c6b25' }\n"
    "set bmargin at screen 0.135; set tmargin at screen 0.465\n"
    "plot FILE skip 1 using 1:($4 - $2):($5 - $2) with filledcurves fc rgb D, 0 with lines lw 2.5 lc rgb RED, \\\n"
    "  FILE skip 1 using 1:($3 - $2) with lines lw 2.5 dt (8, 6) lc rgb BLUE\n"
    "unset multiplot\n";

static const char single[] =
    "set key width -4\n"
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
