/*
 * All the C library that the programs in here have. System calls return -1 and leave the error number in
 * errno.
 */
#pragma once

#include "compiler.h"
#include "errno.h"
#include "string.h"
#include "types.h"

extern int errno;

/* One for which there is no function here, with __NR_NUMBER of syscalls.h. */
long syscall(u32 number, u32 a, u32 b, u32 c);
long syscall5(u32 number, u32 a, u32 b, u32 c, u32 d, u32 e);
__noreturn void exit(int status);
long read(int fd, void *buf, size_t bytes);
long write(int fd, const void *buf, size_t bytes);
int getpid(void);
int getppid(void);
/* 0 in the child, its number in the parent. */
int fork(void);
/* The child that ended (pid, or any if -1), its status in *status (which may be NULL). */
int waitpid(int pid, int *status, int options);
/* Returns only if it fails. */
int execve(const char *path, char *const argv[], char *const envp[]);
int kill(int pid, int sig);
int sched_yield(void);

/* Private anonymous memory; prot, flags and advice as in mman.h. MAP_FAILED: errno says why. */
#define MAP_FAILED ((void *)-1)
void *mmap(void *address, size_t bytes, int prot, int flags);
int munmap(void *address, size_t bytes);
int mprotect(void *address, size_t bytes, int prot);
void *mremap(void *address, size_t old_bytes, size_t new_bytes, int flags);
/* Moves an area to where new_address says; what was there is gone. */
void *mremap_to(void *address, size_t bytes, void *new_address);
int madvise(void *address, size_t bytes, int advice);
int mlock(const void *address, size_t bytes);
int mlockall(int flags);
int munlockall(void);
/* Page faults of this process so far that needed no disk (getrusage). */
u32 minor_faults(void);
int nanosleep(u32 seconds, u32 nanoseconds);
/* Moves the end of the heap by so many bytes and returns the old end, or (void *)-1. */
void *sbrk(long bytes);

__printf(1, 2) int printf(const char *fmt, ...);
/* The value of a variable, or NULL. */
const char *getenv(char *const envp[], const char *name);
/* A decimal number from the environment, or otherwise. */
u32 getenv_u32(char *const envp[], const char *name, u32 otherwise);
