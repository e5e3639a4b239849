/* A tape as text and as a Graphviz digraph: read back, node by node, and compared with the tape; a plan as text. */
#include "autodiff/tape/tape.h"
#include "plan_helpers.h"

#include <stdio.h>

typedef struct text {
    char at[1 << 16];
    size_t length;
    int pieces, stop_after; /* stop_after: pieces; 0 for never */
} text;

static int collect(void *context, const char *piece, size_t length)
{
    text *t = context;
    cr_assert_lt(t->length + length, sizeof t->at);
    memcpy(t->at + t->length, piece, length);
    t->length += length;
    t->at[t->length] = 0;
    return ++t->pieces == t->stop_after;
}

typedef struct model {
    ad_tape *tape;
    ad_axis data;
    ad_var x, W, E, dW, unrelated;
} model;

static model model_new(void)
{
    model m = {.tape = ad_tape_new(GIBBS_FLOAT64, NULL)};
    m.data = ad_axis_new(m.tape, "data");
    m.x = ad_input(m.data, "x", ad_vec(3));
    m.unrelated = ad_exp(ad_input(m.data, "unrelated", ad_vec(77)));
    m.W = ad_parameter(m.tape, "W \"quoted\\\"", ad_mat(3, 4));
    m.E = ad_scale(ad_sum(ad_softplus(ad_matmul(m.x, m.W))), 0.1);
    ad_grad(m.E, &m.W, 1, &m.dW);
    cr_assert_eq(ad_tape_status(m.tape), GIBBS_OK);
    return m;
}

static bool needed(const ad_tape *t, ad_var output, int32_t id)
{
    if (id == output.id) return true;
    for (int32_t i = id + 1; i <= output.id; i++)
        for (int k = 0; k < t->node[i].nin; k++)
            if (t->node[i].in[k] == id && needed(t, output, i)) return true;
    return false;
}

/* The line of a node must hold its id, op, inputs, shape and axis. */
static void check_line(const char *line, const ad_tape *t, int32_t id)
{
    const ad_node *n = &t->node[id];
    char name[32], shape[AD_SHAPE_TEXT], inputs[64] = "";
    int number;
    cr_assert_eq(sscanf(line, "%d %31s", &number, name), 2, "%s", line);
    cr_assert_eq(number, id, "«%s» should be of node %d", line, id);
    cr_assert_str_eq(name, ad_ops[n->op].name);
    for (int k = 0; k < n->nin; k++) sprintf(inputs + strlen(inputs), k ? ", %d" : " %d", n->in[k]);
    cr_assert(strstr(line, inputs) != NULL, "inputs%s in «%s»", inputs, line);
    cr_assert(strstr(line, ad_shape_text(&n->shape, shape, sizeof shape)) != NULL, "shape %s in «%s»", shape, line);
    cr_assert(strstr(line, n->axis < 0 ? "shared" : "data") != NULL, "axis in «%s»", line);
}

Test(print, one_line_a_node)
{
    static text t;
    model m = model_new();
    cr_assert_eq(ad_print(&m.dW, 1, collect, &t, NULL), GIBBS_OK);
    const char *line = strtok(t.at, "\n");
    int lines = 0;
    for (int32_t i = 0; i <= m.dW.id; i++) {
        if (!needed(m.tape, m.dW, i)) continue;
        cr_assert_not_null(line, "node %d is missing", i);
        check_line(line, m.tape, i);
        line = strtok(NULL, "\n");
        lines++;
    }
    cr_assert_null(line, "%s", line);
    cr_assert_gt(lines, 5);
    ad_tape_free(m.tape);
}

Test(print, names_and_numbers)
{
    static text t;
    model m = model_new();
    cr_assert_eq(ad_print((ad_var[]){m.E, m.dW}, 2, collect, &t, NULL), GIBBS_OK);
    cr_assert(strstr(t.at, "input x ") != NULL || strstr(t.at, "input x\t") != NULL, "%s", t.at);
    cr_assert(strstr(t.at, "parameter W \"quoted\\\"") != NULL);
    cr_assert(strstr(t.at, "constant 0.1") != NULL, "%s", t.at);
    cr_assert(strstr(t.at, "unrelated") == NULL, "what the outputs do not depend on");
    ad_tape_free(m.tape);
}

/* ---- As a digraph ---- */

static int count_of(const char *t, const char *what)
{
    int n = 0;
    for (; (t = strstr(t, what)); t += strlen(what)) n++;
    return n;
}

