/* Every allocation of the engine fails in turn: recording, derivatives, printing, compiling, running. Each time the
 * status is MEMORY, everything can be freed, and nothing leaks; then, with memory back, a call that failed is made
 * again and gives what it would have given. A plain program, because leaks do not fail a Criterion test. */
#include <gibbs/ad.h>

#include <stdio.h>
#include <string.h>

#include "support/alloc.h"
#include "support/sanitized.h"

#define COUNT(array) ((int)(sizeof(array) / sizeof((array)[0])))
enum { D = 3, H = 5, K = 2, ROWS = 1000, OUTPUTS = 16 };

static int failed;

static void expect(int ok, const char *what, int64_t n)
{
    if (ok) return;
    fprintf(stderr, "allocation %lld: %s\n", (long long)n, what);
    failed = 1;
}

/* ---- One life of all objects ---- */

typedef struct life {
    counting_alloc count;
    gibbs_allocator alloc;
    int again; /* make calls that failed again, with memory back */
    ad_tape *tape;
    ad_axis data, child, other;
    ad_var x, y, z, index, W, b, out[OUTPUTS], step;
    ad_plan *plan, *carrying;
    ad_workspace *w, *walker;
    gibbs_error error;
    double sum;
} life;

static double numbers[ROWS * D * K], zeros[ROWS];

static int shape_of_cube(void *context, const ad_shape *in, ad_shape *out, gibbs_error *error)
{
    (void)context, (void)error;
    *out = in[0];
    return 0;
}

static void cube(void *context, gibbs_dtype dtype, int64_t rows, const void *const *in, const int *shared, void *out)
{
    (void)context, (void)dtype;
    const double *x = in[0];
    for (int64_t i = 0; i < (shared[0] ? D : rows * D); i++) ((double *)out)[i] = x[i] * x[i] * x[i];
}

static ad_var cube_vjp(void *context, const ad_var *in, ad_var y, ad_var ybar, int which)
{
    (void)context, (void)y, (void)which;
    return ad_mul(ybar, ad_scale(ad_square(in[0]), 3));
}

static const ad_user_op cube_op = {"cube", 1, shape_of_cube, cube, cube_vjp, 1, NULL};

static void record_leaves(life *f)
{
    static const double values[] = {0.25, -0.5, 1};
    f->data = ad_axis_new(f->tape, "data");
    f->child = ad_axis_child(f->data, K, "child");
    f->other = ad_axis_new(f->tape, "other");
    f->x = ad_input(f->data, "x", ad_vec(D));
    f->y = ad_input(f->child, "y", ad_vec(D));
    f->z = ad_input(f->other, "z", ad_vec(D));
    f->index = ad_input(f->data, "index", ad_scalar());
    f->W = ad_parameter(f->tape, "W", ad_mat(D, H));
    f->b = ad_parameter(f->tape, "b", ad_vec(H));
    ad_var noise = ad_mul(ad_normal(f->data, ad_vec(D), 1), ad_uniform(f->data, ad_vec(D), 2));
    f->step = ad_add(ad_scale(f->x, 0.5), ad_mul(noise, ad_constant_array(f->tape, ad_vec(D), values)));
}

/* All that is made of a matrix. */
static ad_var factored(const life *f)
{
    static const double diagonal[D * D] = {[0] = 1, [D + 1] = 3, [2 * (D + 1)] = 7};
    ad_var A = ad_mul(ad_reshape(f->x, ad_mat(D, 1)), f->x);
    A = ad_add(A, ad_constant_array(f->tape, ad_mat(D, D), diagonal));
    ad_var L = ad_cholesky(A), z = ad_triangular_solve(L, f->x, 1), u = ad_solve(A, z, 0);
    ad_var V = ad_eigenvectors(A), y = ad_add(ad_log_det(A), ad_log_abs_det(ad_add(A, V)));
    return ad_add(y, ad_add(ad_sum(ad_exp(ad_eigenvalues(ad_scale(A, 0.01)))), ad_dot(u, u)));
}

static ad_var energy(const life *f, ad_var x)
{
    ad_var h = ad_softplus(ad_add(ad_matmul(x, f->W), f->b));
    return ad_add(ad_logsumexp(ad_tanh(h)), ad_sum(ad_user(&cube_op, &x)));
}

static void scanned(const ad_var *s, const ad_var *x, ad_var *next, ad_var *out, void *context)
{
    const life *f = context;
    ad_var draw = ad_scale(ad_uniform(f->data, ad_vec(D), 5), 0.01);
    next[0] = ad_tanh(ad_add(ad_add(s[0], ad_sum(ad_matmul(s[0], f->W))), ad_mul(draw, x[0])));
    out[0] = ad_log(ad_shift(ad_square(s[0]), 1));
}

