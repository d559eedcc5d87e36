/* What the files linux_*.c share. */
#ifndef LK_SIM_OBSERVE_LINUX_INTERNAL_H
#define LK_SIM_OBSERVE_LINUX_INTERNAL_H

#include "sim/observe/btf.h"
#include "sim/observe/linear_space.h"
#include "sim/observe/linux_guest.h"

/* A member that the kernel does not tell of has size_bytes == 0. */
struct linux_layout {
#define MEMBER(id, structure, path) struct btf_member id;
#include "sim/observe/linux_members.def"
#undef MEMBER
    uint32_t zone_bytes, free_area_bytes;
};

struct linux_guest {
    const struct ram *ram;
    struct paddr info_at;
    char info[PAGE_BYTES + 1]; /* VMCOREINFO: lines */
    char release[64];
    unsigned word_bytes;        /* of a pointer, and of a long: 4 or 8 */
    struct linear_space kernel; /* the kernel's own page tables */
    struct elf_symbols *symbols;
    bool has_layouts;
    struct linux_layout layout;
};

/*
 * VMCOREINFO's "KEY=" as a number: SYMBOL(...) in hexadecimal, others in decimal. False, and *value 0: it
 * does not say.
 */
bool linux_info(const struct linux_guest *guest, const char *key, uint64_t *value);

/* A number of 1 to 8 bytes. False, and *value 0. */
bool linux_read_number(struct linux_guest *guest, uint64_t linear, size_t size_bytes, uint64_t *value);
/* A pointer or a long. */
bool linux_read_word(struct linux_guest *guest, uint64_t linear, uint64_t *value);
/* That member of the structure at `base`; of an array its first element. */
bool linux_read_member(struct linux_guest *guest, uint64_t base, const struct btf_member *member,
                       uint64_t *value);
/* Printable ASCII up to a NUL; what is not becomes a question mark. */
void linux_read_text(struct linux_guest *guest, uint64_t linear, char *text, size_t size);

/* The kernel's symbols, decoded. NULL: they cannot be read. */
struct elf_symbols *linux_kallsyms(struct linux_guest *guest);

/* The layouts that the kernel's BTF tells. False: it has none. */
bool linux_read_layouts(struct linux_guest *guest);

#endif
