/* energies.c — see energies.h. */
#include "energies.h"

#include "user_ops.h"

static ad_var parameter(problem *p, ad_shape shape) { return problem_on(p, problem_shared(p), shape, -0.8, 0.8); }

ad_var energy_mlp(problem *p, ad_var x, int64_t h, int layers, ad_var (*activation)(ad_var))
{
    ad_var z = x;
    for (int l = 0; l < layers; l++) {
        int64_t n = ad_shape_of(z).dim[0];
        ad_var W = parameter(p, ad_mat(n, h)), b = parameter(p, ad_vec(h));
        z = activation(ad_add(ad_matmul(z, W), b));
    }
    return ad_dot(z, parameter(p, ad_vec(h)));
}

#define MLP(name) \
    static ad_var mlp_##name(problem *p, ad_var x) { return energy_mlp(p, x, 5, 2, ad_##name); }
MLP(softplus)
MLP(tanh)
MLP(sigmoid)
MLP(silu)
MLP(gelu)
MLP(logcosh)
MLP(sin)
MLP(erf)

/* (x·x)² weighted, plus a quadratic form. */
static ad_var quartic(problem *p, ad_var x)
{
    ad_var form = ad_quadratic_form(x, parameter(p, ad_mat(3, 3)));
    return ad_add(ad_add(form, ad_square(form)), ad_dot(parameter(p, ad_vec(3)), ad_square(ad_square(x))));
}

/* A mixture of five Gaussians with diagonal precisions. */
static ad_var mixture(problem *p, ad_var x)
{
    ad_var away = ad_sub(x, parameter(p, ad_mat(5, 3))), precision = ad_exp(parameter(p, ad_mat(5, 3)));
    ad_var density = ad_scale(ad_sum_dims(ad_mul(precision, ad_square(away)), 2), -0.5);
    return ad_neg(ad_log_mixture(parameter(p, ad_vec(5)), density));
}

static ad_var product(problem *p, ad_var x)
{
    ad_var a = ad_sin(ad_matmul(x, parameter(p, ad_mat(3, 4)))), b = ad_exp(ad_matmul(x, parameter(p, ad_mat(3, 4))));
    ad_var diagonal = ad_dot(ad_mul(ad_tanh(x), ad_cos(x)), parameter(p, ad_vec(3)));
    return ad_add(ad_dot(a, b), ad_mul(diagonal, ad_sum(b)));
}

/* Both sides of the products depend on x: plain, transposed, with a leading dimension, and a factor with itself. */
static ad_var active_products(problem *p, ad_var x)
{
    ad_var A = ad_reshape(ad_sin(ad_mul(x, parameter(p, ad_vec(4)))), ad_mat(2, 2));
    ad_var B = ad_tanh(ad_matmul(A, parameter(p, ad_mat(2, 3))));
    ad_var cube = ad_reshape(ad_concat(A, ad_square(A), 0), ad_cube(2, 2, 2));
    ad_var E = ad_dot(ad_matmul(ad_transpose(A), B), parameter(p, ad_mat(2, 3)));
    E = ad_add(E, ad_dot(ad_matmul(cube, B), parameter(p, ad_cube(2, 2, 3))));
    E = ad_add(E, ad_dot(ad_matmul(cube, ad_transpose(cube)), parameter(p, ad_cube(2, 2, 2))));
    return ad_add(E, ad_quadratic_form(ad_sin(x), parameter(p, ad_mat(4, 4))));
}

static ad_var users(problem *p, ad_var x)
{
    ad_var z = ad_matmul(x, parameter(p, ad_mat(3, 3))), theta = parameter(p, ad_vec(3));
    ad_var wave = ad_user(&user_wave, (ad_var[]){z, ad_mul(x, theta)});
    ad_var blend = ad_user(&user_blend, (ad_var[]){x, theta, ad_sin(z), wave});
    return ad_add(blend, ad_dot(wave, ad_user(&user_cube, &x)));
}

