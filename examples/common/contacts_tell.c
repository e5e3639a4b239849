#include "contacts_tell.h"
#include "failure.h"
#include "files.h"
#include "picture.h"

#include <stdio.h>
#include <stdlib.h>

void contacts_tell(const settings *set, const alignment *a, const found *f, report *root)
{
    int64_t shown = 0;
    report_whole(root, "sequences", a->rows);
    report_whole(root, "sites", a->sites);
    report_number(root, "effective_sequences", a->effective);
    report_number(root, "loss", f->loss);
    report_whole(root, "steps", f->steps);
    report_flag(root, "converged", f->converged);
    report_number(root, "seconds", f->seconds);
    report *list = report_list(root, "contacts");
    if (!set->common.quiet)
        printf("%lld sequences of %lld sites, %.1f effective; pseudo-likelihood %.4f after %lld steps, %.1f s%s\n"
               "the highest scores of sites at least %g apart:\n     i     j   score\n", (long long)a->rows,
               (long long)a->sites, a->effective, f->loss, (long long)f->steps, f->seconds,
               f->converged ? "" : "; not converged: the scores may still move with more --steps", set->apart);
    for (int64_t k = 0; k < f->pairs && shown < (int64_t)set->top; k++) {
        const contact *c = &f->pair[k];
        if (c->j - c->i < (int64_t)set->apart) continue;
        report *r = report_object(list, NULL);
        report_whole(r, "i", c->i + 1);
        report_whole(r, "j", c->j + 1);
        report_number(r, "score", c->score);
        shown++;
        if (!set->common.quiet) printf("%6lld%6lld%8.3f\n", (long long)c->i + 1, (long long)c->j + 1, c->score);
    }
}

static const char map[] =
    "set xlabel 'site'; set ylabel 'site'; set size square\n"
    "set xrange [0.5:SITES + 0.5]; set yrange [SITES + 0.5:0.5]\n"
    "set palette defined (0 '#ffffff', 1 BLUE); set cbrange [0:*]; set cblabel 'score'; unset key\n"
    "plot NAME.'.csv' skip 1 using 1:2:($3 > 0 ? $3 : 0) with points pt 5 ps 60. / SITES lc palette, \\\n"
    "  '' skip 1 every ::::TOP - 1 using 2:1 with points pt 7 ps 60. / SITES lc rgb RED\n";

gibbs_status contacts_save(const settings *set, const alignment *a, const found *f, gibbs_error *error)
{
    double *row = malloc((size_t)f->pairs * 3 * sizeof *row);
    char header[4 * RESIDUES + 8] = "site", title[128];
    picture_script p;
    if (!row) return fail(error, GIBBS_MEMORY, "the pairs: out of memory");
    for (int64_t k = 0, kept = 0; k < 2 * f->pairs; k++) { /* those far enough apart first */
        const contact *c = &f->pair[k % f->pairs];
        if ((c->j - c->i >= (int64_t)set->apart) != (k < f->pairs)) continue;
        row[3 * kept] = (double)c->i + 1, row[3 * kept + 1] = (double)c->j + 1, row[3 * kept++ + 2] = c->score;
    }
    gibbs_status status = table_write(set->common.out, "contacts.csv", "i,j,score", f->pairs, 3, row, error);
    free(row);
    row = malloc((size_t)a->sites * (RESIDUES + 1) * sizeof *row);
    if (!status && !row) status = fail(error, GIBBS_MEMORY, "the mutants: out of memory");
    for (int64_t i = 0; i < a->sites && !status; i++) {
        row[i * (RESIDUES + 1)] = (double)i + 1;
        for (int k = 0; k < RESIDUES; k++) row[i * (RESIDUES + 1) + 1 + k] = f->mutant[i * RESIDUES + k];
    }
    for (int k = 0, at = 4; k < RESIDUES; k++)
        at += snprintf(header + at, sizeof header - (size_t)at, ",%.*s", k ? 1 : 3, k ? residue_letters + k : "gap");
    if (!status)
        status = table_write(set->common.out, "contacts-mutants.csv", header, a->sites, RESIDUES + 1, row, error);
    free(row);
    snprintf(title, sizeof title, "Scores of pairs of sites; above the diagonal the highest %g", set->top);
    if (!status) status = picture_start(&p, set->common.out, "contacts", title, error);
    if (status) return status;
    fprintf(p.file, "SITES = %lld; TOP = %g\n%s", (long long)a->sites, set->top, map);
    return picture_finish(&p, error);
}
