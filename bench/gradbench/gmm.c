/* gmm.c — the log posterior of a Gaussian mixture (../gmm.h), and its gradient. */
#include "../gmm.h"
#include "tape.h"

enum { X, ALPHA, MU, Q, L, LEAVES };
static const char *const name[LEAVES] = {"x", "alpha", "mu", "q", "l"};

static ad_var posterior(gb_run *r, ad_var *leaf)
{
    bench_gmm_spec spec = {gb_whole(r, "d"), gb_whole(r, "k"), gb_number(r, "gamma"), gb_number(r, "m")};
    int64_t n = gb_whole(r, "n"), d = spec.dim, K = spec.components;
    ad_shape shape[LEAVES] = {ad_vec(d), ad_vec(K), ad_mat(K, d), ad_mat(K, d), ad_mat(K, d * (d - 1) / 2)};
    if (d < 2 || K < 1 || n < 1) gb_fail(r, "d >= 2, k >= 1 and n >= 1 are wanted");
    gb_new_tape(r);
    leaf[X] = gb_input(r, gb_axis(r, "data", n), name[X], shape[X], gb_numbers(r, name[X], n * d));
    for (int i = ALPHA; i < LEAVES; i++)
        leaf[i] = gb_parameter(r, name[i], shape[i], gb_numbers(r, name[i], ad_shape_count(&shape[i])));
    return bench_gmm_posterior(&spec, leaf);
}

void gb_gmm_objective(gb_run *r)
{
    ad_var leaf[LEAVES], y = posterior(r, leaf);
    gb_compile(r, &y, 1);
}

void gb_gmm_jacobian(gb_run *r)
{
    ad_shape *shape = gb_keep(r, LEAVES * sizeof *shape);
    ad_var leaf[LEAVES], dy[LEAVES], y = posterior(r, leaf);
    for (int i = 0; i < LEAVES; i++) shape[i] = ad_shape_of(leaf[i]);
    ad_grad(y, leaf + ALPHA, LEAVES - ALPHA, dy + ALPHA);
    gb_compile(r, dy + ALPHA, LEAVES - ALPHA);
}

json_t *gb_gmm_output(gb_run *r)
{
    const ad_shape *shape = gb_own(r);
    json_t *answer = json_object();
    for (int i = ALPHA; i < LEAVES; i++)
        if (json_object_set_new(answer, name[i], gb_nested(gb_result(r, i - ALPHA), &shape[i])))
            return json_decref(answer), NULL;
    return answer;
}
