/* Sweeps on couplings: energies of what energies hand over and of the tape, on every space, own terms or none; draws
 * that do not depend on threads, blocks or where a run was interrupted; colours; refusals. */
#include "ebm/changes_helpers.h"
#include "ebm/conditionals/colours.h"
#include "ebm/sampler/chain_state.h"
#include "support/alloc.h"

enum { ROWS = 5 };

static ebm_chains *chains_at(ebm_model *model, ebm_chain_options o, const double *x, int64_t rows)
{
    ebm_chains *chains;
    o.sampler = &ebm_gibbs;
    OK(ebm_chains_new(model, &o, &chains, ERROR));
    OK(ebm_chains_start(chains, x, rows, ERROR));
    return chains;
}

/* ---- Energies ---- */

static void expect_energies(ebm_model *model, const columns *s, double tolerance, const char *what)
{
    int64_t dim = ebm_model_dim(model);
    double *x = random_states(s, ROWS, dim, 11), plain[ROWS];
    const void *energy;
    for (int64_t k = 0; k < ROWS * dim && ebm_model_dtype(model) == GIBBS_FLOAT32; k++) x[k] = (double)(float)x[k];
    ebm_chains *chains = chains_at(model, (ebm_chain_options){.space = space_of(s)}, x, ROWS);
    cr_assert(chains->sweeps, "%s: no couplings", what);
    OK(ebm_chains_evaluate(chains, &energy, NULL, ERROR));
    OK(ebm_model_energy(model, x, ROWS, plain, NULL, ERROR));
    for (int r = 0; r < ROWS; r++)
        expect_close(ebm_number(ebm_model_dtype(model), energy, r), plain[r], tolerance, what);
    ebm_chains_free(chains);
    free(x);
}

Test(sweeps, energies_of_couplings_from_the_tape)
{
    for (int k = 0; k < COUNT(quad_spaces); k++)
        for (int degree = 0; degree <= 2; degree++)
            for (int narrow = 0; narrow < 2; narrow++) {
                const quad q = {degree, 0, 0};
                ebm_model *model = quad_model(&q, NULL, narrow ? GIBBS_FLOAT32 : GIBBS_FLOAT64);
                expect_energies(model, &quad_spaces[k], narrow ? 1e-5 : 1e-13, "quadratic");
                ebm_model_free(model);
            }
}

/* What is no polynomial has no couplings, nor has one of too high a degree. */
Test(sweeps, others_are_recorded)
{
    const quad q = {2, 1, 0};
    ebm_model *model = quad_model(&q, NULL, GIBBS_FLOAT64);
    double *x = random_states(&quad_spaces[0], ROWS, QUAD_DIM, 1);
    ebm_chains *chains = chains_at(model, (ebm_chain_options){0}, x, ROWS);
    cr_expect_null(chains->sweeps);
    ebm_chains_free(chains);
    ebm_model_free(model);
    free(x);
}

typedef gibbs_status make(const ebm_mrf_spec *spec, ebm_model **model, gibbs_error *error);

static ebm_model *shipped(make *f, ebm_mrf_spec spec, gibbs_dtype dtype)
{
    ebm_model *model;
    spec.dtype = dtype;
    OK(f(&spec, &model, ERROR));
    int64_t size = ebm_model_size(model);
    double *theta = calloc((size_t)size, sizeof *theta);
    for (int64_t k = 0; k < size; k++) theta[k] = 0.4 * sin(1 + 2.3 * (double)k);
    ebm_model_set(model, theta);
    free(theta);
    return model;
}

Test(sweeps, energies_of_couplings_that_are_handed_over)
{
    enum { N = 150 };
    static const int64_t some[] = {0, 1, 3, 1, 2, 3};
    int64_t ring[2 * N];
    for (int k = 0; k < N; k++) ring[2 * k] = k, ring[2 * k + 1] = (k + 1) % N;
    make *const f[] = {ebm_model_ising, ebm_model_potts, ebm_model_mrf};
    for (int k = 0; k < 3; k++)
        for (int graph = 0; graph < 3; graph++)
            for (int narrow = 0; narrow < 2; narrow++) {
                const columns s = {{0, 1}, k ? 3 : 0};
                ebm_mrf_spec spec = {.space = {.variables = graph == 2 ? N : 4, .labels = s.labels, .one_hot = k > 0},
                                     .edges = graph == 2 ? ring : graph ? some : NULL,
                                     .edge_count = graph == 2 ? N : graph ? 3 : 0};
                ebm_model *model = shipped(f[k], spec, narrow ? GIBBS_FLOAT32 : GIBBS_FLOAT64);
                expect_energies(model, &s, narrow ? 1e-5 : 1e-13, "shipped");
                ebm_model_free(model);
            }
}

