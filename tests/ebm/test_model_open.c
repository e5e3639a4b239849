/* Models from files alone: every energy that ships, saved, opened and saved again; files that say too little. */
#include "ebm/data/data_private.h"
#include "ebm/energy/ships.h"
#include "ebm/energy_check.h"
#include "ebm/model/model.h"
#include "support/alloc.h"

#include <sys/stat.h>
#include <unistd.h>

enum { TEXTS = 40 };

/* ---- Every energy that ships, with options that are not the defaults ---- */

static const int64_t edges[] = {0, 1, 2, 1}, labels_of[] = {2, 3, 2}, widths[] = {3, 2};
static const double labels[] = {-1, 0.1, 1e-300, 2, 1.0 / 3, -7};

/* Models live as long as a test, so that their parts do: the last one is freed first. */
static ebm_model *kept[1000];
static int keeps;

static ebm_model *keep(ebm_model *model)
{
    cr_assert(keeps < COUNT(kept));
    return kept[keeps++] = model;
}

static ebm_model *gaussian_of(gibbs_dtype dtype)
{
    ebm_model *model;
    OK(ebm_model_gaussian(2, dtype, NULL, &model, ERROR));
    return keep(model);
}
static ebm_model *cholesky(gibbs_dtype dtype)
{
    ebm_model *model;
    OK(ebm_model_gaussian_cholesky(3, dtype, NULL, &model, ERROR));
    return keep(model);
}

