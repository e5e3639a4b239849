/* gibbs/extend.h — losses, samplers, proposals and energies of your own. Each is a const struct with functions that
 * record ad_* operations; the library's own are written the same way (src/ebm/objective, sampler, proposal, energy). */
#ifndef GIBBS_EXTEND_H
#define GIBBS_EXTEND_H

#include <gibbs/energy.h>

GIBBS_API_BEGIN

/* Streams of ad_normal and ad_uniform in code of your own: EBM_STREAM_USER, EBM_STREAM_USER + 1, … Smaller numbers are
 * the library's, and would be the very numbers of its proposals, samplers and losses where axis and shape agree. A loss
 * and a sampler that meet in one graph (improved CD) need different ones, too. */
#define EBM_STREAM_USER (UINT64_C(1) << 48)

/* What a loss sees while it records. `x` is one data point; `y` one artificial point on its own axis, with
 * log q(y); which of them exist is what the loss declares. Of a conditional model p(y | x) the graph's x and y are
 * modelled columns alone, and `model` is the model of them while the others are given: a loss that is written for a
 * density is then one for a conditional density, of which each data row has its own log Z. */
typedef struct ebm_graph {
    ad_tape *tape;
    ebm_model *model;
    const ad_var *theta;
    const ebm_loss *loss;
    const ebm_loss_options *options; /* with the loss's defaults filled in */
    ad_axis data, noise;
    ad_var x, y, log_q;
    ad_var gains;        /* the library's: change statistics of x, or null */
    ad_var given;        /* the given columns of a data row; null where the model is not conditional */
    ad_var first, second; /* EBM_NOISE_PAIRS: the numbers of two data rows; EBM_NOISE_LAST: of a chain */
    ad_var log_z;        /* the learnt c, when the loss learns it */
    const ebm_proposal *proposal; /* whose draw y is, or NULL */
    ad_var weight, noise_weight; /* of data rows that have weights, of mean 1, and of artificial points that each belong
                            to one: read by ebm_graph_mean; null: all count alike */
    ad_var health;       /* a loss may set it: a shared scalar that is reported */
    ad_var log_z_estimate; /* likewise: its estimate of log Z */
    void *context;
    const struct ebm_conditioned *conditioned; /* the library's: what is given, on each axis */
} ebm_graph;

/* Records E(x; θ) of the graph's model; x on any axis or, where the model is conditional, on the data axis, the noise
 * axis or a child of them (AXIS otherwise). For ∇E by an x that is an expression, as x + noise, make it a variable
 * first: x = ad_variable(x). */
ad_var ebm_graph_energy(const ebm_graph *graph, ad_var x);

/* Records the mean of v over the data rows, over a child axis of theirs, or over the artificial points: Σ w v/Σ w where
 * rows have weights. A loss takes its means by it, not by ad_batch_mean, which knows of no weights. */
ad_var ebm_graph_mean(const ebm_graph *graph, ad_axis axis, ad_var v);

/* Records log Σ exp v over the artificial points that share a log Z: all of them, a shared scalar; or, where the model
 * is conditional, those of each data row. The second is their effective number (Σw)²/Σw², the third how many there are,
 * the fourth the mean over the data of what may be either. For losses whose `noise` is EBM_NOISE_PROPOSAL or
 * EBM_NOISE_POINTS. */
ad_var ebm_graph_noise_logsumexp(const ebm_graph *graph, ad_var v);
ad_var ebm_graph_noise_effective_size(const ebm_graph *graph, ad_var log_w);
ad_var ebm_graph_noise_count(const ebm_graph *graph);
ad_var ebm_graph_data_mean(const ebm_graph *graph, ad_var v);

/* Records a draw of the graph's proposal for each element of `axis`, of which the next one's remark holds as well. */
ad_var ebm_graph_draw(const ebm_graph *graph, ad_axis axis);

/* Records log q(x) of the graph's proposal; x on any axis. */
ad_var ebm_graph_log_q(const ebm_graph *graph, ad_var x);

