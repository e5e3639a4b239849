/* Memory is placed by lifetimes: nothing overlaps what lives at the same time, freed places are used again, and the
 * work is linear in the spans. */
#include "autodiff/plan/plan.h"
#include "autodiff/plan/spans.h"
#include "plan_helpers.h"

enum { SPANS = 20000, CHAIN = 400, WIDTH = 1000 };

/* Each begins at its own moment and lives for a while, some to the end: sizes and lives are drawn. */
static ad_spans random_spans(const gibbs_allocator *a, int64_t most_life)
{
    ad_spans s = {0};
    uint64_t seed = 7;
    for (int64_t k = 0; k < SPANS; k++) {
        seed = seed * 6364136223846793005u + 1442695040888963407u;
        int32_t span = ad_span_new(a, &s, 64 * (1 + (int64_t)(seed >> 60)));
        ad_span_touch(&s, span, k);
        ad_span_touch(&s, span, k + (int64_t)((seed >> 30) % (uint64_t)most_life));
    }
    return s;
}

static int by_offset(const void *a, const void *b)
{
    int64_t p = (*(const ad_span *const *)a)->offset, q = (*(const ad_span *const *)b)->offset;
    return (p > q) - (p < q);
}

/* How many pairs of neighbours that live at moment m overlap. */
static int overlaps_at(const ad_spans *s, int64_t m)
{
    static const ad_span *alive[SPANS];
    size_t count = 0;
    int bad = 0;
    for (int64_t k = 0; k < s->count; k++)
        if (s->at[k].first <= m && m <= s->at[k].last) alive[count++] = &s->at[k];
    qsort(alive, count, sizeof *alive, by_offset);
    for (size_t k = 1; k < count; k++) bad += alive[k - 1]->offset + alive[k - 1]->bytes > alive[k]->offset;
    return bad;
}

Test(plan_spans, what_lives_together_lies_apart)
{
    gibbs_allocator heap = gibbs_allocator_or_default(NULL), *a = &heap;
    static const int64_t lives[] = {1, 10, 1000, 4 * SPANS};
    for (int l = 0; l < LENGTH(lives); l++) {
        ad_spans s = random_spans(a, lives[l]);
        int64_t bytes;
        cr_assert_eq(ad_spans_place(a, &s, SPANS, &bytes), GIBBS_OK);
        for (int64_t m = 0; m < SPANS; m += 997) cr_expect_eq(overlaps_at(&s, m), 0, "moment %lld", (long long)m);
        cr_expect_leq(bytes, 64 * 16 * (lives[l] < SPANS ? lives[l] : SPANS));
        s.at[SPANS / 2].offset = s.at[SPANS / 2 - 1].offset, s.at[SPANS / 2 - 1].last = SPANS; /* a control */
        cr_expect_gt(overlaps_at(&s, SPANS / 2), 0);
        gibbs_release(a, s.at);
    }
}

/* Equal sizes, half of them freed in between: what a wide fan and its reverse sweep do. */
Test(plan_spans, steps_are_linear)
{
    gibbs_allocator heap = gibbs_allocator_or_default(NULL), *a = &heap;
    ad_spans s = {0};
    int64_t bytes;
    for (int64_t k = 0; k < SPANS; k++) {
        int32_t span = ad_span_new(a, &s, 64);
        ad_span_touch(&s, span, k), ad_span_touch(&s, span, k % 2 ? 2 * SPANS - k : k + 1);
    }
    cr_assert_eq(ad_spans_place(a, &s, 2 * SPANS, &bytes), GIBBS_OK);
    cr_expect_leq(bytes, 64 * (SPANS / 2 + 2));
    cr_expect_lt(s.steps, 20 * SPANS, "%lld steps", (long long)s.steps);
    gibbs_release(a, s.at);
}

Test(plan_spans, a_place_is_inherited)
{
    gibbs_allocator heap = gibbs_allocator_or_default(NULL), *a = &heap;
    ad_spans s = {0};
    int64_t bytes;
    for (int64_t k = 0; k < 3; k++) {
        cr_assert_eq(ad_span_new(a, &s, 64), k);
        ad_span_touch(&s, (int32_t)k, k), ad_span_touch(&s, (int32_t)k, k + 1);
        if (k) ad_span_take(&s, (int32_t)k, (int32_t)k - 1);
    }
    cr_assert_eq(ad_spans_place(a, &s, 4, &bytes), GIBBS_OK);
    cr_expect_eq(bytes, 64);
    cr_expect_eq(s.at[2].offset, s.at[0].offset);
    gibbs_release(a, s.at);
}

/* A long chain on a shared vector takes a few vectors; its gradient, what the forward sweep leaves to the reverse. */
Test(plan_spans, shared_values_have_lifetimes)
{
    int64_t vector = WIDTH * (int64_t)sizeof(double);
    ad_tape *t = ad_tape_new(GIBBS_FLOAT64, NULL);
    ad_var x = ad_parameter(t, "x", ad_vec(WIDTH)), y = x, out[2];
    for (int k = 0; k < CHAIN / 2; k++) y = ad_add(ad_sin(y), ad_cos(x));
    out[0] = ad_sum(y);
    ad_grad(out[0], &x, 1, &out[1]);
    for (int count = 1; count <= 2; count++) {
        runner r = runner_new(out, count, 0);
        cr_expect_lt(r.plan->shared_bytes, count == 1 ? 5 * vector : (CHAIN / 2 + 6) * vector, "%lld",
                     (long long)r.plan->shared_bytes);
        runner_free(r);
    }
    ad_tape_free(t);
}
