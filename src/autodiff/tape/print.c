/* print.c — a tape as text, or as a Graphviz digraph. */
#include "print.h"
#include "tape.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void ad_put(ad_printer *p, const char *format, ...)
{
    char line[512];
    va_list args;
    va_start(args, format);
    int n = vsnprintf(line, sizeof line, format, args);
    va_end(args);
    size_t length = n < 0 ? 0 : (size_t)n < sizeof line ? (size_t)n : sizeof line - 1;
    if (!p->stopped && p->write(p->context, line, length)) p->stopped = true;
}

/* What tells a node from others of its op: a name, a value. */
static const char *detail(const ad_tape *tape, const ad_node *n, char *text, size_t size)
{
    text[0] = 0;
    if (n->op == OP_constant) snprintf(text, size, " %.17g", n->value);
    else if (n->op == OP_matmul && (n->attr[0] || n->attr[1]))
        snprintf(text, size, " (%s%s)", n->attr[0] ? "aT" : "", n->attr[1] ? (n->attr[0] ? ",bT" : "bT") : "");
    else if ((n->op == OP_solve || n->op == OP_triangular_solve) && n->attr[0]) snprintf(text, size, " (aT)");
    else if (n->op == OP_scan) {
        const ad_loop *loop = ad_loop_of(tape, n);
        snprintf(text, size, " (%lld steps%s)", (long long)loop->steps, loop->reverse ? ", the last one first" : "");
    } else if (n->op == OP_scan_last)
        snprintf(text, size, " (node %d)", ad_loop_of(tape, &tape->node[n->in[0]])->next[n->attr[0]]);
    else if (n->op == OP_scan_stack || n->op == OP_scan_sum) snprintf(text, size, " (node %d)", ad_listed(tape, n));
    else if (n->side >= 0 && tape->side[n->side].name) snprintf(text, size, " %s", tape->side[n->side].name);
    return text;
}

static void print_text(ad_printer *p, const ad_tape *tape, int32_t i)
{
    const ad_node *n = &tape->node[i];
    char text[128], shape[AD_SHAPE_TEXT];
    ad_put(p, "%5d  %s%s", i, ad_ops[n->op].name, detail(tape, n, text, sizeof text));
    for (int k = 0; k < n->nin; k++) ad_put(p, k ? ", %d" : " %d", n->in[k]);
    ad_put(p, "  %s  %s\n", ad_shape_text(&n->shape, shape, sizeof shape), ad_axis_name(tape, n->axis));
}

/* Shared values are boxes, per-sample ones ellipses. Quotes and backslashes of names are escaped. */
static void print_dot(ad_printer *p, const ad_tape *tape, int32_t i)
{
    const ad_node *n = &tape->node[i];
    char text[128], shape[AD_SHAPE_TEXT], safe[260];
    size_t k = 0;
    for (const char *s = detail(tape, n, text, sizeof text); *s && k + 2 < sizeof safe; s++) {
        if (*s == '"' || *s == '\\') safe[k++] = '\\';
        safe[k++] = *s;
    }
    safe[k] = 0;
    ad_put(p, "  n%d [shape=%s,label=\"%s%s\\n%s\"];\n", i, n->axis < 0 ? "box" : "ellipse", ad_ops[n->op].name, safe,
           ad_shape_text(&n->shape, shape, sizeof shape));
    for (int j = 0; j < n->nin; j++) ad_put(p, "  n%d -> n%d;\n", n->in[j], i);
}

/* What the marked nodes are made of, and the bodies of scans. */
static void mark_live(const ad_tape *tape, int32_t last, bool *live)
{
    for (int32_t i = last; i >= 0; i--) {
        const ad_node *n = &tape->node[i];
        for (int k = 0; live[i] && k < n->nin; k++) live[n->in[k]] = true;
        if (!live[i] || !ad_is_scan_result(n->op)) continue;
        const ad_loop *loop = ad_loop_of(tape, &tape->node[n->in[0]]);
        for (int k = 0; k < loop->states; k++) live[loop->next[k]] = true;
        if (n->op != OP_scan_last) live[ad_listed(tape, n)] = true;
    }
}

static gibbs_status print_all(const ad_var *outputs, int count, ad_printer *p,
                              void (*one)(ad_printer *, const ad_tape *, int32_t), gibbs_error *error)
{
    if (!outputs || count < 1 || !p->write)
        return gibbs_fail(error, GIBBS_ARGUMENT, "print: no outputs, or nothing to write to");
    const ad_tape *tape = outputs[0].tape;
    int32_t last = 0;
    for (int k = 0; k < count; k++) {
        if (ad_is_null(outputs[k]) || outputs[k].tape != tape)
            return gibbs_fail(error, GIBBS_TAPE, "print: output %d is the null var or belongs to another tape", k + 1);
        if (outputs[k].id > last) last = outputs[k].id;
    }
    bool *live = gibbs_alloc_zero(&tape->alloc, (size_t)last + 1, sizeof *live);
    if (!live) return gibbs_fail(error, GIBBS_MEMORY, "print: out of memory");
    for (int k = 0; k < count; k++) live[outputs[k].id] = true;
    mark_live(tape, last, live);
    for (int32_t i = 0; i <= last; i++)
        if (live[i]) one(p, tape, i);
    gibbs_release(&tape->alloc, live);
    return GIBBS_OK;
}

static gibbs_status stopped(const ad_printer *p, gibbs_status status, gibbs_error *error)
{
    return !status && p->stopped ? gibbs_fail(error, GIBBS_STOPPED, "print: the writer stopped") : status;
}

gibbs_status ad_print(const ad_var *outputs, int count, ad_write_fn write, void *context, gibbs_error *error)
{
    ad_printer p = {write, context, false};
    return stopped(&p, print_all(outputs, count, &p, print_text, error), error);
}

gibbs_status ad_print_dot(const ad_var *outputs, int count, ad_write_fn write, void *context, gibbs_error *error)
{
    ad_printer p = {write, context, false};
    if (write) ad_put(&p, "digraph gibbs {\n");
    gibbs_status status = print_all(outputs, count, &p, print_dot, error);
    if (!status) ad_put(&p, "}\n");
    return stopped(&p, status, error);
}
