/*
 * Capture files in the format of libpcap (draft-ietf-opsawg-pcap): read as a whole, or written frame by
 * frame.
 */
#ifndef LK_DMA_PCAP_H
#define LK_DMA_PCAP_H

#include "sim/base/diag.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct pcap_frame {
    const uint8_t *bytes;
    uint32_t nr_bytes;
    uint64_t nanoseconds; /* since the first frame of the file; not before the frame in front of it */
};

struct pcap {
    uint8_t *file;
    size_t file_bytes;
    struct pcap_frame *frames;
    size_t nr_frames;
    uint32_t crc32c; /* of the file */
};

/*
 * Reads a file of Ethernet frames of 14 to `max_bytes` bytes, in micro- or nanoseconds and in either byte
 * order. On failure adds a line of status 66 (cannot be read) or 65 (what is wrong, and at which byte).
 */
bool pcap_read(struct pcap *pcap, const char *name, size_t max_bytes, struct diag *diag);
void pcap_fini(struct pcap *pcap);

/* Little-endian, in nanoseconds. False: the host cannot write. */
bool pcap_write_head(FILE *to);
bool pcap_write_frame(FILE *to, const void *bytes, size_t nr_bytes, uint64_t seconds, uint32_t nanoseconds);

#endif
