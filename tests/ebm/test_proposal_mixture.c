/* Mixtures and products of proposals: densities from those of their parts, gradients, integrals, shares of the random
 * numbers, and what is refused. How draws are distributed: statistics/test_proposal_draws.c. */
#include "proposal_check.h"

static const double WEIGHT[] = {2, 0.5, 1.5}, ORIGIN[] = {0, 0}, WIDE[] = {2, 2};

/* A correlated Gaussian, a Student t and a box in the plane; freed with parts_free. */
enum { PARTS = 3 };
typedef struct parts {
    ebm_proposal *q[PARTS];
} parts;

static parts parts_new(void)
{
    parts p;
    OK(ebm_proposal_gaussian_full(2, (double[]){1, 0}, (double[]){1, 0.3, 0.3, 0.5}, NULL, &p.q[0], ERROR));
    OK(ebm_proposal_student_t(2, (double[]){-1, 0.5}, (double[]){0.5, 1}, 4, NULL, &p.q[1], ERROR));
    OK(ebm_proposal_gaussian_diagonal(2, (double[]){-2, -2}, (double[]){0.4, 0.6}, NULL, &p.q[2], ERROR));
    return p;
}

static void parts_free(parts p)
{
    for (int k = 0; k < PARTS; k++) ebm_proposal_free(p.q[k]);
}

static ebm_proposal *mixture(const parts *p, const double *weight)
{
    ebm_proposal *q;
    OK(ebm_proposal_mixture(PARTS, weight, (const ebm_proposal *const *)p->q, NULL, &q, ERROR));
    return q;
}

Test(mixture, density_is_the_weighted_sum)
{
    static const double y[][2] = {{0, 0}, {1, 0.1}, {-2, -2}, {-1, 0.6}, {30, -40}, {1e4, 1e5}};
    parts p = parts_new();
    for (int equal = 0; equal < 2; equal++) {
        ebm_proposal *q = mixture(&p, equal ? NULL : WEIGHT);
        for (int r = 0; r < COUNT(y); r++) {
            long double sum = 0;
            for (int k = 0; k < PARTS; k++) sum += (equal ? 1 : WEIGHT[k] / 4 * 3) * expl(log_q_at(p.q[k], y[r]));
            expect_near(log_q_at(q, y[r]), (double)logl(sum / 3), 1e-14, "log q");
        }
        ebm_proposal_free(q);
    }
    parts_free(p);
}

Test(mixture, density_integrates_to_one)
{
    parts p = parts_new();
    ebm_proposal *q = mixture(&p, WEIGHT);
    expect_near(integral_of(q, ORIGIN, WIDE, 9, 401), 1, 1e-10, "∫q");
    ebm_proposal_free(q);
    parts_free(p);
}

/* Σ r_g ∇ log q_g with the responsibilities r. */
Test(mixture, gradient)
{
    static const double y[] = {0, 0, 1, 0.1, -2, -1.8, -1, 0.6, 3, -4};
    enum { ROWS = COUNT(y) / 2 };
    double g[2 * ROWS], own[PARTS][2 * ROWS];
    parts p = parts_new();
    ebm_proposal *q = mixture(&p, WEIGHT);
    for (int k = 0; k < PARTS; k++) log_q_gradient(p.q[k], y, ROWS, own[k]);
    log_q_gradient(q, y, ROWS, g);
    for (int i = 0; i < 2 * ROWS; i++) {
        double expected = 0, total = exp(log_q_at(q, y + i / 2 * 2));
        for (int k = 0; k < PARTS; k++)
            expected += WEIGHT[k] / 4 * exp(log_q_at(p.q[k], y + i / 2 * 2)) / total * own[k][i];
        expect_near(g[i], expected, 1e-12, "∂ log q/∂y");
    }
    ebm_proposal_free(q);
    parts_free(p);
}

/* Outside of every component's box the mixture's density is 0 and no NaN. */
Test(mixture, components_without_density_at_a_point)
{
    ebm_proposal *box[2], *q;
    OK(ebm_proposal_uniform(1, (double[]){0}, (double[]){1}, NULL, &box[0], ERROR));
    OK(ebm_proposal_uniform(1, (double[]){3}, (double[]){7}, NULL, &box[1], ERROR));
    OK(ebm_proposal_mixture(2, NULL, (const ebm_proposal *const *)box, NULL, &q, ERROR));
    expect_near(log_q_at(q, (double[]){0.3}), log(0.5), 1e-15, "in the first");
    expect_near(log_q_at(q, (double[]){4}), log(0.125), 1e-15, "in the second");
    cr_expect_eq(log_q_at(q, (double[]){2}), -INFINITY);
    ebm_proposal_free(q);
    for (int k = 0; k < 2; k++) ebm_proposal_free(box[k]);
}

/* A mixture of one, and mixtures of mixtures. */
Test(mixture, nests)
{
    parts p = parts_new();
    ebm_proposal *inner = mixture(&p, WEIGHT), *one, *outer;
    const ebm_proposal *pair[] = {inner, p.q[1]};
    OK(ebm_proposal_mixture(1, (double[]){7}, &pair[0], NULL, &one, ERROR));
    OK(ebm_proposal_mixture(2, (double[]){3, 1}, pair, NULL, &outer, ERROR));
    double y[] = {0.3, -0.7}, log_q[3], draws[20];
    expect_near(log_q_at(one, y), log_q_at(inner, y), 1e-15, "one component");
    expect_near(log_q_at(outer, y), log(0.75 * exp(log_q_at(inner, y)) + 0.25 * exp(log_q_at(p.q[1], y))), 1e-14,
                "two levels");
    OK(ebm_proposal_sample(outer, 10, 1, 0, NULL, draws, NULL, ERROR));
    OK(ebm_proposal_sample(outer, 3, 1, 0, NULL, NULL, log_q, ERROR));
    for (int r = 0; r < 3; r++) expect_near(log_q[r], log_q_at(outer, draws + 2 * r), 1e-13, "log q of a draw");
    ebm_proposal_free(outer);
    ebm_proposal_free(one);
    ebm_proposal_free(inner);
    parts_free(p);
}

