/* picture.h — a picture of a program's own: a gnuplot script, with the look that the examples share before it. */
#ifndef EXAMPLES_PICTURE_H
#define EXAMPLES_PICTURE_H

#include <gibbs/status.h>
#include <stdio.h>

/* The script folder/NAME.gnuplot while it is written. It finds NAME and TITLE set (as gnuplot strings), the terminal,
 * the colours RED, BLUE, GREEN, VIOLET, OCHRE and ORANGE (of data), and CSV as the format of its data, which lie in the
 * same folder; it says what is plotted. */
typedef struct picture_script {
    const char *folder, *name;
    FILE *file;
} picture_script;

/* Errors: IO, SIZE. */
gibbs_status picture_start(picture_script *p, const char *folder, const char *name, const char *title,
                           gibbs_error *error);

/* `name` = the text, as a gnuplot string. */
void picture_text(const picture_script *p, const char *name, const char *text);

/* Closes the script and, where there is a gnuplot, draws NAME.png with it. Errors: IO. */
gibbs_status picture_finish(picture_script *p, gibbs_error *error);

/* All at once, for a script that needs nothing more. */
gibbs_status picture_draw(const char *folder, const char *name, const char *title, const char *script,
                          gibbs_error *error);

#endif
