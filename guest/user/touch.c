/*
 * Walks over a large heap a page at a time, so that every access needs another translation. touch.mib=N
 * sets its size, touch.rounds=N how often.
 */
#include "lookaside.h"
#include "ulib.h"

#define PAGE_BYTES 4096u
#define DEFAULT_MIB 8u
#define DEFAULT_ROUNDS 64u
#define ROI_TOUCH 2

/*
 * One word a page; the word moves on by a cache line from page to page, so that the lines spread over all
 * sets.
 */
static u32 walk(u8 *heap, u32 pages)
{
    u32 sum = 0;
    for (u32 page = 0; page < pages; page++) {
        u32 *word = (u32 *)(void *)(heap + page * PAGE_BYTES + (page * 64) % PAGE_BYTES);
        sum += *word;
        *word = sum + page;
    }
    return sum;
}

int main(int argc, char **argv, char **envp);

int main(int argc, char **argv, char **envp)
{
    (void)argc;
    (void)argv;
    u32 mib = getenv_u32(envp, "touch.mib", DEFAULT_MIB),
        rounds = getenv_u32(envp, "touch.rounds", DEFAULT_ROUNDS);
    u32 pages = mib * (1048576u / PAGE_BYTES);
    u8 *heap = sbrk((long)(pages * PAGE_BYTES));
    if (heap == (u8 *)-1) {
        printf("touch: no heap of %u MiB\n", mib);
        return 1;
    }
    heap += -(uintptr_t)heap % PAGE_BYTES;
    printf("touch: %u rounds over %u pages\n", rounds, pages);
    u32 sum = walk(heap, pages - 1);
    lk_roi_begin(ROI_TOUCH);
    for (u32 i = 0; i < rounds; i++)
        sum += walk(heap, pages - 1);
    lk_roi_end(ROI_TOUCH);
    printf("touch: checksum %08x\n", sum);
    return 0;
}
