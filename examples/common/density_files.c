#include "density_line.h"
#include "density_tell.h"
#include "failure.h"
#include "files.h"
#include "picture.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static gibbs_status save_history(const settings *set, const char *name, const ebm_fit_report *fit, gibbs_error *error)
{
    double *row = malloc(sizeof *row * 4 * (size_t)(fit->history_count + 1));
    if (!row) return fail(error, GIBBS_MEMORY, "out of memory");
    for (int64_t i = 0; i < fit->history_count; i++) {
        const double values[4] = {(double)i + 1, fit->history_loss[i], fit->history_norm[i],
                                  fit->history_validation[i]};
        memcpy(row + 4 * i, values, sizeof values);
    }
    gibbs_status status = table_write(set->common.out, name, "step,loss,gradient_norm,validation",
                                      fit->history_count, 4, row, error);
    free(row);
    return status;
}

/* How densities of so many columns are drawn; of more, not at all. */
static const struct {
    gibbs_status (*write)(density_plot *plot, ebm_model *model, gibbs_error *error);
    gibbs_status (*draw)(const density_plot *plot, gibbs_error *error);
} drawings[DRAWN + 1] = {[1] = {density_line_write, density_line_draw}, [2] = {density_plot_write, density_plot_draw}};

gibbs_status density_save(const settings *set, const problem *p, const method *m, ebm_model *model, result *r)
{
    char path[PATH_SIZE], history[2 * NAME];
    snprintf(r->name, sizeof r->name, "density2d-%s", m->name);
    snprintf(history, sizeof history, "%s-history.csv", r->name);
    snprintf(r->subtitle, sizeof r->subtitle, "held-out rows, standardised: mean log p %.3f (of one Gaussian: %.3f)",
             r->held_out, p->gaussian);
    gibbs_status status = file_path(path, &r->unsaved, set->common.out, "%s.safetensors", r->name);
    if (!status) status = ebm_model_save(model, path, &r->unsaved);
    if (!status) status = save_history(set, history, &r->fit, &r->unsaved);
    if (status || p->train.cols > DRAWN) return status;
    r->plot = (density_plot){.folder = set->common.out, .name = r->name, .data = "density2d-data.csv",
                             .title = m->loss->title, .subtitle = r->subtitle, .labels = p->train.names,
                             .mean = p->mean, .sd = p->sd,
                             .box = ebm_box_around(&p->train, 0.2), .log_z = r->log_z};
    return drawings[p->train.cols].write(&r->plot, model, &r->unsaved);
}

/* ---- Pictures ---- */

/* A panel a loss. The first steps fall from far above: what is shown ends a little above the quartiles. */
static const char history_head[] =
    "set terminal pngcairo size 1160,860 font 'sans,13' enhanced background 'white'; set output NAME.'.png'\n"
    "set multiplot layout 2,2 title TITLE noenhanced font ',17' margins 0.08,0.97,0.09,0.86 spacing 0.1,0.15\n"
    "set key at screen 0.5, screen 0.93 center horizontal maxrows 1 width -1 samplen 2 font ',12'\n"
    "set xlabel 'step' offset 0,0.5\n";

static const char history_panel[] =
    "FILE = NAME_OF_LOSS.'-history.csv'; set autoscale; unset arrow\n"
    "stats FILE skip 1 using 2 name 'L' nooutput; stats FILE skip 1 using 4 name 'V' nooutput\n"
    "top(lo, up) = up + 3 * (up - lo)\n"
    "low = L_min < V_min ? L_min : V_min\n"
    "high = top(L_lo_quartile, L_up_quartile); other = top(V_lo_quartile, V_up_quartile)\n"
    "high = other > high ? other : high; most = L_max > V_max ? L_max : V_max\n"
    "high = most < high ? most : high; pad = 0.05 * (high - low)\n"
    "if (pad > 0) { set yrange [low - pad:high + pad] } else { set autoscale y }\n"
    "set title LOSS noenhanced font ',12'; set ylabel 'loss' offset 1,0\n"
    "set arrow 1 from KEPT, graph 0 to KEPT, graph 1 nohead lw 1.5 dt (4, 4) lc rgb '#606060' front\n"
    "plot FILE skip 1 using 1:2 with lines lw 1 lc rgb '#9dbfe0' title 'training', \\\n"
    "  '' skip 1 using 1:4 with points pt 7 ps 0.45 lc rgb RED title 'validation', \\\n"
    "  NaN with lines lw 1.5 dt (4, 4) lc rgb '#606060' title 'kept'\n";

static gibbs_status draw_histories(const settings *set, const result *r, gibbs_error *error)
{
    picture_script out;
    char title[4 * NAME];
    gibbs_status status = picture_start(&out, set->common.out, "density2d-history",
                                        "Loss over the steps; what validates best is kept", error);
    if (status) return status;
    fputs(history_head, out.file);
    for (int i = 0; i < METHODS; i++) {
        if (!set->chosen[i] || r[i].error.status || r[i].unsaved.status) continue;
        picture_text(&out, "NAME_OF_LOSS", r[i].name);
        const ebm_loss *loss = methods[i].loss, *judge = loss->validation;
        snprintf(title, sizeof title, "%s%s%s", loss->title, judge ? "; validated by " : "", judge ? judge->title : "");
        picture_text(&out, "LOSS", title);
        fprintf(out.file, "KEPT = %lld\n%s", (long long)r[i].fit.best_step, history_panel);
    }
    fputs("unset multiplot\n", out.file);
    return picture_finish(&out, error);
}

gibbs_status density_draw(const settings *set, const problem *p, result *r, gibbs_error *error)
{
    double top = 0;
    int shown = 0;
    gibbs_status status = GIBBS_OK;
    for (int i = 0; i < METHODS; i++) {
        if (r[i].error.status || r[i].unsaved.status || !set->chosen[i]) continue;
        top = fmax(top, r[i].plot.top);
        shown++;
    }
    for (int i = 0; !status && i < METHODS; i++) {
        if (!r[i].plot.folder || r[i].unsaved.status) continue;
        r[i].plot.top = top;
        status = drawings[p->train.cols].draw(&r[i].plot, error);
    }
    return status || !shown ? status : draw_histories(set, r, error);
}
