/* tiles.inc.h — C (+)= op(A)·op(B) in tiles of C that stay in vector registers while the products are added up (Goto
 * and van de Geijn 2008). DEPTH of k at a time, a panel of B's columns is packed into strips as wide as a tile, and
 * stays in cache while the rows of A go by: the innermost loop then reads B in a row, whatever its strides, and each
 * of B's pages is visited once. A transposed A is packed likewise, else its rows are read where they lie; so is B where
 * its own are short, or those of A few. None of that changes a bit: an element's sum runs over k in order, in steps of
 * DEPTH, and depends on its row of A and its column of B only. Included by products.inc.h. */

enum {
    NAME(STRIP) = ACROSS * NAME(LANES),
    NAME(PANEL) = PANEL_BYTES / sizeof(REAL), /* columns of B, where they are packed */
    NAME(ROWS) = ROWS_BYTES / sizeof(REAL),   /* rows of A, where they are packed */
    NAME(FAR) = FAR_BYTES / sizeof(REAL),     /* rows longer than this are far apart */
    NAME(SET) = 4096 / sizeof(REAL),          /* numbers so far apart share a set of the first cache */
};
#define STRIP NAME(STRIP)
#define PANEL NAME(PANEL)
#define FAR NAME(FAR)

/* `depth` products for each element: of a tile's rows (i, p) of A is a[i·down + p·along], and the next tile begins
 * `row` numbers further for each row of this one; row p of B starts at b[p·next], row i of C at i·n, and row i of what
 * they are added to, if to anything, at start + i·start_next. The last vector of a row of C has `last` numbers.
 * `fetches`: C is far away, and asked for before it is wanted. */
typedef struct NAME(factors) {
    const REAL *a, *b, *start;
    int64_t down, along, row, next, depth, n, start_next, last;
    bool adds, fetches;
} NAME(factors);

/* ---- A column of `count` tiles. Inlined for each height and width, so that the sums are registers. ---- */

INLINED void NAME(tile)(int height, int width, const NAME(factors) *f, int64_t count, const REAL *left,
                        const REAL *start, REAL *c)
{
    const int64_t down = f->down, along = f->along, next = f->next, depth = f->depth, n = f->n, last = f->last;
    const int64_t row_step = f->row, start_next = f->start_next, rest = (width - 1) * LANES;
    const bool adds = f->adds;
    for (; count > 0; count--, left += height * row_step, c += height * n) {
        const REAL *a[2 * DOWN / 3], *b = f->b; /* a pointer for three rows of A: so few stay in registers */
        V sum[2 * DOWN][ACROSS], edge[2 * DOWN];
        for (int i = 0; i < height; i += 3) a[i / 3] = left + i * down;
        for (int i = 0; i < height; i++)
            for (int j = 0; j < width; j++) sum[i][j] = (V){0};
        for (int64_t p = 0; p < depth; p++, b += next) {
            V row[ACROSS];
            for (int j = 0; j < width; j++) row[j] = *(const LOOSE *)(b + j * LANES);
            for (int i = 0; i < height; i++)
                for (int j = 0; j < width; j++) sum[i][j] += a[i / 3][i % 3 * down] * row[j];
            for (int i = 0; i < height; i += 3) a[i / 3] += along;
        }
        if (adds) {
            for (int i = 0; i < height; i++) edge[i] = NAME(load)(start + i * start_next + rest, last);
            for (int i = 0; i < height; i++, start += start_next) {
                for (int j = 0; j < width - 1; j++) sum[i][j] += *(const LOOSE *)(start + j * LANES);
                sum[i][width - 1] += edge[i];
            }
        }
        REAL *to = c;
        for (int i = 0; i < height; i++, to += n)
            for (int j = 0; j < width - 1; j++) *(LOOSE *)(to + j * LANES) = sum[i][j];
        if (last == LANES) {
            to = c + rest;
            for (int i = 0; i < height; i++, to += n) *(LOOSE *)to = sum[i][width - 1];
        } else {
            for (int i = 0; i < height; i++) edge[i] = sum[i][width - 1];
            for (int i = 0; i < height; i++) NAME(store)(c + i * n + rest, edge[i], last);
        }
    }
}

typedef void NAME(tile_of)(const NAME(factors) *, int64_t count, const REAL *left, const REAL *start, REAL *c);