/* ---- Products ---- */

Test(product, density_is_the_product)
{
    parts p = parts_new();
    ebm_proposal *q, *bits;
    OK(ebm_proposal_bernoulli(1, (double[]){0.2}, 0, 1, NULL, &bits, ERROR));
    const ebm_proposal *factor[] = {p.q[1], bits, p.q[0]};
    OK(ebm_proposal_product(3, factor, NULL, &q, ERROR));
    cr_assert_eq(q->dim, 5);
    const double y[] = {0.1, 0.2, 1, -0.3, 0.7};
    expect_near(log_q_at(q, y), log_q_at(p.q[1], y) + log(0.2) + log_q_at(p.q[0], y + 3), 1e-15, "log q");
    double g[5], own[2];
    log_q_gradient(q, y, 1, g);
    log_q_gradient(p.q[0], y + 3, 1, own);
    cr_expect(g[3] == own[0] && g[4] == own[1]);
    ebm_proposal_free(q);
    ebm_proposal_free(bits);
    parts_free(p);
}

/* Every factor gets random numbers of its own: equal factors draw different numbers, and each draws as many normals
 * and uniforms as it asks for. */
Test(product, factors_do_not_share_random_numbers)
{
    enum { ROWS = 50, DIM = 8 };
    parts p = parts_new();
    ebm_proposal *q;
    double y[DIM * ROWS], log_q[ROWS];
    const ebm_proposal *factor[] = {p.q[0], p.q[1], p.q[0], p.q[1]};
    OK(ebm_proposal_product(4, factor, NULL, &q, ERROR));
    OK(ebm_proposal_sample(q, ROWS, 3, 0, NULL, y, log_q, ERROR));
    for (int r = 0; r < ROWS; r++) {
        const double *row = y + DIM * r;
        for (int i = 0; i < 4; i++) cr_assert_neq(row[i], row[4 + i]);
        expect_near(log_q[r], log_q_at(q, row), 1e-13, "log q of a draw");
    }
    ebm_proposal_free(q);
    parts_free(p);
}

/* ---- Errors ---- */

Test(mixture, refuses)
{
    parts p = parts_new();
    ebm_proposal *q, *line;
    OK(ebm_proposal_uniform(1, (double[]){0}, (double[]){1}, NULL, &line, ERROR));
    const ebm_proposal nothing = {.name = "nothing", .dim = 2};
    const ebm_proposal *none[] = {p.q[0], NULL}, *empty[] = {&nothing}, *dims[] = {p.q[0], line};
    const ebm_proposal *two[] = {p.q[0], p.q[1]};
    const double bad[][2] = {{1, 0}, {1, -1}, {1, NAN}, {1, INFINITY}, {1.7e308, 1.7e308}};
    for (int k = 0; k < COUNT(bad); k++)
        FAILS(GIBBS_ARGUMENT, "weight 2", ebm_proposal_mixture(2, bad[k], two, NULL, &q, FAIL));
    FAILS(GIBBS_ARGUMENT, "mixture: 0 components", ebm_proposal_mixture(0, NULL, two, NULL, &q, FAIL));
    FAILS(GIBBS_ARGUMENT, "mixture: no proposal", ebm_proposal_mixture(2, NULL, none, NULL, &q, FAIL));
    FAILS(GIBBS_ARGUMENT, "mixture: «nothing» has no draw", ebm_proposal_mixture(1, NULL, empty, NULL, &q, FAIL));
    FAILS(GIBBS_SHAPE, "component 2 has 1 dimensions", ebm_proposal_mixture(2, NULL, dims, NULL, &q, FAIL));
    FAILS(GIBBS_ARGUMENT, "product: -1 factors", ebm_proposal_product(-1, two, NULL, &q, FAIL));
    FAILS(GIBBS_ARGUMENT, "product: no proposal", ebm_proposal_product(2, none, NULL, &q, FAIL));
    cr_assert_null(q);
    FAILS(GIBBS_ARGUMENT, "NULL", ebm_proposal_mixture(2, NULL, NULL, NULL, &q, FAIL));
    FAILS(GIBBS_ARGUMENT, "NULL", ebm_proposal_mixture(2, NULL, two, NULL, NULL, FAIL));
    FAILS(GIBBS_ARGUMENT, "NULL", ebm_proposal_product(2, NULL, NULL, &q, FAIL));
    FAILS(GIBBS_ARGUMENT, "NULL", ebm_proposal_product(2, two, NULL, NULL, FAIL));
    ebm_proposal_free(line);
    parts_free(p);
}

/* Together they would need more random numbers, or columns, than a shape can hold. */
Test(product, refuses_what_does_not_fit_a_shape)
{
    ebm_proposal *q;
    parts p = parts_new();
    ebm_proposal wide = *p.q[0], many = *p.q[0];
    wide.dim = INT32_MAX;
    many.normals = many.uniforms = INT32_MAX / 2;
    const ebm_proposal *dims[] = {&wide, &wide}, *numbers[] = {&many, &many};
    FAILS(GIBBS_ARGUMENT, "product", ebm_proposal_product(2, dims, NULL, &q, FAIL));
    FAILS(GIBBS_ARGUMENT, "normals and", ebm_proposal_product(2, numbers, NULL, &q, FAIL));
    parts_free(p);
}
