/* kernel_template.h — included by kernel.simd.c once per number type T. One pass over memory each; no tail needs
 * care, since +, ·, √ and / round alike in a vector and alone. */

static void NAME(sgd)(int64_t n, T *restrict w, const T *restrict g, void *const *slot, const ebm_optim_step *args)
{
    T *restrict v = slot[0];
    const T decay = (T)args->weight_decay, momentum = (T)args->momentum, rate = (T)args->rate;
#pragma omp simd
    for (int64_t i = 0; i < n; i++) {
        v[i] = momentum * v[i] + (g[i] + decay * w[i]);
        w[i] -= rate * v[i];
    }
}

/* rate and epsilon are already α√(1−β₂ᵗ)/(1−β₁ᵗ) and ε√(1−β₂ᵗ): adam.c. The gradient has decay·w added, or w is
 * multiplied by `keep`; the other of the two is 0, or 1. */
static inline void NAME(moments)(int64_t n, T *restrict w, const T *restrict g, void *const *slot,
                                 const ebm_optim_step *args, T decay, T keep)
{
    T *restrict m = slot[0], *restrict v = slot[1];
    const T rate = (T)args->rate, epsilon = (T)args->epsilon;
    const T b1 = (T)args->beta1, b2 = (T)args->beta2, c1 = (T)(1 - args->beta1), c2 = (T)(1 - args->beta2);
#pragma omp simd
    for (int64_t i = 0; i < n; i++) {
        const T gi = g[i] + decay * w[i];
        m[i] = b1 * m[i] + c1 * gi;
        v[i] = b2 * v[i] + c2 * (gi * gi);
        w[i] = keep * w[i] - rate * m[i] / (SQRT(v[i]) + epsilon);
    }
}

static void NAME(adam)(int64_t n, T *restrict w, const T *restrict g, void *const *slot, const ebm_optim_step *args)
{
    NAME(moments)(n, w, g, slot, args, (T)args->weight_decay, 1);
}

static void NAME(adamw)(int64_t n, T *restrict w, const T *restrict g, void *const *slot, const ebm_optim_step *args)
{
    NAME(moments)(n, w, g, slot, args, 0, (T)args->weight_decay);
}

static void NAME(rmsprop)(int64_t n, T *restrict w, const T *restrict g, void *const *slot, const ebm_optim_step *args)
{
    T *restrict v = slot[0], *restrict u = slot[1];
    const T decay = (T)args->weight_decay, rate = (T)args->rate, epsilon = (T)args->epsilon;
    const T alpha = (T)args->beta2, share = (T)(1 - args->beta2), momentum = (T)args->momentum;
#pragma omp simd
    for (int64_t i = 0; i < n; i++) {
        const T gi = g[i] + decay * w[i];
        v[i] = alpha * v[i] + share * (gi * gi);
        u[i] = momentum * u[i] + gi / (SQRT(v[i]) + epsilon);
        w[i] -= rate * u[i];
    }
}

static void NAME(average)(int64_t n, double *restrict average, const T *restrict w, double weight)
{
#pragma omp simd
    for (int64_t i = 0; i < n; i++) average[i] += weight * ((double)w[i] - average[i]);
}

/* LANES running sums, whatever the width of a vector: for floats, whose squares are exact in double, every
 * instruction set gives the same bits. */
static double NAME(square)(int64_t n, const T *g)
{
    enum { LANES = 32 };
    double lane[LANES] = {0}, sum = 0;
    int64_t i = 0;
    for (; i + LANES <= n; i += LANES)
#pragma omp simd
        for (int j = 0; j < LANES; j++) lane[j] += (double)g[i + j] * (double)g[i + j];
    for (int j = 0; i < n; i++, j++) lane[j] += (double)g[i] * (double)g[i];
    for (int j = 0; j < LANES; j++) sum += lane[j];
    return sum;
}
