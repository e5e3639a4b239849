/* predict.c — y given x: by a conditional model's own formula, or from the energies of its labels or of given points,
 * chunk by chunk of rows, so that memory does not grow with their number. */
#include "ebm/model/conditional.h"
#include "ebm/model/program.h"
#include "ebm/space/space.h"

#include <math.h>
#include <string.h>

enum { CHUNK = 1 << 20 }; /* numbers of a chunk's largest result */
enum { ANSWER, LOG_Z, PROBABILITY, SCORES, OUTPUTS }; /* ANSWER: y, unless a point is sought; SCORES: −E of points */

typedef struct prediction {
    ebm_model *model;
    const ebm_predict_options *options;
    int64_t given, width; /* columns of x and of y */
    int64_t count;        /* labels or points; 0: by a formula */
    const double *point;  /* count × width */
    const double *log_weight; /* NULL: 0 */
    bool sought;          /* the answer is the best of the points */
    bool normalised;      /* log Z(x) is known, and tells whether there is an answer */
    ebm_program run;
    ad_axis axis;         /* names of what the plan knows: the tape is gone */
    ad_var x, points, log_weights;
    void *native;         /* of the model's dtype: points and log weights, then a chunk of x */
    int64_t chunk;
} prediction;

/* ---- What is known ---- */

/* `asked`: log Z is. */
static gibbs_status choose(prediction *p, bool probability, bool asked, gibbs_error *error)
{
    const ebm_model *m = p->model;
    const ebm_points *points = p->options->points;
    if (!m->given)
        return gibbs_fail(error, GIBBS_ARGUMENT, "predict: the model is not conditional, it has no given columns");
    p->given = m->given;
    p->width = m->dim - m->given;
    if (points && points->dim != p->width)
        return gibbs_fail(error, GIBBS_SHAPE, "predict: the points have %lld column%s, the model models %lld",
                          (long long)points->dim, gibbs_plural(points->dim), (long long)p->width);
    if (points && (points->rows < 1 || !points->x || !points->log_weight))
        return gibbs_fail(error, GIBBS_ARGUMENT, "predict: there are no points in options.points");
    p->normalised = points || m->labels || m->kind->conditional.log_z || asked;
    if (!points && !probability && (p->options->mean ? m->kind->conditional.mean : m->kind->conditional.mode))
        return GIBBS_OK;
    if (!points && !m->labels)
        return gibbs_fail(error, GIBBS_ARGUMENT, "predict: the model has no labels%s: set options.points, which "
                          "ebm_points_box makes of one or two real y, ebm_points_space of discrete ones",
                          probability ? "" : " and no formula");
    p->count = points ? points->rows : m->label_count;
    p->point = points ? points->x : m->labels;
    p->log_weight = points ? points->log_weight : NULL;
    p->sought = !p->options->mean;
    return ebm_check_points("predict: the points", p->point, p->count, p->width, error);
}

/* ---- The plan ---- */

static void record_points(prediction *p, const ebm_recording *r, ad_var *out)
{
    p->points = ad_parameter(r->tape, "points", ad_mat(p->count, p->width));
    p->log_weights = ad_parameter(r->tape, "log weights", ad_vec(p->count));
    ad_var scores = ebm_conditional_scores(r->model, p->x, p->points, r->theta);
    ad_var weighted = ad_add(scores, p->log_weights);
    out[LOG_Z] = ad_logsumexp(weighted);
    out[PROBABILITY] = ad_softmax(weighted);
    out[SCORES] = scores;
    out[ANSWER] = p->sought ? scores : ad_matmul(out[PROBABILITY], p->points);
}

static gibbs_status compile(prediction *p, gibbs_error *error)
{
    ebm_recording r;
    ad_var out[OUTPUTS];
    int outputs = p->count ? OUTPUTS : p->normalised ? LOG_Z + 1 : ANSWER + 1;
    gibbs_status status = ebm_recording_start("predict", p->model, &r, error);
    if (!status) {
        p->axis = ad_axis_new(r.tape, "rows");
        p->x = ad_input(p->axis, "x", ad_vec(p->given));
        if (p->count) record_points(p, &r, out);
        else out[ANSWER] = ebm_conditional_guess(p->model, p->options->mean, p->x, r.theta);
        if (!p->count && p->normalised) out[LOG_Z] = ebm_conditional_log_z(p->model, p->x, r.theta);
        for (int k = 0; k < outputs; k++) out[k] = ad_lift(p->axis, out[k]);
        status = ebm_program_build(r.tape, out, outputs, NULL, &p->run, error);
    }
    if (!status) status = ebm_model_bind(p->model, p->run.workspace, r.theta, error);
    ebm_recording_end(&r);
    return status;
}

