/* tiles.inc.h — C (+)= op(A)·op(B) in tiles of C that stay in vector registers while the products are added up (Goto
 * and van de Geijn 2008). DEPTH of k at a time, a panel of B's columns is packed into strips as wide as a tile, and
 * stays in cache while the rows of A go by: the innermost loop then reads B in a row, whatever its strides, which may
 * put all of a strip into few sets of a cache and each row into a page of its own. A transposed A is packed likewise,
 * else its rows are read where they lie; so are both factors of a small C. None of that changes a bit: an element's sum
 * runs over k in order, in steps of DEPTH, and depends on its row of A and its column of B only. Included by
 * products.inc.h. */

enum {
    NAME(STRIP) = ACROSS * NAME(LANES),
    NAME(PANEL) = PANEL_BYTES / sizeof(REAL), /* columns of B, where they are packed */
    NAME(ROWS) = ROWS_BYTES / sizeof(REAL),   /* rows of A, where they are packed */
    NAME(WIDE_ROW) = WIDE_BYTES / sizeof(REAL), /* columns of C, many strips of which read a transposed A */
    NAME(STAYS) = STAYS_BYTES / sizeof(REAL), /* numbers that stay in the first cache, however they lie */
    NAME(SET) = SET_BYTES / sizeof(REAL),     /* numbers so far apart share a set of the first cache */
    NAME(LIES) = LIES_BYTES / sizeof(REAL),   /* numbers of a B that is read where it lies */
    NAME(LINE) = 64 / sizeof(REAL),           /* numbers of a line of a cache */
};
#define STRIP NAME(STRIP)
#define PANEL NAME(PANEL)

/* `depth` products for each element: of a tile's rows (i, p) of A is a[i·down + p·along], and the next tile begins
 * `row` numbers further for each row of this one; row p of B starts at b[p·next], row i of C at i·n, and row i of what
 * they are added to, if to anything, at start + i·start_next. The last vector of a row of C has `last` numbers.
 * `fetches`: C is far away, and asked for before it is wanted. */
typedef struct NAME(factors) {
    const REAL *a, *b, *start;
    int64_t down, along, row, next, depth, n, start_next, last;
    bool adds, fetches;
} NAME(factors);

/* ---- A column of `count` tiles. Inlined for each height and width, so that the sums are registers; where there are no
 * masks, what loops over partial vectors stands apart, as such loops are not unrolled and would keep the sums in
 * memory. ---- */

#if MASKS
#define EDGES INLINED
#else
#define EDGES ONE_BODY static
#endif

/* The last vectors of a tile's rows, `next` numbers apart, of which only the first `last` numbers exist. */
EDGES void NAME(load_edge)(int height, V *edge, const REAL *x, int64_t next, int64_t last)
{
    for (int i = 0; i < height; i++) edge[i] = NAME(load_last)(x + i * next, last);
}

EDGES void NAME(store_edge)(int height, const V *edge, REAL *x, int64_t next, int64_t last)
{
    for (int i = 0; i < height; i++) NAME(store_last)(x + i * next, edge[i], last);
}

