/* A model's parameters to a file and back; files that are not the model's. */
#include <gibbs/ebm.h>

#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define COUNT(array) ((int)(sizeof(array) / sizeof((array)[0])))

typedef struct scratch {
    char folder[40], path[64];
} scratch;

static scratch scratch_new(void)
{
    scratch s = {.folder = "/tmp/gibbs-checkpoint-XXXXXX"};
    cr_assert(mkdtemp(s.folder));
    snprintf(s.path, sizeof s.path, "%s/model", s.folder);
    return s;
}

/* Fails when anything else was left in the folder. */
static void scratch_remove(const scratch *s)
{
    unlink(s->path);
    cr_expect(rmdir(s->folder) == 0, "something was left in %s", s->folder);
}

static ad_var energy(ad_var x, const ad_var *theta, void *context)
{
    (void)theta;
    (void)context;
    return ad_sum(x);
}

static const ebm_parameter parameters[] = {{"W", {2, {3, 2}}, EBM_INIT_NORMAL, 1},
                                           {"scale σ", {0, {0}}, EBM_INIT_NORMAL, 1},
                                           {"cube", {3, {1, 2, 2}}, EBM_INIT_NORMAL, 1}};
enum { SIZE = 11 };

static ebm_model *new_model(int count, gibbs_dtype dtype, uint64_t seed)
{
    ebm_model_spec spec = {0};
    ebm_model *model;
    spec.dtype = dtype;
    spec.dim = 1;
    spec.parameters = parameters;
    spec.parameter_count = count;
    spec.energy = energy;
    spec.seed = seed;
    cr_assert(ebm_model_new(&spec, &model, NULL) == GIBBS_OK);
    return model;
}

static void save(const ebm_model *model, const char *path)
{
    gibbs_error error = {.status = GIBBS_OK};
    cr_assert(ebm_model_save(model, path, &error) == GIBBS_OK, "%s", error.message);
}

/* ---- Round trips --------------------------------------------------------------------------------------------- */

/* Bits that a conversion would lose: −0, a denormal, an infinity, a NaN. */
static void set_special(ebm_model *model)
{
    static const double special[] = {-0.0, INFINITY, -NAN, 1.0 / 3};
    double theta[SIZE];
    ebm_model_get(model, theta);
    memcpy(theta, special, sizeof special);
    theta[4] = ebm_model_dtype(model) == GIBBS_FLOAT32 ? 0x1p-149 : 0x1p-1074;
    ebm_model_set(model, theta);
}

Test(checkpoint, round_trip_is_exact)
{
    for (gibbs_dtype dtype = GIBBS_FLOAT64; dtype <= GIBBS_FLOAT32; dtype++) {
        scratch s = scratch_new();
        ebm_model *out = new_model(COUNT(parameters), dtype, 1), *in = new_model(COUNT(parameters), dtype, 2);
        size_t bytes = SIZE * gibbs_dtype_size(dtype);
        cr_assert(ebm_model_size(out) == SIZE);
        set_special(out);
        cr_expect(memcmp(ebm_model_theta(in), ebm_model_theta(out), bytes) != 0);
        save(out, s.path);
        cr_assert(ebm_model_load(in, s.path, NULL) == GIBBS_OK);
        cr_expect(memcmp(ebm_model_theta(in), ebm_model_theta(out), bytes) == 0);
        ebm_model_free(out);
        ebm_model_free(in);
        scratch_remove(&s);
    }
}

Test(checkpoint, the_file_holds_names_shapes_and_values)
{
    for (gibbs_dtype dtype = GIBBS_FLOAT64; dtype <= GIBBS_FLOAT32; dtype++) {
        scratch s = scratch_new();
        ebm_model *model = new_model(COUNT(parameters), dtype, 1);
        ebm_tensors file;
        const char *theta = ebm_model_theta(model);
        save(model, s.path);
        cr_assert(ebm_tensors_read(s.path, NULL, &file, NULL) == GIBBS_OK);
        cr_assert(file.count == COUNT(parameters));
        for (int i = 0; i < file.count; i++) {
            const ebm_tensor *t = &file.tensor[i];
            size_t bytes = (size_t)ad_shape_count(&t->shape) * gibbs_dtype_size(dtype);
            cr_expect_str_eq(t->name, parameters[i].name);
            cr_expect(t->dtype == dtype && t->shape.rank == parameters[i].shape.rank);
            for (int k = 0; k < t->shape.rank; k++) cr_expect(t->shape.dim[k] == parameters[i].shape.dim[k]);
            cr_expect(memcmp(t->data, theta, bytes) == 0);
            theta += bytes;
        }
        ebm_tensors_free(&file);
        ebm_model_free(model);
        scratch_remove(&s);
    }
}