/* Memory, and the points in it. */
static gibbs_status bind_points(prediction *p, int64_t rows, gibbs_error *error)
{
    gibbs_dtype dtype = p->model->dtype;
    size_t size = gibbs_dtype_size(dtype);
    int64_t widest = p->count > p->width ? p->count : p->width, head = p->count * (p->width + 1);
    p->chunk = CHUNK / (widest > p->given ? widest : p->given);
    p->chunk = p->chunk < 1 ? 1 : p->chunk < rows ? p->chunk : rows;
    p->native = gibbs_alloc_aligned(&p->model->alloc, (size_t)(head + p->chunk * p->given), size);
    if (!p->native) return gibbs_fail(error, GIBBS_MEMORY, "predict: out of memory");
    if (!p->count) return GIBBS_OK;
    char *weights = (char *)p->native + (size_t)(p->count * p->width) * size;
    ebm_to_dtype(dtype, p->count * p->width, p->native, p->point);
    memset(weights, 0, (size_t)p->count * size);
    if (p->log_weight) ebm_to_dtype(dtype, p->count, weights, p->log_weight);
    gibbs_status status = ad_bind(p->run.workspace, p->points, p->native, error);
    return status ? status : ad_bind(p->run.workspace, p->log_weights, weights, error);
}

/* ---- The answers ---- */

static gibbs_status run_chunk(const prediction *p, const double *x, int64_t rows, gibbs_error *error)
{
    size_t size = gibbs_dtype_size(p->model->dtype);
    char *native = (char *)p->native + (size_t)(p->count * (p->width + 1)) * size;
    ebm_to_dtype(p->model->dtype, rows * p->given, native, x);
    gibbs_status status = ad_bind(p->run.workspace, p->x, native, error);
    if (!status) status = ad_set_rows(p->run.workspace, p->axis, rows, error);
    return status ? status : ad_run(p->run.workspace, NULL, error);
}

typedef struct search {
    ebm_model *model;
    double *row, *gradient; /* [x, y] */
    int64_t given;
} search;

static gibbs_status energy_of_y(void *context, int64_t n, const double *y, double *value, double *g, gibbs_error *error)
{
    search *s = context;
    memcpy(s->row + s->given, y, (size_t)n * sizeof *y);
    gibbs_status status = ebm_model_energy(s->model, s->row, 1, value, s->gradient, error);
    memcpy(g, s->gradient + s->given, (size_t)n * sizeof *g);
    return status;
}

static gibbs_status refine(const prediction *p, const double *x, double *y, gibbs_error *error)
{
    double *row = gibbs_alloc(&p->model->alloc, 2 * (size_t)p->model->dim, sizeof *row);
    if (!row) return gibbs_fail(error, GIBBS_MEMORY, "predict: out of memory");
    search s = {p->model, row, row + p->model->dim, p->given};
    memcpy(row, x, (size_t)p->given * sizeof *x);
    ebm_lbfgs_options options = {.tolerance = p->model->dtype == GIBBS_FLOAT32 ? 1e-4 : 1e-9};
    gibbs_status status = ebm_lbfgs(p->width, y, energy_of_y, &s, &options, NULL, error);
    gibbs_release(&p->model->alloc, row);
    return status;
}

/* −E of all points at a row. */
static double score(const prediction *p, int64_t row, int64_t point)
{
    return ebm_number(p->model->dtype, ad_result(p->run.workspace, SCORES), row * p->count + point);
}

/* The first of the points with the lowest energy; one of weight 0 is none of the space's. */
static int64_t best_point(const prediction *p, int64_t row)
{
    int64_t best = -1;
    for (int64_t k = 0; k < p->count; k++) {
        bool counts = !p->log_weight || p->log_weight[k] > -INFINITY;
        if (counts && (best < 0 || score(p, row, k) > score(p, row, best))) best = k;
    }
    return best < 0 ? 0 : best;
}

