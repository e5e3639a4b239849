/* Models: what a specification may not hold, and reading and writing the parameters. How they start:
 * test_model_init.c. */
#include <gibbs/ebm.h>

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(array) ((int)(sizeof(array) / sizeof((array)[0])))

/* ---- Energies, good and bad ---------------------------------------------------------------------------------- */

static ad_var square(ad_var x, const ad_var *theta, void *context)
{
    (void)theta;
    (void)context;
    return ad_sum(ad_square(x));
}

static ad_var vector(ad_var x, const ad_var *theta, void *context)
{
    (void)theta;
    (void)context;
    return ad_square(x);
}

static ad_var one_element(ad_var x, const ad_var *theta, void *context)
{
    (void)theta;
    (void)context;
    return ad_reshape(ad_sum(x), ad_vec(1));
}

static ad_var null_of_the_tape(ad_var x, const ad_var *theta, void *context)
{
    (void)theta;
    (void)context;
    return (ad_var){x.tape, -1};
}

static ad_var null_of_no_tape(ad_var x, const ad_var *theta, void *context)
{
    (void)x;
    (void)theta;
    (void)context;
    return (ad_var){NULL, -1};
}

static ad_var mismatched(ad_var x, const ad_var *theta, void *context)
{
    (void)context;
    return ad_sum(ad_add(x, theta[0]));
}

static ad_var foreign(ad_var x, const ad_var *theta, void *context)
{
    (void)x;
    (void)theta;
    return ad_constant(context, 1);
}

/* ---- Refusals ------------------------------------------------------------------------------------------------ */

static const ebm_parameter good = {"a", {1, {3}}, EBM_INIT_CONSTANT, 1};
static const ebm_parameter twins[] = {{"a", {0, {0}}, EBM_INIT_CONSTANT, 0},
                                      {"b", {0, {0}}, EBM_INIT_CONSTANT, 0},
                                      {"a", {1, {2}}, EBM_INIT_CONSTANT, 0}};
static const ebm_parameter nameless = {NULL, {0, {0}}, EBM_INIT_CONSTANT, 0};
static const ebm_parameter reserved = {"__metadata__", {0, {0}}, EBM_INIT_CONSTANT, 0};
static const ebm_parameter latin = {"\xe9tat", {0, {0}}, EBM_INIT_CONSTANT, 0};
static const ebm_parameter empty_second[] = {{"a", {0, {0}}, EBM_INIT_CONSTANT, 0},
                                             {"", {0, {0}}, EBM_INIT_CONSTANT, 0}};
static const ebm_parameter zero_dim = {"wide", {2, {3, 0}}, EBM_INIT_CONSTANT, 0};
static const ebm_parameter too_large = {"huge", {2, {65536, 32768}}, EBM_INIT_CONSTANT, 0};
static const ebm_parameter overflowing = {"vast", {3, {INT64_MAX, INT64_MAX, INT64_MAX}}, EBM_INIT_CONSTANT, 0};
static const ebm_parameter deep = {"deep", {AD_MAX_RANK + 1, {1, 1, 1, 1, 1, 1, 1, 1}}, EBM_INIT_CONSTANT, 0};
static const ebm_parameter unknown_rule = {"a", {0, {0}}, (ebm_init)(EBM_INIT_UNIFORM + 1), 0};
static const ebm_parameter nan_scale = {"a", {0, {0}}, EBM_INIT_NORMAL, NAN};
static const ebm_parameter infinite_scale = {"a", {0, {0}}, EBM_INIT_NORMAL, -INFINITY};

