/* gibbs/model.h — models: an energy with its parameters. */
#ifndef GIBBS_PUBLIC_MODEL_H
#define GIBBS_PUBLIC_MODEL_H

#include <gibbs/ad.h>
#include <gibbs/status.h>

GIBBS_API_BEGIN

/* ---- Models ---- */

/* Records E(x; θ) for one x of shape [dim] and returns a scalar. theta[i] is the i-th parameter of the model. It is
 * called once for each place where a graph needs the energy, and must record the same function every time. */
typedef ad_var (*ebm_energy_fn)(ad_var x, const ad_var *theta, void *context);
typedef struct ebm_energy ebm_energy; /* an energy that knows more of itself, as log Z: gibbs/extend.h */

/* How a parameter starts. */
typedef enum ebm_init {
    EBM_INIT_CONSTANT, /* every element is `scale` */
    EBM_INIT_NORMAL,   /* independent normals of standard deviation `scale` */
    EBM_INIT_GLOROT,   /* uniform on ±scale·√(6/(rows + cols)) (Glorot & Bengio 2010) */
    EBM_INIT_IDENTITY, /* of a matrix: `scale` where row == column, else 0 */
    EBM_INIT_FAN_IN,   /* uniform on ±scale/√rows, of a vector ±scale/√elements: what goes into a unit (LeCun et al.
                          1998; PyTorch's layers) */
    EBM_INIT_UNIFORM   /* uniform on ±scale: of the biases beside it, scale = 1/√rows of their matrix */
} ebm_init;

typedef struct ebm_parameter {
    const char *name; /* for messages and files; names of one model differ */
    ad_shape shape;
    ebm_init init;
    double scale;
} ebm_parameter;

typedef struct ebm_model_spec {
    gibbs_dtype dtype; /* float64 for statistics, float32 for networks */
    int64_t dim;       /* of x */
    const ebm_parameter *parameters;
    int parameter_count;
    ebm_energy_fn energy;
    const ebm_energy *kind; /* in place of `energy`: a struct that has one, and log Z, conditionals and so on */
    void *context;     /* passed to `energy` and the functions of `kind`; must outlive the model */
    uint64_t seed;     /* of the initial parameters */
    const gibbs_allocator *allocator;
    int64_t given; /* > 0: a conditional model, of rows [x, y] whose first `given` columns are x: see gibbs/energy.h */
    const double *labels; /* the values that y takes, label_count × (dim − given), or NULL; copied */
    int64_t label_count;
} ebm_model_spec;

typedef struct ebm_model ebm_model;

/* Checks the spec by recording the energy once, and draws the initial parameters. The spec's list and names are copied.
 * The model is the caller's, to be freed by ebm_model_free (which accepts NULL) after everything made of it:
 * objectives, chains, models of which it is a part. On error *model is NULL. Errors: ARGUMENT (dim < 1, no energy, or
 * two; names that are empty, twice or what ebm_tensors_write refuses; an energy that sums over a batch or draws random
 * numbers; given columns that leave none; labels without given columns or without a list), DATA (a label that is not
 * finite), SHAPE (E is no scalar; what is recorded of y given x has a wrong shape), whatever the energy's own recording
 * reports, SIZE, MEMORY. */
gibbs_status ebm_model_new(const ebm_model_spec *spec, ebm_model **model, gibbs_error *error);
void ebm_model_free(ebm_model *model);

/* What the spec said; parameters count from 0, and beyond the last one the name is NULL and the shape has rank −1. */
gibbs_dtype ebm_model_dtype(const ebm_model *model);
int64_t ebm_model_dim(const ebm_model *model);
int64_t ebm_model_given(const ebm_model *model); /* columns that are given; 0: not conditional */
int ebm_model_parameters(const ebm_model *model);
const char *ebm_model_parameter_name(const ebm_model *model, int i);
ad_shape ebm_model_parameter_shape(const ebm_model *model, int i);

/* All parameters, one after the other in their order, of the model's dtype: n numbers. Owned by the model; write
 * to it between calls as you like. */
int64_t ebm_model_size(const ebm_model *model);
void *ebm_model_theta(ebm_model *model);

/* Copies all parameters, ebm_model_size numbers, out or in, converted to or from double. */
void ebm_model_get(const ebm_model *model, double *theta);
void ebm_model_set(ebm_model *model, const double *theta);

/* The first number of the parameter of that name, as a double. ARGUMENT: no parameter is called so; the sentence lists
 * the names that there are. *value is then as it was. */
gibbs_status ebm_model_value(const ebm_model *model, const char *name, double *value, gibbs_error *error);

/* Records U(θ) = −log of a prior density of the parameters, up to a constant: a shared scalar. */
typedef ad_var (*ebm_prior_fn)(const ad_var *theta, void *context);

/* Gives the model a prior (NULL takes it away; the last one counts), whose context must outlive the model. A fit then
 * minimises loss + U(θ)/N, N the training rows: of a likelihood that is the most probable θ (MAP). Held-out rows are
 * judged without it; standard errors have its curvature, ∇²U/N. It is the model's own: models that are made of this one
 * do not have it. Errors: ARGUMENT (no parameters), SHAPE (U is no scalar), AXIS (it is per-sample), what recording
 * reports, MEMORY; the prior is then as it was. */
gibbs_status ebm_model_prior(ebm_model *model, ebm_prior_fn prior, void *context, gibbs_error *error);

/* Draws the initial parameters again, from another seed. */
void ebm_model_reset(ebm_model *model, uint64_t seed);

/* safetensors files: names, shapes and dtype, and, where all its options have names, what the model's energy is (the
 * prior is not in the file). Loading needs exactly the model's names, shapes and dtype (FORMAT, naming the first
 * difference) and changes nothing when it fails. Other errors: those of ebm_tensors_write and ebm_tensors_read. */
gibbs_status ebm_model_save(const ebm_model *model, const char *path, gibbs_error *error);
gibbs_status ebm_model_load(ebm_model *model, const char *path, gibbs_error *error);

/* Makes the model that a file was saved from, with its parameters: of an energy that ships (gibbs/energy.h), or of the
 * list `own` of yours, which ends with NULL (and may be NULL). It owns the models that it is made of, and is freed as
 * any other. FORMAT, besides what ebm_model_load says: the file names no energy, because it, an activation or features
 * had no name (make such a model in the program, and load it); the energy is not known; an option is missing, or not
 * what it must be. On error *model is NULL. */
gibbs_status ebm_model_open(const char *path, const ebm_energy *const *own, const gibbs_allocator *allocator,
                            ebm_model **model, gibbs_error *error);

/* E at `rows` points x (rows × dim, in double whatever the model's dtype) into energy[rows], and ∇xE into gradient[rows
 * × dim] unless it is NULL: of the whole row where the model is conditional. Errors: DATA (NaN or infinity in x, or too
 * large for a float32 model), ARGUMENT (no rows, a NULL), SIZE, MEMORY. OK where E itself is NaN or infinite at a
 * point: it is then what energy[] holds. */
gibbs_status ebm_model_energy(ebm_model *model, const double *x, int64_t rows, double *energy, double *gradient,
                              gibbs_error *error);

GIBBS_API_END
#endif
