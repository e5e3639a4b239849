/* user_ops.c — each op is one formula, written once as a macro and expanded for float, double and quad. */
#define _GNU_SOURCE
#include "user_ops.h"

#include "quad.h"

#include <math.h>
#include <string.h>

#define WAVE(e, FN) (out[e] = in[0][e] * in[0][e] * FN(in[1][e]))
#define BLEND(e, FN) (out[0] = (e ? out[0] : 0) + in[0][e] * in[1][e] * in[1][e] * in[2][e] + FN(in[3][e]))
#define CUBE(e, FN) (out[e] = in[0][e] * in[0][e] * in[0][e])
#define SLOPE(e, FN) (out[e] = 3 * in[0][e] * in[0][e])

/* One sample; and for the engine all rows, where a shared argument does not move on. */
#define ONE(name, FORMULA, REAL, FN)                                      \
    static void name##_##REAL(const REAL *const *in, REAL *out)           \
    {                                                                     \
        for (int e = 0; e < USER_SIZE; e++) FORMULA(e, FN);               \
    }
#define ROWS(name, arguments, width, REAL)                                                                   \
    static void name##_rows_##REAL(int64_t rows, const void *const *in, const int *shared, void *out)        \
    {                                                                                                        \
        for (int64_t r = 0; r < rows; r++) {                                                                 \
            const REAL *at[arguments];                                                                       \
            for (int k = 0; k < arguments; k++) at[k] = (const REAL *)in[k] + (shared[k] ? 0 : r) * USER_SIZE; \
            name##_##REAL(at, (REAL *)out + r * width);                                                      \
        }                                                                                                    \
    }
#define KERNEL(name, FORMULA, arguments, width)                                                          \
    ONE(name, FORMULA, float, sinf)                                                                      \
    ONE(name, FORMULA, double, sin)                                                                      \
    ONE(name, FORMULA, quad, quad_sin)                                                                   \
    ROWS(name, arguments, width, float)                                                                  \
    ROWS(name, arguments, width, double)                                                                 \
    static void name##_kernel(void *context, gibbs_dtype dtype, int64_t rows, const void *const *in,     \
                              const int *shared, void *out)                                              \
    {                                                                                                    \
        (void)context;                                                                                   \
        (dtype == GIBBS_FLOAT64 ? name##_rows_double : name##_rows_float)(rows, in, shared, out);        \
    }                                                                                                    \
    static quad_user name##_context = {name##_quad};
KERNEL(wave, WAVE, 2, USER_SIZE)
KERNEL(blend, BLEND, 4, 1)
KERNEL(cube, CUBE, 1, USER_SIZE)
KERNEL(slope, SLOPE, 1, USER_SIZE)

static int same_shape(void *context, const ad_shape *in, ad_shape *out, gibbs_error *error)
{
    (void)context, (void)error;
    *out = in[0];
    return in[0].rank != 1 || in[0].dim[0] != USER_SIZE;
}

static int scalar_shape(void *context, const ad_shape *in, ad_shape *out, gibbs_error *error)
{
    int bad = same_shape(context, in, out, error);
    *out = ad_scalar();
    return bad;
}

static ad_var wave_vjp(void *context, const ad_var *in, ad_var y, ad_var ybar, int which)
{
    (void)context, (void)y;
    ad_var a = in[0], b = in[1];
    ad_var d = which ? ad_mul(ad_square(a), ad_cos(b)) : ad_mul(ad_scale(a, 2), ad_sin(b));
    return ad_mul(ybar, d);
}

static ad_var blend_vjp(void *context, const ad_var *in, ad_var y, ad_var ybar, int which)
{
    (void)context, (void)y;
    ad_var a = in[0], b = in[1], c = in[2], d = in[3];
    switch (which) {
    case 0: return ad_mul(ybar, ad_mul(ad_square(b), c));
    case 1: return ad_mul(ybar, ad_mul(ad_scale(b, 2), ad_mul(a, c)));
    case 2: return ad_mul(ybar, ad_mul(a, ad_square(b)));
    default: return ad_mul(ybar, ad_cos(d));
    }
}

static ad_var slope_wrong_vjp(void *context, const ad_var *in, ad_var y, ad_var ybar, int which)
{
    (void)context, (void)y, (void)which;
    return ad_mul(ybar, ad_scale(in[0], 6.01));
}

static const ad_user_op wrong_slope = {
    "wrong_slope", 1, same_shape, slope_kernel, slope_wrong_vjp, 1, &slope_context};

static ad_var cube_vjp(void *context, const ad_var *in, ad_var y, ad_var ybar, int which)
{
    (void)context, (void)y, (void)which;
    return ad_mul(ybar, ad_scale(ad_square(in[0]), 3));
}

static ad_var cube_wrong_vjp(void *context, const ad_var *in, ad_var y, ad_var ybar, int which)
{
    return ad_scale(cube_vjp(context, in, y, ybar, which), 3.01 / 3);
}

static ad_var cube_wrong_second_vjp(void *context, const ad_var *in, ad_var y, ad_var ybar, int which)
{
    (void)context, (void)y, (void)which;
    return ad_mul(ybar, ad_user(&wrong_slope, in));
}

const ad_user_op user_wave = {"wave", 2, same_shape, wave_kernel, wave_vjp, 1, &wave_context};
const ad_user_op user_blend = {"blend", 4, scalar_shape, blend_kernel, blend_vjp, 1, &blend_context};
const ad_user_op user_cube = {"cube", 1, same_shape, cube_kernel, cube_vjp, 1, &cube_context};
const ad_user_op user_rough_cube = {"rough_cube", 1, same_shape, cube_kernel, cube_vjp, 0, &cube_context};
const ad_user_op user_wrong_first = {"wrong_first", 1, same_shape, cube_kernel, cube_wrong_vjp, 1, &cube_context};
const ad_user_op user_wrong_second = {
    "wrong_second", 1, same_shape, cube_kernel, cube_wrong_second_vjp, 1, &cube_context};
