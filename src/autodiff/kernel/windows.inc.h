/* windows.inc.h — the windows of an image as rows of a matrix, and such rows added to an image. Included by
 * kernels.inc.h. */

/* The part of a window's row that lies in the image: pixels begin … end − 1 of it; none where end <= begin. */
typedef struct NAME(strip_of_window) {
    int64_t begin, end, at; /* `at`: the number of the first one in the image */
} NAME(strip_of_window);

static inline NAME(strip_of_window) NAME(strip_of)(const ad_windows *w, int64_t y, int64_t left)
{
    NAME(strip_of_window) s = {0, w->columns, 0};
    if (y < 0 || y >= w->height) s.end = 0;
    if (left < 0) s.begin = -left;
    if (left + s.end > w->width) s.end = w->width - left;
    if (s.end <= s.begin) return (NAME(strip_of_window)){0};
    s.at = (y * w->width + left + s.begin) * w->channels;
    return s;
}

static inline void NAME(move_numbers)(bool adds, int64_t n, REAL *restrict y, const REAL *restrict x)
{
    int64_t j = 0;
    for (; j + LANES <= n; j += LANES) {
        V v = *(const LOOSE *)(x + j);
        if (adds) v += *(const LOOSE *)(y + j);
        *(LOOSE *)(y + j) = v;
    }
    if (j < n) {
        V v = NAME(load)(x + j, n - j);
        NAME(store)(y + j, adds ? NAME(load)(y + j, n - j) + v : v, n - j);
    }
}

/* A row of the window whose first pixel is `left`, in row y of the image: `row` numbers. */
static inline void NAME(take_strip)(const ad_windows *w, int64_t y, int64_t left, REAL *to, const REAL *image)
{
    const NAME(strip_of_window) s = NAME(strip_of)(w, y, left);
    const int64_t C = w->channels;
    if (s.end - s.begin < w->columns) memset(to, 0, (size_t)(w->columns * C) * sizeof(REAL));
    NAME(move_numbers)(false, (s.end - s.begin) * C, to + s.begin * C, image + s.at);
}

static inline void NAME(add_strip)(const ad_windows *w, int64_t y, int64_t left, REAL *image, const REAL *from)
{
    const NAME(strip_of_window) s = NAME(strip_of)(w, y, left);
    NAME(move_numbers)(true, (s.end - s.begin) * w->channels, image + s.at, from + s.begin * w->channels);
}

/* Of `count` windows those whose strips lie in the image as a whole: begin … end − 1. */
typedef struct NAME(inside) {
    int64_t begin, end;
} NAME(inside);

static NAME(inside) NAME(inside_of)(const ad_windows *w, int64_t y, int64_t first, int64_t count)
{
    const int64_t left = first * w->stride - w->padding, last = w->width - w->columns - left;
    NAME(inside) in = {left < 0 ? (w->stride - 1 - left) / w->stride : 0, last < 0 ? 0 : last / w->stride + 1};
    if (y < 0 || y >= w->height) in.end = 0;
    if (in.begin > count) in.begin = count;
    if (in.end > count) in.end = count;
    if (in.end < in.begin) in.end = in.begin;
    return in;
}

static void NAME(k_strips)(const ad_windows *w, int64_t y, int64_t first, int64_t count, void *to, const void *image)
{
    const int64_t row = (int64_t)w->columns * w->channels, step = (int64_t)w->stride * w->channels;
    const NAME(inside) in = NAME(inside_of)(w, y, first, count);
    REAL *strip = to;
    int64_t left = first * w->stride - w->padding, q = 0;
    for (; q < in.begin; q++, left += w->stride, strip += row) NAME(take_strip)(w, y, left, strip, image);
    const REAL *x = image;
    if (q < in.end) x += (y * w->width + left) * w->channels;
    for (; q < in.end; q++, left += w->stride, strip += row, x += step) NAME(move_numbers)(false, row, strip, x);
    for (; q < count; q++, left += w->stride, strip += row) NAME(take_strip)(w, y, left, strip, image);
}

static void NAME(k_add_strips)(const ad_windows *w, int64_t y, int64_t first, int64_t count, void *image,
                               const void *from)
{
    const int64_t row = (int64_t)w->columns * w->channels, step = (int64_t)w->stride * w->channels;
    const NAME(inside) in = NAME(inside_of)(w, y, first, count);
    const REAL *strip = from;
    int64_t left = first * w->stride - w->padding, q = 0;
    for (; q < in.begin; q++, left += w->stride, strip += row) NAME(add_strip)(w, y, left, image, strip);
    REAL *x = image;
    if (q < in.end) x += (y * w->width + left) * w->channels;
    for (; q < in.end; q++, left += w->stride, strip += row, x += step) NAME(move_numbers)(true, row, x, strip);
    for (; q < count; q++, left += w->stride, strip += row) NAME(add_strip)(w, y, left, image, strip);
}

static void NAME(k_patches)(const ad_windows *w, void *to, const void *image)
{
    const int64_t across = ad_windows_across(w), count = ad_windows_count(w), row = (int64_t)w->columns * w->channels;
    REAL *y = to;
    for (int64_t p = 0; p < count; p++)
        for (int64_t i = 0; i < w->rows; i++, y += row)
            NAME(take_strip)(w, p / across * w->stride - w->padding + i, p % across * w->stride - w->padding, y, image);
}

static void NAME(k_overlap)(const ad_windows *w, void *image, const void *from)
{
    const int64_t across = ad_windows_across(w), count = ad_windows_count(w), row = (int64_t)w->columns * w->channels;
    const REAL *x = from;
    for (int64_t p = 0; p < count; p++)
        for (int64_t i = 0; i < w->rows; i++, x += row)
            NAME(add_strip)(w, p / across * w->stride - w->padding + i, p % across * w->stride - w->padding, image, x);
}
