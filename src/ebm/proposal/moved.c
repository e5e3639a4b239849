/* moved.c — y = c + shift + scale∘(r − c) of another proposal's draw r, log q(y) = log q_r(r) − Σ log scale. */
#include "moved.h"

#include "autodiff/tape/tape.h"
#include "record_proposal.h"

#include <math.h>
#include <stdlib.h>

static const double FARTHEST = 8, WIDEST = 2.0794415416798357; /* log 8 */

/* number: how many vars and numbers θ is of, the widening; then the arrays, in the order of the struct. */
enum { PARAMETERS, SIZE, WIDEN, ARRAYS };

static ebm_move move_of(const ebm_made *m)
{
    double *at = (double *)m->number + ARRAYS;
    int64_t d = m->proposal.dim, p = (int64_t)m->number[SIZE];
    return (ebm_move){.parameters = (int)m->number[PARAMETERS], .size = p, .widen = m->number[WIDEN], .centre = at,
                      .sd = at + d, .theta = at + 2 * d, .shift = at + 2 * d + p, .stretch = at + 2 * d + p + d * p};
}

/* most·tanh(M(θ − θ₀)/most) */
static ad_var along(const ebm_move *move, int64_t dim, const double *matrix, double most, ad_tape *tape,
                    const ad_var *theta)
{
    ad_var all = {tape, -1};
    for (int k = 0; k < move->parameters; k++) {
        ad_var flat = ad_reshape(theta[k], ad_vec(ad_count(theta[k])));
        all = k ? ad_concat(all, flat, 0) : flat;
    }
    ad_var step = ad_sub(all, ad_constant_array(tape, ad_vec(move->size), move->theta));
    ad_var v = ad_matmul(ad_constant_array(tape, ad_mat(dim, move->size), matrix), step);
    return ad_scale(ad_tanh(ad_scale(v, 1 / most)), most);
}

/* Where y is when r is c, and the logarithms of the scales. */
static void place(const ebm_made *m, ad_tape *tape, const ad_var *theta, ad_var *where, ad_var *log_scale)
{
    ebm_move move = move_of(m);
    int64_t d = m->proposal.dim;
    *where = ebm_made_vector(m, tape, move.centre);
    *log_scale = ad_expand(ad_constant(tape, log(move.widen)), ad_vec(d));
    if (!move.parameters) return;
    ad_var shift = along(&move, d, move.shift, FARTHEST, tape, theta);
    *where = ad_add(*where, ad_mul(ebm_made_vector(m, tape, move.sd), shift));
    *log_scale = ad_add(*log_scale, along(&move, d, move.stretch, WIDEST, tape, theta));
}

static ad_var draw(const ebm_proposal *q, ad_var random, const ad_var *theta)
{
    const ebm_made *m = ebm_made_of(q);
    ad_var where, log_scale, c = ebm_made_vector(m, random.tape, move_of(m).centre);
    place(m, random.tape, theta, &where, &log_scale);
    ebm_random all = {q->normals, q->uniforms}, skip = {0, 0};
    ad_var r = ebm_proposal_draw_part(m->part[0], random, all, skip, NULL);
    return ad_add(where, ad_mul(ad_exp(log_scale), ad_sub(r, c)));
}

static ad_var log_density(const ebm_proposal *q, ad_var y, const ad_var *theta)
{
    const ebm_made *m = ebm_made_of(q);
    ad_var where, log_scale, c = ebm_made_vector(m, y.tape, move_of(m).centre);
    place(m, y.tape, theta, &where, &log_scale);
    ad_var r = ad_add(c, ad_mul(ad_sub(y, where), ad_exp(ad_neg(log_scale))));
    return ad_sub(ebm_proposal_log_density_part(m->part[0], r, NULL), ad_sum(log_scale));
}

gibbs_status ebm_moved_new(const char *name, const ebm_proposal *part, double widen, int parameters, int64_t size,
                           const gibbs_allocator *allocator, ebm_made **made, ebm_move *move, gibbs_error *error)
{
    const ebm_proposal kind = {.name = name, .draw = draw, .log_density = log_density};
    int64_t each, numbers;
    gibbs_status status = ebm_proposal_check(name, part, 0, false, error);
    if (status) return status;
    if (!(widen > 0 && isfinite(widen)))
        return gibbs_fail(error, GIBBS_ARGUMENT, "%s: widen is %g; it must be positive and finite", name, widen);
    if (!gibbs_mul_size(part->dim, 2 * (size + 1), &each) || !gibbs_mul_size(each + size + ARRAYS, 1, &numbers))
        return gibbs_fail(error, GIBBS_SIZE, "%s: %lld dimensions and %lld parameters are too many", name,
                          (long long)part->dim, (long long)size);
    status = ebm_made_new(&kind, part->dim, numbers, 1, allocator, made, error);
    if (status) return status;
    ebm_made *m = *made;
    ebm_random random = ebm_proposal_random(part);
    m->proposal.normals = random.normals, m->proposal.uniforms = random.uniforms;
    m->proposal.depends_on_theta = parameters > 0;
    m->part[0] = part;
    m->number[PARAMETERS] = parameters, m->number[SIZE] = (double)size, m->number[WIDEN] = widen;
    *move = move_of(m);
    return GIBBS_OK;
}

/* ---- By a number ---- */

enum { LOOKS = 1001 };

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* The medians of y[LOOKS × dim], which are there where no moments are. ARGUMENT where numbers come twice: a density on
 * the line has no such draws. */
static gibbs_status find_centre(const char *name, const double *y, int64_t dim, double *centre, gibbs_error *error)
{
    double column[LOOKS];
    for (int64_t i = 0; i < dim; i++) {
        int same = 0;
        for (int64_t r = 0; r < LOOKS; r++) column[r] = y[r * dim + i];
        qsort(column, LOOKS, sizeof *column, compare);
        for (int r = 1; r < LOOKS; r++) same += column[r] == column[r - 1];
        if (same > LOOKS / 10)
            return gibbs_fail(error, GIBBS_ARGUMENT, "%s: column %lld of the proposal takes %d values in %d draws: "
                              "what is discrete has no width", name, (long long)i + 1, LOOKS - same, LOOKS);
        centre[i] = column[LOOKS / 2];
    }
    return GIBBS_OK;
}

gibbs_status ebm_proposal_widened(const ebm_proposal *part, double widen, const gibbs_allocator *allocator,
                                  ebm_proposal **q, gibbs_error *error)
{
    static const char NAME[] = "widened";
    GIBBS_REQUIRE("widened", q, error);
    *q = NULL;
    ebm_made *m;
    ebm_move move = {0};
    gibbs_status status = ebm_moved_new(NAME, part, widen, 0, 0, allocator, &m, &move, error);
    if (status) return status;
    double *y = gibbs_alloc(&m->alloc, (size_t)part->dim, LOOKS * sizeof *y);
    if (!y) status = gibbs_fail(error, GIBBS_MEMORY, "%s: out of memory", NAME);
    if (!status) status = ebm_proposal_sample(part, LOOKS, 0, 0, &m->alloc, y, NULL, error);
    if (!status) status = find_centre(NAME, y, part->dim, move.centre, error);
    gibbs_release(&m->alloc, y);
    return ebm_made_finish(m, status, q);
}
