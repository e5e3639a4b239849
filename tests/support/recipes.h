/* recipes.h — how each op of ops.def is recorded for a test. Elementwise ops need no entry: one recipe serves all of
 * them, from the columns of their rows. Structural and batch ops have theirs in the table of recipes.c. */
#ifndef TESTS_RECIPES_H
#define TESTS_RECIPES_H

#include "problem.h"

/* How many variants there are of the op's recipe: 0 when nobody wrote one, also for leaves. */
int recipe_variants(ad_op op);
/* Records variant k. The null var when k does not apply to the op or the tape has an error. */
ad_var recipe_record(problem *p, ad_op op, int variant);
/* True when y depends on a node of this op. */
bool recipe_reaches(ad_var y, ad_op op);
/* The last variants of binary ops give both arguments the same variable; folding may then remove the op. */
bool recipe_aliased(ad_op op, int variant);

/* -- recipes_scan.c -- */
ad_var recipe_scan(problem *p, int variant);
ad_var recipe_scan_last(problem *p, int variant);
ad_var recipe_scan_stack(problem *p, int variant);
ad_var recipe_scan_sum(problem *p, int variant);

#endif
