#include "ulib.h"
#include "lab.h"
#include "mman.h"
#include "printk.h"
#include "syscalls.h"

int errno;

/* The sixth argument, in EBP, is 0: nobody uses it yet. */
long syscall5(u32 number, u32 a, u32 b, u32 c, u32 d, u32 e)
{
    long result;
    __asm__ volatile("pushl %%ebp\n\txorl %%ebp, %%ebp\n\tint $0x80\n\tpopl %%ebp"
                     : "=a"(result)
                     : "0"(number), "b"(a), "c"(b), "d"(c), "S"(d), "D"(e)
                     : "memory");
    if (result < 0 && result > -4096) {
        errno = (int)-result;
        return -1;
    }
    return result;
}

static long syscall3(u32 number, u32 a, u32 b, u32 c)
{
    return syscall5(number, a, b, c, 0, 0);
}

long syscall(u32 number, u32 a, u32 b, u32 c)
{
    return syscall5(number, a, b, c, 0, 0);
}

void exit(int status)
{
    syscall3(__NR_exit_group, (u32)status, 0, 0);
    for (;;)
        ;
}

long read(int fd, void *buf, size_t bytes)
{
    return syscall3(__NR_read, (u32)fd, (uintptr_t)buf, bytes);
}

long write(int fd, const void *buf, size_t bytes)
{
    return syscall3(__NR_write, (u32)fd, (uintptr_t)buf, bytes);
}

int fork(void)
{
    return (int)syscall3(__NR_fork, 0, 0, 0);
}

int waitpid(int pid, int *status, int options)
{
    return (int)syscall3(__NR_waitpid, (u32)pid, (uintptr_t)status, (u32)options);
}

int execve(const char *path, char *const argv[], char *const envp[])
{
    return (int)syscall3(__NR_execve, (uintptr_t)path, (uintptr_t)argv, (uintptr_t)envp);
}

int kill(int pid, int sig)
{
    return (int)syscall3(__NR_kill, (u32)pid, (u32)sig, 0);
}

int getppid(void)
{
    return (int)syscall3(__NR_getppid, 0, 0, 0);
}

int sched_yield(void)
{
    return (int)syscall3(__NR_sched_yield, 0, 0, 0);
}

void *mmap(void *address, size_t bytes, int prot, int flags)
{
    return (void *)syscall5(__NR_mmap2, (uintptr_t)address, bytes, (u32)prot, (u32)flags, ~0u);
}

int munmap(void *address, size_t bytes)
{
    return (int)syscall3(__NR_munmap, (uintptr_t)address, bytes, 0);
}

int mprotect(void *address, size_t bytes, int prot)
{
    return (int)syscall3(__NR_mprotect, (uintptr_t)address, bytes, (u32)prot);
}

void *mremap(void *address, size_t old_bytes, size_t new_bytes, int flags)
{
    return (void *)syscall5(__NR_mremap, (uintptr_t)address, old_bytes, new_bytes, (u32)flags, 0);
}

void *mremap_to(void *address, size_t bytes, void *new_address)
{
    return (void *)syscall5(__NR_mremap, (uintptr_t)address, bytes, bytes, MREMAP_MAYMOVE | MREMAP_FIXED,
                            (uintptr_t)new_address);
}

int madvise(void *address, size_t bytes, int advice)
{
    return (int)syscall3(__NR_madvise, (uintptr_t)address, bytes, (u32)advice);
}

int mlock(const void *address, size_t bytes)
{
    return (int)syscall3(__NR_mlock, (uintptr_t)address, bytes, 0);
}

int mlockall(int flags)
{
    return (int)syscall3(__NR_mlockall, (u32)flags, 0, 0);
}

int munlockall(void)
{
    return (int)syscall3(__NR_munlockall, 0, 0, 0);
}

u32 minor_faults(void)
{
    /* struct rusage: ru_minflt is the ninth word. */
    u32 usage[18];
    return syscall3(__NR_getrusage, 0, (uintptr_t)usage, 0) ? 0 : usage[8];
}

int getpid(void)
{
    return (int)syscall3(__NR_getpid, 0, 0, 0);
}

int nanosleep(u32 seconds, u32 nanoseconds)
{
    const u32 request[2] = {seconds, nanoseconds};
    return (int)syscall3(__NR_nanosleep, (uintptr_t)request, 0, 0);
}

/* The system call never fails: it returns the end of the heap, moved or not. */
static uintptr_t brk_to(uintptr_t end)
{
    u32 result;
    __asm__ volatile("int $0x80" : "=a"(result) : "0"(__NR_brk), "b"(end) : "memory");
    return result;
}

void *sbrk(long bytes)
{
    uintptr_t old_end = brk_to(0), wanted = old_end + (uintptr_t)bytes;
    if (brk_to(wanted) != wanted) {
        errno = ENOMEM;
        return (void *)-1;
    }
    return (void *)old_end;
}

int printf(const char *fmt, ...)
{
    char line[512];
    va_list args;
    va_start(args, fmt);
    int length = vsnprintf(line, sizeof(line), fmt, args);
    va_end(args);
    write(1, line, strlen(line));
    return length;
}

/* For labs/report.c. */
void lab_print(const char *text, size_t bytes)
{
    write(1, text, bytes);
}

const char *getenv(char *const envp[], const char *name)
{
    size_t bytes = strlen(name);
    for (; *envp; envp++)
        if (strncmp(*envp, name, bytes) == 0 && (*envp)[bytes] == '=')
            return *envp + bytes + 1;
    return NULL;
}

u32 getenv_u32(char *const envp[], const char *name, u32 otherwise)
{
    const char *text = getenv(envp, name);
    if (text == NULL || *text < '0' || *text > '9')
        return otherwise;
    u32 value = 0;
    for (; *text >= '0' && *text <= '9'; text++)
        value = value * 10 + (u32)(*text - '0');
    return value;
}
