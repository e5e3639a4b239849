#include "picture.h"
#include "files.h"
#include "plot.h"

enum { TEXT = 512 };

static const char look[] =
    "set terminal pngcairo size 1000,720 font 'sans,15' enhanced background 'white'\n"
    "set output NAME.'.png'\n"
    "set datafile separator ','\n"
    "set tics out nomirror; set border 3 lc rgb '#606060'; set grid lc rgb '#e4e4e4' lt 1\n"
    "set title TITLE noenhanced; set key samplen 2.5\n"
    "RED = '#c8342b'; BLUE = '#2456a4'; GREEN = '#3a8f4d'; VIOLET = '#8a5fb0'; OCHRE = '#b07a2a'\n";

gibbs_status picture_draw(const char *folder, const char *name, const char *title, const char *script,
                          gibbs_error *error)
{
    char text[TEXT], file[TEXT];
    FILE *out;
    snprintf(file, sizeof file, "%s.gnuplot", name);
    gibbs_status status = file_create(folder, file, &out, error);
    if (status) return status;
    fprintf(out, "NAME = %s\n", plot_quote(name, text, sizeof text));
    fprintf(out, "TITLE = %s\n%s%s", plot_quote(title, text, sizeof text), look, script);
    status = file_close(out, file, error);
    return !status && plot_possible() ? plot_draw(folder, name, error) : status;
}
