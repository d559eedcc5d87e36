#include "sim/load/linux_boot.h"

#include "sim/load/elf_image.h"

#include <elf.h>
#include <inttypes.h>
#include <stdio.h>

/* struct boot_params (Linux/x86 boot protocol, "zero page"; the setup header stands in it as in the file). */
enum {
    PARAMS_BYTES = 4096,
    ORIG_VIDEO_MODE = 0x06,
    ORIG_VIDEO_COLS = 0x07,
    ORIG_VIDEO_LINES = 0x0e,
    ORIG_VIDEO_IS_VGA = 0x0f,
    ORIG_VIDEO_POINTS = 0x10,
    ACPI_RSDP_ADDR = 0x70,
    ALT_MEM_K = 0x1e0,
    E820_ENTRIES = 0x1e8,
    HEADER = 0x1f1,
    VID_MODE = 0x1fa,
    TYPE_OF_LOADER = 0x210,
    CODE32_START = 0x214,
    RAMDISK_IMAGE = 0x218,
    RAMDISK_SIZE = 0x21c,
    CMD_LINE_PTR = 0x228,
    E820_TABLE = 0x2d0,
    E820_ENTRY_BYTES = 20,
};
enum { LOADER_UNDEFINED = 0xff, VID_MODE_NORMAL = 0xffff, ENTRY_64 = 0x200, MODULE_ALIGN = 4 };
enum { HIGH_AT = 0x100000 };
#define FOUR_GIB (UINT64_C(1) << 32)

/* The lowest address from `at` on, aligned, with all of it in one usable range above 1 MiB. False: none. */
static bool find_room(const struct memory_map *map, uint64_t at, uint64_t size_bytes, uint64_t alignment,
                      uint64_t *found)
{
    for (size_t i = 0; i < map->nr_ranges; i++) {
        const struct memory_range *range = &map->ranges[i];
        if (range->kind != MEMORY_USABLE || range->base.v < HIGH_AT || range->base.v >= FOUR_GIB)
            continue;
        uint64_t base = align_up(range->base.v > at ? range->base.v : at, alignment);
        if (usable_range(map, paddr(base), size_bytes) && base + size_bytes <= FOUR_GIB) {
            *found = base;
            return true;
        }
    }
    return false;
}

/* Where it was linked for, so nothing is relocated. It takes struct boot_params as its packed form does. */
bool linux_plan_unpacked(struct load_plan *plan, const struct linux_params *params, struct diag *diag)
{
    size_t code_class = is_elf(plan->file) ? plan->file->bytes[EI_CLASS] : ELFCLASSNONE;
    if (code_class != (params->is_64 ? ELFCLASS64 : ELFCLASS32))
        return diag_add(
            diag, EXIT_STATUS_BAD_DATA,
            "%s: --unpack: the payload is %s; allowed by the %s-bit boot protocol: an ELF%s executable",
            plan->file->name,
            code_class == ELFCLASS64   ? "an ELF64 executable"
            : code_class == ELFCLASS32 ? "an ELF32 executable"
                                       : "no ELF file",
            params->is_64 ? "64" : "32", params->is_64 ? "64" : "32");
    return elf_plan(plan, params->is_64, diag);
}

bool linux_plan(struct load_plan *plan, const struct linux_header *header, const struct linux_params *params,
                struct diag *diag)
{
    uint64_t at = header->preferred_at;
    bool is_room = at >= HIGH_AT && at < FOUR_GIB && usable_range(params->map, paddr(at), header->init_bytes);
    for (uint64_t alignment = header->alignment; !is_room && header->is_relocatable; alignment /= 2) {
        is_room = find_room(params->map, 0, header->init_bytes, alignment, &at);
        if (alignment <= header->least_alignment)
            break;
    }
    if (!is_room)
        return diag_add(diag, EXIT_STATUS_BAD_DATA,
                        "%s: no room for the kernel: it wants %#" PRIx64 " bytes (init_size) %s %#" PRIx64
                        "; allowed: what is usable RAM (machine.ram)",
                        plan->file->name, header->init_bytes,
                        header->is_relocatable ? "in one piece, best at" : "at", header->preferred_at);
    struct load_segment segment = {
        .name = "protected-mode code",
        .file_offset = header->code_offset,
        .file_bytes = header->code_bytes,
        .base = paddr(at),
        .memory_bytes = header->init_bytes,
        .linked_at = at,
    };
    plan->entry = at + (params->is_64 ? ENTRY_64 : 0);
    return plan_add(plan, &segment, diag);
}

