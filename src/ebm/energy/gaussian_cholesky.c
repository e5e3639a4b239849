/* gaussian_cholesky.c — ½|Lᵀ(x − μ)|², the Gaussian of precision P = LLᵀ, L lower triangular with a positive diagonal:
 * P stays positive definite wherever an optimiser goes, and log Z = ½d log 2π − Σ log Lᵢᵢ costs nothing. */
#include "build.h"
#include "ships.h"

#include <math.h>

typedef struct spec {
    int64_t dim;
    gibbs_dtype dtype;
    const gibbs_allocator *allocator;
} spec;

typedef struct factor {
    spec spec;
    double index[]; /* [d, d]: where the table of 0, the diagonal and the rest has L's elements */
} factor;

static ad_var energy(ad_var x, const ad_var *theta, void *context)
{
    const factor *f = context;
    ad_tape *tape = x.tape;
    int64_t d = f->spec.dim;
    ad_var table = ad_concat(ad_expand(ad_constant(tape, 0), ad_vec(1)), ad_exp(theta[1]), 0);
    if (d > 1) table = ad_concat(table, theta[2], 0);
    ad_var L = ad_gather(table, ad_constant_array(tape, ad_mat(d, d), f->index));
    return ad_scale(ad_sum(ad_square(ad_matmul(ad_sub(x, theta[0]), L))), 0.5);
}

/* ½ d log 2π/β − Σ log Lᵢᵢ */
static gibbs_status log_z(const double *theta, double beta, void *context, const gibbs_allocator *a, double *result,
                          gibbs_error *error)
{
    int64_t d = ((const factor *)context)->spec.dim;
    (void)a;
    if (!(beta > 0)) return gibbs_fail(error, GIBBS_NUMERIC, "log Z: the density is not normalisable");
    double sum = 0.5 * (double)d * log(2 * M_PI / beta);
    for (int64_t i = 0; i < d; i++) sum -= theta[d + i];
    *result = sum;
    return GIBBS_OK;
}

static const ebm_option options[] = {
    EBM_OPTION(INT64, spec, dim),
    EBM_COMMON_OPTIONS(spec),
};

/* Row by row: 0 above the diagonal, 1 + i on it, and the rows below it one after the other. */
static factor *make_factor(const spec *s, const gibbs_allocator *a)
{
    int64_t dim = s->dim;
    size_t bytes = sizeof(factor) + (size_t)(dim * dim) * sizeof(double);
    factor *f = ebm_context_new(&ebm_energy_gaussian_cholesky, s, bytes, a);
    for (int64_t i = 0; f && i < dim; i++)
        for (int64_t j = 0; j < dim; j++)
            f->index[i * dim + j] = (double)(j > i ? 0 : j == i ? 1 + i : 1 + dim + i * (i - 1) / 2 + j);
    return f;
}

static gibbs_status make(const void *from, ebm_model **model, gibbs_error *error)
{
    enum { MOST_DIM = 4096 }; /* indices that float32 holds exactly: 1 + d(d+1)/2 ≤ 2²⁴ */
    const spec *s = from;
    int64_t dim = s->dim;
    gibbs_status status = ebm_need_count("gaussian", "dimensions", dim, 1, error);
    if (status) return status;
    if (dim > MOST_DIM)
        return gibbs_fail(error, GIBBS_SIZE, "gaussian: %lld dimensions; a Cholesky factor can have %d", (long long)dim,
                          MOST_DIM);
    ebm_build b = ebm_build_start(s->allocator);
    ebm_build_add(&b, NULL, &(ebm_parameter){"mean", ad_vec(dim), EBM_INIT_CONSTANT, 0});
    ebm_build_add(&b, NULL, &(ebm_parameter){"log_diagonal", ad_vec(dim), EBM_INIT_CONSTANT, 0});
    if (dim > 1) ebm_build_add(&b, NULL, &(ebm_parameter){"lower", ad_vec(dim * (dim - 1) / 2), EBM_INIT_CONSTANT, 0});
    ebm_model_spec made = {.dtype = s->dtype, .dim = dim, .kind = &ebm_energy_gaussian_cholesky,
                           .context = make_factor(s, &b.alloc)};
    return ebm_build_model(&b, made, model, error);
}

const ebm_energy ebm_energy_gaussian_cholesky = {
    .name = "gaussian_cholesky", .record = energy, .log_z = log_z,
    EBM_MADE_OF(spec, options, make),
};

gibbs_status ebm_model_gaussian_cholesky(int64_t dim, gibbs_dtype dtype, const gibbs_allocator *allocator,
                                         ebm_model **model, gibbs_error *error)
{
    return ebm_energy_make(&ebm_energy_gaussian_cholesky, &(spec){dim, dtype, allocator}, model, error);
}
