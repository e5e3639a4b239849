/* fit.c — preparing a training: options, split, proposal, objectives; and taking it down. */
#include "ebm/data/data_private.h"
#include "fit.h"

#include <math.h>
#include <string.h>

#define OPTION(...) GIBBS_OPTION(ebm_fit_options, __VA_ARGS__)

static const gibbs_option numbers[] = {
    OPTION(steps, 1000, '[', 1, INFINITY, ')'),
    OPTION(batch, 0, '[', 0, INFINITY, ')'),
    OPTION(tolerance, 1e-5, '(', 0, INFINITY, ')'),
    OPTION(rate, 1e-3, '(', 0, INFINITY, ')'),
    OPTION(momentum, 0, '[', 0, 1, ')'),
    OPTION(beta1, 0.9, '[', 0, 1, ')'),
    OPTION(beta2, 0.999, '[', 0, 1, ')'),
    OPTION(epsilon, 1e-8, '[', 0, INFINITY, ')'),
    OPTION(weight_decay, 0, '[', 0, INFINITY, ')'),
    OPTION(clip, 0, '[', 0, INFINITY, ')'),
    OPTION(schedule, 0, '[', 0, EBM_SCHEDULE_INVERSE, ']'),
    OPTION(warmup, 0, '[', 0, INFINITY, ')'),
    OPTION(average, 0, '[', 0, 1, ')'),
    OPTION(validation_fraction, 0, '[', 0, 1, ')'),
    OPTION(validation_every, 10, '[', 1, INFINITY, ')'),
    OPTION(patience, 0, '[', 0, INFINITY, ')'),
    OPTION(threads, 0, '[', 0, INFINITY, ')'),
};

const gibbs_option_table ebm_fit_numbers = {numbers, GIBBS_COUNT(numbers)};

gibbs_status ebm_fit_check(const ebm_model *model, const ebm_data *data, ebm_fit_options *o, gibbs_error *error)
{
    gibbs_status status = ebm_check_data("fit", model, data, error);
    if (!status) status = gibbs_options_fill("fit", numbers, GIBBS_COUNT(numbers), o, error);
    if (!status) status = ebm_objective_check_model(o->loss, model, error);
    if (status) return status;
    if (!o->optimizer && !o->lbfgs) o->lbfgs = ebm_fit_suits_lbfgs(model, data->rows, o);
    if (!o->optimizer) o->optimizer = &ebm_adam;
    if (o->warmup >= o->steps)
        return gibbs_fail(error, GIBBS_ARGUMENT, "fit: warmup is %lld, of %lld steps: it must be less",
                          (long long)o->warmup, (long long)o->steps);
    if (!o->lbfgs && o->optimizer->update) return GIBBS_OK;
    if (!o->lbfgs) return gibbs_fail(error, GIBBS_ARGUMENT, "fit: the optimiser has no update");
    if (!o->loss->deterministic)
        return gibbs_fail(error, GIBBS_ARGUMENT, "fit: L-BFGS compares values, and those of %s are no objective",
                          o->loss->name);
    if (o->validation_fraction > 0 || o->average > 0)
        return gibbs_fail(error, GIBBS_ARGUMENT, "fit: L-BFGS keeps no validation rows and no average; set "
                          "validation_fraction and average to 0");
    if (o->batch > 0 && o->batch < data->rows)
        return gibbs_fail(error, GIBBS_ARGUMENT, "fit: L-BFGS needs full batches, not %lld rows", (long long)o->batch);
    return GIBBS_OK;
}

/* The loss that judges held-out rows. */
static const ebm_loss *judging(const ebm_loss *loss) { return loss->validation ? loss->validation : loss; }

/* Every batch has the rows that its loss compares. */
static gibbs_status check_parts(const ebm_trainer *f, int64_t training)
{
    const ebm_loss *loss = f->options.loss;
    int64_t batch = f->options.batch, held = f->held_part.rows;
    gibbs_status status = ebm_objective_check_rows(loss, "the training data", training, GIBBS_DATA, f->error);
    if (!status && batch) status = ebm_objective_check_rows(loss, "a batch", batch, GIBBS_ARGUMENT, f->error);
    if (status || !held) return status;
    return ebm_objective_check_rows(judging(loss), "the validation part", held, GIBBS_ARGUMENT, f->error);
}

