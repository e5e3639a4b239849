/* labels.c — texts of a column to numbers. */
#include "labels.h"

#include <stdlib.h>
#include <string.h>

static int64_t known_number(const ebm_labels *known, const char *text)
{
    int64_t k = 0;
    while (k < known->count && strcmp(known->text[k], text)) k++;
    return k < known->count ? k : -1;
}

int64_t ebm_label_number(ebm_label_set *set, const gibbs_allocator *a, const char *text)
{
    int64_t low = 0, high = set->count;
    if (set->known) return known_number(set->known, text);
    while (low < high) {
        int64_t middle = low + (high - low) / 2;
        int order = strcmp(set->label[middle].text, text);
        if (!order) return set->label[middle].number;
        if (order < 0) low = middle + 1;
        else high = middle;
    }
    if (set->count == EBM_LABELS_MOST) return -1;
    if (!gibbs_grow(a, &set->label, &set->capacity, set->count, set->count + 1, sizeof *set->label)) return -2;
    char *copy = gibbs_strdup(a, text);
    if (!copy) return -2;
    memmove(set->label + low + 1, set->label + low, (size_t)(set->count - low) * sizeof *set->label);
    set->label[low] = (struct ebm_label){copy, set->count, 0};
    return set->count++;
}

static int by_value(const void *a, const void *b)
{
    const struct ebm_label *first = a, *second = b;
    int order = (first->value > second->value) - (first->value < second->value);
    return order ? order : strcmp(first->text, second->text);
}

static void order(ebm_label_set *set)
{
    bool numbers = true;
    for (int64_t k = 0; k < set->count && numbers; k++)
        numbers = ebm_parse_number(set->label[k].text, (int64_t)strlen(set->label[k].text), &set->label[k].value);
    if (numbers && set->count) qsort(set->label, (size_t)set->count, sizeof *set->label, by_value);
}

/* The labels that some row has come first, in order, and get numbers; rank[n] is that of the label whose number was n,
 * −1 as long as no row was seen to have it. */
static int64_t rank_used(ebm_label_set *set, int64_t *rank, const ebm_data *data, int64_t column)
{
    int64_t used = 0;
    for (int64_t k = 0; k < set->count; k++) rank[k] = -1;
    for (int64_t row = 0; row < data->rows; row++) rank[(int64_t)data->x[row * data->cols + column]] = 0;
    for (int64_t k = 0; k < set->count; k++) {
        struct ebm_label moved = set->label[k];
        if (rank[moved.number] < 0) continue;
        rank[moved.number] = used;
        set->label[k] = set->label[used];
        set->label[used++] = moved;
    }
    return used;
}

static bool keep(ebm_label_set *set, ebm_data *data, ebm_labels *out, int64_t column)
{
    const gibbs_allocator *a = &data->allocator;
    int64_t *rank = gibbs_alloc(a, (size_t)set->count, sizeof *rank);
    if (!rank) return false;
    order(set);
    int64_t used = rank_used(set, rank, data, column);
    out->text = gibbs_alloc(a, (size_t)used, sizeof *out->text);
    for (; out->text && out->count < used; out->count++) {
        out->text[out->count] = set->label[out->count].text;
        set->label[out->count].text = NULL;
    }
    for (int64_t row = 0; row < data->rows; row++) {
        double *x = &data->x[row * data->cols + column];
        *x = (double)rank[(int64_t)*x];
    }
    gibbs_release(a, rank);
    return out->text;
}

bool ebm_labels_settle(ebm_label_set *set, ebm_data *data, int64_t column)
{
    if (!data->labels) data->labels = gibbs_alloc_zero(&data->allocator, (size_t)data->cols, sizeof *data->labels);
    if (!data->labels) return false;
    ebm_labels *out = &data->labels[column];
    return set->known ? ebm_labels_copy(set->known, &data->allocator, out) : keep(set, data, out, column);
}

void ebm_label_set_free(const gibbs_allocator *a, ebm_label_set *set)
{
    for (int64_t k = 0; k < set->count; k++) gibbs_release(a, set->label[k].text);
    gibbs_release(a, set->label);
    *set = (ebm_label_set){0};
}
