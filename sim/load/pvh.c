#include "sim/load/pvh.h"

#include "sim/load/elf_image.h"

#include <inttypes.h>
#include <string.h>

/* struct hvm_start_info, version 1, and the structures that it points to (Xen, hvm/start_info.h). */
enum {
    INFO_MAGIC = 0,
    INFO_VERSION = 4,
    INFO_NR_MODULES = 12,
    INFO_MODULES = 16,
    INFO_COMMAND_LINE = 24,
    INFO_RSDP = 32,
    INFO_MEMORY_MAP = 40,
    INFO_NR_RANGES = 48,
    INFO_BYTES = 56,
    RANGE_BYTES = 24,
    MODULE_BYTES = 32,
};
#define START_INFO_MAGIC 0x336ec578u

enum { NR_MODULES_MAX = 64 };

bool pvh_plan(struct load_plan *plan, uint64_t entry, struct diag *diag)
{
    if (!elf_plan(plan, true, diag))
        return false;
    /* The note holds a physical address, whatever the code was linked for. */
    for (size_t i = 0; i < plan->nr_segments; i++)
        plan->segments[i].linked_at = plan->segments[i].base.v;
    plan->entry = entry;
    return true;
}

/* Modules and their command lines, one after the other on the pages above the image. */
static bool place_modules(struct handover *handover, const struct load_plan *plan,
                          const struct pvh_params *params, struct block *info, size_t list, struct diag *diag)
{
    uint64_t base = align_up(plan_end(plan).v, PAGE_BYTES), at = base;
    size_t text_bytes = 0;
    if (!handover_reserve_pieces(handover, params->nr_modules, diag))
        return false;
    for (size_t i = 0; i < params->nr_modules; i++) {
        const char *text = params->module_arguments[i];
        text_bytes += text ? strlen(text) + 1 : 0;
        handover->pieces[handover->nr_pieces++] =
            (struct handover_piece){.file = &params->modules[i], .at = paddr(at)};
        block_put_64(info, list + i * MODULE_BYTES, at);
        block_put_64(info, list + i * MODULE_BYTES + 8, params->modules[i].size);
        at = align_up(at + params->modules[i].size, PAGE_BYTES);
    }
    handover->end = paddr(at + text_bytes);
    if (!usable_range(params->map, paddr(base), at + text_bytes - base))
        return diag_add(diag, EXIT_STATUS_BAD_DATA,
                        "%s: no room for modules: %#" PRIx64 " bytes from %#" PRIx64
                        ", where the image ends, are not all usable RAM",
                        plan->file->name, at + text_bytes - base, base);
    if (text_bytes == 0)
        return true;
    struct block *texts = handover_block(handover, at, text_bytes, diag);
    if (!texts)
        return false;
    size_t used = 0;
    for (size_t i = 0; i < params->nr_modules; i++) {
        const char *text = params->module_arguments[i];
        if (!text)
            continue;
        block_put_64(info, list + i * MODULE_BYTES + 16, at + used);
        block_put(texts, used, text, strlen(text) + 1);
        used += strlen(text) + 1;
    }
    return true;
}

bool pvh_hand_over(struct handover *handover, const struct load_plan *plan, const struct pvh_params *params,
                   struct diag *diag)
{
    const size_t ranges = INFO_BYTES, list = ranges + params->map->nr_ranges * RANGE_BYTES;
    if (params->nr_modules > NR_MODULES_MAX)
        return diag_add(diag, EXIT_STATUS_USAGE, "--initrd: %zu modules; allowed for PVH: at most %d",
                        params->nr_modules, NR_MODULES_MAX);
    struct block *info =
        handover_block(handover, HANDOVER_INFO_AT, list + params->nr_modules * MODULE_BYTES, diag);
    if (!info)
        return false;
    block_put_32(info, INFO_MAGIC, START_INFO_MAGIC);
    block_put_32(info, INFO_VERSION, 1);
    block_put_32(info, INFO_NR_MODULES, params->nr_modules);
    block_put_64(info, INFO_MODULES, params->nr_modules ? HANDOVER_INFO_AT + list : 0);
    block_put_64(info, INFO_COMMAND_LINE, HANDOVER_TEXT_AT);
    block_put_64(info, INFO_RSDP, params->rsdp);
    block_put_64(info, INFO_MEMORY_MAP, HANDOVER_INFO_AT + ranges);
    block_put_32(info, INFO_NR_RANGES, params->map->nr_ranges);
    for (size_t i = 0; i < params->map->nr_ranges; i++) {
        const struct memory_range *range = &params->map->ranges[i];
        block_put_64(info, ranges + i * RANGE_BYTES, range->base.v);
        block_put_64(info, ranges + i * RANGE_BYTES + 8, range->size_bytes);
        block_put_32(info, ranges + i * RANGE_BYTES + 16, range->kind);
    }
    handover->start = (struct load_start){
        .mode = LOAD_PROTECTED,
        .entry = plan->entry,
        .ebx = HANDOVER_INFO_AT,
        .code_selector = HANDOVER_CODE,
        .data_selector = HANDOVER_DATA,
        .has_task = true,
    };
    return handover_is_clear(plan, diag) && place_modules(handover, plan, params, info, list, diag) &&
           handover_text(handover, params->arguments, UINT32_MAX, diag);
}
