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

static void NAME(k_patches)(const ad_windows *w, int64_t first, int64_t count, void *to, const void *image)
{
    const int64_t across = ad_windows_across(w), C = w->channels, row = w->columns * C;
    REAL *y = to;
    for (int64_t p = first; p < first + count; p++) {
        const int64_t top = p / across * w->stride - w->padding, left = p % across * w->stride - w->padding;
        for (int64_t i = 0; i < w->rows; i++, y += row) {
            const NAME(strip_of_window) s = NAME(strip_of)(w, top + i, left);
            if (s.end - s.begin < w->columns) memset(y, 0, (size_t)row * sizeof(REAL));
            NAME(move_numbers)(false, (s.end - s.begin) * C, y + s.begin * C, (const REAL *)image + s.at);
        }
    }
}

static void NAME(k_overlap)(const ad_windows *w, int64_t first, int64_t count, void *image, const void *from)
{
    const int64_t across = ad_windows_across(w), C = w->channels, row = w->columns * C;
    const REAL *x = from;
    for (int64_t p = first; p < first + count; p++) {
        const int64_t top = p / across * w->stride - w->padding, left = p % across * w->stride - w->padding;
        for (int64_t i = 0; i < w->rows; i++, x += row) {
            const NAME(strip_of_window) s = NAME(strip_of)(w, top + i, left);
            NAME(move_numbers)(true, (s.end - s.begin) * C, (REAL *)image + s.at, x + s.begin * C);
        }
    }
}
