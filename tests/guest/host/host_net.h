/*
 * The guest's network layers as a library of the host: frames go in and come out of a device, datagrams go in
 * and come out of sockets. All numbers are in the host's order; results are negative error numbers, or what
 * Linux returns.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { HOST_NET_FRAME_MOST = 70000, HOST_NET_PAGES = 32, HOST_NET_PAGE_BYTES = 4096 };

extern const unsigned char host_net_mac[6];

struct host_net_device {
    uint32_t address, mask, mtu;
    bool gathers, sums; /* takes packets in pieces; makes checksums */
};

/* Who gets the frames that the device sends. */
typedef void (*host_net_sent_t)(const unsigned char *frame, size_t bytes);

void host_net_start(const struct host_net_device *device, host_net_sent_t sent);
/* The device does it differently from now on. */
void host_net_change(const struct host_net_device *device);
/* Closes all. Returns how many pieces of memory, and references to pages, were left behind. */
long host_net_end(void);
/* A frame comes. */
void host_net_receive(const unsigned char *frame, size_t bytes);
/* So many ticks of the clock. */
void host_net_wait(unsigned ticks);
/* Of the allocations that follow, every nth fails; 0: none. */
void host_net_fail_allocations(unsigned nth);

/* A UDP socket on that port, or an error. */
int host_net_open(unsigned port);
void host_net_close(int number);
long host_net_connect(int number, uint32_t address, unsigned port);
/* To whom it is connected; more: MSG_MORE. */
long host_net_send(int number, const void *bytes, size_t count, bool more);
/* A piece of a page; the pages' bytes are host_net_page(). */
long host_net_send_page(int number, unsigned page, unsigned offset, unsigned count, bool more);
unsigned char *host_net_page(unsigned page);
/* -EAGAIN: nothing has come. */
long host_net_recv(int number, void *to, size_t most, uint32_t *address, unsigned *port);

/* The kernel's sum of bytes whose first is `odd` bytes behind an even place, as it is stored. */
uint16_t host_net_checksum(const void *bytes, uint32_t count, bool odd);
