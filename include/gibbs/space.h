/* gibbs/space.h — whole spaces: the states of discrete variables, boxes, and either of them as weighted points. */
#ifndef GIBBS_PUBLIC_SPACE_H
#define GIBBS_PUBLIC_SPACE_H

#include <gibbs/data.h>

GIBBS_API_BEGIN

/* A space of discrete variables. In a row each takes one column with the number that stands for its label or, one-hot,
 * as many columns as it has labels, one of them 1. Arrays are the caller's, and are read when the space is used.
 * Zeroed it is two-valued columns, 0 and 1. Samplers and losses, which have it among their options, take two-valued
 * columns or one-hot blocks of equally many labels. */
typedef struct ebm_space {
    int64_t variables;        /* of samplers, losses and ebm_enumerate: 0 means as many as a row's columns make */
    int64_t labels;           /* of each; 0 means 2 */
    const int64_t *labels_of; /* the labels of each variable, where they differ; or NULL */
    int one_hot;
    const double *values;     /* what stands for label 0, 1, … (−1 and 1, say); NULL: 0, 1, …. Not of one-hot columns */
} ebm_space;

/* Columns that a row of the space takes, and its number of states; −1 when it has none, or too many to count. */
int64_t ebm_space_dim(const ebm_space *space);
int64_t ebm_space_size(const ebm_space *space);
/* States first … first + rows − 1 into x[rows × dim]; the last variable changes fastest. Nothing where the space has no
 * rows. 0 <= first: it is not checked, and numbers beyond the last state begin again at the first one. */
void ebm_space_rows(const ebm_space *space, int64_t first, int64_t rows, double *x);

/* A box of up to three dimensions, with the grid of the trapezoidal rule: points that are evenly spaced, ends
 * included. */
typedef struct ebm_box {
    double low[3], high[3];
    int points;       /* a dimension; 0 means 2000, 400 and 100 for 1, 2 and 3 dimensions */
    int whole_domain; /* there is no x outside: angles on [−π, π], proportions on [0, 1] */
} ebm_box;

/* The box around the data's range, `margin` ranges wider on each side; of the first three columns. */
ebm_box ebm_box_around(const ebm_data *data, double margin);

/* What points are: some that were listed by hand; all states of a space; the grid of a box, outside of which there may
 * be more; that of a box which is the whole domain. */
typedef enum ebm_points_kind {
    EBM_POINTS_LISTED,
    EBM_POINTS_STATES,
    EBM_POINTS_BOX,
    EBM_POINTS_DOMAIN
} ebm_points_kind;

/* Weighted points: Σ_m weight_m f(x_m) is the sum or the integral of f over the space. Made by one of the functions
 * below, or filled in by hand after zeroing. */
typedef struct ebm_points {
    int64_t rows, dim;
    double *x;          /* rows × dim */
    double *log_weight; /* rows */
    ebm_points_kind kind;
    gibbs_allocator allocator;
} ebm_points;

/* All states of a space in the order of ebm_space_rows, weight 1. Errors: ARGUMENT (no variables, one without labels, a
 * value that is not finite), SIZE (more than 2²⁰ states), MEMORY. On error *points is zeroed, here and below. */
gibbs_status ebm_points_space(const ebm_space *space, const gibbs_allocator *allocator, ebm_points *points,
                              gibbs_error *error);
/* The grid of a box of `dim` dimensions with trapezoidal weights, as of ebm_integrate; the last dimension changes
 * fastest. Errors: ARGUMENT (dim outside 1 … 3, fewer than 2 points, an empty box), SIZE (more than 2²⁰ points),
 * MEMORY. */
gibbs_status ebm_points_box(int64_t dim, const ebm_box *box, const gibbs_allocator *allocator, ebm_points *points,
                            gibbs_error *error);
/* Accepts NULL and what is already freed. */
void ebm_points_free(ebm_points *points);

GIBBS_API_END
#endif