/* As high as it may be, on a page of its own, above the kernel. */
static bool place_initrd(struct handover *handover, const struct load_plan *plan,
                         const struct linux_header *header, const struct linux_params *params,
                         struct block *boot_params, struct diag *diag)
{
    uint64_t size_bytes = 0, best = 0, kernel_end = align_up(plan_end(plan).v, PAGE_BYTES);
    for (size_t i = 0; i < params->nr_modules; i++)
        size_bytes = align_up(size_bytes, MODULE_ALIGN) + params->modules[i].size;
    handover->end = plan_end(plan);
    if (size_bytes == 0)
        return true;
    for (size_t i = 0; i < params->map->nr_ranges; i++) {
        const struct memory_range *range = &params->map->ranges[i];
        uint64_t end = range->base.v + range->size_bytes;
        if (end > header->initrd_max + 1)
            end = header->initrd_max + 1;
        if (range->kind != MEMORY_USABLE || end < size_bytes)
            continue;
        uint64_t at = (end - size_bytes) & ~(uint64_t)PAGE_MASK;
        if (at >= range->base.v && at >= kernel_end && at > best)
            best = at;
    }
    if (best == 0)
        return diag_add(diag, EXIT_STATUS_BAD_DATA,
                        "%s: no room for an initrd of %#" PRIx64
                        " bytes; allowed: in usable RAM from %#" PRIx64
                        ", where the kernel ends, to %#" PRIx64 " (initrd_addr_max)",
                        params->modules[0].name, size_bytes, kernel_end, header->initrd_max);
    if (!handover_reserve_pieces(handover, params->nr_modules, diag))
        return false;
    uint64_t at = best;
    for (size_t i = 0; i < params->nr_modules; i++) {
        at = align_up(at, MODULE_ALIGN);
        handover->pieces[handover->nr_pieces++] =
            (struct handover_piece){.file = &params->modules[i], .at = paddr(at)};
        at += params->modules[i].size;
    }
    handover->end = paddr(at);
    block_put_32(boot_params, RAMDISK_IMAGE, best);
    block_put_32(boot_params, RAMDISK_SIZE, at - best);
    return true;
}

static void put_memory(struct block *block, const struct memory_map *map)
{
    for (size_t i = 0; i < map->nr_ranges; i++) {
        const struct memory_range *range = &map->ranges[i];
        const size_t entry = E820_TABLE + i * E820_ENTRY_BYTES;
        block_put_64(block, entry, range->base.v);
        block_put_64(block, entry + 8, range->size_bytes);
        block_put_32(block, entry + 16, range->kind);
        if (range->kind == MEMORY_USABLE && range->base.v == HIGH_AT)
            block_put_32(block, ALT_MEM_K, range->size_bytes / 1024);
    }
    block_put_8(block, E820_ENTRIES, map->nr_ranges);
}

/* The text mode in which a PC's firmware leaves the screen: mode 3, 80 x 25, 16 lines a character. */
static void put_screen(struct block *block)
{
    block_put_8(block, ORIG_VIDEO_MODE, 3);
    block_put_8(block, ORIG_VIDEO_COLS, 80);
    block_put_8(block, ORIG_VIDEO_LINES, 25);
    block_put_8(block, ORIG_VIDEO_IS_VGA, 1);
    block_put_16(block, ORIG_VIDEO_POINTS, 16);
}

bool linux_hand_over(struct handover *handover, const struct load_plan *plan,
                     const struct linux_header *header, const struct linux_params *params, struct diag *diag)
{
    struct block *block = handover_block(handover, HANDOVER_INFO_AT, PARAMS_BYTES, diag);
    if (!block)
        return false;
    block_put(block, HEADER, header->file->bytes + HEADER, header->header_end - HEADER);
    put_memory(block, params->map);
    put_screen(block);
    block_put_16(block, VID_MODE, VID_MODE_NORMAL);
    block_put_8(block, TYPE_OF_LOADER, LOADER_UNDEFINED);
    block_put_32(block, CODE32_START, plan->segments[0].base.v);
    block_put_32(block, CMD_LINE_PTR, HANDOVER_TEXT_AT);
    block_put_32(block, RAMDISK_IMAGE, 0);
    block_put_32(block, RAMDISK_SIZE, 0);
    block_put_64(block, ACPI_RSDP_ADDR, params->rsdp);
    handover->start = (struct load_start){
        .mode = params->is_64 ? LOAD_LONG : LOAD_PROTECTED,
        .entry = plan->entry,
        .esi = HANDOVER_INFO_AT,
    };
    return handover_is_clear(plan, diag) && place_initrd(handover, plan, header, params, block, diag) &&
           handover_text(handover, params->arguments, header->text_max, diag) &&
           handover_gdt(handover, params->is_64, diag) &&
           (!params->is_64 || handover_page_tables(handover, diag));
}
