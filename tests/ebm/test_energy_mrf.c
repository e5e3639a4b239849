/* Ising, Potts and pairwise Markov random fields: formulas on graphs, log Z by enumeration and by transfer matrices,
 * and what they have in common. */
#include "ebm/energy_check.h"

enum { MOST = 256 };

static const int64_t edges[] = {0, 1, 2, 1, 3, 0, 3, 2};        /* two of them from the larger to the smaller */
static const int64_t labels[] = {2, 3, 1, 4}, start[] = {0, 2, 5, 6}; /* of an uneven space of 10 columns */

typedef gibbs_status (*constructor)(const ebm_mrf_spec *, ebm_model **, gibbs_error *);

static ebm_model *make(constructor f, ebm_mrf_spec spec)
{
    ebm_model *model;
    OK(f(&spec, &model, ERROR));
    return model;
}

static ebm_mrf_spec binary(int64_t variables, const int64_t *list, int64_t count)
{
    return (ebm_mrf_spec){.space = {.variables = variables}, .edges = list, .edge_count = count,
                          .dtype = GIBBS_FLOAT64};
}
static ebm_mrf_spec hot(int64_t variables, int64_t K, const int64_t *labels, const int64_t *list, int64_t count)
{
    return (ebm_mrf_spec){.space = {.variables = variables, .labels = K, .labels_of = labels, .one_hot = 1},
                          .edges = list, .edge_count = count, .dtype = GIBBS_FLOAT64};
}

/* ---- Formulas ---- */

typedef struct graph {
    int variables, count;
    const int64_t *pair;
} graph;

static number ising(const number *x, const number *theta, const void *context)
{
    const graph *g = context;
    number E = 0;
    for (int e = 0; e < g->count; e++) E -= theta[e] * (2 * x[g->pair[2 * e]] - 1) * (2 * x[g->pair[2 * e + 1]] - 1);
    for (int i = 0; i < g->variables; i++) E -= theta[g->count + i] * (2 * x[i] - 1);
    return E;
}

/* The four edges of the uneven graph. */
static number uneven(const number *x, const number *theta, const void *context)
{
    const int tied = *(const int *)context;
    number E = 0;
    for (int e = 0; e < 4; e++) {
        int64_t i = edges[2 * e], j = edges[2 * e + 1];
        for (int a = 0; a < labels[i]; a++)
            for (int b = 0; b < labels[j]; b++)
                if (!tied || a == b) E -= (tied ? theta[e] : *theta++) * x[start[i] + a] * x[start[j] + b];
    }
    for (int c = 0; c < 10; c++) E -= theta[(tied ? 4 : 0) + c] * x[c];
    return E;
}

Test(mrf, is_the_formula)
{
    static double x[CHECK_ROWS * MOST];
    static const int64_t all[] = {0, 1, 0, 2, 0, 3, 1, 2, 1, 3, 2, 3};
    static const int tied[] = {0, 1};
    const graph some = {4, 4, edges}, every = {4, 6, all};
    spread(x, COUNT(x), 1);
    for (int k = 0; k < 2; k++) {
        gibbs_dtype dtype = k ? GIBBS_FLOAT32 : GIBBS_FLOAT64;
        ebm_mrf_spec specs[] = {binary(4, edges, 4), binary(4, NULL, 0), hot(4, 0, labels, edges, 4),
                                hot(4, 0, labels, edges, 4)};
        const constructor f[] = {ebm_model_ising, ebm_model_ising, ebm_model_mrf, ebm_model_potts};
        const plain_formula plain[] = {ising, ising, uneven, uneven};
        const void *contexts[] = {&some, &every, &tied[0], &tied[1]};
        static const char *const names[] = {"ising", "ising, all pairs", "mrf", "potts"};
        for (int m = 0; m < 4; m++) {
            specs[m].dtype = dtype;
            ebm_model *model = make(f[m], specs[m]);
            spread_theta(model, 2);
            expect_energy(model, plain[m], contexts[m], x, names[m]);
            if (!k) expect_score_matching(model, plain[m], contexts[m], x, names[m]);
            ebm_model_free(model);
        }
    }
}

