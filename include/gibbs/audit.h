/* gibbs/audit.h — what an estimate is worth: the proposal of importance sampling, looked at where a fit has been. */
#ifndef GIBBS_PUBLIC_AUDIT_H
#define GIBBS_PUBLIC_AUDIT_H

#include <gibbs/fit.h>

GIBBS_API_BEGIN

/* ---- The proposal (S0 §3.2, §7) ---- */

typedef enum ebm_audit_verdict {
    EBM_AUDIT_GOOD,        /* log Ẑ is as accurate as was asked */
    EBM_AUDIT_FEW,         /* the weights have a variance, and more of them are needed */
    EBM_AUDIT_NO_VARIANCE, /* k̂ > ½ */
    EBM_AUDIT_NO_ESTIMATE  /* no weight but 0, or one that is no number */
} ebm_audit_verdict;

/* Zeroed: the defaults. */
typedef struct ebm_audit_options {
    int64_t rows;                 /* M, 100 at least; 0: 10000. Of a fit: ν·N */
    double accuracy;              /* the standard error of log Ẑ that is wanted; 0: 0.01 */
    uint64_t seed;
    const double *standard_error; /* one for each number of θ, as of ebm_standard_errors (NaN and 0: none): θ̂ ± 2 of
                                     them are looked at, one number at a time; NULL: only θ̂ */
    const double *path;           /* path_count × size: parameters that a fit passed on its way; or NULL */
    int64_t path_count;
} ebm_audit_options;

/* One θ: a row of a table. */
typedef struct ebm_audit_row {
    char where[64];         /* «the estimate», «theta + 2 se», «point 3 of the path» */
    const double *theta;    /* the parameters */
    ebm_importance weights; /* of M draws */
    ebm_audit_verdict verdict;
    /* What was tried and helps, NaN where it does not or was not tried: */
    double widen;           /* the least of 1.1, 1.25, 1.4, 1.6, 2, 2.5, 3.2, 4, 6, 8 times as wide with k̂ ≤ 0.4 */
    double follow;          /* q that follows θ from θ̂, 1, 1.5, 2 or 3 times as wide, with k̂ ≤ 0.4 */
    double points;          /* M for the accuracy (with smoothed weights where k̂ > ½), at most 100 times what it was */
    char sentence[320];
} ebm_audit_row;

typedef struct ebm_audit {
    int64_t size, count; /* numbers of θ; rows: the estimate, then ± 2 se, then the path */
    int64_t worst;       /* the row with the worst verdict, and of those with the largest k̂ or standard error */
    ebm_audit_row *row;
    gibbs_allocator allocator;
} ebm_audit;

/* Looks at the weights exp(−E)/q at the model's present parameters θ̂ and at the others that the options name; where
 * they are bad it tries what would mend them, and says what did. All is computed in double; the model is left as it is.
 * Free the result with ebm_audit_free; it is zeroed on error. Errors: ARGUMENT (an option; a conditional model), SHAPE
 * (of q), what recording reports, MEMORY. Weights that are no numbers are a verdict. */
gibbs_status ebm_audit_proposal(const ebm_model *model, const ebm_proposal *q, const ebm_audit_options *options,
                                ebm_audit *audit, gibbs_error *error);
void ebm_audit_free(ebm_audit *audit);

/* ---- Ratios of Z that nobody knows: likelihood ratios, profiles ---- */

typedef struct ebm_bridge_estimate {
    double log_ratio;      /* log Z₁/Z₀ */
    double standard_error; /* of independent draws; of chains, give each as many steps apart as it takes to forget */
    double overlap;        /* what the densities have in common, 1 where they are equal; below 0.05 put some between */
} ebm_bridge_estimate;

/* Bridge sampling (Meng & Wong 1996; Bennett 1976): log Z₁/Z₀ of φ₀ = exp(−E₀) and φ₁ = exp(−E₁) from l = E₀ − E₁ at
 * rows0 draws of p₀ and at rows1 draws of p₁. Errors: ARGUMENT (fewer than 2 draws), NUMERIC (an l that is NaN, or a
 * draw that its own density does not have; no overlap), MEMORY. */
gibbs_status ebm_bridge_sampling(const double *l0, int64_t rows0, const double *l1, int64_t rows1,
                                 const gibbs_allocator *allocator, ebm_bridge_estimate *result, gibbs_error *error);

/* Zeroed: the defaults. */
typedef struct ebm_ratio_options {
    const ebm_draw_options *draw; /* how the model is drawn from, but the seed; NULL: the defaults */
    int64_t rows;                 /* draws at each point of the way; 0: 400 */
    int64_t points;               /* parts of the way, at most 1000; 0: 8. A multiple of 4, for Simpson's rule */
    uint64_t seed;
} ebm_ratio_options;

typedef struct ebm_ratio {
    double bridge, bridge_error; /* log Z(θ₁)/Z(θ₀), the sum of bridges between neighbours, and its standard error */
    double path, path_error;     /* the same by integrating −E[dE/dt] (S0 §5, remark c); errors of draws and rule */
    double loss;                 /* (J(θ₁) − J(θ₀))/N of the table, by bridges: twice N of it is a likelihood ratio */
    double overlap;              /* the least of neighbours; below 0.05 take more points */
} ebm_ratio;

/* log Z(θ₁)/Z(θ₀) of one energy along the straight way from `from` to `to` (numbers of θ each), by draws of the model
 * at its points and nothing else: chains by ebm_model_draw, started at rows of `data`, until they are mixed. The
 * model's own parameters are neither read nor changed. Two estimates of the same draws by different means: where they
 * differ by more than their errors, one of them is not to be trusted. Errors: ARGUMENT (an option, no parameters, a
 * conditional model), what ebm_model_draw reports (NUMERIC: chains that do not mix), NUMERIC (no overlap), MEMORY. */
gibbs_status ebm_log_z_ratio(const ebm_model *model, const double *from, const double *to, const ebm_data *data,
                             const ebm_ratio_options *options, ebm_ratio *result, gibbs_error *error);

/* ---- One table for a fit ---- */

typedef enum ebm_summary_format { EBM_SUMMARY_TEXT, EBM_SUMMARY_CSV, EBM_SUMMARY_JSON } ebm_summary_format;

/* Zeroed, a table of the parameters alone. */
typedef struct ebm_summary_options {
    ebm_summary_format format;
    double level;                       /* of the intervals θ̂ ± z·se (Wald), below 1; 0: 0.95 */
    const ebm_fit_options *fit;         /* what was fitted, */
    const ebm_fit_report *report;       /* how it ended, */
    const ebm_uncertainty *uncertainty; /* and what it is worth; any of them may be NULL */
    const ebm_data *data;               /* whose rows count in AIC = 2p + 2NJ; or NULL */
} ebm_summary_options;

/* The parameters, a line for each number of θ, with standard errors and intervals, then what is known of the fit: loss,
 * convergence, log Z, the weights, and of maximum likelihood without a prior the log-likelihood and AIC, with what the
 * artificial points leave unknown of it; and its notes. CSV has the parameters only; JSON has null for what is not
 * known. *text is made by the model's allocator and freed by ebm_summary_free (options NULL: the defaults). Errors:
 * ARGUMENT (the level, the format), MEMORY. */
gibbs_status ebm_summary(const ebm_model *model, const ebm_summary_options *options, char **text, gibbs_error *error);
void ebm_summary_free(const ebm_model *model, char *text);

GIBBS_API_END
#endif
