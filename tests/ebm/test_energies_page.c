/* The energies of docs/energies.md, compiled from the page: E is finite on data of the kind that it says, each loss
 * that it names gives a finite value and gradient, and those with a ! are refused for want of smoothness. */
#include "objective_helpers.h"

#include <stdio.h>

enum { PAGE_PARAMETERS = 6, ROWS = 60 };

typedef struct page_energy {
    const char *name;
    ebm_energy_fn energy;
    int64_t dim;
    const char *kind;
    ebm_parameter parameter[PAGE_PARAMETERS];
    int parameters;
    const char *losses; /* words between blanks */
} page_energy;

#include "energies_page.inc.c" /* made by tests/energies.awk */

static const struct named_loss {
    const char *name;
    const ebm_loss *loss;
} named_losses[] = {
#define NAMED(name) {#name, &ebm_loss_##name}
    NAMED(score_matching), NAMED(nce), NAMED(ml_is), NAMED(conditional_nce), NAMED(ranking_nce), NAMED(cd),
    NAMED(sliced), NAMED(denoising), NAMED(ksd_imq), NAMED(weighted_score_matching), NAMED(pseudo_likelihood),
    NAMED(ratio_matching),
    NAMED(conditional_ml), NAMED(improved_cd)
};

/* ---- Data of each kind ---- */

static int one_hot_of(const page_energy *p)
{
    const char *at = strstr(p->kind, "one-hot ");
    return at ? atoi(at + 8) : 0;
}

static int given_of(const page_energy *p) { return strncmp(p->kind, "given ", 6) ? 0 : atoi(p->kind + 6); }

static void fill(const page_energy *p, double *x)
{
    int given = given_of(p), labels = one_hot_of(p);
    double *normal = normals(ROWS * p->dim, 0, 1, 7);
    for (int64_t i = 0; i < ROWS * p->dim; i++) {
        int64_t column = i % p->dim, label = (int64_t)(i / p->dim + (column - given) / (labels ? labels : 1)) % 3;
        x[i] = normal[i];
        if (!strcmp(p->kind, "spins")) x[i] = normal[i] < 0 ? -1 : 1;
        else if (!strcmp(p->kind, "angles")) x[i] = 3.14 * tanh(normal[i]);
        else if (!strcmp(p->kind, "positive")) x[i] = exp(normal[i]);
        else if (labels && column >= given) x[i] = (column - given) % labels == label;
        else cr_assert(labels || strstr(p->kind, "real"), "«%s» is no kind of data", p->kind);
    }
    free(normal);
}

/* As the page says: where x does not run over all of the line, noise on the same set. */
static ebm_proposal *proposal_for(const page_energy *p, const ebm_data *data)
{
    ebm_proposal *q;
    const double low[] = {-3.15, -3.15}, high[] = {3.15, 3.15}, zero = 1e-9, most = 30;
    if (!strcmp(p->kind, "angles")) OK(ebm_proposal_uniform(p->dim, low, high, NULL, &q, ERROR));
    else if (!strcmp(p->kind, "positive")) OK(ebm_proposal_uniform(1, &zero, &most, NULL, &q, ERROR));
    else if (given_of(p)) OK(ebm_proposal_regression_fit(data, given_of(p), 5, 1.5, NULL, &q, ERROR));
    else OK(ebm_proposal_gaussian_fit(data, 0, 1.5, NULL, &q, ERROR));
    return q;
}

static ebm_model *model_for(const page_energy *p)
{
    static const double unit[] = {1, 0, 0, 0, 1, 0, 0, 0, 1};
    ebm_model *model;
    ebm_model_spec spec = {0};
    spec.dim = p->dim, spec.parameters = p->parameter, spec.parameter_count = p->parameters, spec.energy = p->energy;
    spec.seed = 3;
    spec.given = given_of(p);
    if (spec.given && one_hot_of(p)) spec.labels = unit, spec.label_count = 3;
    OK(ebm_model_new(&spec, &model, ERROR));
    return model;
}

/* ---- What the page says of each ---- */

static bool all_finite(const double *x, int64_t n)
{
    while (n > 0 && isfinite(x[n - 1])) n--;
    return n == 0;
}

static void expect_records(const page_energy *p, ebm_model *model, const struct named_loss *named, const ebm_data *data,
                           const ebm_proposal *q)
{
    ebm_objective *o;
    double value;
    ebm_loss_options options = {0};
    options.proposal = q, options.noise_sd = 0.3;
    static const double spins[] = {-1, 1};
    if (!strcmp(p->kind, "spins")) options.space.values = spins;
    if (!given_of(p)) options.space.labels = one_hot_of(p), options.space.one_hot = one_hot_of(p) > 0;
    OK(ebm_objective_new(model, named->loss, &options, &o, ERROR));
    OK(ebm_objective_bind(o, data->x, data->rows, ERROR));
    OK(ebm_objective_refresh(o, 1, 0, ERROR));
    OK(ebm_objective_evaluate(o, &value, ERROR));
    cr_expect(isfinite(value) && all_finite(ebm_objective_gradient(o), ebm_objective_size(o)), "%s by %s: %g", p->name,
              named->name, value);
    ebm_objective_free(o);
}

