/* kernel_template.h — included by kernel.simd.c once per number type T. One pass over memory each; no tail needs
 * care, since +, ·, √ and / round alike in a vector and alone. */

static void NAME(sgd)(int64_t n, T *restrict w, const T *restrict g, T *restrict v, const ebm_optim_step *args)
{
    const T decay = (T)args->weight_decay, momentum = (T)args->momentum, rate = (T)args->rate;
#pragma omp simd
    for (int64_t i = 0; i < n; i++) {
        v[i] = momentum * v[i] + (g[i] + decay * w[i]);
        w[i] -= rate * v[i];
    }
}

/* rate and epsilon are already α√(1−β₂ᵗ)/(1−β₁ᵗ) and ε√(1−β₂ᵗ): adam.c. */
static void NAME(adam)(int64_t n, T *restrict w, const T *restrict g, T *restrict state, const ebm_optim_step *args)
{
    T *restrict m = state, *restrict v = state + n;
    const T decay = (T)args->weight_decay, rate = (T)args->rate, epsilon = (T)args->epsilon;
    const T b1 = (T)args->beta1, b2 = (T)args->beta2, c1 = (T)(1 - args->beta1), c2 = (T)(1 - args->beta2);
#pragma omp simd
    for (int64_t i = 0; i < n; i++) {
        const T gi = g[i] + decay * w[i];
        m[i] = b1 * m[i] + c1 * gi;
        v[i] = b2 * v[i] + c2 * (gi * gi);
        w[i] -= rate * m[i] / (SQRT(v[i]) + epsilon);
    }
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
