/*
 * The numbers behind the window's picture: a snapshot of a machine, plain data with no pointer into it. The
 * same machine gives the same snapshot on every host; no host time comes in here.
 */
#ifndef LK_SIM_OBSERVE_VIEW_MODEL_H
#define LK_SIM_OBSERVE_VIEW_MODEL_H

#include "sim/observe/guest_kernel.h"
#include "sim/observe/view_history.h"
#include "sim/observe/view_source.h"

enum view_owner {
#define OWNER(id, name, colour) VIEW_OWNER_##id,
#include "sim/observe/view_owners.def"
#undef OWNER
    NR_VIEW_OWNERS,
};

enum {
    VIEW_MAX_CELLS = 8192, /* of one TLB array or cache; of a larger one every n-th set is shown */
    VIEW_NAME_CHARS = 64,
    VIEW_PLACE_CHARS = 48,
    VIEW_MAX_AREAS = 64, /* of an address space */
    VIEW_AREA_CELLS = 64,
    VIEW_AREA_NAME_CHARS = 16,
    VIEW_CONSOLE_LINES = 60, /* the last ones; a panel shows as many as it has room for */
};

struct view_zone {
    struct guest_zone guest;
    bool has_counts;        /* the kernel told: free pages, watermarks, free blocks */
    pfn_t start, nr_frames; /* clipped to RAM */
};

struct view_memory {
    bool is_from_note; /* owners are the kernel's own; else found from page tables and contents */
    pfn_t nr_frames;
    uint8_t *owner; /* enum view_owner by frame */
    /* By frame: the order of the free block that it lies in, where the kernel tells; 0 for all others. */
    uint8_t *free_order;
    uint64_t nr_by_owner[NR_VIEW_OWNERS];
    unsigned nr_zones;
    struct view_zone zone[GUEST_MAX_ZONES];
};

/* A process, or an address space of which no more is known. */
struct view_process {
    uint64_t root; /* physical address of its topmost page table */
    bool has_task; /* the kernel told */
    struct guest_task task;
    uint64_t nr_frames; /* in RAM that its tables let the user reach, those shared with others among them */
    uint64_t nr_tables; /* frames of page tables that are its own */
};

enum { VIEW_MAX_PROCESSES = 60 };

/* Whose a frame is: view_model.frame_process. */
enum {
    VIEW_FRAME_NOBODYS = 0,
    VIEW_FRAME_FIRST = 1,               /* and more: of process 0, 1, ... alone */
    VIEW_FRAME_SHARED = 0x7f,           /* by several */
    VIEW_FRAME_PROCESS = 0x7f,          /* the bits that say so */
    VIEW_FRAME_OF_THE_SHOWN_ONE = 0x80, /* of the process that is shown, alone or with others */
};

struct view_processes {
    unsigned nr;
    unsigned shown; /* whose address space is shown; `nr`: none */
    bool is_chosen; /* by the user */
    struct view_process process[VIEW_MAX_PROCESSES];
};

enum { VIEW_AREA_READ = 1, VIEW_AREA_WRITE = 2, VIEW_AREA_EXECUTE = 4, VIEW_AREA_USER = 8 };

struct view_area_cell {
    uint32_t nr_pages, nr_present;
    uint8_t owner; /* of most of those that are there */
};

/* A virtual memory area, or a stretch of pages that are mapped. */
struct view_area {
    uint64_t start, end;
    uint8_t rights;                  /* VIEW_AREA_* */
    char name[VIEW_AREA_NAME_CHARS]; /* "heap"; may be empty */
    uint64_t nr_present;             /* pages */
    unsigned nr_cells;
    struct view_area_cell cell[VIEW_AREA_CELLS]; /* equal parts of it, in order */
};

/* The address space that CR3 names. */
struct view_space {
    bool is_paging;
    bool has_areas; /* user areas are the kernel's own; else found from page tables */
    bool is_cut;    /* there are more than VIEW_MAX_AREAS */
    uint64_t root;  /* physical address of the topmost table */
    uint64_t nr_user_pages, nr_tables;
    unsigned nr_areas;
    struct view_area area[VIEW_MAX_AREAS]; /* by address */
};

