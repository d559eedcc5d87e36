/* Sockets of AF_UNIX: pairs, names, connections, datagrams, errors. The same lines come on Linux. */
#include "trial.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MANY = 1000000 };

static unsigned char out[MANY], in[MANY];
static char folder[] = "/tmp/unixesXXXXXX";

static int error_of(long result)
{
    return result == -1 ? errno : 0;
}

static socklen_t name_of(struct sockaddr_un *address, const char *name)
{
    memset(address, 0, sizeof *address);
    address->sun_family = AF_UNIX;
    if (name[0] == '@') {
        memcpy(address->sun_path + 1, name + 1, strlen(name) - 1);
        return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(name));
    }
    snprintf(address->sun_path, sizeof address->sun_path, "%s/%s", folder, name);
    return sizeof *address;
}

static long bind_to(int fd, const char *name)
{
    struct sockaddr_un address;
    socklen_t length = name_of(&address, name);
    return bind(fd, (struct sockaddr *)&address, length);
}

static long connect_to(int fd, const char *name)
{
    struct sockaddr_un address;
    socklen_t length = name_of(&address, name);
    return connect(fd, (struct sockaddr *)&address, length);
}

static void *send_many(void *fd)
{
    for (size_t done = 0; done < MANY;) {
        ssize_t piece = write(*(int *)fd, out + done, MANY - done > 77777 ? 77777 : MANY - done);
        if (piece <= 0)
            break;
        done += (size_t)piece;
    }
    shutdown(*(int *)fd, SHUT_WR);
    return NULL;
}

static void test_pair(void)
{
    int fds[2];
    pthread_t thread;
    size_t total = 0;
    ssize_t piece;
    check_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0, "socketpair");
    check_equal(write(fds[0], "hello ", 6), 6, "write");
    check_equal(send(fds[0], "world", 5, 0), 5, "send");
    int bytes = 0;
    check(ioctl(fds[1], FIONREAD, &bytes) == 0 && bytes == 11, "FIONREAD");
    check(recv(fds[1], in, 3, MSG_PEEK) == 3 && memcmp(in, "hel", 3) == 0, "MSG_PEEK");
    check(read(fds[1], in, 8) == 8 && memcmp(in, "hello wo", 8) == 0, "bytes, not messages");
    check(read(fds[1], in, 100) == 3 && memcmp(in, "rld", 3) == 0, "the rest");
    check_equal(error_of(recv(fds[1], in, 1, MSG_DONTWAIT)), EAGAIN, "nothing more");
    pthread_create(&thread, NULL, send_many, &fds[0]);
    while ((piece = read(fds[1], in + total, MANY - total + 1)) > 0)
        total += (size_t)piece;
    pthread_join(thread, NULL);
    check(total == MANY && memcmp(in, out, MANY) == 0, "a million bytes, and the end");
    check_equal(write(fds[1], "back", 4), 4, "the other direction is open");
    check_equal(read(fds[0], in, 10), 4, "and works");
    signal(SIGPIPE, SIG_IGN);
    check_equal(error_of(write(fds[0], "x", 1)), EPIPE, "what was shut down");
    close(fds[0]);
    check_equal(error_of(write(fds[1], "x", 1)), EPIPE, "what was closed");
    close(fds[1]);
}

