/* Sums with products, and softplus with sigmoid, each computed by one instruction: in every role that they can have
 * in a program, values against the quadruple-precision interpreter, and how many are fused counted in the plan. */
#include "fuse_check.h"
#include "support/energies.h"

static ad_var square(problem *p) { return ad_tanh(data(p, ad_mat(3, 3))); }

/* x + y with x recorded first, which decides the order of the sum's operands. */
#define SUM(name, first, second)                         \
    static int name(problem *p, ad_var *out)             \
    {                                                    \
        ad_var x = first, y = second;                    \
        out[0] = ad_tanh(ad_add(x, y));                  \
        return 1;                                        \
    }

/* ---- Sums with products: which operand, and what lies between ---- */

SUM(product_first, product(p), term(p))
SUM(product_second, term(p), product(p))
SUM(two_products, product(p), product(p))
SUM(three_products, ad_add(product(p), product(p)), product(p))
SUM(through_reshapes, ad_reshape(ad_reshape(product(p), ad_mat(2, 2)), ad_cube(1, 2, 2)), data(p, ad_mat(2, 2)))
SUM(matrices, ad_matmul(data(p, ad_mat(3, N)), shared(p, ad_mat(N, 2))), ad_tanh(data(p, ad_mat(3, 2))))
SUM(cubes, ad_matmul(data(p, ad_cube(2, 3, N)), shared(p, ad_cube(2, N, 5))), data(p, ad_cube(2, 3, 5)))
SUM(both_factors_own, ad_matmul(data(p, ad_mat(3, N)), data(p, ad_mat(N, 2))), ad_tanh(data(p, ad_mat(3, 2))))
SUM(transposed, ad_matmul(data(p, ad_vec(N)), ad_transpose(shared(p, ad_mat(3, N)))), ad_tanh(data(p, ad_vec(3))))
SUM(outer_product, ad_matmul(data(p, ad_mat(3, 1)), shared(p, ad_mat(1, 2))), ad_tanh(data(p, ad_mat(3, 2))))
SUM(inner_product, ad_matmul(data(p, ad_vec(N)), shared(p, ad_vec(N))), ad_tanh(data(p, ad_scalar())))
SUM(column, ad_matmul(shared(p, ad_mat(3, N)), data(p, ad_vec(N))), ad_tanh(data(p, ad_vec(3))))

/* ---- What the other term is ---- */

SUM(shared_term, product(p), shared(p, ad_vec(N)))
SUM(shared_scalar, product(p), shared(p, ad_scalar()))
SUM(constant_term, product(p), ad_constant(p->tape, 0.5))
SUM(scalar_term, product(p), ad_tanh(data(p, ad_scalar())))
SUM(row_for_rows, ad_matmul(data(p, ad_mat(3, N)), shared(p, ad_mat(N, 2))), ad_tanh(data(p, ad_vec(2))))
SUM(column_for_columns, ad_matmul(data(p, ad_mat(3, N)), shared(p, ad_mat(N, 2))), ad_tanh(data(p, ad_mat(3, 1))))
SUM(input_term, product(p), data(p, ad_vec(N)))
SUM(transposed_term, ad_matmul(square(p), shared(p, ad_mat(3, 3))), ad_transpose(square(p)))
SUM(sliced_term, product(p), ad_slice(ad_tanh(data(p, ad_vec(9))), 0, 3, N))
SUM(broadcast_product, ad_matmul(data(p, ad_vec(N)), shared(p, ad_mat(N, 1))), term(p)) /* not fused: it is expanded */

static int term_is_factor(problem *p, ad_var *out)
{
    ad_var t = term(p);
    out[0] = ad_tanh(ad_add(times(p, t), t));
    return 1;
}

static int input_is_term_and_factor(problem *p, ad_var *out)
{
    ad_var x = data(p, ad_vec(N));
    out[0] = ad_add(x, times(p, x));
    return 1;
}

static int term_used_later(problem *p, ad_var *out)
{
    ad_var t = term(p), y = ad_add(product(p), t);
    out[0] = ad_mul(y, ad_sin(t));
    return 1;
}

