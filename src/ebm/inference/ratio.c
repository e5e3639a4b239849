/* ratio.c — the ratio of an energy's normalising constants at two θ, neither of which is known: draws at points between
 * them, θ(t) = θ₀ + t(θ₁ − θ₀), are joined by bridges, and the gradient is integrated along the way (S0 §5, remark c;
 * Gelman & Meng 1998): d log Z/dt = −E_p[dE/dt]. */
#include "base/options.h"
#include "bridge.h"
#include "ebm/model/program.h"

#include <math.h>
#include <string.h>

static const gibbs_option numbers[] = {
    GIBBS_OPTION(ebm_ratio_options, points, 8, '[', 1, 1000, ']'),
    GIBBS_OPTION(ebm_ratio_options, rows, 400, '[', 10, INFINITY, ')'),
};

enum { ENERGY, SLOPE }; /* of the program */
enum { BELOW, HERE, ABOVE, ALONG, INFLUENCE, ON_THE_WAY, ARRAYS }; /* of each draw at one point */

typedef struct way {
    ebm_model *twin;
    const double *from, *to;
    ebm_ratio_options o; /* filled in */
    ebm_program program;
    ad_axis axis;
    ad_var x;
    double *memory, *draws, *array[2][ARRAYS], *direction; /* of the point before, and of this one */
    gibbs_error *error;
} way;

/* ---- Energies ---- */

/* E, and its derivative along θ₁ − θ₀, at x. */
static gibbs_status build(const ebm_recording *r, way *w)
{
    ad_tape *tape = r->tape;
    ad_var out[2], *v = gibbs_alloc(&w->twin->alloc, (size_t)r->model->parameters, sizeof *v);
    if (!v) return gibbs_fail(w->error, GIBBS_MEMORY, "ratio: out of memory");
    for (int k = 0; k < r->model->parameters; k++)
        v[k] = ad_constant_array(tape, r->model->parameter[k].shape, w->direction + r->model->parameter[k].offset);
    w->axis = ad_axis_new(tape, "draws");
    w->x = ad_input(w->axis, "x", ad_vec(r->model->dim));
    out[ENERGY] = ad_lift(w->axis, ebm_model_energy_at(r->model, w->x, r->theta));
    out[SLOPE] = ad_lift(w->axis, ad_jvp(out[ENERGY], r->theta, v, r->model->parameters));
    gibbs_release(&w->twin->alloc, v);
    gibbs_status status = ebm_program_build(tape, out, 2, NULL, &w->program, w->error);
    return status ? status : ebm_model_bind(r->model, w->program.workspace, r->theta, w->error);
}

static void set_theta(way *w, int64_t k)
{
    double t = (double)k / (double)w->o.points, *theta = w->twin->theta;
    for (int64_t i = 0; i < w->twin->size; i++) theta[i] = w->from[i] + t * w->direction[i];
    if (k == w->o.points) memcpy(theta, w->to, (size_t)w->twin->size * sizeof *theta);
}

static gibbs_status energies(way *w, int64_t k, double *energy, double *slope)
{
    size_t bytes = (size_t)w->o.rows * sizeof *energy;
    set_theta(w, k);
    gibbs_status status = ad_run(w->program.workspace, NULL, w->error);
    if (status) return status;
    memcpy(energy, ad_result(w->program.workspace, ENERGY), bytes);
    if (slope) memcpy(slope, ad_result(w->program.workspace, SLOPE), bytes);
    return GIBBS_OK;
}

/* ---- One point ---- */

