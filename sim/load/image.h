/*
 * Brings a guest into RAM: recognises the file, checks all of it, and only then writes. What is wrong with a
 * file is one line that names the file, what was found and where, and what is allowed: status 66 for a file
 * that cannot be read, 65 for one that is no guest, 64 for options that do not go with it. docs/loading.md
 * has the kinds of images and what each guest finds.
 */
#ifndef LK_SIM_LOAD_IMAGE_H
#define LK_SIM_LOAD_IMAGE_H

#include "sim/base/diag.h"
#include "sim/base/ram.h"
#include "sim/board/memory_map.h"
#include "sim/load/start.h"

#include <stdint.h>

struct load_module {
    const char *file;
    const char *arguments; /* NULL for none */
};

/* How an image wants to be loaded and started; LOAD_AUTO recognises all but flat ones. */
enum load_protocol {
    LOAD_AUTO,
    LOAD_MULTIBOOT,
    LOAD_LINUX, /* 64-bit if kernel and CPU can, else 32-bit */
    LOAD_LINUX_32,
    LOAD_LINUX_64,
    LOAD_PVH,
    LOAD_SECTOR,
    LOAD_FLAT_16,
    LOAD_FLAT_32,
    LOAD_FLAT_64,
};

struct load_params {
    const char *file;
    const char *arguments; /* the command line; multiboot puts the file's name in front. NULL for none */
    const struct load_module *modules;
    size_t nr_modules;
    const struct memory_map *map; /* of the machine that `ram` belongs to */
    enum load_protocol protocol;
    bool has_long_mode;      /* the CPU */
    bool is_unpacked;        /* the host unpacks a bzImage's kernel, which then is what is loaded */
    uint64_t load_at, entry; /* physical, of flat images; 0: the protocol's own */
    uint64_t rsdp;           /* where the ACPI tables begin; 0: there are none */
};

struct load_result {
    struct load_start start;
    /* What is in use: [image_base, image_end) the image's segments, up to data_end strings and modules. */
    struct paddr image_base, image_end, data_end;
    /* The contents of the image's note of owner "lookaside", type 4C41h; NULL when it has none. Owned. */
    uint8_t *note;
    size_t note_bytes;
};

/* `ram` is fresh from ram_init(). On failure adds a line, and neither RAM nor `result` holds anything. */
bool load_image(const struct load_params *params, struct ram *ram, struct load_result *result,
                struct diag *diag);

/* The protocol of that name ("auto", "linux32" ...). False, with a line of status 64, when there is none. */
bool load_protocol_named(const char *name, enum load_protocol *protocol, struct diag *diag);

void load_result_fini(struct load_result *result);

#endif