static void test_names(const char *name)
{
    int listener = socket(AF_UNIX, SOCK_STREAM, 0), other = socket(AF_UNIX, SOCK_STREAM, 0), status;
    struct sockaddr_un address;
    socklen_t length = sizeof address;
    check_equal(error_of(connect_to(other, name)), name[0] == '@' ? ECONNREFUSED : ENOENT,
                "nobody has the name");
    check_equal(error_of(listen(listener, 5)), EINVAL, "listen without a name");
    check_equal(bind_to(listener, name), 0, "bind");
    check_equal(error_of(bind_to(other, name)), EADDRINUSE, "the name is taken");
    check_equal(error_of(connect_to(other, name)), ECONNREFUSED, "nobody listens");
    check_equal(listen(listener, 5), 0, "listen");
    struct pollfd poll_fd = {.fd = listener, .events = POLLIN};
    check_equal(poll(&poll_fd, 1, 0), 0, "nobody has connected");
    pid_t pid = fork();
    if (pid == 0) {
        close(other);
        other = socket(AF_UNIX, SOCK_STREAM, 0);
        if (connect_to(other, name) != 0 || write(other, "from the child", 14) != 14 ||
            read(other, in, 100) != 6)
            _exit(1);
        _exit(memcmp(in, "answer", 6) != 0);
    }
    int connection = accept(listener, (struct sockaddr *)&address, &length);
    check(connection >= 0 && length == sizeof address.sun_family, "accept: a peer without a name");
    check(read(connection, in, 100) == 14 && memcmp(in, "from the child", 14) == 0, "it says something");
    check_equal(write(connection, "answer", 6), 6, "and gets an answer");
    check(waitpid(pid, &status, 0) == pid && status == 0, "which is right");
    check_equal(read(connection, in, 100), 0, "it has gone");
    length = sizeof address;
    memset(&address, 0, sizeof address);
    getsockname(connection, (struct sockaddr *)&address, &length);
    struct sockaddr_un expected;
    name_of(&expected, name);
    check(memcmp(&address, &expected, length) == 0 && length > 3, "getsockname");
    check_equal(error_of(read(listener, in, 1)), EINVAL, "a listener has no bytes");
    fcntl(listener, F_SETFL, O_NONBLOCK);
    check_equal(error_of(accept(listener, NULL, NULL)), EAGAIN, "nobody else");
    check_equal(connect_to(other, name), 0, "connect, and nobody accepts");
    check_equal(poll(&poll_fd, 1, 0), 1, "poll tells of it");
    check_equal(write(other, "x", 1), 1, "it may already write");
    check_equal(error_of(connect_to(other, name)), EISCONN, "once");
    close(listener);
    check_equal(error_of(read(other, in, 1)), ECONNRESET, "the listener is gone");
    close(other);
    close(connection);
}

static void test_file(void)
{
    struct stat stat_of;
    char path[200];
    snprintf(path, sizeof path, "%s/stream", folder);
    check(stat(path, &stat_of) == 0 && S_ISSOCK(stat_of.st_mode), "the name is a file of that kind");
    check_equal(error_of(open(path, O_RDWR)), ENXIO, "which cannot be opened");
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    check_equal(error_of(connect_to(fd, "stream")), ECONNREFUSED, "its socket is gone");
    check_equal(unlink(path), 0, "unlink");
    close(fd);
    if (access("/proc/self", F_OK) != 0)
        mount("proc", "/proc", "proc", 0, NULL);
    fd = socket(AF_UNIX, SOCK_STREAM, 0);
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    check_equal(error_of(open(path, O_RDONLY)), ENXIO, "no socket can be opened");
    close(fd);
}

static void test_datagrams(void)
{
    int a = socket(AF_UNIX, SOCK_DGRAM, 0), b = socket(AF_UNIX, SOCK_DGRAM, 0),
        c = socket(AF_UNIX, SOCK_STREAM, 0);
    struct sockaddr_un from, to;
    socklen_t length = sizeof from, to_length = name_of(&to, "datagrams");
    check(bind_to(a, "datagrams") == 0 && bind_to(b, "@unixes b") == 0, "bind");
    check_equal(sendto(b, "one", 3, 0, (struct sockaddr *)&to, to_length), 3, "sendto");
    check_equal(sendto(b, "second", 6, 0, (struct sockaddr *)&to, to_length), 6, "sendto again");
    check_equal(recvfrom(a, in, 2, 0, (struct sockaddr *)&from, &length), 2, "messages, not bytes");
    check(length == 2 + 9 && memcmp(from.sun_path + 1, "unixes b", 8) == 0, "from b");
    check_equal(recv(a, in, 100, MSG_TRUNC), 6, "the next one");
    check_equal(error_of(send(b, "x", 1, 0)), ENOTCONN, "to whom?");
    check_equal(connect_to(b, "datagrams"), 0, "connect");
    check_equal(send(b, out, 60000, 0), 60000, "send");
    check(recv(a, in, sizeof in, 0) == 60000 && memcmp(in, out, 60000) == 0, "each byte");
    check_equal(error_of(connect_to(c, "datagrams")), EPROTOTYPE, "a stream to datagrams");
    close(a);
    check_equal(error_of(send(b, "x", 1, 0)), ECONNREFUSED, "it is gone");
    close(b);
    close(c);
    check_equal(error_of(socket(AF_UNIX, SOCK_RAW + 100, 0)), EINVAL, "no such type");
}

int main(void)
{
    trial_begin("unixes");
    for (size_t i = 0; i < sizeof out; i++)
        out[i] = (unsigned char)(i * 29 ^ i >> 9);
    if (!check(mkdtemp(folder) != NULL, "a folder"))
        return 1;
    test_pair();
    test_names("stream");
    test_names("@unixes stream");
    test_datagrams();
    test_file();
    return nr_failed != 0;
}
