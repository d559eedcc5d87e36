/*
 * Files in memory: mappings, private and shared, and read() and write() beside them; what execve() does with
 * long lists of arguments and with scripts; what programs share. mappings [FOLDER [STEPS]]: files are made in
 * the folder.
 */
#define _GNU_SOURCE
#include "smaps.h"
#include "trial.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define PAGE 4096
#define NR_ARGS 90
#define ARG_BYTES 1000

static const char *folder = "/tmp";
static char name[256];

static int make_file(const char *base, long bytes)
{
    snprintf(name, sizeof(name), "%s/%s", folder, base);
    int fd = open(name, O_RDWR | O_CREAT | O_TRUNC, 0755);
    for (long i = 0; fd >= 0 && i < bytes; i += 4) {
        unsigned word = (unsigned)i * 2654435761u;
        if (write(fd, &word, 4) != 4)
            return -1;
    }
    return fd;
}

static char *map(int fd, long bytes, int flags)
{
    char *at = mmap(NULL, (size_t)bytes, PROT_READ | PROT_WRITE, flags, fd, 0);
    return at == MAP_FAILED ? NULL : at;
}

static char byte_of(int fd, long pos)
{
    char c = 0;
    return pread(fd, &c, 1, pos) == 1 ? c : -1;
}

/* ---- Mappings ---- */

static void check_shared_and_private(void)
{
    int fd = make_file("shared", 5 * PAGE + 100);
    char *shared = map(fd, 6 * PAGE, MAP_SHARED), *private = map(fd, 6 * PAGE, MAP_PRIVATE);
    if (!check(shared && private, "a file is mapped twice"))
        return;
    check(shared[PAGE + 4] == byte_of(fd, PAGE + 4) && private[5 * PAGE] == byte_of(fd, 5 * PAGE),
          "mappings show what read() shows");
    shared[7] = 'S';
    check(byte_of(fd, 7) == 'S' && private[7] == 'S', "a store to a shared mapping is seen by all");
    private[8] = 'P';
    check(byte_of(fd, 8) != 'P' && shared[8] != 'P', "a store to a private one is not");
    check(pwrite(fd, "W", 1, 8) == 1 && shared[8] == 'W' && private[8] == 'P',
          "write() is seen but where a private copy is");
    check(shared[5 * PAGE + 100] == 0 && shared[6 * PAGE - 1] == 0, "behind the end there are zeroes");
    check(msync(shared, 6 * PAGE, MS_SYNC) == 0 && msync(shared, PAGE, MS_SYNC | MS_ASYNC) == -1,
          "msync() writes out, and knows its flags");
    if (fork() == 0) {
        shared[9] = 'C';
        private[10] = 'C';
        _exit(0);
    }
    wait(NULL);
    check(shared[9] == 'C' && private[10] != 'C', "a child's stores: shared ones are seen");
    char *moved = mremap(shared, 6 * PAGE, 12 * PAGE, MREMAP_MAYMOVE);
    check(moved != MAP_FAILED && moved[9] == 'C' && byte_of(fd, PAGE) == moved[PAGE],
          "mremap() takes it along");
    if (moved != MAP_FAILED) {
        moved[11] = 'M';
        check(byte_of(fd, 11) == 'M' && munmap(moved, 12 * PAGE) == 0, "and it still is the file");
    }
    check(byte_of(fd, 7) == 'S', "what was stored stays when the mapping goes");
    unsigned char there[6] = {0};
    check(mincore(private, 6 * PAGE, there) == 0 && (there[0] & 1) && (there[4] & 1),
          "mincore() finds its pages in memory");
    check(mincore(private + 1, PAGE, there) == -1 && errno == EINVAL, "and wants whole ones");
    munmap(private, 6 * PAGE);
    close(fd);
}

static void check_permissions(void)
{
    int fd = make_file("read-only", PAGE);
    close(fd);
    fd = open(name, O_RDONLY);
    check(map(fd, PAGE, MAP_SHARED) == NULL && errno == EACCES,
          "no shared writable mapping of a file open for reading");
    char *at = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, 0);
    check(at != MAP_FAILED && mprotect(at, PAGE, PROT_READ | PROT_WRITE) == -1 && errno == EACCES,
          "and mprotect() does not make one");
    check(map(fd, PAGE, MAP_PRIVATE) != NULL, "a private one may be written");
    close(fd);
}

static sigjmp_buf after_fault;
static volatile int fault_signal;

static void on_fault(int sig)
{
    fault_signal = sig;
    siglongjmp(after_fault, 1);
}

