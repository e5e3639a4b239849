/* kmeans.c — the k-means cost (../kmeans.h), and Newton's step of the centroids: its gradient over the diagonal of its
 * Hessian, which has no other elements. */
#include "../kmeans.h"
#include "tape.h"

static ad_var cost(gb_run *r, ad_var *centroids)
{
    int64_t n = gb_length(r, "points", 0), d = gb_length(r, "points", 1), K = gb_length(r, "centroids", 0);
    if (n < 1 || d < 1 || K < 1) gb_fail(r, "there are no points or no centroids");
    gb_new_tape(r);
    ad_var x = gb_input(r, gb_axis(r, "points", n), "point", ad_vec(d), gb_numbers(r, "points", n * d));
    *centroids = gb_parameter(r, "centroids", ad_mat(K, d), gb_numbers(r, "centroids", K * d));
    return bench_kmeans_cost(x, *centroids);
}

void gb_kmeans_cost(gb_run *r)
{
    ad_var centroids, y = cost(r, &centroids);
    gb_compile(r, &y, 1);
}

void gb_kmeans_dir(gb_run *r)
{
    ad_var centroids, y = cost(r, &centroids), gradient;
    ad_grad(y, &centroids, 1, &gradient);
    ad_var step = ad_div(gradient, ad_hess_diag_almost_everywhere(y, centroids));
    gb_compile(r, &step, 1);
}
