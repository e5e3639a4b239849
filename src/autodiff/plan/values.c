/* values.c — what each step's value is. Most are the result of an instruction of their own; views are none; and there
 * are values that one instruction computes together, or that are written where a larger one lies:
 *
 *   a sum with a product, which is added up where the other term lies;
 *   sums of products over batches, and of tables that are scattered into, likewise;
 *   what covers a part of a larger value, a pad, such a table, or a concat in a concat: n numbers that are joined, or
 *   added up into a vector, one by one, are n instructions of one number in one vector, never n vectors;
 *   functions of one argument that share most of their work;
 *   windows of images, of which panels are made where they are multiplied (panels.c).
 *
 * Fusing more was measured and did not pay (docs/speed.md). */
#include "passes.h"

static bool is_read_once(const ad_compiler *c, int32_t id) { return c->value[id].uses == 1 && !c->value[id].lent; }

/* ---- Sums ---- */

/* A term of a gathering sum. */
static int32_t term_of(const ad_compiler *c, int32_t id)
{
    id = ad_unshaped(c, id);
    const ad_node *n = ad_node_at(c, id);
    bool adds = (n->op == OP_batch_matmul || n->op == OP_scatter_add) && n->axis < 0;
    return is_read_once(c, id) && (adds || c->value[id].gathers) ? id : -1;
}

static void gather_terms(ad_compiler *c, int32_t id)
{
    const ad_node *n = ad_node_at(c, id);
    int32_t a = term_of(c, n->in[0]), b = term_of(c, n->in[1]);
    if (n->axis >= 0 || a < 0 || b < 0) return;
    c->value[id].gathers = true;
    c->value[a].into = c->value[b].into = id;
}

static bool is_piece(const ad_compiler *c, int32_t id)
{
    ad_op op = ad_node_at(c, id)->op;
    return is_read_once(c, id) && (op == OP_pad || op == OP_scatter_add);
}

static bool is_product(const ad_compiler *c, int32_t id)
{
    const ad_node *n = ad_node_at(c, id);
    return is_read_once(c, id) && !c->value[id].kept && n->op == OP_matmul && n->axis >= 0;
}

/* x + a part, which is added where x lies: a piece, or a product over all of it. */
static void take_part(ad_compiler *c, int32_t id)
{
    const ad_node *n = ad_node_at(c, id);
    int32_t a = ad_unshaped(c, n->in[0]), b = ad_unshaped(c, n->in[1]);
    int32_t part = is_piece(c, b) ? b : is_piece(c, a) || is_product(c, a) ? a : is_product(c, b) ? b : -1;
    if (part >= 0) c->value[part].into = id;
}

/* Whether the instruction of the sum that it is a part of computes it. */
static bool is_part(const ad_compiler *c, int32_t id)
{
    int32_t into = c->value[id].into;
    return into >= 0 && ad_node_at(c, into)->op == OP_add && !c->value[into].gathers;
}

/* ---- Joins ---- */

/* A piece without gaps of a shared value is computed where it is to be, and others read it there; a sum over batches
 * adds up in a place of its own. */
static void join(ad_compiler *c, int32_t id, int32_t piece, int64_t at)
{
    piece = ad_unshaped(c, piece);
    const ad_node *n = ad_node_at(c, id), *in = ad_node_at(c, piece);
    ad_value *value = &c->value[piece];
    bool given = in->nin == 0 || ad_is_view(in->op) || ad_is_scan_result(in->op) ||
                 ad_ops[in->op].kind == KIND_BATCH || in->op == OP_scatter_add;
    bool whole = n->axis < 0 && in->axis < 0 && ad_shape_part(&n->shape, 0, ad_along(n)) == 1;
    bool own = value->gathers || value->lent || value->joined >= 0 || value->inside != c->value[id].inside;
    if (given || own || !whole) return;
    value->joined = id;
    value->at = (int32_t)at;
}

/* Of concats of concats the outermost is the place of all that is joined. */
static void join_concats(ad_compiler *c, int32_t id)
{
    const ad_node *n = ad_node_at(c, id);
    int64_t at = 0;
    for (int k = 0; k < n->nin; k++) {
        const ad_node *in = ad_node_at(c, n->in[k]);
        ad_value *value = &c->value[n->in[k]];
        if (in->op == OP_concat && ad_along(in) == ad_along(n) && is_read_once(c, n->in[k]))
            value->into = id, value->at = (int32_t)at;
        else join(c, id, n->in[k], at);
        at += in->shape.dim[ad_along(n)];
    }
}

/* ---- Outputs ---- */

