/* What shared values are joined from is computed where it is to be: in a concat, a concat of concats, a pad. The
 * numbers are those of the pieces, others read a piece there, and nothing is left to move. And what a pass stores for a
 * later one is what that one reads, not what it was made of. */
#include "autodiff/plan/plan.h"
#include "plan_helpers.h"


enum { N = 3, ROWS = 5 };

typedef struct scene {
    ad_tape *tape;
    ad_var x;
    int moves; /* that are to be left; −1: as many as there are */
} scene;

/* ---- Joins ---- */

static ad_var of_functions(scene *s) { return ad_concat(ad_sin(s->x), ad_cos(s->x), 0); }

static ad_var of_rows(scene *s)
{
    ad_var row[3] = {ad_sin(s->x), ad_exp(s->x), ad_mul(s->x, s->x)};
    return ad_stack(row, 3);
}

static ad_var of_numbers(scene *s)
{
    ad_var one[2] = {ad_sin(ad_at(s->x, 0)), ad_cos(ad_at(s->x, 2))};
    return ad_stack(one, 2);
}

/* Rows of concats: the second row begins behind the first. */
static ad_var of_concats(scene *s)
{
    ad_var sine = ad_sin(s->x), row[2] = {ad_concat(sine, ad_exp(s->x), 0), ad_concat(ad_cos(s->x), ad_neg(s->x), 0)};
    return ad_stack(row, 2);
}

static ad_var padded(scene *s)
{
    s->moves = 1; /* its zeros */
    return ad_pad(ad_sin(s->x), 0, 2, 1);
}

static ad_var padded_twice(scene *s)
{
    s->moves = 2;
    return ad_pad(ad_pad(ad_sin(s->x), 0, 1, 0), 0, 1, 2);
}

/* A sum of tables that are scattered into adds up in a place of its own. */
static ad_var of_scattered(scene *s)
{
    ad_var forth = ad_constant_array(s->tape, ad_vec(N), (const double[]){2, 0, 2});
    ad_var back = ad_constant_array(s->tape, ad_vec(N), (const double[]){1, 1, 0}), sum[2];
    for (int k = 0; k < 2; k++) {
        ad_var v = k ? ad_cos(s->x) : ad_sin(s->x);
        sum[k] = ad_add(ad_scatter_add(v, forth, N), ad_scatter_add(ad_exp(v), back, N));
    }
    s->moves = -1;
    return ad_concat(sum[0], sum[1], 0);
}

/* What is added to a whole is not added to a piece that others read. */
static ad_var added_to(scene *s)
{
    ad_var sine = ad_sin(s->x), whole = ad_concat(sine, ad_cos(s->x), 0);
    ad_var sum = ad_add(whole, ad_pad(ad_exp(s->x), 0, 0, N));
    s->moves = -1;
    return ad_add(ad_mul(ad_slice(sum, 0, 0, N), ad_slice(sum, 0, N, N)), sine);
}

/* A piece that others read, of which one is a piece, too; and one that is joined twice, which is moved once. */
static ad_var read_again(scene *s)
{
    ad_var sine = ad_sin(s->x), half = ad_scale(sine, 0.5), all = ad_concat(sine, half, 0);
    s->moves = 1;
    return ad_concat(ad_mul(all, all), half, 0);
}

/* What is there before has to be moved, and columns have gaps between them. */
static ad_var of_what_is_given(scene *s)
{
    s->moves = 1;
    return ad_concat(s->x, ad_sin(s->x), 0);
}

static ad_var of_columns(scene *s)
{
    ad_var column[2] = {ad_sin(s->x), ad_cos(s->x)};
    s->moves = 2;
    return ad_stack_dim(column, 2, 1);
}

static const double at[N] = {0.3, -0.7, 1.1};