typedef enum ebm_noise {
    EBM_NOISE_NONE,     /* only data */
    EBM_NOISE_PROPOSAL, /* y ~ q, with log q; conditional models: ν for each data row, on a child of the data axis */
    EBM_NOISE_CHAIN, /* y from k transitions that start at the data; as many as data rows, with their given columns */
    EBM_NOISE_LAST,  /* y from all of k transitions but the last, which the loss records; `second`: which chain ends
                        nearest to this one */
    EBM_NOISE_PERSISTENT, /* y from k transitions that go on where the chains stood (options: buffer, restart) */
    EBM_NOISE_POINTS,     /* y runs over options.points, a whole space; log q is minus their log weights. Conditional
                             models: for each data row, on a child of the data axis */
    EBM_NOISE_PAIRS,      /* no y: the noise axis runs over all pairs of different data rows, first < second; like
                             LAST of whole rows, not for conditional models */
    EBM_NOISE_OTHERS,     /* y: options.copies other rows of the batch for each data row; conditional models: on a
                             child of the data axis */
    EBM_NOISE_RESAMPLED,  /* y: ν for each data row, draws of the proposal resampled by weight; and the path of a chain
                             of independence Metropolis–Hastings over such draws. Neither for conditional models */
    EBM_NOISE_INDEPENDENCE
} ebm_noise;

/* The models that a loss is for. */
typedef enum ebm_models {
    EBM_MODELS_ANY,        /* densities and conditional densities */
    EBM_MODELS_WHOLE,      /* densities of whole rows */
    EBM_MODELS_CONDITIONAL /* conditional densities */
} ebm_models;

/* A loss: a const struct, one file. Add your own terms by calling another loss's `record` and ad_add; random numbers of
 * your own take streams from EBM_STREAM_USER upwards. */
struct ebm_loss {
    const char *name, *title; /* a loss has a name, with which its messages begin */
    ebm_noise noise;
    int learns_log_z;
    ebm_models models;     /* others are refused (ARGUMENT) */
    int needs_proposal;    /* draws from the proposal itself, whatever `noise` is */
    int deterministic;     /* a value that an optimiser may compare, once y is drawn */
    const char *health;    /* what the health figure is, or NULL */
    double noise_ratio;    /* default ν */
    int redraw;            /* default */
    ad_var (*record)(ebm_graph *graph); /* a shared scalar, to be minimised */
    const ebm_loss *validation;         /* the loss to judge held-out rows with; NULL: itself */
    const void *own;       /* read by `record` as graph->loss->own: of losses that differ in it, or made at run time */
    const ebm_sampler *sampler; /* default of options.sampler; NULL: ebm_mala */
    int64_t least_rows; /* data rows that `record` compares: a batch has as many at least. 0: 1, or 2 where `noise` is
                           EBM_NOISE_PAIRS or EBM_NOISE_LAST */
    /* What else options must be, for `dim` modelled columns; and x[given … dim − 1], the modelled numbers of each row
     * x[dim] that is bound. NULL: anything. The row is added to check_row's message, which names columns of x. */
    gibbs_status (*check)(const ebm_loss *loss, const ebm_loss_options *options, int64_t dim, gibbs_error *error);
    gibbs_status (*check_row)(const ebm_loss *loss, const ebm_loss_options *options, const double *x, int64_t given,
                              int64_t dim, gibbs_error *error);
};

/* What a sampler sees. */
typedef struct ebm_sampler_graph {
    ad_tape *tape;
    ebm_model *model;             /* what ebm_sampler_energy records: a tempered energy where temperatures are used, and
                                     an energy of y alone where the model is conditional */
    const ad_var *theta;
    ad_axis chain;
    ad_var given;                 /* x of each chain of a conditional model, or null */
    ad_var step;                  /* h, a shared scalar */
    const ebm_proposal *proposal; /* or NULL */
    int leapfrog_steps;
    ad_var scale;                 /* 1/√mass, shared [dim], or the scalar 1 */
    ebm_space space;              /* as in ebm_chain_options, with what was 0 filled in: variables, labels, values */
    ebm_order order;              /* of ebm_gibbs */
    const ebm_blocks *blocks;     /* or NULL */
    ad_var inverse_temperature;   /* β of E_β = βE − (1 − β) log q, a per-sample scalar; null: 1 */
    const ebm_proposal *base;     /* q of that path, or NULL: βE alone */
} ebm_sampler_graph;

ad_var ebm_sampler_energy(const ebm_sampler_graph *graph, ad_var x);

enum { EBM_MAX_CACHES = 4 };

/* A sampler: one transition, recorded. Its state is x and `caches` values that go with it (its energy, its
 * gradient), so that nothing is computed twice. `next` gets x and the caches after the step. Its random numbers take
 * streams from EBM_STREAM_USER upwards. */