static int signal_of_read(const volatile char *at)
{
    fault_signal = 0;
    if (sigsetjmp(after_fault, 1) == 0)
        (void)*at;
    return fault_signal;
}

static void check_truncation(void)
{
    int fd = make_file("truncated", 3 * PAGE);
    char *at = map(fd, 4 * PAGE, MAP_SHARED);
    signal(SIGBUS, on_fault);
    check_equal(signal_of_read(at + 3 * PAGE), SIGBUS, "a page behind the end gives SIGBUS");
    check_equal(signal_of_read(at + 2 * PAGE), 0, "the last page does not");
    check(ftruncate(fd, PAGE + 10) == 0, "the file becomes shorter");
    check_equal(signal_of_read(at + 2 * PAGE), SIGBUS, "a page that it had gives SIGBUS now");
    at[PAGE + 20] = 'x';
    check(ftruncate(fd, 3 * PAGE) == 0 && at[2 * PAGE] == 0, "it grows again, with zeroes");
    at[2 * PAGE + 5] = 'h';
    check(byte_of(fd, 2 * PAGE + 5) == 'h', "a hole takes a store");
    signal(SIGBUS, SIG_DFL);
    munmap(at, 4 * PAGE);
    close(fd);
}

static void check_anonymous_shared(void)
{
    char *at = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (!check(at != MAP_FAILED && at[PAGE] == 0, "memory without a file can be shared"))
        return;
    if (fork() == 0) {
        at[PAGE] = 'A';
        _exit(0);
    }
    wait(NULL);
    check(at[PAGE] == 'A', "a child's store to it is seen");
}

/* ---- Programs ---- */