INLINED void NAME(tile)(int height, int width, const NAME(factors) *f, int64_t count, const REAL *left,
                        const REAL *start, REAL *c)
{
    const int64_t down = f->down, along = f->along, next = f->next, depth = f->depth, n = f->n, last = f->last;
    const int64_t row_step = f->row, start_next = f->start_next, rest = (width - 1) * LANES;
    const bool adds = f->adds, whole = last == LANES;
    for (; count > 0; count--, left += height * row_step, c += height * n) {
        const REAL *a[2 * DOWN / 3], *b = f->b; /* a pointer for three rows of A: so few stay in registers */
        V sum[2 * DOWN][ACROSS], edge[2 * DOWN];
        for (int i = 0; i < height; i += 3) a[i / 3] = left + i * down;
        for (int i = 0; i < height; i++)
            for (int j = 0; j < width; j++) sum[i][j] = (V){0};
        for (int64_t p = 0; p < depth; p++, b += next) {
            V row[ACROSS];
            for (int j = 0; j < width - 1; j++) row[j] = *(const LOOSE *)(b + j * LANES);
            if (whole || !MASKS) row[width - 1] = *(const LOOSE *)(b + rest);
            else row[width - 1] = NAME(load_last)(b + rest, last);
            for (int i = 0; i < height; i++)
                for (int j = 0; j < width; j++) sum[i][j] += a[i / 3][i % 3 * down] * row[j];
            for (int i = 0; i < height; i += 3) a[i / 3] += along;
        }
        if (adds) {
            NAME(load_edge)(height, edge, start + rest, start_next, last);
            for (int i = 0; i < height; i++, start += start_next) {
                for (int j = 0; j < width - 1; j++) sum[i][j] += *(const LOOSE *)(start + j * LANES);
                sum[i][width - 1] += edge[i];
            }
        }
        REAL *to = c;
        for (int i = 0; i < height; i++, to += n) {
            for (int j = 0; j < width - 1; j++) *(LOOSE *)(to + j * LANES) = sum[i][j];
            edge[i] = sum[i][width - 1];
            if (whole) *(LOOSE *)(to + rest) = edge[i];
        }
        if (!whole) NAME(store_edge)(height, edge, c + rest, n, last);
    }
}

typedef void NAME(tile_of)(const NAME(factors) *, int64_t count, const REAL *left, const REAL *start, REAL *c);

#define TILE(height, width)                                                                                         \
    ONE_BODY static void NAME(tile_##height##_##width)(const NAME(factors) *f, int64_t count, const REAL *left,     \
                                                       const REAL *start, REAL *c)                                  \
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

/* `depth` rows of `vectors` vectors, of which the last has `last` numbers and is filled up with zeros, from `next`
 * apart to `row` apart, which may be less: then a row begins over what the one before has too much. */
INLINED void NAME(pack_rows)(int64_t vectors, int64_t last, int64_t depth, const REAL *b, int64_t next, REAL *to,
                             int64_t row)
{
    const int64_t rest = (vectors - 1) * LANES, line = 64 / (int64_t)sizeof(REAL);
    for (int64_t p = 0; p < depth; p++, b += next, to += row) {
        for (int64_t j = 0; j <= rest; j += line) __builtin_prefetch(b + AHEAD * next + j);
        for (int64_t j = 0; j < rest; j += LANES) *(LOOSE *)(to + j) = *(const LOOSE *)(b + j);
        *(LOOSE *)(to + rest) = NAME(load)(b + rest, last);
    }
}

/* The same of a tile of A, by vectors that are as wide as it just needs: fewer lie across two lines of the cache. */
INLINED void NAME(pack_few)(int64_t depth, const REAL *a, int64_t next, REAL *to)
{
    for (int64_t p = 0; p < depth; p++, a += next, to += DOWN) {
        __builtin_prefetch(a + AHEAD * next);
        *(NAME(few) *)to = *(const NAME(few) *)a;
    }
}

/* `depth` rows of `width` numbers in parts of `part`: a strip of B, or, with a gap of LANES numbers for each of its own
 * behind it, a tile of A. AHEAD rows at a time: they are still in cache, and their pages at hand, for the next part. */
static void NAME(pack)(int64_t depth, int64_t width, int64_t part, int64_t gap, const REAL *b, int64_t next, REAL *to)
{
    for (int64_t p = 0; p < depth; p += AHEAD, b += AHEAD * next)
        for (int64_t s = 0; s < width; s += part) {
            const int64_t left = width - s, vectors = ((left < part ? left : part) - 1) / LANES + 1;
            const int64_t most = left - (vectors - 1) * LANES, last = most < LANES ? most : LANES;
            const int64_t row = gap ? part : NAME(row_of_strip)(left), rows = depth - p < AHEAD ? depth - p : AHEAD;
            REAL *at = to + s * (depth + gap) + p * row;
            if (gap && left >= DOUBLES && (int)DOUBLES >= DOWN) NAME(pack_few)(rows, b + s, next, at);
            else if (vectors == ACROSS) NAME(pack_rows)(ACROSS, last, rows, b + s, next, at, row);
            else if (vectors == 1) NAME(pack_rows)(1, last, rows, b + s, next, at, row);
            else NAME(pack_rows)(vectors, last, rows, b + s, next, at, row);
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
        const REAL *start = f->start ? f->start + done * f->start_next : NULL;
        tile(f, count, f->a + done * f->row, start, c + done * f->n);
    }
    return end;
}

