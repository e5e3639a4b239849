/* tape.c — the node array, hash-consing, axes and the sticky error. */
#include "tape.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

ad_tape *ad_tape_new(gibbs_dtype dtype, const gibbs_allocator *allocator)
{
    if ((unsigned)dtype > GIBBS_FLOAT32) return NULL;
    gibbs_allocator a = gibbs_allocator_or_default(allocator);
    ad_tape *tape = gibbs_alloc_zero(&a, 1, sizeof *tape);
    if (!tape) return NULL;
    tape->alloc = a;
    tape->dtype = dtype;
    return tape;
}

void ad_tape_free(ad_tape *tape)
{
    if (!tape) return;
    gibbs_allocator a = tape->alloc;
    ad_tape_free(tape->partials);
    for (int64_t i = 0; i < tape->axes; i++) gibbs_release(&a, tape->axis[i].name);
    for (int64_t i = 0; i < tape->sides; i++) {
        gibbs_release(&a, tape->side[i].name);
        gibbs_release(&a, tape->side[i].array);
    }
    for (ad_ids *block = tape->ids, *before; block; block = before) {
        before = block->before;
        gibbs_release(&a, block);
    }
    for (int64_t i = 0; i < tape->loops; i++) {
        gibbs_release(&a, tape->loop[i]->listed);
        gibbs_release(&a, tape->loop[i]->given);
        gibbs_release(&a, tape->loop[i]->capture);
        gibbs_release(&a, tape->loop[i]);
    }
    gibbs_release(&a, tape->loop);
    gibbs_release(&a, tape->axis);
    gibbs_release(&a, tape->side);
    gibbs_release(&a, tape->table);
    gibbs_release(&a, tape->node);
    gibbs_release(&a, tape);
}

gibbs_status ad_tape_status(const ad_tape *tape) { return tape ? tape->error.status : GIBBS_TAPE; }
const char *ad_tape_message(const ad_tape *tape) { return tape ? tape->error.message : "no tape"; }
gibbs_dtype ad_tape_dtype(const ad_tape *tape) { return tape->dtype; }
int64_t ad_tape_size(const ad_tape *tape) { return tape->size; }

/* What names no node of its tape counts as null; every function that takes a var asks here. */
int ad_is_null(ad_var v) { return !v.tape || v.id < 0 || v.id >= v.tape->size; }
int ad_is_shared(ad_var v) { return !ad_is_null(v) && ad_node_of(v)->axis < 0; }

ad_shape ad_shape_of(ad_var v)
{
    if (ad_is_null(v)) return (ad_shape){.rank = -1};
    return ad_node_of(v)->shape;
}

ad_axis ad_axis_of(ad_var v)
{
    return (ad_axis){v.tape, ad_is_null(v) ? -1 : ad_node_of(v)->axis};
}

ad_var ad_fail(ad_tape *tape, gibbs_status status, const char *format, ...)
{
    if (tape && tape->error.status == GIBBS_OK) {
        va_list args;
        va_start(args, format);
        vsnprintf(tape->error.message, sizeof tape->error.message, format, args);
        va_end(args);
        tape->error.status = status;
    }
    return ad_handle(tape, -1);
}

bool ad_check_args(const char *op, const ad_var *v, int n, ad_tape **tape)
{
    *tape = NULL;
    for (int i = 0; i < n && !*tape; i++) *tape = v[i].tape;
    for (int i = 0; i < n; i++) {
        if (v[i].tape && v[i].tape->error.status) {
            *tape = v[i].tape;
            return false;
        }
        if (v[i].tape && v[i].tape != *tape) {
            ad_fail(*tape, GIBBS_TAPE, "%s: arguments belong to two tapes", op);
            return false;
        }
        if (ad_is_null(v[i])) {
            ad_fail(*tape, GIBBS_TAPE, "%s: argument %d is the null var", op, i + 1);
            return false;
        }
    }
    return true;
}

bool ad_rank_check(const char *op, ad_tape *tape, const ad_shape *shape)
{
    if (shape->rank <= AD_MAX_RANK) return true;
    ad_fail(tape, GIBBS_SHAPE, "%s: %d dimensions, but a value has at most %d (a derivative along directions needs one "
            "for them)", op, shape->rank, AD_MAX_RANK);
    return false;
}

/* ---- Hash-consing ---- */

static uint64_t mix(uint64_t h, uint64_t x)
{
    h = (h ^ x) * 0x9E3779B97F4A7C15u;
    return h ^ (h >> 29);
}

