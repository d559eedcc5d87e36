#include "sim/load/image.h"

#include "sim/load/elf_image.h"
#include "sim/load/flat_image.h"
#include "sim/load/identify.h"
#include "sim/load/linux_boot.h"
#include "sim/load/linux_payload.h"
#include "sim/load/multiboot_header.h"
#include "sim/load/multiboot_info.h"
#include "sim/load/pvh.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    const char *name;
    enum load_protocol protocol;
} protocols[] = {
    {"auto", LOAD_AUTO},        {"multiboot", LOAD_MULTIBOOT}, {"linux", LOAD_LINUX},
    {"linux32", LOAD_LINUX_32}, {"linux64", LOAD_LINUX_64},    {"pvh", LOAD_PVH},
    {"sector", LOAD_SECTOR},    {"flat16", LOAD_FLAT_16},      {"flat32", LOAD_FLAT_32},
    {"flat64", LOAD_FLAT_64},
};

/* Everything that is open while an image is being loaded. */
struct loading {
    const struct load_params *params;
    enum load_protocol protocol;
    struct file_map image;
    struct file_map payload; /* of a bzImage that is unpacked here; else empty */
    struct load_plan plan;
    struct file_map *module_files;
    const char **module_arguments;
    struct multiboot_info *info; /* of multiboot */
    struct handover handover;    /* of all others */
    struct linux_header linux_header;
};

bool load_protocol_named(const char *name, enum load_protocol *protocol, struct diag *diag)
{
    for (size_t i = 0; i < sizeof(protocols) / sizeof(*protocols); i++) {
        if (strcmp(protocols[i].name, name) == 0) {
            *protocol = protocols[i].protocol;
            return true;
        }
    }
    return diag_add(
        diag, EXIT_STATUS_USAGE,
        "--boot: '%s' is no boot protocol; allowed: auto, multiboot, linux, linux32, linux64, pvh, "
        "sector, flat16, flat32, flat64",
        name);
}

/* What the file itself asks for. Multiboot's search says best what is wrong with a file that is nothing. */
static enum load_protocol recognise(const struct file_map *image)
{
    uint64_t entry;
    if (is_linux(image))
        return LOAD_LINUX;
    if (multiboot_has_header(image))
        return LOAD_MULTIBOOT;
    if (elf_pvh_entry(image, &entry))
        return LOAD_PVH;
    return is_boot_sector(image) ? LOAD_SECTOR : LOAD_MULTIBOOT;
}

static bool plan_multiboot(struct loading *loading, struct diag *diag)
{
    const struct file_map *image = &loading->image;
    struct multiboot_header header;
    if (!multiboot_find_header(image, &header, diag))
        return false;
    if (header.flags & MULTIBOOT_ADDRESSES)
        return multiboot_plan(&loading->plan, &header, diag);
    if (is_elf(image))
        return elf_plan(&loading->plan, false, diag);
    char found[IDENTIFY_MAX];
    identify_file(image, found);
    return diag_add(diag, EXIT_STATUS_BAD_DATA,
                    "%s: multiboot header at %#" PRIx64
                    " without load addresses (flag bit 16), in %s; allowed: an "
                    "ELF32 executable for i386, or that flag",
                    image->name, header.offset, found);
}

/* From here on what is in the bzImage is planned, and not the bzImage. */
static bool unpack_linux(struct loading *loading, struct diag *diag)
{
    if (!linux_payload_unpack(&loading->linux_header, &loading->payload, diag))
        return false;
    plan_fini(&loading->plan);
    plan_init(&loading->plan, &loading->payload);
    return true;
}

static bool plan_pvh(struct loading *loading, struct diag *diag)
{
    uint64_t entry;
    if (loading->params->is_unpacked &&
        !(linux_read_header(&loading->image, &loading->linux_header, diag) && unpack_linux(loading, diag)))
        return false;
    const struct file_map *kernel = loading->plan.file;
    if (elf_pvh_entry(kernel, &entry))
        return pvh_plan(&loading->plan, entry, diag);
    char found[IDENTIFY_MAX];
    identify_file(kernel, found);
    return diag_add(
        diag, EXIT_STATUS_BAD_DATA,
        "%s: found %s, and no PVH entry; allowed: an ELF executable with a note of owner Xen, type "
        "18%s",
        kernel->name, found, is_linux(kernel) ? ", or with --unpack a bzImage that has one inside" : "");
}

static struct linux_params linux_params(const struct loading *loading)
{
    return (struct linux_params){
        .map = loading->params->map,
        .arguments = loading->params->arguments,
        .modules = loading->module_files,
        .nr_modules = loading->params->nr_modules,
        .is_64 = loading->protocol == LOAD_LINUX_64,
        .rsdp = loading->params->rsdp,
    };
}

