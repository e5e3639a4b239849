/* state.c — all that a training's coming steps depend on: counts and figures, and arrays whose lengths follow from the
 * counts. Saving and loading are walks over the two lists; what is not in them is a function of them. */
#include "state.h"

#include "autodiff/tape/tape.h"
#include "ebm/data/data_private.h"

#include <math.h>
#include <string.h>
#include <sys/stat.h>

/* ---- The two lists ---- */

#define COUNT(field, high) GIBBS_OPTION(ebm_trainer, field, 0, '[', 0, high, ']')
#define FIGURE(field) GIBBS_OPTION(ebm_trainer, field, 0, '[', -INFINITY, INFINITY, ']')
static const double MOST = 0x1p53;

static const gibbs_option of_trainer[] = {
    COUNT(report.steps, MOST), COUNT(report.converged, 1), COUNT(best_at, MOST), COUNT(since_best, MOST),
    COUNT(over, 1), COUNT(train.epoch, MOST), COUNT(train.next, MOST),
    FIGURE(report.loss), FIGURE(report.best_validation), FIGURE(report.health), FIGURE(report.log_z),
    FIGURE(report.log_z_spread), FIGURE(report.edge), FIGURE(report.newton), FIGURE(report.weights.log_z),
    FIGURE(report.weights.ess),
    FIGURE(report.weights.standard_error), FIGURE(report.weights.k), FIGURE(report.weights.largest),
    FIGURE(report.seconds), COUNT(report.identified, MOST),
    GIBBS_OPTION(ebm_trainer, report.runaway, 0, '[', -1, MOST, ']'),
};

#define OF_CHAINS(field) GIBBS_OPTION(ebm_objective, field, 0, '[', 0, MOST, ']')
static const gibbs_option of_objective[] = {OF_CHAINS(filled), OF_CHAINS(buffer_next)};

enum { STEPS, CONVERGED, BEST_AT, SINCE_BEST, OVER, EPOCH, NEXT }; /* places in the first list */
enum { TRAINER = GIBBS_COUNT(of_trainer), FILLED = TRAINER, BUFFER_NEXT, SCALARS, ARRAYS = 9 };

static const gibbs_option *scalar_at(int k) { return k < TRAINER ? &of_trainer[k] : &of_objective[k - TRAINER]; }

static void *owner_of(const ebm_trainer *t, int k) { return k < TRAINER ? (void *)t : (void *)t->objective; }

/* After so many steps, with so many chains: arrays without numbers are not in files. */
static int list_arrays(const ebm_trainer *t, int64_t steps, int64_t chains, ebm_tensor *list)
{
    const ebm_fit_report *r = &t->report;
    gibbs_dtype own = t->model->dtype, wide = GIBBS_FLOAT64;
    void *theta = t->finished ? t->raw : t->model->theta, *ring = t->objective->buffer;
    const ebm_tensor all[ARRAYS] = {
        {"theta", own, ad_vec(t->size), theta},
        {"good", own, ad_vec(t->size), t->good},
        {"best", own, ad_vec(t->size), t->best},
        {"optimizer", own, ad_vec(t->slots * t->size), t->state},
        {"average", wide, ad_vec(t->average ? t->size : 0), t->average},
        {"history.loss", wide, ad_vec(steps), r->history_loss},
        {"history.norm", wide, ad_vec(steps), r->history_norm},
        {"history.validation", wide, ad_vec(steps), r->history_validation},
        {"chains", own, ad_vec(chains * t->model->dim), ring},
    };
    int count = 0;
    for (int k = 0; k < ARRAYS; k++)
        if (all[k].shape.dim[0] > 0) list[count++] = all[k];
    return count;
}

/* ---- The energy, which may be a function without a name ---- */

/* E of the first training row at the parameters `good`, which a file has. The model's are as they were. */
static gibbs_status energy_at(const ebm_trainer *t, const void *good, double *energy, gibbs_error *error)
{
    const ebm_model *m = t->model;
    void *present = gibbs_alloc(&m->alloc, t->bytes, 1);
    double *row = gibbs_alloc(&m->alloc, (size_t)m->dim, sizeof *row);
    gibbs_status status = present && row ? GIBBS_OK : gibbs_fail(error, GIBBS_MEMORY, "train: out of memory");
    if (!status) {
        memcpy(present, m->theta, t->bytes);
        memcpy(m->theta, good, t->bytes);
        ebm_from_dtype(m->dtype, m->dim, row, t->train.all);
        status = ebm_model_energy(t->model, row, 1, energy, NULL, error);
        memcpy(m->theta, present, t->bytes);
    }
    gibbs_release(&m->alloc, present);
    gibbs_release(&m->alloc, row);
    return status;
}

