/* structure.c — what is known of a discrete model's energy, in words. */
#include "autodiff/tape/tape.h"
#include "coupled.h"
#include "ebm/model/conditioned.h"
#include "ebm/space/space.h"

#include <stdio.h>

/* The degree of E in the modelled columns; −1: none. */
static gibbs_status degree_of(const ebm_model *model, int *degree, gibbs_error *error)
{
    ebm_recording r;
    ebm_conditioned of;
    gibbs_status status = ebm_recording_start("structure", model, &r, error);
    *degree = -1;
    if (!status) {
        ad_axis axis = ad_axis_new(r.tape, "data");
        ebm_conditioned_start(&of, model);
        ebm_conditioned_input(&of, axis);
        ad_var x = ad_variable(ad_input(axis, "x", ad_vec(of.of_y.dim)));
        *degree = ad_degree(ebm_model_energy_at(&of.of_y, x, r.theta), x);
        status = ebm_tape_error(r.tape, error);
    }
    ebm_recording_end(&r);
    return status;
}

static ebm_conditionals way_of(ebm_model *model, int degree, ebm_couplings *c)
{
    *c = (ebm_couplings){.dtype = model->dtype, .dim = model->dim};
    ebm_changes changes;
    if (!model->given && model->kind->changes && model->kind->changes(model->context, &changes))
        return EBM_CONDITIONALS_CHANGES;
    if (model->given) return degree < 0 || degree > 2 ? EBM_CONDITIONALS_ENERGIES : EBM_CONDITIONALS_GRADIENT;
    if (model->kind->couplings) model->kind->couplings(model->theta, model->context, c);
    if (c->pieces) return EBM_CONDITIONALS_COUPLINGS;
    if (degree < 0 || degree > 2) return EBM_CONDITIONALS_ENERGIES;
    c->width = c->pieces = c->dim;
    return c->dim <= EBM_MOST_TAPE_COUPLINGS ? EBM_CONDITIONALS_TAPE : EBM_CONDITIONALS_GRADIENT;
}

static const char *const sentences[] = {
    [EBM_CONDITIONALS_ENERGIES] = "pseudo-likelihood, ratio matching and Gibbs take an energy for each label of each "
                                  "variable",
    [EBM_CONDITIONALS_GRADIENT] = "pseudo-likelihood and ratio matching take one gradient a row; Gibbs an energy for "
                                  "each label, having no couplings of a conditional model or of so many columns",
    [EBM_CONDITIONALS_TAPE] = "pseudo-likelihood and ratio matching take one gradient a row, Gibbs couplings from its "
                              "second derivatives, and fields that are kept",
    [EBM_CONDITIONALS_CHANGES] = "pseudo-likelihood and ratio matching are regressions on change statistics, by which Gibbs "
                                 "goes as well",
    [EBM_CONDITIONALS_COUPLINGS] = "pseudo-likelihood and ratio matching take one gradient a row, Gibbs the couplings "
                                   "that the energy hands over, and fields that are kept",
};

gibbs_status ebm_model_structure(ebm_model *model, const ebm_space *space, ebm_structure *out, gibbs_error *error)
{
    GIBBS_REQUIRE("structure", model && out, error);
    ebm_space of = space ? *space : (ebm_space){0};
    ebm_structure s = {.degree = -1};
    ebm_couplings c;
    gibbs_status status = ebm_space_of_rows("structure", &of, model->dim - model->given, &of, error);
    if (!status) status = degree_of(model, &s.degree, error);
    if (status) return status;
    s.way = way_of(model, s.degree, &c);
    s.couplings = s.way == EBM_CONDITIONALS_TAPE || s.way == EBM_CONDITIONALS_COUPLINGS ? c.pieces * c.width : 0;
    char degree[48] = "no polynomial in x that is known";
    if (s.degree >= 0) snprintf(degree, sizeof degree, "of degree %d in x", s.degree);
    snprintf(s.text, sizeof s.text, "%lld variables of %lld labels; E is %s: %s", (long long)of.variables,
             (long long)of.labels, degree, sentences[s.way]);
    *out = s;
    return GIBBS_OK;
}
