/*
 * F3. Where glibc's malloc takes memory from: small pieces from the heap (brk), which keeps what is freed,
 * large ones from mmap, which gives it back; and how a program changes that. Its lines are those of
 * guest/include/lab.h. docs/labs.md has the lab.
 */
#include <errno.h>
#include <malloc.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include "lab_program.h"

#define PAGE_BYTES 4096u
#define SMALL_BYTES (100u << 10)
#define LARGE_BYTES (256u << 10)
#define LARGE_PAGES ((long)(LARGE_BYTES / PAGE_BYTES))
#define THRESHOLD_BYTES (128 << 10)

/* Writes a word of each page; returns how many page faults that took. */
static long touch(char *memory, size_t bytes, const char *region)
{
    static uint32_t id = 256;
    struct rusage before, after;
    /* What is not in memory a marker does not find. */
    volatile size_t length = strlen(region);
    (void)length;
    getrusage(RUSAGE_SELF, &before);
    marker_3(id, region);
    marker_1(id);
    for (size_t i = 0; i < bytes; i += PAGE_BYTES)
        *(volatile uint32_t *)(memory + i) = (uint32_t)i;
    marker_2(id++);
    getrusage(RUSAGE_SELF, &after);
    return after.ru_minflt - before.ru_minflt;
}

static int is_in_heap(const char *memory)
{
    return memory < (char *)sbrk(0) && memory >= (char *)sbrk(0) - (64 << 20);
}

/* The kernel is asked, which reads a file's name there, or cannot. */
static int is_mapped(uintptr_t address)
{
    return access((const char *)address, F_OK) == 0 || errno != EFAULT;
}

/* A piece behind it keeps it from the end of the heap, where more happens. */
static void check_small(void)
{
    char *small = malloc(SMALL_BYTES), *behind = malloc(64);
    check(is_in_heap(small) && is_in_heap(behind), "malloc(100 KiB) is %p, below the end of the heap, %p",
          (void *)small, sbrk(0));
    long first = touch(small, SMALL_BYTES, "100 KiB of the heap, first");
    check(first >= 24 && first <= 26, "writing to it takes %ld page faults", first);
    char *end = sbrk(0);
    volatile uintptr_t was_at = (uintptr_t)small;
    free(small);
    check(sbrk(0) == end && is_mapped(was_at), "free keeps it: the heap ends where it did, and it is mapped");
    char *again = malloc(SMALL_BYTES);
    long faults = touch(again, SMALL_BYTES, "100 KiB of the heap, again");
    check((uintptr_t)again == was_at && faults == 0,
          "the next malloc gives the same, and writing takes %ld page faults", faults);
    free(again);
    free(behind);
}

static void check_large(void)
{
    char *large = malloc(LARGE_BYTES);
    check(!is_in_heap(large), "malloc(256 KiB) is %p, not in the heap: from mmap", (void *)large);
    long first = touch(large, LARGE_BYTES, "256 KiB of mmap's, first");
    check(first >= LARGE_PAGES - 1 && first <= LARGE_PAGES + 1, "writing to it takes %ld page faults", first);
    volatile uintptr_t was_at = (uintptr_t)large;
    free(large);
    check(!is_mapped(was_at), "free gives it back: nothing is mapped there");
    /* glibc learns: who frees such a piece will ask for one again. */
    char *again = malloc(LARGE_BYTES);
    check(is_in_heap(again), "the next one is %p, from the heap: the threshold has become 256 KiB",
          (void *)again);
    free(again);
    /* What the heap has it gives before the threshold matters. */
    malloc_trim(0);
    mallopt(M_MMAP_THRESHOLD, THRESHOLD_BYTES);
    again = malloc(LARGE_BYTES);
    check(!is_in_heap(again), "with M_MMAP_THRESHOLD 128 KiB, it does not change any more: %p",
          (void *)again);
    long faults = touch(again, LARGE_BYTES, "256 KiB of mmap's, again");
    check(faults >= LARGE_PAGES - 1, "writing to it takes %ld page faults again", faults);
    free(again);
}

/* Pieces up to the end of the heap, freed: whether the end comes back. */
static long fall_of_heap(int trim_threshold)
{
    char *pieces[16];
    mallopt(M_TRIM_THRESHOLD, trim_threshold);
    for (unsigned i = 0; i < 16; i++)
        pieces[i] = malloc(SMALL_BYTES);
    char *end = sbrk(0);
    for (unsigned i = 16; i-- > 0;)
        free(pieces[i]);
    return end - (char *)sbrk(0);
}

static void check_trim(void)
{
    long kept = fall_of_heap(64 << 20), given_back = fall_of_heap(THRESHOLD_BYTES);
    check(kept == 0, "with M_TRIM_THRESHOLD 64 MiB, 1600 KiB that are freed at the heap's end stay");
    check(given_back > 1 << 20, "with 128 KiB, the heap ends %ld KiB earlier", given_back >> 10);
}

static void check_mmap_max(void)
{
    mallopt(M_MMAP_MAX, 0);
    char *large = malloc(1 << 20);
    check(large && is_in_heap(large), "with M_MMAP_MAX 0, malloc(1 MiB) is from the heap, %p", (void *)large);
    free(large);
    mallopt(M_MMAP_MAX, 65536);
}

static void check_locked(void)
{
    check(mlockall(MCL_CURRENT | MCL_FUTURE) == 0, "mlockall for what is there and what comes");
    char *large = malloc(LARGE_BYTES);
    long faults = touch(large, LARGE_BYTES, "256 KiB of mmap's, locked");
    check(!is_in_heap(large) && faults == 0, "malloc(256 KiB) of mmap's: writing to it takes %ld page faults",
          faults);
    free(large);
    munlockall();
}

int main(void)
{
    static char buffer[1024];
    setvbuf(stdout, buffer, _IOLBF, sizeof buffer);
    /* What the first calls need comes in now. */
    touch(buffer, 1, "nothing");
    check_small();
    check_large();
    check_trim();
    check_mmap_max();
    check_locked();
    return nr_failed ? 1 : 0;
}