struct ebm_sampler {
    const char *name;
    int caches;
    int needs_proposal, adjusted; /* adjusted: has an accept rule */
    void (*start)(const ebm_sampler_graph *graph, ad_var x, ad_var *cache);
    /* state[0] is x, state[1 …] the caches; returns a per-sample scalar, 1 where the move was accepted. */
    ad_var (*step)(const ebm_sampler_graph *graph, const ad_var *state, ad_var *next);
    int discrete;     /* x is a state of `space`: starts are checked */
    int needs_blocks;
    /* How many recorded transitions make one step of a chain (a sweep: one for each variable); NULL: 1. The caches are
     * made anew only between steps. */
    int64_t (*moves)(const ebm_sampler_graph *graph);
    /* The acceptance that ebm_chains_warm_up aims at in `dim` dimensions; NULL: h is not adapted. */
    double (*target)(int64_t dim);
};

/* Units of a layer: independent given the other layer. */
typedef enum ebm_unit {
    EBM_UNIT_BINARY,  /* 0 or 1; parameter[0] is the log odds of 1, [units] */
    EBM_UNIT_GAUSSIAN /* parameter[0] is the mean, [units], parameter[1] the standard deviation, [units] or a scalar */
} ebm_unit;

typedef struct ebm_layer {
    ebm_unit unit;
    int64_t units;
    /* Records the density of this layer given the other one, [its units]. */
    void (*given)(ad_var other, const ad_var *theta, void *context, ad_var *parameter);
} ebm_layer;

/* The conditionals that ebm_block_gibbs draws from, as of an RBM. A step draws h given v, then v given h. In the
 * joint form x is (v, h) and the energy is E(v, h); otherwise x is v, the energy is the free energy −log Σ_h
 * exp(−E(v, h)), and h is drawn and forgotten. Temperatures need the joint form, whose log odds are multiplied by β
 * and whose standard deviations are divided by √β (a free energy's conditionals do not factorise then). */
struct ebm_blocks {
    ebm_layer visible, hidden;
    int joint;
    void *context; /* passed to `given` */
};

/* An energy of degree at most 2 at one θ: E(x) = constant + Σᵢ linearᵢ xᵢ + ½ Σᵢⱼ J_ij xᵢxⱼ, J symmetric. A row of J
 * is made of pieces, each `width` neighbouring columns, all else being 0: row i has the pieces start[i] …
 * start[i + 1] − 1, of the columns from column[piece] on. Dense: start and column are NULL, and piece i is all of row
 * i. Numbers are of the dtype. */
typedef struct ebm_couplings {
    gibbs_dtype dtype;
    int64_t dim, width, pieces;
    int64_t *start;  /* dim + 1 */
    int32_t *column; /* pieces */
    double constant;
    void *linear;    /* dim */
    void *J;         /* pieces × width */
} ebm_couplings;

/* Change statistics of an energy of a discrete x that is linear in its parameters, E(x) = −Σₖ θₖ sₖ(x), θ all of them in
 * their order (an exponential random graph): what s gains when one variable takes another label, had without looking at
 * all of x. Variables and labels count from 0. What is kept of one x is a state of `bytes`, aligned as malloc's, and the
 * functions' alone; they may be called on several threads, for different states. */
typedef struct ebm_changes {
    size_t bytes;
    /* Makes the state of x, a label a variable, and s(x) [parameters]. */
    void (*start)(void *state, const int32_t *label, double *s, void *context);
    /* s(x′) − s(x) [parameters], x′ being x with that label, another one than it has. */
    void (*change)(const void *state, int64_t variable, int32_t label, double *gain, void *context);
    /* The state is that of x′ from now on. */
    void (*set)(void *state, int64_t variable, int32_t label, void *context);
} ebm_changes;

/* What an option of an energy is, so that a model's file can name it. */
typedef enum ebm_option_type {
    EBM_OPTION_INT,        /* int */
    EBM_OPTION_INT64,      /* int64_t */
    EBM_OPTION_DOUBLE,     /* double, finite */
    EBM_OPTION_INT64S,     /* const int64_t *, or NULL */
    EBM_OPTION_DOUBLES,    /* const double *, finite, or NULL */
    EBM_OPTION_DTYPE,      /* gibbs_dtype */
    EBM_OPTION_ACTIVATION, /* ebm_activation: an ad_* function of one variable, or ebm_student_expert */
    EBM_OPTION_FEATURES,   /* ebm_features: the identity */
    EBM_OPTION_PARTS,      /* ebm_model *const *: models, whose options are listed likewise */
    EBM_OPTION_ALLOCATOR   /* const gibbs_allocator *; not in the file */
} ebm_option_type;

typedef struct ebm_option {
    const char *name;
    ebm_option_type type;
    size_t at;                            /* where in the spec: offsetof */
    int64_t (*count)(const void *spec);   /* of lists and parts: how many, by the options before it */
} ebm_option;

