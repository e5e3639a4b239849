/* Restricted Boltzmann machines: formulas, the free energy as a sum over hidden states, conditionals, log Z. */
#include "ebm/model/model.h"
#include "ebm/energy_check.h"

enum { V = 3, H = 4 };

static const struct form {
    const char *name;
    int joint, gaussian, learn_sd;
    double sd;
} forms[] = {
    {"binary, free", 0, 0, 0, 0},          {"binary, joint", 1, 0, 0, 0},        {"Gaussian, free", 0, 1, 0, 0},
    {"Gaussian, joint", 1, 1, 0, 0.7},     {"Gaussian, learnt sd", 0, 1, 1, 0.5}, {"joint, learnt sd", 1, 1, 1, 2},
};

static ebm_model *rbm(const struct form *f, int visible, int hidden, gibbs_dtype dtype)
{
    ebm_model *model;
    ebm_rbm_spec spec = {.visible = visible, .hidden = hidden, .joint = f->joint, .gaussian = f->gaussian,
                         .sd = f->sd, .learn_sd = f->learn_sd, .weight_sd = 0.5, .dtype = dtype, .seed = 3};
    OK(ebm_model_rbm(&spec, &model, ERROR));
    return model;
}

/* theta: W [V,H], a [V], b [H], log_sd [V]. */
static number formula(const number *x, const number *theta, const void *context)
{
    const struct form *f = context;
    const number *a = theta + V * H, *b = a + V, *log_sd = b + H;
    number E = 0, variance[V];
    for (int i = 0; i < V; i++) {
        double sd = f->sd > 0 ? f->sd : 1;
        variance[i] = f->learn_sd ? cexp(2 * log_sd[i]) : f->gaussian ? sd * sd : 1;
        E += f->gaussian ? (x[i] - a[i]) * (x[i] - a[i]) / (2 * variance[i]) : -a[i] * x[i];
    }
    for (int j = 0; j < H; j++) {
        number u = b[j];
        for (int i = 0; i < V; i++) u += x[i] / variance[i] * theta[i * H + j];
        E -= f->joint ? u * x[V + j] : plain_softplus(u);
    }
    return E;
}

Test(rbm, is_the_formula)
{
    double x[CHECK_ROWS * (V + H)];
    spread(x, COUNT(x), 1);
    for (int k = 0; k < 2 * COUNT(forms); k++) {
        ebm_model *model = rbm(&forms[k / 2], V, H, k % 2 ? GIBBS_FLOAT32 : GIBBS_FLOAT64);
        spread_theta(model, 5);
        expect_energy(model, formula, &forms[k / 2], x, forms[k / 2].name);
        if (!(k % 2)) expect_score_matching(model, formula, &forms[k / 2], x, forms[k / 2].name);
        ebm_model_free(model);
    }
}

Test(rbm, parameters)
{
    ebm_model *model = rbm(&forms[4], 50, 60, GIBBS_FLOAT64);
    const double *theta = ebm_model_theta(model);
    double square = 0;
    for (int i = 0; i < 3000; i++) square += theta[i] * theta[i] / 3000;
    cr_expect(fabs(sqrt(square) - 0.5) < 0.03, "sd of W: %g", sqrt(square));
    cr_expect_eq(ebm_model_size(model), 3000 + 50 + 60 + 50);
    for (int i = 3000; i < 3110; i++) cr_expect_eq(theta[i], 0);
    for (int i = 3110; i < 3160; i++) cr_expect(fabs(theta[i] - log(0.5)) < 1e-15);
    cr_expect_str_eq(ebm_model_parameter_name(model, 3), "log_sd");
    ebm_model_free(model);
}

/* F(v) = −log Σ_h exp(−E(v, h)), over the 2^H hidden states. */
Test(rbm, free_energy_sums_the_hidden_units_out)
{
    for (int k = 0; k < COUNT(forms); k += 2) {
        struct form joint = forms[k];
        joint.joint = 1;
        ebm_model *free_form = rbm(&forms[k], V, H, GIBBS_FLOAT64), *both = rbm(&joint, V, H, GIBBS_FLOAT64);
        double v[CHECK_ROWS * V], F[CHECK_ROWS], rows[(1 << H) * (V + H)], h[(1 << H) * H], E[1 << H];
        spread(v, COUNT(v), 2);
        spread_theta(free_form, 6), spread_theta(both, 6);
        ebm_space_rows(&(ebm_space){.variables = H}, 0, 1 << H, h);
        OK(ebm_model_energy(free_form, v, CHECK_ROWS, F, NULL, ERROR));
        for (int r = 0; r < CHECK_ROWS; r++) {
            double sum = 0;
            for (int s = 0; s < 1 << H; s++) {
                memcpy(rows + s * (V + H), v + r * V, V * sizeof *v);
                memcpy(rows + s * (V + H) + V, h + s * H, H * sizeof *h);
            }
            OK(ebm_model_energy(both, rows, 1 << H, E, NULL, ERROR));
            for (int s = 0; s < 1 << H; s++) sum += exp(-E[s]);
            expect_close(F[r], -log(sum), 1e-13, forms[k].name);
        }
        ebm_model_free(free_form), ebm_model_free(both);
    }
}

