/* ht.c — measured points less those of a posed hand, and the Jacobian by the coordinates us of a point in its triangle
 * and by the 26 numbers of the pose. Bones are posed together, those of one depth at a time; vertices, of which only
 * those that a point reads, are an axis, and so are points. */
#include "ht_input.h"
#include "tape.h"

#include <string.h>

/* ---- The bones ---- */

/* [bones]: angle k of each. */
static ad_var angles_of(gb_run *r, const ht_input *in, ad_var theta, int angle)
{
    int64_t *of = gb_memory(r, (size_t)in->bones, sizeof *of);
    for (int64_t b = 0; b < in->bones; b++) of[b] = ht_angle(b, angle);
    return ad_take(ad_pad(theta, 0, 0, 1), of, in->bones, 0);
}

static ad_var matrix_of(const ad_var *element, int64_t rows, int64_t columns)
{
    ad_shape s = ad_shape_of(element[0]);
    ad_var stacked = ad_stack_dim(element, (int)(rows * columns), s.rank);
    return s.rank ? ad_reshape(stacked, ad_cube(s.dim[0], rows, columns)) : ad_reshape(stacked, ad_mat(rows, columns));
}

/* Rz·Ry·Rx of each bone, as [bones, 4, 4]. */
static ad_var bend(gb_run *r, const ht_input *in, ad_var theta)
{
    ad_var x = angles_of(r, in, theta, 0), z = angles_of(r, in, theta, 1), y = angles_of(r, in, theta, 2);
    ad_var cx = ad_cos(x), sx = ad_sin(x), cy = ad_cos(y), sy = ad_sin(y), cz = ad_cos(z), sz = ad_sin(z);
    ad_var o = ad_expand(ad_constant(theta.tape, 0), ad_vec(in->bones)), one = ad_shift(o, 1);
    ad_var csy = ad_mul(cz, sy), ssy = ad_mul(sz, sy);
    ad_var element[16] = {
        ad_mul(cz, cy), ad_sub(ad_mul(csy, sx), ad_mul(sz, cx)), ad_add(ad_mul(csy, cx), ad_mul(sz, sx)), o,
        ad_mul(sz, cy), ad_add(ad_mul(ssy, sx), ad_mul(cz, cx)), ad_sub(ad_mul(ssy, cx), ad_mul(cz, sx)), o,
        ad_neg(sy),     ad_mul(cy, sx),                          ad_mul(cy, cx),                          o,
        o,              o,                                       o,                                       one};
    return matrix_of(element, 4, 4);
}

static int64_t depth_of(const ht_input *in, int64_t bone)
{
    int64_t depth = 0;
    for (; in->parent[bone] >= 0; depth++) bone = (int64_t)in->parent[bone];
    return depth;
}

/* Each bone's place, from its place beside its parent, depth by depth; at: their numbers in what there is so far. */
static ad_var place_bones(gb_run *r, const ht_input *in, ad_var beside)
{
    size_t size = (size_t)in->bones;
    int64_t *at = gb_memory(r, size, sizeof *at), *bone = gb_memory(r, size, sizeof *bone);
    int64_t *parent = gb_memory(r, size, sizeof *parent), placed = 0;
    ad_var all = beside;
    for (int64_t depth = 0; placed < in->bones; depth++) {
        int64_t count = 0;
        for (int64_t b = 0; b < in->bones; b++) {
            if (depth_of(in, b) != depth) continue;
            if (depth) parent[count] = at[(int64_t)in->parent[b]];
            at[b] = placed + count;
            bone[count++] = b;
        }
        ad_var own = ad_take(beside, bone, count, 0);
        if (depth) own = ad_matmul(ad_take(all, parent, count, 0), own);
        all = depth ? ad_concat(all, own, 0) : own;
        placed += count;
    }
    return ad_take(all, at, in->bones, 0);
}

/* ---- The hand as a whole ---- */