static void NAME(strip)(NAME(factors) f, int64_t rows, int64_t width, REAL *c)
{
    const bool packed = f.row != f.down;
    int64_t across = (width - 1) / LANES, done = 0;
    if (across < ACROSS / 2 && !packed && f.down % NAME(SET))
        done = NAME(column)(&f, NAME(tall_tiles)[across], 2 * DOWN, done, rows, c);
    done = NAME(column)(&f, NAME(tiles)[across][DOWN - 1], DOWN, done, rows, c);
    if (done < rows) NAME(column)(&f, NAME(tiles)[across][rows - done - 1], rows - done, done, rows, c);
}

/* A product, which of its factors are packed, and where to. */
typedef struct NAME(product) {
    int64_t m, n, k, down, along, next; /* of A, as it lies; from row to row of B, unless that is transposed */
    const REAL *a, *b, *start;
    REAL *c;
    bool tb, packs_a, packs_b;
    NAME(room) *room;
} NAME(product);

/* Rows i … of C in `width` columns from j on, from `depth` of k from p on. Of these columns those from `packed` on are
 * in the room, and so are the rows where A is packed. */
static void NAME(rows)(const NAME(product) *x, NAME(factors) f, int64_t p, int64_t i, int64_t rows, int64_t j,
                       int64_t width, int64_t packed)
{
    const REAL *b = f.b, *start = p == 0 && x->start != x->c ? x->start : x->c + i * x->n;
    f.a = x->packs_a ? x->room->a : x->a + i * x->down + p * x->along;
    for (int64_t s = 0; s < width; s += STRIP) {
        int64_t across = width - s < STRIP ? width - s : STRIP;
        f.b = s < packed ? b + s : x->room->b + (s - packed) * f.depth;
        f.next = s < packed ? x->next : NAME(row_of_strip)(width - s);
        f.last = (across - 1) % LANES + 1;
        f.start = start + j + s;
        NAME(strip)(f, rows, across, x->c + i * x->n + j + s);
    }
}

/* The columns from j on, at most PANEL, from at most DEPTH of k from p on. Without masks a last vector that is partial
 * is packed always, as there is nothing behind B. */
static void NAME(panel)(const NAME(product) *x, int64_t p, int64_t j)
{
    const int64_t width = x->n - j < PANEL ? x->n - j : PANEL, depth = x->k - p < DEPTH ? x->k - p : DEPTH;
    const int64_t packed = x->packs_b ? 0 : !MASKS && width % LANES ? (width - 1) / STRIP * STRIP : width;
    const int64_t rows = x->packs_a ? x->m : (depth < DEPTH / 8 ? 8 : DEPTH / depth) * FEW_ROWS;
    NAME(factors) f = {.depth = depth, .n = x->n, .adds = p > 0 || x->start,
                       .fetches = depth >= DEPTH / 2 && x->m * x->n > NEAR_BYTES / (int64_t)sizeof(REAL)};
    f.b = x->tb ? x->b + j * x->k + p : x->b + p * x->next + j;
    f.down = x->packs_a ? 1 : x->down;
    f.along = x->packs_a ? DOWN : x->along;
    f.row = x->packs_a ? depth + LANES : x->down;
    f.start_next = p == 0 && x->start != x->c ? 0 : x->n;
    if (x->packs_a && j == 0) NAME(pack)(depth, x->m, DOWN, LANES, x->a + p * x->along, x->along, x->room->a);
    if (x->tb) NAME(pack_transposed)(depth, width, f.b, x->k, x->room->b);
    else if (packed < width) NAME(pack)(depth, width - packed, STRIP, 0, f.b + packed, x->next, x->room->b);
    for (int64_t i = 0; i < x->m; i += rows)
        NAME(rows)(x, f, p, i, x->m - i < rows ? x->m - i : rows, j, width, packed);
}

/* Packing B pays where A has rows enough, and C is not small. A transposed A has to be read by many strips besides, or
 * have each k in a page of its own, and not stay in the first cache anyway. */
