#include "sim/load/multiboot_info.h"

#include "sim/load/block.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Multiboot 0.6.96, 3.3: offsets in the information. What follows the VBE fields is not given. */
enum {
    INFO_FLAGS = 0,
    INFO_MEM_LOWER = 4,
    INFO_MEM_UPPER = 8,
    INFO_BOOT_DEVICE = 12,
    INFO_COMMAND_LINE = 16,
    INFO_NR_MODULES = 20,
    INFO_MODULES = 24,
    INFO_MMAP_BYTES = 44,
    INFO_MMAP = 48,
    INFO_LOADER_NAME = 64,
    INFO_BYTES = 88,
};
enum {
    HAS_MEMORY = 1 << 0,
    HAS_BOOT_DEVICE = 1 << 1,
    HAS_COMMAND_LINE = 1 << 2,
    HAS_MODULES = 1 << 3,
    HAS_MMAP = 1 << 6,
    HAS_LOADER_NAME = 1 << 9,
};
enum { MMAP_ENTRY_BYTES = 24, MODULE_ENTRY_BYTES = 16 };

/* The first BIOS disk, no partition. */
#define BOOT_DEVICE 0x8000ffffu
#define LOADER_NAME "lookaside"

/* Where QEMU's loader leaves its information, and the page that it has to itself. */
enum { LOW_INFO_AT = 0x9500, LOW_INFO_PAGE = 0x9000, ABOVE_IMAGE_MIN = 0x100000 };

struct multiboot_info {
    struct block info, upper;
    const struct file_map *modules; /* the caller's */
    struct paddr *module_at;
    size_t nr_modules;
    struct paddr end;
};

/* A file's name without its folders: the same image makes the same run, wherever it lies. */
static const char *base_name(const struct file_map *file)
{
    const char *slash = strrchr(file->name, '/');
    return slash ? slash + 1 : file->name;
}

/*
 * Appends "name arguments", as QEMU does with the whole path, or `name` alone when `arguments` is NULL. Gives
 * its address.
 */
static uint64_t append_string(struct block *block, const char *name, const char *arguments)
{
    size_t at = block->nr_bytes, room = block->capacity - at;
    int length = snprintf((char *)block->bytes + at, room, "%s%s%s", name, arguments ? " " : "",
                          arguments ? arguments : "");
    assert(length >= 0 && (size_t)length < room);
    block->nr_bytes += (size_t)length + 1;
    return block->at.v + at;
}

static size_t string_bytes(const char *name, const char *arguments)
{
    return strlen(name) + 1 + (arguments ? strlen(arguments) : 0) + 1;
}

static const char *or_empty(const char *arguments)
{
    return arguments ? arguments : "";
}

static size_t upper_bytes(const struct multiboot_params *params)
{
    size_t bytes = string_bytes(base_name(params->plan->file), params->arguments) + sizeof(LOADER_NAME) + 1;
    for (size_t i = 0; i < params->nr_modules; i++)
        bytes +=
            string_bytes(base_name(&params->modules[i]), params->module_arguments[i]) + MODULE_ENTRY_BYTES;
    return align_up(bytes + MODULE_ENTRY_BYTES, MODULE_ENTRY_BYTES);
}

static size_t info_bytes(const struct multiboot_params *params)
{
    return INFO_BYTES + params->map->nr_ranges * MMAP_ENTRY_BYTES;
}

/* Addresses of all parts. What is above the image is in one piece, accepted or refused as a whole. */
static bool lay_out(struct multiboot_info *info, const struct multiboot_params *params, struct diag *diag)
{
    uint64_t base = align_up(plan_end(params->plan).v, PAGE_BYTES);
    if (base < ABOVE_IMAGE_MIN)
        base = ABOVE_IMAGE_MIN;
    uint64_t at = base;
    const struct paddr low_page = paddr(LOW_INFO_PAGE);
    info->info.at = paddr(LOW_INFO_AT);
    if (plan_covers(params->plan, low_page, PAGE_BYTES)) {
        info->info.at = paddr(at);
        at = align_up(at + info_bytes(params), MODULE_ENTRY_BYTES);
    }
    info->upper.at = paddr(at);
    at = align_up(at + upper_bytes(params), PAGE_BYTES);
    for (size_t i = 0; i < params->nr_modules; i++) {
        info->module_at[i] = paddr(at);
        at = align_up(at + params->modules[i].size, PAGE_BYTES);
    }
    info->end = paddr(at);
    if (usable_range(params->map, paddr(base), at - base))
        return true;
    return diag_add(diag, EXIT_STATUS_BAD_DATA,
                    "%s: no room for command line and modules: %#" PRIx64 " bytes from %#" PRIx64
                    ", where the image ends, are not all usable RAM",
                    params->plan->file->name, at - base, base);
}

