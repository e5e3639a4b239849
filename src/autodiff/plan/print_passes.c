/* print_passes.c — the tables between the passes, as text: a line a row, where it says something. */
#include "passes.h"

static void print_node(ad_printer *p, const ad_compiler *c, int64_t id)
{
    char shape[AD_SHAPE_TEXT];
    const ad_node *n = ad_node_at(c, id);
    ad_put(p, "node %lld  %s  %s  %s", (long long)id, ad_ops[n->op].name, ad_shape_text(&n->shape, shape, sizeof shape),
           n->axis < 0 ? "shared" : c->tape->axis[n->axis].name);
}

void ad_print_live(const ad_compiler *c, ad_printer *p)
{
    ad_put(p, "needed\n");
    for (int64_t i = 0; i < c->count; i++) {
        const ad_value *v = &c->value[i];
        if (!v->live) continue;
        ad_put(p, "  ");
        print_node(p, c, i);
        ad_put(p, "  read %lld times%s%s\n", (long long)v->uses, v->inside ? "  in a loop" : "",
               v->lent ? "  by a loop" : "");
    }
}

static void print_steps(ad_printer *p, const ad_compiler *c, int64_t from, int64_t to)
{
    for (int64_t k = from; k < to; k++) {
        ad_put(p, "  step %lld  ", (long long)k);
        print_node(p, c, c->step[k].node);
        ad_put(p, "%s\n", c->value[c->step[k].node].kept ? "  stored" : "");
    }
}

void ad_print_order(const ad_compiler *c, ad_printer *p)
{
    for (int64_t s = 0; s < c->stages; s++) {
        const ad_stage_steps *stage = &c->stage_steps[s];
        if (stage->body > stage->first) ad_put(p, "order: stage %lld, once\n", (long long)s + 1);
        print_steps(p, c, stage->first, stage->body);
        if (stage->axis >= 0)
            ad_put(p, "order: stage %lld, over «%s»\n", (long long)s + 1, ad_axis_name(c->tape, stage->axis));
        print_steps(p, c, stage->body, stage->end);
    }
}

void ad_print_values(const ad_compiler *c, ad_printer *p)
{
    static const char *const what[] = {
        [FORM_NONE] = "nothing to do: a view, a part, or a result of another step",
        [FORM_STORED_VIEW] = "a copy of what the view shows",
        [FORM_PRODUCT_SUM] = "a product that starts from what it is added to",
        [FORM_PIECE_SUM] = "a piece that is added where the sum lies",
        [FORM_GIVEN] = "given by the loop",
        [FORM_FAMILY] = "one instruction, for these too",
    };
    ad_put(p, "values that are not simply computed\n");
    for (int64_t k = 0; k < c->steps; k++) {
        const ad_plan_step *step = &c->step[k];
        const ad_value *value = &c->value[step->node];
        if (step->form == FORM_OWN && value->into < 0) continue;
        ad_put(p, "  step %lld  ", (long long)k);
        print_node(p, c, step->node);
        if (step->form != FORM_OWN) ad_put(p, "  %s", what[step->form]);
        for (int w = 0; w < 2 && step->form == FORM_FAMILY && step->with[w] >= 0; w++)
            ad_put(p, " node %d", step->with[w]);
        if (value->into >= 0) ad_put(p, "  written where node %d lies", value->into);
        ad_put(p, "\n");
    }
}