static void expected(int which, double *y)
{
    const double *x = at;
    for (int i = 0; i < N; i++) {
        double s = sin(x[i]), c = cos(x[i]), e = exp(x[i]);
        if (which == 0) y[i] = s, y[N + i] = c;
        if (which == 1) y[i] = s, y[N + i] = e, y[2 * N + i] = x[i] * x[i];
        if (which == 3) y[i] = s, y[N + i] = e, y[2 * N + i] = c, y[3 * N + i] = -x[i];
        if (which == 4 || which == 5) y[2 + i] = s;
        if (which == 6) y[i] = s * s, y[N + i] = s * s / 4, y[2 * N + i] = s / 2;
        if (which == 7) y[i] = x[i], y[N + i] = s;
        if (which == 8) y[2 * i] = s, y[2 * i + 1] = c;
        if (which == 9) y[i] = (s + e) * c + s;
    }
    if (which == 2) y[0] = sin(x[0]), y[1] = cos(x[2]);
    static const int forth[] = {2, 0, 2}, back[] = {1, 1, 0};
    for (int k = 0; which == 10 && k < 2 * N; k++) {
        double v = k < N ? sin(x[k]) : cos(x[k - N]);
        y[k / N * N + forth[k % N]] += v;
        y[k / N * N + back[k % N]] += exp(v);
    }
}

static int moves_of(const ad_plan *plan)
{
    int moves = 0;
    for (int64_t k = 0; k < plan->stage[0].shared.count; k++) moves += plan->stage[0].shared.at[k].action == DO_place;
    return moves;
}

Test(joined, pieces_are_computed_where_they_are_to_be)
{
    static ad_var (*const record[])(scene *) = {of_functions, of_rows, of_numbers, of_concats, padded, padded_twice,
                                                read_again, of_what_is_given, of_columns, added_to, of_scattered};
    for (int which = 0; which < (int)(sizeof record / sizeof *record); which++) {
        scene s = {.tape = ad_tape_new(GIBBS_FLOAT64, NULL)};
        double wanted[4 * N] = {0};
        gibbs_error error;
        ad_plan *plan;
        ad_workspace *w;
        s.x = ad_parameter(s.tape, "x", ad_vec(N));
        ad_var y = record[which](&s);
        ad_shape shape = ad_shape_of(y);
        expected(which, wanted);
        MUST(ad_compile(&y, 1, NULL, &plan, &error), error);
        MUST(ad_workspace_new(plan, &w, &error), error);
        MUST(ad_bind_f64(w, s.x, at, &error), error);
        for (int again = 0; again < 2; again++) {
            MUST(ad_run(w, NULL, &error), error);
            for (int64_t k = 0; k < ad_shape_count(&shape); k++)
                cr_expect_float_eq(ad_result_f64(w, 0)[k], wanted[k], 1e-15, "%d: number %lld", which, (long long)k);
        }
        if (s.moves >= 0) cr_expect_eq(moves_of(plan), s.moves, "%d: %d moves", which, moves_of(plan));
        ad_workspace_free(w);
        ad_plan_free(plan);
        ad_tape_free(s.tape);
    }
}

/* A sum over two axes adds up in a place of its own, pass after pass: what is joined from it is moved. The Hessian of
 * Σ ½(θ·x)² over both, θ in two parameters, is Σ xxᵀ. */
Test(joined, sums_over_two_axes)
{
    enum { MANY = 30, D = 3 };
    ad_tape *t = ad_tape_new(GIBBS_FLOAT64, NULL);
    ad_axis axis[2] = {ad_axis_new(t, "rows"), ad_axis_new(t, "others")};
    ad_var theta[2] = {ad_parameter(t, "two", ad_vec(2)), ad_parameter(t, "one", ad_vec(1))}, in[2], sum[2];
    for (int a = 0; a < 2; a++) {
        in[a] = ad_input(axis[a], "x", ad_vec(D));
        ad_var s = ad_add(ad_dot(theta[0], ad_slice(in[a], 0, 0, 2)), ad_dot(theta[1], ad_slice(in[a], 0, 2, 1)));
        sum[a] = ad_batch_sum(axis[a], ad_scale(ad_square(s), 0.5));
    }
    ad_var y = ad_hessian(ad_add(sum[0], sum[1]), theta, 2);
    double x[2][D * MANY], at_zero[2] = {0}, wanted[D * D] = {0};
    for (int k = 0; k < D * MANY; k++) x[0][k] = sin((double)k), x[1][k] = cos(0.7 * k);
    for (int a = 0; a < 2; a++)
        for (int r = 0; r < MANY; r++)
            for (int k = 0; k < D * D; k++) wanted[k] += x[a][D * r + k / D] * x[a][D * r + k % D];
    gibbs_error error;
    ad_plan *plan;
    ad_workspace *w;
    MUST(ad_compile(&y, 1, NULL, &plan, &error), error);
    MUST(ad_workspace_new(plan, &w, &error), error);
    for (int a = 0; a < 2; a++) {
        MUST(ad_bind_f64(w, theta[a], at_zero, &error), error);
        MUST(ad_bind_f64(w, in[a], x[a], &error), error);
        MUST(ad_set_rows(w, axis[a], MANY, &error), error);
    }
    for (int again = 0; again < 2; again++) {
        MUST(ad_run(w, NULL, &error), error);
        for (int k = 0; k < D * D; k++) cr_expect_float_eq(ad_result_f64(w, 0)[k], wanted[k], 1e-12, "number %d", k);
    }
    ad_workspace_free(w);
    ad_plan_free(plan);
    ad_tape_free(t);
}

