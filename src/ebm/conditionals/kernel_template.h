/* kernel_template.h — included by kernel.simd.c once per number type T. Fields are updated a number at a time, each by
 * the same operations wherever it lies: bits do not depend on the vectors. */

/* F += by · row of J. */
static inline void NAME(add_row)(const ebm_couplings *c, int64_t row, T by, T *restrict F)
{
    const T *restrict J = c->J;
    if (!c->start) {
        J += row * c->dim;
#pragma omp simd
        for (int64_t k = 0; k < c->dim; k++) F[k] += by * J[k];
    } else if (c->width == 1) {
        for (int64_t p = c->start[row]; p < c->start[row + 1]; p++) F[c->column[p]] += by * J[p];
    } else {
        for (int64_t p = c->start[row]; p < c->start[row + 1]; p++) {
            T *restrict to = F + c->column[p];
            const T *restrict from = J + p * c->width;
#pragma omp simd
            for (int64_t k = 0; k < c->width; k++) to[k] += by * from[k];
        }
    }
}

/* F += row `to` − row `from`. */
static inline void NAME(move_row)(const ebm_couplings *c, int64_t from, int64_t to, T *restrict F)
{
    if (c->start) {
        NAME(add_row)(c, from, -1, F);
        NAME(add_row)(c, to, 1, F);
        return;
    }
    const T *restrict a = (const T *)c->J + to * c->dim, *restrict b = (const T *)c->J + from * c->dim;
#pragma omp simd
    for (int64_t k = 0; k < c->dim; k++) F[k] += a[k] - b[k];
}

static inline T NAME(nearest)(const ebm_sweep *s, T x)
{
    const T a = (T)s->value[0], b = (T)s->value[1];
    return ABS(x - a) < ABS(x - b) ? a : b;
}

static void NAME(fields)(const ebm_sweep *s)
{
    const ebm_couplings *c = s->c;
    const int64_t d = c->dim, K = s->labels;
    T *x = s->x, *F = s->field;
    const T *linear = c->linear;
    for (int64_t r = 0; r < s->chains; r++)
        for (int64_t k = 0; k < d; k++) F[r * d + k] = linear[k];
    for (int64_t v = 0; v < d / K; v++) /* variable by variable, so that chains share its rows of J */
        for (int64_t r = 0; r < s->chains; r++) {
            T *own = x + r * d + v * K;
            int32_t label = 0;
            if (K == 1) {
                *own = NAME(nearest)(s, *own);
                if (*own != 0) NAME(add_row)(c, v, *own, F + r * d);
                continue;
            }
            while (label < K - 1 && own[label] == 0) label++;
            s->label[r * (d / K) + v] = label;
            NAME(add_row)(c, v * K + label, 1, F + r * d);
        }
}

static void NAME(energies)(const ebm_sweep *s, double *energy)
{
    const int64_t d = s->c->dim;
    const T *x = s->x, *F = s->field, *linear = s->c->linear;
    for (int64_t r = 0; r < s->chains; r++) {
        double sum = 0;
#pragma omp simd reduction(+ : sum)
        for (int64_t k = 0; k < d; k++) sum += (double)x[r * d + k] * ((double)linear[k] + (double)F[r * d + k]);
        energy[r] = s->c->constant + sum / 2;
    }
}

/* The field of a column of chain r on the path. */
static inline T NAME(field_at)(const ebm_sweep *s, int64_t r, T F, int64_t column)
{
    if (!s->beta) return F;
    const T beta = ((const T *)s->beta)[r];
    return beta * F - (s->base ? (1 - beta) * ((const T *)s->base)[column] : 0);
}

/* ---- Two-valued columns: b where log u − log(1 − u) < −(b − a) F ---- */

static void NAME(columns)(const ebm_sweep *s)
{
    const int64_t d = s->c->dim;
    const T a = (T)s->value[0], b = (T)s->value[1], *odds = s->draw;
    for (int64_t t = 0; t < s->count; t++) {
        int64_t v = variable_at(s, t);
        for (int64_t r = 0; r < s->chains; r++) {
            T *x = (T *)s->x + r * d, *F = (T *)s->field + r * d;
            T z = (a - b) * NAME(field_at)(s, r, F[v], v), to = odds[r * s->count + t] < z ? b : a, by = to - x[v];
            if (by == 0) continue;
            x[v] = to;
            NAME(add_row)(s->c, v, by, F);
        }
    }
}

static void NAME(columns_at_once)(const ebm_sweep *s)
{
    const int64_t d = s->c->dim;
    const T a = (T)s->value[0], b = (T)s->value[1], *odds = s->draw;
    for (int64_t r = 0; r < s->chains; r++) {
        T *x = (T *)s->x + r * d, *F = (T *)s->field + r * d;
        int64_t changes = 0;
        for (int64_t t = 0; t < s->count; t++) {
            int64_t v = variable_at(s, t);
            T z = (a - b) * NAME(field_at)(s, r, F[v], v), to = odds[r * s->count + t] < z ? b : a;
            s->changed[changes] = (int32_t)v;
            changes += to != x[v];
        }
        for (int64_t k = 0; k < changes; k++) {
            int64_t v = s->changed[k];
            T to = x[v] == a ? b : a;
            NAME(add_row)(s->c, v, to - x[v], F);
            x[v] = to;
        }
    }
}

/* ---- One-hot blocks ---- */

static void NAME(log_weights)(const ebm_sweep *s, int64_t turn)
{
    const int64_t d = s->c->dim, K = s->labels, first = variable_at(s, turn) * K;
    for (int64_t r = 0; r < s->chains; r++) {
        T *w = (T *)s->weight + r * K;
        const T *F = (const T *)s->field + r * d + first;
        for (int64_t k = 0; k < K; k++) w[k] = -NAME(field_at)(s, r, F[k], first + k);
        T most = w[0];
        for (int64_t k = 1; k < K; k++) most = w[k] > most ? w[k] : most;
        for (int64_t k = 0; k < K; k++) w[k] -= most;
    }
}

/* The label at which the running sum of weights passes u times their sum; a weight of 0 is never picked. */
static inline int32_t NAME(picked)(const T *w, int64_t K, T u)
{
    T sum = 0, below = 0;
    int32_t label = 0;
    for (int64_t k = 0; k < K; k++) sum += w[k];
    for (; label < K - 1; label++) {
        below += w[label];
        if (u * sum < below) break;
    }
    while (w[label] == 0) label--;
    return label;
}

static void NAME(pick)(const ebm_sweep *s, int64_t turn)
{
    const int64_t d = s->c->dim, K = s->labels, v = variable_at(s, turn);
    const T *u = s->draw;
    for (int64_t r = 0; r < s->chains; r++) {
        int32_t *now = s->label + r * (d / K) + v;
        int32_t to = NAME(picked)((const T *)s->weight + r * K, K, u[r * s->count + turn]);
        if (to == *now) continue;
        T *x = (T *)s->x + r * d + v * K;
        x[*now] = 0;
        x[to] = 1;
        NAME(move_row)(s->c, v * K + *now, v * K + to, (T *)s->field + r * d);
        *now = to;
    }
}
