#include "random.h"

/* xorshift64 (Marsaglia, "Xorshift RNGs", 2003, triple 13, 7, 17). */
static u64 next_random(void)
{
    static u64 state = 0x9E3779B97F4A7C15ull;
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state;
}

void get_random_bytes(void *to, u32 bytes)
{
    u8 *at = to;
    u64 value = 0;
    for (u32 i = 0; i < bytes; i++) {
        if (i % 4 == 0)
            value = next_random() >> 32; /* the low bits are the weaker ones */
        at[i] = (u8)value;
        value >>= 8;
    }
}
