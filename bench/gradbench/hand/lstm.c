/* Forwards all gates and cells of all steps are kept; backwards in the opposite order. */
#include "hand.h"

#include <math.h>
#include <string.h>

typedef struct unit {
    double input, h, c, forget, in, out, change, tanh_c; /* of one bit of a layer at a step; h and c before it */
} unit;

typedef struct lstm {
    hand_answer answer;
    int64_t l, b, c;
    double *main, *extra, *first, *text, *state, *bar, *slope, *y, *share, loss;
    unit *kept; /* [c − 1, l, b] */
} lstm;

static double *numbers(gb_run *r, int64_t count) { return gb_memory(r, (size_t)count, sizeof(double)); }

static void open(gb_run *r)
{
    lstm *s = gb_keep(r, sizeof *s);
    int64_t l = s->l = gb_length(r, "main_params", 0) / 2, b = s->b = gb_length(r, "main_params", 1) / 4;
    s->c = gb_length(r, "sequence", 0);
    if (l < 1 || b < 1 || s->c < 2) gb_fail(r, "a layer and two rows of text are wanted");
    s->main = gb_numbers(r, "main_params", 8 * l * b);
    s->extra = gb_numbers(r, "extra_params", 3 * b);
    s->first = gb_numbers(r, "state", 2 * l * b);
    s->text = gb_numbers(r, "sequence", s->c * b);
    s->state = numbers(r, 2 * l * b);
    s->bar = numbers(r, 2 * l * b);
    s->slope = numbers(r, (8 * l + 3) * b);
    s->y = numbers(r, b);
    s->share = numbers(r, (s->c - 1) * b);
    s->kept = gb_memory(r, (size_t)((s->c - 1) * l * b), sizeof *s->kept);
    s->answer.number = &s->loss;
}

static void open_jacobian(gb_run *r)
{
    open(r);
    lstm *s = gb_own(r);
    s->answer = (hand_answer){s->slope, (8 * s->l + 3) * s->b};
}

static double sigmoid(double x) { return 1 / (1 + exp(-x)); }

static void layer(const lstm *s, int64_t k, double *restrict through, unit *restrict kept)
{
    int64_t b = s->b;
    const double *w = s->main + 8 * k * b, *v = w + 4 * b;
    double *h = s->state + 2 * k * b, *c = h + b;
    for (int64_t i = 0; i < b; i++) {
        unit u = {through[i], h[i], c[i], 0, 0, 0, 0, 0};
        u.forget = sigmoid(u.input * w[i] + v[i]);
        u.in = sigmoid(u.h * w[b + i] + v[b + i]);
        u.out = sigmoid(u.input * w[2 * b + i] + v[2 * b + i]);
        u.change = tanh(u.h * w[3 * b + i] + v[3 * b + i]);
        c[i] = u.c * u.forget + u.in * u.change;
        u.tanh_c = tanh(c[i]);
        through[i] = h[i] = u.out * u.tanh_c;
        kept[i] = u;
    }
}

static void objective(gb_run *r)
{
    lstm *s = gb_own(r);
    int64_t b = s->b;
    double total = 0;
    memcpy(s->state, s->first, sizeof *s->state * (size_t)(2 * s->l * b));
    for (int64_t t = 0; t + 1 < s->c; t++) {
        const double *now = s->text + t * b, *then = now + b;
        double sum = 2, *share = s->share + t * b;
        for (int64_t i = 0; i < b; i++) s->y[i] = now[i] * s->extra[i];
        for (int64_t k = 0; k < s->l; k++) layer(s, k, s->y, s->kept + (t * s->l + k) * b);
        for (int64_t i = 0; i < b; i++) s->y[i] = s->y[i] * s->extra[b + i] + s->extra[2 * b + i];
        for (int64_t i = 0; i < b; i++) sum += share[i] = exp(s->y[i]);
        double whole = log(sum);
        for (int64_t i = 0; i < b; i++) {
            total += then[i] * (s->y[i] - whole);
            share[i] /= sum;
        }
    }
    s->loss = -total / (double)((s->c - 1) * b);
}

/* through: the adjoint of what the layer hands on, then of its input. */
static void layer_back(lstm *s, int64_t k, double *restrict through, const unit *restrict kept)
{
    int64_t b = s->b;
    const double *w = s->main + 8 * k * b;
    double *dw = s->slope + 8 * k * b, *dv = dw + 4 * b, *h_bar = s->bar + 2 * k * b, *c_bar = h_bar + b;
    for (int64_t i = 0; i < b; i++) {
        const unit u = kept[i];
        double h = h_bar[i] + through[i], c = c_bar[i] + h * u.out * (1 - u.tanh_c * u.tanh_c);
        double forget = c * u.c * u.forget * (1 - u.forget), in = c * u.change * u.in * (1 - u.in);
        double out = h * u.tanh_c * u.out * (1 - u.out), change = c * u.in * (1 - u.change * u.change);
        dw[i] += forget * u.input, dv[i] += forget;
        dw[b + i] += in * u.h, dv[b + i] += in;
        dw[2 * b + i] += out * u.input, dv[2 * b + i] += out;
        dw[3 * b + i] += change * u.h, dv[3 * b + i] += change;
        c_bar[i] = c * u.forget;
        h_bar[i] = in * w[b + i] + change * w[3 * b + i];
        through[i] = forget * w[i] + out * w[2 * b + i];
    }
}

static void jacobian(gb_run *r)
{
    lstm *s = gb_own(r);
    int64_t b = s->b, l = s->l;
    double *d_extra = s->slope + 8 * l * b, scale = -1 / (double)((s->c - 1) * b);
    objective(r);
    memset(s->slope, 0, sizeof *s->slope * (size_t)((8 * l + 3) * b));
    memset(s->bar, 0, sizeof *s->bar * (size_t)(2 * l * b));
    for (int64_t t = s->c - 2; t >= 0; t--) {
        const double *now = s->text + t * b, *then = now + b, *share = s->share + t * b;
        const unit *kept = s->kept + (t * l + l - 1) * b;
        double gold = 0;
        for (int64_t i = 0; i < b; i++) gold += then[i];
        for (int64_t i = 0; i < b; i++) {
            double y = scale * (then[i] - gold * share[i]);
            d_extra[b + i] += y * kept[i].out * kept[i].tanh_c;
            d_extra[2 * b + i] += y;
            s->y[i] = y * s->extra[b + i];
        }
        for (int64_t k = l - 1; k >= 0; k--) layer_back(s, k, s->y, s->kept + (t * l + k) * b);
        for (int64_t i = 0; i < b; i++) d_extra[i] += s->y[i] * now[i];
    }
}

const gb_function hand_lstm[2] = {
    {"lstm", "objective", open, objective, hand_output},
    {"lstm", "jacobian", open_jacobian, jacobian, hand_output},
};