/* ---- log Z ---- */

/* By both sides, by the free energy's states and by those of the joint form. */
Test(rbm, log_z_of_binary_units)
{
    static const int sizes[][2] = {{3, 6}, {6, 3}, {4, 4}};
    for (int k = 0; k < COUNT(sizes); k++) {
        ebm_model *free_form = rbm(&forms[0], sizes[k][0], sizes[k][1], GIBBS_FLOAT64);
        ebm_model *both = rbm(&forms[1], sizes[k][0], sizes[k][1], GIBBS_FLOAT64);
        double smaller, of_joint, states, joint_states;
        spread_theta(free_form, 7), spread_theta(both, 7);
        OK(ebm_model_log_z(free_form, &smaller, ERROR));
        OK(ebm_model_log_z(both, &of_joint, ERROR));
        OK(ebm_enumerate(free_form, NULL, &states, NULL, ERROR));
        OK(ebm_enumerate(both, NULL, &joint_states, NULL, ERROR));
        expect_close(smaller, states, 1e-13, "free form");
        expect_close(joint_states, states, 1e-13, "all states");
        expect_close(of_joint, states, 1e-13, "joint form");
        ebm_model_free(free_form), ebm_model_free(both);
    }
}

Test(rbm, log_z_of_gaussian_visibles)
{
    for (int k = 2; k < COUNT(forms); k += 2) {
        ebm_model *model = rbm(&forms[k], 2, 3, GIBBS_FLOAT64);
        ebm_box box = {{-14, -14}, {14, 14}, 300, 0};
        ebm_quadrature z;
        double log_z;
        spread_theta(model, 8);
        OK(ebm_integrate(model, &box, &z, ERROR));
        OK(ebm_model_log_z(model, &log_z, ERROR));
        expect_close(log_z, z.log_z, 1e-11, forms[k].name);
        ebm_model_free(model);
    }
}

/* A float32 model's log Z is that of its parameters, in double. */
Test(rbm, log_z_in_float32)
{
    ebm_model *wide = rbm(&forms[0], 4, 3, GIBBS_FLOAT64), *narrow = rbm(&forms[0], 4, 3, GIBBS_FLOAT32);
    double a, b;
    spread_theta(wide, 9), spread_theta(narrow, 9);
    OK(ebm_model_log_z(wide, &a, ERROR));
    OK(ebm_model_log_z(narrow, &b, ERROR));
    expect_close(a, b, 1e-14, "log Z");
    ebm_model_free(wide), ebm_model_free(narrow);
}

/* ---- Conditionals ---- */

/* What block Gibbs sampling reads, run on one row: the conditional of a layer given `other`. */
static void run_layer(const ebm_model *model, const ebm_layer *layer, void *context, const double *other, int size,
                      double *parameter[2])
{
    ad_tape *tape = ad_tape_new(GIBBS_FLOAT64, NULL);
    ad_axis axis = ad_axis_new(tape, "chain");
    ad_var x = ad_input(axis, "other", ad_vec(size)), theta[8], out[2];
    int count = layer->unit == EBM_UNIT_GAUSSIAN ? 2 : 1;
    ad_plan *plan;
    ad_workspace *workspace;
    cr_assert(!ebm_model_record(model, tape, theta));
    layer->given(x, theta, context, out);
    for (int k = 0; k < count; k++) out[k] = ad_lift(axis, ad_expand(out[k], ad_vec(layer->units)));
    OK(ad_compile(out, count, NULL, &plan, ERROR));
    OK(ad_workspace_new(plan, &workspace, ERROR));
    OK(ebm_model_bind(model, workspace, theta, ERROR));
    OK(ad_bind(workspace, x, other, ERROR));
    OK(ad_set_rows(workspace, axis, 1, ERROR));
    OK(ad_run(workspace, NULL, ERROR));
    for (int k = 0; k < count; k++)
        memcpy(parameter[k], ad_result_f64(workspace, k), (size_t)layer->units * sizeof(double));
    ad_workspace_free(workspace), ad_plan_free(plan), ad_tape_free(tape);
}