static void expect_as_said(const page_energy *p)
{
    double x[ROWS * 64], E[ROWS];
    fill(p, x);
    ebm_data data = table(x, ROWS, p->dim);
    ebm_model *model = model_for(p);
    ebm_proposal *q = proposal_for(p, &data);
    int said = 0, found = 0;
    for (const char *at = p->losses; *at; at++) said += at[0] == ' ' && at[1];
    OK(ebm_model_energy(model, x, ROWS, E, NULL, ERROR));
    cr_expect(all_finite(E, ROWS), "%s: E is not finite", p->name);
    for (int k = 0; k < COUNT(named_losses); k++) {
        char word[64];
        ebm_objective *o;
        snprintf(word, sizeof word, " %s ", named_losses[k].name);
        if (strstr(p->losses, word)) expect_records(p, model, &named_losses[k], &data, q), found++;
        snprintf(word, sizeof word, " !%s ", named_losses[k].name);
        if (!strstr(p->losses, word)) continue;
        FAILS(GIBBS_SMOOTH, "; or a loss without derivatives by x",
              ebm_objective_new(model, named_losses[k].loss, NULL, &o, FAIL));
        found++;
    }
    cr_expect(said == found && said > 0, "%s: «%s» names a loss that the test does not know", p->name, p->losses);
    ebm_proposal_free(q);
    ebm_model_free(model);
}

Test(energies_page, each_does_what_the_page_says)
{
    cr_assert(COUNT(energies_of_the_page) >= 10);
    for (int k = 0; k < COUNT(energies_of_the_page); k++) expect_as_said(&energies_of_the_page[k]);
}

static const page_energy *on_the_page(const char *name)
{
    for (int k = 0; k < COUNT(energies_of_the_page); k++)
        if (!strcmp(energies_of_the_page[k].name, name)) return &energies_of_the_page[k];
    cr_assert(false, "«%s» is not on the page", name);
    return NULL;
}

/* Laplace data about ½: each of the losses to which kinks are no matter finds k = 1 and m = ½ in k|x − m|. */
Test(energies_page, what_it_says_of_kinks, .disabled = SANITIZED)
{
    enum { N = 2000 };
    static double x[N];
    uint64_t state = 5;
    for (int i = 0; i < N; i++) {
        double u = sampling_uniform(&state) - 0.5;
        x[i] = 0.5 - (u < 0 ? -1 : 1) * log(1 - 2 * fabs(u));
    }
    ebm_data data = table(x, N, 1);
    static const struct {
        const ebm_loss *loss;
        const ebm_sampler *sampler;
        double step;
    } losses[] = {{&ebm_loss_nce, NULL, 0}, {&ebm_loss_ml_is, NULL, 0}, {&ebm_loss_ranking_nce, NULL, 0},
                  {&ebm_loss_conditional_nce, NULL, 0}, {&ebm_loss_cd, &ebm_random_walk, 1},
                  {&ebm_loss_cd, &ebm_mala, 0.5}};
    for (int k = 0; k < COUNT(losses); k++) {
        ebm_model *model = model_for(on_the_page("kink"));
        ebm_fit_options o = {0};
        o.loss = losses[k].loss, o.steps = 1500, o.rate = 0.01, o.schedule = EBM_SCHEDULE_COSINE;
        o.loss_options.noise_sd = 0.7;
        o.loss_options.copies = 4;
        if (losses[k].sampler) {
            o.loss_options.sampler = losses[k].sampler, o.loss_options.sampler_step = losses[k].step;
            o.loss_options.sampler_steps = 5;
        }
        ebm_model_set(model, (double[]){0.3, 0.1});
        OK(ebm_fit(model, &data, &o, NULL, ERROR));
        double rate = exp(parameter_of(model, "log_k")), m = parameter_of(model, "m");
        cr_expect(fabs(rate - 1) < 0.1 && fabs(m - 0.5) < 0.1, "%s: %g, %g", losses[k].loss->name, rate, m);
        ebm_model_free(model);
    }
}

/* The box that the page gives for angles. */
Test(energies_page, what_it_says_of_periodic_values)
{
    ebm_box box = {{-M_PI, -M_PI}, {M_PI, M_PI}, 200, 1};
    ebm_quadrature z;
    ebm_model *model = model_for(on_the_page("angles"));
    ebm_model_set(model, (double[]){1, 2, 0.3, -1, 0});
    OK(ebm_integrate(model, &box, &z, ERROR));
    double expected = 2 * log(2 * M_PI) + log(1.2660658777520084) + log(2.2795853023360673); /* 2π I₀(1) · 2π I₀(2) */
    cr_expect(fabs(z.log_z - expected) < 1e-12 && z.verdict == EBM_NORMALISABLE, "%.15g, %.15g", z.log_z, expected);
    box.whole_domain = 0;
    OK(ebm_integrate(model, &box, &z, ERROR));
    cr_expect_eq(z.verdict, EBM_NOT_NORMALISABLE);
    ebm_model_free(model);
}
