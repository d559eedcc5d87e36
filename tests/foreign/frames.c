/*
 * A program for Linux that says whose the frames of memory are, as the kernel tells by /proc/kpageflags: one
 * line with a count for each kind of owner, and some frames of each. Ends with the line `frames.`
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <unistd.h>

/* Documentation/admin-guide/mm/pagemap.rst of Linux; the last is one of the kernel's own. */
enum { LRU = 5, SLAB = 7, BUDDY = 10, ANON = 12, NO_PAGE = 20, TABLE = 26, RESERVED = 32 };

enum { IS_RESERVED, IS_FREE, IS_SLAB, IS_CACHE, IS_ANON, IS_TABLE, IS_OTHER, NR_KINDS };

static const char *const names[NR_KINDS] = {"reserved",  "free",        "slab", "page cache",
                                            "anonymous", "page tables", "other"};

static int kind_of(uint64_t flags)
{
    static const struct {
        int bit, kind;
    } rules[] = {{NO_PAGE, IS_RESERVED}, {RESERVED, IS_RESERVED}, {BUDDY, IS_FREE}, {SLAB, IS_SLAB},
                 {TABLE, IS_TABLE},      {ANON, IS_ANON},         {LRU, IS_CACHE}};
    for (unsigned i = 0; i < sizeof rules / sizeof *rules; i++)
        if (flags >> rules[i].bit & 1)
            return rules[i].kind;
    return IS_OTHER;
}

int main(void)
{
    enum { EACH = 200, MAX_SAMPLES = 12 };
    static uint64_t flags[512];
    unsigned count[NR_KINDS] = {0}, nr_samples[NR_KINDS] = {0};
    int fd = open("/proc/kpageflags", O_RDONLY);
    ssize_t nr_bytes;
    uint64_t pfn = 0;
    while (fd >= 0 && (nr_bytes = read(fd, flags, sizeof flags)) > 0) {
        for (unsigned i = 0; i < (size_t)nr_bytes / sizeof *flags; i++, pfn++) {
            int kind = kind_of(flags[i]);
            if (count[kind]++ % EACH == 0 && nr_samples[kind]++ < MAX_SAMPLES)
                printf("frame %llx: %s\n", (unsigned long long)pfn, names[kind]);
        }
    }
    for (int kind = 0; kind < NR_KINDS; kind++)
        printf("%s %u%s", names[kind], count[kind], kind == NR_KINDS - 1 ? "\n" : ", ");
    puts("frames.");
    return 0;
}
