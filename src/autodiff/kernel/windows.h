/* windows.h — the windows of an image, of which a matrix has a row each. */
#ifndef GIBBS_WINDOWS_H
#define GIBBS_WINDOWS_H

#include <stdint.h>

typedef struct ad_windows {
    int32_t height, width, channels; /* of the image */
    int32_t rows, columns;           /* of a window */
    int32_t stride, padding;
} ad_windows;

static inline int64_t ad_windows_across(const ad_windows *w)
{
    return (w->width + 2 * (int64_t)w->padding - w->columns) / w->stride + 1;
}

static inline int64_t ad_windows_count(const ad_windows *w)
{
    return ((w->height + 2 * (int64_t)w->padding - w->rows) / w->stride + 1) * ad_windows_across(w);
}

static inline int64_t ad_windows_size(const ad_windows *w) { return (int64_t)w->rows * w->columns * w->channels; }
static inline int64_t ad_windows_image(const ad_windows *w) { return (int64_t)w->height * w->width * w->channels; }

/* What is made at a time stays in the second cache: of `rows` rows of windows, and `cols` of each, the strips, one
 * for each row of the image that they reach. A strip is a row of `columns` pixels of each window; so windows that lie
 * below each other share strips, and a panel has `lines` of them and not rows·(rows of a window). */
typedef struct ad_panel {
    int64_t rows, cols, lines, line; /* numbers in a line */
} ad_panel;

static inline ad_panel ad_windows_panel(const ad_windows *w, int64_t number_size)
{
    enum { BYTES = 1 << 18, LEAST = 12 };
    int64_t across = ad_windows_across(w), down = ad_windows_count(w) / across;
    int64_t strip = (int64_t)w->columns * w->channels, lines = BYTES / number_size / (strip * across);
    ad_panel p = {lines < w->rows ? 1 : (lines - w->rows) / w->stride + 1, across, 0, 0};
    if (p.rows > down) p.rows = down;
    if (lines < w->rows) p.cols = BYTES / number_size / (strip * w->rows);
    if (p.cols < LEAST) p.cols = LEAST < across ? LEAST : across;
    p.lines = (p.rows - 1) * w->stride + w->rows;
    p.line = p.cols * strip;
    return p;
}

#endif
