#include "hand.h"

json_t *hand_output(gb_run *r)
{
    const hand_answer *a = gb_own(r);
    return a->count ? gb_list(a->number, a->count) : json_real(*a->number);
}
