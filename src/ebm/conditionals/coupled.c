/* coupled.c — couplings of a model: made, and brought up to its parameters. */
#include "coupled.h"

#include "autodiff/tape/tape.h"
#include "ebm/space/space.h"

#include <math.h>
#include <string.h>

static bool is_dense(const ebm_couplings *c) { return c->width == c->dim; }

/* ---- Making ---- */

int ebm_model_degree(const ebm_recording *r, ad_var *x, ad_var *energy)
{
    *x = ad_variable(ad_fill(r->tape, -1, ad_vec(r->model->dim), 0));
    *energy = ebm_model_energy_at(r->model, *x, r->theta);
    int degree = ad_degree(*energy, *x);
    return ad_tape_status(r->tape) ? -1 : degree;
}

static gibbs_status room(const char *who, ebm_coupled *m, gibbs_error *error)
{
    ebm_couplings *c = &m->c;
    const gibbs_allocator *a = &m->model->alloc;
    size_t size = gibbs_dtype_size(c->dtype);
    int64_t numbers;
    if (!gibbs_mul_size(c->pieces, c->width, &numbers) || (!is_dense(c) && c->pieces > INT64_MAX / 64))
        return gibbs_fail(error, GIBBS_SIZE, "%s: the couplings are too many", who);
    if (!is_dense(c)) {
        c->start = gibbs_alloc(a, (size_t)c->dim + 1, sizeof *c->start);
        c->column = gibbs_alloc(a, (size_t)c->pieces, sizeof *c->column);
    }
    c->linear = gibbs_alloc_aligned(a, (size_t)c->dim, size);
    c->J = gibbs_alloc_aligned(a, (size_t)numbers, size);
    bool ready = c->linear && c->J && (is_dense(c) || (c->start && c->column));
    return ready ? GIBBS_OK : gibbs_fail(error, GIBBS_MEMORY, "%s: out of memory for %lld couplings", who,
                                         (long long)numbers);
}

/* Outputs: E, ∇E and ∇²E at x = 0. */
static gibbs_status build(ebm_coupled *m, const ebm_recording *r, ad_var x, ad_var energy, gibbs_error *error)
{
    ad_var output[3] = {energy, {r->tape, -1}, {r->tape, -1}};
    ad_grad(energy, &x, 1, &output[1]);
    output[2] = ad_jacobian(output[1], &x, 1);
    return ebm_program_build(r->tape, output, 3, NULL, &m->program, error);
}

static gibbs_status from_tape(const char *who, ebm_coupled *m, ebm_coupled_way *way, gibbs_error *error)
{
    ebm_recording r;
    ad_var x, energy;
    gibbs_status status = ebm_recording_start(who, m->model, &r, error);
    int degree = status ? -1 : ebm_model_degree(&r, &x, &energy);
    if (degree >= 0 && degree <= 2) {
        *way = EBM_COUPLED_TAPE;
        m->c.width = m->c.pieces = m->c.dim;
        status = build(m, &r, x, energy, error);
        if (status && status != GIBBS_MEMORY) { /* the general way does without */
            *way = EBM_COUPLED_NOT;
            status = GIBBS_OK;
        }
        m->leaf = r.theta;
        r.theta = NULL;
    } else if (!status && ad_tape_status(r.tape) == GIBBS_MEMORY) status = ebm_tape_error(r.tape, error);
    ebm_recording_end(&r);
    return status;
}

gibbs_status ebm_coupled_new(const char *who, ebm_model *model, const ebm_space *space, ebm_coupled *m,
                             ebm_coupled_way *way, gibbs_error *error)
{
    gibbs_status status = GIBBS_OK;
    *m = (ebm_coupled){.model = model, .space = *space, .c = {.dtype = model->dtype, .dim = model->dim}};
    *way = EBM_COUPLED_NOT;
    if (model->given) return GIBBS_OK;
    if (model->kind->couplings) model->kind->couplings(model->theta, model->context, &m->c);
    if (m->c.pieces) *way = EBM_COUPLED_GIVEN;
    else if (model->dim <= EBM_MOST_TAPE_COUPLINGS) status = from_tape(who, m, way, error);
    return status || *way == EBM_COUPLED_NOT ? status : room(who, m, error);
}

void ebm_coupled_free(ebm_coupled *m)
{
    if (!m->model) return;
    const gibbs_allocator *a = &m->model->alloc;
    ebm_program_free(&m->program);
    gibbs_release(a, m->leaf);
    gibbs_release(a, m->c.start);
    gibbs_release(a, m->c.column);
    gibbs_release_aligned(a, m->c.linear);
    gibbs_release_aligned(a, m->c.J);
    *m = (ebm_coupled){0};
}

/* ---- At the present parameters ---- */

static gibbs_status run(ebm_coupled *m, gibbs_error *error)
{
    ad_workspace *w = m->program.workspace;
    ebm_couplings *c = &m->c;
    size_t size = gibbs_dtype_size(c->dtype);
    gibbs_status status = ebm_model_bind(m->model, w, m->leaf, error);
    if (!status) status = ad_run(w, &(ad_run_options){.threads = 1}, error);
    if (status) return status;
    c->constant = ebm_number(c->dtype, ad_result(w, 0), 0);
    memcpy(c->linear, ad_result(w, 1), (size_t)c->dim * size);
    memcpy(c->J, ad_result(w, 2), (size_t)(c->dim * c->dim) * size);
    return GIBBS_OK;
}

