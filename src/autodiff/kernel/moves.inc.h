/* moves.inc.h — numbers moved: strided copies, broadcasts, transpositions, rows of tables. Included by
 * kernels.inc.h. */

static void NAME(k_copy)(int64_t n, void *to, const void *from, int64_t stride)
{
    REAL *restrict y = to;
    const REAL *restrict x = from;
    if (stride == 1) memcpy(y, x, (size_t)n * sizeof(REAL));
    else if (stride == 0) for (int64_t i = 0; i < n; i++) y[i] = *x;
    else for (int64_t i = 0; i < n; i++) y[i] = x[i * stride];
}

/* y[0 … n − 1] of `room` numbers: whole vectors are written where there is room, for the next row to overwrite. */
static inline void NAME(spread_row)(bool narrow, int64_t n, int64_t room, REAL *restrict y, const REAL *restrict x,
                                    int64_t stride)
{
    const bool near = stride == 0 || stride == 1;
    for (; !narrow && near && n > LANES; n -= LANES, room -= LANES, y += LANES, x += stride * LANES)
        NAME(store)(y, stride ? NAME(load)(x, LANES) : (V){0} + *x, LANES);
    if (narrow || near) {
        NAME(store)(y, stride ? NAME(load)(x, n) : (V){0} + *x, room < LANES ? n : LANES);
        return;
    }
    for (int64_t j = 0; j < n; j++) y[j] = x[j * stride];
}

INLINED void NAME(spread_rows)(bool narrow, int64_t outer, int64_t rows, int64_t n, REAL *y, const REAL *from,
                               const int64_t step[3])
{
    const int64_t size = (int64_t)sizeof(REAL), jump = step[0] / size, row = step[1] / size, stride = step[2] / size;
    REAL *end = y + outer * rows * n;
    for (int64_t o = 0; o < outer; o++, from += jump) {
        const REAL *x = from;
        for (int64_t r = 0; r < rows; r++, y += n, x += row) NAME(spread_row)(narrow, n, end - y, y, x, stride);
    }
}

static void NAME(k_spread)(int64_t outer, int64_t rows, int64_t n, void *to, const void *from, const int64_t step[3])
{
    bool narrow = n <= LANES && (step[2] == 0 || step[2] == (int64_t)sizeof(REAL));
    if (narrow) NAME(spread_rows)(true, outer, rows, n, to, from, step);
    else NAME(spread_rows)(false, outer, rows, n, to, from, step);
}

static void NAME(k_place)(int64_t pieces, int64_t n, void *to, int64_t next_y, const void *from, int64_t next_x)
{
    REAL *restrict y = to;
    const REAL *restrict x = from;
    if (n == 1)
        for (int64_t p = 0; p < pieces; p++) y[p * next_y] = x[p * next_x];
    else if (n <= LANES)
        for (int64_t p = 0; p < pieces; p++) NAME(store)(y + p * next_y, NAME(load)(x + p * next_x, n), n);
    else
        for (int64_t p = 0; p < pieces; p++) memcpy(y + p * next_y, x + p * next_x, (size_t)n * sizeof(REAL));
}

/* ---- Transpositions ---- */

/* y[r][j] = x[j][r] for r < rows and j < n, both at most LANES: halves of vectors change places, where they are to be
 * apart, and then log₂ steps each interleave the first half of SIDE vectors with the other. */
INLINED void NAME(transpose_square)(int64_t rows, int64_t n, const REAL *x, int64_t next_x, REAL *y, int64_t next_y)
{
    V row[LANES] = {{0}}, mixed[LANES];
    for (int q = 0; q < LANES && q < n; q++) row[q] = NAME(load)(x + q * next_x, rows);
    for (int q = 0; HALVES == 2 && q < SIDE; q++) {
        V front = NAME(FRONT)(row[q], row[q + SIDE]);
        row[q + SIDE] = NAME(BACK)(row[q], row[q + SIDE]);
        row[q] = front;
    }
    for (int step = 1; step < SIDE; step *= 2) {
        for (int first = 0; first < LANES; first += SIDE)
            for (int q = first; q < first + SIDE / 2; q++) {
                mixed[2 * q - first] = NAME(LOW)(row[q], row[q + SIDE / 2]);
                mixed[2 * q - first + 1] = NAME(HIGH)(row[q], row[q + SIDE / 2]);
            }
        memcpy(row, mixed, sizeof row);
    }
    for (int q = 0; q < LANES && q < rows; q++) NAME(store)(y + q * next_y, row[q], n);
}

