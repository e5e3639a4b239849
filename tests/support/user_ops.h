/* user_ops.h — ops from outside for the tests: two right ones, and two whose derivatives are wrong on purpose. All
 * take vectors of USER_SIZE numbers. */
#ifndef TESTS_USER_OPS_H
#define TESTS_USER_OPS_H

#include <gibbs/ad.h>

enum { USER_SIZE = 3 };

extern const ad_user_op user_wave;          /* a² sin b, elementwise */
extern const ad_user_op user_blend;         /* Σ a b² c + sin(d): a scalar of four vectors */
extern const ad_user_op user_cube;          /* a³, elementwise */
extern const ad_user_op user_rough_cube;    /* the same, declared not smooth */
extern const ad_user_op user_wrong_first;   /* a³ with the derivative 3.01 a² */
extern const ad_user_op user_wrong_second;  /* a³ with the right derivative, whose own derivative is 6.01 a */

#endif
