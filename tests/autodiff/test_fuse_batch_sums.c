/* Sums of products over batches, which add up in one place: of one pass, of several, of several axes and shards, and
 * where a term is read by something else as well. Against plain loops, with equal bits for any number of threads. */
#include "autodiff/run/workspace.h"
#include "plan_helpers.h"

enum { M = 3, N = 5, MOST = 2, MOST_THREADS = 3 };

typedef struct graph {
    ad_tape *tape;
    ad_axis a, b;
    ad_var x, y, u, v; /* [M] and [N] on a, [M] and [N] on b */
} graph;

/* What the loops compute: Σ xyᵀ and Σ uvᵀ, and the sum of all x. */
typedef struct sums {
    double xy[M * N], uv[M * N], s;
} sums;

static graph new_graph(gibbs_dtype dtype)
{
    graph g = {.tape = ad_tape_new(dtype, NULL)};
    g.a = ad_axis_new(g.tape, "a"), g.b = ad_axis_new(g.tape, "b");
    g.x = ad_input(g.a, "x", ad_vec(M)), g.y = ad_input(g.a, "y", ad_vec(N));
    g.u = ad_input(g.b, "u", ad_vec(M)), g.v = ad_input(g.b, "v", ad_vec(N));
    return g;
}

static ad_var xy(const graph *g) { return ad_batch_matmul(g->a, g->x, g->y); }
static ad_var uv(const graph *g) { return ad_batch_matmul(g->b, g->u, g->v); }

static ad_var scaled_xy(const graph *g, double by)
{
    return ad_batch_matmul(g->a, ad_mul(ad_constant(g->tape, by), g->x), g->y);
}

/* ---- One row a case: outputs, coefficients of xy, uv and s·xy in the first, and additions that are left ---- */

static int one_pass(const graph *g, ad_var *out) { return out[0] = ad_add(xy(g), scaled_xy(g, 3)), 1; }
static int two_axes(const graph *g, ad_var *out) { return out[0] = ad_add(xy(g), uv(g)), 1; }

static int four_terms(const graph *g, ad_var *out)
{
    ad_var left = ad_add(xy(g), uv(g)), right = ad_add(scaled_xy(g, 2), scaled_xy(g, 4));
    ad_var flat = ad_add(ad_reshape(left, ad_vec(M * N)), ad_reshape(right, ad_vec(M * N)));
    return out[0] = flat, 1;
}

static int two_passes(const graph *g, ad_var *out)
{
    ad_var s = ad_batch_sum(g->a, ad_sum(g->x));
    return out[0] = ad_add(xy(g), ad_batch_matmul(g->a, ad_mul(s, g->x), g->y)), 1;
}

static int read_further(const graph *g, ad_var *out)
{
    return out[0] = ad_mul(ad_constant(g->tape, 2), ad_add(xy(g), uv(g))), 1;
}

static int a_term_is_an_output(const graph *g, ad_var *out)
{
    out[1] = uv(g);
    return out[0] = ad_add(xy(g), out[1]), 2;
}

static int a_term_is_no_product(const graph *g, ad_var *out)
{
    return out[0] = ad_add(ad_add(xy(g), uv(g)), ad_batch_sum(g->a, ad_sum(g->x))), 1;
}

static const struct batch_case {
    const char *name;
    int (*record)(const graph *, ad_var *out);
    double xy, uv, s_xy, s;
    int additions;
} cases[] = {
    {"one pass", one_pass, 4, 0, 0, 0, 0},
    {"two axes", two_axes, 1, 1, 0, 0, 0},
    {"four terms", four_terms, 7, 1, 0, 0, 0},
    {"two passes", two_passes, 1, 0, 1, 0, 0},
    {"read further", read_further, 2, 2, 0, 0, 0},
    {"a term is an output", a_term_is_an_output, 1, 1, 0, 0, 1},
    {"a term is no product", a_term_is_no_product, 1, 1, 0, 1, 1},
};

static int additions(const ad_plan *plan)
{
    int count = 0;
    for (int64_t s = 0; s < plan->stages; s++)
        for (int64_t k = 0; k < plan->stage[s].shared.count; k++) count += plan->stage[s].shared.at[k].op == OP_add;
    return count;
}