static const struct refusal {
    int64_t dim;
    const ebm_parameter *parameters;
    int count;
    ebm_energy_fn energy;
    gibbs_status status;
    const char *sentence; /* part of it */
} refusals[] = {
    {0, NULL, 0, square, GIBBS_ARGUMENT, "0 dimensions; there must be at least 1"},
    {-7, NULL, 0, square, GIBBS_ARGUMENT, "-7 dimensions"},
    {INT64_MAX, NULL, 0, square, GIBBS_SIZE, "9223372036854775807 dimensions; there can be 2^31-1"},
    {2, NULL, 0, NULL, GIBBS_ARGUMENT, "no energy"},
    {2, NULL, 1, square, GIBBS_ARGUMENT, "1 parameters, but no list"},
    {2, &good, -1, square, GIBBS_ARGUMENT, "-1 parameters"},
    {2, twins, 3, square, GIBBS_ARGUMENT, "two parameters are called «a»"},
    {2, &nameless, 1, square, GIBBS_ARGUMENT, "parameter 1 has no name"},
    {2, empty_second, 2, square, GIBBS_ARGUMENT, "parameter 2 has no name"},
    {2, &reserved, 1, square, GIBBS_ARGUMENT, "parameter 1 has the reserved name __metadata__"},
    {2, &latin, 1, square, GIBBS_ARGUMENT, "parameter 1 has a name that is not UTF-8"},
    {2, &zero_dim, 1, square, GIBBS_SIZE, "«wide»"},
    {2, &too_large, 1, square, GIBBS_SIZE, "«huge»"},
    {2, &overflowing, 1, square, GIBBS_SIZE, "«vast»"},
    {2, &deep, 1, square, GIBBS_SIZE, "«deep»"},
    {2, &unknown_rule, 1, square, GIBBS_ARGUMENT, "unknown rule"},
    {2, &nan_scale, 1, square, GIBBS_ARGUMENT, "scale that is not finite"},
    {2, &infinite_scale, 1, square, GIBBS_ARGUMENT, "scale that is not finite"},
    {2, NULL, 0, vector, GIBBS_SHAPE, "[2]"},
    {1, NULL, 0, vector, GIBBS_SHAPE, "[1]"},
    {2, NULL, 0, one_element, GIBBS_SHAPE, "[1]"},
    {2, NULL, 0, null_of_the_tape, GIBBS_TAPE, "null"},
    {2, NULL, 0, null_of_no_tape, GIBBS_TAPE, "null"},
    {2, &good, 1, mismatched, GIBBS_SHAPE, "[3]"},
};

Test(model, refuses)
{
    for (int i = 0; i < COUNT(refusals); i++) {
        const struct refusal *r = &refusals[i];
        ebm_model_spec spec = {0};
        ebm_model *model = (ebm_model *)&spec;
        gibbs_error error = {.status = GIBBS_OK};
        spec.dim = r->dim;
        spec.parameters = r->parameters;
        spec.parameter_count = r->count;
        spec.energy = r->energy;
        gibbs_status status = ebm_model_new(&spec, &model, &error);
        cr_expect(status == r->status && error.status == r->status, "case %d: status %d: %s", i, status, error.message);
        cr_expect(strstr(error.message, r->sentence), "case %d wants «%s»: %s", i, r->sentence, error.message);
        cr_expect(!model);
        if (!status) ebm_model_free(model);
        cr_expect(ebm_model_new(&spec, &model, NULL) == r->status, "case %d, without a place for the error", i);
    }
}

Test(model, refuses_an_energy_of_another_tape)
{
    ad_tape *other = ad_tape_new(GIBBS_FLOAT64, NULL);
    ebm_model_spec spec = {0};
    ebm_model *model;
    gibbs_error error = {.status = GIBBS_OK};
    spec.dim = 1;
    spec.energy = foreign;
    spec.context = other;
    cr_expect(ebm_model_new(&spec, &model, &error) == GIBBS_TAPE, "%s", error.message);
    ebm_model_free(model);
    ad_tape_free(other);
}

/* ---- A model and its parameters ------------------------------------------------------------------------------ */

static ad_var weighted(ad_var x, const ad_var *theta, void *context)
{
    ++*(int *)context;
    return ad_add(ad_dot(theta[0], ad_square(x)), ad_mul(theta[1], ad_sum(theta[2])));
}

static const ebm_parameter three[] = {
    {"scale", {1, {2}}, EBM_INIT_CONSTANT, 0.5},
    {"c", {0, {0}}, EBM_INIT_CONSTANT, -3},
    {"table", {3, {2, 1, 2}}, EBM_INIT_CONSTANT, 7},
};

static ebm_model *new_three(gibbs_dtype dtype, int *calls)
{
    ebm_model_spec spec = {0};
    ebm_model *model;
    gibbs_error error = {.status = GIBBS_OK};
    spec.dtype = dtype;
    spec.dim = 2;
    spec.parameters = three;
    spec.parameter_count = COUNT(three);
    spec.energy = weighted;
    spec.context = calls;
    cr_assert(ebm_model_new(&spec, &model, &error) == GIBBS_OK, "%s", error.message);
    return model;
}

Test(model, defaults_are_empty)
{
    ebm_model_spec spec = {0};
    cr_expect(spec.dtype == GIBBS_FLOAT64 && !spec.dim && !spec.parameters && !spec.parameter_count && !spec.energy);
    cr_expect(!spec.context && !spec.seed && !spec.allocator);
}

