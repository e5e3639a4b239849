#include "given.h"

#include "denoise.h"

#include <gibbs/extend.h>

#include <stdio.h>
#include <stdlib.h>

enum { MAX_LEAVES = 2 * BENCH_MAX_LAYERS + 6 };

/* The leaves of the graph, and for each a copy of the file's tensor of the same name in the problem's dtype. */
typedef struct given {
    ebm_graph graph;
    ad_plan *plan;
    ad_workspace *workspace;
    ad_var leaf[MAX_LEAVES];
    const char *name[MAX_LEAVES];
    void *copy[MAX_LEAVES];
    int parameters, leaves;
} given;

static ad_var add(given *g, ad_var leaf, const char *name)
{
    g->leaf[g->leaves] = leaf;
    g->name[g->leaves++] = name;
    return leaf;
}

static void add_parameters(given *g, const bench_problem *p, const ebm_loss *loss)
{
    ad_tape *t = g->graph.tape;
    for (int i = 0; i < ebm_model_parameters(p->model); i++) {
        const char *name = ebm_model_parameter_name(p->model, i);
        add(g, ad_parameter(t, name, ebm_model_parameter_shape(p->model, i)), name);
    }
    if (loss->learns_log_z) g->graph.log_z = add(g, ad_parameter(t, "log_z", ad_scalar()), "log_z");
    g->parameters = g->leaves;
}

static ad_var record(given *g, const bench_problem *p, const ebm_loss *loss)
{
    ad_tape *t = g->graph.tape;
    g->graph.model = p->model;
    g->graph.proposal = p->proposal;
    g->graph.theta = g->leaf;
    add_parameters(g, p, loss);
    g->graph.data = ad_axis_new(t, "data");
    g->graph.x = add(g, ad_input(g->graph.data, "x", ad_vec(p->c->dim)), "x");
    if (p->c->method == BENCH_DENOISE) {
        g->graph.y = add(g, ad_input(g->graph.data, "y", ad_vec(p->c->dim)), "y");
        return bench_denoise_record(&g->graph, bench_proposal_sd(p->c));
    }
    if (loss->noise == EBM_NOISE_NONE) return loss->record(&g->graph);
    g->graph.noise = ad_axis_new(t, "noise");
    g->graph.y = add(g, ad_input(g->graph.noise, "y", ad_vec(p->c->dim)), "y");
    if (loss->noise == EBM_NOISE_PROPOSAL)
        g->graph.log_q = add(g, ad_input(g->graph.noise, "log_q", ad_scalar()), "log_q");
    return loss->record(&g->graph);
}

static gibbs_status compile(given *g, const bench_problem *p, const ebm_loss *loss, gibbs_error *error)
{
    ad_var output[MAX_LEAVES + 1];
    output[0] = record(g, p, loss);
    ad_grad(output[0], g->leaf, g->parameters, output + 1);
    gibbs_status status = ad_compile(output, g->parameters + 1, NULL, &g->plan, error);
    return status ? status : ad_workspace_new(g->plan, &g->workspace, error);
}

static gibbs_status bind(given *g, int i, const bench_problem *p, const ebm_tensors *file, gibbs_error *error)
{
    const ebm_tensor *t = ebm_tensors_find(file, g->name[i]);
    int64_t n = t ? ad_shape_count(&t->shape) : 0;
    g->copy[i] = malloc(gibbs_dtype_size(p->dtype) * (size_t)(n + 1));
    if (!t || !g->copy[i]) {
        *error = (gibbs_error){.status = GIBBS_FORMAT};
        snprintf(error->message, sizeof error->message, "no %s in the reference, or no memory for it", g->name[i]);
        return GIBBS_FORMAT;
    }
    for (int64_t k = 0; k < n; k++) {
        double number = ((const double *)t->data)[k];
        if (p->dtype == GIBBS_FLOAT64) ((double *)g->copy[i])[k] = number;
        else ((float *)g->copy[i])[k] = (float)number;
    }
    return ad_bind(g->workspace, g->leaf[i], g->copy[i], error);
}

static gibbs_status run(given *g, const bench_problem *p, const ebm_loss *loss, const ebm_tensors *file,
                        gibbs_error *error)
{
    gibbs_status status = GIBBS_OK;
    for (int i = 0; i < g->leaves && !status; i++) status = bind(g, i, p, file, error);
    if (!status) status = ad_set_rows(g->workspace, g->graph.data, p->c->rows, error);
    if (!status && loss->noise) status = ad_set_rows(g->workspace, g->graph.noise, p->c->rows, error);
    return status ? status : ad_run(g->workspace, &(ad_run_options){.threads = p->threads}, error);
}

static void collect(const given *g, gibbs_dtype dtype, double *value, double *gradient)
{
    *value = ad_result_scalar(g->workspace, 0);
    for (int i = 0; i < g->parameters; i++) {
        ad_shape shape = ad_shape_of(g->leaf[i]);
        const void *from = ad_result(g->workspace, i + 1);
        for (int64_t k = 0; k < ad_shape_count(&shape); k++)
            *gradient++ = dtype == GIBBS_FLOAT64 ? ((const double *)from)[k] : (double)((const float *)from)[k];
    }
}

gibbs_status bench_given_answer(bench_problem *p, const ebm_loss *loss, const ebm_tensors *file, double *value,
                                double *gradient, gibbs_error *error)
{
    given g = {.leaves = 0};
    g.graph.tape = ad_tape_new(p->dtype, NULL);
    *error = (gibbs_error){.status = GIBBS_MEMORY, .message = "bench: out of memory"};
    if (!g.graph.tape) return GIBBS_MEMORY;
    gibbs_status status = compile(&g, p, loss, error);
    if (!status) status = run(&g, p, loss, file, error);
    if (!status) collect(&g, p->dtype, value, gradient);
    ad_workspace_free(g.workspace);
    ad_plan_free(g.plan);
    ad_tape_free(g.graph.tape);
    for (int i = 0; i < g.leaves; i++) free(g.copy[i]);
    return status;
}
