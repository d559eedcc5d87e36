/* Who a task acts for (credentials(7)). */
#pragma once

#include "types.h"

#define NGROUPS_MAX 32

struct cred {
    u32 uid, gid;     /* real */
    u32 suid, sgid;   /* saved */
    u32 euid, egid;   /* effective */
    u32 fsuid, fsgid; /* for files */
    u32 ngroups;
    u32 groups[NGROUPS_MAX];
};

#define current_cred() ((const struct cred *)&current->cred)
#define current_uid() (current_cred()->uid)
#define current_euid() (current_cred()->euid)
#define current_gid() (current_cred()->gid)
#define current_egid() (current_cred()->egid)
#define current_fsuid() (current_cred()->fsuid)
#define current_fsgid() (current_cred()->fsgid)

/* Whether the effective user is root, which is all the privilege there is. */
#define capable_root() (current_cred()->euid == 0)
/* Whether the task that runs has the group, by fsgid or as another one of its groups. */
bool in_group_p(u32 gid);
