/* The JSON header of a tensor file: the first byte is the size of the data, the text follows. */
#include "ebm/data/data_private.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    if (!length) return 0;
    counting_alloc count = {.fail_above = FUZZ_LARGEST_BLOCK};
    ebm_tensors tensors = {.allocator = counting_allocator(&count)};
    tensor_span *spans = NULL;
    gibbs_error error;
    gibbs_status status = ebm_tensors_parse_header((const char *)bytes + 1, (int64_t)length - 1, bytes[0], "t",
                                                   &tensors,
                                                   &spans, &error);
    if (status) fuzz_failure(status, &error);
    for (int i = 0; !status && i < tensors.count; i++) HOLDS(!ebm_tensor_name_objection(tensors.tensor[i].name));
    gibbs_release(&tensors.allocator, spans);
    ebm_tensors_free(&tensors);
    HOLDS(!count.live);
    return 0;
}
