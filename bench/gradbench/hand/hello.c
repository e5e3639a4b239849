#include "hand.h"

typedef struct hello {
    hand_answer answer;
    double x, y;
} hello;

static void open(gb_run *r)
{
    hello *h = gb_keep(r, sizeof *h);
    h->answer.number = &h->y;
    h->x = gb_number(r, "");
}

static void square(gb_run *r)
{
    hello *h = gb_own(r);
    h->y = h->x * h->x;
}

static void twice(gb_run *r)
{
    hello *h = gb_own(r);
    h->y = 2 * h->x;
}

const gb_function hand_hello[2] = {
    {"hello", "square", open, square, hand_output},
    {"hello", "double", open, twice, hand_output},
};
