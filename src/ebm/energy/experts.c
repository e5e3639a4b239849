/* experts.c — products of experts on linear features: E(x) = Σᵢ αᵢ G((xW)ᵢ). Complete (as many experts as dimensions)
 * it is independent component analysis, p(x) = |det W| Π p_G((xW)ᵢ); overcomplete, Welling, Hinton & Osindero's
 * product of Student-t distributions or Hyvärinen's energy of score matching. */
#include "build.h"
#include "ebm/log_z/known_log_z.h"

#include <math.h>

typedef struct experts {
    ebm_activation G;
    bool weighted; /* αᵢ = exp(log_alphaᵢ); else 1 */
} experts;

enum { W, LOG_ALPHA };

ad_var ebm_student_expert(ad_var u)
{
    return ad_log1p(ad_scale(ad_square(u), 0.5));
}

static ad_var energy(ad_var x, const ad_var *theta, void *context)
{
    const experts *e = context;
    ad_var terms = e->G(ad_matmul(x, theta[W]));
    return e->weighted ? ad_matmul(ad_exp(theta[LOG_ALPHA]), terms) : ad_sum(terms);
}

gibbs_status ebm_model_experts(const ebm_experts_spec *spec, ebm_model **model, gibbs_error *error)
{
    GIBBS_REQUIRE("experts", spec && model, error);
    *model = NULL;
    gibbs_status status = ebm_need_count("experts", "dimensions", spec->dim, 1, error);
    if (!status) status = ebm_need_count("experts", "experts", spec->experts, 1, error);
    if (status) return status;
    const experts own = {spec->expert ? spec->expert : ad_logcosh, spec->learn_weights != 0};
    const ebm_parameter parameters[] = {
        {"W", ad_mat(spec->dim, spec->experts), EBM_INIT_GLOROT, 1},
        {"log_alpha", ad_vec(spec->experts), EBM_INIT_CONSTANT, 0},
    };
    ebm_build b = ebm_build_start(spec->allocator);
    ebm_build_add_all(&b, NULL, parameters, 1 + own.weighted);
    ebm_model_spec made = {.dtype = spec->dtype, .dim = spec->dim, .energy = energy,
                           .context = ebm_build_copy(&b, &own, sizeof own), .seed = spec->seed};
    return ebm_build_owner(&b, made, model, error);
}

/* ---- log Z of a complete model: Σᵢ log ∫ exp(−αᵢ G(u)) du − log|det W| ---- */

static double logcosh_integral(double alpha)
{
    return 0.5 * log(M_PI) + lgamma(0.5 * alpha) - lgamma(0.5 * (alpha + 1));
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

static double complete_log_z(double *theta, int64_t d, bool weighted, double (*log_integral)(double))
{
    double sum = 0;
    for (int64_t i = 0; i < d; i++) sum += log_integral(weighted ? exp(theta[d * d + i]) : 1);
    return sum - log_abs_det(theta, d);
}

static gibbs_status log_z(ebm_model *model, double *result, gibbs_error *error)
{
    const experts *e = model->context;
    int64_t d = model->dim, m = model->parameter[W].count / d;
    int k = 0;
    while (k < GIBBS_COUNT(known) && known[k].G != e->G) k++;
    if (m != d || k == GIBBS_COUNT(known))
        return gibbs_fail(error, GIBBS_ARGUMENT, m != d ? "log Z: %lld experts in %lld dimensions have no closed form"
                                                        : "log Z: no closed form for these %lld experts (dim %lld)",
                          (long long)m, (long long)d);
    double *theta = gibbs_alloc(&model->alloc, (size_t)model->size, sizeof *theta);
    if (!theta) return gibbs_fail(error, GIBBS_MEMORY, "log Z: out of memory");
    ebm_model_get(model, theta);
    double value = complete_log_z(theta, d, e->weighted, known[k].log_integral);
    gibbs_release(&model->alloc, theta);
    if (!isfinite(value)) return gibbs_fail(error, GIBBS_NUMERIC, "log Z: the density is not normalisable");
    *result = value;
    return GIBBS_OK;
}

const ebm_known_log_z ebm_experts_log_z = {energy, log_z};
