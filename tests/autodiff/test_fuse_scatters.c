/* Sums of tables that are scattered into, which add up in one place: values against the quadruple-precision
 * interpreter, additions that are left counted in the plan. */
#include "fuse_check.h"

enum { TABLE = 7, MOVED = 5, WIDE = 3 };

static ad_var index_from(problem *p, int first)
{
    double at[MOVED];
    for (int k = 0; k < MOVED; k++) at[k] = (first + 2 * k) % TABLE; /* one row may come twice */
    return ad_constant_array(p->tape, ad_vec(MOVED), at);
}

/* A table of the numbers of a leaf, scattered. */
static ad_var table(problem *p, int first)
{
    return ad_scatter_add(ad_tanh(shared(p, ad_mat(MOVED, WIDE))), index_from(p, first), TABLE);
}

static ad_var of_samples(problem *p)
{
    return ad_batch_matmul(p->data, data(p, ad_vec(TABLE)), ad_tanh(data(p, ad_vec(WIDE))));
}

static int one(ad_var y, ad_var *out) { return out[0] = ad_sin(y), 1; }

static int two(problem *p, ad_var *out) { return one(ad_add(table(p, 0), table(p, 1)), out); }

static int four(problem *p, ad_var *out)
{
    ad_var left = ad_add(table(p, 0), table(p, 1)), right = ad_add(table(p, 2), table(p, 3));
    return one(ad_add(ad_reshape(left, ad_vec(TABLE * WIDE)), ad_reshape(right, ad_vec(TABLE * WIDE))), out);
}

static int product_first(problem *p, ad_var *out)
{
    ad_var product = of_samples(p);
    return one(ad_add(product, table(p, 1)), out);
}

static int product_last(problem *p, ad_var *out)
{
    ad_var first = ad_add(table(p, 0), table(p, 1));
    return one(ad_add(first, of_samples(p)), out);
}

/* The second table is known after the pass over the data only. */
static int before_and_after(problem *p, ad_var *out)
{
    ad_var first = table(p, 0), s = ad_batch_sum(p->data, ad_sum(data(p, ad_vec(N))));
    ad_var later = ad_scatter_add(ad_mul(s, shared(p, ad_mat(MOVED, WIDE))), index_from(p, 3), TABLE);
    return one(ad_add(ad_add(first, of_samples(p)), later), out);
}

static int term_is_output(problem *p, ad_var *out)
{
    out[1] = table(p, 2);
    out[0] = ad_add(table(p, 0), out[1]);
    return 2;
}

static int other_term(problem *p, ad_var *out)
{
    return one(ad_add(table(p, 0), ad_tanh(shared(p, ad_mat(TABLE, WIDE)))), out);
}

static int difference(problem *p, ad_var *out) { return one(ad_sub(table(p, 0), table(p, 1)), out); }

/* The adjoint of a table that is read at several places. */
static int gradient(problem *p, ad_var *out)
{
    ad_var t = shared(p, ad_mat(TABLE, WIDE)), loss = ad_constant(p->tape, 0);
    for (int k = 0; k < 4; k++) loss = ad_add(loss, ad_sum(ad_sin(ad_scale(ad_gather(t, index_from(p, k)), k + 1))));
    out[0] = loss;
    ad_grad(loss, &t, 1, out + 1);
    return 2;
}

#define ADDITIONS(name, count) {#name, {0, 0}, {0, 0}, name, count}
static const program programs[] = {
    ADDITIONS(two, 0),          ADDITIONS(four, 0),           ADDITIONS(product_first, 0),
    ADDITIONS(product_last, 0), ADDITIONS(before_and_after, 0), ADDITIONS(term_is_output, 1),
    ADDITIONS(other_term, 0),   ADDITIONS(difference, 0),     ADDITIONS(gradient, 3), /* of the losses */
};

static void check_additions(const program *program, const ad_plan *plan)
{
    int count = 0;
    for (int64_t s = 0; s < plan->stages; s++)
        for (int64_t k = 0; k < plan->stage[s].shared.count; k++) count += plan->stage[s].shared.at[k].op == OP_add;
    cr_expect_eq(count, program->left, "%s: %d additions, not %d", program->name, count, program->left);
}

static void check_all(gibbs_dtype dtype)
{
    for (int k = 0; k < LENGTH(programs); k++) check_program(&programs[k], dtype, 0, 1, check_additions);
}

Test(fuse_scatters, float64) { check_all(GIBBS_FLOAT64); }
Test(fuse_scatters, float32) { check_all(GIBBS_FLOAT32); }
