/* Losses that compare the rows of a batch with one another need two of them: a pass whose last batch has one goes
 * without it, and what never has enough is refused before the first step. */
#include "objective_helpers.h"

#include <stdio.h>

static const ebm_loss *const comparing[] = {&ebm_loss_ksd_imq, &ebm_loss_ksd_rbf, &ebm_loss_improved_cd};
enum { ROWS = 31, BATCH = 10 };

static ebm_fit_options with(const ebm_loss *loss, int64_t batch)
{
    ebm_fit_options o = {0};
    o.loss = loss;
    o.loss_options.noise_sd = 1;
    o.batch = batch;
    o.steps = 20; /* several passes */
    return o;
}

/* mean E over a batch, and how many rows it had at most and at least. */
static ad_var record_rows(ebm_graph *g)
{
    g->health = ad_batch_count(g->data);
    return ad_batch_mean(g->data, ebm_graph_energy(g, g->x));
}

typedef struct counted {
    int64_t sizes[2 * ROWS];
} counted;

static int count_rows(void *context, const ebm_progress *p)
{
    ((counted *)context)->sizes[p->step - 1] = (int64_t)p->health;
    return 0;
}

/* The sizes of the batches: 10, 10, 10, 1 again and again, or without the 1. */
static void expect_sizes(int64_t least)
{
    const ebm_loss rows = {.name = "rows", .record = record_rows, .health = "rows", .least_rows = least};
    double *x = normals(ROWS, 0, 1, 1);
    ebm_data data = table(x, ROWS, 1);
    ebm_model *model = energies[PRECISION].make();
    ebm_fit_options o = with(&rows, BATCH);
    counted seen = {{0}};
    o.progress = count_rows;
    o.context = &seen;
    OK(ebm_fit(model, &data, &o, NULL, ERROR));
    for (int s = 0; s < o.steps; s++) {
        int64_t expected = least < 2 && s % 4 == 3 ? 1 : BATCH;
        cr_expect(seen.sizes[s] == expected, "least %d, step %d: %d rows", (int)least, s, (int)seen.sizes[s]);
    }
    ebm_model_free(model);
    free(x);
}

Test(fit_rows, the_short_last_batch_is_left_out)
{
    for (int64_t least = 0; least < 4; least++) expect_sizes(least);
}

Test(fit_rows, every_loss_that_compares_rows_goes_on)
{
    double *x = normals(2 * ROWS, 0, 1, 1);
    ebm_data data = table(x, ROWS, 2);
    for (int k = 0; k < COUNT(comparing); k++) {
        ebm_model *model = energies[GAUSSIAN2].make();
        ebm_fit_options o = with(comparing[k], BATCH);
        OK(ebm_fit(model, &data, &o, NULL, ERROR));
        ebm_model_free(model);
    }
    free(x);
}

static void expect_refused(ebm_fit_options o, double *x, int64_t rows, gibbs_status status, const char *part)
{
    ebm_data data = table(x, rows, 1);
    ebm_model *model = energies[PRECISION].make();
    ebm_fit_report report;
    FAILS(status, part, ebm_fit(model, &data, &o, &report, FAIL));
    cr_expect(!report.steps);
    ebm_model_free(model);
}

Test(fit_rows, too_few_are_refused_before_the_first_step)
{
    double *x = normals(ROWS, 0, 1, 1);
    for (int k = 0; k < COUNT(comparing); k++) {
        char part[96];
        const char *name = comparing[k]->name;
        ebm_fit_options o = with(comparing[k], 1), split = with(comparing[k], 0);
        snprintf(part, sizeof part, "%s compares rows: 2 are needed, a batch has 1", name);
        expect_refused(o, x, ROWS, GIBBS_ARGUMENT, part);
        o.batch = 0;
        snprintf(part, sizeof part, "%s compares rows: 2 are needed, the training data has 1", name);
        expect_refused(o, x, 1, GIBBS_DATA, part);
        split.validation_fraction = 1.0 / ROWS;
        snprintf(part, sizeof part, "%s compares rows: 2 are needed, the validation part has 1", name);
        if (!comparing[k]->validation) expect_refused(split, x, ROWS, GIBBS_ARGUMENT, part);
    }
    ebm_fit_options o = with(&ebm_loss_improved_cd, 0); /* judged by score matching, for which one row will do */
    ebm_data data = table(x, ROWS, 1);
    ebm_model *model = energies[PRECISION].make();
    o.validation_fraction = 1.0 / ROWS;
    OK(ebm_fit(model, &data, &o, NULL, ERROR));
    ebm_model_free(model);
    free(x);
}

Test(fit_rows, an_objective_says_so_when_data_are_bound)
{
    double x = 1;
    for (int k = 0; k < COUNT(comparing); k++) {
        ebm_model *model = energies[PRECISION].make();
        ebm_objective *o;
        OK(ebm_objective_new(model, comparing[k], NULL, &o, ERROR));
        FAILS(GIBBS_DATA, "compares rows: 2 are needed, the batch has 1", ebm_objective_bind(o, &x, 1, FAIL));
        ebm_objective_free(o);
        ebm_model_free(model);
    }
}
