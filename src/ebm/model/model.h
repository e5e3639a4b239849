/* model.h — a model's inside, and what the other files of the energy layer record and bind with. */
#ifndef GIBBS_MODEL_H
#define GIBBS_MODEL_H

#include "base/base.h"
#include "stream.h"

#include <gibbs/ebm.h>

typedef struct ebm_model_parameter {
    char *name;
    ad_shape shape;
    ebm_init init;
    double scale;
    int64_t offset, count; /* in theta, in numbers */
} ebm_model_parameter;

typedef struct ebm_evaluator ebm_evaluator; /* evaluate.c: plans for E and ∇xE, made when first asked for */

struct ebm_model {
    gibbs_allocator alloc;
    gibbs_dtype dtype;
    int64_t dim, size;
    ebm_model_parameter *parameter;
    int parameters;
    void *theta; /* `size` numbers and room for one more: the log Z of losses that learn it */
    const ebm_energy *kind; /* never NULL: of a bare function, ebm_energy_bare */
    ebm_energy_fn energy;   /* what records E */
    bool differentiates;    /* that takes derivatives itself: it is handed an x that it may differentiate by */
    void *context;
    bool owns_context; /* one gibbs_release frees it: of the energies that ship */
    int64_t given, label_count; /* columns of x; values of y */
    double *labels;             /* label_count × (dim − given), or NULL */
    ebm_prior_fn prior; /* or NULL */
    void *prior_context;
    ebm_model **part; /* models that this one is made of and owns, being read from a file; or NULL */
    int64_t parts;
    ebm_evaluator *evaluator;
};

/* Knows nothing: what stands for the energies that are a function alone. */
extern const ebm_energy ebm_energy_bare;

/* The model as it is recorded, and no more: it owns nothing, and must not outlive the model. With another energy, which
 * may be NULL, it is that of a density of rows of `dim`, with the same parameters. */
ebm_model ebm_model_view(const ebm_model *model, int64_t dim, ebm_energy_fn energy, void *context);

/* A float64 model with the energy, the prior, the parameters and their present values of another one, which must
 * outlive it. */
gibbs_status ebm_model_like(const ebm_model *model, ebm_model **out, gibbs_error *error);

/* log ∫ exp(−βE) of a model at other parameters than its own: theta, in double. ARGUMENT where it is not known. */
gibbs_status ebm_model_log_z_at(const ebm_model *model, const double *theta, double beta, double *log_z,
                                gibbs_error *error);

/* Records a leaf for every parameter; theta has model->parameters places. */
gibbs_status ebm_model_record(const ebm_model *model, ad_tape *tape, ad_var *theta);

/* Binds those leaves to the model's theta. */
gibbs_status ebm_model_bind(const ebm_model *model, ad_workspace *workspace, const ad_var *theta, gibbs_error *error);

/* Records the energy; a null or non-scalar result is an error on the tape. */
ad_var ebm_model_energy_at(const ebm_model *model, ad_var x, const ad_var *theta);

/* Records U(θ) of a model that has a prior; what is no shared scalar is an error on the tape. */
ad_var ebm_model_record_prior(const ebm_model *model, const ad_var *theta);

/* v as a value of `axis`: a shared one, one of an axis that it descends from (each child has its parent's), or its own.
 * Else AXIS. */
ad_var ebm_value_on(ad_axis axis, ad_var v);

/* ARGUMENT, naming what there are too few of, when `count` is below `least`; SIZE above 2³¹ − 1. `who` begins the
 * sentence. */
gibbs_status ebm_need_count(const char *who, const char *what, int64_t count, int64_t least, gibbs_error *error);

/* Converts n numbers between double and the dtype. */
void ebm_to_dtype(gibbs_dtype dtype, int64_t n, void *to, const double *from);
void ebm_from_dtype(gibbs_dtype dtype, int64_t n, double *to, const void *from);

/* A tape's error as a status for the caller. */
gibbs_status ebm_tape_error(const ad_tape *tape, gibbs_error *error);

/* A tape with the model's parameters on it, while something is recorded of the model. `who` begins the sentence when
 * memory is short; to be ended after an error as well. */
typedef struct ebm_recording {
    const ebm_model *model;
    ad_tape *tape;
    ad_var *theta;
} ebm_recording;
gibbs_status ebm_recording_start(const char *who, const ebm_model *model, ebm_recording *recording,
                                 gibbs_error *error);
void ebm_recording_end(ebm_recording *recording);

/* ebm_data_check, and SHAPE when the table has not the model's columns. */
gibbs_status ebm_check_data(const char *who, const ebm_model *model, const ebm_data *data, gibbs_error *error);

/* DATA, naming row and column, when some number is not finite. `what` begins the sentence. */
gibbs_status ebm_check_points(const char *what, const double *x, int64_t rows, int64_t dim, gibbs_error *error);

/* ARGUMENT where the model is conditional: it is no density of whole rows. `remedy` ends the sentence. */
gibbs_status ebm_refuse_conditional(const char *who, const ebm_model *model, const char *remedy, gibbs_error *error);

void ebm_evaluator_free(ebm_evaluator *evaluator);

#endif
