/* A training's file is for the same training, or it says what differs; a broken one is refused, and nothing changes. */
#include "trainer_helpers.h"

#include <math.h>
#include <sys/stat.h>

TestSuite(trainer_files, .init = trainer_enter, .fini = trainer_leave);

static const training pcd = {"PCD", {.loss = &ebm_loss_pcd, .batch = 64, .average = 0.9, .validation_fraction = 0.2,
                                     .loss_options = {.buffer = 130, .sampler_step = 0.05}}};

static ebm_trainer *trainer_of(const training *how, ebm_model *model)
{
    ebm_trainer *t;
    ebm_fit_options o = trainer_options(how);
    OK(ebm_trainer_new(model, &trainer_data, &o, &t, ERROR));
    return t;
}

static void save_at(const training *how, int64_t steps)
{
    ebm_model *model = trainer_model(0);
    ebm_trainer *t = trainer_of(how, model);
    OK(ebm_trainer_run(t, steps, ERROR));
    OK(ebm_trainer_save(t, "ck", ERROR));
    ebm_trainer_free(t);
    ebm_model_free(model);
}

/* The load fails so, and the next steps are those that would have come without it. */
static void expect_refused(const training *how, ebm_model *model, const char *part)
{
    ebm_trainer *t = trainer_of(how, model);
    double before[SIZE] = {0}, after[SIZE] = {0};
    trainer_theta(model, before);
    FAILS(GIBBS_FORMAT, part, ebm_trainer_load(t, "ck", FAIL));
    trainer_theta(model, after);
    cr_expect_arr_eq(before, after, sizeof before);
    cr_expect_eq(ebm_trainer_report(t)->steps, 0);
    OK(ebm_trainer_run(t, 1, ERROR));
    ebm_trainer_free(t);
}

/* ---- Another training ---- */

#define DIFFERS(part, ...)                                          \
    do {                                                            \
        training other = pcd;                                       \
        other.options.loss_options.buffer = 130;                    \
        __VA_ARGS__;                                                \
        ebm_model *model = trainer_model(0);                        \
        expect_refused(&other, model, part);                        \
        ebm_model_free(model);                                      \
    } while (0)

Test(trainer_files, other_options)
{
    save_at(&pcd, 20);
    DIFFERS("loss is pcd there, and cd here", other.options.loss = &ebm_loss_cd);
    DIFFERS("fit.rate is 0.01", other.options.rate = 0.02);
    DIFFERS("and 32 here", other.options.batch = 32);
    DIFFERS("loss.buffer is 130 there, and 140 here", other.options.loss_options.buffer = 140);
    DIFFERS("loss.sampler_step is 0.05", other.options.loss_options.sampler_step = 0.06);
    DIFFERS("optimizer is adam there, and sgd here", other.options.optimizer = &ebm_sgd);
    DIFFERS("sampler is", other.options.loss_options.sampler = &ebm_ula);
    DIFFERS("fit.average is", other.options.average = 0.8);
    DIFFERS("it has taken 20 steps, more than the 10", other.options.steps = 10);
    DIFFERS("fit.schedule is", other.options.schedule = EBM_SCHEDULE_LINEAR);
}

Test(trainer_files, other_data)
{
    save_at(&pcd, 20);
    trainer_data.x[5] = nextafter(trainer_data.x[5], 9);
    DIFFERS("data.hash is", (void)0);
    trainer_data.rows--;
    DIFFERS("data.rows is 150 there, and 149 here", (void)0);
    trainer_data.rows++;
}

static ad_var single(ad_var x, const ad_var *theta, void *context)
{
    return ad_scale(ad_mul(theta[0], ad_sum(ad_square(x))), *(double *)context);
}

