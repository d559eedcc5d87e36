/*
 * Datagrams by hand, to and from other machines:
 *
 *     udp echo PORT COUNT                        sends so many datagrams back to where they came from
 *     udp send ADDRESS PORT BYTES COUNT          bytes that follow from their positions
 *     udp sendfile ADDRESS PORT FILE OFFSET BYTES
 *     udp offload DEVICE sg|tx on|off            pieces of packets, checksums by the card
 */
#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <unistd.h>

static unsigned char bytes[65536];

static int fail(const char *what)
{
    perror(what);
    return 1;
}

static struct sockaddr_in address_of(const char *address, const char *port)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)strtoul(port, NULL, 10))};
    inet_pton(AF_INET, address, &to.sin_addr);
    return to;
}

static int echo(const char *port, const char *count)
{
    struct sockaddr_in own = address_of("0.0.0.0", port), from;
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    if (bind(fd, (struct sockaddr *)&own, sizeof own) != 0)
        return fail("bind");
    printf("listening\n");
    for (unsigned long left = strtoul(count, NULL, 10); left; left--) {
        socklen_t length = sizeof from;
        ssize_t got = recvfrom(fd, bytes, sizeof bytes, 0, (struct sockaddr *)&from, &length);
        if (got < 0)
            return fail("recvfrom");
        if (sendto(fd, bytes, (size_t)got, 0, (struct sockaddr *)&from, length) != got)
            return fail("sendto");
    }
    return 0;
}

static int connected(const char *address, const char *port)
{
    struct sockaddr_in to = address_of(address, port);
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    if (connect(fd, (struct sockaddr *)&to, sizeof to) != 0)
        exit(fail("connect"));
    return fd;
}

static int send_bytes(int fd, size_t count, unsigned long times)
{
    for (size_t i = 0; i < count && i < sizeof bytes; i++)
        bytes[i] = (unsigned char)(i * 7 + (i >> 8));
    for (; times; times--)
        if (send(fd, bytes, count, 0) != (ssize_t)count)
            return fail("send");
    return 0;
}

static int send_file(int fd, const char *name, const char *offset, const char *count)
{
    off_t from = strtol(offset, NULL, 10);
    size_t wanted = strtoul(count, NULL, 10);
    int file = open(name, O_RDONLY);
    if (file < 0)
        return fail(name);
    ssize_t sent = sendfile(fd, file, &from, wanted);
    if (sent < 0)
        return fail("sendfile");
    return (size_t)sent != wanted;
}

static int offload(const char *device, const char *what, bool on)
{
    struct ethtool_value value = {.cmd = strcmp(what, "sg") == 0 ? ETHTOOL_SSG : ETHTOOL_STXCSUM, .data = on};
    struct ifreq request = {.ifr_data = (char *)&value};
    strncpy(request.ifr_name, device, sizeof request.ifr_name - 1);
    return ioctl(socket(AF_INET, SOCK_DGRAM, 0), SIOCETHTOOL, &request) ? fail("SIOCETHTOOL") : 0;
}

int main(int argc, char **argv)
{
    const char *what = argc > 1 ? argv[1] : "";
    setvbuf(stdout, NULL, _IONBF, 0);
    if (strcmp(what, "echo") == 0 && argc == 4)
        return echo(argv[2], argv[3]);
    if (strcmp(what, "send") == 0 && argc == 6)
        return send_bytes(connected(argv[2], argv[3]), strtoul(argv[4], NULL, 10),
                          strtoul(argv[5], NULL, 10));
    if (strcmp(what, "sendfile") == 0 && argc == 7)
        return send_file(connected(argv[2], argv[3]), argv[4], argv[5], argv[6]);
    if (strcmp(what, "offload") == 0 && argc == 5)
        return offload(argv[2], argv[3], strcmp(argv[4], "on") == 0);
    fprintf(stderr, "usage: udp echo PORT COUNT | send ADDRESS PORT BYTES COUNT | sendfile ADDRESS PORT FILE "
                    "OFFSET BYTES | "
                    "offload DEVICE sg|tx on|off\n");
    return 2;
}