/* On a long ring pairs are gathered one by one; on a short one, or a full graph, they are one matrix product. */
Test(mrf, sparse_and_dense_graphs)
{
    static double x[CHECK_ROWS * MOST];
    static int64_t ring[2 * MOST];
    spread(x, COUNT(x), 3);
    for (int n = 5; n <= 200; n += 195) {
        for (int k = 0; k < n; k++) ring[2 * k] = k, ring[2 * k + 1] = (k + 1) % n;
        const graph g = {n, n, ring};
        ebm_model *model = make(ebm_model_ising, binary(n, ring, n));
        spread_theta(model, 4);
        expect_energy(model, ising, &g, x, "ring");
        ebm_model_free(model);
    }
}

/* ---- log Z ---- */

static double log_z_of(ebm_model *model, const ebm_space *space)
{
    double log_z;
    OK(ebm_enumerate(model, space, &log_z, NULL, ERROR));
    return log_z;
}

/* A ring of n spins with coupling J and field h: Z = λ₊ⁿ + λ₋ⁿ, λ± = eᴶcosh h ± √(e²ᴶsinh²h + e⁻²ᴶ). */
Test(mrf, ising_ring)
{
    enum { N = 11 };
    int64_t ring[2 * N];
    double theta[2 * N], J = 0.4, h = -0.3, root = sqrt(exp(2 * J) * sinh(h) * sinh(h) + exp(-2 * J));
    for (int k = 0; k < N; k++) ring[2 * k] = k, ring[2 * k + 1] = (k + 1) % N, theta[k] = J, theta[N + k] = h;
    ebm_model *model = make(ebm_model_ising, binary(N, ring, N));
    ebm_model_set(model, theta);
    double expected = log(pow(exp(J) * cosh(h) + root, N) + pow(exp(J) * cosh(h) - root, N));
    expect_close(log_z_of(model, NULL), expected, 1e-13, "log Z");
    ebm_model_free(model);
}

/* A chain without fields: Z = q Π (e^{Jₖ} + q − 1). */
Test(mrf, potts_chain)
{
    enum { N = 6, Q = 4 };
    int64_t chain[2 * (N - 1)];
    double theta[N - 1 + N * Q] = {0}, expected = log(Q);
    for (int k = 0; k < N - 1; k++) {
        chain[2 * k] = k, chain[2 * k + 1] = k + 1;
        theta[k] = 0.3 * k - 0.5;
        expected += log(exp(theta[k]) + Q - 1);
    }
    ebm_mrf_spec spec = hot(N, Q, NULL, chain, N - 1);
    ebm_model *model = make(ebm_model_potts, spec);
    ebm_model_set(model, theta);
    expect_close(log_z_of(model, &spec.space), expected, 1e-13, "log Z");
    ebm_model_free(model);
}

/* Σ over the labels of an uneven graph, written out. */
Test(mrf, uneven_tables)
{
    ebm_mrf_spec spec = hot(4, 0, labels, edges, 4);
    ebm_model *model = make(ebm_model_mrf, spec);
    double theta[CHECK_SIZE], sum = 0;
    spread_theta(model, 5);
    ebm_model_get(model, theta);
    const double *P01 = theta, *P21 = P01 + 6, *P30 = P21 + 3, *P32 = P30 + 8, *u = P32 + 4;
    for (int a = 0; a < 2; a++)
        for (int b = 0; b < 3; b++)
            for (int d = 0; d < 4; d++)
                sum += exp(P01[3 * a + b] + P21[b] + P30[2 * d + a] + P32[d] + u[a] + u[2 + b] + u[5] + u[6 + d]);
    cr_expect_eq(ebm_model_size(model), 21 + 10);
    expect_close(log_z_of(model, &spec.space), log(sum), 1e-14, "log Z");
    ebm_model_free(model);
}

/* Two labels: Potts with 2J has the Ising model's energies but for the constant ΣJ; and a Markov random field with
 * tables J on the diagonal has those of Potts. */
