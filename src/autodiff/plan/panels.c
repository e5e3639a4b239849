/* panels.c — windows of images that are never there as a whole. A matrix of windows is many times as large as the
 * image: where products alone read it, and where a product is added up as windows, their instructions make a panel of
 * it at a time, in memory that stays in the second cache. */
#include "passes.h"

/* The matrix of windows that a value is, or is a reshape of; −1: none. */
static int32_t windows_below(const ad_compiler *c, int32_t id)
{
    while (ad_node_at(c, id)->op == OP_reshape) id = ad_node_at(c, id)->in[0];
    const ad_node *n = ad_node_at(c, id);
    return n->op == OP_patches && n->axis >= 0 ? id : -1;
}

static int64_t size_of(const ad_node *matrix) { return matrix->shape.dim[matrix->shape.rank - 1]; }

/* Whether the node multiplies by rows that are these windows. Strips go with rows of the other factor: so it lies
 * as it is written, or transposed where windows are added up, so that these rows are in one piece. */
static bool reads_panels(const ad_compiler *c, const ad_node *n, const ad_node *windows)
{
    const ad_shape *left = &ad_node_at(c, n->in[0])->shape;
    if (n->op == OP_batch_matmul) return left->dim[1] == size_of(windows);
    return n->op == OP_matmul && n->axis >= 0 && n->shape.dim[0] == 1 && !ad_left_is_transposed(n) &&
           !ad_right_is_transposed(n) && left->dim[2] == size_of(windows);
}

static void hide_product(ad_compiler *c, int32_t id)
{
    const ad_node *n = ad_node_at(c, id);
    int32_t p = ad_unshaped(c, n->in[0]);
    const ad_node *product = ad_node_at(c, p);
    if (product->op != OP_matmul || product->axis < 0 || c->value[p].uses != 1 || c->value[p].kept ||
        c->value[p].lent)
        return;
    bool rows = product->shape.dim[0] == 1 && !ad_left_is_transposed(product) &&
                ad_right_is_transposed(product) && product->shape.dim[2] == size_of(ad_node_at(c, n->in[0]));
    c->value[p].hidden = rows && ad_hidden_windows(c, p) < 0;
}

void ad_hide_windows(ad_compiler *c)
{
    for (int32_t i = 0; i < c->count; i++)
        c->value[i].hidden = c->value[i].live && windows_below(c, i) == i && !c->value[i].kept;
    for (int32_t i = 0; i < c->count; i++) {
        const ad_node *n = ad_node_at(c, i);
        int32_t own = c->value[i].live && c->value[i].lent ? windows_below(c, i) : -1; /* a loop reads it */
        if (own >= 0) c->value[own].hidden = false;
        for (int k = 0; c->value[i].live && k < n->nin; k++) {
            int32_t w = windows_below(c, n->in[k]);
            if (w < 0) continue;
            bool hides = n->op == OP_reshape ? !c->value[i].kept : k == 0 && reads_panels(c, n, ad_node_at(c, w));
            if (!hides) c->value[w].hidden = false;
        }
    }
    for (int32_t i = 0; i < c->count; i++) {
        const ad_node *n = ad_node_at(c, i);
        if (c->value[i].live && n->op == OP_overlap_add && n->axis >= 0) hide_product(c, i);
    }
}

int32_t ad_hidden_windows(const ad_compiler *c, int32_t product)
{
    int32_t w = windows_below(c, ad_node_at(c, product)->in[0]);
    return w >= 0 && c->value[w].hidden ? w : -1;
}

int32_t ad_hidden_product(const ad_compiler *c, int32_t overlap)
{
    int32_t p = ad_unshaped(c, ad_node_at(c, overlap)->in[0]);
    return c->value[p].hidden && ad_node_at(c, p)->op == OP_matmul ? p : -1;
}
