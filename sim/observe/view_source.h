/*
 * What the window looks at: a machine's parts, as its owner knows them. Nothing in here is changed; of what
 * is not const only cpu_settle() is called, which moves counters to where they are read.
 */
#ifndef LK_SIM_OBSERVE_VIEW_SOURCE_H
#define LK_SIM_OBSERVE_VIEW_SOURCE_H

#include "cpu/cpu.h"
#include "sim/observe/console.h"

struct guest_kernel;
struct view_heat;
struct view_history;
struct view_memory;

/* The screen of the guest's VGA, as its owner has read it. */
enum { VIEW_VGA_COLUMNS = 80, VIEW_VGA_ROWS = 25 };
struct view_vga_cell {
    uint32_t code_point, ink, ground; /* Unicode; 0xRRGGBB */
};
struct view_vga {
    bool is_there; /* in a text mode; what does not fit is not shown */
    unsigned nr_columns, nr_rows;
    bool has_cursor;
    unsigned cursor_column, cursor_row;
    struct view_vga_cell cell[VIEW_VGA_ROWS][VIEW_VGA_COLUMNS];
};

/* What fits the window's console panel. */
enum { VIEW_CONSOLE_COLUMNS = 112, VIEW_CONSOLE_ROWS = 18 };

/* Anything but `ram` may be NULL or 0: its panel then says that there is none. */
struct view_source {
    const char *image_name, *config_name;
    struct cpu *cpu;
    const struct ram *ram;
    const struct tlb *itlb, *dtlb, *l2_tlb; /* NULL in functional mode, and so are the caches and the DRAM */
    const struct cache *l1i, *l1d, *l2, *l3;
    const struct dram *dram;
    const void *note; /* contents of the image's ELF note (struct load_result) */
    size_t note_bytes;
    const struct guest_kernel *kernel; /* as of now, instead of what the note alone tells; may be NULL */
    const struct console *console;
    const struct view_vga *vga;
    const struct stat_registry *stats; /* as of now */
    size_t nr_stale;                   /* places where caches and memory differed */
    const struct view_history *history;
    const struct view_heat *heat;
    uint64_t clock_hz;
    bool is_paused;  /* the window waits for the user */
    const char *end; /* "powered off": how the guest has ended; NULL: it has not. The window waits too. */
    /* Memory as it was before the last step; NULL: what has changed is not shown. */
    const struct view_memory *before;
    /* Says where an address lies: "do_page_fault+0x15". NULL: nothing is known of it. */
    void (*place)(void *opaque, uint64_t linear, char *text, size_t size);
    /* The address that a name or a number means. False: none. NULL: only numbers are known. */
    bool (*find)(void *opaque, const char *text, uint64_t *linear);
    /*
     * What takes a while to read (vga, stats, nr_stale) is brought up to date here, when a picture is made;
     * NULL: it is already.
     */
    void (*refresh)(void *opaque, struct view_source *source);
    void *opaque;
};

#endif
