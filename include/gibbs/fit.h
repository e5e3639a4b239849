/* gibbs/fit.h — fitting, and standard errors of what was fitted. */
#ifndef GIBBS_PUBLIC_FIT_H
#define GIBBS_PUBLIC_FIT_H

#include <gibbs/loss.h>
#include <gibbs/optim.h>

GIBBS_API_BEGIN

/* ---- Fitting ---- */

/* What a callback sees after a step. Return non-zero from it to stop with status STOPPED; the parameters stay. */
typedef struct ebm_progress {
    int64_t step, steps;
    double loss, gradient_norm, rate, validation, health; /* NaN where unknown at this step */
} ebm_progress;
typedef int (*ebm_progress_fn)(void *context, const ebm_progress *progress);

/* Zeroed, but for the loss: the defaults. */
typedef struct ebm_fit_options {
    const ebm_loss *loss;            /* must be set */
    ebm_loss_options loss_options;
    const ebm_optimizer *optimizer;  /* NULL: L-BFGS where the loss is deterministic and not redrawn, and there are no
                                        batches, validation rows or average, and at most 500 parameters (rate and what
                                        else is of first-order methods is not read then); else ebm_adam. To have Adam
                                        everywhere: &ebm_adam */
    int lbfgs;                       /* L-BFGS, and then Newton's method, in double whatever the model's type: full
                                        batches and deterministic losses only (ARGUMENT otherwise) */
    int64_t steps;                   /* 0: 1000; L-BFGS: most iterations, Newton's included */
    double tolerance;                /* of L-BFGS: report.newton at which θ is a minimum; 0: 1e-5 */
    int64_t batch;                   /* rows a step; 0: all. Each pass over the rows is shuffled, and its last batch may
                                        be shorter; where the loss compares rows and it has too few, it is left out */
    double rate;                     /* 0: 1e-3 */
    double momentum;                 /* of SGD and RMSprop: in [0, 1) */
    double beta1, beta2, epsilon;    /* 0: 0.9, 0.999, 1e-8; EBM_ZERO: 0. In [0, 1), ε ≥ 0 */
    double weight_decay;             /* λ */
    double clip;                     /* largest gradient norm; 0: no limit */
    ebm_schedule schedule;
    int64_t warmup;                  /* steps in which the rate rises to `rate`, before the schedule; less than steps */
    double average;                  /* β of ebm_average after every step: validation and the fitted model then have the
                                        averages (of a learnt log Z as well), training and callbacks see the
                                        parameters themselves; 0: none. Not for L-BFGS (ARGUMENT) */
    uint64_t seed;                   /* of minibatches, noise and chains */
    double validation_fraction;      /* of the rows kept for validation; 0: none, and the last parameters are kept */
    int64_t validation_every;        /* steps between validations; 0: 10 */
    int64_t patience;                /* validations without improvement before stopping; 0: never */
    int threads;                     /* 0: OMP_NUM_THREADS, else all processors */
    ebm_progress_fn progress;
    void *context;
} ebm_fit_options;

/* What a fit looked for when it was done, and found: each makes its estimate wrong or less than it seems. */
typedef enum ebm_note_code {
    EBM_NOTE_NOT_CONVERGED = 1,   /* θ is at no minimum of the loss, or it cannot be told */
    EBM_NOTE_RUNAWAY,             /* a parameter grows for ever: separated data, a column that never changes */
    EBM_NOTE_NOT_IDENTIFIED,      /* directions of θ that the loss does not see */
    EBM_NOTE_NOT_NORMALISABLE,    /* exp(−E) has no finite integral */
    EBM_NOTE_OUTSIDE_THE_SUPPORT, /* rows where the proposal, or the loss's weight, has no density */
    EBM_NOTE_TIES,                /* score matching of tied or rounded columns */
    EBM_NOTE_WEIGHTS,             /* importance weights without a variance */
    EBM_NOTE_STUCK_CHAINS,        /* hardly a move of the loss's chains was accepted */
    EBM_NOTE_VALIDATION,          /* the held-out loss rose while the training loss fell */
    EBM_NOTE_ENERGY_GAP,          /* contrastive divergence: E of data and of chains drift apart */
    EBM_NOTE_CODES
} ebm_note_code;

typedef struct ebm_note {
    ebm_note_code code;
    char text[240]; /* a sentence, with its numbers and the remedy */
} ebm_note;

/* «not converged» and so on; «?» of a number that is no code. Static. */
const char *ebm_note_name(ebm_note_code code);

enum { EBM_MOST_NOTES = EBM_NOTE_CODES };