static gibbs_status split(ebm_trainer *f, const ebm_data *data, const ebm_data **train)
{
    const ebm_fit_options *o = &f->options;
    *train = data;
    if (o->validation_fraction <= 0) return GIBBS_OK;
    const gibbs_allocator *a = &f->model->alloc;
    f->row_number = gibbs_alloc(a, (size_t)data->rows, sizeof *f->row_number);
    if (!f->row_number) return gibbs_fail(f->error, GIBBS_MEMORY, "fit: out of memory");
    gibbs_status status = ebm_data_split(data, o->validation_fraction, o->seed, &f->train_part, &f->held_part,
                                         f->row_number, f->error);
    if (!status) status = ebm_batches_new(&f->held, &f->held_part, f->model->dtype, 0, 0, 0, a, f->error);
    *train = &f->train_part;
    return status;
}

/* By ML-IS on a hundred rows at most, of a thousand artificial points; a conditional model's mean of log Ẑ(x). */
static gibbs_status estimate_log_z(ebm_trainer *f, double *log_z)
{
    enum { ROWS = 100, POINTS = 1000 };
    ebm_objective *o;
    ebm_loss_options options = f->loss_options;
    int64_t rows = f->train.rows < ROWS ? f->train.rows : ROWS;
    options.weighted = 0; /* of log Z rows say nothing */
    options.noise_ratio = (double)((POINTS + rows - 1) / rows);
    gibbs_status status = ebm_objective_make(f->model, &ebm_loss_ml_is, &options, false, &o, f->error);
    if (status) return status;
    status = ebm_objective_bind(o, f->train.all, rows, f->error);
    if (!status) status = ebm_objective_refresh(o, f->options.seed, 0, f->error);
    if (!status) status = ebm_objective_evaluate(o, NULL, f->error);
    if (!status) *log_z = ebm_objective_log_z(o);
    ebm_objective_free(o);
    return status;
}

/* The log Z that is learnt starts at its importance sampling estimate, not at 0, which may be far away. */
static gibbs_status start_log_z(ebm_trainer *f)
{
    double log_z = 0;
    gibbs_status status = GIBBS_OK;
    if (!f->options.loss->learns_log_z) return GIBBS_OK;
    if (f->loss_options.proposal) status = estimate_log_z(f, &log_z);
    if (status) return status;
    if (!isfinite(log_z)) log_z = 0;
    ebm_to_dtype(f->model->dtype, 1,
                 (char *)f->model->theta + (size_t)f->model->size * gibbs_dtype_size(f->model->dtype), &log_z);
    return GIBBS_OK;
}

/* The loss that judges may refuse an energy that the loss that is fitted does not mind. */
static gibbs_status record_judge(ebm_trainer *f)
{
    const ebm_loss *loss = f->options.loss;
    gibbs_error found = {GIBBS_OK, "", -1, -1};
    gibbs_status status = ebm_objective_make(f->model, judging(loss), &f->loss_options, false, &f->judge, &found);
    if (!status) return GIBBS_OK;
    if (!loss->validation || status != GIBBS_SMOOTH) return gibbs_fail(f->error, status, "%s", found.message);
    return gibbs_fail(f->error, status, "%s has its validation rows judged by %.220s; or set validation_fraction to 0",
                      loss->name, found.message);
}

static gibbs_status make_judge(ebm_trainer *f, const ebm_data *data)
{
    if (!f->held.rows) return GIBBS_OK;
    gibbs_status status = record_judge(f);
    if (!status) status = ebm_objective_check_table(f->judge, data, f->error);
    if (!status) status = ebm_batches_bind(&f->held, f->judge, f->error);
    /* one draw of artificial points for all validations, from a step that training never reaches */
    return status ? status : ebm_objective_refresh(f->judge, f->options.seed, UINT64_MAX >> 1, f->error);
}