static int term_is_output(problem *p, ad_var *out)
{
    out[0] = term(p);
    out[1] = ad_tanh(ad_add(product(p), out[0]));
    return 2;
}

/* The sum of one layer is the term of the next, whose product reads it as well. */
static int residual_layers(problem *p, ad_var *out)
{
    ad_var h = data(p, ad_vec(N));
    for (int layer = 0; layer < 4; layer++) h = ad_add(times(p, ad_tanh(ad_add(times(p, h), shared(p, ad_vec(N))))), h);
    out[0] = h;
    return 1;
}

/* ---- What is made of the sum and of the product ---- */

static int sum_is_output(problem *p, ad_var *out)
{
    out[0] = ad_add(product(p), term(p));
    out[1] = ad_tanh(out[0]);
    return 2;
}

static int sum_used_often(problem *p, ad_var *out)
{
    ad_var y = ad_add(product(p), term(p));
    out[0] = ad_add(ad_mul(ad_tanh(y), y), times(p, ad_sin(y)));
    return 1;
}

static int product_used_twice(problem *p, ad_var *out)
{
    ad_var y = product(p);
    out[0] = ad_mul(ad_add(y, term(p)), y);
    return 1;
}

static int reshaped_to_two_shapes(problem *p, ad_var *out)
{
    ad_var y = product(p), t = ad_tanh(data(p, ad_mat(2, 2)));
    out[0] = ad_reshape(ad_tanh(ad_add(ad_reshape(y, ad_mat(2, 2)), t)), ad_mat(1, N));
    out[1] = ad_tanh(ad_add(ad_reshape(y, ad_mat(N, 1)), data(p, ad_mat(N, 1))));
    return 2;
}

/* Products of cubes are the engine's own: no reshape stands between. */
static ad_var cubes_product(problem *p)
{
    return ad_matmul(data(p, ad_cube(2, 3, N)), shared(p, ad_cube(2, N, 5)));
}

static int cubes_used_twice(problem *p, ad_var *out)
{
    ad_var y = cubes_product(p);
    out[0] = ad_mul(ad_add(y, ad_tanh(data(p, ad_cube(2, 3, 5)))), y);
    return 1;
}

static int cubes_as_output(problem *p, ad_var *out)
{
    out[0] = cubes_product(p);
    out[1] = ad_tanh(ad_add(out[0], data(p, ad_cube(2, 3, 5))));
    return 2;
}

static int product_twice_in_the_sum(problem *p, ad_var *out)
{
    ad_var y = ad_matmul(data(p, ad_mat(3, 3)), shared(p, ad_mat(3, 3)));
    out[0] = ad_tanh(ad_add(y, ad_transpose(y)));
    return 1;
}

static int product_is_output(problem *p, ad_var *out)
{
    out[0] = product(p);
    out[1] = ad_tanh(ad_add(out[0], term(p)));
    return 2;
}

static int reshaped_product_is_output(problem *p, ad_var *out)
{
    ad_var t = ad_tanh(data(p, ad_mat(2, 2)));
    out[0] = ad_reshape(product(p), ad_mat(2, 2));
    out[1] = ad_tanh(ad_add(out[0], t));
    return 2;
}

static int difference(problem *p, ad_var *out)
{
    ad_var t = term(p);
    out[0] = ad_tanh(ad_sub(t, product(p)));
    return 1;
}

static int stopped_product(problem *p, ad_var *out)
{
    out[0] = ad_tanh(ad_add(ad_stop_gradient(product(p)), term(p)));
    return 1;
}

static int shared_product(problem *p, ad_var *out)
{
    out[0] = ad_tanh(ad_add(ad_matmul(shared(p, ad_mat(3, N)), shared(p, ad_mat(N, N))), shared(p, ad_mat(3, N))));
    out[1] = product(p);
    return 2;
}

/* Values are needed again after a reduction, and computed again there. */
static int in_two_stages(problem *p, ad_var *out)
{
    ad_var y = ad_add(product(p), term(p)), z = ad_mul(ad_softplus(y), ad_sigmoid(y));
    out[0] = ad_batch_mean(p->data, ad_exp(ad_sub(z, ad_batch_max(p->data, z))));
    return 1;
}