/* The second derivative of a scan, by a shared and a per-sample value, and the value of one in segments. */
static ad_var scan_of(life *f)
{
    ad_var parts, last, out, g[2], input = ad_reshape(f->b, ad_vec(H));
    ad_scan_spec spec = {.steps = H, .state = &f->x, .states = 1, .input = &input, .inputs = 1, .outputs = 1,
                         .store_bytes = 1, .body = scanned, .context = f};
    ad_scan(&spec, &parts, NULL);
    spec.store_bytes = 0;
    ad_scan(&spec, &last, &out);
    ad_grad(ad_batch_sum(f->data, ad_add(ad_sum(last), ad_sum(out))), (ad_var[]){f->x, f->W}, 2, g);
    ad_var of = ad_add(ad_batch_mean(f->data, ad_sum(ad_square(g[0]))), ad_sum(ad_square(g[1])));
    ad_grad(of, &f->x, 1, &g[0]);
    return ad_add(g[0], parts);
}

/* All derivatives of a network's energy, and ops of every kind of executor. */
static gibbs_status record(life *f)
{
    record_leaves(f);
    ad_var at = ad_variable(f->x), E = energy(f, f->x), shifted = ad_shift(f->x, 1),
           v = ad_constant_array(f->tape, ad_vec(D), (double[]){1, 2, 3});
    ad_var grouped = ad_regroup(ad_concat(ad_pad(f->y, 0, 1, 0), ad_slice(f->y, 0, 0, 2), 0));
    ad_var weight = ad_exp(ad_sub(E, ad_batch_logsumexp(f->data, E)));
    f->out[0] = ad_batch_mean(f->data, E);
    ad_grad(f->out[0], &f->W, 1, &f->out[1]);
    f->out[2] = ad_jvp(energy(f, at), &at, &v, 1);
    f->out[3] = ad_hess_diag(E, f->x);
    f->out[4] = ad_batch_sum(f->data, ad_mul(weight, ad_sum(f->out[3])));
    ad_grad(f->out[4], &f->b, 1, &f->out[5]);
    f->out[6] = ad_substitute(E, &f->x, &shifted, 1);
    f->out[7] = ad_hvp(E, f->x, ad_reshape(ad_transpose(ad_reshape(f->step, ad_mat(1, D))), ad_vec(D)));
    f->out[8] = ad_max_reduce(ad_permute(grouped, (int[]){1, 0}));
    f->out[9] = ad_batch_scatter_add(f->other, f->x, f->index);
    f->out[10] = ad_sum(ad_mul(ad_batch_gather(f->z, f->index), ad_gather(f->x, f->index)));
    f->out[11] = ad_batch_matmul(f->other, f->z, ad_select(ad_less(f->z, ad_constant(f->tape, 0)), f->z, ad_neg(f->z)));
    ad_var taken = ad_take(ad_stack_dim((ad_var[]){f->x, f->step}, 2, 1), (int64_t[]){2, 0}, 2, 0);
    ad_var image = ad_conv2d(ad_reshape(ad_cumsum(ad_sin(f->W), 1), ad_cube(D, H, 1)),
                             ad_reshape(f->W, (ad_shape){4, {1, 1, 1, D * H}}), 1, 1);
    f->out[12] = ad_sum(ad_jacobian(ad_exp(taken), &f->x, 1));
    f->out[13] = ad_sum(ad_jacobian(ad_avg_pool2d(image, 2, 2), &f->W, 1));
    ad_grad(factored(f), &f->x, 1, &f->out[14]);
    f->out[15] = scan_of(f);
    snprintf(f->error.message, sizeof f->error.message, "%s", ad_tape_message(f->tape));
    return ad_tape_status(f->tape);
}

static gibbs_status make_tape(life *f)
{
    f->tape = ad_tape_new(GIBBS_FLOAT64, &f->alloc);
    return f->tape ? GIBBS_OK : GIBBS_MEMORY;
}

static int swallow(void *context, const char *text, size_t length)
{
    (void)text;
    *(size_t *)context += length;
    return 0;
}

static gibbs_status print(life *f)
{
    size_t length = 0;
    gibbs_status status = ad_print(f->out, OUTPUTS, swallow, &length, &f->error);
    return status ? status : ad_print_dot(f->out, OUTPUTS, swallow, &length, &f->error);
}

static gibbs_status compile(life *f)
{
    return ad_compile(f->out, OUTPUTS, &(ad_plan_options){.block_bytes = 4096}, &f->plan, &f->error);
}

static gibbs_status compile_carrying(life *f)
{
    ad_plan_options options = {.carry = &(ad_carry){0, f->x}, .carries = 1, .block_bytes = 1000};
    return ad_compile((ad_var[]){f->step, f->x}, 2, &options, &f->carrying, &f->error);
}

