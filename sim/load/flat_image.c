#include "sim/load/flat_image.h"

#include <inttypes.h>
#include <string.h>

enum { HIGH_AT = 0x100000, REAL_BEGIN = 0x500 /* behind vectors and the BIOS's data */, REAL_END = 0x9fc00 };
enum { NR_VECTORS = 256, BIOS_DISK = 0x80 };

/*
 * The handlers, in the kilobyte below A0000h that a BIOS would have for itself. A vector's segment tells its
 * number: it is HANDLERS_SEGMENT less the number, with an offset that makes it the same address for all.
 */
enum { HANDLERS_AT = REAL_END, HANDLERS_SEGMENT = HANDLERS_AT >> 4 };
enum { MASTER_AT = 0, SLAVE_AT = 0x10, OTHER_AT = 0x20, TEXT_AT = 0x80, DIGITS_AT = TEXT_AT + 10 };

static const uint8_t master_handler[] = {
    0x50,       /* push ax */
    0xb0, 0x20, /* mov al, 20h: end of interrupt */
    0xe6, 0x20, /* out 20h, al */
    0x58,       /* pop ax */
    0xcf,       /* iret */
};
static const uint8_t slave_handler[] = {
    0x50,       /* push ax */
    0xb0, 0x20, /* mov al, 20h */
    0xe6, 0xa0, /* out a0h, al */
    0xe6, 0x20, /* out 20h, al */
    0x58,       /* pop ax */
    0xcf,       /* iret */
};
static const uint8_t other_handler[] = {
    0xb8,
    HANDLERS_SEGMENT & 0xff,
    HANDLERS_SEGMENT >> 8, /* mov ax, HANDLERS_SEGMENT */
    0x8e,
    0xd8, /* mov ds, ax */
    0x8c,
    0xcb, /* mov bx, cs */
    0x29,
    0xd8, /* sub ax, bx: the vector */
    0x88,
    0xc3, /* mov bl, al */
    0xc0,
    0xe8,
    0x04, /* shr al, 4 */
    0x3c,
    0x0a, /* cmp al, 10 */
    0x1c,
    0x69, /* sbb al, 69h */
    0x2f, /* das: the hexadecimal digit */
    0xa2,
    DIGITS_AT,
    0x00, /* mov [DIGITS_AT], al */
    0x88,
    0xd8, /* mov al, bl */
    0x24,
    0x0f, /* and al, 15 */
    0x3c,
    0x0a, /* cmp al, 10 */
    0x1c,
    0x69, /* sbb al, 69h */
    0x2f, /* das */
    0xa2,
    DIGITS_AT + 1,
    0x00, /* mov [DIGITS_AT + 1], al */
    0x66,
    0xb8,
    TEXT_AT,
    (HANDLERS_AT >> 8) & 0xff,
    HANDLERS_AT >> 16,
    0x00, /* mov eax, its text */
    0x67,
    0x0f,
    0x1f,
    0x84,
    0x00,
    0x08,
    0x00,
    0x41,
    0x4c, /* marker 8 */
    0xf4, /* hlt */
    0xeb,
    0xfd, /* jmp to it */
};
static const char text[] = "interrupt ..h came, and no BIOS is there to serve it; --firmware FILE gives one";
_Static_assert((HANDLERS_AT & 0xff) == 0, "TEXT_AT is the low byte of the text's address");

bool is_boot_sector(const struct file_map *file)
{
    return file->size >= BOOT_SECTOR_BYTES && file->size % BOOT_SECTOR_BYTES == 0 &&
           file->bytes[510] == 0x55 && file->bytes[511] == 0xaa;
}

bool boot_sector_plan(struct load_plan *plan, struct diag *diag)
{
    const struct file_map *file = plan->file;
    if (!is_boot_sector(file))
        return diag_add(diag, EXIT_STATUS_BAD_DATA,
                        "%s: no boot sector: %" PRIu64 " bytes%s; allowed: sectors of %d bytes, of which the "
                        "first ends in 55 AA",
                        file->name, file->size,
                        file->size && file->size % BOOT_SECTOR_BYTES == 0 ? " without 55 AA at 510" : "",
                        BOOT_SECTOR_BYTES);
    struct load_segment segment = {
        .name = "boot sector",
        .file_bytes = BOOT_SECTOR_BYTES,
        .base = paddr(BOOT_SECTOR_AT),
        .memory_bytes = BOOT_SECTOR_BYTES,
        .linked_at = BOOT_SECTOR_AT,
    };
    plan->entry = BOOT_SECTOR_AT;
    return plan_add(plan, &segment, diag);
}

bool flat_plan(struct load_plan *plan, enum load_mode mode, uint64_t load_at, uint64_t entry,
               struct diag *diag)
{
    const struct file_map *file = plan->file;
    if (load_at == 0)
        load_at = mode == LOAD_REAL ? BOOT_SECTOR_AT : HIGH_AT;
    if (mode == LOAD_REAL && (load_at < REAL_BEGIN || load_at >= REAL_END || file->size > REAL_END - load_at))
        return diag_add(diag, EXIT_STATUS_BAD_DATA,
                        "%s: %#" PRIx64 " bytes at %#" PRIx64 "; allowed in real mode: within %#x-%#x",
                        file->name, file->size, load_at, REAL_BEGIN, REAL_END - 1);
    struct load_segment segment = {
        .name = "flat image",
        .file_bytes = file->size,
        .base = paddr(load_at),
        .memory_bytes = file->size,
        .linked_at = load_at,
    };
    plan->entry = entry ? entry : load_at;
    return plan_add(plan, &segment, diag);
}

static bool add_handlers(struct handover *handover, struct diag *diag)
{
    struct block *code = handover_block(handover, HANDLERS_AT, TEXT_AT + sizeof(text), diag);
    struct block *vectors = code ? handover_block(handover, 0, NR_VECTORS * 4, diag) : NULL;
    if (!vectors)
        return false;
    block_put(code, MASTER_AT, master_handler, sizeof(master_handler));
    block_put(code, SLAVE_AT, slave_handler, sizeof(slave_handler));
    block_put(code, OTHER_AT, other_handler, sizeof(other_handler));
    block_put(code, TEXT_AT, text, sizeof(text));
    for (unsigned vector = 0; vector < NR_VECTORS; vector++) {
        bool is_master = vector >> 3 == 0x08 >> 3, is_slave = vector >> 3 == 0x70 >> 3;
        unsigned at = is_master ? MASTER_AT : is_slave ? SLAVE_AT : OTHER_AT;
        block_put_16(vectors, vector * 4, at + vector * 16);
        block_put_16(vectors, vector * 4 + 2, HANDLERS_SEGMENT - vector);
    }
    return true;
}

bool flat_hand_over(struct handover *handover, const struct load_plan *plan, enum load_mode mode,
                    struct diag *diag)
{
    handover->start = (struct load_start){.mode = mode, .entry = plan->entry};
    handover->end = plan_end(plan);
    if (mode == LOAD_REAL) {
        handover->start.edx = BIOS_DISK;
        handover->start.esp = BOOT_SECTOR_AT;
        return add_handlers(handover, diag);
    }
    return handover_is_clear(plan, diag) && handover_gdt(handover, mode == LOAD_LONG, diag) &&
           (mode != LOAD_LONG || handover_page_tables(handover, diag));
}
