/* note.c — a note in a report. */
#include "notes.h"

#include <stdarg.h>
#include <stdio.h>

static const char *const names[EBM_NOTE_CODES] = {
    [EBM_NOTE_NOT_CONVERGED] = "not converged",
    [EBM_NOTE_RUNAWAY] = "a parameter runs away",
    [EBM_NOTE_NOT_IDENTIFIED] = "not identified",
    [EBM_NOTE_NOT_NORMALISABLE] = "not normalisable",
    [EBM_NOTE_OUTSIDE_THE_SUPPORT] = "rows outside the support",
    [EBM_NOTE_TIES] = "tied or rounded columns",
    [EBM_NOTE_WEIGHTS] = "weights without variance",
    [EBM_NOTE_STUCK_CHAINS] = "stuck chains",
    [EBM_NOTE_VALIDATION] = "validation and training part",
    [EBM_NOTE_ENERGY_GAP] = "the energy gap runs away",
};

const char *ebm_note_name(ebm_note_code code)
{
    return code > 0 && code < EBM_NOTE_CODES ? names[code] : "?";
}

void ebm_note_add(const ebm_look *look, ebm_note_code code, const char *format, ...)
{
    ebm_fit_report *r = &look->fit->report;
    if (r->note_count >= EBM_MOST_NOTES) return;
    ebm_note *note = &r->note[r->note_count++];
    va_list arguments;
    va_start(arguments, format);
    note->code = code;
    vsnprintf(note->text, sizeof note->text, format, arguments);
    va_end(arguments);
}
