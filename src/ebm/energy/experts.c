/* experts.c — products of experts on linear features: E(x) = Σᵢ αᵢ G((xW)ᵢ). Complete (as many experts as dimensions)
 * it is independent component analysis, p(x) = |det W| Π p_G((xW)ᵢ); overcomplete, Welling, Hinton & Osindero's
 * product of Student-t distributions or Hyvärinen's energy of score matching. */
#include "build.h"
#include "ships.h"

#include <math.h>
#include <string.h>

enum { W, LOG_ALPHA };

ad_var ebm_student_expert(ad_var u)
{
    return ad_log1p(ad_scale(ad_square(u), 0.5));
}

static ad_var energy(ad_var x, const ad_var *theta, void *context)
{
    const ebm_experts_spec *s = context;
    ad_var terms = s->expert(ad_matmul(x, theta[W]));
    return s->learn_weights ? ad_matmul(ad_exp(theta[LOG_ALPHA]), terms) : ad_sum(terms);
}

/* ---- log Z of a complete model: Σᵢ log ∫ exp(−αᵢ G(u)) du − log|det W| ---- */

static double logcosh_integral(double alpha)
{
    return alpha > 0 ? 0.5 * log(M_PI) + lgamma(0.5 * alpha) - lgamma(0.5 * (alpha + 1)) : INFINITY;
}

static double student_integral(double alpha) /* ∞ where there is none */
{
    return alpha > 0.5 ? 0.5 * log(2 * M_PI) + lgamma(alpha - 0.5) - lgamma(alpha) : INFINITY;
}

static const struct known_expert {
    ebm_activation G;
    double (*log_integral)(double alpha);
} known[] = {{ad_logcosh, logcosh_integral}, {ebm_student_expert, student_integral}};

static void swap_rows(double *a, double *b, int64_t n)
{
    for (int64_t j = 0; j < n; j++) {
        double t = a[j];
        a[j] = b[j];
        b[j] = t;
    }
}

/* log|det A| by elimination with pivots, in place; −∞ when singular. */
static double log_abs_det(double *A, int64_t n)
{
    double sum = 0;
    for (int64_t k = 0; k < n; k++) {
        int64_t pivot = k;
        for (int64_t i = k + 1; i < n; i++)
            if (fabs(A[i * n + k]) > fabs(A[pivot * n + k])) pivot = i;
        swap_rows(A + k * n, A + pivot * n, pivot == k ? 0 : n);
        double top = A[k * n + k];
        if (top == 0) return -INFINITY;
        sum += log(fabs(top));
        for (int64_t i = k + 1; i < n; i++) {
            double factor = A[i * n + k] / top;
            for (int64_t j = k; j < n; j++) A[i * n + j] -= factor * A[k * n + j];
        }
    }
    return sum;
}

static gibbs_status log_z(const double *theta, double beta, void *context, const gibbs_allocator *a, double *result,
                          gibbs_error *error)
{
    const ebm_experts_spec *s = context;
    int64_t d = s->dim, m = s->experts;
    int k = 0;
    while (k < GIBBS_COUNT(known) && known[k].G != s->expert) k++;
    if (m != d || k == GIBBS_COUNT(known))
        return gibbs_fail(error, GIBBS_ARGUMENT, m != d ? "log Z: %lld experts in %lld dimensions have no closed form"
                                                        : "log Z: no closed form for these %lld experts (dim %lld)",
                          (long long)m, (long long)d);
    double *matrix = gibbs_alloc(a, (size_t)(d * d), sizeof *matrix), sum = 0;
    if (!matrix) return gibbs_fail(error, GIBBS_MEMORY, "log Z: out of memory");
    memcpy(matrix, theta, (size_t)(d * d) * sizeof *matrix);
    for (int64_t i = 0; i < d; i++) sum += known[k].log_integral(beta * (s->learn_weights ? exp(theta[d * d + i]) : 1));
    sum -= log_abs_det(matrix, d);
    gibbs_release(a, matrix);
    if (!isfinite(sum)) return gibbs_fail(error, GIBBS_NUMERIC, "log Z: the density is not normalisable");
    *result = sum;
    return GIBBS_OK;
}

/* ---- Making one ---- */

static const ebm_option options[] = {
    EBM_OPTION(INT64, ebm_experts_spec, dim),
    EBM_OPTION(INT64, ebm_experts_spec, experts),
    EBM_OPTION(ACTIVATION, ebm_experts_spec, expert),
    EBM_OPTION(INT, ebm_experts_spec, learn_weights),
    EBM_COMMON_OPTIONS(ebm_experts_spec),
};

static gibbs_status make(const void *spec, ebm_model **model, gibbs_error *error)
{
    ebm_experts_spec s = *(const ebm_experts_spec *)spec;
    gibbs_status status = ebm_need_count("experts", "dimensions", s.dim, 1, error);
    if (!status) status = ebm_need_count("experts", "experts", s.experts, 1, error);
    if (status) return status;
    if (!s.expert) s.expert = ad_logcosh;
    ebm_build b = ebm_build_start(s.allocator);
    ebm_build_add(&b, NULL, &(ebm_parameter){"W", ad_mat(s.dim, s.experts), EBM_INIT_GLOROT, 1});
    if (s.learn_weights)
        ebm_build_add(&b, NULL, &(ebm_parameter){"log_alpha", ad_vec(s.experts), EBM_INIT_CONSTANT, 0});
    ebm_model_spec made = {.dtype = s.dtype, .dim = s.dim, .kind = &ebm_energy_experts,
                           .context = ebm_context_new(&ebm_energy_experts, &s, sizeof s, &b.alloc), .seed = s.seed};
    return ebm_build_model(&b, made, model, error);
}

const ebm_energy ebm_energy_experts = {
    .name = "experts", .record = energy, .log_z = log_z,
    EBM_MADE_OF(ebm_experts_spec, options, make),
};

gibbs_status ebm_model_experts(const ebm_experts_spec *spec, ebm_model **model, gibbs_error *error)
{
    return ebm_energy_make(&ebm_energy_experts, spec, model, error);
}
