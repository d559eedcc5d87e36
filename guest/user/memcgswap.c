/*
 * R5, the part of memory cgroups: at a group's limit, its own swappiness says whether pages of its processes
 * go to swap, or pages of files; the machine's does not, and nobody else's pages go.
 */
#include "swapping.h"
#include "ugroup.h"

#define NR_PAGES 250u   /* of the group's process */
#define LIMIT "1600k"   /* 400 pages */
#define FILE_PAGES 300u /* that it has read before, each once */
#define NR_OUTSIDE 300u
#define WRONG 255

static u32 content(u32 page, u32 setting)
{
    return page * 2654435761u + setting;
}

/* In a child: ends with how many of its pages are in swap then, or WRONG. */
static __noreturn void use_group(u32 setting)
{
    static u8 buf[PAGE_BYTES];
    write_number(group_file("a", "tasks"), getpid());
    volatile u32 *memory = mmap(NULL, NR_PAGES * PAGE_BYTES, READ_WRITE, ANON);
    int fd = open("/dev/hda", O_RDONLY, 0);
    for (u32 i = 0; i < FILE_PAGES; i++)
        read(fd, buf, sizeof(buf));
    close(fd);
    for (u32 i = 0; i < NR_PAGES; i++)
        memory[i * PAGE_WORDS] = content(i, setting);
    u32 swapped = NR_PAGES - pages_in_core((const void *)memory, NR_PAGES);
    for (u32 i = 0; i < NR_PAGES; i++)
        if (memory[i * PAGE_WORDS] != content(i, setting))
            exit(WRONG);
    exit((int)swapped);
}

static u32 swapped_with(int machine, int group)
{
    int status = 0;
    write_number("/proc/sys/vm/swappiness", machine);
    write_number(group_file("a", "memory.swappiness"), group);
    write_text("/proc/sys/vm/drop_caches", "1");
    int pid = fork();
    if (pid == 0)
        use_group((u32)group);
    waitpid(pid, &status, 0);
    lab_check((status & 0x7F) == 0 && status >> 8 != WRONG,
              "vm.swappiness %d, memory.swappiness %d: its pages hold what they held", machine, group);
    lab_figure("pages of the process in swap", (u64)(status >> 8), 1, "pages");
    set("a", "memory.force_empty", "0");
    return (u32)status >> 8;
}

int main(void);

int main(void)
{
    mount_on("proc", "/proc", "");
    mount_on("devtmpfs", "/dev", "");
    u32 nr_slots = (u32)read_number("/proc/zram0/disksize") / PAGE_BYTES;
    if (nr_slots == 0) {
        lab_skip("there is no compressed disk: zram=16M makes one");
        return (int)lab_status();
    }
    lab_check(make_swap("/dev/zram0", nr_slots) && swapon("/dev/zram0", 0) == 0, "swap on /dev/zram0");
    lab_check(mount_on("cgroup", ROOT, "memory") && make_group("a") == 0 &&
                  set("a", "memory.limit_in_bytes", LIMIT) == 0,
              "a group with a limit of 400 pages: 300 of a file, read once, and then 250 of a process");
    u8 *outside = mmap(NULL, NR_OUTSIDE * PAGE_BYTES, READ_WRITE, ANON);
    for (u32 i = 0; i < NR_OUTSIDE; i++)
        outside[i * PAGE_BYTES] = 1;
    u32 none = swapped_with(60, 0), few = swapped_with(60, 20), more = swapped_with(60, 100);
    lab_check(none == 0, "memory.swappiness 0: all that goes is the file's");
    lab_check(few > 0 && more > few, "the higher it is, the more are the process's: %u, then %u", few, more);
    lab_check(swapped_with(0, 100) == more && swapped_with(100, 0) == 0,
              "vm.swappiness, 0 or 100, is not asked");
    lab_check(pages_in_core(outside, NR_OUTSIDE) == NR_OUTSIDE, "who is outside keeps all pages");
    lab_check(swapoff("/dev/zram0") == 0, "swapoff");
    lab_check(remove_group("a") == 0, "rmdir removes the group");
    return (int)lab_status();
}
