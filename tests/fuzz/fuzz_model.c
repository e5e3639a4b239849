/* Model files: what can be opened is saved, and opened again with the same parameters. */
#include "fuzz.h"

static void expect_same(ebm_model *a, ebm_model *b)
{
    HOLDS(ebm_model_size(a) == ebm_model_size(b) && ebm_model_dtype(a) == ebm_model_dtype(b));
    HOLDS(!memcmp(ebm_model_theta(a), ebm_model_theta(b),
                  (size_t)ebm_model_size(a) * gibbs_dtype_size(ebm_model_dtype(a))));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    counting_alloc count = {.fail_above = FUZZ_LARGEST_BLOCK};
    gibbs_allocator a = counting_allocator(&count);
    gibbs_error error;
    ebm_model *model, *back;
    gibbs_status status = ebm_model_open(fuzz_file(bytes, length), NULL, &a, &model, &error);
    if (status) {
        fuzz_failure(status, &error);
        HOLDS(!model);
    } else {
        HOLDS(!ebm_model_save(model, fuzz_path(1), &error) && !ebm_model_open(fuzz_path(1), NULL, NULL, &back, &error));
        expect_same(model, back);
        ebm_model_free(back);
    }
    ebm_model_free(model);
    HOLDS(!count.live);
    return 0;
}