static void NAME(choose)(NAME(product) *x)
{
    const int64_t depth = x->k < DEPTH ? x->k : DEPTH;
    const int64_t paged = x->k > SHALLOW ? ENOUGH_DEEP : ENOUGH_SHALLOW, enough = x->next % NAME(SET) ? ENOUGH : paged;
    const bool lies = x->next % NAME(LINE) == 0 && x->next % NAME(SET) && x->k * x->n <= NAME(LIES);
    const bool pays = x->m >= enough && x->m * x->n >= SMALL_BYTES / (int64_t)sizeof(REAL);
    const bool pages = x->along >= NAME(SET) && x->k > SHALLOW;
    x->packs_a = pays && x->down == 1 && depth * x->along > NAME(STAYS) && (x->n >= NAME(WIDE_ROW) || pages);
    x->packs_b = (pays && x->n > STRIP && !lies) || x->tb;
}

/* A strip alone: nothing is packed. */
static void NAME(alone)(const NAME(product) *x)
{
    NAME(factors) f = {.b = x->b, .a = x->a, .start = x->start, .down = x->down, .along = x->along, .row = x->down,
                       .next = x->next, .depth = x->k, .n = x->n, .start_next = x->start == x->c ? x->n : 0,
                       .last = (x->n - 1) % LANES + 1, .adds = x->start != NULL};
    NAME(strip)(f, x->m, x->n, x->c);
}

static void NAME(blocks)(NAME(product) x)
{
    const bool in_place = x.start == x.c;
    if (!x.tb && x.n <= STRIP && x.k <= DEPTH && (MASKS || x.n % LANES == 0)) {
        NAME(alone)(&x);
        return;
    }
    NAME(choose)(&x);
    const int64_t rows = x.packs_a ? NAME(ROWS) : BLOCK;
    for (; x.m > 0; x.m -= rows, x.a += rows * x.down, x.c += rows * x.n) {
        NAME(product) block = x;
        if (block.m > rows) block.m = rows;
        if (in_place) block.start = block.c;
        for (int64_t p = 0; p < x.k; p += DEPTH)
            for (int64_t j = 0; j < x.n; j += PANEL) NAME(panel)(&block, p, j);
    }
}

/* Few columns where A is transposed: Cᵀ = BᵀA, whose vectors are full, in the room, and then C. */
static void NAME(swapped)(const NAME(product) *x)
{
    REAL *to = x->room->a;
    for (int64_t i = 0; i < x->m; i += NAME(ROWS)) {
        const int64_t n = x->m - i < NAME(ROWS) ? x->m - i : NAME(ROWS);
        NAME(product) t = {x->n, n, x->k, x->tb ? x->k : 1, x->tb ? 1 : x->n, x->along, x->b, x->a + i,
                           x->start ? to : NULL, to, .room = x->room};
        if (x->start == x->c) NAME(k_transpose)(x->n, n, to, n, x->c + i * x->n, x->n);
        else if (x->start)
            for (int64_t j = 0; j < x->n; j++) NAME(k_copy)(n, to + j * n, x->start + j, 0);
        NAME(blocks)(t);
        NAME(k_transpose)(n, x->n, x->c + i * x->n, x->n, to, n);
    }
}

/* Whether a narrow C is so turned: of a transposed A, where k is long beside it; the sooner the less turning costs. */
static bool NAME(swaps)(const ad_product *x)
{
    const int64_t most = !MASKS ? LANES / 2 : x->next_a < NAME(SET) ? 16 : 64;
    const int64_t deep = NAME(interleaves)(x->n) ? 2 : DEEP;
    return x->ta && x->n <= most && x->rows >= LANES && x->k >= deep * x->n;
}

static void NAME(wide)(const ad_product *of)
{
    NAME(product) x = {of->m, of->n, of->k, of->ta ? 1 : of->next_a, of->ta ? of->next_a : 1, of->n, of->a, of->b,
                       of->start, of->c, .tb = of->tb, .room = of->room};
    if (NAME(swaps)(of)) NAME(swapped)(&x);
    else NAME(blocks)(x);
}

#undef PANEL
