/* changes_helpers.h — energies with change statistics: edges and triangles of a network of four nodes, as two-valued
 * columns, and labels that like company, as one-hot blocks. Both are of degree 3 in x. */
#ifndef TEST_CHANGES_HELPERS_H
#define TEST_CHANGES_HELPERS_H

#include "ebm/conditionals_helpers.h"

enum { NODES = 4, DYADS = 6, STATISTICS = 2 };

/* ---- Edges and triangles ---- */

static inline int dyad(int i, int j)
{
    static const int number[NODES][NODES] = {{-1, 0, 1, 2}, {0, -1, 3, 4}, {1, 3, -1, 5}, {2, 4, 5, -1}};
    return number[i][j];
}

static inline ad_var network_energy(ad_var x, const ad_var *theta, void *context)
{
    (void)context;
    ad_var triangles = ad_constant(x.tape, 0);
    for (int i = 0; i < NODES; i++)
        for (int j = i + 1; j < NODES; j++)
            for (int k = j + 1; k < NODES; k++)
                triangles = ad_add(triangles, ad_mul(ad_mul(ad_at(x, dyad(i, j)), ad_at(x, dyad(j, k))),
                                                     ad_at(x, dyad(i, k))));
    return ad_neg(ad_add(ad_mul(theta[0], ad_sum(x)), ad_mul(theta[1], triangles)));
}

static inline int common_neighbours(const int32_t *edge, int64_t variable)
{
    int shared = 0;
    for (int i = 0; i < NODES; i++)
        for (int j = i + 1; j < NODES; j++)
            for (int k = 0; k < NODES && dyad(i, j) == variable; k++)
                shared += k != i && k != j && edge[dyad(i, k)] && edge[dyad(j, k)];
    return shared;
}

static inline void network_start(void *state, const int32_t *label, double *s, void *context)
{
    (void)context;
    memcpy(state, label, DYADS * sizeof *label);
    s[0] = s[1] = 0;
    for (int v = 0; v < DYADS; v++) s[0] += label[v], s[1] += label[v] * common_neighbours(label, v) / 3.0;
}
static inline void network_change(const void *state, int64_t variable, int32_t label, double *gain, void *context)
{
    (void)context;
    gain[0] = label ? 1 : -1;
    gain[1] = gain[0] * common_neighbours((const int32_t *)state, variable);
}
static inline void labels_set(void *state, int64_t variable, int32_t label, void *context)
{
    (void)context;
    ((int32_t *)state)[variable] = label;
}
static inline int network_changes(void *context, ebm_changes *changes)
{
    (void)context;
    *changes = (ebm_changes){DYADS * sizeof(int32_t), network_start, network_change, labels_set};
    return 1;
}

static const ebm_energy network = {.name = "network", .record = network_energy, .changes = network_changes};

/* ---- Blocks of two or three labels: how many have label 0, to the third power, and how many pairs are alike ---- */

static inline ad_var company_energy(ad_var x, const ad_var *theta, void *context)
{
    int K = *(const int *)context, n = DYADS / K;
    ad_var blocks = ad_reshape(x, ad_mat(n, K)), counts = ad_sum_dims(blocks, 1u << 0), zeros = ad_at(counts, 0);
    ad_var cube = ad_mul(ad_square(zeros), zeros), alike = ad_sum(ad_square(counts));
    return ad_neg(ad_add(ad_mul(theta[0], cube), ad_mul(theta[1], alike)));
}
static inline void company_count(const int32_t *label, int K, double *s)
{
    double count[3] = {0};
    for (int v = 0; v < DYADS / K; v++) count[label[v]]++;
    s[0] = count[0] * count[0] * count[0];
    s[1] = count[0] * count[0] + count[1] * count[1] + count[2] * count[2];
}
static inline void company_start(void *state, const int32_t *label, double *s, void *context)
{
    int K = *(const int *)context;
    memcpy(state, label, (size_t)(DYADS / K) * sizeof *label);
    company_count(label, K, s);
}
static inline void company_change(const void *state, int64_t variable, int32_t label, double *gain, void *context)
{
    int K = *(const int *)context;
    int32_t own[DYADS];
    double before[STATISTICS];
    memcpy(own, state, (size_t)(DYADS / K) * sizeof *own);
    company_count(own, K, before);
    own[variable] = label;
    company_count(own, K, gain);
    for (int k = 0; k < STATISTICS; k++) gain[k] -= before[k];
}
static inline int company_changes(void *context, ebm_changes *changes)
{
    (void)context;
    *changes = (ebm_changes){DYADS * sizeof(int32_t), company_start, company_change, labels_set};
    return 1;
}

static const ebm_energy company = {.name = "company", .record = company_energy, .changes = company_changes};

/* A model of one of them, with what it hands over or without. */
static inline ebm_model *changes_model(const ebm_energy *kind, int *labels, gibbs_dtype dtype, int hands_over)
{
    const ebm_parameter p[] = {{"first", {0, {0}}, EBM_INIT_CONSTANT, -0.4}, {"second", {0, {0}}, EBM_INIT_CONSTANT, 0.5}};
    ebm_model_spec spec = {.dtype = dtype, .dim = DYADS, .parameters = p, .parameter_count = 2, .context = labels};
    ebm_model *model;
    if (hands_over) spec.kind = kind;
    else spec.energy = kind->record;
    OK(ebm_model_new(&spec, &model, ERROR));
    if (kind == &company) ebm_model_set(model, (const double[]){0.06, 0.15});
    return model;
}

static const struct changing {
    const ebm_energy *kind;
    columns space;
} changing[] = {{&network, {{0, 1}, 0}}, {&company, {{0, 1}, 2}}, {&company, {{0, 1}, 3}}};

#endif
