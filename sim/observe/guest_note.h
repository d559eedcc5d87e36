/*
 * Reads a guest kernel's own structures through the table in its ELF note (docs/guest-note.md), from guest
 * RAM and with no effect on it. Table and structures are a stranger's: every address is checked against RAM,
 * every count against a limit, and what does not hold is simply not there.
 */
#ifndef LK_SIM_OBSERVE_GUEST_NOTE_H
#define LK_SIM_OBSERVE_GUEST_NOTE_H

#include "sim/base/ram.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    GUEST_NOTE_VERSION = 4,
    GUEST_MAX_ZONES = 8,
    GUEST_MAX_ORDERS = 16,
    GUEST_NR_WATERMARKS = 3,
    GUEST_NAME_CHARS = 17,
    GUEST_PATH_CHARS = 96,
    GUEST_MAX_AREAS = 256
};

/* The owner byte of a page descriptor. */
enum guest_owner {
    GUEST_OWNER_RESERVED,
    GUEST_OWNER_FREE,
    GUEST_OWNER_KERNEL,
    GUEST_OWNER_SLAB,
    GUEST_OWNER_PAGE_CACHE,
    GUEST_OWNER_ANON,
    GUEST_OWNER_PAGE_TABLE,
    GUEST_OWNER_CMA,
    GUEST_OWNER_DMA,
    NR_GUEST_OWNERS,
};

struct guest_note {
#define NOTE_FIELD(name) uint32_t name;
#include "sim/observe/guest_note.def"
#undef NOTE_FIELD
};

/* Takes the note's contents. NULL when they can be used, else why they cannot: "the note ...". */
const char *guest_note_parse(struct guest_note *note, const void *bytes, size_t nr_bytes);

/* The array of page descriptors, as far as it lies in RAM. */
struct guest_mem_map {
    struct paddr at;
    uint64_t nr_pages;
};

/* False while the guest has not made the array yet. */
bool guest_note_mem_map(const struct guest_note *note, const struct ram *ram, struct guest_mem_map *map);

/* The owner of frame `pfn` < map->nr_pages; an unknown value counts as GUEST_OWNER_KERNEL. */
enum guest_owner guest_note_owner(const struct guest_note *note, const struct ram *ram,
                                  const struct guest_mem_map *map, pfn_t pfn);

/* Whether frame `pfn` < map->nr_pages is the first of a free block in the buddy system; then its order. */
bool guest_note_free_block(const struct guest_note *note, const struct ram *ram,
                           const struct guest_mem_map *map, pfn_t pfn, unsigned *order);

struct guest_zone {
    char name[GUEST_NAME_CHARS]; /* printable ASCII */
    pfn_t start_pfn;
    uint64_t spanned_pages, present_pages, managed_pages;
    uint64_t free_pages;                           /* in the buddy system or on the CPU's list */
    uint64_t watermark_pages[GUEST_NR_WATERMARKS]; /* min, low, high */
    /*
     * Where two of the kernel's own numbers lie, each of word_bytes: how many pages are in the buddy system,
     * which is what it compares with the watermarks, and the first of these.
     */
    struct paddr buddy_pages_at, watermarks_at;
    unsigned word_bytes; /* 0: not known */
    unsigned nr_orders;
    uint32_t nr_free_blocks[GUEST_MAX_ORDERS]; /* by order */
};

/* Zone `index` < GUEST_MAX_ZONES. False when there is none, or it has no pages. */
bool guest_note_zone(const struct guest_note *note, const struct ram *ram, unsigned index,
                     struct guest_zone *zone);

struct guest_task {
    uint32_t pid, parent_pid;
    uint64_t mm;       /* address of its address space; 0: a kernel thread */
    uint64_t root;     /* physical address of its topmost page table; 0: not known */
    uint64_t nr_pages; /* of its areas; 0: not known */
    char state;        /* R S D T Z ..., as ps has it; 0: not known */
    char name[GUEST_NAME_CHARS];
};

/* The task that the kernel thinks is running. False before it has one. */
bool guest_note_current_task(const struct guest_note *note, const struct ram *ram, struct guest_task *task);

/* Calls `each` for every task of the kernel's list until it says false; an endless list ends somewhere. */
void guest_note_tasks(const struct guest_note *note, const struct ram *ram,
                      bool (*each)(void *opaque, const struct guest_task *task), void *opaque);

enum guest_area_kind { GUEST_AREA_OTHER, GUEST_AREA_CODE, GUEST_AREA_HEAP, GUEST_AREA_STACK };
enum { GUEST_AREA_READ = 1, GUEST_AREA_WRITE = 2, GUEST_AREA_EXECUTE = 4 };

/* A virtual memory area of a process. */
struct guest_area {
    uint64_t start, end;
    uint8_t rights; /* GUEST_AREA_* */
    bool is_shared;
    enum guest_area_kind kind;
    uint64_t file_offset;
    char path[GUEST_PATH_CHARS]; /* of the file that it maps, or the end of it; "": none, or not known */
};

/*
 * The areas of a task's address space by their addresses, the first GUEST_MAX_AREAS of them. Returns how
 * many; 0 also for a kernel thread, and when the kernel's table does not say where they are.
 */
unsigned guest_note_areas(const struct guest_note *note, const struct ram *ram, const struct guest_task *task,
                          struct guest_area area[GUEST_MAX_AREAS]);

#endif
