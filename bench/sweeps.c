/* sweeps.c — Gibbs sweeps of the library's chains beside C written by hand for the model at hand, and pseudo-likelihood
 * beside its two matrix products; one thread, float32. In each of ROUNDS rounds both are timed, one after the other, in
 * time of the processor; of each the fastest round counts.
 *
 * By hand: chain by chain, variable by variable, with the local fields kept (Potts) or added up from the six neighbours
 * (a lattice), exp of the library's compiler, a xorshift generator. */
#include "sweeps.h"

#include "json.h"

#include <gibbs/ebm.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { ROUNDS = 5, SWEEPS = 10 };
enum { SITES = 126, LABELS = 21, COLUMNS = SITES * LABELS, CHAINS = 1000 };
enum { SIDE = 58, SPINS = SIDE * SIDE * SIDE, DEGREE = 6 }; /* 195,112 spins */

#define TRY(call)                         \
    do {                                  \
        gibbs_status try_status = (call); \
        if (try_status) return try_status;\
    } while (0)

static double seconds(void) { return (double)clock() / CLOCKS_PER_SEC; }

/* xorshift64*: on [0, 1) */
static uint64_t state = 88172645463325252u;
static inline float uniform(void)
{
    state ^= state >> 12;
    state ^= state << 25;
    state ^= state >> 27;
    return (float)(state * 2685821657736338717u >> 40) * 0x1p-24f;
}

/* ---- By hand ---- */

/* A sweep of one chain on fields that are kept; J [COLUMNS][COLUMNS] with zeros for a site's own labels. */
static void potts_by_hand(const float *J, int *site, float *field)
{
    for (int i = 0; i < SITES; i++) {
        float weight[LABELS], sum = 0, most = -INFINITY, *own = field + i * LABELS;
        for (int a = 0; a < LABELS; a++) most = fmaxf(most, -own[a]);
        for (int a = 0; a < LABELS; a++) sum += weight[a] = expf(-own[a] - most);
        float u = sum * uniform();
        int to = 0;
        while (to < LABELS - 1 && (u -= weight[to]) >= 0) to++;
        if (to == site[i]) continue;
        const float *add = J + (size_t)(i * LABELS + to) * COLUMNS;
        const float *take = J + (size_t)(i * LABELS + site[i]) * COLUMNS;
        for (int k = 0; k < COLUMNS; k++) field[k] += add[k] - take[k];
        site[i] = to;
    }
}

/* A sweep of spins ±1 of one chain. */
static void lattice_by_hand(const float *J, const float *h, const int *neighbour, signed char *spin)
{
    for (int i = 0; i < SPINS; i++) {
        float field = h[i];
        for (int k = 0; k < DEGREE; k++) field += J[i * DEGREE + k] * (float)spin[neighbour[i * DEGREE + k]];
        spin[i] = uniform() < 1 / (1 + expf(-2 * field)) ? 1 : -1;
    }
}

/* ---- A dense Potts model ---- */

typedef struct potts {
    ebm_model *model;
    ebm_chains *chains;
    float *J, *field;
    int *site;
} potts;

static double *potts_start(void)
{
    double *x = calloc((size_t)CHAINS * COLUMNS, sizeof *x);
    for (int64_t v = 0; v < (int64_t)CHAINS * SITES && x; v++) x[v * LABELS + (int64_t)(uniform() * LABELS)] = 1;
    return x;
}

/* Tables of weights that leave each site some freedom, as those of an alignment: ±1 on average over its fields. */
static gibbs_status potts_make(potts *p, int threads, gibbs_error *error)
{
    ebm_mrf_spec spec = {.space = {.variables = SITES, .labels = LABELS, .one_hot = 1}, .dtype = GIBBS_FLOAT32};
    ebm_chain_options options = {.sampler = &ebm_gibbs, .space = spec.space, .threads = threads};
    TRY(ebm_model_mrf(&spec, &p->model, error));
    float *theta = ebm_model_theta(p->model);
    for (int64_t k = 0; k < ebm_model_size(p->model); k++) theta[k] = 0.3f * (uniform() - 0.5f);
    TRY(ebm_chains_new(p->model, &options, &p->chains, error));
    double *x = potts_start();
    gibbs_status status = x ? ebm_chains_start(p->chains, x, CHAINS, error) : GIBBS_MEMORY;
    free(x);
    return status;
}

