/* emit_windows.c — the instructions of windows of images: made, added up, and multiplied a panel at a time. */
#include "emit.h"

static int64_t images_of(const ad_shape *image) { return ad_shape_part(image, 0, image->rank - 3); }

static void keep_panel(ad_compiler *c, const ad_windows *w)
{
    ad_panel p = ad_windows_panel(w, ad_number_size(c));
    ad_want_room(c, c->plan->kernels->room + p.lines * p.line * ad_number_size(c)); /* behind what a product packs */
}

static ad_windows windows_at(const ad_compiler *c, int32_t patches)
{
    const ad_node *node = ad_node_at(c, patches);
    return ad_windows_of(node, &ad_node_at(c, node->in[0])->shape);
}

static int32_t images_at(const ad_compiler *c, int32_t patches)
{
    return (int32_t)images_of(&ad_node_at(c, ad_node_at(c, patches)->in[0])->shape);
}

static void count_flops(ad_compiler *c, const ad_instruction *i, const ad_windows *w, int64_t images, int64_t other)
{
    c->stage->gemm_flops += 2.0 * (double)(images * ad_windows_count(w) * i->factor) *
                            (double)ad_windows_size(w) * (double)other * c->times;
}

void ad_emit_window_matmul(ad_compiler *c, int32_t id, int32_t patches, const ad_operand *to, const ad_operand *start)
{
    const ad_node *node = ad_node_at(c, id);
    ad_instruction i = ad_blank(c, id, DO_window_matmul);
    i.window_matmul.x = ad_read(c, ad_node_at(c, patches)->in[0], NEED_ROWS);
    i.window_matmul.b = ad_read(c, node->in[1], NEED_ROWS_OR_ONE);
    i.window_matmul.c = *to;
    if (start) i.window_matmul.start = *start;
    i.window_matmul.starts = start;
    i.window_matmul.windows = windows_at(c, patches);
    i.window_matmul.images = images_at(c, patches);
    i.window_matmul.n = (int32_t)node->shape.dim[2];
    keep_panel(c, &i.window_matmul.windows);
    count_flops(c, &i, &i.window_matmul.windows, i.window_matmul.images, i.window_matmul.n);
    ad_append(c, &i);
}

ad_instruction ad_blank_window_batch(ad_compiler *c, int32_t id, int32_t patches)
{
    const ad_node *node = ad_node_at(c, id);
    ad_instruction i = ad_blank(c, id, DO_window_batch);
    i.axis = ad_node_at(c, patches)->axis;
    i.factor = ad_axis_factor(c->tape, i.axis);
    i.window_batch.x = ad_read(c, ad_node_at(c, patches)->in[0], NEED_ROWS);
    i.window_batch.b = ad_read(c, node->in[1], NEED_ROWS);
    i.window_batch.windows = windows_at(c, patches);
    i.window_batch.images = images_at(c, patches);
    i.window_batch.n = (int32_t)node->shape.dim[1];
    keep_panel(c, &i.window_batch.windows);
    count_flops(c, &i, &i.window_batch.windows, i.window_batch.images, i.window_batch.n);
    return i;
}

void ad_emit_patches(ad_compiler *c, int32_t id)
{
    ad_instruction i = ad_begin(c, id, DO_patches);
    i.patches.windows = windows_at(c, id);
    i.patches.images = images_at(c, id);
    ad_append(c, &i);
}

static void emit_product_overlap(ad_compiler *c, int32_t id, int32_t product)
{
    const ad_node *node = ad_node_at(c, id), *p = ad_node_at(c, product);
    ad_instruction i = ad_blank(c, id, DO_matmul_overlap);
    i.nin = 2;
    i.matmul_overlap.a = ad_read(c, p->in[0], NEED_ROWS);
    i.matmul_overlap.b = ad_read(c, p->in[1], NEED_ROWS_OR_ONE);
    i.matmul_overlap.y = ad_place_new(c, id);
    i.matmul_overlap.windows = ad_windows_of(node, &node->shape);
    i.matmul_overlap.images = (int32_t)images_of(&node->shape);
    i.matmul_overlap.k = (int32_t)ad_node_at(c, p->in[0])->shape.dim[2];
    keep_panel(c, &i.matmul_overlap.windows);
    count_flops(c, &i, &i.matmul_overlap.windows, i.matmul_overlap.images, i.matmul_overlap.k);
    ad_append(c, &i);
}

void ad_emit_overlap(ad_compiler *c, int32_t id)
{
    const ad_node *node = ad_node_at(c, id);
    int32_t product = ad_hidden_product(c, id);
    if (product >= 0) {
        emit_product_overlap(c, id, product);
        return;
    }
    ad_instruction i = ad_begin(c, id, DO_overlap);
    i.overlap.windows = ad_windows_of(node, &node->shape);
    i.overlap.images = images_of(&node->shape);
    ad_append(c, &i);
}
