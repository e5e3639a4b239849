/* CSV: the first two bytes choose the options, the text follows. */
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    static const char separators[] = {0, 0, 0, ',', ';', '\t', ' ', '|'}, comments[] = {0, 0, '#', '%'};
    static const char *const columns[] = {"2", "1"}, *const labels[] = {"1"}, *const names[] = {"x"};
    if (length < 2) return 0;
    int first = bytes[0], second = bytes[1];
    ebm_read_options o = {
        .separator = separators[first & 7],
        .decimal = first & 8 && separators[first & 7] != ',' ? ',' : 0,
        .comment = comments[first >> 4 & 3],
        .missing = first & 64 ? EBM_MISSING_DROP : EBM_MISSING_REFUSE,
        .header = (second & 3) % 3,
        .columns = second & 4 ? columns : second & 8 ? names : NULL,
        .column_count = second & 4 ? 2 : second & 8 ? 1 : 0,
        .labels = second & 16 ? labels : NULL,
        .label_count = second & 16 ? 1 : 0,
        .weight = second & 32 ? "3" : NULL,
        .unpacked_limit = 1 << 16,
    };
    counting_alloc count = {.fail_above = FUZZ_LARGEST_BLOCK};
    gibbs_allocator a = counting_allocator(&count);
    gibbs_error error;
    ebm_read_report report;
    ebm_data data;
    gibbs_status status = ebm_data_parse_with(bytes + 2, length - 2, "t", &o, &a, &data, &report, &error);
    fuzz_table(status, &data, &error);
    HOLDS(!count.live);
    return 0;
}