/* The rotation about an axis by an angle, |v|; none where that is below 1e-4. */
static ad_var turn(ad_var v)
{
    ad_var square = ad_sum(ad_square(v)), few = ad_less(square, ad_constant(v.tape, 1e-8));
    ad_var angle = ad_sqrt(ad_select(few, ad_constant(v.tape, 1), square)), n = ad_div(v, angle);
    ad_var x = ad_at(n, 0), y = ad_at(n, 1), z = ad_at(n, 2), o = ad_constant(v.tape, 0);
    ad_var crossed[9] = {o, ad_neg(z), y, z, o, ad_neg(x), ad_neg(y), x, o};
    ad_var identity = ad_constant_array(v.tape, ad_mat(3, 3), (const double[]){1, 0, 0, 0, 1, 0, 0, 0, 1});
    ad_var outer = ad_mul(ad_reshape(n, ad_mat(3, 1)), n), c = ad_cos(angle);
    ad_var R = ad_add(ad_add(ad_mul(identity, c), ad_mul(outer, ad_sub(ad_constant(v.tape, 1), c))),
                      ad_mul(matrix_of(crossed, 3, 3), ad_sin(angle)));
    return ad_select(few, identity, R);
}

/* Of all bones [4·bones, 3]: a vertex is its weights ⊗ its homogeneous position, times this. */
static ad_var skin(gb_run *r, const ht_input *in, ad_var theta)
{
    ad_shape s = ad_cube(in->bones, 4, 4);
    ad_var beside = ad_matmul(ad_constant_array(theta.tape, s, in->relative), bend(r, in, theta));
    ad_var bone = ad_matmul(place_bones(r, in, beside), ad_constant_array(theta.tape, s, in->inverse));
    ad_var by_column = ad_permute(ad_slice(bone, 1, 0, 3), (const int[]){0, 2, 1});
    ad_var all = ad_reshape(by_column, ad_mat(4 * in->bones, 3));
    if (in->mirrored) all = ad_mul(all, ad_constant_array(theta.tape, ad_vec(3), (const double[]){-1, 1, 1}));
    return ad_matmul(all, ad_transpose(turn(ad_slice(theta, 0, 0, 3))));
}

/* ---- The errors ---- */

static ad_var hand_point(gb_run *r, const ht_input *in, ad_axis points, ad_var vertex, ad_var us)
{
    static const char *const name[] = {"first", "second", "third"};
    ad_var at[3];
    for (int c = 0; c < in->corners; c++)
        at[c] = ad_batch_gather(vertex, gb_input(r, points, name[c], ad_scalar(), in->corner[c]));
    if (in->corners == 1) return at[0];
    ad_var u = ad_at(us, 0), v = ad_at(us, 1), rest = ad_sub(ad_sub(ad_constant(us.tape, 1), u), v);
    return ad_add(ad_add(ad_mul(u, at[0]), ad_mul(v, at[1])), ad_mul(rest, at[2]));
}

static ad_var errors(gb_run *r, ad_var *theta, ad_var *us)
{
    ht_input *in = gb_keep(r, sizeof *in);
    ht_read(r, in);
    gb_new_tape(r);
    ad_axis vertices = gb_axis(r, "vertices", in->vertices), points = gb_axis(r, "points", in->points);
    *theta = gb_parameter(r, "theta", ad_vec(HT_THETA), in->theta);
    ad_var base = gb_input(r, vertices, "base", ad_vec(4), in->base);
    ad_var weight = gb_input(r, vertices, "weight", ad_mat(in->bones, 1), in->weight);
    ad_var measured = gb_input(r, points, "measured", ad_vec(3), in->measured);
    if (in->us) *us = gb_input(r, points, "us", ad_vec(2), in->us);
    ad_var each = ad_reshape(ad_mul(weight, base), ad_vec(4 * in->bones));
    ad_var vertex = ad_add(ad_matmul(each, skin(r, in, *theta)), ad_slice(*theta, 0, 3, 3));
    return ad_sub(measured, hand_point(r, in, points, vertex, *us));
}

void gb_ht_objective(gb_run *r)
{
    ad_var theta, us, error = errors(r, &theta, &us);
    gb_compile(r, &error, 1);
}

void gb_ht_jacobian(gb_run *r)
{
    ad_var theta, us, error = errors(r, &theta, &us), jacobian = ad_jacobian_by(error, &theta, 1, AD_FORWARD);
    const ht_input *in = gb_own(r);
    if (in->us) jacobian = ad_concat(ad_jacobian(error, &us, 1), jacobian, 1);
    gb_compile(r, &jacobian, 1);
}

json_t *gb_ht_errors(gb_run *r)
{
    const ht_input *in = gb_own(r);
    return gb_list(gb_result(r, 0), 3 * in->points);
}

json_t *gb_ht_matrix(gb_run *r)
{
    const ht_input *in = gb_own(r);
    ad_shape shape = ad_mat(3 * in->points, HT_THETA + (in->us ? 2 : 0));
    return gb_nested(gb_result(r, 0), &shape);
}