Test(sweeps, energies_of_change_statistics)
{
    for (int k = 0; k < COUNT(changing); k++)
        for (int narrow = 0; narrow < 2; narrow++) {
            int labels = changing[k].space.labels;
            ebm_model *model = changes_model(changing[k].kind, &labels, narrow ? GIBBS_FLOAT32 : GIBBS_FLOAT64, 1);
            ebm_structure s;
            ebm_space space = space_of(&changing[k].space);
            expect_energies(model, &changing[k].space, narrow ? 1e-6 : 1e-14, "change statistics");
            OK(ebm_model_structure(model, &space, &s, ERROR));
            cr_expect(s.way == EBM_CONDITIONALS_CHANGES && s.degree == 3 && !s.couplings, "%s", s.text);
            ebm_model_free(model);
        }
}

/* Change statistics that are those of labels 0 and 1, in a space of −1 and 1. */
Test(sweeps, change_statistics_of_another_energy_are_refused)
{
    ebm_model *model = changes_model(&network, NULL, GIBBS_FLOAT64, 1);
    double *x = random_states(&quad_spaces[1], ROWS, DYADS, 1), after[ROWS * DYADS];
    ebm_chains *chains = chains_at(model, (ebm_chain_options){.space = space_of(&quad_spaces[1])}, x, ROWS);
    FAILS(GIBBS_ARGUMENT, "by its change statistics E rises by", ebm_chains_run(chains, 1, 1, 0, FAIL));
    ebm_chains_get(chains, after);
    cr_expect_arr_eq(x, after, sizeof after);
    ebm_chains_free(chains);
    ebm_model_free(model);
    free(x);
}

/* ---- The draws ---- */

static const ebm_order orders[] = {EBM_ORDER_IN_TURN, EBM_ORDER_RANDOM, EBM_ORDER_COLOURS};

/* Chains of 130 rows (several blocks) at a model of 300 columns, after `steps` steps in runs of `run`. */
static double *ends(ebm_model *model, ebm_chain_options o, const double *x, int64_t rows, int64_t steps, int64_t run)
{
    int64_t dim = ebm_model_dim(model);
    double *end = calloc((size_t)(rows * dim), sizeof *end);
    ebm_chains *chains = chains_at(model, o, x, rows);
    for (int64_t k = 0; k < steps; k += run) OK(ebm_chains_run(chains, run, 5, 0, ERROR));
    cr_expect_eq(ebm_chains_acceptance(chains), 1);
    ebm_chains_get(chains, end);
    ebm_chains_free(chains);
    return end;
}

static void expect_same_draws(make *f, ebm_mrf_spec spec, int labels)
{
    enum { CHAINS = 130, STEPS = 12 };
    const columns s = {{0, 1}, labels};
    ebm_model *model = shipped(f, spec, GIBBS_FLOAT32);
    int64_t dim = ebm_model_dim(model);
    size_t bytes = (size_t)(CHAINS * dim) * sizeof(double);
    double *x = random_states(&s, CHAINS, dim, 2);
    for (int k = 0; k < COUNT(orders); k++) {
        ebm_chain_options o = {.space = space_of(&s), .order = orders[k], .threads = 1};
        double *one = ends(model, o, x, CHAINS, STEPS, STEPS), *parts = ends(model, o, x, CHAINS, STEPS, 3);
        double *fewer = ends(model, o, x, 3, STEPS, STEPS);
        o.threads = 3;
        double *three = ends(model, o, x, CHAINS, STEPS, STEPS);
        cr_expect(!memcmp(one, three, bytes), "order %d: threads matter", k);
        cr_expect(!memcmp(one, parts, bytes), "order %d: where a run ends matters", k);
        cr_expect(!memcmp(one, fewer, 3 * (size_t)dim * sizeof(double)), "order %d: other chains matter", k);
        cr_expect(memcmp(one, x, bytes), "order %d: nothing moved", k);
        free(one), free(parts), free(fewer), free(three);
    }
    free(x);
    ebm_model_free(model);
}

