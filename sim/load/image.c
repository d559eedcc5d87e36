#include "sim/load/image.h"

#include "sim/load/elf_image.h"
#include "sim/load/identify.h"
#include "sim/load/multiboot_header.h"
#include "sim/load/multiboot_info.h"

#include <inttypes.h>
#include <stdlib.h>

/* Everything that is open while an image is being loaded. */
struct loading {
    const struct load_params *params;
    struct file_map image;
    struct load_plan plan;
    struct file_map *module_files;
    struct multiboot_module *modules;
    struct multiboot_info *info;
};

static bool plan_image(struct loading *loading, struct diag *diag)
{
    const struct file_map *image = &loading->image;
    struct multiboot_header header;
    if (!file_map_open(&loading->image, loading->params->file, diag))
        return false;
    if (image->size == 0)
        return diag_add(diag, EXIT_STATUS_BAD_DATA, "%s: is empty; allowed: a multiboot 1 image",
                        image->name);
    if (!multiboot_find_header(image, &header, diag))
        return false;
    plan_init(&loading->plan, image);
    if (header.flags & MULTIBOOT_ADDRESSES)
        return multiboot_plan(&loading->plan, &header, diag);
    if (is_elf(image))
        return elf_plan(&loading->plan, diag);
    char found[IDENTIFY_MAX];
    identify_file(image, found);
    return diag_add(diag, EXIT_STATUS_BAD_DATA,
                    "%s: multiboot header at %#" PRIx64
                    " without load addresses (flag bit 16), in %s; allowed: an "
                    "ELF32 executable for i386, or that flag",
                    image->name, header.offset, found);
}

static bool open_modules(struct loading *loading, struct diag *diag)
{
    const struct load_params *params = loading->params;
    loading->module_files = calloc(params->nr_modules + 1, sizeof(*loading->module_files));
    loading->modules = calloc(params->nr_modules + 1, sizeof(*loading->modules));
    if (!loading->module_files || !loading->modules)
        return diag_add(diag, EXIT_STATUS_INTERNAL, "%s: out of memory", params->file);
    for (size_t i = 0; i < params->nr_modules; i++) {
        if (!file_map_open(&loading->module_files[i], params->modules[i].file, diag))
            return false;
        loading->modules[i] = (struct multiboot_module){
            .file = &loading->module_files[i],
            .arguments = params->modules[i].arguments,
        };
    }
    return true;
}

static bool prepare(struct loading *loading, struct load_result *result, struct diag *diag)
{
    const struct load_params *params = loading->params;
    if (!plan_image(loading, diag) || !plan_check(&loading->plan, params->map, diag) ||
        !open_modules(loading, diag))
        return false;
    loading->info = multiboot_info_create(
        &(struct multiboot_params){
            .plan = &loading->plan,
            .map = params->map,
            .arguments = params->arguments,
            .modules = loading->modules,
            .nr_modules = params->nr_modules,
        },
        diag);
    if (!loading->info)
        return false;
    return !is_elf(&loading->image) ||
           elf_read_note(&loading->image, &result->note, &result->note_bytes, diag);
}

static void close_all(struct loading *loading)
{
    multiboot_info_destroy(loading->info);
    for (size_t i = 0; loading->module_files && i < loading->params->nr_modules; i++)
        file_map_close(&loading->module_files[i]);
    free(loading->module_files);
    free(loading->modules);
    plan_fini(&loading->plan);
    file_map_close(&loading->image);
}

bool load_image(const struct load_params *params, struct ram *ram, struct load_result *result,
                struct diag *diag)
{
    struct loading loading = {.params = params};
    *result = (struct load_result){0};
    bool is_good = prepare(&loading, result, diag);
    if (is_good) {
        plan_load(&loading.plan, ram);
        multiboot_info_load(loading.info, ram);
        result->entry = (uint32_t)loading.plan.entry;
        result->eax = MULTIBOOT_LOADER_MAGIC;
        result->ebx = (uint32_t)multiboot_info_at(loading.info).v;
        result->image_base = loading.plan.segments[0].base;
        result->image_end = plan_end(&loading.plan);
        result->data_end = multiboot_info_end(loading.info);
    }
    close_all(&loading);
    return is_good;
}

void load_result_fini(struct load_result *result)
{
    free(result->note);
    *result = (struct load_result){0};
}
