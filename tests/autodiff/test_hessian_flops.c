/* What implicit score matching of a multilayer perceptron costs, with all of its gradients: for A = 2dh, B = 2(L−1)h²
 * and F = A+B no more than 6F − A + 3dB + 3A flops a sample in matrix products. */
#include "support/energies.h"
#include "support/hessian.h"

#include <criterion/criterion.h>

static const struct size {
    int64_t d, h;
    int layers;
} sizes[] = {{1, 8, 2}, {2, 16, 1}, {2, 16, 2}, {3, 8, 4}, {4, 32, 2}, {7, 5, 3}, {8, 64, 2}, {8, 16, 3}, {12, 9, 2}};

static double bound(const struct size *s)
{
    double d = (double)s->d, h = (double)s->h, A = 2 * d * h, B = 2 * (s->layers - 1) * h * h, F = A + B;
    return 6 * F - A + 3 * d * B + 3 * A;
}

/* Flops in matrix products of a plan for the loss and its gradients by all parameters. */
static double cost(const struct size *s, ad_var (*activation)(ad_var), ad_var (*loss_of)(ad_var, ad_var))
{
    problem p;
    ad_plan *plan;
    gibbs_error error = {.status = GIBBS_OK};
    ad_var output[PROBLEM_LEAVES], leaf[PROBLEM_LEAVES];
    cr_assert(problem_start(&p, GIBBS_FLOAT64, 0, 3));
    ad_var x = problem_on(&p, p.data, ad_vec(s->d), -1, 1);
    output[0] = loss_of(energy_mlp(&p, x, s->h, s->layers, activation), x);
    int n = 0;
    for (int i = 1; i < p.leaves; i++) leaf[n++] = p.leaf[i].var;
    cr_assert_eq(n, 2 * s->layers + 1);
    ad_grad(output[0], leaf, n, output + 1);
    cr_assert_eq(ad_compile(output, 1 + n, NULL, &plan, &error), GIBBS_OK, "%s", error.message);
    double flops = ad_plan_describe(plan).gemm_flops_per_row;
    ad_plan_free(plan);
    problem_end(&p);
    return flops;
}

static ad_var (*const activations[])(ad_var) = {ad_softplus, ad_tanh, ad_silu, ad_logcosh};

Test(hessian_flops, score_matching_is_within_the_bound)
{
    for (int i = 0; i < (int)(sizeof sizes / sizeof sizes[0]); i++)
        for (int a = 0; a < 4; a++) {
            const struct size *s = &sizes[i];
            double flops = cost(s, activations[a], hessian_score_loss);
            cr_expect(flops <= bound(s), "d %d, h %d, %d layers, activation %d: %.0f flops, more than %.0f", (int)s->d,
                      (int)s->h, s->layers, a, flops, bound(s));
            cr_expect(flops > 0.5 * bound(s), "d %d, h %d, %d layers: %.0f flops are too few to be true (bound %.0f)",
                      (int)s->d, (int)s->h, s->layers, flops, bound(s));
        }
}

/* The control: a Hessian-vector product a dimension costs more, so the bound can be broken. */
Test(hessian_flops, hessian_vector_products_exceed_the_bound)
{
    for (int i = 0; i < (int)(sizeof sizes / sizeof sizes[0]); i++) {
        const struct size *s = &sizes[i];
        if (s->d < 2 || s->layers < 2) continue; /* with one dimension or no product of tangents they are equal */
        double flops = cost(s, ad_softplus, hessian_score_loss_by_products);
        cr_expect(flops > bound(s), "d %d, h %d, %d layers: %.0f flops, within %.0f", (int)s->d, (int)s->h, s->layers,
                  flops, bound(s));
    }
}
