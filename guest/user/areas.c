/*
 * F8. An address space at work: the stack grows, areas move, shrink and change their permissions; then random
 * calls, with the contents kept in a second place and compared, by children too.
 */
#include "lab.h"
#include "mman.h"
#include "ulib.h"

#define PAGE_BYTES 4096u
#define READ_WRITE (PROT_READ | PROT_WRITE)
#define ANON (MAP_PRIVATE | MAP_ANONYMOUS)
#define WINDOW_PAGES 64u
#define NR_STEPS 600u
#define STEPS_PER_FORK 60u

static u32 random_state = 1;

static u32 random_below(u32 limit)
{
    random_state = random_state * 1664525u + 1013904223u;
    return (u32)(((u64)random_state * limit) >> 32);
}

static volatile u32 *word(u8 *memory, u32 page)
{
    return (volatile u32 *)(void *)(memory + page * PAGE_BYTES);
}

static __attribute__((noinline)) u32 grow_stack(u32 depth)
{
    volatile u8 page[PAGE_BYTES];
    page[0] = 1;
    return (depth ? grow_stack(depth - 1) : 0) + page[0];
}

static void check_stack(void)
{
    u32 before = minor_faults();
    u32 pages = grow_stack(255);
    u32 faults = minor_faults() - before;
    lab_check(pages == 256 && faults >= 250 && faults <= 264, "256 pages of stack: %u page faults", faults);
    before = minor_faults();
    grow_stack(255);
    lab_check(minor_faults() == before, "the stack stays as large as it was");
}

static void check_mremap(void)
{
    u8 *memory = mmap(NULL, 4 * PAGE_BYTES, READ_WRITE, ANON);
    u8 *wall = mmap(memory - PAGE_BYTES, PAGE_BYTES, READ_WRITE, ANON);
    for (u32 i = 0; i < 4; i++)
        *word(memory, i) = 100 + i;
    u8 *behind = mmap(memory + 4 * PAGE_BYTES, PAGE_BYTES, PROT_READ, ANON);
    u32 before = minor_faults();
    u8 *moved = mremap(memory, 4 * PAGE_BYTES, 64 * PAGE_BYTES, MREMAP_MAYMOVE);
    bool same = true;
    for (u32 i = 0; i < 4; i++)
        same &= *word(moved, i) == 100 + i;
    lab_check(moved != memory && same, "mremap moves an area from %08lx to %08lx with all its pages",
              (unsigned long)memory, (unsigned long)moved);
    lab_check(minor_faults() == before, "page tables move, not pages: no fault");
    lab_check(mremap(moved, 64 * PAGE_BYTES, 2 * PAGE_BYTES, 0) == moved, "it shrinks where it is");
    munmap(moved, 2 * PAGE_BYTES);
    munmap(wall, PAGE_BYTES);
    munmap(behind, PAGE_BYTES);
}

/* ---- Random calls in a window of pages ---- */

static u8 *window;
static struct {
    bool is_mapped, is_writable;
    u32 value;
} model[WINDOW_PAGES];

static u8 *address_of(u32 page)
{
    return window + page * PAGE_BYTES;
}

static void random_step(void)
{
    u32 first = random_below(WINDOW_PAGES), count = 1 + random_below(min(8u, WINDOW_PAGES - first));
    u32 what = random_below(8), prot = random_below(2) ? READ_WRITE : PROT_READ;
    switch (what) {
    case 0:
        munmap(address_of(first), count * PAGE_BYTES);
        for (u32 i = first; i < first + count; i++)
            model[i].is_mapped = false;
        break;
    case 1:
        mmap(address_of(first), count * PAGE_BYTES, (int)prot, ANON | MAP_FIXED);
        for (u32 i = first; i < first + count; i++) {
            model[i].is_mapped = true;
            model[i].is_writable = prot & PROT_WRITE;
            model[i].value = 0;
        }
        break;
    case 2:
        /* It stops at the first hole. */
        mprotect(address_of(first), count * PAGE_BYTES, (int)prot);
        for (u32 i = first; i < first + count && model[i].is_mapped; i++)
            model[i].is_writable = prot & PROT_WRITE;
        break;
    default:
        for (u32 i = first; i < first + count; i++)
            if (model[i].is_mapped && model[i].is_writable)
                *word(window, i) = model[i].value = random_below(1u << 31);
    }
}

static u32 count_wrong(void)
{
    u32 nr = 0;
    for (u32 i = 0; i < WINDOW_PAGES; i++)
        nr += model[i].is_mapped && *word(window, i) != model[i].value;
    return nr;
}

/* The child goes on by itself for a while; neither may see what the other does. */
static bool child_agrees(void)
{
    int status = -1, pid = fork();
    if (pid == 0) {
        u32 nr = count_wrong();
        random_state += 77;
        for (u32 i = 0; i < STEPS_PER_FORK / 2; i++)
            random_step();
        exit(nr + count_wrong() ? 1 : 0);
    }
    return waitpid(pid, &status, 0) == pid && status == 0;
}

static void check_random(void)
{
    u32 nr_children = 0, nr_good = 0, nr_wrong = 0;
    window = mmap(NULL, WINDOW_PAGES * PAGE_BYTES, 0, ANON);
    munmap(window, WINDOW_PAGES * PAGE_BYTES);
    for (u32 step = 0; step < NR_STEPS; step++) {
        random_step();
        if (step % STEPS_PER_FORK)
            continue;
        nr_children++;
        nr_good += child_agrees();
        nr_wrong += count_wrong();
    }
    lab_check(nr_wrong == 0, "%u random calls: all pages hold what they should", NR_STEPS);
    lab_check(nr_good == nr_children, "so they do in %u children, each of which goes on its own way",
              nr_children);
    munmap(window, WINDOW_PAGES * PAGE_BYTES);
}

int main(void);

int main(void)
{
    (void)minor_faults();
    check_stack();
    check_mremap();
    check_random();
    return (int)lab_status();
}
