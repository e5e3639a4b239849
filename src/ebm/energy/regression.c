/* regression.c — regressions as conditional energies, f(x, y) = (Wy)ᵀΨ(x) (S3 eq 10.4): with η = WᵀΨ(x) + b,
 *
 *     E(x, y) = −η·y + B(y),     log Z(x) = A(η) = log Σ or ∫ over y of exp(η·y − B(y))
 *
 * One row of a table for each kind of y. Softmax with several outputs is the factorising CRF of S3 (eq 10.5–10.6):
 * there is no y–y factor, so Z(x) is a product over the outputs. */
#include "ebm/model/conditional.h"
#include "features.h"
#include "ships.h"

#include <math.h>

typedef ebm_regression_spec regression; /* as it was filled in: y has outputs × labels columns */

enum { W, B, LOG_PRECISION };

/* ---- Kinds of y ---- */

struct kind {
    const char *name;
    ad_var (*base)(ad_var y, const ad_var *theta);                              /* B(y); NULL: 0 */
    ad_var (*log_partition)(ad_var eta, const ad_var *theta, const regression *r); /* A(η) */
    ad_var (*mean)(ad_var eta, const ad_var *theta, const regression *r);          /* A′(η) = E[y | x] */
    ad_var (*mode)(ad_var eta, const ad_var *theta, const regression *r);          /* the most probable y */
    int parameters;
    bool labelled;
};

/* y real with precision τ = exp(log_precision): B = ½τ‖y‖², without which nothing is integrable. */
static ad_var linear_base(ad_var y, const ad_var *theta)
{
    return ad_scale(ad_mul(ad_exp(theta[LOG_PRECISION]), ad_sum(ad_square(y))), 0.5);
}

/* ½(‖η‖²/τ + m log(2π/τ)) */
static ad_var linear_partition(ad_var eta, const ad_var *theta, const regression *r)
{
    ad_var s = theta[LOG_PRECISION], m = ad_constant(eta.tape, (double)r->outputs);
    ad_var volume = ad_mul(m, ad_sub(ad_constant(eta.tape, log(2 * M_PI)), s));
    return ad_scale(ad_add(ad_mul(ad_exp(ad_neg(s)), ad_sum(ad_square(eta))), volume), 0.5);
}

/* η/τ, where the density is highest as well. */
static ad_var linear_mean(ad_var eta, const ad_var *theta, const regression *r)
{
    (void)r;
    return ad_mul(ad_exp(ad_neg(theta[LOG_PRECISION])), eta);
}

static ad_var logistic_mean(ad_var eta, const ad_var *theta, const regression *r)
{
    (void)theta, (void)r;
    return ad_sigmoid(eta);
}

static ad_var logistic_mode(ad_var eta, const ad_var *theta, const regression *r)
{
    (void)theta, (void)r;
    return ad_step(eta);
}

static ad_var logistic_partition(ad_var eta, const ad_var *theta, const regression *r)
{
    (void)theta, (void)r;
    return ad_sum(ad_softplus(eta));
}

/* Σ over outputs of logsumexp over labels. */
static ad_var softmax_partition(ad_var eta, const ad_var *theta, const regression *r)
{
    (void)theta;
    return ad_sum(ad_logsumexp_dims(ad_reshape(eta, ad_mat(r->outputs, r->labels)), 1u << 1));
}

static ad_var by_outputs(const regression *r, ad_var eta, ad_var (*f)(ad_var))
{
    return ad_reshape(f(ad_reshape(eta, ad_mat(r->outputs, r->labels))), ad_vec(r->outputs * r->labels));
}

static ad_var softmax_mean(ad_var eta, const ad_var *theta, const regression *r)
{
    return (void)theta, by_outputs(r, eta, ad_softmax);
}

static ad_var softmax_mode(ad_var eta, const ad_var *theta, const regression *r)
{
    return (void)theta, by_outputs(r, eta, ebm_first_largest);
}

static const struct kind kinds[] = {
    [EBM_LINEAR] = {"linear regression", linear_base, linear_partition, linear_mean, linear_mean, 3, false},
    [EBM_LOGISTIC] = {"logistic regression", NULL, logistic_partition, logistic_mean, logistic_mode, 2, false},
    [EBM_SOFTMAX] = {"softmax regression", NULL, softmax_partition, softmax_mean, softmax_mode, 2, true},
};

static const struct kind *kind_of(const regression *r) { return &kinds[r->response]; }

/* Columns of an output. */
static int64_t width_of(const regression *r) { return kind_of(r)->labelled ? r->labels : 1; }

/* ---- The energy ---- */

