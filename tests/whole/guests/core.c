/*
 * What a core has to find in memory: a note as Linux leaves it, among others that are none; and a page that
 * is mapped more often than a core can name.
 */
#include "guest.h"

enum {
    NOTE = 3 << 20,
    NR_BYTES_OF_NAME = 11,
    ALIASES = 4 << 20,
    NR_ALIASES = 1024 + 100,
    END_OF_RAM = 64 << 20
};

static const char text[] = "OSRELEASE=6.1.0-test\nPAGESIZE=4096\n";

static void copy(u32 to, const char *from, u32 nr_bytes)
{
    for (u32 i = 0; i < nr_bytes; i++)
        ((volatile u8 *)at(to))[i] = (u8)from[i];
}

static void put_note(u32 where, u32 type, const char *words, u32 nr_bytes, u32 said_bytes)
{
    *at(where) = NR_BYTES_OF_NAME;
    *at(where + 4) = said_bytes;
    *at(where + 8) = type;
    copy(where + 12, "VMCOREINFO\0", 12);
    copy(where + 24, words, nr_bytes);
}

void main(const char *word)
{
    (void)word;
    put_note(NOTE - 4 * PAGE + 4, 0, text, sizeof text - 1, sizeof text - 1); /* not at a page's begin */
    put_note(NOTE - 3 * PAGE, 1, text, sizeof text - 1, sizeof text - 1);
    put_note(NOTE - 2 * PAGE, 0, "RELEASE=no", 10, 10);
    put_note(NOTE - PAGE, 0, text, sizeof text - 1, 0xfffffff0);
    put_note(END_OF_RAM - PAGE, 0, text, sizeof text - 1, 2 * PAGE);
    put_note(NOTE, 0, text, sizeof text - 1, sizeof text - 1);
    paging_init();
    for (u32 i = 0; i < NR_ALIASES; i++)
        *pte(ALIASES + i * PAGE) = (NOTE - 8 * PAGE) | PTE_P;
    finish();
}
