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
    LK_MARKER_MM_EVENT = 0x12,    /* enum lk_mm_event and its two words */
};

/*
 * What memory management does, for a time line of it (docs/markers.md): EAX is the kind, EDX and ECX are the
 * words that stand behind it. Zones are numbers (0 DMA, 1 Normal, 2 HighMem), and so are watermarks (0 min,
 * 1 low, 2 high).
 */
enum lk_mm_event {
    LK_MM_ALLOC = 1,           /* pfn, order | zone << 8: a block of 1 << order pages is handed out */
    LK_MM_FREE = 2,            /* pfn, order | zone << 8: and given back */
    LK_MM_WATERMARK = 3,       /* pages, mark | zone << 8: where that mark of the zone lies from now on */
    LK_MM_FREE_PAGES = 4,      /* pages, zone << 8: so many are free now */
    LK_MM_BELOW_WATERMARK = 5, /* pages free, mark | zone << 8: they came down to the mark, or below it */
    LK_MM_ABOVE_WATERMARK = 6, /* pages free, mark | zone << 8: they rose above it */
    LK_MM_KSWAPD_WAKE = 7,     /* order, zone << 8: who asked for so much there wakes kswapd */
    LK_MM_KSWAPD_SLEEP = 8,    /* pages reclaimed since it woke, 0 */
    LK_MM_DIRECT_RECLAIM_BEGIN = 9, /* pid, order: a task reclaims for itself */
    LK_MM_DIRECT_RECLAIM_END = 10,  /* pid, pages reclaimed */
    LK_MM_OOM_KILL = 11,            /* pid of who dies, its points in pages */
    LK_MM_MIGRATE = 12,             /* pfn, pfn: what the first frame held is in the second */
    LK_MM_WRITEBACK_BEGIN = 13,     /* pid, pages: dirty pages of files go to the disk */
    LK_MM_WRITEBACK_END = 14,       /* pid, pages written */
    LK_MM_SWAP_OUT = 15,            /* pfn, swap entry: an anonymous page goes to swap */
    LK_MM_SWAP_IN_BEGIN = 16,       /* pid, swap entry: a task waits for a page of its own */
    LK_MM_SWAP_IN_END = 17,         /* pid, swap entry */
    LK_MM_THROTTLE_BEGIN = 18,      /* pid, dirty pages: a writer is stopped */
    LK_MM_THROTTLE_END = 19,        /* pid, dirty pages */
    LK_MM_BLOCK_IO_BEGIN = 20,      /* pid, 0: a task waits for a disk, and for nothing of the above */
    LK_MM_BLOCK_IO_END = 21,        /* pid, 0 */
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

static inline void lk_mm_event(enum lk_mm_event kind, unsigned long edx, unsigned long ecx)
{
    (void)lk_marker(LK_MARKER_MM_EVENT, kind, edx, ecx);
}

static inline void lk_mm_alloc(unsigned long pfn, unsigned int order, unsigned int zone)
{
    lk_mm_event(LK_MM_ALLOC, pfn, order | zone << 8);
}

static inline void lk_mm_free(unsigned long pfn, unsigned int order, unsigned int zone)
{
    lk_mm_event(LK_MM_FREE, pfn, order | zone << 8);
}

static inline void lk_mm_watermark(unsigned int zone, unsigned int mark, unsigned long pages)
{
    lk_mm_event(LK_MM_WATERMARK, pages, mark | zone << 8);
}

static inline void lk_mm_free_pages(unsigned int zone, unsigned long pages)
{
    lk_mm_event(LK_MM_FREE_PAGES, pages, zone << 8);
}

static inline void lk_mm_crosses_watermark(unsigned int zone, unsigned int mark, unsigned long pages,
                                           bool is_below)
{
    lk_mm_event(is_below ? LK_MM_BELOW_WATERMARK : LK_MM_ABOVE_WATERMARK, pages, mark | zone << 8);
}

static inline void lk_mm_kswapd_wake(unsigned int zone, unsigned int order)
{
    lk_mm_event(LK_MM_KSWAPD_WAKE, order, zone << 8);
}

static inline void lk_mm_kswapd_sleep(unsigned long nr_reclaimed)
{
    lk_mm_event(LK_MM_KSWAPD_SLEEP, nr_reclaimed, 0);
}

static inline void lk_mm_direct_reclaim_begin(u32 pid, unsigned int order)
{
    lk_mm_event(LK_MM_DIRECT_RECLAIM_BEGIN, pid, order);
}

static inline void lk_mm_direct_reclaim_end(u32 pid, unsigned long nr_reclaimed)
{
    lk_mm_event(LK_MM_DIRECT_RECLAIM_END, pid, nr_reclaimed);
}

static inline void lk_mm_oom_kill(u32 pid, unsigned long points)
{
    lk_mm_event(LK_MM_OOM_KILL, pid, points);
}

static inline void lk_mm_migrate(unsigned long from_pfn, unsigned long to_pfn)
{
    lk_mm_event(LK_MM_MIGRATE, from_pfn, to_pfn);
}

static inline void lk_mm_writeback_begin(u32 pid, unsigned long nr_pages)
{
    lk_mm_event(LK_MM_WRITEBACK_BEGIN, pid, nr_pages);
}

static inline void lk_mm_writeback_end(u32 pid, unsigned long nr_written)
{
    lk_mm_event(LK_MM_WRITEBACK_END, pid, nr_written);
}

static inline void lk_mm_swap_out(unsigned long pfn, u32 entry)
{
    lk_mm_event(LK_MM_SWAP_OUT, pfn, entry);
}

static inline void lk_mm_swap_in_begin(u32 pid, u32 entry)
{
    lk_mm_event(LK_MM_SWAP_IN_BEGIN, pid, entry);
}

static inline void lk_mm_swap_in_end(u32 pid, u32 entry)
{
    lk_mm_event(LK_MM_SWAP_IN_END, pid, entry);
}

static inline void lk_mm_throttle_begin(u32 pid, unsigned long nr_dirty)
{
    lk_mm_event(LK_MM_THROTTLE_BEGIN, pid, nr_dirty);
}

static inline void lk_mm_throttle_end(u32 pid, unsigned long nr_dirty)
{
    lk_mm_event(LK_MM_THROTTLE_END, pid, nr_dirty);
}

static inline void lk_mm_block_io_begin(u32 pid)
{
    lk_mm_event(LK_MM_BLOCK_IO_BEGIN, pid, 0);
}

static inline void lk_mm_block_io_end(u32 pid)
{
    lk_mm_event(LK_MM_BLOCK_IO_END, pid, 0);
}
