/* An allocator without functions is ARGUMENT, and a sentence that says so, wherever one is taken. */
#include "null_check.h"
#include "support/alloc.h"

static gibbs_allocator none, no_release;

static void check(const gibbs_allocator *a, const char *name)
{
    const double low[1] = {0}, high[1] = {1};
    const int64_t widths[1] = {3};
    int64_t index[4];
    ebm_data table;
    ebm_model *model;
    ebm_proposal *q;
    ebm_points points;
    ebm_tensors tensors;
    ebm_loss *loss;
    ebm_loss_term term = {&ebm_loss_score_matching, 1};
    ebm_box box = {.low = {0}, .high = {1}};
    ebm_space space = {.variables = 2, .labels = 2};
    ebm_mlp_spec mlp = {.dim = 1, .widths = widths, .layers = 1, .allocator = a};
    ebm_rbm_spec rbm = {.visible = 2, .hidden = 2, .allocator = a};
    ebm_mrf_spec mrf = {.space = space, .allocator = a};
    NULL_IN(name, ebm_model_gaussian(1, GIBBS_FLOAT64, a, &model, &error));
    NULL_IN(name, ebm_model_gaussian_cholesky(1, GIBBS_FLOAT64, a, &model, &error));
    NULL_IN(name, ebm_model_mlp(&mlp, &model, &error));
    NULL_IN(name, ebm_model_rbm(&rbm, &model, &error));
    NULL_IN(name, ebm_model_ising(&mrf, &model, &error));
    NULL_IN(name, ebm_data_from(x, 4, 1, a, &table, &error));
    NULL_IN(name, ebm_data_generate("moons", 4, 1, a, &table, &error));
    NULL_IN(name, ebm_data_parse("1\n", 2, "n", a, &table, &error));
    NULL_IN(name, ebm_data_parse_csv("1\n", 2, "n", a, &table, &error));
    NULL_IN(name, ebm_data_read("there is none", a, &table, &error));
    NULL_IN(name, ebm_data_parse_with("1\n", 2, "n", NULL, a, &table, NULL, &error));
    NULL_IN(name, ebm_data_read_with("there is none", NULL, a, &table, NULL, &error));
    NULL_IN(name, ebm_data_read_csv("there is none", a, &table, &error));
    NULL_IN(name, ebm_tensors_read("there is none", a, &tensors, &error));
    NULL_IN(name, ebm_proposal_gaussian_diagonal(1, low, high, a, &q, &error));
    NULL_IN(name, ebm_proposal_gaussian_fit(&column, 0, 1, a, &q, &error));
    NULL_IN(name, ebm_proposal_student_t_fit(&column, 3, 1, a, &q, &error));
    NULL_IN(name, ebm_proposal_uniform(1, low, high, a, &q, &error));
    NULL_IN(name, ebm_proposal_uniform_fit(&column, 1, a, &q, &error));
    NULL_IN(name, ebm_proposal_bernoulli_fit(&column, 0, 1, 1, a, &q, &error));
    NULL_IN(name, ebm_proposal_kernel_density(&column, NULL, a, &q, &error));
    NULL_IN(name, ebm_points_space(&space, a, &points, &error));
    NULL_IN(name, ebm_points_box(1, &box, a, &points, &error));
    NULL_IN(name, ebm_loss_sum(&term, 1, a, &loss, &error));
    NULL_IN(name, ebm_resample(x, 4, 4, 0, 1, a, index, &error));
    NULL_IN(name, ebm_effective_size(x, 4, 1, a, out, &error));
    NULL_IN(name, ebm_split_r_hat(x, 4, 1, 0, a, out, &error));
    cr_expect_null(ad_tape_new(GIBBS_FLOAT64, a));
}

Test(allocators, without_functions_are_refused)
{
    counting_alloc count = {0};
    no_release = counting_allocator(&count);
    no_release.release = NULL;
    check(&none, "no alloc");
    check(&no_release, "no release");
    cr_expect_eq(count.calls, 0);
}
