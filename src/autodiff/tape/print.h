/* print.h — formatted text, piece by piece, to a writer that may stop. */
#ifndef GIBBS_PRINT_H
#define GIBBS_PRINT_H

#include "base/base.h"

#include <gibbs/ad.h>

typedef struct ad_printer {
    ad_write_fn write;
    void *context;
    bool stopped;
} ad_printer;

/* Nothing more is written after the writer has stopped. */
void ad_put(ad_printer *p, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
