/*
 * A4, the program's part: a descriptor of its own, for thread-local storage (set_thread_area(2)).
 * guest/labs/flat.c has the others.
 */
#include "lab.h"
#include "printk.h"
#include "syscalls.h"
#include "ulib.h"

/* struct user_desc of Linux's ABI. */
struct user_desc {
    u32 entry_number; /* in: -1 for any that is free */
    u32 base_addr, limit;
    u32 flags;
};
#define DESC_32BIT 0x01u
#define DESC_LIMIT_IN_PAGES 0x10u
#define DESC_USEABLE 0x40u

static u32 storage[2] = {0x11111111, 0x22222222};

static bool set_tls(u32 *entry, const u32 *base)
{
    struct user_desc desc = {.entry_number = *entry,
                             .base_addr = (u32)(uintptr_t)base,
                             .limit = 0xFFFFF,
                             .flags = DESC_32BIT | DESC_LIMIT_IN_PAGES | DESC_USEABLE};
    long result = syscall(__NR_set_thread_area, (uintptr_t)&desc, 0, 0);
    *entry = desc.entry_number;
    return result == 0;
}

static void load_gs(u32 selector)
{
    __asm__ volatile("movl %0, %%gs" ::"r"(selector) : "memory");
}

static u32 read_by_gs(void)
{
    u32 value;
    __asm__ volatile("movl %%gs:0, %0" : "=r"(value)::"memory");
    return value;
}

static u32 rights_of(u32 selector)
{
    u32 rights = 0;
    __asm__ volatile("lar %1, %0" : "+r"(rights) : "r"(selector) : "cc");
    return rights;
}

/* Whether the file has this text. Its lines are said. */
static bool file_has(const char *path, const char *text)
{
    static char content[4096];
    int file = (int)syscall(__NR_open, (uintptr_t)path, 0, 0);
    size_t length = 0, text_length = strlen(text);
    bool is_found = false;
    for (long more = 1; more > 0 && length<sizeof(content) - 1; length += more> 0 ? (size_t)more : 0)
        more = read(file, content + length, sizeof(content) - 1 - length);
    (void)syscall(__NR_close, (u32)file, 0, 0);
    for (char *line = content, *at = content; at < content + length; at++) {
        is_found |= strncmp(at, text, text_length) == 0;
        if (*at != '\n')
            continue;
        *at = '\0';
        lab_say("  %s", line);
        line = at + 1;
    }
    return is_found;
}

static void check_proc(u32 entry, u32 selector)
{
    char expected[64];
    snprintf(expected, sizeof(expected), "%5u     %04x %08lx fffff", entry, selector,
             (unsigned long)&storage[0]);
    (void)syscall5(__NR_mount, (uintptr_t) "proc", (uintptr_t) "/proc", (uintptr_t) "proc", 0, 0);
    lab_check(file_has("/proc/gdt", expected), "/proc/gdt has it");
}

int main(void);

int main(void)
{
    u32 entry = ~0u;
    bool is_set = set_tls(&entry, &storage[0]);
    u32 selector = entry * 8 + 3;
    lab_check(is_set && entry >= 6 && entry <= 8,
              "set_thread_area gave entry %u, one of 6 to 8: selector %04x", entry, selector);
    if (!is_set)
        return (int)lab_status();
    load_gs(selector);
    lab_check(read_by_gs() == storage[0], "its base is %08lx: gs:0 holds %08x", (unsigned long)&storage[0],
              read_by_gs());
    lab_check((rights_of(selector) & 0xFE00) == 0xF200, "its rights are %06x: DPL 3, type 2",
              rights_of(selector));

    check_proc(entry, selector);

    /* The child moves its own and lets the parent run in between. */
    int status = 0, pid = fork();
    if (pid == 0) {
        bool is_inherited = read_by_gs() == storage[0];
        bool is_moved = set_tls(&entry, &storage[1]);
        load_gs(selector);
        for (u32 i = 0; i < 4; i++) {
            is_moved &= read_by_gs() == storage[1];
            sched_yield();
        }
        exit(is_inherited && is_moved ? 0 : 1);
    }
    bool is_kept = true;
    for (u32 i = 0; i < 4; i++) {
        is_kept &= read_by_gs() == storage[0];
        sched_yield();
    }
    lab_check(waitpid(pid, &status, 0) == pid && status == 0,
              "a child has inherited it, and gives the same entry another base: gs:0 holds %08x there",
              storage[1]);
    lab_check(is_kept && read_by_gs() == storage[0],
              "here it still holds %08x: a switch changes the GDT's entry", storage[0]);
    return (int)lab_status();
}
