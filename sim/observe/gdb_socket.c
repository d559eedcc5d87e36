#include "sim/observe/gdb_socket.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { SEND_MILLISECONDS = 5000 };

bool gdb_socket_open(struct gdb_socket *socket_, unsigned port, struct diag *diag)
{
    const struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), yes = 1;
    *socket_ = (struct gdb_socket){.listener = listener, .peer = -1};
    bool is_good = listener >= 0 && setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes) == 0 &&
                   bind(listener, (const struct sockaddr *)&address, sizeof address) == 0 &&
                   listen(listener, 1) == 0;
    if (is_good)
        return true;
    diag_add(diag, EXIT_STATUS_USAGE, "--gdb: port %u of 127.0.0.1: %s; allowed: a free one, or 0 for any",
             port, strerror(errno));
    gdb_socket_close(socket_);
    return false;
}

void gdb_socket_close(struct gdb_socket *socket)
{
    gdb_socket_hang_up(socket);
    if (socket->listener >= 0)
        close(socket->listener);
    socket->listener = -1;
}

unsigned gdb_socket_port(const struct gdb_socket *socket)
{
    struct sockaddr_in address = {0};
    socklen_t length = sizeof address;
    getsockname(socket->listener, (struct sockaddr *)&address, &length);
    return ntohs(address.sin_port);
}

bool gdb_socket_accept(struct gdb_socket *socket)
{
    int yes = 1;
    socket->peer = accept4(socket->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (socket->peer < 0)
        return false;
    setsockopt(socket->peer, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    return true;
}

void gdb_socket_hang_up(struct gdb_socket *socket)
{
    if (socket->peer >= 0)
        close(socket->peer);
    socket->peer = -1;
}

ssize_t gdb_socket_read(const struct gdb_socket *socket, uint8_t *bytes, size_t room)
{
    ssize_t nr_bytes = recv(socket->peer, bytes, room, 0);
    if (nr_bytes < 0 && (errno == EAGAIN || errno == EINTR))
        return 0;
    return nr_bytes > 0 ? nr_bytes : -1;
}

bool gdb_socket_write(const struct gdb_socket *socket, const uint8_t *bytes, size_t nr_bytes)
{
    while (nr_bytes > 0) {
        struct pollfd ready = {.fd = socket->peer, .events = POLLOUT};
        ssize_t sent = send(socket->peer, bytes, nr_bytes, MSG_NOSIGNAL);
        if (sent > 0) {
            bytes += sent;
            nr_bytes -= (size_t)sent;
        } else if (errno != EINTR && (errno != EAGAIN || poll(&ready, 1, SEND_MILLISECONDS) <= 0)) {
            return false;
        }
    }
    return true;
}

void gdb_socket_wait(const struct gdb_socket *socket, int milliseconds)
{
    struct pollfd ready = {.fd = socket->peer >= 0 ? socket->peer : socket->listener, .events = POLLIN};
    poll(&ready, 1, milliseconds);
}
