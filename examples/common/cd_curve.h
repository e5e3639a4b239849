/* cd_curve.h — what cd_meets_score_matching finds, and how it is shown. */
#ifndef EXAMPLES_CD_CURVE_H
#define EXAMPLES_CD_CURVE_H

#include "options.h"
#include "report.h"
#include "statistics.h"

#include <gibbs/ebm.h>

#define PROGRAM "cd_meets_score_matching"
enum { MOST_POINTS = 64 };

typedef struct settings {
    const char *data;
    double rows, draws, points, low, high, fit_from, fit_to;
    common_options common;
} settings;

/* What a gradient is against that of score matching. */
typedef struct verdict {
    double ratio, ratio_error;       /* of its part along g to g */
    double distance, distance_error; /* over |g| */
} verdict;

typedef struct point {
    double epsilon;
    verdict plain, mirrored; /* the library's ULA; the pair of samplers below */
    double exact;            /* the distance; NaN where it is not known */
} point;

typedef struct subject {
    const char *name, *title;
    gibbs_status (*make)(const settings *set, struct subject *s, gibbs_error *error);
    const ebm_data *data;
    ebm_model *model;
    double *target, norm2; /* the score matching gradient g and |g|² */
    double curvature;      /* exact distance over ε², or NaN */
    point point[MOST_POINTS];
    line_fit order;        /* of log distance in log ε */
} subject;

/* Prints the subject's curve, adds it to the list, and writes PROGRAM-NAME.csv. */
gibbs_status curve_tell(const settings *set, const subject *s, report *list, gibbs_error *error);

/* Draws PROGRAM.png from the CSV files of all subjects. */
gibbs_status curve_draw(const settings *set, const subject *list, int count, gibbs_error *error);

#endif
