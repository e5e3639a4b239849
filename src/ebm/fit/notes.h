/* notes.h — what a fit looks for when it is done; private to src/ebm/fit. */
#ifndef GIBBS_NOTES_H
#define GIBBS_NOTES_H

#include "fit.h"

/* A fit that is done, and its training rows in double, modelled columns alone. */
typedef struct ebm_look {
    ebm_trainer *fit;
    ebm_data rows;
    gibbs_allocator alloc;
} ebm_look;

/* One check: whether it applies, and the look itself, which notes what it finds. MEMORY is handed on, any other error
 * means that it could not be looked for. */
typedef struct ebm_check {
    ebm_note_code code;
    bool (*applies)(const ebm_look *look);
    gibbs_status (*look)(const ebm_look *look);
} ebm_check;

void ebm_note_add(const ebm_look *look, ebm_note_code code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Whether E is a density's over real rows: not conditional, not of labels, with x beyond what the loss was told. */
bool ebm_seek_is_density(const ebm_look *look);
gibbs_status ebm_seek_normalisable(const ebm_look *look);

/* Of the rows. */
bool ebm_seek_has_support(const ebm_look *look);
gibbs_status ebm_seek_outside(const ebm_look *look);
bool ebm_seek_matches_scores(const ebm_look *look);
gibbs_status ebm_seek_ties(const ebm_look *look);
bool ebm_seek_has_weights(const ebm_look *look);
gibbs_status ebm_seek_weights(const ebm_look *look);

#endif
