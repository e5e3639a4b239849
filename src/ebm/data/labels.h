/* labels.h — texts of a column to numbers: gathered while a table is read, ordered at its end. */
#ifndef EBM_LABELS_H
#define EBM_LABELS_H

#include "data_private.h"

/* The texts of one column, in the order of their bytes, and the numbers that they have until the set is settled. */
typedef struct ebm_label_set {
    struct ebm_label {
        char *text;
        int64_t number;
        double value; /* while they are ordered as numbers */
    } *label;
    int64_t count, capacity;
    const ebm_labels *known; /* not NULL: no others are taken */
} ebm_label_set;

/* A column of more different texts than this is none of labels. */
enum { EBM_LABELS_MOST = 1 << 16 };

/* The number of a text, which is taken in where it is new. −1: it is new, and there is no room or it is not known;
 * −2: no memory. */
int64_t ebm_label_number(ebm_label_set *set, const gibbs_allocator *a, const char *text);

/* Gives the labels of a column their last numbers: the order of bytes, or that of numbers where all are. Those of rows
 * that were dropped go. False when memory is out. */
bool ebm_labels_settle(ebm_label_set *set, ebm_data *data, int64_t column);

void ebm_label_set_free(const gibbs_allocator *a, ebm_label_set *set);

#endif
