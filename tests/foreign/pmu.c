/*
 * A program for Linux that counts a loop twice over: by the processor's own counters, which perf_event_open()
 * sets up and RDPMC reads, and by a region of interest. Prints `instructions N cycles M`, or `no counters`.
 */
#include <linux/perf_event.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { REGION = 1, ROUNDS = 1000000 };

/* Number 1 begins a region of interest, number 2 ends it (docs/markers.md). */
#define marker(number, id)                                                                                   \
    __asm__ volatile(".byte 0x0f, 0x1f, 0x84, 0x00; .long 0x4c410000 + " #number : : "a"(id) : "memory")

static volatile struct perf_event_mmap_page *open_counter(uint64_t event)
{
    struct perf_event_attr attributes = {
        .type = PERF_TYPE_HARDWARE, .size = sizeof attributes, .config = event, .pinned = 1};
    int fd = (int)syscall(SYS_perf_event_open, &attributes, 0, -1, -1, 0);
    if (fd < 0)
        return NULL;
    void *page = mmap(NULL, (size_t)sysconf(_SC_PAGESIZE), PROT_READ, MAP_SHARED, fd, 0);
    return page == MAP_FAILED ? NULL : page;
}

static uint64_t read_counter(uint32_t index)
{
    uint32_t low, high;
    __asm__ volatile("rdpmc" : "=a"(low), "=d"(high) : "c"(index - 1) : "memory");
    return (uint64_t)high << 32 | low;
}

int main(void)
{
    volatile struct perf_event_mmap_page *instructions = open_counter(PERF_COUNT_HW_INSTRUCTIONS);
    volatile struct perf_event_mmap_page *cycles = open_counter(PERF_COUNT_HW_CPU_CYCLES);
    if (!instructions || !cycles || !instructions->cap_user_rdpmc || !instructions->index || !cycles->index) {
        puts("no counters");
        return 0;
    }
    uint32_t at_instructions = instructions->index, at_cycles = cycles->index;
    uint64_t mask = (UINT64_C(1) << instructions->pmc_width) - 1;
    for (int warm = 0; warm < 2; warm++) {
        uint32_t rounds = warm ? ROUNDS : 1000;
        marker(1, REGION);
        uint64_t first = read_counter(at_instructions), first_cycle = read_counter(at_cycles);
        __asm__ volatile("1: dec %0; jnz 1b" : "+r"(rounds) : : "cc");
        uint64_t last = read_counter(at_instructions), last_cycle = read_counter(at_cycles);
        marker(2, REGION);
        if (warm)
            printf("instructions %llu cycles %llu\n", (unsigned long long)((last - first) & mask),
                   (unsigned long long)((last_cycle - first_cycle) & mask));
    }
    return 0;
}
