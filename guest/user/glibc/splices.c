/*
 * splice(2), tee(2) and sendfile(2): bytes of files in pipes, and on to files and pipes. The same lines come
 * on Linux.
 */
#define _GNU_SOURCE
#include "trial.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/sendfile.h>
#include <unistd.h>

enum { FILE_BYTES = 100000 };

static unsigned char content[FILE_BYTES], got[200000];
static int file, target;

static int error_of(long result)
{
    return result == -1 ? errno : 0;
}

static int temporary_file(void)
{
    char name[] = "/tmp/splicesXXXXXX";
    int fd = mkstemp(name);
    unlink(name);
    return fd;
}

/* Reads until so many bytes have come, or no more do. */
static size_t read_all(int fd, size_t count)
{
    size_t done = 0;
    ssize_t piece;
    memset(got, 0, sizeof got);
    while (done < count && (piece = read(fd, got + done, count - done)) > 0)
        done += (size_t)piece;
    return done;
}

static bool is_content(size_t count, size_t from)
{
    return memcmp(got, content + from, count) == 0;
}

static int bytes_in(int fd)
{
    int bytes = -1;
    ioctl(fd, FIONREAD, &bytes);
    return bytes;
}

static void test_file_to_pipe(void)
{
    int fds[2];
    loff_t offset = 5000;
    pipe(fds);
    lseek(file, 0, SEEK_SET);
    check_equal(splice(file, NULL, fds[1], NULL, 3000, 0), 3000, "splice from a file");
    check_equal(lseek(file, 0, SEEK_CUR), 3000, "its position moves on");
    check_equal(splice(file, &offset, fds[1], NULL, 10000, 0), 10000, "splice from an offset");
    check(offset == 15000 && lseek(file, 0, SEEK_CUR) == 3000, "the offset moves on, the position does not");
    check_equal(bytes_in(fds[0]), 13000, "FIONREAD");
    write(fds[1], "own bytes", 9);
    check(read_all(fds[0], 3000) == 3000 && is_content(3000, 0), "the first bytes");
    check(read_all(fds[0], 10000) == 10000 && is_content(10000, 5000), "those behind them");
    check(read_all(fds[0], 9) == 9 && memcmp(got, "own bytes", 9) == 0, "and what was written");
    /* What is written goes into pages of the pipe's own, not into the file's. */
    lseek(file, 0, SEEK_SET);
    splice(file, NULL, fds[1], NULL, 10, 0);
    write(fds[1], "more", 4);
    check(read_all(fds[0], 14) == 14 && is_content(10, 0) && memcmp(got + 10, "more", 4) == 0, "mixed");
    check(pread(file, got, 20, 0) == 20 && is_content(20, 0), "the file is as it was");
    offset = FILE_BYTES;
    check_equal(splice(file, &offset, fds[1], NULL, 10, 0), 0, "the end of the file");
    close(fds[0]);
    close(fds[1]);
}

static void test_pipe_to_file(void)
{
    int fds[2];
    loff_t offset = 100;
    pipe(fds);
    write(fds[1], content, 20000);
    check_equal(splice(fds[0], NULL, target, &offset, 15000, 0), 15000, "splice into a file");
    check(offset == 15100 && pread(target, got, 15000, 100) == 15000 && is_content(15000, 0), "each byte");
    check_equal(splice(fds[0], NULL, target, NULL, 100000, 0), 5000, "what there is");
    check(lseek(target, 0, SEEK_CUR) == 5000 && pread(target, got, 5000, 0) == 5000 &&
              is_content(5000, 15000),
          "at its position");
    check_equal(error_of(splice(fds[0], NULL, target, NULL, 10, SPLICE_F_NONBLOCK)), EAGAIN, "empty");
    close(fds[1]);
    check_equal(splice(fds[0], NULL, target, NULL, 10, 0), 0, "the end");
    close(fds[0]);
}

