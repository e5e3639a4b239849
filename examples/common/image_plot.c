#include "image_plot.h"
#include "failure.h"
#include "files.h"
#include "picture.h"

#include <math.h>
#include <stdlib.h>

enum { TEXT = 512 };

gibbs_status image_side(const ebm_data *images, const char *name, int *side, gibbs_error *error)
{
    *side = (int)lround(sqrt((double)images->cols));
    if ((int64_t)*side * *side == images->cols) return GIBBS_OK;
    return fail(error, GIBBS_SHAPE, "%.200s: rows of %lld numbers are no square images", name,
                (long long)images->cols);
}

static double largest(const double *x, int n)
{
    double most = 0;
    for (int i = 0; i < n; i++) most = fmax(most, fabs(x[i]));
    return most > 0 ? most : 1;
}

static int tiles_of(const image_panel *p) { return (int)(p->count < MOST_TILES ? p->count : MOST_TILES); }
static int across(const image_panel *p) { return (int)ceil(sqrt((double)tiles_of(p))); }

/* One pixel is left free between images. */
static gibbs_status write_mosaic(const image_panel *p, const char *folder, const char *file, int side,
                                 gibbs_error *error)
{
    int pixels = side * side, tiles = tiles_of(p), wide = across(p), n = 0;
    double *row = malloc(sizeof *row * 3 * (size_t)tiles * (size_t)pixels);
    if (!row) return fail(error, GIBBS_MEMORY, "%s: out of memory", file);
    for (int t = 0; t < tiles; t++) {
        const double *image = p->x + (int64_t)t * pixels;
        double scale = p->filters ? 1 / largest(image, pixels) : 1;
        for (int i = 0; i < pixels; i++) {
            row[n++] = t % wide * (side + 1) + i % side;
            row[n++] = t / wide * (side + 1) + i / side;
            row[n++] = image[i] * scale;
        }
    }
    gibbs_status status = table_write(folder, file, "x,y,value", (int64_t)tiles * pixels, 3, row, error);
    free(row);
    return status;
}

static const char head[] =
    "set terminal pngcairo size 440 * PANELS + 20,540 font 'sans,13' background 'white'; set output NAME.'.png'\n"
    "unset key; unset tics; unset border; unset grid; unset title\n"
    "set colorbox horizontal noborder; set cbtics out nomirror scale 0.4 offset 0,0.4\n"
    "X(i) = (440.0 * i + 25) / (440 * PANELS + 20); W = 410.0 / (440 * PANELS + 20)\n"
    "set multiplot\n"
    "set label 100 TITLE at screen 0.5,0.96 center noenhanced font ',15'\n";

/* A mosaic of ACROSS × ACROSS pixels, on grey so that the gaps, which are NaN, show. It is one image: boxes would show
 * their seams. '++' needs a separator that is no comma. */
static const char each[] =
    "set lmargin at screen X(I); set rmargin at screen X(I) + W\n"
    "set bmargin at screen 0.15; set tmargin at screen 0.15 + 410.0 / 540\n"
    "set colorbox user origin screen X(I) + 0.2 * W, screen 0.105 size screen 0.6 * W, screen 0.022\n"
    "set cblabel LABEL noenhanced offset 0,0.5\n"
    "set object 1 rectangle from graph 0,0 to graph 1,1 behind fc rgb '#b8bcc4' fs solid noborder\n"
    "if (FILTERS) { set cbrange [-1:1]; set cbtics -1,1,1\n"
    "  set palette defined (-1 '#1d4e9e', -0.5 '#8fb4dc', 0 '#ffffff', 0.5 '#ee9c83', 1 '#b3231f')\n"
    "} else { set cbrange [0:1]; set cbtics 0,1,1; set palette defined (0 '#ffffff', 1 '#16181c') }\n"
    "set xrange [*:*]; set yrange [*:*]; array V[ACROSS * ACROSS]; do for [i = 1:ACROSS * ACROSS] { V[i] = NaN }\n"
    "set datafile separator ','; stats FILE skip 1 using (V[int($2) * ACROSS + int($1) + 1] = $3) nooutput\n"
    "set samples ACROSS; set isosamples ACROSS; set urange [0:ACROSS - 1]; set vrange [0:ACROSS - 1]\n"
    "set xrange [-1.5:ACROSS + 0.5]; set yrange [ACROSS + 0.5:-1.5]\n"
    "set datafile separator whitespace\n"
    "plot '++' using 1:2:(V[int($2 + 0.5) * ACROSS + int($1 + 0.5) + 1]) with image\n"
    "unset label 100\n";

static gibbs_status draw(const char *folder, const char *name, const char *title, const image_panel *panel, int count,
                         int side, gibbs_error *error)
{
    picture_script out;
    gibbs_status status = picture_start(&out, folder, name, title, error);
    if (status) return status;
    fprintf(out.file, "PANELS = %d\n%s", count, head);
    for (int k = 0; k < count; k++) {
        fprintf(out.file, "I = %d; FILE = NAME.'-%d.csv'; FILTERS = %d\n", k, k + 1, panel[k].filters);
        picture_text(&out, "LABEL", panel[k].title);
        fprintf(out.file, "ACROSS = %d\n%s", across(&panel[k]) * (side + 1) - 1, each);
    }
    fprintf(out.file, "unset multiplot\n");
    return picture_finish(&out, error);
}

gibbs_status image_plot_write(const char *folder, const char *name, const char *title, const image_panel *panel,
                              int count, int side, gibbs_error *error)
{
    gibbs_status status = GIBBS_OK;
    for (int k = 0; !status && k < count; k++) {
        char file[TEXT];
        snprintf(file, sizeof file, "%s-%d.csv", name, k + 1);
        status = write_mosaic(&panel[k], folder, file, side, error);
    }
    return status ? status : draw(folder, name, title, panel, count, side, error);
}
