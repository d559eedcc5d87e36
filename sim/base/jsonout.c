#include "sim/base/jsonout.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

size_t utf8_length(const unsigned char *text, size_t room)
{
    if (room == 0)
        return 0;
    size_t length = 0;
    uint32_t code = 0, smallest = 0;
    if (text[0] < 0x80)
        return 1;
    if (text[0] >= 0xc2 && text[0] <= 0xdf) {
        length = 2;
        code = text[0] & 0x1f;
        smallest = 0x80;
    } else if ((text[0] & 0xf0) == 0xe0) {
        length = 3;
        code = text[0] & 0x0f;
        smallest = 0x800;
    } else if (text[0] >= 0xf0 && text[0] <= 0xf4) {
        length = 4;
        code = text[0] & 0x07;
        smallest = 0x10000;
    }
    if (length == 0 || length > room)
        return 0;
    for (size_t i = 1; i < length; i++) {
        if ((text[i] & 0xc0) != 0x80)
            return 0;
        code = code << 6 | (text[i] & 0x3f);
    }
    bool is_surrogate = code >= 0xd800 && code <= 0xdfff;
    return code < smallest || code > 0x10ffff || is_surrogate ? 0 : length;
}

void json_put_string(FILE *to, const char *text)
{
    const unsigned char *at = (const unsigned char *)text;
    size_t left = strlen(text);
    fputc('"', to);
    while (left > 0) {
        size_t length = utf8_length(at, left);
        if (length == 0) {
            fputs("\\ufffd", to);
            length = 1;
        } else if (*at == '"' || *at == '\\') {
            fprintf(to, "\\%c", *at);
        } else if (*at < 0x20) {
            fprintf(to, "\\u%04x", *at);
        } else {
            fwrite(at, 1, length, to);
        }
        at += length;
        left -= length;
    }
    fputc('"', to);
}

void json_format_ratio(char text[JSON_RATIO_CHARS], double value)
{
    const char *sign = value < 0 ? "-" : "";
    double magnitude = fabs(value);
    if (magnitude < 1e12) {
        uint64_t millionths = (uint64_t)(magnitude * 1e6 + 0.5);
        sign = millionths ? sign : "";
        snprintf(text, JSON_RATIO_CHARS, "%s%" PRIu64 ".%06" PRIu64, sign, millionths / 1000000,
                 millionths % 1000000);
    } else if (magnitude < 1e19) {
        snprintf(text, JSON_RATIO_CHARS, "%s%" PRIu64 ".000000", sign, (uint64_t)magnitude);
    } else {
        /* No decimal point, so nothing that a locale could change. */
        snprintf(text, JSON_RATIO_CHARS, "%s%.0e", sign, magnitude);
    }
}
