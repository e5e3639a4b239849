#include "compose_tell.h"
#include "files.h"
#include "picture.h"

#include <math.h>
#include <stdio.h>

enum { SHOWN = 400 }; /* points of each kind in the picture */

static const char *const moment_name[MOMENTS] = {"E x", "E y", "E x²", "E y²", "E xy"};

void compose_moments(const double *x, double *m)
{
    const double value[MOMENTS] = {x[0], x[1], x[0] * x[0], x[1] * x[1], x[0] * x[1]};
    for (int k = 0; k < MOMENTS; k++) m[k] = value[k];
}

void compose_tell(const settings *set, const double *x, const outcome *o, report *root)
{
    double m[MOMENTS], sum[MOMENTS] = {0}, square[MOMENTS] = {0}, se[MOMENTS], rows = set->chains;
    for (int64_t i = 0; i < (int64_t)rows; i++) {
        compose_moments(x + 2 * i, m);
        for (int k = 0; k < MOMENTS; k++) sum[k] += m[k] / rows, square[k] += m[k] * m[k] / rows;
    }
    for (int k = 0; k < MOMENTS; k++) se[k] = sqrt((square[k] - sum[k] * sum[k]) / (rows - 1));
    report_number(root, "acceptance", o->acceptance);
    report_number(root, "swapped", o->swapped);
    report_numbers(root, "chains", sum, MOMENTS);
    report_numbers(root, "standard_errors", se, MOMENTS);
    report_numbers(root, "quadrature", o->moment, MOMENTS);
    if (set->common.quiet) return;
    printf("%s × %s: %g chains of %g steps of MALA at %d temperatures;\n"
           "accepted %.3f of the moves, %.3f of the swaps between temperatures\n"
           "          chains (se)         quadrature\n",
           set->set[0], set->set[1], rows, set->moves, LADDER, o->acceptance, o->swapped);
    for (int k = 0; k < MOMENTS; k++)
        printf("%-5s%s %9.4f (%.4f) %12.4f\n", moment_name[k], k == 2 || k == 3 ? " " : "", sum[k], se[k],
               o->moment[k]);
    printf("Picture and data: %s/compose*\n", set->common.out);
}

static const char picture[] =
    "set terminal pngcairo size 1320,520 font 'sans,13' enhanced background 'white'; set output NAME.'.png'\n"
    "set multiplot layout 1,3 title TITLE noenhanced margins 0.05,0.93,0.27,0.84 spacing 0.11,0\n"
    "set palette defined (0 '#ffffff', 0.04 '#eef4fa', 0.2 '#c3daec', 0.45 '#82b4d8', 0.7 '#3f81ba', 1 '#103a72')\n"
    "unset grid; set colorbox noborder; set cbtics scale 0.4\n"
    "set size ratio -1; set xrange [-5:5]; set yrange [-5:5]; set xtics 2; set ytics 2\n"
    "set xlabel 'x, first coordinate' offset 0,0.4; set ylabel 'y, second coordinate' offset 1.2,0\n"
    "set key at graph 0.5, graph -0.33 center horizontal samplen 1\n"
    "do for [k = 1:3] {\n"
    "  FILE = NAME.(k < 3 ? sprintf('-%d', k) : '-product').'.csv'\n"
    "  set title k < 3 ? sprintf('p_%d, fitted to «%s»', k, word(SETS, k)) : 'p_1 p_2 / Z' enhanced\n"
    "  plot NAME.'.csv' skip 1 using 1:2:(column(2 + k)) with image notitle, \\\n"
    "    FILE skip 1 using 1:2 with points pt 7 ps 0.4 lc rgb k < 3 ? ORANGE : GREEN \\\n"
    "      title sprintf(k < 3 ? '%d of %d rows' : '%d of %d samples', SHOWN[k], OF[k])\n"
    "}\n"
    "unset multiplot\n";

gibbs_status compose_save(const settings *set, const ebm_data *data, const double *table, const double *x,
                          gibbs_error *error)
{
    picture_script p;
    char name[64];
    const int64_t rows[] = {data[0].rows, data[1].rows, (int64_t)set->chains};
    int64_t shown[PARTS + 1];
    gibbs_status status = table_write(set->common.out, "compose.csv", "x,y,density_1,density_2,density_product", NODES,
                                      2 + PARTS + 1, table, error);
    for (int k = 0; !status && k <= PARTS; k++) {
        shown[k] = rows[k] < SHOWN ? rows[k] : SHOWN;
        if (k < PARTS) snprintf(name, sizeof name, "compose-%d.csv", k + 1);
        else snprintf(name, sizeof name, "compose-product.csv");
        status = table_write(set->common.out, name, "x,y", shown[k], 2, k < PARTS ? data[k].x : x, error);
    }
    if (!status)
        status = picture_start(&p, set->common.out, "compose",
                               "The product of two densities, each fitted alone: the sum of their energies "
                               "(colour: density)", error);
    if (status) return status;
    fprintf(p.file, "SETS = '%s %s'; array SHOWN[3]; array OF[3]\n", set->set[0], set->set[1]);
    for (int k = 0; k <= PARTS; k++)
        fprintf(p.file, "SHOWN[%d] = %lld; OF[%d] = %lld\n", k + 1, (long long)shown[k], k + 1, (long long)rows[k]);
    fputs(picture, p.file);
    return picture_finish(&p, error);
}