static int run(char *const argv[])
{
    int status = -1;
    if (fork() == 0) {
        execv(argv[0], argv);
        _exit(errno);
    }
    wait(&status);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void check_arguments(char *self)
{
    static char text[NR_ARGS][ARG_BYTES + 1], *argv[NR_ARGS + 3];
    argv[0] = self;
    argv[1] = (char *)"--count";
    for (int i = 0; i < NR_ARGS; i++) {
        memset(text[i], 'a' + i % 26, ARG_BYTES);
        argv[i + 2] = text[i];
    }
    check_equal(run(argv), NR_ARGS, "90 arguments of 1000 bytes arrive");
    char *huge = malloc(200000);
    memset(huge, 'h', 199999);
    huge[199999] = '\0';
    char *const too_long[] = {self, (char *)"--count", huge, NULL};
    check_equal(run(too_long), E2BIG, "one of 200000 is too long");
    free(huge);
}

/* What a program that was started with these arguments says with its exit status. */
static int count_arguments(int argc, char **argv)
{
    for (int i = 2; i < argc; i++)
        if (strlen(argv[i]) != ARG_BYTES || argv[i][ARG_BYTES - 1] != 'a' + (i - 2) % 26)
            return 99;
    return argc - 2;
}

static void check_scripts(const char *self)
{
    char script[256];
    int fd = make_file("script", 0);
    snprintf(script, sizeof(script), "#! %s --script \n", self);
    check(write(fd, script, strlen(script)) == (ssize_t)strlen(script) && close(fd) == 0,
          "a script is written");
    char *const argv[] = {name, (char *)"x", NULL};
    check_equal(run(argv), 42, "it runs, and tells who runs it its name and arguments");
    fd = make_file("no-program", 100);
    close(fd);
    char *const no_program[] = {name, NULL};
    check_equal(run(no_program), ENOEXEC, "what is neither a program nor a script does not run");
    check(open(self, O_WRONLY) == -1 && errno == ETXTBSY, "a program that runs cannot be written to");
}

static void check_second_start(char *self)
{
    char *const argv[] = {self, (char *)"--nothing", NULL};
    struct rusage before, after;
    check_equal(run(argv), 0, "a program starts");
    getrusage(RUSAGE_CHILDREN, &before);
    check_equal(run(argv), 0, "it starts again");
    getrusage(RUSAGE_CHILDREN, &after);
    check_equal(after.ru_majflt - before.ru_majflt, 0, "without a major fault: it is in the page cache");
}

/* ---- Sizes ---- */

static void check_sizes(char *self)
{
    enum { NR = 3 };
    int pids[NR], ends[2];
    char c;
    bool is_ordered = true, is_shared = true;
    /* As the first process, on a bare root file system, it has to see to /proc itself. */
    if (access("/proc/self/smaps", R_OK) && mount("proc", "/proc", "proc", 0, NULL)) {
        printf("mappings: no /proc\n");
        return;
    }
    if (pipe(ends))
        return;
    for (int i = 0; i < NR; i++) {
        pids[i] = fork();
        if (pids[i] == 0) {
            dup2(ends[1], 1);
            execl(self, self, "--wait", NULL);
            _exit(1);
        }
        is_ordered &= read(ends[0], &c, 1) == 1;
    }
    for (int i = 0; i < NR; i++) {
        struct sizes sizes = sizes_of(pids[i]);
        is_ordered &=
            sizes.vss >= sizes.rss && sizes.rss >= sizes.pss && sizes.pss >= sizes.uss && sizes.uss > 0;
        is_shared &= sizes.libc_rss > 0 && 4 * sizes.libc_private <= sizes.libc_rss &&
                     2 * sizes.libc_pss <= sizes.libc_rss;
    }
    for (int i = 0; i < NR; i++) {
        kill(pids[i], SIGKILL);
        waitpid(pids[i], NULL, 0);
    }
    check(is_ordered, "VSS >= RSS >= PSS >= USS of three processes");
    check(is_shared, "they share the C library's code, each has its part of most of it");
}

/* ---- Random calls against an array ---- */

#define MODEL_BYTES (40 * PAGE)

static unsigned random_state = 1;

static unsigned random_below(unsigned limit)
{
    random_state = random_state * 1664525u + 1013904223u;
    return (unsigned)(((unsigned long long)random_state * limit) >> 32);
}

static bool stress_one(unsigned seed, unsigned steps)
{
    static char model[MODEL_BYTES], buffer[MODEL_BYTES];
    char base[32];
    long size = 0;
    random_state = seed;
    snprintf(base, sizeof(base), "stress-%u", seed);
    int fd = make_file(base, 0);
    char *at = map(fd, MODEL_BYTES, MAP_SHARED);
    while (at && steps-- > 0) {
        long pos = random_below(MODEL_BYTES - 5000), bytes = 1 + random_below(4999);
        switch (random_below(8)) {
        case 0:
            if (ftruncate(fd, pos))
                return false;
            if (pos < size)
                memset(model + pos, 0, (size_t)(size - pos));
            size = pos;
            break;
        case 1:
        case 2:
            memset(buffer, (int)random_below(256), (size_t)bytes);
            if (pwrite(fd, buffer, (size_t)bytes, pos) != bytes)
                return false;
            memcpy(model + pos, buffer, (size_t)bytes);
            size = pos + bytes > size ? pos + bytes : size;
            break;
        case 3:
        case 4:
            for (long i = pos; i < pos + bytes && i < size; i++)
                at[i] = model[i] = (char)(i + bytes);
            break;
        case 5:
            if (random_below(4) == 0 && fsync(fd))
                return false;
            break;
        default:
            bytes = pos >= size ? 0 : bytes < size - pos ? bytes : size - pos;
            if (pread(fd, buffer, 5000, pos) < bytes || memcmp(buffer, model + pos, (size_t)bytes) ||
                memcmp(at + pos, model + pos, (size_t)bytes))
                return false;
        }
    }
    munmap(at, MODEL_BYTES);
    bool is_good = pread(fd, buffer, MODEL_BYTES, 0) == size && memcmp(buffer, model, (size_t)size) == 0;
    close(fd);
    return is_good;
}

static void stress(unsigned steps)
{
    enum { NR = 3 };
    int nr_good = 0, status;
    for (unsigned i = 0; i < NR; i++)
        if (fork() == 0)
            _exit(stress_one(i + 1, steps) ? 0 : 1);
    for (unsigned i = 0; i < NR; i++)
        nr_good += wait(&status) > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0;
    check_equal(nr_good, NR, "random calls in three processes leave what an array holds");
}

int main(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "--count") == 0)
        return count_arguments(argc, argv);
    if (argc > 1 && strcmp(argv[1], "--script") == 0)
        return argc == 4 && strstr(argv[2], "/script") && strcmp(argv[3], "x") == 0 ? 42 : 1;
    if (argc > 1 && strcmp(argv[1], "--nothing") == 0)
        return 0;
    if (argc > 1 && strcmp(argv[1], "--wait") == 0)
        return write(1, "w", 1) == 1 ? pause() : 1;
    trial_begin("mappings");
    if (argc > 1)
        folder = argv[1];
    check_shared_and_private();
    check_permissions();
    check_truncation();
    check_anonymous_shared();
    check_arguments(argv[0]);
    check_scripts(argv[0]);
    check_second_start(argv[0]);
    check_sizes(argv[0]);
    stress(argc > 2 ? (unsigned)atoi(argv[2]) : 1000);
    return nr_failed;
}
