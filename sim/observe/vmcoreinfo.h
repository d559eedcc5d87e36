/*
 * What a Linux kernel leaves in memory for those who read its core: the ELF note VMCOREINFO, with its
 * release, symbols and structure layouts (Documentation/admin-guide/kdump/vmcoreinfo.rst). It is what
 * crash, makedumpfile and drgn look for.
 */
#ifndef LK_SIM_OBSERVE_VMCOREINFO_H
#define LK_SIM_OBSERVE_VMCOREINFO_H

#include "sim/base/ram.h"

enum { VMCOREINFO_MAX_BYTES = 16384 };

/* The whole note, with its header, as it lies in the guest's RAM. NULL: there is none. */
const uint8_t *vmcoreinfo_find(const struct ram *ram, size_t *nr_bytes);

#endif
