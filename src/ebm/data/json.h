/* json.h — a reader of strict JSON (RFC 8259), piece by piece, as much of it as the header of a tensor file may
 * hold: objects, arrays, strings and whole numbers.
 *
 * Why not jansson, which writes these headers: reading with 2.14 while memory is short reports bad syntax or, when
 * the buffer of a token longer than 15 bytes cannot grow, drops bytes and goes on; and it takes one allocator a
 * process. Here memory is the caller's allocator's, and a missing block is told from a malformed text. */
#ifndef EBM_JSON_H
#define EBM_JSON_H

#include "base/base.h"

/* Errors stick: after the first, every function returns false. `why` is then the reason and `at` the place, or
 * no_memory is set. */
typedef struct json_reader {
    const char *start, *at, *end;
    const char *why;
    bool no_memory;
    const gibbs_allocator *allocator;
    char *string; /* what json_string read last: UTF-8, no NUL in it, one behind it; the caller releases it */
    int64_t capacity;
} json_reader;

/* Whether a text is UTF-8. */
bool ebm_is_utf8(const char *text);

/* Sets the reason, if there is none yet; always false. */
bool ebm_json_fail(json_reader *r, const char *why);

/* Reads a '{' or '[', or fails. */
bool ebm_json_open(json_reader *r, char bracket);

/* Whether another member follows, after reading the comma before it; else reads the closing bracket.
 *     if (ebm_json_open(r, '['))
 *         for (bool first = true; ebm_json_next(r, ']', &first);) … read one value … */
bool ebm_json_next(json_reader *r, char close, bool *first);

/* Takes a null, if there is one; no error where there is none. */
bool ebm_json_null(json_reader *r);

/* A string; a string and the colon behind it; a whole number that fits; nothing but space up to the end. */
bool ebm_json_string(json_reader *r);
bool ebm_json_key(json_reader *r);
bool ebm_json_whole(json_reader *r, int64_t *value);
bool ebm_json_end(json_reader *r);

#endif
