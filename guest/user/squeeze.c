/*
 * More memory in use than there is, for as long as one likes: processes that keep pages of their own, fork
 * and end, others that write files of a disk by write() and through mappings, and a swap area for what does
 * not fit. Each has a model of what it must read. Beside it run the kernel's threads of labs/pressure.c.
 *
 * squeeze.seed=N squeeze.steps=N (of each process) squeeze.keepers=N squeeze.keeper_pages=N
 * squeeze.writers=N squeeze.file_pages=N squeeze.disk=/dev/NAME squeeze.swap=/dev/NAME
 * squeeze.faults=1: requests of the disks may fail. Then errors are counted, and whoever loses a page ends.
 */
#include "fcntl.h"
#include "lab.h"
#include "mman.h"
#include "ufiles.h"

#define PAGE_BYTES 4096u
#define PAGE_WORDS (PAGE_BYTES / 4)
#define MOST_PAGES 8192u
#define READ_WRITE (PROT_READ | PROT_WRITE)
#define STEPS_PER_FORK 96u
#define STEPS_PER_SYNC 64u
#define SIGBUS 7
#define MOST_WORKERS 16u

/* What a process that has ended says by its status; above them: how often the disk failed, up to here. */
enum { STATUS_WRONG = 1, STATUS_NO_FORK = 2, STATUS_FAULTS = 64 };

static u32 random_state, seed, nr_wrong, nr_faults, nr_no_fork, nr_children, nr_checked;
static bool may_fail;
/* The generation of each page's contents; 0: all zero. */
static u16 generation[MOST_PAGES];

static u32 random_below(u32 limit)
{
    random_state = random_state * 1664525u + 1013904223u;
    return (u32)(((u64)random_state * limit) >> 32);
}

/* What the first word of a page holds; the others go on from there. Also in tests/whole/guest_pressure.py. */
static u32 first_word(u32 page, u32 at)
{
    return at ? (seed * 2654435761u) ^ (page * 40503u + at * 2246822519u) : 0;
}

static void fill(volatile u32 *words, u32 page, u32 at)
{
    u32 value = first_word(page, at);
    words[0] = value;
    words[1] = at;
    for (u32 i = 2; i < PAGE_WORDS; i++)
        words[i] = at ? value += 2 * i + 1 : 0;
}

static bool is_filled(const volatile u32 *words, u32 page, u32 at)
{
    u32 value = first_word(page, at), wrong = (words[0] ^ value) | (words[1] ^ at);
    for (u32 i = 2; i < PAGE_WORDS; i++)
        wrong |= words[i] ^ (at ? value += 2 * i + 1 : 0);
    nr_checked++;
    return wrong == 0;
}

static void complain(const char *what, u32 page, const volatile u32 *words, u32 at)
{
    if (nr_wrong++ < 4)
        lab_say("process %d: %s page %u: %08x %08x %08x, not generation %u (%08x)", getpid(), what, page,
                words[0], words[1], words[2], at, first_word(page, at));
}

static __noreturn void end(void)
{
    u32 faults = min(nr_faults, 63u);
    exit(nr_wrong ? STATUS_WRONG : nr_no_fork ? STATUS_NO_FORK : faults ? (int)(STATUS_FAULTS + faults) : 0);
}

/* ---- Pages of one's own ---- */

static volatile u32 *memory;

static volatile u32 *words_of(u32 page)
{
    return memory + page * PAGE_WORDS;
}

static void write_page(u32 page)
{
    fill(words_of(page), page, ++generation[page]);
}

static void check_page(u32 page)
{
    if (!is_filled(words_of(page), page, generation[page]))
        complain("memory,", page, words_of(page), generation[page]);
}

static void throw_away(u32 page)
{
    if (madvise((void *)(uintptr_t)words_of(page), PAGE_BYTES, MADV_DONTNEED))
        nr_wrong++;
    generation[page] = 0;
}

