/* peer.h — what the native peers share: the conversation with bench/driver.py, the reference file, the comparison with
 * it, and the clock. A peer is a table of methods and a main of one line: return peer_serve(argc, argv, …). */
#ifndef PEER_H
#define PEER_H

#include <gibbs/data.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A case that is to be opened. */
typedef struct peer_request {
    const void *numbers;     /* the case's line of bench/cases.c, as JSON; read by peer_number */
    const ebm_tensors *file; /* the reference: parameters, points, value and gradient, all float64 */
    const char *formulation;
    gibbs_dtype dtype;
    int threads;
    char reason[256]; /* why it cannot be opened: the sentence that the driver prints */
} peer_request;

/* A field of the case ("dim", "rows", "sd" …). A field that there is not leaves a reason, and NaN. */
double peer_number(peer_request *r, const char *field);

/* The tensor's numbers, which are gone once `open` has returned; its shape when `shape` is not NULL. One that there
 * is not leaves a reason, and NULL. */
const double *peer_tensor(peer_request *r, const char *name, ad_shape *shape);

/* The tensor as a new array of the request's dtype, aligned to 64 bytes; released by free. NULL with a reason. */
void *peer_copy(peer_request *r, const char *name);

/* One way to do one method in one number type. A problem is whatever `open` makes. */
typedef struct peer_method {
    const char *name;        /* of the method, as in bench/cases.c */
    const char *formulation; /* as in bench/workers.py */
    gibbs_dtype dtype;
    void *(*open)(peer_request *r); /* NULL with a reason */
    /* Value at the file's parameters and points, and as many numbers of gradient as the reference has, in its order.
     * Called once, before the first step. */
    double (*answer)(void *problem, double *gradient);
    void (*step)(void *problem); /* what is timed */
    void (*close)(void *problem);
} peer_method;

/* Answers requests from standard input until it ends: PEER DTYPE THREADS. `methods` ends with NULL. What `main`
 * returns. */
int peer_serve(int argc, char **argv, const char *version, const peer_method *const *methods);

#ifdef __cplusplus
}
#endif
#endif
