/* alloc.h — an allocator that counts what it hands out, and fails when it is told to. */
#ifndef GIBBS_TEST_ALLOC_H
#define GIBBS_TEST_ALLOC_H

#include <gibbs/status.h>

typedef struct counting_alloc {
    int64_t calls;       /* of alloc, the failed ones too */
    int64_t live;        /* blocks not yet released */
    int64_t bytes, peak; /* of live blocks, now and at most */
    int64_t total;       /* bytes ever handed out */
    int64_t fail_at;     /* the number of the call that fails, from 1; 0: none */
    int64_t fail_above;  /* larger blocks fail; 0: none */
    int64_t failures;
} counting_alloc;

/* An allocator whose context is `count`, which must be zeroed before the first call and outlive the objects. */
gibbs_allocator counting_allocator(counting_alloc *count);

#endif
