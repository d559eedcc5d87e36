/* What a run knows of its guest's names and of its kernel: from a file, and from the guest's own memory. */
#ifndef LK_SIM_RUN_SYMBOLS_H
#define LK_SIM_RUN_SYMBOLS_H

#include "sim/machine.h"
#include "sim/observe/guest_kernel.h"

struct run_symbols;

/*
 * `named`: the file of --symbols; else `image`, which need not have any. Either may be NULL. NULL with a line
 * in `diag`: the named one has no functions, or memory is short.
 */
struct run_symbols *run_symbols_create(const char *named, const char *image, struct diag *diag);
void run_symbols_destroy(struct run_symbols *symbols);

/* The kernel that is in the machine's memory now, until it runs. is_cheap: as in guest_kernel_look. */
const struct guest_kernel *run_symbols_kernel(struct run_symbols *symbols, const struct machine *machine,
                                              bool is_cheap);

/* The names of the file, or else those that this kernel has of itself; NULL: none. */
const struct elf_symbols *run_symbols_now(struct run_symbols *symbols, const struct machine *machine);

#endif
