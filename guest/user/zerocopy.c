/*
 * D5. 15 pages of a disk go out through a network card: by read and write, by mmap and write, by sendfile
 * into a card that takes a packet in one piece only, and by sendfile into one that gathers its pieces. Disk
 * and card move them by DMA; what the CPU copies in between, and how often a program enters the kernel, is
 * counted from outside (sim/lab_net.c). First from the disk, then, for the time, from the page cache.
 */
#include "if.h"
#include "inet.h"
#include "lab.h"
#include "mman.h"
#include "printk.h"
#include "ufiles.h"

enum { PAGE_BYTES = 4096, NR_PAGES = 15, BYTES = NR_PAGES * PAGE_BYTES, NR_WARM = 3 };
enum { FIRST_PAGE = 64, PAGES_APART = 128 }; /* where on the disk each way has its own */
enum { PORT = 9, MTU = 9000, LOOP_MS = 500 };
#define OWN_ADDRESS 0xC0A80902u /* 192.168.9.2 */
#define PEER_ADDRESS 0xC0A80901u
#define BROADCAST_ADDRESS 0xC0A809FFu
#define POSIX_FADV_RANDOM 1u
#define PROT_READ_ONLY 1u
#define MAP_SHARED_FILE 1u

static u8 buffer[BYTES] __aligned(PAGE_BYTES);
static int disk, card_socket;

static u32 disk_word(u32 number)
{
    return number * 0x9E3779B1u ^ 0xD15Cu;
}

/* ---- Sockets ---- */

static int udp_socket(void)
{
    return (int)syscall(__NR_socket, AF_INET, SOCK_DGRAM, 0);
}

static long call_with_name(u32 call, int fd, u32 address)
{
    const struct sockaddr_in name = {
        .sin_family = AF_INET, .sin_port = htons(PORT), .sin_addr = htonl(address)};
    return syscall(call, (u32)fd, word_of(&name), sizeof(name));
}

static long set_option(int fd, u32 option, u32 value)
{
    return syscall5(__NR_setsockopt, (u32)fd, SOL_SOCKET, option, word_of(&value), sizeof(value));
}

static long ioctl(u32 command, void *arg)
{
    return syscall(__NR_ioctl, (u32)card_socket, command, word_of(arg));
}

static long change_card(u32 command, struct ifreq request)
{
    strlcpy(request.ifr_name, "eth0", sizeof(request.ifr_name));
    return ioctl(command, &request);
}

static bool gather(bool on)
{
    struct ethtool_value value = {.cmd = ETHTOOL_SSG, .data = on};
    return change_card(SIOCETHTOOL, (struct ifreq){.ifr_data = word_of(&value)}) == 0;
}

/* Frames to the peer, which is not there, need no question: its address is set. */
static bool set_up_card(void)
{
    struct arpreq peer = {.arp_pa = {.sin_family = AF_INET, .sin_addr = htonl(PEER_ADDRESS)},
                          .arp_ha = {.sa_family = ARPHRD_ETHER, .address = {2, 0, 0, 0, 0, 1}},
                          .arp_flags = ATF_COM | ATF_PERM};
    strlcpy(peer.arp_dev, "eth0", sizeof(peer.arp_dev));
    const struct sockaddr_in own = {.sin_family = AF_INET, .sin_addr = htonl(OWN_ADDRESS)};
    card_socket = udp_socket();
    return change_card(SIOCSIFADDR, (struct ifreq){.ifr_addr = own}) == 0 &&
           change_card(SIOCSIFMTU, (struct ifreq){.ifr_value = MTU}) == 0 &&
           change_card(SIOCSIFFLAGS, (struct ifreq){.ifr_flags = 1}) == 0 && ioctl(SIOCSARP, &peer) == 0 &&
           call_with_name(__NR_connect, card_socket, PEER_ADDRESS) == 0 &&
           /* A sum over several frames is the CPU's, which would read what it does not copy. */
           set_option(card_socket, SO_NO_CHECK, 1) == 0;
}

/* The card has read all that it was given; false: not in a second. */
static bool wait_until_sent(int fd)
{
    u32 bytes = 1;
    for (u32 tries = 0; bytes && tries < 100; tries++) {
        syscall(__NR_ioctl, (u32)fd, SIOCOUTQ, word_of(&bytes));
        if (bytes)
            nanosleep(0, 10000000);
    }
    return bytes == 0;
}

/* ---- The ways ---- */

static bool read_write(int fd, u32 position)
{
    return syscall5(__NR_pread64, (u32)disk, word_of(buffer), BYTES, position, 0) == BYTES &&
           write(fd, buffer, BYTES) == BYTES;
}

static void *map_disk(u32 position)
{
    const u32 arguments[6] = {0, BYTES, PROT_READ_ONLY, MAP_SHARED_FILE, (u32)disk, position};
    long address = syscall(__NR_mmap, word_of(arguments), 0, 0);
    union {
        long word;
        void *pointer;
    } of = {.word = address};
    return of.pointer;
}

static void *mapped = MAP_FAILED; /* given back when nothing is counted any more */

