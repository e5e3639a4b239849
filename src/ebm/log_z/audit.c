/* audit.c — a proposal looked at where a fit has been. What would mend it is not computed but tried: the same draws
 * from a wider q, from one that follows θ, and more of them. */
#include "base/options.h"
#include "weights.h"

#include <gibbs/audit.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const gibbs_option numbers[] = {
    GIBBS_OPTION(ebm_audit_options, rows, 10000, '[', 100, INFINITY, ')'),
    GIBBS_OPTION(ebm_audit_options, accuracy, 0.01, '(', 0, INFINITY, ')'),
    GIBBS_OPTION(ebm_audit_options, path_count, 0, '[', 0, INFINITY, ')'),
};

static const double widths[] = {1.1, 1.25, 1.4, 1.6, 2, 2.5, 3.2, 4, 6, 8}, followed[] = {1, 1.5, 2, 3};
static const double GOOD = 0.4; /* what was tried helps with at most this k̂, of which ½ is the limit */
enum { WIDTHS = GIBBS_COUNT(widths), FOLLOWED = GIBBS_COUNT(followed), MOST_TIMES = 100 };

/* Proposals are made when they are first asked for, and NULL where they cannot be. */
typedef struct tried {
    ebm_proposal *q;
    bool made;
} tried;

typedef struct audit {
    ebm_model *twin;
    const ebm_proposal *q;
    ebm_audit_options o; /* filled in */
    double *estimate;    /* θ̂ */
    tried wider[WIDTHS], follow[FOLLOWED];
    gibbs_error *error;
} audit;

/* ---- What is tried ---- */

/* False where memory is out. Anything else that cannot be done is no remedy. */
static bool make(tried *t, gibbs_status status) { return t->made = true, status != GIBBS_MEMORY; }

static bool wider(audit *a, int k, ebm_proposal **q)
{
    tried *t = &a->wider[k];
    bool good = t->made || make(t, ebm_proposal_widened(a->q, widths[k], &a->twin->alloc, &t->q, a->error));
    *q = t->q;
    return good;
}

static bool follow(audit *a, int k, ebm_proposal **q)
{
    tried *t = &a->follow[k];
    if (!t->made) {
        const ebm_following_options o = {.widen = followed[k], .seed = a->o.seed};
        double *here = a->twin->theta;
        a->twin->theta = a->estimate;
        gibbs_status status = ebm_proposal_following(a->twin, a->q, &o, &a->twin->alloc, &t->q, a->error);
        a->twin->theta = here;
        if (!make(t, status)) return false;
    }
    *q = t->q;
    return true;
}

/* The first of them whose weights surely have a variance. */
static gibbs_status first_that_helps(audit *a, bool (*of)(audit *, int, ebm_proposal **), const double *by, int count,
                                     double *found)
{
    for (int k = 0; k < count; k++) {
        ebm_proposal *q = NULL;
        ebm_importance r;
        if (!of(a, k, &q)) return GIBBS_MEMORY;
        if (!q) continue;
        gibbs_status status = ebm_importance_sample(a->twin, q, a->o.rows, a->o.seed, NULL, NULL, &r, a->error);
        if (status == GIBBS_MEMORY) return status;
        if (status || !(r.k <= GOOD)) continue;
        *found = by[k];
        return GIBBS_OK;
    }
    return GIBBS_OK;
}

/* The mean of weights of index k comes nearer as M^−(1 − k), and as M^−½ where they have a variance: that many points
 * are tried, and twice as many where that was too few. */
static gibbs_status enough_points(audit *a, const ebm_importance *weights, double *found)
{
    double rows = (double)a->o.rows, most = MOST_TIMES * rows, error = weights->standard_error;
    bool smooth = weights->k > 0.5;
    ebm_importance r = {.standard_error = INFINITY};
    gibbs_status (*sample)(ebm_model *, const ebm_proposal *, int64_t, uint64_t, double *, double *, ebm_importance *,
                           gibbs_error *) = smooth ? ebm_importance_smoothed : ebm_importance_sample;
    if (weights->k > 0.7) return GIBBS_OK;
    if (smooth) {
        gibbs_status status = sample(a->twin, a->q, a->o.rows, a->o.seed, NULL, NULL, &r, a->error);
        if (status) return status;
        error = r.standard_error;
    }
    if (!isfinite(error)) return GIBBS_OK;
    rows *= fmax(pow(error / a->o.accuracy, smooth ? 1 / (1 - weights->k) : 2), 1);
    for (int k = 0; k < 3 && rows <= most; k++, rows *= 2) {
        double step = pow(10, floor(log10(rows)) - 1);
        rows = step * ceil(rows / step); /* two digits */
        gibbs_status status = sample(a->twin, a->q, (int64_t)rows, a->o.seed, NULL, NULL, &r, a->error);
        if (status) return status == GIBBS_MEMORY ? status : GIBBS_OK;
        if (r.standard_error > 1.1 * a->o.accuracy) continue;
        *found = rows;
        break;
    }
    return GIBBS_OK;
}