/* Other processors round otherwise, and a sum of many terms may cancel. */
static bool same_energy(gibbs_dtype dtype, double a, double b)
{
    double slack = dtype == GIBBS_FLOAT64 ? 1e-6 : 1e-2;
    if (!isfinite(a) || !isfinite(b)) return !isfinite(a) == !isfinite(b);
    return fabs(a - b) <= slack * (1 + fabs(a));
}

/* ---- Saving ---- */

typedef struct contents {
    ebm_tensor *tensor;
    int count;
    double scalar[SCALARS], energy;
    void **words; /* of kept memory, filled up to whole numbers */
} contents;

static size_t words_of(size_t bytes) { return (bytes + sizeof(double) - 1) / sizeof(double); }

static gibbs_status add_kept(const ebm_trainer *t, contents *c, gibbs_error *error)
{
    for (int k = 0; k < t->kept_count; k++) {
        size_t words = words_of(t->kept[k].bytes);
        if (!words) continue;
        c->words[k] = gibbs_alloc_zero(&t->model->alloc, words, sizeof(double));
        if (!c->words[k]) return gibbs_fail(error, GIBBS_MEMORY, "train: out of memory");
        memcpy(c->words[k], t->kept[k].memory, t->kept[k].bytes);
        c->tensor[c->count++] = (ebm_tensor){t->kept[k].name, GIBBS_FLOAT64, ad_vec((int64_t)words), c->words[k]};
    }
    return GIBBS_OK;
}

static gibbs_status collect(const ebm_trainer *t, contents *c, gibbs_error *error)
{
    const gibbs_allocator *a = &t->model->alloc;
    c->tensor = gibbs_alloc(a, SCALARS + ARRAYS + 1 + (size_t)t->kept_count, sizeof *c->tensor);
    c->words = gibbs_alloc_zero(a, (size_t)t->kept_count + 1, sizeof *c->words);
    if (!c->tensor || !c->words) return gibbs_fail(error, GIBBS_MEMORY, "train: out of memory");
    for (int k = 0; k < SCALARS; k++) {
        c->scalar[k] = gibbs_option_value(scalar_at(k), owner_of(t, k));
        c->tensor[c->count++] = (ebm_tensor){scalar_at(k)->name, GIBBS_FLOAT64, ad_scalar(), &c->scalar[k]};
    }
    c->tensor[c->count++] = (ebm_tensor){"energy", GIBBS_FLOAT64, ad_scalar(), &c->energy};
    c->count += list_arrays(t, t->report.steps, t->objective->filled, c->tensor + c->count);
    gibbs_status status = add_kept(t, c, error);
    return status ? status : energy_at(t, t->good, &c->energy, error);
}

gibbs_status ebm_trainer_save(const ebm_trainer *t, const char *path, gibbs_error *error)
{
    GIBBS_REQUIRE("train", t && path, error);
    struct stat info;
    ebm_description is;
    contents c = {0};
    if (stat(path, &info) == 0 && !S_ISREG(info.st_mode))
        return gibbs_fail(error, GIBBS_IO, "cannot write '%s': it is no regular file, from which a training could go "
                          "on", ebm_short_name(path));
    gibbs_status status = ebm_training_describe(t, &is, error);
    if (status) return status;
    status = collect(t, &c, error);
    if (!status) status = ebm_training_add_notes(t, &is, error);
    if (!status) status = ebm_tensors_write_with(path, c.tensor, c.count, is.item, is.count, error);
    for (int k = 0; k < t->kept_count && c.words; k++) gibbs_release(&t->model->alloc, c.words[k]);
    gibbs_release(&t->model->alloc, c.words);
    gibbs_release(&t->model->alloc, c.tensor);
    ebm_description_free(&is);
    return status;
}

/* ---- Loading ---- */

/* The tensor of a file, if it is there, of that type and with so many numbers. */
static const ebm_tensor *numbers_of(const ebm_tensors *file, const char *name, gibbs_dtype dtype, int64_t count)
{
    const ebm_tensor *t = ebm_tensors_find(file, name);
    return t && t->dtype == dtype && ad_shape_count(&t->shape) == count ? t : NULL;
}

static gibbs_status spoilt(const char *name, const char *what, gibbs_error *error)
{
    return gibbs_fail(error, GIBBS_FORMAT, "%s: «%.60s» is missing, or not what it must be", name, what);
}

/* Counts are whole and possible: what follows from them is asked for before the file's arrays are looked at. */
static bool possible(const ebm_trainer *t, const double *v)
{
    for (int k = 0; k < SCALARS; k++) {
        const gibbs_option *s = scalar_at(k);
        if (s->type != 'd' && !(v[k] >= s->low && v[k] <= s->high && v[k] == floor(v[k]))) return false;
    }
    bool rings = t->options.loss->noise == EBM_NOISE_PERSISTENT;
    double most = rings ? fmax((double)t->objective->options.buffer, (double)t->train.size) : 0;
    bool begun = v[EPOCH] > 0 ? v[NEXT] <= (double)t->train.rows : v[NEXT] == (double)t->train.next;
    return v[BEST_AT] <= v[STEPS] && begun && v[FILLED] <= most && v[BUFFER_NEXT] <= fmax(v[FILLED] - 1, 0);
}