/* The order in the file does not matter; a model without parameters has an empty file. */
Test(checkpoint, other_orders_and_no_parameters)
{
    scratch s = scratch_new();
    double sigma = 5, W[] = {1, 2, 3, 4, 5, 6}, cube[] = {7, 8, 9, 10}, theta[SIZE];
    static const double expected[SIZE] = {1, 2, 3, 4, 5, 6, 5, 7, 8, 9, 10};
    ebm_tensor backwards[] = {{"cube", GIBBS_FLOAT64, {3, {1, 2, 2}}, cube},
                              {"scale σ", GIBBS_FLOAT64, {0, {0}}, &sigma},
                              {"W", GIBBS_FLOAT64, {2, {3, 2}}, W}};
    ebm_model *model = new_model(COUNT(parameters), GIBBS_FLOAT64, 1), *bare = new_model(0, GIBBS_FLOAT64, 1);
    cr_assert(ebm_tensors_write(s.path, backwards, 3, NULL) == GIBBS_OK);
    cr_assert(ebm_model_load(model, s.path, NULL) == GIBBS_OK);
    ebm_model_get(model, theta);
    cr_expect_arr_eq(theta, expected, sizeof expected);
    cr_expect(ebm_model_load(bare, s.path, NULL) == GIBBS_FORMAT);
    save(bare, s.path);
    cr_expect(ebm_model_load(bare, s.path, NULL) == GIBBS_OK);
    cr_expect(ebm_model_load(model, s.path, NULL) == GIBBS_FORMAT);
    ebm_model_free(model);
    ebm_model_free(bare);
    scratch_remove(&s);
}

/* Loaded parameters count in plans that were made before. */
Test(checkpoint, loading_changes_the_energy)
{
    scratch s = scratch_new();
    ebm_model *one, *two;
    const double x = 3, moved[] = {1, 10};
    double before, after;
    cr_assert(ebm_model_gaussian(1, GIBBS_FLOAT64, NULL, &one, NULL) == GIBBS_OK);
    cr_assert(ebm_model_gaussian(1, GIBBS_FLOAT64, NULL, &two, NULL) == GIBBS_OK);
    ebm_model_set(two, moved);
    save(two, s.path);
    cr_assert(ebm_model_energy(one, &x, 1, &before, NULL, NULL) == GIBBS_OK);
    cr_assert(ebm_model_load(one, s.path, NULL) == GIBBS_OK);
    cr_assert(ebm_model_energy(one, &x, 1, &after, NULL, NULL) == GIBBS_OK);
    cr_expect(before == 4.5 && after == 20);
    ebm_model_free(one);
    ebm_model_free(two);
    scratch_remove(&s);
}

/* ---- Refusals ------------------------------------------------------------------------------------------------ */

/* The file is refused with these words, and the model keeps every bit. */
static void expect_refused(const char *path, gibbs_status status, const char *words)
{
    ebm_model *model = new_model(COUNT(parameters), GIBBS_FLOAT64, 3);
    double before[SIZE], after[SIZE];
    gibbs_error error = {.status = GIBBS_OK};
    ebm_model_get(model, before);
    cr_expect(ebm_model_load(model, path, &error) == status && error.status == status, "%s", error.message);
    cr_expect(strstr(error.message, words), "not «%s»: %s", words, error.message);
    cr_expect(strstr(error.message, path), "the file is not named: %s", error.message);
    cr_expect(ebm_model_load(model, path, NULL) == status);
    ebm_model_get(model, after);
    cr_expect_arr_eq(before, after, sizeof before);
    ebm_model_free(model);
}

static double number[12];
static float single[12];
#define W                                                                                                              \
    {                                                                                                                  \
        "W", GIBBS_FLOAT64, {2, {3, 2}}, number                                                                        \
    }