#define MAKER(name, spec_type, ...)                                     \
    static ebm_model *name(gibbs_dtype dtype)                           \
    {                                                                   \
        spec_type spec = {__VA_ARGS__};                                 \
        ebm_model *model;                                               \
        spec.dtype = dtype;                                             \
        OK(ebm_model_##name(&spec, &model, ERROR));                     \
        return keep(model);                                             \
    }
MAKER(mlp, ebm_mlp_spec, .dim = 2, .widths = widths, .layers = 2, .activation = ad_silu, .base_sd = 1.0 / 3)
MAKER(rbm, ebm_rbm_spec, .visible = 3, .hidden = 2, .gaussian = 1, .sd = 0.1, .learn_sd = 1, .joint = 1)
MAKER(ising, ebm_mrf_spec, .space = {.variables = 3}, .edges = edges, .edge_count = 2)
MAKER(potts, ebm_mrf_spec, .space = {.variables = 3, .labels_of = labels_of, .one_hot = 1}, .edges = edges,
      .edge_count = 2)
MAKER(mrf, ebm_mrf_spec, .space = {.variables = 3, .labels = 3, .one_hot = 1})
MAKER(exponential, ebm_exponential_spec, .dim = 3)
MAKER(experts, ebm_experts_spec, .dim = 2, .experts = 2, .expert = ebm_student_expert, .learn_weights = 1)
MAKER(regression, ebm_regression_spec, .response = EBM_SOFTMAX, .given = 2, .outputs = 2, .labels = 3, .pinned = 1)
MAKER(chain_crf, ebm_chain_crf_spec, .given = 4, .length = 2, .labels = 3)
MAKER(bilinear, ebm_bilinear_spec, .given = 2, .modelled = 1, .width = 2, .labels = labels, .label_count = 6)

static ebm_model *sum(gibbs_dtype dtype)
{
    ebm_model *parts[] = {gaussian_of(dtype), experts(dtype), mlp(dtype)}, *model;
    OK(ebm_model_sum(parts, (double[]){0.1, 2, 1}, 3, &model, ERROR));
    return keep(model);
}
static ebm_model *tempered(gibbs_dtype dtype)
{
    ebm_model *model;
    OK(ebm_model_tempered(rbm(dtype), 0.7, &model, ERROR));
    return keep(model);
}
static ebm_model *mixture(gibbs_dtype dtype)
{
    ebm_model *parts[] = {sum(dtype), gaussian_of(dtype)}, *model;
    OK(ebm_model_mixture(parts, 2, &model, ERROR));
    return keep(model);
}
static ebm_model *given_sum(gibbs_dtype dtype)
{
    ebm_model *parts[] = {bilinear(dtype), bilinear(dtype)}, *model;
    OK(ebm_model_sum(parts, NULL, 2, &model, ERROR));
    return keep(model);
}

static const struct shipped {
    const ebm_energy *kind;
    ebm_model *(*make)(gibbs_dtype dtype);
} shipped[] = {
    {&ebm_energy_gaussian, gaussian_of}, {&ebm_energy_gaussian_cholesky, cholesky}, {&ebm_energy_mlp, mlp},
    {&ebm_energy_rbm, rbm}, {&ebm_energy_ising, ising}, {&ebm_energy_potts, potts}, {&ebm_energy_mrf, mrf},
    {&ebm_energy_exponential, exponential}, {&ebm_energy_experts, experts}, {&ebm_energy_sum, sum},
    {&ebm_energy_tempered, tempered}, {&ebm_energy_mixture, mixture}, {&ebm_energy_regression, regression},
    {&ebm_energy_chain_crf, chain_crf}, {&ebm_energy_bilinear, bilinear}, {&ebm_energy_sum, given_sum},
};

/* ---- Files ---- */

static char folder[40], path[64], again[64];

static void make_folder(void)
{
    strcpy(folder, "/tmp/gibbs-open-XXXXXX");
    cr_assert(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/model", folder);
    snprintf(again, sizeof again, "%s/again", folder);
}
static void remove_folder(void)
{
    while (keeps) ebm_model_free(kept[--keeps]);
    unlink(path), unlink(again);
    cr_expect(rmdir(folder) == 0, "something was left in %s", folder);
}
TestSuite(model_open, .init = make_folder, .fini = remove_folder);

static char *contents(const char *file, int64_t *length)
{
    char *text;
    gibbs_allocator a = gibbs_allocator_or_default(NULL);
    OK(ebm_read_file(file, &a, &text, length, ERROR));
    return text;
}

static void expect_same_files(const char *name)
{
    int64_t n, m;
    char *first = contents(path, &n), *second = contents(again, &m);
    cr_expect(n == m && !memcmp(first, second, (size_t)n), "%s: saved again, the file is another", name);
    gibbs_allocator a = gibbs_allocator_or_default(NULL);
    gibbs_release(&a, first), gibbs_release(&a, second);
}

static void expect_same_model(ebm_model *model, ebm_model *opened, const char *name)
{
    int dim = (int)ebm_model_dim(model);
    double x[CHECK_ROWS * 32], E[2][CHECK_ROWS], z[2] = {7, 7};
    ebm_blocks blocks;
    cr_assert(dim <= 32 && ebm_model_dim(opened) == dim && ebm_model_given(opened) == ebm_model_given(model));
    cr_expect(ebm_model_dtype(opened) == ebm_model_dtype(model), "%s", name);
    spread(x, CHECK_ROWS * dim, 4);
    OK(ebm_model_energy(model, x, CHECK_ROWS, E[0], NULL, ERROR));
    OK(ebm_model_energy(opened, x, CHECK_ROWS, E[1], NULL, ERROR));
    cr_expect(!memcmp(E[0], E[1], sizeof E[0]), "%s: another energy", name);
    gibbs_status status[] = {ebm_model_log_z(model, &z[0], NULL), ebm_model_log_z(opened, &z[1], NULL)};
    cr_expect(status[0] == status[1] && z[0] == z[1], "%s: another log Z", name);
    cr_expect(ebm_model_blocks(model, &blocks, NULL) == ebm_model_blocks(opened, &blocks, NULL), "%s", name);
}

Test(model_open, every_energy_that_ships)
{
    for (int k = 0; k < 2 * COUNT(shipped); k++) {
        const struct shipped *s = &shipped[k / 2];
        ebm_model *model = s->make(k % 2 ? GIBBS_FLOAT32 : GIBBS_FLOAT64), *opened;
        counting_alloc count = {0};
        gibbs_allocator a = counting_allocator(&count);
        spread_theta(model, 3);
        cr_expect(model->kind == s->kind);
        OK(ebm_model_save(model, path, ERROR));
        OK(ebm_model_open(path, NULL, &a, &opened, ERROR));
        expect_same_model(model, opened, s->kind->name);
        OK(ebm_model_save(opened, again, ERROR));
        expect_same_files(s->kind->name);
        ebm_model_free(opened);
        cr_expect(count.live == 0, "%s: memory leaked", s->kind->name);
    }
}

/* ---- Files that are not quite right: each text in turn is taken away, or says something else ---- */

typedef struct texts {
    ebm_tensors file;
    ebm_metadata item[TEXTS];
    int count;
} texts;

static texts read_texts(const struct shipped *s)
{
    texts t = {.count = 0};
    ebm_model *model = s->make(GIBBS_FLOAT64);
    OK(ebm_model_save(model, path, ERROR));
    OK(ebm_tensors_read(path, NULL, &t.file, ERROR));
    t.count = t.file.metadata_count;
    cr_assert(t.count > 1 && t.count <= TEXTS, "%s: %d texts", s->kind->name, t.count);
    memcpy(t.item, t.file.metadata, (size_t)t.count * sizeof *t.item);
    return t;
}

static void expect_refused(const texts *t, const char *sentence, const char *name)
{
    ebm_model *model = (ebm_model *)&model;
    gibbs_error error = {.status = GIBBS_OK};
    counting_alloc count = {0};
    gibbs_allocator a = counting_allocator(&count);
    OK(ebm_tensors_write_with(path, t->file.tensor, t->file.count, t->item, t->count, ERROR));
    gibbs_status status = ebm_model_open(path, NULL, &a, &model, &error);
    cr_expect(status == GIBBS_FORMAT && strstr(error.message, sentence) && !model && !count.live,
              "%s: '%s' is not in '%s'", name, sentence, error.message);
}

Test(model_open, a_text_is_missing_or_no_such_thing)
{
    for (int k = 0; k < COUNT(shipped); k++) {
        texts t = read_texts(&shipped[k]);
        for (int i = 0; i < t.count; i++) {
            ebm_metadata kept = t.item[i];
            t.item[i] = t.item[t.count - 1], t.count--;
            expect_refused(&t, strcmp(kept.key, "energy") ? "lacks «" : "does not say what", shipped[k].kind->name);
            t.count++, t.item[i] = (ebm_metadata){kept.key, "1.5e999 x"};
            expect_refused(&t, strstr(kept.key, "energy") ? "none that ships" : kept.key, shipped[k].kind->name);
            t.item[i] = kept;
        }
        ebm_tensors_free(&t.file);
    }
}

static const struct wrong {
    int shipped;
    const char *key, *value, *sentence;
} wrongs[] = {
    {0, "dim", "2.5", "«dim» is '2.5', which is no whole number"},
    {0, "dim", "-2", "cannot be made"},
    {0, "dim", "3", "«mean» has shape [2], in the model [3]"},
    {0, "dim", "99999999999999999999", "«dim»"},
    {0, "dtype", "F16", "number type: F32 or F64"},
    {0, "energy", "rbm", "lacks «visible»"},
    {2, "widths", "3", "has 1 number, not 2"},
    {2, "widths", "3 2 1", "has 3 numbers, not 2"},
    {2, "widths", "3  2", "has 3 numbers, not 2"},
    {2, "widths", "none", "no widths"},
    {2, "layers", "9007199254740992", "has 2 numbers, not 9007199254740992"},
    {2, "activation", "relu6", "no activation that is known here"},
    {2, "base_sd", "inf", "no finite number"},
    {4, "edges", "0 1 2 x", "'x'"},
    {4, "edge_count", "4611686018427387904", "«edge_count»"},
    {7, "statistics", "my_own", "no feature map that is known here"},
    {9, "count", "4", "«beta» has 3 numbers, not 4"},
    {11, "count", "1000000000", "1 to 64"},
    {11, "count", "3", "lacks «3.energy»"},
    {9, "2.expert", "sin", NULL},
    {10, "beta", "none", NULL},
    {11, "count", "0", "1 to 64"},
    {14, "label_count", "9007199254740992", "numbers, not"},
    {14, "modelled", "4611686018427387904", "«modelled»"},
};

Test(model_open, texts_that_do_not_fit)
{
    for (int k = 0; k < COUNT(wrongs); k++) {
        const struct wrong *w = &wrongs[k];
        texts t = read_texts(&shipped[w->shipped]);
        int i = 0;
        while (i < t.count && strcmp(t.item[i].key, w->key)) i++;
        cr_assert(i < t.count, "%s", w->key);
        t.item[i].value = (char *)w->value;
        if (w->sentence) expect_refused(&t, w->sentence, w->key);
        else { /* the control: what is as good as what was there */
            ebm_model *model;
            OK(ebm_tensors_write_with(path, t.file.tensor, t.file.count, t.item, t.count, ERROR));
            OK(ebm_model_open(path, NULL, NULL, &model, ERROR));
            ebm_model_free(model);
        }
        ebm_tensors_free(&t.file);
    }
}

/* Parts of parts of parts …, which a file may claim without end. */
Test(model_open, nested_too_deeply)
{
    enum { DEPTH = 80 };
    static char key[3 * DEPTH + 3][2 * DEPTH + 16];
    ebm_metadata item[3 * DEPTH + 3];
    char prefix[2 * DEPTH + 4] = "";
    ebm_tensor one = {"x", GIBBS_FLOAT64, {0, {0}}, &(double){1}};
    int n = 0;
    for (int d = 0; d <= DEPTH; d++, strcat(prefix, "1.")) {
        static const char *const names[] = {"energy", "count", "beta"}, *const values[] = {"tempered", "1", "none"};
        for (int k = 0; k < 3; k++, n++) {
            snprintf(key[n], sizeof key[n], "%s%s", prefix, names[k]);
            item[n] = (ebm_metadata){key[n], (char *)values[k]};
        }
    }
    ebm_model *model;
    OK(ebm_tensors_write_with(path, &one, 1, item, n, ERROR));
    FAILS(GIBBS_FORMAT, "nested too deeply", ebm_model_open(path, NULL, NULL, &model, FAIL));
}

/* ---- What has no name ---- */

static ad_var own_activation(ad_var x) { return ad_add(x, ad_sin(x)); }
static ad_var own_map(ad_var x, const ad_var *theta, void *context)
{
    return (void)theta, (void)context, ad_square(x);
}
static ad_var own_energy(ad_var x, const ad_var *theta, void *context)
{
    return (void)context, ad_mul(theta[0], ad_sum(ad_square(x)));
}

static void expect_nameless(ebm_model *model)
{
    ebm_model *opened;
    double theta[CHECK_SIZE], loaded[CHECK_SIZE];
    spread_theta(model, 1);
    ebm_model_get(model, theta);
    OK(ebm_model_save(model, path, ERROR));
    FAILS(GIBBS_FORMAT, "ebm_model_load it", ebm_model_open(path, NULL, NULL, &opened, FAIL));
    ebm_model_reset(model, 1);
    OK(ebm_model_load(model, path, ERROR));
    ebm_model_get(model, loaded);
    cr_expect(!memcmp(theta, loaded, (size_t)ebm_model_size(model) * sizeof *theta));
}

Test(model_open, what_has_no_name_is_saved_and_loaded)
{
    ebm_model *model[5], *parts[2];
    ebm_mlp_spec net = {.dim = 2, .widths = widths, .layers = 2, .activation = own_activation, .dtype = GIBBS_FLOAT64};
    ebm_exponential_spec family = {.dim = 2, .statistics = {own_map, 2, NULL, 0, NULL}, .dtype = GIBBS_FLOAT64};
    const ebm_parameter k = {"k", {0, {0}}, EBM_INIT_CONSTANT, 1};
    ebm_model_spec spec = {0};
    spec.dim = 2, spec.energy = own_energy, spec.parameters = &k, spec.parameter_count = 1;
    OK(ebm_model_mlp(&net, &model[0], ERROR));
    OK(ebm_model_exponential(&family, &model[1], ERROR));
    OK(ebm_model_new(&spec, &model[2], ERROR));
    parts[0] = gaussian_of(GIBBS_FLOAT64), parts[1] = model[0];
    OK(ebm_model_sum(parts, NULL, 2, &model[3], ERROR));
    OK(ebm_model_tempered(parts[0], 1, &model[4], ERROR));
    keep(model[0]), keep(model[1]), keep(model[2]), keep(model[3]), keep(model[4]);
    for (int n = 0; n < 70; n++) { /* deeper than a file can say */
        OK(ebm_model_tempered(model[4], 1, &model[4], ERROR));
        keep(model[4]);
    }
    for (int n = 0; n < COUNT(model); n++) expect_nameless(model[n]);
}

/* ---- An energy of one's own with all that a struct can say ---- */

typedef struct own_spec {
    int64_t dim;
    double power;
    gibbs_dtype dtype;
    const gibbs_allocator *allocator;
} own_spec;

static own_spec latest; /* the context must outlive the model */

static ad_var own_record(ad_var x, const ad_var *theta, void *context)
{
    const own_spec *s = context;
    return ad_mul(ad_exp(theta[0]), ad_scale(ad_sum(ad_square(x)), s->power));
}
static gibbs_status own_log_z(const double *theta, double beta, void *context, const gibbs_allocator *allocator,
                              double *log_z, gibbs_error *error)
{
    const own_spec *s = context;
    (void)allocator, (void)error;
    *log_z = 0.5 * (double)s->dim * log(M_PI / (beta * exp(theta[0]) * s->power));
    return GIBBS_OK;
}
static gibbs_status own_make(const void *spec, ebm_model **model, gibbs_error *error);
static const ebm_option own_options[] = {
    {"dim", EBM_OPTION_INT64, offsetof(own_spec, dim), NULL},
    {"power", EBM_OPTION_DOUBLE, offsetof(own_spec, power), NULL},
    {"dtype", EBM_OPTION_DTYPE, offsetof(own_spec, dtype), NULL},
    {"allocator", EBM_OPTION_ALLOCATOR, offsetof(own_spec, allocator), NULL},
};
static const ebm_energy own = {.name = "own", .record = own_record, .log_z = own_log_z, .options = own_options,
                               .option_count = COUNT(own_options), .spec_bytes = sizeof(own_spec), .make = own_make};
static gibbs_status own_make(const void *spec, ebm_model **model, gibbs_error *error)
{
    const ebm_parameter k = {"k", {0, {0}}, EBM_INIT_CONSTANT, 0};
    latest = *(const own_spec *)spec;
    ebm_model_spec made = {.dtype = latest.dtype, .dim = latest.dim, .parameters = &k, .parameter_count = 1,
                           .kind = &own, .context = &latest, .allocator = latest.allocator};
    return ebm_model_new(&made, model, error);
}

Test(model_open, an_energy_of_one_s_own)
{
    const ebm_energy *const list[] = {&own, NULL};
    ebm_model *model, *warm, *opened;
    double z;
    OK(own_make(&(own_spec){3, 0.25, GIBBS_FLOAT64, NULL}, &model, ERROR));
    ebm_model_set(model, (double[]){0.3});
    OK(ebm_model_tempered(model, 0.5, &warm, ERROR));
    OK(ebm_model_log_z(warm, &z, ERROR));
    expect_close(z, 1.5 * log(M_PI / (0.5 * exp(0.3) * 0.25)), 1e-14, "log Z of a tempered energy of one's own");
    OK(ebm_model_save(warm, path, ERROR));
    FAILS(GIBBS_FORMAT, "list it in `own`", ebm_model_open(path, NULL, NULL, &opened, FAIL));
    OK(ebm_model_open(path, list, NULL, &opened, ERROR));
    expect_same_model(warm, opened, "own");
    OK(ebm_model_save(opened, again, ERROR));
    expect_same_files("own");
    ebm_model_free(opened), ebm_model_free(warm), ebm_model_free(model);
}