static void add_products(double *to, int64_t rows, const double *left, const double *right)
{
    for (int64_t r = 0; r < rows; r++)
        for (int i = 0; i < M; i++)
            for (int j = 0; j < N; j++) to[i * N + j] += left[r * M + i] * right[r * N + j];
}

static void expect(const struct batch_case *c, gibbs_dtype dtype, const sums *s, int64_t rows, const void *got)
{
    for (int k = 0; k < M * N; k++) {
        double right = (c->xy + c->s_xy * s->s) * s->xy[k] + c->uv * s->uv[k] + c->s * s->s;
        double y = dtype == GIBBS_FLOAT64 ? ((const double *)got)[k] : ((const float *)got)[k];
        double scale = (1 + fabs(c->s_xy * s->s)) * sqrt((double)rows) * 30;
        cr_expect_leq(fabs(y - right), (dtype == GIBBS_FLOAT64 ? 1e-14 : 1e-6) * scale, "%s, %lld rows: number %d is %.17g, not %.17g", c->name,
                      (long long)rows, k, y, right);
    }
}

static void check(const struct batch_case *c, gibbs_dtype dtype, int64_t rows)
{
    graph g = new_graph(dtype);
    ad_var out[MOST];
    int count = c->record(&g, out);
    cr_assert_eq(ad_tape_status(g.tape), GIBBS_OK, "%s", ad_tape_message(g.tape));
    runner r = runner_new(out, count, 0);
    cr_expect_eq(additions(r.plan), c->additions, "%s", c->name);
    int64_t of_b = rows / 2 + 1;
    double *x = random_numbers(rows * M, 1), *y = random_numbers(rows * N, 2);
    double *u = random_numbers(of_b * M, 3), *v = random_numbers(of_b * N, 4);
    void *typed[] = {in_type(dtype, x, rows * M), in_type(dtype, y, rows * N), in_type(dtype, u, of_b * M),
                     in_type(dtype, v, of_b * N)};
    sums s = {.s = 0};
    add_products(s.xy, rows, x, y), add_products(s.uv, of_b, u, v);
    for (int64_t k = 0; k < rows * M; k++) s.s += x[k];
    const ad_var inputs[] = {g.x, g.y, g.u, g.v};
    for (int k = 0; k < 4; k++)
        if (c->uv != 0 || k < 2) bind(r, inputs[k], typed[k]);
    set_rows(r, g.a, rows), set_rows(r, g.b, of_b);
    char first[M * N * sizeof(double)];
    size_t bytes = M * N * gibbs_dtype_size(dtype);
    for (int threads = 1; threads <= MOST_THREADS; threads++) {
        run_with(r, (ad_run_options){.threads = threads});
        if (threads == 1) memcpy(first, ad_result(r.w, 0), bytes);
        cr_expect_eq(memcmp(first, ad_result(r.w, 0), bytes), 0, "%s: other bits with %d threads", c->name, threads);
    }
    expect(c, dtype, &s, rows, first);
    for (int k = 0; k < 4; k++) free(typed[k]);
    free(x), free(y), free(u), free(v);
    runner_free(r);
    ad_tape_free(g.tape);
}

Test(fuse_batch_sums, against_loops)
{
    static const int64_t rows[] = {1, 2, 37, 300000};
    for (int k = 0; k < LENGTH(cases); k++)
        for (int n = 0; n < LENGTH(rows); n++)
            check(&cases[k], GIBBS_FLOAT64, rows[n]), check(&cases[k], GIBBS_FLOAT32, rows[n]);
}

Test(fuse_batch_sums, the_last_size_has_several_shards)
{
    graph g = new_graph(GIBBS_FLOAT64);
    ad_var out[MOST];
    runner r = runner_new(out, two_axes(&g, out), 0);
    for (int64_t s = 0; s < 2; s++) cr_expect_gt(ad_split_rows(&r.plan->stage[s], 150001).shards, 1);
    runner_free(r);
    ad_tape_free(g.tape);
}
