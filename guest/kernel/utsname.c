/* The system's names (include/utsname.h). */
#include "utsname.h"
#include "asm/ptrace.h"
#include "asm/uaccess.h"
#include "string.h"

struct new_utsname utsname = {
    .sysname = "Linux",
    .nodename = "(none)",
    .release = "6.1.0-lookaside", /* as new as a kernel must be for the glibc of Debian 12 */
    .version = "#1 " KERNEL_FLAVOUR,
    .machine = "i686",
    .domainname = "(none)",
};

int set_nodename(const char *name, unsigned long bytes)
{
    if (bytes > NEW_UTS_LEN)
        return -EINVAL;
    memset(utsname.nodename, 0, sizeof(utsname.nodename));
    memcpy(utsname.nodename, name, bytes);
    return 0;
}

long sys_uname(const struct pt_regs *regs)
{
    return copy_to_user((void *)regs->bx, &utsname, sizeof(utsname)) ? -EFAULT : 0;
}

long sys_sethostname(const struct pt_regs *regs)
{
    char name[NEW_UTS_LEN];
    if (regs->cx > NEW_UTS_LEN)
        return -EINVAL;
    if (copy_from_user(name, (const void *)regs->bx, regs->cx))
        return -EFAULT;
    return set_nodename(name, regs->cx);
}
