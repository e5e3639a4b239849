/* gibbs/version.h — which version this is. gibbs/status.h, and with it every header, includes it; CMake reads it. */
#ifndef GIBBS_VERSION_H
#define GIBBS_VERSION_H

#include <gibbs/status.h>

#define GIBBS_VERSION_MAJOR 0
#define GIBBS_VERSION_MINOR 1
#define GIBBS_VERSION_PATCH 0
#define GIBBS_VERSION "0.1.0"

GIBBS_API_BEGIN

/* GIBBS_VERSION of the library that the program runs with, which need not be the one that it was compiled for. */
const char *gibbs_version(void);

GIBBS_API_END
#endif
