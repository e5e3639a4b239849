/* scan_again.c — a scan recorded again on other inputs: where it captures something else, its body is recorded
 * again. */
#include "op.h"

/* now[i]: what node i has become; a value that a step gives stays what it is. */
static void rebuild_body(ad_tape *tape, const bool *inside, const bool *reached, int32_t *now, int64_t count,
                         ad_rebuilder *rebuild)
{
    int most = 1;
    for (int64_t i = 0; i < count; i++) most = tape->node[i].nin > most ? tape->node[i].nin : most;
    ad_var *in = gibbs_alloc(&tape->alloc, (size_t)most, sizeof *in);
    if (!in) ad_fail(tape, GIBBS_MEMORY, "scan: out of memory");
    for (int32_t i = 0; i < count && tape->error.status == GIBBS_OK; i++) {
        if (!inside[i] || !reached[i] || now[i] >= 0) continue;
        ad_node node = tape->node[i];
        bool same = true;
        for (int k = 0; k < node.nin; k++) {
            in[k] = ad_handle(tape, now[node.in[k]] >= 0 ? now[node.in[k]] : node.in[k]);
            same &= in[k].id == node.in[k];
        }
        now[i] = same ? i : rebuild(&node, in).id;
    }
    gibbs_release(&tape->alloc, in);
}

/* The lists of the loop in vars, as what they have become. */
static ad_var record_again(ad_tape *tape, const ad_loop *loop, const ad_var *in, int nin, const int32_t *now)
{
    int given = loop->states + loop->inputs, lists = (int)loop->lists;
    ad_var *vars = gibbs_alloc(&tape->alloc, (size_t)(given + loop->states + lists) + 1, sizeof *vars);
    if (!vars) return ad_fail(tape, GIBBS_MEMORY, "scan: out of memory");
    ad_var *next = vars + given, *listed = next + loop->states;
    for (int k = 0; k < given; k++) vars[k] = ad_handle(tape, loop->given[k]);
    for (int k = 0; k < loop->states; k++)
        next[k] = ad_handle(tape, now[loop->next[k]] >= 0 ? now[loop->next[k]] : loop->next[k]);
    for (int k = 0; k < lists; k++)
        listed[k] = ad_handle(tape, now[loop->listed[k]] >= 0 ? now[loop->listed[k]] : loop->listed[k]);
    ad_scan_parts parts = {.loop = *loop, .given = vars, .from = in, .next = next, .listed = listed, .lists = lists,
                           .length = loop->by_length ? in[nin - 1] : ad_handle(tape, -1)};
    ad_var scan = ad_scan_record(tape, &parts);
    gibbs_release(&tape->alloc, vars);
    return scan;
}

ad_var ad_scan_again(const ad_node *node, const ad_var *in, ad_rebuilder *rebuild)
{
    ad_tape *tape = in[0].tape;
    const ad_loop *loop = ad_loop_of(tape, node);
    int given = loop->states + loop->inputs;
    int64_t count = tape->size;
    bool *inside = ad_scan_inside(tape, loop);
    int32_t *now = inside ? gibbs_alloc(&tape->alloc, (size_t)count, sizeof *now) : NULL;
    ad_var scan = ad_handle(tape, -1);
    if (!now) ad_fail(tape, GIBBS_MEMORY, "scan: out of memory");
    for (int64_t i = 0; now && i < count; i++) now[i] = -1;
    for (int k = 0; now && k < given; k++) now[loop->given[k]] = loop->given[k];
    for (int k = 0; now && k < loop->captured; k++) now[loop->capture[k]] = in[given + k].id;
    if (now) rebuild_body(tape, inside, inside + count, now, count, rebuild);
    if (now && tape->error.status == GIBBS_OK) scan = record_again(tape, loop, in, node->nin, now);
    gibbs_release(&tape->alloc, now);
    gibbs_release(&tape->alloc, inside);
    return scan;
}