/*
 * Which of a set-associative structure's cells are in the snapshot: set s * set_step, ways from the most
 * recent on.
 */
struct view_shape {
    uint64_t nr_sets, nr_ways;
    uint64_t set_step, shown_sets, shown_ways;
};

struct view_tlb_cell {
    uint64_t page_number, frame;
    bool is_valid;
    uint8_t flags; /* TLB_* */
    uint8_t page;  /* TLB_PAGE_* */
};

struct view_tlb_array {
    struct view_shape shape;
    bool is_shown; /* false: so many ways that ranking them would hold up the window; no cells, nr_valid 0 */
    unsigned pages;
    uint64_t nr_valid;
    struct view_tlb_cell cell[VIEW_MAX_CELLS]; /* by shown set, then way */
};

struct view_tlb {
    bool is_there;
    unsigned nr_arrays;
    struct tlb_stats stats;
    struct view_tlb_array array[TLB_MAX_ARRAYS];
};

struct view_cache_cell {
    uint64_t line;
    bool is_valid, is_dirty;
    uint8_t owner; /* of the frame it lies in */
};

struct view_cache {
    bool is_there;
    struct view_shape shape;
    uint64_t line_bytes;
    uint64_t nr_valid, nr_dirty;
    struct cache_stats stats;
    struct view_cache_cell cell[VIEW_MAX_CELLS];
};

struct view_cpu {
    bool is_there;
    bool is_timed;
    cycle_t now;
    uint64_t rip, cr2;
    uint16_t cs;
    unsigned cpl;
    struct paging_mode mode;
    struct cpu_stats stats;
    struct mmu_stats mmu_stats;
    struct walk walk;
    uint64_t nr_walks_seen;
    cycle_t cpi_stack[NR_REASONS];
    bool has_fault;
    struct cpu_fault_record fault; /* the latest exception */
};

/* Who moves bytes without the core. */
enum view_mover {
    VIEW_MOVER_CHANNEL_0,
    VIEW_MOVER_CHANNEL_1,
    VIEW_MOVER_CHANNEL_2,
    VIEW_MOVER_CHANNEL_3,
    VIEW_MOVER_IDE,
    VIEW_MOVER_ISA,
    NR_VIEW_MOVERS
};

struct view_dma {
    bool is_there;
    uint64_t mover_bytes[NR_VIEW_MOVERS];
    uint64_t snoops, interventions, lines_invalidated;
    uint64_t nr_stale; /* places where caches and memory differed */
};

/* A table of a walk: how many entries of each of equal parts of it are present. */
enum { VIEW_TABLE_PARTS = 64, VIEW_NR_NEIGHBOURS = 3 };
struct view_table {
    /* The entry that is read between its neighbours; at the ends of the table it is the first or the last. */
    unsigned first_neighbour;
    uint64_t neighbour[VIEW_NR_NEIGHBOURS];
    uint16_t nr_present; /* of all */
    uint16_t nr_entries;
    uint8_t present[VIEW_TABLE_PARTS];
};

/* A page walk that was looked up for the user, with no effect on the machine. */
struct view_focus {
    bool is_there, is_mapped;
    struct walk walk;
    struct paddr physical;
    struct view_table table[WALK_MAX_STEPS]; /* in which step i reads its entry */
};

/* A frame that has another owner than when the user let the machine go on. */
struct view_change {
    pfn_t pfn;
    uint8_t before, after; /* enum view_owner */
};
enum { VIEW_MAX_CHANGES = 8 };
struct view_changes {
    uint64_t nr;
    struct view_change first[VIEW_MAX_CHANGES]; /* those with the lowest frames */
};

struct view_console {
    bool is_there;
    unsigned nr_lines;
    char line[VIEW_CONSOLE_LINES][CONSOLE_MAX_COLUMNS + 1];
    unsigned cursor_line, cursor_column; /* cursor_line = nr_lines: not in sight */
};