static void test_pipe_to_pipe(void)
{
    int a[2], b[2], c[2];
    pipe(a);
    pipe(b);
    pipe(c);
    write(a[1], content, 10000);
    check_equal(tee(a[0], b[1], 6000, 0), 6000, "tee");
    check(bytes_in(a[0]) == 10000 && bytes_in(b[0]) == 6000, "both have them");
    check_equal(splice(a[0], NULL, c[1], NULL, 7000, 0), 7000, "splice from pipe to pipe");
    check(bytes_in(a[0]) == 3000 && bytes_in(c[0]) == 7000, "one has them");
    write(c[1], content + 7000, 500);
    check(read_all(b[0], 6000) == 6000 && is_content(6000, 0), "what tee gave");
    check(read_all(c[0], 7500) == 7500 && is_content(7500, 0), "what splice gave, and more");
    check(read_all(a[0], 3000) == 3000 && is_content(3000, 7000), "what is left");
    check_equal(error_of(tee(a[0], b[1], 10, SPLICE_F_NONBLOCK)), EAGAIN, "tee of nothing");
    close(a[1]);
    check_equal(tee(a[0], b[1], 10, 0), 0, "tee at the end");
    close(a[0]);
    close(b[0]);
    signal(SIGPIPE, SIG_IGN);
    write(c[1], "x", 1);
    check_equal(error_of(splice(c[0], NULL, b[1], NULL, 1, 0)), EPIPE, "nobody reads");
    close(b[1]);
    close(c[0]);
    close(c[1]);
}

static void test_errors(void)
{
    int fds[2];
    loff_t offset = 0, negative = -1;
    pipe(fds);
    write(fds[1], "abc", 3);
    check_equal(error_of(splice(file, NULL, target, NULL, 10, 0)), EINVAL, "no pipe");
    check_equal(error_of(splice(fds[0], &offset, target, NULL, 10, 0)), ESPIPE, "an offset of a pipe");
    check_equal(error_of(splice(fds[0], NULL, fds[1], NULL, 10, 0)), EINVAL, "a pipe into itself");
    check_equal(error_of(splice(fds[1], NULL, target, NULL, 10, 0)), EBADF, "the wrong end");
    check_equal(error_of(splice(999, NULL, fds[1], NULL, 10, 0)), EBADF, "no file");
    check_equal(error_of(splice(file, &negative, fds[1], NULL, 10, 0)), EINVAL, "a negative offset");
    check_equal(error_of(splice(file, (loff_t *)8, fds[1], NULL, 10, 0)), EFAULT, "a bad address");
    check_equal(error_of(splice(file, NULL, fds[1], NULL, 10, 0x100)), EINVAL, "a bad flag");
    check_equal(splice(file, NULL, fds[1], NULL, 0, 0), 0, "nothing");
    check_equal(error_of(tee(file, fds[1], 10, 0)), EINVAL, "tee of a file");
    close(fds[0]);
    close(fds[1]);
}

static void *read_late(void *fd)
{
    usleep(50000);
    read_all(*(int *)fd, 200000);
    return NULL;
}

/* A pipe that is full waits for its reader. */
static void test_waiting(void)
{
    int fds[2];
    loff_t offset = 0;
    pthread_t thread;
    pipe(fds);
    long total = splice(file, &offset, fds[1], NULL, FILE_BYTES, 0);
    check_equal(total, 65536, "as much as it has room for");
    check_equal(error_of(splice(file, &offset, fds[1], NULL, 1, SPLICE_F_NONBLOCK)), EAGAIN, "full");
    pthread_create(&thread, NULL, read_late, &fds[0]);
    check(splice(file, &offset, fds[1], NULL, FILE_BYTES, 0) > 0, "it waits for room");
    while (offset < FILE_BYTES && splice(file, &offset, fds[1], NULL, FILE_BYTES, 0) > 0)
        ;
    close(fds[1]);
    pthread_join(thread, NULL);
    check(offset == FILE_BYTES && is_content(FILE_BYTES, 0), "all bytes come");
    close(fds[0]);
    pipe(fds);
    offset = 10;
    off_t start = 10;
    check_equal(sendfile(fds[1], file, &start, 5000), 5000, "sendfile into a pipe");
    check(read_all(fds[0], 5000) == 5000 && is_content(5000, 10), "each byte");
    close(fds[0]);
    close(fds[1]);
}

int main(void)
{
    trial_begin("splices");
    for (size_t i = 0; i < sizeof content; i++)
        content[i] = (unsigned char)(i * 37 ^ i >> 7);
    file = temporary_file();
    target = temporary_file();
    if (!check(file >= 0 && target >= 0 && write(file, content, FILE_BYTES) == FILE_BYTES, "files"))
        return 1;
    test_file_to_pipe();
    test_pipe_to_file();
    test_pipe_to_pipe();
    test_errors();
    test_waiting();
    return nr_failed != 0;
}