static double joint_energy(ebm_model *model, const double *x)
{
    double E;
    OK(ebm_model_energy(model, x, 1, &E, NULL, ERROR));
    return E;
}

/* Log odds are differences of the joint energy; a Gaussian's mean and sd follow from three values of it. */
static void expect_conditionals(const struct form *f, ebm_model *model)
{
    double x[V + H], field[V], sd[V], logits[H], *hidden[2] = {logits}, *visible[2] = {field, sd};
    ebm_blocks blocks;
    spread(x, V + H, 11);
    OK(ebm_model_blocks(model, &blocks, ERROR));
    cr_expect(blocks.joint == f->joint && blocks.visible.units == V && blocks.hidden.units == H);
    cr_expect(blocks.visible.unit == (f->gaussian ? EBM_UNIT_GAUSSIAN : EBM_UNIT_BINARY));
    cr_expect(blocks.hidden.unit == EBM_UNIT_BINARY);
    run_layer(model, &blocks.hidden, blocks.context, x, V, hidden);
    run_layer(model, &blocks.visible, blocks.context, x + V, H, visible);
    for (int i = 0; i < V + H; i++) {
        double before = x[i], E[3];
        for (int k = 0; k < 3; k++) x[i] = k, E[k] = joint_energy(model, x);
        x[i] = before;
        double curvature = E[2] - 2 * E[1] + E[0];
        if (i >= V) expect_close(logits[i - V], E[0] - E[1], 1e-12, "hidden");
        else if (!f->gaussian) expect_close(field[i], E[0] - E[1], 1e-12, "visible");
        else {
            expect_close(sd[i], 1 / sqrt(curvature), 1e-11, "sd");
            expect_close(field[i], 1 - (E[2] - E[0]) / (2 * curvature), 1e-11, "mean");
        }
    }
}

Test(rbm, conditionals)
{
    for (int k = 1; k < COUNT(forms); k += 2) {
        ebm_model *model = rbm(&forms[k], V, H, GIBBS_FLOAT64);
        spread_theta(model, 10);
        expect_conditionals(&forms[k], model);
        ebm_model_free(model);
    }
}

/* Tempered machines and their sums in the joint form are machines; free energies only as they are. */
Test(rbm, conditionals_are_handed_on)
{
    static const int pairs[][2] = {{1, 1}, {3, 5}, {5, 5}};
    ebm_blocks blocks;
    for (int k = 0; k < COUNT(pairs); k++) {
        const struct form *f = &forms[pairs[k][0]];
        ebm_model *part[] = {rbm(f, V, H, GIBBS_FLOAT64), rbm(&forms[pairs[k][1]], V, H, GIBBS_FLOAT64)};
        ebm_model *warm, *both, *cold;
        spread_theta(part[0], 12), spread_theta(part[1], 13);
        OK(ebm_model_tempered(part[0], 0.3, &warm, ERROR));
        OK(ebm_model_sum(part, (double[]){0.3, 1.4}, 2, &both, ERROR));
        OK(ebm_model_tempered(both, 0.6, &cold, ERROR));
        expect_conditionals(f, warm);
        expect_conditionals(f, both);
        expect_conditionals(f, cold);
        ebm_model_free(cold), ebm_model_free(both), ebm_model_free(warm);
        OK(ebm_model_sum(part, (double[]){1, -1}, 2, &both, ERROR)); /* precisions may be negative */
        gibbs_status status = ebm_model_blocks(both, &blocks, NULL);
        cr_expect(status == (f->gaussian ? GIBBS_ARGUMENT : GIBBS_OK));
        ebm_model_free(both), ebm_model_free(part[0]), ebm_model_free(part[1]);
    }
}

Test(rbm, conditionals_that_are_not_handed_on)
{
    ebm_model *parts[] = {rbm(&forms[0], V, H, GIBBS_FLOAT64), rbm(&forms[0], V, H, GIBBS_FLOAT64)}, *model[4];
    ebm_blocks blocks;
    OK(ebm_model_tempered(parts[0], 1, &model[0], ERROR));
    OK(ebm_model_blocks(model[0], &blocks, ERROR));
    cr_expect(!blocks.joint && blocks.visible.units == V && blocks.hidden.units == H);
    OK(ebm_model_tempered(parts[0], 0.5, &model[1], ERROR));
    OK(ebm_model_sum(parts, NULL, 2, &model[2], ERROR));
    OK(ebm_model_mixture(parts, 2, &model[3], ERROR));
    for (int k = 1; k < 4; k++) {
        FAILS(GIBBS_ARGUMENT, "no two layers", ebm_model_blocks(model[k], &blocks, FAIL));
        ebm_model_free(model[k]);
    }
    ebm_model_free(model[0]), ebm_model_free(parts[0]), ebm_model_free(parts[1]);
}

