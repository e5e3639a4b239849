/* Files of the format idx, by its reader. */
#include "ebm/data/array.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    const ebm_read_options options = {.missing = EBM_MISSING_DROP};
    counting_alloc count = {.fail_above = FUZZ_LARGEST_BLOCK};
    gibbs_allocator a = counting_allocator(&count);
    gibbs_error error;
    ebm_read_report report = {.missing = 0};
    ebm_data data;
    const ebm_bytes f = {.at = bytes, .length = (int64_t)length, .name = "t", .error = &error};
    gibbs_status status = ebm_idx_table(&f, &(ebm_source){&options, &report, &a}, &data);
    fuzz_table(status, &data, &error);
    HOLDS(!count.live);
    return 0;
}
