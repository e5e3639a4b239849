/* In a build that checks ranges (GIBBS_CHECK_RANGES; the sanitized one does) an instruction that would leave the memory
 * of its own, by one number, ends the run: what the other tests run there leaves none. */
#include "autodiff/run/workspace.h"
#include "plan_helpers.h"

enum { ROWS = 48, D = 5, H = 20 };

/* A program with most kinds of instructions, in bodies and in shared code, and in parts. */
static runner start(ad_tape *tape, void **memory)
{
    ad_axis data = ad_axis_new(tape, "data");
    ad_var x = ad_input(data, "x", ad_vec(D)), i = ad_input(data, "i", ad_scalar());
    ad_var W = ad_parameter(tape, "W", ad_mat(D, H)), b = ad_parameter(tape, "b", ad_vec(H));
    ad_var h = ad_add(ad_matmul(x, W), b), p = ad_sigmoid(h);
    ad_var table = ad_gather(ad_tanh(W), i), y = ad_concat(ad_mul(p, table), ad_softplus(h), 0);
    ad_var E = ad_add(ad_logsumexp(y), ad_sum(ad_mul(ad_normal(data, ad_vec(2 * H), 1), y)));
    ad_var part = ad_sum(ad_square(ad_slice(y, 0, 3, H)));
    ad_var loss = ad_add(ad_batch_logsumexp(data, E), ad_batch_mean(data, part)), out[4] = {loss, E};
    ad_grad(loss, (ad_var[]){W, b}, 2, out + 2);
    runner r = runner_new(out, 4, 0);
    ad_var leaf[] = {x, W, b, i};
    int64_t size[] = {ROWS * D, D * H, H, ROWS};
    for (int k = 0; k < 4; k++) {
        double *v = random_numbers(size[k], k + 1);
        for (int64_t n = 0; k == 3 && n < ROWS; n++) v[n] = (double)(n % D);
        bind(r, leaf[k], memory[k] = v);
    }
    set_rows(r, data, ROWS);
    return r;
}

static gibbs_status run_status(runner r, gibbs_error *error)
{
    return ad_run(r.w, &(ad_run_options){.threads = 1}, error);
}

/* Whether the operand reaches to the end of what is its own, so that one number more is too much. */
static bool is_whole(const ad_instruction *i, int k)
{
    const ad_operand *at = &i->operand[k];
    bool in_span = at->span >= 0 && (at->base == AD_BASE_ARENA || at->base == AD_BASE_SHARED);
    return k == 0 ? in_span && i->action != DO_place : at->base >= AD_BASE_SLOTS && i->action == DO_matmul;
}

static int try_code(runner r, ad_code *code)
{
    int tried = 0;
    for (int64_t n = 0; n < code->count; n++)
        for (int k = 0; k < 3; k++) {
            ad_instruction *i = &code->at[n];
            if (!is_whole(i, k)) continue;
            gibbs_error error = {.message = ""};
            int64_t before = i->operand[k].offset;
            i->operand[k].offset += i->axis < 0 ? 64 : 8;
            cr_expect_eq(run_status(r, &error), GIBBS_SIZE, "operand %d of %s", k, ad_ops[i->op].name);
            cr_expect(strstr(error.message, "of what is its own"), "%s", error.message);
            i->operand[k].offset = before;
            tried++;
        }
    return tried;
}

Test(plan_ranges, one_number_too_far_is_seen)
{
    void *memory[4];
    gibbs_error error = {.message = ""};
    ad_tape *tape = ad_tape_new(GIBBS_FLOAT64, NULL);
    runner r = start(tape, memory);
    cr_assert_eq(run_status(r, &error), GIBBS_OK, "%s", error.message);
    r.w->storing = NULL;
    int tried = 0;
    for (int64_t s = 0; s < r.plan->stages; s++)
        tried += try_code(r, &r.plan->stage[s].body) + try_code(r, &r.plan->stage[s].shared);
    cr_expect_gt(tried, 20, "%d", tried);
    cr_assert_eq(run_status(r, &error), GIBBS_OK, "%s", error.message);
    runner_free(r);
    ad_tape_free(tape);
    for (int k = 0; k < 4; k++) free(memory[k]);
}