/* The same couplings for what is by hand, and labels that are as good as any. */
static gibbs_status potts_hand(potts *p)
{
    const float *theta = ebm_model_theta(p->model);
    p->J = calloc((size_t)COLUMNS * COLUMNS, sizeof *p->J);
    p->field = calloc((size_t)CHAINS * COLUMNS, sizeof *p->field);
    p->site = calloc((size_t)CHAINS * SITES, sizeof *p->site);
    if (!p->J || !p->field || !p->site) return GIBBS_MEMORY;
    for (int i = 0; i < SITES; i++)
        for (int j = i + 1; j < SITES; j++)
            for (int k = 0; k < LABELS * LABELS; k++, theta++) {
                int a = i * LABELS + k / LABELS, b = j * LABELS + k % LABELS;
                p->J[(size_t)a * COLUMNS + b] = p->J[(size_t)b * COLUMNS + a] = -*theta;
            }
    for (int64_t v = 0; v < (int64_t)CHAINS * SITES; v++) {
        p->site[v] = (int)(uniform() * LABELS);
        const float *row = p->J + ((size_t)(v % SITES) * LABELS + (size_t)p->site[v]) * COLUMNS;
        for (int k = 0; k < COLUMNS; k++) p->field[v / SITES * COLUMNS + k] += row[k];
    }
    return GIBBS_OK;
}

static void potts_free(potts *p)
{
    ebm_chains_free(p->chains);
    ebm_model_free(p->model);
    free(p->J);
    free(p->field);
    free(p->site);
}

static gibbs_status time_potts(double best[2], gibbs_error *error)
{
    potts p = {0};
    gibbs_status status = potts_make(&p, 1, error);
    if (!status) status = potts_hand(&p);
    for (int round = 0; round < ROUNDS && !status; round++) {
        double begun = seconds();
        status = ebm_chains_run(p.chains, SWEEPS, 1, 0, error);
        double between = seconds();
        for (int c = 0; c < CHAINS; c++)
            for (int k = 0; k < SWEEPS; k++)
                potts_by_hand(p.J, p.site + (size_t)c * SITES, p.field + (size_t)c * COLUMNS);
        best[0] = fmin(best[0], (between - begun) / SWEEPS);
        best[1] = fmin(best[1], (seconds() - between) / SWEEPS);
    }
    potts_free(&p);
    return status;
}

/* ---- Spins on a lattice of three dimensions, with couplings of their own ---- */

enum { EDGES = 3 * SPINS };

typedef struct lattice {
    ebm_model *model;
    ebm_chains *chains;
    int64_t *edges;
    float *weight, *J, *h; /* of edges; of each spin's neighbours */
    int *neighbour, *degree;
    signed char *spin;
    double *x;
} lattice;

static void lattice_edges(lattice *l)
{
    static const int step[] = {1, SIDE, SIDE * SIDE};
    for (int i = 0, e = 0; i < SPINS; i++)
        for (int k = 0; k < 3; k++, e++) { /* one edge in each direction, around the ends */
            int at = i / step[k] % SIDE, j = at + 1 < SIDE ? i + step[k] : i - at * step[k];
            l->edges[2 * e] = i, l->edges[2 * e + 1] = j;
            l->weight[e] = 0.4f * (uniform() - 0.4f);
            l->J[i * DEGREE + l->degree[i]] = l->J[j * DEGREE + l->degree[j]] = l->weight[e];
            l->neighbour[i * DEGREE + l->degree[i]++] = j, l->neighbour[j * DEGREE + l->degree[j]++] = i;
        }
}

