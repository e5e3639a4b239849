/* geyer_worth.c — the audit of three proposals, and fits by each on data of their own. */
#include "geyer_worth.h"

#include <math.h>
#include <stdio.h>

enum { ROWS = 500, POINTS = 1000, AUDITED = 5000, PROPOSALS = 3 };
static const double thetas[] = {1, 2, 3, 4};
static const char *const names[] = {"q1", "q2", "q1 following"};

/* How many intervals of fits that start at the truth hold it. A fit that fails holds nothing. */
static gibbs_status cover(const settings *set, ebm_model *model, const ebm_proposal *q, double truth, int fits,
                          double *share, gibbs_error *error)
{
    const double mean = 0;
    double x[ROWS], found;
    ebm_data data = {0};
    ebm_fit_options fit = {0};
    ebm_proposal *law;
    int held = 0;
    gibbs_status status = ebm_proposal_gaussian_diagonal(1, &mean, &truth, NULL, &law, error);
    data.rows = ROWS, data.cols = 1, data.x = x;
    fit.loss = &ebm_loss_ml_is, fit.lbfgs = 1, fit.threads = (int)set->common.threads;
    fit.loss_options.proposal = q, fit.loss_options.noise_ratio = (double)POINTS / ROWS;
    for (int k = 0; !status && k < fits; k++) {
        ebm_uncertainty u;
        fit.seed = (uint64_t)set->common.seed + (uint64_t)k;
        status = ebm_proposal_sample(law, ROWS, fit.seed, UINT64_MAX, NULL, x, NULL, error);
        ebm_model_set(model, &truth);
        if (status || ebm_fit(model, &data, &fit, NULL, NULL)) continue;
        if (ebm_standard_errors(model, &data, &fit, &u, NULL)) continue;
        ebm_model_get(model, &found);
        held += fabs(found - truth) < 1.959964 * u.standard_error[0];
        ebm_uncertainty_free(&u);
    }
    ebm_proposal_free(law);
    *share = (double)held / fits;
    return status;
}

static gibbs_status line(const settings *set, ebm_model *model, const ebm_proposal *q, const char *name, double theta,
                         int fits, report *list, gibbs_error *error)
{
    ebm_audit_options o = {0};
    ebm_audit audit;
    double share = NAN;
    o.rows = AUDITED, o.seed = (uint64_t)set->common.seed;
    ebm_model_set(model, &theta);
    gibbs_status status = ebm_audit_proposal(model, q, &o, &audit, error);
    if (status) return status;
    const ebm_importance w = audit.row[0].weights;
    status = cover(set, model, q, theta, fits, &share, error);
    report *row = report_object(list, NULL);
    report_text(row, "proposal", name);
    report_number(row, "theta", theta);
    report_number(row, "ess_share", w.ess / AUDITED);
    report_number(row, "pareto_k", w.k);
    report_number(row, "log_z_error", w.standard_error);
    report_number(row, "coverage", share);
    report_text(row, "verdict", audit.row[0].sentence);
    if (!set->common.quiet)
        printf("%-14s %5.3g %7.3f %8.2f %9.2g %9.3f  %s\n", name, theta, w.ess / AUDITED, w.k, w.standard_error, share,
               audit.row[0].verdict == EBM_AUDIT_NO_VARIANCE ? audit.row[0].sentence : "");
    ebm_audit_free(&audit);
    return status;
}

gibbs_status geyer_worth(const settings *set, ebm_model *model, const ebm_proposal *wide, int fits, report *list,
                         gibbs_error *error)
{
    const double mean = 2, sd = 2, start = 2.5;
    ebm_following_options o = {0};
    ebm_proposal *narrow = NULL, *following = NULL;
    o.widen = 1.5;
    ebm_model_set(model, &start);
    gibbs_status status = ebm_proposal_gaussian_diagonal(1, &mean, &sd, NULL, &narrow, error);
    if (!status) status = ebm_proposal_following(model, narrow, &o, NULL, &following, error);
    const ebm_proposal *const q[PROPOSALS] = {narrow, wide, following};
    if (!set->common.quiet)
        printf("\nproposal       theta   ESS/M  Pareto k  log Z err  coverage of 95 %% in %d fits\n", fits);
    for (int k = 0; k < PROPOSALS; k++)
        for (size_t i = 0; !status && i < sizeof thetas / sizeof *thetas; i++)
            status = line(set, model, q[k], names[k], thetas[i], fits, list, error);
    ebm_proposal_free(following);
    ebm_proposal_free(narrow);
    return status;
}
