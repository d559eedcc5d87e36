/* Words as the Internet's protocols have them, high byte first, and their checksum (RFC 1071). */
#ifndef LK_DMA_INET_SUM_H
#define LK_DMA_INET_SUM_H

#include <stdint.h>

static inline uint16_t inet_get16(const uint8_t *at)
{
    return (uint16_t)(at[0] << 8 | at[1]);
}

static inline void inet_put16(uint8_t *at, uint32_t value)
{
    at[0] = (uint8_t)(value >> 8);
    at[1] = (uint8_t)value;
}

/*
 * One's-complement sum of words, an odd last byte being the high one, and of `sum`; not complemented. Up to
 * 64 KiB.
 */
static inline uint16_t inet_sum(const uint8_t *bytes, uint32_t nr_bytes, uint32_t sum)
{
    for (uint32_t i = 0; i + 1 < nr_bytes; i += 2)
        sum += inet_get16(bytes + i);
    if (nr_bytes & 1)
        sum += (uint32_t)bytes[nr_bytes - 1] << 8;
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t)sum;
}

#endif
