/* tiles.inc.h — C (+)= op(A)·op(B) in tiles of C that stay in vector registers while the products are added up (Goto
 * and van de Geijn 2008). B is packed, a strip of columns at a time, so that the innermost loop reads it in a row; A is
 * read where it lies. An element's sum runs over k in order, so that its bits depend on its row of A and its column of
 * B only. Included by products.inc.h. */

enum { NAME(STRIP) = ACROSS * NAME(LANES) };
#define STRIP NAME(STRIP)

/* `depth` products for each element: (i, p) of A is a[i·down + p·along], row p of B starts at b[p·next], row i of C at
 * i·n, and row i of what they are added to, if to anything, at
 * start + i·start_next. The last vector of a row of C has `last` numbers. */
typedef struct NAME(factors) {
    const REAL *a, *b, *start;
    int64_t down, along, next, depth, n, start_next, last;
    bool adds;
} NAME(factors);

/* ---- A column of `count` tiles. Inlined for each height and width, so that the sums are registers. ---- */

INLINED void NAME(tile)(int height, int width, const NAME(factors) *f, int64_t count, const REAL *left,
                        const REAL *start, REAL *c)
{
    const int64_t down = f->down, along = f->along, next = f->next, depth = f->depth, n = f->n, last = f->last;
    const int64_t start_next = f->start_next;
    const bool adds = f->adds;
    for (; count > 0; count--, left += height * down, start += height * start_next, c += height * n) {
        const REAL *a = left, *b = f->b;
        V sum[2 * DOWN][ACROSS];
        for (int i = 0; i < height; i++)
            for (int j = 0; j < width; j++) sum[i][j] = (V){0};
        for (int64_t p = 0; p < depth; p++, a += along, b += next) {
            V row[ACROSS];
            for (int j = 0; j < width; j++) row[j] = *(const LOOSE *)(b + j * LANES);
            for (int i = 0; i < height; i++)
                for (int j = 0; j < width; j++) sum[i][j] += a[i * down] * row[j];
        }
        if (adds)
            for (int i = 0; i < height; i++) {
                for (int j = 0; j < width - 1; j++) sum[i][j] += *(const LOOSE *)(start + i * start_next + j * LANES);
                sum[i][width - 1] += NAME(load)(start + i * start_next + (width - 1) * LANES, last);
            }
        for (int i = 0; i < height; i++) {
            for (int j = 0; j < width - 1; j++) *(LOOSE *)(c + i * n + j * LANES) = sum[i][j];
            NAME(store)(c + i * n + (width - 1) * LANES, sum[i][width - 1], last);
        }
    }
}

typedef void NAME(tile_of)(const NAME(factors) *, int64_t count, const REAL *left, const REAL *start, REAL *c);

#define TILE(height, width)                                                                                         \
    static void NAME(tile_##height##_##width)(const NAME(factors) *f, int64_t count, const REAL *left,             \
                                              const REAL *start, REAL *c)                                           \
    {                                                                                                               \
        NAME(tile)(height, width, f, count, left, start, c);                                                        \
    }
