#include "eigen.h"
#include "failure.h"

#include <gibbs/ad.h>
#include <string.h>

gibbs_status eigen_symmetric(int n, const double *A, double *value, double *vector, gibbs_error *error)
{
    ad_tape *tape = ad_tape_new(GIBBS_FLOAT64, NULL);
    if (!tape) return fail(error, GIBBS_MEMORY, "out of memory");
    ad_var matrix = ad_parameter(tape, "A", ad_mat(n, n));
    ad_var made[] = {ad_eigenvalues(matrix), ad_transpose(ad_eigenvectors(matrix))};
    ad_plan *plan = NULL;
    ad_workspace *workspace = NULL;
    gibbs_status status = ad_compile(made, 2, NULL, &plan, error);
    if (!status) status = ad_workspace_new(plan, &workspace, error);
    if (!status) status = ad_bind_f64(workspace, matrix, A, error);
    if (!status) status = ad_run(workspace, &(ad_run_options){.check = 1}, error);
    if (!status) {
        memcpy(value, ad_result_f64(workspace, 0), sizeof *value * (size_t)n);
        memcpy(vector, ad_result_f64(workspace, 1), sizeof *vector * (size_t)(n * n));
    }
    ad_workspace_free(workspace);
    ad_plan_free(plan);
    ad_tape_free(tape);
    return status;
}
