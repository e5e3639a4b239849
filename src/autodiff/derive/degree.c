/* degree.c — a bound of the degree of y as a polynomial in x, by one walk up the tape. */
#include "derive.h"

/* Beyond, a bound is of no use to anybody. */
enum { MOST_DEGREE = 1 << 30, NO_POLYNOMIAL = -1 };

/* aᵇ of an a of that degree. */
static int64_t degree_of_power(ad_tape *tape, const ad_node *node, int64_t degree)
{
    double power;
    bool whole = ad_is_constant(ad_handle(tape, node->in[1]), &power) && power >= 0 && power <= MOST_DEGREE &&
                 power == (double)(int64_t)power;
    return whole ? degree * (int64_t)power : NO_POLYNOMIAL;
}

static int64_t degree_of(ad_tape *tape, const ad_node *node, const int32_t *degree)
{
    int64_t most = 0, sum = 0;
    for (int k = 0; k < node->nin; k++) {
        int32_t own = degree[node->in[k]];
        if (own < 0 || (own && !ad_differentiable(node, k))) return NO_POLYNOMIAL;
        sum += own;
        most = own > most ? own : most;
    }
    const ad_structure *op = ad_structures[node->op];
    if (!most || ad_ops[node->op].smooth == CLASS_LINEAR) return most;
    if (op && op->bilinear) return sum;
    switch (node->op) {
    case OP_mul:
    case OP_chain: return sum;
    case OP_select:
    case OP_masked: return most;
    case OP_div:
    case OP_unit: return degree[node->in[1]] ? NO_POLYNOMIAL : most;
    case OP_pow:
    case OP_pow_slope: return degree[node->in[1]] ? NO_POLYNOMIAL : degree_of_power(tape, node, most);
    default: return NO_POLYNOMIAL;
    }
}

int ad_degree(ad_var y, ad_var x)
{
    ad_tape *tape;
    if (!ad_check_args("degree", (ad_var[]){y, x}, 2, &tape) || !ad_check_independent("degree", y, &x, 1)) return -1;
    int32_t *degree = gibbs_alloc(&tape->alloc, (size_t)y.id + 1, sizeof *degree);
    if (!degree) return ad_fail(tape, GIBBS_MEMORY, "degree: out of memory").id;
    for (int32_t i = 0; i <= y.id; i++) {
        int64_t own = i == x.id ? 1 : degree_of(tape, &tape->node[i], degree);
        degree[i] = own > MOST_DEGREE ? NO_POLYNOMIAL : (int32_t)own;
    }
    int result = degree[y.id];
    gibbs_release(&tape->alloc, degree);
    return result;
}
