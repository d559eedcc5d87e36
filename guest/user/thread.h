/* Threads for programs without a C library: clone(2), and futex(2) to wait for the end. */
#pragma once

#include "syscalls.h"
#include "ulib.h"

#define CLONE_VM 0x00000100u
#define CLONE_FS 0x00000200u
#define CLONE_FILES 0x00000400u
#define CLONE_SIGHAND 0x00000800u
#define CLONE_THREAD 0x00010000u
#define CLONE_PARENT_SETTID 0x00100000u
#define CLONE_CHILD_CLEARTID 0x00200000u
#define CLONE_AS_PTHREAD                                                                                     \
    (CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_PARENT_SETTID |                \
     CLONE_CHILD_CLEARTID)

#define FUTEX_WAIT 0
#define THREAD_STACK_WORDS 2048

struct thread {
    volatile u32 tid; /* the kernel writes it at the start, and 0 at the end */
    void (*run)(void *);
    void *arg;
    u32 stack[THREAD_STACK_WORDS];
};

/* 0, or -1 and errno. The thread ends when run(arg) returns. */
static inline int thread_start(struct thread *thread, void (*run)(void *), void *arg)
{
    u32 *top = thread->stack + THREAD_STACK_WORDS;
    thread->run = run;
    thread->arg = arg;
    *--top = (u32)(uintptr_t)arg;
    *--top = (u32)(uintptr_t)run;
    long result;
    /* The child begins with EAX 0 on its own stack: [run, arg]. It ends by exit, which ends a thread only. */
    __asm__ volatile("int $0x80\n\t"
                     "testl %%eax, %%eax\n\t"
                     "jnz 1f\n\t"
                     "xorl %%ebp, %%ebp\n\t"
                     "popl %%eax\n\t"
                     "call *%%eax\n\t"
                     "xorl %%ebx, %%ebx\n\t"
                     "movl %[exit], %%eax\n\t"
                     "int $0x80\n"
                     "1:"
                     : "=a"(result)
                     : [exit] "i"(__NR_exit), "0"(__NR_clone), "b"(CLONE_AS_PTHREAD), "c"(top),
                       "d"(&thread->tid), "S"(0), "D"(&thread->tid)
                     : "memory", "cc");
    if (result < 0) {
        errno = (int)-result;
        return -1;
    }
    return 0;
}

/* Returns when the thread has ended. */
static inline void thread_join(struct thread *thread)
{
    for (u32 tid; (tid = thread->tid) != 0;)
        (void)syscall(__NR_futex, (uintptr_t)&thread->tid, FUTEX_WAIT, tid);
}
