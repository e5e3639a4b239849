#include "maxent_tell.h"
#include "files.h"
#include "picture.h"

#include <stdio.h>

/* ---- The die ---- */

static const char die_picture[] =
    "set xlabel 'face'; set ylabel 'probability'; set yrange [0:*]; set xrange [0.4:6.6]\n"
    "set offsets 0, 0, 0.02, 0; set xtics 1 scale 0; set key top left; set boxwidth 0.6\n"
    "set style fill solid 1 noborder; unset grid; set grid ytics\n"
    "plot NAME.'.csv' skip 1 using 1:2 with boxes lc rgb '#9db8dc' title 'largest entropy', \\\n"
    "  '' skip 1 using 1:2:(sprintf('%.3f', $2)) with labels offset 0,0.7 notitle, \\\n"
    "  '' skip 1 using 1:3 with points pt 6 ps 2 lw 2 lc rgb RED title 'exp(ηx)/Z, η by bisection', \\\n"
    "  1.0 / 6 with lines dt (8, 6) lw 2 lc rgb '#808080' title 'nothing known'\n";

gibbs_status maxent_tell_die(const settings *set, double eta, double truth, const double *p, const double *exact,
                             report *root, gibbs_error *error)
{
    double row[3 * FACES];
    char title[128];
    for (int i = 0; i < FACES; i++) row[3 * i] = i + 1, row[3 * i + 1] = p[i], row[3 * i + 2] = exact[i];
    if (!set->common.quiet) {
        printf("A die with a mean of %g: η = %.10f (bisection: %.10f)\nprobabilities of 1 to 6:", set->mean,
               eta, truth);
        for (int i = 0; i < FACES; i++) printf(" %.5f", p[i]);
        printf("\n");
    }
    report *r = report_object(root, "die");
    report_number(r, "mean", set->mean);
    report_number(r, "eta", eta);
    report_number(r, "truth", truth);
    report_numbers(r, "probability", p, FACES);
    snprintf(title, sizeof title, "A die of which only the mean is known: %g", set->mean);
    gibbs_status status =
        table_write(set->common.out, "maxent-die.csv", "face,probability,bisection", FACES, 3, row, error);
    return status ? status : picture_draw(set->common.out, "maxent-die", title, die_picture, error);
}

/* ---- A column by its moments ---- */

static const char moments_picture[] =
    "set xlabel COLUMN.', in units of the data' noenhanced; set ylabel 'density'\n"
    "set yrange [0:*]; set xrange [LOW:HIGH]; set key top center\n"
    "set style fill solid 1 noborder; width = (HIGH - LOW) / 40\n"
    "plot NAME.'-data.csv' skip 1 using (LOW + width * (floor(($1 - LOW) / width) + 0.5)):(1 / (ROWS * width)) \\\n"
    "    smooth frequency with boxes lc rgb '#d5dbe3' title sprintf('%d rows', ROWS), \\\n"
    "  for [j = 1:4] NAME.'.csv' skip 1 using 1:(column(1 + j)) with lines lw 2.5 \\\n"
    "    lc rgb word(OCHRE.' '.VIOLET.' '.GREEN.' '.BLUE, j) title sprintf('%d moments', 2 * j)\n";

void maxent_tell_moments(const settings *set, const basis *b, const moment_fit *fit, report *list)
{
    for (int c = 0; c < CURVES; c++) {
        report *r = report_object(list, NULL);
        report_whole(r, "moments", fit[c].k);
        report_number(r, "entropy", fit[c].entropy);
        report_number(r, "mean_log_likelihood", fit[c].log_likelihood);
        report_numbers(r, "eta", fit[c].eta, fit[c].k);
        report_numbers(r, "standard_errors", fit[c].error, fit[c].k);
    }
    if (set->common.quiet) return;
    printf("\n%.200s, column 1, on %.3g … %.3g:\nmoments     entropy  mean log p(data)\n", set->data, b->low, b->high);
    for (int c = 0; c < CURVES; c++) printf("%7d %11.6f %15.6f\n", fit[c].k, fit[c].entropy, fit[c].log_likelihood);
    printf("\nη (standard error), of the powers of u, which is the column scaled to −1 … 1 there:\n");
    for (int j = 0; j < MOST; j++) {
        printf("u^%d", j + 1);
        for (int c = 0; c < CURVES; c++)
            if (j < fit[c].k) printf("%10.3f (%7.3f)", fit[c].eta[j], fit[c].error[j]);
            else printf("%20s", "");
        printf("\n");
    }
}

gibbs_status maxent_draw_moments(const settings *set, const ebm_data *data, const char *name, const basis *b,
                                 const double *row, gibbs_error *error)
{
    picture_script p;
    int64_t rows = data->rows < 1 << 16 ? data->rows : 1 << 16; /* enough for a histogram */
    const char *header = "x,moments_2,moments_4,moments_6,moments_8";
    gibbs_status status = table_write(set->common.out, "maxent-moments.csv", header, NODES, CURVES + 1, row, error);
    if (!status) status = table_write(set->common.out, "maxent-moments-data.csv", "x", rows, 1, data->x, error);
    if (!status)
        status = picture_start(&p, set->common.out, "maxent-moments",
                               "Largest entropy given the first moments of the data", error);
    if (status) return status;
    picture_text(&p, "COLUMN", name);
    fprintf(p.file, "LOW = %.17g; HIGH = %.17g; ROWS = %d\n%s", b->low, b->high, (int)rows, moments_picture);
    return picture_finish(&p, error);
}
