/* windows.c — the executors of windows of images: made, added up, and multiplied a panel at a time. */
#include "frame.h"

#include <string.h>

gibbs_status ad_run_patches(const ad_instruction *i, ad_frame *f)
{
    const ad_windows *w = &i->patches.windows;
    int64_t images = ad_rows_of(f, i) * i->patches.images, size = (int64_t)f->kernels->size;
    int64_t matrix = ad_windows_count(w) * ad_windows_size(w) * size;
    const char *x = ad_address(f, &i->patches.x);
    char *y = ad_address(f, &i->patches.y);
    for (int64_t k = 0; k < images; k++, x += ad_windows_image(w) * size, y += matrix)
        f->kernels->patches(w, y, x);
    return GIBBS_OK;
}

gibbs_status ad_run_overlap(const ad_instruction *i, ad_frame *f)
{
    const ad_windows *w = &i->overlap.windows;
    int64_t images = ad_rows_of(f, i) * i->overlap.images, size = (int64_t)f->kernels->size;
    int64_t matrix = ad_windows_count(w) * ad_windows_size(w) * size;
    const char *x = ad_address(f, &i->overlap.x);
    char *y = ad_address(f, &i->overlap.y);
    memset(y, 0, (size_t)(images * ad_windows_image(w) * size));
    for (int64_t k = 0; k < images; k++, y += ad_windows_image(w) * size, x += matrix)
        f->kernels->overlap(w, y, x);
    return GIBBS_OK;
}

/* ---- Products ---- */

/* Some windows of an image, and the strips that they are made of. These lie by their remainders of the stride, so that
 * what row i of all windows needs is in one piece: the strips i, i + stride, … */
typedef struct panel {
    const ad_windows *w;
    ad_panel most;
    int64_t row, col, rows, cols, lines;
    char *strips; /* behind what a product packs */
} panel;

static panel first_panel(const ad_windows *w, const ad_frame *f)
{
    return (panel){.w = w, .most = ad_windows_panel(w, (int64_t)f->kernels->size),
                   .strips = f->room + f->kernels->room};
}

/* The next one, row by row; false: there is none. */
static bool next_panel(panel *p)
{
    int64_t across = ad_windows_across(p->w), down = ad_windows_count(p->w) / across;
    p->col += p->cols;
    if (p->col == across || !p->cols) p->row += p->rows, p->col = 0;
    if (p->row == down) return false;
    p->rows = down - p->row < p->most.rows ? down - p->row : p->most.rows;
    p->cols = across - p->col < p->most.cols ? across - p->col : p->most.cols;
    p->lines = (p->rows - 1) * p->w->stride + p->w->rows;
    return true;
}

/* How many windows come before the panel's. */
static int64_t before(const panel *p) { return p->row * ad_windows_across(p->w) + p->col; }

static char *strips_at(const panel *p, int64_t line, int64_t number_size)
{
    int64_t stride = p->w->stride, phase = line % stride, longer = p->lines % stride;
    int64_t at = phase * (p->lines / stride) + (phase < longer ? phase : longer) + line / stride;
    return p->strips + at * p->cols * p->w->columns * p->w->channels * number_size;
}

/* Whether some row of some window lies there. */
static bool is_read(const panel *p, int64_t line) { return line % p->w->stride < p->w->rows; }

static void make_strips(const panel *p, const ad_frame *f, const char *image)
{
    for (int64_t j = 0; j < p->lines; j++)
        if (is_read(p, j))
            f->kernels->strips(p->w, p->row * p->w->stride - p->w->padding + j, p->col, p->cols,
                               strips_at(p, j, (int64_t)f->kernels->size), image);
}

static void add_strips(const panel *p, const ad_frame *f, char *image)
{
    for (int64_t j = 0; j < p->lines; j++)
        if (is_read(p, j))
            f->kernels->add_strips(p->w, p->row * p->w->stride - p->w->padding + j, p->col, p->cols, image,
                                   strips_at(p, j, (int64_t)f->kernels->size));
}