static gibbs_status make_workspace(life *f) { return ad_workspace_new(f->plan, &f->w, &f->error); }
static gibbs_status make_walker(life *f) { return ad_workspace_new(f->carrying, &f->walker, &f->error); }

static gibbs_status bind(life *f)
{
    const struct {
        ad_var leaf;
        const double *memory;
    } bound[] = {{f->x, numbers}, {f->y, numbers}, {f->z, numbers},
                 {f->W, numbers}, {f->b, numbers}, {f->index, zeros}};
    gibbs_status status = GIBBS_OK;
    for (int k = 0; k < COUNT(bound) && !status; k++)
        status = ad_bind_f64(f->w, bound[k].leaf, bound[k].memory, &f->error);
    return status ? status : ad_bind_f64(f->walker, f->x, numbers, &f->error);
}

static gibbs_status run_rows(life *f, int64_t rows, int64_t other)
{
    gibbs_status status = ad_set_rows(f->w, f->data, rows, &f->error);
    if (!status) status = ad_set_rows(f->w, f->other, other, &f->error);
    if (!status) status = ad_run(f->w, &(ad_run_options){.seed = 1, .threads = 2}, &f->error);
    return status;
}

static gibbs_status run_few(life *f) { return run_rows(f, 7, 5); }
static gibbs_status run_more(life *f) { return run_rows(f, 500, 100); }
static gibbs_status run_all(life *f) { return run_rows(f, ROWS, ROWS); }

static gibbs_status walk(life *f)
{
    gibbs_status status = ad_set_rows(f->walker, f->data, ROWS, &f->error);
    return status ? status : ad_run(f->walker, &(ad_run_options){.repeat = 5}, &f->error);
}

/* Recording is sticky: what failed there cannot be made again. */
static const struct step {
    const char *name;
    gibbs_status (*run)(life *);
    int again;
} steps[] = {
    {"tape", make_tape, 1},         {"record", record, 0},           {"print", print, 1},     {"compile", compile, 1},
    {"carries", compile_carrying, 1}, {"workspace", make_workspace, 1}, {"walker", make_walker, 1}, {"bind", bind, 1},
    {"run", run_few, 1},            {"run more", run_more, 1},       {"run all", run_all, 1}, {"walk", walk, 1},
};

static void add_results(life *f)
{
    static const int per_row[OUTPUTS] = {[2] = 1, [3] = D, [6] = 1,  [7] = D, [8] = 1,
                                         [9] = D, [10] = 1, [12] = 1, [14] = D, [15] = D};
    for (int k = 0; k < OUTPUTS; k++)
        for (int i = 0; i < (per_row[k] ? ROWS * per_row[k] : 1); i++) f->sum += ad_result_f64(f->w, k)[i] * (k + 1);
    for (int i = 0; i < ROWS * D; i++) f->sum += ad_result_f64(f->walker, 0)[i];
}

static gibbs_status live(life *f, int64_t n)
{
    gibbs_status status = GIBBS_OK;
    f->alloc = counting_allocator(&f->count);
    f->count.fail_at = n;
    for (int k = 0; k < COUNT(steps) && !status; k++) {
        status = steps[k].run(f);
        expect(!status == !f->count.failures || f->again, steps[k].name, n);
        expect(status == GIBBS_OK || status == GIBBS_MEMORY, "the status is not MEMORY", n);
        if (status && steps[k].again && f->again) status = steps[k].run(f);
    }
    if (!status) add_results(f);
    ad_workspace_free(f->w), ad_workspace_free(f->walker);
    ad_plan_free(f->plan), ad_plan_free(f->carrying);
    ad_tape_free(f->tape);
    expect(f->count.live == 0, "blocks are leaked", n);
    expect(f->count.bytes == 0, "bytes are leaked", n);
    return status;
}

int main(void)
{
    for (int i = 0; i < ROWS * D * K; i++) numbers[i] = (i * 37 % 101) / 50.0 - 1;
    ad_initialise(0);
    life whole = {.again = 0};
    gibbs_status status = live(&whole, 0);
    expect(status == GIBBS_OK, whole.error.message, 0);
    if (failed) return 1;
    int64_t calls = whole.count.calls;
    for (int again = 0; again < 2; again++)
        for (int64_t n = 1; n <= calls && !failed; n++) {
            if (!in_sweep(n + again, 5)) continue;
            life f = {.again = again};
            status = live(&f, n);
            expect(f.count.failures == 1, "the allocation was not reached", n);
            if (status) expect(status == GIBBS_MEMORY, "another status at the end", n);
            else expect(again && f.sum == whole.sum, "another result after the failure", n);
        }
    printf("%lld allocations failed, each in two ways\n", (long long)calls);
    return failed || calls < 100;
}
