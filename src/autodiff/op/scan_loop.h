/* scan_loop.h — between a user's scan and the loops that it is recorded as. */
#ifndef AD_SCAN_LOOP_H
#define AD_SCAN_LOOP_H

#include "op.h"

/* The tape of what the spec names; NULL: it names nothing. Whether the spec is good, else the tape has the error. */
ad_tape *ad_scan_tape(const ad_scan_spec *spec);
bool ad_scan_check(ad_tape *tape, const ad_scan_spec *spec);

/* One loop, as the spec has it. last [states] and out [outputs] are null vars where the tape has an error. */
void ad_scan_loop(const ad_scan_spec *spec, ad_scan_numbers numbers, ad_var *last, ad_var *out);

#endif