/* A box that cuts the density of y off has another mean and log Z, and perhaps another mode. */
static gibbs_status check_edge(const prediction *p, int64_t row, int64_t best, int64_t number, gibbs_error *error)
{
    const ebm_points *points = p->options->points;
    double most = 0;
    for (int64_t k = 0; points && points->kind == EBM_POINTS_BOX && k < p->count; k++)
        if (ebm_points_on_edge(points, k)) most = fmax(most, exp(score(p, row, k) - score(p, row, best)));
    if (most <= EBM_EDGE) return GIBBS_OK;
    return gibbs_fail_row(
        error, GIBBS_NUMERIC, number,
        "predict: at row %lld the density of y at the edge of the box is %.2g of its highest: widen the "
        "box, or set its whole_domain where no y lies outside",
        (long long)number + 1, most);
}

/* y of one row of a chunk; `number` is the row's in the table. */
static gibbs_status answer_row(const prediction *p, const double *x, int64_t row, int64_t number, double *y,
                               gibbs_error *error)
{
    gibbs_dtype dtype = p->model->dtype;
    const ad_workspace *w = p->run.workspace;
    gibbs_error found = {GIBBS_OK, "", -1, -1};
    double z = p->normalised ? ebm_number(dtype, ad_result(w, LOG_Z), row) : 0;
    if (!isfinite(z))
        return gibbs_fail_row(error, GIBBS_NUMERIC, number, "predict: the sum of exp(-E) over all y is %g at row %lld",
                              exp(z), (long long)number + 1);
    int64_t best = p->count ? best_point(p, row) : 0;
    gibbs_status status = check_edge(p, row, best, number, error);
    if (status) return status;
    for (int64_t k = 0; k < p->width; k++)
        y[k] = p->sought ? p->point[best * p->width + k] : ebm_number(dtype, ad_result(w, ANSWER), row * p->width + k);
    if (p->sought && p->options->refine && refine(p, x, y, &found))
        return gibbs_fail_row(error, found.status, number, "predict: row %lld: %.250s", (long long)number + 1,
                              found.message);
    for (int64_t k = 0; k < p->width; k++)
        if (!isfinite(y[k]))
            return gibbs_fail_row(error, GIBBS_NUMERIC, number, "predict: y is %g at row %lld", y[k],
                                  (long long)number + 1);
    return GIBBS_OK;
}

static gibbs_status predict(prediction *p, const double *x, int64_t rows, double *y, double *log_z, double *probability,
                            gibbs_error *error)
{
    gibbs_dtype dtype = p->model->dtype;
    gibbs_status status = compile(p, error);
    if (!status) status = bind_points(p, rows, error);
    for (int64_t row = 0; row < rows && !status; row += p->chunk) {
        int64_t n = rows - row < p->chunk ? rows - row : p->chunk;
        status = run_chunk(p, x + row * p->given, n, error);
        for (int64_t r = 0; r < n && !status; r++)
            status = answer_row(p, x + (row + r) * p->given, r, row + r, y + (row + r) * p->width, error);
        if (!status && log_z) ebm_from_dtype(dtype, n, log_z + row, ad_result(p->run.workspace, LOG_Z));
        if (!status && probability)
            ebm_from_dtype(dtype, n * p->count, probability + row * p->count, ad_result(p->run.workspace, PROBABILITY));
    }
    return status;
}

gibbs_status ebm_predict(ebm_model *model, const ebm_predict_options *options, const double *x, int64_t rows, double *y,
                         double *log_z, double *probability, gibbs_error *error)
{
    static const ebm_predict_options defaults;
    GIBBS_REQUIRE("predict", model && x && y, error);
    prediction p = {.model = model, .options = options ? options : &defaults};
    int64_t numbers;
    gibbs_status status = ebm_need_count("predict", "rows", rows, 1, error);
    if (!status) status = choose(&p, probability != NULL, log_z != NULL, error);
    if (!status && (!gibbs_mul_size(rows, p.given, &numbers) || !gibbs_mul_size(p.count, p.width + 1, &numbers)))
        status = gibbs_fail(error, GIBBS_SIZE, "predict: too many rows or points");
    if (!status) status = ebm_check_points("predict: x", x, rows, p.given, error);
    if (!status) status = predict(&p, x, rows, y, log_z, probability, error);
    ebm_program_free(&p.run);
    gibbs_release_aligned(&model->alloc, p.native);
    return status;
}