/* The sigmoid is needed in the second pass only. */
static int pair_across_passes(problem *p, ad_var *out)
{
    ad_var x = ad_add(product(p), term(p)), mean = ad_batch_mean(p->data, ad_softplus(x));
    out[0] = mean;
    out[1] = ad_batch_mean(p->data, ad_mul(ad_sigmoid(x), ad_lift(p->data, mean)));
    out[2] = ad_batch_max(p->data, ad_sub(ad_sigmoid(x), mean));
    return 3;
}

/* What a stage stores for the next: scalars of each sample. */
static int stored_between_stages(problem *p, ad_var *out)
{
    ad_var x = ad_sum(product(p)), y = ad_softplus(x), s = ad_sigmoid(x);
    ad_var away = ad_mul(ad_sub(y, ad_batch_mean(p->data, y)), ad_sub(s, ad_batch_mean(p->data, s)));
    out[0] = ad_batch_mean(p->data, away);
    return 1;
}

/* On a child axis, where a term comes from the parent; and back on the parent. */
static int on_a_child_axis(problem *p, ad_var *out)
{
    ad_var z = problem_on(p, p->child, ad_vec(N), -1, 1), t = ad_tanh(data(p, ad_mat(CHILD_COUNT, N)));
    ad_var y = ad_tanh(ad_add(ad_ungroup(p->child, t), times(p, z)));
    out[0] = ad_add(times(p, ad_regroup(ad_mul(ad_softplus(y), ad_sigmoid(y)))), t);
    return 1;
}

/* ---- Softplus and sigmoid ---- */

static int both_of(ad_var x, ad_var *out)
{
    ad_var y = ad_softplus(x), s = ad_sigmoid(x);
    out[0] = ad_add(y, ad_square(s));
    return 1;
}

static int pair(problem *p, ad_var *out) { return both_of(product(p), out); }
static int pair_of_an_input(problem *p, ad_var *out) { return both_of(data(p, ad_vec(N)), out); }
static int pair_of_a_transpose(problem *p, ad_var *out) { return both_of(ad_transpose(square(p)), out); }
static int pair_of_a_slice(problem *p, ad_var *out) { return both_of(ad_slice(square(p), 1, 1, 2), out); }
static int shared_pair(problem *p, ad_var *out) { return both_of(shared(p, ad_vec(N)), out); }

static int sigmoid_first(problem *p, ad_var *out)
{
    ad_var x = product(p), s = ad_sigmoid(x), y = ad_softplus(x);
    out[0] = ad_sub(ad_sin(y), s);
    return 1;
}

static int argument_used_between(problem *p, ad_var *out)
{
    ad_var x = product(p), y = ad_softplus(x), z = ad_mul(x, y);
    out[0] = ad_mul(z, ad_add(ad_sigmoid(x), ad_sin(x)));
    return 1;
}

static int pair_as_outputs(problem *p, ad_var *out)
{
    ad_var x = product(p);
    out[0] = ad_sigmoid(x);
    out[1] = ad_softplus(x);
    out[2] = ad_mul(out[0], out[1]);
    return 3;
}

static int one_of_the_pair_as_output(problem *p, ad_var *out)
{
    ad_var x = product(p), y = product(p);
    out[0] = ad_softplus(x);
    out[1] = ad_sigmoid(y);
    out[2] = ad_add(ad_mul(ad_sigmoid(x), ad_softplus(y)), ad_mul(out[0], out[1]));
    return 3;
}

static int pair_with_its_argument(problem *p, ad_var *out)
{
    out[0] = ad_add(product(p), term(p));
    return 1 + both_of(out[0], out + 1);
}

static int of_two_arguments(problem *p, ad_var *out)
{
    ad_var x = product(p), y = product(p);
    out[0] = ad_mul(ad_softplus(x), ad_sigmoid(y));
    return 1;
}

static int of_opposite_arguments(problem *p, ad_var *out)
{
    ad_var x = product(p);
    out[0] = ad_mul(ad_softplus(x), ad_sigmoid(ad_neg(x)));
    return 1;
}

static int softplus_of_the_sigmoid(problem *p, ad_var *out)
{
    ad_var x = product(p), s = ad_sigmoid(x), y = ad_softplus(x);
    return both_of(ad_add(ad_softplus(s), y), out);
}