static gibbs_status draw(way *w, int64_t k, const ebm_data *start)
{
    ebm_draw_options o = w->o.draw ? *w->o.draw : (ebm_draw_options){0};
    double **a = w->array[k & 1];
    o.seed = w->o.seed + (uint64_t)k;
    set_theta(w, k);
    gibbs_status status = ebm_model_draw(w->twin, start, w->o.rows, &o, w->draws, NULL, w->error);
    if (!status) status = ad_bind(w->program.workspace, w->x, w->draws, w->error);
    if (!status) status = ad_set_rows(w->program.workspace, w->axis, w->o.rows, w->error);
    if (!status) status = energies(w, k, a[HERE], a[ALONG]);
    if (!status && k > 0) status = energies(w, k - 1, a[BELOW], NULL);
    if (!status && k < w->o.points) status = energies(w, k + 1, a[ABOVE], NULL);
    memset(a[INFLUENCE], 0, (size_t)w->o.rows * sizeof(double));
    return status;
}

/* The bridge from the point before: l = E_before − E_here at the draws of both. */
static gibbs_status join(way *w, int64_t k, double *room, ebm_ratio *r)
{
    double **before = w->array[(k - 1) & 1], **here = w->array[k & 1], step, overlap;
    int64_t n = w->o.rows;
    double *l0 = room, *l1 = l0 + n, *influence = l1 + n;
    for (int64_t i = 0; i < n; i++) l0[i] = before[HERE][i] - before[ABOVE][i], l1[i] = here[BELOW][i] - here[HERE][i];
    gibbs_status status = ebm_bridge(l0, n, l1, n, &step, influence, &overlap, w->error);
    if (status) return status;
    for (int64_t i = 0; i < n; i++) before[INFLUENCE][i] += influence[i], here[INFLUENCE][i] += influence[n + i];
    r->bridge += step;
    r->overlap = fmin(r->overlap, overlap);
    return GIBBS_OK;
}

static double sum_of_squares(const double *v, int64_t n)
{
    double sum = 0;
    for (int64_t i = 0; i < n; i++) sum += v[i] * v[i];
    return sum;
}

/* −E_p[dE/dt], and the variance of that mean. */
static void integrand(const double *slope, int64_t n, double *mean, double *variance)
{
    double sum = 0, squares = 0;
    for (int64_t i = 0; i < n; i++) sum -= slope[i];
    *mean = sum / (double)n;
    for (int64_t i = 0; i < n; i++) squares += (slope[i] + *mean) * (slope[i] + *mean);
    *variance = squares / (double)n / (double)(n - 1);
}

/* ---- All of them ---- */

/* Simpson's weight of point k of `points` parts, an even number; of fewer points the trapezoidal rule's. */
static double weight(int64_t k, int64_t points)
{
    bool end = k == 0 || k == points;
    if (points % 2) return (end ? 0.5 : 1) / (double)points;
    return (end ? 1 : k % 2 ? 4 : 2) / 3. / (double)points;
}

/* The rule's own error is taken for that of half as many points, over 15; a rule that has none such is compared with
 * the bridges. */
static void finish(const way *w, const double *value, const double *variance, double bridge_variance, ebm_ratio *r)
{
    int64_t n = w->o.points;
    double coarse = 0, squares = 0;
    for (int64_t k = 0; k <= n; k++) r->path += weight(k, n) * value[k], squares += pow(weight(k, n), 2) * variance[k];
    for (int64_t k = 0; n % 4 == 0 && k <= n; k += 2) coarse += weight(k / 2, n / 2) * value[k];
    double rule = n % 4 ? r->path - r->bridge : (r->path - coarse) / 15;
    r->bridge_error = sqrt(bridge_variance);
    r->path_error = sqrt(squares + rule * rule);
}

static gibbs_status walk(way *w, const ebm_data *start, ebm_ratio *r)
{
    int64_t n = w->o.points, rows = w->o.rows;
    double *value = w->array[0][ON_THE_WAY], *variance = value + n + 1, *room = variance + n + 1, total = 0;
    gibbs_status status = GIBBS_OK;
    *r = (ebm_ratio){.overlap = INFINITY};
    for (int64_t k = 0; !status && k <= n; k++) {
        status = draw(w, k, start);
        if (!status) integrand(w->array[k & 1][ALONG], rows, &value[k], &variance[k]);
        if (!status && k) status = join(w, k, room, r);
        if (!status && k) total += sum_of_squares(w->array[(k - 1) & 1][INFLUENCE], rows);
    }
    if (status) return status;
    total += sum_of_squares(w->array[n & 1][INFLUENCE], rows);
    finish(w, value, variance, total, r);
    return GIBBS_OK;
}

