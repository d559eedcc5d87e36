/* Long division by the CPU's 64:32 divide, and a square root by bits. */
#include "math64.h"

u64 div_u64_rem(u64 dividend, u32 divisor, u32 *remainder)
{
    u32 high = (u32)(dividend >> 32), low = (u32)dividend;
    u32 quotient_high = high / divisor, rest = high % divisor;
    u32 quotient_low;
    /* The upper half's rest is below the divisor, so that this quotient fits into 32 bits. */
    __asm__("divl %4" : "=a"(quotient_low), "=d"(rest) : "0"(low), "1"(rest), "rm"(divisor) : "cc");
    if (remainder)
        *remainder = rest;
    return (u64)quotient_high << 32 | quotient_low;
}

u32 int_sqrt(u32 x)
{
    u32 root = 0;
    for (u32 bit = 1u << 30; bit != 0; bit >>= 2) {
        if (x >= root + bit) {
            x -= root + bit;
            root = (root >> 1) + bit;
        } else {
            root >>= 1;
        }
    }
    return root;
}
