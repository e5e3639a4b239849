#include "cd_curve.h"
#include "files.h"
#include "picture.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { COLUMNS = 10 };

static const char script[] =
    "set terminal pngcairo size 1180,980 font 'sans,15' enhanced background 'white'\n"
    "set output NAME.'.png'\n"
    "set multiplot layout 2,2 title TITLE.\"\\n\" font 'sans,17'\n"
    "set xlabel 'ε, the length of the Langevin step'; set logscale x; set key reverse Left\n"
    "set xtics (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2); set lmargin 11; set bmargin 4; set rmargin 3\n"
    "positive(v, floor) = v > floor ? v : floor\n"
    "do for [who in 'Gaussian network'] {\n"
    "  F = NAME.'-'.who.'.csv'; stats F skip 1 using 1 nooutput; set xrange [STATS_min / 1.1:STATS_max * 1.1]\n"
    "  unset logscale y; set format y '%g'; set key bottom left; set yrange [*:*]; set offsets 0, 0, 0.05, 0.05\n"
    "  set title who.': along the score matching gradient'; set ylabel 'CD · SM / SM · SM'\n"
    "  plot 1 with lines lw 2 lc rgb RED title 'score matching', \\\n"
    "    F skip 1 using 1:2:3 with yerrorbars pt 7 ps 0.7 lw 1.3 lc rgb OCHRE title 'CD-1, z as it comes', \\\n"
    "    F skip 1 using 1:6:7 with yerrorbars pt 7 ps 0.9 lw 1.5 lc rgb BLUE title 'CD-1, z and -z'\n"
    "  set logscale y; set format y '10^{%T}'; set key bottom right; set offsets 0, 0, 0, 0; set yrange [3e-4:1]\n"
    "  order = value('ORDER_'.who); level = value('LEVEL_'.who); exact = value('EXACT_'.who)\n"
    "  set title who.': distance from it'; set ylabel '|CD - SM| / |SM|'\n"
    "  plot exact > 0 ? exact * x**2 : 1/0 with lines lw 5 lc rgb '#a8d5a2' title (exact > 0 ? 'exact' : ''), \\\n"
    "    level * x**order with lines lw 1.5 dt (8, 6) lc rgb RED title sprintf('fitted, order %.2f', order), \\\n"
    "    F skip 1 using 1:8:(positive($8 - $9, 1e-9)):($8 + $9) with yerrorbars pt 7 ps 0.9 lw 1.5 lc rgb BLUE \\\n"
    "      title 'CD-1, z and -z'\n"
    "}\n"
    "unset multiplot\n";

/* NAME = value, where gnuplot can read the number; 0 where there is none. */
static void write_setting(FILE *out, const char *what, const char *who, double value)
{
    fprintf(out, "%s_%s = %.17g\n", what, who, isfinite(value) ? value : 0);
}

gibbs_status curve_draw(const settings *set, const subject *list, int count, gibbs_error *error)
{
    picture_script out;
    char title[256];
    snprintf(title, sizeof title, "CD-1 with a short Langevin step has the gradient of score matching "
             "(± s.e. of %g draws)", set->draws);
    gibbs_status status = picture_start(&out, set->common.out, PROGRAM, title, error);
    if (status) return status;
    for (int i = 0; i < count; i++) {
        write_setting(out.file, "ORDER", list[i].name, list[i].order.slope);
        write_setting(out.file, "LEVEL", list[i].name, exp(list[i].order.constant));
        write_setting(out.file, "EXACT", list[i].name, list[i].curvature);
    }
    fputs(script, out.file);
    return picture_finish(&out, error);
}

static gibbs_status save(const settings *set, const subject *s, gibbs_error *error)
{
    char name[128];
    double row[MOST_POINTS * COLUMNS];
    for (int i = 0; i < (int)set->points; i++) {
        const point *at = &s->point[i];
        row[COLUMNS * i] = at->epsilon;
        memcpy(row + COLUMNS * i + 1, &at->plain, sizeof(verdict));
        memcpy(row + COLUMNS * i + 5, &at->mirrored, sizeof(verdict));
        row[COLUMNS * i + 9] = at->exact;
    }
    snprintf(name, sizeof name, PROGRAM "-%s.csv", s->name);
    return table_write(set->common.out, name, "epsilon,plain_ratio,plain_ratio_error,plain_distance,"
                       "plain_distance_error,ratio,ratio_error,distance,distance_error,exact_distance",
                       (int64_t)set->points, COLUMNS, row, error);
}

static void print_subject(const settings *set, const subject *s)
{
    printf("\n%s\n    ε        CD·SM/SM·SM, z as it comes          z and −z      |CD − SM|/|SM|       exact\n",
           s->title);
    for (int i = 0; i < (int)set->points; i++) {
        const point *at = &s->point[i];
        const verdict *plain = &at->plain, *mirrored = &at->mirrored;
        printf("%7.4f %19.4f ± %6.4f %9.4f ± %6.4f ", at->epsilon, plain->ratio, plain->ratio_error, mirrored->ratio,
               mirrored->ratio_error);
        if (isnan(mirrored->distance)) printf("%20s", "below the noise");
        else printf("%10.5f ± %7.5f", mirrored->distance, mirrored->distance_error);
        if (isnan(at->exact)) printf("%12s\n", "");
        else printf(" %11.5f\n", at->exact);
    }
    printf("the distance is of order %.3f ± %.3f in ε from %g to %g (theory: 2)\n", s->order.slope,
           s->order.slope_error, set->fit_from, set->fit_to);
}

static void report_verdict(report *r, const verdict *v)
{
    report_number(r, "ratio", v->ratio);
    report_number(r, "ratio_error", v->ratio_error);
    report_number(r, "distance", v->distance);
    report_number(r, "distance_error", v->distance_error);
}

static void report_subject(report *list, const settings *set, const subject *s)
{
    report *r = report_object(list, NULL);
    report_text(r, "energy", s->name);
    report_number(r, "order", s->order.slope);
    report_number(r, "order_error", s->order.slope_error);
    report_numbers(r, "score_matching_gradient", s->target, ebm_model_size(s->model));
    report *points = report_list(r, "points");
    for (int i = 0; i < (int)set->points; i++) {
        report *at = report_object(points, NULL);
        report_number(at, "epsilon", s->point[i].epsilon);
        report_number(at, "exact_distance", s->point[i].exact);
        report_verdict(report_object(at, "plain"), &s->point[i].plain);
        report_verdict(report_object(at, "mirrored"), &s->point[i].mirrored);
    }
}

gibbs_status curve_tell(const settings *set, const subject *s, report *list, gibbs_error *error)
{
    if (!set->common.quiet) print_subject(set, s);
    report_subject(list, set, s);
    return save(set, s, error);
}