static bool plan_linux(struct loading *loading, struct diag *diag)
{
    const struct file_map *image = &loading->image;
    if (!is_linux(image)) {
        char found[IDENTIFY_MAX];
        identify_file(image, found);
        return diag_add(diag, EXIT_STATUS_BAD_DATA,
                        "%s: found %s; allowed: a Linux kernel (bzImage), with HdrS at 0x202", image->name,
                        found);
    }
    if (!linux_read_header(image, &loading->linux_header, diag))
        return false;
    bool has_64 = loading->linux_header.has_64_bit_entry;
    if (loading->protocol == LOAD_LINUX)
        loading->protocol = has_64 && loading->params->has_long_mode ? LOAD_LINUX_64 : LOAD_LINUX_32;
    else if (loading->protocol == LOAD_LINUX_64 && !(has_64 && loading->params->has_long_mode))
        return diag_add(diag, EXIT_STATUS_BAD_DATA, "%s: --boot linux64: %s; allowed: linux32", image->name,
                        has_64 ? "cpu.isa has no 64-bit mode"
                               : "the kernel has no 64-bit entry (XLF_KERNEL_64 in xloadflags)");
    const struct linux_params params = linux_params(loading);
    if (loading->params->is_unpacked)
        return unpack_linux(loading, diag) && linux_plan_unpacked(&loading->plan, &params, diag);
    return linux_plan(&loading->plan, &loading->linux_header, &params, diag);
}

static enum load_mode flat_mode(enum load_protocol protocol)
{
    if (protocol == LOAD_FLAT_32)
        return LOAD_PROTECTED;
    return protocol == LOAD_FLAT_64 ? LOAD_LONG : LOAD_REAL;
}

static bool is_flat(enum load_protocol protocol)
{
    return protocol == LOAD_FLAT_16 || protocol == LOAD_FLAT_32 || protocol == LOAD_FLAT_64;
}

static bool plan_flat(struct loading *loading, struct diag *diag)
{
    const struct load_params *params = loading->params;
    if (loading->protocol == LOAD_FLAT_64 && !params->has_long_mode)
        return diag_add(diag, EXIT_STATUS_BAD_DATA, "%s: --boot flat64: cpu.isa has no 64-bit mode",
                        params->file);
    if (loading->protocol == LOAD_SECTOR)
        return boot_sector_plan(&loading->plan, diag);
    return flat_plan(&loading->plan, flat_mode(loading->protocol), params->load_at, params->entry, diag);
}

/* Options that this protocol has no use for are a mistake, not ignored. */
static bool check_options(const struct loading *loading, struct diag *diag)
{
    const struct load_params *params = loading->params;
    enum load_protocol protocol = loading->protocol;
    if (params->is_unpacked && !is_linux(&loading->image))
        return diag_add(diag, EXIT_STATUS_USAGE, "--unpack: %s is no Linux kernel (bzImage)", params->file);
    bool has_no_text = is_flat(protocol) || protocol == LOAD_SECTOR;
    if (has_no_text && (params->arguments || params->nr_modules))
        return diag_add(diag, EXIT_STATUS_USAGE, "%s: %s: a flat image or boot sector is told nothing",
                        params->arguments ? "-a" : "--initrd", params->file);
    if (!is_flat(protocol) && (params->load_at || params->entry))
        return diag_add(diag, EXIT_STATUS_USAGE,
                        "%s: only for flat images; allowed: with --boot flat16, flat32 or flat64",
                        params->load_at ? "--load-at" : "--entry");
    return true;
}

static bool plan_image(struct loading *loading, struct diag *diag)
{
    const struct file_map *image = &loading->image;
    if (!file_map_open(&loading->image, loading->params->file, diag))
        return false;
    if (image->size == 0)
        return diag_add(
            diag, EXIT_STATUS_BAD_DATA,
            "%s: is empty; allowed: a multiboot 1, Linux or PVH kernel, a boot sector or a flat image",
            image->name);
    plan_init(&loading->plan, image);
    if (loading->protocol == LOAD_AUTO)
        loading->protocol = recognise(image);
    if (!check_options(loading, diag))
        return false;
    switch (loading->protocol) {
    case LOAD_LINUX:
    case LOAD_LINUX_32:
    case LOAD_LINUX_64:
        return plan_linux(loading, diag);
    case LOAD_PVH:
        return plan_pvh(loading, diag);
    case LOAD_SECTOR:
    case LOAD_FLAT_16:
    case LOAD_FLAT_32:
    case LOAD_FLAT_64:
        return plan_flat(loading, diag);
    case LOAD_AUTO:
    case LOAD_MULTIBOOT:
        break;
    }
    return plan_multiboot(loading, diag);
}

