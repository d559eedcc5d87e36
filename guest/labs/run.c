/* lab=NAME: runs a lab instead of init, and ends the machine with how it went. */
#include "asm/cpuid.h"
#include "asm/io.h"
#include "asm/msr.h"
#include "asm/processor.h"
#include "binfmts.h"
#include "bug.h"
#include "fs.h"
#include "lab.h"
#include "lookaside.h"
#include "params.h"
#include "printk.h"
#include "reboot.h"
#include "sched.h"
#include "seq_file.h"
#include "string.h"

/* QEMU's isa-debug-exit device, where lookaside has it too: ends the run with status value << 1 | 1. */
#define DEBUG_EXIT 0xF4

/* SDM 3B 18.2.1, 18.2.2 */
#define EVENTSEL_USR_OS_EN ((1u << 16) | (1u << 17) | (1u << 22))
#define FIXED_CTR0_ALL_RINGS 3u

extern const struct lab __start_labs[], __stop_labs[];

void lab_print(const char *text, size_t bytes)
{
    console_write(text, bytes);
}

static void say_line(const char *line)
{
    lab_say("  %s", line);
}

void lab_show(void (*show)(struct seq_file *m))
{
    seq_lines(show, say_line);
}

/*
 * In the order that report.c reads them; events of Sandy Bridge (docs/pmu.md has those that lookaside
 * counts).
 */
static void start_counters(void)
{
    static const u32 events[] = {0x0108, 0x0149, 0x0243, 0x412E};
    if (!lab_has_counters())
        return;
    for (u32 i = 0; i < ARRAY_SIZE(events); i++)
        wrmsr(MSR_PERFEVTSEL0 + i, events[i] | EVENTSEL_USR_OS_EN);
    wrmsr(MSR_FIXED_CTR_CTRL, FIXED_CTR0_ALL_RINGS);
    wrmsr(MSR_PERF_GLOBAL_CTRL, 1ull << 32 | 0xF);
    write_cr4(read_cr4() | X86_CR4_PCE);
}

int lab_thread(void *name)
{
    bool has_kernel_part = false;
    vfs_start();
    prepare_namespace();
    start_counters();
    for (const struct lab *lab = __start_labs; lab < __stop_labs; lab++) {
        if (strcmp(lab->name, name) == 0) {
            lab->run();
            has_kernel_part = true;
        }
    }
    /* A program of the kernel's image, or of the root file system. */
    char path[64];
    snprintf(path, sizeof(path), "%s%s", boot_params.root ? "/usr/local/bin/" : "", (const char *)name);
    const char *const argv[] = {name, NULL};
    int error = do_execve(path, argv, boot_params.envp);
    if (error && has_kernel_part)
        do_exit((int)lab_status() << 8);
    if (error)
        panic("no lab %s (error %d)", (const char *)name, -error);
    return 0;
}

void lab_end(const char *name, int exit_code, long nr_leaked_pages, unsigned long nr_leaked_objects)
{
    static const char *const words[] = {"passed", "FAILED", "skipped"};
    u32 status = (u32)exit_code >> 8;
    if ((exit_code & 0x7F) || status > LAB_SKIPPED)
        status = LAB_FAILED;
    if (status == LAB_PASSED)
        status = lab_status(); /* of the kernel's part, if the program had one, too */
    if (nr_leaked_pages) {
        lab_say("FAILED: %ld pages were not given back", nr_leaked_pages);
        status = LAB_FAILED;
    }
    if (nr_leaked_objects) {
        lab_say("FAILED: %lu objects of slabs were not given back", nr_leaked_objects);
        status = LAB_FAILED;
    }
    lab_say("lab %s: %s", name, words[status]);
    if (lk_probe())
        lk_exit(status);
    outb((u8)status, DEBUG_EXIT);
    machine_power_off();
}
