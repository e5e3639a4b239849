/* isa.h — which of the builds of a *.simd.c file runs on this machine.
 *
 * Such a file is compiled once per instruction set, with GIBBS_ISA defined as base, v3 or v4 (x86-64 levels). It
 * names its functions with GIBBS_ISA_NAME, and callers choose with a table:
 *
 *     void GIBBS_ISA_NAME(scale)(double *x) { … }                     // in the .simd.c file
 *     void scale_base(double *), scale_v3(double *), scale_v4(double *);
 *     static void (*const scale[])(double *) = GIBBS_ISA_TABLE(scale);
 *     scale[gibbs_isa()](x);
 */
#ifndef GIBBS_ISA_H
#define GIBBS_ISA_H

enum { GIBBS_ISA_BASE, GIBBS_ISA_V3, GIBBS_ISA_V4, GIBBS_ISA_COUNT };

/* The best instruction set that this machine has and this library was built with; no better than the environment
 * variable GIBBS_ISA (base, v3 or v4; anything else is ignored), which is read at the first call. */
int gibbs_isa(void);

#define GIBBS_ISA_PASTE_(name, isa) name##_##isa
#define GIBBS_ISA_PASTE(name, isa) GIBBS_ISA_PASTE_(name, isa)
#define GIBBS_ISA_NAME(name) GIBBS_ISA_PASTE(name, GIBBS_ISA)

/* The table has a row for every set, so that any value of gibbs_isa is an index; sets not built repeat the one
 * below. */
#ifdef GIBBS_HAVE_V3
#define GIBBS_ISA_V3_OF(name) name##_v3
#else
#define GIBBS_ISA_V3_OF(name) name##_base
#endif
#ifdef GIBBS_HAVE_V4
#define GIBBS_ISA_V4_OF(name) name##_v4
#else
#define GIBBS_ISA_V4_OF(name) GIBBS_ISA_V3_OF(name)
#endif
#define GIBBS_ISA_TABLE(name) {name##_base, GIBBS_ISA_V3_OF(name), GIBBS_ISA_V4_OF(name)}

#endif