/* Mean E(x; θ₁) − E(x; θ₀) over the rows of a table. */
static gibbs_status difference(way *w, const ebm_data *data, double *mean)
{
    double sum = 0, *energy = gibbs_alloc(&w->twin->alloc, (size_t)data->rows, sizeof *energy);
    if (!energy) return gibbs_fail(w->error, GIBBS_MEMORY, "ratio: out of memory for %lld rows", (long long)data->rows);
    gibbs_status status = GIBBS_OK;
    for (int side = 0; side < 2 && !status; side++) {
        set_theta(w, side ? w->o.points : 0);
        status = ebm_model_energy(w->twin, data->x, data->rows, energy, NULL, w->error);
        for (int64_t i = 0; !status && i < data->rows; i++) sum += side ? energy[i] : -energy[i];
    }
    *mean = sum / (double)data->rows;
    gibbs_release(&w->twin->alloc, energy);
    return status;
}

static gibbs_status allocate(way *w)
{
    size_t n = (size_t)w->o.rows, d = (size_t)w->twin->dim, points = (size_t)w->o.points + 1;
    size_t p = (size_t)w->twin->size;
    w->memory = gibbs_alloc(&w->twin->alloc, n * (d + 14) + 2 * points + p, sizeof(double));
    if (!w->memory) return gibbs_fail(w->error, GIBBS_MEMORY, "ratio: out of memory for %zu draws", n);
    w->direction = w->memory;
    w->draws = w->direction + p;
    for (int k = 0; k < 2 * ON_THE_WAY; k++) w->array[k % 2][k / 2] = w->draws + n * (d + (size_t)k);
    w->array[0][ON_THE_WAY] = w->draws + n * (d + 2 * ON_THE_WAY);
    for (size_t i = 0; i < p; i++) w->direction[i] = w->to[i] - w->from[i];
    return GIBBS_OK;
}

static gibbs_status run(way *w, const ebm_data *data, ebm_ratio *r)
{
    ebm_recording recording;
    gibbs_status status = allocate(w);
    if (status) return status;
    status = ebm_recording_start("ratio", w->twin, &recording, w->error);
    if (!status) status = build(&recording, w);
    ebm_recording_end(&recording);
    double mean = 0;
    if (!status) status = difference(w, data, &mean);
    if (!status) status = walk(w, data, r);
    if (!status) r->loss = mean + r->bridge;
    return status;
}

static gibbs_status check(const ebm_model *model, const ebm_data *data, ebm_ratio_options *o, gibbs_error *error)
{
    gibbs_status status = gibbs_options_fill("ratio", numbers, GIBBS_COUNT(numbers), o, error);
    if (!status) status = ebm_refuse_conditional("ratio", model, "each x has a Z of its own", error);
    if (!status) status = ebm_check_data("ratio", model, data, error);
    if (!status && !model->size) status = gibbs_fail(error, GIBBS_ARGUMENT, "ratio: the model has no parameters");
    return status;
}

gibbs_status ebm_log_z_ratio(const ebm_model *model, const double *from, const double *to, const ebm_data *data,
                             const ebm_ratio_options *options, ebm_ratio *result, gibbs_error *error)
{
    GIBBS_REQUIRE("ratio", model && from && to && data && result, error);
    way w = {.from = from, .to = to, .o = options ? *options : (ebm_ratio_options){0}, .error = error};
    ebm_ratio found;
    gibbs_status status = check(model, data, &w.o, error);
    if (!status) status = ebm_model_like(model, &w.twin, error);
    if (status) return status;
    status = run(&w, data, &found);
    if (!status) *result = found;
    ebm_program_free(&w.program);
    gibbs_release(&w.twin->alloc, w.memory);
    ebm_model_free(w.twin);
    return status;
}