/* ---- What is said ---- */

typedef struct text {
    char *to;
    size_t room, used;
} text;

static void __attribute__((format(printf, 2, 3))) say(text *t, const char *format, ...)
{
    if (t->used >= t->room) return;
    va_list list;
    va_start(list, format);
    int length = vsnprintf(t->to + t->used, t->room - t->used, format, list);
    va_end(list);
    if (length > 0) t->used += (size_t)length;
}

static void say_remedies(text *t, const ebm_audit_row *row, double accuracy)
{
    const char *between = " ", *or = ", or ";
    size_t before = t->used;
    if (!isnan(row->widen)) say(t, "%swiden q %.3g times", between, row->widen), between = or;
    if (!isnan(row->follow)) {
        say(t, "%slet it follow θ", between), between = or;
        if (row->follow != 1) say(t, ", %.2g times as wide", row->follow);
    }
    if (!isnan(row->points))
        say(t, "%stake M = %.0f%s for an error of %.3g", between, row->points,
            row->weights.k > 0.5 ? ", smoothed," : "", accuracy);
    if (t->used > before) say(t, ".");
    else if (row->verdict == EBM_AUDIT_FEW)
        say(t, " %d times as many draws do not mend that; q is too far off.", MOST_TIMES);
    else say(t, " nothing that was tried mends that; q lacks a part of the model, or its tails.");
}

static void describe(const audit *a, ebm_audit_row *row)
{
    text t = {.to = row->sentence, .room = sizeof row->sentence};
    const ebm_importance *w = &row->weights;
    if (a->twin->size == 1) say(&t, "k̂ %.2f at %.40s = %.4g: ", w->k, a->twin->parameter[0].name, row->theta[0]);
    else say(&t, "k̂ %.2f at %s: ", w->k, row->where);
    if (isfinite(w->standard_error)) say(&t, "log Ẑ has an error of %.2g", w->standard_error);
    else say(&t, "the weights have no variance");
    say(&t, row->verdict == EBM_AUDIT_GOOD ? "." : ":");
    if (row->verdict != EBM_AUDIT_GOOD) say_remedies(&t, row, a->o.accuracy);
}

/* ---- One θ ---- */

static gibbs_status look(audit *a, ebm_audit_row *row)
{
    gibbs_error own = {.status = GIBBS_OK};
    ebm_importance *w = &row->weights;
    memcpy(a->twin->theta, row->theta, (size_t)a->twin->size * sizeof(double));
    *w = (ebm_importance){NAN, NAN, NAN, NAN, NAN};
    row->widen = row->follow = row->points = NAN;
    gibbs_status status = ebm_importance_sample(a->twin, a->q, a->o.rows, a->o.seed, NULL, NULL, w, &own);
    if (status == GIBBS_NUMERIC) {
        row->verdict = EBM_AUDIT_NO_ESTIMATE;
        snprintf(row->sentence, sizeof row->sentence, "At %s: %.240s", row->where, own.message);
        return GIBBS_OK;
    }
    if (status) return gibbs_fail(a->error, status, "%s", own.message);
    bool variance = !(w->k > 0.5), good = variance && w->standard_error <= a->o.accuracy;
    row->verdict = good ? EBM_AUDIT_GOOD : variance ? EBM_AUDIT_FEW : EBM_AUDIT_NO_VARIANCE;
    if (!variance && !a->q->depends_on_theta) {
        status = first_that_helps(a, wider, widths, WIDTHS, &row->widen);
        if (!status) status = first_that_helps(a, follow, followed, FOLLOWED, &row->follow);
    }
    if (!status && !good) status = enough_points(a, w, &row->points);
    if (!status) describe(a, row);
    return status;
}

/* ---- All of them ---- */

static gibbs_status check(const ebm_model *model, const ebm_proposal *q, ebm_audit_options *o, gibbs_error *error)
{
    gibbs_status status = gibbs_options_fill("audit", numbers, GIBBS_COUNT(numbers), o, error);
    if (!status) status = ebm_refuse_conditional("audit", model, "each x has weights of its own", error);
    if (!status && o->path_count && !o->path)
        status = gibbs_fail(error, GIBBS_ARGUMENT, "audit: %lld points of a path, and no path",
                            (long long)o->path_count);
    if (status || q) return status;
    return gibbs_fail(error, GIBBS_ARGUMENT, "audit: no proposal");
}

