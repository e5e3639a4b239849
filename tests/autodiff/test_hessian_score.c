/* Hessian diagonals of whole energies, and the parameter gradient of implicit score matching through them. */
#include "support/energies.h"
#include "support/hessian.h"

#include <criterion/criterion.h>

static ad_var start(problem *p, const energy *e, ad_var *x)
{
    cr_assert(problem_start(p, GIBBS_FLOAT64, 0, 11));
    *x = problem_on(p, e->shared ? problem_shared(p) : p->data, ad_vec(e->d), -1, 1);
    return e->record(p, *x);
}

Test(hessian, diagonals_of_energies)
{
    for (int i = 0; i < energies_count; i++) {
        const energy *e = &energies_all[i];
        problem p;
        hessian_errors error;
        ad_var x, E = start(&p, e, &x);
        cr_assert(hessian_check(&p, E, x, &error), "%s: %s %s", e->name, ad_tape_message(p.tape), p.message);
        cr_expect(error.products <= 1e-11, "%s: differs from Hessian-vector products by %.3g", e->name, error.products);
        cr_expect(error.diagonal <= 1e-10, "%s: differs from differences by %.3g", e->name, error.diagonal);
        cr_expect(error.laplacian <= 1e-13, "%s: the Laplacian is off by %.3g", e->name, error.laplacian);
        cr_expect(error.curvature <= 1e-10, "%s: the curvature is off by %.3g", e->name, error.curvature);
        problem_end(&p);
    }
}

Test(hessian, gradient_of_score_matching)
{
    for (int i = 0; i < energies_count; i++) {
        const energy *e = &energies_all[i];
        problem p;
        double value, worst;
        ad_var x, E = start(&p, e, &x);
        bool done = hessian_score_check(&p, E, x, &value, &worst);
        cr_assert(done, "%s: %s %s", e->name, ad_tape_message(p.tape), p.message);
        cr_expect(value <= 1e-10, "%s: the loss is off by %.3g", e->name, value);
        cr_expect(worst <= 1e-9, "%s: the gradient is off by %.3g", e->name, worst);
        problem_end(&p);
    }
}