/* log Z of tempered machines in the joint form: all states, or a grid over v for each state of h. */
static double by_states(ebm_model *model)
{
    double log_z;
    OK(ebm_enumerate(model, NULL, &log_z, NULL, ERROR));
    return log_z;
}

static double by_grid(ebm_model *model)
{
    enum { GRID = 4001 };
    double sum = 0, E, x[3];
    for (int h = 0; h < 4; h++)
        for (int i = 0; i < GRID; i++) {
            x[0] = 0.02 * (i - GRID / 2), x[1] = h & 1, x[2] = h >> 1;
            OK(ebm_model_energy(model, x, 1, &E, NULL, ERROR));
            sum += 0.02 * exp(-E);
        }
    return log(sum);
}

Test(rbm, log_z_of_tempered_machines)
{
    for (int k = 1; k < COUNT(forms); k += 2) {
        int gaussian = forms[k].gaussian;
        ebm_model *part = rbm(&forms[k], gaussian ? 1 : 3, gaussian ? 2 : 4, GIBBS_FLOAT64), *model;
        double log_z;
        spread_theta(part, 14);
        for (int cold = 0; cold < 2; cold++) {
            OK(ebm_model_tempered(part, cold ? 1.7 : 0.4, &model, ERROR));
            OK(ebm_model_log_z(model, &log_z, ERROR));
            expect_close(log_z, gaussian ? by_grid(model) : by_states(model), 1e-11, forms[k].name);
            ebm_model_free(model);
        }
        ebm_model_free(part);
    }
    ebm_model *part = rbm(&forms[0], 2, 2, GIBBS_FLOAT64), *model;
    double log_z = 7;
    OK(ebm_model_tempered(part, 0.5, &model, ERROR));
    FAILS(GIBBS_ARGUMENT, "the joint form has", ebm_model_log_z(model, &log_z, FAIL));
    cr_expect_eq(log_z, 7);
    ebm_model_free(model), ebm_model_free(part);
}

/* ---- Refusals ---- */

Test(rbm, refuses)
{
    static const struct {
        ebm_rbm_spec spec;
        const char *sentence;
    } cases[] = {
        {{.hidden = 1}, "0 visible units"},
        {{.visible = 1}, "0 hidden units"},
        {{.visible = -1, .hidden = 1}, "-1 visible units"},
        {{.visible = 1, .hidden = 1, .sd = 1}, "binary"},
        {{.visible = 1, .hidden = 1, .learn_sd = 1}, "binary"},
        {{.visible = 1, .hidden = 1, .gaussian = 1, .sd = -1}, "sd is -1"},
        {{.visible = 1, .hidden = 1, .gaussian = 1, .sd = INFINITY}, "sd is inf"},
        {{.visible = 1, .hidden = 1, .gaussian = 1, .sd = 1e-200}, "sd is 1e-200"},
        {{.visible = 1, .hidden = 1, .weight_sd = NAN}, "weight_sd is nan"},
    };
    for (int k = 0; k < COUNT(cases); k++) {
        ebm_model *model = (ebm_model *)&model;
        FAILS(GIBBS_ARGUMENT, cases[k].sentence, ebm_model_rbm(&cases[k].spec, &model, FAIL));
        cr_expect_null(model);
    }
}

Test(rbm, too_many_units_to_enumerate)
{
    ebm_model *model = rbm(&forms[0], 21, 22, GIBBS_FLOAT64), *gaussian;
    ebm_blocks blocks;
    double log_z = 7;
    FAILS(GIBBS_SIZE, "2^20", ebm_model_log_z(model, &log_z, FAIL));
    cr_expect_eq(log_z, 7);
    OK(ebm_model_gaussian(1, GIBBS_FLOAT64, NULL, &gaussian, ERROR));
    FAILS(GIBBS_ARGUMENT, "no two layers", ebm_model_blocks(gaussian, &blocks, FAIL));
    ebm_model_free(model), ebm_model_free(gaussian);
}