static bool has_error(const ebm_audit_options *o, int64_t i)
{
    return o->standard_error && isfinite(o->standard_error[i]) && o->standard_error[i] > 0;
}

/* «mu + 2 se», and of more than one number «W[3] + 2 se». */
static void name_number(const ebm_model *m, int64_t i, int side, ebm_audit_row *row)
{
    int k = 0;
    char place[24] = "";
    while (k + 1 < m->parameters && m->parameter[k + 1].offset <= i) k++;
    const ebm_model_parameter *p = &m->parameter[k];
    if (p->count > 1) snprintf(place, sizeof place, "[%lld]", (long long)(i - p->offset));
    snprintf(row->where, sizeof row->where, "%.20s%s %c 2 se", p->name, place, side < 0 ? '-' : '+');
}

static void fill_places(const audit *a, ebm_audit *out)
{
    const ebm_model *m = a->twin;
    int64_t p = out->size, n = 1;
    double *theta = (double *)(out->row + out->count);
    for (int64_t r = 0; r < out->count; r++) {
        memcpy(theta + r * p, a->estimate, (size_t)p * sizeof *theta);
        out->row[r].theta = theta + r * p;
    }
    strcpy(out->row[0].where, "the estimate");
    for (int64_t i = 0; i < p; i++)
        for (int side = -1; side <= 1 && has_error(&a->o, i); side += 2, n++) {
            theta[n * p + i] += 2 * side * a->o.standard_error[i];
            name_number(m, i, side, &out->row[n]);
        }
    for (int64_t k = 0; n < out->count; k++, n++) {
        memcpy(theta + n * p, a->o.path + k * p, (size_t)p * sizeof *theta);
        snprintf(out->row[n].where, sizeof out->row[n].where, "point %lld of the path", (long long)k + 1);
    }
}

static gibbs_status allocate(const audit *a, ebm_audit *out)
{
    int64_t p = a->twin->size, count = 1 + a->o.path_count;
    for (int64_t i = 0; i < p; i++) count += 2 * has_error(&a->o, i);
    out->row = gibbs_alloc_zero(&a->twin->alloc, (size_t)count, sizeof *out->row + (size_t)p * sizeof(double));
    if (!out->row) return gibbs_fail(a->error, GIBBS_MEMORY, "audit: out of memory for %lld rows", (long long)count);
    out->size = p, out->count = count;
    out->allocator = a->twin->alloc;
    fill_places(a, out);
    return GIBBS_OK;
}

static bool worse(const ebm_audit_row *a, const ebm_audit_row *b)
{
    if (a->verdict != b->verdict) return a->verdict > b->verdict;
    bool tail = a->verdict == EBM_AUDIT_NO_VARIANCE;
    return tail ? a->weights.k > b->weights.k : a->weights.standard_error > b->weights.standard_error;
}

static gibbs_status run(audit *a, ebm_audit *out)
{
    int64_t p = a->twin->size;
    gibbs_status status = GIBBS_OK;
    a->estimate = gibbs_alloc(&a->twin->alloc, (size_t)p + 1, sizeof *a->estimate);
    if (!a->estimate) return gibbs_fail(a->error, GIBBS_MEMORY, "audit: out of memory");
    memcpy(a->estimate, a->twin->theta, (size_t)p * sizeof *a->estimate);
    a->estimate[p] = 0;
    status = allocate(a, out);
    for (int64_t r = 0; !status && r < out->count; r++) {
        status = look(a, &out->row[r]);
        if (worse(&out->row[r], &out->row[out->worst])) out->worst = r;
    }
    return status;
}

gibbs_status ebm_audit_proposal(const ebm_model *model, const ebm_proposal *q, const ebm_audit_options *options,
                                ebm_audit *out, gibbs_error *error)
{
    GIBBS_REQUIRE("audit", model && out, error);
    memset(out, 0, sizeof *out);
    gibbs_error own; /* what cannot be tried is no error of the call */
    audit a = {.q = q, .o = options ? *options : (ebm_audit_options){0}, .error = &own};
    gibbs_status status = check(model, q, &a.o, error);
    if (!status) status = ebm_model_like(model, &a.twin, error);
    if (status) return status;
    status = run(&a, out);
    for (int k = 0; k < WIDTHS; k++) ebm_proposal_free(a.wider[k].q);
    for (int k = 0; k < FOLLOWED; k++) ebm_proposal_free(a.follow[k].q);
    gibbs_release(&model->alloc, a.estimate);
    ebm_model_free(a.twin);
    if (status) ebm_audit_free(out);
    if (status && error) *error = own;
    return status;
}

void ebm_audit_free(ebm_audit *audit)
{
    if (!audit) return;
    if (audit->row) gibbs_release(&audit->allocator, audit->row);
    memset(audit, 0, sizeof *audit);
}
