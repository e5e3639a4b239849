/* draws.inc.h — random numbers from counters. Included by kernels.inc.h. */

/* out[chunk][number] */
typedef void NAME(transform)(const random_words *words, REAL *out);

static void NAME(to_uniform)(const random_words *w, REAL *out)
{
    for (int i = 0; i < CHUNKS; i++)
        for (int j = 0; j < PER_CHUNK; j++) out[i * PER_CHUNK + j] = UNIT(w, i, j);
}

/* Box and Muller: two uniforms give two independent normals. */
static void NAME(to_normal)(const random_words *w, REAL *out)
{
    REAL r[CHUNKS], c[CHUNKS], s[CHUNKS];
    for (int j = 0; j < PER_CHUNK; j += 2) {
        for (int i = 0; i < CHUNKS; i++) r[i] = UNIT(w, i, j);
        for (int i = 0; i < CHUNKS; i++) s[i] = (REAL)6.283185307179586476925 * UNIT(w, i, j + 1);
        NAME(body_log)(CHUNKS, r, r);
        NAME(body_cos)(CHUNKS, c, s);
        NAME(body_sin)(CHUNKS, s, s);
        for (int i = 0; i < CHUNKS; i++) {
            const REAL radius = FN(sqrt)(-2 * r[i]);
            out[i * PER_CHUNK + j] = radius * c[i];
            out[i * PER_CHUNK + j + 1] = radius * s[i];
        }
    }
}

/* Chunk `at` of row r is Philox of the counter (r, at). Always CHUNKS of them at once, so that the vector functions
 * serve every number. */
static void NAME(draw)(NAME(transform) *transform, int64_t rows, int64_t n, REAL *y, uint64_t row0,
                       const uint64_t key[2], uint64_t step)
{
    random_words w;
    REAL out[CHUNKS * PER_CHUNK];
    uint32_t short_key[2];
    int64_t per_row = (n + PER_CHUNK - 1) / PER_CHUNK, row = 0, at = 0;
    key_of_step(key, step, short_key);
    while (row < rows) {
        int64_t first_row = row, first_at = at;
        for (int64_t c = 0, run; c < CHUNKS; c += run, at += run) {
            if (at == per_row) at = 0, row++;
            run = per_row - at < CHUNKS - c ? per_row - at : CHUNKS - c;
            counters(row0 + (uint64_t)row, (uint64_t)at, run, c, &w);
        }
        if (at == per_row) at = 0, row++;
        philox(short_key, &w);
        transform(&w, out);
        int64_t chunks; /* of one row, which lie together */
        for (int64_t c = 0; c < CHUNKS && first_row < rows; c += chunks, first_at = 0, first_row++) {
            chunks = per_row - first_at < CHUNKS - c ? per_row - first_at : CHUNKS - c;
            int64_t from = first_at * PER_CHUNK, end = from + chunks * PER_CHUNK;
            memcpy(y + first_row * n + from, out + c * PER_CHUNK, (size_t)((end < n ? end : n) - from) * sizeof(REAL));
        }
    }
}

static void NAME(k_normal)(int64_t rows, int64_t n, void *y, uint64_t row0, const uint64_t key[2], uint64_t step)
{
    NAME(draw)(NAME(to_normal), rows, n, y, row0, key, step);
}

static void NAME(k_uniform)(int64_t rows, int64_t n, void *y, uint64_t row0, const uint64_t key[2], uint64_t step)
{
    NAME(draw)(NAME(to_uniform), rows, n, y, row0, key, step);
}
