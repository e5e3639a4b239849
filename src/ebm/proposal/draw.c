/* draw.c — a plan whose outputs are y ~ q and log q(y). */
#include "draw.h"

#include "ebm/model/program.h"
#include "record_proposal.h"

struct ebm_draw {
    gibbs_allocator alloc;
    ebm_program program;
    ad_axis axis; /* only a name for what the plan knows: the tape is gone */
};

static gibbs_status record(const ebm_proposal *q, ad_tape *tape, ebm_draw *draw, gibbs_error *error)
{
    draw->axis = ad_axis_new(tape, "noise");
    ad_var none = {tape, -1}, y = ebm_proposal_draw_at(q, draw->axis, none, EBM_STREAM_PROPOSAL, NULL);
    ad_var output[] = {y, ebm_proposal_log_density_at(q, draw->axis, none, y, NULL)};
    return ebm_program_build(tape, output, GIBBS_COUNT(output), NULL, &draw->program, error);
}

gibbs_status ebm_draw_new(const ebm_proposal *q, gibbs_dtype dtype, const gibbs_allocator *allocator, ebm_draw **out,
                          gibbs_error *error)
{
    *out = NULL;
    gibbs_allocator a = gibbs_allocator_or_default(allocator);
    if (gibbs_allocator_check(allocator, error)) return GIBBS_ARGUMENT;
    gibbs_status status = ebm_proposal_check("draw", q, 0, false, error);
    if (status) return status;
    ebm_draw *draw = gibbs_alloc_zero(&a, 1, sizeof *draw);
    ad_tape *tape = draw ? ad_tape_new(dtype, &a) : NULL;
    if (draw) draw->alloc = a;
    status = tape ? record(q, tape, draw, error) : ebm_tape_error(tape, error);
    ad_tape_free(tape);
    if (status) ebm_draw_free(draw);
    else *out = draw;
    return status;
}

void ebm_draw_free(ebm_draw *draw)
{
    if (!draw) return;
    gibbs_allocator a = draw->alloc;
    ebm_program_free(&draw->program);
    gibbs_release(&a, draw);
}

gibbs_status ebm_draw_run(ebm_draw *draw, int64_t rows, uint64_t seed, uint64_t step, gibbs_error *error)
{
    gibbs_status status = ad_set_rows(draw->program.workspace, draw->axis, rows, error);
    return status ? status : ad_run(draw->program.workspace, &(ad_run_options){.seed = seed, .step = step}, error);
}

const void *ebm_draw_y(const ebm_draw *draw) { return ad_result(draw->program.workspace, 0); }
const void *ebm_draw_log_q(const ebm_draw *draw) { return ad_result(draw->program.workspace, 1); }