#define TILE(height, width)                                                                                         \
    ONE_BODY static void NAME(tile_##height##_##width)(const NAME(factors) *f, int64_t count, const REAL *left,    \
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

/* ---- Packing ---- */

/* What a product packs into. */
typedef struct NAME(room) {
    _Alignas(64) REAL b[DEPTH * NAME(PANEL)];
    REAL a[NAME(ROWS) * (DEPTH + NAME(LANES))];
} NAME(room);

/* Of a row of B a strip has STRIP numbers, or, if it is the last, as many as there are, in whole vectors. */
static int64_t NAME(row_of_strip)(int64_t width)
{
    return width < STRIP ? (width + LANES - 1) / LANES * LANES : STRIP;
}

/* One strip, whose last vector is filled up with zeros. */
static void NAME(pack_strip)(int64_t depth, int64_t width, const REAL *b, int64_t next, REAL *to)
{
    const int64_t last = (width - 1) / LANES * LANES, rest = width - last;
    for (int64_t p = 0; p < depth; p++, b += next, to += last + LANES) {
        for (int64_t j = 0; j < last; j += LANES) *(V *)(to + j) = *(const LOOSE *)(b + j);
        *(V *)(to + last) = NAME(load)(b + last, rest);
    }
}

/* `width` columns of B, `depth` rows of them, into strips one after another. */
static void NAME(pack)(int64_t depth, int64_t width, const REAL *b, int64_t next, REAL *to)
{
    if (width <= STRIP) {
        NAME(pack_strip)(depth, width, b, next, to);
        return;
    }
    for (int64_t p = 0; p < depth; p++, b += next) {
        for (int64_t j = 0; j < width; j += 64 / (int64_t)sizeof(REAL)) __builtin_prefetch(b + AHEAD * next + j);
        for (int64_t s = 0; s < width; s += STRIP) {
            REAL *row = to + s * depth + p * NAME(row_of_strip)(width - s) - s;
            for (int64_t j = s; j < width && j < s + STRIP; j += LANES)
                *(V *)(row + j) = NAME(load)(b + j, width - j < LANES ? width - j : LANES);
        }
    }
}

/* The same where B lies transposed: its columns are rows, `next` apart. */
static void NAME(pack_transposed)(int64_t depth, int64_t width, const REAL *b, int64_t next, REAL *to)
{
    for (int64_t j = 0; j < width; j += LANES, b += LANES * next) {
        const int64_t columns = width - j < LANES ? width - j : LANES, s = j / STRIP * STRIP;
        const int64_t row = NAME(row_of_strip)(width - s);
        REAL *strip = to + s * depth + (j - s);
        int64_t p = 0;
        for (; columns == LANES && p + LANES <= depth; p += LANES)
            NAME(transpose_square)(LANES, LANES, b + p, next, strip + p * row, row);
        for (; p < depth; p++)
            for (int64_t q = 0; q < LANES; q++) strip[p * row + q] = q < columns ? b[q * next + p] : 0;
    }
}

/* Rows of a transposed A in tiles of DOWN: of each of `depth` columns the tile's numbers. Whole vectors are stored; the
 * next one's begin overwrites what is too much, and room is left behind the last. */
static void NAME(pack_rows)(int64_t depth, int64_t rows, const REAL *a, int64_t next, REAL *to)
{
    for (int64_t p = 0; p < depth; p++, a += next) {
        for (int64_t j = 0; j < rows; j += 64 / (int64_t)sizeof(REAL)) __builtin_prefetch(a + AHEAD * next + j);
        for (int64_t i = 0; i < rows; i += DOWN) {
            const int64_t height = rows - i < DOWN ? rows - i : DOWN;
            REAL *tile = to + i * (depth + LANES) + p * height;
            for (int64_t q = 0; q < height; q += DOUBLES)
                *(NAME(few) *)(tile + q) = NAME(load_few)(a + i + q, height - q < DOUBLES ? height - q : DOUBLES);
        }
    }
}

/* ---- All of C ---- */

static void NAME(fetch)(int64_t height, int64_t n, const REAL *c)
{
    for (int64_t i = 0; i < height; i++, c += n)
        for (int64_t j = 0; j < STRIP; j += LANES) __builtin_prefetch(c + j, 1);
}

/* The next rows of a strip in tiles of one height, as many as fit; where C is far, one by one, each of which asks for
 * its C before it begins. Returns how many rows are done. */
static int64_t NAME(column)(const NAME(factors) *f, NAME(tile_of) *tile, int64_t height, int64_t done, int64_t rows,
                            REAL *c)
{
    const int64_t fit = (rows - done) / height, count = f->fetches && fit ? 1 : fit, end = done + fit * height;
    for (; done < end; done += count * height) {
        if (f->fetches) NAME(fetch)(height, f->n, c + done * f->n);
        tile(f, count, f->a + done * f->row, f->start + done * f->start_next, c + done * f->n);
    }
    return end;
}

static void NAME(strip)(NAME(factors) f, int64_t rows, int64_t width, REAL *c)
{
    const bool packed = f.row != f.down;
    int64_t across = (width - 1) / LANES, done = 0;
    if (across < ACROSS / 2 && !packed && f.down % NAME(SET)) done = NAME(column)(&f, NAME(tall_tiles)[across], 2 * DOWN, done, rows, c);
    done = NAME(column)(&f, NAME(tiles)[across][DOWN - 1], DOWN, done, rows, c);
    if (done == rows) return;
    if (packed) f.along = rows - done;
    NAME(column)(&f, NAME(tiles)[across][rows - done - 1], rows - done, done, rows, c);
}

/* A product, which of its factors are packed, and where to. */
typedef struct NAME(product) {
    int64_t m, n, k, down, along; /* of A, as it lies */
    const REAL *a, *b, *start;
    REAL *c;
    bool tb, packs_a, packs_b;
    NAME(room) *room;
} NAME(product);

/* Rows i … of C, at most ROWS where A is packed, in `width` columns from j on, from `depth` of k from p on. Of these
 * columns those from `packed` on are in the room. */
static void NAME(rows)(const NAME(product) *x, NAME(factors) f, int64_t p, int64_t i, int64_t rows, int64_t j,
                       int64_t width, int64_t packed)
{
    const REAL *b = f.b, *start = p == 0 && x->start != x->c ? x->start : x->c + i * x->n;
    f.a = x->a + i * x->down + p * x->along;
    if (x->packs_a) {
        NAME(pack_rows)(f.depth, rows, f.a, x->along, x->room->a);
        f.a = x->room->a;
    }
    for (int64_t s = 0; s < width; s += STRIP) {
        int64_t across = width - s < STRIP ? width - s : STRIP;
        f.b = s < packed ? b + s : x->room->b + (s - packed) * f.depth;
        f.next = s < packed ? x->n : NAME(row_of_strip)(width - s);
        f.last = (across - 1) % LANES + 1;
        f.start = start + j + s;
        NAME(strip)(f, rows, across, x->c + i * x->n + j + s);
    }
}

/* The columns from j on, at most PANEL, from at most DEPTH of k from p on. A last vector that is partial is packed
 * always, as there is nothing behind B. */
static void NAME(panel)(const NAME(product) *x, int64_t p, int64_t j)
{
    const int64_t width = x->n - j < PANEL ? x->n - j : PANEL, depth = x->k - p < DEPTH ? x->k - p : DEPTH;
    const int64_t packed = x->packs_b ? 0 : width % LANES ? (width - 1) / STRIP * STRIP : width;
    const int64_t rows = x->packs_a ? NAME(ROWS) : x->down > FAR ? FEW_ROWS : MANY_ROWS;
    NAME(factors) f = {.depth = depth, .n = x->n, .adds = p > 0 || x->start,
                       .fetches = depth >= DEPTH / 2 && x->m * x->n > NEAR_BYTES / (int64_t)sizeof(REAL)};
    f.b = x->tb ? x->b + j * x->k + p : x->b + p * x->n + j;
    f.down = x->packs_a ? 1 : x->down;
    f.along = x->packs_a ? DOWN : x->along;
    f.row = x->packs_a ? depth + LANES : x->down;
    f.start_next = p == 0 && x->start != x->c ? 0 : x->n;
    if (x->tb) NAME(pack_transposed)(depth, width, f.b, x->k, x->room->b);
    else if (packed < width) NAME(pack)(depth, width - packed, f.b + packed, x->n, x->room->b);
    for (int64_t i = 0; i < x->m; i += rows)
        NAME(rows)(x, f, p, i, x->m - i < rows ? x->m - i : rows, j, width, packed);
}

static void NAME(wide)(const ad_product *of)
{
    NAME(product) x = {of->m, of->n, of->k, of->ta ? 1 : of->next_a, of->ta ? of->next_a : 1, of->a, of->b, of->start,
                       of->c, .tb = of->tb, .room = of->room};
    x.packs_a = of->ta && x.n > 2 * STRIP && x.along > FAR;
    x.packs_b = x.tb || (x.m >= (x.k > FEW_PAGES ? 2 * FEW_ROWS : MANY_ROWS) && x.n > FAR);
    for (; x.m > 0; x.m -= BLOCK, x.a += BLOCK * x.down, x.c += BLOCK * x.n) {
        NAME(product) block = x;
        if (block.m > BLOCK) block.m = BLOCK;
        if (of->start == of->c) block.start = block.c;
        for (int64_t p = 0; p < x.k; p += DEPTH)
            for (int64_t j = 0; j < x.n; j += PANEL) NAME(panel)(&block, p, j);
    }
}

#undef PANEL
#undef FAR
