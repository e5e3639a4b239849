/* kmeans.c — min_k |x − c_k|² = |x|² − max_k (2x·c_k − |c_k|²), and what is in the brackets is one product of the rows
 * (x, 1) with a shared matrix: nothing of K·d numbers a point is ever made. */
#include "kmeans.h"

enum { X, CENTROIDS, LEAVES };

static int leaves(const bench_case *c, bench_leaf *leaf)
{
    leaf[X] = (bench_leaf){"x", ad_vec(c->dim), BENCH_UNIFORM};
    leaf[CENTROIDS] = (bench_leaf){"centroids", ad_mat(c->width, c->dim), BENCH_LAST_ROWS};
    return LEAVES;
}

ad_var bench_kmeans_cost(ad_var x, ad_var centroids)
{
    double one = 1;
    int64_t count = ad_shape_of(centroids).dim[0];
    ad_axis data = ad_axis_of(x);
    ad_var norms = ad_reshape(ad_sum_dims(ad_square(centroids), 2), ad_mat(count, 1));
    ad_var matrix = ad_concat(ad_scale(centroids, 2), ad_neg(norms), 1);
    ad_var point = ad_concat(x, ad_constant_array(x.tape, ad_vec(1), &one), 0);
    ad_var nearest = ad_max_reduce(ad_matmul(point, ad_transpose(matrix)));
    return ad_sub(ad_sum(ad_batch_sum(data, ad_square(x))), ad_batch_sum(data, nearest));
}

/* The maximum's kinks, where a point is as near to one centroid as to another, have measure zero. */
static int record(const bench_case *c, const ad_var *leaf, ad_var *output)
{
    (void)c;
    output[0] = bench_kmeans_cost(leaf[X], leaf[CENTROIDS]);
    ad_grad(output[0], &leaf[CENTROIDS], 1, output + 1);
    output[2] = ad_hess_diag_almost_everywhere(output[0], leaf[CENTROIDS]);
    return 3;
}

const bench_recipe bench_kmeans = {leaves, record, NULL};
