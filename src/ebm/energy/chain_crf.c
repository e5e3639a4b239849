/* chain_crf.c — the linear-chain conditional random field (Lafferty, McCallum & Pereira 2001):
 *
 *     E(x, y) = −Σₜ (ψₜ W + b)·yₜ − Σₜ yₜᵀ A yₜ₊₁
 *
 * for positions t = 1 … T with features ψₜ and one-hot labels yₜ. log Z(x) is the forward algorithm, recorded:
 * α₁ = u₁, αₜ₊₁ = uₜ₊₁ + log Σ_k exp(αₜ[k] + A[k, ·]), with u = ψW + b. */
#include "features.h"
#include "ships.h"

#include "autodiff/tape/tape.h"
#include "ebm/model/conditional.h"

typedef ebm_chain_crf_spec chain; /* features of size length × p */

enum { W, B, A, OWN };

/* u, of shape [length, labels]. */
static ad_var potentials(const chain *c, ad_var x, const ad_var *theta)
{
    ad_var psi = ebm_features_at(&c->features, x, theta + OWN);
    ad_var rows = ad_reshape(psi, ad_mat(c->length, c->features.size / c->length));
    return ad_add(ad_matmul(rows, theta[W]), theta[B]);
}

static ad_var energy(ad_var row, const ad_var *theta, void *context)
{
    const chain *c = context;
    ad_var y = ad_reshape(ebm_modelled(row, c->given), ad_mat(c->length, c->labels));
    ad_var f = ad_dot(potentials(c, ebm_given(row, c->given), theta), y);
    if (c->length > 1) {
        ad_var from = ad_slice(y, 0, 0, c->length - 1), to = ad_slice(y, 0, 1, c->length - 1);
        f = ad_add(f, ad_dot(ad_matmul(from, theta[A]), to));
    }
    return ad_neg(f);
}

/* ---- Dynamic programming: over all paths by log Σ exp (the forward algorithm), over the best one by max (Viterbi)
 * ---- */

typedef ad_var (*over_paths)(ad_var x, unsigned mask);

static ad_var at(const chain *c, ad_var u, int64_t t) { return ad_reshape(ad_slice(u, 0, t, 1), ad_vec(c->labels)); }

/* A step along the chain from the labels that end at t − 1, to those that end at t with potentials u. */
static ad_var forward(const chain *c, over_paths over, ad_var before, ad_var u, ad_var step)
{
    return ad_add(u, over(ad_add(ad_reshape(before, ad_mat(c->labels, 1)), step), 1u << 0));
}

static ad_var log_z(ad_var x, const ad_var *theta, void *context)
{
    const chain *c = context;
    ad_var u = potentials(c, x, theta), alpha = at(c, u, 0);
    for (int64_t t = 1; t < c->length; t++) alpha = forward(c, ad_logsumexp_dims, alpha, at(c, u, t), theta[A]);
    return ad_logsumexp(alpha);
}

/* y, from one vector for each position. */
static ad_var joined(const chain *c, const ad_var *position)
{
    ad_var y = position[0];
    for (int64_t t = 1; t < c->length; t++) y = ad_concat(y, position[t], 0);
    return y;
}

/* p(yₜ | x) = softmax(αₜ + βₜ), βₜ[j] = log Σ_k exp(A[j,k] + uₜ₊₁[k] + βₜ₊₁[k]). */
static void marginals(const chain *c, ad_var u, ad_var step, ad_var *position)
{
    ad_var beta = ad_expand(ad_constant(u.tape, 0), ad_vec(c->labels));
    for (int64_t t = 0; t < c->length; t++)
        position[t] = t ? forward(c, ad_logsumexp_dims, position[t - 1], at(c, u, t), step) : at(c, u, 0);
    for (int64_t t = c->length - 1; t >= 0; t--) {
        ad_var next = ad_add(at(c, u, t), beta);
        position[t] = ad_softmax(ad_add(position[t], beta));
        beta = ad_logsumexp_dims(ad_add(step, next), 1u << 1);
    }
}

