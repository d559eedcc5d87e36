#include "inet.h"

/* A word at any address. */
struct unaligned_word {
    u32 value;
} __packed;

u32 csum_partial(const void *bytes, u32 count, u32 sum)
{
    const u8 *p = bytes;
    u64 total = sum;
    for (; count >= sizeof(u32); count -= (u32)sizeof(u32), p += sizeof(u32))
        total += ((const struct unaligned_word *)(const void *)p)->value;
    if (count & 2) {
        total += (u32)p[0] | (u32)p[1] << 8;
        p += 2;
    }
    if (count & 1)
        total += p[0];
    total = (total & 0xFFFFFFFFu) + (total >> 32);
    total = (total & 0xFFFFFFFFu) + (total >> 32);
    return (u32)total;
}

u32 csum_pseudo(be32 saddr, be32 daddr, u32 len, u8 protocol)
{
    const struct {
        be32 saddr, daddr;
        u8 zero, protocol;
        be16 len;
    } pseudo = {.saddr = saddr, .daddr = daddr, .protocol = protocol, .len = htons((u16)len)};
    return csum_partial(&pseudo, sizeof(pseudo), 0);
}
