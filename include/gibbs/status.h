/* gibbs/status.h — errors, allocation and number types shared by the whole library.
 *
 * The library never prints, exits or aborts. A function that can fail returns a gibbs_status and, where the
 * caller passes a gibbs_error, writes one sentence that says what was wrong. On failure nothing that the
 * caller owns has changed and nothing is lost; iterations (ebm_fit, ebm_lbfgs) keep their last good parameters.
 *
 * A pointer may be NULL where its comment says so. Elsewhere a function that returns a status answers a NULL with
 * ARGUMENT; one that returns none (the getters; not the …_free functions) needs its object, and is undefined without.
 */
#ifndef GIBBS_STATUS_H
#define GIBBS_STATUS_H

#include <stddef.h>
#include <stdint.h>

/* Around the declarations of every public header: C linkage, also in C++, and names that a shared library exports. The
 * library is compiled with all its other names hidden. */
#ifdef __cplusplus
#define GIBBS_C_BEGIN extern "C" {
#define GIBBS_C_END }
#else
#define GIBBS_C_BEGIN
#define GIBBS_C_END
#endif
#if defined(__GNUC__) && !defined(_WIN32)
#define GIBBS_API_BEGIN GIBBS_C_BEGIN _Pragma("GCC visibility push(default)")
#define GIBBS_API_END _Pragma("GCC visibility pop") GIBBS_C_END
#else
#define GIBBS_API_BEGIN GIBBS_C_BEGIN
#define GIBBS_API_END GIBBS_C_END
#endif

GIBBS_API_BEGIN

/* One line a status: name, and what it means in general (the gibbs_error says what it means this time). */
#define GIBBS_STATUS_MAP(X)                                                 \
    X(OK, "ok")                                                             \
    X(MEMORY, "out of memory")                                              \
    X(ARGUMENT, "an argument is out of its range")                          \
    X(SHAPE, "shapes do not agree")                                         \
    X(AXIS, "batch axes do not agree")                                      \
    X(TAPE, "a var is null or belongs to another tape")                     \
    X(DTYPE, "number types do not agree")                                   \
    X(UNBOUND, "an input or the size of a batch axis was never given")      \
    X(SIZE, "a size is too large")                                          \
    X(SMOOTH, "an op on the path has no classical second derivative")       \
    X(DATA, "the data are empty, or hold a NaN or an infinity")             \
    X(FORMAT, "a file is malformed")                                        \
    X(IO, "a file cannot be opened, read or written")                       \
    X(NUMERIC, "a number became NaN or infinite, or a matrix is singular")  \
    X(STOPPED, "the caller's callback asked to stop")

typedef enum gibbs_status {
#define GIBBS_STATUS_ENUM(name, text) GIBBS_##name,
    GIBBS_STATUS_MAP(GIBBS_STATUS_ENUM)
#undef GIBBS_STATUS_ENUM
    GIBBS_STATUS_COUNT
} gibbs_status;

/* The general meaning of a status, never NULL. The string is static. */
const char *gibbs_status_text(gibbs_status status);

enum { GIBBS_MESSAGE_SIZE = 320 };

/* What went wrong this time, as a sentence. Owned by the caller, usually on the stack; functions that take a
 * `gibbs_error *` accept NULL, and leave *error alone when they succeed. */
typedef struct gibbs_error {
    gibbs_status status;
    char message[GIBBS_MESSAGE_SIZE];
    int64_t row;  /* the row that the sentence is about, counted from 0 (sentences about tables count from 1): of the
                     table or the points that the function was given, or of `axis`; −1 when it is about none */
    int32_t axis; /* the id of the batch axis that a run of a plan counted it on; −1 */
} gibbs_error;

/* Where memory comes from. `alloc` returns at least `bytes` bytes aligned for any C object, or NULL; `release`
 * takes what `alloc` returned, and NULL. Both are called from one thread at a time for one tape, plan or
 * workspace. Wherever a `const gibbs_allocator *` is asked for, NULL means malloc and free. The struct is
 * copied; what `context` points to must outlive every object made with it. One that lacks a function is ARGUMENT. */
typedef struct gibbs_allocator {
    void *(*alloc)(void *context, size_t bytes);
    void (*release)(void *context, void *memory);
    void *context;
} gibbs_allocator;

/* The number type of a tape, a model or a tensor. */
typedef enum gibbs_dtype { GIBBS_FLOAT64, GIBBS_FLOAT32 } gibbs_dtype;

/* Bytes of one number: 8 or 4. */
size_t gibbs_dtype_size(gibbs_dtype dtype);

/* Options, everywhere: a zeroed struct is the default, and so is a NULL where nothing in it must be set; a 0 in a field
 * means what its comment says. Where 0 itself is of use and is not what 0 means, as of beta1, which 0 sets to 0.9, this
 * stands for it: a number that no option can be. Numbers out of their range are ARGUMENT errors, which name the option,
 * its value and the range. */
#define EBM_ZERO (-1e300)

GIBBS_API_END

#include <gibbs/version.h>

#endif
