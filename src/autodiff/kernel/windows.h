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

#endif
