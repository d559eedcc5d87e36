/*
 * What a loader puts into RAM besides the image: tables and strings that it makes (blocks), files that it
 * copies (pieces), and how the CPU starts. Nothing is written before all of it is known to be good.
 *
 * Low memory as the protocols but multiboot use it; nothing of the guest's may lie there.
 */
#ifndef LK_SIM_LOAD_HANDOVER_H
#define LK_SIM_LOAD_HANDOVER_H

#include "sim/load/block.h"
#include "sim/load/file_map.h"
#include "sim/load/plan.h"
#include "sim/load/start.h"

enum {
    HANDOVER_INFO_AT = 0x10000, /* boot_params, hvm_start_info */
    HANDOVER_GDT_AT = 0x11000,
    HANDOVER_TABLES_AT = 0x12000, /* page tables: identity, the first 4 GiB by 2 MiB pages */
    HANDOVER_TEXT_AT = 0x20000,   /* the command line */
    HANDOVER_END = 0x30000,
};

/* Selectors of the GDT: the Linux/x86 boot protocol's __BOOT_CS and __BOOT_DS. */
enum { HANDOVER_CODE = 0x10, HANDOVER_DATA = 0x18 };

enum { HANDOVER_BLOCKS_MAX = 8 };

struct handover_piece {
    const struct file_map *file;
    struct paddr at;
};

struct handover {
    struct block blocks[HANDOVER_BLOCKS_MAX];
    size_t nr_blocks;
    struct handover_piece *pieces; /* owned */
    size_t nr_pieces;
    struct load_start start;
    struct paddr end; /* the first address above all that was placed above the image */
};

void handover_fini(struct handover *handover);

/* A zeroed block at `at`, the handover's own. NULL, with a line, when memory is short. */
struct block *handover_block(struct handover *handover, uint64_t at, size_t nr_bytes, struct diag *diag);

/*
 * The command line at HANDOVER_TEXT_AT, ended by a zero. One longer than max_bytes (without the zero) is a
 * line of status 64.
 */
bool handover_text(struct handover *handover, const char *text, uint64_t max_bytes, struct diag *diag);

/* The GDT with the two flat segments; the code segment is 64-bit code if is_long. Sets start's part of it. */
bool handover_gdt(struct handover *handover, bool is_long, struct diag *diag);

/* The page tables at HANDOVER_TABLES_AT. */
bool handover_page_tables(struct handover *handover, struct diag *diag);

/* Room for `nr_pieces` pieces. */
bool handover_reserve_pieces(struct handover *handover, size_t nr_pieces, struct diag *diag);

/* False, with a line, when the (checked) image lies in the low memory that the handover uses. */
bool handover_is_clear(const struct load_plan *plan, struct diag *diag);

/* Writes all of it. */
void handover_load(const struct handover *handover, struct ram *ram);

#endif
