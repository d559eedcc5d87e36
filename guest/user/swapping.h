/* What the labs about swap share: a swap area, memory that can be told, and what /proc counts. */
#pragma once

#include "lab.h"
#include "mman.h"
#include "uproc.h"

#define PAGE_BYTES 4096u
#define PAGE_WORDS (PAGE_BYTES / sizeof(u32))
#define READ_WRITE (PROT_READ | PROT_WRITE)
#define ANON (MAP_PRIVATE | MAP_ANONYMOUS)
#define SWAP_FLAG_PREFER 0x8000u

static inline int swapon(const char *name, u32 flags)
{
    return (int)syscall(__NR_swapon, word_of(name), flags, 0);
}

static inline int swapoff(const char *name)
{
    return (int)syscall(__NR_swapoff, word_of(name), 0, 0);
}

/* What mkswap(8) writes: 1024 bytes for the loader, the version, the last page, no bad ones; a signature. */
static inline bool make_swap(const char *device, u32 nr_pages)
{
    static u32 header[PAGE_WORDS];
    memset(header, 0, sizeof(header));
    header[256] = 1;
    header[257] = nr_pages - 1;
    memcpy((char *)header + PAGE_BYTES - 10, "SWAPSPACE2", 10);
    int fd = open(device, O_WRONLY, 0);
    bool is_written = fd >= 0 && write(fd, header, sizeof(header)) == (long)sizeof(header);
    if (fd >= 0)
        close(fd);
    return is_written;
}

/* The number in the row of a file of /proc that begins with name; 0 without it. */
static inline u32 proc_row(const char *file, const char *name)
{
    long number = number_after(file, name);
    return number < 0 ? 0 : (u32)number;
}

static inline u32 vm_event(const char *name)
{
    return proc_row("/proc/vmstat", name);
}

/* Page faults of this process so far that waited for a disk. */
static inline u32 major_faults(void)
{
    u32 usage[18]; /* struct rusage: ru_majflt is the tenth word */
    return syscall(__NR_getrusage, 0, word_of(usage), 0) ? 0 : usage[9];
}

/* Pages of a range that are in memory, by mincore(). */
static inline u32 pages_in_core(const void *memory, u32 nr_pages)
{
    static unsigned char vector[4096];
    u32 nr = 0;
    if (syscall(__NR_mincore, word_of(memory), nr_pages * PAGE_BYTES, word_of(vector)))
        return ~0u;
    for (u32 i = 0; i < nr_pages; i++)
        nr += vector[i] & 1;
    return nr;
}