enum view_tlb_name { VIEW_ITLB, VIEW_DTLB, VIEW_L2_TLB, NR_VIEW_TLBS };
enum view_cache_name { VIEW_L1I, VIEW_L1D, VIEW_L2, VIEW_L3, NR_VIEW_CACHES };

struct view_model {
    char image_name[VIEW_NAME_CHARS], config_name[VIEW_NAME_CHARS];
    uint64_t clock_hz;
    bool is_paused;
    const char *end; /* how the guest has ended; NULL: it has not */
    struct view_cpu cpu;
    struct view_memory memory;
    struct view_processes processes;
    uint8_t *frame_process; /* by frame: VIEW_FRAME_* */
    struct view_changes changes;
    uint8_t *is_changed;          /* by frame */
    char place[VIEW_PLACE_CHARS]; /* of the next instruction: "do_page_fault+0x15"; may be empty */
    struct view_space space;
    struct view_tlb tlb[NR_VIEW_TLBS];
    struct view_cache cache[NR_VIEW_CACHES];
    struct view_dma dma;
    struct view_focus focus;
    struct view_vga vga;
    uint8_t *heat; /* by frame: lines that caches hold and took in lately; NULL without caches */
    bool has_dram;
    struct dram_stats dram;
    bool has_task;
    struct guest_task task;
    struct view_console console;
    struct view_history history;
};

/* NULL when memory is short. */
struct view_model *view_model_create(void);
void view_model_destroy(struct view_model *model);

/*
 * Replaces the model by what `source` is now. The address space is that of the process with this root, or the
 * one in use where there is no such process (0: none). False when memory is short.
 */
bool view_collect(struct view_model *model, const struct view_source *source, uint64_t process_root);

/* The parts of it. `mmu`, `mode`, `kernel` and `task` may be NULL. For view_collect and tests. */
bool view_collect_memory(struct view_memory *memory, const struct ram *ram, const struct mmu *mmu,
                         const struct guest_kernel *kernel);
bool view_collect_space(struct view_space *space, const struct ram *ram, const struct paging_mode *mode,
                        const struct view_memory *memory, const struct guest_kernel *kernel,
                        const struct guest_task *task);
void view_collect_tlb(struct view_tlb *into, const struct tlb *tlb);
void view_collect_cache(struct view_cache *into, const struct cache *cache, const struct view_memory *memory);
void view_collect_console(struct view_console *into, const struct console *console);
bool view_collect_heat(struct view_model *model, const struct view_source *source);

/*
 * The processes that the kernel tells of, or the address space in use; which of them is shown. `kernel`
 * may be NULL.
 */
void view_collect_processes(struct view_processes *into, const struct view_source *source,
                            const struct guest_kernel *kernel, uint64_t process_root);

/* Whose each frame is, by the page tables of model->processes. Returns false when memory is short. */
bool view_collect_frame_processes(struct view_model *model, const struct view_source *source);

/* How the core would translate with another topmost table, as the registers are otherwise. */
struct paging_mode view_mode_of(const struct view_source *source, uint64_t root);

/* Which frames have other owners than in source->before. Returns false when memory is short. */
bool view_collect_changes(struct view_model *model, const struct view_source *source);

/*
 * The walk for an address in the address space of this root (0: the one in use), as the tables are now. With
 * no effect on the machine. There is a CPU. False: it ends in a page fault.
 */
bool view_peek(const struct view_source *source, uint64_t process_root, uint64_t linear, struct walk *walk,
               struct paddr *physical);

/* The same for the address space that is shown, with what lies in the tables, into model->focus. */
void view_collect_focus(struct view_model *model, const struct view_source *source, uint64_t linear);

const char *view_mover_name(enum view_mover mover);

/* The zones that the kernel tells of, clipped to RAM; none without `kernel`. Returns how many. */
unsigned view_collect_zones(struct view_zone zone[GUEST_MAX_ZONES], const struct ram *ram,
                            const struct guest_kernel *kernel);

/* The source's kernel, or in `storage` what its note tells of one; NULL when there is neither. */
const struct guest_kernel *view_kernel(struct guest_kernel *storage, const struct view_source *source);

const char *view_owner_name(enum view_owner owner);

#endif
