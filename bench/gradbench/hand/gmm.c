#include "hand.h"

#include <math.h>
#include <string.h>

typedef struct gmm {
    hand_answer answer;
    int64_t d, k, n, below; /* below: elements of a factor under its diagonal */
    double gamma, m, y;
    double *x, *alpha, *mu, *q, *l;
    double *weight, *diagonal, *away, *z, *main, *z_bar;    /* of components; [k, d] twice; [k]; [d] */
    double *d_alpha, *d_mu, *d_q, *d_l;
} gmm;

static double *numbers(gb_run *r, int64_t count) { return gb_memory(r, (size_t)count, sizeof(double)); }

static void open(gb_run *r)
{
    gmm *g = gb_keep(r, sizeof *g);
    int64_t d = g->d = gb_whole(r, "d"), k = g->k = gb_whole(r, "k");
    g->n = gb_whole(r, "n");
    g->below = d * (d - 1) / 2;
    g->gamma = gb_number(r, "gamma");
    g->m = gb_number(r, "m");
    g->x = gb_numbers(r, "x", g->n * d);
    g->alpha = gb_numbers(r, "alpha", k);
    g->mu = gb_numbers(r, "mu", k * d);
    g->q = gb_numbers(r, "q", k * d);
    g->l = gb_numbers(r, "l", k * g->below);
    g->weight = numbers(r, k);
    g->main = numbers(r, k);
    g->diagonal = numbers(r, k * d);
    g->away = numbers(r, k * d);
    g->z = numbers(r, k * d);
    g->d_alpha = numbers(r, k);
    g->d_mu = numbers(r, k * d);
    g->d_q = numbers(r, k * d);
    g->d_l = numbers(r, k * g->below);
    g->answer.number = &g->y;
}

static double logsumexp(int64_t k, const double *v)
{
    double most = v[0], sum = 0;
    for (int64_t j = 1; j < k; j++) most = v[j] > most ? v[j] : most;
    for (int64_t j = 0; j < k; j++) sum += exp(v[j] - most);
    return most + log(sum);
}

static void prepare(gmm *g)
{
    for (int64_t k = 0; k < g->k; k++) {
        g->weight[k] = g->alpha[k];
        for (int64_t j = k * g->d; j < (k + 1) * g->d; j++) {
            g->weight[k] += g->q[j];
            g->diagonal[j] = exp(g->q[j]);
        }
    }
}

/* z = Q(x − μ), column by column, of all components; and of each its log density but for constants. */
static void densities(gmm *g, const double *x)
{
    int64_t d = g->d;
    for (int64_t k = 0; k < g->k; k++) {
        const double *restrict l = g->l + k * g->below, *q = g->diagonal + k * d;
        double *restrict away = g->away + k * d, *restrict z = g->z + k * d, square = 0;
        for (int64_t i = 0; i < d; i++) {
            away[i] = x[i] - g->mu[k * d + i];
            z[i] = q[i] * away[i];
        }
        for (int64_t c = 0; c < d; l += d - ++c)
            for (int64_t i = c + 1; i < d; i++) z[i] += l[i - c - 1] * away[c];
        for (int64_t i = 0; i < d; i++) square += z[i] * z[i];
        g->main[k] = g->weight[k] - 0.5 * square;
    }
}

static double prior(const gmm *g)
{
    double n = (double)g->d + g->m + 1, d = (double)g->d, log_gamma = 0.25 * d * (d - 1) * log(M_PI), sum = 0, q = 0;
    for (int64_t j = 0; j < g->d; j++) log_gamma += lgamma(0.5 * (n - (double)j));
    for (int64_t j = 0; j < g->k * g->d; j++) sum += g->diagonal[j] * g->diagonal[j], q += g->q[j];
    for (int64_t j = 0; j < g->k * g->below; j++) sum += g->l[j] * g->l[j];
    return (double)g->k * (n * d * log(g->gamma * M_SQRT1_2) - log_gamma) - 0.5 * g->gamma * g->gamma * sum + g->m * q;
}

static void objective(gb_run *r)
{
    gmm *g = gb_own(r);
    double sum = 0;
    prepare(g);
    for (int64_t i = 0; i < g->n; i++) {
        densities(g, g->x + i * g->d);
        sum += logsumexp(g->k, g->main);
    }
    g->y = sum + prior(g) - (double)g->n * (0.5 * (double)g->d * log(2 * M_PI) + logsumexp(g->k, g->alpha));
}

/* With a sample's share in component k, z̄ = −share · z. */
static void add_component(gmm *g, int64_t k, double share)
{
    int64_t d = g->d;
    const double *restrict l = g->l + k * g->below, *restrict away = g->away + k * d, *restrict z = g->z + k * d;
    double *restrict dl = g->d_l + k * g->below;
    g->d_alpha[k] += share;
    for (int64_t c = 0; c < d; c++) {
        double back = g->diagonal[k * d + c] * z[c];
        g->d_q[k * d + c] += share * (1 - back * away[c]);
        for (int64_t i = c + 1; i < d; i++) {
            back += l[i - c - 1] * z[i];
            dl[i - c - 1] -= share * z[i] * away[c];
        }
        g->d_mu[k * d + c] += share * back;
        l += d - c - 1;
        dl += d - c - 1;
    }
}

static void add_prior(gmm *g)
{
    double whole = logsumexp(g->k, g->alpha), square = g->gamma * g->gamma;
    for (int64_t k = 0; k < g->k; k++) g->d_alpha[k] -= (double)g->n * exp(g->alpha[k] - whole);
    for (int64_t j = 0; j < g->k * g->d; j++) g->d_q[j] += g->m - square * g->diagonal[j] * g->diagonal[j];
    for (int64_t j = 0; j < g->k * g->below; j++) g->d_l[j] -= square * g->l[j];
}

static void jacobian(gb_run *r)
{
    gmm *g = gb_own(r);
    size_t each = sizeof(double) * (size_t)g->k;
    memset(g->d_alpha, 0, each);
    memset(g->d_mu, 0, each * (size_t)g->d);
    memset(g->d_q, 0, each * (size_t)g->d);
    memset(g->d_l, 0, each * (size_t)g->below);
    prepare(g);
    for (int64_t i = 0; i < g->n; i++) {
        densities(g, g->x + i * g->d);
        double whole = logsumexp(g->k, g->main);
        for (int64_t k = 0; k < g->k; k++) add_component(g, k, exp(g->main[k] - whole));
    }
    add_prior(g);
}

static json_t *gradient_output(gb_run *r)
{
    const gmm *g = gb_own(r);
    ad_shape of_mu = ad_mat(g->k, g->d), of_l = ad_mat(g->k, g->below);
    return json_pack("{sosososo}", "alpha", gb_list(g->d_alpha, g->k), "mu", gb_nested(g->d_mu, &of_mu), "q",
                     gb_nested(g->d_q, &of_mu), "l", gb_nested(g->d_l, &of_l));
}

const gb_function hand_gmm[2] = {
    {"gmm", "objective", open, objective, hand_output},
    {"gmm", "jacobian", open, jacobian, gradient_output},
};
