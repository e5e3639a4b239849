/* What a user's op is given: contiguous rows, whatever view its arguments are, or one value that all rows share. */
#include "plan_helpers.h"

enum { D = 3, ROWS = 101, CHILDREN = 2 };

/* y = a + 10 b, of one shape; the context counts the rows that came as shared. */
static int shape_of_first(void *context, const ad_shape *in, ad_shape *out, gibbs_error *error)
{
    (void)context, (void)error;
    *out = in[0];
    return in[0].rank != 1 || in[1].rank != 1 || in[0].dim[0] != in[1].dim[0];
}

static void add_tenfold(void *context, gibbs_dtype dtype, int64_t rows, const void *const *in, const int *shared,
                        void *out)
{
    (void)context;
    for (int64_t i = 0; i < rows * D; i++) {
        double a = number_at(dtype, in[0], shared[0] ? i % D : i), b = number_at(dtype, in[1], shared[1] ? i % D : i);
        if (dtype == GIBBS_FLOAT32) ((float *)out)[i] = (float)(a + 10 * b);
        else ((double *)out)[i] = a + 10 * b;
    }
}

static const ad_user_op tenfold = {.name = "tenfold", .arguments = 2, .shape = shape_of_first, .kernel = add_tenfold};

typedef struct model {
    ad_tape *tape;
    ad_axis data, child;
    ad_var x, wide, high, c, p;
} model;

static model model_new(gibbs_dtype dtype)
{
    model m = {.tape = ad_tape_new(dtype, NULL)};
    m.data = ad_axis_new(m.tape, "data");
    m.child = ad_axis_child(m.data, CHILDREN, "child");
    m.x = ad_input(m.data, "x", ad_vec(D));
    m.wide = ad_input(m.data, "wide", ad_vec(D + 4));
    m.high = ad_input(m.data, "high", ad_mat(D, 2));
    m.c = ad_input(m.child, "c", ad_vec(D));
    m.p = ad_parameter(m.tape, "p", ad_vec(D));
    return m;
}

/* The views that an argument may be. */
static ad_var plain(const model *m) { return m->x; }
static ad_var computed(const model *m) { return ad_tanh(m->x); }
static ad_var sliced(const model *m) { return ad_slice(m->wide, 0, 2, D); }
static ad_var slice_of_computed(const model *m) { return ad_slice(ad_sin(m->wide), 0, 4, D); }
static ad_var column(const model *m) { return ad_reshape(ad_slice(m->high, 1, 1, 1), ad_vec(D)); }
static ad_var repeated(const model *m) { return ad_expand(ad_slice(m->x, 0, 1, 1), ad_vec(D)); }
static ad_var parameter(const model *m) { return m->p; }
static ad_var lifted(const model *m) { return ad_lift(m->data, ad_exp(m->p)); }
static ad_var of_a_child(const model *m) { return ad_reshape(ad_slice(ad_regroup(m->c), 0, 1, 1), ad_vec(D)); }

static ad_var (*const view[])(const model *) = {plain,    computed,  sliced, slice_of_computed, column,
                                                repeated, parameter, lifted, of_a_child};
enum { VIEWS = LENGTH(view) };

/* The op against the same sum of the tape's own ops. */
static void check_pair(gibbs_dtype dtype, int first, int second)
{
    model m = model_new(dtype);
    ad_var in[2] = {view[first](&m), view[second](&m)},
           out[2] = {ad_user(&tenfold, in), ad_add(in[0], ad_scale(in[1], 10))};
    runner r = runner_new(out, 2, 700);
    double *x = random_numbers(ROWS * 16, 1);
    void *px = in_type(dtype, x, ROWS * 16);
    bind(r, m.x, px), bind(r, m.wide, px), bind(r, m.high, px), bind(r, m.c, px), bind(r, m.p, px);
    set_rows(r, m.data, ROWS);
    run(r);
    for (int64_t i = 0; i < (ad_is_shared(out[0]) ? D : ROWS * D); i++)
        cr_assert_float_eq(number_at(dtype, ad_result(r.w, 0), i), number_at(dtype, ad_result(r.w, 1), i), 1e-5,
                           "views %d and %d: number %lld", first, second, (long long)i);
    runner_free(r);
    ad_tape_free(m.tape);
    free(x), free(px);
}

Test(plan_user, arguments_of_every_view)
{
    for (int first = 0; first < VIEWS; first++)
        for (int second = 0; second < VIEWS; second++)
            check_pair(first % 2 ? GIBBS_FLOAT32 : GIBBS_FLOAT64, first, second);
}
