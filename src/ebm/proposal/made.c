/* made.c — making proposals of numbers, or of other proposals. */
#include "made.h"

#include "record_proposal.h"

#include <string.h>

static void release(ebm_proposal *q)
{
    ebm_made *made = q->context;
    gibbs_allocator a = made->alloc;
    ebm_proposal_free(made->owned);
    gibbs_release(&a, made);
}

gibbs_status ebm_made_new(const ebm_proposal *kind, int64_t dim, int64_t numbers, int parts,
                          const gibbs_allocator *allocator, ebm_made **out, gibbs_error *error)
{
    if (gibbs_allocator_check(allocator, error)) return GIBBS_ARGUMENT;
    gibbs_allocator a = gibbs_allocator_or_default(allocator);
    gibbs_status status = ebm_need_count(kind->name, "dimensions", dim, 1, error);
    if (status) return status;
    if (numbers < 0 || numbers > (PTRDIFF_MAX >> 5))
        return gibbs_fail(error, GIBBS_SIZE, "%s: %lld numbers are too many", kind->name, (long long)numbers);
    size_t bytes = sizeof(ebm_made) + (size_t)numbers * sizeof(double) + (size_t)parts * sizeof(ebm_proposal *);
    ebm_made *made = gibbs_alloc_zero(&a, bytes, 1);
    if (!made) return gibbs_fail(error, GIBBS_MEMORY, "%s: out of memory", kind->name);
    made->proposal = *kind;
    made->proposal.dim = dim;
    made->proposal.context = made;
    made->proposal.release = release;
    made->alloc = a;
    made->parts = parts;
    made->part = (const ebm_proposal **)(made->number + numbers);
    *out = made;
    return GIBBS_OK;
}

gibbs_status ebm_made_finish(ebm_made *made, gibbs_status status, ebm_proposal **q)
{
    if (status) release(&made->proposal);
    else *q = &made->proposal;
    return status;
}

gibbs_status ebm_made_columns(const ebm_made *made, const char *what, const double *from, double low, double high,
                              double *to, gibbs_error *error)
{
    const char *name = made->proposal.name;
    if (!from) return gibbs_fail(error, GIBBS_ARGUMENT, "%s: no %s", name, what);
    for (int64_t i = 0; i < made->proposal.dim; i++) {
        if (!(from[i] > low && from[i] < high))
            return gibbs_fail(error, GIBBS_ARGUMENT, "%s: the %s is %g in column %lld; it must lie between %g and %g",
                              name, what, from[i], (long long)i + 1, low, high);
        to[i] = from[i];
    }
    return GIBBS_OK;
}

gibbs_status ebm_made_parts(ebm_made *made, const ebm_proposal *const *from, gibbs_error *error)
{
    for (int k = 0; k < made->parts; k++) {
        gibbs_status status = ebm_proposal_check(made->proposal.name, from[k], 0, true, error);
        if (status) return status;
        made->part[k] = from[k];
        made->proposal.depends_on_theta |= from[k]->depends_on_theta != 0;
    }
    return GIBBS_OK;
}
