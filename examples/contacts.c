/* contacts — which sites of a protein touch, from an alignment of its relatives (Morcos et al. 2011; Ekeberg et al.
 * 2013).
 *
 * E(x) = −Σ P_ij[xᵢ, xⱼ] − Σ uᵢ[xᵢ] over all pairs of sites, 20 amino acids and the gap, fitted by pseudo-likelihood
 * to rows that are weighted at 80 % identity, with a normal prior: λ_J Σ P² and λ_h Σ u² beside the sum over the rows,
 * as in CCMpred (Seemayer et al. 2014). A pair's score is the Frobenius norm of its table (sums over rows and columns
 * taken away, gaps left out), less what its two sites have on average (APC: Dunn et al. 2008). And E of every single
 * mutant of the first sequence, less its own: low is good.
 *
 * Reading order: main, run, fit, score. */
#include "common/contacts_tell.h"
#include "common/failure.h"
#include "common/fitting.h"

#include <gibbs/ebm.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- Rows ------------------------------------------------------------------------------------------------------- */

/* One-hot, with weights. */
static gibbs_status rows_of(const alignment *a, ebm_data *data, gibbs_error *error)
{
    int64_t dim = a->sites * RESIDUES;
    double *x = calloc((size_t)(a->rows * dim), sizeof *x);
    if (!x) return fail(error, GIBBS_MEMORY, "the rows: out of memory");
    for (int64_t k = 0; k < a->rows * a->sites; k++) x[k * RESIDUES + a->label[k]] = 1;
    gibbs_status status = ebm_data_from(x, a->rows, dim, NULL, data, error);
    free(x);
    return status ? status : ebm_data_weigh(data, a->weight, EBM_WEIGHT_SAMPLING, error);
}

/* ---- Fitting ---------------------------------------------------------------------------------------------------- */

/* U(θ), of which a fit takes U/N: N/N_eff times the penalties of a sum over effective rows. */
static ad_var prior(const ad_var *theta, void *context)
{
    const double *penalty = context;
    return ad_add(ad_scale(ad_sum(ad_square(theta[0])), penalty[0]), ad_scale(ad_sum(ad_square(theta[1])), penalty[1]));
}

static gibbs_status fit(const settings *set, const alignment *a, ebm_model *model, found *f, gibbs_error *error)
{
    double share = (double)a->rows / a->effective, penalty[] = {set->coupling_penalty * (double)(a->sites - 1) * share,
                                                                set->field_penalty * share};
    ebm_fit_options o = {.loss = &ebm_loss_pseudo_likelihood, .lbfgs = 1, .steps = (int64_t)set->steps,
                         .threads = (int)set->common.threads};
    o.loss_options.space = (ebm_space){.labels = RESIDUES, .one_hot = 1};
    ebm_fit_report r = {0};
    ebm_data data = {0};
    gibbs_status status = rows_of(a, &data, error);
    if (!status) status = ebm_model_prior(model, prior, penalty, error);
    if (!status) status = fit_model(&set->common, NULL, model, &data, &o, &r, error);
    if (!status) f->loss = r.loss, f->seconds = r.seconds, f->steps = r.steps, f->converged = r.converged;
    ebm_fit_report_free(&r);
    ebm_data_free(&data);
    return status ? status : ebm_model_prior(model, NULL, NULL, error);
}

/* ---- Scores ----------------------------------------------------------------------------------------------------- */

/* The norm of a table without its rows' and columns' means, over the amino acids. */
static double norm_of(const float *table)
{
    double row[RESIDUES] = {0}, column[RESIDUES] = {0}, all = 0, sum = 0;
    for (int k = 0; k < RESIDUES; k++)
        for (int l = 0; l < RESIDUES; l++) {
            double v = (double)table[k * RESIDUES + l];
            row[k] += v / RESIDUES, column[l] += v / RESIDUES, all += v / (RESIDUES * RESIDUES);
        }
    for (int k = 1; k < RESIDUES; k++)
        for (int l = 1; l < RESIDUES; l++) sum += pow((double)table[k * RESIDUES + l] - row[k] - column[l] + all, 2);
    return sqrt(sum);
}

static int higher(const void *a, const void *b)
{
    double x = ((const contact *)a)->score, y = ((const contact *)b)->score;
    return (x < y) - (x > y);
}