/* A product that is an output is so as a reshape: it is written where that is stored. */
static void show(ad_compiler *c, int32_t id)
{
    const ad_node *n = ad_node_at(c, id);
    if (n->op != OP_reshape || n->axis < 0 || !c->value[id].kept) return;
    ad_value *in = &c->value[n->in[0]];
    ad_op op = ad_node_at(c, n->in[0])->op;
    if (in->uses == 1 && !in->lent && !in->kept && !ad_is_view(op) && !ad_is_given(op)) in->shown = id;
}

/* ---- All of these ---- */

static void find_parts(ad_compiler *c)
{
    for (int32_t i = 0; i < c->count; i++) {
        ad_op op = ad_node_at(c, i)->op;
        if (!c->value[i].live) continue;
        show(c, i);
        if (op == OP_add) gather_terms(c, i);
        if (op == OP_add && !c->value[i].gathers) take_part(c, i);
        if (op == OP_concat) join_concats(c, i);
        if (op == OP_pad) join(c, i, ad_node_at(c, i)->in[0], ad_start(ad_node_at(c, i)));
    }
    for (int64_t i = c->count - 1; i >= 0; i--) { /* sums within sums, joins within joins: what is outermost */
        ad_value *value = &c->value[i];
        const ad_value *outer = value->into < 0 ? NULL : &c->value[value->into];
        int32_t whole = value->joined; /* what is added somewhere has no place of its own */
        bool adds = whole >= 0 && ad_node_at(c, whole)->op == OP_pad && c->value[whole].into >= 0;
        if (adds || value->into >= 0) value->joined = -1;
        if (value->joined >= 0 && value->uses > 1)
            c->value[c->value[whole].into < 0 ? whole : c->value[whole].into].in_parts = true;
        if (!outer || outer->into < 0) continue;
        value->into = outer->into;
        value->at += outer->at;
    }
}

/* ---- Steps ---- */

static void find_form_of_sum(const ad_compiler *c, ad_plan_step *step)
{
    const ad_node *n = ad_node_at(c, step->node);
    for (int k = 0; k < 2; k++) {
        int32_t part = ad_unshaped(c, n->in[k]);
        if (c->value[part].into != step->node) continue;
        step->form = ad_node_at(c, part)->op == OP_matmul ? FORM_PRODUCT_SUM : FORM_PIECE_SUM;
        step->with[0] = part;
        step->with[1] = n->in[1 - k];
        return;
    }
}

/* One of the functions of an argument joins those that the body computes, if there are: *first is 1 more than the
 * number of the first one's step. */
static void find_form_of_family(const ad_compiler *c, int64_t number, int64_t body, int64_t *first)
{
    if (*first <= body) { /* none, or an earlier body's */
        *first = number + 1;
        return;
    }
    ad_plan_step *step = &c->step[number], *f = &c->step[*first - 1];
    const ad_node *node = ad_node_at(c, step->node), *other = ad_node_at(c, f->node);
    bool there = other->op == node->op || (f->with[0] >= 0 && ad_node_at(c, f->with[0])->op == node->op);
    if (there || f->with[1] >= 0 || !ad_of_one_family(node, other)) return;
    f->with[f->with[0] >= 0] = step->node;
    f->form = FORM_FAMILY;
    step->form = FORM_NONE;
}

static void find_form(const ad_compiler *c, ad_plan_step *step)
{
    const ad_node *n = ad_node_at(c, step->node);
    const ad_value *value = &c->value[step->node];
    if (step->form == FORM_GIVEN) return;
    if (value->hidden) step->form = FORM_NONE;
    else if (ad_is_scan_result(n->op)) step->form = FORM_NONE; /* the scan's instructions give it */
    else if (ad_is_view(n->op)) step->form = value->kept ? FORM_STORED_VIEW : FORM_NONE;
    else if (value->gathers || is_part(c, step->node)) step->form = FORM_NONE;
    else if (n->op == OP_add) find_form_of_sum(c, step);
}

static void find_pairs(const ad_compiler *c, int64_t begin, int64_t end, int64_t *first)
{
    for (int64_t k = begin; k < end; k++) {
        const ad_node *n = ad_node_at(c, c->step[k].node);
        if (ad_is_of_family(n) && c->step[k].form != FORM_GIVEN) find_form_of_family(c, k, begin, &first[n->in[0]]);
    }
}

void ad_find_values(ad_compiler *c)
{
    int64_t *first = gibbs_alloc_zero(&c->plan->alloc, (size_t)c->count, sizeof *first);
    if (!first) {
        ad_out_of_memory(c);
        return;
    }
    find_parts(c);
    ad_hide_windows(c);
    for (int64_t k = 0; k < c->steps; k++) find_form(c, &c->step[k]);
    for (int64_t l = 0; l < c->loops; l++) find_pairs(c, c->loop[l].first, c->loop[l].end, first);
    for (int64_t s = 0; s < c->stages; s++) find_pairs(c, c->stage_steps[s].body, c->stage_steps[s].end, first);
    gibbs_release(&c->plan->alloc, first);
}
