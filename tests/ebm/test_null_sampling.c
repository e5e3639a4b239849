/* A required pointer that is NULL, in functions of proposals and samplers: see test_null.c. */
#include "null_check.h"

Test(null, proposal_h_places)
{
    ebm_proposal *part = normal();
    const ebm_proposal *parts[] = {part};
    NULL_IN("gaussian", ebm_proposal_gaussian_diagonal(1, x, x, NULL, NULL, &error));
    NULL_IN("gaussian", ebm_proposal_gaussian_full(1, x, x, NULL, NULL, &error));
    NULL_IN("gaussian", ebm_proposal_gaussian_fit(&column, 1, 1, NULL, NULL, &error));
    NULL_IN("student_t", ebm_proposal_student_t(1, x, x, 3, NULL, NULL, &error));
    NULL_IN("student_t", ebm_proposal_student_t_fit(&column, 3, 1, NULL, NULL, &error));
    NULL_IN("uniform", ebm_proposal_uniform(1, x, x + 1, NULL, NULL, &error));
    NULL_IN("uniform", ebm_proposal_uniform_fit(&column, 1, NULL, NULL, &error));
    NULL_IN("bernoulli", ebm_proposal_bernoulli(1, x, 0, 1, NULL, NULL, &error));
    NULL_IN("bernoulli", ebm_proposal_bernoulli_fit(&column, 0, 1, 1, NULL, NULL, &error));
    NULL_IN("kernel_density", ebm_proposal_kernel_density(&column, NULL, NULL, NULL, &error));
    NULL_IN("bandwidth", ebm_bandwidth(&column, EBM_BANDWIDTH_SCOTT, 1, NULL, &error));
    NULL_IN("mixture", ebm_proposal_mixture(1, NULL, parts, NULL, NULL, &error));
    NULL_IN("product", ebm_proposal_product(1, parts, NULL, NULL, &error));
    NULL_IN("regression", ebm_proposal_regression(1, x, part, NULL, NULL, &error));
    NULL_IN("regression", ebm_proposal_regression_fit(&column, 1, 3, 1, NULL, NULL, &error));
    NULL_IN("least squares", ebm_least_squares(&column, 1, x, NULL, &error));
    NULL_IN("kernel_density", ebm_proposal_kernel_density_left_out(part, NULL, &error));
    NULL_IN("log density", ebm_proposal_log_density(part, x, 1, NULL, NULL, &error));
    ebm_proposal_free(part);
}

