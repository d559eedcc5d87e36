/* Numbers as people write them. */
#include "params.h"
#include "string.h"

u64 memparse(const char *text, const char **end)
{
    u64 value = 0;
    for (; *text >= '0' && *text <= '9'; text++)
        value = value * 10 + (u64)(*text - '0');
    const char *const suffixes = "KMG";
    const char *suffix = *text ? strchr(suffixes, *text & ~0x20) : NULL;
    if (suffix) {
        value <<= 10 * (suffix - suffixes + 1);
        text++;
    }
    *end = text;
    return value;
}
