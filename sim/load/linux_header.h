/* The setup header of a bzImage (Linux/x86 boot protocol, "The Real-Mode Kernel Header"). */
#ifndef LK_SIM_LOAD_LINUX_HEADER_H
#define LK_SIM_LOAD_LINUX_HEADER_H

#include "sim/load/file_map.h"

struct linux_header {
    const struct file_map *file;            /* it stands in; the caller's */
    unsigned version;                       /* major << 8 | minor */
    uint64_t header_end;                    /* in the file: the first byte behind the header */
    uint64_t code_offset, code_bytes;       /* the protected-mode code in the file */
    uint64_t payload_offset, payload_bytes; /* the packed kernel in that code; 0 bytes: the header has none */
    uint64_t alignment, least_alignment;    /* of where it is loaded, if it is relocatable */
    uint64_t preferred_at;
    uint64_t init_bytes; /* from where it is loaded on, to be left to it */
    uint64_t initrd_max; /* the highest address that an initrd may have */
    uint64_t text_max;   /* bytes of the command line, without its zero */
    bool is_relocatable, has_64_bit_entry;
};

/* Whether the file says that it is one. */
bool is_linux(const struct file_map *file);

/* Reads and checks it. What is not allowed is a line (status 65). */
bool linux_read_header(const struct file_map *file, struct linux_header *header, struct diag *diag);

#endif
