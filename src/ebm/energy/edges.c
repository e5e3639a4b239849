/* edges.c — edges, and Σ over pairs of columns. */
#include "edges.h"

#include "autodiff/tape/tape.h"
#include "ebm/space/space.h"

#include <stdlib.h>

/* ---- Edges ---- */

static int compare(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

/* No pair is there twice, whichever way round: sorts keys of the pairs. */
static gibbs_status check_twice(const char *model, const ebm_mrf_spec *spec, const gibbs_allocator *a,
                                gibbs_error *error)
{
    int64_t n = spec->space.variables, *key = gibbs_alloc(a, (size_t)spec->edge_count, sizeof *key);
    gibbs_status status = GIBBS_OK;
    if (!key) return gibbs_fail(error, GIBBS_MEMORY, "%s: out of memory", model);
    for (int64_t k = 0; k < spec->edge_count; k++) {
        int64_t i = spec->edges[2 * k], j = spec->edges[2 * k + 1];
        key[k] = i < j ? i * n + j : j * n + i;
    }
    qsort(key, (size_t)spec->edge_count, sizeof *key, compare);
    for (int64_t k = 1; k < spec->edge_count && !status; k++)
        if (key[k] == key[k - 1])
            status = gibbs_fail(error, GIBBS_ARGUMENT, "%s: the edge (%lld, %lld) is there twice", model,
                                (long long)(key[k] / n), (long long)(key[k] % n));
    gibbs_release(a, key);
    return status;
}

static gibbs_status check(const char *model, const ebm_mrf_spec *spec, const gibbs_allocator *a, gibbs_error *error)
{
    int64_t n = spec->space.variables;
    for (int64_t k = 0; k < spec->edge_count; k++) {
        int64_t i = spec->edges[2 * k], j = spec->edges[2 * k + 1];
        if (i < 0 || j < 0 || i >= n || j >= n || i == j)
            return gibbs_fail(error, GIBBS_ARGUMENT,
                              "%s: edge %lld is (%lld, %lld); it must join two of the %lld variables", model,
                              (long long)k, (long long)i, (long long)j, (long long)n);
    }
    return check_twice(model, spec, a, error);
}

gibbs_status ebm_pairwise_check(const char *model, const ebm_mrf_spec *spec, int64_t *edges, gibbs_error *error)
{
    gibbs_allocator a = gibbs_allocator_or_default(spec->allocator);
    int64_t n = spec->space.variables;
    gibbs_status status = gibbs_allocator_check(&a, error);
    if (!status) status = ebm_need_count(model, "variables", n, 2, error);
    if (!status) status = ebm_need_count(model, "edges", spec->edge_count, spec->edges ? 1 : 0, error);
    if (status) return status;
    *edges = spec->edges ? spec->edge_count : n * (n - 1) / 2;
    status = ebm_need_count(model, "edges", *edges, 1, error);
    return status || !spec->edges ? status : check(model, spec, &a, error);
}

ebm_pairwise *ebm_pairwise_new(const ebm_energy *kind, const ebm_pairwise *about, const gibbs_allocator *a)
{
    ebm_pairwise *own = ebm_context_new(kind, &about->spec, sizeof *own, a);
    if (own) own->edges = about->edges, own->labels = about->labels, own->tied = about->tied;
    return own;
}

bool ebm_next_edge(const ebm_mrf_spec *spec, ebm_edge *e)
{
    int64_t n = spec->space.variables;
    e->number++;
    if (spec->edges && e->number >= spec->edge_count) return false;
    if (spec->edges) e->i = spec->edges[2 * e->number], e->j = spec->edges[2 * e->number + 1];
    else if (++e->j >= n) e->j = ++e->i + 1;
    return e->i < n - 1 || spec->edges;
}

/* ---- Options ---- */

static int64_t variables(const void *spec) { return ((const ebm_mrf_spec *)spec)->space.variables; }
static int64_t edge_ends(const void *spec) { return 2 * ((const ebm_mrf_spec *)spec)->edge_count; }

const ebm_option ebm_mrf_options[] = {
    {"variables", EBM_OPTION_INT64, offsetof(ebm_mrf_spec, space.variables), NULL},
    {"labels", EBM_OPTION_INT64, offsetof(ebm_mrf_spec, space.labels), NULL},
    {"labels_of", EBM_OPTION_INT64S, offsetof(ebm_mrf_spec, space.labels_of), variables},
    {"one_hot", EBM_OPTION_INT, offsetof(ebm_mrf_spec, space.one_hot), NULL},
    EBM_OPTION(INT64, ebm_mrf_spec, edge_count),
    EBM_LIST(INT64S, ebm_mrf_spec, edges, edge_ends),
    EBM_COMMON_OPTIONS(ebm_mrf_spec),
};

/* ---- One matrix, or none ---- */

/* The weights as a matrix of all columns, for one product a block of rows: faster than gathering pairs up to about 160
 * zeros a pair (E and ∇xE, from 30 to 400 columns). Rows of tables are read by number, exact up to 2²⁴ in float32. */
enum { MAX_DENSE = 11585, ZEROS_A_PAIR = 128, MOST_ROWS = 1 << 24 };

bool ebm_pairwise_dense(const ebm_pairwise *p)
{
    int64_t n = p->spec.space.variables, side = n * p->labels;
    bool counts = side <= MAX_DENSE && 2 * p->edges * (p->tied ? 1 : p->labels) < MOST_ROWS;
    return p->labels && counts && p->edges * ZEROS_A_PAIR >= n * n;
}

/* Where the rows of a matrix's blocks are among all tables' rows: row (i, a) of block (i, j) is number a of its edge's
 * table, or of the table turned over, which follow `turned` rows later. `none` where there is no edge. */
static void fill_index(const ebm_pairwise *p, int64_t K, int64_t turned, int64_t none, double *index)
{
    int64_t n = p->spec.space.variables;
    ebm_edge e = EBM_FIRST_EDGE;
    for (int64_t k = 0; k < n * K * n; k++) index[k] = (double)none;
    while (ebm_next_edge(&p->spec, &e))
        for (int64_t a = 0; a < K; a++) {
            index[(e.i * K + a) * n + e.j] = (double)(e.number * K + a);
            if (turned >= 0) index[(e.j * K + a) * n + e.i] = (double)(turned + e.number * K + a);
        }
}

/* The matrix whose block (i, j) is the table of the edge from i to j, and, `both`, block (j, i) that table turned over;
 * all else is 0. One read of rows: of the tables, the turned ones, and a row of zeros. */
static ad_var matrix_of(const ebm_pairwise *p, ad_var weight, bool both)
{
    ad_tape *tape = weight.tape;
    int64_t n = p->spec.space.variables, K = p->tied ? 1 : p->labels, rows = p->edges * K;
    double *index = gibbs_alloc(&tape->alloc, (size_t)(n * K * n), sizeof *index);
    if (!index) return ad_fail(tape, GIBBS_MEMORY, "%lld variables: out of memory", (long long)n);
    bool turn = both && K > 1;
    fill_index(p, K, turn ? rows : both ? 0 : -1, turn ? 2 * rows : rows, index);
    ad_var at = ad_constant_array(tape, ad_mat(n * K, n), index), part[3];
    gibbs_release(&tape->alloc, index);
    int parts = 0;
    part[parts++] = ad_reshape(weight, ad_mat(rows, K));
    if (turn) part[parts++] = ad_reshape(ad_transpose(ad_reshape(weight, ad_cube(p->edges, K, K))), ad_mat(rows, K));
    part[parts++] = ad_fill(tape, -1, ad_mat(1, K), 0);
    return ad_reshape(ad_gather(ad_concat_all(part, parts, 0), at), ad_mat(n * K, n * K));
}

/* x·matrix; of tied weights, whose matrix is one for each label, a row of all variables for each label. */
static ad_var times(const ebm_pairwise *p, ad_var x, ad_var matrix)
{
    if (!p->tied || p->labels == 1) return ad_matmul(x, matrix);
    ad_shape own = ad_shape_of(x);
    ad_var by_label = ad_transpose(ad_reshape(x, ad_mat(p->spec.space.variables, p->labels)));
    return ad_reshape(ad_transpose(ad_matmul(by_label, matrix)), own);
}

/* ---- Pairs of columns, listed ---- */

/* As reals, because that is what a tape's indices are. */
typedef struct pairs {
    int64_t count;
    double *left, *right, *edge; /* edge: which edge the pair belongs to */
} pairs;

static int64_t labels_of(const ebm_pairwise *p, int64_t variable)
{
    return p->labels ? p->labels : ebm_space_labels(&p->spec.space, variable);
}

int64_t ebm_pairwise_pairs(const ebm_pairwise *p)
{
    int64_t n = 0, entries;
    ebm_edge e = EBM_FIRST_EDGE;
    while (ebm_next_edge(&p->spec, &e)) {
        int64_t rows = labels_of(p, e.i), cols = labels_of(p, e.j);
        if (p->tied) entries = rows < cols ? rows : cols;
        else if (!gibbs_mul_size(rows, cols, &entries)) return -1;
        if (entries > INT32_MAX - n) return -1;
        n += entries;
    }
    return n;
}

/* Row by row of each edge's table, or its diagonal. `start` is each variable's first column. */
static void fill_pairs(const ebm_pairwise *p, const int64_t *start, pairs *list)
{
    ebm_edge e = EBM_FIRST_EDGE;
    for (int64_t n = 0; ebm_next_edge(&p->spec, &e);) {
        int64_t rows = labels_of(p, e.i), cols = labels_of(p, e.j), smaller = rows < cols ? rows : cols;
        for (int64_t c = 0; c < (p->tied ? smaller : rows * cols); c++, n++) {
            list->left[n] = (double)(start[e.i] + (p->tied ? c : c / cols));
            list->right[n] = (double)(start[e.j] + (p->tied ? c : c % cols));
            if (list->edge) list->edge[n] = (double)e.number;
        }
    }
}

static ad_var listed(const ebm_pairwise *p, ad_var x, ad_var weight)
{
    ad_tape *tape = x.tape;
    int64_t variables = p->spec.space.variables, count = ebm_pairwise_pairs(p), column = 0;
    int64_t *start = gibbs_alloc(&tape->alloc, (size_t)variables, sizeof *start);
    bool repeats = p->tied && p->labels != 1; /* a weight for several pairs */
    double *room = gibbs_alloc(&tape->alloc, (size_t)count, (repeats ? 3 : 2) * sizeof *room);
    ad_var sum = {tape, -1};
    if (!start || !room) ad_fail(tape, GIBBS_MEMORY, "%lld pairs of columns: out of memory", (long long)count);
    else {
        pairs list = {count, room, room + count, repeats ? room + 2 * count : NULL};
        for (int64_t v = 0; v < variables; column += labels_of(p, v++)) start[v] = column;
        fill_pairs(p, start, &list);
        ad_var left = ad_gather(x, ad_constant_array(tape, ad_vec(count), list.left));
        ad_var right = ad_gather(x, ad_constant_array(tape, ad_vec(count), list.right));
        if (repeats) weight = ad_gather(weight, ad_constant_array(tape, ad_vec(count), list.edge));
        sum = ad_dot(weight, ad_mul(left, right));
    }
    gibbs_release(&tape->alloc, start);
    gibbs_release(&tape->alloc, room);
    return sum;
}

/* ---- Sums over pairs ---- */

ad_var ebm_pairwise_sum(const ebm_pairwise *p, ad_var x, ad_var weight)
{
    if (!ebm_pairwise_dense(p)) return listed(p, x, weight);
    return ad_dot(times(p, x, matrix_of(p, weight, false)), x);
}

ad_var ebm_pairwise_slope(const ebm_pairwise *p, ad_var x, ad_var weight)
{
    ad_var slope = {x.tape, -1};
    if (ebm_pairwise_dense(p)) return times(p, x, matrix_of(p, weight, true));
    ad_grad(listed(p, x, weight), &x, 1, &slope);
    return slope;
}
