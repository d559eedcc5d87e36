/*
 * Sockets over lo: datagrams, their addresses, lengths and errors, put together of pieces, sent from files.
 * The same lines come on Linux, where lo is up already.
 */
#define _GNU_SOURCE
#include "trial.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

enum { PORT = 45001, OTHER_PORT = 45002, NOBODYS_PORT = 45003, MOST = 65507 };

static unsigned char out[70000], in[70000];

static struct sockaddr_in address_of(unsigned port)
{
    return (struct sockaddr_in){
        .sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr = {htonl(INADDR_LOOPBACK)}};
}

static int udp_socket(unsigned port)
{
    struct sockaddr_in address = address_of(port);
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    if (fd >= 0 && port && bind(fd, (struct sockaddr *)&address, sizeof address) != 0)
        perror("bind");
    return fd;
}

static int connected_socket(unsigned port, unsigned peer)
{
    struct sockaddr_in address = address_of(peer);
    int fd = udp_socket(port);
    if (connect(fd, (struct sockaddr *)&address, sizeof address) != 0)
        perror("connect");
    return fd;
}

/* The error of a call that must fail. */
static int error_of(long result)
{
    return result == -1 ? errno : 0;
}

static void bring_lo_up(void)
{
    struct ifreq request = {.ifr_name = "lo"};
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    struct sockaddr_in address = address_of(0);
    ioctl(fd, SIOCGIFFLAGS, &request);
    if (!(request.ifr_flags & IFF_UP)) {
        memcpy(&request.ifr_addr, &address, sizeof address);
        ioctl(fd, SIOCSIFADDR, &request);
        request.ifr_flags = IFF_UP;
        ioctl(fd, SIOCSIFFLAGS, &request);
    }
    ioctl(fd, SIOCGIFFLAGS, &request);
    check((request.ifr_flags & (IFF_UP | IFF_LOOPBACK)) == (IFF_UP | IFF_LOOPBACK), "lo is up");
    ioctl(fd, SIOCGIFADDR, &request);
    memcpy(&address, &request.ifr_addr, sizeof address);
    check(address.sin_addr.s_addr == htonl(INADDR_LOOPBACK), "its address is 127.0.0.1");
    close(fd);
}

static void test_datagrams(void)
{
    int a = udp_socket(PORT), b = udp_socket(OTHER_PORT);
    struct sockaddr_in to = address_of(OTHER_PORT), from;
    socklen_t length = sizeof from;
    static const unsigned sizes[] = {0, 1, 7, 100, 1472, 1473, 4096, 9000, 40000, MOST};
    struct stat stat;
    check(fstat(a, &stat) == 0 && S_ISSOCK(stat.st_mode), "a socket is a file of that kind");
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        memset(in, 0, sizeof in);
        memset(&from, 0, sizeof from);
        check_equal(sendto(a, out, sizes[i], 0, (struct sockaddr *)&to, sizeof to), (long)sizes[i], "sendto");
        check_equal(recvfrom(b, in, sizeof in, 0, (struct sockaddr *)&from, &length), (long)sizes[i],
                    "recvfrom");
        check(memcmp(in, out, sizes[i]) == 0, "each byte is right");
        check(from.sin_family == AF_INET && from.sin_port == htons(PORT) && length == sizeof from, "from a");
    }
    check_equal(error_of(sendto(a, out, MOST + 1, 0, (struct sockaddr *)&to, sizeof to)), EMSGSIZE,
                "too long");
    check_equal(error_of(recv(b, in, sizeof in, MSG_DONTWAIT)), EAGAIN, "nothing is there");
    sendto(a, "abcdef", 6, 0, (struct sockaddr *)&to, sizeof to);
    check_equal(recv(b, in, 3, MSG_PEEK), 3, "MSG_PEEK");
    check_equal(recv(b, in, 3, MSG_TRUNC), 6, "MSG_TRUNC tells the whole length");
    check_equal(error_of(recv(b, in, 3, MSG_DONTWAIT)), EAGAIN, "the rest is gone");
    close(a);
    close(b);
}