Test(mrf, one_inside_the_other)
{
    ebm_mrf_spec spec = hot(4, 2, NULL, edges, 4);
    ebm_model *spins = make(ebm_model_ising, binary(4, edges, 4)), *potts = make(ebm_model_potts, spec);
    ebm_model *mrf = make(ebm_model_mrf, spec);
    double a[8], b[12] = {0}, c[24] = {0}, total = 0;
    spread(a, COUNT(a), 6);
    for (int e = 0; e < 4; e++) b[e] = c[4 * e] = c[4 * e + 3] = 2 * a[e], total += a[e];
    for (int i = 0; i < 4; i++) b[4 + 2 * i] = c[16 + 2 * i] = -a[4 + i], b[5 + 2 * i] = c[17 + 2 * i] = a[4 + i];
    ebm_model_set(spins, a), ebm_model_set(potts, b), ebm_model_set(mrf, c);
    double log_z = log_z_of(spins, NULL);
    expect_close(log_z_of(potts, &spec.space), log_z + total, 1e-14, "potts");
    expect_close(log_z_of(mrf, &spec.space), log_z + total, 1e-14, "mrf");
    ebm_model_free(spins), ebm_model_free(potts), ebm_model_free(mrf);
}

/* ---- Refusals ---- */

Test(mrf, refuses)
{
    static const int64_t outside[] = {0, 1, 1, 4}, negative[] = {0, -1}, loop[] = {2, 2}, twice[] = {0, 1, 2, 3, 1, 0};
    static const int64_t none[] = {2, 0, 2, 2}, vast[] = {2, INT64_MAX, 2, 2};
    ebm_mrf_spec labelled = binary(4, NULL, 0), one_hot = labelled, uneven_spec = labelled;
    labelled.space.labels = 3, one_hot.space.one_hot = 1, uneven_spec.space.labels_of = labels;
    const struct {
        constructor f;
        ebm_mrf_spec spec;
        gibbs_status status;
        const char *sentence;
    } cases[] = {
        {ebm_model_ising, binary(4, outside, 2), GIBBS_ARGUMENT, "edge 1 is (1, 4)"},
        {ebm_model_ising, binary(4, negative, 1), GIBBS_ARGUMENT, "edge 0 is (0, -1)"},
        {ebm_model_potts, hot(4, 2, NULL, loop, 1), GIBBS_ARGUMENT, "edge 0 is (2, 2)"},
        {ebm_model_mrf, hot(4, 2, NULL, twice, 3), GIBBS_ARGUMENT, "(0, 1) is there twice"},
        {ebm_model_ising, binary(4, edges, 0), GIBBS_ARGUMENT, "0 edges"},
        {ebm_model_ising, binary(1, NULL, 0), GIBBS_ARGUMENT, "1 variables"},
        {ebm_model_ising, binary(-1, NULL, 0), GIBBS_ARGUMENT, "-1 variables"},
        {ebm_model_ising, binary(1 << 20, NULL, 0), GIBBS_SIZE, "edges; there can be 2^31-1"},
        {ebm_model_ising, binary(4, NULL, -3), GIBBS_ARGUMENT, "-3 edges"},
        {ebm_model_ising, binary((int64_t)1 << 40, NULL, 0), GIBBS_SIZE, "1099511627776 variables"},
        {ebm_model_potts, hot(2, (int64_t)1 << 32, NULL, edges, 1), GIBBS_SIZE, "columns"},
        {ebm_model_mrf, hot(2, INT64_MAX, NULL, edges, 1), GIBBS_SIZE, "more than 2^31-1 columns"},
        {ebm_model_mrf, hot(4, 0, vast, edges, 4), GIBBS_SIZE, "more than 2^31-1 columns"},
        {ebm_model_ising, labelled, GIBBS_ARGUMENT, "0 and 1"},
        {ebm_model_ising, one_hot, GIBBS_ARGUMENT, "0 and 1"},
        {ebm_model_ising, uneven_spec, GIBBS_ARGUMENT, "0 and 1"},
        {ebm_model_potts, binary(4, NULL, 0), GIBBS_ARGUMENT, "one_hot"},
        {ebm_model_mrf, hot(4, 0, none, edges, 4), GIBBS_ARGUMENT, "no labels"},
        {ebm_model_mrf, hot(4, -2, NULL, edges, 4), GIBBS_ARGUMENT, "no labels"},
        {ebm_model_mrf, hot(2, 1 << 20, NULL, edges, 1), GIBBS_SIZE, "too large"},
    };
    for (int k = 0; k < COUNT(cases); k++) {
        ebm_model *model = (ebm_model *)&model;
        FAILS(cases[k].status, cases[k].sentence, cases[k].f(&cases[k].spec, &model, FAIL));
        cr_expect_null(model);
    }
}
