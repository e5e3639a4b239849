/* problem.h — a recorded function under test: its tape, its leaves with random values, and how to run it both ways,
 * by a compiled plan and by the quadruple-precision interpreter.
 *
 * A recipe records one op on leaves that it asks for. Whether a leaf is shared, per-sample or a constant is not the
 * recipe's business but that of whoever runs it: `choices` holds one decimal digit a free leaf (a leaf_kind). And with
 * `x` set, what a recipe gets is no leaf but a smooth function of x: so one recipe serves gradients by each argument
 * and Hessian diagonals through all of them. */
#ifndef TESTS_PROBLEM_H
#define TESTS_PROBLEM_H

#include "quad.h"

enum { PROBLEM_LEAVES = 64, PROBLEM_OUTPUTS = 64, DATA_ROWS = 3, OTHER_ROWS = 4, CHILD_COUNT = 2 };

typedef enum leaf_kind { LEAF_SHARED, LEAF_ROWS, LEAF_CONSTANT, LEAF_KINDS } leaf_kind;

typedef struct problem_leaf {
    ad_var var;
    double *value;    /* rows × elements */
    int64_t size;
    bool constant;    /* a constant of the tape: it is not bound, and no derivative is taken by it */
    bool whole;       /* an index or a condition */
} problem_leaf;

typedef struct problem {
    ad_tape *tape;
    ad_axis data, other, child; /* child: CHILD_COUNT for each of data */
    int64_t rows[QUAD_ROOTS];
    uint64_t random;
    int choices, free;          /* the digits, and how many leaves have asked for one */
    problem_leaf leaf[PROBLEM_LEAVES];
    int leaves;
    ad_var x;                   /* not null: leaves are functions of it */
    bool diagonal;              /* … elementwise ones, where sizes agree */
    const ad_var *given;        /* not NULL: leaves are these, in order, and no new ones are made */
    char message[GIBBS_MESSAGE_SIZE];
} problem;

bool problem_start(problem *p, gibbs_dtype dtype, int choices, uint64_t seed);
void problem_end(problem *p);

/* A number in [low, high), the next of the problem's sequence. */
double problem_random(problem *p, double low, double high);

/* Leaves. _free: shared, per-sample on data or constant, as the next digit of choices says; _on: on this axis (id −1:
 * shared). Values are random in [low, high). The index forms hold whole numbers in [0, n). */
ad_var problem_free(problem *p, ad_shape shape, double low, double high);
ad_var problem_on(problem *p, ad_axis axis, ad_shape shape, double low, double high);
ad_var problem_free_index(problem *p, ad_shape shape, int n);
ad_var problem_index_on(problem *p, ad_axis axis, ad_shape shape, int n);
ad_axis problem_shared(const problem *p);

/* A new leaf of v's axis and shape: a cotangent or a direction, in [−1, 1) and never smaller than 0.1 in size. */
ad_var problem_like(problem *p, ad_var v);
/* The leaf's place in p->leaf, −1 when it is none. */
int problem_find(const problem *p, ad_var v);

/* Runs a plan for the outputs; out[i] is a new array of quad_size numbers, as doubles. The tape's errors and the
 * plan's end up in p->message. Free with problem_free_results; false leaves nothing to free. */
bool problem_run(problem *p, const ad_var *outputs, int n, double **out);
void problem_free_results(double **out, int n);

/* The interpreter with every leaf at value + Σ_k step[k]·direction[k], where direction[k][i] is that of leaf i, NULL
 * for none. */
bool problem_interpret(problem *p, quad_machine *m, const double *const *const *direction, const quad *step, int n);

#endif
