#include "picture.h"
#include "files.h"
#include "plot.h"

enum { TEXT = 1024 };

static const char look[] =
    "set encoding utf8\n"
    "set terminal pngcairo size 1000,720 font 'sans,15' enhanced background 'white'\n"
    "set output NAME.'.png'\n"
    "set datafile separator ','\n"
    "set tics out nomirror; set border 3 lc rgb '#606060'; set grid lc rgb '#e4e4e4' lt 1\n"
    "set title TITLE noenhanced; set key samplen 2.5\n"
    "RED = '#c8342b'; BLUE = '#2456a4'; GREEN = '#3a8f4d'; VIOLET = '#8a5fb0'; OCHRE = '#b07a2a'; ORANGE = '#e0662c'\n";

gibbs_status picture_start(picture_script *p, const char *folder, const char *name, const char *title,
                           gibbs_error *error)
{
    char file[TEXT];
    *p = (picture_script){.folder = folder, .name = name};
    snprintf(file, sizeof file, "%s.gnuplot", name);
    gibbs_status status = file_create(folder, file, &p->file, error);
    if (status) return status;
    picture_text(p, "NAME", name);
    picture_text(p, "TITLE", title);
    fputs(look, p->file);
    return GIBBS_OK;
}

void picture_text(const picture_script *p, const char *name, const char *text)
{
    char quoted[TEXT];
    fprintf(p->file, "%s = %s\n", name, plot_quote(text, quoted, sizeof quoted));
}

gibbs_status picture_finish(picture_script *p, gibbs_error *error)
{
    gibbs_status status = file_close(p->file, p->name, error);
    return !status && plot_possible() ? plot_draw(p->folder, p->name, error) : status;
}

gibbs_status picture_draw(const char *folder, const char *name, const char *title, const char *script,
                          gibbs_error *error)
{
    picture_script p;
    gibbs_status status = picture_start(&p, folder, name, title, error);
    if (status) return status;
    fputs(script, p.file);
    return picture_finish(&p, error);
}
