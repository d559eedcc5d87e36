/*
 * A14. The same processes come and go in the same memory, twice: each as one segment, which lies where
 * there is a hole that is large enough, and each as pages, which lie anywhere.
 */
#include "asm/irqflags.h"
#include "asm/pgtable.h"
#include "bug.h"
#include "lab.h"
#include "mm.h"
#include "segment.h"
#include "string.h"
#include "vmalloc.h"

enum {
    MEMORY_ORDER = 9,
    MEMORY_PAGES = 1 << MEMORY_ORDER,
    NR_PROCESSES = 24, /* at a time, at most */
    NR_EVENTS = 600,
    MOST_BYTES = 190000,
};
#define MEMORY_BYTES (MEMORY_PAGES * PAGE_SIZE)

static char *memory; /* MEMORY_BYTES of it, one block */

struct process {
    u32 bytes;                         /* 0: none */
    u32 tag;                           /* what it writes into its memory */
    u32 start;                         /* as a segment: in bytes from the beginning of the memory */
    u16 frames[MOST_BYTES / 4096 + 1]; /* as pages: which page of the memory is its page 0, 1 ... */
};
static struct process processes[NR_PROCESSES];
static bool is_taken[MEMORY_PAGES];

/* What came out: the events at which there was too little, and what was wasted then. */
struct outcome {
    u32 nr_started;
    u32 nr_refused;         /* no place, though enough bytes were free */
    u32 nr_full;            /* not enough bytes were free at all */
    u32 largest_hole_bytes; /* at the last refusal */
    u32 free_bytes;         /* at that time */
    u64 lost_bytes_sum;     /* in last pages that are used in part, summed over the events */
    u64 taken_bytes_sum;
};

static u32 random_state;

static u32 random_below(u32 limit)
{
    random_state = random_state * 1664525u + 1013904223u;
    return (u32)(((u64)random_state * limit) >> 32);
}

/* ---- Segments ---- */

/* The process whose segment begins next at or behind `from`, or NULL. */
static const struct process *next_segment(u32 from)
{
    const struct process *next = NULL;
    for (u32 i = 0; i < NR_PROCESSES; i++) {
        const struct process *p = &processes[i];
        if (p->bytes && p->start >= from && (!next || p->start < next->start))
            next = p;
    }
    return next;
}

/* The first hole that has room (first fit); *largest is the largest of all. False: there is none. */
static bool find_hole(u32 bytes, u32 *start, u32 *largest)
{
    bool is_found = false;
    u32 at = 0;
    *largest = 0;
    for (;;) {
        const struct process *next = next_segment(at);
        u32 hole = (next ? next->start : (u32)MEMORY_BYTES) - at;
        *largest = max(*largest, hole);
        if (hole >= bytes && !is_found) {
            is_found = true;
            *start = at;
        }
        if (!next)
            return is_found;
        at = next->start + next->bytes;
    }
}

/* The processor uses it: through FS, with the segment's base and limit in a descriptor. */
static void load_segment(const struct process *p)
{
    struct desc_struct desc =
        make_desc((u32)memory + p->start, p->bytes - 1, DESC_KERNEL_DATA & ~DESC_PAGE_GRANULAR);
    set_gdt_entry(LAB_GDT_ENTRY, desc);
    BUG_ON(!load_fs(SELECTOR(LAB_GDT_ENTRY, 0)));
}

static void use_segment(const struct process *p)
{
    load_segment(p);
    for (u32 offset = 0; offset + 4 <= p->bytes; offset += 4096)
        __asm__ volatile("movl %0, %%fs:(%1)" ::"r"(p->tag), "r"(offset) : "memory");
    load_fs(0);
}

static bool segment_is_intact(const struct process *p)
{
    bool is_intact = true;
    load_segment(p);
    for (u32 offset = 0; offset + 4 <= p->bytes; offset += 4096)
        is_intact &= fs_holds(offset, p->tag);
    load_fs(0);
    return is_intact;
}

static bool start_as_segment(struct process *p, struct outcome *outcome)
{
    u32 largest;
    if (!find_hole(p->bytes, &p->start, &largest)) {
        outcome->largest_hole_bytes = largest;
        return false;
    }
    return true;
}

/* ---- Pages ---- */

static u32 nr_frames(const struct process *p)
{
    return (p->bytes + (u32)PAGE_SIZE - 1) / (u32)PAGE_SIZE;
}

static bool start_as_pages(struct process *p, struct outcome *outcome)
{
    u32 nr_free = 0, nr = 0;
    for (u32 i = 0; i < MEMORY_PAGES; i++)
        nr_free += !is_taken[i];
    outcome->largest_hole_bytes = nr_free * (u32)PAGE_SIZE;
    if (nr_free < nr_frames(p))
        return false;
    for (u32 i = 0; nr < nr_frames(p); i++) {
        if (is_taken[i])
            continue;
        is_taken[i] = true;
        p->frames[nr++] = (u16)i;
    }
    return true;
}

static u32 *map_process(const struct process *p)
{
    struct page *pages[MOST_BYTES / 4096 + 1];
    for (u32 i = 0; i < nr_frames(p); i++)
        pages[i] = virt_to_page(memory + p->frames[i] * PAGE_SIZE);
    u32 *mapped = vmap(pages, nr_frames(p), PAGE_KERNEL);
    BUG_ON(mapped == NULL);
    return mapped;
}

