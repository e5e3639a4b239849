/* lstm.c — minus the mean log likelihood of a text's bits under LSTM layers with diagonal weights, and its gradient by
 * all parameters. Of a layer with input i, state (h, c) and gates f, g, o, each with a weight and a bias a bit:
 *
 *     c ← σ(i f) c + σ(h g) tanh(h a),  h ← σ(i o) tanh c
 *
 * A step of the scan is the layers; what needs no state, first input and loss, is done for all steps at once. */
#include "tape.h"

enum { MOST_LAYERS = 16, GATES = 4 };

typedef struct network {
    int layers;
    int64_t bits;
    ad_var weight[MOST_LAYERS], bias[MOST_LAYERS]; /* [2, 2, bits]: of the input, of h; then of these again */
} network;

/* Both are [2, bits] together, and each is wanted by two of the four gates. */
static void layer(const network *n, int k, ad_var *input, ad_var h, ad_var c, ad_var *next)
{
    ad_var both[2] = {*input, h};
    ad_var gate = ad_add(ad_mul(ad_stack(both, 2), n->weight[k]), n->bias[k]);
    gate = ad_reshape(gate, ad_mat(GATES, n->bits));
    ad_var open = ad_sigmoid(ad_slice(gate, 0, 0, 3));
    ad_var change = ad_tanh(ad_reshape(ad_slice(gate, 0, 3, 1), ad_vec(n->bits)));
    ad_var part[3];
    for (int i = 0; i < 3; i++) part[i] = ad_reshape(ad_slice(open, 0, i, 1), ad_vec(n->bits));
    next[1] = ad_add(ad_mul(c, part[0]), ad_mul(part[1], change));
    *input = next[0] = ad_mul(part[2], ad_tanh(next[1]));
}

static void step(const ad_var *state, const ad_var *input, ad_var *next, ad_var *out, void *context)
{
    const network *n = context;
    ad_var through = input[0];
    for (int k = 0; k < n->layers; k++) layer(n, k, &through, state[2 * k], state[2 * k + 1], next + 2 * k);
    out[0] = through;
}

static ad_var row_of(ad_var theta, int64_t row, int64_t bits) { return ad_slice(theta, 0, row * bits, bits); }

static ad_var outputs(gb_run *r, const network *n, ad_var theta, ad_var text)
{
    int64_t b = n->bits, l = n->layers;
    double *first = gb_numbers(r, "state", 2 * l * b);
    ad_var state[2 * MOST_LAYERS], out;
    ad_var input = ad_mul(text, row_of(theta, 8 * l, b));
    for (int64_t k = 0; k < 2 * l; k++) state[k] = ad_constant_array(theta.tape, ad_vec(b), first + k * b);
    ad_scan(&(ad_scan_spec){.steps = ad_shape_of(text).dim[0], .state = state, .states = 2 * (int)l, .input = &input,
                            .inputs = 1, .outputs = 1, .body = step, .context = (void *)n}, NULL, &out);
    return ad_add(ad_mul(out, row_of(theta, 8 * l + 1, b)), row_of(theta, 8 * l + 2, b));
}

/* The parameters are one vector: of each layer a row of weights and one of biases, then three rows more. */
static ad_var loss(gb_run *r, ad_var *theta)
{
    int64_t l = gb_length(r, "main_params", 0) / 2, b = gb_length(r, "main_params", 1) / GATES;
    int64_t c = gb_length(r, "sequence", 0);
    if (l < 1 || l > MOST_LAYERS || b < 1 || c < 2) gb_fail(r, "1 to 16 layers and two rows of text are wanted");
    double *text = gb_numbers(r, "sequence", c * b), *all = gb_memory(r, (size_t)((8 * l + 3) * b), sizeof *all);
    double *main = gb_numbers(r, "main_params", 8 * l * b), *extra = gb_numbers(r, "extra_params", 3 * b);
    for (int64_t k = 0; k < (8 * l + 3) * b; k++) all[k] = k < 8 * l * b ? main[k] : extra[k - 8 * l * b];
    ad_tape *t = gb_new_tape(r);
    network n = {.layers = (int)l, .bits = b};
    *theta = gb_parameter(r, "theta", ad_vec((8 * l + 3) * b), all);
    for (int64_t k = 0; k < l; k++) {
        n.weight[k] = ad_reshape(ad_slice(*theta, 0, 8 * k * b, 4 * b), ad_cube(2, 2, b));
        n.bias[k] = ad_reshape(ad_slice(*theta, 0, (8 * k + 4) * b, 4 * b), ad_cube(2, 2, b));
    }
    ad_var y = outputs(r, &n, *theta, gb_parameter(r, "text", ad_mat(c - 1, b), text));
    ad_var share = ad_log(ad_shift(ad_sum_dims(ad_exp(y), 2), 2)); /* as the suite has it: 2 is added to the sum */
    ad_var gold = ad_constant_array(t, ad_mat(c - 1, b), text + b);
    ad_var likelihood = ad_sum(ad_mul(gold, ad_sub(y, ad_reshape(share, ad_mat(c - 1, 1)))));
    return ad_scale(likelihood, -1 / (double)((c - 1) * b));
}

void gb_lstm_objective(gb_run *r)
{
    ad_var theta, y = loss(r, &theta);
    gb_compile(r, &y, 1);
}

void gb_lstm_jacobian(gb_run *r)
{
    ad_var theta, y = loss(r, &theta), dy;
    ad_grad(y, &theta, 1, &dy);
    gb_compile(r, &dy, 1);
}