static gibbs_status lattice_make(lattice *l, gibbs_error *error)
{
    l->edges = calloc((size_t)EDGES, 2 * sizeof *l->edges);
    l->weight = calloc((size_t)EDGES, sizeof *l->weight);
    l->J = calloc((size_t)EDGES, 2 * sizeof *l->J);
    l->h = calloc((size_t)SPINS, sizeof *l->h);
    l->neighbour = calloc((size_t)EDGES, 2 * sizeof *l->neighbour);
    l->degree = calloc((size_t)SPINS, sizeof *l->degree);
    l->spin = calloc((size_t)SPINS, 1);
    l->x = calloc((size_t)SPINS, sizeof *l->x);
    if (!l->edges || !l->weight || !l->J || !l->h || !l->neighbour || !l->degree || !l->spin || !l->x)
        return GIBBS_MEMORY;
    lattice_edges(l);
    for (int i = 0; i < SPINS; i++) l->x[i] = uniform() < 0.5f, l->spin[i] = l->x[i] == 1 ? 1 : -1;
    ebm_mrf_spec spec = {.space = {.variables = SPINS}, .edges = l->edges, .edge_count = EDGES,
                         .dtype = GIBBS_FLOAT32};
    TRY(ebm_model_ising(&spec, &l->model, error));
    memcpy(ebm_model_theta(l->model), l->weight, (size_t)EDGES * sizeof *l->weight);
    return GIBBS_OK;
}

static void lattice_free(lattice *l)
{
    ebm_chains_free(l->chains);
    ebm_model_free(l->model);
    free(l->edges);
    free(l->weight);
    free(l->J);
    free(l->h);
    free(l->neighbour);
    free(l->degree);
    free(l->spin);
    free(l->x);
}

static gibbs_status time_lattice(ebm_order order, double best[2], gibbs_error *error)
{
    lattice l = {0};
    ebm_chain_options options = {.sampler = &ebm_gibbs, .threads = 1, .order = order};
    gibbs_status status = lattice_make(&l, error);
    if (!status) status = ebm_chains_new(l.model, &options, &l.chains, error);
    if (!status) status = ebm_chains_start(l.chains, l.x, 1, error);
    for (int round = 0; round < ROUNDS && !status; round++) {
        double begun = seconds();
        status = ebm_chains_run(l.chains, SWEEPS, 1, 0, error);
        double between = seconds();
        for (int k = 0; k < SWEEPS; k++) lattice_by_hand(l.J, l.h, l.neighbour, l.spin);
        best[0] = fmin(best[0], (between - begun) / SWEEPS);
        best[1] = fmin(best[1], (seconds() - between) / SWEEPS);
    }
    lattice_free(&l);
    return status;
}

/* ---- A network with triangles: 16 nodes, 32 chains, by change statistics ---- */

enum { NODES = 16, DYADS = NODES * (NODES - 1) / 2, NETWORKS = 32, NETWORK_SWEEPS = 2000 };
static const double EDGES_WEIGHT = -1.676, TRIANGLES_WEIGHT = 0.155;

typedef struct network {
    int first[DYADS], second[DYADS];
} network;

static ad_var network_energy(ad_var x, const ad_var *theta, void *context)
{
    const network *n = context;
    double place[DYADS];
    for (int k = 0; k < DYADS; k++) place[k] = n->first[k] * NODES + n->second[k];
    ad_var half = ad_scatter_add(x, ad_constant_array(x.tape, ad_vec(DYADS), place), NODES * NODES);
    ad_var A = ad_reshape(half, ad_mat(NODES, NODES));
    A = ad_add(A, ad_transpose(A));
    ad_var triangles = ad_scale(ad_dot(ad_matmul(A, A), A), 1. / 6);
    return ad_neg(ad_add(ad_mul(theta[0], ad_sum(x)), ad_mul(theta[1], triangles)));
}

static void network_set(void *state, int64_t v, int32_t label, void *context)
{
    const network *n = context;
    unsigned *row = state, i = (unsigned)n->first[v], j = (unsigned)n->second[v];
    row[i] = (row[i] & ~(1u << j)) | (unsigned)label << j;
    row[j] = (row[j] & ~(1u << i)) | (unsigned)label << i;
}

static void network_change(const void *state, int64_t v, int32_t label, double *gain, void *context)
{
    const network *n = context;
    const unsigned *row = state;
    gain[0] = label ? 1 : -1;
    gain[1] = gain[0] * __builtin_popcount(row[n->first[v]] & row[n->second[v]]);
}

