/* The linear-chain CRF: the forward algorithm against all label sequences, its loss and gradient, and a chain that is
 * learnt. */
#include "ebm/conditional_check.h"

enum { T = 4, P = 2, K = 3, GIVEN = T * P, SEQUENCES = 81, ROWS = 12 };

static ebm_model *chain(ebm_chain_crf_spec spec)
{
    ebm_model *model;
    OK(ebm_model_chain_crf(&spec, &model, ERROR));
    return model;
}

typedef struct size {
    int length, features, labels;
} size;

/* theta: W [P,K], b [K], A [K,K]; the row is x, position by position, and y likewise. */
static number formula(const number *row, const number *theta, const void *context)
{
    const size *s = context;
    int n = s->labels;
    const number *b = theta + s->features * n, *A = b + n, *y = row + s->length * s->features;
    number E = 0;
    for (int t = 0; t < s->length; t++)
        for (int k = 0; k < n; k++) {
            number u = b[k];
            for (int p = 0; p < s->features; p++) u += row[t * s->features + p] * theta[p * n + k];
            E -= u * y[t * n + k];
            for (int l = 0; l < n && t + 1 < s->length; l++) E -= A[k * n + l] * y[t * n + k] * y[(t + 1) * n + l];
        }
    return E;
}

Test(chain_crf, is_the_sum_over_all_sequences)
{
    static const size sizes[] = {{T, P, K}, {1, P, K}, {6, 1, 2}, {2, 3, 2}};
    for (int c = 0; c < COUNT(sizes); c++) {
        const size *s = &sizes[c];
        const ebm_space y = {.variables = s->length, .labels = s->labels, .one_hot = 1};
        int given = s->length * s->features, width = s->length * s->labels, count = (int)ebm_space_size(&y);
        double labels[SEQUENCES * T * K], rows[ROWS * 24], x[CHECK_ROWS * 24];
        ebm_model *model = chain((ebm_chain_crf_spec){.given = given, .length = s->length, .labels = s->labels,
                                                      .dtype = GIBBS_FLOAT64});
        cr_assert(count <= SEQUENCES && given + width <= 24);
        ebm_space_rows(&y, 0, count, labels);
        label_rows(rows, ROWS, given, width, labels, count, 1);
        spread(x, COUNT(x), 2), spread_theta(model, 3);
        if (s->length > 1) expect_energy(model, formula, s, x, "energy");
        expect_conditional_loss(model, formula, s, rows, ROWS, given, labels, count, "loss");
        ebm_model_free(model);
    }
}

/* Potentials of ±800 overflow unless the sum is done in logarithms: the best path decides. */
Test(chain_crf, large_potentials)
{
    ebm_model *model = chain((ebm_chain_crf_spec){.given = 3, .length = 3, .labels = 2, .dtype = GIBBS_FLOAT64});
    ebm_model_set(model, (double[]){800, -800, 0, 0, 700, 0, 0, 700});
    double row[] = {1, 1, -1, 1, 0, 1, 0, 0, 1}, value;
    ebm_objective *o = objective_at(model, &ebm_loss_conditional_ml, NULL, NULL, row, 1, 0, 0);
    value = value_of(o);
    /* (0, 0, 1) has 800·3 + 700; staying at 0 or leaving for 1 at once cost 900 or more */
    expect_close(value, 0, 1e-12, "the best path has all");
    row[3] = 0, row[4] = 1;
    expect_close(value_of(o), 3100 - 800, 1e-9, "the path (1, 0, 1)");
    ebm_objective_free(o);
    ebm_model_free(model);
}

static ad_var window(ad_var x, const ad_var *theta, void *context) /* xₜ and what came before */
{
    (void)theta, (void)context;
    ad_var before = ad_slice(ad_pad(x, 0, 1, 0), 0, 0, 4);
    return ad_transpose(ad_concat(ad_reshape(x, ad_mat(1, 4)), ad_reshape(before, ad_mat(1, 4)), 0));
}

/* Labels copy the observation before with a fixed rule; the chain that sees it learns them, the one that does not,
 * cannot; and a fit lowers the loss towards 0. */
Test(chain_crf, learns_from_features)
{
    enum { N = 48, DIM = 4 + 8 };
    double rows[N * DIM] = {0}, loss[2];
    for (int r = 0; r < N; r++) {
        double *x = rows + r * DIM;
        for (int t = 0; t < 4; t++) x[t] = r >> t & 1 ? 1 : -1;
        for (int t = 0; t < 4; t++) x[4 + 2 * t + (t && x[t - 1] > 0)] = 1;
    }
    for (int k = 0; k < 2; k++) {
        ebm_features seen = {.record = window, .size = 8}, plain = {0};
        ebm_model *model = chain((ebm_chain_crf_spec){.given = 4, .length = 4, .labels = 2, .dtype = GIBBS_FLOAT64,
                                                      .features = k ? seen : plain});
        fit_conditional(model, rows, N);
        ebm_objective *o = objective_at(model, &ebm_loss_conditional_ml, NULL, NULL, rows, N, 0, 0);
        loss[k] = value_of(o);
        ebm_objective_free(o);
        ebm_model_free(model);
    }
    cr_expect(loss[1] < 0.01 && loss[0] > 0.5, "with the observation before: %g, without: %g", loss[1], loss[0]);
}

Test(chain_crf, refuses)
{
    static const struct {
        ebm_chain_crf_spec spec;
        gibbs_status status;
        const char *sentence;
    } cases[] = {
        {{.length = 2, .labels = 2}, GIBBS_ARGUMENT, "0 given"},
        {{.given = 2, .labels = 2}, GIBBS_ARGUMENT, "0 positions"},
        {{.given = 2, .length = 2}, GIBBS_ARGUMENT, "0 labels"},
        {{.given = 2, .length = 2, .labels = 1}, GIBBS_ARGUMENT, "1 labels"},
        {{.given = 3, .length = 2, .labels = 2}, GIBBS_SHAPE, "3 features do not divide into 2"},
        {{.given = 1 << 16, .length = 1 << 16, .labels = 1 << 16}, GIBBS_SIZE, "too many"},
        {{.given = 4, .length = 2, .labels = 2, .features = {.record = window, .size = 6}}, GIBBS_SHAPE, "not 6"},
    };
    for (int k = 0; k < COUNT(cases); k++) {
        ebm_model *model = (ebm_model *)&model;
        FAILS(cases[k].status, cases[k].sentence, ebm_model_chain_crf(&cases[k].spec, &model, FAIL));
        cr_expect_null(model);
    }
}
