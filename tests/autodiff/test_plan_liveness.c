/* Buffers are shared rightly: a random graph compiled for a few outputs, whose intermediates share memory, gives the
 * values of the same graph compiled with every intermediate as an output, where none do. */
#include "random_graph.h"

enum { GRAPHS = SANITIZED ? 600 : 3000, MOST_ROWS = 40, MOST_NODES = 4000 };

typedef struct memory {
    void *leaf[LEAVES];
} memory;

static memory memory_new(const graph *g, uint64_t seed)
{
    memory m;
    for (int k = 0; k < g->leaves; k++) {
        ad_shape s = ad_shape_of(g->leaf[k]);
        int64_t count = ad_shape_count(&s) * MOST_ROWS * CHILDREN;
        double *x = random_numbers(count, seed + (uint64_t)k);
        m.leaf[k] = in_type(ad_tape_dtype(g->tape), x, count);
        free(x);
    }
    return m;
}

static void memory_free(const graph *g, memory m)
{
    for (int k = 0; k < g->leaves; k++) free(m.leaf[k]);
}

/* Every node that the outputs depend on. */
static int all_nodes(const ad_var *outputs, int count, ad_var *node)
{
    static bool live[MOST_NODES];
    const ad_tape *t = outputs[0].tape;
    int nodes = 0;
    cr_assert_lt(t->size, MOST_NODES);
    memset(live, 0, sizeof live);
    for (int k = 0; k < count; k++) live[outputs[k].id] = true;
    for (int64_t i = t->size - 1; i >= 0; i--)
        for (int k = 0; live[i] && k < t->node[i].nin; k++) live[t->node[i].in[k]] = true;
    for (int64_t i = 0; i < t->size; i++)
        if (live[i]) node[nodes++] = ad_handle(outputs[0].tape, (int32_t)i);
    return nodes;
}

static runner start(const graph *g, memory m, const ad_var *outputs, int count, int64_t block_bytes)
{
    runner r = runner_new(outputs, count, block_bytes);
    for (int k = 0; k < g->leaves; k++) bind(r, g->leaf[k], m.leaf[k]);
    return r;
}

static int64_t numbers_of(const graph *g, ad_var v, int64_t rows)
{
    ad_shape s = ad_shape_of(v);
    if (ad_is_shared(v)) return ad_shape_count(&s);
    return ad_shape_count(&s) * rows * (ad_axis_of(v).id == g->child.id ? CHILDREN : 1);
}

/* Sums over a batch are grouped by blocks, which differ in size: so rounding, and only that, may differ. */
static void compare(const graph *g, runner some, int k, runner all, int j, ad_var v, int64_t rows, uint64_t number)
{
    gibbs_dtype dtype = ad_tape_dtype(g->tape);
    double tolerance = dtype == GIBBS_FLOAT32 ? 2e-3 : 1e-9;
    for (int64_t i = 0; i < numbers_of(g, v, rows); i++) {
        double p = number_at(dtype, ad_result(some.w, k), i), q = number_at(dtype, ad_result(all.w, j), i);
        cr_assert(isfinite(q), "graph %llu: node %d is %g", (unsigned long long)number, v.id, q);
        cr_assert(fabs(p - q) <= tolerance * (1 + fabs(q)),
                  "graph %llu, %lld rows, node %d (%s), number %lld: %.17g and %.17g", (unsigned long long)number,
                  (long long)rows, v.id, ad_ops[ad_node_of(v)->op].name, (long long)i, p, q);
    }
}

static void check_graph(uint64_t number)
{
    static ad_var node[MOST_NODES];
    graph g = graph_new(number % 4 == 3 ? GIBBS_FLOAT32 : GIBBS_FLOAT64, number);
    graph_grow(&g, 20 + (int)roll(&g, 120));
    ad_var out[3];
    int count = 1 + (int)roll(&g, 3);
    for (int k = 0; k < count; k++) out[k] = g.pool[g.size - 1 - (roll(&g, 2) ? k : roll(&g, g.size / 2))];
    int nodes = all_nodes(out, count, node);
    memory m = memory_new(&g, number);
    int64_t block = (int64_t)1 << roll(&g, 18);
    runner some = start(&g, m, out, count, block), all = start(&g, m, node, nodes, (int64_t)1 << roll(&g, 18));
    for (int again = 0; again < 2; again++) {
        int64_t rows = 1 + roll(&g, MOST_ROWS);
        set_rows(some, g.data, rows), set_rows(all, g.data, rows);
        run(some), run(all);
        for (int k = 0; k < count; k++)
            for (int j = 0; j < nodes; j++)
                if (node[j].id == out[k].id) compare(&g, some, k, all, j, out[k], rows, number);
    }
    runner_free(some), runner_free(all);
    memory_free(&g, m);
    ad_tape_free(g.tape);
}

Test(plan_liveness, random_graphs, .timeout = 120)
{
    for (uint64_t number = 1; number <= GRAPHS * test_times(); number++) check_graph(number);
}

/* That the generator makes graphs worth testing: every op that it may use is used, and buffers are shared. */
Test(plan_liveness, the_graphs_cover_the_ops)
{
    static const ad_op expected[] = {
        OP_neg, OP_tanh, OP_sigmoid, OP_softplus, OP_erf, OP_sin, OP_cos, OP_stop_gradient, OP_add, OP_sub, OP_mul,
        OP_div, OP_select, OP_lift, OP_expand, OP_reshape, OP_permute, OP_slice, OP_pad, OP_concat, OP_gather,
        OP_scatter_add, OP_sum, OP_logsumexp, OP_matmul, OP_regroup, OP_ungroup, OP_batch_sum, OP_batch_logsumexp,
        OP_batch_matmul, OP_chain, OP_batch_count, OP_normal, OP_uniform, OP_array,
    };
    static ad_var node[MOST_NODES];
    int64_t used[OP_COUNT] = {0}, stages = 0, shared = 0;
    for (uint64_t number = 1; number <= 100; number++) {
        graph g = graph_new(GIBBS_FLOAT64, number);
        graph_grow(&g, 120);
        ad_var *out = &g.pool[g.size - 3];
        int nodes = all_nodes(out, 3, node);
        int64_t apart = 0;
        for (int k = 0; k < nodes; k++) {
            used[ad_node_of(node[k])->op]++;
            ad_shape s = ad_shape_of(node[k]);
            if (!ad_is_shared(node[k])) apart += ad_shape_count(&s) * (int64_t)sizeof(double);
        }
        runner r = runner_new(out, 3, 0);
        shared += ad_plan_describe(r.plan).bytes_per_row < apart / 2;
        stages += ad_plan_describe(r.plan).stages;
        runner_free(r);
        ad_tape_free(g.tape);
    }
    for (int k = 0; k < LENGTH(expected); k++)
        cr_expect_gt(used[expected[k]], 0, "%s is never used", ad_ops[expected[k]].name);
    cr_assert_gt(stages, 150);
    cr_assert_gt(shared, 30);
}