/* Every quote that opens a label is closed on its line, counting escapes. */
static void check_quotes(const char *t)
{
    bool inside = false;
    for (; *t; t++) {
        if (inside && *t == '\\') t++;
        else if (*t == '"') inside = !inside;
        cr_assert(!(inside && *t == '\n'), "a label runs over its line");
    }
    cr_assert(!inside);
}

Test(print, digraph)
{
    static text t;
    model m = model_new();
    int nodes = 0, edges = 0;
    char what[64];
    cr_assert_eq(ad_print_dot(&m.dW, 1, collect, &t, NULL), GIBBS_OK);
    cr_assert_eq(strncmp(t.at, "digraph ", 8), 0);
    cr_assert_str_eq(t.at + t.length - 2, "}\n");
    check_quotes(t.at);
    for (int32_t i = 0; i <= m.dW.id; i++) {
        const ad_node *n = &m.tape->node[i];
        if (!needed(m.tape, m.dW, i)) continue;
        nodes++;
        sprintf(what, "  n%d [shape=%s,label=\"%s", i, n->axis < 0 ? "box" : "ellipse", ad_ops[n->op].name);
        cr_assert_eq(count_of(t.at, what), 1, "%s", what);
        for (int k = 0; k < n->nin; k++, edges++) {
            sprintf(what, "  n%d -> n%d;\n", n->in[k], i);
            cr_assert(strstr(t.at, what) != NULL, "%s", what);
        }
    }
    cr_assert_eq(count_of(t.at, " -> "), edges);
    cr_assert_eq(count_of(t.at, "label="), nodes);
    ad_tape_free(m.tape);
}

Test(print, long_names)
{
    static text t;
    char name[3000];
    memset(name, '"', sizeof name - 1);
    name[sizeof name - 1] = 0;
    ad_tape *tape = ad_tape_new(GIBBS_FLOAT32, NULL);
    ad_var p = ad_parameter(tape, name, ad_scalar());
    cr_assert_eq(ad_print_dot(&p, 1, collect, &t, NULL), GIBBS_OK);
    check_quotes(t.at);
    cr_assert_str_eq(t.at + t.length - 2, "}\n");
    t.length = 0;
    cr_assert_eq(ad_print(&p, 1, collect, &t, NULL), GIBBS_OK);
    cr_assert_eq(t.at[t.length - 1], '\n');
    cr_assert(strstr(t.at, "[]  shared\n") != NULL, "%s", t.at);
    ad_tape_free(tape);
}

/* ---- What goes wrong ---- */

typedef gibbs_status printer(const ad_var *, int, ad_write_fn, void *, gibbs_error *);

static void refuse(printer *print, const ad_var *outputs, int count, ad_write_fn write, gibbs_status status,
                   const char *words)
{
    static text t;
    gibbs_error error;
    t.length = 0, t.stop_after = status == GIBBS_STOPPED ? t.pieces + 2 : 0;
    cr_assert_eq(print(outputs, count, write, &t, &error), status, "%s", words);
    cr_assert_eq(error.status, status);
    cr_assert(strstr(error.message, words) != NULL, "%s", error.message);
    if (status == GIBBS_STOPPED) cr_assert_eq(t.pieces, t.stop_after, "nothing is written after the stop");
}

static void refuse_passes(ad_var output, ad_write_fn write, gibbs_status status)
{
    static text t;
    gibbs_error error;
    t.length = 0, t.stop_after = status == GIBBS_STOPPED ? t.pieces + 2 : 0;
    cr_assert_eq(ad_compile_print(&output, 1, NULL, write, &t, &error), status);
    cr_assert_eq(error.status, status);
    if (status == GIBBS_STOPPED) cr_assert_eq(t.pieces, t.stop_after, "nothing is written after the stop");
}

Test(print, errors)
{
    static printer *const print[] = {ad_print, ad_print_dot};
    model m = model_new(), other = model_new();
    for (int k = 0; k < 2; k++) {
        refuse(print[k], NULL, 1, collect, GIBBS_ARGUMENT, "no outputs");
        refuse(print[k], &m.E, 0, collect, GIBBS_ARGUMENT, "no outputs");
        refuse(print[k], &m.E, 1, NULL, GIBBS_ARGUMENT, "nothing to write to");
        refuse(print[k], (ad_var[]){m.E, {m.tape, -1}}, 2, collect, GIBBS_TAPE, "output 2 is the null var");
        refuse(print[k], (ad_var[]){m.E, other.E}, 2, collect, GIBBS_TAPE, "output 2");
        refuse(print[k], &m.dW, 1, collect, GIBBS_STOPPED, "the writer stopped");
    }
    ad_tape_free(m.tape), ad_tape_free(other.tape);
}