/* ---- Stored between passes ---- */

/* The shares of a sum of exponentials: the third pass reads these, and not what they are of. */
Test(joined, what_a_later_pass_reads_is_stored)
{
    ad_tape *t = ad_tape_new(GIBBS_FLOAT64, NULL);
    ad_axis rows = ad_axis_new(t, "rows");
    ad_var x = ad_input(rows, "x", ad_scalar()), top = ad_batch_max(rows, x);
    ad_var e = ad_exp(ad_sub(x, top)), y = ad_div(e, ad_batch_sum(rows, e));
    const double numbers[ROWS] = {0, 1, -2, 3, 1e3};
    gibbs_error error;
    ad_plan *plan;
    ad_workspace *w;
    int stored = 0;
    MUST(ad_compile(&y, 1, NULL, &plan, &error), error);
    MUST(ad_workspace_new(plan, &w, &error), error);
    MUST(ad_bind_f64(w, x, numbers, &error), error);
    MUST(ad_set_rows(w, rows, ROWS, &error), error);
    MUST(ad_run(w, NULL, &error), error);
    for (int64_t k = 0; k < plan->slots; k++) stored += plan->slot[k].kind == SLOT_STORED;
    cr_expect_eq(stored, 2, "%d are stored, not the exponentials and the result", stored);
    cr_expect(ad_result_f64(w, 0)[4] == 1 && ad_result_f64(w, 0)[3] == 0);
    ad_workspace_free(w);
    ad_plan_free(plan);
    ad_tape_free(t);
}

/* The largest of a column of numbers, wherever it is, and a NaN wherever that is. */
Test(joined, maxima_over_a_batch)
{
    enum { MANY = 70 };
    double x[MANY];
    gibbs_error error;
    ad_tape *t = ad_tape_new(GIBBS_FLOAT64, NULL);
    ad_axis rows = ad_axis_new(t, "rows");
    ad_var in = ad_input(rows, "x", ad_scalar()), y = ad_batch_max(rows, in);
    ad_plan *plan;
    ad_workspace *w;
    MUST(ad_compile(&y, 1, NULL, &plan, &error), error);
    MUST(ad_workspace_new(plan, &w, &error), error);
    MUST(ad_bind_f64(w, in, x, &error), error);
    for (int n = 1; n <= MANY; n += 23)
        for (int where = 0; where < n; where++)
            for (int kind = 0; kind < 3; kind++) {
                const double special[] = {-1, NAN, INFINITY};
                for (int k = 0; k < n; k++) x[k] = -2 - k % 5;
                x[where] = special[kind];
                MUST(ad_set_rows(w, rows, n, &error), error);
                MUST(ad_run(w, NULL, &error), error);
                double top = ad_result_scalar(w, 0);
                cr_expect(kind == 1 ? isnan(top) : top == special[kind], "%d rows, %g at %d: %g", n, special[kind],
                          where, top);
            }
    ad_workspace_free(w);
    ad_plan_free(plan);
    ad_tape_free(t);
}
