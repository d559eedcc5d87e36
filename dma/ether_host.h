/*
 * A host at the other end of a cable, 10.0.2.2 with the address 52:55:0A:00:02:02, as QEMU's user network
 * has one: it answers who asks for its address (ARP, RFC 826), echo requests (ICMP, RFC 792), and what
 * comes to port 7 (UDP, RFC 862).
 */
#ifndef LK_DMA_ETHER_HOST_H
#define LK_DMA_ETHER_HOST_H

#include <stddef.h>
#include <stdint.h>

/*
 * What it says to a frame (without check sequence): the length of `answer`, which has room for as many
 * bytes as the frame has, at least 60. 0: nothing, as the frame is damaged, for somebody else, or of no
 * kind that it knows.
 */
size_t ether_host_answer(const uint8_t *frame, size_t nr_bytes, uint8_t *answer);

#endif
