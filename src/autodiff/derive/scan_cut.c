/* scan_cut.c — what a derivative's loop reads of the body that it is the derivative of. Of values that take few
 * bytes for all steps each is kept as it is computed, and nothing is computed twice, as without a loop; else the
 * states alone are kept, and the rest is computed again from them. */
#include "scan.h"

typedef struct cut {
    const ad_scan_site *site;
    bool *inside; /* [size] nodes of the body that depend on what a step gives */
    bool *moving; /* [size] … on a state */
    bool *read;   /* [size] what the derivative reads */
    bool *stop;   /* [size] … and not through it */
    int64_t size, bytes;
} cut;

static bool is_given(const ad_scan_site *s, int32_t id)
{
    for (int k = 0; k < s->given; k++)
        if (s->at[k] == id) return true;
    return false;
}

/* Strides that cost nothing, windows of images, which products make as they go, and loops, which have no value. */
static bool is_passed_through(ad_op op)
{
    return op == OP_lift || op == OP_expand || op == OP_reshape || op == OP_permute || op == OP_slice ||
           op == OP_stop_gradient || op == OP_variable || op == OP_patches || op == OP_scan;
}

/* A result that was asked of a scan in the body since is not the body's: that scan runs again. What a derivative's loop
 * makes of its inputs alone, slopes of what the first loop has kept, is made again: so that the derivative of a
 * derivative that is linear in a direction does not read the loop in which that was (jacobian.c). */
static bool may_keep(const cut *c, int32_t id)
{
    const ad_node *n = &c->site->tape->node[id];
    if (c->site->loop->derived && !c->moving[id]) return false;
    return c->inside[id] && id < c->site->scan.id && !is_passed_through(n->op) && n->axis == c->site->loop->axis &&
           n->shape.rank < AD_MAX_RANK;
}

static void mark_moving(cut *c)
{
    const ad_scan_site *s = c->site;
    for (int k = 0; k < s->loop->states; k++) c->moving[s->at[k]] = true;
    for (int64_t i = 0; i < c->size; i++)
        for (int k = 0; k < s->tape->node[i].nin; k++)
            c->moving[i] |= c->moving[s->tape->node[i].in[k]] && !is_given(s, (int32_t)i);
}

static void mark_read(cut *c, const ad_scan_build *b, const ad_vars *also)
{
    const ad_vars *lists[] = {&b->next, &b->listed, also};
    for (int k = 0; k < GIBBS_COUNT(lists); k++)
        for (int64_t j = 0; lists[k] && j < lists[k]->count; j++)
            if (!ad_is_null(lists[k]->at[j])) c->read[lists[k]->at[j].id] = true;
}

/* Keeps all that may be kept (all), or only what a step gives. */
static void choose(cut *c, const ad_scan_build *b, const ad_vars *also, bool all)
{
    const ad_scan_site *s = c->site;
    for (int64_t i = 0; i < c->size; i++) c->read[i] = c->stop[i] = false;
    for (int64_t k = 0; k < b->state.count; k++) c->stop[b->state.at[k].id] = true;
    for (int64_t k = 0; k < b->input.count; k++) c->stop[b->input.at[k].id] = true;
    mark_read(c, b, also);
    c->bytes = 0;
    for (int32_t i = (int32_t)c->size - 1; i >= 0; i--) {
        const ad_node *n = &s->tape->node[i];
        if (!c->read[i] || c->stop[i]) continue;
        if (is_given(s, i) || (all && may_keep(c, i))) {
            c->stop[i] = true;
            c->bytes += ad_shape_count(&n->shape) * s->loop->steps * (int64_t)gibbs_dtype_size(s->tape->dtype);
        } else
            for (int k = 0; k < n->nin; k++) c->read[n->in[k]] = true;
    }
}

/* A step's input is there for all steps; of the rest the scan makes a result. */
static ad_var kept(const ad_scan_site *s, int32_t id)
{
    for (int k = s->loop->states; k < s->given; k++)
        if (s->at[k] == id) return ad_handle(s->tape, s->node.in[k]);
    return ad_scan_of(OP_scan_stack, s->scan, ad_handle(s->tape, id));
}

void ad_scan_cut(const ad_scan_site *s, ad_scan_build *b, const ad_vars *also)
{
    ad_tape *tape = s->tape;
    if (tape->error.status) return;
    cut c = {.site = s, .inside = ad_scan_inside(tape, s->loop), .size = tape->size};
    if (!c.inside) return;
    c.read = gibbs_alloc_zero(&tape->alloc, 3 * (size_t)c.size, sizeof *c.read);
    if (!c.read) ad_fail(tape, GIBBS_MEMORY, "scan: out of memory");
    else {
        c.stop = c.read + c.size;
        c.moving = c.stop + c.size;
        mark_moving(&c);
        int64_t states = b->state.count, inputs = b->input.count;
        choose(&c, b, also, true);
        if (c.bytes > s->loop->store_bytes) choose(&c, b, also, false);
        for (int64_t k = 0; k < states; k++) c.stop[b->state.at[k].id] = false;
        for (int64_t k = 0; k < inputs; k++) c.stop[b->input.at[k].id] = false;
        for (int32_t i = 0; i < c.size; i++)
            if (c.stop[i]) ad_scan_add_input(tape, b, ad_handle(tape, i), kept(s, i));
    }
    gibbs_release(&tape->alloc, c.inside);
    gibbs_release(&tape->alloc, c.read);
}
