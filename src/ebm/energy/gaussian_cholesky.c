/* gaussian_cholesky.c — ½|Lᵀ(x − μ)|², the Gaussian of precision P = LLᵀ, L lower triangular with a positive diagonal:
 * P stays positive definite wherever an optimiser goes, and log Z = ½d log 2π − Σ log Lᵢᵢ costs nothing. */
#include "build.h"
#include "ebm/log_z/known_log_z.h"

#include <math.h>

typedef struct factor {
    int64_t dim;
    double index[]; /* [d, d]: where the table of 0, the diagonal and the rest has L's elements */
} factor;

static ad_var energy(ad_var x, const ad_var *theta, void *context)
{
    const factor *f = context;
    ad_tape *tape = x.tape;
    ad_var table = ad_concat(ad_expand(ad_constant(tape, 0), ad_vec(1)), ad_exp(theta[1]), 0);
    if (f->dim > 1) table = ad_concat(table, theta[2], 0);
    ad_var L = ad_gather(table, ad_constant_array(tape, ad_mat(f->dim, f->dim), f->index));
    return ad_scale(ad_sum(ad_square(ad_matmul(ad_sub(x, theta[0]), L))), 0.5);
}

/* Row by row: 0 above the diagonal, 1 + i on it, and the rows below it one after the other. */
static factor *make_factor(int64_t dim, const gibbs_allocator *a)
{
    factor *f = gibbs_alloc(a, sizeof *f + (size_t)(dim * dim) * sizeof *f->index, 1);
    if (!f) return NULL;
    f->dim = dim;
    for (int64_t i = 0; i < dim; i++)
        for (int64_t j = 0; j < dim; j++)
            f->index[i * dim + j] = (double)(j > i ? 0 : j == i ? 1 + i : 1 + dim + i * (i - 1) / 2 + j);
    return f;
}

gibbs_status ebm_model_gaussian_cholesky(int64_t dim, gibbs_dtype dtype, const gibbs_allocator *allocator,
                                         ebm_model **model, gibbs_error *error)
{
    enum { MOST_DIM = 4096 }; /* indices that float32 holds exactly: 1 + d(d+1)/2 ≤ 2²⁴ */
    GIBBS_REQUIRE("gaussian", model, error);
    *model = NULL;
    gibbs_status status = ebm_need_count("gaussian", "dimensions", dim, 1, error);
    if (status) return status;
    if (dim > MOST_DIM)
        return gibbs_fail(error, GIBBS_SIZE, "gaussian: %lld dimensions; a Cholesky factor can have %d", (long long)dim,
                          MOST_DIM);
    ebm_build b = ebm_build_start(allocator);
    ebm_build_add(&b, NULL, &(ebm_parameter){"mean", ad_vec(dim), EBM_INIT_CONSTANT, 0});
    ebm_build_add(&b, NULL, &(ebm_parameter){"log_diagonal", ad_vec(dim), EBM_INIT_CONSTANT, 0});
    if (dim > 1) ebm_build_add(&b, NULL, &(ebm_parameter){"lower", ad_vec(dim * (dim - 1) / 2), EBM_INIT_CONSTANT, 0});
    const ebm_model_spec spec = {.dtype = dtype, .dim = dim, .energy = energy, .context = make_factor(dim, &b.alloc)};
    return ebm_build_owner(&b, spec, model, error);
}

static gibbs_status log_z(ebm_model *model, double *result, gibbs_error *error)
{
    int64_t d = model->dim;
    double *theta = gibbs_alloc(&model->alloc, (size_t)model->size, sizeof *theta);
    double sum = 0.5 * (double)d * log(2 * M_PI);
    if (!theta) return gibbs_fail(error, GIBBS_MEMORY, "log Z: out of memory");
    ebm_model_get(model, theta);
    for (int64_t i = 0; i < d; i++) sum -= theta[d + i];
    gibbs_release(&model->alloc, theta);
    *result = sum;
    return GIBBS_OK;
}

const ebm_known_log_z ebm_gaussian_cholesky_log_z = {energy, log_z};
