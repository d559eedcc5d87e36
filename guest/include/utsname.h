/* What the system is called (uname(2)). */
#pragma once

#define NEW_UTS_LEN 64

/* Also the user's layout. */
struct new_utsname {
    char sysname[NEW_UTS_LEN + 1]; /* Linux, because programs ask by it which system calls there are */
    char nodename[NEW_UTS_LEN + 1];
    char release[NEW_UTS_LEN + 1];
    char version[NEW_UTS_LEN + 1];
    char machine[NEW_UTS_LEN + 1];
    char domainname[NEW_UTS_LEN + 1];
};
extern struct new_utsname utsname;

/* Another nodename. 0 or -EINVAL: it is too long. */
int set_nodename(const char *name, unsigned long bytes);

struct pt_regs;
long sys_uname(const struct pt_regs *regs);
long sys_sethostname(const struct pt_regs *regs);