/* An energy that knows more of itself than E(x; θ). All but name and record may be left out; `context` is the model's.
 * Such an energy goes into a spec as `kind`, in place of the bare function. */
struct ebm_energy {
    const char *name;     /* what a model's file calls it */
    ebm_energy_fn record; /* E(x; θ) */
    /* ∂E/∂x [dim] of an E of degree at most 2 in x, recorded, where it is better had than by differentiating E; x is a
     * variable. *apart: in E no column is multiplied with itself, nor with another one of its block of so many columns
     * (0: some may be). */
    ad_var (*slope)(ad_var x, const ad_var *theta, void *context, int64_t *apart);
    /* The energy at θ, numbers of the model's dtype, of which dtype and dim are filled in. Called twice: with J NULL it
     * sets width and pieces, 0 where there are none to hand over; then it fills what it is given room for (start and
     * column where width < dim). What it hands over does not change with θ but for the numbers. */
    void (*couplings)(const void *theta, void *context, ebm_couplings *c);
    /* Change statistics; 0 where there are none. They must agree with `record` up to a constant:
     * chains look when they first run. */
    int (*changes)(void *context, ebm_changes *changes);
    /* log ∫ or Σ exp(−βE), exactly; theta are the model's parameters, one after the other. ARGUMENT where there is none
     * for this β, NUMERIC where it is infinite; *log_z is then left alone. Memory is the allocator's. */
    gibbs_status (*log_z)(const double *theta, double beta, void *context, const gibbs_allocator *allocator,
                          double *log_z, gibbs_error *error);
    /* The conditionals of two layers; 0 where there are none. They last as long as the context. */
    int (*blocks)(void *context, ebm_blocks *blocks);
    /* Of a conditional model, recorded: x [given] → log Z(x), a scalar; E[y | x] and the most probable y,
     * [dim − given]. */
    struct {
        ad_var (*log_z)(ad_var x, const ad_var *theta, void *context);
        ad_var (*mean)(ad_var x, const ad_var *theta, void *context);
        ad_var (*mode)(ad_var x, const ad_var *theta, void *context);
    } conditional;
    /* For files: the context begins with a spec of `spec_bytes`, whose options are listed, and of which `make` makes
     * the model again. */
    const ebm_option *options;
    int option_count;
    size_t spec_bytes;
    gibbs_status (*make)(const void *spec, ebm_model **model, gibbs_error *error);
};

/* A proposal: draws as a function of random numbers, and its normalised log density, both recorded. `random` is a
 * vector of `normals` independent standard normals and, after them, `uniforms` uniforms on (0, 1); when both are 0 (as
 * where they are not set) it is dim normals. Draws may depend on θ (S0 §3.2): random numbers do not, so y moves with θ;
 * they are all in `random` (a draw that calls ad_normal itself takes a stream from EBM_STREAM_USER upwards).
 * The Laplace density ½e^(−|y|) on the line, from one uniform:
 *
 *     static ad_var draw(const ebm_proposal *q, ad_var random, const ad_var *theta)
 *     {
 *         ad_var side = ad_shift(ad_scale(random, 2), -1); // uniform on (−1, 1); 1 − |side| is uniform on (0, 1)
 *         return ad_neg(ad_mul(ad_sign(side), ad_log1p(ad_neg(ad_abs(side)))));
 *     }
 *
 *     static ad_var log_density(const ebm_proposal *q, ad_var y, const ad_var *theta)
 *     {
 *         return ad_shift(ad_neg(ad_sum(ad_abs(y))), -log(2));
 *     }
 *
 *     const ebm_proposal laplace = {
 *         .name = "laplace", .dim = 1, .draw = draw, .log_density = log_density, .uniforms = 1,
 *     };
 *
 * draw returns [dim], log_density a scalar. A conditional one, q(y | x), is told x in front: with given = g > 0 its
 * draw gets [x, random], a vector of g numbers more, and its log density the row [x, y]; dim is that of y alone. */
struct ebm_proposal {
    const char *name;
    int64_t dim;
    int64_t given;        /* columns of x; 0: an ordinary density */
    int depends_on_theta; /* theta is NULL in both calls when 0 */
    ad_var (*draw)(const ebm_proposal *q, ad_var random, const ad_var *theta);
    ad_var (*log_density)(const ebm_proposal *q, ad_var y, const ad_var *theta);
    void *context;
    void (*release)(ebm_proposal *q); /* NULL when there is nothing to free */
    int64_t normals, uniforms;        /* how many random numbers a draw takes; 0 and 0: dim normals */
};

GIBBS_API_END
#endif