typedef struct ebm_fit_report {
    int64_t steps;            /* taken */
    int64_t best_step;        /* the number of steps after which the kept parameters were those of the model */
    double seconds;
    double loss;              /* at the last step, with the prior's part, without weight decay (which L-BFGS' history
                                 includes) */
    double best_validation;   /* NaN without validation */
    double health, log_z;     /* at the kept parameters, on the last batch; NaN when the loss has none, or on error */
    double log_z_spread;      /* NCE of a conditional model, which learns one log Z for all x: the standard deviation of
                                 log Z(x) over the rows. Far from 0 the model is not normalised by one number, and the
                                 estimate is wrong: take ranking NCE. Else NaN */
    double edge;              /* exact maximum likelihood over a box: exp(−E) at its edge, as a share of the highest.
                                 Above 0.01 the box cuts the density off, and the estimate is of what is left: widen
                                 it, or set whole_domain where there is no x outside. Else NaN, and of a conditional
                                 model */
    ebm_importance weights;   /* ML-IS, NCE, ML by draws: exp(−E)/q at the fit's first ν·N points, at the kept
                                 parameters. With k above ½ ML-IS is not what its standard errors say:
                                 ebm_audit_proposal. Else NaN, and of a conditional model */
    int converged;            /* θ is a minimum, which L-BFGS seeks and others reach by chance. H = ∇²L has no
                                 negative eigenvalue, newton is at most the tolerance, and no parameter runs away, as on
                                 separated data: then θ is right to six digits and more. 0: it is none, or it cannot be
                                 told */
    double newton;            /* √(gᵀH⁻¹g/tr H⁻¹S) as in ebm_uncertainty, in no unit of x, θ or E, with θᵀHθ for the
                                 trace where all rows have one gradient; ∞ where the loss curves down. Other methods
                                 than L-BFGS end somewhere near a minimum: below 1 they are within its standard error,
                                 stationary but for noise. NaN: not known (chains, more than 500 parameters, validation
                                 rows, which stop elsewhere) */
    int64_t identified;       /* L-BFGS of at most 500 parameters: directions of θ that the loss sees; else 0 */
    int64_t runaway;          /* the number of a parameter's element that runs away, from 0; −1: none was found */
    int note_count;           /* what was looked for and found; 0: nothing, of what applies to the loss and the model */
    ebm_note note[EBM_MOST_NOTES];
    int64_t history_count;    /* one row a step: */
    double *history_loss, *history_norm, *history_validation; /* NaN where none was made */
    gibbs_allocator allocator;
} ebm_fit_report;

/* Fits the model's parameters in place. `report` (may be NULL) is filled even on error, and freed by
 * ebm_fit_report_free. Errors: DATA, SHAPE (columns), ARGUMENT (an option, named; a conditional model for a loss of
 * whole rows, or the other way round; a batch or a validation part with fewer rows than its loss compares), what
 * recording reports (SMOOTH for score matching of a relu network, naming the op), MEMORY, STOPPED, and NUMERIC when
 * loss or gradient is not finite: the sentence names the step, the first op that was not finite and its row, and the
 * parameters are those of the last finite step. */
gibbs_status ebm_fit(ebm_model *model, const ebm_data *data, const ebm_fit_options *options, ebm_fit_report *report,
                     gibbs_error *error);
void ebm_fit_report_free(ebm_fit_report *report);

/* ---- Training ---- */

/* A fit that can be looked into, interrupted and gone on with; ebm_fit is one that takes all of its steps. */
typedef struct ebm_trainer ebm_trainer;

/* Makes one, with the errors of ebm_fit. The table is copied; the model, the loss and what the options point to must
 * outlive the trainer, which is freed by ebm_trainer_free (it accepts NULL). On error *trainer is NULL. */
gibbs_status ebm_trainer_new(ebm_model *model, const ebm_data *data, const ebm_fit_options *options,
                             ebm_trainer **trainer, gibbs_error *error);
void ebm_trainer_free(ebm_trainer *trainer);

/* Frees it and returns its report, whose histories are then the caller's (ebm_fit_report_free). Not NULL. */
ebm_fit_report ebm_trainer_end(ebm_trainer *trainer);

/* Takes `steps` more steps, or the rest of them (0: all that are left). The model has the parameters in training, and
 * after the last step those that are kept, as ebm_fit says: of the best validation, or their average. run(37) and
 * run(63) are run(100), bit for bit; but L-BFGS begins each run anew from where it is. Errors: those of ebm_fit;
 * STOPPED by the callback leaves a training that goes on with the next call. */
gibbs_status ebm_trainer_run(ebm_trainer *trainer, int64_t steps, gibbs_error *error);
int ebm_trainer_done(const ebm_trainer *trainer); /* whether no steps are left */