/* The same of LANES rows of n numbers, a power of two, that lie side by side: whole vectors. Inlined for each n. */
INLINED void NAME(interleave)(int n, const REAL *x, int64_t next_x, REAL *y)
{
    V row[LANES / 2], mixed[LANES / 2];
    for (int q = 0; q < n; q++) row[q] = *(const LOOSE *)(x + q * next_x);
    for (int step = 1; step < n; step *= 2) {
        for (int q = 0; q < n / 2; q++) {
            mixed[2 * q] = NAME(LOW)(row[q], row[q + n / 2]);
            mixed[2 * q + 1] = NAME(HIGH)(row[q], row[q + n / 2]);
        }
        for (int q = 0; q < n; q++) row[q] = mixed[q];
    }
    for (int q = 0; q < n; q++) *(LOOSE *)(y + q * LANES) = row[q];
}

static inline bool NAME(interleaves)(int64_t n)
{
    return HALVES == 1 && n <= LANES / 2 && (n == 2 || n == 4 || n == 8);
}

/* Does as many rows as it can, and returns how many. */
static int64_t NAME(interleaved)(int64_t rows, int64_t n, REAL *y, int64_t next_y, const REAL *x, int64_t next_x)
{
    int64_t r = 0;
    if (next_y != n || !NAME(interleaves)(n)) return 0;
    for (; r + LANES <= rows; r += LANES)
        if (n == 2) NAME(interleave)(2, x + r, next_x, y + r * n);
        else if (n == 4) NAME(interleave)(LANES > 4 ? 4 : 2, x + r, next_x, y + r * n);
        else NAME(interleave)(LANES > 8 ? 8 : 2, x + r, next_x, y + r * n);
    return r;
}

static void NAME(k_transpose)(int64_t rows, int64_t n, void *to, int64_t next_y, const void *from, int64_t next_x)
{
    REAL *y = to;
    const REAL *x = from;
    for (int64_t r = NAME(interleaved)(rows, n, y, next_y, x, next_x); r < rows; r += LANES)
        for (int64_t j = 0; j < n; j += LANES) {
            int64_t down = rows - r, along = n - j;
            if (down >= LANES && along >= LANES)
                NAME(transpose_square)(LANES, LANES, x + j * next_x + r, next_x, y + r * next_y + j, next_y);
            else
                NAME(transpose_square)(down < LANES ? down : LANES, along < LANES ? along : LANES, x + j * next_x + r,
                                       next_x, y + r * next_y + j, next_y);
        }
}

/* ---- Rows of a table ---- */

/* The row that an index names; −1 for none. */
static inline int64_t NAME(row_at)(REAL index, int64_t rows)
{
    int64_t at = index >= 0 && (double)index < (double)rows ? (int64_t)index : -1;
    return (REAL)at == index ? at : -1;
}

static int64_t NAME(k_gather)(int64_t n, int64_t rows, int64_t width, void *to, const void *from, const void *index)
{
    REAL *y = to;
    for (int64_t k = 0; k < n; k++, y += width) {
        int64_t at = NAME(row_at)(((const REAL *)index)[k], rows);
        if (at < 0) return k;
        const REAL *x = (const REAL *)from + at * width;
        for (int64_t j = 0; j < width; j += LANES) {
            int64_t count = width - j < LANES ? width - j : LANES;
            NAME(store)(y + j, NAME(load)(x + j, count), count);
        }
    }
    return n;
}

static int64_t NAME(k_scatter)(int64_t n, int64_t rows, int64_t width, int64_t next, void *to, const void *from,
                               const void *index)
{
    const REAL *restrict x = from;
    for (int64_t k = 0; k < n; k++, x += next) {
        int64_t at = NAME(row_at)(((const REAL *)index)[k], rows);
        if (at < 0) return k;
        REAL *restrict y = (REAL *)to + at * next;
        for (int64_t j = 0; j < width; j++) y[j] += x[j];
    }
    return n;
}
