/*
 * Code in the RAM below the firmware, which the host bridge write-protects (82441FX data sheet, PAM
 * registers): it runs from there, stores do not change it, and what is put there while it is open runs next.
 */
#include "guest.h"

enum { HOST_BRIDGE = 1u << 31, PAM5 = 0x5e, READ = 1, BOTH = 3 };
enum { CODE = 0xe0000, ROUNDS = 1000, RET = 0xc3, MOV_EAX = 0xb8 };

static void set_access(u8 access)
{
    outl(0xcf8, HOST_BRIDGE | (PAM5 & ~3u));
    outb((uint16_t)(0xcfc + (PAM5 & 3)), access);
}

/* MOV EAX, value; RET */
static void put_function(u32 value)
{
    volatile u8 *at = (volatile u8 *)CODE;
    at[0] = MOV_EAX;
    for (unsigned i = 0; i < 4; i++)
        at[1 + i] = (u8)(value >> (8 * i));
    at[5] = RET;
}

static u32 sum_of_calls(void)
{
    u32 (*volatile function)(void) = (u32(*)(void))CODE;
    u32 sum = 0;
    for (unsigned i = 0; i < ROUNDS; i++)
        sum += function();
    return sum;
}

void main(const char *word)
{
    (void)word;
    set_access(BOTH);
    put_function(3);
    check("open", sum_of_calls(), 3 * ROUNDS);
    set_access(READ);
    check("protected", sum_of_calls(), 3 * ROUNDS);
    put_function(5);
    check("stores go nowhere", *(volatile u32 *)(CODE + 1), 3);
    check("nor do calls see them", sum_of_calls(), 3 * ROUNDS);
    set_access(BOTH);
    put_function(7);
    check("open again", sum_of_calls(), 7 * ROUNDS);
    set_access(READ);
    check("protected again", sum_of_calls(), 7 * ROUNDS);
    finish();
}