/* WᵀΨ(x) + b; pinned, the first label of each output has 0 and no weights. */
static ad_var natural(const regression *r, ad_var x, const ad_var *theta)
{
    ad_var psi = ebm_features_at(&r->features, x, theta + kind_of(r)->parameters);
    ad_var eta = ad_add(ad_matmul(psi, theta[W]), theta[B]);
    if (!r->pinned) return eta;
    eta = ad_pad(ad_reshape(eta, ad_mat(r->outputs, r->labels - 1)), 1, 1, 0);
    return ad_reshape(eta, ad_vec(r->outputs * r->labels));
}

static ad_var energy(ad_var row, const ad_var *theta, void *context)
{
    const regression *r = context;
    ad_var y = ebm_modelled(row, r->given), eta = natural(r, ebm_given(row, r->given), theta);
    ad_var E = ad_neg(ad_dot(eta, y));
    return kind_of(r)->base ? ad_add(E, kind_of(r)->base(y, theta)) : E;
}

static ad_var log_z(ad_var x, const ad_var *theta, void *context)
{
    const regression *r = context;
    return kind_of(r)->log_partition(natural(r, x, theta), theta, r);
}

static ad_var mean(ad_var x, const ad_var *theta, void *context)
{
    const regression *r = context;
    return kind_of(r)->mean(natural(r, x, theta), theta, r);
}

static ad_var mode(ad_var x, const ad_var *theta, void *context)
{
    const regression *r = context;
    return kind_of(r)->mode(natural(r, x, theta), theta, r);
}

/* ---- Making one ---- */

static gibbs_status check(regression *r, gibbs_error *error)
{
    if ((unsigned)r->response >= (unsigned)GIBBS_COUNT(kinds))
        return gibbs_fail(error, GIBBS_ARGUMENT, "regression: unknown kind of response");
    const struct kind *kind = kind_of(r);
    if (!kind->labelled && (r->labels || r->pinned))
        return gibbs_fail(error, GIBBS_ARGUMENT, "%s: has no labels", kind->name);
    if (!r->outputs) r->outputs = 1;
    gibbs_status status = ebm_need_count(kind->name, "given columns", r->given, 1, error);
    if (!status) status = ebm_need_count(kind->name, "outputs", r->outputs, 1, error);
    if (!status && kind->labelled) status = ebm_need_count(kind->name, "labels", r->labels, 2, error);
    if (status) return status;
    if (r->outputs * width_of(r) > INT32_MAX)
        return gibbs_fail(error, GIBBS_SIZE, "%s: too many outputs", kind->name);
    return ebm_features_check(kind->name, &r->features, r->given, error);
}

static const ebm_option options[] = {
    EBM_OPTION(INT, ebm_regression_spec, response),
    EBM_OPTION(INT64, ebm_regression_spec, given),
    EBM_OPTION(INT64, ebm_regression_spec, outputs),
    EBM_OPTION(INT64, ebm_regression_spec, labels),
    EBM_OPTION(INT, ebm_regression_spec, pinned),
    EBM_OPTION(FEATURES, ebm_regression_spec, features),
    EBM_COMMON_OPTIONS(ebm_regression_spec),
};

static gibbs_status make(const void *spec, ebm_model **model, gibbs_error *error)
{
    regression r = *(const ebm_regression_spec *)spec;
    gibbs_status status = check(&r, error);
    if (status) return status;
    int64_t columns = r.outputs * (width_of(&r) - (r.pinned != 0));
    const ebm_parameter parameters[] = {
        {"W", ad_mat(r.features.size, columns), EBM_INIT_CONSTANT, 0},
        {"b", ad_vec(columns), EBM_INIT_CONSTANT, 0},
        {"log_precision", ad_scalar(), EBM_INIT_CONSTANT, 0},
    };
    ebm_build b = ebm_build_start(r.allocator);
    ebm_build_add_all(&b, NULL, parameters, kind_of(&r)->parameters);
    ebm_features_build(&b, "psi.", &r.features);
    ebm_model_spec made = {.dtype = r.dtype, .dim = r.given + r.outputs * width_of(&r), .kind = &ebm_energy_regression,
                           .context = ebm_context_new(&ebm_energy_regression, &r, sizeof r, &b.alloc),
                           .seed = r.seed, .given = r.given};
    return ebm_build_model(&b, made, model, error);
}

const ebm_energy ebm_energy_regression = {
    .name = "regression", .record = energy, .conditional = {log_z, mean, mode},
    EBM_MADE_OF(ebm_regression_spec, options, make),
};

gibbs_status ebm_model_regression(const ebm_regression_spec *spec, ebm_model **model, gibbs_error *error)
{
    return ebm_energy_make(&ebm_energy_regression, spec, model, error);
}