static void test_names(void)
{
    struct sockaddr_in name, wrong = address_of(PORT), foreign = address_of(PORT);
    socklen_t length = sizeof name;
    int a = connected_socket(PORT, OTHER_PORT), b = udp_socket(0), value;
    foreign.sin_addr.s_addr = htonl(0x0A010203);
    getsockname(a, (struct sockaddr *)&name, &length);
    check(name.sin_port == htons(PORT) && name.sin_addr.s_addr == htonl(INADDR_LOOPBACK), "getsockname");
    getpeername(a, (struct sockaddr *)&name, &length);
    check(name.sin_port == htons(OTHER_PORT), "getpeername");
    check_equal(error_of(getpeername(b, (struct sockaddr *)&name, &length)), ENOTCONN, "not connected");
    check_equal(error_of(bind(b, (struct sockaddr *)&wrong, sizeof wrong)), EADDRINUSE,
                "a port that is taken");
    check_equal(error_of(bind(b, (struct sockaddr *)&foreign, sizeof foreign)), EADDRNOTAVAIL,
                "no address of ours");
    check_equal(error_of(bind(b, (struct sockaddr *)&wrong, 4)), EINVAL, "a short address");
    check_equal(error_of(send(b, out, 4, 0)), EDESTADDRREQ, "to whom?");
    check_equal(error_of(listen(b, 1)), EOPNOTSUPP, "datagrams have no connections");
    check_equal(error_of(sendto(9999, out, 1, 0, NULL, 0)), EBADF, "no file");
    check_equal(error_of(sendto(STDOUT_FILENO, out, 1, 0, NULL, 0)), ENOTSOCK, "no socket");
    check_equal(error_of(lseek(b, 0, SEEK_SET)), ESPIPE, "no position");
    check_equal(error_of(send(a, (void *)8, 4, 0)), EFAULT, "bad memory");
    length = sizeof value;
    check(getsockopt(b, SOL_SOCKET, SO_TYPE, &value, &length) == 0 && value == SOCK_DGRAM, "SO_TYPE");
    check(getsockopt(b, SOL_SOCKET, SO_PROTOCOL, &value, &length) == 0 && value == IPPROTO_UDP,
          "SO_PROTOCOL");
    value = 10000;
    setsockopt(b, SOL_SOCKET, SO_RCVBUF, &value, sizeof value);
    check(getsockopt(b, SOL_SOCKET, SO_RCVBUF, &value, &length) == 0 && value == 20000,
          "SO_RCVBUF is doubled");
    check_equal(error_of(setsockopt(b, SOL_SOCKET, 9999, &value, sizeof value)), ENOPROTOOPT,
                "no such option");
    check_equal(error_of(socket(250, SOCK_DGRAM, 0)), EAFNOSUPPORT, "no such family");
    check_equal(error_of(socket(AF_INET, SOCK_DGRAM, 1000)), EINVAL, "no such protocol");
    close(a);
    close(b);
}

/* A peer that is not there: the next call is told. */
static void test_errors(void)
{
    int a = connected_socket(PORT, NOBODYS_PORT), value = 0;
    socklen_t length = sizeof value;
    struct pollfd poll_fd = {.fd = a, .events = POLLIN};
    check_equal(send(a, out, 10, 0), 10, "to nobody");
    check(poll(&poll_fd, 1, 1000) == 1 && (poll_fd.revents & POLLERR), "poll tells of it");
    check_equal(error_of(recv(a, in, 10, 0)), ECONNREFUSED, "ECONNREFUSED");
    send(a, out, 10, 0);
    poll(&poll_fd, 1, 1000);
    getsockopt(a, SOL_SOCKET, SO_ERROR, &value, &length);
    check_equal(value, ECONNREFUSED, "SO_ERROR");
    check_equal(error_of(recv(a, in, 10, MSG_DONTWAIT)), EAGAIN, "once");
    close(a);
}

static void test_pieces(void)
{
    int a = connected_socket(PORT, OTHER_PORT), b = connected_socket(OTHER_PORT, PORT);
    struct iovec gather[3] = {{out, 10}, {out + 10, 0}, {out + 10, 3000}},
                 scatter[2] = {{in, 100}, {in + 100, 5000}};
    struct msghdr message = {.msg_iov = gather, .msg_iovlen = 3},
                  received = {.msg_iov = scatter, .msg_iovlen = 2};
    check_equal(sendmsg(a, &message, 0), 3010, "sendmsg");
    check_equal(recvmsg(b, &received, 0), 3010, "recvmsg");
    check(memcmp(in, out, 3010) == 0 && received.msg_flags == 0, "pieces are in order");
    check_equal(send(a, out, 1000, MSG_MORE), 1000, "MSG_MORE");
    check_equal(error_of(recv(b, in, sizeof in, MSG_DONTWAIT)), EAGAIN, "nothing is sent yet");
    send(a, out + 1000, 20000, MSG_MORE);
    check_equal(send(a, out + 21000, 500, 0), 500, "the last piece");
    memset(in, 0, sizeof in);
    check_equal(recv(b, in, sizeof in, 0), 21500, "one datagram of three calls");
    check(memcmp(in, out, 21500) == 0, "each byte is right");
    check_equal(write(a, out, 30), 30, "write");
    check_equal(read(b, in, sizeof in), 30, "read");
    check_equal(shutdown(b, SHUT_RD), 0, "shutdown");
    check_equal(recv(b, in, sizeof in, 0), 0, "the end");
    close(a);
    close(b);
}