gibbs_status ad_run_window_matmul(const ad_instruction *i, ad_frame *f)
{
    const ad_windows *w = &i->window_matmul.windows;
    const int64_t size = (int64_t)f->kernels->size, n = i->window_matmul.n, depth = (int64_t)w->columns * w->channels;
    const int64_t images = i->window_matmul.images, next_b = i->window_matmul.b.row_stride * size;
    const char *x = ad_address(f, &i->window_matmul.x), *b = ad_address(f, &i->window_matmul.b);
    char *c = ad_address(f, &i->window_matmul.c);
    const char *start = i->window_matmul.starts ? ad_address(f, &i->window_matmul.start) : NULL;
    ad_product y = {.n = n, .k = depth, .rows = images * ad_windows_count(w), .next_a = depth, .room = f->room};
    if (next_b == 0) y.rows *= f->all_rows * i->factor;
    for (int64_t k = 0; k < ad_rows_of(f, i) * images; k++, x += ad_windows_image(w) * size)
        for (panel p = first_panel(w, f); next_panel(&p);) {
            make_strips(&p, f, x);
            y.m = p.rows * p.cols;
            y.c = c + (k * ad_windows_count(w) + before(&p)) * n * size;
            y.start = start == c ? y.c : start;
            for (int64_t r = 0; r < w->rows; r++, y.start = y.c) {
                y.a = strips_at(&p, r, size);
                y.b = b + k / images * next_b + r * depth * n * size;
                f->kernels->matmul(&y);
            }
        }
    return GIBBS_OK;
}

gibbs_status ad_run_window_batch(const ad_instruction *i, ad_frame *f)
{
    const ad_windows *w = &i->window_batch.windows;
    const int64_t size = (int64_t)f->kernels->size, n = i->window_batch.n, depth = (int64_t)w->columns * w->channels;
    bool begun = (f->first_shard ? i->window_batch.sum_begun : i->window_batch.c_begun) || !f->first;
    const char *x = ad_address(f, &i->window_batch.x), *b = ad_address(f, &i->window_batch.b);
    char *c = ad_address(f, f->first_shard ? &i->window_batch.sum : &i->window_batch.c);
    ad_product y = {.ta = true, .m = depth, .n = n, .rows = depth, .next_a = depth, .room = f->room};
    for (int64_t k = 0; k < ad_rows_of(f, i) * i->window_batch.images; k++, x += ad_windows_image(w) * size)
        for (panel p = first_panel(w, f); next_panel(&p); begun = true) {
            make_strips(&p, f, x);
            y.k = p.rows * p.cols;
            y.b = b + (k * ad_windows_count(w) + before(&p)) * n * size;
            for (int64_t r = 0; r < w->rows; r++) {
                y.a = strips_at(&p, r, size);
                y.c = c + r * depth * n * size;
                y.start = begun ? y.c : NULL;
                f->kernels->matmul(&y);
            }
        }
    return GIBBS_OK;
}

/* The products with row r of all windows fill, for the first rows, strips that are new; else the last of them is. */
static void multiply_into(const panel *p, ad_frame *f, ad_product *y, const char *b, int64_t size)
{
    const int64_t line = p->cols * y->n * size;
    y->m = p->rows * p->cols;
    for (int64_t r = 0; r < p->w->rows; r++) {
        char *to = strips_at(p, r, size);
        bool is_new = r < p->w->stride;
        if (!is_new) memset(to + (p->rows - 1) * line, 0, (size_t)line);
        y->b = b + r * y->n * y->k * size;
        y->c = to;
        y->start = is_new ? NULL : to;
        f->kernels->matmul(y);
    }
}

gibbs_status ad_run_matmul_overlap(const ad_instruction *i, ad_frame *f)
{
    const ad_windows *w = &i->matmul_overlap.windows;
    const int64_t size = (int64_t)f->kernels->size, k = i->matmul_overlap.k, n = (int64_t)w->columns * w->channels;
    const int64_t images = i->matmul_overlap.images, next_b = i->matmul_overlap.b.row_stride * size;
    const char *a = ad_address(f, &i->matmul_overlap.a), *b = ad_address(f, &i->matmul_overlap.b);
    char *image = ad_address(f, &i->matmul_overlap.y);
    ad_product y = {.tb = true, .n = n, .k = k, .rows = images * ad_windows_count(w), .next_a = k, .room = f->room};
    if (next_b == 0) y.rows *= f->all_rows * i->factor;
    memset(image, 0, (size_t)(ad_rows_of(f, i) * i->count * size));
    for (int64_t at = 0; at < ad_rows_of(f, i) * images; at++, image += ad_windows_image(w) * size)
        for (panel p = first_panel(w, f); next_panel(&p);) {
            y.a = a + (at * ad_windows_count(w) + before(&p)) * k * size;
            multiply_into(&p, f, &y, b + at / images * next_b, size);
            add_strips(&p, f, image);
        }
    return GIBBS_OK;
}
