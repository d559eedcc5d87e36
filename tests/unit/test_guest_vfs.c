/*
 * The guest's path walk and what is done to names, compiled for the host, against the host's own: the same
 * random calls in an empty folder here and there must have the same results and leave the same tree.
 */
#include <criterion/criterion.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "host_random.h"
#include "host_vfs.h"

#ifdef __SANITIZE_ADDRESS__
#define NR_RUNS 30u
#else
#define NR_RUNS 150u
#endif
#define STEPS_PER_RUN 400u
#define NR_LOCKS 20000u
#define NR_SLOTS 6u
#define TEXT_BYTES 8192u
/* Folders above the one in which a run begins: no walk of the test gets higher. */
#define NR_UPPER_FOLDERS 60u

/* One allocation of the guest's in so many fails; what it does then is not what the host does. */
#define ONE_FAILS_IN 25u
static bool runs_out_of_memory;

/* What a call gave: its result, and what else it told. */
struct outcome {
    long result;
    char text[TEXT_BYTES];
};

/* Files that a run keeps open, by the numbers of either side; -1: none. */
struct slot {
    int host_fd, guest_fd;
};

static struct slot slots[NR_SLOTS];
static struct outcome host, guest;
static char call_text[TEXT_BYTES];
static char top_folder[64], start_folder[PATH_MAX];

static long host_result(long result)
{
    return result < 0 ? -errno : result;
}

static bool one_in(unsigned n)
{
    return random_below(n) == 0;
}

/* ---- Names ---- */

static void append(char *to, const char *text)
{
    snprintf(to + strlen(to), PATH_MAX - strlen(to), "%s", text);
}

static void append_component(char *path)
{
    static const char *const names[] = {"a", "b", "c", "d", "e"};
    unsigned dice = random_below(40);
    if (dice == 0) {
        char name[NAME_MAX + 2];
        memset(name, 'n', sizeof(name));
        name[NAME_MAX + (one_in(2) ? 1 : 0)] = '\0';
        append(path, name);
    } else if (dice < 4) {
        append(path, "..");
    } else if (dice < 6) {
        append(path, ".");
    } else {
        append(path, names[random_below(sizeof(names) / sizeof(names[0]))]);
    }
}

static const char *random_path(char *path)
{
    unsigned nr = one_in(60) ? 0 : 1 + random_below(3);
    path[0] = '\0';
    for (unsigned i = 0; i < nr; i++) {
        append_component(path);
        if (i + 1 < nr)
            append(path, one_in(10) ? "//" : "/");
    }
    if (nr && one_in(12))
        append(path, "/");
    return path;
}

/* ---- What is compared ---- */