static void network_start(void *state, const int32_t *label, double *s, void *context)
{
    double gain[2];
    memset(state, 0, NODES * sizeof(unsigned));
    s[0] = s[1] = 0;
    for (int v = 0; v < DYADS; v++) {
        if (!label[v]) continue;
        network_change(state, v, 1, gain, context);
        network_set(state, v, 1, context);
        for (int k = 0; k < 2; k++) s[k] += gain[k];
    }
}

static int network_changes(void *context, ebm_changes *changes)
{
    (void)context;
    *changes = (ebm_changes){NODES * sizeof(unsigned), network_start, network_change, network_set};
    return 1;
}

static const ebm_energy network_kind = {.name = "network", .record = network_energy, .changes = network_changes};

static void network_by_hand(unsigned *a)
{
    for (int i = 0; i < NODES; i++)
        for (int j = i + 1; j < NODES; j++) {
            double d = EDGES_WEIGHT + TRIANGLES_WEIGHT * __builtin_popcount(a[i] & a[j]);
            if (uniform() < 1 / (1 + exp(-d))) a[i] |= 1u << j, a[j] |= 1u << i;
            else a[i] &= ~(1u << j), a[j] &= ~(1u << i);
        }
}

static gibbs_status network_make(network *n, ebm_model **model, ebm_chains **chains, gibbs_error *error)
{
    const ebm_parameter p[] = {{"edges", {0, {0}}, EBM_INIT_CONSTANT, EDGES_WEIGHT},
                               {"triangles", {0, {0}}, EBM_INIT_CONSTANT, TRIANGLES_WEIGHT}};
    ebm_model_spec spec = {.dtype = GIBBS_FLOAT32, .dim = DYADS, .parameters = p, .parameter_count = 2,
                           .kind = &network_kind, .context = n};
    ebm_chain_options options = {.sampler = &ebm_gibbs, .threads = 1};
    static double x[NETWORKS * DYADS];
    for (int i = 0, k = 0; i < NODES; i++)
        for (int j = i + 1; j < NODES; j++, k++) n->first[k] = i, n->second[k] = j;
    TRY(ebm_model_new(&spec, model, error));
    TRY(ebm_chains_new(*model, &options, chains, error));
    return ebm_chains_start(*chains, x, NETWORKS, error);
}

static gibbs_status time_network(double best[2], gibbs_error *error)
{
    network n;
    ebm_model *model = NULL;
    ebm_chains *chains = NULL;
    static unsigned a[NETWORKS][NODES];
    gibbs_status status = network_make(&n, &model, &chains, error);
    for (int round = 0; round < ROUNDS && !status; round++) {
        double begun = seconds();
        status = ebm_chains_run(chains, NETWORK_SWEEPS, 1, 0, error);
        double between = seconds();
        for (int k = 0; k < NETWORK_SWEEPS; k++)
            for (int c = 0; c < NETWORKS; c++) network_by_hand(a[c]);
        best[0] = fmin(best[0], (between - begun) / NETWORK_SWEEPS);
        best[1] = fmin(best[1], (seconds() - between) / NETWORK_SWEEPS);
    }
    ebm_chains_free(chains);
    ebm_model_free(model);
    return status;
}

/* ---- What is printed ---- */

static void print(const char *what, const double best[2])
{
    json_begin();
    json_text("sweep", what);
    json_number("ours_ms", 1e3 * best[0]);
    json_number("by_hand_ms", 1e3 * best[1]);
    json_number("ratio", best[0] / best[1]);
    json_end();
}

gibbs_status bench_sweeps_print(gibbs_error *error)
{
    double potts[2] = {INFINITY, INFINITY}, turn[2] = {INFINITY, INFINITY}, colours[2] = {INFINITY, INFINITY};
    double network[2] = {INFINITY, INFINITY};
    TRY(time_potts(potts, error));
    print("potts 126 x 21, 1000 chains", potts);
    TRY(time_lattice(EBM_ORDER_IN_TURN, turn, error));
    print("ising lattice 58^3, in turn", turn);
    TRY(time_lattice(EBM_ORDER_COLOURS, colours, error));
    print("ising lattice 58^3, by colours", colours);
    TRY(time_network(network, error));
    print("network of 16 nodes with triangles, 32 chains", network);
    return GIBBS_OK;
}