/* How it stands: what ebm_fit would report of the steps taken so far. The trainer's own, until it runs again. */
const ebm_fit_report *ebm_trainer_report(const ebm_trainer *trainer);

/* All that the steps to come depend on, in a safetensors file: parameters, the optimiser's moments, averages, the best
 * parameters, chains and buffers, the histories, and where it stands. Written beside, synced and renamed: a process
 * that is killed leaves the last one whole. To be called between runs, or from the callback. Errors: those of
 * ebm_tensors_write; IO for what is there already and no regular file. */
gibbs_status ebm_trainer_save(const ebm_trainer *trainer, const char *path, gibbs_error *error);

/* Goes on where the file was saved, be it in another process: a trainer made of the same model, data and options then
 * ends with the bits that it would have without the interruption, whatever the number of threads (on a processor with
 * the same vectors). FORMAT, naming the first difference, where the file is of another library, model, table, loss or
 * options; of the options only `threads` may differ, and, under a constant rate, `steps`, so that a training can be
 * made longer. The trainer is then as it was. Other errors: those of ebm_tensors_read, MEMORY. */
gibbs_status ebm_trainer_load(ebm_trainer *trainer, const char *path, gibbs_error *error);

/* Memory of a method of your own that is to be saved and loaded with the rest: `bytes` bytes, of this machine's order.
 * It stays yours, and must outlive the trainer. Errors: ARGUMENT (the name is empty, longer than 60 bytes, or kept
 * already), MEMORY. */
gibbs_status ebm_trainer_keep(ebm_trainer *trainer, const char *name, void *memory, size_t bytes, gibbs_error *error);

/* ---- Standard errors ---- */

/* How far an estimate θ̂ that minimises a loss L may be from what the loss is after: the sandwich covariance (Godambe
 * 1960, Huber 1967, White 1982)
 *
 *     H⁻¹ S H⁻¹,   H = ∇²L(θ̂),   S = Σₙ uₙuₙᵀ + Σ_m v_m v_mᵀ
 *
 * uₙ is the derivative of ∇L by the weight of data row n, less its average (∇ℓ(xₙ)/N for a mean of ℓ), v_m likewise of
 * artificial point m (w̄_m(∇E(y_m) − Σw̄∇E) for ML-IS, the delta method): the rows and the points are two independent
 * samples. It holds whether or not the model is true, for every loss whose gradient is a function of such samples.
 *
 * Where L leaves directions open, as the common shift of a softmax's weights, H⁻¹ is the Moore–Penrose inverse: the
 * covariance is that of the part of θ̂ orthogonal to them, which is all that data determine. Gradient descent and
 * L-BFGS leave the other part as it started. */
typedef enum ebm_errors {
    EBM_ERRORS_AUTOMATIC, /* the sandwich; the model where there are no more rows than parameters, or rows that do not
                             differ */
    EBM_ERRORS_SANDWICH,  /* as above: right for wrong models, too */
    EBM_ERRORS_MODEL,     /* S from the model in the place of the rows, Cov_p(∇ℓ)/N: for one network, lattice or field.
                             Right where the model is. Of maximum likelihood (PCD and ML by draws, too) it is the
                             inverse of N times the information Cov_p(∇E) */
    EBM_ERRORS_BOOTSTRAP  /* fits of rows drawn from the rows, of any loss (Efron 1979) */
} ebm_errors;

typedef struct ebm_uncertainty {
    int64_t size;           /* p: the model's parameters, then log Z when the loss learns it */
    int64_t identified;     /* directions of them that the loss sees; p when it sees all */
    double *covariance;     /* p × p, in the directions that the loss sees */
    double *standard_error; /* p: the roots of its diagonal; NaN where the loss does not see the parameter at all */
    double *noise_error;    /* p: the part of them that the artificial sample adds: total² = data² + noise². NaN where
                               rows of a conditional model have points of their own (NCE, ML-IS): it is in the total */
    double newton;          /* √(gᵀH⁻¹g/tr H⁻¹S): how far L is from its minimum against how far chance puts it (for one
                               parameter the step left, in standard errors): far below 1, or θ̂ is no minimum */
    double k;               /* Pareto k̂ of the weights exp(−E)/q at a proposal's points; else NaN. Above ½ they have no
                               variance: of ML-IS noise_error is then no error, and intervals are too short
                               (ebm_audit_proposal says what helps; those of NCE hold) */
    ebm_errors method;      /* whose numbers these are */
    double draws;           /* of the model (∞: all of its states) or fits of a bootstrap: each standard error is known
                               to some 1/√(2 draws) of itself. ∞ of a sandwich */
    gibbs_allocator allocator;
} ebm_uncertainty;

