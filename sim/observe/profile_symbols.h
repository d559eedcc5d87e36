/* Names, lines and code of addresses in a profile, from the guest's ELF files; by libdw. */
#ifndef LK_SIM_OBSERVE_PROFILE_SYMBOLS_H
#define LK_SIM_OBSERVE_PROFILE_SYMBOLS_H

#include "sim/observe/profile.h"

struct profile_symbols;

/*
 * The image's symbols for what runs in the kernel, and, where it has none, what the kernel calls its
 * functions itself. The profile outlives them. A file of `files` is of the processes that bear its name,
 * or of all when none does; "FILE@ADDRESS" lies there in memory. NULL with a line in `diag`; an image that
 * has no symbols is no mistake.
 */
struct profile_symbols *profile_symbols_create(const struct profile *profile, const char *const *files,
                                               size_t nr_files, struct diag *diag);
void profile_symbols_destroy(struct profile_symbols *symbols);

struct profile_place {
    const char *function;       /* NULL: nobody knows */
    uint64_t begin, size_bytes; /* of the function; size 0: its end is not known */
    const char *source;         /* filled by profile_symbols_line; NULL: nobody knows */
    unsigned line;
    const void *object; /* for profile_symbols_code; NULL: no file has it */
};

/* What lies at an address that ran in `process` at `cpl`. The texts live as long as `symbols`. */
void profile_symbols_find(const struct profile_symbols *symbols, const char *process, unsigned cpl,
                          uint64_t linear, struct profile_place *place);

/* Its source line, of a place that was found for it; that takes longer. */
void profile_symbols_line(uint64_t linear, struct profile_place *place);

/* The address of a function of that name in any of the files. */
bool profile_symbols_address(const struct profile_symbols *symbols, const char *function,
                             struct profile_place *place);

/* The file's bytes for an address; how many there are, up to nr_bytes. Code is of 32 or 64 bits. */
size_t profile_symbols_code(const void *opaque, uint64_t linear, uint8_t *bytes, size_t nr_bytes);
unsigned profile_symbols_code_bits(const void *opaque);

#endif