Test(sweeps, draws_are_functions_of_seed_step_and_row)
{
    enum { N = 1300 }; /* a sweep draws for 1024 at once */
    int64_t *ring = calloc(2 * N, sizeof *ring);
    for (int k = 0; k < N; k++) ring[2 * k] = k, ring[2 * k + 1] = (k + 1) % N;
    ebm_mrf_spec spec = {.space = {.variables = N}, .edges = ring, .edge_count = N};
    expect_same_draws(ebm_model_ising, spec, 0);
    spec.space = (ebm_space){.variables = 100, .labels = 3, .one_hot = 1};
    spec.edges = NULL, spec.edge_count = 0;
    expect_same_draws(ebm_model_mrf, spec, 3);
    free(ring);
}

/* ---- Colours ---- */

static int conflicts(const ebm_couplings *c, const int32_t *order, const int64_t *end, int64_t classes, int64_t width)
{
    int64_t n = c->dim / width, *class_of = calloc((size_t)n, sizeof *class_of), first = 0;
    int found = 0;
    for (int64_t k = 0; k < classes; first = end[k++])
        for (int64_t t = first; t < end[k]; t++) class_of[order[t]] = k + 1;
    for (int64_t v = 0; v < n; v++) {
        found += !class_of[v]; /* each variable is in one */
        for (int64_t p = c->start[v * width]; p < c->start[(v + 1) * width]; p++)
            found += class_of[v] == class_of[c->column[p] / width];
    }
    free(class_of);
    return found;
}

Test(sweeps, no_colour_has_an_edge_inside)
{
    enum { N = 151 };
    int64_t ring[2 * N];
    for (int k = 0; k < N; k++) ring[2 * k] = (k + 1) % N, ring[2 * k + 1] = k;
    for (int labels = 1; labels <= 3; labels += 2)
        for (int tied = 0; tied < 2; tied++) {
            ebm_mrf_spec spec = {.space = {.variables = N, .labels = labels > 1 ? labels : 0, .one_hot = labels > 1},
                                 .edges = ring, .edge_count = N};
            ebm_model *model = shipped(labels == 1 ? ebm_model_ising : tied ? ebm_model_potts : ebm_model_mrf, spec,
                                       GIBBS_FLOAT64);
            ebm_couplings c = {.dtype = GIBBS_FLOAT64, .dim = ebm_model_dim(model)};
            model->kind->couplings(model->theta, model->context, &c);
            cr_assert_lt(c.width, c.dim);
            c.start = calloc((size_t)c.dim + 1, sizeof *c.start);
            c.column = calloc((size_t)c.pieces, sizeof *c.column);
            c.linear = calloc((size_t)c.dim, sizeof(double));
            c.J = calloc((size_t)(c.pieces * c.width), sizeof(double));
            model->kind->couplings(model->theta, model->context, &c);
            cr_assert_eq(c.start[c.dim], c.pieces);
            int32_t order[N];
            int64_t end[N], classes = ebm_colours(&c, labels, &model->alloc, order, end);
            cr_expect_eq(classes, 3); /* a ring of odd length */
            cr_expect_eq(end[classes - 1], N);
            cr_expect_eq(conflicts(&c, order, end, classes, labels), 0);
            end[0] = end[1]; /* the control: two classes as one */
            cr_expect_gt(conflicts(&c, order, end, classes, labels), 0);
            free(c.start), free(c.column), free(c.linear), free(c.J);
            ebm_model_free(model);
        }
}

/* ---- What is said of it ---- */

Test(sweeps, structure_in_words)
{
    ebm_structure s;
    const struct {
        quad q;
        ebm_conditionals way;
        const char *part;
    } cases[] = {{{2, 1, 0}, EBM_CONDITIONALS_ENERGIES, "no polynomial"},
                 {{2, 0, 0}, EBM_CONDITIONALS_TAPE, "degree 2"},
                 {{1, 0, 0}, EBM_CONDITIONALS_TAPE, "degree 1"}};
    for (int k = 0; k < COUNT(cases); k++) {
        ebm_model *model = quad_model(&cases[k].q, NULL, GIBBS_FLOAT64);
        OK(ebm_model_structure(model, NULL, &s, ERROR));
        cr_expect_eq(s.way, cases[k].way);
        cr_expect_eq(s.degree, cases[k].q.twin ? -1 : cases[k].q.degree);
        cr_expect_eq(s.couplings, cases[k].q.twin ? 0 : QUAD_DIM * QUAD_DIM);
        cr_expect(strstr(s.text, cases[k].part) && strstr(s.text, "6 variables of 2 labels"), "%s", s.text);
        const ebm_space fours = {.labels = 4, .one_hot = 1};
        FAILS(GIBBS_ARGUMENT, "no blocks", ebm_model_structure(model, &fours, &s, FAIL));
        ebm_model_free(model);
    }
    ebm_mrf_spec spec = {.space = {.variables = 4, .labels = 3, .one_hot = 1}};
    ebm_model *model = shipped(ebm_model_mrf, spec, GIBBS_FLOAT32);
    OK(ebm_model_structure(model, &spec.space, &s, ERROR));
    cr_expect(s.way == EBM_CONDITIONALS_COUPLINGS && s.degree == 2 && s.couplings == 144, "%s", s.text);
    ebm_model_free(model);
}

