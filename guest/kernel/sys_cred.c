/* System calls about who a process acts for (credentials(7)). -1 leaves a number as it is. */
#include "asm/ptrace.h"
#include "asm/uaccess.h"
#include "sched.h"
#include "sys_task.h"

#define UNCHANGED (~0u)

bool in_group_p(u32 gid)
{
    const struct cred *cred = current_cred();
    if (gid == cred->fsgid)
        return true;
    for (u32 i = 0; i < cred->ngroups; i++)
        if (cred->groups[i] == gid)
            return true;
    return false;
}

long sys_getuid(const struct pt_regs *regs)
{
    (void)regs;
    return (long)current->cred.uid;
}

long sys_getgid(const struct pt_regs *regs)
{
    (void)regs;
    return (long)current->cred.gid;
}

long sys_geteuid(const struct pt_regs *regs)
{
    (void)regs;
    return (long)current->cred.euid;
}

long sys_getegid(const struct pt_regs *regs)
{
    (void)regs;
    return (long)current->cred.egid;
}

/* The three numbers of users or of groups; the one for files follows the effective one. */
struct id_set {
    u32 *real, *effective, *saved, *fs;
};

static struct id_set user_ids(void)
{
    struct cred *cred = &current->cred;
    return (struct id_set){&cred->uid, &cred->euid, &cred->suid, &cred->fsuid};
}

static struct id_set group_ids(void)
{
    struct cred *cred = &current->cred;
    return (struct id_set){&cred->gid, &cred->egid, &cred->sgid, &cred->fsgid};
}

static bool has_id(struct id_set ids, u32 id)
{
    return id == UNCHANGED || capable_root() || id == *ids.real || id == *ids.effective || id == *ids.saved;
}

static long set_ids(struct id_set ids, u32 real, u32 effective, u32 saved)
{
    if (!has_id(ids, real) || !has_id(ids, effective) || !has_id(ids, saved))
        return -EPERM;
    if (real != UNCHANGED)
        *ids.real = real;
    if (effective != UNCHANGED)
        *ids.effective = effective;
    if (saved != UNCHANGED)
        *ids.saved = saved;
    *ids.fs = *ids.effective;
    return 0;
}

/* Root gives up all it has; others only act for another one of theirs. */
static long set_id(struct id_set ids, u32 id)
{
    if (id == UNCHANGED)
        return -EINVAL;
    if (capable_root())
        return set_ids(ids, id, id, id);
    if (id != *ids.real && id != *ids.saved)
        return -EPERM;
    return set_ids(ids, UNCHANGED, id, UNCHANGED);
}

/* The saved number follows the effective one if the real one is set, or the new one is not the real one. */
static long set_real_effective(struct id_set ids, u32 real, u32 effective)
{
    if (!capable_root() && real != UNCHANGED && real != *ids.real && real != *ids.effective)
        return -EPERM;
    bool sets_saved = real != UNCHANGED || (effective != UNCHANGED && effective != *ids.real);
    long error = set_ids(ids, real, effective, UNCHANGED);
    if (error == 0 && sets_saved)
        *ids.saved = *ids.effective;
    return error;
}

static long get_ids(struct id_set ids, const struct pt_regs *regs)
{
    if (put_user_u32(*ids.real, (u32 *)regs->bx) || put_user_u32(*ids.effective, (u32 *)regs->cx) ||
        put_user_u32(*ids.saved, (u32 *)regs->dx))
        return -EFAULT;
    return 0;
}

/* Returns the old number, whatever comes of it. */
static long set_fs_id(struct id_set ids, u32 id)
{
    u32 old = *ids.fs;
    if (id != UNCHANGED && (has_id(ids, id) || id == old))
        *ids.fs = id;
    return (long)old;
}

long sys_setuid(const struct pt_regs *regs)
{
    return set_id(user_ids(), regs->bx);
}

long sys_setgid(const struct pt_regs *regs)
{
    return set_id(group_ids(), regs->bx);
}

long sys_setreuid(const struct pt_regs *regs)
{
    return set_real_effective(user_ids(), regs->bx, regs->cx);
}

long sys_setregid(const struct pt_regs *regs)
{
    return set_real_effective(group_ids(), regs->bx, regs->cx);
}

long sys_setresuid(const struct pt_regs *regs)
{
    return set_ids(user_ids(), regs->bx, regs->cx, regs->dx);
}

long sys_setresgid(const struct pt_regs *regs)
{
    return set_ids(group_ids(), regs->bx, regs->cx, regs->dx);
}

long sys_getresuid(const struct pt_regs *regs)
{
    return get_ids(user_ids(), regs);
}

long sys_getresgid(const struct pt_regs *regs)
{
    return get_ids(group_ids(), regs);
}

long sys_setfsuid(const struct pt_regs *regs)
{
    return set_fs_id(user_ids(), regs->bx);
}

long sys_setfsgid(const struct pt_regs *regs)
{
    return set_fs_id(group_ids(), regs->bx);
}

long sys_getgroups(const struct pt_regs *regs)
{
    const struct cred *cred = current_cred();
    if (regs->bx == 0)
        return (long)cred->ngroups;
    if (regs->bx < cred->ngroups)
        return -EINVAL;
    if (copy_to_user((void *)regs->cx, cred->groups, cred->ngroups * sizeof(u32)))
        return -EFAULT;
    return (long)cred->ngroups;
}

long sys_setgroups(const struct pt_regs *regs)
{
    u32 groups[NGROUPS_MAX];
    if (!capable_root())
        return -EPERM;
    if (regs->bx > NGROUPS_MAX)
        return -EINVAL;
    if (copy_from_user(groups, (const void *)regs->cx, regs->bx * sizeof(u32)))
        return -EFAULT;
    current->cred.ngroups = regs->bx;
    for (u32 i = 0; i < regs->bx; i++)
        current->cred.groups[i] = groups[i];
    return 0;
}
