/* What /proc/PID/smaps says of all areas of a process together, and of the C library's code; KiB. */
#pragma once

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

struct sizes {
    long vss, rss, pss, uss;
    long libc_rss, libc_pss, libc_private; /* of the C library's code */
};

static inline struct sizes sizes_of(int pid)
{
    char line[512], kind[8] = "";
    struct sizes sizes = {0};
    bool is_libc = false;
    snprintf(line, sizeof(line), "/proc/%d/smaps", pid);
    FILE *smaps = fopen(line, "r");
    while (smaps && fgets(line, sizeof(line), smaps)) {
        long kbytes;
        if (sscanf(line, "%*x-%*x %7s", kind) == 1 && strchr(line, '-') < strchr(line, ' '))
            is_libc = strstr(line, "libc") && strcmp(kind, "r-xp") == 0;
        else if (sscanf(line, "Size: %ld", &kbytes) == 1)
            sizes.vss += kbytes;
        else if (sscanf(line, "Rss: %ld", &kbytes) == 1) {
            sizes.rss += kbytes;
            sizes.libc_rss += is_libc ? kbytes : 0;
        } else if (sscanf(line, "Pss: %ld", &kbytes) == 1) {
            sizes.pss += kbytes;
            sizes.libc_pss += is_libc ? kbytes : 0;
        } else if (sscanf(line, "Private_Clean: %ld", &kbytes) == 1 ||
                   sscanf(line, "Private_Dirty: %ld", &kbytes) == 1) {
            sizes.uss += kbytes;
            sizes.libc_private += is_libc ? kbytes : 0;
        }
    }
    if (smaps)
        fclose(smaps);
    return sizes;
}
