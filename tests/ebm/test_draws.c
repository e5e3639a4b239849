/* Draws of chains: what is kept, what is said of it, and what others read. */
#include "base/random.h"
#include "ebm/sampling.h"

#include <gibbs/draws.h>

#include <stdio.h>
#include <unistd.h>

enum { CHAINS = 3, DRAWS = 40 };

static ebm_chains *started(ebm_model *model, const ebm_chain_options *options)
{
    ebm_chains *chains;
    double x[4 * CHAINS];
    for (int k = 0; k < 4 * CHAINS; k++) x[k] = sin((double)k);
    OK(ebm_chains_new(model, options, &chains, ERROR));
    OK(ebm_chains_start(chains, x, options->temperatures ? 2 * CHAINS : CHAINS, ERROR));
    return chains;
}

static ebm_model *gaussian2(void)
{
    ebm_model *model;
    OK(ebm_model_gaussian(2, GIBBS_FLOAT64, NULL, &model, ERROR));
    return model;
}

static const char *const names[] = {"a b", "c"};

/* They are where the chains were, with the energies there; of ladders the first temperature's. */
Test(draws, are_the_chains)
{
    static const double beta[] = {1, 0.5};
    static const ebm_chain_options ways[] = {
        {.sampler = &ebm_mala, .step = 0.3},
        {.sampler = &ebm_mala, .step = 0.3, .inverse_temperatures = beta, .temperatures = 2, .swap_every = 2}};
    for (int w = 0; w < COUNT(ways); w++) {
        ebm_model *model = gaussian2();
        ebm_chains *chains = started(model, &ways[w]), *same = started(model, &ways[w]);
        ebm_draws d;
        double x[8 * CHAINS], energy;
        int stride = w + 1;
        OK(ebm_chains_draws(chains, &(ebm_draws_options){.draws = DRAWS, .thin = 3, .names = names, .seed = 4}, &d, ERROR));
        cr_assert(d.chains == CHAINS && d.draws == DRAWS && d.cols == 2 && d.thin == 3 && !strcmp(d.names[0], "a b"));
        cr_expect(d.step == 0.3 && d.acceptance == ebm_chains_acceptance(chains));
        for (int t = 0; t < DRAWS; t++) {
            OK(ebm_chains_run(same, 3, 4, 0, ERROR));
            ebm_chains_get(same, x);
            for (int c = 0; c < CHAINS; c++) {
                const double *draw = d.x + (t * CHAINS + c) * 2;
                cr_assert_arr_eq(draw, x + c * stride * 2, 2 * sizeof *x, "draw %d", t);
                OK(ebm_model_energy(model, draw, 1, &energy, NULL, ERROR));
                cr_assert_float_eq(d.energy[t * CHAINS + c], energy, 1e-12);
            }
        }
        ebm_draws_free(&d);
        ebm_draws_free(&d);
        ebm_chains_free(chains), ebm_chains_free(same), ebm_model_free(model);
    }
}

/* ---- Summaries ---- */

enum { N = 4000, MANY = 4 };

/* Autoregressive chains of coefficient r, with standard deviation 1: τ = (1 + r)/(1 − r). */
static void fill(ebm_draws *d, double r, double offset)
{
    gibbs_words words = gibbs_words_start(7, 7, 0);
    for (int64_t c = 0; c < d->chains; c++) {
        double x = gibbs_words_normal(&words);
        for (int64_t t = 0; t < d->draws; t++) {
            x = r * x + sqrt(1 - r * r) * gibbs_words_normal(&words);
            d->x[t * d->chains + c] = 3 + 2 * x + (c == 0 ? offset : 0);
        }
    }
}