static void use_pages(const struct process *p)
{
    u32 *mapped = map_process(p);
    for (u32 i = 0; i < nr_frames(p); i++)
        mapped[i * PAGE_SIZE / 4] = p->tag;
    vunmap(mapped);
}

static bool pages_are_intact(const struct process *p)
{
    u32 *mapped = map_process(p);
    bool is_intact = true;
    for (u32 i = 0; i < nr_frames(p); i++)
        is_intact &= mapped[i * PAGE_SIZE / 4] == p->tag;
    vunmap(mapped);
    return is_intact;
}

/* ---- The sequence ---- */

struct way {
    const char *region;
    bool (*start)(struct process *p, struct outcome *outcome);
    void (*use)(const struct process *p);
    bool (*is_intact)(const struct process *p);
    bool in_pages;
};

static u32 taken_bytes(void)
{
    u32 sum = 0;
    for (u32 i = 0; i < NR_PROCESSES; i++)
        sum += processes[i].bytes;
    return sum;
}

static void end(struct process *p, bool in_pages)
{
    for (u32 i = 0; in_pages && i < nr_frames(p); i++)
        is_taken[p->frames[i]] = false;
    p->bytes = 0;
}

static void begin(struct process *p, const struct way *way, struct outcome *outcome, u32 bytes)
{
    u32 free_bytes = (u32)MEMORY_BYTES - taken_bytes();
    p->bytes = 0;
    struct process wanted = {.bytes = bytes, .tag = p->tag + 1};
    if (!way->start(&wanted, outcome)) {
        outcome->nr_refused += free_bytes >= bytes;
        outcome->nr_full += free_bytes < bytes;
        outcome->free_bytes = free_bytes;
        return;
    }
    *p = wanted;
    outcome->nr_started++;
    way->use(p);
}

/*
 * Returns whether every process found at its end what it had written. The events depend on nothing but
 * numbers.
 */
static bool run_sequence(const struct way *way, struct outcome *outcome)
{
    bool is_intact = true;
    *outcome = (struct outcome){0};
    memset(processes, 0, sizeof(processes));
    memset(is_taken, 0, sizeof(is_taken));
    random_state = 5;
    for (u32 event = 0; event < NR_EVENTS; event++) {
        struct process *p = &processes[random_below(NR_PROCESSES)];
        u32 bytes = 1000 + random_below(MOST_BYTES - 1000);
        if (p->bytes) {
            is_intact &= way->is_intact(p);
            end(p, way->in_pages);
        }
        begin(p, way, outcome, bytes);
        for (u32 i = 0; i < NR_PROCESSES; i++) {
            outcome->taken_bytes_sum += processes[i].bytes;
            if (way->in_pages)
                outcome->lost_bytes_sum += nr_frames(&processes[i]) * PAGE_SIZE - processes[i].bytes;
        }
    }
    for (u32 i = 0; i < NR_PROCESSES; i++)
        end(&processes[i], way->in_pages);
    return is_intact;
}

static void report(const char *what, const struct outcome *outcome)
{
    lab_say("%s: %u processes started; %u refused, with too little memory free; %u refused, though there was "
            "enough",
            what, outcome->nr_started, outcome->nr_full, outcome->nr_refused);
}

static void segmentation(void)
{
    static const struct way as_segments = {.region = "as segments",
                                           .start = start_as_segment,
                                           .use = use_segment,
                                           .is_intact = segment_is_intact},
                            as_pages = {.region = "as pages",
                                        .start = start_as_pages,
                                        .use = use_pages,
                                        .is_intact = pages_are_intact,
                                        .in_pages = true};
    struct outcome segments, pages;
    struct lab_region region;
    memory = (char *)__get_free_pages(GFP_KERNEL, MEMORY_ORDER);
    BUG_ON(memory == NULL);
    lab_say("%u times one of %u processes ends and another begins, of up to %u bytes, in %lu KiB of memory",
            NR_EVENTS, NR_PROCESSES, MOST_BYTES, MEMORY_BYTES >> 10);

    unsigned long flags = local_irq_save();
    lab_region_begin(&region, as_segments.region);
    bool is_intact = run_sequence(&as_segments, &segments);
    lab_region_end(&region);
    set_gdt_entry(LAB_GDT_ENTRY, (struct desc_struct){0});
    local_irq_restore(flags);
    report("as segments", &segments);
    lab_check(is_intact, "each found in its segment what it had written, by base and limit");

    lab_region_begin(&region, as_pages.region);
    is_intact = run_sequence(&as_pages, &pages);
    lab_region_end(&region);
    report("as pages", &pages);
    lab_check(is_intact, "each found in its pages what it had written, though they lay anywhere");

    lab_check(segments.nr_refused > 0 && segments.largest_hole_bytes < segments.free_bytes,
              "external fragmentation: %u segments found no hole; at last %u bytes were free, the largest "
              "hole had %u",
              segments.nr_refused, segments.free_bytes, segments.largest_hole_bytes);
    lab_check(pages.nr_refused < segments.nr_refused && pages.nr_started > segments.nr_started,
              "of the same sequence, %u more processes could start as pages",
              pages.nr_started - segments.nr_started);
    lab_check(segments.lost_bytes_sum == 0 && pages.lost_bytes_sum > 0,
              "internal fragmentation: a segment is as large as its process, the last page is used in part");
    lab_figure("lost in last pages, of what processes had", pages.lost_bytes_sum * 100,
               (u32)(pages.taken_bytes_sum >> 10) << 10, "%");
    free_pages((unsigned long)memory, MEMORY_ORDER);
}
LAB("segmentation", segmentation);