static ad_var quotients(problem *p, ad_var x)
{
    ad_var s = ad_shift(ad_square(x), 1), w = ad_exp(parameter(p, ad_vec(3)));
    ad_var root = ad_sqrt(ad_add(ad_sum(ad_mul(w, ad_square(x))), ad_constant(x.tape, 1)));
    ad_var ratio = ad_sum(ad_div(ad_mul(x, parameter(p, ad_vec(3))), s));
    ad_var power = ad_sum(ad_pow(s, ad_add(ad_sin(x), parameter(p, ad_vec(3)))));
    ad_var norm = ad_div(ad_norm(ad_add(x, w)), ad_log(ad_add(root, power)));
    return ad_add(ad_add(ratio, norm), ad_add(ad_recip(root), ad_sum(ad_log1p(ad_expm1(ad_mul(w, ad_square(x)))))));
}

/* Slices, concatenations, gathers, permutations, pads and scatters of x, and of dense functions of it. */
static ad_var structure(problem *p, ad_var x)
{
    static const double pick[] = {3, 0, 0, 2}, place[] = {1, 2, 1, 0};
    static const int order[] = {2, 0, 1};
    ad_tape *t = x.tape;
    ad_var i = ad_constant_array(t, ad_vec(4), pick), j = ad_constant_array(t, ad_vec(4), place);
    ad_var head = ad_slice(x, 0, 0, 2), tail = ad_slice(x, 0, 1, 3);
    ad_var joined = ad_sin(ad_concat(tail, ad_concat(ad_square(head), ad_gather(x, i), 0), 0));
    ad_var cube = ad_permute(ad_reshape(ad_matmul(joined, parameter(p, ad_mat(9, 8))), ad_cube(2, 2, 2)), order);
    ad_var padded = ad_pad(ad_slice(ad_exp(cube), 1, 1, 1), 1, 1, 0);
    ad_var rows = ad_scatter_add(ad_mul(ad_reshape(padded, ad_mat(4, 2)), ad_reshape(x, ad_mat(4, 1))), j, 3);
    ad_var expanded = ad_mul(ad_expand(ad_reshape(ad_tanh(x), ad_mat(4, 1)), ad_mat(4, 2)), ad_gather(rows, j));
    return ad_add(ad_logsumexp(expanded), ad_dot(ad_square(rows), parameter(p, ad_mat(3, 2))));
}

/* x is shared: reductions over the data lie on the path. */
static ad_var batches(problem *p, ad_var x)
{
    ad_var z = problem_on(p, p->data, ad_vec(4), -1, 1), W = parameter(p, ad_mat(4, 4));
    ad_var score = ad_dot(ad_sin(ad_mul(z, x)), ad_matmul(x, W));
    ad_var both = ad_tanh(ad_mul(ad_matmul(z, W), x));
    ad_var matrix = ad_batch_matmul(p->data, both, ad_mul(z, ad_square(x)));
    ad_var centred = ad_sub(score, ad_batch_mean(p->data, score));
    ad_var index = ad_constant(x.tape, 1);
    ad_var moved = ad_batch_gather(centred, ad_lift(p->other, index));
    ad_var E = ad_add(ad_batch_logsumexp(p->data, score), ad_batch_sum(p->data, ad_square(centred)));
    E = ad_add(E, ad_batch_mean(p->other, ad_exp(moved)));
    return ad_add(E, ad_add(ad_dot(matrix, parameter(p, ad_mat(4, 4))), ad_dot(matrix, ad_sin(matrix))));
}

const energy energies_all[] = {
    {"mlp softplus", 3, false, mlp_softplus}, {"mlp tanh", 3, false, mlp_tanh}, {"mlp sigmoid", 3, false, mlp_sigmoid},
    {"mlp silu", 3, false, mlp_silu}, {"mlp gelu", 3, false, mlp_gelu}, {"mlp logcosh", 3, false, mlp_logcosh},
    {"mlp sin", 3, false, mlp_sin}, {"mlp erf", 3, false, mlp_erf}, {"quartic", 3, false, quartic},
    {"mixture", 3, false, mixture}, {"product", 3, false, product}, {"active products", 4, false, active_products},
    {"user ops", 3, false, users}, {"quotients", 3, false, quotients}, {"structure", 4, false, structure},
    {"batches", 4, true, batches},
};
const int energies_count = (int)(sizeof energies_all / sizeof energies_all[0]);