/* Zeroed: the defaults. */
typedef struct ebm_errors_options {
    ebm_errors method;
    const ebm_points *points;     /* EBM_ERRORS_MODEL: the whole space, or */
    const ebm_draw_options *draw; /* how the model is drawn from. NULL, both: the points of exact maximum likelihood;
                                     all states of a discrete loss's space, up to 4096; weighted draws of the loss's
                                     proposal, if they are worth 500; chains of its sampler, Gibbs sweeps or MALA */
    int64_t rows;                 /* draws; 0: 8000 */
    int64_t fits;                 /* EBM_ERRORS_BOOTSTRAP; 0: 200 */
    uint64_t seed;
} ebm_errors_options;

/* The uncertainty of the model's present parameters, fitted to `data` with these options: of them, loss, loss_options,
 * weight_decay, seed, threads and the validation split (the rows trained on count) are read. The artificial points are
 * those of ebm_fit with EBM_REDRAW_NEVER of a float64 model; where the fit drew others, in float32 or new ones each
 * step, noise_error is right for one fixed sample, and `newton` measures from another sample's minimum. Rows are taken
 * as independent, and a minimum as reached: early stopping is no estimate of this kind. Computed in double whatever the
 * model's dtype, with p directions a row. result is zeroed on error; free it with ebm_uncertainty_free. Errors:
 * ARGUMENT (p > 500, no parameters, a loss whose points come from chains and so has no such structure, one that holds
 * part of itself constant), SMOOTH, NUMERIC (H is not finite, is 0, or has a negative eigenvalue: no minimum; S is 0,
 * as of one row; a box of points cuts the density off), DATA, SHAPE, MEMORY. */
gibbs_status ebm_standard_errors(ebm_model *model, const ebm_data *data, const ebm_fit_options *options,
                                 ebm_uncertainty *result, gibbs_error *error);

/* The same by another method (`how` NULL: automatic). Each refuses what it cannot do and names one that can: NUMERIC
 * for a sandwich of rows that do not differ, and for a model whose rows do not, at a boundary; ARGUMENT for a sandwich
 * of points from chains, a conditional model's own variance, a bootstrap of one row or of rows with weights. Other
 * errors: those above, of ebm_model_draw and of ebm_fit. */
gibbs_status ebm_standard_errors_by(ebm_model *model, const ebm_data *data, const ebm_fit_options *options,
                                    const ebm_errors_options *how, ebm_uncertainty *result, gibbs_error *error);
void ebm_uncertainty_free(ebm_uncertainty *uncertainty);

/* ---- Monte Carlo maximum likelihood ---- */

/* Zeroed: the defaults. */
typedef struct ebm_mcml_options {
    int64_t rows;                 /* draws a round; 0: 2000 */
    int64_t rounds;               /* at most; 0: 50 */
    const ebm_draw_options *draw; /* how the model is drawn from, but the seed; NULL: the defaults */
    /* Or a simulator of your own: `rows` independent rows of the model at theta into x[rows × dim] */
    gibbs_status (*simulate)(const double *theta, int64_t rows, uint64_t seed, double *x, void *context,
                             gibbs_error *error);
    void *context;                /* passed to it */
    uint64_t seed;
} ebm_mcml_options;

typedef struct ebm_mcml {
    int64_t size, rounds;
    double gamma, ess;         /* of the last round: 1; and the effective number of its weighted draws */
    double *covariance;        /* size × size: (N Cov_p(s))⁻¹, the inverse information of N rows */
    double *standard_error;    /* the roots of its diagonal */
    double *monte_carlo_error; /* how far the draws may have θ̂ from where the likelihood is highest */
    gibbs_allocator allocator;
} ebm_mcml;

/* Maximum likelihood of an energy affine in θ, E = E₀(x) − θ·s(x), as of networks and lattices, from one row or many,
 * where nobody knows Z: draws at θ₀, the model's present parameters (those of a fit by pseudo-likelihood are a good
 * start), are weighed for others (Geyer & Thompson 1992), as far as the convex hull of their statistics allows (Hummel,
 * Hunter & Handcock 2012), and drawn again, until the data's statistics are within twice. The model then has θ̂; it is
 * as it was on error. Free the result with ebm_mcml_free; it is zeroed on error. Errors: ARGUMENT (an energy that is
 * not affine in θ, more than 100 parameters, a conditional model, an option), NUMERIC (statistics that do not determine
 * the parameters; data at a boundary, where there is no maximum), those of ebm_model_draw or of `simulate`, DATA,
 * SHAPE, MEMORY. */
gibbs_status ebm_monte_carlo_ml(ebm_model *model, const ebm_data *data, const ebm_mcml_options *options,
                                ebm_mcml *result, gibbs_error *error);
void ebm_mcml_free(ebm_mcml *result);

GIBBS_API_END
#endif