/* A child has what its parent had, changes some of it, and is gone. */
static void start_child(u32 nr_pages)
{
    int pid = fork();
    if (pid < 0)
        nr_no_fork += !may_fail;
    if (pid > 0)
        nr_children++;
    if (pid != 0)
        return;
    random_state ^= (u32)getpid() * 2654435761u;
    for (u32 i = 0; i < 24; i++) {
        u32 page = random_below(nr_pages);
        check_page(page);
        write_page(page);
        check_page(page);
    }
    end();
}

static void take_status(int status, u32 *nr_lost)
{
    u32 code = (u32)status >> 8;
    if (status & 0x7F)
        (*nr_lost)++;
    else if (code > STATUS_FAULTS)
        nr_faults += code - STATUS_FAULTS;
    else
        nr_wrong += code != 0;
}

static void reap(u32 most_left)
{
    int status;
    u32 nr_lost = 0;
    while (nr_children > most_left && waitpid(-1, &status, 0) > 0) {
        nr_children--;
        take_status(status, &nr_lost);
    }
    /* A page of its own that the disk has lost: that is a SIGBUS. */
    if (nr_lost && !may_fail)
        nr_wrong++;
    nr_faults += nr_lost;
}

static __noreturn void keep(u32 nr_steps, u32 nr_pages)
{
    memory = mmap(NULL, nr_pages * PAGE_BYTES, READ_WRITE, MAP_PRIVATE | MAP_ANONYMOUS);
    if (memory == MAP_FAILED)
        exit(STATUS_WRONG);
    for (u32 page = 0; page < nr_pages; page++)
        write_page(page);
    for (u32 step = 1; step <= nr_steps; step++) {
        u32 page = random_below(nr_pages), what = random_below(16);
        if (what < 8)
            write_page(page);
        else if (what < 15)
            check_page(page);
        else
            throw_away(page);
        if (step % STEPS_PER_FORK == 0) {
            start_child(nr_pages);
            reap(1);
        }
    }
    reap(0);
    for (u32 page = 0; page < nr_pages; page++)
        check_page(page);
    end();
}

/* ---- Files ---- */

static u32 buffer[PAGE_WORDS];
static bool is_damaged; /* the disk has refused some of the file: what it holds is anybody's guess */

/* The disk refused it; anything else is a mistake. */
static void note_fault(const char *call, u32 page)
{
    nr_faults++;
    is_damaged = true;
    if (!may_fail && nr_wrong++ < 4)
        lab_say("process %d: %s of page %u: error %d", getpid(), call, page, errno);
}

static void write_file(int file, u32 page)
{
    fill(buffer, page, ++generation[page]);
    if (lseek(file, (long)(page * PAGE_BYTES), 0) < 0 || write(file, buffer, PAGE_BYTES) != (long)PAGE_BYTES)
        note_fault("write", page);
}

static void check_file(int file, u32 page)
{
    if (lseek(file, (long)(page * PAGE_BYTES), 0) < 0 || read(file, buffer, PAGE_BYTES) != (long)PAGE_BYTES)
        note_fault("read", page);
    else if (!is_damaged && !is_filled(buffer, page, generation[page]))
        complain("file,", page, buffer, generation[page]);
}