static uint64_t bits_of(double x)
{
    uint64_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

static uint64_t hash_node(const ad_node *n)
{
    uint64_t h = mix(n->op, (uint32_t)n->axis);
    h = mix(h, (uint32_t)n->side);
    h = mix(h, bits_of(n->value));
    h = mix(h, n->stream);
    for (int i = 0; i < n->nin; i++) h = mix(h, (uint32_t)n->in[i]);
    for (int i = 0; i < AD_MAX_RANK; i++) h = mix(h, (uint32_t)n->attr[i]);
    for (int i = 0; i < n->shape.rank; i++) h = mix(h, (uint64_t)n->shape.dim[i]);
    return h;
}

static bool same_node(const ad_node *a, const ad_node *b)
{
    return a->op == b->op && a->nin == b->nin && a->axis == b->axis && a->side == b->side &&
           a->stream == b->stream && bits_of(a->value) == bits_of(b->value) &&
           (a->nin == 0 || !memcmp(a->in, b->in, sizeof a->in[0] * (size_t)a->nin)) &&
           !memcmp(a->attr, b->attr, sizeof a->attr) && ad_shape_equal(&a->shape, &b->shape);
}

/* The slot where the node is, or where it belongs. */
static int64_t find_slot(const ad_tape *tape, const ad_node *node)
{
    int64_t mask = tape->table_size - 1, i = (int64_t)(hash_node(node) & (uint64_t)mask);
    while (tape->table[i] >= 0 && !same_node(&tape->node[tape->table[i]], node)) i = (i + 1) & mask;
    return i;
}

static void fill_table(ad_tape *tape)
{
    memset(tape->table, -1, (size_t)tape->table_size * sizeof *tape->table);
    for (int64_t i = 0; i < tape->size; i++) tape->table[find_slot(tape, &tape->node[i])] = (int32_t)i;
}

static bool grow_table(ad_tape *tape)
{
    if (2 * (tape->size + 1) <= tape->table_size) return true;
    int64_t size = tape->table_size ? 2 * tape->table_size : 256;
    int32_t *table = gibbs_alloc(&tape->alloc, (size_t)size, sizeof *table);
    if (!table) return false;
    gibbs_release(&tape->alloc, tape->table);
    tape->table = table;
    tape->table_size = size;
    fill_table(tape);
    return true;
}

/* Room for n ids in the last block, or in a new one. NULL when memory is out. */
static int32_t *new_ids(ad_tape *tape, int64_t n)
{
    enum { BLOCK = 1024 };
    if (!tape->ids || tape->ids->capacity - tape->ids->used < n) {
        int64_t capacity = n > BLOCK ? n : BLOCK;
        ad_ids *block = gibbs_alloc(&tape->alloc, 1, sizeof *block + (size_t)capacity * sizeof block->id[0]);
        if (!block) return NULL;
        *block = (ad_ids){tape->ids, 0, capacity};
        tape->ids = block;
    }
    tape->ids->used += n;
    return tape->ids->id + tape->ids->used - n;
}

/* A proto that was on the tape already, or was not recorded, gives its room back if nothing came after it. */
static void return_ids(ad_tape *tape, const ad_node *proto)
{
    ad_ids *last = tape->ids;
    if (proto->nin > 0 && last && last->id + last->used == proto->in + proto->nin) last->used -= proto->nin;
}

ad_var ad_record(ad_tape *tape, const ad_node *node)
{
    if (tape->error.status) return ad_handle(tape, -1);
    if (ad_shape_count(&node->shape) < 0)
        return ad_fail(tape, GIBBS_SIZE, "%s: a value has more than 2^31-1 elements, or more than %d dimensions",
                       ad_ops[node->op].name, AD_MAX_RANK);
    if (tape->size >= INT32_MAX) return ad_fail(tape, GIBBS_SIZE, "the tape is full");
    if (!grow_table(tape) ||
        !gibbs_grow(&tape->alloc, &tape->node, &tape->capacity, tape->size, tape->size + 1, sizeof *node))
        return ad_fail(tape, GIBBS_MEMORY, "%s: out of memory after %lld nodes", ad_ops[node->op].name,
                       (long long)tape->size);
    int64_t slot = find_slot(tape, node);
    if (tape->table[slot] < 0) {
        tape->node[tape->size] = *node;
        tape->table[slot] = (int32_t)tape->size++;
    } else {
        return_ids(tape, node);
    }
    return ad_handle(tape, tape->table[slot]);
}

ad_node ad_proto(ad_op op, const ad_var *in, int nin, ad_shape shape)
{
    ad_node node;
    memset(&node, 0, sizeof node);
    node.op = op;
    node.axis = node.side = -1;
    node.shape = shape;
    if (nin == 0) return node;
    if (!(node.in = new_ids(in[0].tape, nin)))
        return ad_fail(in[0].tape, GIBBS_MEMORY, "%s: out of memory", ad_ops[op].name), node;
    node.nin = nin;
    for (int i = 0; i < nin; i++) {
        node.in[i] = in[i].id;
        if (ad_node_of(in[i])->axis >= 0) node.axis = ad_node_of(in[i])->axis;
    }
    return node;
}

ad_mark ad_tape_mark(const ad_tape *tape)
{
    return (ad_mark){tape->size, tape->sides, tape->ids ? tape->ids->used : 0, tape->ids};
}

void ad_tape_rewind(ad_tape *tape, ad_mark mark)
{
    for (ad_ids *block = tape->ids, *before; block != mark.ids; block = before) {
        before = block->before;
        gibbs_release(&tape->alloc, block);
    }
    if (mark.ids) mark.ids->used = mark.used;
    for (int64_t i = mark.sides; i < tape->sides; i++) {
        gibbs_release(&tape->alloc, tape->side[i].name);
        gibbs_release(&tape->alloc, tape->side[i].array);
    }
    tape->ids = mark.ids;
    tape->sides = mark.sides;
    tape->size = mark.size;
    tape->error = (gibbs_error){.status = GIBBS_OK};
    fill_table(tape);
}

void ad_mark_sources(const ad_tape *tape, int64_t last, const bool *stop, bool *mark)
{
    for (int64_t i = last; i >= 0; i--)
        for (int k = 0; mark[i] && !(stop && stop[i]) && k < tape->node[i].nin; k++) mark[tape->node[i].in[k]] = true;
}

/* ---- Axes and names ---- */

int32_t ad_side_new(ad_tape *tape, const char *name)
{
    ad_side side = {0};
    if (name && !(side.name = gibbs_strdup(&tape->alloc, name))) return -1;
    if (!gibbs_grow(&tape->alloc, &tape->side, &tape->side_capacity, tape->sides, tape->sides + 1, sizeof side)) {
        gibbs_release(&tape->alloc, side.name);
        return -1;
    }
    tape->side[tape->sides] = side;
    return (int32_t)tape->sides++;
}

static ad_axis new_axis(ad_tape *tape, const char *name, int32_t parent, int64_t count)
{
    ad_axis none = {tape, -1};
    if (!tape || tape->error.status) return none;
    ad_axis_info info = {gibbs_strdup(&tape->alloc, name ? name : "batch"), parent, count};
    if (!info.name || !gibbs_grow(&tape->alloc, &tape->axis, &tape->axis_capacity, tape->axes, tape->axes + 1,
                                  sizeof info)) {
        gibbs_release(&tape->alloc, info.name);
        ad_fail(tape, GIBBS_MEMORY, "axis: out of memory");
        return none;
    }
    tape->axis[tape->axes] = info;
    return (ad_axis){tape, (int32_t)tape->axes++};
}

ad_axis ad_axis_new(ad_tape *tape, const char *name) { return new_axis(tape, name, -1, 1); }

ad_axis ad_axis_child(ad_axis parent, int64_t count, const char *name)
{
    ad_axis none = {parent.tape, -1};
    if (!ad_axis_check("axis_child", parent, parent.tape)) return none;
    int64_t total;
    if (count < 1 || !gibbs_mul_size(ad_axis_factor(parent.tape, parent.id), count, &total) || total > INT32_MAX) {
        ad_fail(parent.tape, count < 1 ? GIBBS_ARGUMENT : GIBBS_SIZE,
                "axis_child: %lld elements for each of «%s» are out of range", (long long)count,
                ad_axis_name(parent.tape, parent.id));
        return none;
    }
    return new_axis(parent.tape, name, parent.id, count);
}

const char *ad_axis_name(const ad_tape *tape, int32_t axis) { return axis < 0 ? "shared" : tape->axis[axis].name; }

int32_t ad_axis_root(const ad_tape *tape, int32_t axis)
{
    while (tape->axis[axis].parent >= 0) axis = tape->axis[axis].parent;
    return axis;
}

int64_t ad_axis_factor(const ad_tape *tape, int32_t axis)
{
    int64_t factor = 1;
    for (; axis >= 0; axis = tape->axis[axis].parent) factor *= tape->axis[axis].count;
    return factor;
}

bool ad_axis_check(const char *op, ad_axis axis, ad_tape *tape)
{
    if (!tape || tape->error.status) return false;
    if (axis.tape && axis.tape != tape)
        return ad_fail(tape, GIBBS_TAPE, "%s: the axis belongs to another tape", op), false;
    if (!axis.tape || axis.id < 0 || axis.id >= tape->axes)
        return ad_fail(tape, GIBBS_AXIS, "%s: the axis is null (the axis of a shared var), or none of the tape", op),
               false;
    return true;
}
