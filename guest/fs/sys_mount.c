/* mount(2) and umount(2). */
#include "asm/ptrace.h"
#include "cred.h"
#include "err.h"
#include "fs_calls.h"
#include "mount.h"
#include "namei.h"
#include "sched.h"
#include "sys_fs.h"

/* The strings of mount(2): device, folder, type, options. All but the folder may be missing. */
enum { MOUNT_DEVICE, MOUNT_FOLDER, MOUNT_TYPE, MOUNT_OPTIONS, NR_MOUNT_STRINGS };

/* Old programs put this into the upper half of the flags. */
#define MS_MGC_VAL 0xC0ED0000u
#define MS_MGC_MASK 0xFFFF0000u

static int get_strings(char *strings[NR_MOUNT_STRINGS], const u32 user_strings[NR_MOUNT_STRINGS])
{
    for (u32 i = 0; i < NR_MOUNT_STRINGS; i++) {
        if (user_strings[i] == 0)
            continue;
        char *string = getname_flags(user_ptr(user_strings[i]), LOOKUP_EMPTY);
        if (IS_ERR(string))
            return (int)PTR_ERR(string);
        strings[i] = string;
    }
    return strings[MOUNT_FOLDER] ? 0 : -EFAULT;
}

static void put_strings(char *strings[NR_MOUNT_STRINGS])
{
    for (u32 i = 0; i < NR_MOUNT_STRINGS; i++)
        if (strings[i])
            putname(strings[i]);
}

long sys_mount(const struct pt_regs *regs)
{
    const u32 user_strings[NR_MOUNT_STRINGS] = {regs->bx, regs->cx, regs->dx, regs->di};
    char *strings[NR_MOUNT_STRINGS] = {NULL};
    u32 flags = regs->si;
    if (!capable_root())
        return -EPERM;
    if ((flags & MS_MGC_MASK) == MS_MGC_VAL)
        flags &= ~MS_MGC_MASK;
    int error = get_strings(strings, user_strings);
    if (error == 0)
        error = do_mount(strings[MOUNT_DEVICE], strings[MOUNT_FOLDER], strings[MOUNT_TYPE], flags,
                         strings[MOUNT_OPTIONS]);
    put_strings(strings);
    return error;
}

static long umount_name(u32 user_name, u32 flags)
{
    if (!capable_root())
        return -EPERM;
    char *name = getname(user_ptr(user_name));
    if (IS_ERR(name))
        return PTR_ERR(name);
    int error = do_umount(name, flags);
    putname(name);
    return error;
}

long sys_umount(const struct pt_regs *regs)
{
    return umount_name(regs->bx, regs->cx);
}

long sys_oldumount(const struct pt_regs *regs)
{
    return umount_name(regs->bx, 0);
}