static gibbs_status read_scalars(const ebm_trainer *t, const ebm_tensors *file, const char *name, double *v,
                                 gibbs_error *error)
{
    for (int k = 0; k < SCALARS; k++) {
        const ebm_tensor *s = numbers_of(file, scalar_at(k)->name, GIBBS_FLOAT64, 1);
        if (!s) return spoilt(name, scalar_at(k)->name, error);
        memcpy(&v[k], s->data, sizeof v[k]);
    }
    if (!possible(t, v))
        return gibbs_fail(error, GIBBS_FORMAT, "%s: its counts of steps, rows or chains are not possible", name);
    if (v[STEPS] <= (double)t->options.steps) return GIBBS_OK;
    return gibbs_fail(error, GIBBS_FORMAT, "%s: it has taken %.0f steps, more than the %lld of this training", name,
                      v[STEPS], (long long)t->options.steps);
}

/* All that the file must have is there, and no more; and the energy is the one that it was. */
static gibbs_status check_contents(const ebm_trainer *t, const ebm_tensors *file, const char *name, const double *v,
                                   gibbs_error *error)
{
    ebm_tensor list[ARRAYS];
    double there, here = 0;
    int arrays = list_arrays(t, (int64_t)v[STEPS], (int64_t)v[FILLED], list), count = SCALARS + 1 + arrays;
    for (int k = 0; k < arrays; k++)
        if (!numbers_of(file, list[k].name, list[k].dtype, list[k].shape.dim[0]))
            return spoilt(name, list[k].name, error);
    for (int k = 0; k < t->kept_count; k++) {
        size_t words = words_of(t->kept[k].bytes);
        if (words && !numbers_of(file, t->kept[k].name, GIBBS_FLOAT64, (int64_t)words))
            return spoilt(name, t->kept[k].name, error);
        count += words > 0;
    }
    const ebm_tensor *energy = numbers_of(file, "energy", GIBBS_FLOAT64, 1);
    if (!energy) return spoilt(name, "energy", error);
    if (file->count != count) return gibbs_fail(error, GIBBS_FORMAT, "%s: it has more than a training needs", name);
    memcpy(&there, energy->data, sizeof there);
    gibbs_status status = energy_at(t, ebm_tensors_find(file, "good")->data, &here, error);
    if (status || same_energy(t->model->dtype, here, there)) return status;
    return gibbs_fail(error, GIBBS_FORMAT, "%s: it is another energy: of the first row and the file's parameters it "
                      "was %g there, and is %g here", name, there, here);
}

/* Nothing here fails. */
static void take(ebm_trainer *t, const ebm_tensors *file, const double *v)
{
    ebm_tensor list[ARRAYS];
    t->finished = false;
    for (int k = 0; k < SCALARS; k++) gibbs_option_set(scalar_at(k), owner_of(t, k), v[k]);
    int arrays = list_arrays(t, t->report.steps, t->objective->filled, list);
    for (int k = 0; k < arrays; k++) {
        size_t bytes = (size_t)list[k].shape.dim[0] * gibbs_dtype_size(list[k].dtype);
        memcpy(list[k].data, ebm_tensors_find(file, list[k].name)->data, bytes);
    }
    for (int k = 0; k < t->kept_count; k++)
        if (t->kept[k].bytes)
            memcpy(t->kept[k].memory, ebm_tensors_find(file, t->kept[k].name)->data, t->kept[k].bytes);
    t->report.history_count = t->report.best_step = t->report.steps;
    ebm_batches_go_to(&t->train, t->train.epoch, t->train.next);
    ebm_training_take_notes(t, file->metadata, file->metadata_count);
    t->bound = false;
    if (ebm_fit_done(t)) ebm_fit_take_kept(t);
}

gibbs_status ebm_trainer_load(ebm_trainer *t, const char *path, gibbs_error *error)
{
    GIBBS_REQUIRE("train", t && path, error);
    ebm_tensors file;
    double v[SCALARS];
    const char *name = ebm_short_name(path);
    size_t width = (size_t)t->model->dim;
    gibbs_status status = ebm_tensors_read(path, &t->model->alloc, &file, error);
    if (status) return status;
    status = ebm_training_compare(t, name, file.metadata, file.metadata_count, error);
    if (!status) status = read_scalars(t, &file, name, v, error);
    if (!status) status = check_contents(t, &file, name, v, error);
    if (!status && v[FILLED] > 0)
        status = ebm_source_room(t->objective, (int64_t)v[FILLED], width, width, t->objective->filled, error);
    if (!status) take(t, &file, v);
    ebm_tensors_free(&file);
    return status;
}
