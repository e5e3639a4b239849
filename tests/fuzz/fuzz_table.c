/* Files of any kind, told by their first bytes; gzip among them. */
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    const ebm_read_options options = {.unpacked_limit = 1 << 16};
    counting_alloc count = {.fail_above = FUZZ_LARGEST_BLOCK};
    gibbs_allocator a = counting_allocator(&count);
    gibbs_error error;
    ebm_data data;
    gibbs_status status = ebm_data_parse_with(bytes, length, "t", &options, &a, &data, NULL, &error);
    fuzz_table(status, &data, &error);
    HOLDS(!count.live);
    return 0;
}
