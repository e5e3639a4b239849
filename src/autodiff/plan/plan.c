/* plan.c — a finished plan: its end, and what it is in figures. */
#include "plan.h"

void ad_plan_free(ad_plan *plan)
{
    if (!plan) return;
    gibbs_allocator a = plan->alloc;
    ad_plan_free(plan->storing);
    for (int64_t s = 0; s < plan->stages; s++) {
        gibbs_release(&a, plan->stage[s].shared.at);
        gibbs_release(&a, plan->stage[s].body.at);
        gibbs_release(&a, plan->stage[s].accumulator);
    }
    for (int64_t s = 0; s < plan->slots; s++) gibbs_release(&a, plan->slot[s].name);
    for (int64_t s = 0; s < plan->axes; s++) gibbs_release(&a, plan->axis[s].name);
    while (plan->chunk) {
        ad_chunk *chunk = plan->chunk;
        plan->chunk = chunk->next;
        gibbs_release(&a, chunk);
    }
    for (int k = 0; k < 2; k++) gibbs_release(&a, plan->range[k]);
    gibbs_release(&a, plan->axis);
    gibbs_release(&a, plan->counted);
    gibbs_release(&a, plan->leaf);
    gibbs_release(&a, plan->stage);
    gibbs_release(&a, plan->slot);
    gibbs_release(&a, plan->move);
    gibbs_release(&a, plan->constants);
    gibbs_release(&a, plan->output);
    gibbs_release(&a, plan->carried);
    gibbs_release(&a, plan);
}

ad_plan_info ad_plan_describe(const ad_plan *plan)
{
    ad_plan_info info = {.shared_gemm_flops = plan->shared_gemm_flops};
    for (int64_t s = 0; s < plan->stages; s++) {
        const ad_stage *stage = &plan->stage[s];
        info.instructions += (int)(stage->shared.count + stage->body.count);
        info.stages += stage->axis >= 0;
        info.gemm_flops_per_row += stage->gemm_flops;
        info.gemv_flops_per_row += stage->gemv_flops;
        if (stage->arena_row_bytes >= info.bytes_per_row) {
            info.bytes_per_row = stage->arena_row_bytes;
            info.block_rows = stage->block_rows;
        }
    }
    return info;
}
