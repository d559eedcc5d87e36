#include "sim/load/handover.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

void handover_fini(struct handover *handover)
{
    for (size_t i = 0; i < handover->nr_blocks; i++)
        block_fini(&handover->blocks[i]);
    free(handover->pieces);
    *handover = (struct handover){0};
}

struct block *handover_block(struct handover *handover, uint64_t at, size_t nr_bytes, struct diag *diag)
{
    assert(handover->nr_blocks < HANDOVER_BLOCKS_MAX);
    struct block *block = &handover->blocks[handover->nr_blocks];
    if (!block_init(block, paddr(at), nr_bytes)) {
        diag_add(diag, EXIT_STATUS_INTERNAL, "out of memory");
        return NULL;
    }
    block->nr_bytes = nr_bytes;
    handover->nr_blocks++;
    return block;
}

bool handover_text(struct handover *handover, const char *text, uint64_t max_bytes, struct diag *diag)
{
    size_t length = text ? strlen(text) : 0;
    const size_t room = HANDOVER_END - HANDOVER_TEXT_AT - 1;
    if (max_bytes > room)
        max_bytes = room;
    if (length > max_bytes)
        return diag_add(diag, EXIT_STATUS_USAGE,
                        "-a: a command line of %zu bytes; allowed by this guest: at most %" PRIu64, length,
                        max_bytes);
    struct block *block = handover_block(handover, HANDOVER_TEXT_AT, length + 1, diag);
    if (!block)
        return false;
    if (length)
        block_put(block, 0, text, length);
    return true;
}

bool handover_gdt(struct handover *handover, bool is_long, struct diag *diag)
{
    /* SDM 3A 3.4.5: base 0, limit 4 GiB, present, accessed; code readable, data writable. */
    const uint64_t code_32 = 0x00cf9b000000ffff, code_64 = 0x00af9b000000ffff, data = 0x00cf93000000ffff;
    enum { GDT_BYTES = HANDOVER_DATA + 8 };
    struct block *block = handover_block(handover, HANDOVER_GDT_AT, GDT_BYTES, diag);
    if (!block)
        return false;
    block_put_64(block, HANDOVER_CODE, is_long ? code_64 : code_32);
    block_put_64(block, HANDOVER_DATA, data);
    handover->start.gdt = block->at;
    handover->start.gdt_limit = GDT_BYTES - 1;
    handover->start.code_selector = HANDOVER_CODE;
    handover->start.data_selector = HANDOVER_DATA;
    return true;
}

bool handover_page_tables(struct handover *handover, struct diag *diag)
{
    enum { TABLES_2M = 4, ENTRIES = 512, PRESENT_WRITABLE = 3, LARGE = 1 << 7, PAGE_SHIFT_2M = 21 };
    struct block *block =
        handover_block(handover, HANDOVER_TABLES_AT, (2 + TABLES_2M) * (size_t)PAGE_BYTES, diag);
    if (!block)
        return false;
    block_put_64(block, 0, (HANDOVER_TABLES_AT + PAGE_BYTES) | PRESENT_WRITABLE);
    for (uint64_t i = 0; i < TABLES_2M; i++)
        block_put_64(block, PAGE_BYTES + i * 8,
                     (HANDOVER_TABLES_AT + (2 + i) * PAGE_BYTES) | PRESENT_WRITABLE);
    for (uint64_t i = 0; i < TABLES_2M * ENTRIES; i++)
        block_put_64(block, 2 * (size_t)PAGE_BYTES + i * 8, i << PAGE_SHIFT_2M | LARGE | PRESENT_WRITABLE);
    handover->start.page_tables = block->at;
    return true;
}

bool handover_reserve_pieces(struct handover *handover, size_t nr_pieces, struct diag *diag)
{
    handover->pieces = calloc(nr_pieces + 1, sizeof(*handover->pieces));
    return handover->pieces || diag_add(diag, EXIT_STATUS_INTERNAL, "out of memory");
}

bool handover_is_clear(const struct load_plan *plan, struct diag *diag)
{
    if (!plan_covers(plan, paddr(HANDOVER_INFO_AT), HANDOVER_END - HANDOVER_INFO_AT))
        return true;
    return diag_add(diag, EXIT_STATUS_BAD_DATA,
                    "%s: the image lies in %#x-%#x, where what it is told goes; allowed: elsewhere",
                    plan->file->name, HANDOVER_INFO_AT, HANDOVER_END - 1);
}

void handover_load(const struct handover *handover, struct ram *ram)
{
    for (size_t i = 0; i < handover->nr_blocks; i++) {
        const struct block *block = &handover->blocks[i];
        load_bytes(ram, block->at, block->bytes, block->nr_bytes);
    }
    for (size_t i = 0; i < handover->nr_pieces; i++) {
        const struct handover_piece *piece = &handover->pieces[i];
        load_bytes(ram, piece->at, piece->file->bytes, piece->file->size);
    }
}
