/* T6, pipes and FIFOs; T7, two of the ways to wait: for one file, and for one of several. */
#include "lab.h"
#include "ufiles.h"

#define SIGPIPE 13
#define PIPE_BYTES 65536u
#define PIPE_BUF 4096u
#define STREAM_BYTES 300000u
#define FIFO "/tmp/fifo"

/* What the bytes of a stream are: any that are missing, twice or out of turn are noticed. */
static u8 byte_at(u32 position)
{
    return (u8)(position * 7 + (position >> 8));
}

static void write_stream(int fd)
{
    u8 buf[1000];
    for (u32 done = 0; done < STREAM_BYTES;) {
        u32 bytes = min(STREAM_BYTES - done, 1 + done % (u32)sizeof(buf));
        for (u32 i = 0; i < bytes; i++)
            buf[i] = byte_at(done + i);
        if (write(fd, buf, bytes) != (long)bytes)
            exit(1);
        done += bytes;
    }
}

/* Reads to the end; returns how many bytes came before one that is wrong. */
static u32 read_stream(int fd)
{
    u8 buf[777];
    u32 done = 0;
    for (;;) {
        long bytes = read(fd, buf, sizeof(buf));
        if (bytes <= 0)
            return bytes < 0 ? 0 : done;
        for (long i = 0; i < bytes; i++, done++)
            if (buf[i] != byte_at(done))
                return done;
    }
}

static void check_stream(void)
{
    int fds[2], status;
    pipe(fds);
    int pid = fork();
    if (pid == 0) {
        close(fds[0]);
        write_stream(fds[1]);
        exit(0);
    }
    close(fds[1]);
    u32 bytes = read_stream(fds[0]);
    lab_check(bytes == STREAM_BYTES, "%u bytes come through a pipe, and then its end", bytes);
    close(fds[0]);
    lab_check(waitpid(pid, &status, 0) == pid && status == 0, "the writer wrote them all");
}

static void check_capacity(void)
{
    static u8 buf[PIPE_BUF];
    int fds[2];
    u32 total = 0;
    long bytes;
    syscall(__NR_pipe2, word_of(fds), O_NONBLOCK, 0);
    check_error(read(fds[0], buf, 1), EAGAIN, "an empty pipe that must not wait");
    while ((bytes = write(fds[1], buf, 1000)) > 0)
        total += (u32)bytes;
    lab_check(errno == EAGAIN && total == 65000, "a pipe takes %u bytes in pieces of 1000", total);
    bytes = write(fds[1], buf, PIPE_BUF);
    lab_check(bytes == -1 && errno == EAGAIN, "a piece of 4096 bytes is not torn");
    bytes = write(fds[1], buf, 536);
    lab_check(bytes == 536, "%u bytes, and it is full", total + (u32)bytes);
    struct pollfd ends[2] = {{.fd = fds[0], .events = POLLIN}, {.fd = fds[1], .events = POLLOUT}};
    lab_check(poll(ends, 2, 0) == 1 && ends[0].revents == POLLIN && ends[1].revents == 0,
              "poll: it can be read, and not written");
    for (total = 0; total < PIPE_BYTES; total += (u32)bytes)
        bytes = read(fds[0], buf, sizeof(buf));
    lab_check(poll(ends, 2, 0) == 1 && ends[0].revents == 0 && ends[1].revents == POLLOUT,
              "poll: empty, the other way round");
    close(fds[1]);
    lab_check(read(fds[0], buf, 1) == 0 && poll(ends, 1, 0) == 1 && ends[0].revents == POLLHUP,
              "without a writer: its end, and POLLHUP");
    close(fds[0]);
}

static void check_broken(void)
{
    int fds[2], status, pid = fork();
    if (pid == 0) {
        pipe(fds);
        close(fds[0]);
        write(fds[1], "x", 1);
        exit(0);
    }
    waitpid(pid, &status, 0);
    lab_check(status == SIGPIPE, "who writes where nobody reads gets SIGPIPE");
}

/* A child that does it after a while, when the parent sleeps. */
static int start_later(void (*act)(int fd), int fd)
{
    int pid = fork();
    if (pid == 0) {
        nanosleep(0, 30000000);
        act(fd);
        exit(0);
    }
    return pid;
}

static void write_one(int fd)
{
    write(fd, "!", 1);
}

static void check_poll(void)
{
    int fds[4][2], status;
    struct pollfd ends[5] = {{.fd = -1, .events = POLLIN}};
    for (u32 i = 0; i < 4; i++) {
        pipe(fds[i]);
        ends[i] = (struct pollfd){.fd = fds[i][0], .events = POLLIN};
    }
    ends[4] = (struct pollfd){.fd = 99, .events = POLLIN};
    lab_check(poll(ends, 5, 1000) == 1 && ends[4].revents == POLLNVAL, "poll: 99 is no file");
    lab_check(poll(ends, 4, 20) == 0, "poll: 20 ms, and nothing has come");
    int pid = start_later(write_one, fds[2][1]);
    lab_check(poll(ends, 4, -1) == 1 && ends[2].revents == POLLIN && ends[0].revents == 0,
              "poll: sleeps until the third of four pipes has something");
    waitpid(pid, &status, 0);
    u32 in[4] = {0};
    for (u32 i = 0; i < 4; i++)
        in[fds[i][0] / 32] |= 1u << fds[i][0] % 32;
    u32 zero[2] = {0};
    long ready = syscall5(__NR__newselect, 32, word_of(in), 0, 0, word_of(zero));
    lab_check(ready == 1 && in[0] == 1u << fds[2][0], "select: says the same");
    for (u32 i = 0; i < 4; i++) {
        close(fds[i][0]);
        close(fds[i][1]);
    }
}

static void write_fifo(int unused)
{
    (void)unused;
    int fd = open(FIFO, O_WRONLY, 0);
    write(fd, "through", 7);
}

static void check_fifo(void)
{
    char buf[16];
    int status;
    mkfifo(FIFO, 0600);
    check_error(open(FIFO, O_WRONLY | O_NONBLOCK, 0), ENXIO, "a FIFO that nobody reads");
    int pid = start_later(write_fifo, -1);
    int fd = open(FIFO, O_RDONLY, 0);
    lab_check(fd >= 0, "who opens a FIFO waits for the other end");
    lab_check(read(fd, buf, sizeof(buf)) == 7 && memcmp(buf, "through", 7) == 0 && read(fd, buf, 1) == 0,
              "and what is written there is read here, and then its end");
    close(fd);
    waitpid(pid, &status, 0);
    unlink(FIFO);
}

static void check_sendfile(void)
{
    char buf[32];
    int fds[2], file = open("/tmp/sent", O_CREAT | O_RDWR, 0600);
    pipe(fds);
    write(file, "from the page cache", 19);
    u32 offset = 9;
    lab_check(syscall5(__NR_sendfile, (u32)fds[1], (u32)file, word_of(&offset), 100, 0) == 10 &&
                  offset == 19 && read(fds[0], buf, sizeof(buf)) == 10 && memcmp(buf, "page cache", 10) == 0,
              "sendfile: from a file into a pipe");
    close(file);
    close(fds[0]);
    close(fds[1]);
    unlink("/tmp/sent");
}

int main(void);

int main(void)
{
    check_stream();
    check_capacity();
    check_broken();
    check_poll();
    check_fifo();
    check_sendfile();
    return (int)lab_status();
}
