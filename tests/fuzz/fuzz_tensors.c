/* Tensor files: what is read is written, and read back to the same bits. */
#include "fuzz.h"

static void expect_same(const ebm_tensors *a, const ebm_tensors *b)
{
    HOLDS(a->count == b->count && !b->skipped_count);
    for (int i = 0; i < a->count; i++) {
        const ebm_tensor *t = &a->tensor[i], *u = ebm_tensors_find(b, t->name);
        HOLDS(u && u->dtype == t->dtype && u->shape.rank == t->shape.rank);
        HOLDS(!memcmp(u->data, t->data, (size_t)ad_shape_count(&t->shape) * gibbs_dtype_size(t->dtype)));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    counting_alloc count = {.fail_above = FUZZ_LARGEST_BLOCK};
    gibbs_allocator a = counting_allocator(&count);
    gibbs_error error;
    ebm_tensors tensors, back;
    gibbs_status status = ebm_tensors_read(fuzz_file(bytes, length), &a, &tensors, &error);
    if (status) {
        fuzz_failure(status, &error);
    } else if (!ebm_tensors_write(fuzz_path(1), tensors.tensor, tensors.count, &error)) {
        HOLDS(ebm_tensors_read(fuzz_path(1), NULL, &back, &error) == GIBBS_OK);
        expect_same(&tensors, &back);
        ebm_tensors_free(&back);
    }
    ebm_tensors_free(&tensors);
    HOLDS(!count.live);
    return 0;
}
