/* Waits for eight bytes from the keyboard, by interrupts, and writes them to port E9h in hexadecimal. */
#include "guest.h"

enum { WANTED = 8, VECTOR_IRQ1 = 0x21 };

static volatile u32 nr_seen;
static volatile u8 seen_bytes[WANTED];

static bool take(struct trap *trap)
{
    if (trap->vector != VECTOR_IRQ1)
        return false;
    u8 byte = inb(0x60);
    if (nr_seen < WANTED)
        seen_bytes[nr_seen++] = byte;
    outb(0x20, 0x20);
    return true;
}

void main(const char *word)
{
    (void)word;
    mend = take;
    pic_init();
    pic_mask(0xfd);
    while (nr_seen < WANTED)
        __asm__ volatile("sti; nop; cli" : : : "memory");
    for (u32 i = 0; i < WANTED; i++) {
        const char digits[] = "0123456789abcdef";
        outb(0xe9, (u8)digits[seen_bytes[i] >> 4]);
        outb(0xe9, (u8)digits[seen_bytes[i] & 15]);
        outb(0xe9, i + 1 < WANTED ? ' ' : '\n');
    }
}