/* ---- Memory ---- */

/* Chains and a loss of change statistics; the model's allocator fails once. */
static gibbs_status use_changes(ebm_model *model, const double *x, gibbs_error *error)
{
    ebm_chains *chains = NULL;
    ebm_objective *o = NULL;
    double value;
    ebm_chain_options options = {.sampler = &ebm_gibbs};
    gibbs_status status = ebm_chains_new(model, &options, &chains, error);
    if (!status) status = ebm_chains_start(chains, x, ROWS, error);
    if (!status) status = ebm_chains_run(chains, 2, 1, 0, error);
    if (!status) status = ebm_objective_new(model, &ebm_loss_pseudo_likelihood, NULL, &o, error);
    for (int rows = 1; rows <= ROWS && !status; rows += ROWS - 1) status = ebm_objective_bind(o, x, rows, error);
    if (!status) status = ebm_objective_evaluate(o, &value, error);
    ebm_objective_free(o);
    ebm_chains_free(chains);
    return status;
}

Test(sweeps, every_allocation_may_fail)
{
    double *x = random_states(&quad_spaces[0], ROWS, DYADS, 1);
    gibbs_status status = GIBBS_MEMORY;
    for (int64_t at = 1; status; at++) {
        counting_alloc count = {0};
        gibbs_allocator a = counting_allocator(&count);
        gibbs_error error = {.status = GIBBS_OK};
        const ebm_parameter p[] = {{"edges", {0, {0}}, EBM_INIT_CONSTANT, 0}, {"triangles", {0, {0}}, EBM_INIT_CONSTANT, 0}};
        ebm_model_spec spec = {.dim = DYADS, .parameters = p, .parameter_count = 2, .kind = &network, .allocator = &a};
        ebm_model *model;
        OK(ebm_model_new(&spec, &model, ERROR));
        count.calls = 0, count.fail_at = at;
        status = use_changes(model, x, &error);
        ebm_model_free(model);
        cr_assert_eq(status, count.failures ? GIBBS_MEMORY : GIBBS_OK, "allocation %d: %s", (int)at, error.message);
        cr_assert_eq(count.live, 0, "allocation %d leaks", (int)at);
    }
    free(x);
}

/* ---- Parameters that change, and that are no numbers ---- */

Test(sweeps, follow_the_parameters)
{
    const quad q = {2, 0, 0};
    ebm_model *model = quad_model(&q, NULL, GIBBS_FLOAT64);
    double *x = random_states(&quad_spaces[1], ROWS, QUAD_DIM, 1), plain[ROWS];
    const void *energy;
    ebm_chains *chains = chains_at(model, (ebm_chain_options){.space = space_of(&quad_spaces[1])}, x, ROWS);
    for (int k = 0; k < 3; k++) {
        ((double *)ebm_model_theta(model))[3 + k] += 1;
        OK(ebm_chains_evaluate(chains, &energy, NULL, ERROR));
        OK(ebm_model_energy(model, x, ROWS, plain, NULL, ERROR));
        for (int r = 0; r < ROWS; r++) expect_close(((const double *)energy)[r], plain[r], 1e-13, "energy");
    }
    ((double *)ebm_model_theta(model))[1] = NAN;
    FAILS(GIBBS_NUMERIC, "couplings of column 1", ebm_chains_run(chains, 1, 1, 0, FAIL));
    ((double *)ebm_model_theta(model))[1] = 1;
    OK(ebm_chains_run(chains, 1, 1, 0, ERROR));
    ebm_chains_free(chains);
    ebm_model_free(model);
    free(x);
}
