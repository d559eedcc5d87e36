/* The pieces of JSON that cannot be left to printf: strings with their escapes, and numbers in any locale. */
#ifndef LK_SIM_BASE_JSONOUT_H
#define LK_SIM_BASE_JSONOUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* Writes `text` in double quotes, escaped (RFC 8259 7). Bytes that are no UTF-8 become U+FFFD. */
void json_put_string(FILE *to, const char *text);

enum { JSON_RATIO_CHARS = 64 };

/* A finite double with six digits after the point, the same on every host. */
void json_format_ratio(char text[JSON_RATIO_CHARS], double value);

/* Length in bytes of the UTF-8 sequence at `text` (RFC 3629), at most `room`; 0 when it is none. */
size_t utf8_length(const unsigned char *text, size_t room);

#endif