Test(model, describes_itself)
{
    for (gibbs_dtype dtype = GIBBS_FLOAT64; dtype <= GIBBS_FLOAT32; dtype++) {
        int calls = 0;
        ebm_model *model = new_three(dtype, &calls);
        cr_expect(calls == 1);
        cr_expect(ebm_model_dtype(model) == dtype && ebm_model_dim(model) == 2 && ebm_model_size(model) == 7);
        cr_assert(ebm_model_parameters(model) == COUNT(three));
        for (int i = 0; i < COUNT(three); i++) {
            ad_shape shape = ebm_model_parameter_shape(model, i);
            cr_expect_str_eq(ebm_model_parameter_name(model, i), three[i].name);
            cr_expect(ebm_model_parameter_name(model, i) != three[i].name, "names are copied");
            cr_expect(shape.rank == three[i].shape.rank);
            for (int k = 0; k < shape.rank; k++) cr_expect(shape.dim[k] == three[i].shape.dim[k]);
        }
        for (int i = -1; i <= COUNT(three); i += COUNT(three) + 1)
            cr_expect(!ebm_model_parameter_name(model, i) && ebm_model_parameter_shape(model, i).rank == -1);
        ebm_model_free(model);
    }
    ebm_model_free(NULL);
}

static void expect_value(const ebm_model *model, const char *name, double expected)
{
    double value = 77;
    gibbs_error error = {.status = GIBBS_OK};
    cr_expect(ebm_model_value(model, name, &value, &error) == GIBBS_OK && value == expected, "%s: %g (%s)", name, value,
              error.message);
}

/* A name that there is not is said, with those that there are; what the caller has is left alone. */
Test(model, values_of_names_that_there_are_not)
{
    int calls = 0;
    double value = 77;
    gibbs_error error = {.status = GIBBS_OK};
    ebm_model *model = new_three(GIBBS_FLOAT64, &calls), *bare;
    cr_expect_eq(ebm_model_value(model, "Scale", &value, &error), GIBBS_ARGUMENT);
    cr_expect_str_eq(error.message, "model: no parameter is called «Scale»; there are scale, c, table");
    cr_expect_eq(ebm_model_value(model, "", &value, NULL), GIBBS_ARGUMENT);
    cr_expect_eq(ebm_model_value(model, NULL, &value, &error), GIBBS_ARGUMENT);
    cr_expect(value == 77);
    ebm_model_free(model);
    ebm_model_spec spec = {0};
    spec.dim = 1;
    spec.energy = square;
    cr_assert(ebm_model_new(&spec, &bare, NULL) == GIBBS_OK);
    cr_expect_eq(ebm_model_value(bare, "a", &value, &error), GIBBS_ARGUMENT);
    cr_expect_str_eq(error.message, "model: no parameter is called «a»; there is none");
    ebm_model_free(bare);
}

Test(model, parameters_lie_one_after_the_other)
{
    static const double expected[] = {0.5, 0.5, -3, 7, 7, 7, 7}, fresh[] = {1, 2.25, 3, 4, -5, 6, 1e-3};
    for (gibbs_dtype dtype = GIBBS_FLOAT64; dtype <= GIBBS_FLOAT32; dtype++) {
        int calls = 0;
        double theta[7];
        ebm_model *model = new_three(dtype, &calls);
        ebm_model_get(model, theta);
        cr_expect_arr_eq(theta, expected, sizeof theta);
        expect_value(model, "scale", 0.5);
        expect_value(model, "c", -3);
        ebm_model_set(model, fresh);
        ebm_model_get(model, theta);
        for (int i = 0; i < 7; i++) {
            double stored = dtype == GIBBS_FLOAT32 ? (double)(float)fresh[i] : fresh[i];
            const void *at = ebm_model_theta(model);
            cr_expect(theta[i] == stored);
            cr_expect(stored == (dtype == GIBBS_FLOAT32 ? (double)((const float *)at)[i] : ((const double *)at)[i]));
        }
        expect_value(model, "table", 4);
        ebm_model_free(model);
    }
}

/* What is written through ebm_model_theta counts in the next evaluation, with no plan made anew. */
Test(model, writing_to_theta_changes_the_energy)
{
    int calls = 0;
    const double x[] = {1, 2};
    double energy;
    ebm_model *model = new_three(GIBBS_FLOAT64, &calls);
    cr_assert(ebm_model_energy(model, x, 1, &energy, NULL, NULL) == GIBBS_OK);
    cr_expect_float_eq(energy, 0.5 * 5 - 3 * 28, 1e-12);
    int before = calls;
    ((double *)ebm_model_theta(model))[2] = 1;
    cr_assert(ebm_model_energy(model, x, 1, &energy, NULL, NULL) == GIBBS_OK);
    cr_expect_float_eq(energy, 0.5 * 5 + 28, 1e-12);
    cr_expect(calls == before && calls == 2);
    ebm_model_free(model);
}