/* Norms of the tables, which follow one another as (0, 1), (0, 2), …; each less (its sites' means)/(the mean). */
static gibbs_status score(const alignment *a, ebm_model *model, found *f, gibbs_error *error)
{
    const float *table = ebm_model_theta(model);
    double *site = calloc((size_t)a->sites, sizeof *site), all = 0;
    f->pairs = a->sites * (a->sites - 1) / 2;
    f->pair = malloc((size_t)f->pairs * sizeof *f->pair);
    if (!site || !f->pair) {
        free(site);
        return fail(error, GIBBS_MEMORY, "the pairs: out of memory");
    }
    contact *c = f->pair;
    for (int64_t i = 0; i < a->sites; i++)
        for (int64_t j = i + 1; j < a->sites; j++, c++, table += RESIDUES * RESIDUES) {
            *c = (contact){i, j, norm_of(table)};
            site[i] += c->score / (double)(a->sites - 1), site[j] += c->score / (double)(a->sites - 1);
            all += c->score / (double)f->pairs;
        }
    for (int64_t k = 0; k < f->pairs && all > 0; k++)
        f->pair[k].score -= site[f->pair[k].i] * site[f->pair[k].j] / all;
    qsort(f->pair, (size_t)f->pairs, sizeof *f->pair, higher);
    free(site);
    return GIBBS_OK;
}

/* E of the first sequence with each label at each site, less its own. */
static gibbs_status mutate(const alignment *a, ebm_model *model, found *f, gibbs_error *error)
{
    int64_t dim = a->sites * RESIDUES;
    double *x = calloc((size_t)(RESIDUES * dim), sizeof *x);
    gibbs_status status = GIBBS_OK;
    f->mutant = malloc((size_t)dim * sizeof *f->mutant);
    if (!x || !f->mutant) status = fail(error, GIBBS_MEMORY, "the mutants: out of memory");
    for (int64_t i = 0; i < a->sites && !status; i++) {
        double *E = f->mutant + i * RESIDUES, own;
        for (int k = 0; k < RESIDUES; k++)
            for (int64_t c = 0; c < dim; c++) {
                int64_t site = c / RESIDUES;
                x[k * dim + c] = c % RESIDUES == (site == i ? k : a->label[site]);
            }
        status = ebm_model_energy(model, x, RESIDUES, E, NULL, error);
        own = E[(int)a->label[i]];
        for (int k = 0; k < RESIDUES; k++) E[k] -= own;
    }
    free(x);
    return status;
}

/* ---- Running ---------------------------------------------------------------------------------------------------- */

static gibbs_status run(const settings *set, report *root, gibbs_error *error)
{
    alignment a = {0};
    found f = {0};
    ebm_model *model = NULL;
    gibbs_status status = report_prepare(&set->common, error);
    if (!status) status = alignment_read(set->data, &a, error);
    ebm_mrf_spec spec = {.space = {.variables = a.sites, .labels = RESIDUES, .one_hot = 1}, .dtype = GIBBS_FLOAT32};
    if (!status) status = ebm_model_mrf(&spec, &model, error);
    if (!status) status = fit(set, &a, model, &f, error);
    if (!status) status = score(&a, model, &f, error);
    if (!status) status = mutate(&a, model, &f, error);
    if (!status) contacts_tell(set, &a, &f, root);
    if (!status) status = contacts_save(set, &a, &f, error);
    if (!status && !set->common.quiet) printf("Picture and data: %s/contacts*\n", set->common.out);
    ebm_model_free(model);
    alignment_free(&a);
    free(f.pair);
    free(f.mutant);
    return status;
}

int main(int argc, char **argv)
{
    settings set = {"hairpin.fasta", 0.2, 0.01, 100, 4, 12, {.seed = 1, .threads = 1, .out = "out"}};
    gibbs_error error = {0};
    const option_entry table[] = {
        {"data", "FILE", "An alignment: FASTA, Stockholm, A3M, or a sequence a line", &set.data, NULL, NULL},
        {"couplings", "λ", "Penalty λ(L − 1) Σ P² beside the sum over L sites' rows", &set.coupling_penalty,
         &option_not_negative, NULL},
        {"fields", "λ", "Penalty λ Σ u²", &set.field_penalty, &option_not_negative, NULL},
        {"steps", "N", "Of L-BFGS, at most", &set.steps, &option_count, NULL},
        {"apart", "N", "Sites of a pair that is told", &set.apart, &option_count, NULL},
        {"top", "N", "Pairs that are told", &set.top, &option_count, NULL},
    };
    options_read(argc, argv, "Which sites of a protein touch, from an alignment: a Potts model by pseudo-likelihood.",
                 table, sizeof table / sizeof *table, &set.common);
    report *root = report_new();
    gibbs_status status = run(&set, root, &error);
    return report_end(root, status, set.common.json, &error);
}
