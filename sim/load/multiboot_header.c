#include "sim/load/multiboot_header.h"

#include "sim/load/identify.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define HEADER_MAGIC 0x1badb002u

/* Bytes of the header without and with its addresses, and how it is aligned in the file. */
enum { HEADER_BYTES = 12, HEADER_WITH_ADDRESSES_BYTES = 32, HEADER_ALIGN = 4 };
enum { SUPPORTED_FLAGS = MULTIBOOT_ALIGN_MODULES | MULTIBOOT_MEMORY_INFO | MULTIBOOT_VIDEO_MODE };

/* How far beyond the searched bytes to look, to be able to say that a header comes too late. */
enum { CURIOUS_BYTES = 1 << 20 };

static uint32_t word_at(const struct file_map *file, uint64_t offset)
{
    uint32_t word;
    memcpy(&word, file->bytes + offset, sizeof(word));
    return word;
}

static bool sums_to_zero(const struct file_map *file, uint64_t offset)
{
    return word_at(file, offset) + word_at(file, offset + 4) + word_at(file, offset + 8) == 0;
}

/*
 * The first offset at or after `from`, below `limit`, with the magic number and, if wanted, a good checksum.
 */
static bool search(const struct file_map *file, uint64_t from, uint64_t limit, uint64_t step,
                   bool wants_checksum, uint64_t *offset)
{
    if (limit > file->size)
        limit = file->size;
    for (uint64_t at = from; at + HEADER_BYTES <= limit; at += step) {
        if (word_at(file, at) == HEADER_MAGIC && (!wants_checksum || sums_to_zero(file, at))) {
            *offset = at;
            return true;
        }
    }
    return false;
}

/* Says why there is no header: one that is nearly right first, else what the file is. */
static bool refuse_file(const struct file_map *file, struct diag *diag)
{
    uint64_t at;
    if (search(file, 0, MULTIBOOT_SEARCHED_BYTES, HEADER_ALIGN, false, &at))
        return diag_add(diag, EXIT_STATUS_BAD_DATA,
                        "%s: multiboot header at %#" PRIx64 ": checksum %#" PRIx32
                        " is wrong; allowed: %#" PRIx32 ", so that magic, flags and checksum add up to 0",
                        file->name, at, word_at(file, at + 8),
                        0u - word_at(file, at) - word_at(file, at + 4));
    if (search(file, 0, MULTIBOOT_SEARCHED_BYTES, 1, true, &at))
        return diag_add(diag, EXIT_STATUS_BAD_DATA,
                        "%s: multiboot header at %#" PRIx64 "; allowed: a multiple of %d", file->name, at,
                        HEADER_ALIGN);
    if (search(file, 0, CURIOUS_BYTES, HEADER_ALIGN, true, &at))
        return diag_add(diag, EXIT_STATUS_BAD_DATA,
                        "%s: multiboot header at %#" PRIx64
                        "; allowed: within the first %d bytes of the file",
                        file->name, at, MULTIBOOT_SEARCHED_BYTES);
    char found[IDENTIFY_MAX];
    identify_file(file, found);
    return diag_add(
        diag, EXIT_STATUS_BAD_DATA,
        "%s: found %s, and no multiboot header in its first %d bytes; allowed: a multiboot 1 image, "
        "such as an ELF32 executable for i386 with that header, a Linux kernel (bzImage), a PVH kernel, a "
        "boot "
        "sector, or any file with --boot flat16, flat32 or flat64",
        file->name, found, MULTIBOOT_SEARCHED_BYTES);
}

bool multiboot_has_header(const struct file_map *file)
{
    uint64_t at;
    return search(file, 0, MULTIBOOT_SEARCHED_BYTES, HEADER_ALIGN, true, &at);
}

bool multiboot_find_header(const struct file_map *file, struct multiboot_header *header, struct diag *diag)
{
    *header = (struct multiboot_header){0};
    if (!search(file, 0, MULTIBOOT_SEARCHED_BYTES, HEADER_ALIGN, true, &header->offset))
        return refuse_file(file, diag);
    header->flags = word_at(file, header->offset + 4);
    uint32_t unknown = header->flags & MULTIBOOT_REQUIRED & ~(uint32_t)SUPPORTED_FLAGS;
    if (unknown)
        return diag_add(diag, EXIT_STATUS_BAD_DATA,
                        "%s: multiboot header at %#" PRIx64 ": flags %#" PRIx32 " require features %#" PRIx32
                        "; allowed: %#x",
                        file->name, header->offset, header->flags, unknown, SUPPORTED_FLAGS);
    if (!(header->flags & MULTIBOOT_ADDRESSES))
        return true;
    uint64_t limit = file->size < MULTIBOOT_SEARCHED_BYTES ? file->size : MULTIBOOT_SEARCHED_BYTES;
    if (header->offset + HEADER_WITH_ADDRESSES_BYTES > limit)
        return diag_add(diag, EXIT_STATUS_BAD_DATA,
                        "%s: multiboot header at %#" PRIx64 ": its addresses (flag bit 16) end at %#" PRIx64
                        "; allowed: up to %#" PRIx64,
                        file->name, header->offset, header->offset + HEADER_WITH_ADDRESSES_BYTES, limit);
    header->header_at = word_at(file, header->offset + 12);
    header->load_at = word_at(file, header->offset + 16);
    header->load_end = word_at(file, header->offset + 20);
    header->bss_end = word_at(file, header->offset + 24);
    header->entry = word_at(file, header->offset + 28);
    return true;
}

static bool refuse_addresses(const struct load_plan *plan, const struct multiboot_header *header,
                             struct diag *diag, const char *name, uint32_t value, const char *allowed,
                             uint64_t limit)
{
    return diag_add(diag, EXIT_STATUS_BAD_DATA,
                    "%s: multiboot header at %#" PRIx64 ": %s %#" PRIx32 "; allowed: %s %#" PRIx64,
                    plan->file->name, header->offset, name, value, allowed, limit);
}

bool multiboot_plan(struct load_plan *plan, const struct multiboot_header *header, struct diag *diag)
{
    if (header->load_at > header->header_at)
        return refuse_addresses(plan, header, diag, "load_addr", header->load_at, "at most header_addr,",
                                header->header_at);
    uint64_t before_header = header->header_at - header->load_at;
    if (before_header > header->offset)
        return refuse_addresses(plan, header, diag, "load_addr", header->load_at,
                                "what lies in the file, that is at least",
                                header->header_at - header->offset);
    uint64_t file_offset = header->offset - before_header;
    /* Zero means up to the end of the file, and no bss. */
    uint64_t load_end =
        header->load_end ? header->load_end : header->load_at + (plan->file->size - file_offset);
    uint64_t bss_end = header->bss_end ? header->bss_end : load_end;
    if (load_end < header->load_at)
        return refuse_addresses(plan, header, diag, "load_end_addr", header->load_end, "at least load_addr,",
                                header->load_at);
    if (bss_end < load_end)
        return refuse_addresses(plan, header, diag, "bss_end_addr", header->bss_end, "0 or at least",
                                load_end);
    struct load_segment segment = {
        .file_offset = file_offset,
        .file_bytes = load_end - header->load_at,
        .base = paddr(header->load_at),
        .memory_bytes = bss_end - header->load_at,
        .linked_at = header->load_at,
    };
    snprintf(segment.name, sizeof(segment.name), "multiboot header at %#" PRIx64, header->offset);
    plan->entry = header->entry;
    return plan_add(plan, &segment, diag);
}