static __noreturn void write_and_read(u32 number, u32 nr_steps, u32 nr_pages)
{
    char name[] = "/mnt/f0";
    name[6] = (char)('0' + number);
    int file = open(name, O_CREAT | O_RDWR | O_TRUNC, 0644);
    if (file < 0)
        exit(may_fail ? STATUS_FAULTS + 1 : STATUS_WRONG);
    for (u32 page = 0; page < nr_pages; page++)
        write_file(file, page);
    memory = (void *)syscall5(__NR_mmap2, 0, nr_pages * PAGE_BYTES, READ_WRITE, MAP_SHARED, (u32)file);
    for (u32 step = 1; step <= nr_steps; step++) {
        u32 page = random_below(nr_pages), what = random_below(16);
        if (what < 5)
            write_file(file, page);
        else if (what < 8 && !may_fail)
            write_page(page);
        else if (what < 12)
            check_file(file, page);
        else if (!may_fail)
            check_page(page);
        if (step % STEPS_PER_SYNC == 0 && syscall(__NR_fsync, (u32)file, 0, 0))
            note_fault("fsync", page);
    }
    for (u32 page = 0; page < nr_pages; page++)
        check_file(file, page);
    u32 sum = 0;
    for (u32 page = 0; page < nr_pages; page++)
        sum += generation[page] * (page + 1);
    lab_say("file %s: seed %u, %u pages, sum of generations %u%s", name + 5, seed, nr_pages, sum,
            is_damaged ? ", damaged" : "");
    end();
}

/* ---- All of them ---- */

static bool set_up(char *const envp[])
{
    const char *disk = getenv(envp, "squeeze.disk"), *swap = getenv(envp, "squeeze.swap");
    if (disk) {
        mkdir("/mnt", 0755);
        if (syscall5(__NR_mount, word_of(disk), word_of("/mnt"), word_of("ext2"), 0, 0))
            return lab_check(false, "%s is mounted: error %d", disk, errno);
    }
    if (swap && syscall(__NR_swapon, word_of(swap), 0, 0))
        return lab_check(false, "swapon %s: error %d", swap, errno);
    return true;
}

static void tear_down(char *const envp[])
{
    const char *swap = getenv(envp, "squeeze.swap");
    if (getenv(envp, "squeeze.disk") && syscall(__NR_umount2, word_of("/mnt"), 0, 0))
        lab_check(false, "/mnt is unmounted: error %d", errno);
    if (swap && syscall(__NR_swapoff, word_of(swap), 0, 0) && !may_fail)
        lab_check(false, "swapoff %s: error %d", swap, errno);
}

int main(int argc, char **argv, char **envp);

int main(int argc, char **argv, char **envp)
{
    (void)argc;
    (void)argv;
    u32 steps = getenv_u32(envp, "squeeze.steps", 400), first_seed = getenv_u32(envp, "squeeze.seed", 1);
    u32 keepers = getenv_u32(envp, "squeeze.keepers", 3), writers = getenv_u32(envp, "squeeze.writers", 0);
    u32 keeper_pages = min(getenv_u32(envp, "squeeze.keeper_pages", 1024), MOST_PAGES);
    u32 file_pages = min(getenv_u32(envp, "squeeze.file_pages", 512), MOST_PAGES);
    may_fail = getenv_u32(envp, "squeeze.faults", 0);
    keepers = min(keepers, MOST_WORKERS);
    writers = getenv(envp, "squeeze.disk") ? min(writers, 10u) : 0;
    if (!set_up(envp))
        return (int)lab_status();
    lab_say("squeeze: %u processes of %u pages, %u writers of files of %u pages", keepers, keeper_pages,
            writers, file_pages);
    for (u32 i = 0; i < keepers + writers; i++) {
        int pid = fork();
        if (pid == 0) {
            seed = random_state = first_seed + i * 7919;
            if (i < keepers)
                keep(steps, keeper_pages);
            write_and_read(i - keepers, steps, file_pages);
        }
        nr_children += pid > 0;
    }
    u32 nr_started = nr_children, nr_lost = 0;
    int status;
    while (nr_children > 0 && waitpid(-1, &status, 0) > 0) {
        nr_children--;
        take_status(status, &nr_lost);
    }
    nr_faults += nr_lost;
    lab_check(nr_started == keepers + writers && nr_wrong == 0,
              "%u processes: every page of memory and of files held what it should", nr_started);
    if (may_fail)
        lab_check(nr_faults > 0, "the disk's errors reached the programs");
    else
        lab_check(nr_lost == 0, "no process was ended");
    tear_down(envp);
    return (int)lab_status();
}