Test(draws, summaries_of_known_chains)
{
    double *x = malloc(N * MANY * sizeof *x);
    ebm_draws d = {.chains = MANY, .draws = N, .cols = 1, .x = x};
    ebm_draws_summary s;
    static const double coefficient[] = {0, 0.5, 0.9};
    for (int k = 0; k < COUNT(coefficient); k++) {
        double r = coefficient[k], size = N * MANY * (1 - r) / (1 + r), error = 2 / sqrt(size);
        fill(&d, r, 0);
        OK(ebm_draws_summarise(&d, &s, ERROR));
        cr_expect(fabs(s.mean - 3) < 4 * error && fabs(s.sd - 2) < 0.1, "%g %g", s.mean, s.sd);
        cr_expect(fabs(s.mcse / error - 1) < 0.15 && fabs(s.ess_bulk / size - 1) < 0.25, "%g %g", s.mcse, s.ess_bulk);
        cr_expect(fabs(s.q5 - (3 - 2 * 1.6449)) < 0.2 && fabs(s.median - 3) < 6 * error && fabs(s.q95 - 6.29) < 0.2);
        cr_expect(s.ess_tail > 0.3 * size && s.r_hat < 1.01, "%g %g", s.ess_tail, s.r_hat);
    }
    fill(&d, 0, 8); /* a chain elsewhere */
    OK(ebm_draws_summarise(&d, &s, ERROR));
    cr_expect(s.r_hat > 1.2 && s.ess_bulk < 30, "%g %g", s.r_hat, s.ess_bulk);
    for (int64_t i = 0; i < N * MANY; i++) x[i] = 5;
    OK(ebm_draws_summarise(&d, &s, ERROR));
    cr_expect(s.mean == 5 && s.sd == 0 && s.q5 == 5 && isnan(s.r_hat) && isnan(s.ess_bulk) && isnan(s.mcse));
    x[3] = NAN;
    FAILS(GIBBS_DATA, "nan at step 1 of chain 4", ebm_draws_summarise(&d, &s, FAIL));
    d.draws = 3;
    x[3] = 1;
    FAILS(GIBBS_ARGUMENT, "at least 4", ebm_draws_summarise(&d, &s, FAIL));
    free(x);
}

/* ---- Files ---- */

static char *line_of(FILE *file, char *line, size_t size)
{
    do
        if (!fgets(line, (int)size, file)) return NULL;
    while (*line == '#');
    line[strcspn(line, "\n")] = 0;
    return line;
}

Test(draws, files)
{
    char folder[] = "/tmp/gibbs-draws-XXXXXX", line[256];
    double x[12] = {0.5, 1, -2, 3, 4, 5, 6, 7, 8, 9, 10, 0.1}, energy[6] = {1, 2, 3, 4, 5, 6};
    ebm_draws d = {.chains = 2, .draws = 3, .cols = 2, .x = x, .energy = energy, .step = 0.25, .acceptance = 0.5, .thin = 1};
    char *own[] = {"a b", "2c"};
    cr_assert(mkdtemp(folder) && chdir(folder) == 0);
    OK(ebm_draws_write_cmdstan("out", &d, ERROR));
    d.names = own;
    OK(ebm_draws_write_csv("t.csv", &d, ERROR));
    OK(ebm_draws_write_npy("t.npy", &d, ERROR));
    ebm_data table;
    OK(ebm_data_read_csv("t.csv", NULL, &table, ERROR));
    cr_assert(table.rows == 6 && table.cols == 4 && !strcmp(table.names[2], "a b"));
    cr_expect(table.x[4 * 4] == 2 && table.x[4 * 4 + 1] == 2 && table.x[4 * 4 + 2] == x[6] && table.x[23] == 0.1);
    ebm_data_free(&table);
    FILE *file = fopen("out_2.csv", "r");
    cr_assert_str_eq(line_of(file, line, sizeof line), "lp__,accept_stat__,stepsize__,x.1,x.2");
    cr_assert_str_eq(line_of(file, line, sizeof line), "-2,0.5,0.25,-2,3");
    fclose(file);
    OK(ebm_draws_write_cmdstan("out", &d, ERROR));
    file = fopen("out_1.csv", "r");
    cr_assert_str_eq(line_of(file, line, sizeof line), "lp__,accept_stat__,stepsize__,a_b,x_2c");
    fclose(file);
    file = fopen("t.npy", "rb");
    double numbers[12];
    cr_assert(fseek(file, 128, SEEK_SET) == 0 && fread(numbers, 8, 12, file) == 12);
    cr_expect(numbers[0] == 0.5 && numbers[2] == 4 && numbers[6] == -2 && numbers[11] == 0.1);
    rewind(file);
    cr_assert(fread(line, 1, 128, file) == 128 && line[127] == '\n' && strstr(line + 10, "'shape': (2, 3, 2), } "), "%.100s", line + 10);
    fclose(file);
    FAILS(GIBBS_IO, "nowhere", ebm_draws_write_csv("nowhere/t.csv", &d, FAIL));
    d.draws = 0;
    FAILS(GIBBS_ARGUMENT, "none to write", ebm_draws_write_npy("t.npy", &d, FAIL));
    unlink("t.csv"), unlink("t.npy"), unlink("out_1.csv"), unlink("out_2.csv");
    cr_assert(chdir("/") == 0);
    cr_expect(rmdir(folder) == 0);
}