/* ---- Gradients: where both come from ---- */

static int gradients(problem *p, ad_var E, ad_var loss, ad_var *out)
{
    ad_var leaf[PROBLEM_LEAVES];
    int n = 0;
    for (int i = 1; i < p->leaves; i++) leaf[n++] = p->leaf[i].var;
    out[0] = E;
    out[1] = loss;
    ad_grad(loss, leaf, n, out + 2);
    return 2 + n;
}

static int network(problem *p, ad_var *out)
{
    ad_var E = energy_mlp(p, data(p, ad_vec(3)), 5, 2, ad_softplus);
    return gradients(p, E, ad_batch_mean(p->data, ad_softplus(E)), out);
}

static int network_score_matching(problem *p, ad_var *out)
{
    ad_var x = data(p, ad_vec(3)), E = energy_mlp(p, x, 5, 2, ad_softplus), score;
    ad_grad(E, &x, 1, &score);
    ad_var loss = ad_sub(ad_scale(ad_sum(ad_square(score)), 0.5), ad_laplacian(E, x));
    return gradients(p, E, ad_batch_mean(p->data, loss), out);
}

static const program programs[] = {
    ROW(product_first, 1, 0), ROW(product_second, 1, 0), ROW(two_products, 1, 0), ROW(three_products, 2, 0),
    ROW(through_reshapes, 1, 0), ROW(matrices, 1, 0), ROW(cubes, 1, 0), ROW(both_factors_own, 1, 0),
    ROW(transposed, 1, 0), ROW(outer_product, 1, 0), ROW(inner_product, 1, 0), ROW(column, 1, 0),
    ROW(shared_term, 1, 0), ROW(shared_scalar, 1, 0), ROW(constant_term, 1, 0), ROW(scalar_term, 1, 0),
    ROW(row_for_rows, 1, 0), ROW(column_for_columns, 1, 0), ROW(input_term, 1, 0), ROW(transposed_term, 1, 0),
    ROW(sliced_term, 1, 0), ROW(broadcast_product, 0, 0), ROW(term_is_factor, 1, 0),
    ROW(input_is_term_and_factor, 1, 0), ROW(term_used_later, 1, 0), ROW(term_is_output, 1, 0),
    ROW(residual_layers, 8, 0), ROW(sum_is_output, 1, 0), ROW(sum_used_often, 2, 0), ROW(product_used_twice, 0, 0),
    ROW(reshaped_to_two_shapes, 0, 0), ROW(cubes_used_twice, 0, 0), ROW(cubes_as_output, 0, 0),
    ROW(product_twice_in_the_sum, 0, 0), ROW(product_is_output, 0, 0), ROW(reshaped_product_is_output, 0, 0),
    ROW(difference, 0, 0), ROW(stopped_product, 0, 0), ROW(shared_product, 0, 0),
    ROW_WITH_TWIN(in_two_stages, 2, 2, 1, 1), ROW_WITH_TWIN(pair_across_passes, 2, 0, 1, 1),
    ROW(stored_between_stages, 0, 1), ROW(on_a_child_axis, 2, 1),
    ROW(pair, 0, 1), ROW(pair_of_an_input, 0, 1), ROW(pair_of_a_transpose, 0, 1), ROW(pair_of_a_slice, 0, 1),
    ROW(shared_pair, 0, 0), ROW(sigmoid_first, 0, 1), ROW(argument_used_between, 0, 1), ROW(pair_as_outputs, 0, 1),
    ROW(one_of_the_pair_as_output, 0, 2), ROW(pair_with_its_argument, 1, 1), ROW(of_two_arguments, 0, 0),
    ROW(of_opposite_arguments, 0, 0), ROW(softplus_of_the_sigmoid, 0, 2), ROW(network, 2, 3),
    ROW(network_score_matching, 3, 2),
};

Test(fuse, float64) { check_programs(programs, LENGTH(programs), GIBBS_FLOAT64, 1); }
Test(fuse, float32) { check_programs(programs, LENGTH(programs), GIBBS_FLOAT32, 1); }
