/* recipes_scan.c — the recipes of loops. */
#include "autodiff/op/op.h"
#include "recipes.h"

enum { LOW = -2, HIGH = 2 };

typedef struct scan_parts {
    ad_var matrix, factor;
} scan_parts;

static void smooth_step(const ad_var *s, const ad_var *x, ad_var *next, ad_var *out, void *context)
{
    const scan_parts *c = context;
    next[0] = ad_sin(ad_add(ad_matmul(s[0], c->matrix), x[0]));
    out[0] = ad_mul(ad_exp(ad_scale(s[0], 0.2)), ad_mul(c->factor, x[0]));
}

/* The last state (0), or what is written (1), of two or three steps; the last step first in odd variants, and in the
 * third everything but the states computed again by derivatives. */
static ad_var scan_of(problem *p, int k, int what, scan_parts *c)
{
    int64_t steps = 2 + k / 2;
    c->matrix = problem_free(p, ad_mat(2, 2), LOW, HIGH), c->factor = problem_free(p, ad_scalar(), LOW, HIGH);
    ad_var s = problem_free(p, ad_vec(2), LOW, HIGH), x = problem_free(p, ad_mat(steps, 2), LOW, HIGH), y[2];
    ad_scan_spec spec = {.steps = steps, .state = &s, .states = 1, .input = &x, .inputs = 1, .outputs = 1,
                         .reverse = k % 2, .store_bytes = k == 2, .body = smooth_step, .context = c};
    return ad_scan(&spec, &y[0], &y[1]) ? (ad_var){p->tape, -1} : y[what];
}

ad_var recipe_scan(problem *p, int k)
{
    scan_parts c;
    return scan_of(p, 2, k, &c);
}

ad_var recipe_scan_last(problem *p, int k)
{
    scan_parts c;
    return scan_of(p, k, 0, &c);
}

ad_var recipe_scan_stack(problem *p, int k)
{
    scan_parts c;
    return scan_of(p, k, 1, &c);
}

/* The gradient by a shared factor of what is per-sample. */
ad_var recipe_scan_sum(problem *p, int k)
{
    scan_parts c = {ad_variable(problem_on(p, problem_shared(p), ad_mat(2, 2), LOW, HIGH)),
                    problem_on(p, problem_shared(p), ad_scalar(), LOW, HIGH)};
    ad_var s = problem_on(p, p->data, ad_vec(2), LOW, HIGH), x = problem_on(p, p->data, ad_mat(2, 2), LOW, HIGH),
        y[2], g;
    ad_scan_spec spec = {.steps = 2, .state = &s, .states = 1, .input = &x, .inputs = 1, .outputs = 1,
                         .body = smooth_step, .context = &c};
    if (ad_scan(&spec, &y[0], &y[1]) || ad_grad(ad_sum(y[k]), &c.matrix, 1, &g)) return y[0];
    return g;
}