static gibbs_status allocate(ebm_trainer *f)
{
    const gibbs_allocator *a = &f->model->alloc;
    ebm_fit_report *r = &f->report;
    int64_t steps = f->options.steps;
    f->size = ebm_objective_size(f->objective);
    f->bytes = (size_t)f->size * gibbs_dtype_size(f->model->dtype);
    int slots = f->options.lbfgs ? 0 : f->options.optimizer->slots;
    f->good = gibbs_alloc_aligned(a, f->bytes, 1);
    f->best = gibbs_alloc_aligned(a, f->bytes, 1);
    f->state = gibbs_alloc_aligned(a, f->bytes, (size_t)slots);
    r->history_loss = gibbs_alloc(a, 3 * (size_t)steps, sizeof(double));
    f->raw = gibbs_alloc_aligned(a, f->bytes, 1);
    bool averages = f->options.average > 0;
    if (averages) f->average = gibbs_alloc_aligned(a, (size_t)f->size, sizeof *f->average);
    if (!f->good || !f->best || !f->state || !f->raw || !r->history_loss || (averages && !f->average))
        return gibbs_fail(f->error, GIBBS_MEMORY, "fit: out of memory");
    r->history_norm = r->history_loss + steps;
    r->history_validation = r->history_norm + steps;
    f->slots = slots;
    memset(f->state, 0, f->bytes * (size_t)slots);
    memcpy(f->good, f->model->theta, f->bytes);
    memcpy(f->best, f->model->theta, f->bytes);
    return GIBBS_OK;
}

/* Of how many rows a prior is one part: all that weights count stand for as many. */
static int64_t rows_seen(const ebm_data *train)
{
    bool counts = train->weight && train->weight_kind == EBM_WEIGHT_COUNTS;
    return counts ? (int64_t)fmax(round(ebm_data_weight(train)), 1) : train->rows;
}

gibbs_status ebm_fit_prepare(ebm_trainer *f, const ebm_data *data)
{
    const ebm_data *train;
    const ebm_fit_options *o = &f->options;
    gibbs_status status = split(f, data, &train);
    f->loss_options = o->loss_options;
    f->loss_options.weighted = data->weight != NULL;
    if (o->threads) f->loss_options.threads = o->threads;
    const gibbs_allocator *a = &f->model->alloc;
    int64_t given = ebm_model_given(f->model);
    /* chains keep their x: only as many as the rows stand for all x */
    if (given && o->loss->noise == EBM_NOISE_PERSISTENT && !f->loss_options.buffer)
        f->loss_options.buffer = train->rows;
    if (!status) status = check_parts(f, train->rows);
    if (!status) status = ebm_objective_default_proposal(o->loss, train, given, a, &f->loss_options, &f->fitted,
                                                          f->error);
    int64_t least = ebm_objective_least_rows(o->loss);
    if (!status) status = ebm_batches_new(&f->train, train, f->model->dtype, o->batch, least, o->seed, a, f->error);
    if (!status) status = ebm_objective_new(f->model, o->loss, &f->loss_options, &f->objective, f->error);
    if (!status) f->objective->whole_rows = rows_seen(train);
    if (!status) status = ebm_objective_check_table(f->objective, data, f->error);
    if (!status) status = make_judge(f, data);
    if (!status) status = allocate(f);
    return status ? status : start_log_z(f);
}

void ebm_fit_release(ebm_trainer *f)
{
    const gibbs_allocator *a = &f->model->alloc;
    ebm_objective_free(f->objective);
    ebm_objective_free(f->judge);
    ebm_batches_free(&f->train);
    ebm_batches_free(&f->held);
    ebm_proposal_free(f->fitted);
    ebm_data_free(&f->train_part);
    ebm_data_free(&f->held_part);
    gibbs_release(a, f->row_number);
    gibbs_release_aligned(a, f->good);
    gibbs_release_aligned(a, f->best);
    gibbs_release_aligned(a, f->state);
    gibbs_release_aligned(a, f->average);
    gibbs_release_aligned(a, f->raw);
}
