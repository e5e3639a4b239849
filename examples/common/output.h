/* output.h — stdout: nothing that was printed may be lost silently, and with --json - it is the JSON's alone. */
#ifndef EXAMPLES_OUTPUT_H
#define EXAMPLES_OUTPUT_H

#include <stdio.h>

/* Whatever way the program ends from here on, it fails with a sentence on stderr where something that it printed did
 * not reach stdout. */
void output_guard(void);

/* Whether `path` is «-», which stands for stdout. */
int output_is_stdout(const char *path);

/* From here on what is printed goes to stderr; what stdout was is for output_stream. */
void output_divert(void);

/* A stream to write `path` by; «-» is what stdout was before output_divert. NULL with errno. */
FILE *output_stream(const char *path, const char *mode);

#endif