/* ---- A plan, and the way to it ---- */

Test(print, passes)
{
    static text t;
    gibbs_error error;
    model m = model_new();
    const ad_var outputs[] = {m.E, m.dW};
    cr_assert_eq(ad_compile_print(outputs, 2, NULL, collect, &t, &error), GIBBS_OK, "%s", error.message);
    static const char *const words[] = {"needed\n", "  read 1 times", "order: stage 1",
                                        "values that are not simply computed\n", "nothing to do: a view",
                                        "stage 1, over «"};
    for (int k = 0; k < LENGTH(words); k++) cr_assert(strstr(t.at, words[k]), "no «%s» in\n%s", words[k], t.at);
    refuse_passes(m.E, NULL, GIBBS_ARGUMENT);
    refuse_passes((ad_var){m.tape, -1}, collect, GIBBS_TAPE);
    refuse_passes(m.E, collect, GIBBS_STOPPED);
    ad_tape_free(m.tape);
}

static void print_plan(ad_plan *plan, text *t)
{
    gibbs_error error = {.status = GIBBS_OK};
    MUST(ad_plan_print(plan, collect, t, &error), error);
}

/* Instructions are numbered from 0; returns how many lines are one. */
static int numbered_lines(char *at)
{
    int count = 0, number;
    for (char *line = strtok(at, "\n"); line; line = strtok(NULL, "\n")) {
        if (strncmp(line, "  ", 2)) continue;
        cr_assert_eq(sscanf(line, "%d", &number), 1, "%s", line);
        cr_assert_eq(number, count++, "%s", line);
    }
    return count;
}

Test(print, plan)
{
    static text t;
    char stage[128];
    model m = model_new();
    ad_var b = ad_parameter(m.tape, "b", ad_vec(4)), h = ad_add(ad_matmul(m.x, m.W), b);
    ad_var E = ad_sum(ad_softplus(h)), out[3] = {E};
    ad_grad(E, (ad_var[]){m.x, m.W}, 2, out + 1);
    runner r = runner_new(out, 3, 0);
    ad_plan_info info = ad_plan_describe(r.plan);
    print_plan(r.plan, &t);
    sprintf(stage, "over «data»: blocks of %lld rows, %lld bytes a row\n", (long long)info.block_rows,
            (long long)info.bytes_per_row);
    const char *const words[] = {stage, "x + product  [1,1,4]  data  node ",
                                 "  [1,1,3]·[1,3,4]  arena 0 <- «x» 0, «W \"quoted\\\"» 0, «b» 0\n",
                                 "  softplus family  [4]", "  [1,3]T·[1,4] a row  accumulator 0 <- «x» 0, arena "};
    for (int k = 0; k < LENGTH(words); k++) cr_expect(strstr(t.at, words[k]), "no «%s» in\n%s", words[k], t.at);
    cr_expect_eq(numbered_lines(t.at), info.instructions);
    runner_free(r);
    ad_tape_free(m.tape);
}

/* The second pass reads what the first computed: the twin stores it. */
Test(print, plan_with_a_twin)
{
    static text t;
    model m = model_new();
    ad_var v = ad_tanh(m.x), mean = ad_batch_mean(m.data, v);
    ad_var spread = ad_batch_sum(m.data, ad_square(ad_sub(v, mean)));
    runner r = runner_new(&spread, 1, 0);
    print_plan(r.plan, &t);
    cr_expect_eq(count_of(t.at, "  tanh  [3]  data  node "), 3, "twice in the plan, once in its twin:\n%s", t.at);
    cr_expect_eq(count_of(t.at, "storing what later stages read\n"), 1);
    runner_free(r);
    ad_tape_free(m.tape);
}

Test(print, plan_errors)
{
    static text t;
    gibbs_error error;
    model m = model_new();
    runner r = runner_new(&m.dW, 1, 0);
    cr_assert_eq(ad_plan_print(NULL, collect, &t, &error), GIBBS_ARGUMENT);
    cr_assert_eq(ad_plan_print(r.plan, NULL, &t, &error), GIBBS_ARGUMENT);
    t.stop_after = 2;
    cr_assert_eq(ad_plan_print(r.plan, collect, &t, &error), GIBBS_STOPPED);
    cr_assert_str_eq(error.message, "plan_print: the writer stopped");
    cr_assert_eq(t.pieces, 2);
    runner_free(r);
    ad_tape_free(m.tape);
}
