/* json.h — one JSON object a line on standard output: how the bench program answers its driver. */
#ifndef BENCH_JSON_H
#define BENCH_JSON_H

void json_begin(void);
void json_text(const char *key, const char *value);
void json_number(const char *key, double value); /* null unless finite */
void json_end(void); /* ends the line and flushes it */

#endif
