/* independent.c — what users may differentiate by. Of a constant or an expression it is not known which of y's nodes
 * were meant: constructors record y past it, and what is equal is one node. A variable is read where it was written. */
#include "derive.h"

static const char *kind_of(ad_op op)
{
    switch (op) {
    case OP_constant:
    case OP_array: return "a constant";
    case OP_normal:
    case OP_uniform: return "a draw";
    default: return "an expression";
    }
}

static bool is_variable(const ad_tape *tape, int64_t id) { return tape->node[id].op == OP_variable; }

/* What values may differ by: leaves that are not known; and variables, as those who ask see them. */
static bool is_source(const ad_node *node)
{
    return node->op == OP_variable || (!node->nin && node->op != OP_constant && node->op != OP_array);
}

/* What is known of each node, in one block of memory. */
typedef struct marks {
    bool *needed; /* y reads it */
    bool *direct; /* … other than through a variable */
    bool *source; /* it is made of some source, up to variables */
    bool *missed; /* … of which y reads one through variables alone, or not at all */
} marks;

static bool any_unread(const ad_var *x, int n, const bool *needed)
{
    for (int k = 0; k < n; k++)
        if (is_variable(x->tape, x[k].id) && !needed[x[k].id]) return true;
    return false;
}

static void mark_all(const ad_tape *tape, ad_var y, int64_t count, const marks *m)
{
    for (int64_t i = 0; i < count; i++) m->source[i] = is_variable(tape, i); /* where `direct` stops */
    m->direct[y.id] = true;
    ad_mark_sources(tape, y.id, m->source, m->direct);
    for (int64_t i = 0; i < count; i++) {
        const ad_node *node = &tape->node[i];
        m->source[i] = is_source(node);
        m->missed[i] = m->source[i] && !m->direct[i];
        for (int k = 0; k < node->nin && node->op != OP_variable; k++) {
            m->source[i] |= m->source[node->in[k]];
            m->missed[i] |= m->missed[node->in[k]];
        }
    }
}

/* ARGUMENT where y reads all that a variable was made of, but not the variable: it was recorded from that instead. */
static void check_variables(const char *what, ad_var y, const ad_var *x, int n, int64_t count, const marks *m)
{
    ad_tape *tape = y.tape;
    m->needed[y.id] = true;
    ad_mark_sources(tape, y.id, NULL, m->needed);
    if (!any_unread(x, n, m->needed)) return;
    mark_all(tape, y, count, m);
    for (int k = 0; k < n; k++) {
        int32_t id = x[k].id, from = is_variable(tape, id) ? tape->node[id].in[0] : -1;
        if (from >= 0 && !m->needed[id] && m->source[from] && !m->missed[from])
            ad_fail(tape, GIBBS_ARGUMENT,
                    "%s: y was not recorded from argument %d, a variable (node %d), but from what that was made of: "
                    "take v = ad_variable(v) first, and record y from that v",
                    what, k + 1, id);
    }
}

bool ad_check_independent(const char *what, ad_var y, const ad_var *x, int n)
{
    ad_tape *tape = y.tape;
    int64_t count = (int64_t)y.id + 1;
    bool variables = false;
    tape->derivatives++;
    for (int k = 0; k < n; k++) {
        ad_op op = ad_node_of(x[k])->op;
        if (!ad_is_independent(x[k]))
            return ad_fail(tape, GIBBS_ARGUMENT,
                           "%s: argument %d is %s (%s, node %d): make it a variable, v = ad_variable(v), before y is "
                           "recorded from it",
                           what, k + 1, kind_of(op), ad_op_said(op), x[k].id), false;
        variables |= op == OP_variable;
        if (x[k].id >= count) count = (int64_t)x[k].id + 1;
    }
    if (!variables) return true;
    bool *mark = gibbs_alloc_zero(&tape->alloc, 4 * (size_t)count, sizeof *mark);
    if (!mark) return ad_fail(tape, GIBBS_MEMORY, "%s: out of memory", what), false;
    check_variables(what, y, x, n, count, &(marks){mark, mark + count, mark + 2 * count, mark + 3 * count});
    gibbs_release(&tape->alloc, mark);
    return tape->error.status == GIBBS_OK;
}