static void add(const ebm_couplings *c, void *to, int64_t i, double v)
{
    v += ebm_number(c->dtype, to, i);
    ebm_to_dtype(c->dtype, 1, (char *)to + (size_t)i * gibbs_dtype_size(c->dtype), &v);
}

/* Number k of row `row`, of the column. On the states a and b of a column ½Jx² = ½J((a + b)x − ab); of two columns of a
 * one-hot block the product is 0. */
static void straighten(ebm_coupled *m, int64_t row, int64_t column, int64_t k)
{
    ebm_couplings *c = &m->c;
    const double *v = m->space.values, zero = 0;
    double J = ebm_number(c->dtype, c->J, k);
    ebm_to_dtype(c->dtype, 1, (char *)c->J + (size_t)k * gibbs_dtype_size(c->dtype), &zero);
    if (column != row || J == 0) return;
    add(c, c->linear, row, J * (v[0] + v[1]) / 2);
    c->constant -= J * v[0] * v[1] / 2;
}

/* Σ|J| of n numbers. */
static double sum_of(const ebm_couplings *c, int64_t first, int64_t n)
{
    const double *wide = (const double *)c->J + first;
    const float *narrow = (const float *)c->J + first;
    double lane[4] = {0};
    if (c->dtype == GIBBS_FLOAT64)
        for (int64_t k = 0; k < n; k++) lane[k % 4] += fabs(wide[k]);
    else
        for (int64_t k = 0; k < n; k++) lane[k % 4] += (double)fabsf(narrow[k]);
    return lane[0] + lane[1] + lane[2] + lane[3];
}

/* Own terms of each variable become linear; *sum is Σ|J| of the row. */
static void straighten_row(ebm_coupled *m, int64_t row, double *sum)
{
    const ebm_couplings *c = &m->c;
    int64_t width = m->space.one_hot ? m->space.labels : 1, own = row / width * width;
    int64_t first = is_dense(c) ? row : c->start[row], last = is_dense(c) ? row + 1 : c->start[row + 1];
    for (int64_t p = first; p < last; p++) {
        int64_t column = is_dense(c) ? 0 : c->column[p], at = p * c->width;
        int64_t from = own > column ? own : column, end = own + width < column + c->width ? own + width
                                                                                       : column + c->width;
        for (int64_t j = from; j < end; j++) straighten(m, row, j, at + j - column);
        *sum += sum_of(c, at, c->width);
    }
}

static gibbs_status finish(const char *who, ebm_coupled *m, gibbs_error *error)
{
    const double *v = m->space.values, largest = fmax(fabs(v[0]), fabs(v[1]));
    double limit = m->c.dtype == GIBBS_FLOAT64 ? 1e300 : 1e37;
    for (int64_t r = 0; r < m->c.dim; r++) {
        double sum = 0;
        straighten_row(m, r, &sum);
        sum = sum * largest + fabs(ebm_number(m->c.dtype, m->c.linear, r));
        if (!(sum < limit))
            return gibbs_fail(error, GIBBS_NUMERIC, "%s: the energy's couplings of column %lld are %g in sum: look at "
                              "the parameters", who, (long long)r + 1, sum);
    }
    return GIBBS_OK;
}

/* 128 bits of all parameters: two sums of products of words with odd numbers that depend on their place. */
static void print_of(const ebm_model *model, uint64_t print[2])
{
    size_t bytes = (size_t)model->size * gibbs_dtype_size(model->dtype);
    const char *from = model->theta;
    uint64_t place = 1, word = 0;
    print[0] = print[1] = 0;
    for (size_t k = 0; k < bytes; k += sizeof word) {
        memcpy(&word, from + k, bytes - k < sizeof word ? bytes - k : sizeof word);
        word ^= word >> 32;
        place = place * UINT64_C(0x5851f42d4c957f2d) + UINT64_C(0x14057b7ef767814f);
        print[0] += word * (place | 1);
        print[1] ^= (word + place) * UINT64_C(0x9e3779b97f4a7c15);
        print[1] = (print[1] << 29 | print[1] >> 35) * UINT64_C(0xbf58476d1ce4e5b9);
    }
}

gibbs_status ebm_coupled_update(const char *who, ebm_coupled *m, gibbs_error *error)
{
    uint64_t now[2];
    print_of(m->model, now);
    if (m->current && now[0] == m->at[0] && now[1] == m->at[1]) return GIBBS_OK;
    m->current = false;
    gibbs_status status = GIBBS_OK;
    if (m->program.plan) status = run(m, error);
    else m->model->kind->couplings(m->model->theta, m->model->context, &m->c);
    if (!status) status = finish(who, m, error);
    if (status) return status;
    m->at[0] = now[0], m->at[1] = now[1];
    m->current = true;
    return GIBBS_OK;
}
