/*
 * Markers: how the guest talks to the simulator it may be running on.
 *
 * A marker is `nop dword [eax+eax+imm32]` (0F 1F 84 00 imm32) with imm32 = 4C41nnnnh. It changes nothing on
 * hardware and on QEMU, is legal in every ring, and costs one NOP. Arguments go in EAX, EDX, ECX; strings
 * are NUL-terminated and named by their linear address. User programs may use this file too.
 */
#pragma once

#include "types.h"

enum lk_marker {
    LK_MARKER_PROBE = 0x00,       /* EAX stays -1 unless a simulator answers */
    LK_MARKER_ROI_BEGIN = 0x01,   /* id */
    LK_MARKER_ROI_END = 0x02,     /* id */
    LK_MARKER_MARK = 0x03,        /* id, string */
    LK_MARKER_EXIT = 0x07,        /* status */
    LK_MARKER_PANIC = 0x08,       /* string */
    LK_MARKER_NAME_REGION = 0x10, /* linear address, length in bytes, string */
    LK_MARKER_NAME_TASK = 0x11,   /* physical address of the page directory, string */
    LK_MARKER_MM_EVENT = 0x12,    /* kind, pfn, order | zone << 8 */
};

enum lk_mm_event {
    LK_MM_ALLOC = 1, /* a block of 1 << order pages was handed out */
    LK_MM_FREE = 2,  /* and given back */
};

#define lk_marker(number, a, d, c)                                                                           \
    ({                                                                                                       \
        u32 lk_eax = (u32)(a);                                                                               \
        __asm__ volatile(".byte 0x0f, 0x1f, 0x84, 0x00\n\t.long 0x4c410000 + %c[nr]"                         \
                         : "+a"(lk_eax)                                                                      \
                         : [nr] "i"(number), "d"((u32)(d)), "c"((u32)(c))                                    \
                         : "memory");                                                                        \
        lk_eax;                                                                                              \
    })

static inline void lk_mark(u32 id, const char *name)
{
    (void)lk_marker(LK_MARKER_MARK, id, (uintptr_t)name, 0);
}

static inline void lk_roi_begin(u32 id)
{
    (void)lk_marker(LK_MARKER_ROI_BEGIN, id, 0, 0);
}

static inline void lk_roi_end(u32 id)
{
    (void)lk_marker(LK_MARKER_ROI_END, id, 0, 0);
}

/* Whether this runs on lookaside. */
static inline bool lk_probe(void)
{
    return lk_marker(LK_MARKER_PROBE, -1, 0, 0) != (u32)-1;
}

/* Ends the run with this exit status, 0 to 63; elsewhere it does nothing. */
static inline void lk_exit(u32 status)
{
    (void)lk_marker(LK_MARKER_EXIT, status, 0, 0);
}

static inline void lk_panic(const char *text)
{
    (void)lk_marker(LK_MARKER_PANIC, (uintptr_t)text, 0, 0);
}

static inline void lk_name_region(const void *start, size_t bytes, const char *name)
{
    (void)lk_marker(LK_MARKER_NAME_REGION, (uintptr_t)start, bytes, (uintptr_t)name);
}

static inline void lk_name_task(u32 pgd_paddr, const char *name)
{
    (void)lk_marker(LK_MARKER_NAME_TASK, pgd_paddr, (uintptr_t)name, 0);
}

static inline void lk_mm_event(enum lk_mm_event kind, unsigned long pfn, unsigned int order,
                               unsigned int zone)
{
    (void)lk_marker(LK_MARKER_MM_EVENT, kind, pfn, order | zone << 8);
}