Test(null, proposal_h_numbers)
{
    ebm_proposal *q, *part = normal();
    ebm_data residuals;
    const ebm_proposal *none[] = {NULL};
    NULL_IN("gaussian", ebm_proposal_gaussian_diagonal(1, NULL, x, NULL, &q, &error));
    NULL_IN("gaussian", ebm_proposal_gaussian_diagonal(1, x, NULL, NULL, &q, &error));
    NULL_IN("gaussian", ebm_proposal_gaussian_full(1, NULL, x, NULL, &q, &error));
    NULL_IN("gaussian", ebm_proposal_gaussian_full(1, x, NULL, NULL, &q, &error));
    NULL_IN("gaussian", ebm_proposal_gaussian_fit(NULL, 1, 1, NULL, &q, &error));
    NULL_IN("student_t", ebm_proposal_student_t(1, NULL, x, 3, NULL, &q, &error));
    NULL_IN("student_t", ebm_proposal_student_t(1, x, NULL, 3, NULL, &q, &error));
    NULL_IN("student_t", ebm_proposal_student_t_fit(NULL, 3, 1, NULL, &q, &error));
    NULL_IN("uniform", ebm_proposal_uniform(1, NULL, x, NULL, &q, &error));
    NULL_IN("uniform", ebm_proposal_uniform(1, x, NULL, NULL, &q, &error));
    NULL_IN("uniform", ebm_proposal_uniform_fit(NULL, 1, NULL, &q, &error));
    NULL_IN("bernoulli", ebm_proposal_bernoulli(1, NULL, 0, 1, NULL, &q, &error));
    NULL_IN("bernoulli", ebm_proposal_bernoulli_fit(NULL, 0, 1, 1, NULL, &q, &error));
    NULL_IN("kernel_density", ebm_proposal_kernel_density(NULL, NULL, NULL, &q, &error));
    NULL_IN("bandwidth", ebm_bandwidth(NULL, EBM_BANDWIDTH_SCOTT, 1, out, &error));
    NULL_IN("kernel_density", ebm_proposal_kernel_density_left_out(NULL, out, &error));
    NULL_IN("widened", ebm_proposal_widened(NULL, 2, NULL, &q, &error));
    NULL_IN("following", ebm_proposal_following(NULL, part, NULL, NULL, &q, &error));
    NULL_IN("mixture", ebm_proposal_mixture(1, NULL, NULL, NULL, &q, &error));
    NULL_IN("mixture", ebm_proposal_mixture(1, NULL, none, NULL, &q, &error));
    NULL_IN("product", ebm_proposal_product(1, NULL, NULL, &q, &error));
    NULL_IN("regression", ebm_proposal_regression(1, NULL, part, NULL, &q, &error));
    NULL_IN("regression", ebm_proposal_regression(1, x, NULL, NULL, &q, &error));
    NULL_IN("regression", ebm_proposal_regression_fit(NULL, 1, 3, 1, NULL, &q, &error));
    NULL_IN("least squares", ebm_least_squares(NULL, 1, out, &residuals, &error));
    NULL_IN("least squares", ebm_least_squares(&column, 1, NULL, &residuals, &error));
    NULL_IN("product", ebm_proposal_product(1, none, NULL, &q, &error));
    NULL_IN("draw", ebm_proposal_sample(NULL, 1, 1, 0, NULL, out, NULL, &error));
    NULL_IN("log density", ebm_proposal_log_density(NULL, x, 1, NULL, out, &error));
    NULL_IN("log density", ebm_proposal_log_density(part, NULL, 1, NULL, out, &error));
    ebm_proposal_free(part);
}

Test(null, sampler_h_chains)
{
    const ebm_chain_options options = {0};
    const ebm_trace_options trace = {.steps = 5};
    ebm_model *model = gaussian();
    ebm_chains *chains;
    ebm_trace result;
    NULL_IN("structure", ebm_model_structure(NULL, NULL, &(ebm_structure){0}, &error));
    NULL_IN("structure", ebm_model_structure(model, NULL, NULL, &error));
    NULL_IN("chains", ebm_chains_new(NULL, &options, &chains, &error));
    NULL_IN("chains", ebm_chains_new(model, &options, NULL, &error));
    OK(ebm_chains_new(model, &options, &chains, ERROR));
    NULL_IN("chains", ebm_chains_start(NULL, x, 1, &error));
    NULL_IN("chains", ebm_chains_start(chains, NULL, 1, &error));
    NULL_IN("chains", ebm_chains_run(NULL, 1, 1, 0, &error));
    NULL_IN("warm_up", ebm_chains_warm_up(NULL, 1, 0, 1, &error));
    ebm_draws draws = {.chains = 1, .draws = 4, .cols = 1, .x = x};
    ebm_draws_summary summary;
    NULL_IN("draws", ebm_chains_draws(NULL, NULL, &draws, &error));
    NULL_IN("draws", ebm_chains_draws(chains, NULL, NULL, &error));
    NULL_IN("draws", ebm_draws_summarise(NULL, &summary, &error));
    NULL_IN("draws", ebm_draws_summarise(&draws, NULL, &error));
    NULL_IN("draws", ebm_draws_write_csv(NULL, &draws, &error));
    NULL_IN("draws", ebm_draws_write_npy("t", NULL, &error));
    NULL_IN("draws", ebm_draws_write_cmdstan(NULL, &draws, &error));
    NULL_IN("trace", ebm_chains_trace(NULL, &trace, NULL, &result, &error));
    NULL_IN("trace", ebm_chains_trace(chains, &trace, NULL, NULL, &error));
    NULL_IN("effective size", ebm_effective_size(NULL, 4, 1, NULL, out, &error));
    NULL_IN("effective size", ebm_effective_size(x, 4, 1, NULL, NULL, &error));
    NULL_IN("split R-hat", ebm_split_r_hat(NULL, 4, 1, 0, NULL, out, &error));
    NULL_IN("split R-hat", ebm_split_r_hat(x, 4, 1, 0, NULL, NULL, &error));
    ebm_chains_free(chains);
    ebm_model_free(model);
}