static void fill_mmap(struct multiboot_info *info, const struct memory_map *map)
{
    struct block *block = &info->info;
    for (size_t i = 0; i < map->nr_ranges; i++) {
        const struct memory_range *range = &map->ranges[i];
        size_t entry = INFO_BYTES + i * MMAP_ENTRY_BYTES;
        block_put_32(block, entry, MMAP_ENTRY_BYTES - 4);
        block_put_64(block, entry + 4, range->base.v);
        block_put_64(block, entry + 12, range->size_bytes);
        block_put_32(block, entry + 20, range->kind);
        if (range->kind != MEMORY_USABLE)
            continue;
        if (range->base.v == 0)
            block_put_32(block, INFO_MEM_LOWER, range->size_bytes / 1024);
        else if (range->base.v == ABOVE_IMAGE_MIN)
            block_put_32(block, INFO_MEM_UPPER, range->size_bytes / 1024);
    }
    block_put_32(block, INFO_MMAP, block->at.v + INFO_BYTES);
    block_put_32(block, INFO_MMAP_BYTES, map->nr_ranges * MMAP_ENTRY_BYTES);
}

static void fill(struct multiboot_info *info, const struct multiboot_params *params)
{
    struct block *block = &info->info, *upper = &info->upper;
    block_put_32(block, INFO_FLAGS,
                 HAS_MEMORY | HAS_BOOT_DEVICE | HAS_COMMAND_LINE | HAS_MODULES | HAS_MMAP | HAS_LOADER_NAME);
    block_put_32(block, INFO_BOOT_DEVICE, BOOT_DEVICE);
    fill_mmap(info, params->map);

    block_put_32(block, INFO_NR_MODULES, params->nr_modules);
    block_put_32(block, INFO_MODULES, upper->at.v);
    upper->nr_bytes = params->nr_modules * MODULE_ENTRY_BYTES;
    for (size_t i = 0; i < params->nr_modules; i++) {
        const struct file_map *module = &params->modules[i];
        size_t entry = i * MODULE_ENTRY_BYTES;
        block_put_32(upper, entry, info->module_at[i].v);
        block_put_32(upper, entry + 4, info->module_at[i].v + module->size);
        block_put_32(upper, entry + 8, append_string(upper, base_name(module), params->module_arguments[i]));
    }
    block_put_32(block, INFO_COMMAND_LINE,
                 append_string(upper, base_name(params->plan->file), or_empty(params->arguments)));
    block_put_32(block, INFO_LOADER_NAME, append_string(upper, LOADER_NAME, NULL));
}

struct multiboot_info *multiboot_info_create(const struct multiboot_params *params, struct diag *diag)
{
    struct multiboot_info *info = calloc(1, sizeof(*info));
    if (info) {
        info->modules = params->modules;
        info->nr_modules = params->nr_modules;
        info->module_at = calloc(params->nr_modules + 1, sizeof(*info->module_at));
    }
    if (!info || !info->module_at || !block_init(&info->info, paddr(0), info_bytes(params)) ||
        !block_init(&info->upper, paddr(0), upper_bytes(params))) {
        diag_add(diag, EXIT_STATUS_INTERNAL, "%s: out of memory", params->plan->file->name);
        multiboot_info_destroy(info);
        return NULL;
    }
    if (!lay_out(info, params, diag)) {
        multiboot_info_destroy(info);
        return NULL;
    }
    fill(info, params);
    return info;
}

void multiboot_info_destroy(struct multiboot_info *info)
{
    if (!info)
        return;
    block_fini(&info->info);
    block_fini(&info->upper);
    free(info->module_at);
    free(info);
}

void multiboot_info_load(const struct multiboot_info *info, struct ram *ram)
{
    load_bytes(ram, info->info.at, info->info.bytes, info->info.capacity);
    load_bytes(ram, info->upper.at, info->upper.bytes, info->upper.nr_bytes);
    for (size_t i = 0; i < info->nr_modules; i++)
        load_bytes(ram, info->module_at[i], info->modules[i].bytes, info->modules[i].size);
}

struct paddr multiboot_info_at(const struct multiboot_info *info)
{
    return info->info.at;
}

struct paddr multiboot_info_end(const struct multiboot_info *info)
{
    return info->end;
}