static bool mmap_write(int fd, u32 position)
{
    mapped = map_disk(position);
    return mapped != MAP_FAILED && write(fd, mapped, BYTES) == BYTES;
}

static bool send_file(int fd, u32 position)
{
    u32 offset = position;
    return syscall5(__NR_sendfile, (u32)fd, (u32)disk, word_of(&offset), BYTES, 0) == BYTES;
}

static const struct way {
    const char *name;
    bool (*go)(int fd, u32 position);
    bool gathers;
} ways[] = {{"read, write", read_write, false},
            {"mmap, write", mmap_write, false},
            {"sendfile", send_file, false},
            {"sendfile, gathered", send_file, true}};
enum { NR_WAYS = sizeof(ways) / sizeof(ways[0]) };

static u32 position_of(u32 way)
{
    return (FIRST_PAGE + way * PAGES_APART) * PAGE_BYTES;
}

static void unmap(void)
{
    if (mapped != MAP_FAILED)
        munmap(mapped, BYTES);
    mapped = MAP_FAILED;
}

/* Cycles until the program has the CPU again. */
static u64 measure_way(u32 number, const char *from)
{
    const struct way *way = &ways[number];
    struct lab_region region, until_sent;
    char name[48], name_until_sent[48];
    snprintf(name, sizeof(name), "%s, %s", way->name, from);
    snprintf(name_until_sent, sizeof(name_until_sent), "%s, %s, sent", way->name, from);
    bool is_done = gather(way->gathers);
    lab_region_begin(&until_sent, name_until_sent);
    lab_region_begin(&region, name);
    is_done &= way->go(card_socket, position_of(number));
    lab_region_end(&region);
    is_done &= wait_until_sent(card_socket);
    lab_region_end(&until_sent);
    unmap();
    lab_check(is_done, "%s: %u bytes from the %s to the card", way->name, BYTES, from);
    return region.counts.cycles;
}

/* What code and data of the way are not in the caches of the processor comes in. */
static void warm_up(u32 number)
{
    gather(ways[number].gathers);
    for (u32 i = 0; i < NR_WARM; i++) {
        ways[number].go(card_socket, position_of(number));
        wait_until_sent(card_socket);
        unmap();
    }
}

/* ---- What arrives ---- */

static u32 nr_wrong_words(u32 position)
{
    const u32 *words = (const void *)buffer;
    u32 nr = 0;
    for (u32 i = 0; i < BYTES / sizeof(u32); i++)
        nr += words[i] != disk_word(position / (u32)sizeof(u32) + i);
    return nr;
}

/* To everybody on the wire: where that gives back what is sent, this machine itself gets it. */
static void check_content(void)
{
    int to = udp_socket(), from = udp_socket();
    struct pollfd poll_fd = {.fd = from, .events = POLLIN};
    lab_check(set_option(to, SO_BROADCAST, 1) == 0 &&
                  call_with_name(__NR_connect, to, BROADCAST_ADDRESS) == 0 &&
                  call_with_name(__NR_bind, from, INADDR_ANY) == 0,
              "sockets to and from everybody");
    for (u32 i = 0; i < NR_WAYS; i++) {
        gather(ways[i].gathers);
        bool is_done = ways[i].go(to, position_of(i));
        unmap();
        memset(buffer, 0, BYTES);
        if (poll(&poll_fd, 1, LOOP_MS) != 1) {
            lab_check(is_done && !lab_counts_cycles(), "%s: nothing comes back", ways[i].name);
            continue;
        }
        lab_check(is_done && read(from, buffer, BYTES) == BYTES && nr_wrong_words(position_of(i)) == 0,
                  "%s: what comes back is what the disk has, each word", ways[i].name);
    }
    close(to);
    close(from);
}

static void measure(void)
{
    u64 cycles[NR_WAYS];
    struct lab_region region;
    lab_region_begin(&region, "nothing");
    lab_region_end(&region);
    for (u32 i = 0; i < NR_WAYS; i++)
        measure_way(i, "disk");
    for (u32 i = 0; i < NR_WAYS; i++) {
        warm_up(i);
        cycles[i] = measure_way(i, "cache");
    }
    if (!lab_counts_cycles())
        return;
    for (u32 i = 0; i < NR_WAYS; i++)
        lab_figure(ways[i].name, cycles[i], 1, "cycles, from the page cache");
    lab_check(cycles[3] < cycles[2] && cycles[2] < cycles[0],
              "sendfile takes less time than read and write, and less still where the card gathers");
}

int main(void);

int main(void)
{
    disk = open("/dev/hda", O_RDONLY, 0);
    if (disk < 0 || !set_up_card()) {
        lab_skip(disk < 0 ? "there is no disk" : "there is no network card");
        return (int)lab_status();
    }
    /* What is not asked for is not read. */
    syscall5(__NR_fadvise64, (u32)disk, 0, 0, 0, POSIX_FADV_RANDOM);
    memset(buffer, 1, BYTES);
    measure();
    check_content();
    return (int)lab_status();
}
