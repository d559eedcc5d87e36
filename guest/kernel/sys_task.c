/* System calls about processes. */
#include "sys_task.h"
#include "asm/ptrace.h"
#include "asm/switch_to.h"
#include "asm/uaccess.h"
#include "binfmts.h"
#include "params.h"
#include "sched.h"
#include "slab.h"
#include "string.h"

#define ARGS_BYTES PAGE_SIZE
#define USER_POINTER_BYTES 4

long sys_exit(const struct pt_regs *regs)
{
    do_exit((int)(regs->bx & 0xFF) << 8);
}

/* A vfork() that copies as fork() does breaks no program: it may only do what is possible after either. */
long sys_fork(const struct pt_regs *regs)
{
    (void)regs;
    return do_fork();
}

long sys_getpid(const struct pt_regs *regs)
{
    (void)regs;
    return (long)current->pid;
}

long sys_getppid(const struct pt_regs *regs)
{
    (void)regs;
    return (long)current->parent->pid;
}

long sys_kill(const struct pt_regs *regs)
{
    return do_kill((s32)regs->bx, (int)regs->cx);
}

long sys_sched_yield(const struct pt_regs *regs)
{
    (void)regs;
    schedule();
    return 0;
}

/* waitpid, and wait4 without its fourth argument. */
long sys_waitpid(const struct pt_regs *regs)
{
    u32 *user_status = (u32 *)regs->cx;
    if (regs->dx & ~WNOHANG)
        return -EINVAL;
    int exit_code = 0;
    long pid = do_wait((s32)regs->bx, regs->dx, &exit_code);
    if (pid > 0 && user_status && put_user_u32((u32)exit_code, user_status))
        return -EFAULT;
    return pid;
}

long sys_wait4(const struct pt_regs *regs)
{
    return regs->si ? -EINVAL : sys_waitpid(regs);
}

/* struct rusage: two times of two words each, then 14 words. */
enum { RUSAGE_WORDS = 18, RUSAGE_MAXRSS_KBYTES = 4, RUSAGE_MINFLT = 8 };

long sys_getrusage(const struct pt_regs *regs)
{
    u32 usage[RUSAGE_WORDS] = {0};
    /* RUSAGE_SELF. */
    if (regs->bx != 0)
        return -EINVAL;
    usage[RUSAGE_MAXRSS_KBYTES] = (u32)current->mm->hiwater_rss << (PAGE_SHIFT - 10);
    usage[RUSAGE_MINFLT] = (u32)current->min_flt;
    return copy_to_user((void *)regs->cx, usage, sizeof(usage)) ? -EFAULT : 0;
}

/* The words of the user's that a new program gets, in a buffer, since its old memory goes. */
struct exec_words {
    const char *argv[MAX_INIT_ENVS + 1], *envp[MAX_INIT_ENVS + 1];
    const char *name;
    size_t used;
    char text[];
};

static int copy_string(struct exec_words *words, u32 user_text, const char **copy)
{
    char *to = words->text + words->used;
    size_t room = ARGS_BYTES - sizeof(*words) - words->used, length = 0;
    for (; length < room; length++) {
        if (copy_from_user(to + length, (const void *)(user_text + length), 1))
            return -EFAULT;
        if (to[length] == '\0') {
            words->used += length + 1;
            *copy = to;
            return 0;
        }
    }
    return -E2BIG;
}

/* A list of addresses that ends with a 0; no list is an empty one. */
static int copy_list(struct exec_words *words, u32 user_list, const char *list[MAX_INIT_ENVS + 1])
{
    for (u32 i = 0; user_list; i++) {
        u32 user_text;
        if (get_user_u32(&user_text, (const u32 *)(user_list + i * USER_POINTER_BYTES)))
            return -EFAULT;
        if (user_text == 0)
            break;
        if (i == MAX_INIT_ENVS)
            return -E2BIG;
        int error = copy_string(words, user_text, &list[i]);
        if (error)
            return error;
    }
    return 0;
}

/* Programs lie in no folder: what stands before the last slash is ignored. */
static const char *base_name(const char *path)
{
    const char *name = path;
    for (; *path; path++)
        if (*path == '/')
            name = path + 1;
    return name;
}

long sys_execve(const struct pt_regs *regs)
{
    struct exec_words *words = kzalloc(ARGS_BYTES, GFP_KERNEL);
    if (words == NULL)
        return -ENOMEM;
    long error = copy_string(words, regs->bx, &words->name);
    if (error == 0)
        error = copy_list(words, regs->cx, words->argv);
    if (error == 0)
        error = copy_list(words, regs->dx, words->envp);
    if (error == 0)
        error = do_execve(base_name(words->name), words->argv, words->envp);
    kfree(words);
    /* The new program begins with the registers that start_thread() made. */
    return error ? error : (long)task_pt_regs(current)->ax;
}