Test(null, sampler_h_weights)
{
    ebm_model *model = gaussian();
    ebm_proposal *q = normal();
    ebm_importance importance;
    ebm_ais_options options = {0}, without = options;
    ebm_ais ais;
    int64_t index[2];
    options.base = q;
    NULL_IN("importance_sample", ebm_importance_sample(NULL, q, 1, 1, out, out, &importance, &error));
    NULL_IN("importance_sample", ebm_importance_sample(model, NULL, 1, 1, out, out, &importance, &error));
    NULL_IN("importance_smoothed", ebm_importance_smoothed(model, NULL, 1, 1, out, out, &importance, &error));
    NULL_IN("importance", ebm_importance_of(NULL, 1, 1, NULL, out, &importance, &error));
    NULL_IN("resample", ebm_resample(NULL, 2, 2, 0, 1, NULL, index, &error));
    NULL_IN("resample", ebm_resample(x, 2, 2, 0, 1, NULL, NULL, &error));
    ebm_audit audit;
    NULL_IN("audit", ebm_audit_proposal(NULL, q, NULL, &audit, &error));
    NULL_IN("audit", ebm_audit_proposal(model, NULL, NULL, &audit, &error));
    NULL_IN("audit", ebm_audit_proposal(model, q, NULL, NULL, &error));
    char *text;
    NULL_IN("summary", ebm_summary(NULL, NULL, &text, &error));
    NULL_IN("summary", ebm_summary(model, NULL, NULL, &error));
    ebm_bridge_estimate bridge;
    ebm_ratio ratio;
    NULL_IN("bridge", ebm_bridge_sampling(NULL, 2, x, 2, NULL, &bridge, &error));
    NULL_IN("bridge", ebm_bridge_sampling(x, 2, NULL, 2, NULL, &bridge, &error));
    NULL_IN("bridge", ebm_bridge_sampling(x, 2, x, 2, NULL, NULL, &error));
    NULL_IN("ratio", ebm_log_z_ratio(NULL, x, x, &column, NULL, &ratio, &error));
    NULL_IN("ratio", ebm_log_z_ratio(model, NULL, x, &column, NULL, &ratio, &error));
    NULL_IN("ratio", ebm_log_z_ratio(model, x, NULL, &column, NULL, &ratio, &error));
    NULL_IN("ratio", ebm_log_z_ratio(model, x, x, NULL, NULL, &ratio, &error));
    NULL_IN("ratio", ebm_log_z_ratio(model, x, x, &column, NULL, NULL, &error));
    NULL_IN("ais_forward", ebm_ais_forward(NULL, &options, 2, NULL, NULL, &ais, &error));
    NULL_IN("ais_forward", ebm_ais_forward(model, NULL, 2, NULL, NULL, &ais, &error));
    NULL_IN("ais", ebm_ais_forward(model, &without, 2, NULL, NULL, &ais, &error));
    NULL_IN("ais_forward", ebm_ais_forward(model, &options, 2, NULL, NULL, NULL, &error));
    NULL_IN("draw", ebm_model_draw(NULL, &column, 1, NULL, out, NULL, &error));
    NULL_IN("draw", ebm_model_draw(model, NULL, 1, NULL, out, NULL, &error));
    NULL_IN("draw", ebm_model_draw(model, &column, 1, NULL, NULL, NULL, &error));
    NULL_IN("ais_reverse", ebm_ais_reverse(NULL, &options, x, 2, NULL, &ais, &error));
    NULL_IN("ais_reverse", ebm_ais_reverse(model, NULL, x, 2, NULL, &ais, &error));
    NULL_IN("ais_reverse", ebm_ais_reverse(model, &options, NULL, 2, NULL, &ais, &error));
    NULL_IN("ais_reverse", ebm_ais_reverse(model, &options, x, 2, NULL, NULL, &error));
    ebm_proposal_free(q);
    ebm_model_free(model);
}