static void note(struct outcome *outcome, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void note(struct outcome *outcome, const char *format, ...)
{
    size_t used = strlen(outcome->text);
    va_list args;
    va_start(args, format);
    vsnprintf(outcome->text + used, sizeof(outcome->text) - used, format, args);
    va_end(args);
}

/* A folder's size is its file system's own. */
static void note_stat(struct outcome *outcome, unsigned mode, unsigned nlink, unsigned uid, long long size)
{
    note(outcome, "mode %o, %u links, user %u", mode, nlink, uid);
    if (!S_ISDIR(mode))
        note(outcome, ", %lld bytes", size);
}

static void note_host_stat(const struct stat *stat)
{
    if (host.result == 0)
        note_stat(&host, stat->st_mode, (unsigned)stat->st_nlink, stat->st_uid, stat->st_size);
}

static void note_guest_stat(const struct guest_stat *stat)
{
    if (guest.result == 0)
        note_stat(&guest, stat->mode, stat->nlink, stat->uid, stat->size);
}

static void check_same(void)
{
    if (!runs_out_of_memory && (host.result != guest.result || strcmp(host.text, guest.text) != 0))
        cr_assert_fail("%s: %ld %s, and in the guest %ld %s", call_text, host.result, host.text, guest.result,
                       guest.text);
}

static void begin(const char *format, ...) __attribute__((format(printf, 1, 2)));

static void begin(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(call_text, sizeof(call_text), format, args);
    va_end(args);
    host.text[0] = guest.text[0] = '\0';
}

/* ---- Folders that are listed ---- */

static int by_name(const void *a, const void *b)
{
    const char *const *p = a, *const *q = b;
    return strcmp(*p, *q);
}

#define MAX_NAMES 64u

/* The names of a folder, sorted, with their types; by getdents64(2) with too little room for all. */
static void note_names(struct outcome *outcome, int fd, long (*getdents64)(int, void *, size_t))
{
    char buffer[600];
    char *names[MAX_NAMES];
    unsigned nr = 0;
    while ((outcome->result = getdents64(fd, buffer, sizeof(buffer))) > 0) {
        for (long at = 0; at < outcome->result;) {
            unsigned short bytes;
            memcpy(&bytes, buffer + at + 16, sizeof(bytes));
            char line[NAME_MAX + 16];
            snprintf(line, sizeof(line), "%s (%d)", buffer + at + 19, buffer[at + 18]);
            cr_assert_lt(nr, MAX_NAMES);
            names[nr++] = strdup(line);
            at += bytes;
        }
    }
    qsort(names, nr, sizeof(names[0]), by_name);
    for (unsigned i = 0; i < nr; i++) {
        note(outcome, "%s; ", names[i]);
        free(names[i]);
    }
}

static long host_getdents64(int fd, void *buf, size_t bytes)
{
    return host_result(syscall(SYS_getdents64, fd, buf, bytes));
}

/* ---- The calls ---- */

/* Where a walk begins: in most cases the working folder. */
static struct slot random_start(void)
{
    struct slot slot = {.host_fd = AT_FDCWD, .guest_fd = HOST_AT_FDCWD};
    if (one_in(4)) {
        slot = slots[random_below(NR_SLOTS)];
    }
    return slot;
}

static void call_open(struct slot dir, const char *name)
{
    static const unsigned accesses[] = {O_RDONLY, O_WRONLY, O_RDWR, O_ACCMODE};
    static const unsigned extras[] = {O_CREAT,  O_CREAT,     O_CREAT | O_EXCL, O_TRUNC,
                                      O_APPEND, O_DIRECTORY, O_NOFOLLOW,       O_PATH};
    struct slot *slot = &slots[random_below(NR_SLOTS)];
    unsigned flags = O_NONBLOCK | accesses[random_below(4)], mode = 0700 | random_below(0100);
    for (unsigned i = random_below(3); i; i--)
        flags |= extras[random_below(8)];
    begin("openat(%d, \"%s\", %#o, %#o)", dir.host_fd, name, flags, mode);
    int host_fd = openat(dir.host_fd, name, (int)flags, mode);
    host.result = host_fd < 0 ? -errno : 0;
    int guest_fd = (int)guest_openat(dir.guest_fd, name, flags, mode);
    guest.result = guest_fd < 0 ? guest_fd : 0;
    check_same();
    if (host_fd < 0)
        return;
    if (slot->host_fd >= 0) {
        close(slot->host_fd);
        guest_close(slot->guest_fd);
    }
    *slot = (struct slot){.host_fd = host_fd, .guest_fd = guest_fd};
}

static void call_make(struct slot dir, const char *name)
{
    unsigned mode = 0700 | random_below(0100);
    if (one_in(4)) {
        begin("mkfifoat(%d, \"%s\", %#o)", dir.host_fd, name, mode);
        host.result = host_result(mkfifoat(dir.host_fd, name, mode));
        guest.result = guest_mkfifoat(dir.guest_fd, name, mode);
    } else {
        begin("mkdirat(%d, \"%s\", %#o)", dir.host_fd, name, mode);
        host.result = host_result(mkdirat(dir.host_fd, name, mode));
        guest.result = guest_mkdirat(dir.guest_fd, name, mode);
    }
}

static void call_unlink(struct slot dir, const char *name)
{
    unsigned flags = one_in(2) ? AT_REMOVEDIR : 0;
    begin("unlinkat(%d, \"%s\", %#x)", dir.host_fd, name, flags);
    host.result = host_result(unlinkat(dir.host_fd, name, (int)flags));
    guest.result = guest_unlinkat(dir.guest_fd, name, flags);
}

static void call_symlink(struct slot dir, const char *name)
{
    char target[PATH_MAX];
    random_path(target);
    begin("symlinkat(\"%s\", %d, \"%s\")", target, dir.host_fd, name);
    host.result = host_result(symlinkat(target, dir.host_fd, name));
    guest.result = guest_symlinkat(target, dir.guest_fd, name);
}

static void call_link(struct slot dir, const char *name)
{
    char new_name[PATH_MAX];
    struct slot new_dir = random_start();
    unsigned flags = one_in(2) ? AT_SYMLINK_FOLLOW : 0;
    random_path(new_name);
    begin("linkat(%d, \"%s\", %d, \"%s\", %#x)", dir.host_fd, name, new_dir.host_fd, new_name, flags);
    host.result = host_result(linkat(dir.host_fd, name, new_dir.host_fd, new_name, (int)flags));
    guest.result = guest_linkat(dir.guest_fd, name, new_dir.guest_fd, new_name, flags);
}

static void call_rename(struct slot dir, const char *name)
{
    char new_name[PATH_MAX];
    struct slot new_dir = random_start();
    unsigned flags = one_in(4) ? 1 : 0; /* RENAME_NOREPLACE */
    random_path(new_name);
    begin("renameat2(%d, \"%s\", %d, \"%s\", %u)", dir.host_fd, name, new_dir.host_fd, new_name, flags);
    host.result = host_result(syscall(SYS_renameat2, dir.host_fd, name, new_dir.host_fd, new_name, flags));
    guest.result = guest_renameat2(dir.guest_fd, name, new_dir.guest_fd, new_name, flags);
}

static void call_stat(struct slot dir, const char *name)
{
    struct stat host_stat;
    struct guest_stat guest_stat;
    unsigned flags = one_in(2) ? AT_SYMLINK_NOFOLLOW : 0;
    begin("fstatat(%d, \"%s\", %#x)", dir.host_fd, name, flags);
    host.result = host_result(fstatat(dir.host_fd, name, &host_stat, (int)flags));
    guest.result = guest_fstatat(dir.guest_fd, name, flags, &guest_stat);
    note_host_stat(&host_stat);
    note_guest_stat(&guest_stat);
}

static void call_readlink(struct slot dir, const char *name)
{
    size_t bytes = 1 + random_below(20);
    begin("readlinkat(%d, \"%s\", %zu)", dir.host_fd, name, bytes);
    host.result = host_result(readlinkat(dir.host_fd, name, host.text, bytes));
    guest.result = guest_readlinkat(dir.guest_fd, name, guest.text, bytes);
    host.text[host.result > 0 ? host.result : 0] = '\0';
    guest.text[guest.result > 0 ? guest.result : 0] = '\0';
}

static void call_access(struct slot dir, const char *name)
{
    unsigned mode = random_below(8);
    begin("faccessat(%d, \"%s\", %u)", dir.host_fd, name, mode);
    host.result = host_result(syscall(SYS_faccessat, dir.host_fd, name, mode));
    guest.result = guest_faccessat(dir.guest_fd, name, mode);
}

static void call_chmod(struct slot dir, const char *name)
{
    unsigned mode = 0700 | random_below(0100);
    begin("fchmodat(%d, \"%s\", %#o)", dir.host_fd, name, mode);
    host.result = host_result(syscall(SYS_fchmodat, dir.host_fd, name, mode));
    guest.result = guest_fchmodat(dir.guest_fd, name, mode);
}

static void call_truncate(struct slot dir, const char *name)
{
    long long bytes = (long long)random_below(20000) - 1000;
    (void)dir;
    begin("truncate(\"%s\", %lld)", name, bytes);
    host.result = host_result(truncate(name, bytes));
    guest.result = guest_truncate(name, bytes);
}

static void note_cwd(void)
{
    char path[PATH_MAX];
    host.result = host_result(syscall(SYS_getcwd, path, sizeof(path)));
    if (host.result > 0) {
        note(&host, "%s", strlen(path) > strlen(top_folder) ? path + strlen(top_folder) : "/");
        host.result = 0;
    }
    guest.result = guest_getcwd(path, sizeof(path));
    if (guest.result > 0) {
        note(&guest, "%s", path);
        guest.result = 0;
    }
}

static void call_chdir(struct slot dir, const char *name)
{
    if (dir.host_fd == AT_FDCWD) {
        begin("chdir(\"%s\")", name);
        host.result = host_result(chdir(name));
        guest.result = guest_chdir(name);
    } else {
        begin("fchdir(%d)", dir.host_fd);
        host.result = host_result(fchdir(dir.host_fd));
        guest.result = guest_fchdir(dir.guest_fd);
    }
    check_same();
    note_cwd();
    check_same();
    /* Long names and far places: the run goes on where it began. */
    if (one_in(3) || host.result || strlen(host.text) > 1000) {
        cr_assert_eq(chdir(start_folder), 0);
        cr_assert(guest_chdir(start_folder + strlen(top_folder)) == 0 || runs_out_of_memory);
    }
}

static void (*const calls_by_name[])(struct slot, const char *) = {
    call_open,     call_open,     call_open,   call_make,   call_make, call_unlink, call_unlink,
    call_symlink,  call_link,     call_rename, call_rename, call_stat, call_stat,   call_stat,
    call_readlink, call_truncate, call_access, call_chmod,  call_chdir};

/* Locks of ranges near each other, of files that are open more than once. */
static void call_lock(const struct slot *slot)
{
    static const short types[] = {F_RDLCK, F_WRLCK, F_UNLCK};
    static const int operations[] = {LOCK_SH, LOCK_EX, LOCK_UN};
    struct flock lock = {.l_type = types[random_below(3)],
                         .l_whence = (short)random_below(3),
                         .l_start = (long)random_below(40) - 5,
                         .l_len = (long)random_below(20) - 5};
    struct stat stat;
    /* A folder's size is its file system's own. */
    if (fstat(slot->host_fd, &stat) == 0 && S_ISDIR(stat.st_mode) && lock.l_whence == SEEK_END)
        lock.l_whence = SEEK_SET;
    const struct flock asked = lock;
    switch (random_below(3)) {
    case 0: {
        int operation = operations[random_below(3)];
        begin("flock(%d, %d)", slot->host_fd, operation);
        host.result = host_result(flock(slot->host_fd, operation | LOCK_NB));
        guest.result = guest_flock(slot->guest_fd, (unsigned)(operation | LOCK_NB));
        break;
    }
    case 1:
        begin("lock %d of %d: from %d, %ld + %ld", asked.l_type, slot->host_fd, asked.l_whence,
              (long)asked.l_start, (long)asked.l_len);
        host.result = host_result(fcntl(slot->host_fd, F_OFD_SETLK, &lock));
        guest.result =
            guest_set_lock(slot->guest_fd, asked.l_type, asked.l_whence, asked.l_start, asked.l_len);
        break;
    default:
        if (lock.l_type == F_UNLCK)
            lock.l_type = F_RDLCK;
        begin("could lock %d of %d be had: from %d, %ld + %ld", lock.l_type, slot->host_fd, asked.l_whence,
              (long)asked.l_start, (long)asked.l_len);
        guest.result =
            guest_can_lock(slot->guest_fd, lock.l_type, asked.l_whence, asked.l_start, asked.l_len);
        host.result = host_result(fcntl(slot->host_fd, F_OFD_GETLK, &lock));
        if (host.result == 0)
            host.result = lock.l_type == F_UNLCK;
        break;
    }
}

/* Something with a file that is open. */
static void call_by_fd(struct slot *slot)
{
    static char data[TEXT_BYTES], host_data[TEXT_BYTES], guest_data[TEXT_BYTES];
    size_t bytes = random_below(TEXT_BYTES);
    long long offset = (long long)random_below(30000) - 200;
    struct stat host_stat;
    struct guest_stat guest_stat;
    switch (random_below(11)) {
    case 0:
    case 1:
        begin("write(%d, %zu)", slot->host_fd, bytes);
        for (size_t i = 0; i < bytes; i++)
            data[i] = (char)random_below(256);
        host.result = host_result(write(slot->host_fd, data, bytes));
        guest.result = guest_write(slot->guest_fd, data, bytes);
        break;
    case 2:
    case 3:
        begin("read(%d, %zu)", slot->host_fd, bytes);
        host.result = host_result(read(slot->host_fd, host_data, bytes));
        guest.result = guest_read(slot->guest_fd, guest_data, bytes);
        if (host.result > 0 && host.result == guest.result && !runs_out_of_memory)
            cr_assert_arr_eq(host_data, guest_data, (size_t)host.result, "%s", call_text);
        break;
    case 4: {
        int whence = (int)random_below(4) - 0;
        /* SEEK_DATA is not the guest's. */
        whence = whence == 3 ? -1 : whence;
        begin("lseek(%d, %lld, %d)", slot->host_fd, offset, whence);
        host.result = host_result(lseek(slot->host_fd, offset, whence));
        guest.result = guest_lseek(slot->guest_fd, offset, whence);
        break;
    }
    case 5:
        begin("ftruncate(%d, %lld)", slot->host_fd, offset);
        host.result = host_result(ftruncate(slot->host_fd, offset));
        guest.result = guest_ftruncate(slot->guest_fd, offset);
        break;
    case 6:
        begin("fstat(%d)", slot->host_fd);
        host.result = host_result(fstat(slot->host_fd, &host_stat));
        guest.result = guest_fstat(slot->guest_fd, &guest_stat);
        note_host_stat(&host_stat);
        note_guest_stat(&guest_stat);
        break;
    case 7:
    case 8:
    case 9:
        call_lock(slot);
        break;
    default:
        begin("close(%d)", slot->host_fd);
        host.result = host_result(close(slot->host_fd));
        guest.result = guest_close(slot->guest_fd);
        *slot = (struct slot){-1, -1};
        break;
    }
}

static void list_folder(const char *name)
{
    begin("the names of \"%s\"", name);
    int host_fd = open(name, O_RDONLY | O_DIRECTORY | O_NONBLOCK);
    host.result = host_fd < 0 ? -errno : 0;
    int guest_fd = (int)guest_openat(HOST_AT_FDCWD, name, O_RDONLY | O_DIRECTORY | O_NONBLOCK, 0);
    guest.result = guest_fd < 0 ? guest_fd : 0;
    check_same();
    if (host_fd < 0)
        return;
    note_names(&host, host_fd, host_getdents64);
    note_names(&guest, guest_fd, guest_getdents64);
    close(host_fd);
    guest_close(guest_fd);
}

static void step(void)
{
    char name[PATH_MAX];
    unsigned dice = random_below(20);
    random_path(name);
    if (dice < 5)
        call_by_fd(&slots[random_below(NR_SLOTS)]);
    else if (dice < 6)
        list_folder(name);
    else
        calls_by_name[random_below(sizeof(calls_by_name) / sizeof(calls_by_name[0]))](random_start(), name);
    check_same();
}

/* ---- Runs ---- */

/* The same empty folders on both sides, deep enough that no walk leaves them. */
static void begin_run(void)
{
    snprintf(top_folder, sizeof(top_folder), "/dev/shm/lookaside-vfs-XXXXXX");
    if (mkdtemp(top_folder) == NULL) {
        snprintf(top_folder, sizeof(top_folder), "/tmp/lookaside-vfs-XXXXXX");
        cr_assert_not_null(mkdtemp(top_folder));
    }
    guest_vfs_start(geteuid(), getegid());
    umask(022);
    guest_umask(022);
    snprintf(start_folder, sizeof(start_folder), "%s", top_folder);
    for (unsigned i = 0; i < NR_UPPER_FOLDERS; i++) {
        append(start_folder, "/x");
        cr_assert_eq(mkdir(start_folder, 0755), 0);
        cr_assert_eq(guest_mkdirat(HOST_AT_FDCWD, start_folder + strlen(top_folder), 0755), 0);
    }
    cr_assert_eq(chdir(start_folder), 0);
    cr_assert_eq(guest_chdir(start_folder + strlen(top_folder)), 0);
    for (unsigned i = 0; i < NR_SLOTS; i++)
        slots[i] = (struct slot){-1, -1};
}

static void end_run(void)
{
    char command[128];
    for (unsigned i = 0; i < NR_SLOTS; i++)
        if (slots[i].host_fd >= 0)
            close(slots[i].host_fd);
    cr_assert_eq(chdir("/"), 0);
    snprintf(command, sizeof(command), "rm -rf %s", top_folder);
    cr_assert_eq(system(command), 0);
    cr_assert_eq(guest_vfs_end(), 0, "something is left of the file system");
}

Test(guest_vfs, random_calls_give_what_the_host_gives)
{
    signal(SIGPIPE, SIG_IGN);
    for (unsigned run = 0; run < NR_RUNS; run++) {
        begin_run();
        for (unsigned i = 0; i < STEPS_PER_RUN; i++)
            step();
        end_run();
    }
}

/* In the place of the guest's function of this name, by which all objects are allocated. */
void *__real_slab_alloc(void *cache, unsigned gfp, unsigned long caller);
void *__wrap_slab_alloc(void *cache, unsigned gfp, unsigned long caller);

void *__wrap_slab_alloc(void *cache, unsigned gfp, unsigned long caller)
{
    if (runs_out_of_memory && one_in(ONE_FAILS_IN))
        return NULL;
    return __real_slab_alloc(cache, gfp, caller);
}

Test(guest_vfs, nothing_is_left_behind_when_memory_runs_out)
{
    signal(SIGPIPE, SIG_IGN);
    for (unsigned run = 0; run < NR_RUNS; run++) {
        begin_run();
        runs_out_of_memory = true;
        for (unsigned i = 0; i < STEPS_PER_RUN; i++)
            step();
        runs_out_of_memory = false;
        end_run();
    }
}

Test(guest_vfs, random_locks_of_one_file_give_what_the_host_gives)
{
    begin_run();
    for (unsigned i = 0; i < NR_SLOTS; i++) {
        slots[i].host_fd = open("a", O_RDWR | O_CREAT, 0600);
        slots[i].guest_fd = (int)guest_openat(HOST_AT_FDCWD, "a", O_RDWR | O_CREAT, 0600);
        cr_assert(slots[i].host_fd >= 0 && slots[i].guest_fd >= 0);
    }
    for (unsigned i = 0; i < NR_LOCKS; i++) {
        call_lock(&slots[random_below(NR_SLOTS)]);
        check_same();
    }
    end_run();
}
