/* System calls about the system as a whole. */
#include "asm/ptrace.h"
#include "asm/uaccess.h"
#include "jiffies.h"
#include "loadavg.h"
#include "mm.h"
#include "reboot.h"
#include "sched.h"
#include "string.h"
#include "swapops.h"
#include "sys_task.h"
#include "utsname.h"

long sys_setdomainname(const struct pt_regs *regs)
{
    char name[NEW_UTS_LEN + 1] = {0};
    if (!capable_root())
        return -EPERM;
    if (regs->cx > NEW_UTS_LEN)
        return -EINVAL;
    if (copy_from_user(name, (const void *)regs->bx, regs->cx))
        return -EFAULT;
    memcpy(utsname.domainname, name, sizeof(utsname.domainname));
    return 0;
}

/* The user's layout. */
struct sysinfo {
    u32 uptime, loads[3];
    u32 totalram, freeram, sharedram, bufferram, totalswap, freeswap; /* in mem_unit bytes */
    u16 procs, padding;
    u32 totalhigh, freehigh, mem_unit;
    u8 reserved[8];
};
_Static_assert(sizeof(struct sysinfo) == 64, "sysinfo(2)");
#define SYSINFO_LOAD_SHIFT 16

long sys_sysinfo(const struct pt_regs *regs)
{
    struct sysinfo info = {.uptime = (u32)(jiffies / HZ), .procs = (u16)nr_threads, .mem_unit = PAGE_SIZE};
    const struct zone *high = &contig_page_data.node_zones[ZONE_HIGHMEM];
    struct zone *zone;
    for (u32 i = 0; i < ARRAY_SIZE(info.loads); i++)
        info.loads[i] = (u32)avenrun[i] << (SYSINFO_LOAD_SHIFT - LOAD_SHIFT);
    for_each_populated_zone(zone) info.totalram += (u32)zone->managed_pages;
    info.freeram = (u32)nr_free_pages();
    info.totalswap = (u32)total_swap_pages;
    info.freeswap = (u32)nr_swap_pages;
    info.totalhigh = (u32)high->managed_pages;
    info.freehigh = (u32)high->nr_free_pages;
    return copy_to_user((void *)regs->bx, &info, sizeof(info)) ? -EFAULT : 0;
}

#define PER_LINUX 0u
#define PER_QUERY (~0u)

/* There is one personality, and flags that would change where things lie are not heeded. */
long sys_personality(const struct pt_regs *regs)
{
    return regs->bx == PER_LINUX || regs->bx == PER_QUERY ? (long)PER_LINUX : -EINVAL;
}

#define PR_SET_PDEATHSIG 1
#define PR_GET_PDEATHSIG 2
#define PR_SET_NAME 15
#define PR_GET_NAME 16

static long set_comm(u32 user_name)
{
    char name[TASK_COMM_LEN] = {0};
    for (u32 i = 0; i < TASK_COMM_LEN - 1; i++) {
        if (copy_from_user(&name[i], (const void *)(user_name + i), 1))
            return -EFAULT;
        if (name[i] == '\0')
            break;
    }
    memcpy(current->comm, name, TASK_COMM_LEN);
    return 0;
}

long sys_prctl(const struct pt_regs *regs)
{
    switch (regs->bx) {
    case PR_SET_NAME:
        return set_comm(regs->cx);
    case PR_GET_NAME:
        return copy_to_user((void *)regs->cx, current->comm, TASK_COMM_LEN) ? -EFAULT : 0;
    case PR_SET_PDEATHSIG:
        if (regs->cx > NR_SIGNALS)
            return -EINVAL;
        current->pdeath_signal = (int)regs->cx;
        return 0;
    case PR_GET_PDEATHSIG:
        return put_user_u32((u32)current->pdeath_signal, (u32 *)regs->cx);
    default:
        return -EINVAL;
    }
}

#define LINUX_REBOOT_MAGIC1 0xFEE1DEADu
static const u32 magic2[] = {672274793, 85072278, 369367448, 537993216};
#define LINUX_REBOOT_CMD_RESTART 0x01234567u
#define LINUX_REBOOT_CMD_HALT 0xCDEF0123u
#define LINUX_REBOOT_CMD_CAD_ON 0x89ABCDEFu
#define LINUX_REBOOT_CMD_CAD_OFF 0u
#define LINUX_REBOOT_CMD_POWER_OFF 0x4321FEDCu

/*
 * The end of the machine goes through the end of the first process, after which everything is written out and
 * counted. Ctrl-Alt-Del is not looked for, so that switching it on or off is done already.
 */
long sys_reboot(const struct pt_regs *regs)
{
    bool is_magic = false;
    if (!capable_root())
        return -EPERM;
    for (u32 i = 0; i < ARRAY_SIZE(magic2); i++)
        is_magic |= regs->cx == magic2[i];
    if (regs->bx != LINUX_REBOOT_MAGIC1 || !is_magic)
        return -EINVAL;
    switch (regs->dx) {
    case LINUX_REBOOT_CMD_CAD_ON:
    case LINUX_REBOOT_CMD_CAD_OFF:
        return 0;
    case LINUX_REBOOT_CMD_RESTART:
    case LINUX_REBOOT_CMD_HALT:
    case LINUX_REBOOT_CMD_POWER_OFF:
        end_first_process();
        return 0;
    default:
        return -EINVAL;
    }
}