#define TILES(width) TILE(1, width) TILE(2, width) TILE(3, width) TILE(4, width) TILE(5, width) TILE(6, width)
WIDTHS(TILES)
#undef TILES
#define TILES(width) TILE(12, width)
NARROW_WIDTHS(TILES)
#undef TILES
#undef TILE
#define TILES(width)                                                                                          \
    {NAME(tile_1_##width), NAME(tile_2_##width), NAME(tile_3_##width), NAME(tile_4_##width),                  \
     NAME(tile_5_##width), NAME(tile_6_##width)},
static NAME(tile_of) *const NAME(tiles)[ACROSS][DOWN] = {WIDTHS(TILES)};
#undef TILES
#define TILES(width) NAME(tile_12_##width),
static NAME(tile_of) *const NAME(tall_tiles)[ACROSS / 2] = {NARROW_WIDTHS(TILES)};
#undef TILES

/* ---- Packing: B's rows p, `width` numbers of each, filled up with zeros to whole vectors ---- */

static void NAME(pack)(const NAME(factors) *f, int64_t width, int64_t next, REAL *to)
{
    const REAL *b = f->b;
    for (int64_t p = 0; p < f->depth; p++, b += f->next, to += next)
        for (int64_t j = 0; j < width; j += LANES)
            *(V *)(to + j) = NAME(load)(b + j, width - j < LANES ? width - j : LANES);
}

/* The same where B lies transposed: its columns are rows of length f->next. */
static void NAME(pack_transposed)(const NAME(factors) *f, int64_t width, int64_t next, REAL *to)
{
    const int64_t whole = width / LANES * LANES;
    for (int64_t p = 0; p < f->depth; p += LANES) {
        const REAL *b = f->b + p;
        int64_t rows = f->depth - p < LANES ? f->depth - p : LANES, j = 0;
        for (; rows == LANES && j < whole; j += LANES)
            NAME(transpose_square)(LANES, LANES, b + j * f->next, f->next, to + p * next + j, next);
        for (int64_t q = 0; q < rows; q++)
            for (int64_t i = j; i < next; i++) to[(p + q) * next + i] = i < width ? b[i * f->next + q] : 0;
    }
}

/* ---- All of C ---- */

/* The next rows of a strip in tiles of one height, as many as fit. Returns how many rows are done. */
static int64_t NAME(column)(const NAME(factors) *f, NAME(tile_of) *tile, int64_t height, int64_t done, int64_t m,
                            REAL *c)
{
    int64_t count = (m - done) / height;
    if (count) tile(f, count, f->a + done * f->down, f->start + done * f->start_next, c + done * f->n);
    return done + count * height;
}

static void NAME(strip)(const NAME(factors) *f, int64_t m, int64_t width, REAL *c)
{
    int64_t across = (width - 1) / LANES, done = 0;
    if (across < ACROSS / 2) done = NAME(column)(f, NAME(tall_tiles)[across], 2 * DOWN, done, m, c);
    done = NAME(column)(f, NAME(tiles)[across][DOWN - 1], DOWN, done, m, c);
    if (done < m) NAME(column)(f, NAME(tiles)[across][m - done - 1], m - done, done, m, c);
}

/* Rows of C from rows of A, few enough that DEPTH columns of them stay in cache: f has A's strides. */
static void NAME(panel)(NAME(factors) f, bool tb, int64_t m, int64_t k, const REAL *a, const REAL *b,
                        const REAL *start, REAL *c)
{
    _Alignas(64) REAL room[DEPTH * STRIP];
    const int64_t n = f.n;
    for (int64_t p = 0; p < k; p += DEPTH)
        for (int64_t j = 0; j < n; j += STRIP) {
            int64_t width = n - j < STRIP ? n - j : STRIP, next = (width + LANES - 1) / LANES * LANES;
            f.a = a + p * f.along;
            f.b = tb ? b + j * k + p : b + p * n + j;
            f.next = tb ? k : n;
            f.depth = k - p < DEPTH ? k - p : DEPTH;
            f.last = width - next + LANES;
            f.adds = p > 0 || start;
            f.start = p == 0 && start ? start + j : c + j;
            f.start_next = p == 0 && start != c ? 0 : n;
            if (tb || f.last < LANES) {
                (tb ? NAME(pack_transposed) : NAME(pack))(&f, width, next, room);
                f.b = room;
                f.next = next;
            }
            NAME(strip)(&f, m, width, c + j);
        }
}

static void NAME(wide)(bool ta, bool tb, int64_t m, int64_t n, int64_t k, const REAL *a, int64_t next_a, const REAL *b,
                       const REAL *start, REAL *c)
{
    NAME(factors) f = {.down = ta ? 1 : next_a, .along = ta ? next_a : 1, .n = n};
    bool in_place = start == c;
    for (int64_t i = 0; i < m; i += PANEL, a += PANEL * f.down, c += PANEL * n)
        NAME(panel)(f, tb, m - i < PANEL ? m - i : PANEL, k, a, b, in_place ? c : start, c);
}