/* δₜ as αₜ with max; then from the last label back, each the best before the one that was chosen. */
static void best_path(const chain *c, ad_var u, ad_var step, ad_var *position)
{
    for (int64_t t = 0; t < c->length; t++)
        position[t] = t ? forward(c, ad_max_reduce_dims, position[t - 1], at(c, u, t), step) : at(c, u, 0);
    for (int64_t t = c->length - 1; t >= 0; t--) {
        ad_var score = position[t];
        if (t < c->length - 1) score = ad_add(score, ad_matmul(step, position[t + 1]));
        position[t] = ebm_first_largest(score);
    }
}

static ad_var decode(ad_var x, const ad_var *theta, const chain *c,
                     void (*fill)(const chain *, ad_var, ad_var, ad_var *))
{
    gibbs_allocator a = x.tape->alloc;
    ad_var *position = gibbs_alloc(&a, (size_t)c->length, sizeof *position);
    if (!position) return ad_fail(x.tape, GIBBS_MEMORY, "chain crf: out of memory");
    fill(c, potentials(c, x, theta), theta[A], position);
    ad_var y = joined(c, position);
    gibbs_release(&a, position);
    return y;
}

static ad_var mean(ad_var x, const ad_var *theta, void *context) { return decode(x, theta, context, marginals); }
static ad_var mode(ad_var x, const ad_var *theta, void *context) { return decode(x, theta, context, best_path); }

static gibbs_status check(chain *c, gibbs_error *error)
{
    gibbs_status status = ebm_need_count("chain crf", "given columns", c->given, 1, error);
    if (!status) status = ebm_need_count("chain crf", "positions", c->length, 1, error);
    if (!status) status = ebm_need_count("chain crf", "labels", c->labels, 2, error);
    if (!status) status = ebm_features_check("chain crf", &c->features, c->given, error);
    if (status) return status;
    if (c->features.size % c->length)
        return gibbs_fail(error, GIBBS_SHAPE, "chain crf: %lld features do not divide into %lld positions",
                          (long long)c->features.size, (long long)c->length);
    if (c->length * c->labels > INT32_MAX)
        return gibbs_fail(error, GIBBS_SIZE, "chain crf: too many positions and labels");
    return GIBBS_OK;
}

static const ebm_option options[] = {
    EBM_OPTION(INT64, ebm_chain_crf_spec, given),
    EBM_OPTION(INT64, ebm_chain_crf_spec, length),
    EBM_OPTION(INT64, ebm_chain_crf_spec, labels),
    EBM_OPTION(FEATURES, ebm_chain_crf_spec, features),
    EBM_COMMON_OPTIONS(ebm_chain_crf_spec),
};

static gibbs_status make(const void *spec, ebm_model **model, gibbs_error *error)
{
    chain c = *(const ebm_chain_crf_spec *)spec;
    gibbs_status status = check(&c, error);
    if (status) return status;
    const ebm_parameter parameters[OWN] = {
        {"W", ad_mat(c.features.size / c.length, c.labels), EBM_INIT_CONSTANT, 0},
        {"b", ad_vec(c.labels), EBM_INIT_CONSTANT, 0},
        {"A", ad_mat(c.labels, c.labels), EBM_INIT_CONSTANT, 0},
    };
    ebm_build b = ebm_build_start(c.allocator);
    ebm_build_add_all(&b, NULL, parameters, OWN);
    ebm_features_build(&b, "psi.", &c.features);
    ebm_model_spec made = {.dtype = c.dtype, .dim = c.given + c.length * c.labels, .kind = &ebm_energy_chain_crf,
                           .context = ebm_context_new(&ebm_energy_chain_crf, &c, sizeof c, &b.alloc), .seed = c.seed,
                           .given = c.given};
    return ebm_build_model(&b, made, model, error);
}

const ebm_energy ebm_energy_chain_crf = {
    .name = "chain crf", .record = energy, .conditional = {log_z, mean, mode},
    EBM_MADE_OF(ebm_chain_crf_spec, options, make),
};

gibbs_status ebm_model_chain_crf(const ebm_chain_crf_spec *spec, ebm_model **model, gibbs_error *error)
{
    return ebm_energy_make(&ebm_energy_chain_crf, spec, model, error);
}