/* Energies without a name are told apart by what they give. */
Test(trainer_files, another_model)
{
    save_at(&pcd, 20);
    ebm_model *model = trainer_model(1);
    expect_refused(&pcd, model, "model.dtype is F64 there, and F32 here");
    ebm_model_free(model);
    double factor = 1;
    ebm_parameter p = {"t", ad_scalar(), EBM_INIT_CONSTANT, 1};
    ebm_model_spec spec = {.dim = 2, .parameters = &p, .parameter_count = 1, .energy = single, .context = &factor};
    const training plain = {"score matching", {.loss = &ebm_loss_score_matching}};
    OK(ebm_model_new(&spec, &model, ERROR));
    expect_refused(&plain, model, "model.parameters is 3 there, and 1 here");
    ebm_trainer *t = trainer_of(&plain, model);
    OK(ebm_trainer_run(t, 3, ERROR));
    OK(ebm_trainer_save(t, "ck", ERROR));
    ebm_trainer_free(t);
    ebm_model_free(model);
    factor = 1.001;
    OK(ebm_model_new(&spec, &model, ERROR));
    expect_refused(&plain, model, "it is another energy: of the first row");
    OK(ebm_model_save(model, "ck", ERROR));
    expect_refused(&plain, model, "it is no training that ebm_trainer_save has written");
    ebm_model_free(model);
}

/* ---- A broken file ---- */

/* The file with a number of a tensor changed. */
static void set_number(const char *name, double value)
{
    ebm_tensors file;
    OK(ebm_tensors_read("ck", NULL, &file, ERROR));
    const ebm_tensor *t = ebm_tensors_find(&file, name);
    cr_assert(t, "%s", name);
    memcpy(t->data, &value, sizeof value);
    OK(ebm_tensors_write_with("ck", file.tensor, file.count, file.metadata, file.metadata_count, ERROR));
    ebm_tensors_free(&file);
}

Test(trainer_files, impossible_counts)
{
    static const struct {
        const char *name;
        double value;
    } spoilt[] = {{"report.steps", -1}, {"report.steps", NAN}, {"report.steps", 20.5}, {"report.steps", 21},
                  {"report.steps", 1e300}, {"best_at", 21}, {"since_best", -3}, {"train.next", 1e9}, {"over", 2},
                  {"train.epoch", -1}, {"filled", 131}, {"filled", 129}, {"buffer_next", 130}, {"report.converged", 7}};
    ebm_model *model = trainer_model(0);
    for (int k = 0; k < COUNT(spoilt); k++) {
        save_at(&pcd, 20);
        set_number(spoilt[k].name, spoilt[k].value);
        expect_refused(&pcd, model, "ck: ");
    }
    ebm_model_free(model);
}

/* A tensor too few, too many, or of another size. */
Test(trainer_files, other_tensors)
{
    ebm_model *model = trainer_model(0);
    for (int k = 0;; k++) {
        ebm_tensors file;
        save_at(&pcd, 20);
        OK(ebm_tensors_read("ck", NULL, &file, ERROR));
        int count = file.count, more = k == count;
        if (k > count) {
            ebm_tensors_free(&file);
            break;
        }
        ebm_tensor list[64];
        cr_assert_lt(count, 64);
        memcpy(list, file.tensor, (size_t)count * sizeof *list);
        if (more) list[count] = (ebm_tensor){"more", GIBBS_FLOAT64, ad_scalar(), list[0].data};
        else list[k] = list[count - 1];
        OK(ebm_tensors_write_with("ck", list, more ? count + 1 : count - 1, file.metadata, file.metadata_count, ERROR));
        expect_refused(&pcd, model, more ? "more than a training needs" : "is missing, or not what it must be");
        ebm_tensors_free(&file);
    }
    ebm_model_free(model);
}

/* Files that are none. */
Test(trainer_files, no_file)
{
    ebm_model *model = trainer_model(0);
    ebm_trainer *t = trainer_of(&pcd, model);
    FAILS(GIBBS_IO, "cannot open 'nowhere'", ebm_trainer_load(t, "nowhere", FAIL));
    FAILS(GIBBS_IO, "it is no regular file", ebm_trainer_save(t, "/dev/null", FAIL));
    OK(mkfifo("pipe", 0600));
    FAILS(GIBBS_IO, "it is no regular file", ebm_trainer_save(t, "pipe", FAIL));
    FAILS(GIBBS_IO, "it is no regular file", ebm_trainer_load(t, "pipe", FAIL));
    unlink("pipe");
    FAILS(GIBBS_ARGUMENT, "-1 steps", ebm_trainer_run(t, -1, FAIL));
    ebm_trainer_free(t);
    ebm_model_free(model);
}
