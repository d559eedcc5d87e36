/*
 * The kernel proper inside a bzImage: an ELF executable, packed by gzip, XZ, LZMA, LZ4 or Zstandard
 * (Linux/x86 boot protocol, payload_offset and payload_length). The host's unpacking costs no guest cycles.
 */
#ifndef LK_SIM_LOAD_LINUX_PAYLOAD_H
#define LK_SIM_LOAD_LINUX_PAYLOAD_H

#include "sim/load/linux_header.h"

/*
 * The unpacked payload of the file that has this checked header, as a mapping for file_map_close(); it bears
 * the file's name. What is not allowed is a line of status EXIT_STATUS_BAD_DATA, and false.
 */
bool linux_payload_unpack(const struct linux_header *header, struct file_map *payload, struct diag *diag);

#endif
