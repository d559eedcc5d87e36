/* The boot, a line a subsystem. Each step leaves a mark on the simulator's time line. */
#include "asm/desc.h"
#include "asm/fpu.h"
#include "asm/irq.h"
#include "asm/irqflags.h"
#include "asm/pgtable.h"
#include "asm/setup.h"
#include "binfmts.h"
#include "boot_steps.h"
#include "bug.h"
#include "cma.h"
#include "dmaengine.h"
#include "fs.h"
#include "i8254.h"
#include "ide.h"
#include "iommu.h"
#include "jiffies.h"
#include "lab.h"
#include "lkdtm.h"
#include "lookaside.h"
#include "mm.h"
#include "mount.h"
#include "netdevice.h"
#include "pagemap.h"
#include "params.h"
#include "pci.h"
#include "printk.h"
#include "proc_fs.h"
#include "reboot.h"
#include "sched.h"
#include "serial8250.h"
#include "slab.h"
#include "swap.h"
#include "timekeeping.h"
#include "tty.h"
#include "vgacon.h"
#include "vmalloc.h"
#include "zram.h"

__noreturn void start_kernel(void);

static void boot_step(const char *name)
{
    static u32 step = BOOT_STEP_START_KERNEL;
    lk_mark(step++, name);
}

static void __init setup_command_line(void)
{
    parse_command_line(boot_info.command_line);
    min_free_kbytes = boot_params.min_free_kbytes;
    pr_notice("lookaside guest, " KERNEL_FLAVOUR ": a kernel in which memory management can be watched\n");
    pr_notice("Kernel command line: %s\n", saved_command_line);
}

static int run_init(const char *name)
{
    const char *const argv[] = {name, NULL};
    return do_execve(name, argv, boot_params.envp);
}

/* What init= names; else the program of the image, or what a root file system has in one of these places. */
static int kernel_init(void *unused)
{
    static const char *const places[] = {"/sbin/init", "/etc/init", "/bin/init", "/bin/sh"};
    (void)unused;
    vfs_start();
    prepare_namespace();
    if (boot_params.init || boot_params.root == NULL) {
        const char *name = boot_params.init ? boot_params.init : "init";
        int error = run_init(name);
        if (error)
            panic("No working init found: %s (error %d)", name, -error);
        return 0;
    }
    for (size_t i = 0; i < ARRAY_SIZE(places); i++)
        if (run_init(places[i]) == 0)
            return 0;
    panic("No working init found on %s", boot_params.root);
}

/* Free pages, with those that are nobody's: in empty slabs, and in page tables of the kernel, which stay. */
static unsigned long count_free_pages(void)
{
    kmem_cache_shrink_all();
    return nr_free_pages() + nr_kernel_page_tables();
}

/* Runs the first task, init or a lab; returns what it exited with, and what memory it left behind. */
static int run_first_task(int (*fn)(void *), const char *name, long *nr_leaked_pages,
                          unsigned long *nr_leaked_objects)
{
    unsigned long free_before = count_free_pages();
    kmem_cache_note_active();
    union {
        const char *text;
        void *arg;
    } of = {.text = name};
    struct task_struct *task = kernel_thread_pid(1, fn, of.arg, "kernel_init");
    BUG_ON(task == NULL);
    task->signal->is_unkillable = true;
    cpu_idle_until_exit(task);
    int exit_code = task->exit_code;
    release_task(task);
    net_shutdown();
    vfs_shutdown();
    *nr_leaked_pages = (long)(free_before - count_free_pages());
    *nr_leaked_objects = kmem_cache_show_leaks();
    return exit_code;
}

/* Not in the init section, because it frees that. */
static __noreturn __attribute__((noinline)) void rest_init(void)
{
    free_initmem();
    kthreadd_task = kernel_thread_pid(2, kthreadd, NULL, "kthreadd");
    BUG_ON(kthreadd_task == NULL);
    kswapd_run();
    show_buddyinfo();
    show_zoneinfo();
    page_walk_demo();
    lkdtm(boot_params.lkdtm);

    long nr_leaked_pages;
    unsigned long nr_leaked_objects;
    if (boot_params.lab) {
        boot_step("lab");
        int exit_code = run_first_task(lab_thread, boot_params.lab, &nr_leaked_pages, &nr_leaked_objects);
        lab_end(boot_params.lab, exit_code, nr_leaked_pages, nr_leaked_objects);
    }
    boot_step("init");
    run_first_task(kernel_init, NULL, &nr_leaked_pages, &nr_leaked_objects);

    boot_step("shutdown");
    drain_all_pages();
    show_buddyinfo();
    pr_notice("leaked pages: %ld\n", nr_leaked_pages);
    boot_step("power off");
    machine_power_off();
}

void __init start_kernel(void)
{
    boot_step("start_kernel");
    boot_step("early console");
    serial8250_console_init();
    boot_step("command line");
    setup_command_line();
    if (boot_params.has_vga_console)
        vgacon_init();
    boot_step("gdt");
    gdt_init();
    trap_init();
    boot_step("memblock");
    setup_memory_map();
    boot_step("paging");
    paging_init();
    show_memory_layout();
    cma_reserve();
    boot_step("zones");
    free_area_init();
    paging_mark_tables();
    boot_step("buddy");
    mem_init();
    show_gdt();
    show_zones();
    boot_step("slab");
    kmem_cache_init();
    vmalloc_init();
    pgtable_cache_init();
    mmap_init();
    page_cache_init();
    sched_init();
    fork_init();
    fpu_init();
    boot_step("timer");
    init_IRQ();
    i8254_init();
    local_irq_enable();
    timekeeping_init();
    pr_info("timer: 8254 ticks at %d Hz on IRQ 0\n", HZ);
    boot_step("files");
    vfs_init();
    proc_init();
    tty_devices_init();
    boot_step("devices");
    tty_init();
    serial8250_tty_init();
    keyboard_init();
    pci_init();
    intel_iommu_init();
    dma_engine_init();
    ide_init();
    zram_init();
    net_init();
    if (boot_params.lspci)
        show_pci();
    rest_init();
}
