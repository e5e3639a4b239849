/* tensors.c — what the reader and the writer of tensor files share. */
#include "data_private.h"
#include "json.h"

#include <string.h>

const char *const ebm_dtype_names[TENSOR_DTYPES] = {[GIBBS_FLOAT32] = "F32", [GIBBS_FLOAT64] = "F64"};

void ebm_byte_order(void *numbers, int64_t count, size_t size)
{
    if (__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__) return;
    unsigned char *byte = numbers;
    for (int64_t i = 0; i < count; i++, byte += size)
        for (size_t low = 0, high = size - 1; low < high; low++, high--) {
            unsigned char kept = byte[low];
            byte[low] = byte[high];
            byte[high] = kept;
        }
}

const char *ebm_tensor_name_objection(const char *name)
{
    if (!name || !name[0]) return "has no name";
    if (strcmp(name, TENSOR_METADATA) == 0) return "has the reserved name " TENSOR_METADATA;
    return ebm_is_utf8(name) ? NULL : "has a name that is not UTF-8";
}

const ebm_tensor *ebm_tensors_find(const ebm_tensors *tensors, const char *name)
{
    for (int i = 0; tensors && name && i < tensors->count; i++)
        if (strcmp(tensors->tensor[i].name, name) == 0) return &tensors->tensor[i];
    return NULL;
}

void ebm_tensors_free(ebm_tensors *tensors)
{
    if (!tensors) return;
    for (int i = 0; i < tensors->count; i++) {
        gibbs_release(&tensors->allocator, (char *)tensors->tensor[i].name);
        gibbs_release(&tensors->allocator, tensors->tensor[i].data);
    }
    for (int i = 0; i < tensors->metadata_count; i++) {
        gibbs_release(&tensors->allocator, tensors->metadata[i].key);
        gibbs_release(&tensors->allocator, tensors->metadata[i].value);
    }
    for (int i = 0; i < tensors->skipped_count; i++) {
        gibbs_release(&tensors->allocator, tensors->skipped[i].key);
        gibbs_release(&tensors->allocator, tensors->skipped[i].value);
    }
    gibbs_release(&tensors->allocator, tensors->skipped);
    gibbs_release(&tensors->allocator, tensors->metadata);
    gibbs_release(&tensors->allocator, tensors->tensor);
    *tensors = (ebm_tensors){0};
}