static void test_files(void)
{
    char name[] = "/tmp/socketsXXXXXX";
    int a = connected_socket(PORT, OTHER_PORT), b = connected_socket(OTHER_PORT, PORT), file = mkstemp(name);
    off_t offset = 1000;
    if (!check(file >= 0 && write(file, out, 30000) == 30000, "a file"))
        return;
    memset(in, 0, sizeof in);
    check_equal(sendfile(a, file, &offset, 20000), 20000, "sendfile");
    check_equal(offset, 21000, "the position moves on");
    check_equal(recv(b, in, sizeof in, 0), 20000, "one datagram");
    check(memcmp(in, out + 1000, 20000) == 0, "each byte is right");
    int pipe_fds[2];
    loff_t position = 1234;
    check(pipe(pipe_fds) == 0 && splice(file, &position, pipe_fds[1], NULL, 20000, 0) == 20000, "splice");
    check_equal(splice(pipe_fds[0], NULL, a, NULL, 20000, 0), 20000, "splice into a socket");
    check_equal(recv(b, in, sizeof in, MSG_DONTWAIT), 20000, "one datagram");
    check(memcmp(in, out + 1234, 20000) == 0, "each byte is right");
    send(a, out, 3000, 0);
    check_equal(splice(b, NULL, pipe_fds[1], NULL, 3000, 0), 3000, "splice from a socket");
    check(read(pipe_fds[0], in, sizeof in) == 3000 && memcmp(in, out, 3000) == 0, "each byte is right");
    close(pipe_fds[0]);
    close(pipe_fds[1]);
    close(file);
    unlink(name);
    close(a);
    close(b);
}

static void *send_late(void *fd)
{
    usleep(50000);
    send(*(int *)fd, "late", 4, 0);
    return NULL;
}

static void on_alarm(int number)
{
    (void)number;
}

static void test_waiting(void)
{
    int a = connected_socket(PORT, OTHER_PORT), b = connected_socket(OTHER_PORT, PORT);
    struct timeval time = {.tv_usec = 100000};
    struct pollfd poll_fd = {.fd = b, .events = POLLIN | POLLOUT};
    struct sigaction action = {.sa_handler = on_alarm};
    pthread_t thread;
    check(poll(&poll_fd, 1, 0) == 1 && poll_fd.revents == POLLOUT, "poll: it can be written");
    pthread_create(&thread, NULL, send_late, &a);
    check_equal(recv(b, in, sizeof in, 0), 4, "recv waits");
    pthread_join(thread, NULL);
    setsockopt(b, SOL_SOCKET, SO_RCVTIMEO, &time, sizeof time);
    check_equal(error_of(recv(b, in, sizeof in, 0)), EAGAIN, "SO_RCVTIMEO");
    time.tv_usec = 0;
    setsockopt(b, SOL_SOCKET, SO_RCVTIMEO, &time, sizeof time);
    sigaction(SIGALRM, &action, NULL);
    /* Again and again: the first may come before recv() is called. */
    ualarm(50000, 50000);
    check_equal(error_of(recv(b, in, sizeof in, 0)), EINTR, "a signal");
    ualarm(0, 0);
    fcntl(b, F_SETFL, O_NONBLOCK);
    check_equal(error_of(recv(b, in, sizeof in, 0)), EAGAIN, "O_NONBLOCK");
    close(a);
    close(b);
}

/* Datagrams for which there is no room are dropped, those that came first are kept. */
static void test_overflow(void)
{
    int a = connected_socket(PORT, OTHER_PORT), b = connected_socket(OTHER_PORT, PORT), nr = 0, bytes = 20000;
    setsockopt(b, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes);
    bool is_in_order = true;
    for (int i = 0; i < 1000; i++)
        send(a, &i, sizeof i, 0);
    for (int i; recv(b, &i, sizeof i, MSG_DONTWAIT) == sizeof i; nr++)
        is_in_order &= i == nr;
    check(nr > 5 && nr < 1000 && is_in_order, "the first ones are kept");
    close(a);
    close(b);
}

int main(void)
{
    trial_begin("sockets");
    for (size_t i = 0; i < sizeof out; i++)
        out[i] = (unsigned char)(i * 31 ^ i >> 8);
    bring_lo_up();
    test_datagrams();
    test_names();
    test_errors();
    test_pieces();
    test_files();
    test_waiting();
    test_overflow();
    return nr_failed != 0;
}
