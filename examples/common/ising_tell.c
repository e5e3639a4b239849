#include "ising_tell.h"
#include "files.h"
#include "picture.h"

#include <stdio.h>
#include <string.h>

void ising_tell_head(const settings *set)
{
    if (set->common.quiet) return;
    printf("%d × %d spins, %d couplings of sd %g; root mean square errors of the couplings over %g data sets\n"
           "       N",
           SIDE, SIDE, EDGES, set->coupling, set->repeats);
    for (int m = 0; m < METHODS; m++) printf(" %17s", ising_methods[m].name);
    printf(" %17s\n", "Cramer-Rao bound");
}

/* Errors over the bound, side by side: on two logarithmic axes the methods hide one another. A bar is the standard
 * error of a root mean square of ERRORS independent errors. */
static const char error_picture[] =
    "set logscale x 4; set xlabel 'N, rows of the sample'; set ylabel 'error of the couplings / Cramér-Rao bound'\n"
    "set xtics (0); stats NAME.'.csv' skip 1 using 1 name 'N' nooutput\n"
    "set for [i = 0:N_records - 1] xtics add (sprintf('%d', N_min * 4**i) N_min * 4**i)\n"
    "set xrange [N_min / 1.9:N_max * 1.9]; set yrange [0:*]; unset grid; set grid y lc rgb '#e4e4e4' lt 1\n"
    "set key at screen 0.53, screen 0.048 center horizontal maxrows 1 samplen 1 width -3; set bmargin at screen 0.2\n"
    "plot 1 with lines lw 2.5 dt (8, 6) lc rgb '#606060' title 'the bound', \\\n"
    "  for [m = 1:4] NAME.'.csv' skip 1 using ($1 * 1.2**(m - 2.5)):(column(1 + m) / $6): \\\n"
    "    (column(1 + m) / $6 / sqrt(2 * ERRORS)) with yerrorbars lw 2 ps 1.5 pt 4 + m \\\n"
    "    lc rgb word(BLUE.' '.RED.' '.GREEN.' '.VIOLET, m) \\\n"
    "    title m == 2 ? 'exact likelihood' : m == 3 ? 'ratio matching' : word('pseudo-likelihood - - PCD', m)\n";

static const char coupling_picture[] =
    "set xlabel 'true coupling J_{ij}'; set ylabel 'fitted less true coupling'\n"
    "set key outside bottom center horizontal\n"
    "plot 0 with lines lw 2 lc rgb '#a0a0a0' notitle, \\\n"
    "  for [m = 1:4] NAME.'.csv' skip 1 using 1:(column(1 + m) - $1) with points lw 2 ps 1.6 pt 4 + m \\\n"
    "    lc rgb word(BLUE.' '.RED.' '.GREEN.' '.VIOLET, m) \\\n"
    "    title m == 2 ? 'exact likelihood' : m == 3 ? 'ratio matching' : word('pseudo-likelihood - - PCD', m)\n";

static const char header[] = "pseudo_likelihood,exact_ml,ratio_matching,pcd";

gibbs_status ising_save(const settings *set, const double *truth, const outcome *o, gibbs_error *error)
{
    double row[SIZES * (METHODS + 2)], coupling[EDGES * (METHODS + 1)];
    char names[128], title[128];
    picture_script p;
    for (int i = 0; i < SIZES; i++) {
        row[i * (METHODS + 2)] = (double)o[i].rows;
        memcpy(row + i * (METHODS + 2) + 1, o[i].error, sizeof o[i].error);
    }
    for (int e = 0; e < EDGES; e++) {
        coupling[e * (METHODS + 1)] = truth[e];
        for (int m = 0; m < METHODS; m++) coupling[e * (METHODS + 1) + m + 1] = o[SIZES - 1].theta[m][e];
    }
    snprintf(names, sizeof names, "rows,%s,bound", header);
    gibbs_status status = table_write(set->common.out, "ising.csv", names, SIZES, METHODS + 2, row, error);
    snprintf(title, sizeof title, "Couplings of a %d × %d Ising model, recovered from N samples: root mean square "
             "errors", SIDE, SIDE);
    if (!status) status = picture_start(&p, set->common.out, "ising", title, error);
    if (status) return status;
    fprintf(p.file, "ERRORS = %g\n%s", EDGES * set->repeats, error_picture);
    status = picture_finish(&p, error);
    snprintf(names, sizeof names, "truth,%s", header);
    if (!status)
        status = table_write(set->common.out, "ising-couplings.csv", names, EDGES, METHODS + 1, coupling, error);
    snprintf(title, sizeof title, "Errors of the couplings recovered from %lld samples", (long long)o[SIZES - 1].rows);
    return status ? status : picture_draw(set->common.out, "ising-couplings", title, coupling_picture, error);
}

void ising_tell(const settings *set, const outcome *o, report *list)
{
    report *r = report_object(list, NULL);
    report_whole(r, "rows", o->rows);
    for (int m = 0; m < METHODS; m++) report_number(r, ising_methods[m].name, o->error[m]);
    report_number(r, "bound", o->error[BOUND]);
    if (set->common.quiet) return;
    printf("%8lld", (long long)o->rows);
    for (int m = 0; m <= METHODS; m++) printf(" %17.4f", o->error[m]);
    printf("\n");
}