#define SIGMA                                                                                                          \
    {                                                                                                                  \
        "scale σ", GIBBS_FLOAT64, {0, {0}}, number                                                                     \
    }
#define CUBE                                                                                                           \
    {                                                                                                                  \
        "cube", GIBBS_FLOAT64, {3, {1, 2, 2}}, number                                                                  \
    }

static const struct mismatch {
    int count;
    ebm_tensor tensor[4];
    const char *words;
} mismatches[] = {
    {3, {{"V", GIBBS_FLOAT64, {2, {3, 2}}, number}, SIGMA, CUBE}, "there is no «W»"},
    {2, {W, SIGMA}, "there is no «cube»"},
    {4, {W, SIGMA, CUBE, {"more", GIBBS_FLOAT64, {0, {0}}, number}}, "the model has no «more»"},
    {3, {{"W", GIBBS_FLOAT64, {2, {2, 3}}, number}, SIGMA, CUBE}, "«W» has shape [2,3], in the model [3,2]"},
    {3, {{"W", GIBBS_FLOAT64, {1, {6}}, number}, SIGMA, CUBE}, "«W» has shape [6], in the model [3,2]"},
    {3, {W, {"scale σ", GIBBS_FLOAT64, {1, {1}}, number}, CUBE}, "«scale σ» has shape [1]"},
    {3, {W, SIGMA, {"cube", GIBBS_FLOAT32, {3, {1, 2, 2}}, single}}, "«cube» is F32, in the model it is F64"},
};

Test(checkpoint, other_models)
{
    scratch s = scratch_new();
    for (int i = 0; i < COUNT(mismatches); i++) {
        cr_assert(ebm_tensors_write(s.path, mismatches[i].tensor, mismatches[i].count, NULL) == GIBBS_OK);
        expect_refused(s.path, GIBBS_FORMAT, mismatches[i].words);
    }
    ebm_model *narrow = new_model(COUNT(parameters), GIBBS_FLOAT32, 3);
    save(narrow, s.path);
    expect_refused(s.path, GIBBS_FORMAT, "«W» is F32, in the model it is F64");
    ebm_model_free(narrow);
    scratch_remove(&s);
}

static void write_text(const char *path, const void *text, size_t length)
{
    FILE *file = fopen(path, "wb");
    cr_assert(file && fwrite(text, 1, length, file) == length && !fclose(file));
}

Test(checkpoint, files_that_are_none)
{
    scratch s = scratch_new();
    expect_refused(s.path, GIBBS_IO, "cannot open");
    expect_refused(s.folder, GIBBS_IO, "cannot read");
    write_text(s.path, "", 0);
    expect_refused(s.path, GIBBS_FORMAT, "too short");
    write_text(s.path, "a,b,c\n1,2,3\n4,5,6\n", 18);
    expect_refused(s.path, GIBBS_FORMAT, "header");
    scratch_remove(&s);
}

/* Every length short of the whole. */
Test(checkpoint, truncated)
{
    scratch s = scratch_new();
    ebm_model *model = new_model(COUNT(parameters), GIBBS_FLOAT64, 1);
    struct stat info;
    save(model, s.path);
    cr_assert(stat(s.path, &info) == 0);
    for (off_t length = info.st_size - 1; length >= 0; length--) {
        cr_assert(truncate(s.path, length) == 0);
        expect_refused(s.path, GIBBS_FORMAT, "");
    }
    ebm_model_free(model);
    scratch_remove(&s);
}

/* What cannot be written is an error, and an old file stays as it was. */
Test(checkpoint, saving_fails)
{
    scratch s = scratch_new();
    ebm_model *good = new_model(COUNT(parameters), GIBBS_FLOAT64, 1);
    gibbs_error error = {.status = GIBBS_OK};
    char nowhere[96];
    save(good, s.path);
    cr_expect(ebm_model_load(good, s.path, NULL) == GIBBS_OK);
    snprintf(nowhere, sizeof nowhere, "%s/none/model", s.folder);
    cr_expect(ebm_model_save(good, nowhere, &error) == GIBBS_IO);
    cr_expect(strstr(error.message, "none/model"), "%s", error.message);
    ebm_model_free(good);
    scratch_remove(&s);
}