static bool open_modules(struct loading *loading, struct diag *diag)
{
    const struct load_params *params = loading->params;
    loading->module_files = calloc(params->nr_modules + 1, sizeof(*loading->module_files));
    loading->module_arguments = calloc(params->nr_modules + 1, sizeof(*loading->module_arguments));
    if (!loading->module_files || !loading->module_arguments)
        return diag_add(diag, EXIT_STATUS_INTERNAL, "%s: out of memory", params->file);
    for (size_t i = 0; i < params->nr_modules; i++) {
        if (!file_map_open(&loading->module_files[i], params->modules[i].file, diag))
            return false;
        loading->module_arguments[i] = params->modules[i].arguments;
    }
    return true;
}

static bool hand_over_multiboot(struct loading *loading, struct diag *diag)
{
    loading->info = multiboot_info_create(
        &(struct multiboot_params){
            .plan = &loading->plan,
            .map = loading->params->map,
            .arguments = loading->params->arguments,
            .modules = loading->module_files,
            .module_arguments = loading->module_arguments,
            .nr_modules = loading->params->nr_modules,
        },
        diag);
    if (!loading->info)
        return false;
    /* Multiboot 0.6.96, 3.2; ESP, GDTR and IDTR are not promised. */
    loading->handover.start = (struct load_start){
        .mode = LOAD_PROTECTED,
        .entry = loading->plan.entry,
        .eax = MULTIBOOT_LOADER_MAGIC,
        .ebx = (uint32_t)multiboot_info_at(loading->info).v,
        .code_selector = 0x08,
        .data_selector = 0x10,
    };
    loading->handover.end = multiboot_info_end(loading->info);
    return true;
}

static bool hand_over(struct loading *loading, struct diag *diag)
{
    const struct load_params *params = loading->params;
    const struct linux_params linux_kernel = linux_params(loading);
    switch (loading->protocol) {
    case LOAD_LINUX:
    case LOAD_LINUX_32:
    case LOAD_LINUX_64:
        return linux_hand_over(&loading->handover, &loading->plan, &loading->linux_header, &linux_kernel,
                               diag);
    case LOAD_PVH:
        return pvh_hand_over(&loading->handover, &loading->plan,
                             &(struct pvh_params){
                                 .map = params->map,
                                 .arguments = params->arguments,
                                 .modules = loading->module_files,
                                 .module_arguments = loading->module_arguments,
                                 .nr_modules = params->nr_modules,
                                 .rsdp = params->rsdp,
                             },
                             diag);
    case LOAD_SECTOR:
    case LOAD_FLAT_16:
    case LOAD_FLAT_32:
    case LOAD_FLAT_64:
        return flat_hand_over(&loading->handover, &loading->plan, flat_mode(loading->protocol), diag);
    case LOAD_AUTO:
    case LOAD_MULTIBOOT:
        break;
    }
    return hand_over_multiboot(loading, diag);
}

static bool prepare(struct loading *loading, struct load_result *result, struct diag *diag)
{
    if (!plan_image(loading, diag) || !plan_check(&loading->plan, loading->params->map, diag) ||
        !open_modules(loading, diag) || !hand_over(loading, diag))
        return false;
    return !is_elf(&loading->image) ||
           elf_read_note(&loading->image, &result->note, &result->note_bytes, diag);
}

static void close_all(struct loading *loading)
{
    multiboot_info_destroy(loading->info);
    handover_fini(&loading->handover);
    for (size_t i = 0; loading->module_files && i < loading->params->nr_modules; i++)
        file_map_close(&loading->module_files[i]);
    free(loading->module_files);
    free(loading->module_arguments);
    plan_fini(&loading->plan);
    file_map_close(&loading->payload);
    file_map_close(&loading->image);
}

bool load_image(const struct load_params *params, struct ram *ram, struct load_result *result,
                struct diag *diag)
{
    struct loading loading = {.params = params, .protocol = params->protocol};
    *result = (struct load_result){0};
    bool is_good = prepare(&loading, result, diag);
    if (is_good) {
        plan_load(&loading.plan, ram);
        if (loading.info)
            multiboot_info_load(loading.info, ram);
        handover_load(&loading.handover, ram);
        result->start = loading.handover.start;
        result->image_base = loading.plan.segments[0].base;
        result->image_end = plan_end(&loading.plan);
        result->data_end = loading.handover.end;
    }
    close_all(&loading);
    return is_good;
}

void load_result_fini(struct load_result *result)
{
    free(result->note);
    *result = (struct load_result){0};
}
