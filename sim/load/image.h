/*
 * Brings a guest into RAM: recognises the file, checks all of it, and only then writes. What is wrong with a
 * file is one line that names the file, what was found and where, and what is allowed: status 66 for a file
 * that cannot be read, 65 for one that is no guest.
 *
 * The one form known is multiboot 1: an ELF32 executable for i386 loaded at its physical addresses, or any
 * file with load addresses in its multiboot header.
 */
#ifndef LK_SIM_LOAD_IMAGE_H
#define LK_SIM_LOAD_IMAGE_H

#include "sim/base/diag.h"
#include "sim/base/ram.h"
#include "sim/board/memory_map.h"

#include <stdint.h>

struct load_module {
    const char *file;
    const char *arguments; /* NULL for none */
};

struct load_params {
    const char *file;      /* its name without folders is the first word of the guest's command line */
    const char *arguments; /* the rest of the command line; NULL for none */
    const struct load_module *modules;
    size_t nr_modules;
    const struct memory_map *map; /* of the machine that `ram` belongs to */
};

/*
 * How the CPU starts (Multiboot 0.6.96, 3.2): 32-bit protected mode without paging, EIP = entry, EAX and EBX
 * as here, CS a flat 32-bit code segment, DS ES FS GS SS flat data, interrupts off, A20 open. ESP, GDTR and
 * IDTR are not promised.
 */
struct load_result {
    uint32_t entry, eax, ebx;
    /* What is in use: [image_base, image_end) the image's segments, up to data_end strings and modules. */
    struct paddr image_base, image_end, data_end;
    /* The contents of the image's note of owner "lookaside", type 4C41h; NULL when it has none. Owned. */
    uint8_t *note;
    size_t note_bytes;
};

/* `ram` is fresh from ram_init(). On failure adds a line, and neither RAM nor `result` holds anything. */
bool load_image(const struct load_params *params, struct ram *ram, struct load_result *result,
                struct diag *diag);

void load_result_fini(struct load_result *result);

#endif
