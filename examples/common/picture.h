/* picture.h — a picture of a program's own: a gnuplot script, with the look that the examples share before it. */
#ifndef EXAMPLES_PICTURE_H
#define EXAMPLES_PICTURE_H

#include <gibbs/status.h>

/* Writes folder/NAME.gnuplot and, where there is a gnuplot, draws NAME.png with it. The script finds NAME and TITLE set
 * (as gnuplot strings), the terminal, the colours RED, BLUE, GREEN, VIOLET and OCHRE, and CSV as the format of its
 * data, which lie in the same folder; it says what is plotted. Errors: IO, SIZE. */
gibbs_status picture_draw(const char *folder, const char *name, const char *title, const char *script,
                          gibbs_error *error);

#endif
